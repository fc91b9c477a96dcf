/*
 * What is done when an attempt fails: failures and their classes, and the policies that providers and routes
 * have for them (data-plane.md §9.2, §9.3, §14.3, §14.4). Pure values; who walks them is plan/course.h.
 */
#ifndef PLAN_FAILOVER_H
#define PLAN_FAILOVER_H

#include "base/bytes.h"

struct destination;
struct route;

/*
 * What is wrong, and so whom it blames. The first ones are read from an answer (proxy/failure.h), the others
 * are seen by the gateway itself.
 */
enum failure_class {
	FAILURE_NONE,     /* a usable answer */
	FAILURE_CLIENT,   /* the request's own mistake: blames nobody */
	FAILURE_CONTEXT,  /* too long for this model's window: blames nobody, a larger one may do */
	FAILURE_FILTERED, /* content filter before any content: blames nobody */
	FAILURE_RATE,     /* the credential is used too fast */
	FAILURE_BILLING,  /* the credential's account has no money or quota left */
	FAILURE_CREDENTIAL, /* the credential is refused */
	FAILURE_OVERLOAD,   /* the upstream cannot just now: 503, 529 */
	FAILURE_SERVER, /* the upstream's own fault: all other 5xx, an error event in a stream's place */
	FAILURE_INVALID, /* what came is no answer: HTML, no event, no HTTP */
	FAILURE_CONNECT, /* no connection: refused, unreachable, no address, TLS, or not in time */
	FAILURE_RESET,   /* the connection broke before data */
	FAILURE_TIMEOUT, /* nothing usable came in time */
	FAILURE_FULL,    /* our own cap: nothing was sent */
	FAILURE_CLASSES
};
/* "rate", "context_length": as logs, metrics and explain say it. */
const char *failure_class_name(enum failure_class c);

struct failure {
	enum failure_class class;
	uint16_t status; /* of the upstream's head; 0: there was none */
	bool connecting; /* FAILURE_TIMEOUT, FAILURE_CONNECT: before the connection was up */
	uint64_t
		retry_after_ms; /* what the upstream asked for, within its floor and ceiling; 0: nothing */
};

/* What a policy is about, beside statuses: bits. */
enum failure_event {
	FAILURE_ON_CONNECT = 1 << 0,         /* FAILURE_CONNECT */
	FAILURE_ON_RESET = 1 << 1,           /* FAILURE_RESET */
	FAILURE_ON_CONNECT_TIMEOUT = 1 << 2, /* of the connection */
	FAILURE_ON_FIRST_BYTE = 1 << 3,      /* of everything behind it, before data */
	FAILURE_ON_INVALID =
		1 << 4, /* FAILURE_INVALID; an error event or JSON error behind a 2xx */
	FAILURE_ON_FILTERED = 1 << 5, /* FAILURE_FILTERED */
	FAILURE_ON_CONTEXT = 1 << 6,  /* FAILURE_CONTEXT, where a candidate has a larger window */
};
#define FAILURE_ON_TIMEOUT (FAILURE_ON_CONNECT_TIMEOUT | FAILURE_ON_FIRST_BYTE)

/* Statuses 100–599, a bit each, and events. */
#define FAILURE_STATUS_MIN 100u
#define FAILURE_STATUS_MAX 599u
struct failure_set {
	uint64_t statuses[8];
	unsigned events; /* enum failure_event */
};
void failure_set_add(struct failure_set *s, unsigned from, unsigned to); /* both inclusive */
bool failure_set_has_status(const struct failure_set *s, unsigned status);
bool failure_set_is_empty(const struct failure_set *s);
/* Whether the policy is about that failure. A status counts only where the failure has one; a 2xx that turned
 * out to be an error is FAILURE_ON_INVALID, whatever its class. FAILURE_NONE: never. */
bool failure_set_matches(const struct failure_set *s, const struct failure *f);

/* --- of a provider ------------------------------------------------------------------------------ */

/* §9.2: credentials that fail are left out for a while. */
struct failover_policy {
	bool enabled;               /* false: every credential stays in service */
	unsigned failure_threshold; /* consecutive failures, 1–255 */
	unsigned success_threshold; /* probes, 1–15 */
	uint32_t probe_every_ms;
	uint32_t probe_timeout_ms;
	struct bytes
		probe_model; /* healthCheckModel; empty: no active probes, one request is the probe */
	struct failure_set on;
};
/* §9.3: another attempt at the same upstream. */
struct retry_policy {
	bool enabled;
	unsigned max;        /* extra attempts, over all credentials; at least 1 */
	uint32_t timeout_ms; /* each attempt, to its first byte; 0: none but the usual ones */
	struct failure_set on;
};
/* How many at once; 0: as many as come. */
struct concurrency {
	unsigned upstream;   /* exchanges at this provider's service */
	unsigned credential; /* exchanges with one credential */
	unsigned consumer;   /* exchanges of one consumer at this provider */
	unsigned queue;      /* that may wait, when every candidate is full */
	uint32_t queue_ms;   /* how long */
};

/* The defaults of the specification, all of them switched off. */
extern const struct failover_policy failover_default;
extern const struct retry_policy retry_default;
#define CONCURRENCY_QUEUE_DEFAULT 64u
#define CONCURRENCY_QUEUE_MS_DEFAULT 5000u

/* --- of a route --------------------------------------------------------------------------------- */

/* §14.3: another endpoint, then another destination of the same route. */
struct next_policy {
	unsigned attempts;   /* extra ones; 0: off */
	uint32_t timeout_ms; /* each attempt, connect and first byte; 0: the usual ones */
	bool non_idempotent; /* also for POST and PATCH, and so for everything that asks a model */
	struct failure_set on;
};
/* Off. What the console writes for an AI route is next_console. */
extern const struct next_policy next_default, next_console;

#define FALLBACK_CANDIDATES_MAX 16u
#define FALLBACK_HOPS_MAX 8u

/* §14.4: where a request goes when its route has nothing left to try. */
struct fallback {
	struct failure_set on;
	bool on_own_rate;  /* fallback.onOwnRateLimit: also our own 429 */
	bool in_order;     /* SEQ: the candidates as they stand; false: by weight, each once */
	struct bytes from; /* what x-higress-fallback-from says on the answer */
	const struct route
		*to; /* its path and headers hold; never chosen by a request of its own */
	/* Each with its own mapping, of the client's model. As a rule to->destinations; a SEQ list of the
	 * console names more than its Ingress does. */
	const struct destination *candidates;
	size_t n_candidates;
};

#endif
