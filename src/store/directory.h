/*
 * The directory store: a Higress file-store root (higress-resources.md §1). Blocking: start-up, jobs
 * threads and commands.
 *
 * The unit of reading is the file: (size, times, inode, hash) → parsed object kept. A file that broke
 * keeps its last good object and is reported; so does one that is refused by who serves it. A directory that cannot be read, is gone, or is suddenly
 * another and empty one (unmounted) keeps all of its last and is reported: resources are removed by
 * deleting their files.
 */
#ifndef STORE_DIRECTORY_H
#define STORE_DIRECTORY_H

#include "base/file.h"
#include "resource/object.h"

struct directory;

struct directory_report {
	size_t files, read, gone; /* seen, parsed anew, deleted since the last time */
	size_t kept_bad;          /* broken or refused, but served from memory */
	struct findings findings; /* of reading: broken files, several documents … */
	struct arena arena;
};

/* Whoever can tell what changed, so that not all has to be looked at (net/name_watch.h). */
struct directory_news {
	/* Returns the kinds, a bit for each, of which all names that may have changed since the last call were
	 * told; the others are looked at as a whole. */
	uint32_t (*take)(
		void *of, void (*each)(void *arg, size_t kind, const char *name), void *arg);
	void *of;
};

struct directory *directory_new(const char *root);
/* Before the first read; it must live as long. */
void directory_set_news(struct directory *d, struct directory_news news);
/* The next read looks at every file, whatever is told. */
void directory_doubt(struct directory *d);
/* For what takes the place of what was read: objects that were put give it back when they end. */
struct arena_pool *directory_pool(const struct directory *d);
/* When a read last did so, by clock_wall_ms; 0: never. */
uint64_t directory_looked_ms(const struct directory *d);
void directory_free(struct directory *d);
/* Reads what changed; returns a new snapshot (one reference is the caller's), never NULL. A root
 * that was never there is an empty snapshot. *report is filled (directory_report_done frees it). */
struct snapshot *directory_read(struct directory *d, struct directory_report *report);
/*
 * A file that reads well may still say what cannot be served. directory_refuse: `good`, which was served until now,
 * takes its place (one reference goes over), in this and in later reads, until the file changes. directory_retry: the
 * next read gives what was refused once more, since what stands around it may have changed.
 */
void directory_refuse(
	struct directory *d, enum resource_kind kind, struct bytes name, struct object *good);
void directory_retry(struct directory *d);
/* Whether the newest version of that file is refused. */
bool directory_refuses(const struct directory *d, enum resource_kind kind, struct bytes name);
/* What store/commit.c has just written, remembered as if it had been read, so that it need not be: one
 * reference to o goes over; st is of the file after its rename, of what was in it before.
 * o NULL: the file was removed, st is not looked at. */
void directory_put(struct directory *d, enum resource_kind kind, struct bytes name,
	struct object *o, const struct file_stat *st);
void directory_report_done(struct directory_report *r);

#endif
