/*
 * Tells when files of a tree of two levels have changed and come to rest: a root, and directories in
 * it. Lives on a loop; what changed is for the reader to find out.
 *
 * Each directory is watched by what its path names now. One that appears later, is swapped for another,
 * unmounted or deleted is found again: by the events of the root, or when the paths are looked at
 * every FILE_WATCH_POLL_MS. One that is there and cannot be watched (permission, a limit of the
 * system) is logged, and counts as changed at each look.
 */
#ifndef NET_FILE_WATCH_H
#define NET_FILE_WATCH_H

#include "net/loop.h"

/* higress-resources.md §1.6: a change is told when nothing has happened for this long ... */
#define FILE_WATCH_QUIET_MS 100u
/* ... or for this long, if it is one file that was closed, moved in or deleted, and nothing else; not
 * while one change follows another (FILE_WATCH_LATEST_MS after the last was told) ... */
#define FILE_WATCH_ONE_MS 20u
/* ... or, in a tree that never rests or where a file that was written to is not closed, this long after
 * its first change. */
#define FILE_WATCH_LATEST_MS 1000u
#define FILE_WATCH_POLL_MS 2000u

struct file_watch;

struct file_watch_opts {
	const char *root;
	const char *const *names; /* of the directories in it; need not exist */
	size_t n_names;
	void (*on_change)(void *arg);
	void *arg;
};

/* NULL with *fault when the system has no watch to give. The texts of opts are copied. */
struct file_watch *file_watch_new(
	struct loop *l, const struct file_watch_opts *opts, struct fault *fault);
/* NULL is allowed. Does not call any more. */
void file_watch_free(struct file_watch *w);

#endif
