/*
 * WasmPlugins of the plugin request-block to what routes refuse (plan/blocking.h).
 */
#ifndef PLAN_BLOCKING_RULES_H
#define PLAN_BLOCKING_RULES_H

#include "plan/blocking.h"
#include "plan/plugin_rules.h"

struct blocking_instance;

struct blocking_rules {
	struct blocking_instance *v; /* one for each WasmPlugin */
	size_t n;
	const struct blocking *broken;
	struct arena *arena;
	struct findings *findings;
	struct place bodies_at; /* the first list of texts of bodies, and where it stands */
	const struct object *bodies_in;
};

void blocking_init(struct blocking_rules *r, const struct snapshot *s, const struct hash_seed *seed,
	struct arena *a, struct findings *f);
void blocking_done(struct blocking_rules *r);
/* For a route that leads to these targets, which differ in the service only; NULL: nothing is refused. */
const struct blocking_list *blocking_find(
	struct blocking_rules *r, const struct plugin_target *targets, size_t n);

#endif
