/*
 * One HTTP request and its whole answer, for commands: a loop, a client and a deadline of their own. Blocking.
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/err.h"
#include "base/text.h"
#include "http/head.h"

/* The longest answer that is read: what a server of 100,000 consumers exports. */
#define FETCH_ANSWER_MAX ((size_t)512 << 20)
#define FETCH_HEADERS_MAX 8u

struct fetch_request {
	bool tls;
	const char *host; /* a name or an address, without brackets */
	uint16_t port;
	const char *name; /* TLS: SNI and verification; NULL: host */
	struct bytes method, target;
	struct header headers[FETCH_HEADERS_MAX];
	size_t n_headers;
	struct bytes body; /* p NULL: none */
	uint64_t timeout_ms;
};

struct fetch_answer {
	unsigned status;
	struct text etag, body;
};

/* 0: an answer of any status, which the caller gives back with fetch_done. Else why there is none: *f says it, and
 * nothing is to be given back. All addresses of a name are tried until one accepts the connection. */
MUST_CHECK int fetch(const struct fetch_request *r, struct fetch_answer *out, struct fault *f);
void fetch_done(struct fetch_answer *a);

#endif
