/*
 * A question to each worker is a post; the worker's answer is made in slices and comes back in the same
 * post. Control collects until all have answered or the deadline is over. What comes after the deadline
 * is thrown away, so the ask lives until its last worker has answered.
 */
#include "proxy/report.h"

#include <stdlib.h>

#include "proxy/gateway_int.h"

struct question { /* one worker's */
	struct post post;
	struct task again;
	struct report_ask *ask;
	struct worker *w;
	size_t at; /* of the observer's copy */
	struct report_part part;
};

struct report_ask {
	struct list link; /* of gateway->asks */
	struct gateway *g;
	struct timer timer;
	void (*on_report)(struct report *r, void *arg); /* NULL: called, or cancelled */
	void *arg;
	bool (*copy)(void *kept, size_t *at, struct text *out); /* the observer's; NULL: nothing */
	unsigned left;                                          /* questions on their way */
	struct question v[];
};

/* --- worker ------------------------------------------------------------------------------------- */

static void count(const struct worker *w, struct worker_counts *out)
{
	const struct server_counts *s = server_counts(w->server);
	const struct client_counts *c = client_counts(w->client);

	*out = w->counts;
	out->lent = w->pool.lent;
	out->high = w->pool.high;
	out->budget = w->pool.budget;
	out->log_dropped = atomic_load(&w->log.dropped);
	out->accepted = s->accepted;
	out->connections = s->connections;
	out->refused_heads = s->refused_heads;
	out->handshakes = s->handshakes;
	out->handshakes_resumed = s->handshakes_resumed;
	out->handshakes_failed = s->handshakes_failed;
	out->upstream_opened = c->opened;
	out->upstream_reused = c->reused;
	out->upstream_failed = c->failed;
	out->upstream_open = c->open;
	out->upstream_idle = c->idle;
	out->turns = loop_counts(w->loop);
}

/* False: that was all. */
static bool copy_slice(const struct worker *w,
	bool (*copy)(void *kept, size_t *at, struct text *out), struct report_part *part,
	size_t *at)
{
	if (!part->answered) {
		part->answered = true;
		count(w, &part->counts);
		text_init(&part->observed, REPORT_COPY_MAX);
	}
	return w->observed != NULL && copy != NULL && copy(w->observed, at, &part->observed);
}

static void on_answer(struct post *p);

static void on_slice(struct task *t)
{
	struct question *q = CONTAINER_OF(t, struct question, again);

	if (copy_slice(q->w, q->ask->copy, &q->part, &q->at)) {
		loop_again(q->w->loop, &q->again, on_slice);
	} else {
		loop_post(q->w->gateway->control, &q->post, on_answer);
	}
}

static void on_question(struct post *p)
{
	on_slice(&CONTAINER_OF(p, struct question, post)->again);
}

/* --- control ------------------------------------------------------------------------------------ */

static struct report *report_new(unsigned n)
{
	struct report *r = must_alloc(sizeof(*r) + n * sizeof(r->v[0]));

	r->n = n;
	return r;
}

void report_free(struct report *r)
{
	for (unsigned i = 0; r != NULL && i < r->n; i++) {
		text_done(&r->v[i].observed);
	}
	free(r);
}

static void ask_free(struct report_ask *ask)
{
	for (unsigned i = 0; i < ask->g->opts.n_workers; i++) {
		text_done(&ask->v[i].part.observed);
	}
	timer_clear(ask->g->control, &ask->timer);
	list_remove(&ask->link);
	free(ask);
}

static void hand_over(struct report_ask *ask)
{
	void (*on_report)(struct report * r, void *arg) = ask->on_report;
	struct report *r;

	timer_clear(ask->g->control, &ask->timer);
	ask->on_report = NULL;
	if (on_report == NULL) {
		return;
	}
	r = report_new(ask->g->opts.n_workers);
	r->registry_failures = ask->g->registry_failures;
	for (unsigned i = 0; i < r->n; i++) {
		struct question *q = &ask->v[i];

		if (q->ask == NULL) {
			r->v[i] = q->part;
			q->part.observed = (struct text){0};
			r->n_answered++;
		}
	}
	on_report(r, ask->arg);
}

static void on_answer(struct post *p)
{
	struct question *q = CONTAINER_OF(p, struct question, post);
	struct report_ask *ask = q->ask;

	q->ask = NULL; /* it is back: what it holds is control's */
	if (--ask->left == 0) {
		hand_over(ask);
		ask_free(ask);
	}
}

static void on_deadline(struct timer *t)
{
	hand_over(CONTAINER_OF(t, struct report_ask, timer));
}

static struct report_ask *ask_all(struct gateway *g,
	bool (*copy)(void *kept, size_t *at, struct text *out),
	void (*on_report)(struct report *r, void *arg), void *arg)
{
	unsigned n = g->opts.n_workers;
	struct report_ask *ask = must_alloc(sizeof(*ask) + n * sizeof(ask->v[0]));

	ask->g = g;
	ask->on_report = on_report;
	ask->arg = arg;
	ask->copy = copy;
	ask->left = n;
	list_append(&g->asks, &ask->link);
	timer_set(g->control, &ask->timer, REPORT_DEADLINE_MS, on_deadline);
	for (unsigned i = 0; i < n; i++) {
		ask->v[i].ask = ask;
		ask->v[i].w = g->workers[i];
		loop_post(g->workers[i]->loop, &ask->v[i].post, on_question);
	}
	return ask;
}

struct report_ask *report_ask(
	struct gateway *g, void (*on_report)(struct report *r, void *arg), void *arg)
{
	const struct observer *o = g->opts.hooks->observer;

	return ask_all(g, o != NULL ? o->copy : NULL, on_report, arg);
}

struct report_ask *report_ask_tally(
	struct gateway *g, void (*on_report)(struct report *r, void *arg), void *arg)
{
	const struct observer *o = g->opts.hooks->observer;

	return ask_all(g, o != NULL ? o->copy_tally : NULL, on_report, arg);
}

void report_cancel(struct report_ask *ask)
{
	ask->on_report = NULL;
}

void report_drop_all(struct gateway *g)
{
	while (!list_empty(&g->asks)) {
		struct report_ask *ask = CONTAINER_OF(g->asks.next, struct report_ask, link);

		for (unsigned i = 0; i < g->opts.n_workers; i++) {
			loop_again_cancel(&ask->v[i].again);
		}
		ask_free(ask);
	}
}

/* --- without loops ------------------------------------------------------------------------------ */

struct report *report_now(const struct gateway *g)
{
	struct report *r = report_new(g->opts.n_workers);

	for (unsigned i = 0; i < r->n; i++) {
		const struct observer *o = g->opts.hooks->observer;
		size_t at = 0;

		while (copy_slice(g->workers[i], o != NULL ? o->copy : NULL, &r->v[i], &at)) {}
	}
	r->n_answered = r->n;
	r->registry_failures = g->registry_failures;
	return r;
}

static void add(struct worker_counts *sum, const struct worker_counts *c)
{
	sum->exchanges += c->exchanges;
	sum->replies += c->replies;
	sum->upstream_failures += c->upstream_failures;
	sum->retries += c->retries;
	sum->fallbacks += c->fallbacks;
	for (size_t i = 0; i < FAILURE_CLASSES; i++) {
		sum->failed[i] += c->failed[i];
	}
	sum->client_aborts += c->client_aborts;
	sum->usage_unknown += c->usage_unknown;
	sum->contexts_missing += c->contexts_missing;
	sum->events += c->events;
	sum->probes += c->probes;
	sum->open += c->open;
	sum->lent += c->lent;
	sum->high += c->high;
	sum->budget += c->budget;
	sum->log_dropped += c->log_dropped;
	sum->accepted += c->accepted;
	sum->connections += c->connections;
	sum->refused_heads += c->refused_heads;
	sum->handshakes += c->handshakes;
	sum->handshakes_resumed += c->handshakes_resumed;
	sum->handshakes_failed += c->handshakes_failed;
	sum->upstream_opened += c->upstream_opened;
	sum->upstream_reused += c->upstream_reused;
	sum->upstream_failed += c->upstream_failed;
	sum->upstream_open += c->upstream_open;
	sum->upstream_idle += c->upstream_idle;
	sum->turns.turns += c->turns.turns;
	sum->turns.over_1ms += c->turns.over_1ms;
	sum->turns.over_5ms += c->turns.over_5ms;
	sum->turns.longest_us = MAX(sum->turns.longest_us, c->turns.longest_us);
}

void report_sum(const struct report *r, struct worker_counts *sum)
{
	*sum = (struct worker_counts){0};
	for (unsigned i = 0; i < r->n; i++) {
		add(sum, &r->v[i].counts);
	}
}

void gateway_counts(const struct gateway *g, struct worker_counts *sum)
{
	*sum = (struct worker_counts){.plans = g->n_plans};
	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		struct worker_counts c;

		count(g->workers[i], &c);
		add(sum, &c);
	}
}
