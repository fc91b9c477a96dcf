#define _GNU_SOURCE
#include "resource/schema.h"

static const struct schema_row rule_rows[] = {
	{"config", SCHEMA_NODE, .offset = offsetof(struct plugin_rule, config)},
	{"configDisable", SCHEMA_BOOL, .offset = offsetof(struct plugin_rule, disabled)},
	{"ingress", SCHEMA_STRINGS, .offset = offsetof(struct plugin_rule, ingress)},
	{"service", SCHEMA_STRINGS, .offset = offsetof(struct plugin_rule, service)},
	{"domain", SCHEMA_STRINGS, .offset = offsetof(struct plugin_rule, domain)},
};

static const struct schema rule_schema =
	SCHEMA_ITEM(rule_rows, "routeType", struct plugin_rule, at);

static const struct schema_row spec_rows[] = {
	{"defaultConfig", SCHEMA_NODE, .offset = offsetof(struct object, u.wasmplugin.config)},
	{"defaultConfigDisable", SCHEMA_BOOL,
		.offset = offsetof(struct object, u.wasmplugin.config_disabled)},
	{"matchRules", SCHEMA_LIST, .items = &rule_schema,
		.offset = offsetof(struct object, u.wasmplugin.rules),
		.also = offsetof(struct object, u.wasmplugin.n_rules)},
	{"phase", SCHEMA_STRING, .offset = offsetof(struct object, u.wasmplugin.phase)},
	{"priority", SCHEMA_I64, .offset = offsetof(struct object, u.wasmplugin.priority)},
};

static const struct schema spec_schema = SCHEMA_OF(spec_rows,
	"url sha256 failStrategy imagePullPolicy imagePullSecret verificationKey "
	"pluginConfig pluginName selector vmConfig");

static const struct schema_row rows[] = {
	{"metadata", SCHEMA_MAP, .items = &schema_meta},
	{"spec", SCHEMA_MAP, .required = true, .items = &spec_schema},
};

static const struct schema schema = SCHEMA_OF(rows, "apiVersion kind status");

/* "-1.0.0" and what follows: the version that Console appends to names of plugins of others. */
static struct bytes without_version(struct bytes name)
{
	for (size_t i = 0; i + 3 < name.n; i++) {
		size_t k = i + 1;

		while (k < name.n && ascii_digit(name.p[k])) {
			k++;
		}
		if (name.p[i] == '-' && k > i + 1 && k + 1 < name.n && name.p[k] == '.' &&
			ascii_digit(name.p[k + 1])) {
			return bytes_of(name.p, i);
		}
	}
	return name;
}

static void finish(struct object *o)
{
	struct bytes internal = BYTES(".internal");
	struct wasmplugin *w = &o->u.wasmplugin;
	struct bytes name = o->meta.name;

	w->plugin = pairs_get(&o->meta.labels, "higress.io/wasm-plugin-name");
	if (w->plugin.n == 0) {
		w->plugin = bytes_ends(name, internal) ? bytes_of(name.p, name.n - internal.n)
						       : without_version(name);
	}
	/* A cluster keeps the zero of an enum, the file store drops it. */
	if (bytes_eq(w->phase, BYTES("UNSPECIFIED_PHASE"))) {
		w->phase = BYTES("");
	}
}

bool wasmplugin_may_guard(struct bytes file, const struct bytes *text)
{
	static const struct bytes names[] = {{"key-auth", 8}, {"basic-auth", 10}};

	for (size_t i = 0; text != NULL && i < ARRAY_LEN(names); i++) {
		const struct bytes *name = &names[i];

		if (memmem(file.p, file.n, name->p, name->n) != NULL ||
			(text->n != 0 && memmem(text->p, text->n, name->p, name->n) != NULL)) {
			return true;
		}
	}
	return text == NULL;
}

const struct kind kind_wasmplugin = {.dir = "wasmplugins",
	.name = "WasmPlugin",
	.api_version = "extensions.higress.io/v1alpha1",
	.schema = &schema,
	.finish = finish};
