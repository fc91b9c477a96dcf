/*
 * Objects that are kept and count for nothing, or not under the name that they say.
 */
#include "plan/lint_int.h"
#include "resource/op.h"

/* The tools of MCP servers: their routes say what becomes of them. */
static bool is_of_servers(const struct object *o)
{
	return bytes_eq(o->meta.name, BYTES("mcp-server.internal"));
}

static bool does_something(const struct wasmplugin *w)
{
	for (size_t i = 0; i < w->n_rules; i++) {
		if (!w->rules[i].disabled) {
			return true;
		}
	}
	return !w->config_disabled;
}

static void check_plugin(struct lint *l, const struct object *o)
{
	struct finding at = build_warning(o, build_place(o->root), "plugin-unsupported");

	if (!op_plugin_served(o->u.wasmplugin.plugin) && !is_of_servers(o) &&
		does_something(&o->u.wasmplugin)) {
		findings_add(l->findings, &at,
			"there is no plugin " BYTES_FMT
			" in this version, so this one has no effect; disable or remove it",
			BYTES_ARG(o->u.wasmplugin.plugin));
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
			check_plugin(l, o);
		} else if (o->kind == RESOURCE_MCPBRIDGE) {
			check_bridge(l, o);
		}
	}
}
