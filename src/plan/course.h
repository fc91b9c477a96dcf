/*
 * The course of one request through the candidates of its route: the one state machine of attempts. It says where the
 * next attempt goes, by the policies of plan/failover.h and the health of plan/health.h; whoever makes the attempts
 * tells it what became of each. In this order (data-plane.md §9.3):
 *
 *   retry at the same upstream, with another credential ─▶ another endpoint or destination of the route ─▶ fallbacks
 *
 * Pure but for the health words that it enters and leaves; used by one thread at a time. What is not bound (a plan
 * that never went live) counts as healthy.
 */
#ifndef PLAN_COURSE_H
#define PLAN_COURSE_H

#include "plan/plan.h"

struct random;

/* Of one request, whatever policies say. Attack, accident: policies that multiply. */
#define COURSE_ATTEMPTS_MAX 12u
/* A pause before the same upstream is asked again, when it did not say how long (§9.3). */
#define COURSE_PAUSE_MIN_MS 50u
#define COURSE_PAUSE_MAX_MS 200u
/* A longer Retry-After is not waited for: the client is better served by the answer. */
#define COURSE_WAIT_MAX_MS 2000u
/* Of endpoints, where no policy says otherwise: failures in a row, and how long one is left alone then. */
#define COURSE_ENDPOINT_FAILURES 3u
#define COURSE_ENDPOINT_MS 5000u
/* Of a credential that no active probe can bring back. */
#define COURSE_CREDENTIAL_MS 10000u
/* The only credential is not out for longer than this when nothing else is known; what an account lacks is not
 * there a moment later. */
#define COURSE_REFUSED_MS 60000u

enum course_move {
	COURSE_END,      /* there is nothing to try, or nothing that may be */
	COURSE_FULL,     /* course_begin: every candidate is at its cap */
	COURSE_FIRST,    /* course_begin: it goes there */
	COURSE_RETRY,    /* the same upstream */
	COURSE_ENDPOINT, /* another endpoint of it */
	COURSE_NEXT,     /* another destination of the same list */
	COURSE_FALLBACK  /* the first candidate of a fallback */
};

struct course_env {
	uint64_t now_ms;  /* monotonic */
	uint64_t ends_ms; /* no attempt begins from then on; 0: no end */
	struct random *random;
	/* Of a request that must come back to the credential it came with before (§9.1): the consumer's hash. */
	bool sticky;
	uint32_t affinity;
	/* Whether the request could be sent there at all: asked of all but the one that was picked. NULL: anywhere. */
	bool (*serves)(void *of, const struct destination *to);
	/* Takes a place at the destination's caps; false: there is none. NULL: there are no caps. What was taken is given
	 * back by who took it. */
	bool (*take)(void *of, const struct destination *to, struct lane *credential);
	void *of;
};

struct course {
	const struct route *route;       /* that the request came to */
	const struct fallback *fallback; /* whose candidates are tried; NULL: the route's own */
	/* Of the attempt now. */
	const struct destination *to;
	const struct endpoint *endpoint; /* NULL: the service has none */
	unsigned credential;             /* in the provider's tokens; 0 also when there are none */
	struct health_pass on_endpoint, on_credential;
	uint32_t pause_ms; /* before it */
	/* What was tried. */
	uint8_t attempts;
	uint8_t retries; /* at this destination */
	uint8_t moves;   /* away from destinations and endpoints of the route */
	uint8_t hops;    /* into fallbacks */
	uint8_t fallen;  /* candidates of fallbacks that were tried */
	bool again; /* the attempt now was taken from its upstream's budget of retries: it earns none */
	bool repeats; /* the request may go to somebody else although it was sent (§14.3 non_idempotent) */
	/* A bit each, in the list now; what is beyond 64 is tried only as the first one. */
	uint64_t tried_to, tried_credentials, tried_endpoints;
	const struct fallback *gone[FALLBACK_HOPS_MAX];
};

/* The first attempt of a course of which only `repeats` is set. picked: by weight; it is left when it is out of service and
 * another is not. When all are out, it is taken all the same. COURSE_FULL may be asked again; c->to is one that has no place
 * then, and so has a provider with caps. */
enum course_move course_begin(struct course *c, const struct route *r,
	const struct destination *picked, const struct course_env *env);
/* The same for nearly every request: there is one credential and one endpoint, nothing is wrong with either, and
 * nobody counts who uses them. False: course_begin has to look. */
MUST_CHECK bool course_begin_plain(
	struct course *c, const struct route *r, const struct destination *to);
/* A probe's only attempt, at the first destination with that credential (the first one, when it has gone; NULL: any, one in
 * service if there is one). It enters nothing and takes no place, and nobody is blamed by it: who sent it knows what it is
 * for. */
void course_begin_probe(struct course *c, const struct route *r, const struct lane *credential,
	const struct course_env *env);
/* It found every candidate full: where that is reason enough to fall back (onOwnRateLimit), it does; else COURSE_FULL. */
enum course_move course_spill(struct course *c, const struct course_env *env);
/* The attempt failed like that (its passes were ended): COURSE_END, or where the next one goes. */
enum course_move course_next(
	struct course *c, const struct failure *f, const struct course_env *env);
/* What the attempt showed; each ends its passes. A failure is blamed on whom it concerns; returns whether a credential
 * or an endpoint went out of service by it. */
void course_good(struct course *c, uint64_t now_ms);
bool course_bad(struct course *c, const struct failure *f, uint64_t now_ms);
/* It showed nothing: the client left, or the request was refused here. */
void course_leave(struct course *c, uint64_t now_ms);

/* The route whose rewrites and headers hold for the attempt. */
static inline const struct route *course_route(const struct course *c)
{
	return c->fallback != NULL ? c->fallback->to : c->route;
}
/* Success would change nothing: course_good may be left out. */
static inline bool course_is_quiet(const struct course *c)
{
	const struct provider *p = c->to->provider;

	return c->endpoint != NULL && c->endpoint->cell != NULL &&
		health_is_quiet(&c->endpoint->cell->health) &&
		(p == NULL || !p->failover.enabled || p->tokens.n == 0 ||
			(p->credentials[c->credential].lane != NULL &&
				health_is_quiet(&p->credentials[c->credential].lane->health)));
}
/* The lane of its credential; NULL: none. */
struct lane *course_lane(const struct course *c);
/* 32 bits of FNV-1a, by which a consumer's credential is found (§9.1). */
uint32_t course_affinity(struct bytes consumer);

#endif
