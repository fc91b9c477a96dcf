/*
 * A route is copied when it is first edited, and written when the copy differs from what is stored, so an edit
 * that changes nothing costs no write.
 */
#include "hiclaw/hybrid_work.h"

#include "hiclaw/predicates.h"

#define WHY_MAX 2048u
/* Items beside routes: a provider and its source, made and removed. */
#define ITEMS_BESIDE 8u

struct bytes hybrid_work_textf(struct hybrid_work *w, const char *fmt, ...)
{
	struct text t;
	struct bytes out;
	va_list ap;

	text_init(&t, WHY_MAX);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	out = arena_copy(w->arena, text_bytes(&t));
	text_done(&t);
	return out.p != NULL ? out : BYTES("");
}

void hybrid_work_refuse(struct hybrid_work *w, enum hybrid_rc rc, const char *fmt, ...)
{
	struct text t;
	va_list ap;

	text_init(&t, WHY_MAX);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	w->plan->rc = rc;
	w->plan->why = arena_copy(w->arena, text_bytes(&t));
	text_done(&t);
}

void hybrid_work_warn(struct hybrid_work *w, const char *code, const char *fmt, ...)
{
	struct text t;
	va_list ap;

	if (w->plan->n_warnings == HYBRID_WARNINGS_MAX) {
		return;
	}
	text_init(&t, WHY_MAX);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	w->plan->warnings[w->plan->n_warnings++] =
		(struct hybrid_warning){code, arena_copy(w->arena, text_bytes(&t))};
	text_done(&t);
}

/* --- objects --------------------------------------------------------------------------------------- */

struct doc *hybrid_work_object(const struct hybrid_work *w, enum ops_noun noun, struct bytes name)
{
	struct doc *o = doc_first(w->arena, w->world->lists[noun]);

	while (o != NULL && !bytes_eq(doc_peek(o, "name", BYTES("")), name)) {
		o = o->next;
	}
	return o;
}

void hybrid_work_init(struct hybrid_work *w, const struct hybrid_world *world,
	struct hybrid_plan *plan, size_t further)
{
	const struct doc *routes = world->lists[OPS_AI_ROUTE];
	size_t stored = routes != NULL ? routes->n : 0;

	*plan = (struct hybrid_plan){.why = BYTES(""), .route = BYTES(""), .model = BYTES("")};
	*w = (struct hybrid_work){.world = world, .plan = plan, .arena = world->arena};
	w->room = stored + further;
	w->entries = arena_alloc(w->arena, (w->room + 1) * sizeof(*w->entries));
	w->items = arena_alloc(w->arena, (2 * w->room + ITEMS_BESIDE) * sizeof(*w->items));
	if (w->entries == NULL || w->items == NULL) {
		hybrid_work_refuse(w, HYBRID_TOO_LARGE, "there are too many routes to look at");
		w->room = 0;
		return;
	}
	plan->items = w->items;
	for (struct doc *r = doc_first(w->arena, routes); r != NULL; r = r->next) {
		w->entries[w->n++] = (struct hybrid_entry){
			.name = doc_peek(r, "name", BYTES("")), .stored = r, .route = r};
	}
}

static void put_item(struct hybrid_work *w, struct ops_item item)
{
	w->items[w->plan->n_items++] = item;
}

void hybrid_work_item(
	struct hybrid_work *w, enum ops_noun noun, enum ops_verb verb, struct doc *body)
{
	put_item(w, (struct ops_item){noun, verb, doc_peek(body, "name", BYTES("")), body});
}

void hybrid_work_remove(struct hybrid_work *w, enum ops_noun noun, struct bytes name)
{
	put_item(w, (struct ops_item){noun, OPS_REMOVE, name, NULL});
}

static void put_route(struct hybrid_work *w, const struct hybrid_entry *e)
{
	if (e->gone) {
		hybrid_work_remove(w, OPS_AI_ROUTE, e->name);
	} else if (e->stored == NULL || !doc_equal(w->arena, e->stored, e->route)) {
		hybrid_work_item(
			w, OPS_AI_ROUTE, e->stored != NULL ? OPS_SAVE : OPS_CREATE, e->route);
	}
}

void hybrid_work_routes(struct hybrid_work *w)
{
	const struct hybrid_entry *last = hybrid_work_default(w);

	for (unsigned order = 1; order <= w->edits; order++) {
		for (size_t i = 0; i < w->n; i++) {
			if (w->entries[i].order == order && &w->entries[i] != last) {
				put_route(w, &w->entries[i]);
			}
		}
	}
	if (last != NULL && last->order != 0) {
		put_route(w, last);
	}
}

void hybrid_work_done(struct hybrid_work *w)
{
	w->plan->changed = w->plan->n_items > 0;
	w->plan->updated = true;
	if (arena_full(w->arena)) {
		hybrid_work_refuse(w, HYBRID_TOO_LARGE, "there are too many routes to look at");
	}
	if (w->plan->rc != HYBRID_OK) {
		w->plan->n_items = 0;
		w->plan->changed = w->plan->updated = false;
	}
}

/* --- routes ---------------------------------------------------------------------------------------- */

struct hybrid_entry *hybrid_work_find(const struct hybrid_work *w, struct bytes name)
{
	for (size_t i = 0; i < w->n; i++) {
		if (bytes_eq(w->entries[i].name, name) && !w->entries[i].gone) {
			return &w->entries[i];
		}
	}
	return NULL;
}

struct hybrid_entry *hybrid_work_default(const struct hybrid_work *w)
{
	return hybrid_work_find(w, HYBRID_DEFAULT);
}

struct bytes hybrid_work_name(struct hybrid_work *w, struct bytes provider)
{
	return hybrid_work_textf(w, BYTES_FMT "-ai-route", BYTES_ARG(provider));
}

bool hybrid_work_is_own(struct bytes route)
{
	return bytes_ends(route, BYTES("-ai-route")) && !bytes_eq(route, HYBRID_DEFAULT);
}

struct doc *hybrid_work_edit(struct hybrid_work *w, struct hybrid_entry *e)
{
	if (!e->edited) {
		e->route = doc_copy(w->arena, e->route);
		e->edited = true;
		e->order = ++w->edits;
	}
	return e->route;
}

struct hybrid_entry *hybrid_work_add(struct hybrid_work *w, struct bytes name, struct doc *route)
{
	struct hybrid_entry *e = &w->entries[w->n];

	ASSERT(w->n < w->room);
	w->n++;
	*e = (struct hybrid_entry){
		.name = name, .route = route, .edited = true, .order = ++w->edits};
	return e;
}

void hybrid_work_drop(struct hybrid_work *w, struct hybrid_entry *e)
{
	e->gone = true;
	e->order = ++w->edits;
}

struct doc *hybrid_work_predicates(const struct hybrid_work *w, const struct hybrid_entry *e)
{
	struct doc *list = doc_get(w->arena, e->route, "modelPredicates");

	return doc_first(w->arena, list) != NULL ? list : NULL;
}

/* Of the catch-all: less than any prefix. */
static size_t rank_of(const struct hybrid_work *w, const struct hybrid_entry *e, struct bytes model)
{
	const struct doc *list = e->gone ? NULL : hybrid_work_predicates(w, e);

	if (list != NULL) {
		return predicates_rank(w->arena, list, model);
	}
	return !e->gone && bytes_eq(e->name, HYBRID_DEFAULT) ? 1 : PREDICATES_NONE;
}

struct hybrid_entry *hybrid_work_taker(const struct hybrid_work *w, struct bytes model)
{
	struct hybrid_entry *best = NULL;
	size_t rank = PREDICATES_NONE;

	for (size_t i = 0; i < w->n; i++) {
		size_t r = rank_of(w, &w->entries[i], model);

		if (r > rank) {
			best = &w->entries[i];
			rank = r;
		}
	}
	return best;
}

size_t hybrid_work_rank_else(
	const struct hybrid_work *w, const struct hybrid_entry *but, struct bytes model)
{
	size_t rank = PREDICATES_NONE;

	for (size_t i = 0; i < w->n; i++) {
		size_t r = &w->entries[i] != but ? rank_of(w, &w->entries[i], model) : 0;

		rank = r > rank ? r : rank;
	}
	return rank;
}

bool hybrid_work_serves(
	const struct hybrid_work *w, const struct hybrid_entry *e, struct bytes provider)
{
	const struct doc *u = doc_first(w->arena, doc_get(w->arena, e->route, "upstreams"));

	for (; u != NULL; u = u->next) {
		const struct doc *weight = doc_get(w->arena, u, "weight");

		if (bytes_eq(doc_peek(u, "provider", BYTES("")), provider) &&
			(!doc_given(weight) || weight->integer != 0)) {
			return true;
		}
	}
	return false;
}

bool hybrid_work_serves_only(
	const struct hybrid_work *w, const struct hybrid_entry *e, struct bytes provider)
{
	const struct doc *list = doc_get(w->arena, e->route, "upstreams");

	return hybrid_work_serves(w, e, provider) && list->n == 1;
}

struct doc *hybrid_work_upstreams(struct arena *a, struct bytes provider)
{
	struct doc *list = doc_list(a), *u = doc_map(a);

	doc_set(a, u, "provider", doc_string(a, provider));
	doc_set(a, u, "weight", doc_int(a, 100));
	doc_set(a, u, "modelMapping", doc_map(a));
	doc_append(a, list, u);
	return list;
}
