/*
 * One HTTP request and its whole answer: for commands, and for what management asks of other programs. Names
 * are resolved, all addresses of one are tried until one accepts; nothing is followed or repeated.
 */
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "base/text.h"
#include "http/client.h"
#include "net/dns.h"
#include "net/jobs.h"

#define FETCH_HEADERS_MAX 16u
/* Attack: an answer of endless fields. */
#define FETCH_FIELDS_MAX ((size_t)64 << 10)

/* What many requests of one loop share: the resolver, the client. */
struct fetcher;

/* memory: what bodies may hold in segments. tls: requests may speak it, tls_global_init has been called. jobs:
 * where the certificate authorities are read when the first one does; NULL: there and then. */
struct fetcher *fetcher_new(struct loop *l, size_t memory, bool tls, struct jobs *jobs);
/* Requests under way end, without a word. NULL is allowed. */
void fetcher_free(struct fetcher *fr);
/* Where on_done runs. */
struct loop *fetcher_loop(const struct fetcher *fr);

enum fetch_rc {
	FETCH_DONE, /* an answer, of any status */
	FETCH_NO_NAME,
	FETCH_NO_CONNECTION,
	FETCH_NO_TLS,
	FETCH_TIMEOUT,
	FETCH_PROTOCOL, /* no HTTP, too large, cut in the middle */
	FETCH_REFUSED,  /* by allowed */
	FETCH_BROKEN    /* this machine: no resolver, no authorities */
};

/* Embedded in whoever asks, and zeroed before; not to be moved while it is under way. */
struct fetch {
	/* the request; what is pointed to stays until on_done */
	bool tls;
	const char *host; /* a name or an address, without brackets */
	const char
		*path; /* of a socket in the file system, in place of host and port; NULL: none */
	uint16_t port;
	const char *name; /* TLS: SNI and verification; NULL: host */
	struct bytes method, target;
	struct header headers[FETCH_HEADERS_MAX]; /* Host too */
	size_t n_headers;
	struct bytes body; /* p NULL: none */
	uint64_t connect_ms,
		timeout_ms; /* of one connection (0: the other one), and of everything */
	size_t answer_max;  /* bytes of the answer's body */
	/* Asked about each address before it is connected to; false: *why is a constant. NULL: all. */
	bool (*allowed)(const struct sys_addr *addr, const char **why);
	void (*on_done)(struct fetch *f);
	void *arg; /* of who asks */

	/* the answer */
	enum fetch_rc rc;
	struct fault why; /* unless FETCH_DONE: one sentence without a full stop */
	unsigned status;
	struct text fields; /* "name: value\n" each, as they came */
	struct text body_in;

	/* the fetcher's */
	struct list link;
	struct fetcher *fetcher;
	struct stream_user user;
	struct stream *stream;
	struct stream_source source;
	size_t sent;
	struct timer deadline, connecting;
	struct dns_query query;
	bool resolving;
	struct dns_answer addrs;
	unsigned next; /* address to try */
	struct task task;
};

/* Never calls on_done before it returns. */
void fetch_start(struct fetcher *fr, struct fetch *f);
/* While it is under way: on_done will not be called. */
void fetch_cancel(struct fetch *f);
/* A field of the answer; p NULL: it has none of that name. */
struct bytes fetch_field(const struct fetch *f, const char *name);
/* Gives the answer back. Safe on a zeroed one; not while it is under way. */
void fetch_done(struct fetch *f);

/* Appends a header to the request. */
void fetch_add(struct fetch *f, struct bytes name, struct bytes value);

#endif
