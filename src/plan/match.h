/*
 * The lookup table of a plan: hosts, paths, routes. plan.h has the questions that it answers.
 */
#ifndef PLAN_MATCH_H
#define PLAN_MATCH_H

#include "plan/routes.h"

struct plan_index *match_index_new(
	const struct routes *routes, const struct hash_seed *seed, struct arena *a);
/* Frees what is not in the arena. NULL is allowed. */
void match_index_free(struct plan_index *x);

#endif
