/*
 * A switch first gives the target its way, then looks at every other assignment: one that reached its provider
 * before and would not any more gets a condition on its provider's own route. What is left to the catch-all is
 * what nobody has assigned.
 */
#include "hiclaw/hybrid.h"

#include "hiclaw/predicates.h"
#include "hiclaw/hybrid_work.h"

#define MANAGER BYTES("manager")

struct bytes hybrid_consumer(struct arena *a, struct bytes target)
{
	static const char prefix[] = "worker-";
	size_t n = sizeof(prefix) - 1;
	char *p;

	if (bytes_eq(target, MANAGER)) {
		return MANAGER;
	}
	p = arena_alloc(a, n + target.n + 1);
	if (p == NULL) {
		return BYTES("");
	}
	memcpy(p, prefix, n);
	memcpy(p + n, target.p, target.n);
	return bytes_of(p, n + target.n);
}

/* --- the default route ------------------------------------------------------------------------------- */

static void put_consumers(struct hybrid_work *w, struct doc *list)
{
	const struct doc *c = doc_first(w->arena, w->world->lists[OPS_CONSUMER]);

	for (; c != NULL; c = c->next) {
		struct bytes name = doc_peek(c, "name", BYTES(""));

		if (bytes_eq(name, MANAGER) || bytes_starts(name, BYTES("worker-"))) {
			doc_append(w->arena, list, doc_string(w->arena, name));
		}
	}
}

static struct doc *user_agent(struct hybrid_work *w)
{
	struct arena *a = w->arena;
	struct doc *control = doc_map(a), *header = doc_map(a);
	struct doc *request = doc_need_map(a, control, "request");

	doc_set(a, control, "enabled", doc_bool(a, true));
	doc_set(a, header, "key", doc_str(a, "user-agent"));
	doc_set(a, header, "value",
		doc_string(a,
			w->world->hiclaw_version.n > 0
				? hybrid_work_textf(w, "HiClaw/" BYTES_FMT,
					  BYTES_ARG(w->world->hiclaw_version))
				: BYTES("HiClaw")));
	doc_append(a, doc_need_list(a, request, "add"), header);
	return control;
}

/* HiClaw 1.1's shape (9.1). */
static struct hybrid_entry *make_default(struct hybrid_work *w, struct bytes provider)
{
	struct arena *a = w->arena;
	struct doc *r = doc_map(a), *path, *auth;

	doc_set(a, r, "name", doc_string(a, HYBRID_DEFAULT));
	doc_set(a, r, "domains", doc_list(a));
	path = doc_need_map(a, r, "pathPredicate");
	doc_set(a, path, "matchType", doc_str(a, "PRE"));
	doc_set(a, path, "matchValue", doc_str(a, "/v1"));
	doc_set(a, path, "caseSensitive", doc_bool(a, false));
	doc_set(a, r, "upstreams", hybrid_work_upstreams(a, provider));
	auth = doc_need_map(a, r, "authConfig");
	doc_set(a, auth, "enabled", doc_bool(a, true));
	doc_append(a, doc_need_list(a, auth, "allowedCredentialTypes"), doc_str(a, "key-auth"));
	put_consumers(w, doc_need_list(a, auth, "allowedConsumers"));
	doc_set(a, r, "headerControl", user_agent(w));
	return hybrid_work_add(w, HYBRID_DEFAULT, r);
}

static struct hybrid_entry *need_default(struct hybrid_work *w, struct bytes provider)
{
	struct hybrid_entry *e = hybrid_work_default(w);

	if (e == NULL) {
		return make_default(w, provider);
	}
	if (hybrid_work_predicates(w, e) != NULL) {
		hybrid_work_warn(w, "DEFAULT_NOT_CATCHALL",
			"default-ai-route has conditions on the model, so models that no other route "
			"takes are not served; remove its modelPredicates to make it the catch-all");
	}
	return e;
}

static void repoint(struct hybrid_work *w, struct hybrid_entry *e, struct bytes provider)
{
	if (!hybrid_work_serves_only(w, e, provider)) {
		doc_set(w->arena, hybrid_work_edit(w, e), "upstreams",
			hybrid_work_upstreams(w->arena, provider));
	}
}

/* --- a provider's own route -------------------------------------------------------------------------- */

/* Whose models it has; empty: what stands behind a URL of its own may be anything. */
static struct bytes type_of(const struct hybrid_work *w, struct bytes provider)
{
	const struct doc *object = hybrid_work_object(w, OPS_PROVIDER, provider);
	struct bytes type = doc_peek(object, "type", BYTES(""));
	const struct doc *url =
		object != NULL ? doc_at(w->arena, object, "rawConfigs.openaiCustomUrl") : NULL;

	return bytes_eq(type, BYTES("openai")) && doc_given(url) ? BYTES("") : type;
}

/* Conditions of the routes of all other providers. */
static size_t list_others(struct hybrid_work *w, const struct doc **out)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!w->entries[i].gone && hybrid_work_is_own(w->entries[i].name)) {
			out[n++] = doc_get(w->arena, w->entries[i].route, "modelPredicates");
		}
	}
	return n;
}

static struct doc *inherit(struct hybrid_work *w, const struct hybrid_entry *from)
{
	static const char *const members[] = {
		"domains", "pathPredicate", "authConfig", "headerControl"};
	struct doc *r = doc_map(w->arena);

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct doc *v = doc_get(w->arena, from->route, members[i]);

		if (doc_given(v)) {
			doc_set(w->arena, r, members[i], doc_copy(w->arena, v));
		}
	}
	return r;
}

static struct hybrid_entry *make_own(
	struct hybrid_work *w, struct bytes provider, struct bytes type)
{
	struct bytes name = hybrid_work_name(w, provider);
	const struct doc **others = arena_alloc(w->arena, (w->n + 1) * sizeof(*others));
	struct doc *r = inherit(w, hybrid_work_default(w));

	if (others == NULL) {
		return NULL;
	}
	doc_set(w->arena, r, "name", doc_string(w->arena, name));
	doc_set(w->arena, r, "upstreams", hybrid_work_upstreams(w->arena, provider));
	doc_set(w->arena, r, "modelPredicates",
		predicates_new(w->arena, provider, type, others, list_others(w, others)));
	return hybrid_work_add(w, name, r);
}

static void warn_shadowed(struct hybrid_work *w, const struct hybrid_entry *e)
{
	static const char *const members[] = {"domains", "pathPredicate"};
	const struct hybrid_entry *d = hybrid_work_default(w);

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (!doc_equal(w->arena, doc_get(w->arena, d->route, members[i]),
			    doc_get(w->arena, e->route, members[i]))) {
			hybrid_work_warn(w, "ROUTE_SHADOWED",
				"%s of the route " BYTES_FMT
				" differ from those of default-ai-route, which may take its requests; "
				"give both the same",
				members[i], BYTES_ARG(e->name));
			return;
		}
	}
}

/* NULL: refused. */
static struct hybrid_entry *need_own(
	struct hybrid_work *w, struct bytes provider, struct bytes type)
{
	struct bytes name = hybrid_work_name(w, provider);
	struct hybrid_entry *e = hybrid_work_find(w, name);

	if (!hybrid_work_is_own(name)) {
		hybrid_work_refuse(w, HYBRID_CONFLICT,
			"the route of a provider " BYTES_FMT
			" would be default-ai-route itself; rename the provider",
			BYTES_ARG(provider));
		return NULL;
	}
	if (e == NULL) {
		return make_own(w, provider, type);
	}
	warn_shadowed(w, e);
	if (!hybrid_work_serves(w, e, provider)) {
		repoint(w, e, provider);
	}
	return e;
}

/* --- conditions ---------------------------------------------------------------------------------------- */

/* Other routes give the model up that they name as a whole; false: one cannot, and the change is refused. */
static bool take_from_others(
	struct hybrid_work *w, const struct hybrid_entry *e, struct bytes model)
{
	for (size_t i = 0; i < w->n; i++) {
		struct hybrid_entry *o = &w->entries[i];
		struct doc *list = o->gone ? NULL : hybrid_work_predicates(w, o);

		if (o == e || predicates_rank(w->arena, list, model) != PREDICATES_EQUAL) {
			continue;
		}
		if (!hybrid_work_is_own(o->name) || list->n == 1) {
			hybrid_work_refuse(w, HYBRID_CONFLICT,
				"the route " BYTES_FMT " takes the model " BYTES_FMT
				" by its name; remove that condition, or ask for a qualified name",
				BYTES_ARG(o->name), BYTES_ARG(model));
			return false;
		}
		predicates_drop_model(w->arena,
			doc_get(w->arena, hybrid_work_edit(w, o), "modelPredicates"), model);
	}
	return true;
}

static bool is_claimed(
	const struct hybrid_work *w, const struct hybrid_entry *but, struct bytes prefix)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct hybrid_entry *o = &w->entries[i];

		if (o != but && !o->gone &&
			predicates_claim(w->arena, hybrid_work_predicates(w, o), prefix)) {
			return true;
		}
	}
	return false;
}

static void cover_by_name(struct hybrid_work *w, struct hybrid_entry *e, struct bytes model)
{
	if (take_from_others(w, e, model)) {
		predicates_add_model(w->arena,
			doc_need_list(w->arena, hybrid_work_edit(w, e), "modelPredicates"), model);
	}
}

/* The model shall come to this route and to no other one. */
static void cover(
	struct hybrid_work *w, struct hybrid_entry *e, struct bytes type, struct bytes model)
{
	struct doc *list = hybrid_work_predicates(w, e);
	size_t mine = list != NULL ? predicates_rank(w->arena, list, model) : PREDICATES_NONE;
	size_t theirs = hybrid_work_rank_else(w, e, model);
	struct bytes prefix = predicates_prefix_of(type, model);

	if (mine > theirs) {
		return;
	}
	if (mine == PREDICATES_NONE && prefix.n + 1 > theirs && prefix.n > 0 &&
		!is_claimed(w, e, prefix)) {
		predicates_add_prefix(w->arena,
			doc_need_list(w->arena, hybrid_work_edit(w, e), "modelPredicates"), prefix);
		return;
	}
	cover_by_name(w, e, model);
}

static void cover_for(struct hybrid_work *w, struct bytes provider, struct bytes model)
{
	struct bytes type = type_of(w, provider);
	struct hybrid_entry *e = need_own(w, provider, type);

	if (e != NULL && w->plan->rc == HYBRID_OK) {
		cover(w, e, type, model);
	}
}

/* --- other assignments ----------------------------------------------------------------------------------- */

static struct bytes qualified(struct hybrid_work *w, struct bytes provider, struct bytes model)
{
	return hybrid_work_textf(w, BYTES_FMT "/" BYTES_FMT, BYTES_ARG(provider), BYTES_ARG(model));
}

static bool reaches(const struct hybrid_work *w, struct bytes model, struct bytes provider)
{
	const struct hybrid_entry *e = hybrid_work_taker(w, model);

	return e != NULL && hybrid_work_serves(w, e, provider);
}

/* Whether an agent asks for the model by a qualified name: the provider's route has it and maps it back. */
static bool is_qualified(struct hybrid_work *w, struct bytes provider, struct bytes model)
{
	const struct hybrid_entry *e = hybrid_work_find(w, hybrid_work_name(w, provider));
	struct bytes id = qualified(w, provider, model);
	const struct doc *u;

	if (e == NULL ||
		predicates_rank(w->arena, hybrid_work_predicates(w, e), id) != PREDICATES_EQUAL) {
		return false;
	}
	u = doc_first(w->arena, doc_get(w->arena, e->route, "upstreams"));
	return doc_get_bytes(w->arena, doc_get(w->arena, u, "modelMapping"), id) != NULL;
}

/* Which assignments reach their provider before anything changes. */
static bool *list_reached(struct hybrid_work *w)
{
	bool *out = arena_alloc(w->arena, w->world->n_assignments + 1);

	for (size_t i = 0; out != NULL && i < w->world->n_assignments; i++) {
		const struct hybrid_assignment *s = &w->world->assignments[i];

		out[i] = !is_qualified(w, s->provider, s->model) &&
			reaches(w, s->model, s->provider);
	}
	return out;
}

/* The target's own assignment is the one that changes; target empty: nobody's is. */
static void hold(struct hybrid_work *w, const bool *reached, struct bytes target)
{
	for (size_t i = 0; reached != NULL && i < w->world->n_assignments; i++) {
		const struct hybrid_assignment *s = &w->world->assignments[i];

		if (reached[i] && w->plan->rc == HYBRID_OK && !bytes_eq(s->target, target) &&
			!reaches(w, s->model, s->provider)) {
			cover_for(w, s->provider, s->model);
		}
	}
}

/* --- a switch ------------------------------------------------------------------------------------------ */

static const struct hybrid_assignment *rival_of(
	struct hybrid_work *w, const struct hybrid_switch *s)
{
	for (size_t i = 0; i < w->world->n_assignments; i++) {
		const struct hybrid_assignment *o = &w->world->assignments[i];

		if (!bytes_eq(o->target, s->target) && bytes_eq(o->model, s->model) &&
			!bytes_eq(o->provider, s->provider) &&
			!is_qualified(w, o->provider, o->model)) {
			return o;
		}
	}
	return NULL;
}

static void refuse_rival(struct hybrid_work *w, const struct hybrid_assignment *o)
{
	struct doc *d = doc_map(w->arena);

	doc_set(w->arena, d, "target", doc_string(w->arena, o->target));
	doc_set(w->arena, d, "provider", doc_string(w->arena, o->provider));
	doc_set(w->arena, d, "model", doc_string(w->arena, o->model));
	w->plan->details = d;
	hybrid_work_refuse(w, HYBRID_CONFLICT,
		"'" BYTES_FMT "' uses the model '" BYTES_FMT "' of the provider '" BYTES_FMT
		"', and a model goes to one provider; choose that provider, or send "
		"\"onConflict\":\"qualify\"",
		BYTES_ARG(o->target), BYTES_ARG(o->model), BYTES_ARG(o->provider));
}

static bool has_own_routes(const struct hybrid_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!w->entries[i].gone && hybrid_work_is_own(w->entries[i].name)) {
			return true;
		}
	}
	return false;
}

/* Whether a Worker may take the default route for itself. A Manager without a record uses it with whatever its
 * configuration says. */
static bool default_is_free(struct hybrid_work *w, struct bytes target)
{
	bool manager = false;

	for (size_t i = 0; i < w->world->n_assignments; i++) {
		const struct hybrid_assignment *s = &w->world->assignments[i];

		manager = manager || bytes_eq(s->target, MANAGER);
		if (!bytes_eq(s->target, target) &&
			hybrid_work_taker(w, s->model) == hybrid_work_default(w)) {
			return false;
		}
	}
	return manager;
}

/* 9.4 */
static void qualify(struct hybrid_work *w, const struct hybrid_switch *s)
{
	struct bytes id = qualified(w, s->provider, s->model);
	struct hybrid_entry *e = need_own(w, s->provider, type_of(w, s->provider));
	struct doc *r, *u;

	w->plan->model = id;
	if (e == NULL || w->plan->rc != HYBRID_OK) {
		return;
	}
	cover_by_name(w, e, id);
	r = hybrid_work_edit(w, e);
	for (u = doc_first(w->arena, doc_get(w->arena, r, "upstreams")); u != NULL; u = u->next) {
		if (bytes_eq(doc_peek(u, "provider", BYTES("")), s->provider)) {
			doc_set_bytes(w->arena, doc_need_map(w->arena, u, "modelMapping"), id,
				doc_string(w->arena, s->model));
		}
	}
}

static void place(struct hybrid_work *w, const struct hybrid_switch *s)
{
	bool alone = !has_own_routes(w);
	struct hybrid_entry *d = need_default(w, s->provider);

	w->plan->model = s->model;
	if (alone && hybrid_work_serves_only(w, d, s->provider) &&
		hybrid_work_taker(w, s->model) == d) {
		return;
	}
	if (alone && (bytes_eq(s->target, MANAGER) || default_is_free(w, s->target))) {
		repoint(w, d, s->provider);
	} else {
		cover_for(w, s->provider, s->model);
	}
}

/* The consumer is let in where its requests go, if there is such a consumer and anybody is kept out. */
static void admit(struct hybrid_work *w, struct hybrid_entry *e, struct bytes consumer)
{
	const struct doc *auth = doc_get(w->arena, e->route, "authConfig");
	const struct doc *on = doc_get(w->arena, auth, "enabled");
	const struct doc *c = doc_first(w->arena, doc_get(w->arena, auth, "allowedConsumers"));
	struct doc *edited;

	if (!doc_given(on) || !on->boolean ||
		hybrid_work_object(w, OPS_CONSUMER, consumer) == NULL) {
		return;
	}
	for (; c != NULL; c = c->next) {
		if (bytes_eq(c->text, consumer)) {
			return;
		}
	}
	edited = doc_get(w->arena, hybrid_work_edit(w, e), "authConfig");
	doc_append(w->arena, doc_need_list(w->arena, edited, "allowedConsumers"),
		doc_string(w->arena, consumer));
}

static void finish_switch(struct hybrid_work *w, const struct hybrid_switch *s)
{
	struct hybrid_entry *e = hybrid_work_taker(w, w->plan->model);

	if (e == NULL) { /* no room */
		return;
	}
	w->plan->route = e->name;
	admit(w, e, hybrid_consumer(w->arena, s->target));
}

/* A route for every provider that an assignment needs, that of the target, the default one. */
static size_t further_of(const struct hybrid_world *world)
{
	return world->n_assignments + 4;
}

void hybrid_switch(
	const struct hybrid_world *world, const struct hybrid_switch *s, struct hybrid_plan *out)
{
	struct hybrid_work w;
	const struct hybrid_assignment *rival;
	const bool *reached;
	bool by_name;

	hybrid_work_init(&w, world, out, further_of(world));
	if (out->rc == HYBRID_OK && hybrid_work_object(&w, OPS_PROVIDER, s->provider) == NULL) {
		hybrid_work_refuse(&w, HYBRID_NO_PROVIDER, "Provider not found");
	}
	rival = out->rc == HYBRID_OK ? rival_of(&w, s) : NULL;
	by_name = rival == NULL;
	if (!by_name && !s->qualify && !is_qualified(&w, s->provider, s->model)) {
		refuse_rival(&w, rival);
	}
	if (out->rc != HYBRID_OK) {
		hybrid_work_done(&w);
		return;
	}
	reached = list_reached(&w);
	if (by_name) {
		place(&w, s);
	} else {
		need_default(&w, s->provider);
		qualify(&w, s);
	}
	hold(&w, reached, s->target);
	/* What was done for the others may have taken it. */
	if (by_name && out->rc == HYBRID_OK && !reaches(&w, s->model, s->provider)) {
		cover_for(&w, s->provider, s->model);
		hold(&w, reached, s->target);
	}
	if (out->rc == HYBRID_OK) {
		finish_switch(&w, s);
	}
	hybrid_work_routes(&w);
	hybrid_work_done(&w);
}

/* --- a new provider ---------------------------------------------------------------------------------------- */

/* The one that there was before, if there is one only. */
static const struct doc *other_of(const struct hybrid_work *w, struct bytes provider, size_t *n)
{
	const struct doc *o = doc_first(w->arena, w->world->lists[OPS_PROVIDER]), *found = NULL;

	for (*n = 0; o != NULL; o = o->next) {
		if (!bytes_eq(doc_peek(o, "name", BYTES("")), provider)) {
			found = o;
			++*n;
		}
	}
	return found;
}

void hybrid_created(const struct hybrid_world *world, struct bytes provider, struct bytes type,
	struct hybrid_plan *out)
{
	struct hybrid_work w;
	const struct doc *other;
	const bool *reached;
	size_t n_others;

	hybrid_work_init(&w, world, out, further_of(world));
	other = other_of(&w, provider, &n_others);
	if (out->rc != HYBRID_OK) {
		return;
	}
	reached = list_reached(&w);
	need_default(&w, n_others == 0 ? provider : doc_peek(other, "name", BYTES("")));
	out->route = HYBRID_DEFAULT;
	if (n_others == 0) {
		repoint(&w, hybrid_work_default(&w), provider);
	} else {
		if (n_others == 1) {
			struct bytes name = doc_peek(other, "name", BYTES(""));

			need_own(&w, name, type_of(&w, name));
		}
		need_own(&w, provider, type);
		out->route = hybrid_work_name(&w, provider);
		hold(&w, reached, BYTES(""));
	}
	hybrid_work_routes(&w);
	hybrid_work_done(&w);
}
