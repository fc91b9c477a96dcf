/*
 * Who may pass: the rule of a route in key-auth.internal, and the plugin's own defaults (higress-resources.md §2.9,
 * §3.4.3). Every saved route leaves a rule there, also one that lets everybody in.
 */
#include "resource/op_int.h"

enum op_rc op_auth_check(struct op *o, const struct doc *auth)
{
	const struct doc *types = doc_get(o->arena, auth, "allowedCredentialTypes");

	for (const struct doc *t = doc_first(o->arena, types); t != NULL; t = t->next) {
		if (!bytes_eq(t->text, BYTES("key-auth"))) {
			return op_refuse(o, OP_INVALID,
				"authConfig: " BYTES_FMT
				" is no known credential type: only key-auth is",
				BYTES_ARG(t->text));
		}
	}
	for (const struct doc *c = doc_first(o->arena, doc_get(o->arena, auth, "allowedConsumers"));
		c != NULL; c = c->next) {
		if (!op_is_line(c->text)) {
			return op_refuse(o, OP_INVALID,
				"authConfig: no consumer has control characters in its name");
		}
	}
	return OP_OK;
}

struct doc *op_auth_defaults(struct op *o, struct doc *root)
{
	struct arena *a = o->arena;
	struct doc *spec = doc_need_map(a, root, "spec"),
		   *config = doc_get(a, spec, "defaultConfig");

	if (!doc_given(config)) {
		config = doc_need_map(a, spec, "defaultConfig");
		doc_set(a, config, "allow", doc_list(a));
		doc_set(a, config, "consumers", doc_list(a));
		doc_set(a, config, "global_auth", doc_bool(a, false));
		doc_append(a, doc_need_list(a, config, "keys"), doc_str(a, "x-higress-dummy-key"));
	}
	doc_set(a, spec, "defaultConfigDisable", doc_bool(a, false));
	return config;
}

/* Its own, else one that it has together with others. */
static const struct doc *rule_of(struct op *o, struct bytes ingress)
{
	const struct doc *root = op_plugin_look(o, &op_plugin_key_auth, true);
	const struct doc *own = op_rule_find(o, root, &(struct op_target){.ingress = ingress});

	return own != NULL ? own : op_rule_shared(o, root, ingress);
}

static bool rule_enabled(struct op *o, const struct doc *rule)
{
	const struct doc *off = doc_get(o->arena, rule, "configDisable");

	return rule != NULL && !(off != NULL && off->type == DOC_BOOL && off->boolean);
}

bool op_auth_enabled(struct op *o, struct bytes ingress)
{
	return rule_enabled(o, rule_of(o, ingress));
}

/* allow of the rule's config: texts in their order. */
static void put_allow(struct op *o, struct doc *rule, const struct doc *consumers)
{
	struct doc *config = doc_need_map(o->arena, rule, "config");

	if (doc_given(consumers)) {
		doc_set(o->arena, config, "allow", doc_copy(o->arena, consumers));
	} else {
		doc_drop(o->arena, config, "allow");
	}
}

bool op_auth_write(struct op *o, struct bytes ingress, const struct doc *auth)
{
	const struct doc *enabled = doc_get(o->arena, auth, "enabled");
	bool stays = doc_given(auth) && !doc_given(enabled);
	bool on = stays ? op_auth_enabled(o, ingress) : doc_given(enabled) && enabled->boolean;
	struct doc *root = op_plugin_need(o, &op_plugin_key_auth, true);
	struct doc *rule;

	op_rule_part(o, root, ingress);
	rule = op_rule_need(o, root, &(struct op_target){.ingress = ingress});
	put_allow(o, rule, doc_get(o->arena, auth, "allowedConsumers"));
	doc_set(o->arena, rule, "configDisable", doc_bool(o->arena, !on));
	if (on && !doc_given(doc_at(o->arena, root, "spec.defaultConfig"))) {
		op_auth_defaults(o, root);
	}
	return on;
}

struct doc *op_auth_read(struct op *o, struct bytes ingress)
{
	struct arena *a = o->arena;
	const struct doc *rule = rule_of(o, ingress);
	const struct doc *allow = doc_get(a, doc_get(a, rule, "config"), "allow");
	bool on = rule_enabled(o, rule);
	struct doc *out = doc_map(a), *types;

	doc_set(a, out, "enabled", doc_bool(a, on));
	if (!on && !doc_given(allow)) {
		doc_set(a, out, "allowedCredentialTypes", doc_null(a));
		doc_set(a, out, "allowedConsumers", doc_null(a));
		return out;
	}
	types = doc_need_list(a, out, "allowedCredentialTypes");
	doc_append(a, types, doc_str(a, "key-auth"));
	doc_set(a, out, "allowedConsumers", doc_given(allow) ? doc_copy(a, allow) : doc_list(a));
	return out;
}
