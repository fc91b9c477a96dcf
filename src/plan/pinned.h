/*
 * For each provider a route that no request is matched with: to the provider's own service, with what ai-proxy and
 * model-mapper say of that service alone. It is for those who name the provider instead of a route: connectivity
 * tests (proxy/probe.h), before any route leads to it.
 *
 * The service is the first that a rule of ai-proxy gives the provider, else that of the first route that leads to it.
 */
#ifndef PLAN_PINNED_H
#define PLAN_PINNED_H

#include "plan/services.h"
#include "plan/upstreams.h"

/* Puts the routes into p->pinned; those of clients are compiled, and the endpoints not yet listed. nobody: a set without
 * consumers. */
void pinned_compile(struct plan *p, struct upstreams *u, struct services *services,
	const struct consumers *nobody, const struct hash_seed *seed);
/* NULL: no provider has that id, or it cannot be used, or none of its services is known. */
const struct route *pinned_find(const struct plan *p, struct bytes id);

#endif
