/*
 * Registries of the McpBridge to services (higress-resources.md §2.6), and those that only a provider names.
 */
#ifndef PLAN_SERVICES_H
#define PLAN_SERVICES_H

#include "plan/plan.h"

struct services {
	struct service *v; /* in the plan's arena */
	size_t n;
	size_t n_endpoints;
	struct map by_name;  /* to struct service */
	struct map left_out; /* names of registries that cannot be used: findings say why */
};

/* What cannot be used is left out, with findings. */
void services_compile(struct services *out, const struct snapshot *s, const struct hash_seed *seed,
	struct arena *a, struct findings *f);
/* Whether a service has the name of one that a registry would have to be asked for. */
bool services_is_discovered(struct bytes name);
/* What is not in the arena. */
void services_done(struct services *s);

#endif
