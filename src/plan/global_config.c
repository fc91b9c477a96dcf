#include "plan/global_config.h"

#include "base/num.h"
#include "plan/build.h"
#include "wire/yaml.h"

/* A text inside of a file that is bounded (RESOURCE_FILE_MAX), as a tree. */
#define TREE_MAX ((size_t)64 << 20)

/* False: there is no such member, or what it says was found wrong. */
static bool read_seconds(const struct yaml_node *n, const char *what, const struct finding *at,
	struct findings *f, uint32_t *ms)
{
	uint64_t seconds;

	if (n == NULL || n->type == YAML_NULL) {
		return false;
	}
	if (!num_parse_u64(n->text, GLOBAL_CONFIG_SECONDS_MAX, &seconds)) {
		findings_add(f, at,
			"%s in the text higress must be a number of seconds up to a day, 0 for none; "
			"it is left as it was at the start",
			what);
		return false;
	}
	*ms = (uint32_t)seconds * 1000;
	return true;
}

void global_config_read(struct global_config *out, const struct snapshot *s, struct findings *f)
{
	const struct object *o = snapshot_get(s, RESOURCE_CONFIGMAP, BYTES("higress-config"));
	const struct pair *p =
		o != NULL ? pairs_find(&o->u.configmap.data, BYTES("higress")) : NULL;
	struct finding at;
	struct yaml_doc doc;
	struct fault fault;
	struct arena a;

	*out = (struct global_config){.has_idle = false};
	if (p == NULL) {
		return;
	}
	arena_init(&a, TREE_MAX);
	at = build_warning(o, p->at, "bad-value");
	if (yaml_parse(&a, p->value, &doc, &fault) != 0) {
		findings_add(f, &at,
			"the text higress is no YAML (%s); its settings are left as they were at the "
			"start",
			fault.text);
	} else {
		const struct yaml_node *downstream = yaml_get(doc.root, "downstream");

		out->has_idle = read_seconds(yaml_get(downstream, "idleTimeout"),
			"downstream.idleTimeout", &at, f, &out->idle_ms);
	}
	arena_done(&a);
}
