/*
 * The plugin cors: policies of CORS (plan/cors.h) for all routes, or for a route, a host or a service.
 */
#ifndef PLAN_CORS_RULES_H
#define PLAN_CORS_RULES_H

#include "plan/cors.h"
#include "plan/plan.h"
#include "plan/plugin_rules.h"

/* Rules for domains among which a request's host decides: they are asked one by one. */
#define CORS_DOMAINS_MAX 64u

struct cors_rules {
	struct plugin_rules rules;
	const struct cors **of_rule; /* by rule index; the default's is the last. NULL: none */
	const struct cors *last;     /* the last choice by host that was made */
	struct arena *arena;
	struct findings *findings;
};

void cors_rules_init(struct cors_rules *r, const struct snapshot *s, const struct hash_seed *seed,
	struct arena *a, struct findings *f);
void cors_rules_done(struct cors_rules *r);
/* For a route that leads to these targets, which differ in the service only: the first that the plugin says something
 * about counts. own: what its Ingress says, where the plugin says nothing; may be NULL, as the result. */
const struct cors *cors_rules_find(struct cors_rules *r, const struct plugin_target *targets,
	size_t n, const struct cors *own);

#endif
