/*
 * What ai-proxy and model-mapper say about an upstream of a route: provider and mapping.
 */
#ifndef PLAN_UPSTREAMS_H
#define PLAN_UPSTREAMS_H

#include "plan/plan.h"
#include "plan/plugin_rules.h"

struct upstream_of_rule { /* each rule is compiled once */
	bool known, usable;
	const struct provider *provider;
	const struct mapping *mapping;
};

struct upstreams {
	struct plugin_rules proxy, mapper;
	struct map providers; /* id to struct provider */
	struct map refused;   /* ids of entries that cannot be used */
	struct upstream_of_rule *of_proxy,
		*of_mapper;              /* by rule index; the default's is the last */
	struct context_source *contexts; /* of all providers */
	struct lane_slot *lanes;         /* of their credentials, and of upstreams */
	const struct provider_types *types;
	struct arena *arena;
	struct findings *findings;
};

void upstreams_init(struct upstreams *u, const struct snapshot *s, const struct plan_env *env,
	struct arena *a, struct findings *f);
void upstreams_done(struct upstreams *u);

/* Fills provider and mapping of *out (NULL: none). False when a rule holds that cannot be obeyed:
 * the upstream must then not be used. */
MUST_CHECK bool upstreams_find(
	struct upstreams *u, const struct plugin_target *t, struct destination *out);

/* The lane of the provider's use of a service; provider may be NULL. */
struct lane_slot *upstreams_lane(
	struct upstreams *u, const struct service *s, const struct provider *p);

/* The only object of a plugin; when there are several the first one, with a warning. May be NULL. */
const struct object *upstreams_plugin(
	const struct snapshot *s, const char *plugin, struct findings *f);

#endif
