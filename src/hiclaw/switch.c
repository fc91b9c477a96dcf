/*
 * The table of steps below is a switch, read from top to bottom. Steps up to `judge` change nothing. From there on
 * the assignment is kept as the intent before anything is changed (`intend`): a process that ends between any two
 * steps finds it at the next start, and the drift loop goes on to where the switch wanted to be. A step that fails has
 * what was done undone, in reverse.
 */
#include "hiclaw/switch_int.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "hiclaw/bridging.h"

static const struct switch_step steps[] = {
	{"validate", switch_plan_validate, NULL},
	{"test", switch_plan_test, NULL},
	{"plan-routes", switch_plan_routes, NULL},
	{"look", switch_cr_look, NULL},
	{"find", switch_config_find, NULL},
	{"read", switch_config_read, NULL},
	{"plan-config", switch_config_plan, NULL},
	{"judge", switch_judge, NULL},
	{"backup", switch_backup, NULL},
	{"intend", switch_intend, switch_intend_undo},
	{"routes", switch_routes, switch_routes_undo},
	{"verify", switch_verify, NULL},
	{"controller", switch_cr_set, switch_cr_undo},
	{"config", switch_config_write, switch_config_undo},
	{"record", switch_config_record, NULL},
	{"reload", switch_reload_step, NULL},
	{"finish", switch_finish, NULL},
};
#define LAST (ARRAY_LEN(steps) - 1)
#define PLAN_ROUTES 2u
#define RELOAD (LAST - 1)

static const char *const outcomes[] = {
	[OUTCOME_NONE] = "none",
	[OUTCOME_DONE] = "done",
	[OUTCOME_SKIPPED] = "skipped",
	[OUTCOME_WARNED] = "warned",
	[OUTCOME_FAILED] = "failed",
	[OUTCOME_UNDONE] = "undone",
	[OUTCOME_STUCK] = "not undone",
};

/* --- texts ------------------------------------------------------------------------------------------ */

PRINTF_LIKE(2, 0)
static struct bytes put_text(struct switch_run *r, const char *fmt, va_list ap)
{
	struct bytes out;
	struct text t;

	text_init(&t, 4096);
	text_addv(&t, fmt, ap);
	out = arena_copy(&r->arena, text_bytes(&t));
	text_done(&t);
	return out;
}

struct bytes switch_textf(struct switch_run *r, const char *fmt, ...)
{
	struct bytes out;
	va_list ap;

	va_start(ap, fmt);
	out = put_text(r, fmt, ap);
	va_end(ap);
	return out;
}

enum step_rc switch_fail(struct switch_run *r, enum hiclaw_code code, const char *fmt, ...)
{
	va_list ap;

	r->code = code;
	va_start(ap, fmt);
	r->why = put_text(r, fmt, ap);
	va_end(ap);
	return STEP_FAIL;
}

void switch_warn(struct switch_run *r, const char *code, const char *fmt, ...)
{
	struct bytes text;
	va_list ap;

	va_start(ap, fmt);
	text = put_text(r, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < r->n_warnings; i++) { /* said before it was planned again */
		if (bytes_eq(r->warnings[i].text, text)) {
			return;
		}
	}
	if (r->n_warnings < SWITCH_WARNINGS_MAX) {
		r->warnings[r->n_warnings++] = (struct switch_warning){code, text};
	}
}

void switch_outcome(struct switch_run *r, enum outcome_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r->outcomes[r->at] = (struct step_outcome){kind, put_text(r, fmt, ap)};
	va_end(ap);
}

/* --- the end ---------------------------------------------------------------------------------------- */

static void run_free(struct switch_run *r)
{
	list_remove(&r->link);
	ops_call_done(&r->ops);
	reach_done(&r->reach);
	activation_done(&r->activation);
	plan_free(r->foreign);
	switch_config_forget(r);
	s3_call_done(&r->s3_call);
	s3_edit_done(&r->s3_edit);
	controller_call_done(&r->cc);
	fetch_done(&r->fetch);
	arena_done(&r->arena);
	free(r);
}

static void run_free_later(void *p)
{
	run_free(p);
}

static void start_next(struct switches *s, struct bytes target);

static void put_steps(struct switch_run *r)
{
	struct arena *a = &r->arena;
	struct doc *list = doc_list(a);

	for (size_t i = 0; i <= LAST; i++) {
		struct doc *o = doc_map(a);

		if (r->outcomes[i].kind == OUTCOME_NONE) {
			continue;
		}
		doc_set(a, o, "name", doc_str(a, steps[i].name));
		doc_set(a, o, "outcome", doc_str(a, outcomes[r->outcomes[i].kind]));
		if (r->outcomes[i].note.n != 0) {
			doc_set(a, o, "note", doc_string(a, r->outcomes[i].note));
		}
		doc_append(a, list, o);
	}
	if (r->details == NULL) {
		r->details = doc_map(a);
	}
	doc_set(a, r->details, "steps", list);
}

static void end(struct switch_run *r)
{
	struct switches *s = r->s;
	struct switch_request *rq = r->rq;

	put_steps(r);
	if (r->code != HICLAW_OK && !r->only_reload) {
		switch_finish_failed(r);
	}
	if (rq != NULL) {
		switch_answer(r);
		rq->run = NULL;
		r->rq = NULL;
	}
	list_remove(&r->link);
	list_init(&r->link);
	drift_ended(s->drift, r);
	start_next(s, r->ask.target);
	loop_free_later(r->h->loop, r, run_free_later);
	if (rq != NULL) {
		rq->on_done(rq);
	}
}

/* --- steps ------------------------------------------------------------------------------------------ */

int switch_fault(const char *step)
{
	const char *want = getenv("SLUICE_FAULT_SWITCH");
	struct bytes how = bytes_str(want), name;

	if (want == NULL) {
		return 0;
	}
	name = bytes_cut(&how, '=');
	if (!bytes_eq(name, bytes_str(step))) {
		return 0;
	}
	return bytes_eq(how, BYTES("crash")) ? 2 : bytes_eq(how, BYTES("fail")) ? 1 : 0;
}

static enum step_rc run_step(struct switch_run *r)
{
	const struct switch_step *step = &steps[r->at];

	switch (switch_fault(step->name)) {
	case 2:
		_exit(97);
	case 1:
		return switch_fail(r, HICLAW_INTERNAL, "step %s failed by order", step->name);
	default:
		return step->run(r);
	}
}

/* What a step came to. False: nothing is to be done until somebody resumes. */
static bool take(struct switch_run *r, enum step_rc rc)
{
	struct step_outcome *o = &r->outcomes[r->at];

	switch (rc) {
	case STEP_WAIT:
		r->waiting = true;
		return false;
	case STEP_FAIL:
		*o = (struct step_outcome){OUTCOME_FAILED, r->why};
		r->undoing = true;
		return true;
	case STEP_PLAN:
		r->at = PLAN_ROUTES;
		return true;
	case STEP_END:
		r->at = LAST;
		return true;
	case STEP_NEXT:
		break;
	}
	if (o->kind == OUTCOME_NONE) {
		o->kind = OUTCOME_DONE;
	}
	r->at++;
	return true;
}

/* Undoes the next step above that changed something. */
static bool take_back(struct switch_run *r, enum step_rc rc)
{
	struct step_outcome *o = &r->outcomes[r->at];

	if (rc == STEP_WAIT) {
		r->waiting = true;
		return false;
	}
	if (rc != STEP_END) {
		o->kind = rc == STEP_NEXT ? OUTCOME_UNDONE : OUTCOME_STUCK;
		r->partial = r->partial || rc != STEP_NEXT;
	}
	r->at--; /* the first step has nothing to undo */
	return true;
}

static bool is_to_undo(const struct switch_run *r)
{
	enum outcome_kind k = r->outcomes[r->at].kind;

	return steps[r->at].undo != NULL &&
		(k == OUTCOME_DONE || k == OUTCOME_WARNED || k == OUTCOME_FAILED);
}

static void go(struct switch_run *r)
{
	bool on = true;

	while (on && !r->undoing && r->at <= (r->only_reload ? RELOAD : LAST)) {
		on = take(r, run_step(r));
	}
	while (on && r->undoing) {
		while (r->at > 0 && !is_to_undo(r)) {
			r->at--;
		}
		if (r->at == 0) {
			break;
		}
		on = take_back(r, steps[r->at].undo(r));
	}
	if (on) {
		end(r);
	}
}

void switch_resume(struct switch_run *r, enum step_rc rc)
{
	if (r->s->stopped) {
		return;
	}
	ASSERT(r->waiting && rc != STEP_WAIT);
	r->waiting = false;
	if (r->undoing) {
		IGNORE(take_back(r, rc)); /* it does not wait */
	} else {
		IGNORE(take(r, rc));
	}
	go(r);
}

static void on_job(struct job *j)
{
	struct switch_run *r = CONTAINER_OF(j, struct switch_run, job);

	if (!r->s->stopped) {
		r->on_job(j);
	}
}

void switch_job(struct switch_run *r, void (*work)(struct job *j), void (*on_done)(struct job *j))
{
	if (!r->s->stopped) {
		r->on_job = on_done;
		r->job = (struct job){.home = r->h->loop, .work = work, .on_done = on_job};
		jobs_submit(r->h->jobs, &r->job);
	}
}

/* --- the queue ---------------------------------------------------------------------------------------- */

static void on_start(struct task *t)
{
	struct switch_run *r = CONTAINER_OF(t, struct switch_run, start);
	const struct agent *a = agents_find(r->h->agents, r->ask.target);
	struct bytes *texts[] = {&r->before.target, &r->before.provider, &r->before.model,
		&r->before.asked, &r->before.configured, &r->before.cr_model, &r->before.observed,
		&r->before.reason, &r->before.former, &r->before.bridge_from};

	r->was_there = a != NULL;
	if (a != NULL) {
		r->before = *a;
	} else {
		r->before = (struct agent){.target = r->ask.target, .synced = true};
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		*texts[i] = arena_copy(&r->arena, *texts[i]);
	}
	go(r);
}

static void start_next(struct switches *s, struct bytes target)
{
	for (struct list *i = s->runs.next; i != &s->runs; i = i->next) {
		struct switch_run *r = CONTAINER_OF(i, struct switch_run, link);

		if (bytes_eq(r->ask.target, target)) {
			if (!r->started) {
				r->started = true;
				loop_again(s->h->loop, &r->start, on_start);
			}
			return;
		}
	}
}

static struct switch_run *run_new(struct switches *s, struct switch_request *rq)
{
	struct switch_run *r = must_alloc(sizeof(*r));
	struct bytes *texts[] = {&r->ask.target, &r->ask.provider, &r->ask.model, &r->ask.if_match,
		&r->ask.actor, &r->ask.peer};

	r->s = s;
	r->h = s->h;
	r->rq = rq;
	arena_init(&r->arena, SWITCH_ARENA_MAX);
	r->ask = *rq;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		*texts[i] = arena_copy(&r->arena, *texts[i]);
	}
	r->manager = bytes_eq(r->ask.target, BYTES("manager"));
	r->consumer = hybrid_consumer(&r->arena, r->ask.target);
	r->synced = true;
	rq->run = r;
	list_append(&s->runs, &r->link);
	return r;
}

/* In its turn; one too many at once, to be told so. */
static void enqueue(struct switch_run *r)
{
	size_t n = 0;

	for (struct list *i = r->s->runs.next; i != &r->s->runs; i = i->next) {
		n++;
	}
	r->flooded = n > SWITCH_RUNS_MAX;
	if (r->flooded) {
		r->started = true;
		loop_again(r->h->loop, &r->start, on_start);
	} else {
		start_next(r->s, r->ask.target);
	}
}

void switch_start(struct switches *s, struct switch_request *rq)
{
	enqueue(run_new(s, rq));
}

void switch_reload(struct switches *s, struct switch_request *rq)
{
	struct switch_run *r = run_new(s, rq);

	r->reload_asked = true;
	r->only_reload = r->manager;
	r->at = r->manager ? RELOAD : 0;
	r->ask.why = SWITCH_IDLE;
	enqueue(r);
}

void switch_forget(struct switch_request *rq)
{
	if (rq->run != NULL) {
		rq->run->rq = NULL;
		rq->run = NULL;
	}
}

bool switch_is_writing(const struct switches *s, struct bytes target)
{
	for (struct list *i = s->runs.next; i != &s->runs; i = i->next) {
		const struct switch_run *r = CONTAINER_OF(i, struct switch_run, link);

		if (r->intended && bytes_eq(r->ask.target, target)) {
			return true;
		}
	}
	return false;
}

bool switch_is_busy(const struct switch_run *r)
{
	struct usage_consumer u;

	return r->s->world.consumer(r->h, r->consumer, &u) &&
		(u.in_flight > 0 || u.last_ms + STATE_BUSY_MS > r->s->world.wall_ms());
}

/* --- life ----------------------------------------------------------------------------------------------- */

static int resolve_here(struct hiclaw *h, const struct resolve_request *rq, struct arena *a,
	struct resolve_answer *out)
{
	const struct plan *p = gateway_plan(h->gateway);

	return p != NULL ? resolve_model(p, rq, a, out) : ERR_NOT_FOUND;
}

static bool consumer_here(struct hiclaw *h, struct bytes consumer, struct usage_consumer *out)
{
	return h->usage != NULL && usage_consumer(h->usage, consumer, out);
}

struct switches *switches_new(struct hiclaw *h)
{
	struct switches *s = must_alloc(sizeof(*s));
	struct fault why = {0};

	*s = (struct switches){.h = h,
		.world = {.reach = reach_start,
			.reach_cancel = reach_cancel,
			.resolve = resolve_here,
			.consumer = consumer_here,
			.wall_ms = clock_wall_ms,
			.bridges = h->opts.remote == NULL ? bridges_set : NULL,
			.bridge_ended = bridges_ended},
		.alive_ms = SWITCH_ALIVE_MS,
		.lock_dir = must_path(h->opts.state_dir, "locks"),
		.backup_dir = must_path(h->opts.state_dir, "agent-backups")};
	if (file_make_dir(s->lock_dir, 0700, &why) != 0) {
		log_warn("hiclaw", "configuration cannot be written: %s", why.text);
	}
	list_init(&s->runs);
	s->drift = drift_new(s);
	return s;
}

void switches_bridge(struct switches *s)
{
	bridging_apply(s);
}

void switches_look(struct switches *s)
{
	drift_look(s->drift);
}

void switches_take_record(struct switches *s, struct bytes target, const struct record *r)
{
	if (!s->stopped) {
		drift_take_record(s->drift, target, r);
	}
}

void switches_stop(struct switches *s)
{
	s->stopped = true;
	drift_stop(s->drift);
	for (struct list *i = s->runs.next; i != &s->runs; i = i->next) {
		struct switch_run *r = CONTAINER_OF(i, struct switch_run, link);

		timer_clear(s->h->loop, &r->timer);
		loop_again_cancel(&r->start);
		IGNORE(write_cancel(&r->ops.write)); /* the queue has ended */
		if (r->reaching) {
			s->world.reach_cancel(&r->reach);
		}
		activation_cancel(&r->activation);
	}
}

void switches_free(struct switches *s)
{
	if (s == NULL) {
		return;
	}
	drift_free(s->drift);
	while (!list_empty(&s->runs)) {
		struct switch_run *r = CONTAINER_OF(s->runs.next, struct switch_run, link);

		if (r->rq != NULL) {
			drift_drop(r->rq);
		}
		run_free(r);
	}
	free(s->lock_dir);
	free(s->backup_dir);
	free(s);
}
