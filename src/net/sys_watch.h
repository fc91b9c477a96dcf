/*
 * The system calls of a directory watch (inotify), and nothing else. The simulated world leaves this
 * file and net/file_watch out: there a scenario says when to read again.
 *
 * Functions return >= 0, or a negative enum err with *fault filled.
 */
#ifndef NET_SYS_WATCH_H
#define NET_SYS_WATCH_H

#include "base/err.h"

/* What a batch of events said. Their names do not matter: reading again finds what changed. */
struct sys_watch_news {
	bool any;
	bool places; /* a watched directory itself may be another now, or events were lost */
};

/* A descriptor that is readable when something happened; non-blocking, close-on-exec. */
MUST_CHECK int sys_watch_open(struct fault *fault);
/* Watches the directory that the path names now, and returns its number: the same directory has the
 * same number again. ERR_NOT_FOUND: nothing is there; ERR_LIMIT: too many watches; ERR_IO. */
MUST_CHECK int sys_watch_add(int fd, const char *path, struct fault *fault);
/* Nothing is lost when it was not watched any more. */
void sys_watch_remove(int fd, int number);
/* Takes all events that are there. `root` is the number of the directory that holds the others. */
void sys_watch_take(int fd, int root, struct sys_watch_news *news);

#endif
