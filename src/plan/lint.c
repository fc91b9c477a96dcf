/*
 * Names are gathered into maps in one pass over the snapshot; then each file of rules (lint_*.c) walks
 * what it is about and looks names up, so that cost grows with the size of the configuration and not
 * with its square. What a plan leaves out is still in the snapshot, so rules ask that, and the plan only
 * for the order of routes.
 */
#include "plan/lint.h"

#include <stdlib.h>

#include "plan/discovered.h"
#include "plan/lint_int.h"

#define ARENA_MAX ((size_t)1 << 32)

static const struct hash_seed seed = {0x6c696e74, 0x6e616d6573};

struct finding lint_info(const struct object *o, struct place at, const char *code)
{
	struct finding f = build_warning(o, at, code);

	f.level = FINDING_INFO;
	return f;
}

const struct object *lint_plugin(const struct lint *l, const char *plugin)
{
	size_t from;
	size_t n = snapshot_kind(l->snapshot, RESOURCE_WASMPLUGIN, &from);

	for (size_t i = from; i < from + n; i++) {
		if (bytes_eq(l->snapshot->objects[i]->u.wasmplugin.plugin, bytes_str(plugin))) {
			return l->snapshot->objects[i];
		}
	}
	return NULL;
}

struct bytes lint_without_port(struct bytes service)
{
	while (service.n != 0 && ascii_digit(service.p[service.n - 1])) {
		service.n--;
	}
	service.n -= service.n != 0 && service.p[service.n - 1] == ':';
	return service;
}

size_t lint_destination(struct lint *l, const struct object *ingress,
	struct destination_line **lines, const struct pair **at)
{
	size_t n;

	*at = pairs_find(&ingress->meta.annotations, BYTES("higress.io/destination"));
	if (*at == NULL || destination_parse((*at)->value, &l->arena, lines, &n, NULL) != 0) {
		return 0;
	}
	return n;
}

/* --- names -------------------------------------------------------------------------------------- */

static void put(struct map *m, struct bytes key, const void *value)
{
	IGNORE(map_put(m, key, (void *)(uintptr_t)value));
}

static void gather_targets(struct lint *l, const struct object *ingress)
{
	struct destination_line *lines;
	const struct pair *at;
	size_t n = lint_destination(l, ingress, &lines, &at);

	for (size_t i = 0; i < n; i++) {
		put(&l->targets, lines[i].service, ingress);
	}
}

static void gather_ingresses(struct lint *l)
{
	size_t from;
	size_t n = snapshot_kind(l->snapshot, RESOURCE_INGRESS, &from);

	for (size_t i = from; i < from + n; i++) {
		const struct object *o = l->snapshot->objects[i];

		put(&l->ingresses, o->meta.name, o);
		for (size_t k = 0; k < o->u.ingress.n_rules; k++) {
			struct bytes host = o->u.ingress.rules[k].host;

			put(&l->hosts, host.n != 0 ? build_lower(&l->arena, host) : BYTES("*"), o);
		}
		gather_targets(l, o);
	}
}

static int by_text(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void gather_services(struct lint *l)
{
	const struct object *bridge =
		snapshot_get(l->snapshot, RESOURCE_MCPBRIDGE, BYTES("default"));

	if (bridge == NULL) {
		return;
	}
	l->sorted =
		arena_must(&l->arena, (bridge->u.mcpbridge.n_registries + 1) * sizeof(*l->sorted));
	for (size_t i = 0; i < bridge->u.mcpbridge.n_registries; i++) {
		const struct registry *r = &bridge->u.mcpbridge.registries[i];
		size_t n = r->name.n + 1 + r->type.n;
		enum instances_kind kind;
		struct text t;

		if (discovered_type(r->type, &kind)) {
			continue; /* its services have names of their own */
		}

		text_init_fixed(&t, arena_must(&l->arena, n), n);
		text_addf(&t, BYTES_FMT, BYTES_ARG(r->name));
		text_add_char(&t, '.');
		text_add_bytes(&t, r->type);
		put(&l->services, text_bytes(&t), r);
		l->sorted[l->n_sorted++] = text_bytes(&t);
	}
	qsort(l->sorted, l->n_sorted, sizeof(*l->sorted), by_text);
}

static bool is_target_of(const struct lint *l, const struct plugin_rule *r)
{
	for (size_t i = 0; i < r->service.n; i++) {
		if (map_get(&l->targets, r->service.v[i]) != NULL ||
			map_get(&l->targets, lint_without_port(r->service.v[i])) != NULL) {
			return true;
		}
	}
	for (size_t i = 0; i < r->ingress.n; i++) {
		if (map_get(&l->ingresses, r->ingress.v[i]) != NULL) {
			return true;
		}
	}
	return r->domain.n != 0;
}

static void gather_active(struct lint *l, const struct yaml_node *config, bool reached)
{
	const struct yaml_node *id = yaml_get(config, "activeProviderId");

	if (id != NULL && id->text.n != 0) {
		put(&l->bound, id->text, id);
		if (reached) {
			put(&l->used, id->text, id);
		}
	}
}

static void gather_providers(struct lint *l)
{
	const struct object *o = lint_plugin(l, "ai-proxy");
	const struct yaml_node *list;

	if (o == NULL) {
		return;
	}
	list = yaml_get(o->u.wasmplugin.config, "providers");
	if (list != NULL && list->type == YAML_SEQ) {
		for (const struct yaml_node *e = list->items; e != NULL; e = e->next) {
			const struct yaml_node *id = yaml_get(e, "id");

			if (id != NULL && id->text.n != 0) {
				put(&l->providers, id->text, e);
			}
		}
	}
	if (!o->u.wasmplugin.config_disabled) {
		gather_active(l, o->u.wasmplugin.config, true);
	}
	for (size_t i = 0; i < o->u.wasmplugin.n_rules; i++) {
		const struct plugin_rule *r = &o->u.wasmplugin.rules[i];

		if (!r->disabled) {
			gather_active(l, r->config, is_target_of(l, r));
		}
	}
}

static void gather_consumers(struct lint *l)
{
	const struct object *o = lint_plugin(l, "key-auth");
	const struct yaml_node *list =
		o != NULL ? yaml_get(o->u.wasmplugin.config, "consumers") : NULL;

	if (list == NULL || list->type != YAML_SEQ) {
		return;
	}
	for (const struct yaml_node *e = list->items; e != NULL; e = e->next) {
		const struct yaml_node *name = yaml_get(e, "name");

		if (name != NULL && name->text.n != 0) {
			put(&l->consumers, name->text, e);
		}
	}
}

static struct map *const *maps_of(struct lint *l, struct map *out[10])
{
	struct map *const all[] = {&l->ingresses, &l->hosts, &l->services, &l->targets,
		&l->providers, &l->bound, &l->used, &l->consumers, &l->domains, &l->ai_records};

	static_assert(ARRAY_LEN(all) == 10, "every map once");
	memcpy(out, all, sizeof(all));
	return out;
}

void lint_resources(const struct snapshot *s, const struct plan *p, struct findings *f)
{
	struct lint l = {.snapshot = s, .plan = p, .findings = f};
	struct map *all[10];

	arena_init(&l.arena, ARENA_MAX);
	maps_of(&l, all);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		map_init(all[i], &seed);
	}
	gather_ingresses(&l);
	gather_services(&l);
	gather_providers(&l);
	gather_consumers(&l);
	lint_records(&l);
	lint_objects(&l);
	lint_destinations(&l);
	lint_unused(&l);
	lint_shadow(&l);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		map_done(all[i]);
	}
	arena_done(&l.arena);
}
