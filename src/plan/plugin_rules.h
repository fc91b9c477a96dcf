/*
 * Which rule of a WasmPlugin holds for a route and an upstream (higress-resources.md §2.8, data-plane.md
 * §1.3): the first that matches, in the order of the file. Shared by all plugins.
 */
#ifndef PLAN_PLUGIN_RULES_H
#define PLAN_PLUGIN_RULES_H

#include "base/hash.h"
#include "resource/object.h"

/* Plugins of the two makers read a rule with domain and service, but no ingress, differently. */
enum plugin_maker { PLUGIN_GO, PLUGIN_CPP };

struct rule_ref;

struct plugin_rules {
	const struct object *object;
	const struct wasmplugin *plugin;
	enum plugin_maker maker;
	bool loaded; /* a default that is enabled, or a rule */
	bool invalid; /* has something that no version of it can mean, or that this one cannot read */
	size_t n_rules;                    /* enabled ones */
	struct map by_ingress, by_service; /* to struct rule_ref, in file order */
	struct rule_ref *domains;
};

struct plugin_target {
	struct bytes route;   /* name */
	struct bytes host;    /* the route's, in lower case: "a.com", "*.a.com", "*" */
	struct bytes service; /* "" when there is none */
	uint16_t port;
};

enum plugin_choice {
	PLUGIN_NOTHING, /* the plugin does nothing there */
	PLUGIN_DEFAULT, /* no rule matches and the default is enabled */
	PLUGIN_RULE,
	PLUGIN_UNSURE /* a domain rule holds for some hosts of the route and not for others */
};

struct plugin_hit {
	enum plugin_choice choice;
	bool off; /* PLUGIN_RULE with `_disable_: true` */
	const struct plugin_rule *rule;
	size_t index;                   /* of the rule in plugin->rules */
	const struct yaml_node *config; /* may be NULL */
};

/* object may be NULL: a plugin that is not there. Indexes the rules; findings name the odd ones. */
void plugin_rules_init(struct plugin_rules *p, const struct object *object, enum plugin_maker maker,
	const struct hash_seed *seed, struct arena *a);
/* Adds what is wrong with the rules. */
void plugin_rules_check(struct plugin_rules *p, const struct snapshot *s, struct findings *f);
void plugin_rules_done(struct plugin_rules *p);
struct plugin_hit plugin_rules_choose(const struct plugin_rules *p, const struct plugin_target *t);

/* What holds for a route whose host stands for several: rules for some of these hosts, in order, and at the end what holds
 * for all others. Which it is, the host of a request says. */
struct plugin_case {
	const struct strings *domains; /* NULL: every host */
	struct plugin_hit hit;         /* never PLUGIN_UNSURE */
};
/* Puts at most max of them into out; returns how many there are. */
size_t plugin_rules_cases(const struct plugin_rules *p, const struct plugin_target *t,
	struct plugin_case *out, size_t max);
/* Domains of a case, for as long as a plan. */
const struct strings *plugin_rules_keep(const struct strings *domains, struct arena *a);
/* Whether two cases have the same ones; NULL: every host. */
bool plugin_domains_are_same(const struct strings *x, const struct strings *y);
/* Whether a rule for one of these domains holds for a host. */
bool plugin_domain_is_any(const struct strings *domains, struct bytes host);

#endif
