/*
 * The client side of HTTP on one loop: connections to endpoints, kept and reused per endpoint.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/limits.h"
#include "http/stream.h"
#include "net/loop.h"
#include "net/tls.h"

struct client;

struct client_opts {
	struct loop *loop;
	struct segpool *pool;
	struct http_limits limits;
	struct tls_context *tls; /* NULL: TLS targets are refused */
};

struct client_target {
	uint64_t key;         /* whose idle connections may be used: same endpoint, TLS and name */
	struct sys_addr addr; /* for a new connection */
	bool tls;
	const char *name; /* TLS: SNI and verification */
	bool fresh;       /* do not reuse an idle connection */
};

struct client *client_new(const struct client_opts *opts);
void client_free(struct client *c);

/* A new stream: call stream_send at once; it connects meanwhile. Newest idle connection first. Failures
 * come as STREAM_IN_FAILED. Never NULL. */
struct stream *client_open(struct client *c, const struct client_target *t, struct stream_user *u);

/* The request is a HEAD: its response has no body. Call before stream_send. */
void client_expect_no_body(struct stream *s);

/* How long an idle connection is kept from now on, those that are idle already too; 0: as long as the upstream
 * keeps it. */
void client_set_pool_idle(struct client *c, uint32_t ms);

/* Closes the idle connections of all keys whose lower 32 bits are this, and the busy ones after their
 * streams: an endpoint is gone, and its number will be another's. */
void client_forget_endpoint(struct client *c, uint32_t endpoint);

struct client_counts {
	uint64_t opened, reused, failed;
	uint32_t open, idle; /* now */
};
const struct client_counts *client_counts(const struct client *c);

#endif
