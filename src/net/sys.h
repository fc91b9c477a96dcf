/*
 * Every system call of the network, and nothing else. The scenario tests link sim/sys.c in its place:
 * a scripted network behind the same names.
 *
 * Functions return >= 0, or a negative enum err: ERR_AGAIN (would block, or connecting), ERR_CLOSED
 * (EPIPE), ERR_RESET (ECONNRESET and what means the same), ERR_REFUSED (ECONNREFUSED), ERR_TIMEOUT,
 * ERR_LIMIT (descriptors), ERR_EXISTS (address in use), ERR_IO (anything else; sys_error_text says
 * what it was, for this thread, until the next call). EINTR is handled inside.
 */
#ifndef NET_SYS_H
#define NET_SYS_H

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/err.h"

/* A socket address of either family, or a socket in the file system. */
struct sys_addr {
	union {
		struct sockaddr sa;
		char room[28]; /* struct sockaddr_in6 */
		uint32_t align;
	} u;
	socklen_t len;
};

/* "1.2.3.4" or "::1" (brackets allowed) and a port; ERR_SYNTAX when it is no literal address. */
MUST_CHECK int sys_addr_parse(struct sys_addr *out, const char *host, size_t host_n, uint16_t port);
/* A socket in the file system, to connect to. The path is pointed to, not copied, so that the addresses of
 * connections stay small: it stays as long as the address is used. ERR_LIMIT: too long for one, or empty. */
MUST_CHECK int sys_addr_unix(struct sys_addr *out, const char *path);
/* NULL: it is of another family. */
const char *sys_addr_path(const struct sys_addr *a);
void sys_addr_set_port(struct sys_addr *a, uint16_t port);
uint16_t sys_addr_port(const struct sys_addr *a);
#define SYS_ADDR_TEXT 56
/* "1.2.3.4:80", "[::1]:80", "unix:/run/x" (its end cut off); NUL-terminated; returns its length. */
size_t sys_addr_format(const struct sys_addr *a, char out[SYS_ADDR_TEXT]);

MUST_CHECK int sys_epoll_create(void);
/* Registers fd for IN, OUT and RDHUP, edge-triggered, once and for all; data comes back in events.
 * A listening socket is registered level-triggered for IN with EPOLLEXCLUSIVE. */
MUST_CHECK int sys_epoll_add(int epoll, int fd, void *data, bool listening);
void sys_epoll_del(int epoll, int fd);
/* timeout_ms < 0: without end. Returns the number of events; 0 also when a signal came. */
MUST_CHECK int sys_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms);

MUST_CHECK int sys_eventfd(void);
void sys_eventfd_signal(int fd);
void sys_eventfd_drain(int fd);

/* A non-blocking, close-on-exec listening socket (SO_REUSEADDR; IPv6 addresses are IPv6 only).
 * *bound gets the address with the port the system chose. */
MUST_CHECK int sys_listen(const struct sys_addr *addr, int backlog, struct sys_addr *bound);
/* Whether the address (whatever its port) is one of this machine's own at this moment. False as well where the system lets
 * a socket have addresses of others (ip_nonlocal_bind): then it cannot be told. Never waits. */
bool sys_addr_is_here(const struct sys_addr *addr);
/* A new connection, non-blocking, close-on-exec, TCP_NODELAY. ERR_AGAIN: none is waiting. */
MUST_CHECK int sys_accept(int fd, struct sys_addr *peer);
/* A new socket that is connecting (also when it is connected already): writable when done, then
 * sys_connect_result says 0 or why not. */
MUST_CHECK int sys_connect(const struct sys_addr *addr);
MUST_CHECK int sys_connect_result(int fd);

/* 0 is the end of the stream. */
MUST_CHECK ssize_t sys_recv(int fd, void *p, size_t n);
/* The same into several pieces, each filled before the next. */
MUST_CHECK ssize_t sys_recvv(int fd, const struct iovec *v, int n);
/* The same, but what it shows is still there for the next call. */
MUST_CHECK ssize_t sys_peek(int fd, void *p, size_t n);
MUST_CHECK ssize_t sys_sendv(int fd, const struct iovec *v, int n);
void sys_shutdown_write(int fd);
/* Close with a reset instead of a FIN (SO_LINGER 0) when reset is true. */
void sys_close(int fd, bool reset);

const char *sys_error_text(void);

#endif
