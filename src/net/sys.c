#define _GNU_SOURCE
#include "net/sys.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

/* What sys_error_text speaks about. Per thread, as errno is. */
static _Thread_local int last_error;

static int fail(int error)
{
	last_error = error;
	switch (error) {
	case EAGAIN:
	case EINPROGRESS:
		return ERR_AGAIN;
	case EPIPE:
	case ENOTCONN:
		return ERR_CLOSED;
	case ECONNRESET:
	case ECONNABORTED:
	case ENETRESET:
		return ERR_RESET;
	case ECONNREFUSED:
		return ERR_REFUSED;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case ENOSPC: /* epoll's own limit of watched descriptors */
		return ERR_LIMIT;
	case EADDRINUSE:
		return ERR_EXISTS;
	default:
		return ERR_IO;
	}
}

const char *sys_error_text(void)
{
	return strerror(last_error);
}

/* --- epoll and eventfd -------------------------------------------------------------------------- */

int sys_epoll_create(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd >= 0 ? fd : fail(errno);
}

int sys_epoll_add(int epoll, int fd, void *data, bool listening)
{
	struct epoll_event ev = {.data.ptr = data};

	ev.events =
		listening ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : fail(errno);
}

void sys_epoll_del(int epoll, int fd)
{
	struct epoll_event unused = {.events = 0};

	/* Nothing is lost when it was not there. */
	IGNORE(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &unused));
}

int sys_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
	int n = epoll_wait(epoll, events, max, timeout_ms);

	if (n < 0) {
		return errno == EINTR ? 0 : fail(errno);
	}
	return n;
}

int sys_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd >= 0 ? fd : fail(errno);
}

void sys_eventfd_signal(int fd)
{
	uint64_t one = 1;

	/* Fails only when the counter is full: then the reader is woken anyway. */
	IGNORE(write(fd, &one, sizeof(one)));
}

void sys_eventfd_drain(int fd)
{
	uint64_t n;

	/* Empty is fine. */
	IGNORE(read(fd, &n, sizeof(n)));
}

/* --- sockets ------------------------------------------------------------------------------------ */

static int close_and_fail(int fd, int error)
{
	close(fd);
	return fail(error);
}

/* Helps latency and is refused by sockets that are not TCP, which need no help. */
static void set_nodelay(int fd)
{
	int on = 1;

	IGNORE(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
}

static int new_socket(const struct sys_addr *addr)
{
	return socket(addr->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int sys_listen(const struct sys_addr *addr, int backlog, struct sys_addr *bound)
{
	struct sys_addr got = {.len = sizeof(got.u)};
	int fd = new_socket(addr);
	int on = 1;

	if (fd < 0) {
		return fail(errno);
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		(addr->u.sa.sa_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) ||
		bind(fd, &addr->u.sa, addr->len) != 0 || listen(fd, backlog) != 0 ||
		getsockname(fd, &got.u.sa, &got.len) != 0) {
		return close_and_fail(fd, errno);
	}
	*bound = got;
	return fd;
}

/* A socket may be bound to own addresses only: asked for at the moment, without a list of interfaces that grows old. */
static bool may_bind(const struct sys_addr *addr)
{
	struct sys_addr at = *addr;
	bool may;
	int fd;

	if (at.u.sa.sa_family == AF_INET) {
		((struct sockaddr_in *)(void *)&at.u)->sin_port = 0;
	} else {
		((struct sockaddr_in6 *)(void *)&at.u)->sin6_port = 0;
	}
	fd = socket(at.u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	may = fd >= 0 && bind(fd, &at.u.sa, at.len) == 0;
	if (fd >= 0) {
		close(fd);
	}
	return may;
}

bool sys_addr_is_here(const struct sys_addr *addr)
{
	/* RFC 5737, 3849, 6666: nobody has all of them. */
	static const char *const foreign[][2] = {
		{"198.51.100.253", "203.0.113.253"}, {"2001:db8:ffff::fd", "100::fd"}};
	const char *const *f = foreign[addr->u.sa.sa_family != AF_INET];

	if (!may_bind(addr)) {
		return false;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct sys_addr a;

		if (sys_addr_parse(&a, f[i], strlen(f[i]), 0) == 0 && !may_bind(&a)) {
			return true;
		}
	}
	return false;
}

/* accept(2): errors of the new connection are reported here; the next one may be fine. */
static bool is_of_one_connection(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
		error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
		error == EHOSTUNREACH || error == ENETUNREACH;
}

int sys_accept(int fd, struct sys_addr *peer)
{
	struct sys_addr got;
	int conn;

	do {
		got = (struct sys_addr){.len = sizeof(got.u)};
		conn = accept4(fd, &got.u.sa, &got.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (conn < 0 && is_of_one_connection(errno));
	if (conn < 0) {
		return fail(errno);
	}
	set_nodelay(conn);
	*peer = got;
	return conn;
}

static int connect_unix(int fd, const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	ASSERT(strlen(path) < sizeof(un.sun_path)); /* sys_addr_unix has looked */
	memcpy(un.sun_path, path, strlen(path) + 1);
	/* It is connected at once, or not at all: EAGAIN says that too many wait there. */
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0) {
		return close_and_fail(fd, errno == EAGAIN ? ECONNREFUSED : errno);
	}
	return fd;
}

int sys_connect(const struct sys_addr *addr)
{
	const char *path = sys_addr_path(addr);
	int fd = new_socket(addr);

	if (fd < 0) {
		return fail(errno);
	}
	if (path != NULL) {
		return connect_unix(fd, path);
	}
	set_nodelay(fd);
	/* After EINTR a connect goes on in the background like any other. */
	if (connect(fd, &addr->u.sa, addr->len) != 0 && errno != EINPROGRESS && errno != EINTR) {
		return close_and_fail(fd, errno);
	}
	return fd;
}

int sys_connect_result(int fd)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0) {
		return fail(errno);
	}
	return error == 0 ? 0 : fail(error);
}

static ssize_t receive(int fd, void *p, size_t n, int flags)
{
	ssize_t got;

	do {
		got = recv(fd, p, n, flags);
	} while (got < 0 && errno == EINTR);
	return got >= 0 ? got : fail(errno);
}

ssize_t sys_recv(int fd, void *p, size_t n)
{
	return receive(fd, p, n, 0);
}

ssize_t sys_peek(int fd, void *p, size_t n)
{
	return receive(fd, p, n, MSG_PEEK);
}

ssize_t sys_recvv(int fd, const struct iovec *v, int n)
{
	ssize_t got;

	do {
		got = readv(fd, v, n);
	} while (got < 0 && errno == EINTR);
	return got >= 0 ? got : fail(errno);
}

ssize_t sys_sendv(int fd, const struct iovec *v, int n)
{
	/* sendmsg does not write to the vector; its type cannot say so. */
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n};
	ssize_t put;

	do {
		put = sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (put < 0 && errno == EINTR);
	return put >= 0 ? put : fail(errno);
}

void sys_shutdown_write(int fd)
{
	/* Fails only when the connection is gone, which the next read tells. */
	IGNORE(shutdown(fd, SHUT_WR));
}

void sys_close(int fd, bool reset)
{
	if (reset) {
		struct linger now = {.l_onoff = 1, .l_linger = 0};

		/* Not every kind of socket can reset; closing is what remains then. */
		IGNORE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	}
	close(fd);
}
