/*
 * Objects that are kept and count for nothing, or not under the name that they say.
 */
#include "base/nearest.h"
#include "plan/lint_int.h"

/* What is read of a plugin's defaultConfig and of the config of its rules. */
struct known_keys {
	const char *plugin;
	const char *keys[12];
};

static const struct known_keys known_keys[] = {
	{"ai-proxy", {"activeProviderId", "providers", "provider"}},
	{"key-auth",
		{"consumers", "allow", "keys", "in_header", "in_query", "global_auth",
			"credentials", "realm", "strictCredential"}},
	{"basic-auth",
		{"consumers", "allow", "global_auth", "credentials", "realm", "encrypted",
			"strictCredential"}},
	{"cors",
		{"allow_origins", "allow_origin_patterns", "allow_methods", "allow_headers",
			"expose_headers", "allow_credentials", "max_age"}},
	{"request-block",
		{"block_urls", "block_exact_urls", "block_regexp_urls", "block_headers",
			"block_bodies", "block_bodys", "blocked_code", "blocked_message",
			"case_sensitive"}},
	{"model-router",
		{"modelKey", "addProviderHeader", "modelToHeader", "enableOnPathSuffix",
			"autoRouting"}},
	{"model-mapper", {"modelKey", "modelMapping", "enableOnPathSuffix"}},
	{"ai-statistics",
		{"attributes", "use_default_attributes", "use_default_response_attributes",
			"disable_openai_usage", "value_length_limit", "enable_path_suffixes",
			"session_id_header"}},
};

/* Members that nobody knows may be another version's; one that is nearly a known one is a slip of the pen. */
static void check_keys(struct lint *l, const struct object *o, const struct known_keys *known,
	const struct yaml_node *config)
{
	for (const struct yaml_node *n = config->items; n != NULL; n = n->next) {
		struct finding at = build_warning(o, build_place(n->key), "unknown-field");
		struct nearest near = {NULL, 0};
		const char *meant;

		for (size_t i = 0; i < ARRAY_LEN(known->keys) && known->keys[i] != NULL; i++) {
			nearest_offer(&near, n->key->text, known->keys[i]);
		}
		meant = nearest_slip(&near, n->key->text);
		if (meant != NULL && !bytes_eq(n->key->text, bytes_str(meant))) {
			findings_add(l->findings, &at, BYTES_FMT " means nothing to %s; write %s",
				BYTES_ARG(n->key->text), known->plugin, meant);
		}
	}
}

static void check_configs(struct lint *l, const struct object *o)
{
	const struct wasmplugin *w = &o->u.wasmplugin;
	const struct known_keys *known = NULL;

	for (size_t i = 0; i < ARRAY_LEN(known_keys); i++) {
		known = bytes_eq(w->plugin, bytes_str(known_keys[i].plugin)) ? &known_keys[i]
									     : known;
	}
	if (known == NULL) {
		return;
	}
	if (w->config != NULL && w->config->type == YAML_MAP) {
		check_keys(l, o, known, w->config);
	}
	for (size_t i = 0; i < w->n_rules; i++) {
		if (w->rules[i].config != NULL && w->rules[i].config->type == YAML_MAP) {
			check_keys(l, o, known, w->rules[i].config);
		}
	}
}

static void check_bridge(struct lint *l, const struct object *o)
{
	struct finding at = build_warning(o, build_place(o->root), "mcpbridge-ignored");

	if (!bytes_eq(o->meta.name, BYTES("default"))) {
		findings_add(l->findings, &at,
			"only the McpBridge called default is read; move its registries there");
	}
}

static void check_rules(struct lint *l, const struct object *o)
{
	struct finding at = build_warning(o, build_place(o->root), "ingress-without-path");

	if (o->u.ingress.n_rules == 0) {
		findings_add(l->findings, &at,
			"the Ingress has no rules, so it serves nothing; add a rule with a path");
	}
	for (size_t i = 0; i < o->u.ingress.n_rules; i++) {
		const struct ingress_rule *r = &o->u.ingress.rules[i];

		if (r->n_paths == 0) {
			at = build_warning(o, r->at, "ingress-without-path");
			findings_add(l->findings, &at,
				"the rule has no path, so it serves nothing; add one below http.paths");
		}
	}
}

static void check_default_backend(struct lint *l, const struct object *o)
{
	const struct yaml_node *spec = yaml_get(o->root, "spec");
	const struct yaml_node *backend = yaml_get(spec != NULL ? spec : o->root, "defaultBackend");
	struct finding at;

	if (backend == NULL || backend->type == YAML_NULL) {
		return;
	}
	at = build_warning(o, build_place(backend), "default-backend");
	findings_add(l->findings, &at,
		"defaultBackend has no effect; write a rule with the path / and no host");
}

static void check_name(struct lint *l, const struct object *o)
{
	const struct yaml_node *name = yaml_get(yaml_get(o->root, "metadata"), "name");
	struct finding at;

	if (name == NULL || name->text.n == 0 || bytes_eq(name->text, o->meta.name)) {
		return;
	}
	at = build_warning(o, build_place(name), "name-differs");
	findings_add(l->findings, &at,
		"the object is called " BYTES_FMT
		" after its file, whatever stands here; give both the "
		"same name",
		BYTES_ARG(o->meta.name));
}

void lint_objects(struct lint *l)
{
	for (size_t i = 0; i < l->snapshot->n; i++) {
		const struct object *o = l->snapshot->objects[i];

		check_name(l, o);
		if (o->kind == RESOURCE_INGRESS) {
			check_rules(l, o);
			check_default_backend(l, o);
		} else if (o->kind == RESOURCE_WASMPLUGIN) {
			check_configs(l, o);
		} else if (o->kind == RESOURCE_MCPBRIDGE) {
			check_bridge(l, o);
		}
	}
}
