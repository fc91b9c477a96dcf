/*
 * Fallbacks of routes (higress-resources.md §2.7, data-plane.md §14.4): where a request goes when the answer to it
 * is a failure. EnvoyFilters in the form that Console writes are understood; whatever else one says has no
 * effect, and a finding says so. Annotations of our own say it in fewer words.
 */
#ifndef PLAN_FALLBACKS_H
#define PLAN_FALLBACKS_H

#include "plan/routes.h"

/* On requests that fall back and on their answers; the value is the name of the route they come from. */
#define FALLBACKS_HEADER "x-higress-fallback-from"

struct fallbacks_input {
	const struct snapshot *snapshot;
	const struct routes *routes;
	struct services *services;
	struct upstreams *upstreams;
	const struct hash_seed *seed;
	struct arena *arena;
	struct findings *findings;
};

/* Sets route->fallback of the routes that the EnvoyFilters and annotations sluice.io/fallback name. Returns how many have one. */
size_t fallbacks_compile(const struct fallbacks_input *in);

#endif
