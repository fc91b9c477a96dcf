/*
 * Every 2 seconds what agents ask for is compared with what they shall, and what waits (a Worker that works, a storage
 * that was down) is tried again; every 60 seconds, and when asked, each assignment is looked at by a run of the table
 * of steps that ends at `judge` when nothing has drifted. A few runs at a time.
 */
#include "hiclaw/switch_int.h"

#include <stdlib.h>

#include "base/below.h"
#include "base/log.h"
#include "hiclaw/bridging.h"
#include "hiclaw/config_watch.h"
#include "hiclaw/names.h"

#define TICK_MS 2000u
#define FIRST_TICK_MS 1000u /* what a crash has left is mended soon */
#define LOOK_MS 60000u
/* The first exports of a storage that is down come after this, then at double the time. */
#define RETRY_MS 5000u
#define RETRY_MAX_MS 300000u
/* After a change at the controller its generated configuration is waited for that long. */
#define SETTLE_MS 120000u
#define SETTLE_EACH_MS 10000u
#define RUNS_MAX 4u
#define STRANGERS_MAX 64u
#define RECORDS_MAX 1000u
#define NAME_ROOM 64u

struct follow { /* of one target: what memory alone has */
	struct list link;
	char target[NAME_ROOM];
	bool wanted, running;
	uint64_t retry_at, retry_ms;
	uint64_t settle_until, settle_at;
};

struct own { /* a run that nobody asked for */
	struct switch_request rq;
	struct drift *drift;
	struct arena arena;
	char target[NAME_ROOM];
	uint64_t adopted_us; /* of the record that it adopts; 0: none */
};

struct stranger { /* a record of a target that has no assignment */
	struct bytes target;
	struct record record;
};

struct scan { /* on a jobs thread */
	struct job job;
	struct drift *drift; /* NULL: the loop has ended */
	struct arena arena;
	char *dir;
	struct below agents;
	struct stranger v[RECORDS_MAX];
	size_t n;
};

struct drift {
	struct switches *s;
	struct timer tick;
	struct list follows;
	uint64_t look_at;
	unsigned running;
	struct scan *scan;
	struct config_watch *watch; /* NULL: no configuration was found yet */
	bool unwatched;             /* it cannot be watched */
	uint64_t watched_ms;        /* when a change was looked at without delay */
};

static void start_wanted(struct drift *d);

/* --- targets ------------------------------------------------------------------------------------------ */

static struct follow *find(struct drift *d, struct bytes target)
{
	for (struct list *i = d->follows.next; i != &d->follows; i = i->next) {
		struct follow *f = CONTAINER_OF(i, struct follow, link);

		if (bytes_eq(bytes_str(f->target), target)) {
			return f;
		}
	}
	return NULL;
}

/* Made when it is new. */
static struct follow *follow(struct drift *d, struct bytes target)
{
	struct follow *f = find(d, target);

	if (f != NULL) {
		return f;
	}
	f = must_alloc(sizeof(*f));
	f->retry_ms = RETRY_MS;
	if (target.n < NAME_ROOM) {
		memcpy(f->target, target.p, target.n);
	}
	list_append(&d->follows, &f->link);
	return f;
}

/* --- runs ------------------------------------------------------------------------------------------------ */

static void own_free(void *p)
{
	struct own *o = p;

	arena_done(&o->arena);
	free(o);
}

bool switch_may_become_good(enum hiclaw_code code)
{
	return code == HICLAW_PROVIDER_NOT_FOUND || code == HICLAW_NO_API_KEY;
}

/* A record that was not adopted is not looked at again, and overwritten where there is an assignment; one that waits
 * for its provider is, and that is said once. */
static void refuse_record(struct drift *d, const struct own *o)
{
	struct agents *all = d->s->h->agents;
	struct bytes target = bytes_str(o->target);
	const struct agent *now = agents_find(all, target);
	struct agent v = now != NULL ? *now : (struct agent){.target = target};
	bool waits = !v.assigned && switch_may_become_good(o->rq.code);

	if (waits && bytes_eq(v.reason, o->rq.why_text)) {
		return;
	}
	v.updated_us = waits ? v.updated_us : MAX(v.updated_us, o->adopted_us);
	if (!v.assigned) {
		v.state = AGENT_FAILED;
		v.reason = o->rq.why_text;
	}
	v.synced = v.synced && !v.assigned;
	agents_put(all, &v, NULL);
	log_warn("hiclaw",
		"the record of %s was written by others and is not adopted%s: " BYTES_FMT,
		o->target, waits ? " yet" : "", BYTES_ARG(o->rq.why_text));
}

static void on_own_done(struct switch_request *rq)
{
	struct own *o = rq->arg;
	struct drift *d = o->drift;

	if (rq->code != HICLAW_OK && o->adopted_us != 0) {
		refuse_record(d, o);
	}
	d->running--;
	loop_free_later(d->s->h->loop, o, own_free);
	start_wanted(d);
}

void drift_drop(struct switch_request *rq)
{
	if (rq->on_done == on_own_done) {
		own_free(rq->arg);
	} else {
		rq->run = NULL;
	}
}

static struct own *own_new(struct drift *d, struct bytes target, enum switch_why why)
{
	struct own *o = must_alloc(sizeof(*o));

	o->drift = d;
	arena_init(&o->arena, (size_t)16 << 20);
	ASSERT(target.n < NAME_ROOM);
	memcpy(o->target, target.p, target.n);
	o->rq = (struct switch_request){.target = bytes_str(o->target),
		.why = why,
		.apply = d->s->h->env->apply,
		.actor = BYTES("sluice"),
		.on_done = on_own_done,
		.arg = o,
		.arena = &o->arena};
	return o;
}

static void own_start(struct own *o)
{
	o->drift->running++;
	follow(o->drift, bytes_str(o->target))->running = true;
	switch_start(o->drift->s, &o->rq);
}

static void look_at(struct drift *d, struct bytes target, enum switch_why why)
{
	own_start(own_new(d, target, why));
}

static void adopt(struct drift *d, struct bytes target, const struct record *rec)
{
	struct own *o = own_new(d, target, SWITCH_ADOPTED);

	o->rq.provider = arena_copy(&o->arena, rec->provider);
	o->rq.model = arena_copy(&o->arena, rec->model);
	o->rq.wish.given = rec->traits;
	o->adopted_us = rec->updated_us;
	own_start(o);
}

static void start_wanted(struct drift *d)
{
	for (struct list *i = d->follows.next; i != &d->follows; i = i->next) {
		struct follow *f = CONTAINER_OF(i, struct follow, link);

		if (d->running >= RUNS_MAX) {
			return;
		}
		if (f->wanted && !f->running) {
			f->wanted = false;
			look_at(d, bytes_str(f->target), SWITCH_DRIFT);
		}
	}
}

/* At once, or when one has just been looked at with the next tick: our own writes come back too. */
static void on_config(void *arg)
{
	struct drift *d = arg;
	uint64_t now = loop_now_ms(d->s->h->loop);

	follow(d, BYTES("manager"))->wanted = true;
	if (d->watched_ms == 0 || now - d->watched_ms >= TICK_MS) {
		d->watched_ms = now;
		start_wanted(d);
	}
}

static void watch_config(struct drift *d, const struct switch_run *r)
{
	if (d->watch == NULL && !d->unwatched && r->found.config_path.n != 0) {
		d->watch = config_watch_new(
			d->s->h->loop, d->s->h->jobs, r->found.config_path.p, on_config, d);
		d->unwatched = d->watch == NULL;
	}
}

static void plan_retry(struct follow *f, bool synced, uint64_t now)
{
	f->retry_at = synced ? 0 : now + f->retry_ms;
	f->retry_ms = synced ? RETRY_MS : MIN(f->retry_ms * 2, RETRY_MAX_MS);
}

void drift_ended(struct drift *d, const struct switch_run *r)
{
	const struct agent *v = agents_find(d->s->h->agents, r->ask.target);
	struct follow *f = find(d, r->ask.target);
	uint64_t now = loop_now_ms(d->s->h->loop);

	if (f == NULL && v == NULL) {
		return; /* nobody that is kept in mind */
	}
	watch_config(d, r);
	f = follow(d, r->ask.target);
	f->running = false;
	if (r->ask.dry_run || r->only_reload) {
		return;
	}
	plan_retry(f, v == NULL || !v->assigned || (v->synced && !v->pending_apply), now);
	if (r->cr.set && !r->undoing) {
		f->settle_until = now + SETTLE_MS;
		f->settle_at = now + SETTLE_EACH_MS;
	}
	if (r->adopt_from != NULL) {
		log_info("hiclaw", "the model of " BYTES_FMT " is adopted from %s: " BYTES_FMT,
			BYTES_ARG(r->ask.target), r->adopt_from, BYTES_ARG(r->adopt.model));
		adopt(d, r->ask.target, &r->adopt);
	}
}

/* --- records of others -------------------------------------------------------------------------------- */

/* As many at once as a directory that is copied here brings; the others' turn comes with a later look, before the
 * queue of switches is full of them. */
void drift_take_record(struct drift *d, struct bytes target, const struct record *r)
{
	const struct agent *a = agents_find(d->s->h->agents, target);
	bool is_new = a == NULL || (!a->assigned && a->updated_us < r->updated_us);

	if (is_new && d->running < STRANGERS_MAX && !follow(d, target)->running) {
		adopt(d, target, r);
	}
}

static bool read_stranger(void *arg, const char *name)
{
	struct scan *s = arg;
	struct bytes target = bytes_str(name);
	char path[NAME_ROOM + 16];
	struct stranger *v = &s->v[s->n];
	struct text t;

	if (!names_is_worker(target) && !bytes_eq(target, BYTES("manager"))) {
		return true;
	}
	text_init(&t, RECORD_TEXT_MAX + 1);
	memcpy(path, target.p, target.n);
	memcpy(path + target.n, "/model.json", sizeof("/model.json"));
	if (below_read(&s->agents, path, RECORD_TEXT_MAX, &t, NULL) == 0 &&
		record_read(&s->arena, arena_copy(&s->arena, text_bytes(&t)), &v->record, NULL) ==
			0) {
		v->target = arena_copy(&s->arena, target);
		s->n++;
	}
	text_done(&t);
	return s->n < RECORDS_MAX;
}

static void scan(struct job *j)
{
	struct scan *s = CONTAINER_OF(j, struct scan, job);

	if (below_open(&s->agents, s->dir, NULL) == 0) {
		IGNORE(below_list(&s->agents, "", RECORDS_MAX, read_stranger, s));
		below_close(&s->agents);
	}
}

static void scan_free(struct scan *s)
{
	arena_done(&s->arena);
	free(s->dir);
	free(s);
}

static void on_scanned(struct job *j)
{
	struct scan *s = CONTAINER_OF(j, struct scan, job);
	struct drift *d = s->drift;

	if (d == NULL) {
		scan_free(s);
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		drift_take_record(d, s->v[i].target, &s->v[i].record);
	}
	d->scan = NULL;
	scan_free(s);
}

static void start_scan(struct drift *d)
{
	struct hiclaw *h = d->s->h;
	struct scan *s;

	if (d->scan != NULL || !h->opts.attached || h->env->agents_dir.n == 0) {
		return;
	}
	s = must_alloc(sizeof(*s));
	s->drift = d;
	s->dir = bytes_dup(h->env->agents_dir);
	arena_init(&s->arena, RECORDS_MAX * RECORD_TEXT_MAX);
	s->job = (struct job){.home = h->loop, .work = scan, .on_done = on_scanned};
	d->scan = s;
	jobs_submit(h->jobs, &s->job);
}

/* --- the clock -------------------------------------------------------------------------------------------- */

/* What the gateway saw it ask for, since the last time. */
static void observe(struct drift *d, const struct agent *a)
{
	struct agent v = *a;
	struct arena room;

	arena_init(&room, 4096);
	switch_observe(d->s, hybrid_consumer(&room, a->target), &v);
	arena_done(&room);
	if (v.state == AGENT_PENDING || v.state == AGENT_APPLIED) {
		v.state = switch_state(&v);
	}
	if (v.state != a->state || !bytes_eq(v.observed, a->observed)) {
		bool told = v.state != a->state;

		if (told) {
			switch_tell(d->s, &v);
		}
		agents_note(d->s->h->agents, &v); /* texts of the old one end here */
	}
}

static bool is_idle(struct drift *d, const struct agent *a)
{
	struct usage_consumer u;
	struct arena room;
	bool busy;

	arena_init(&room, 4096);
	busy = d->s->world.consumer(d->s->h, hybrid_consumer(&room, a->target), &u) &&
		(u.in_flight > 0 || u.last_ms + STATE_BUSY_MS > d->s->world.wall_ms());
	arena_done(&room);
	return !busy;
}

static void check(struct drift *d, const struct agent *a, uint64_t now)
{
	struct follow *f = follow(d, a->target);

	if (f->running || !a->assigned) {
		return;
	}
	if (a->pending_apply && f->retry_at == 0 && is_idle(d, a)) {
		f->retry_at = now + f->retry_ms; /* unless it succeeds */
		f->retry_ms = MIN(f->retry_ms * 2, RETRY_MAX_MS);
		look_at(d, a->target, SWITCH_IDLE);
		return;
	}
	if (f->retry_at != 0 && now >= f->retry_at) {
		f->retry_at = 0;
		f->wanted = !a->synced || f->wanted;
	}
	if (now < f->settle_until && now >= f->settle_at) {
		f->settle_at = now + SETTLE_EACH_MS;
		f->wanted = true;
	}
}

static void observe_all(struct drift *d)
{
	const struct agents *all = d->s->h->agents;

	for (size_t i = 0; i < agents_count(all); i++) {
		observe(d, agents_at(all, i));
	}
}

static void look_at_all(struct drift *d)
{
	const struct agents *all = d->s->h->agents;

	d->look_at = loop_now_ms(d->s->h->loop) + LOOK_MS;
	for (size_t i = 0; i < agents_count(all); i++) {
		if (agents_at(all, i)->assigned) {
			follow(d, agents_at(all, i)->target)->wanted = true;
		}
	}
	start_scan(d);
}

static void on_tick(struct timer *t)
{
	struct drift *d = CONTAINER_OF(t, struct drift, tick);
	const struct agents *all = d->s->h->agents;
	uint64_t now = loop_now_ms(d->s->h->loop);

	observe_all(d);
	bridging_look(d->s);
	for (size_t i = 0; i < agents_count(all); i++) {
		check(d, agents_at(all, i), now);
	}
	if (now >= d->look_at) {
		look_at_all(d);
	}
	start_wanted(d);
	timer_set(d->s->h->loop, &d->tick, TICK_MS, on_tick);
}

void drift_look(struct drift *d)
{
	observe_all(d);
	look_at_all(d);
	start_wanted(d);
}

struct drift *drift_new(struct switches *s)
{
	struct drift *d = must_alloc(sizeof(*d));

	d->s = s;
	list_init(&d->follows);
	timer_set(s->h->loop, &d->tick, FIRST_TICK_MS, on_tick);
	return d;
}

void drift_stop(struct drift *d)
{
	timer_clear(d->s->h->loop, &d->tick);
	config_watch_stop(d->watch);
	if (d->scan != NULL) {
		d->scan->drift = NULL;
		d->scan = NULL;
	}
}

void drift_free(struct drift *d)
{
	while (!list_empty(&d->follows)) {
		struct follow *f = CONTAINER_OF(d->follows.next, struct follow, link);

		list_remove(&f->link);
		free(f);
	}
	config_watch_free(d->watch);
	free(d);
}
