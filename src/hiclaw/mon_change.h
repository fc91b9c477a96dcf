/* What endpoints that change the gateway's objects have in common. */
#ifndef HICLAW_MON_CHANGE_H
#define HICLAW_MON_CHANGE_H

#include "hiclaw/hybrid.h"
#include "hiclaw/monitor.h"

#define MON_ROUTING \
	(1u << OPS_PROVIDER | 1u << OPS_SOURCE | 1u << OPS_AI_ROUTE | 1u << OPS_CONSUMER)

/* The world of hiclaw/hybrid.h: the lists that were read, which are copied out of k->ops, and the assignments. */
void mon_change_world(struct ask *k, struct hybrid_world *out);
/* The object of that name in a list; NULL: there is none. */
struct doc *mon_change_find(struct ask *k, const struct doc *list, struct bytes name);
/* Answers what a plan refuses. */
void mon_change_refuse(struct ask *k, const struct hybrid_plan *p);
/* Its warnings, as a list of {code, message}. */
struct doc *mon_change_warnings(struct ask *k, const struct hybrid_plan *p);
/* Both lists of items as one, in the arena. */
struct ops_item *mon_change_join(
	struct ask *k, const struct ops_item *x, size_t nx, const struct ops_item *y, size_t ny);

/* A line of the history, and one of the log; objects are masked here. before and after may be NULL. */
void mon_change_log(struct ask *k, const char *action, struct bytes target, const char *result,
	const struct doc *before, const struct doc *after);
/* The event of a noun: {"name", "action"}. */
void mon_change_say(struct ask *k, int kind, struct bytes name, const char *action);

#endif
