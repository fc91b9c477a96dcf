/*
 * Gateway objects at another program's Console, over its REST API (console-api.md 3): the second implementation
 * of struct manage_ops, for a real Higress that is managed from outside. Control's.
 *
 * A Console knows no transactions. Each object is read before it is written; when one cannot be written, those
 * before it are put back, the last one first, and *why names what could not be.
 */
#ifndef HICLAW_OPS_REMOTE_H
#define HICLAW_OPS_REMOTE_H

#include "hiclaw/ops.h"

/* A session of a Higress has 200 bytes. */
#define OPS_REMOTE_COOKIE_MAX 4096u
/* Accident: a Console that always says that somebody else was faster. */
#define OPS_REMOTE_TRIES_MAX 5u

struct ops_remote {
	struct manage_ops ops;
	/* Filled before init, and there as long as calls are; the fetcher may be freed first, then calls under way
	 * never end. */
	struct loop *loop;
	struct fetcher *fetcher;
	bool tls;
	const char *host; /* a name or an address, without brackets */
	uint16_t port;
	struct bytes authority; /* "console.test:8001", for the field Host */
	struct bytes user, password;
	/* its own: the session that the Console gave, in memory only */
	char cookie[OPS_REMOTE_COOKIE_MAX];
	size_t n_cookie;
};

/*
 * Answers of a call, beside those of the Console: 502, it does not answer, not as it should, or refuses the
 * password. 409 also when an object is another one than that of which a body was made ("version"): read and plan
 * again. A Console that masks keys gives lists with masked ones; a provider is not made of such (400).
 */
void ops_remote_init(struct ops_remote *o);

#endif
