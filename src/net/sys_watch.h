/*
 * The system calls of a directory watch (inotify), and nothing else. The simulated world leaves this
 * file and net/file_watch out: there a scenario says when to read again.
 *
 * Functions return >= 0, or a negative enum err with *fault filled.
 */
#ifndef NET_SYS_WATCH_H
#define NET_SYS_WATCH_H

#include "base/err.h"

/* What events said. Their names are only told apart: reading again finds what changed. */
struct sys_watch_news {
	bool any; /* in the last batch */
	bool places; /* in the last batch: a watched directory itself may be another now, or events were
			lost */
	/* Since it was zeroed: the one name that a file was closed after writing, moved to or deleted
	 * under, as a number; 0: none, or it is being written again. */
	uint64_t done;
	bool more; /* there was more than that one */
	/* Since it was zeroed: the name last written to and not closed, moved or deleted afterwards; 0:
	 * none. */
	uint64_t writing;
};

/* A descriptor that is readable when something happened; non-blocking, close-on-exec. */
MUST_CHECK int sys_watch_open(struct fault *fault);
/* Watches the directory that the path names now, and returns its number: the same directory has the
 * same number again. ERR_NOT_FOUND: nothing is there; ERR_LIMIT: too many watches; ERR_IO. */
MUST_CHECK int sys_watch_add(int fd, const char *path, struct fault *fault);
/* Nothing is lost when it was not watched any more. */
void sys_watch_remove(int fd, int number);
/* Takes all events that are there into news, which was zeroed once. `root` is the number of the directory that holds the others. */
void sys_watch_take(int fd, int root, struct sys_watch_news *news);
/* Takes all events that are there: each gets the number of the directory and the name in it. name NULL: of that
 * directory (number negative: of each) more may have changed than can be told. */
void sys_watch_names(int fd, void (*each)(void *arg, int number, const char *name), void *arg);
/* Whether all that happens to files of that directory goes through this kernel: not what other machines share. */
bool sys_watch_sees_all(const char *path);

#endif
