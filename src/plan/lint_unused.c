/*
 * What nothing refers to. Each rule walks one list and looks names up in the maps of struct lint; what
 * is named and does not exist is said by whoever compiles it, when the plan needs it.
 */
#include "plan/auth.h"
#include "plan/discovered.h"
#include "plan/fallbacks.h"
#include "plan/lint_int.h"

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
			at = build_warning(o, build_place(e), "provider-unbound");
			findings_add(l->findings, &at,
				"an entry of providers without id, which no rule of ai-proxy can name as "
				"its activeProviderId; add an id");
			continue;
		}
		if (map_get(&l->bound, id->text) == NULL) {
			at = build_warning(o, build_place(id), "provider-unbound");
			findings_add(l->findings, &at,
				"no rule of ai-proxy names provider " BYTES_FMT
				" as its activeProviderId, so no request can reach it; add a rule for "
				"its service or remove the entry",
				BYTES_ARG(id->text));
		} else if (map_get(&l->used, id->text) == NULL) {
			at = build_warning(o, build_place(id), "provider-unused");
			findings_add(l->findings, &at,
				"no route has a service of provider " BYTES_FMT
				" as its destination; add a route or remove the provider",
				BYTES_ARG(id->text));
		}
	}
}

/* Whether a registry would be asked for a service of that name. */
static bool is_asked_for(struct lint *l, struct bytes name)
{
	const struct object *bridge =
		snapshot_get(l->snapshot, RESOURCE_MCPBRIDGE, BYTES("default"));
	struct discovered d;

	for (size_t i = 0; bridge != NULL && i < bridge->u.mcpbridge.n_registries; i++) {
		if (discovered_match(&bridge->u.mcpbridge.registries[i], name, &l->arena, &d)) {
			return true;
		}
	}
	return false;
}

static void check_rule_services(struct lint *l, const struct object *o, const struct plugin_rule *r)
{
	for (size_t i = 0; i < r->service.n; i++) {
		struct bytes name = r->service.v[i];
		struct finding at = build_warning(o, r->service.at[i], "rule-unknown-service");

		if (map_get(&l->services, name) != NULL ||
			map_get(&l->services, lint_without_port(name)) != NULL ||
			is_asked_for(l, lint_without_port(name))) {
			continue;
		}
		findings_add(l->findings, &at,
			"the rule is for service " BYTES_FMT
			", but mcpbridges/default.yaml has no such registry; correct the name or "
			"remove the rule",
			BYTES_ARG(name));
	}
}

/* "fqdn" or "fqdn:port" */
static bool names_service(const struct strings *list, struct bytes service)
{
	for (size_t i = 0; i < list->n; i++) {
		if (bytes_eq(list->v[i], service) ||
			bytes_eq(lint_without_port(list->v[i]), service)) {
			return true;
		}
	}
	return false;
}

static bool goes_to(struct lint *l, const struct object *ingress, const struct strings *services)
{
	struct destination_line *lines;
	const struct pair *at;
	size_t n = lint_destination(l, ingress, &lines, &at);

	for (size_t i = 0; i < n; i++) {
		if (names_service(services, lines[i].service)) {
			return true;
		}
	}
	return false;
}

/* A rule for pairs: an Ingress and a service that it has as its destination. */
static void check_pair(struct lint *l, const struct object *o, const struct plugin_rule *r)
{
	struct finding at = build_warning(o, r->at, "rule-without-pair");
	bool exists = false;

	for (size_t i = 0; i < r->ingress.n; i++) {
		const struct object *ingress = map_get(&l->ingresses, r->ingress.v[i]);

		if (ingress != NULL && goes_to(l, ingress, &r->service)) {
			return;
		}
		exists = exists || ingress != NULL;
	}
	if (exists && r->service.n != 0) {
		findings_add(l->findings, &at,
			"the rule never holds, since no Ingress of it has a service of it as its "
			"destination; correct a name or remove the rule");
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
				check_pair(l, o, &o->u.wasmplugin.rules[k]);
			}
		}
	}
}

/* --- registries --------------------------------------------------------------------------------- */

static bool gives_context(const struct plan *p, struct bytes service)
{
	for (const struct context_source *c = p->contexts; c != NULL; c = c->next) {
		if (bytes_eq(c->service, service)) {
			return true;
		}
	}
	return false;
}

static void check_registries(struct lint *l)
{
	const struct object *bridge =
		snapshot_get(l->snapshot, RESOURCE_MCPBRIDGE, BYTES("default"));

	for (size_t i = 0; i < l->services.cap; i++) {
		const struct map_slot *s = &l->services.slots[i];
		const struct registry *r = s->value;
		struct finding at;

		if (r == NULL || map_get(&l->targets, s->key) != NULL ||
			gives_context(l->plan, s->key)) {
			continue;
		}
		at = lint_info(bridge, r->at, "service-unused");
		findings_add(l->findings, &at, "no route has " BYTES_FMT " as its destination",
			BYTES_ARG(s->key));
	}
}

/* --- consumers ---------------------------------------------------------------------------------- */

/* False: the list admits everybody. */
static bool mark_allowed(const struct yaml_node *config, struct map *allowed)
{
	const struct yaml_node *list = yaml_get(config, "allow");

	if (list == NULL || list->type != YAML_SEQ) {
		return true;
	}
	for (const struct yaml_node *e = list->items; e != NULL; e = e->next) {
		if (e->text.n != 0) {
			IGNORE(map_put(allowed, e->text, (void *)(uintptr_t)e));
		}
	}
	return list->n != 0;
}

/* Those of the default configuration that no rule's list names. */
static void check_allowed(struct lint *l, const struct object *o, const struct map *allowed)
{
	const struct yaml_node *list = yaml_get(o->u.wasmplugin.config, "consumers");

	if (list == NULL || list->type != YAML_SEQ) {
		return;
	}
	for (const struct yaml_node *e = list->items; e != NULL; e = e->next) {
		const struct yaml_node *name = yaml_get(e, "name");
		struct finding at;

		if (name == NULL || name->text.n == 0 || map_get(allowed, name->text) != NULL) {
			continue;
		}
		at = lint_info(o, build_place(e), "consumer-unused");
		findings_add(l->findings, &at,
			"no rule of " BYTES_FMT " allows consumer " BYTES_FMT
			", so its credential opens no route",
			BYTES_ARG(o->u.wasmplugin.plugin), BYTES_ARG(name->text));
	}
}

static void check_consumers(struct lint *l, enum auth_plugin plugin)
{
	const struct object *o = lint_plugin(l, auth_plugin_name(plugin));
	const struct yaml_node *global;
	bool all = false;
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
			all |= !mark_allowed(r->config, &allowed) && plugin == AUTH_BASIC;
		}
	}
	if (!all) {
		check_allowed(l, o, &allowed);
	}
	map_done(&allowed);
}

/* --- fallbacks ---------------------------------------------------------------------------------- */

/* An Ingress that waits for a header which no client can send, and to which no route falls back. */
static void check_fallbacks(struct lint *l)
{
	struct bytes key = BYTES("higress.io/exact-match-header-" FALLBACKS_HEADER);
	struct map reached;
	size_t from;
	size_t n = snapshot_kind(l->snapshot, RESOURCE_INGRESS, &from);

	map_init(&reached, &l->consumers.seed);
	for (size_t i = 0; i < l->plan->n_routes; i++) {
		const struct fallback *f = l->plan->routes[i]->fallback;

		if (f != NULL) {
			IGNORE(map_put(&reached, f->to->name, (void *)(uintptr_t)f));
		}
	}
	for (size_t i = from; i < from + n; i++) {
		const struct object *o = l->snapshot->objects[i];
		const struct pair *p = pairs_find(&o->meta.annotations, key);
		struct finding at;

		if (p == NULL || map_get(&reached, o->meta.name) != NULL) {
			continue;
		}
		at = build_warning(o, p->at, "fallback-unused");
		findings_add(l->findings, &at,
			"no EnvoyFilter makes a route fall back to this Ingress, so no request "
			"reaches it; save the AI route again or delete the Ingress");
	}
	map_done(&reached);
}

void lint_unused(struct lint *l)
{
	check_fallbacks(l);
	check_providers(l);
	check_rules(l);
	check_registries(l);
	check_consumers(l, AUTH_KEY);
	check_consumers(l, AUTH_BASIC);
}
