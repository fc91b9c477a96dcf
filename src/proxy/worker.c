#include "proxy/worker.h"

#include <stdlib.h>

#include "net/tls_server.h"
#include "proxy/fetched.h"
#include "proxy/gateway_int.h"
#include "proxy/gateway_tls.h"

/* Objects kept for reuse. What is above it goes back to the system: after 10,000 streams at once their
 * memory should not stay for good. */
#define FREE_KEPT 64u
#define TICK_MS 1000u
#define TIGHT_TICK_MS 20u
#define REQUEST_PLACES 16u
#define REQUEST_STEP 1088u /* a multiple of a line of the cache, not of much more */
static_assert(
	REQUEST_PLACES * REQUEST_STEP + sizeof(struct request) <= SEG_ROOM, "it fits anywhere");
#define REQUEST_CLEAR offsetof(struct request, course)

static void on_request(struct server *srv, struct stream *s)
{
	exchange_start(server_context(srv), s);
}

/* Wakes each exchange of a list once; those that still have to wait are there again afterwards. */
static void wake_list(struct list *waiting)
{
	struct list now;

	list_init(&now);
	list_splice(&now, waiting);
	while (!list_empty(&now)) {
		struct list *node = now.next;

		list_remove(node);
		/* Back on its list first: the step takes it off when it need not wait any more. */
		list_append(waiting, node);
		exchange_wake(CONTAINER_OF(node, struct request, wait_link)->x);
	}
}

void worker_wake_waiting(struct worker *w)
{
	wake_list(&w->waiting);
}

static void on_tick(struct timer *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, tick);

	if (!list_empty(&w->tight)) {
		wake_list(&w->tight);
	}
	segpool_trim(&w->pool, loop_now_ms(w->loop));
	segpool_trim(&w->requests, loop_now_ms(w->loop));
	if (w->observed != NULL) {
		w->opts->hooks->observer->tidy(
			w->observed, w->view != NULL ? w->view->plan : NULL, loop_now_ms(w->loop));
	}
	timer_set(w->loop, &w->tick, list_empty(&w->tight) ? TICK_MS : TIGHT_TICK_MS, on_tick);
}

struct worker *worker_new(struct gateway *g, unsigned index)
{
	struct worker *w = must_alloc(sizeof(*w));
	const struct gateway_opts *opts = &g->opts;

	w->gateway = g;
	w->opts = opts;
	w->index = index;
	w->line_time.s = UINT64_MAX;
	w->loop = loop_new();
	loop_set_busy_poll(w->loop, opts->busy_poll_us);
	segpool_init(&w->pool, opts->memory_max / opts->n_workers);
	segpool_init(&w->requests, SIZE_MAX / 2);
	w->tls = tls_context_new();
	w->client = client_new(&(struct client_opts){w->loop, &w->pool, opts->http, w->tls});
	w->server = server_new(&(struct server_opts){
		.loop = w->loop,
		.pool = &w->pool,
		.limits = opts->http,
		.on_request = on_request,
		.refusal = reply_no_request,
		.on_handshake_failed = gateway_tls_failed,
		.context = w,
		.shares = g->shares,
		.n_shares = opts->n_workers,
		.share = index,
	});
	random_init(&w->random);
	ring_init(&w->log, LOG_RING_SIZE);
	list_init(&w->exchanges);
	list_init(&w->waiting);
	list_init(&w->tight);
	list_init(&w->queue);
	if (opts->hooks->observer != NULL) {
		w->observed = opts->hooks->observer->start(opts);
	}
	timer_set(w->loop, &w->tick, TICK_MS, on_tick);
	return w;
}

void worker_cut(struct worker *w)
{
	while (!list_empty(&w->exchanges)) {
		exchange_abort(CONTAINER_OF(w->exchanges.next, struct exchange, link));
	}
}

void worker_free(struct worker *w)
{
	server_free(w->server);
	tls_server_free(w->tls_server);
	client_free(w->client);
	tls_context_free(w->tls);
	timer_clear(w->loop, &w->tick);
	while (w->free_exchanges != NULL) {
		struct exchange *x = w->free_exchanges;

		w->free_exchanges = x->next_free;
		free(x);
	}
	if (w->observed != NULL) {
		w->opts->hooks->observer->stop(w->observed);
	}
	loop_free(w->loop);
	segpool_done(&w->pool);
	segpool_done(&w->requests);
	ring_done(&w->log);
	free(w);
}

static void on_drained(struct server *srv)
{
	gateway_worker_drained(server_context(srv));
}

void worker_drain(struct worker *w)
{
	server_drain(w->server, on_drained);
}

/* --- the plan ----------------------------------------------------------------------------------- */

void worker_set_view(struct worker *w, struct plan_view *v)
{
	struct plan_view *before = w->view;

	w->view = v;
	if (v != NULL) {
		const struct global_config *c = &v->plan->global;

		server_set_idle(w->server, c->has_idle ? c->idle_ms : w->opts->http.idle_ms);
		server_set_head_max(
			w->server, c->head_max != 0 ? c->head_max : w->opts->http.head_max);
		client_set_pool_idle(
			w->client, c->has_pool_idle ? c->pool_idle_ms : w->opts->http.pool_idle_ms);
	}
	if (before != NULL && before->users == 0) {
		gateway_release(w->gateway, before);
	}
}

struct plan_view *view_use(struct worker *w)
{
	if (w->view != NULL) {
		w->view->users++;
	}
	return w->view;
}

void view_drop(struct plan_view *v)
{
	ASSERT(v->users > 0);
	if (--v->users == 0 && v->w->view != v) {
		gateway_release(v->w->gateway, v);
	}
}

/* --- objects for reuse -------------------------------------------------------------------------- */

struct exchange *worker_take_exchange(struct worker *w)
{
	struct exchange *x = w->free_exchanges;

	if (x != NULL) {
		w->free_exchanges = x->next_free;
		w->n_free_exchanges--;
	} else {
		x = must_alloc(sizeof(*x));
	}
	memset(x, 0, sizeof(*x));
	return x;
}

void worker_give_exchange(struct worker *w, struct exchange *x)
{
	x->magic = 0;
	if (w->n_free_exchanges >= FREE_KEPT) {
		free(x);
		return;
	}
	x->next_free = w->free_exchanges;
	w->free_exchanges = x;
	w->n_free_exchanges++;
}

/* Segments begin at multiples of their size, and caches tell addresses apart by the lower bits: requests
 * at one place in all of them would drive each other out. */
static size_t place_in(const struct seg *seg)
{
	return (uintptr_t)seg->data / SEG_SIZE % REQUEST_PLACES * REQUEST_STEP;
}

struct request *worker_take_request(struct worker *w)
{
	struct seg *seg = seg_take(&w->requests);
	struct request *r;

	ASSERT(seg != NULL); /* there is no budget */
	r = (struct request *)(void *)(seg->data + place_in(seg));
	seg->end = (uint32_t)(place_in(seg) + sizeof(*r));
	memset(r, 0, REQUEST_CLEAR);
	r->seg = seg;
	return r;
}

void worker_give_request(struct worker *w, struct request *r)
{
	decode_end(w, r);
	automatic_free(r->automatic);
	fetched_text_unref(r->context);
	chain_give(&w->pool, &r->body);
	json_hits_done(&r->hits);
	text_done(&r->at.target);
	arena_done(&r->arena);
	seg_give(&w->requests, r->seg);
}
