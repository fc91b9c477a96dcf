/*
 * Between the last look and sleep nothing can be missed: who waits is counted before it looks once more, and who gives a
 * place back looks at the count behind it. A worker is woken by a post; when nobody there waits any more the post goes on
 * to the next worker that has somebody.
 */
#include "proxy/concurrency.h"

#include <limits.h>
#include <stdlib.h>

#include "proxy/gateway_int.h"
#include "proxy/intake.h"

#define COUNT_BITS 24u
#define PROBES 16u

/* --- consumers ---------------------------------------------------------------------------------- */

static uint64_t tag_of(const struct exchange *x, const struct lane *upstream)
{
	struct hash_seed seed = {upstream->key[0], upstream->key[1]};

	return hash_bytes(&seed, x->rq->consumer->name) >> COUNT_BITS;
}

#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

/* Where the consumer is counted, if anywhere: a place before that may have come free since. */
static unsigned first_probe(const struct concurrency_consumers *all, uint64_t tag)
{
	for (unsigned i = 0; i < PROBES; i++) {
		uint64_t seen = atomic_load(&all->v[(tag + i) % CONCURRENCY_CONSUMERS]);

		if (seen >> COUNT_BITS == tag && (seen & COUNT_MASK) != 0) {
			return i;
		}
	}
	return 0;
}

/* Whether one more is allowed; *place: where it is counted, NULL when the table is full of others. */
static bool take_consumer(
	struct concurrency_consumers *all, uint64_t tag, unsigned max, _Atomic uint64_t **place)
{
	for (unsigned i = first_probe(all, tag); i < PROBES; i++) {
		_Atomic uint64_t *at = &all->v[(tag + i) % CONCURRENCY_CONSUMERS];
		uint64_t seen = atomic_load(at);

		*place = at;
		for (;;) {
			uint64_t n = seen & COUNT_MASK;

			if (n != 0 && seen >> COUNT_BITS != tag) {
				break; /* somebody else's */
			}
			if (n >= max) {
				return false;
			}
			if (atomic_compare_exchange_weak(at, &seen, tag << COUNT_BITS | (n + 1))) {
				return true;
			}
		}
	}
	*place = NULL;
	return true;
}

/* --- places ------------------------------------------------------------------------------------- */

static bool take_one(struct lane *l, unsigned max)
{
	unsigned used = atomic_load(&l->used);

	do {
		if (used >= max) {
			return false;
		}
	} while (!atomic_compare_exchange_weak(&l->used, &used, used + 1));
	return true;
}

/* Each part is given back when a later one cannot be had. */
static bool take_all(struct exchange *x, const struct concurrency *c, struct lane *upstream,
	struct lane *credential)
{
	struct places *p = &x->places;
	_Atomic uint64_t *own;

	x->rq->own_full = NULL;
	/* Counted without a cap too: as long as it is used a lane is not dropped. */
	if (!take_one(upstream, c->upstream != 0 ? c->upstream : UINT_MAX)) {
		return false;
	}
	p->upstream = upstream;
	if (c->credential != 0 && credential != NULL) {
		if (!take_one(credential, c->credential)) {
			return false;
		}
		p->credential = credential;
	}
	if (c->consumer == 0 || x->rq->consumer == NULL) {
		return true;
	}
	if (!take_consumer(x->w->gateway->consumers, tag_of(x, upstream), c->consumer, &own)) {
		x->rq->own_full = own;
		return false;
	}
	p->consumer = own;
	return true;
}

static void give_counts(struct places *p)
{
	if (p->upstream != NULL) {
		atomic_fetch_sub(&p->upstream->used, 1);
	}
	if (p->credential != NULL) {
		atomic_fetch_sub(&p->credential->used, 1);
	}
	if (p->consumer != NULL) {
		atomic_fetch_sub(p->consumer, 1);
	}
	*p = (struct places){.upstream = NULL};
}

/* --- those that wait ---------------------------------------------------------------------------- */

/* Who is looked for: somebody who waits at the lane, for a place of that consumer or (NULL) of anybody's. The search goes
 * round the workers once, beginning with `from`. */
struct wanted {
	struct lane *lane;
	_Atomic uint64_t *own;
	unsigned from;
};

struct call {
	struct post post;
	struct worker *w;
	struct wanted wanted;
};

static void on_call(struct post *p);

static void call_worker(struct gateway *g, unsigned i, const struct wanted *who)
{
	struct call *c = must_alloc(sizeof(*c));

	c->w = g->workers[i];
	c->wanted = *who;
	loop_post(c->w->loop, &c->post, on_call);
}

/* The next worker behind this one that has somebody. */
static void pass_on(struct worker *w, const struct wanted *who)
{
	uint64_t workers = atomic_load(&who->lane->waiting_workers);
	unsigned done = (w->index + WORKERS_MAX - who->from) % WORKERS_MAX;

	for (unsigned i = done + 1; i < WORKERS_MAX; i++) {
		unsigned at = (who->from + i) % WORKERS_MAX;

		if ((workers >> at & 1) != 0) {
			call_worker(w->gateway, at, who);
			return;
		}
	}
}

static void on_turn(struct task *t)
{
	exchange_wake(CONTAINER_OF(t, struct exchange, again));
}

static void wake_one(struct worker *w, const struct wanted *who)
{
	bool any = false;

	for (struct list *at = w->queue.next; at != &w->queue; at = at->next) {
		struct request *rq = CONTAINER_OF(at, struct request, wait_link);

		if (rq->waits_for != who->lane) {
			continue;
		}
		any = true;
		if (rq->waits_own == who->own && !rq->called) {
			rq->called = true;
			loop_again(w->loop, &rq->x->again, on_turn);
			return;
		}
	}
	if (!any) {
		atomic_fetch_and(&who->lane->waiting_workers, ~(UINT64_C(1) << w->index));
	}
	pass_on(w, who);
}

static void on_call(struct post *p)
{
	struct call *c = CONTAINER_OF(p, struct call, post);

	wake_one(c->w, &c->wanted);
	free(c);
}

static void give(struct worker *w, struct places *p)
{
	struct lane *line = p->upstream;
	_Atomic uint64_t *own = p->consumer;

	if (line == NULL) {
		return;
	}
	give_counts(p);
	if (atomic_load(&line->waiting) != 0) {
		wake_one(w, &(struct wanted){line, NULL, w->index});
	}
	if (own != NULL && atomic_load(&line->waiting_own) != 0) {
		wake_one(w, &(struct wanted){line, own, w->index});
	}
}

void concurrency_give(struct exchange *x)
{
	give(x->w, &x->places);
}

void concurrency_give_former(struct exchange *x)
{
	const struct lane_slot *up = x->rq->course.to->upstream;

	if (up == NULL || up->lane != x->places.upstream) {
		give(x->w, &x->places);
	}
}

/* Another attempt at the same upstream: its place there is kept, that at the credential changes. */
static bool take_credential(struct exchange *x, unsigned max, struct lane *credential)
{
	struct places *p = &x->places;

	if (credential == p->credential || max == 0) {
		return true;
	}
	if (credential != NULL && !take_one(credential, max)) {
		return false;
	}
	if (p->credential != NULL) {
		atomic_fetch_sub(&p->credential->used, 1);
	}
	p->credential = credential;
	if (atomic_load(&p->upstream->waiting) != 0) {
		wake_one(x->w, &(struct wanted){p->upstream, NULL, x->w->index});
	}
	return true;
}

bool concurrency_take(void *of, const struct destination *to, struct lane *credential)
{
	struct exchange *x = of;
	const struct concurrency *c = &to->provider->concurrency;
	struct lane *upstream = to->upstream != NULL ? to->upstream->lane : NULL;
	struct places before = x->places;

	if (upstream == NULL) {
		return true;
	}
	if (before.upstream == upstream) {
		return take_credential(x, c->credential, credential);
	}
	/* Nobody overtakes those that wait. */
	if (x->rq->waits_for == NULL && atomic_load(&upstream->waiting) != 0) {
		x->rq->own_full = NULL;
		return false;
	}
	x->places = (struct places){.upstream = NULL};
	if (!take_all(x, c, upstream, credential)) {
		give_counts(&x->places);
		x->places = before;
		return false;
	}
	give(x->w, &before);
	return true;
}

/* The queue that it stands in: each has its length. */
static atomic_uint *queue_of(struct lane *l, const struct request *rq)
{
	return rq->waits_own != NULL ? &l->waiting_own : &l->waiting;
}

void concurrency_unqueue(struct exchange *x)
{
	struct request *rq = x->rq;

	atomic_fetch_sub(queue_of(rq->waits_for, rq), 1);
	rq->waits_for = NULL;
	list_remove(&rq->wait_link);
	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
}

static enum verdict refuse(struct exchange *x)
{
	const struct provider *p = x->rq->course.to->provider;

	concurrency_leave(x);
	if (exchange_is_late(x)) {
		return reply_set(x, 504, "upstream.timeout", "%s",
			intake_late(x, "no place came free in time"));
	}
	x->rq->reply.retry_after_s = CONCURRENCY_RETRY_S;
	return reply_set(x, 429, "upstream.busy",
		"as many requests as provider %.*s may have are under way; try again in a moment",
		BYTES_ARG(texts_cut(p->id)));
}

static bool join(struct exchange *x, const struct concurrency *c)
{
	struct request *rq = x->rq;
	struct lane *l = rq->course.to->upstream->lane;

	rq->waits_own = rq->own_full;
	if (atomic_fetch_add(queue_of(l, rq), 1) >= c->queue) {
		atomic_fetch_sub(queue_of(l, rq), 1);
		return false;
	}
	rq->waits_for = l;
	rq->queue_ends_ms = loop_now_ms(x->w->loop) + c->queue_ms;
	list_append(&x->w->queue, &rq->wait_link);
	return true;
}

/* It looked, and may have found that something else is full now. */
static void stand_where_it_is_full(struct request *rq)
{
	if ((rq->own_full != NULL) != (rq->waits_own != NULL)) {
		atomic_fetch_sub(queue_of(rq->waits_for, rq), 1);
		rq->waits_own = rq->own_full;
		atomic_fetch_add(queue_of(rq->waits_for, rq), 1);
	}
	rq->waits_own = rq->own_full;
}

enum verdict concurrency_wait(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct concurrency *c = &rq->course.to->provider->concurrency;
	uint64_t now = loop_now_ms(x->w->loop);
	bool joins = rq->waits_for == NULL;

	if (joins ? !join(x, c) : now >= rq->queue_ends_ms || exchange_is_late(x)) {
		return refuse(x);
	}
	stand_where_it_is_full(rq);
	rq->called = false;
	atomic_fetch_or(&rq->waits_for->waiting_workers, UINT64_C(1) << x->w->index);
	x->timed_out = false;
	exchange_deadline(x, MAX(1, MIN(CONCURRENCY_LOOK_MS, rq->queue_ends_ms - now)));
	return joins ? VERDICT_AGAIN : VERDICT_WAIT; /* who has joined looks once more */
}
