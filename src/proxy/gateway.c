/*
 * Handing over a plan: control binds it to the cells, makes a view for each worker and posts it. The
 * worker swaps its view and posts back; when all have, the plan is live. A replaced view comes back to
 * control when the last exchange that used it has committed, and a plan is freed when nobody holds it:
 * neither control nor a view.
 */
#include "proxy/gateway.h"

#include <stdlib.h>

#include "proxy/gateway_int.h"
#include "proxy/gateway_tls.h"

#define TICK_MS 1000u
#define LOG_PIECES 2

struct broadcast { /* one worker's part */
	struct post post;
	struct worker *w;
	void (*fn)(struct worker *w, void *arg);
	void *arg;
};

static void run_broadcast(struct post *p)
{
	struct broadcast *b = CONTAINER_OF(p, struct broadcast, post);

	b->fn(b->w, b->arg);
	free(b);
}

void gateway_post_all(struct gateway *g, void (*fn)(struct worker *w, void *arg), void *arg)
{
	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		struct broadcast *b = must_alloc(sizeof(*b));

		b->w = g->workers[i];
		b->fn = fn;
		b->arg = arg;
		loop_post(b->w->loop, &b->post, run_broadcast);
	}
}

/* --- quiescence --------------------------------------------------------------------------------- */

struct quiet {
	struct post post;
	struct gateway *g;
	atomic_uint left;
	void (*fn)(void *p);
	void *p;
};

static void on_quiet(struct post *p)
{
	struct quiet *q = CONTAINER_OF(p, struct quiet, post);

	q->fn(q->p);
	free(q);
}

static void pass_quiet(struct worker *w, void *arg)
{
	struct quiet *q = arg;

	(void)w;
	if (atomic_fetch_sub(&q->left, 1) == 1) {
		loop_post(q->g->control, &q->post, on_quiet);
	}
}

void gateway_quiesce(struct gateway *g, void (*fn)(void *p), void *p)
{
	struct quiet *q = must_alloc(sizeof(*q));

	q->g = g;
	q->fn = fn;
	q->p = p;
	atomic_init(&q->left, g->opts.n_workers);
	gateway_post_all(g, pass_quiet, q);
}

static void wake_waiting(struct worker *w, void *arg)
{
	(void)arg;
	worker_wake_waiting(w);
}

void gateway_wake_waiting(struct gateway *g)
{
	gateway_post_all(g, wake_waiting, NULL);
}

/* --- plans -------------------------------------------------------------------------------------- */

static void live_unref(struct gateway *g, struct live_plan *l)
{
	if (--l->holders != 0) {
		return;
	}
	cells_unbind(g->cells, l->plan, loop_now_ms(g->control));
	lanes_unbind(g->lanes, l->plan, loop_now_ms(g->control));
	fetched_unbind(g->fetched, l->plan);
	g->n_plans--;
	if (g->opts.retire != NULL) {
		g->opts.retire(g->opts.retire_arg, l->plan);
	} else {
		plan_free(l->plan);
	}
	free(l);
}

static void on_view_back(struct post *p)
{
	struct plan_view *v = CONTAINER_OF(p, struct plan_view, post);
	struct gateway *g = v->w->gateway;

	live_unref(g, v->live);
	free(v);
}

void gateway_release(struct gateway *g, struct plan_view *v)
{
	loop_post(g->control, &v->post, on_view_back);
}

struct handover {
	struct post post;
	struct gateway *g;
	struct live_plan *live;
	atomic_uint left;
	void (*on_live)(void *arg);
	void *arg;
};

static void on_all_have(struct post *p)
{
	struct handover *h = CONTAINER_OF(p, struct handover, post);

	if (h->on_live != NULL) {
		h->on_live(h->arg);
	}
	free(h);
}

static void take_plan(struct worker *w, void *arg)
{
	struct handover *h = arg;
	struct plan_view *v = must_alloc(sizeof(*v) + h->live->plan->n_turns * sizeof(v->turns[0]));

	v->w = w;
	v->live = h->live;
	v->plan = h->live->plan;
	worker_set_view(w, v);
	if (atomic_fetch_sub(&h->left, 1) == 1) {
		loop_post(h->g->control, &h->post, on_all_have);
	}
}

void gateway_set_plan(struct gateway *g, struct plan *p, void (*on_live)(void *arg), void *arg)
{
	struct live_plan *before = g->current;
	struct live_plan *live = must_alloc(sizeof(*live));
	struct handover *h = must_alloc(sizeof(*h));

	p->version = ++g->plan_version;
	cells_bind(g->cells, p);
	lanes_bind(g->lanes, p);
	atomic_store(&g->ailing, true); /* a lane of it may have been out while no plan had it */
	resolver_warm(g->resolver, p);
	fetched_bind(g->fetched, p);
	live->plan = p;
	g->n_plans++;
	live->holders = 1 + g->opts.n_workers;
	g->current = live;
	*h = (struct handover){.g = g, .live = live, .on_live = on_live, .arg = arg};
	atomic_init(&h->left, g->opts.n_workers);
	gateway_post_all(g, take_plan, h);
	if (before != NULL) {
		live_unref(g, before);
	}
}

const struct plan *gateway_plan(const struct gateway *g)
{
	return g->current != NULL ? g->current->plan : NULL;
}

/* --- cells nobody refers to any more ------------------------------------------------------------ */

struct farewell {
	struct gateway *g;
	struct endpoint_cell *cell;
	uint32_t index;
};

static void forget_cell(struct worker *w, void *arg)
{
	client_forget_endpoint(w->client, ((const struct farewell *)arg)->index);
}

static void free_cell(void *p)
{
	struct farewell *f = p;

	endpoint_cell_free(f->g->cells, f->cell);
	free(f);
}

static void free_lane(void *p)
{
	lane_free(p);
}

static void on_tick(struct timer *t)
{
	struct gateway *g = CONTAINER_OF(t, struct gateway, tick);
	struct endpoint_cell *cell;
	struct lane *lane;

	while ((cell = cells_expire(g->cells, loop_now_ms(g->control))) != NULL) {
		struct farewell *f = must_alloc(sizeof(*f));

		*f = (struct farewell){g, cell, cell->index};
		gateway_post_all(g, forget_cell, f);
		gateway_quiesce(g, free_cell, f);
	}
	while ((lane = lanes_expire(g->lanes, loop_now_ms(g->control))) != NULL) {
		gateway_quiesce(g, free_lane, lane);
	}
	revival_tick(g->revival, gateway_plan(g));
	fetched_tidy(g->fetched);
	if (g->current != NULL) {
		discovery_tick(g->discovery, g->current->plan);
	}
	timer_set(g->control, &g->tick, TICK_MS, on_tick);
}

/* --- draining ----------------------------------------------------------------------------------- */

static void on_worker_drained(struct post *p)
{
	struct broadcast *b = CONTAINER_OF(p, struct broadcast, post);
	struct gateway *g = b->arg;

	free(b);
	if (--g->draining == 0) {
		g->on_drained(g->drained_arg);
	}
}

void gateway_worker_drained(struct worker *w)
{
	struct broadcast *b = must_alloc(sizeof(*b));

	b->arg = w->gateway;
	loop_post(w->gateway->control, &b->post, on_worker_drained);
}

static void close_listening(void *p)
{
	struct gateway *g = p;

	while (g->listening != NULL) {
		struct listening *l = g->listening;

		g->listening = l->next;
		sys_close(l->fd, false);
		free(l);
	}
}

static void drain(struct worker *w, void *arg)
{
	(void)arg;
	worker_drain(w);
}

void gateway_drain(struct gateway *g, void (*on_drained)(void *arg), void *arg)
{
	g->on_drained = on_drained;
	g->drained_arg = arg;
	g->draining = g->opts.n_workers;
	gateway_post_all(g, drain, NULL);
	/* The kernel would go on to accept for us: close the door when nobody watches it any more. */
	gateway_quiesce(g, close_listening, g);
}

static void cut(struct worker *w, void *arg)
{
	(void)arg;
	worker_cut(w);
}

void gateway_cut(struct gateway *g)
{
	gateway_post_all(g, cut, NULL);
}

/* --- life --------------------------------------------------------------------------------------- */

static struct server_share *shares_new(unsigned n)
{
	struct server_share *v = aligned_alloc(_Alignof(struct server_share), n * sizeof(*v));

	ASSERT(v != NULL);
	for (unsigned i = 0; i < n; i++) {
		atomic_init(&v[i].connections, 0);
	}
	return v;
}

struct gateway *gateway_new(const struct gateway_opts *opts, struct fault *f)
{
	struct gateway *g = must_alloc(sizeof(*g));

	ASSERT(opts->n_workers > 0 && opts->n_workers <= WORKERS_MAX);
	g->opts = *opts;
	g->control = loop_new();
	list_init(&g->asks);
	list_init(&g->probes);
	g->cells = cells_new(&opts->seed);
	g->lanes = lanes_new(&opts->seed);
	g->consumers = must_alloc(sizeof(*g->consumers));
	g->resolver = resolver_new(g, f);
	if (g->resolver == NULL) {
		cells_free(g->cells);
		lanes_free(g->lanes);
		free(g->consumers);
		loop_free(g->control);
		free(g);
		return NULL;
	}
	g->fetched = fetched_new(g);
	g->discovery = discovery_new(g);
	g->revival = revival_new(g);
	g->shares = shares_new(opts->n_workers);
	for (unsigned i = 0; i < opts->n_workers; i++) {
		g->workers[i] = worker_new(g, i);
	}
	timer_set(g->control, &g->tick, TICK_MS, on_tick);
	return g;
}

void gateway_free(struct gateway *g)
{
	if (g == NULL) {
		return;
	}
	timer_clear(g->control, &g->tick);
	fetched_stop(g->fetched);
	probe_forget_all(g);
	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		worker_cut(g->workers[i]);
	}
	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		worker_set_view(g->workers[i], NULL);
		/* What was posted to it meanwhile still owns memory. */
		loop_turn(g->workers[i]->loop, 0);
	}
	loop_turn(g->control, 0);
	report_drop_all(g);
	ASSERT(list_empty(&g->probes));
	if (g->current != NULL) {
		live_unref(g, g->current);
	}
	bridges_free(g);
	revival_free(g->revival);
	discovery_free(g->discovery);
	resolver_free(g->resolver);
	fetched_free(g->fetched);
	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		worker_free(g->workers[i]);
	}
	free(g->shares);
	close_listening(g);
	gateway_tls_free(g);
	cells_free(g->cells);
	lanes_free(g->lanes);
	free(g->consumers);
	loop_free(g->control);
	free(g);
}

struct loop *gateway_control(struct gateway *g)
{
	return g->control;
}

struct loop *gateway_loop(struct gateway *g, unsigned worker)
{
	return g->workers[worker]->loop;
}

static int listen_plain(struct gateway *g, int fd)
{
	int rc = 0;

	for (unsigned i = 0; i < g->opts.n_workers && rc == 0; i++) {
		rc = server_listen(g->workers[i]->server, fd);
	}
	return rc;
}

static int listen_on(
	struct gateway *g, const struct sys_addr *addr, bool tls, struct sys_addr *bound)
{
	struct listening *l;
	int fd = sys_listen(addr, 4096, bound);
	int rc;

	if (fd < 0) {
		return fd;
	}
	rc = tls ? gateway_tls_listen(g, fd, sys_addr_port(bound)) : listen_plain(g, fd);
	if (rc != 0) {
		sys_close(fd, false);
		return rc;
	}
	l = must_alloc(sizeof(*l));
	l->fd = fd;
	l->next = g->listening;
	g->listening = l;
	return 0;
}

int gateway_listen(struct gateway *g, const struct sys_addr *addr, struct sys_addr *bound)
{
	return listen_on(g, addr, false, bound);
}

int gateway_listen_tls(struct gateway *g, const struct sys_addr *addr, struct sys_addr *bound)
{
	return listen_on(g, addr, true, bound);
}

/* Nobody takes them: what is lost is counted, the workers go on. */
static ssize_t drop_lines(struct ring *ring, const struct iovec *v, int n)
{
	ssize_t sum = 0;
	uint64_t lines = 0;

	for (int i = 0; i < n; i++) {
		const char *p = v[i].iov_base;

		for (size_t k = 0; k < v[i].iov_len; k++) {
			lines += p[k] == '\n';
		}
		sum += (ssize_t)v[i].iov_len;
	}
	atomic_fetch_add_explicit(&ring->dropped, lines, memory_order_relaxed);
	return sum;
}

ssize_t gateway_write_log(struct gateway *g, gateway_log_writer *write, void *arg)
{
	ssize_t sum = 0;

	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		struct ring *ring = &g->workers[i]->log;
		struct iovec v[LOG_PIECES];
		int n = ring_peek(ring, v);
		ssize_t r;

		if (n == 0) {
			continue;
		}
		r = write(arg, v, n);
		if (r < 0) {
			r = drop_lines(ring, v, n);
		}
		ring_take(ring, (size_t)r);
		sum += r;
	}
	return sum;
}

static bool log_is_empty(const struct gateway *g)
{
	struct iovec v[LOG_PIECES];

	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		if (ring_peek(&g->workers[i]->log, v) != 0) {
			return false;
		}
	}
	return true;
}

void gateway_sleep_log(struct gateway *g, unsigned ms)
{
	wake_prepare(&g->log_wake);
	wake_sleep(&g->log_wake, log_is_empty(g) ? ms : 0);
}

void gateway_wake_log(struct gateway *g)
{
	wake_call(&g->log_wake);
}

uint64_t gateway_log_dropped(const struct gateway *g)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < g->opts.n_workers; i++) {
		sum += atomic_load_explicit(&g->workers[i]->log.dropped, memory_order_relaxed);
	}
	return sum;
}
