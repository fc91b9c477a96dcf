/*
 * The access log: a thread of its own writes what the workers leave in their rings, because a pipe or a
 * disk may block.
 */
#define _GNU_SOURCE
#include "serve_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/tail.h"

/* The log thread looks this often while lines come, so that several go out together and no worker has
 * to wake it; after so many looks without one it sleeps until it is woken, or for so long at most. */
#define POLL_MS 20u
#define POLLS_BEFORE_SLEEP 10u
#define SLEEP_MS 1000u
/* How often it is looked for lines that were lost. */
#define WATCH_MS 2000u
/* A pipe that nobody reads may not hold up the end of the process. */
#define END_MS 5000u

static int open_file(const char *path)
{
	return strcmp(path, "-") == 0 ? STDOUT_FILENO
				      : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* What is left of two pieces behind the first `from` bytes; returns its length. */
static size_t rest_of(const struct iovec *v, int n, size_t from, struct iovec rest[2])
{
	size_t sum = 0;

	for (int i = 0; i < 2; i++) {
		size_t len = i < n ? v[i].iov_len : 0;
		size_t skip = MIN(from, len);

		rest[i] = (struct iovec){i < n ? (char *)v[i].iov_base + skip : NULL, len - skip};
		from -= skip;
		sum += len - skip;
	}
	return sum;
}

/* False with errno: no. stdout may have been made non-blocking by somebody who shares it. */
static bool try_again(const struct access_log *log)
{
	if (atomic_load(&log->give_up)) {
		return false;
	}
	if (errno == EAGAIN) {
		return poll(&(struct pollfd){.fd = log->fd, .events = POLLOUT}, 1, POLL_MS) >= 0;
	}
	return errno == EINTR;
}

/* All of it; what was written when that fails, with errno. */
static size_t write_all(const struct access_log *log, const struct iovec *v, int n)
{
	struct iovec rest[2];
	size_t done = 0;

	while (rest_of(v, n, done, rest) != 0) {
		ssize_t r = writev(log->fd, rest, 2);

		if (r >= 0) {
			done += (size_t)r;
		} else if (!try_again(log)) {
			break;
		}
	}
	return done;
}

/* Bytes up to the end of the line that was begun with the first `done` of them. */
static size_t up_to_line_end(const struct iovec *v, size_t done)
{
	for (size_t at = done - 1;; at++) {
		size_t n = v[0].iov_len;
		const char *p = at < n ? v[0].iov_base : v[1].iov_base;

		if (p[at < n ? at : at - n] == '\n') {
			return at + 1;
		}
	}
}

/* For those who ask what was said last: also what could not be written, but once. */
static void keep_lines(struct tail *kept, const struct iovec *v, int n, size_t end)
{
	struct iovec first[2] = {{NULL, 0}, {NULL, 0}};

	for (int i = 0; i < n && i < 2; i++) {
		first[i] = (struct iovec){v[i].iov_base, MIN(v[i].iov_len, end)};
		end -= first[i].iov_len;
	}
	if (kept != NULL) {
		tail_put(kept, first, 2);
	}
}

/* A line is written whole; when its end finds no room (a disk is full), a line end is owed, so that no
 * other line is spoilt by it. */
static ssize_t write_log(void *arg, const struct iovec *v, int n)
{
	struct access_log *log = arg;
	char end_of_line = '\n';
	struct iovec rest[2];
	size_t all = rest_of(v, n, 0, rest);
	size_t done;
	size_t end;

	if (log->torn) {
		log->torn = write_all(log, &(struct iovec){&end_of_line, 1}, 1) != 1;
	}
	done = log->torn ? 0 : write_all(log, v, n);
	end = done == all || done == 0 ? all : up_to_line_end(v, done);
	keep_lines(log->kept, v, n, end);
	if (done == all) {
		return (ssize_t)all;
	}
	atomic_store(&log->error, atomic_load(&log->give_up) ? 0 : errno);
	if (done == 0) {
		return -1;
	}
	log->torn = end != done;
	return (ssize_t)end;
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
	log->torn = false;
}

static void wait_for_lines(struct serve *s, unsigned *idle)
{
	if (*idle < POLLS_BEFORE_SLEEP) {
		*idle += 1;
		nanosleep(&(struct timespec){0, POLL_MS * 1000000L}, NULL);
	} else {
		gateway_sleep_log(s->gateway, SLEEP_MS);
	}
}

static void *run_log(void *arg)
{
	struct serve *s = arg;
	unsigned idle = 0;
	bool stop;

	do {
		stop = atomic_load(&s->log.stop);
		if (atomic_exchange(&s->log.reopen, false)) {
			reopen_log(&s->log);
		}
		if (gateway_write_log(s->gateway, write_log, &s->log) != 0) {
			idle = 0;
		} else if (!stop) {
			wait_for_lines(s, &idle);
		}
	} while (!stop);
	while (gateway_write_log(s->gateway, write_log, &s->log) > 0) {}
	return NULL;
}

void serve_log_reopen(struct serve *s)
{
	atomic_store(&s->log.reopen, true);
	gateway_wake_log(s->gateway);
}

/* --- control ------------------------------------------------------------------------------------ */

static void say_lost(struct serve *s)
{
	uint64_t dropped = gateway_log_dropped(s->gateway);
	int error = atomic_exchange(&s->log.error, 0);

	if (dropped == s->log.said) {
		return;
	}
	log_error("serve", "%llu access lines were lost: %s %s%s%s",
		(unsigned long long)(dropped - s->log.said),
		strcmp(s->log.path, "-") == 0 ? "stdout" : s->log.path,
		error != 0 ? "cannot be written to (" : "takes less than there is to write",
		error != 0 ? strerror(error) : "",
		error != 0 ? "); make room, or choose another --access-log"
			   : "; read it faster, or choose a file as --access-log");
	s->log.said = dropped;
}

static void on_watch(struct timer *t)
{
	struct serve *s = CONTAINER_OF(t, struct serve, log.timer);

	say_lost(s);
	timer_set(gateway_control(s->gateway), t, WATCH_MS, on_watch);
}

int serve_log_start(struct serve *s)
{
	if (!s->opts.access_log) {
		return 0;
	}
	if (pthread_create(&s->log.thread, NULL, run_log, s) != 0) {
		return ERR_IO;
	}
	s->log.runs = true;
	timer_set(gateway_control(s->gateway), &s->log.timer, WATCH_MS, on_watch);
	return 0;
}

static bool join_within(pthread_t thread, unsigned ms)
{
	uint64_t until = clock_wall_ms() + ms;
	const struct timespec deadline = {(time_t)(until / 1000), (long)(until % 1000) * 1000000L};

	return pthread_timedjoin_np(thread, NULL, &deadline) == 0;
}

static void on_interrupt(int signal)
{
	(void)signal;
}

/* A write that waits for a reader is interrupted; by a signal again and again, for one may come just
 * before it. (To cancel a thread the C library loads another one, which the sandbox refuses.) */
static void interrupt(struct access_log *log)
{
	const struct sigaction action = {.sa_handler = on_interrupt};

	IGNORE(sigaction(SIGUSR1, &action, NULL));
	atomic_store(&log->give_up, true);
	do {
		pthread_kill(log->thread, SIGUSR1);
	} while (!join_within(log->thread, POLL_MS));
}

void serve_log_stop(struct serve *s)
{
	if (!s->log.runs) {
		return;
	}
	atomic_store(&s->log.stop, true);
	gateway_wake_log(s->gateway);
	if (!join_within(s->log.thread, END_MS)) {
		interrupt(&s->log);
	}
	timer_clear(gateway_control(s->gateway), &s->log.timer);
	say_lost(s);
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
