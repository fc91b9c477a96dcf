/*
 * Hybrid routing: which routes have to change so that models reach their providers (hiclaw-integration.md 9), when
 * an agent is given a model and when a provider comes (of one that is renamed or goes: hiclaw/hybrid_change.h).
 * Pure: objects and assignments in, a change out that is one transaction (hiclaw/ops.h). Nobody's assignment stops
 * working because of another one's.
 *
 * Texts and documents of a plan are in the arena or those of the world.
 */
#ifndef HICLAW_HYBRID_H
#define HICLAW_HYBRID_H

#include "hiclaw/ops.h"

#define HYBRID_WARNINGS_MAX 8u

/* As it is stored: the model by its bare name. */
struct hybrid_assignment {
	struct bytes target; /* "manager", or a Worker's name */
	struct bytes provider, model;
};

struct hybrid_world {
	struct arena *arena;
	/* [OPS_NOUNS], of AI routes, providers, sources and consumers; NULL: none. */
	struct doc *const *lists;
	const struct hybrid_assignment *assignments;
	size_t n_assignments;
	struct bytes
		hiclaw_version; /* for the User-Agent of a default route that is made; empty: unknown */
};

enum hybrid_rc {
	HYBRID_OK,
	HYBRID_NO_PROVIDER,    /* 404 PROVIDER_NOT_FOUND */
	HYBRID_CONFLICT,       /* 409 ROUTE_CONFLICT: details {target, provider, model} */
	HYBRID_EXISTS,         /* 409 CONFLICT */
	HYBRID_IN_USE,         /* 409 IN_USE: details {routes: [name], assignments: [target]} */
	HYBRID_NO_REPLACEMENT, /* 400 INVALID_REQUEST: a route would be left with nothing to send to */
	HYBRID_TOO_LARGE       /* 500: no room in the arena */
};

struct hybrid_warning {
	const char *code; /* "DEFAULT_NOT_CATCHALL" */
	struct bytes text;
};

struct hybrid_plan {
	enum hybrid_rc rc;
	struct bytes why; /* one sentence, without a full stop */
	struct doc *details;
	const struct ops_item
		*items; /* in the order in which a Console may be asked for them one by one */
	size_t n_items;
	struct bytes route; /* that serves now; empty when a provider went */
	struct bytes model; /* of a switch: as the agent has to ask for it */
	bool updated;       /* the routing is as it was asked for */
	bool changed;       /* something has to be written for it */
	struct hybrid_warning warnings[HYBRID_WARNINGS_MAX];
	size_t n_warnings;
};

struct hybrid_switch {
	struct bytes target; /* "manager", or a Worker's name */
	struct bytes provider, model;
	bool qualify; /* onConflict: "<provider>/<model>" when the bare name is another provider's */
};
void hybrid_switch(
	const struct hybrid_world *world, const struct hybrid_switch *s, struct hybrid_plan *out);

/* A provider is made through the monitor API, whether it is among the world's already or not; its items have to
 * stand behind those of the provider. */
void hybrid_created(const struct hybrid_world *world, struct bytes provider, struct bytes type,
	struct hybrid_plan *out);

/* The consumer of a target: "manager", "worker-alice". */
struct bytes hybrid_consumer(struct arena *a, struct bytes target);

#endif
