/*
 * Reading a failure: what the head of an answer and the beginning of its body say about why it is none.
 * Pure; the rows by type of provider are ai's (hook classify of proxy/dialect.h).
 */
#ifndef PROXY_FAILURE_H
#define PROXY_FAILURE_H

#include "plan/failover.h"

struct json_query;
struct provider_type;

/* As much of an error's body is looked at. Vendors' are below 2 KB. */
#define FAILURE_BODY_MAX 4096u
/* How long is waited for it. */
#define FAILURE_BODY_MS 2000u

struct failure_facts {
	const struct provider_type
		*type; /* NULL: an upstream without a provider, statuses alone decide */
	unsigned status;
	/* What compiled questions to bodies the dialect has (hooks.failure_query); NULL: bodies are not read. */
	const struct json_query *query;
	bool has_credential; /* one of ours was sent: without it a refusal blames none */
	/* The values of fields, p NULL: absent. rate_reset: x-ratelimit-reset-requests. */
	struct bytes retry_after, retry_after_ms, rate_reset, date;
	/* The beginning of the body (of a 2xx stream: the data of its first event), decoded as far as it was
	 * understood; n 0: nothing came, or it cannot be read. May be cut anywhere. */
	struct bytes body;
	bool event;              /* the body is the data of an event */
	struct bytes event_name; /* of that event; may be empty */
	uint64_t wall_ms;        /* Unix time now, for dates */
};

#endif
