#include "plan/destination.h"
#include "plan/lint_int.h"

/* Names of services that begin alike for so long are worth a guess: "llm-" is in all of them. */
#define CLOSE_MIN 6u

/* --- ai-proxy ----------------------------------------------------------------------------------- */

static void check_providers(struct lint *l)
{
	const struct object *o = lint_plugin(l, "ai-proxy");
	const struct yaml_node *list =
		o != NULL ? yaml_get(o->u.wasmplugin.config, "providers") : NULL;

	if (list == NULL || list->type != YAML_SEQ) {
		return;
	}
	for (const struct yaml_node *e = list->items; e != NULL; e = e->next) {
		const struct yaml_node *id = yaml_get(e, "id");
		struct finding at;

		if (id == NULL || id->text.n == 0) {
			continue;
		}
		if (map_get(&l->bound, id->text) == NULL) {
			at = lint_warning(o, build_place(id), "provider-unbound");
			findings_add(l->findings, &at,
				"no rule of ai-proxy names provider " BYTES_FMT
				" as its activeProviderId, so no request can reach it; add a rule for "
				"its service or remove the entry",
				BYTES_ARG(id->text));
		} else if (map_get(&l->used, id->text) == NULL) {
			at = lint_warning(o, build_place(id), "provider-unused");
			findings_add(l->findings, &at,
				"no route has a service of provider " BYTES_FMT
				" as its destination; add a route or remove the provider",
				BYTES_ARG(id->text));
		}
	}
}

static void check_rule_services(struct lint *l, const struct object *o, const struct plugin_rule *r)
{
	for (size_t i = 0; i < r->service.n; i++) {
		struct bytes name = r->service.v[i];
		struct finding at = lint_warning(o, r->service.at[i], "rule-unknown-service");
		struct bytes bare = name;

		/* "fqdn" or "fqdn:port" */
		while (bare.n != 0 && ascii_digit(bare.p[bare.n - 1])) {
			bare.n--;
		}
		bare.n -= bare.n != 0 && bare.p[bare.n - 1] == ':';
		if (map_get(&l->services, name) != NULL || map_get(&l->services, bare) != NULL) {
			continue;
		}
		findings_add(l->findings, &at,
			"the rule is for service " BYTES_FMT
			", but mcpbridges/default.yaml has no such registry; correct the name or "
			"remove the rule",
			BYTES_ARG(name));
	}
}

static void check_rules(struct lint *l)
{
	size_t from;
	size_t n = snapshot_kind(l->snapshot, RESOURCE_WASMPLUGIN, &from);

	for (size_t i = from; i < from + n; i++) {
		const struct object *o = l->snapshot->objects[i];

		for (size_t k = 0; k < o->u.wasmplugin.n_rules; k++) {
			if (!o->u.wasmplugin.rules[k].disabled) {
				check_rule_services(l, o, &o->u.wasmplugin.rules[k]);
			}
		}
	}
}

/* --- registries --------------------------------------------------------------------------------- */

static void check_registries(struct lint *l)
{
	const struct object *bridge =
		snapshot_get(l->snapshot, RESOURCE_MCPBRIDGE, BYTES("default"));

	for (size_t i = 0; i < l->services.cap; i++) {
		const struct map_slot *s = &l->services.slots[i];
		const struct registry *r = s->value;
		struct finding at;

		if (r == NULL || map_get(&l->targets, s->key) != NULL) {
			continue;
		}
		at = lint_info(bridge, r->at, "service-unused");
		findings_add(l->findings, &at, "no route has " BYTES_FMT " as its destination",
			BYTES_ARG(s->key));
	}
}

/* --- key-auth ----------------------------------------------------------------------------------- */

static bool mark_allowed(const struct yaml_node *config, struct map *allowed)
{
	const struct yaml_node *list = yaml_get(config, "allow");

	if (list == NULL || list->type != YAML_SEQ) {
		return false;
	}
	for (const struct yaml_node *e = list->items; e != NULL; e = e->next) {
		if (e->text.n != 0) {
			IGNORE(map_put(allowed, e->text, (void *)(uintptr_t)e));
		}
	}
	return true;
}

static void check_consumers(struct lint *l)
{
	const struct object *o = lint_plugin(l, "key-auth");
	const struct yaml_node *global;
	struct map allowed;

	if (o == NULL) {
		return;
	}
	global = yaml_get(o->u.wasmplugin.config, "global_auth");
	if (global == NULL || global->type != YAML_BOOL || global->boolean) {
		return; /* who is no route's guest may still be everybody's */
	}
	map_init(&allowed, &l->consumers.seed);
	for (size_t i = 0; i < o->u.wasmplugin.n_rules; i++) {
		const struct plugin_rule *r = &o->u.wasmplugin.rules[i];

		if (!r->disabled) {
			IGNORE(mark_allowed(r->config, &allowed));
		}
	}
	for (size_t i = 0; i < l->consumers.cap; i++) {
		const struct map_slot *s = &l->consumers.slots[i];
		struct finding at;

		if (s->value == NULL || map_get(&allowed, s->key) != NULL) {
			continue;
		}
		at = lint_info(o, build_place(s->value), "consumer-unused");
		findings_add(l->findings, &at,
			"no rule of key-auth allows consumer " BYTES_FMT
			", so its key opens no route",
			BYTES_ARG(s->key));
	}
	map_done(&allowed);
}

/* --- destinations ------------------------------------------------------------------------------- */

static size_t common_prefix(struct bytes a, struct bytes b)
{
	size_t n = 0;

	while (n < a.n && n < b.n && a.p[n] == b.p[n]) {
		n++;
	}
	return n;
}

/* The registry that was probably meant. */
static const struct map_slot *closest(const struct lint *l, struct bytes name)
{
	const struct map_slot *best = NULL;
	size_t most = CLOSE_MIN - 1;

	for (size_t i = 0; i < l->services.cap; i++) {
		const struct map_slot *s = &l->services.slots[i];
		size_t n = s->value != NULL ? common_prefix(s->key, name) : 0;

		if (n > most || (n == most && best != NULL && bytes_cmp(s->key, best->key) < 0)) {
			best = s;
			most = n;
		}
	}
	return best;
}

/* That the service is unknown is said where routes are compiled; here, that the port of the one that was
 * meant would be another. */
static void check_destinations(struct lint *l, const struct object *o)
{
	const struct pair *d = lint_destination(o);
	struct destination_line *lines;
	size_t n;

	if (d == NULL || destination_parse(d->value, &l->arena, &lines, &n, NULL) != 0) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct map_slot *near = map_get(&l->services, lines[i].service) == NULL
			? closest(l, lines[i].service)
			: NULL;
		const struct registry *r = near != NULL ? near->value : NULL;
		struct finding at = lint_warning(o, d->at, "destination-port-mismatch");

		if (r == NULL || lines[i].port == 0 || r->port == lines[i].port) {
			continue;
		}
		findings_add(l->findings, &at,
			"the destination has port %u; the registry that is probably meant, " BYTES_FMT
			", has port %llu: write that one",
			lines[i].port, BYTES_ARG(near->key), (unsigned long long)r->port);
	}
}

static void check_ingresses(struct lint *l)
{
	size_t from;
	size_t n = snapshot_kind(l->snapshot, RESOURCE_INGRESS, &from);

	for (size_t i = from; i < from + n; i++) {
		check_destinations(l, l->snapshot->objects[i]);
	}
}

void lint_unused(struct lint *l)
{
	check_ingresses(l);
	check_providers(l);
	check_rules(l);
	check_registries(l);
	check_consumers(l);
}
