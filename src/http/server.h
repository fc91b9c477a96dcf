/*
 * The server side of HTTP on one loop: accepts, parses heads, keeps connections alive, answers
 * pipelined requests in order. Every complete request head is handed to on_request as a stream.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdatomic.h>

#include "base/text.h"
#include "http/limits.h"
#include "http/stream.h"
#include "net/loop.h"

struct server;
struct tls_server;

/*
 * How many connections each of several servers has that accept from the same sockets, each on its own
 * thread: one that is above its fair share leaves accepting to the others. The owner of the array keeps
 * it longer than the servers and zeroes it before; each server writes its own entry.
 */
struct server_share {
	_Alignas(64) atomic_uint connections; /* a cache line each */
};

struct server_opts {
	struct loop *loop;
	struct segpool *pool;
	struct http_limits limits;
	/* Called when a request's head is there. The callee sets stream->user and, when it wants the
	 * body, calls stream_want; it answers with stream_send and ends with stream_close or _reset,
	 * also from inside this call. */
	void (*on_request)(struct server *srv, struct stream *s);
	/* The answer to bytes that are no request (400, 431, 501, 505): complete header lines, each with
	 * its CR LF, are appended to fields, the body to body. NULL: none, and the fault's text. */
	void (*refusal)(
		struct server *srv, const struct fault *f, struct text *fields, struct text *body);
	/* A TLS handshake has come to nothing: counted, and here for a debug log. May be NULL. */
	void (*on_handshake_failed)(struct server *srv, const char *peer, const struct fault *f);
	/* All connections are taken and another one has come: whether one was ended for it, by server_end_waiting
	 * or by the callee's own choice; else it is closed. NULL: it waits until one ends by itself. */
	bool (*make_room)(struct server *srv);
	void *context;               /* for the callee: server_context */
	struct server_share *shares; /* of all servers; NULL: there is only this one */
	unsigned n_shares, share;    /* how many; which is ours */
};

struct server *server_new(const struct server_opts *opts);
void *server_context(const struct server *srv);
/* Takes connections from a listening descriptor (shared with other workers; not closed by us). */
MUST_CHECK int server_listen(struct server *srv, int fd);
/* The same over TLS; tls is the same for all listeners of the server and outlives it. A handshake has
 * the time of a head (limits.head_ms). */
MUST_CHECK int server_listen_tls(struct server *srv, int fd, struct tls_server *tls);
/* How long a client's connection may be silent between two requests, from now on; 0: as long as it likes.
 * One that is silent already is given more time by it, but never less. */
void server_set_idle(struct server *srv, uint32_t ms);
/* How many bytes a request's head may have from now on; 0: as many as are ever read of one. A longer one is
 * answered 431. */
void server_set_head_max(struct server *srv, uint32_t bytes);
/* Stops accepting; idle connections close; running streams go on, and their connections close after
 * them. on_drained is called once, when no connection is left (perhaps in the next turn). */
void server_drain(struct server *srv, void (*on_drained)(struct server *srv));
/* Ends the connection that waits for a client, and for no answer, since longest: one that never brought a
 * request before those that did. False: none does. */
bool server_end_waiting(struct server *srv);
/* Closes everything at once; streams' users are told by on_stream (in FAILED, gone). */
void server_free(struct server *srv);

struct server_counts {
	uint64_t accepted, requests, refused_heads;
	uint64_t handshakes, handshakes_resumed; /* of TLS, that succeeded; of these */
	uint64_t handshakes_failed;
	uint32_t connections, streams; /* now */
	uint32_t handshaking;          /* of the connections: those that are not open yet */
};
const struct server_counts *server_counts(const struct server *srv);

#endif
