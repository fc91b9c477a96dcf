/*
 * Resources that a command was given as paths, for commands that work without a server. A path is
 *
 * - a root: a directory that has directories of kinds ("ingresses"), or whose "resources" is one;
 * - a directory of a kind, or a file in one: the file's name is the object's;
 * - any other file or directory of .yaml files: each document is filed under its own kind and name, as
 *   kubectl's bundles are written.
 *
 * Blocking. Findings name objects as the store would ("ingresses/a.yaml"); tree_place says which file and
 * line that was.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdio.h>

#include "base/hash.h"
#include "resource/object.h"

/* Documents of one bundle. */
#define TREE_DOCUMENTS_MAX 10000u

struct tree_file;

struct tree {
	struct snapshot *snapshot;
	struct findings findings; /* of reading */
	struct arena arena;
	struct map files; /* label to struct tree_file */
	size_t n_files;   /* files and documents read, of kinds that the program knows */
};

/* False when a path does not exist or cannot be read: said on err, and nothing to free. */
MUST_CHECK bool tree_read(struct tree *t, char *const *paths, size_t n, FILE *err);
void tree_done(struct tree *t);
/* The path of a finding's file, and the line there; the label itself when it is none of the tree's. */
struct bytes tree_place(const struct tree *t, const struct finding *f, uint32_t *line);

#endif
