/*
 * Fallbacks in our own words, on the Ingress of a route (data-plane.md §14.4):
 *
 *   sluice.io/fallback: chat-backup                  the Ingress whose route is fallen back to
 *   sluice.io/fallback-on: 5xx,429,connect-failure,timeout
 *   sluice.io/fallback-order: SEQ                    or RAND: by weight, each once
 *   sluice.io/fallback-on-own-rate-limit: "true"
 *
 * The last three change a fallback of Console's as well.
 */
#include "plan/failure_words.h"
#include "plan/fallbacks_int.h"
#include "plan/fixed_answer.h"

#define PREFIX "sluice.io/"
#define DEFAULT_ON "5xx,429,connect-failure,timeout"

struct reading {
	struct fallback_names *names;
	const struct object *ingress;
	const struct pair *to, *on, *order, *own_rate;
};

#define note(r, place, code, ...)                                                 \
	do {                                                                      \
		struct finding where_ = build_warning((r)->ingress, place, code); \
		findings_add((r)->names->in->findings, &where_, __VA_ARGS__);     \
	} while (0)

/* --- annotations -------------------------------------------------------------------------------- */

static const struct pair **member_of(struct reading *r, struct bytes key)
{
	const struct {
		const char *name;
		const struct pair **member;
	} all[] = {{"fallback", &r->to}, {"fallback-on", &r->on}, {"fallback-order", &r->order},
		{"fallback-on-own-rate-limit", &r->own_rate}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (bytes_eq(key, bytes_str(all[i].name))) {
			return all[i].member;
		}
	}
	return NULL;
}

/* Whether the Ingress has any of ours. */
static bool find_annotations(struct reading *r)
{
	struct bytes prefix = BYTES(PREFIX);

	for (size_t i = 0; i < r->ingress->meta.annotations.n; i++) {
		const struct pair *p = &r->ingress->meta.annotations.v[i];
		const struct pair **member;
		struct bytes key;

		if (!bytes_starts(p->key, prefix) || build_trim(p->value).n == 0) {
			continue;
		}
		key = bytes_of(p->key.p + prefix.n, p->key.n - prefix.n);
		member = member_of(r, key);
		if (member == NULL && fixed_answer_is_key(key)) {
			continue;
		}
		if (member == NULL) {
			note(r, p->at, "unsupported-annotation",
				BYTES_FMT " means nothing; check the spelling", BYTES_ARG(p->key));
		} else {
			*member = p;
		}
	}
	return r->to != NULL || r->on != NULL || r->order != NULL || r->own_rate != NULL;
}

static void add_word(struct reading *r, struct failure_set *out, struct bytes word)
{
	struct fault fault = {0};

	if (failure_words_add(out, word, &fault) != 0) {
		note(r, r->on->at, "pattern-without-status",
			BYTES_FMT " in " PREFIX "fallback-on does nothing: %s", BYTES_ARG(word),
			fault.text);
	}
}

/* A 5xx of an upstream is also what we say of an answer that is none. */
static void add_words(struct reading *r, struct bytes list, struct failure_set *out)
{
	while (list.p != NULL) {
		struct bytes word = bytes_trim(bytes_cut(&list, ','));

		if (word.n != 0) {
			add_word(r, out, word);
		}
	}
	if (failure_set_has_status(out, 502)) {
		out->events |= FAILURE_ON_INVALID;
	}
	out->events |= FAILURE_ON_CONTEXT;
}

static void change(struct reading *r, struct fallback *f)
{
	if (r->on != NULL) {
		f->on = (struct failure_set){.events = 0};
		add_words(r, build_trim(r->on->value), &f->on);
	}
	if (r->order != NULL) {
		struct bytes order = build_trim(r->order->value);

		if (bytes_eq(order, BYTES("SEQ")) || bytes_eq(order, BYTES("RAND"))) {
			f->in_order = bytes_eq(order, BYTES("SEQ"));
		} else {
			note(r, r->order->at, "bad-value",
				PREFIX "fallback-order is SEQ or RAND, not " BYTES_FMT
				       "; it counts as not said",
				BYTES_ARG(order));
		}
	}
	if (r->own_rate != NULL) {
		f->on_own_rate = bytes_eq(build_trim(r->own_rate->value), BYTES("true"));
		if (!f->on_own_rate && !bytes_eq(build_trim(r->own_rate->value), BYTES("false"))) {
			note(r, r->own_rate->at, "boolean-expected",
				PREFIX
				"fallback-on-own-rate-limit must be true or false; it "
				"counts as false");
		}
	}
}

/* --- routes ------------------------------------------------------------------------------------- */

/* The route of that Ingress with the same host and path; the only one that it has will do as well. */
static const struct route *find_target(const struct named *targets, const struct route *r)
{
	for (const struct named *n = targets; n != NULL; n = n->next) {
		if (bytes_eq(n->route->host, r->host) && bytes_eq(n->route->path, r->path) &&
			n->route->path_type == r->path_type) {
			return n->route;
		}
	}
	return targets != NULL && targets->next == NULL ? targets->route : NULL;
}

static void give(struct reading *r, struct route *route)
{
	struct bytes name = build_trim(r->to->value);
	struct fallback f = {.in_order = true, .from = route->name};

	f.to = find_target(map_get(&r->names->by_name, name), route);
	if (f.to == NULL || f.to == route) {
		note(r, r->to->at, "fallback-without-target",
			"the route " BYTES_FMT " (" BYTES_FMT BYTES_FMT
			") has nothing to fall back to: " BYTES_FMT
			" must be another Ingress, with a usable route of that host and path or "
			"with only one",
			BYTES_ARG(route->name), BYTES_ARG(route->host), BYTES_ARG(route->path),
			BYTES_ARG(name));
		return;
	}
	add_words(r, BYTES(DEFAULT_ON), &f.on);
	f.candidates = f.to->destinations;
	f.n_candidates = f.to->n_destinations;
	fallback_set(r->names, route, &f);
}

static void apply(struct reading *r)
{
	const struct pair *any = r->on != NULL ? r->on : r->order != NULL ? r->order : r->own_rate;
	bool used = false;

	for (struct named *n = map_get(&r->names->by_name, r->ingress->meta.name); n != NULL;
		n = n->next) {
		if (r->to != NULL) {
			give(r, n->route);
		}
		if (n->route->fallback != NULL) {
			change(r, fallback_set(r->names, n->route, n->route->fallback));
			used = true;
		}
	}
	if (!used && r->to == NULL && any != NULL) {
		note(r, any->at, "fallback-setting-unused",
			"the Ingress has no fallback that this could change; name one with " PREFIX
			"fallback");
	}
}

/* --- circles ------------------------------------------------------------------------------------ */

static bool comes_back(const struct route *r)
{
	const struct route *at = r;

	for (unsigned i = 0; i <= FALLBACK_HOPS_MAX && at->fallback != NULL; i++) {
		at = at->fallback->to;
		if (at == r) {
			return true;
		}
	}
	return false;
}

static void find_circles(struct fallback_names *names)
{
	const struct routes *all = names->in->routes;

	for (size_t i = 0; i < all->n; i++) {
		const struct route *r = all->v[i];
		const struct object *o;
		struct finding at;

		if (r->fallback == NULL || !comes_back(r)) {
			continue;
		}
		o = snapshot_get(names->in->snapshot, RESOURCE_INGRESS, r->name);
		if (o == NULL) {
			continue;
		}
		at = build_warning(o, build_place(o->root), "fallback-circle");
		findings_add(names->in->findings, &at,
			"the route " BYTES_FMT " (" BYTES_FMT BYTES_FMT
			") falls back to itself by way of " BYTES_FMT
			"; each is tried once, so end the chain where it should end",
			BYTES_ARG(r->name), BYTES_ARG(r->host), BYTES_ARG(r->path),
			BYTES_ARG(r->fallback->to->name));
	}
}

bool fallback_own_any(const struct snapshot *s)
{
	size_t from;
	size_t n = snapshot_kind(s, RESOURCE_INGRESS, &from);

	for (size_t i = from; i < from + n; i++) {
		const struct pairs *all = &s->objects[i]->meta.annotations;

		for (size_t k = 0; k < all->n; k++) {
			if (bytes_starts(all->v[k].key, BYTES(PREFIX))) {
				return true;
			}
		}
	}
	return false;
}

void fallback_own_apply(struct fallback_names *names)
{
	size_t from;
	size_t n = snapshot_kind(names->in->snapshot, RESOURCE_INGRESS, &from);

	for (size_t i = from; i < from + n; i++) {
		struct reading r = {.names = names, .ingress = names->in->snapshot->objects[i]};

		if (find_annotations(&r)) {
			apply(&r);
		}
	}
	find_circles(names);
}
