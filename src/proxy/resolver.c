/*
 * One resolution per cell at a time (cell->resolving). An address list is immutable; the one it
 * replaces is freed when every worker has been between two callbacks (gateway_quiesce): no worker
 * keeps a pointer to a list across turns.
 */
#include "proxy/resolver.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "proxy/gateway_int.h"
#include "proxy/worker.h"

/* Bounds of how long an answer is used: resolvers that say 0 are not asked for every request, and a
 * change of address is seen within minutes. */
#define TTL_MIN_S 5u
#define TTL_MAX_S 300u
/* How soon a name that failed is asked for again. */
#define FAILED_MS 1000u
#define DNS_TIMEOUT_MS 5000u

struct resolver {
	struct gateway *gateway;
	struct dns *dns;
	struct list running;
};

struct resolution {
	struct list link;
	struct dns_query query;
	struct resolver *r;
	struct endpoint_cell *cell;
};

struct question { /* a worker's, on its way to control */
	struct post post;
	struct worker *w;
	struct endpoint_cell *cell;
};

struct resolver *resolver_new(struct gateway *g, struct fault *f)
{
	struct resolver *r = must_alloc(sizeof(*r));

	r->gateway = g;
	list_init(&r->running);
	r->dns = dns_new(g->control, f);
	if (r->dns == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void resolver_free(struct resolver *r)
{
	if (r == NULL) {
		return;
	}
	while (!list_empty(&r->running)) {
		struct resolution *res = CONTAINER_OF(r->running.next, struct resolution, link);

		dns_cancel(r->dns, &res->query);
		list_remove(&res->link);
		free(res);
	}
	dns_free(r->dns);
	free(r);
}

static void free_list(void *p)
{
	free(p);
}

void resolver_replace(struct gateway *g, struct endpoint_cell *cell, const struct sys_addr *addrs,
	unsigned n, uint64_t expires_ms)
{
	struct address_list *list = must_alloc(sizeof(*list) + n * sizeof(list->v[0]));
	struct address_list *old;

	static_assert(sizeof(struct sys_addr) <= sizeof(list->v[0].room), "an address fits");
	list->n = n;
	list->expires_ms = expires_ms;
	for (unsigned i = 0; i < n; i++) {
		memcpy(list->v[i].room, &addrs[i], sizeof(addrs[i]));
	}
	old = atomic_exchange_explicit(&cell->addresses, list, memory_order_acq_rel);
	atomic_store(&cell->failed, 0);
	if (old != NULL) {
		gateway_quiesce(g, free_list, old);
	}
}

void resolver_answered(struct gateway *g, struct endpoint_cell *cell)
{
	cells_release(g->cells, cell, loop_now_ms(g->control));
	atomic_store(&cell->refreshing, false);
	atomic_store(&cell->resolving, false);
	atomic_fetch_add(&cell->answers, 1);
	gateway_wake_waiting(g);
}

static void on_answer(struct dns_query *q, const struct dns_answer *a)
{
	struct resolution *res = CONTAINER_OF(q, struct resolution, query);
	struct resolver *r = res->r;
	struct endpoint_cell *cell = res->cell;
	uint64_t now = loop_now_ms(r->gateway->control);

	list_remove(&res->link);
	if (a->err == 0 && a->n != 0) {
		uint64_t ttl_s = MIN(MAX(a->ttl_s, TTL_MIN_S), TTL_MAX_S);

		resolver_replace(r->gateway, cell, a->addrs, a->n, now + ttl_s * 1000);
	} else {
		/* Old addresses stay in use: a resolver that is down must not take the traffic down. */
		log_warn("proxy",
			"name %s could not be resolved (%s); check the registry or the resolver",
			cell->host, a->text);
		atomic_store(&cell->failed, a->err != 0 ? a->err : ERR_NOT_FOUND);
		cell->failed_ms = now;
	}
	free(res);
	resolver_answered(r->gateway, cell);
}

static void start(struct resolver *r, struct endpoint_cell *cell)
{
	struct resolution *res;
	struct sys_addr literal;

	if (atomic_load(&cell->resolving)) {
		return;
	}
	if (cell->ask != NULL) {
		discovery_ask(r->gateway->discovery, cell);
		return;
	}
	if (sys_addr_parse(&literal, cell->host, strlen(cell->host), cell->port) == 0) {
		if (atomic_load(&cell->addresses) == NULL) {
			resolver_replace(r->gateway, cell, &literal, 1, 0);
		}
		return;
	}
	res = must_alloc(sizeof(*res));
	res->r = r;
	res->cell = cell;
	cells_hold(cell);
	atomic_store(&cell->resolving, true);
	list_append(&r->running, &res->link);
	dns_resolve(r->dns, &res->query, cell->host, cell->port, DNS_TIMEOUT_MS, on_answer);
}

void resolver_warm(struct resolver *r, const struct plan *p)
{
	for (size_t i = 0; i < p->n_endpoints; i++) {
		struct endpoint_cell *cell = p->endpoints[i]->cell;

		if (cell != NULL && cell->ask == NULL && atomic_load(&cell->addresses) == NULL) {
			start(r, cell);
		}
	}
	discovery_tick(r->gateway->discovery, p);
}

static void on_question(struct post *p)
{
	struct question *q = CONTAINER_OF(p, struct question, post);
	struct gateway *g = q->w->gateway;
	uint64_t now = loop_now_ms(g->control);
	bool failed_now =
		atomic_load(&q->cell->failed) != 0 && now - q->cell->failed_ms < FAILED_MS;

	if (q->cell->gone) {
		free(q); /* asked in the last moment before it is freed: its plan is long gone */
		return;
	}
	if (!failed_now) {
		start(g->resolver, q->cell);
	}
	if (!atomic_load(&q->cell->resolving)) {
		atomic_store(
			&q->cell->refreshing, false); /* nothing was begun: the next one asks */
		atomic_fetch_add(&q->cell->answers, 1);
		gateway_wake_waiting(g); /* known by now, or just failed */
	}
	free(q);
}

void resolver_ask(struct worker *w, struct endpoint_cell *cell)
{
	struct question *q = must_alloc(sizeof(*q));

	q->w = w;
	q->cell = cell;
	/* The cell outlives the post: its plan was current a moment ago, and the grace time of cells is
	 * far longer than a post is on its way. */
	loop_post(w->gateway->control, &q->post, on_question);
}

void resolver_check(struct worker *w, struct endpoint_cell *cell)
{
	const struct address_list *list =
		atomic_load_explicit(&cell->addresses, memory_order_acquire);

	if (list->expires_ms != 0 && loop_now_ms(w->loop) > list->expires_ms &&
		!atomic_exchange(&cell->refreshing, true)) {
		resolver_ask(w, cell);
	}
}
