/*
 * A table is immutable but for the marks of its spans, and replaced as a whole; a span that is in the next table too is
 * the same one, so that a mark is not lost that a worker sets meanwhile. Workers hold no table beyond a turn: an old one is
 * freed when each has been between two callbacks.
 *
 * The model is changed before the route is chosen, as by automatic routing: whether the consumer may have it is asked as
 * ever. Counts and the access line keep the model that the client named.
 */
#include "proxy/bridges.h"

#include <stdlib.h>

#include "proxy/exchange.h"
#include "proxy/gateway_int.h"

struct span {
	unsigned tables; /* that have it; control's */
	atomic_bool ended;
	struct bridge b;
	char texts[];
};

struct bridge_table {
	size_t n;
	struct span *v[]; /* by consumer */
};

static int by_consumer(const void *x, const void *y)
{
	const struct span *const *a = x, *const *b = y;

	return bytes_cmp((*a)->b.consumer, (*b)->b.consumer);
}

static struct span *find(const struct bridge_table *t, struct bytes consumer)
{
	size_t low = 0, high = t != NULL ? t->n : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = bytes_cmp(t->v[mid]->b.consumer, consumer);

		if (c == 0) {
			return t->v[mid];
		}
		low = c < 0 ? mid + 1 : low;
		high = c < 0 ? high : mid;
	}
	return NULL;
}

/* --- control ------------------------------------------------------------------------------------ */

/* Control alone writes it. */
static struct bridge_table *table_of(const struct gateway *g)
{
	return atomic_load_explicit(&g->bridges, memory_order_relaxed);
}

static struct bytes put(struct text *t, struct bytes b)
{
	size_t at = t->n;

	text_add_bytes(t, b);
	return bytes_of(t->p + at, b.n);
}

static struct span *span_new(const struct bridge *b)
{
	size_t n = b->consumer.n + b->from.n + b->to.n;
	struct span *s = must_alloc(sizeof(*s) + n);
	struct text t;

	text_init_fixed(&t, s->texts, n);
	s->b = (struct bridge){put(&t, b->consumer), put(&t, b->from), put(&t, b->to)};
	atomic_init(&s->ended, false);
	return s;
}

static bool is_same(const struct bridge *a, const struct bridge *b)
{
	return bytes_eq(a->consumer, b->consumer) && bytes_eq(a->from, b->from) &&
		bytes_eq(a->to, b->to);
}

static struct bridge_table *table_new(
	const struct bridge_table *before, const struct bridge *v, size_t n)
{
	struct bridge_table *t = must_alloc(sizeof(*t) + n * sizeof(struct span *));

	for (size_t i = 0; i < n; i++) {
		struct span *s = find(before, v[i].consumer);

		s = s != NULL && is_same(&s->b, &v[i]) ? s : span_new(&v[i]);
		s->tables++;
		t->v[t->n++] = s;
	}
	if (n > 1) {
		qsort(t->v, n, sizeof(struct span *), by_consumer);
	}
	return t;
}

static void table_free(void *p)
{
	struct bridge_table *t = p;

	for (size_t i = 0; t != NULL && i < t->n; i++) {
		if (--t->v[i]->tables == 0) {
			free(t->v[i]);
		}
	}
	free(t);
}

static bool is_live(const struct bridge_table *t, const struct bridge *v, size_t n)
{
	if ((t != NULL ? t->n : 0) != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const struct span *s = find(t, v[i].consumer);

		if (s == NULL || !is_same(&s->b, &v[i])) {
			return false;
		}
	}
	return true;
}

void bridges_set(struct gateway *g, const struct bridge *v, size_t n)
{
	struct bridge_table *before = table_of(g);

	ASSERT(n <= BRIDGES_MAX);
	if (is_live(before, v, n)) {
		return;
	}
	atomic_store_explicit(
		&g->bridges, n != 0 ? table_new(before, v, n) : NULL, memory_order_release);
	if (before != NULL) {
		gateway_quiesce(g, table_free, before);
	}
}

bool bridges_ended(const struct gateway *g, struct bytes consumer)
{
	const struct span *s = find(table_of(g), consumer);

	return s != NULL && atomic_load_explicit(&s->ended, memory_order_relaxed);
}

struct bytes bridges_lead(const struct gateway *g, struct bytes consumer, struct bytes model)
{
	const struct span *s = find(table_of(g), consumer);

	return s != NULL && bytes_eq(s->b.from, model) && !bridges_ended(g, consumer)
		? s->b.to
		: (struct bytes){NULL, 0};
}

void bridges_free(struct gateway *g)
{
	table_free(table_of(g));
	atomic_store_explicit(&g->bridges, NULL, memory_order_relaxed);
}

/* --- workers ------------------------------------------------------------------------------------ */

static bool lead(struct exchange *x, struct span *s)
{
	struct request *rq = x->rq;

	if (bytes_eq(rq->model, s->b.to)) {
		atomic_store_explicit(&s->ended, true, memory_order_relaxed);
		return true;
	}
	if (!bytes_eq(rq->model, s->b.from) ||
		atomic_load_explicit(&s->ended, memory_order_relaxed)) {
		return true;
	}
	rq->model = arena_copy(&rq->arena, s->b.to);
	rq->bridged = true;
	return rq->model.p != NULL;
}

bool bridges_cross(struct exchange *x)
{
	const struct bridge_table *t =
		atomic_load_explicit(&x->w->gateway->bridges, memory_order_acquire);
	const struct request *rq = x->rq;

	if (t == NULL || !rq->gathers || rq->automatic != NULL || rq->model.n == 0) {
		return true;
	}
	for (unsigned p = 0; p < AUTH_PLUGINS; p++) {
		const struct consumer *who = rq->asked[p].found;
		struct span *s = who != NULL ? find(t, who->name) : NULL;

		if (s != NULL) {
			return lead(x, s);
		}
	}
	return true;
}
