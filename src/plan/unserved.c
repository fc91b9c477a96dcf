/*
 * Found with the plan, and not by lint alone, so that the log of a gateway says it when such a plugin is saved.
 */
#include "plan/unserved.h"

#include "plan/build.h"
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

void unserved_find(const struct snapshot *s, struct findings *f)
{
	size_t from;
	size_t n = snapshot_kind(s, RESOURCE_WASMPLUGIN, &from);

	for (size_t i = from; i < from + n; i++) {
		const struct object *o = s->objects[i];
		struct finding at = build_warning(o, build_place(o->root), "plugin-unsupported");

		if (!op_plugin_served(o->u.wasmplugin.plugin) && !is_of_servers(o) &&
			does_something(&o->u.wasmplugin)) {
			findings_add(f, &at,
				"there is no plugin " BYTES_FMT
				" in this version, so this one has no effect; disable or remove it",
				BYTES_ARG(o->u.wasmplugin.plugin));
		}
	}
}
