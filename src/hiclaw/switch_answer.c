/* What the client is told (monitor-api.md 4.4, 4.11): the order of members is that of the page. */
#include "hiclaw/switch_int.h"

struct out {
	struct switch_run *r;
	struct arena *a; /* the request's */
	struct doc *d;
};

static void put(struct out *o, const char *key, struct doc *v)
{
	doc_set(o->a, o->d, key, v);
}

static void put_text(struct out *o, const char *key, struct bytes v)
{
	put(o, key, doc_string_copy(o->a, v));
}

static void put_bool(struct out *o, const char *key, bool v)
{
	put(o, key, doc_bool(o->a, v));
}

/* The same in another arena. */
static struct doc *moved(struct arena *to, struct arena *from, const struct doc *d)
{
	struct json_writer w;
	struct text t;
	struct doc *out;

	text_init(&t, (size_t)16 << 20);
	json_writer_init(&w, &t);
	doc_put_json(from, &w, d);
	out = doc_of_json(to, json_parse(to, arena_copy(to, text_bytes(&t)), NULL));
	text_done(&t);
	return out;
}

static struct doc *warnings(struct out *o)
{
	struct doc *list = doc_list(o->a);

	for (size_t i = 0; i < o->r->n_warnings; i++) {
		struct doc *w = doc_map(o->a);

		doc_set(o->a, w, "code", doc_str(o->a, o->r->warnings[i].code));
		doc_set(o->a, w, "message", doc_string_copy(o->a, o->r->warnings[i].text));
		doc_append(o->a, list, w);
	}
	return list;
}

static struct doc *test(struct out *o)
{
	const struct reach *t = &o->r->reach;
	struct doc *d = doc_map(o->a);

	if (!o->r->tested || o->r->not_tested) {
		doc_set(o->a, d, "skipped", doc_bool(o->a, true));
		return d;
	}
	doc_set(o->a, d, "ok", doc_bool(o->a, t->ok));
	doc_set(o->a, d, "ms", doc_int(o->a, t->ms));
	doc_set(o->a, d, "status", doc_int(o->a, t->status));
	if (!t->ok) {
		doc_set(o->a, d, "kind", doc_str(o->a, reach_kind_text(t->kind)));
	}
	return d;
}

static bool is_restart_needed(const struct switch_run *r)
{
	struct bytes runtime = r->manager ? r->h->env->manager_runtime : r->cr.runtime;

	return r->changed && r->manager && runtime.n != 0 && !bytes_eq(runtime, BYTES("openclaw"));
}

/* Of a Worker: when it asks for the new model. */
static const char *applied(const struct switch_run *r)
{
	if (r->cr.set || r->before.state == AGENT_APPLIED) {
		return "now";
	}
	return r->cr.deferred ? "when-idle" : "on-restart";
}

static void put_traits(struct out *o)
{
	const struct model_traits *t = &o->r->traits;

	put(o, "contextWindow", doc_int(o->a, (int64_t)t->context_window));
	put(o, "maxTokens", doc_int(o->a, (int64_t)t->max_tokens));
	put_bool(o, "reasoning", t->reasoning == MODEL_YES);
	put_text(o, "updatedAt", switch_time(o->a, o->r->updated_us));
}

static void put_worker(struct out *o)
{
	struct switch_run *r = o->r;

	put(o, "targetId",
		doc_string_copy(
			o->a, switch_textf(r, "worker:" BYTES_FMT, BYTES_ARG(r->ask.target))));
	put(o, "applied", doc_str(o->a, applied(r)));
}

static void put_bridge(struct out *o)
{
	const struct agent *v = &o->r->before;
	struct doc *d;

	if (o->r->ask.dry_run || v->bridge_until_ms == 0) {
		return;
	}
	d = doc_need_map(o->a, o->d, "bridge");
	doc_set(o->a, d, "from", doc_string_copy(o->a, v->bridge_from));
	doc_set(o->a, d, "to", doc_string_copy(o->a, o->r->plan.model));
	doc_set(o->a, d, "until",
		doc_string_copy(o->a, switch_time(o->a, v->bridge_until_ms * 1000)));
}

/* Of a dry run: what would be written. */
static void put_plan(struct out *o)
{
	static const char *const verbs[] = {"save", "create", "remove"};
	const struct switch_run *r = o->r;
	struct doc *plan = doc_map(o->a), *routes, *places;

	routes = doc_need_list(o->a, plan, "routes");
	for (size_t i = 0; i < r->plan.n_items; i++) {
		struct doc *d = doc_map(o->a);

		doc_set(o->a, d, "name", doc_string_copy(o->a, r->plan.items[i].name));
		doc_set(o->a, d, "action", doc_str(o->a, verbs[r->plan.items[i].verb]));
		doc_append(o->a, routes, d);
	}
	places = doc_need_list(o->a, plan, "places");
	for (size_t i = 0; i < r->found.n; i++) {
		if (r->found.v[i].changes) {
			doc_append(
				o->a, places, doc_string_copy(o->a, bytes_str(r->found.v[i].name)));
		}
	}
	put_bool(o, "dryRun", true);
	put(o, "plan", plan);
}

static void answer_switch(struct out *o)
{
	struct switch_run *r = o->r;

	put_bool(o, "success", true);
	put_text(o, "target", r->ask.target);
	put_text(o, "provider", r->ask.provider);
	put_text(o, "model", r->ask.model);
	put_bool(o, "routeUpdated", r->plan.updated);
	put(o, "status", doc_str(o->a, r->ask.dry_run ? "planned" : "saved"));
	put_text(o, "name", r->ask.target);
	put_bool(o, "routeChanged", r->ask.dry_run ? r->plan.changed : r->routes_written);
	put_bool(o, "changed", r->changed);
	put(o, "state", doc_str(o->a, agent_state_text(r->before.state)));
	put_traits(o);
	put(o, "test", test(o));
	if (r->verification != VERIFICATION_UNASKED) {
		put(o, "verification", switch_verify_doc(r, o->a));
	}
	if (r->method != RELOAD_NONE) {
		put(o, "reload", switch_reload_doc(r, o->a));
	}
	put_bool(o, "synced", r->synced);
	if (r->backup_id[0] != '\0') {
		put_text(o, "backupId", bytes_str(r->backup_id));
	}
	put(o, "warnings", warnings(o));
	if (!r->manager) {
		put_worker(o);
	}
	if (!bytes_eq(r->plan.model, r->ask.model)) {
		put_text(o, "askedModel", r->plan.model);
	}
	put_bridge(o);
	if (is_restart_needed(r)) {
		put_text(o, "runtime", r->h->env->manager_runtime);
		put_bool(o, "restartRequired", true);
	}
	if (r->ask.dry_run) {
		put_plan(o);
	}
	put(o, "steps", moved(o->a, &r->arena, doc_get(&r->arena, r->details, "steps")));
}

static void answer_reload(struct out *o)
{
	const struct switch_run *r = o->r;
	bool pending = r->manager ? r->method == RELOAD_UNREACHABLE || !r->alive
				  : r->cr.deferred || r->before.state == AGENT_PENDING;

	put_bool(o, "success", true);
	put(o, "status", doc_str(o->a, pending ? "pending" : "reloaded"));
	put_text(o, "target", r->ask.target);
	if (r->manager) {
		put(o, "reload", switch_reload_doc(r, o->a));
	} else {
		put(o, "applied", doc_str(o->a, applied(r)));
	}
	put(o, "warnings", warnings(o));
}

void switch_answer(struct switch_run *r)
{
	struct switch_request *rq = r->rq;
	struct out o = {r, rq->arena, doc_map(rq->arena)};

	rq->code = r->code;
	rq->partial = r->partial;
	memcpy(rq->backup, r->backup_id, sizeof(rq->backup));
	if (r->code != HICLAW_OK) {
		rq->why_text = arena_copy(rq->arena, r->why);
		rq->details = moved(rq->arena, &r->arena, r->details);
		return;
	}
	if (r->reload_asked) {
		answer_reload(&o);
	} else {
		answer_switch(&o);
	}
	rq->answer = o.d;
}
