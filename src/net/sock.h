/*
 * A connected stream socket, plain or TLS, on a loop. Used by server and client connections alike.
 *
 * Reads and writes never block. Owner's protocol: on_ready is called after anything changed; the
 * owner reads while sock_readable, writes while it has something and sock_writable.
 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include "net/loop.h"
#include "net/tls.h"

struct tls_server;

struct sock {
	struct loop *loop;
	struct watch watch;
	struct tls *tls; /* NULL: plain */
	bool connecting, handshaking;
	bool eof;   /* the peer's end was read */
	int broken; /* why it failed (enum err); stays, and every later call says it again */
	void (*on_ready)(struct sock *s);
};

/* Takes over a connected descriptor (from accept). */
MUST_CHECK int sock_init_accepted(
	struct sock *s, struct loop *l, int fd, void (*on_ready)(struct sock *s));
/* An accepted one, of which nothing was read yet, speaks TLS from here on: sock_open shakes hands. */
void sock_start_tls(struct sock *s, struct tls_server *server);
/* The connection gets another owner. Nothing is told of from again; what was reported is reported anew.
 * When it fails the connection is closed. */
MUST_CHECK int sock_move(struct sock *to, struct sock *from, void (*on_ready)(struct sock *s));
/* Starts to connect, then to shake hands when tls_opts is not NULL. on_ready tells; sock_open says. */
MUST_CHECK int sock_connect(struct sock *s, struct loop *l, const struct sys_addr *addr,
	const struct tls_client_opts *tls_opts, void (*on_ready)(struct sock *s));
/* 0: open for traffic. ERR_AGAIN: still connecting or shaking hands. Else why it failed. */
MUST_CHECK int sock_open(struct sock *s, struct fault *fault);

/* > 0 bytes read; 0 end of stream; ERR_AGAIN; else the connection is broken. Fewer bytes than asked
 * clears `readable` unless a hangup was reported or TLS holds more. */
MUST_CHECK ssize_t sock_read(struct sock *s, void *p, size_t n);
/* The same into several pieces, each filled before the next. */
MUST_CHECK ssize_t sock_readv(struct sock *s, const struct iovec *v, int n);
/* What a read of a plain one would bring, which stays unread. ERR_AGAIN clears `readable`; a caller for
 * whom the bytes are too few clears it itself: there is an event when more come. */
MUST_CHECK ssize_t sock_peek(struct sock *s, void *p, size_t n);
/* > 0 bytes taken; ERR_AGAIN; else broken. */
MUST_CHECK ssize_t sock_writev(struct sock *s, const struct iovec *v, int n);

static inline bool sock_readable(const struct sock *s)
{
	return s->watch.readable;
}
static inline bool sock_writable(const struct sock *s)
{
	return s->watch.writable;
}
/* The peer has sent RDHUP/HUP/ERR; there may still be bytes to read before it. */
static inline bool sock_hangup(const struct sock *s)
{
	return s->watch.hangup;
}

/* Ends the sending side (close_notify, FIN); reading goes on. */
void sock_shutdown(struct sock *s);
/* Closes; no callback follows. reset: the peer must notice that the message is cut. Safe twice and on
 * a zeroed sock. A TLS session that may be resumed is kept. */
void sock_close(struct sock *s, bool reset);

#endif
