/*
 * The access log: a thread of its own writes what the workers leave in their rings, because a pipe or a
 * disk may block.
 */
#define _GNU_SOURCE
#include "serve_int.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* The log thread looks this often while there is nothing to write. */
#define LOG_POLL_MS 20

static int open_file(const char *path)
{
	return strcmp(path, "-") == 0 ? STDOUT_FILENO
				      : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static ssize_t write_log(void *arg, const struct iovec *v, int n)
{
	const struct access_log *log = arg;
	ssize_t r;

	do {
		r = writev(log->fd, v, n);
	} while (r < 0 && errno == EINTR);
	return r;
}

static void reopen_log(struct access_log *log)
{
	int fd;

	if (log->fd < 0 || log->fd == STDOUT_FILENO) { /* off, or not ours to rotate */
		return;
	}
	fd = open_file(log->path);
	if (fd < 0) {
		log_error("serve",
			"access log %s could not be opened again (%s); the old file stays in use",
			log->path, strerror(errno));
		return;
	}
	close(log->fd);
	log->fd = fd;
}

void *serve_log_run(void *arg)
{
	struct serve *s = arg;
	bool stop;

	do {
		stop = atomic_load(&s->log.stop);
		if (atomic_exchange(&s->log.reopen, false)) {
			reopen_log(&s->log);
		}
		if (gateway_write_log(s->gateway, write_log, &s->log) == 0 && !stop) {
			nanosleep(&(struct timespec){0, LOG_POLL_MS * 1000000L}, NULL);
		}
	} while (!stop);
	while (gateway_write_log(s->gateway, write_log, &s->log) > 0) {}
	return NULL;
}

int serve_log_open(struct serve *s)
{
	s->log.path = s->settings.access_log;
	if (!s->opts.access_log) {
		return 0;
	}
	s->log.fd = open_file(s->log.path);
	return s->log.fd >= 0 ? 0 : ERR_IO;
}
