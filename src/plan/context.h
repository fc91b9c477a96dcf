/*
 * The file that a provider puts in front of chats (`context`, data-plane.md §8.7): where it is to be had. What it
 * says is in a cell (proxy/contexts.h), because it outlives plans and is fetched.
 */
#ifndef PLAN_CONTEXT_H
#define PLAN_CONTEXT_H

#include "base/hash.h"
#include "plan/build.h"

/* How long a fetch may take (`timeout` of the provider), and at most. */
#define CONTEXT_TIMEOUT_MS 120000u
#define CONTEXT_TIMEOUT_MAX_MS 600000u
/* Longest fileUrl. */
#define CONTEXT_URL_MAX 2048u

struct context_cell;

struct context_source {
	struct context_source *next; /* of the plan */
	struct bytes service;
	uint16_t port;
	struct bytes host, target; /* Host to send; path and query */
	struct bytes name;         /* host alone, for TLS where the service says none */
	uint64_t timeout_ms;
	/* All that decides what is fetched, each text with a NUL behind it: "1" for TLS, else "0"; the name
	 * for TLS; Host; target; then host and port of each endpoint. Empty: there is no such service. */
	struct bytes key;
	struct context_cell
		*cell; /* bound when the plan goes live; NULL before, or without a key */
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
