/*
 * The gateway's own management, when clients may reach it through the gateway's listeners
 * (--manage-on-gateway): a route of its own in front of all others, to a listener of this process that only
 * those are let in by who bring a secret.
 */
#ifndef PLAN_INSIDE_H
#define PLAN_INSIDE_H

#include "plan/plan.h"

/* Header with the secret; no client can send it (decide_forbids). */
#define INSIDE_HEADER "x-sluice-inside"
#define INSIDE_ROUTE "sluice-management"

struct plan_inside {   /* of struct plan_env; outlives the plan */
	uint16_t port; /* on 127.0.0.1 */
	struct bytes secret;
};

/* Puts the route into p, as p->inside; its endpoint is to be listed. */
void inside_compile(struct plan *p, const struct plan_inside *in, const struct hash_seed *seed);
/* Whether that is what the request wants: /ni_status, /agm, /_admin/api and what is below them, of any host, and
 * all of the host manager-local.hiclaw.io (hiclaw-integration.md §2.2). */
bool inside_takes(const struct plan *p, struct bytes host, struct bytes path);

#endif
