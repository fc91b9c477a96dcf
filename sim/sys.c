/*
 * net/sys.h on a scripted network. It answers as Linux does where the product relies on it: edges
 * report the whole present state, a short receive means drained, a reset is told once as an error and
 * then as an end, data sent to a closed peer is accepted and brings a reset.
 */
#include "net/sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/simnet_int.h"
#include "sim/world.h"

static struct simnet *net(void)
{
	return world()->net;
}

const char *sys_error_text(void)
{
	return net()->error;
}

static int fail(enum err err)
{
	snprintf(net()->error, sizeof(net()->error), "scripted: %s", err_name(err));
	return (int)err;
}

/* The open descriptor, else NULL and a wrong-doing. */
static struct fdesc *any(int fd, const char *call)
{
	struct simnet *n = net();

	if (fd < FD_BASE || (unsigned)(fd - FD_BASE) >= n->n_fds) {
		world_wrong("%s on descriptor %d, which never was", call, fd);
		return NULL;
	}
	if (!n->fds[fd - FD_BASE]->open) {
		world_wrong("%s on descriptor %d, which is closed", call, fd);
		return NULL;
	}
	return n->fds[fd - FD_BASE];
}

static struct fdesc *the(int fd, enum fd_kind kind, const char *call)
{
	struct fdesc *it = any(fd, call);

	if (it != NULL && it->kind != kind) {
		world_wrong("%s on descriptor %d, which is of another kind", call, fd);
		return NULL;
	}
	return it;
}

struct fdesc *fd_new(struct simnet *n, enum fd_kind kind)
{
	struct fdesc *fd;

	if (n->left == 0) {
		return NULL;
	}
	n->left -= n->left != UINT32_MAX;
	if (n->n_fds == n->cap_fds) {
		n->cap_fds = MAX(n->cap_fds * 2, 64u);
		n->fds = must_realloc(n->fds, n->cap_fds * sizeof(struct fdesc *));
	}
	fd = must_alloc(sizeof(*fd));
	fd->kind = kind;
	fd->open = true;
	fd->number = FD_BASE + (int)n->n_fds;
	list_init(&fd->regs);
	list_init(&fd->watched);
	list_init(&fd->ready);
	list_init(&fd->backlog);
	n->fds[n->n_fds++] = fd;
	return fd;
}

/* --- epoll -------------------------------------------------------------------------------------- */

static uint32_t conn_mask(struct near *c)
{
	uint32_t mask = 0;

	if (!c->far.answered && c->err == 0 && !c->rst) {
		return 0;
	}
	if (c->rst) {
		mask |= EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP;
		mask |= c->err != 0 ? EPOLLERR : 0u;
	}
	if (pipe_n(&c->inbox) != 0 || c->fin) {
		mask |= EPOLLIN;
	}
	if (c->fin) {
		mask |= EPOLLRDHUP | (c->shut ? EPOLLHUP : 0u);
	}
	if (c->shut || pipe_n(&c->outbox) < c->far.window) {
		mask |= EPOLLOUT;
	} else {
		c->no_space = true; /* asking arms it, as in tcp_poll */
	}
	return mask;
}

static uint32_t mask_of(struct fdesc *fd)
{
	switch (fd->kind) {
	case FD_EVENT:
		return EPOLLOUT | (fd->count != 0 ? EPOLLIN : 0u);
	case FD_LISTENER:
		return list_empty(&fd->backlog) ? 0u : EPOLLIN;
	case FD_CONN:
		return conn_mask(fd->near);
	case FD_EPOLL:
		break;
	}
	return 0;
}

void fd_edge(struct simnet *n, struct fdesc *fd)
{
	n->events++;
	if (fd == NULL) {
		return;
	}
	for (struct list *at = fd->regs.next; at != &fd->regs; at = at->next) {
		struct reg *r = CONTAINER_OF(at, struct reg, of_fd);

		if (!r->level && !list_linked(&r->ready)) {
			list_append(r->ready_list, &r->ready);
		}
	}
}

int sys_epoll_create(void)
{
	struct fdesc *fd = fd_new(net(), FD_EPOLL);

	return fd == NULL ? fail(ERR_LIMIT) : fd->number;
}

int sys_epoll_add(int epoll, int fd, void *data, bool listening)
{
	struct fdesc *e = the(epoll, FD_EPOLL, "epoll_add");
	struct fdesc *target = any(fd, "epoll_add");
	struct reg *r;

	if (e == NULL || target == NULL) {
		return fail(ERR_IO);
	}
	r = must_alloc(sizeof(*r));
	r->fd = target;
	r->data = data;
	r->level = listening;
	r->ready_list = &e->ready;
	list_init(&r->ready);
	list_append(&target->regs, &r->of_fd);
	list_append(&e->watched, &r->of_epoll);
	if (mask_of(target) != 0) {
		fd_edge(net(), target);
	}
	return 0;
}

static void reg_free(struct reg *r)
{
	list_remove(&r->of_fd);
	list_remove(&r->of_epoll);
	list_remove(&r->ready);
	free(r);
}

void sys_epoll_del(int epoll, int fd)
{
	struct fdesc *e = the(epoll, FD_EPOLL, "epoll_del");
	struct fdesc *target = any(fd, "epoll_del");

	if (e == NULL || target == NULL) {
		return;
	}
	for (struct list *at = target->regs.next; at != &target->regs; at = at->next) {
		struct reg *r = CONTAINER_OF(at, struct reg, of_fd);

		if (r->ready_list == &e->ready) {
			reg_free(r);
			return;
		}
	}
}

static int report_levels(struct fdesc *e, struct epoll_event *events, int max)
{
	int n = 0;

	for (struct list *at = e->watched.next; at != &e->watched && n < max; at = at->next) {
		struct reg *r = CONTAINER_OF(at, struct reg, of_epoll);

		/* Registered for IN alone. */
		if (r->level && (mask_of(r->fd) & EPOLLIN) != 0) {
			events[n].events = EPOLLIN;
			events[n++].data.ptr = r->data;
		}
	}
	return n;
}

static int report_edges(struct fdesc *e, struct epoll_event *events, int max)
{
	int n = 0;

	while (!list_empty(&e->ready) && n < max) {
		struct reg *r = CONTAINER_OF(e->ready.next, struct reg, ready);
		uint32_t mask = mask_of(r->fd);

		list_remove(&r->ready);
		if (mask != 0) {
			events[n].events = mask;
			events[n++].data.ptr = r->data;
		}
	}
	return n;
}

int sys_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
	struct fdesc *e = the(epoll, FD_EPOLL, "epoll_wait");
	int n;

	if (e == NULL) {
		return fail(ERR_IO);
	}
	n = report_levels(e, events, max);
	n += report_edges(e, events + n, max - n);
	e->sleeps = n == 0 && timeout_ms != 0;
	e->until_ns =
		timeout_ms < 0 ? UINT64_MAX : world()->now_ns + (uint64_t)timeout_ms * 1000000u;
	return n;
}

int sys_eventfd(void)
{
	struct fdesc *fd = fd_new(net(), FD_EVENT);

	return fd == NULL ? fail(ERR_LIMIT) : fd->number;
}

void sys_eventfd_signal(int fd)
{
	struct fdesc *e = the(fd, FD_EVENT, "eventfd_signal");

	if (e != NULL) {
		e->count++;
		fd_edge(net(), e);
	}
}

void sys_eventfd_drain(int fd)
{
	struct fdesc *e = the(fd, FD_EVENT, "eventfd_drain");

	if (e != NULL) {
		e->count = 0;
	}
}

/* --- sockets ------------------------------------------------------------------------------------ */

bool sys_addr_is_here(const struct sys_addr *addr)
{
	(void)addr;
	return false; /* the product listens at one address of that world */
}

int sys_listen(const struct sys_addr *addr, int backlog, struct sys_addr *bound)
{
	struct simnet *n = net();
	struct fdesc *fd = fd_new(n, FD_LISTENER);

	(void)backlog;
	if (fd == NULL) {
		return fail(ERR_LIMIT);
	}
	fd->bound = *addr;
	if (sys_addr_port(addr) == 0) {
		sys_addr_set_port(&fd->bound, n->next_port++);
	}
	*bound = fd->bound;
	return fd->number;
}

int sys_accept(int fd, struct sys_addr *peer)
{
	struct simnet *n = net();
	struct fdesc *l = the(fd, FD_LISTENER, "accept");
	struct near *c;
	struct fdesc *conn;

	if (l == NULL) {
		return fail(ERR_IO);
	}
	if (list_empty(&l->backlog)) {
		return fail(ERR_AGAIN);
	}
	conn = fd_new(n, FD_CONN);
	if (conn == NULL) {
		return fail(ERR_LIMIT);
	}
	c = CONTAINER_OF(l->backlog.next, struct near, waiting);
	list_remove(&c->waiting);
	c->fd = conn;
	conn->near = c;
	*peer = c->peer;
	n->events++;
	return conn->number;
}

int sys_connect(const struct sys_addr *addr)
{
	struct simnet *n = net();
	struct fdesc *fd = fd_new(n, FD_CONN);
	struct address *a = address_of(n, addr);

	if (fd == NULL) {
		return fail(ERR_LIMIT);
	}
	fd->near = near_new(n, addr, &a->habits);
	fd->near->fd = fd;
	fd->near->far.by_product = true;
	fd->near->far.answered = a->mode == ADDR_ACCEPTS;
	if (a->mode == ADDR_REFUSES) {
		fd->near->connect_err = fd->near->err = ERR_REFUSED;
		fd->near->rst = true;
		fd->near->far.refused = true;
	}
	n->events++;
	return fd->number;
}

int sys_connect_result(int fd)
{
	struct fdesc *it = the(fd, FD_CONN, "connect_result");
	int err;

	if (it == NULL) {
		return fail(ERR_IO);
	}
	err = it->near->err;
	it->near->err = 0;
	return err == 0 ? 0 : fail((enum err)err);
}

/* The pending error is told once. */
static ssize_t take_error(struct near *c)
{
	enum err err = (enum err)c->err;

	c->err = 0;
	return fail(err);
}

ssize_t sys_peek(int fd, void *p, size_t n)
{
	struct fdesc *it = the(fd, FD_CONN, "peek");
	struct near *c;
	size_t part;

	if (it == NULL) {
		return fail(ERR_IO);
	}
	c = it->near;
	if (pipe_n(&c->inbox) != 0) {
		part = MIN(n, pipe_n(&c->inbox));
		memcpy(p, pipe_bytes(&c->inbox).p, part);
		return (ssize_t)part;
	}
	if (c->err != 0) {
		return take_error(c);
	}
	if (c->rst || c->fin) {
		return 0;
	}
	return fail(ERR_AGAIN);
}

ssize_t sys_recv(int fd, void *p, size_t n)
{
	struct fdesc *it = the(fd, FD_CONN, "recv");
	ssize_t got = sys_peek(fd, p, n);

	if (it != NULL && got > 0) {
		pipe_drop(&it->near->inbox, (size_t)got);
		net()->events++;
	}
	return got;
}

ssize_t sys_recvv(int fd, const struct iovec *v, int n)
{
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		ssize_t got = sys_recv(fd, v[i].iov_base, v[i].iov_len);

		if (got <= 0) {
			return sum != 0 ? sum : got;
		}
		sum += got;
		if ((size_t)got < v[i].iov_len) {
			break;
		}
	}
	return sum;
}

static size_t put(struct near *c, const struct iovec *v, int n)
{
	size_t room = c->far.window - MIN(c->far.window, pipe_n(&c->outbox));
	size_t total = 0;

	for (int i = 0; i < n; i++) {
		size_t part = MIN(v[i].iov_len, room - total);

		if (part != 0) {
			pipe_add(&c->outbox, bytes_of(v[i].iov_base, part));
		}
		total += part;
		if (part < v[i].iov_len) {
			c->no_space = true;
			break;
		}
	}
	c->far.accepted += total;
	return total;
}

ssize_t sys_sendv(int fd, const struct iovec *v, int n)
{
	struct fdesc *it = the(fd, FD_CONN, "send");
	struct near *c;
	size_t total;

	if (it == NULL) {
		return fail(ERR_IO);
	}
	c = it->near;
	if (c->err != 0) {
		return take_error(c);
	}
	if (c->rst || c->shut) {
		return fail(ERR_CLOSED);
	}
	if (!c->far.answered) {
		return fail(ERR_AGAIN);
	}
	total = put(c, v, n);
	net()->events++;
	if (total == 0 && n > 0) {
		return fail(ERR_AGAIN);
	}
	return (ssize_t)total;
}

void sys_shutdown_write(int fd)
{
	struct fdesc *it = the(fd, FD_CONN, "shutdown");

	if (it != NULL && !it->near->shut) {
		it->near->shut = true;
		fd_edge(net(), it);
	}
}

static void close_conn(struct near *c, bool reset)
{
	c->closed = true;
	c->closed_reset = reset || pipe_n(&c->inbox) != 0;
	c->fd = NULL;
}

static void close_listener(struct fdesc *fd)
{
	while (!list_empty(&fd->backlog)) {
		struct near *c = CONTAINER_OF(fd->backlog.next, struct near, waiting);

		list_remove(&c->waiting);
		close_conn(c, true);
	}
}

void sys_close(int fd, bool reset)
{
	struct fdesc *it = any(fd, "close");

	if (it == NULL) {
		return;
	}
	while (!list_empty(&it->regs)) {
		reg_free(CONTAINER_OF(it->regs.next, struct reg, of_fd));
	}
	while (!list_empty(&it->watched)) {
		reg_free(CONTAINER_OF(it->watched.next, struct reg, of_epoll));
	}
	if (it->kind == FD_CONN) {
		close_conn(it->near, reset);
	} else if (it->kind == FD_LISTENER) {
		close_listener(it);
	}
	it->open = false;
	net()->left += net()->left != UINT32_MAX;
	net()->events++;
}
