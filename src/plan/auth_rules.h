/*
 * What key-auth or basic-auth demands of the callers of a route: the decision matrix of data-plane.md §12.4.
 */
#ifndef PLAN_AUTH_RULES_H
#define PLAN_AUTH_RULES_H

#include "plan/plan.h"
#include "plan/plugin_rules.h"

/* Rules for domains among which a request's host decides: they are asked one by one. */
#define AUTH_DOMAINS_MAX 64u

struct auth_instance;

struct auth_rules {
	enum auth_plugin plugin;
	struct auth_instance *v; /* instances of the plugin; one, normally */
	size_t n;
	bool unread;               /* another one is there, and nobody knows what it says */
	struct consumers *nobody;  /* of routes that no instance cares for */
	struct consumer_set **all; /* every set of the plan, which gives the references back */
	const struct consumer_set *before; /* of the plan before this one */
	const struct hash_seed *seed;
	struct arena *arena;
	struct findings *findings;
};

/* What is made is p's. */
void auth_rules_init(struct auth_rules *r, enum auth_plugin plugin, const struct snapshot *s,
	const struct plan_env *env, struct plan *p);
void auth_rules_done(struct auth_rules *r);
/* The rule of one route; a target for each of its destinations (at least one, "" without any). */
struct auth_rule auth_rules_find(
	struct auth_rules *r, const struct plugin_target *targets, size_t n);
/* The consumers that counts and messages speak of. */
struct consumers *auth_rules_consumers(const struct auth_rules *r);

#endif
