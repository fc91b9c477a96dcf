/*
 * What is renamed is made under its new name before the old one goes, so a Console that is asked one by one never
 * has a route without its provider. The exception is a provider on a service that is not named like it: a service
 * stands for one provider, so there the old one goes first.
 */
#include "hiclaw/hybrid_change.h"

#include "hiclaw/predicates.h"
#include "hiclaw/hybrid_work.h"

static const char *const lists[] = {"upstreams", "fallbackConfig.upstreams"};

static struct doc *find_upstream(
	const struct hybrid_work *w, const struct doc *list, struct bytes provider)
{
	struct doc *u = doc_first(w->arena, list);

	while (u != NULL && !bytes_eq(doc_peek(u, "provider", BYTES("")), provider)) {
		u = u->next;
	}
	return u;
}

static bool names(const struct hybrid_work *w, const struct hybrid_entry *e, struct bytes provider)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (find_upstream(w, doc_at(w->arena, e->route, lists[i]), provider) != NULL) {
			return true;
		}
	}
	return false;
}

/* "<provider>.dns" or ".static" when that is where the provider is; else empty. */
static struct bytes own_service(struct hybrid_work *w, const struct doc *object)
{
	struct bytes service =
		doc_text(doc_at(w->arena, object, "rawConfigs.openaiCustomServiceName"), BYTES(""));
	struct bytes name = doc_peek(object, "name", BYTES(""));
	struct bytes end = service;

	if (name.n == 0 || !bytes_starts(service, name)) {
		return BYTES("");
	}
	end.p += name.n;
	end.n -= name.n;
	return bytes_eq(end, BYTES(".dns")) || bytes_eq(end, BYTES(".static")) ? service
									       : BYTES("");
}

static bool has_service(const struct hybrid_work *w, const struct doc *object)
{
	return doc_given(doc_at(w->arena, object, "rawConfigs.openaiCustomServiceName"));
}

/* --- renamed --------------------------------------------------------------------------------------- */

static struct doc *copy_as(struct hybrid_work *w, const struct doc *object, struct bytes name)
{
	struct doc *copy = doc_copy(w->arena, object);

	doc_set(w->arena, copy, "name", doc_string(w->arena, name));
	doc_drop(w->arena, copy, "version");
	return copy;
}

static void rename_upstreams(
	struct hybrid_work *w, struct doc *route, struct bytes from, struct bytes to)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct doc *u = doc_first(w->arena, doc_at(w->arena, route, lists[i]));

		for (; u != NULL; u = u->next) {
			if (bytes_eq(doc_peek(u, "provider", BYTES("")), from)) {
				doc_set(w->arena, u, "provider", doc_string(w->arena, to));
			}
		}
	}
}

/* The new name first; the old one stays, because models may begin with it, and agents ask for qualified ones. */
static struct doc *rename_predicates(struct hybrid_work *w, const struct doc *old, struct bytes to)
{
	struct doc *list = predicates_new(w->arena, to, BYTES(""), NULL, 0);

	for (const struct doc *p = doc_first(w->arena, old); p != NULL; p = p->next) {
		struct bytes value = doc_peek(p, "matchValue", BYTES(""));

		if (bytes_eq(doc_peek(p, "matchType", BYTES("")), BYTES("PRE"))) {
			predicates_add_prefix(w->arena, list, value);
		} else {
			predicates_add_model(w->arena, list, value);
		}
	}
	return list;
}

static void rename_own(
	struct hybrid_work *w, struct hybrid_entry *e, struct bytes from, struct bytes to)
{
	struct bytes name = hybrid_work_name(w, to);
	struct doc *route = copy_as(w, e->route, name);
	const struct doc *old = hybrid_work_predicates(w, e);

	rename_upstreams(w, route, from, to);
	if (old != NULL) {
		doc_set(w->arena, route, "modelPredicates", rename_predicates(w, old, to));
	}
	hybrid_work_add(w, name, route);
	hybrid_work_drop(w, e);
}

static void rename_routes(struct hybrid_work *w, struct bytes from, struct bytes to)
{
	struct hybrid_entry *own = hybrid_work_find(w, hybrid_work_name(w, from));

	for (size_t i = 0; i < w->n; i++) {
		struct hybrid_entry *e = &w->entries[i];

		if (e != own && names(w, e, from)) {
			rename_upstreams(w, hybrid_work_edit(w, e), from, to);
		}
	}
	if (own != NULL && hybrid_work_is_own(own->name)) {
		rename_own(w, own, from, to);
	} else if (own != NULL) {
		rename_upstreams(w, hybrid_work_edit(w, own), from, to);
	}
}

/* The object under its new name; its service source too, when that is its own. Returns the source that is left
 * behind; empty: none. */
static struct bytes rename_source(
	struct hybrid_work *w, struct doc *copy, const struct doc *object, struct bytes to)
{
	struct bytes from = doc_peek(object, "name", BYTES(""));
	struct bytes service = own_service(w, object);
	const struct doc *source = hybrid_work_object(w, OPS_SOURCE, from);
	struct bytes end =
		bytes_of(service.p + from.n, service.n > from.n ? service.n - from.n : 0);

	if (service.n == 0 || source == NULL) {
		return BYTES("");
	}
	hybrid_work_item(w, OPS_SOURCE, OPS_CREATE, copy_as(w, source, to));
	doc_set(w->arena, doc_need_map(w->arena, copy, "rawConfigs"), "openaiCustomServiceName",
		doc_string(w->arena,
			hybrid_work_textf(w, BYTES_FMT BYTES_FMT, BYTES_ARG(to), BYTES_ARG(end))));
	return from;
}

static void rename_all(struct hybrid_work *w, const struct doc *object, struct bytes to)
{
	struct bytes from = doc_peek(object, "name", BYTES(""));
	struct doc *copy = copy_as(w, object, to);
	struct bytes left = rename_source(w, copy, object, to);
	bool first = left.n == 0 && has_service(w, object);

	if (first) {
		hybrid_work_remove(w, OPS_PROVIDER, from);
	}
	hybrid_work_item(w, OPS_PROVIDER, OPS_CREATE, copy);
	rename_routes(w, from, to);
	hybrid_work_routes(w);
	if (!first) {
		hybrid_work_remove(w, OPS_PROVIDER, from);
	}
	if (left.n > 0) {
		hybrid_work_remove(w, OPS_SOURCE, left);
	}
}

static void check_rename(struct hybrid_work *w, struct bytes from, struct bytes to)
{
	struct bytes route = hybrid_work_name(w, to);

	if (w->plan->rc != HYBRID_OK) {
		return;
	}
	if (hybrid_work_object(w, OPS_PROVIDER, from) == NULL) {
		hybrid_work_refuse(w, HYBRID_NO_PROVIDER, "Provider not found");
	} else if (hybrid_work_object(w, OPS_PROVIDER, to) != NULL) {
		hybrid_work_refuse(
			w, HYBRID_EXISTS, "Provider '" BYTES_FMT "' already exists", BYTES_ARG(to));
	} else if (!hybrid_work_is_own(route) || hybrid_work_find(w, route) != NULL) {
		hybrid_work_refuse(w, HYBRID_EXISTS,
			"the route '" BYTES_FMT
			"' already exists; remove it or choose another name",
			BYTES_ARG(route));
	}
}

void hybrid_change_rename(const struct hybrid_world *world, struct bytes from, struct bytes to,
	struct hybrid_plan *out)
{
	struct hybrid_work w;
	const struct hybrid_entry *e;

	hybrid_work_init(&w, world, out, 1);
	check_rename(&w, from, to);
	if (out->rc == HYBRID_OK) {
		rename_all(&w, hybrid_work_object(&w, OPS_PROVIDER, from), to);
		e = hybrid_work_find(&w, hybrid_work_name(&w, to));
		out->route = e != NULL ? e->name : HYBRID_DEFAULT;
	}
	hybrid_work_done(&w);
}

/* --- deleted --------------------------------------------------------------------------------------- */

/* Whether somebody else uses it: routes but its own, assignments. */
static bool list_users(struct hybrid_work *w, struct bytes provider)
{
	struct bytes own = hybrid_work_name(w, provider);
	struct doc *details = doc_map(w->arena);
	struct doc *routes = doc_need_list(w->arena, details, "routes");
	struct doc *targets = doc_need_list(w->arena, details, "assignments");
	bool used = false;

	for (size_t i = 0; i < w->n; i++) {
		if ((!bytes_eq(w->entries[i].name, own) || !hybrid_work_is_own(own)) &&
			names(w, &w->entries[i], provider)) {
			doc_append(w->arena, routes, doc_string(w->arena, w->entries[i].name));
			used = true;
		}
	}
	for (size_t i = 0; i < w->world->n_assignments; i++) {
		const struct hybrid_assignment *s = &w->world->assignments[i];

		if (bytes_eq(s->provider, provider)) {
			doc_append(w->arena, targets, doc_string(w->arena, s->target));
			used = true;
		}
	}
	w->plan->details = used ? details : NULL;
	return used;
}

static int64_t weight_of(const struct hybrid_work *w, const struct doc *upstream)
{
	const struct doc *weight = doc_get(w->arena, upstream, "weight");

	return doc_given(weight) ? weight->integer : 0;
}

/* Its share goes to the replacement, or to the first of the others. False: there is none. */
static bool replace_upstream(
	struct hybrid_work *w, struct doc *list, struct bytes provider, struct bytes replacement)
{
	struct doc *u = find_upstream(w, list, provider), *heir;
	int64_t weight = weight_of(w, u);

	if (u == NULL) {
		return true;
	}
	heir = replacement.n > 0 ? find_upstream(w, list, replacement) : NULL;
	if (replacement.n > 0 && heir == NULL) {
		doc_set(w->arena, u, "provider", doc_string(w->arena, replacement));
		doc_set(w->arena, u, "modelMapping", doc_map(w->arena));
		return true;
	}
	doc_remove(w->arena, list, u);
	heir = heir != NULL ? heir : doc_first(w->arena, list);
	if (heir != NULL) {
		doc_set(w->arena, heir, "weight", doc_int(w->arena, weight_of(w, heir) + weight));
	}
	return heir != NULL;
}

static void replace_in(
	struct hybrid_work *w, struct hybrid_entry *e, const struct hybrid_change_delete *d)
{
	struct doc *route = hybrid_work_edit(w, e);
	struct doc *fallback = doc_get(w->arena, route, "fallbackConfig");

	if (!replace_upstream(
		    w, doc_get(w->arena, route, "upstreams"), d->provider, d->replacement)) {
		hybrid_work_refuse(w, HYBRID_NO_REPLACEMENT,
			"the route '" BYTES_FMT
			"' would have nowhere to send to; name a provider in "
			"\"replacement\"",
			BYTES_ARG(e->name));
	}
	if (!replace_upstream(
		    w, doc_get(w->arena, fallback, "upstreams"), d->provider, d->replacement)) {
		doc_drop(w->arena, route, "fallbackConfig");
	}
}

/* Whether another provider is at the same service. */
static bool is_shared(struct hybrid_work *w, const struct doc *object, struct bytes service)
{
	const struct doc *o = doc_first(w->arena, w->world->lists[OPS_PROVIDER]);

	for (; o != NULL; o = o->next) {
		if (o != object &&
			bytes_eq(doc_text(doc_at(w->arena, o, "rawConfigs.openaiCustomServiceName"),
					 BYTES("")),
				service)) {
			return true;
		}
	}
	return false;
}

static void delete_all(struct hybrid_work *w, const struct hybrid_change_delete *d)
{
	const struct doc *object = hybrid_work_object(w, OPS_PROVIDER, d->provider);
	struct bytes own = hybrid_work_name(w, d->provider);
	struct bytes service = own_service(w, object);

	for (size_t i = 0; i < w->n; i++) {
		struct hybrid_entry *e = &w->entries[i];

		if (bytes_eq(e->name, own) && hybrid_work_is_own(own)) {
			hybrid_work_drop(w, e);
		} else if (names(w, e, d->provider)) {
			replace_in(w, e, d);
		}
	}
	hybrid_work_routes(w);
	hybrid_work_remove(w, OPS_PROVIDER, d->provider);
	if (service.n > 0 && hybrid_work_object(w, OPS_SOURCE, d->provider) != NULL &&
		!is_shared(w, object, service)) {
		hybrid_work_remove(w, OPS_SOURCE, d->provider);
	}
}

static void warn_assigned(struct hybrid_work *w, struct bytes provider)
{
	for (size_t i = 0; i < w->world->n_assignments; i++) {
		const struct hybrid_assignment *s = &w->world->assignments[i];

		if (bytes_eq(s->provider, provider)) {
			hybrid_work_warn(w, "ASSIGNMENT_LEFT",
				"'" BYTES_FMT "' is still assigned '" BYTES_FMT
				"' of the provider that went; assign it another model",
				BYTES_ARG(s->target), BYTES_ARG(s->model));
		}
	}
}

static void check_delete(struct hybrid_work *w, const struct hybrid_change_delete *d)
{
	if (w->plan->rc != HYBRID_OK) {
		return;
	}
	if (hybrid_work_object(w, OPS_PROVIDER, d->provider) == NULL) {
		hybrid_work_refuse(w, HYBRID_NO_PROVIDER, "Provider not found");
	} else if (list_users(w, d->provider) && !d->force) {
		hybrid_work_refuse(w, HYBRID_IN_USE,
			"Provider '" BYTES_FMT "' is in use; send force=true to delete it anyway",
			BYTES_ARG(d->provider));
	} else if (d->replacement.n > 0 &&
		(bytes_eq(d->replacement, d->provider) ||
			hybrid_work_object(w, OPS_PROVIDER, d->replacement) == NULL)) {
		hybrid_work_refuse(w, HYBRID_NO_REPLACEMENT,
			"replacement must name another provider that exists");
	}
}

void hybrid_change_delete(const struct hybrid_world *world, const struct hybrid_change_delete *d,
	struct hybrid_plan *out)
{
	struct hybrid_work w;

	hybrid_work_init(&w, world, out, 1);
	check_delete(&w, d);
	if (out->rc == HYBRID_OK) {
		delete_all(&w, d);
		warn_assigned(&w, d->provider);
	}
	hybrid_work_done(&w);
}
