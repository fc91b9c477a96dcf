/*
 * The lookup table of a plan: hosts, paths, routes. plan.h has the questions that it answers.
 */
#ifndef PLAN_MATCH_H
#define PLAN_MATCH_H

#include "plan/routes.h"

struct plan_index *match_index_new(const struct routes *routes, const struct plan_alias *alias,
	const struct hash_seed *seed, struct arena *a);
/* Frees what is not in the arena. NULL is allowed. */
void match_index_free(struct plan_index *x);

/* Of one route, what the table finds without asking each. */
bool match_method(const struct route *r, enum method m);
bool match_path(const struct route *r, struct bytes path);
/* Longest host that can be configured; a longer one is served by routes for every host only. */
#define MATCH_HOST_MAX 255u

#endif
