/*
 * The load side of script/bench: one thread, one epoll, nothing of sluice in it.
 *
 *   load closed   N connections, each asks again when its answer is complete; with --requests until
 *                 that many are, from the first on
 *   load open     R requests per second whatever the answers do; latency counts from when a request was
 *                 due, so a gateway that stalls is charged for what waited
 *   load sse      N streams at a time, counted in events
 *   load hold     N streams opened at R per second and kept; resident memory before and after
 *   load start    starts the command after `--`; time until it answers the first request
 *   load change   as open; in the middle the file or directory --with takes the place of the one in use
 *                 (--target), and a further connection asks as --live-host with --live-key until it is
 *                 let in. Delays are those of the requests before, and from the change on until it was
 *                 live
 *   load hangup   one client at a time hangs up in the middle of a stream; how long until the upstream,
 *                 which is this program too (--listen), sees its connection closed
 *   load port     prints a free port
 *   load probe    exit code 0 when something listens on the port
 *
 * Every answer is checked: status 200, framing to the end, the text that --expect names in its body.
 * Prints one line of name=value. CPU and memory of the processes named by --watch are read from /proc
 * for exactly the measured time (all threads; nanoseconds from schedstat).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"

#define HEAD_MAX 4096
#define KEPT_MAX 2048 /* bytes of an answer's body that are looked at */
#define CHANGES_MAX 4
/* change: the window goes on this long after the change was live, for what is left to be done then */
#define AFTER_LIVE_S 0.5
#define LIVE_WITHIN_S 20
#define COUNTED_WITHIN_S 60

struct options {
	const char *mode;
	uint16_t port, listen_port; /* the second: hangup */
	unsigned connections;
	uint64_t requests; /* closed: ends after that many; 0: with the time */
	double rate, seconds, warm, settle;
	size_t body_bytes;
	unsigned hosts, keys; /* requests go round over that many */
	const char *model, *expect;
	const char *with[CHANGES_MAX], *target[CHANGES_MAX]; /* change */
	unsigned n_with, n_targets;
	const char *live_host, *live_key;
	bool stream;
	struct watched watch;
	char **command;
};

enum framing { BY_LENGTH, BY_CHUNKS, BY_CLOSE };
enum phase { CONNECTING, IDLE, SENDING, HEAD, BODY };
enum chunk_at { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_END, CHUNK_LAST };

struct conn {
	int fd;
	enum phase phase;
	struct conn *next; /* of the idle ones */
	char head[HEAD_MAX];
	size_t head_n; /* of the request, then of the answer */
	size_t sent;
	uint64_t due_ns;
	enum framing framing;
	enum chunk_at chunk;
	uint64_t left;   /* bytes of the body or the chunk */
	bool line_began; /* a blank line ends an event */
	bool counted;    /* hold: its first event was seen */
	bool prober;     /* change: asks whether it is live */
	char kept[KEPT_MAX];
	size_t kept_n;
};

struct load {
	struct options o;
	int epoll;
	char *body;
	size_t body_n;
	struct conn *conns;
	unsigned n_conns; /* ever opened */
	struct conn *idle;
	uint64_t asked;  /* requests ever sent: chooses host and key */
	uint64_t window; /* when the measured time began, 0: not yet */
	uint64_t stop;
	uint64_t requests, errors, events, bytes, reconnects;
	unsigned first_events;
	char why[200]; /* the first error */
	struct histogram latency;
	struct conn *prober; /* change */
	bool live;
	char buffer[256 * 1024];
};

static uint64_t seconds_ns(double s)
{
	return (uint64_t)(s * 1e9);
}

/* --- requests ----------------------------------------------------------------------------------- */

/* Chat text with the escapes of real prompts; `model` is the last member. */
static void make_body(struct load *l)
{
	static const char text[] = "The quick brown fox said \\\"hello\\\" and went on.\\n";
	size_t room = l->o.body_bytes + 512, n, tail_n;
	char tail[256];
	char *b = malloc(room);

	tail_n =
		(size_t)snprintf(tail, sizeof(tail), "\"}],\"temperature\":0.7,%s\"model\":\"%s\"}",
			l->o.stream ? "\"stream\":true," : "", l->o.model);
	if (b == NULL) {
		die("no memory");
	}
	n = (size_t)snprintf(b, room, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
	while (n + sizeof(text) - 1 + tail_n <= l->o.body_bytes) {
		memcpy(b + n, text, sizeof(text) - 1);
		n += sizeof(text) - 1;
	}
	while (n + tail_n < l->o.body_bytes) {
		b[n++] = 'x';
	}
	memcpy(b + n, tail, tail_n);
	l->body = b;
	l->body_n = n + tail_n;
}

static void make_probe(struct load *l, struct conn *c)
{
	c->head_n = (size_t)snprintf(c->head, sizeof(c->head),
		"POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		l->o.live_host, l->o.live_key, l->body_n);
}

static void make_head(struct load *l, struct conn *c)
{
	unsigned key = (unsigned)(l->asked % l->o.keys);

	l->asked++;
	c->head_n = (size_t)snprintf(c->head, sizeof(c->head),
		"POST /v1/chat/completions HTTP/1.1\r\nHost: h%02u.bench\r\n"
		"User-Agent: load/1\r\nAccept: application/json\r\n"
		"Authorization: Bearer key-%06u\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n",
		key % l->o.hosts, key, l->body_n);
}

static void failed(struct load *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void failed(struct load *l, const char *format, ...)
{
	va_list args;

	l->errors++;
	if (l->why[0] == '\0') {
		va_start(args, format);
		vsnprintf(l->why, sizeof(l->why), format, args);
		va_end(args);
	}
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int dial(uint16_t port)
{
	struct sockaddr_in to = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0) {
		die("socket: %s", strerror(errno));
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void conn_open(struct load *l, struct conn *c)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};

	c->fd = dial(l->o.port);
	c->phase = CONNECTING;
	if (c->fd < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0) {
		die("cannot connect to port %u: %s", l->o.port, strerror(errno));
	}
}

static void conn_send(struct load *l, struct conn *c)
{
	while (c->sent < c->head_n + l->body_n) {
		struct iovec v[2];
		int n = 0;
		ssize_t got;

		if (c->sent < c->head_n) {
			v[n++] = (struct iovec){c->head + c->sent, c->head_n - c->sent};
			v[n++] = (struct iovec){l->body, l->body_n};
		} else {
			size_t at = c->sent - c->head_n;

			v[n++] = (struct iovec){l->body + at, l->body_n - at};
		}
		got = writev(c->fd, v, n);
		if (got < 0) {
			return; /* would block, or broken: reading says so */
		}
		c->sent += (size_t)got;
	}
	c->phase = HEAD;
	c->head_n = 0;
}

static void conn_ask(struct load *l, struct conn *c, uint64_t due_ns)
{
	if (c->prober) {
		make_probe(l, c);
	} else {
		make_head(l, c);
	}
	c->sent = 0;
	c->kept_n = 0;
	c->due_ns = due_ns;
	if (c->phase != CONNECTING) {
		c->phase = SENDING;
		conn_send(l, c);
	}
}

/* --- answers ------------------------------------------------------------------------------------ */

static const char *field(const char *head, const char *name)
{
	const char *at = strcasestr(head, name);

	return at == NULL ? NULL : at + strlen(name);
}

/* The head is complete: how the body is framed. False when it is not a good answer. */
static bool read_head(struct load *l, struct conn *c)
{
	const char *value;
	bool good = strncmp(c->head, "HTTP/1.1 200 ", 13) == 0;

	if (c->prober) {
		l->live = good;
	} else if (!good) {
		failed(l, "answer: %.60s", c->head);
		return false;
	}
	c->framing = BY_CLOSE;
	c->left = UINT64_MAX;
	value = field(c->head, "\r\ncontent-length:");
	if (value != NULL) {
		c->framing = BY_LENGTH;
		c->left = strtoull(value, NULL, 10);
	}
	value = field(c->head, "\r\ntransfer-encoding:");
	if (value != NULL) {
		c->framing = BY_CHUNKS;
		c->chunk = CHUNK_SIZE;
		c->left = 0;
	}
	c->line_began = false;
	c->phase = BODY;
	return true;
}

static void body_bytes(struct load *l, struct conn *c, const char *p, size_t n)
{
	size_t keep = KEPT_MAX - c->kept_n < n ? KEPT_MAX - c->kept_n : n;

	memcpy(c->kept + c->kept_n, p, keep);
	c->kept_n += keep;
	l->bytes += n;
	if (!l->o.stream) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			if (!c->line_began) {
				l->events++;
				if (!c->counted) {
					c->counted = true;
					l->first_events++;
				}
			}
			c->line_began = false;
		} else if (p[i] != '\r') {
			c->line_began = true;
		}
	}
}

/* Takes bytes of the body; returns how many belong to it, *done when it is complete. */
static size_t read_body(struct load *l, struct conn *c, const char *p, size_t n, bool *done)
{
	size_t i = 0;

	*done = false;
	if (c->framing != BY_CHUNKS) {
		size_t take = c->left < n ? (size_t)c->left : n;

		body_bytes(l, c, p, take);
		c->left -= take;
		*done = c->left == 0;
		return take;
	}
	while (i < n) {
		char b = p[i];
		size_t take;

		switch (c->chunk) {
		case CHUNK_SIZE:
			i++;
			if (b >= '0' && b <= '9') {
				c->left = c->left * 16 + (uint64_t)(b - '0');
			} else if ((b | 32) >= 'a' && (b | 32) <= 'f') {
				c->left = c->left * 16 + (uint64_t)((b | 32) - 'a' + 10);
			} else if (b == '\n') {
				c->chunk = c->left == 0 ? CHUNK_LAST : CHUNK_DATA;
			}
			break;
		case CHUNK_EXTENSION:
			i++;
			break;
		case CHUNK_DATA:
			take = c->left < n - i ? (size_t)c->left : n - i;
			body_bytes(l, c, p + i, take);
			c->left -= take;
			i += take;
			c->chunk = c->left == 0 ? CHUNK_END : CHUNK_DATA;
			break;
		case CHUNK_END:
		case CHUNK_LAST:
			i++;
			if (b == '\n') {
				*done = c->chunk == CHUNK_LAST;
				c->chunk = CHUNK_SIZE;
				if (*done) {
					return i;
				}
			}
			break;
		}
	}
	return i;
}

static void answer_done(struct load *l, struct conn *c)
{
	uint64_t now = now_ns();

	if (c->prober) {
		c->phase = IDLE;
		return;
	}
	if (l->o.expect != NULL &&
		memmem(c->kept, c->kept_n, l->o.expect, strlen(l->o.expect)) == NULL) {
		failed(l, "an answer without %s: %.*s", l->o.expect,
			(int)(c->kept_n < 80 ? c->kept_n : 80), c->kept);
	} else if (l->window != 0) {
		l->requests++;
		histogram_add(&l->latency, now - c->due_ns);
	}
	c->phase = IDLE;
	if (now >= l->stop || (l->o.requests != 0 && l->asked >= l->o.requests)) {
		return;
	}
	if (strcmp(l->o.mode, "open") == 0 || strcmp(l->o.mode, "change") == 0) {
		c->next = l->idle;
		l->idle = c;
	} else {
		conn_ask(l, c, now);
	}
}

static void conn_again(struct load *l, struct conn *c)
{
	close(c->fd);
	l->reconnects++;
	conn_open(l, c);
	conn_ask(l, c, now_ns());
}

static void conn_bytes(struct load *l, struct conn *c, const char *p, size_t n)
{
	while (n > 0 && c->phase != IDLE) {
		bool done = false;

		if (c->phase == HEAD || c->phase == SENDING) {
			const char *end;
			size_t take = HEAD_MAX - 1 - c->head_n < n ? HEAD_MAX - 1 - c->head_n : n;
			size_t before = c->head_n;

			if (c->phase == SENDING) {
				failed(l, "an answer before the request was sent");
				return;
			}
			memcpy(c->head + before, p, take);
			c->head_n += take;
			c->head[c->head_n] = '\0';
			end = strstr(c->head, "\r\n\r\n");
			if (end == NULL) {
				return;
			}
			take = (size_t)(end + 4 - c->head) - before;
			p += take;
			n -= take;
			if (!read_head(l, c)) {
				conn_again(l, c);
				return;
			}
			done = c->framing == BY_LENGTH && c->left == 0;
		} else {
			size_t take = read_body(l, c, p, n, &done);

			p += take;
			n -= take;
		}
		if (done) {
			answer_done(l, c);
		}
	}
}

static void conn_ready(struct load *l, struct conn *c, uint32_t events)
{
	if (c->phase == CONNECTING && (events & EPOLLOUT) != 0) {
		c->phase = SENDING;
	}
	if (c->phase == SENDING && c->head_n > 0) {
		conn_send(l, c);
	}
	for (;;) {
		ssize_t n = read(c->fd, l->buffer, sizeof(l->buffer));

		if (n > 0) {
			conn_bytes(l, c, l->buffer, (size_t)n);
			if ((size_t)n < sizeof(l->buffer) &&
				(events & (EPOLLRDHUP | EPOLLHUP)) == 0) {
				return;
			}
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			return;
		}
		if (c->phase == BODY && c->framing == BY_CLOSE && n == 0) {
			answer_done(l, c);
		} else if (c->phase != IDLE && now_ns() < l->stop) {
			failed(l, "connection lost: %s", n < 0 ? strerror(errno) : "closed");
		}
		if (now_ns() < l->stop) {
			conn_again(l, c);
		}
		return;
	}
}

/* --- modes -------------------------------------------------------------------------------------- */

static struct conn *conn_new(struct load *l)
{
	struct conn *c;

	if (l->n_conns == l->o.connections) {
		return NULL;
	}
	c = &l->conns[l->n_conns++];
	conn_open(l, c);
	return c;
}

static void turn(struct load *l, uint64_t until)
{
	struct epoll_event events[256];
	uint64_t now = now_ns(), wait = until > now ? until - now : 0;
	struct timespec timeout = {(time_t)(wait / NS_PER_S), (long)(wait % NS_PER_S)};
	int n = epoll_pwait2(l->epoll, events, 256, &timeout, NULL);

	for (int i = 0; i < n; i++) {
		conn_ready(l, events[i].data.ptr, events[i].events);
	}
}

struct measure {
	uint64_t cpu_ns, own_ns, at;
};

static struct measure measure_now(const struct load *l)
{
	return (struct measure){watched_cpu_ns(&l->o.watch), own_cpu_ns(), now_ns()};
}

static void begin_window(struct load *l, struct measure *m)
{
	l->requests = l->errors = l->events = l->bytes = 0;
	*m = measure_now(l);
	l->window = m->at;
}

static void print_window(struct load *l, const struct measure *from)
{
	struct measure to = measure_now(l);
	double seconds = (double)(to.at - from->at) / 1e9;
	double cpu_us = (double)(to.cpu_ns - from->cpu_ns) / 1e3;

	printf("seconds=%.3f requests=%" PRIu64 " errors=%" PRIu64 " reconnects=%" PRIu64
	       " rps=%.1f events=%" PRIu64 " eps=%.1f bytes=%" PRIu64
	       " p50_us=%.0f p90_us=%.0f "
	       "p99_us=%.0f max_us=%.0f cpu_us=%.0f cpu_us_per_request=%.3f cpu_us_per_event=%.3f "
	       "cpu_share=%.3f load_share=%.3f\n",
		seconds, l->requests, l->errors, l->reconnects, (double)l->requests / seconds,
		l->events, (double)l->events / seconds, l->bytes, histogram_at(&l->latency, 0.5),
		histogram_at(&l->latency, 0.9), histogram_at(&l->latency, 0.99),
		histogram_at(&l->latency, 1.0 - 1e-12), cpu_us,
		l->requests > 0 ? cpu_us / (double)l->requests : 0,
		l->events > 0 ? cpu_us / (double)l->events : 0, cpu_us / 1e6 / seconds,
		(double)(to.own_ns - from->own_ns) / 1e9 / seconds);
	if (l->errors > 0) {
		fprintf(stderr, "load: %" PRIu64 " errors, the first: %s\n", l->errors, l->why);
	}
}

/* closed and sse: every connection always has a request under way. */
static void run_closed(struct load *l)
{
	struct measure from = {0, 0, 0};
	uint64_t begin = now_ns() + seconds_ns(l->o.warm);

	l->stop = begin + seconds_ns(l->o.seconds);
	for (unsigned i = 0; i < l->o.connections; i++) {
		conn_ask(l, conn_new(l), now_ns());
	}
	while (now_ns() < begin) {
		turn(l, begin);
	}
	begin_window(l, &from);
	l->stop = from.at + seconds_ns(l->o.seconds);
	while (now_ns() < l->stop) {
		turn(l, l->stop);
	}
	print_window(l, &from);
}

/* A number of requests: what is counted then does not depend on how fast they are. */
static void run_counted(struct load *l)
{
	struct measure from;

	begin_window(l, &from);
	l->stop = from.at + COUNTED_WITHIN_S * NS_PER_S;
	for (unsigned i = 0; i < l->o.connections; i++) {
		conn_ask(l, conn_new(l), now_ns());
	}
	while (l->requests + l->errors < l->o.requests && now_ns() < l->stop) {
		turn(l, l->stop);
	}
	if (l->requests < l->o.requests) {
		failed(l, "%" PRIu64 " of %" PRIu64 " requests", l->requests, l->o.requests);
	}
	print_window(l, &from);
}

/* What is due by now, on connections that are idle or new. */
static void ask_due(struct load *l, uint64_t *due, uint64_t step)
{
	while (*due <= now_ns()) {
		struct conn *c = l->idle;

		if (c != NULL) {
			l->idle = c->next;
		} else {
			c = conn_new(l);
		}
		if (c == NULL) {
			failed(l, "all %u connections are busy", l->o.connections);
		} else {
			conn_ask(l, c, *due);
		}
		*due += step;
	}
}

static void run_open(struct load *l)
{
	struct measure from = {0, 0, 0};
	uint64_t step = (uint64_t)(1e9 / l->o.rate), due = now_ns(),
		 begin = due + seconds_ns(l->o.warm);

	l->stop = begin + seconds_ns(l->o.seconds);
	while (now_ns() < l->stop) {
		ask_due(l, &due, step);
		if (l->window == 0 && now_ns() >= begin) {
			begin_window(l, &from);
		}
		turn(l, due < l->stop ? due : l->stop);
	}
	print_window(l, &from);
}

static void run_hold(struct load *l)
{
	uint64_t before = watched_rss_kb(&l->o.watch), after, step = (uint64_t)(1e9 / l->o.rate);
	uint64_t due = now_ns(), limit = due + 60 * NS_PER_S, settled;

	l->stop = UINT64_MAX;
	while (l->first_events < l->o.connections && now_ns() < limit) {
		while (due <= now_ns() && l->n_conns < l->o.connections) {
			conn_ask(l, conn_new(l), due);
			due += step;
		}
		turn(l, l->n_conns < l->o.connections ? due : now_ns() + NS_PER_S / 10);
	}
	settled = now_ns() + seconds_ns(l->o.settle);
	while (now_ns() < settled) {
		turn(l, settled);
	}
	after = watched_rss_kb(&l->o.watch);
	printf("open=%u errors=%" PRIu64 " rss_before_kb=%" PRIu64 " rss_after_kb=%" PRIu64
	       " kb_per_stream=%.2f\n",
		l->first_events, l->errors, before, after,
		((double)after - (double)before) / (double)l->o.connections);
	if (l->errors > 0) {
		fprintf(stderr, "load: %" PRIu64 " errors, the first: %s\n", l->errors, l->why);
	}
}

/* A directory and the one in use change places; a file takes the place of the one in use. */
static void change_all(const struct options *o)
{
	for (unsigned i = 0; i < o->n_with; i++) {
		struct stat st;
		unsigned how =
			stat(o->with[i], &st) == 0 && S_ISDIR(st.st_mode) ? RENAME_EXCHANGE : 0;

		if (renameat2(AT_FDCWD, o->with[i], AT_FDCWD, o->target[i], how) != 0) {
			die("%s cannot take the place of %s: %s", o->with[i], o->target[i],
				strerror(errno));
		}
	}
}

/* The prober asks at most once a millisecond. */
static void probe(struct load *l, uint64_t *due)
{
	if (l->prober->phase == IDLE && now_ns() >= *due) {
		*due = now_ns() + NS_PER_S / 1000;
		conn_ask(l, l->prober, now_ns());
	}
}

struct change {
	uint64_t step, due, probe_due;
};

static void change_until(struct load *l, struct change *c, uint64_t until, bool end_when_live)
{
	while (now_ns() < until && !(end_when_live && l->live)) {
		ask_due(l, &c->due, c->step);
		if (end_when_live) {
			probe(l, &c->probe_due);
		}
		turn(l, end_when_live && c->probe_due < c->due ? c->probe_due : c->due);
	}
}

static void run_change(struct load *l)
{
	static struct histogram before;
	struct change c = {(uint64_t)(1e9 / l->o.rate), now_ns(), 0};
	uint64_t changed, live, rss;

	l->stop = UINT64_MAX;
	l->window = now_ns();
	change_until(l, &c, now_ns() + seconds_ns(l->o.warm), false);
	l->latency = (struct histogram){0};
	change_until(l, &c, now_ns() + seconds_ns(l->o.seconds), false);
	before = l->latency;
	l->latency = (struct histogram){0};
	l->prober = conn_new(l);
	if (l->prober == NULL) {
		die("all %u connections are busy", l->o.connections);
	}
	l->prober->prober = true;
	rss = watched_rss_kb(&l->o.watch);
	conn_ask(l, l->prober, now_ns());
	while (l->prober->phase != IDLE) {
		turn(l, now_ns() + NS_PER_S / 1000);
	}
	if (l->live) {
		die("%s is let in before the change", l->o.live_host);
	}
	changed = now_ns();
	change_all(&l->o);
	change_until(l, &c, changed + LIVE_WITHIN_S * NS_PER_S, true);
	live = now_ns();
	if (!l->live) {
		die("the change was not live within %u s", LIVE_WITHIN_S);
	}
	change_until(l, &c, live + seconds_ns(AFTER_LIVE_S), false);
	printf("live_ms=%.1f max_ms=%.3f p99_us=%.0f before_max_ms=%.3f before_p99_us=%.0f "
	       "errors=%" PRIu64 " rss_before_mb=%.1f rss_after_mb=%.1f rss_peak_mb=%.1f\n",
		(double)(live - changed) / 1e6, histogram_at(&l->latency, 1.0 - 1e-12) / 1e3,
		histogram_at(&l->latency, 0.99), histogram_at(&before, 1.0 - 1e-12) / 1e3,
		histogram_at(&before, 0.99), l->errors, (double)rss / 1024,
		(double)watched_rss_kb(&l->o.watch) / 1024,
		(double)watched_peak_kb(&l->o.watch) / 1024);
	if (l->errors > 0) {
		fprintf(stderr, "load: %" PRIu64 " errors, the first: %s\n", l->errors, l->why);
	}
}

/* One blocking request; true when it was answered well. */
static bool ask_once(struct load *l)
{
	struct conn *c = &l->conns[0];
	int fd = dial(l->o.port);
	bool good = false;
	ssize_t n;

	if (fd < 0) {
		return false;
	}
	fcntl(fd, F_SETFL, 0);
	make_head(l, c);
	if (write(fd, c->head, c->head_n) == (ssize_t)c->head_n &&
		write(fd, l->body, l->body_n) == (ssize_t)l->body_n) {
		n = read(fd, l->buffer, sizeof(l->buffer) - 1);
		good = n > 13 && strncmp(l->buffer, "HTTP/1.1 200 ", 13) == 0;
	}
	close(fd);
	return good;
}

static void run_start(struct load *l)
{
	uint64_t began = now_ns();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execvp(l->o.command[0], l->o.command);
		_exit(127);
	}
	while (!ask_once(l)) {
		struct timespec pause = {0, 200000};

		if (now_ns() - began > 20 * NS_PER_S) {
			kill(pid, SIGKILL);
			die("no answer within 20 s");
		}
		if (waitpid(pid, &status, WNOHANG) == pid) {
			die("%s ended", l->o.command[0]);
		}
		nanosleep(&pause, NULL);
	}
	printf("start_ms=%.2f\n", (double)(now_ns() - began) / 1e6);
	fflush(stdout);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 16) != 0) {
		die("cannot listen on port %u: %s", port, strerror(errno));
	}
	return fd;
}

/* Reads, each time at most a few seconds, until the text has come. */
static void await_text(int fd, const char *text, char *room, size_t size)
{
	struct timeval limit = {5, 0};
	size_t n = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	while (memmem(room, n, text, strlen(text)) == NULL) {
		ssize_t got = n < size ? read(fd, room + n, size - n) : 0;

		if (got <= 0) {
			die("%.20s did not come: %s", text, got < 0 ? strerror(errno) : "end");
		}
		n += (size_t)got;
	}
}

/* One stream, cut by its client; nanoseconds until the upstream sees it. */
static uint64_t hang_up_once(struct load *l, int listener)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
		"\r\n10\r\ndata: {\"a\": 1}\n\n\r\n";
	struct conn *c = &l->conns[0];
	int client = dial(l->o.port), upstream;
	uint64_t left;

	fcntl(client, F_SETFL, 0);
	make_head(l, c);
	if (write(client, c->head, c->head_n) != (ssize_t)c->head_n ||
		write(client, l->body, l->body_n) != (ssize_t)l->body_n) {
		die("the request could not be sent: %s", strerror(errno));
	}
	upstream = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	await_text(upstream, "\"model\"", l->buffer, sizeof(l->buffer));
	if (write(upstream, answer, sizeof(answer) - 1) != (ssize_t)sizeof(answer) - 1) {
		die("the answer could not be sent: %s", strerror(errno));
	}
	await_text(client, "data: ", l->buffer, sizeof(l->buffer));
	left = now_ns();
	close(client);
	if (read(upstream, l->buffer, sizeof(l->buffer)) > 0 || errno == EAGAIN) {
		die("the upstream's connection was not closed");
	}
	left = now_ns() - left;
	close(upstream);
	return left;
}

/* Spread over half a tick of any clock in the gateway, so that none can be met by luck. */
static void run_hangup(struct load *l)
{
	int listener = listen_on(l->o.listen_port);

	for (unsigned i = 0; i < l->o.connections; i++) {
		struct timespec pause = {0, (long)(i % 20) * 1000000};

		nanosleep(&pause, NULL);
		histogram_add(&l->latency, hang_up_once(l, listener));
	}
	printf("closed_p50_ms=%.3f closed_max_ms=%.3f\n", histogram_at(&l->latency, 0.5) / 1e3,
		histogram_at(&l->latency, 1.0 - 1e-12) / 1e3);
}

static void run_port(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&at, n) != 0 ||
		getsockname(fd, (struct sockaddr *)&at, &n) != 0) {
		die("no free port: %s", strerror(errno));
	}
	printf("%u\n", ntohs(at.sin_port));
}

static bool listens(uint16_t port)
{
	struct sockaddr_in to = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool yes = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return yes;
}

/* --- command line ------------------------------------------------------------------------------- */

static void set_option(struct options *o, const char *name, char *value)
{
	char *rest;

	if (strcmp(name, "--port") == 0) {
		o->port = (uint16_t)strtoul(value, NULL, 10);
	} else if (strcmp(name, "--listen") == 0) {
		o->listen_port = (uint16_t)strtoul(value, NULL, 10);
	} else if (strcmp(name, "--connections") == 0) {
		o->connections = (unsigned)strtoul(value, NULL, 10);
	} else if (strcmp(name, "--requests") == 0) {
		o->requests = strtoull(value, NULL, 10);
	} else if (strcmp(name, "--rate") == 0) {
		o->rate = strtod(value, NULL);
	} else if (strcmp(name, "--seconds") == 0) {
		o->seconds = strtod(value, NULL);
	} else if (strcmp(name, "--warm") == 0) {
		o->warm = strtod(value, NULL);
	} else if (strcmp(name, "--settle") == 0) {
		o->settle = strtod(value, NULL);
	} else if (strcmp(name, "--body") == 0) {
		o->body_bytes = strtoull(value, NULL, 10);
	} else if (strcmp(name, "--hosts") == 0) {
		o->hosts = (unsigned)strtoul(value, NULL, 10);
	} else if (strcmp(name, "--keys") == 0) {
		o->keys = (unsigned)strtoul(value, NULL, 10);
	} else if (strcmp(name, "--model") == 0) {
		o->model = value;
	} else if (strcmp(name, "--expect") == 0) {
		o->expect = value;
	} else if (strcmp(name, "--with") == 0 && o->n_with < CHANGES_MAX) {
		o->with[o->n_with++] = value;
	} else if (strcmp(name, "--target") == 0 && o->n_targets < CHANGES_MAX) {
		o->target[o->n_targets++] = value;
	} else if (strcmp(name, "--live-host") == 0) {
		o->live_host = value;
	} else if (strcmp(name, "--live-key") == 0) {
		o->live_key = value;
	} else if (strcmp(name, "--watch") == 0) {
		for (rest = value; *rest != '\0' && o->watch.n < WATCH_MAX;) {
			o->watch.pid[o->watch.n++] = (int)strtol(rest, &rest, 10);
			rest += *rest == ',' || *rest == ' ';
		}
	} else {
		die("unknown option %s", name);
	}
}

static void read_options(struct options *o, int argc, char **argv)
{
	int i = 2;

	o->mode = argc > 1 ? argv[1] : "";
	for (; i < argc && strcmp(argv[i], "--") != 0; i += 2) {
		if (i + 1 >= argc) {
			die("%s needs a value", argv[i]);
		}
		set_option(o, argv[i], argv[i + 1]);
	}
	o->command = i < argc ? argv + i + 1 : NULL;
	o->stream = strcmp(o->mode, "sse") == 0 || strcmp(o->mode, "hold") == 0 ||
		strcmp(o->mode, "hangup") == 0;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct load *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		die("no memory");
	}
	l->o = (struct options){.connections = 1,
		.rate = 1000,
		.seconds = 1,
		.warm = 0.2,
		.settle = 10,
		.body_bytes = 1024,
		.hosts = 1,
		.keys = 1,
		.model = "bench"};
	read_options(&l->o, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	l->conns = calloc(l->o.connections, sizeof(*l->conns));
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->conns == NULL || l->epoll < 0) {
		die("no memory");
	}
	make_body(l);
	if (l->o.requests != 0) {
		run_counted(l);
	} else if (strcmp(l->o.mode, "closed") == 0 || strcmp(l->o.mode, "sse") == 0) {
		run_closed(l);
	} else if (strcmp(l->o.mode, "open") == 0) {
		run_open(l);
	} else if (strcmp(l->o.mode, "hold") == 0) {
		run_hold(l);
	} else if (strcmp(l->o.mode, "hangup") == 0) {
		run_hangup(l);
	} else if (strcmp(l->o.mode, "change") == 0 && l->o.live_host != NULL &&
		l->o.live_key != NULL && l->o.n_with == l->o.n_targets) {
		run_change(l);
	} else if (strcmp(l->o.mode, "start") == 0 && l->o.command != NULL) {
		run_start(l);
	} else if (strcmp(l->o.mode, "port") == 0) {
		run_port();
	} else if (strcmp(l->o.mode, "probe") == 0) {
		return listens(l->o.port) ? 0 : 1;
	} else {
		die("closed, open, sse, hold, hangup, change, start -- COMMAND, port or probe");
	}
	return l->errors > 0 ? 1 : 0;
}
