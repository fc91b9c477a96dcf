/*
 * Reading a failure: what the head of an answer and the beginning of its body say about why it is none.
 * Pure; the rows by type of provider are ai's (hook classify of proxy/dialect.h).
 */
#ifndef PROXY_FAILURE_H
#define PROXY_FAILURE_H

#include "plan/failover.h"

/* As much of an error's body is looked at. Vendors' are below 2 KB. */
#define FAILURE_BODY_MAX 4096u
/* How long is waited for it. */
#define FAILURE_BODY_MS 2000u

struct failure_facts {
	const struct provider_type
		*type; /* NULL: an upstream without a provider, statuses alone decide */
	unsigned status;
	/* The values of fields, p NULL: absent. */
	struct bytes retry_after, retry_after_ms, rate_reset;
	/* The beginning of the body (of a 2xx stream: the data of its first event), decoded as far as it was
	 * understood; n 0: nothing came, or it cannot be read. May be cut anywhere. */
	struct bytes body;
	bool event;              /* the body is the data of an event */
	struct bytes event_name; /* of that event; may be empty */
	uint64_t wall_ms;        /* Unix time now, for dates */
};

/* Floor and ceiling of what an upstream may ask for with Retry-After: below, the next request would be refused
 * likewise; above, it means "not today", and tomorrow somebody should look again. */
#define RETRY_AFTER_MIN_MS 1000u
#define RETRY_AFTER_MAX_MS 3600000u
/* Seconds or an HTTP date; 0 when it is neither, or lies in the past by its own words ("0" and negative count as
 * the floor). Never overflows. */
uint64_t failure_retry_after(struct bytes value, uint64_t wall_ms);

#endif
