/*
 * Compiles the consumers of one key-auth configuration: the global one, or one that a rule brings.
 */
#ifndef PLAN_CONSUMERS_H
#define PLAN_CONSUMERS_H

#include "plan/plan.h"

/* Never NULL. What cannot be understood as a whole makes the set `invalid` (its routes answer 503); a
 * single entry that cannot be used is left out, so that nobody gets in by it. config may be NULL: a
 * set without anybody. */
struct consumers *consumers_compile(const struct yaml_node *config, const struct object *where,
	const struct hash_seed *seed, struct arena *a, struct findings *f);
/* Whether a rule's config has credentials of its own. */
bool consumers_are_in(const struct yaml_node *config);
/* NULL when nobody is called so. */
const struct consumer *consumers_find(const struct consumers *c, struct bytes name);
/* A list of credentials without names: no allow list can apply. */
bool consumers_are_anonymous(const struct consumers *c);
/* Frees what is not in the arena. */
void consumers_done(struct consumers *c);

#endif
