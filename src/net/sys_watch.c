#define _GNU_SOURCE
#include "net/sys_watch.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

#define MASK                                                                                \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | \
		IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
/* Nobody writes under this name any more. */
#define ENDED (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE)
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

/* FNV-1a; two names that collide are told a little sooner. */
static uint64_t number_of(const struct inotify_event *e, const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (unsigned)e->wd;

	for (size_t i = 0; i < e->len && name[i] != '\0'; i++) {
		h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	}
	return h | 1;
}

static void take_one(
	const struct inotify_event *e, const char *name, int root, struct sys_watch_news *news)
{
	uint64_t number = number_of(e, name);
	bool place = e->wd == root || (e->mask & SELF) != 0;

	news->any = true;
	news->places = news->places || place;
	if (place || (news->done != 0 && news->done != number)) {
		news->more = true;
	}
	if ((e->mask & IN_MODIFY) != 0) {
		news->writing = number;
	} else if ((e->mask & IN_Q_OVERFLOW) != 0 ||
		(news->writing == number && (e->mask & ENDED) != 0)) {
		news->writing = 0;
	}
	/* A file that is moved from here is done under the name that it is moved to. */
	news->done = (e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE)) != 0 ? number : 0;
}

void sys_watch_take(int fd, int root, struct sys_watch_news *news)
{
	_Alignas(struct inotify_event) char room[16384];
	ssize_t n;

	news->any = news->places = false;
	do {
		n = read(fd, room, sizeof(room));
		for (ssize_t at = 0; at < n;) {
			struct inotify_event e;

			memcpy(&e, room + at, sizeof(e));
			take_one(&e, room + at + sizeof(e), root, news);
			at += (ssize_t)(sizeof(e) + e.len);
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
}

static void tell_one(const struct inotify_event *e, const char *name,
	void (*each)(void *arg, int number, const char *name), void *arg)
{
	if ((e->mask & IN_Q_OVERFLOW) != 0) {
		each(arg, -1, NULL);
	} else {
		each(arg, e->wd, (e->mask & SELF) == 0 && e->len != 0 ? name : NULL);
	}
}

void sys_watch_names(int fd, void (*each)(void *arg, int number, const char *name), void *arg)
{
	_Alignas(struct inotify_event) char room[16384];
	ssize_t n;

	do {
		n = read(fd, room, sizeof(room));
		for (ssize_t at = 0; at < n;) {
			struct inotify_event e;

			memcpy(&e, room + at, sizeof(e));
			tell_one(&e, room + at + sizeof(e), each, arg);
			at += (ssize_t)(sizeof(e) + e.len);
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 && errno != EAGAIN) {
		each(arg, -1, NULL);
	}
}

bool sys_watch_sees_all(const char *path)
{
	static const unsigned long kinds[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
		F2FS_SUPER_MAGIC, TMPFS_MAGIC};
	struct statfs st;

	if (statfs(path, &st) != 0) {
		return false;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if ((unsigned long)st.f_type == kinds[i]) {
			return true;
		}
	}
	return false;
}
