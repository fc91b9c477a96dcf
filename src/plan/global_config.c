#include "plan/global_config.h"

#include "base/num.h"
#include "plan/build.h"
#include "wire/yaml.h"

/* A text inside of a file that is bounded (RESOURCE_FILE_MAX), as a tree. */
#define TREE_MAX ((size_t)64 << 20)

struct reading {
	const struct yaml_node *root;
	struct finding at;
	struct findings *findings;
};

/* False: there is no such member, or what it says was found wrong. */
static bool read_seconds(const struct reading *r, const char *side, const char *name, uint32_t *ms)
{
	const struct yaml_node *n = yaml_get(yaml_get(r->root, side), name);
	uint64_t seconds;

	if (n == NULL || n->type == YAML_NULL) {
		return false;
	}
	if (!num_parse_u64(n->text, GLOBAL_CONFIG_SECONDS_MAX, &seconds)) {
		findings_add(r->findings, &r->at,
			"%s.%s in the text higress must be a number of seconds up to a day, 0 for "
			"none; it is left as it was at the start",
			side, name);
		return false;
	}
	*ms = (uint32_t)seconds * 1000;
	return true;
}

static void read_head_max(const struct reading *r, struct global_config *out)
{
	const struct yaml_node *n =
		yaml_get(yaml_get(r->root, "downstream"), "maxRequestHeadersKb");
	uint64_t kb;

	if (n == NULL || n->type == YAML_NULL) {
		return;
	}
	if (!num_parse_u64(n->text, GLOBAL_CONFIG_HEADERS_KB_MAX, &kb) || kb == 0) {
		findings_add(r->findings, &r->at,
			"downstream.maxRequestHeadersKb in the text higress must be a number of KB, "
			"1 to 8192; it is left as it was at the start");
		return;
	}
	out->head_max = (uint32_t)kb * 1024;
}

static void read_all(const struct reading *r, struct global_config *out)
{
	out->has_idle = read_seconds(r, "downstream", "idleTimeout", &out->idle_ms);
	out->has_pool_idle = read_seconds(r, "upstream", "idleTimeout", &out->pool_idle_ms);
	if (!read_seconds(r, "downstream", "routeTimeout", &out->route_ms)) {
		out->route_ms = 0;
	}
	read_head_max(r, out);
}

void global_config_read(struct global_config *out, const struct snapshot *s, struct findings *f)
{
	const struct object *o = snapshot_get(s, RESOURCE_CONFIGMAP, BYTES("higress-config"));
	const struct pair *p =
		o != NULL ? pairs_find(&o->u.configmap.data, BYTES("higress")) : NULL;
	struct reading r = {.findings = f};
	struct yaml_doc doc;
	struct fault fault;
	struct arena a;

	*out = (struct global_config){.has_idle = false};
	if (p == NULL) {
		return;
	}
	arena_init(&a, TREE_MAX);
	r.at = build_warning(o, p->at, "bad-value");
	if (yaml_parse(&a, p->value, &doc, &fault) != 0) {
		findings_add(f, &r.at,
			"the text higress is no YAML (%s); its settings are left as they were at the "
			"start",
			fault.text);
	} else {
		r.root = doc.root;
		read_all(&r, out);
	}
	arena_done(&a);
}
