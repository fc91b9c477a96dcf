/*
 * The one queue of writes, as those see it who have something to write: management interfaces. It is control's;
 * serve_write.c implements it. A write runs on a jobs thread, alone; it is done when every worker has the
 * plan that it led to.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/list.h"
#include "store/commit.h"
#include "store/overlay.h"

/* Accident: clients that write faster than disks; those behind are told to come back. */
#define WRITER_QUEUE_MAX 256u

/* Embedded in whoever writes; zeroed before. */
struct write {
	struct list link; /* the queue's while it waits */
	/* Control, right before work. May be NULL. */
	void (*begin)(struct write *w);
	/* A jobs thread: fills what is its own in c, calls commit_run or does something else, and takes what
	 * it wants from c. */
	void (*work)(struct write *w, struct commit *c);
	/* Control. What c led to is live, or there was nothing. */
	void (*on_done)(struct write *w);
};

struct writer {
	/* Control. False: the queue is full, and w was not taken. Never calls back at once. */
	bool (*submit)(void *arg, struct write *w);
	/* Control: what is live; one reference is the caller's. Never NULL once the process is ready. */
	struct snapshot *(*snapshot)(void *arg);
	void *arg;
	/* A write's, while it works: what is compiled beside the files. NULL: nothing can be. */
	struct overlay *overlay;
};

/* Control. True: it had not begun and never will. */
static inline bool write_cancel(struct write *w)
{
	if (!list_linked(&w->link)) {
		return false;
	}
	list_remove(&w->link);
	return true;
}

#endif
