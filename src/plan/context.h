/*
 * The file that a provider puts in front of chats (`context`, data-plane.md §8.7): where it is to be had. What it
 * says is in a cell (proxy/fetched.h), because it outlives plans and is fetched.
 */
#ifndef PLAN_CONTEXT_H
#define PLAN_CONTEXT_H

#include "base/hash.h"
#include "plan/fetched_source.h"
#include "plan/build.h"

/* How long a fetch may take (`timeout` of the provider), and at most. */
#define CONTEXT_TIMEOUT_MS 120000u
#define CONTEXT_TIMEOUT_MAX_MS 600000u
/* Longest fileUrl. */
#define CONTEXT_URL_MAX 2048u

struct context_source {
	struct fetched_source source; /* without a key when there is no such service */
	struct context_source *next;  /* of the plan */
	struct bytes service;
	uint16_t port;
	struct bytes host, target; /* Host to send; path and query */
	struct bytes name;         /* host alone, for TLS where the service says none */
	/* While the plan is compiled: where it stands. */
	const struct object *where;
	struct place at;
};

/* entry: a provider's. *out is NULL when it names none. False: it cannot be used; said in findings. */
MUST_CHECK bool context_compile(struct context_source **out, const struct yaml_node *entry,
	const struct object *where, struct arena *a, struct findings *f);
/* Finds the services of a list, by name to struct service. A context without one is never had: said in
 * findings. */
void context_find_services(struct context_source *list, const struct map *services, struct arena *a,
	struct findings *f);

#endif
