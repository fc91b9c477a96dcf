/*
 * Lists become one: what the last look into the files found, what the controller answered last, which Workers the
 * storage has, and what the gateway itself knows. Each has an arena of its own that goes when the next one is there. The one is made anew at most
 * once a second; states go on from the one before.
 */
#include "hiclaw/workers.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "hiclaw/engine.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/names.h"
#include "hiclaw/stored.h"
#include "hiclaw/stored_tasks.h"
#include "plan/consumers.h"

#define AGAIN_MS 1000u
#define EVENT_MAX 1024u
/* Of the controller's answers, as it is kept. */
#define KEPT_MAX ((size_t)4 << 20)

struct told { /* by the controller */
	struct bytes name, phase, wish, container, runtime, team, room, message;
};

struct look { /* into the files: on a jobs thread, and its result */
	struct job job;
	struct workers *workers; /* NULL: they are gone */
	const struct env *env;
	struct arena arena;
	struct evidence found;
};

struct list_now {
	struct arena arena;
	struct evidence union_;
	struct worker *v;
	size_t n;
};

struct workers {
	struct hiclaw *h;
	struct timer files_timer, controller_timer;
	struct look *looking; /* under way; NULL: none */
	struct look *last;    /* NULL: nothing was read yet */
	struct list_now *now;
	uint64_t made_ms;
	uint64_t plan_version;
	struct controller_call call;
	bool calling;
	enum workers_controller controller;
	struct fault why;
	struct arena told_arena;
	struct told *told;
	size_t n_told;
	struct engine *engine;      /* NULL: no socket */
	struct stored *stored;      /* NULL: no storage */
	struct stored_tasks *tasks; /* the same */
};

/* --- the union -------------------------------------------------------------------------------------------------- */

static void add_consumers(const struct workers *w, struct evidence *ev)
{
	const struct plan *p = gateway_plan(w->h->gateway);

	for (size_t i = 0; p != NULL && i < p->consumers->n; i++) {
		IGNORE(evidence_add_consumer(
			ev, p->consumers->v[i].name)); /* others are no Workers */
	}
}

static void add_names(const struct workers *w, struct evidence *ev)
{
	const struct agents *agents = w->h->agents;

	add_consumers(w, ev);
	for (size_t i = 0; i < agents_count(agents); i++) {
		if (agents_at(agents, i)->assigned) {
			IGNORE(evidence_add(
				ev, agents_at(agents, i)->target)); /* the Manager is none */
		}
	}
	for (size_t i = 0; i < w->n_told; i++) {
		IGNORE(evidence_add(ev, w->told[i].name));
	}
	for (size_t i = 0; w->last != NULL && i < w->last->found.n; i++) {
		IGNORE(evidence_add(ev, w->last->found.v[i]->name));
	}
	for (size_t i = 0; i < stored_count(w->stored); i++) {
		IGNORE(evidence_add(
			ev, stored_at(w->stored, i))); /* empty without a configuration */
	}
}

static struct worker *find_in(const struct list_now *l, struct bytes name)
{
	return l != NULL ? names_find(l->v, l->n, sizeof(*l->v), name) : NULL;
}

static struct bytes keep(struct list_now *l, struct bytes b)
{
	struct bytes copy = b.n != 0 ? arena_copy(&l->arena, b) : BYTES("");

	return copy.p != NULL ? copy : BYTES("");
}

static void take_files(const struct workers *w, struct list_now *l, struct worker *v)
{
	const struct evidence_worker *f =
		w->last != NULL ? evidence_find(&w->last->found, v->name) : NULL;

	if (f != NULL) {
		v->evidence = f->e;
		v->runtime = keep(l, f->runtime);
		v->deployment = keep(l, f->deployment);
		v->room = keep(l, f->room);
		v->team = keep(l, f->team);
		v->has_config = f->has_config;
	}
}

/* Of the storage rather than of its copy here, which may be five minutes old; of both only one, for a task counts once. */
static void take_tasks(const struct workers *w, struct worker *v)
{
	struct stored_tasks_of t;

	if (!stored_tasks_of(w->tasks, v->name, &t)) {
		return;
	}
	v->evidence.known &= ~(unsigned)(STATE_M | STATE_P);
	v->evidence.known |= (t.assigned != 0 ? STATE_M : 0) | (t.until != 0 ? STATE_P : 0);
	v->evidence.m.assigned = t.assigned;
	v->evidence.p.until = t.until;
}

static void take_controller(const struct workers *w, struct list_now *l, struct worker *v)
{
	for (size_t i = 0; i < w->n_told; i++) {
		const struct told *t = &w->told[i];

		if (!bytes_eq(t->name, v->name)) {
			continue;
		}
		v->by_controller = true;
		v->evidence.known |= STATE_C;
		v->evidence.c.phase = state_phase_of(t->phase);
		v->evidence.c.container = state_container_of(t->container);
		v->evidence.c.wish = state_wish_of(t->wish);
		v->runtime = t->runtime.n != 0 ? keep(l, t->runtime) : v->runtime;
		v->team = t->team.n != 0 ? keep(l, t->team) : v->team;
		v->room = t->room.n != 0 ? keep(l, t->room) : v->room;
		v->message = keep(l, t->message);
		return;
	}
}

/* That the engine has no container says something about those that should be there: Workers that the Manager has put
 * beside itself, not those of another machine or somebody who only has a key. */
static void take_engine(const struct workers *w, struct worker *v)
{
	const struct engine_worker *c = w->engine != NULL ? engine_find(w->engine, v->name) : NULL;
	bool local = bytes_eq(v->deployment, BYTES("local")) &&
		v->evidence.l.container != STATE_CONTAINER_REMOTE;

	if (c != NULL) {
		v->evidence.known |= STATE_D;
		v->evidence.d.container = c->state;
		v->evidence.d.since = c->since_ms;
	} else if (local && w->engine != NULL && engine_knows(w->engine)) {
		v->evidence.known |= STATE_D;
		v->evidence.d.container = STATE_CONTAINER_NOT_FOUND;
	}
}

static bool lets_in(const struct auth_rule *a, bool ai, const struct consumer *c)
{
	if (a->need == AUTH_ANY_CONSUMER && ai) {
		return true;
	}
	for (size_t k = 0; a->need == AUTH_ALLOW_LIST && k < a->n_allow; k++) {
		if (a->allow[k] == c) {
			return true;
		}
	}
	return false;
}

static bool is_let_in(const struct plan *p, const struct consumer *c)
{
	for (size_t i = 0; i < p->n_routes; i++) {
		const struct auth_rule *a = &p->routes[i]->auth;
		bool ai = bytes_starts(p->routes[i]->name, BYTES("ai-route-"));

		if (lets_in(a, ai, c)) {
			return true;
		}
		for (size_t k = 0; k < a->n_cases; k++) { /* for one of its hosts */
			if (lets_in(&a->cases[k].rule, ai, c)) {
				return true;
			}
		}
	}
	return false;
}

/* The plan is asked again only when there is another one: a look at all routes for each Worker. */
static void take_plan(const struct workers *w, struct worker *v, const struct worker *before)
{
	const struct plan *p = gateway_plan(w->h->gateway);
	const struct consumer *c;
	struct text name;

	if (p == NULL) {
		return;
	}
	if (before != NULL && p->version == w->plan_version) {
		v->has_consumer = before->has_consumer;
		v->authorized = before->authorized;
		return;
	}
	text_init(&name, 256);
	text_add_bytes(&name, NAMES_CONSUMER_PREFIX);
	text_add_bytes(&name, v->name);
	c = consumers_find(p->consumers, text_bytes(&name));
	v->has_consumer = c != NULL;
	v->authorized = c != NULL && is_let_in(p, c);
	text_done(&name);
}

static void take_requests(const struct workers *w, struct worker *v)
{
	struct usage_consumer u;
	struct text name;

	text_init(&name, 256);
	text_addf(&name, "worker-" BYTES_FMT, BYTES_ARG(v->name));
	if (usage_consumer(w->h->usage, text_bytes(&name), &u)) {
		v->evidence.known |= STATE_G;
		v->evidence.g.in_flight = u.in_flight;
		v->evidence.g.in_flight_since = u.in_flight_since_ms;
		v->evidence.g.last = u.last_ms;
		v->requests_1h = u.requests_1h;
		v->errors_1h = u.errors_1h;
		v->tokens_1h = u.tokens_1h;
	}
	text_done(&name);
}

static void decide(const struct workers *w, struct worker *v, const struct worker *before)
{
	uint64_t now_ms = clock_wall_ms();

	v->state = state_decide(&v->evidence, w->h->env->idle_timeout_min * 60000u, now_ms);
	state_follow(&v->state, before != NULL ? &before->state : NULL, now_ms);
}

static void say(const struct workers *w, const struct worker *v)
{
	struct json_writer j;
	struct text t;

	text_init(&t, EVENT_MAX);
	json_writer_init(&j, &t);
	json_open_object(&j);
	json_key(&j, "name");
	json_put_string(&j, v->name);
	json_key(&j, "state");
	json_put_str(&j, state_text(v->state.name));
	json_key(&j, "reason");
	json_put_str(&j, v->state.reason);
	json_close_object(&j);
	events_say(w->h->events, EVENT_WORKER, text_bytes(&t));
	text_done(&t);
}

static void free_list(struct list_now *l)
{
	if (l != NULL) {
		arena_done(&l->arena);
		free(l);
	}
}

static void make(struct workers *w)
{
	struct list_now *l = must_alloc(sizeof(*l));
	const struct plan *p = gateway_plan(w->h->gateway);

	arena_init(&l->arena, 2 * EVIDENCE_ARENA_MAX);
	evidence_init(&l->union_, &l->arena);
	add_names(w, &l->union_);
	l->v = arena_must(&l->arena, (l->union_.n + 1) * sizeof(*l->v));
	for (size_t i = 0; i < l->union_.n; i++) {
		struct worker *v = &l->v[l->n++];
		const struct worker *before = find_in(w->now, l->union_.v[i]->name);

		*v = (struct worker){.name = l->union_.v[i]->name,
			.runtime = BYTES(""),
			.deployment = BYTES(""),
			.room = BYTES(""),
			.team = BYTES(""),
			.message = BYTES("")};
		take_files(w, l, v);
		take_tasks(w, v);
		take_controller(w, l, v);
		take_engine(w, v);
		v->has_config = v->has_config || stored_has(w->stored, v->name);
		take_plan(w, v, before);
		take_requests(w, v);
		decide(w, v, before);
		if (w->now != NULL &&
			(before == NULL || before->state.name != v->state.name ||
				strcmp(before->state.reason, v->state.reason) != 0)) {
			say(w, v);
		}
	}
	free_list(w->now);
	w->now = l;
	w->made_ms = loop_now_ms(w->h->loop);
	w->plan_version = p != NULL ? p->version : 0;
}

static bool is_fresh(const struct workers *w)
{
	const struct plan *p = gateway_plan(w->h->gateway);

	return w->now != NULL && loop_now_ms(w->h->loop) - w->made_ms < AGAIN_MS &&
		(p == NULL || p->version == w->plan_version);
}

size_t workers_now(struct workers *w, const struct worker **out)
{
	if (!is_fresh(w)) {
		make(w);
	}
	*out = w->now->v;
	return w->now->n;
}

const struct worker *workers_find(struct workers *w, struct bytes name)
{
	const struct worker *all;

	IGNORE(workers_now(w, &all));
	return find_in(w->now, name);
}

void workers_forget_record(const struct workers *w, struct bytes target)
{
	stored_forget(w->stored, target);
}

struct bytes workers_storage_warning(const struct workers *w)
{
	struct bytes why = stored_why(w->stored);

	return why.n != 0 ? why : stored_tasks_why(w->tasks);
}

enum workers_engine workers_engine(const struct workers *w, struct bytes *why_out)
{
	*why_out = BYTES("");
	if (w->engine == NULL) {
		return WORKERS_NO_ENGINE;
	}
	return engine_state(w->engine, why_out) == ENGINE_DOWN ? WORKERS_ENGINE_DOWN
							       : WORKERS_ENGINE_OK;
}

size_t workers_warnings(const struct workers *w, const struct bytes **out)
{
	*out = w->last != NULL ? w->last->found.warnings : NULL;
	return w->last != NULL ? w->last->found.n_warnings : 0;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void free_look(struct look *l)
{
	if (l != NULL) {
		arena_done(&l->arena);
		free(l);
	}
}

static void read_files(struct job *j)
{
	struct look *l = CONTAINER_OF(j, struct look, job);
	struct evidence_dirs dirs;

	evidence_dirs(&l->arena, l->env, &dirs);
	evidence_read(&l->found, &dirs);
}

static void look(struct timer *t);

static void on_files(struct job *j)
{
	struct look *l = CONTAINER_OF(j, struct look, job);
	struct workers *w = l->workers;

	if (w == NULL) {
		free_look(l);
		return;
	}
	free_look(w->last);
	w->last = l;
	w->looking = NULL;
	make(w);
	timer_set(w->h->loop, &w->files_timer, WORKERS_FILES_MS, look);
}

static void look(struct timer *t)
{
	struct workers *w = CONTAINER_OF(t, struct workers, files_timer);
	struct look *l;

	if (!w->h->opts.attached) { /* no files of HiClaw's: what is known is in memory */
		make(w);
		timer_set(w->h->loop, t, WORKERS_FILES_MS, look);
		return;
	}
	l = must_alloc(sizeof(*l));
	l->workers = w;
	l->env = w->h->env;
	arena_init(&l->arena, EVIDENCE_ARENA_MAX);
	evidence_init(&l->found, &l->arena);
	w->looking = l;
	l->job = (struct job){.home = w->h->loop, .work = read_files, .on_done = on_files};
	jobs_submit(w->h->jobs, &l->job);
}

/* --- the controller ------------------------------------------------------------------------------------------------ */

static struct bytes told_copy(struct workers *w, struct bytes b)
{
	struct bytes copy = b.n != 0 ? arena_copy(&w->told_arena, b) : BYTES("");

	return copy.p != NULL ? copy : BYTES("");
}

static void take_answer(struct workers *w, const struct json_value *answer)
{
	size_t n = 0;

	arena_done(&w->told_arena);
	arena_init(&w->told_arena, KEPT_MAX);
	for (const struct json_value *v = controller_first(answer); v != NULL; v = v->next) {
		n++;
	}
	n = MIN(n, (size_t)EVIDENCE_WORKERS_MAX);
	w->told = arena_must(&w->told_arena, (n + 1) * sizeof(*w->told));
	w->n_told = 0;
	for (const struct json_value *v = controller_first(answer); v != NULL && w->n_told < n;
		v = v->next) {
		struct controller_worker c;

		if (controller_worker_read(v, &c)) {
			w->told[w->n_told++] =
				(struct told){told_copy(w, c.name), told_copy(w, c.phase),
					told_copy(w, c.state), told_copy(w, c.container_state),
					told_copy(w, c.runtime), told_copy(w, c.team),
					told_copy(w, c.room), told_copy(w, c.message)};
		}
	}
}

static void ask_controller(struct timer *t);

/* What it said last holds as long as it does not answer: a Worker does not go because its controller restarts. */
static void on_answer(struct controller_call *call)
{
	struct workers *w = call->arg;
	bool ok = call->rc == CONTROLLER_OK;

	if (ok) {
		take_answer(w, call->answer);
	} else if (w->controller != WORKERS_CONTROLLER_DOWN && w->h->env->controller_url_set) {
		log_warn("hiclaw", "the controller does not say which Workers there are: %s",
			call->why.text);
	}
	w->why = call->why;
	w->controller = ok                                        ? WORKERS_CONTROLLER_OK
		: w->h->env->controller_url_set || w->n_told != 0 ? WORKERS_CONTROLLER_DOWN
								  : WORKERS_NO_CONTROLLER;
	controller_call_done(call);
	w->calling = false;
	timer_set(w->h->loop, &w->controller_timer, WORKERS_CONTROLLER_MS, ask_controller);
}

static void ask_controller(struct timer *t)
{
	struct workers *w = CONTAINER_OF(t, struct workers, controller_timer);

	w->call = (struct controller_call){.on_done = on_answer, .arg = w};
	w->calling = true;
	controller_workers(w->h->controller, &w->call);
}

enum workers_controller workers_controller(const struct workers *w, struct bytes *why_out)
{
	*why_out = w->controller == WORKERS_CONTROLLER_OK ? BYTES("") : bytes_str(w->why.text);
	return w->controller;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static void on_record(void *arg, struct bytes target, const struct record *r)
{
	const struct workers *w = arg;

	switches_take_record(w->h->switches, target, r);
}

static void ask_engine(struct workers *w)
{
	const struct env *e = w->h->env;
	struct text prefix;

	text_init(&prefix, 2 * ENV_VALUE_MAX);
	text_addf(&prefix, BYTES_FMT "worker-", BYTES_ARG(e->resource_prefix));
	w->engine = engine_new(&(struct engine_opts){.loop = w->h->loop,
		.fetcher = w->h->fetcher,
		.socket = e->container_socket,
		.prefix = text_bytes(&prefix)});
	text_done(&prefix);
}

struct workers *workers_new(struct hiclaw *h)
{
	struct workers *w = must_alloc(sizeof(*w));

	w->h = h;
	timer_set(h->loop, &w->files_timer, 0, look);
	if (h->controller != NULL) {
		timer_set(h->loop, &w->controller_timer, 0, ask_controller);
	}
	if (h->opts.attached && h->env->container_socket.n != 0) {
		ask_engine(w);
	}
	if (h->s3 != NULL) {
		w->stored = stored_new(&(struct stored_opts){.loop = h->loop,
			.s3 = h->s3,
			.key_prefix = h->env->key_prefix,
			.on_record = on_record,
			.arg = w});
		w->tasks = stored_tasks_new(&(struct stored_tasks_opts){
			.loop = h->loop, .s3 = h->s3, .key_prefix = h->env->key_prefix});
	}
	return w;
}

void workers_free(struct workers *w)
{
	if (w == NULL) {
		return;
	}
	timer_clear(w->h->loop, &w->files_timer);
	timer_clear(w->h->loop, &w->controller_timer);
	if (w->calling) {
		controller_cancel(&w->call);
		controller_call_done(&w->call);
	}
	if (w->looking != NULL) {
		w->looking->workers = NULL;
	}
	engine_free(w->engine);
	stored_free(w->stored);
	stored_tasks_free(w->tasks);
	free_look(w->last);
	free_list(w->now);
	arena_done(&w->told_arena);
	free(w);
}
