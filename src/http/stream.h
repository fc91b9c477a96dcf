/*
 * A stream: one request and its response on a connection, seen from one end. HTTP/1 connections have
 * one at a time, HTTP/2 ones will have many; who uses a stream does not know the difference.
 *
 * Both directions are messages: a head, then a body. What arrives is pushed into `body` up to a
 * credit; what is sent is pulled from a source when the connection has room. The user is told by one
 * callback that something changed and looks at the facts; no operation of a stream calls back before
 * it returns. Between events a stream of a connection holds no buffer.
 *
 * Server end:  in = the request, out = the response.   Client end:  out = the request, in = the response.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <sys/uio.h>

#include "base/err.h"
#include "base/seg.h"
#include "http/head.h"

struct stream;

enum stream_in {
	STREAM_IN_HEAD,  /* the head has not arrived (client: perhaps not even connected) */
	STREAM_IN_BODY,  /* head is valid; body bytes come */
	STREAM_IN_END,   /* all of the message is in `body` or was taken */
	STREAM_IN_FAILED /* the message will not be completed: in_err */
};

enum stream_out {
	STREAM_OUT_IDLE, /* nothing was sent yet */
	STREAM_OUT_OPEN, /* stream_send was called */
	STREAM_OUT_END,  /* everything is with the kernel */
	STREAM_OUT_FAILED
};

/* What is sent. Implemented by the user, owned by the user, valid until the out side ends or the
 * stream is reset or closed. */
struct stream_source {
	/* Shows at most max pieces of what comes next, without consuming; 0: nothing now. */
	int (*fill)(struct stream_source *s, struct iovec *v, int max);
	/* n bytes of it were sent. */
	void (*sent)(struct stream_source *s, size_t n);
	/* Nothing follows what fill shows. */
	bool ended;
};

struct stream_user {
	void (*on_stream)(struct stream_user *u, struct stream *s);
};

struct stream_ops {
	int (*send)(struct stream *s, const struct head_out *head, struct stream_source *source);
	void (*send_continue)(struct stream *s);
	void (*pump)(struct stream *s);
	void (*want)(struct stream *s, size_t max);
	void (*reset)(struct stream *s);
	void (*close)(struct stream *s);
	const char *(*peer)(const struct stream *s);
};

struct stream {
	const struct stream_ops *ops;
	struct stream_user *user;
	struct segpool *pool; /* that the segments of body come from */

	uint8_t in;             /* enum stream_in */
	uint8_t out;            /* enum stream_out */
	int8_t in_err, out_err; /* enum err */
	bool gone : 1;          /* the peer has left although it waits for an answer (server end) */
	bool connected : 1;     /* client end: the connection is up */
	bool reused : 1;        /* client end: and was used before */
	bool spoke : 1;         /* client end: bytes of a response have come */
	bool tls_resumed : 1;   /* server end: see tls */
	/* One sentence about in_err, valid only while on_stream runs; may be NULL. */
	const struct fault *fault;
	/* Server end: the version of TLS ("TLSv1.3", static) that the client speaks, so its scheme is
	 * https; NULL: plain. And whether its session was resumed. */
	const char *tls;

	/* From STREAM_IN_BODY on, until stream_release_head; then NULL. head->fields are only valid while
	 * the on_stream (or on_request) that first shows the head runs: copy them (head_keep). */
	struct head *head;
	struct seg *head_seg; /* holds head and its bytes; the connection's */
	/* Arrived and not yet taken: the user takes from the front (chain_drop, chain_move) and then
	 * calls stream_want again when it had stopped the stream. */
	struct chain body;
};

/* Sends the head; the body comes from source (NULL: there is none). The first bytes leave with
 * stream_pump, head and body together when both are there. 0, or ERR_LIMIT when the head is too
 * large for a connection (nothing was sent then). */
MUST_CHECK static inline int stream_send(
	struct stream *s, const struct head_out *head, struct stream_source *source)
{
	return s->ops->send(s, head, source);
}
/* Answers `Expect: 100-continue`; does nothing when the client does not wait for it. */
static inline void stream_send_continue(struct stream *s)
{
	s->ops->send_continue(s);
}
/* The source has more, or has ended. Sends what it can at once. */
static inline void stream_pump(struct stream *s)
{
	s->ops->pump(s);
}
/* Bytes that may wait in `body`; at or above it the connection stops reading. 0 at first: a server's
 * user must ask before a body byte is read; a client end reads the head without being asked. */
static inline void stream_want(struct stream *s, size_t max)
{
	s->ops->want(s, max);
}
/* Ends the stream in both directions at once, so that the peer notices that it is cut. The user is not
 * called again and must not touch s afterwards. */
static inline void stream_reset(struct stream *s)
{
	s->ops->reset(s);
}
/* The user is done. When both sides ended the connection may serve the next stream; a response that is not all sent yet is
 * cut, so that its peer notices: what was sent still arrives where the framing shows that something is missing. Must not be
 * touched afterwards. */
static inline void stream_close(struct stream *s)
{
	s->ops->close(s);
}
/* Address of the other end, NUL-terminated, owned by the connection. */
static inline const char *stream_peer(const struct stream *s)
{
	return s->ops->peer(s);
}
/* The head is not needed any more (also done by close and reset). */
void stream_release_head(struct stream *s);

/* Copies the fields into the arena so that they outlive on_stream; false when it is full. */
MUST_CHECK bool head_keep(struct head *h, struct arena *a);

#endif
