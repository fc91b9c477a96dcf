/*
 * Receiving one HTTP/1 message: bytes from a socket into a segment, the head parsed in place, the body
 * unframed into the stream's chain. Used by server and client connections.
 */
#ifndef HTTP_H1_IN_H
#define HTTP_H1_IN_H

#include "http/stream.h"
#include "net/sock.h"
#include "wire/h1.h"

struct h1_in {
	struct seg *
		rx; /* bytes that belong to no message yet: a head in progress, pipelined requests */
	union {
		uint64_t left; /* H1_LENGTH: body bytes still to come */
		struct h1_chunked chunked;
	};
	size_t want;      /* body bytes that may wait in the stream, as its user wants it */
	uint32_t scanned; /* of the head in progress */
	uint8_t framing;  /* enum h1_framing */
	bool ended;       /* the body is complete */
	bool filled;      /* the last read filled what it was given: there may be much more */
};

void h1_in_init(struct h1_in *in);
void h1_in_done(struct h1_in *in, struct segpool *pool);

/* A segment that is read into has the stream's head in front, when it is known: so a connection need not
 * keep one while its body comes. */
#define H1_IN_FRONT ((uint32_t)sizeof(struct head))

/* Reads once into rx. > 0 bytes; 0 end of stream; ERR_AGAIN; ERR_MEMORY (the pool has nothing: try
 * later); else broken. */
MUST_CHECK ssize_t h1_in_read_head(struct h1_in *in, struct segpool *pool, struct sock *sock);

/* The head in rx was parsed (`used` bytes): hands rx over to the stream as its head segment and the
 * bytes behind the head to its body, unframed. READ_DONE: the body is complete. READ_FAIL: fault. */
MUST_CHECK enum read_rc h1_in_begin(struct h1_in *in, struct stream *s, const struct h1_head *h,
	size_t used, struct fault *fault);

/* Most bytes that h1_in_read_body takes at once. */
#define H1_IN_READ_MAX (8u * SEG_ROOM)

/* Reads body bytes once and appends them to s->body. *rc says how the body stands. > 0 bytes read;
 * otherwise as h1_in_read_head, the end of stream being no failure for H1_TO_CLOSE (READ_DONE). */
MUST_CHECK ssize_t h1_in_read_body(struct h1_in *in, struct stream *s, struct sock *sock,
	enum read_rc *rc, struct fault *fault);

#endif
