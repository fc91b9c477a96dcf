/*
 * Compiles the consumers of one configuration of key-auth or basic-auth: the global one, or one that a rule brings.
 * Counted atomically: plans that share a set are compiled and freed on different threads.
 */
#ifndef PLAN_CONSUMERS_H
#define PLAN_CONSUMERS_H

#include "plan/plan.h"

/* Never NULL; one reference is the caller's. What cannot be understood as a whole makes the set `invalid` (its routes answer 503); a
 * single entry that cannot be used is left out, so that nobody gets in by it. config may be NULL: a
 * set without anybody. */
struct consumers *consumers_compile(enum auth_plugin plugin, const struct yaml_node *config,
	const struct object *where, const struct hash_seed *seed);
/* Whether it is what compiling this for its plugin would give. */
bool consumers_are_of(const struct consumers *c, const struct yaml_node *config,
	const struct object *where, const struct hash_seed *seed);
struct consumers *consumers_ref(struct consumers *c);
/* NULL is allowed. */
void consumers_unref(struct consumers *c);
/* Whether a rule's config has credentials of its own. */
bool consumers_are_in(const struct yaml_node *config);
/* NULL when nobody is called so. */
const struct consumer *consumers_find(const struct consumers *c, struct bytes name);
/* A list of credentials without names: no allow list can apply. */
bool consumers_are_anonymous(const struct consumers *c);

#endif
