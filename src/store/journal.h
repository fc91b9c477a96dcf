/*
 * What was there before a change, on disk before the change begins: the journal that repairs a crash,
 * and the backup that a person goes back to. Both are these files, below the directory of backups:
 *
 *   <id>/manifest.json      who changed what, the files with their hashes before and after;
 *   <id>/begun.json         the same, while the change is not complete
 *   <id>/ingresses/a.yaml   the file as it was; none: there was none
 *
 * Blocking: a jobs thread, start-up, commands. Everything is 0600 in directories that are 0700; a large image
 * may be the old file itself under a second name, with the mode that it had.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/digest.h"
#include "base/file.h"
#include "resource/object.h"

/* "20261121T150405Z-0f423f": the second and the microseconds in it, so that names are in order of time. */
#define JOURNAL_ID_N 23u
/* Accident: a directory with a manifest that is none. */
#define JOURNAL_MANIFEST_MAX ((size_t)64 << 20)

enum journal_state {
	JOURNAL_BEGUN, /* the process ended, or could not put everything back, in the middle */
	JOURNAL_DONE
};

struct journal_file {
	enum resource_kind kind;
	struct bytes name;      /* of the object */
	bool had, has;          /* a file before, after */
	struct bytes old, text; /* to journal_begin: what is there, what is to be there */
	unsigned char before[DIGEST_SHA256_SIZE], after[DIGEST_SHA256_SIZE]; /* of old, of text */
	unsigned mode; /* of the file before */
	/* To journal_begin: where old stands and what replaces it is renamed to; so the old file itself can become
	 * the image when it is large. NULL: it is copied. */
	const char *path;
	struct file_stage image; /* between journal_begin and journal_sync */
};

struct journal {
	char id[JOURNAL_ID_N + 1];
	enum journal_state state;
	bool named;                     /* made by a person; the files are all that there were */
	struct bytes actor, peer, what; /* who, from where, which request */
	struct bytes reason;            /* a person's, of a named one */
	int64_t time_s;
	struct journal_file *files;
	size_t n;
	const char *dir;         /* <backups>/<id>, of journal_begin's arena */
	struct file_stage begun; /* the manifest, between journal_begin and journal_sync */
};

/* Fills before and after, for who does not know them yet. */
void journal_hash(struct journal_file *f);
/* Whether text has the form of an id: nothing else may become a part of a path. */
bool journal_is_id(struct bytes text);
/* The path of one file, NUL-terminated in the arena: root/ingresses/a.yaml. */
const char *journal_path(
	struct arena *a, const char *root, enum resource_kind kind, struct bytes name);

/* Writes the images and the manifest, which does not count yet. j's texts and files are the caller's; id and
 * time_s are filled. The arena is used until the journal ends. On failure nothing is
 * left. */
MUST_CHECK int journal_begin(
	struct journal *j, struct arena *a, const char *backups, struct fault *fault);
/* All of it is on the device, and it counts: from here on a crash is repaired. After a failure: journal_drop. */
MUST_CHECK int journal_sync(
	struct journal *j, struct arena *a, const char *backups, struct fault *fault);
/* The change is complete: from here on a crash leaves it alone. On failure it still is begun. The directories of
 * what was changed have been synced. */
MUST_CHECK int journal_end(struct journal *j, struct arena *a, struct fault *fault);
/* Nothing was changed, or all was put back: the files of the journal are removed. */
void journal_drop(struct journal *j, struct arena *a, const char *backups);

/* Ids in the directory, oldest first, as `struct bytes` in the arena; none when there is no directory. */
MUST_CHECK int journal_list(
	struct arena *a, const char *backups, struct strings *out, struct fault *fault);
/* Reads a manifest; files' texts are not read (journal_image). ERR_NOT_FOUND, ERR_SYNTAX … */
MUST_CHECK int journal_read(struct journal *j, struct arena *a, const char *backups,
	struct bytes id, struct fault *fault);
/* The file as it was, appended to out; its hash is checked. */
MUST_CHECK int journal_image(const char *backups, const struct journal *j,
	const struct journal_file *f, struct text *out, struct fault *fault);

/* Puts back what a process that ended in the middle has left; a change that had come to each of its files is
 * complete and stays. Before the first read of root. What was done, and what somebody else has changed since and is left alone, goes to *findings. */
MUST_CHECK int journal_recover(const char *root, const char *backups, struct findings *findings);

#endif
