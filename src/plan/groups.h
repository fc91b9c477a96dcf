/*
 * Groups of routes that differ in the values of their conditions on the model only (data-plane.md §14.1; one
 * on the vendor, that addProviderHeader names, is like one on any header): ten thousand routes of
 * one host and path, one for each model, are one thing to whatever looks for a route. The first of a
 * group stands for it among candidates (plan_leaders); which of them takes a model is found by the
 * model's name and its beginnings, not by asking each. Immutable once the plan is there.
 */
#ifndef PLAN_GROUPS_H
#define PLAN_GROUPS_H

#include "base/hash.h"
#include "plan/plan.h"

/* Different policies of CORS in a group: of more of them the rest is known when the model is. */
#define GROUP_CORS_MAX 8u

struct route_group {
	const struct route **routes; /* in the order of their ranks; at least one */
	size_t n;
	size_t n_placed; /* while it is made */
	bool any_ai;     /* one of them has a provider */
	/* What they demand of callers: a caller that one of the routes lets pass is let pass by one of
	 * these, which are few whatever the number of routes. */
	const struct auth_rule *rules[AUTH_PLUGINS];
	size_t n_rules[AUTH_PLUGINS];
	/* Their policies of CORS, each once. */
	const struct cors *cors[GROUP_CORS_MAX];
	size_t n_cors;
	struct map exact, beginning; /* texts of conditions to the first route that has it */
	size_t *lengths;             /* of the beginnings, longest first */
	size_t n_lengths;
	const struct route **others; /* those that are not in the tables; all, in a small group */
	size_t n_others;
	struct route_group *next; /* of all of a plan, to be freed */
};

/* Which routes of a group take a model. */
struct group_hit {
	const struct route *first; /* by rank; NULL: none */
	const struct route *best;  /* which describes the model most closely; of equals the first */
	size_t close;              /* how closely best does */
};

/* Adds an empty group, to be filled by giving routes to it (route->group, group->n). */
struct route_group *groups_add(struct route_group **all, struct arena *a);
/* v: all routes of the plan, by host, then by rank. */
void groups_finish(struct route_group *all, struct route **v, size_t n,
	const struct hash_seed *seed, struct arena *a);
/* Frees what is not in the arena. NULL is allowed. */
void groups_done(struct route_group *all);

struct group_hit group_choose(const struct route_group *g, const struct route_model *m);

/* The policy for that host of one of the candidates, or of what they stand for, that allows the origin; else any of
 * theirs; NULL: they have none. */
const struct cors *group_cors(
	const struct route *const *candidates, size_t n, struct bytes host, struct bytes origin);
/* Whether r is the one that stands for its group, or has none. */
bool group_is_leader(const struct route *r);

#endif
