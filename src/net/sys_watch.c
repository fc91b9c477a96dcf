#define _GNU_SOURCE
#include "net/sys_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MASK                                                                                \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | \
		IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
/* Of one watched directory: it, or what its path leads to, is not what it was. */
#define SELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW)

static int fail(struct fault *fault, const char *what, const char *path, int error)
{
	enum err err = error == ENOENT || error == ENOTDIR ? ERR_NOT_FOUND
		: error == ENOSPC || error == EMFILE || error == ENFILE || error == ENOMEM
		? ERR_LIMIT
		: ERR_IO;

	return (int)fault_set(
		fault, err, 0, 0, "cannot %s %.100s: %s", what, path, strerror(error));
}

int sys_watch_open(struct fault *fault)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	return fd >= 0 ? fd : fail(fault, "begin to watch", "directories", errno);
}

int sys_watch_add(int fd, const char *path, struct fault *fault)
{
	int number = inotify_add_watch(fd, path, MASK);

	return number >= 0 ? number : fail(fault, "watch", path, errno);
}

void sys_watch_remove(int fd, int number)
{
	IGNORE(inotify_rm_watch(fd, number)); /* a directory that is gone has no watch */
}

void sys_watch_take(int fd, int root, struct sys_watch_news *news)
{
	_Alignas(struct inotify_event) char room[16384];
	ssize_t n;

	*news = (struct sys_watch_news){false, false};
	do {
		n = read(fd, room, sizeof(room));
		for (ssize_t at = 0; at < n;) {
			struct inotify_event e;

			memcpy(&e, room + at, sizeof(e));
			news->any = true;
			news->places = news->places || e.wd == root || (e.mask & SELF) != 0;
			at += (ssize_t)(sizeof(e) + e.len);
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
}
