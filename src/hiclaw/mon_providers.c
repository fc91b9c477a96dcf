/*
 * Providers (monitor-api.md 4.8, 4.9, 5, 6.3): the Console's objects with masked secrets and what uses them; made,
 * changed, renamed and removed together with the routes that bring models to them, as one change.
 */
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/hybrid_change.h"
#include "hiclaw/mask.h"
#include "hiclaw/mon_assignment.h"
#include "hiclaw/mon_change.h"
#include "hiclaw/mon_providers.h"
#include "hiclaw/mon_try.h"
#include "hiclaw/provider_body.h"
#include "hiclaw/provider_tests.h"
#include "manage/upstream_allowed.h"

struct changing {
	struct hybrid_world world;
	struct provider_body made;
	struct hybrid_plan plan;
	struct bytes name, renamed; /* renamed: what it was called before; empty: it was not */
	const struct doc *before;   /* NULL: it is new */
	const struct doc *after;    /* NULL: it goes */
	bool admin;                 /* answered as /_admin/api does */
	bool tests;                 /* it is asked for its models when it is there */
	struct doc *test;           /* what that came to; NULL: it was not */
};

/* --- shown ----------------------------------------------------------------------------------------------------- */

static const char *const upstream_lists[] = {"upstreams", "fallbackConfig.upstreams"};

static bool uses(struct ask *k, const struct doc *route, struct bytes provider)
{
	for (size_t i = 0; i < ARRAY_LEN(upstream_lists); i++) {
		const struct doc *list = doc_at(&k->arena, route, upstream_lists[i]);

		for (const struct doc *u = doc_first(&k->arena, list); u != NULL; u = u->next) {
			if (bytes_eq(doc_peek(u, "provider", BYTES("")), provider)) {
				return true;
			}
		}
	}
	return false;
}

static void add_users(struct ask *k, struct doc *d, struct bytes name, const struct doc *routes)
{
	struct arena *a = &k->arena;
	struct doc *list = doc_list(a);
	const struct agents *agents = k->hiclaw->agents;

	for (const struct doc *r = doc_first(a, routes); r != NULL; r = r->next) {
		if (uses(k, r, name)) {
			doc_append(a, list, doc_string(a, doc_peek(r, "name", BYTES(""))));
		}
	}
	doc_set(a, d, "routes", list);
	list = doc_list(a);
	for (size_t i = 0; i < agents_count(agents); i++) {
		const struct agent *g = agents_at(agents, i);

		if (g->assigned && bytes_eq(g->provider, name)) {
			doc_append(a, list, doc_string_copy(a, g->target));
		}
	}
	doc_set(a, d, "usedBy", list);
}

/* Where a provider of the program's own kind of address is reached; p NULL: at its vendor's. */
static struct bytes base_url(struct arena *a, const struct doc *raw)
{
	static const char *const keys[] = {
		"openaiCustomUrl", "providerDomain", "azureServiceUrl", "claudeCustomUrl"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct bytes url = doc_text(doc_get(a, raw, keys[i]), BYTES(""));

		if (url.n != 0) {
			return url;
		}
	}
	return bytes_of(NULL, 0);
}

/* What the last test found; nothing is asked of a provider because somebody looks. */
static void add_test(struct ask *k, struct doc *d, struct bytes name)
{
	const struct provider_test *p = provider_tests_find(k->hiclaw->tests, name);
	struct arena *a = &k->arena;
	struct doc *t;

	if (p == NULL || p->at_ms == 0) {
		doc_set(a, d, "lastTest", doc_null(a));
		doc_set(a, d, "health", doc_str(a, "unknown"));
		return;
	}
	t = doc_need_map(a, d, "lastTest");
	doc_set(a, t, "at", mon_assignment_time(k, p->at_ms));
	doc_set(a, t, "ok", doc_bool(a, p->ok));
	doc_set(a, t, "ms", doc_int(a, p->ms));
	if (!p->ok) {
		doc_set(a, t, "error", doc_string_copy(a, p->why));
	}
	doc_set(a, d, "health", doc_str(a, p->ok ? "ok" : "failed"));
}

struct doc *mon_providers_shown(struct ask *k, const struct doc *provider, const struct doc *routes)
{
	struct arena *a = &k->arena;
	struct bytes name = doc_peek(provider, "name", BYTES(""));
	struct doc *d = mask_object(a, provider);
	const struct doc *raw = doc_get(a, provider, "rawConfigs");
	struct bytes url = base_url(a, raw);
	struct bytes domain = doc_text(doc_get(a, raw, "openaiCustomServiceName"), BYTES(""));

	doc_set(a, d, "displayType",
		url.p != NULL ? doc_str(a, "custom")
			      : doc_string(a, doc_peek(provider, "type", BYTES(""))));
	doc_set(a, d, "baseUrl", url.p != NULL ? doc_string(a, url) : doc_null(a));
	doc_set(a, d, "serviceDomain", domain.n != 0 ? doc_string(a, domain) : doc_null(a));
	add_users(k, d, name, routes);
	add_test(k, d, name);
	return d;
}

/* By name: what is read is in the Console's order. */
static void insert_by_name(struct arena *a, struct doc *list, struct doc *d)
{
	struct bytes name = doc_peek(d, "name", BYTES(""));
	struct doc *behind = NULL;

	for (struct doc *at = doc_first(a, list);
		at != NULL && bytes_cmp(doc_peek(at, "name", BYTES("")), name) < 0; at = at->next) {
		behind = at;
	}
	doc_insert_after(a, list, behind, d);
}

struct doc *mon_providers_all(struct ask *k)
{
	struct doc *list = doc_list(&k->arena);

	for (const struct doc *p = doc_first(&k->arena, k->ops.lists[OPS_PROVIDER]); p != NULL;
		p = p->next) {
		insert_by_name(
			&k->arena, list, mon_providers_shown(k, p, k->ops.lists[OPS_AI_ROUTE]));
	}
	return list;
}

static void list_read(struct ask *k)
{
	struct doc *d = ask_success(k);

	doc_set(&k->arena, d, "providers", mon_providers_all(k));
	ask_reply(k, 200, d);
}

void mon_providers_list(struct ask *k)
{
	k->failed = "Failed to list providers";
	ask_read(k, 1u << OPS_PROVIDER | 1u << OPS_AI_ROUTE, list_read);
}

static void get_read(struct ask *k)
{
	struct doc *p = mon_change_find(k, k->ops.lists[OPS_PROVIDER], k->params[0]);
	struct doc *d = ask_success(k);

	if (p == NULL) {
		ask_fail(k, HICLAW_PROVIDER_NOT_FOUND, "Provider not found");
		return;
	}
	doc_set(&k->arena, d, "data", mon_providers_shown(k, p, k->ops.lists[OPS_AI_ROUTE]));
	ask_reply(k, 200, d);
}

void mon_providers_get(struct ask *k)
{
	ask_read(k, 1u << OPS_PROVIDER | 1u << OPS_AI_ROUTE, get_read);
}

/* --- made ------------------------------------------------------------------------------------------------------ */

static void refuse_body(struct ask *k, const struct provider_body *b)
{
	switch (b->rc) {
	case PROVIDER_BODY_NAME:
		ask_fail_status(k, HICLAW_INVALID_NAME, 400, b->why);
		break;
	case PROVIDER_BODY_EXISTS:
		ask_fail_status(k, HICLAW_CONFLICT, 409, b->why);
		break;
	case PROVIDER_BODY_OK:
	case PROVIDER_BODY_LARGE:
		ask_fail(k, HICLAW_INTERNAL, "The provider is too large");
		break;
	case PROVIDER_BODY_INVALID:
		if (b->field != NULL) {
			ask_more(k, "field", doc_str(&k->arena, b->field));
		}
		ask_fail_status(k, HICLAW_INVALID_REQUEST, 400, b->why);
		break;
	}
}

/* The items that write the provider; false: refused. */
static bool make_body(struct ask *k, struct changing *c, bool upsert)
{
	const struct hiclaw_opts *o = &k->hiclaw->opts;
	const struct own_listener own = {
		.lists = {o->gateway_addresses, o->console_addresses, o->monitor_addresses},
		.domain = k->hiclaw->env->gateway_domain,
		.is_here = sys_addr_is_here};
	const struct provider_body_request rq = {.arena = &k->arena,
		.own = &own,
		.body = k->body,
		.providers = c->world.lists[OPS_PROVIDER],
		.sources = c->world.lists[OPS_SOURCE],
		.upsert = upsert,
		.address_allowed = upstream_allowed};

	provider_body_make(&rq, &c->made);
	if (c->made.rc != PROVIDER_BODY_OK) {
		refuse_body(k, &c->made);
		return false;
	}
	c->after = c->made.items[c->made.n_items - 1].body;
	return true;
}

static void reply_changed(struct ask *k, struct changing *c)
{
	struct arena *a = &k->arena;
	struct doc *d = ask_success(k);

	if (c->test != NULL) {
		doc_set(a, d, "test", c->test);
	}
	if (c->admin) {
		doc_set(a, d, "data",
			mon_providers_shown(k, c->after, c->world.lists[OPS_AI_ROUTE]));
		ask_reply(k, c->before == NULL ? 201 : 200, d);
		return;
	}
	doc_set(a, d, "provider", doc_string(a, c->name));
	if (c->plan.route.n != 0) {
		doc_set(a, d, "routeName", doc_string(a, c->plan.route));
	}
	doc_set(a, d, "routeUpdated", doc_bool(a, c->plan.updated));
	doc_set(a, d, "routeChanged", doc_bool(a, c->plan.changed));
	if (c->before != NULL) {
		doc_set(a, d, "data",
			mon_providers_shown(k, c->after, c->world.lists[OPS_AI_ROUTE]));
	}
	if (k->ops.backup[0] != '\0') {
		doc_set(a, d, "backupId", doc_str(a, k->ops.backup));
	}
	doc_set(a, d, "warnings", mon_change_warnings(k, &c->plan));
	ask_reply(k, 200, d);
}

static void tried(struct ask *k, struct doc *outcome)
{
	struct changing *c = k->state;

	c->test = outcome;
	reply_changed(k, c);
}

/* With those that were written just now. */
static const struct doc *sources_now(struct ask *k, struct changing *c)
{
	struct doc *list = doc_copy(&k->arena, c->world.lists[OPS_SOURCE]);

	for (size_t i = 0; i < c->made.n_items; i++) {
		if (c->made.items[i].noun == OPS_SOURCE) {
			doc_append(&k->arena, list, doc_copy(&k->arena, c->made.items[i].body));
		}
	}
	return list;
}

static void written(struct ask *k)
{
	struct changing *c = k->state;

	if (k->ops.status != 0) {
		ask_refuse_ops(k);
		return;
	}
	mon_change_log(k, c->before == NULL ? "create provider" : "update provider", c->name,
		k->ops.backup[0] != '\0' ? "done" : "unchanged", c->before, c->after);
	mon_change_say(k, EVENT_PROVIDER, c->name, c->before == NULL ? "created" : "updated");
	if (c->plan.changed) {
		mon_change_say(k, EVENT_ROUTE, c->plan.route, "updated");
	}
	if (c->tests) {
		mon_try(k, c->after, sources_now(k, c), tried);
	} else {
		reply_changed(k, c);
	}
}

static void create_read(struct ask *k)
{
	struct changing *c = k->state;
	struct ops_item *items;
	bool upsert;

	if (!ask_bool(k, "upsert", false, &upsert) || !ask_bool(k, "test", false, &c->tests)) {
		return;
	}
	mon_change_world(k, &c->world);
	if (!make_body(k, c, upsert)) {
		return;
	}
	c->name = c->made.name;
	c->before = mon_change_find(k, c->world.lists[OPS_PROVIDER], c->name);
	hybrid_created(&c->world, c->name, c->made.type, &c->plan);
	if (c->plan.rc != HYBRID_OK) {
		mon_change_refuse(k, &c->plan);
		return;
	}
	items = mon_change_join(k, c->made.items, c->made.n_items, c->plan.items, c->plan.n_items);
	ask_change(k, items, c->made.n_items + c->plan.n_items, written);
}

/* What is left out is told in the words of the original. */
static bool has_name_and_key(struct ask *k)
{
	const struct doc *keys = doc_get(&k->arena, k->body, "tokens");
	struct bytes name, key;

	if (!ask_text(k, "name", &name) || !ask_text(k, "apiKey", &key)) {
		return false;
	}
	if (name.n == 0 || (key.n == 0 && doc_first(&k->arena, keys) == NULL)) {
		ask_fail_field(k, name.n == 0 ? "name" : "apiKey",
			"Provider name and API key are required");
		return false;
	}
	return true;
}

static void begin_create(struct ask *k, bool admin)
{
	struct changing *c = arena_must(&k->arena, sizeof(*c));

	c->admin = admin;
	k->state = c;
	if (has_name_and_key(k)) {
		ask_read(k, MON_ROUTING, create_read);
	}
}

void mon_providers_create(struct ask *k)
{
	begin_create(k, false);
}

void mon_admin_create(struct ask *k)
{
	begin_create(k, true);
}

/* --- changed and renamed --------------------------------------------------------------------------------------- */

/* Assignments follow a provider that is called otherwise now. */
static void rename_assignments(struct ask *k, struct bytes from, struct bytes to)
{
	struct agents *all = k->hiclaw->agents;

	for (size_t i = 0; i < agents_count(all); i++) {
		struct agent v = *agents_at(all, i);

		if (v.assigned && bytes_eq(v.provider, from)) {
			v.provider = to;
			agents_put(all, &v, NULL);
		}
	}
}

static void renamed(struct ask *k)
{
	struct changing *c = k->state;

	if (k->ops.status != 0) {
		ask_refuse_ops(k);
		return;
	}
	rename_assignments(k, c->renamed, c->name);
	mon_change_log(k, "rename provider", c->name, "done", c->before, c->after);
	mon_change_say(k, EVENT_PROVIDER, c->renamed, "removed");
	mon_change_say(k, EVENT_PROVIDER, c->name, "created");
	reply_changed(k, c);
}

static const struct doc *saved(const struct hybrid_plan *p, struct bytes name)
{
	for (size_t i = 0; i < p->n_items; i++) {
		if (p->items[i].noun == OPS_PROVIDER && bytes_eq(p->items[i].name, name)) {
			return p->items[i].body;
		}
	}
	return NULL;
}

/* The changed object takes the place of the stored one, so that it is what is renamed. */
static void rename_to(struct ask *k, struct changing *c, struct bytes from, struct bytes to)
{
	struct doc *list = c->world.lists[OPS_PROVIDER];
	struct doc *stored = mon_change_find(k, list, from);

	doc_replace(&k->arena, list, stored, doc_copy(&k->arena, c->after));
	c->renamed = from;
	c->name = to;
	hybrid_change_rename(&c->world, from, to, &c->plan);
	if (c->plan.rc != HYBRID_OK) {
		mon_change_refuse(k, &c->plan);
		return;
	}
	if (saved(&c->plan, to) != NULL) {
		c->after = saved(&c->plan, to);
	}
	ask_change(k, c->plan.items, c->plan.n_items, renamed);
}

/* A change that names no key leaves those that there are. */
static void keep_keys(struct ask *k, const struct doc *stored)
{
	const struct doc *tokens = doc_get(&k->arena, stored, "tokens");

	if (!doc_given(doc_get(&k->arena, k->body, "tokens")) &&
		!doc_given(doc_get(&k->arena, k->body, "apiKey")) && doc_given(tokens)) {
		doc_set(&k->arena, k->body, "tokens", doc_copy(&k->arena, tokens));
	}
}

static void replace_read(struct ask *k)
{
	struct changing *c = k->state;
	struct bytes name = k->params[0];
	struct bytes to;

	mon_change_world(k, &c->world);
	c->before = mon_change_find(k, c->world.lists[OPS_PROVIDER], name);
	if (c->before == NULL) {
		ask_fail(k, HICLAW_PROVIDER_NOT_FOUND, "Provider not found");
		return;
	}
	if (!ask_text(k, "name", &to)) {
		return;
	}
	to = to.n != 0 ? to : name;
	if (!bytes_eq(to, name) && !provider_body_name_is_valid(to)) {
		ask_fail(k, HICLAW_INVALID_NAME, "That is no name of a provider");
		return;
	}
	c->before = doc_copy(&k->arena, c->before);
	mask_restore(&k->arena, k->body, c->before);
	doc_set(&k->arena, k->body, "name", doc_string(&k->arena, name));
	keep_keys(k, c->before);
	c->name = name;
	if (!make_body(k, c, true)) {
		return;
	}
	if (!bytes_eq(to, name)) {
		rename_to(k, c, name, to);
		return;
	}
	c->plan.updated = true;
	ask_change(k, c->made.items, c->made.n_items, written);
}

static void begin_replace(struct ask *k, bool admin)
{
	struct changing *c = arena_must(&k->arena, sizeof(*c));

	c->admin = admin;
	k->state = c;
	ask_read(k, MON_ROUTING, replace_read);
}

void mon_providers_replace(struct ask *k)
{
	begin_replace(k, false);
}

void mon_admin_replace(struct ask *k)
{
	begin_replace(k, true);
}

/* --- removed --------------------------------------------------------------------------------------------------- */

static void removed(struct ask *k)
{
	struct changing *c = k->state;

	if (k->ops.status != 0) {
		ask_refuse_ops(k);
		return;
	}
	mon_change_log(k, "delete provider", c->name, "done", c->before, NULL);
	mon_change_say(k, EVENT_PROVIDER, c->name, "removed");
	ask_reply(k, 200, ask_success(k));
}

static void remove_read(struct ask *k)
{
	struct changing *c = k->state;
	const struct hybrid_change_delete d = {.provider = k->params[0],
		.replacement = ask_query(k, "replacement"),
		.force = ask_query_flag(k, "force")};

	mon_change_world(k, &c->world);
	c->name = k->params[0];
	c->before = mon_change_find(k, c->world.lists[OPS_PROVIDER], c->name);
	if (c->before == NULL) {
		ask_fail(k, HICLAW_PROVIDER_NOT_FOUND, "Provider not found");
		return;
	}
	hybrid_change_delete(&c->world, &d, &c->plan);
	if (c->plan.rc != HYBRID_OK) {
		mon_change_refuse(k, &c->plan);
		return;
	}
	ask_change(k, c->plan.items, c->plan.n_items, removed);
}

void mon_providers_remove(struct ask *k)
{
	k->state = arena_must(&k->arena, sizeof(struct changing));
	ask_read(k, MON_ROUTING, remove_read);
}
