/* The subject "echo": what a connection says comes back. It tests the simulated world itself. */
#include <stdlib.h>

#include "net/sock.h"
#include "sim/subject.h"

#define ROOM 4096u

struct echo {
	struct subject base;
	struct watch listener;
	struct list conns;
};

struct conn {
	struct sock sock;
	struct list link;
	char room[ROOM];
	size_t beg, end;
	bool ended;
};

static void conn_free(void *p)
{
	free(p);
}

static void conn_end(struct conn *c, bool reset)
{
	list_remove(&c->link);
	loop_free_later(c->sock.loop, c, conn_free);
	sock_close(&c->sock, reset);
}

/* False: the connection is over. */
static bool do_read(struct conn *c)
{
	ssize_t n = sock_read(&c->sock, c->room, ROOM);

	if (n == 0) {
		c->ended = true;
	} else if (n > 0) {
		c->end = (size_t)n;
	} else if (n != ERR_AGAIN) {
		conn_end(c, true);
		return false;
	}
	return true;
}

static bool do_write(struct conn *c)
{
	struct iovec v = {c->room + c->beg, c->end - c->beg};
	ssize_t n = sock_writev(&c->sock, &v, 1);

	if (n > 0) {
		c->beg += (size_t)n;
	} else if (n != ERR_AGAIN) {
		conn_end(c, true);
		return false;
	}
	if (c->beg == c->end) {
		c->beg = c->end = 0;
	}
	return true;
}

static void on_ready(struct sock *s)
{
	struct conn *c = CONTAINER_OF(s, struct conn, sock);

	for (;;) {
		if (c->end != 0) {
			if (!sock_writable(s) || !do_write(c)) {
				return;
			}
		} else if (c->ended) {
			conn_end(c, false);
			return;
		} else if (!sock_readable(s) || !do_read(c)) {
			return;
		}
	}
}

static void on_listener(struct watch *w)
{
	struct echo *e = CONTAINER_OF(w, struct echo, listener);
	struct sys_addr peer;
	int fd;

	while ((fd = sys_accept(w->fd, &peer)) >= 0) {
		struct conn *c = must_alloc(sizeof(*c));

		list_append(&e->conns, &c->link);
		if (sock_init_accepted(&c->sock, e->base.loops[0], fd, on_ready) != 0) {
			conn_end(c, true);
		}
	}
}

static struct subject *start(const struct settings *s, struct fault *f)
{
	struct echo *e = must_alloc(sizeof(*e));
	struct sys_addr at;
	int fd;

	(void)s;
	(void)f;
	e->base.ops = &subject_echo;
	e->base.n_loops = 1;
	e->base.loops[0] = loop_new();
	list_init(&e->conns);
	IGNORE(sys_addr_parse(
		&at, SUBJECT_ADDRESS, sizeof(SUBJECT_ADDRESS) - 1, SUBJECT_PORT)); /* a literal */
	fd = sys_listen(&at, 16, &at);
	if (fd < 0 || loop_watch_listener(e->base.loops[0], &e->listener, fd, on_listener) != 0) {
		ASSERT(false); /* the simulated world lets everybody listen */
	}
	return &e->base;
}

static bool work(struct subject *s)
{
	(void)s;
	return false;
}

static void drain(struct subject *s)
{
	(void)s;
}

static size_t lent(struct subject *s)
{
	const struct echo *e = CONTAINER_OF(s, struct echo, base);
	size_t n = 0;

	for (const struct list *at = e->conns.next; at != &e->conns; at = at->next) {
		n++;
	}
	return n;
}

static bool count(struct subject *s, struct bytes name, uint64_t *out)
{
	(void)s;
	(void)name;
	(void)out;
	return false;
}

static struct bytes read_log(struct subject *s)
{
	(void)s;
	return bytes_of("", 0);
}

static void stop(struct subject *s)
{
	struct echo *e = CONTAINER_OF(s, struct echo, base);
	int fd = e->listener.fd;

	loop_unwatch(s->loops[0], &e->listener);
	sys_close(fd, false);
	loop_free(s->loops[0]);
	free(e);
}

const struct subject_ops subject_echo = {
	"echo", start, work, NULL, drain, NULL, lent, count, read_log, stop};
