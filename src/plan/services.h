/*
 * Registries of the McpBridge to services (higress-resources.md §2.6), and those that only a provider names.
 */
#ifndef PLAN_SERVICES_H
#define PLAN_SERVICES_H

#include "plan/discovered.h"
#include "plan/plan.h"

/* A registry that is asked for services. */
struct source {
	const struct registry *registry;
	struct service like; /* tls and sni */
	struct bytes user, secret;
};

struct found_service { /* one that a destination names */
	struct service service;
	struct endpoint endpoint;
	struct discovered ask;
	struct found_service *next;
};

struct services {
	struct service *v; /* in the plan's arena */
	size_t n;
	size_t n_endpoints;
	struct map by_name;  /* to struct service */
	struct map left_out; /* names of registries that cannot be used: findings say why */
	struct source *sources;
	size_t n_sources;
	struct found_service *found;
	size_t n_found;
	struct arena *arena;
};

/* What cannot be used is left out, with findings. */
void services_compile(struct services *out, const struct snapshot *s, const struct hash_seed *seed,
	struct arena *a, struct findings *f);
/* The service of that name; NULL: there is none. One of a registry that is asked for services is made
 * when it is first wanted. */
struct service *services_find(struct services *s, struct bytes name);
/* Whether a service has the name of one that a registry would have to be asked for. */
bool services_is_discovered(struct bytes name);
/* What is not in the arena. */
void services_done(struct services *s);

#endif
