/*
 * Resources that a command was given as paths, for commands that work without a server. A path is
 *
 * - a root: a directory that has directories of kinds ("ingresses"), or whose "resources" is one;
 * - a directory of a kind, or a file in one: the file's name is the object's;
 * - any other file or directory of .yaml files, or "-" for standard input: each document is filed under
 *   its own kind and name, as kubectl's bundles are written. Of several with the same the last counts.
 *
 * Blocking. The tree's own findings say where the person looks. Those of a plan name objects as the store
 * would ("ingresses/a.yaml"); tree_place says which file and line that was.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdio.h>

#include "base/hash.h"
#include "resource/object.h"

/* Documents of one bundle. Accident: a file that is none of resources. */
#define TREE_DOCUMENTS_MAX 200000u

struct tree_file;

struct tree {
	struct snapshot *snapshot;
	struct findings findings; /* of reading; file and line are those that the person knows */
	struct arena arena;
	struct map files; /* label to struct tree_file */
	struct map seen;  /* files that were read, whatever the path */
	size_t n_files;   /* files and documents read, of kinds that the program knows */
	size_t n_unread; /* of them, and of files that cannot be opened: those of which nothing is known */
};

/* False when a path does not exist: said on err, and nothing to free. What cannot be read is a finding. */
MUST_CHECK bool tree_read(struct tree *t, char *const *paths, size_t n, FILE *err);
void tree_done(struct tree *t);
/* For findings of a plan: the path of the file, and the line there; the label itself when it is none of
 * the tree's. */
struct bytes tree_place(const struct tree *t, const struct finding *f, uint32_t *line);

#endif
