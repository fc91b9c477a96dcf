/*
 * c-ares asks us for its sockets, so that we know what it leaves unread: the loop reports an edge
 * once, and c-ares reads a TCP answer in small steps.
 *
 *   dns ── sockets (c-ares opens and closes them; ours to watch)
 *       └─ lookups: one per dns_resolve, until c-ares has called back and the query is answered or
 *          cancelled. c-ares cannot cancel one lookup, so a cancelled one stays until it is through.
 */
#define _GNU_SOURCE
#include "net/dns.h"

#include <ares.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A lost packet is asked again before most callers lose patience; c-ares would wait 5 s. */
#define TRY_MS 2000
#define TRIES 3

struct dns {
	struct loop *loop;
	ares_channel channel;
	struct timer timer; /* when c-ares wants to try again */
	struct list sockets;
	struct list lookups;
};

struct socket {
	struct list link;
	struct watch watch;
	struct dns *dns;
	bool got; /* the last recv brought something: there may be more */
};

struct lookup {
	struct list link;
	struct dns *dns;
	struct dns_query *query; /* NULL: answered or cancelled */
	bool asking;             /* c-ares will call back */
	uint16_t port;
	struct timer timer;  /* the caller's patience */
	struct task deliver; /* an answer never comes out of dns_resolve itself */
	struct dns_answer answer;
	char host[64]; /* for messages, cut */
};

/* --- c-ares and the loop ------------------------------------------------------------------------ */

static void on_retry(struct timer *t);

static void set_timer(struct dns *d)
{
	struct timeval tv;

	if (ares_timeout(d->channel, NULL, &tv) == NULL) {
		timer_clear(d->loop, &d->timer);
	} else {
		uint64_t ms = (uint64_t)tv.tv_sec * 1000u + (uint64_t)tv.tv_usec / 1000u + 1;

		timer_set(d->loop, &d->timer, ms, on_retry);
	}
}

static void on_retry(struct timer *t)
{
	struct dns *d = CONTAINER_OF(t, struct dns, timer);

	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(d);
}

static void on_ready(struct watch *w)
{
	struct socket *s = CONTAINER_OF(w, struct socket, watch);
	struct dns *d = s->dns;

	if (w->writable) {
		ares_process_fd(d->channel, ARES_SOCKET_BAD, w->fd);
	}
	/* c-ares may close the socket; the memory stays until the turn is over. */
	s->got = w->readable;
	while (s->got && w->fd >= 0) {
		s->got = false;
		ares_process_fd(d->channel, w->fd, ARES_SOCKET_BAD);
	}
	w->readable = w->writable = false;
	set_timer(d);
}

static struct socket *find(struct dns *d, int fd)
{
	for (struct list *at = d->sockets.next; at != &d->sockets; at = at->next) {
		struct socket *s = CONTAINER_OF(at, struct socket, link);

		if (s->watch.fd == fd) {
			return s;
		}
	}
	return NULL;
}

static ares_socket_t socket_open(int domain, int type, int protocol, void *arg)
{
	struct dns *d = arg;
	int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	struct socket *s;

	if (fd < 0) {
		return ARES_SOCKET_BAD;
	}
	s = must_alloc(sizeof(*s));
	s->dns = d;
	if (loop_watch(d->loop, &s->watch, fd, on_ready) != 0) {
		free(s);
		close(fd);
		errno = EMFILE;
		return ARES_SOCKET_BAD;
	}
	list_append(&d->sockets, &s->link);
	return fd;
}

static int socket_close(ares_socket_t fd, void *arg)
{
	struct dns *d = arg;
	struct socket *s = find(d, fd);

	if (s != NULL) {
		loop_unwatch(d->loop, &s->watch);
		list_remove(&s->link);
		loop_free_later(d->loop, s, free);
	}
	return close(fd);
}

static int socket_connect(
	ares_socket_t fd, const struct sockaddr *addr, ares_socklen_t len, void *arg)
{
	(void)arg;
	return connect(fd, addr, len);
}

static ares_ssize_t socket_recv(ares_socket_t fd, void *p, size_t n, int flags,
	struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
	ares_ssize_t got = recvfrom(fd, p, n, flags, from, from_len);
	struct socket *s = find(arg, fd);

	if (s != NULL) {
		s->got = got > 0;
	}
	return got;
}

static ares_ssize_t socket_send(ares_socket_t fd, const struct iovec *v, int n, void *arg)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n};

	(void)arg;
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static const struct ares_socket_functions socket_functions = {
	socket_open, socket_close, socket_connect, socket_recv, socket_send};

struct dns *dns_new(struct loop *l, struct fault *fault)
{
	struct ares_options options = {.timeout = TRY_MS, .tries = TRIES};
	struct dns *d;
	ares_channel channel;
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	if (status == ARES_SUCCESS) {
		status = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
	}
	if (status != ARES_SUCCESS) {
		fault_set(fault, ERR_IO, 0, 0, "the resolver cannot start: %s",
			ares_strerror(status));
		return NULL;
	}
	d = must_alloc(sizeof(*d));
	d->loop = l;
	d->channel = channel;
	list_init(&d->sockets);
	list_init(&d->lookups);
	ares_set_socket_functions(channel, &socket_functions, d);
	return d;
}

/* --- lookups ------------------------------------------------------------------------------------ */

static void end_if_through(struct lookup *lk)
{
	if (lk->query == NULL && !lk->asking) {
		list_remove(&lk->link);
		free(lk);
	}
}

/* The query is the caller's again. */
static struct dns_query *let_go(struct lookup *lk)
{
	struct dns_query *q = lk->query;

	lk->query = NULL;
	timer_clear(lk->dns->loop, &lk->timer);
	loop_again_cancel(&lk->deliver);
	return q;
}

static void on_deliver(struct task *t)
{
	struct lookup *lk = CONTAINER_OF(t, struct lookup, deliver);
	struct dns_query *q = let_go(lk);
	struct dns_answer answer = lk->answer;

	end_if_through(lk);
	q->done = true;
	q->on_answer(q, &answer);
}

static void on_timeout(struct timer *t)
{
	struct lookup *lk = CONTAINER_OF(t, struct lookup, timer);

	lk->answer.err = ERR_TIMEOUT;
	snprintf(lk->answer.text, sizeof(lk->answer.text),
		"no name server answered in time for %.48s", lk->host);
	on_deliver(&lk->deliver);
}

static void add_node(struct lookup *lk, const struct ares_addrinfo_node *node)
{
	struct dns_answer *a = &lk->answer;
	struct sys_addr *addr = &a->addrs[a->n];
	unsigned ttl_s = (unsigned)MAX(node->ai_ttl, 0);

	if (a->n == DNS_ADDRS_MAX || node->ai_addrlen > sizeof(addr->u)) {
		return;
	}
	memcpy(&addr->u, node->ai_addr, node->ai_addrlen);
	addr->len = node->ai_addrlen;
	sys_addr_set_port(addr, lk->port);
	a->ttl_s = a->n == 0 ? ttl_s : MIN(a->ttl_s, ttl_s);
	a->n++;
}

static void say_failure(struct lookup *lk, int status)
{
	struct dns_answer *a = &lk->answer;

	switch (status) {
	case ARES_SUCCESS: /* with no address in it */
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
	case ARES_EBADNAME:
		a->err = ERR_NOT_FOUND;
		snprintf(a->text, sizeof(a->text), "no address is known for %.60s", lk->host);
		break;
	case ARES_ETIMEOUT:
		a->err = ERR_TIMEOUT;
		snprintf(a->text, sizeof(a->text), "no name server answered in time for %.48s",
			lk->host);
		break;
	default:
		a->err = ERR_IO;
		snprintf(a->text, sizeof(a->text), "the lookup of %.40s failed: %.32s", lk->host,
			ares_strerror(status));
		break;
	}
}

static void on_result(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct lookup *lk = arg;

	(void)timeouts;
	lk->asking = false;
	if (status == ARES_SUCCESS) {
		for (const struct ares_addrinfo_node *n = info->nodes; n != NULL; n = n->ai_next) {
			add_node(lk, n);
		}
	}
	if (info != NULL) {
		ares_freeaddrinfo(info);
	}
	if (lk->query == NULL) {
		end_if_through(lk);
		return;
	}
	if (lk->answer.n == 0) {
		say_failure(lk, status);
	}
	/* It is here in time, whatever this turn still does. */
	timer_clear(lk->dns->loop, &lk->timer);
	loop_again(lk->dns->loop, &lk->deliver, on_deliver);
}

static void ask(struct lookup *lk, const char *host)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	lk->asking = true;
	ares_getaddrinfo(lk->dns->channel, host, NULL, &hints, on_result, lk);
	set_timer(lk->dns);
}

void dns_resolve(struct dns *d, struct dns_query *q, const char *host, uint16_t port,
	unsigned timeout_ms, void (*on_answer)(struct dns_query *q, const struct dns_answer *a))
{
	struct lookup *lk = must_alloc(sizeof(*lk));

	q->on_answer = on_answer;
	q->port = port;
	q->done = q->cancelled = false;
	lk->dns = d;
	lk->query = q;
	lk->port = port;
	snprintf(lk->host, sizeof(lk->host), "%s", host);
	list_append(&d->lookups, &lk->link);
	if (sys_addr_parse(&lk->answer.addrs[0], host, strlen(host), port) == 0) {
		lk->answer.n = 1;
		loop_again(d->loop, &lk->deliver, on_deliver);
		return;
	}
	timer_set(d->loop, &lk->timer, timeout_ms, on_timeout);
	ask(lk, host);
}

void dns_cancel(struct dns *d, struct dns_query *q)
{
	for (struct list *at = d->lookups.next; at != &d->lookups; at = at->next) {
		struct lookup *lk = CONTAINER_OF(at, struct lookup, link);

		if (lk->query == q) {
			q->cancelled = true;
			let_go(lk);
			end_if_through(lk);
			return;
		}
	}
}

void dns_free(struct dns *d)
{
	if (d == NULL) {
		return;
	}
	for (struct list *at = d->lookups.next, *next; at != &d->lookups; at = next) {
		struct lookup *lk = CONTAINER_OF(at, struct lookup, link);

		next = at->next;
		let_go(lk);
		end_if_through(lk);
	}
	/* Calls back for what it still asks, and closes its sockets. */
	ares_destroy(d->channel);
	timer_clear(d->loop, &d->timer);
	ares_library_cleanup();
	free(d);
}
