/*
 * Ingresses to routes (higress-resources.md §5.1, §5.3).
 */
#ifndef PLAN_ROUTES_H
#define PLAN_ROUTES_H

#include "plan/auth_rules.h"
#include "plan/blocking_rules.h"
#include "plan/certificates.h"
#include "plan/condition.h"
#include "plan/cors_rules.h"
#include "plan/plan.h"
#include "plan/services.h"
#include "plan/statistics.h"
#include "plan/upstreams.h"

/* A longer path that is compared without case is refused: a request's is lowered into a buffer of this
 * size. */
#define ROUTES_NOCASE_MAX 1024u

struct routes {
	struct route **v; /* by host, then by rank */
	size_t n;
	size_t n_turns;
	bool has_cors, has_blocking;
	struct route_group *groups; /* not finished yet */
};

struct routes_input {
	const struct snapshot *snapshot;
	const struct hash_seed *seed;
	struct services *services;
	struct upstreams *upstreams;
	struct auth_rules *auth, *basic;
	struct statistics_rules *statistics;
	struct blocking_rules *blocking;
	struct cors_rules *cors;
	struct conditions_input conditions;
	const struct certificates *certificates;
	struct arena *arena;
	struct findings *findings;
};

/* A prefix of every path, without conditions: the last of its host. */
bool routes_is_catch_all(const struct route *r);
void routes_compile(struct routes *out, const struct routes_input *in);

#endif
