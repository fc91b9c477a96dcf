/* The first steps: whether it can be done at all, and which routes have to change. */
#include "hiclaw/switch_int.h"

#include "base/clock.h"
#include "hiclaw/bridging.h"
#include "hiclaw/foreign_plan.h"
#include "hiclaw/names.h"

#define WANTED (1u << OPS_PROVIDER | 1u << OPS_SOURCE | 1u << OPS_AI_ROUTE | 1u << OPS_CONSUMER)

/* --- validate ----------------------------------------------------------------------------------------- */

static struct doc *object(struct switch_run *r, enum ops_noun noun, struct bytes name)
{
	struct doc *d = doc_first(&r->arena, r->lists[noun]);

	while (d != NULL && !bytes_eq(doc_peek(d, "name", BYTES("")), name)) {
		d = d->next;
	}
	return d;
}

/* Providers that are asked without a key, or with credentials of another kind. */
static bool needs_key(struct switch_run *r, const struct doc *provider)
{
	static const char *const types[] = {"ollama", "vertex", "bedrock", "generic"};
	struct bytes type = doc_peek(provider, "type", BYTES(""));

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (bytes_eq(type, bytes_str(types[i]))) {
			return false;
		}
	}
	return !doc_given(doc_at(&r->arena, provider, "rawConfigs.openaiCustomUrl"));
}

static enum step_rc check_provider(struct switch_run *r)
{
	const struct doc *p = object(r, OPS_PROVIDER, r->ask.provider);

	if (p == NULL) {
		return switch_fail(r, HICLAW_PROVIDER_NOT_FOUND, "Provider not found");
	}
	if (doc_first(&r->arena, doc_get(&r->arena, p, "tokens")) == NULL && needs_key(r, p)) {
		return switch_fail(r, HICLAW_NO_API_KEY,
			"Provider " BYTES_FMT " has no API key: add one to it",
			BYTES_ARG(r->ask.provider));
	}
	return STEP_NEXT;
}

static enum hiclaw_code code_of(unsigned status)
{
	static const struct {
		unsigned status;
		enum hiclaw_code code;
	} rows[] = {{400, HICLAW_INVALID_REQUEST}, {404, HICLAW_NOT_FOUND}, {409, HICLAW_CONFLICT},
		{413, HICLAW_TOO_LARGE}, {502, HICLAW_PROVIDER_UNREACHABLE},
		{503, HICLAW_CONFIG_BUSY}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].status == status) {
			return rows[i].code;
		}
	}
	return HICLAW_INTERNAL;
}

enum step_rc switch_plan_refused(struct switch_run *r)
{
	return switch_fail(
		r, code_of(r->ops.status), BYTES_FMT, BYTES_ARG(text_bytes(&r->ops.why)));
}

static enum step_rc check_read(struct switch_run *r)
{
	if (r->ops.status != 0) {
		return switch_plan_refused(r);
	}
	memcpy(r->lists, r->ops.lists, sizeof(r->lists));
	return STEP_NEXT;
}

static void on_read(struct ops_call *c)
{
	struct switch_run *r = CONTAINER_OF(c, struct switch_run, ops);
	enum step_rc rc = check_read(r);

	switch_resume(r, rc == STEP_NEXT ? check_provider(r) : rc);
}

static void read_objects(struct switch_run *r, void (*on_done)(struct ops_call *c))
{
	ops_call_done(&r->ops);
	r->ops = (struct ops_call){.arena = &r->arena, .wanted = WANTED, .on_done = on_done};
	r->h->ops->read(r->h->ops, &r->ops);
}

/* "2026-01-01T00:00:00Z" */
struct bytes switch_time(struct arena *a, uint64_t us)
{
	char iso[CLOCK_ISO_LEN];

	clock_format_iso(iso, us / 1000);
	iso[CLOCK_ISO_LEN - 5] = 'Z';
	return us != 0 ? arena_copy(a, bytes_of(iso, CLOCK_ISO_LEN - 4)) : BYTES("");
}

/* Of what drift, a Worker that became idle, and a reload do: it is what is assigned. */
static enum step_rc take_assigned(struct switch_run *r)
{
	if (!r->before.assigned) {
		return switch_fail(r, HICLAW_WORKER_NOT_FOUND, "nothing is assigned to " BYTES_FMT,
			BYTES_ARG(r->ask.target));
	}
	r->ask.provider = r->before.provider;
	r->ask.model = r->before.model;
	r->ask.wish = (struct model_sources){.given = r->before.traits};
	r->ask.qualify = !bytes_eq(r->before.model, r->before.asked);
	return STEP_NEXT;
}

static bool is_stale(struct switch_run *r)
{
	return r->ask.if_match.n != 0 &&
		!bytes_eq(r->ask.if_match, switch_time(&r->arena, r->before.updated_us));
}

enum step_rc switch_plan_validate(struct switch_run *r)
{
	struct fault why = {0};

	if (r->ask.why == SWITCH_DRIFT || r->ask.why == SWITCH_IDLE) {
		if (take_assigned(r) != STEP_NEXT) {
			return STEP_FAIL;
		}
	}
	if (r->flooded) {
		return switch_fail(r, HICLAW_RATE_LIMITED,
			"%u switches wait for their turn already: try again later",
			SWITCH_RUNS_MAX);
	}
	if (!r->was_there && agents_count(r->h->agents) >= AGENTS_MAX) {
		return switch_fail(r, HICLAW_TOO_LARGE,
			"There are %u agents already: stop managing one that is gone", AGENTS_MAX);
	}
	if (names_model(r->ask.model, &r->ask.model, &why) != 0) {
		return switch_fail(r, HICLAW_INVALID_MODEL, "%s", why.text);
	}
	bridging_warn(r);
	if (is_stale(r)) {
		return switch_fail(r, HICLAW_CONFLICT,
			"The assignment of " BYTES_FMT
			" was changed by somebody else: read it again",
			BYTES_ARG(r->ask.target));
	}
	read_objects(r, on_read);
	return STEP_WAIT;
}

/* --- test --------------------------------------------------------------------------------------------- */

static enum step_rc not_tested(struct switch_run *r, struct bytes why)
{
	r->not_tested = true;
	switch_outcome(r, OUTCOME_SKIPPED, BYTES_FMT, BYTES_ARG(why));
	switch_warn(r, "NOT_TESTED", "The model was not tested: " BYTES_FMT, BYTES_ARG(why));
	return STEP_NEXT;
}

/* Another gateway may be where its providers are: that they cannot be connected to from here says nothing. What it says
 * itself is heard when the routes are verified. */
static bool is_only_from_here(const struct switch_run *r)
{
	return r->h->guests != NULL && r->reach.status == 0;
}

static enum step_rc judge_test(struct switch_run *r)
{
	const struct reach *t = &r->reach;

	r->tested = true;
	if (t->ok) {
		if (t->rate_limited) {
			switch_warn(
				r, "RATE_LIMITED", "The provider answers, and says: %s", t->why);
		}
		return STEP_NEXT;
	}
	if (is_only_from_here(r)) {
		return not_tested(
			r, switch_textf(r, "from here the provider cannot be asked: %s", t->why));
	}
	if (r->ask.force || (!r->manager && !r->ask.strict)) {
		switch_outcome(r, OUTCOME_WARNED, "%s", t->why);
		switch_warn(r, "MODEL_NOT_REACHABLE", "Model not reachable: %s", t->why);
		return STEP_NEXT;
	}
	r->details = doc_map(&r->arena);
	doc_set(&r->arena, r->details, "kind", doc_str(&r->arena, reach_kind_text(t->kind)));
	doc_set(&r->arena, r->details, "status", doc_int(&r->arena, t->status));
	return switch_fail(r, HICLAW_MODEL_NOT_REACHABLE, "Model not reachable: %s", t->why);
}

static void on_tested(struct reach *t)
{
	struct switch_run *r = t->arg;

	r->reaching = false;
	guest_leave(r->guest);
	r->guest = NULL;
	switch_resume(r, judge_test(r));
}

static void start_test(struct switch_run *r, struct bytes provider)
{
	r->reach = (struct reach){
		.provider = provider, .model = r->ask.model, .on_done = on_tested, .arg = r};
	r->reaching = true;
	r->s->world.reach(r->h->gateway, &r->reach);
}

static void on_guest(void *arg, struct bytes name, struct bytes why)
{
	struct switch_run *r = arg;

	if (name.n != 0) {
		start_test(r, name);
		return;
	}
	r->guest = NULL;
	switch_resume(r, not_tested(r, why));
}

enum step_rc switch_plan_test(struct switch_run *r)
{
	if (r->ask.why == SWITCH_DRIFT || r->ask.why == SWITCH_IDLE) {
		switch_outcome(r, OUTCOME_SKIPPED, "it was tested when it was assigned");
		return STEP_NEXT;
	}
	if (r->ask.skip_test) {
		switch_outcome(r, OUTCOME_SKIPPED, "as was asked for");
		return STEP_NEXT;
	}
	if (r->h->guests != NULL) {
		r->guest = guest_invite(r->h->guests, object(r, OPS_PROVIDER, r->ask.provider),
			r->lists[OPS_SOURCE], on_guest, r);
	} else {
		start_test(r, r->ask.provider);
	}
	return STEP_WAIT;
}

/* --- routes ------------------------------------------------------------------------------------------- */

/* What is assigned, and what other runs are about to assign. */
static size_t list_assignments(struct switch_run *r, struct hybrid_assignment **out)
{
	const struct agents *all = r->h->agents;
	size_t n = 0, max = agents_count(all);
	struct hybrid_assignment *v;

	for (struct list *i = r->s->runs.next; i != &r->s->runs; i = i->next) {
		max++;
	}
	v = arena_must(&r->arena, max * sizeof(*v));
	for (size_t i = 0; i < agents_count(all); i++) {
		const struct agent *a = agents_at(all, i);

		if (a->assigned) {
			v[n++] = (struct hybrid_assignment){arena_copy(&r->arena, a->target),
				arena_copy(&r->arena, a->provider),
				arena_copy(&r->arena, a->model)};
		}
	}
	for (struct list *i = r->s->runs.next; i != &r->s->runs; i = i->next) {
		const struct switch_run *o = CONTAINER_OF(i, struct switch_run, link);

		if (o != r && o->plan.route.n != 0 && !o->ask.dry_run && !o->undoing &&
			!bytes_eq(o->ask.target, r->ask.target)) {
			v[n++] = (struct hybrid_assignment){arena_copy(&r->arena, o->ask.target),
				arena_copy(&r->arena, o->ask.provider),
				arena_copy(&r->arena, o->ask.model)};
		}
	}
	*out = v;
	return n;
}

static enum step_rc judge_plan(struct switch_run *r)
{
	static const enum hiclaw_code codes[] = {
		[HYBRID_OK] = HICLAW_OK,
		[HYBRID_NO_PROVIDER] = HICLAW_PROVIDER_NOT_FOUND,
		[HYBRID_CONFLICT] = HICLAW_ROUTE_CONFLICT,
		[HYBRID_EXISTS] = HICLAW_CONFLICT,
		[HYBRID_IN_USE] = HICLAW_IN_USE,
		[HYBRID_NO_REPLACEMENT] = HICLAW_INVALID_REQUEST,
		[HYBRID_TOO_LARGE] = HICLAW_INTERNAL,
	};

	if (r->plan.rc != HYBRID_OK) {
		r->details = r->plan.details;
		return switch_fail(r, codes[r->plan.rc], BYTES_FMT, BYTES_ARG(r->plan.why));
	}
	for (size_t i = 0; i < r->plan.n_warnings; i++) {
		switch_warn(r, r->plan.warnings[i].code, BYTES_FMT,
			BYTES_ARG(r->plan.warnings[i].text));
	}
	return STEP_NEXT;
}

static void plan(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);
	const struct hybrid_switch s = {
		r->ask.target, r->ask.provider, r->ask.model, r->ask.qualify};

	hybrid_switch(&r->world, &s, &r->plan);
	if (r->h->opts.remote != NULL && r->h->opts.types != NULL) {
		plan_free(r->foreign); /* of what was read before */
		r->foreign =
			foreign_plan(r->lists, r->h->opts.types, (int64_t)(clock_wall_ms() / 1000));
	}
}

int switch_plan_resolve(
	struct switch_run *r, const struct resolve_request *rq, struct resolve_answer *out)
{
	if (r->h->opts.remote == NULL) {
		return r->s->world.resolve(r->h, rq, &r->arena, out);
	}
	return r->foreign != NULL ? resolve_model(r->foreign, rq, &r->arena, out) : ERR_NOT_FOUND;
}

static void on_planned(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	switch_resume(r, judge_plan(r));
}

static enum step_rc start_plan(struct switch_run *r)
{
	struct hybrid_assignment *v;
	size_t n = list_assignments(r, &v);

	r->world = (struct hybrid_world){.arena = &r->arena,
		.lists = r->lists,
		.assignments = v,
		.n_assignments = n,
		.hiclaw_version = r->h->env->version};
	switch_job(r, plan, on_planned);
	return STEP_WAIT;
}

static void on_read_again(struct ops_call *c)
{
	struct switch_run *r = CONTAINER_OF(c, struct switch_run, ops);

	if (check_read(r) == STEP_NEXT) {
		IGNORE(start_plan(r)); /* it waits */
	} else {
		switch_resume(r, STEP_FAIL);
	}
}

/* The test may have taken half a minute: what is planned on is read anew. */
enum step_rc switch_plan_routes(struct switch_run *r)
{
	if (r->replans == 0 && !r->tested) {
		return start_plan(r);
	}
	read_objects(r, on_read_again);
	return STEP_WAIT;
}
