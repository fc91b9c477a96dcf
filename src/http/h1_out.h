/*
 * Sending one HTTP/1 message: head, framing, source. Used by server and client connections.
 *
 * The head is written into a lent segment, so that it survives a blocked send; body bytes are never
 * copied: they go from the source's pieces to the socket, with chunk framing around them.
 */
#ifndef HTTP_H1_OUT_H
#define HTTP_H1_OUT_H

#include "http/stream.h"
#include "net/sock.h"
#include "wire/h1.h"

struct h1_out {
	struct seg *head; /* rest of the head, NULL when it is sent */
	struct stream_source *source;
	uint64_t left; /* H1_LENGTH: body bytes still due; H1_CHUNKED: of the current chunk */
	uint8_t tail_at, tail_n;   /* what ends the current chunk: part of "\r\n0\r\n\r\n" */
	uint8_t frame_at, frame_n; /* unsent part of frame */
	uint8_t framing;           /* enum h1_framing */
	bool open, done;
	bool last_chunk; /* the tail ends the body */
	char frame[8];   /* chunk size line */
};

/* What the first line of a head is, and which framing fields it gets. */
struct h1_out_line {
	bool response;
	uint8_t minor;     /* of the peer: 0 gets no chunked */
	bool close;        /* say Connection: close */
	bool keep_alive;   /* say Connection: keep-alive (HTTP/1.0 peers) */
	bool no_body;      /* the answer to a HEAD: framing fields, but no body */
	struct bytes date; /* value of Date for responses that have none */
};

void h1_out_init(struct h1_out *o);
/* Gives the head's segment back. */
void h1_out_done(struct h1_out *o, struct segpool *pool);

/* Begins a message. 0; ERR_LIMIT: the head does not fit a segment; ERR_MEMORY: none is to be had. A
 * pending 100 (Continue) stays in front. */
MUST_CHECK int h1_out_begin(struct h1_out *o, struct segpool *pool, const struct head_out *head,
	const struct h1_out_line *line, struct stream_source *source);
/* "HTTP/1.1 100 Continue", sent before the head that follows. */
MUST_CHECK int h1_out_continue(struct h1_out *o, struct segpool *pool);

/* A turn's worth of bytes; keeps one peer with a fast reader from holding the loop. */
#define H1_OUT_TURN (1024u * 1024u)

/* Sends what can be sent. > 0: bytes that went; 0: nothing to send or no room; < 0: broken. *more is
 * set when the turn's worth was used up and the loop should come back. */
MUST_CHECK ssize_t h1_out_flush(
	struct h1_out *o, struct segpool *pool, struct sock *sock, bool *more);

#endif
