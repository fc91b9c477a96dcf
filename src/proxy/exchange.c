/*
 * The story of one exchange. A request's head arrives on a client stream; exchange_start makes an
 * exchange and runs its steps, in the order of the table below, until one has to wait. Whatever it
 * waits for (bytes from the client, an address, the upstream, room towards the client, a deadline)
 * comes back through exchange_wake, which runs the same step again: steps look at facts, so being run
 * once too often does no harm. No callback decides anything.
 *
 *   begin       who asks for what; what a client may not say is marked to be left out
 *   candidates  routes by host, path, method, headers and query                    404
 *               (or the answer to a web page's preflight)                          200
 *   redirect    a route that is served over https only, asked for in the clear      308
 *   identify    the consumer, before a byte of the body is read                    401 403
 *   gather      a JSON body whole, scanned as it comes                             400 413 415 503
 *   automatic   the model, where a text of the body chooses it
 *   models      a list of models, where the configuration makes it                 200 404
 *   decide      the route, by the model too; may this consumer use it?              401 403 404 503
 *   screen      a route that refuses texts in bodies: the body, up to its end     403 413 415
 *               (and the answer that a route itself gives: a redirection, a mock)
 *   choose      a destination by weight, its credential and endpoint              503
 *   survey      a second look at the body, when its settings ask for one
 *   prepare     path, edits of the body
 *   address     of the endpoint; a cold name is resolved by control                502 504
 *   send        connect or reuse, send head and body
 *   head        of the answer                                                      502 504
 *   judge       an error: why? (back to choose, where that helps)
 *   first       the first event of a stream, the first byte of another answer     502 504
 *   commit      from here on nothing is tried again; the request's memory goes
 *   relay       until both ends are done
 *   reply       (jumped to) an answer of the gateway's own
 *
 * and then finish, on every path: holds are released, the access line written, streams given back.
 */
#include "proxy/attempts.h"
#include "proxy/concurrency.h"
#include "proxy/contexts.h"
#include "proxy/worker.h"

enum step_name {
	STEP_BEGIN,
	STEP_CANDIDATES,
	STEP_REDIRECT,
	STEP_IDENTIFY,
	STEP_GATHER,
	STEP_AUTOMATIC,
	STEP_MODELS,
	STEP_DECIDE,
	STEP_SCREEN,
	STEP_CHOOSE,
	STEP_CONTEXT,
	STEP_SURVEY,
	STEP_PREPARE,
	STEP_ADDRESS,
	STEP_SEND,
	STEP_HEAD,
	STEP_JUDGE,
	STEP_FIRST,
	STEP_COMMIT,
	STEP_RELAY,
	STEP_REPLY,
	STEP_COUNT
};

static void on_timer(struct timer *t);

/* What is left until then, by the loop's clock; UINT64_MAX: no end. */
static uint64_t until(const struct exchange *x, uint64_t ms)
{
	uint64_t now = loop_now_ms(x->w->loop);

	return ms == 0 ? UINT64_MAX : ms > now ? ms - now : 0;
}

/* What is left of the time that the whole answer, and until then its beginning, may take. */
static uint64_t left_ms(const struct exchange *x)
{
	uint64_t left = x->ends_ms != 0 ? until(x, x->ends_ms) : UINT64_MAX;

	return x->opens_ms == 0 || x->committed ? left : MIN(left, until(x, x->opens_ms));
}

void exchange_deadline(struct exchange *x, uint64_t ms)
{
	uint64_t left = left_ms(x);

	if (ms != 0 || left != UINT64_MAX) {
		timer_set(x->w->loop, &x->timer, ms != 0 ? MIN(ms, left) : left, on_timer);
	}
}

void exchange_no_deadline(struct exchange *x)
{
	timer_clear(x->w->loop, &x->timer);
	exchange_deadline(x, 0);
}

void exchange_begin_whole(struct exchange *x)
{
	uint32_t ms = x->w->view != NULL ? x->w->view->plan->global.route_ms : 0;

	if (ms != 0 && x->ends_ms == 0) {
		x->ends_ms = loop_now_ms(x->w->loop) + ms;
	}
}

bool exchange_is_over(const struct exchange *x)
{
	return x->ends_ms != 0 && until(x, x->ends_ms) == 0;
}

bool exchange_is_late(const struct exchange *x)
{
	return left_ms(x) == 0;
}

/* --- identify, decide, screen: what filters have a say in ----------------------------------------- */

static enum verdict step_identify(struct exchange *x)
{
	const struct hooks *hooks = x->w->opts->hooks;

	for (size_t i = 0; i < hooks->n_filters; i++) {
		if (hooks->filters[i]->identify != NULL && !hooks->filters[i]->identify(x)) {
			return VERDICT_REPLY;
		}
	}
	return VERDICT_NEXT;
}

/* Filters have the last word on the route. */
enum verdict exchange_decide(struct exchange *x)
{
	const struct hooks *hooks = x->w->opts->hooks;
	struct request *rq = x->rq;

	x->rq->texts.route = texts_cut(rq->route->name);
	attributes_of_request(x);
	for (size_t i = 0; i < hooks->n_filters; i++) {
		if (hooks->filters[i]->decide != NULL && !hooks->filters[i]->decide(x)) {
			return VERDICT_REPLY;
		}
	}
	if (rq->route->cors != NULL && browser_judge(x) == VERDICT_REPLY) {
		return VERDICT_REPLY;
	}
	if (rq->consumer != NULL) {
		x->rq->texts.consumer = texts_cut(rq->consumer->name);
	}
	return VERDICT_NEXT;
}

static enum verdict step_decide(struct exchange *x)
{
	struct request *rq = x->rq;

	if (!routing_choose(x) || exchange_decide(x) != VERDICT_NEXT) {
		return VERDICT_REPLY;
	}
	if (rq->route->fixed != NULL) {
		return VERDICT_NEXT;
	}
	if (rq->route->is_tools) {
		return reply_set(x, 501, "mcp.unsupported",
			"the tools of this MCP server are not run by this gateway");
	}
	if (rq->route->total_weight == 0) {
		return reply_set(x, 503, "config.invalid",
			"route %.*s has no usable destination; its resources need a correction",
			BYTES_ARG(x->rq->texts.route));
	}
	return VERDICT_NEXT;
}

static enum verdict step_screen(struct exchange *x)
{
	const struct hooks *hooks = x->w->opts->hooks;

	for (size_t i = 0; x->rq->route->blocking != NULL && i < hooks->n_filters; i++) {
		enum verdict v = hooks->filters[i]->screen != NULL ? hooks->filters[i]->screen(x)
								   : VERDICT_NEXT;

		if (v != VERDICT_NEXT) {
			return v;
		}
	}
	return x->rq->route->fixed != NULL ? reply_fixed(x, x->rq->route->fixed) : VERDICT_NEXT;
}

/* --- the runner --------------------------------------------------------------------------------- */

static const struct step {
	const char *name;
	enum verdict (*run)(struct exchange *x);
} steps[STEP_COUNT] = {
	[STEP_BEGIN] = {"begin", step_begin},
	[STEP_CANDIDATES] = {"candidates", step_candidates},
	[STEP_REDIRECT] = {"redirect", step_redirect},
	[STEP_IDENTIFY] = {"identify", step_identify},
	[STEP_GATHER] = {"gather", step_gather},
	[STEP_AUTOMATIC] = {"automatic", step_automatic},
	[STEP_MODELS] = {"models", step_models},
	[STEP_DECIDE] = {"decide", step_decide},
	[STEP_SCREEN] = {"screen", step_screen},
	[STEP_CHOOSE] = {"choose", step_choose},
	[STEP_CONTEXT] = {"context", step_context},
	[STEP_SURVEY] = {"survey", step_survey},
	[STEP_PREPARE] = {"prepare", step_prepare},
	[STEP_ADDRESS] = {"address", step_address},
	[STEP_SEND] = {"send", step_send},
	[STEP_HEAD] = {"head", step_head},
	[STEP_JUDGE] = {"judge", step_judge},
	[STEP_FIRST] = {"first", step_first},
	[STEP_COMMIT] = {"commit", step_commit},
	[STEP_RELAY] = {"relay", step_relay},
	[STEP_REPLY] = {"reply", step_reply},
};

static void drop_upstream(struct exchange *x)
{
	struct stream *up = x->up;

	if (up == NULL) {
		return;
	}
	x->up = NULL;
	if (up->in == STREAM_IN_END && up->out == STREAM_OUT_END) {
		stream_close(up);
	} else {
		stream_reset(up);
	}
}

static void give_request(struct exchange *x)
{
	if (x->rq != NULL) {
		list_remove(&x->rq->wait_link);
		/* A stream may run for an hour: it must not hold a segment for a head nobody reads. */
		stream_release_head(x->client);
		worker_give_request(x->w, x->rq);
		x->rq = NULL;
	}
	if (x->view != NULL) {
		view_drop(x->view);
		x->view = NULL;
	}
}

void exchange_release_request(struct exchange *x)
{
	texts_keep(x);
	give_request(x);
}

static void finish(struct exchange *x)
{
	struct worker *w = x->w;
	struct stream *client = x->client;

	attempts_leave(x);
	drop_upstream(x);
	concurrency_give(x);
	if (x->rec.ended_us == 0) {
		x->rec.ended_us = loop_now_us(w->loop);
	}
	if (x->answer_state != NULL) {
		w->opts->hooks->dialect->done(x);
	}
	unpack_end(x);
	while (x->holds != NULL) {
		struct hold *h = x->holds;

		x->holds = h->next;
		h->release(h, x);
	}
	if (w->observed != NULL && x->probe == NULL) {
		w->opts->hooks->observer->finish(w->observed, x);
	}
	access_line(w, x, stream_peer(client));
	texts_done(x);
	timer_clear(w->loop, &x->timer);
	loop_again_cancel(&x->again);
	list_remove(&x->link);
	give_request(x);
	chain_give(&w->pool, &x->answer.chain);
	reshape_end(x);
	if (client->out == STREAM_OUT_END || x->committed) {
		stream_close(client);
	} else {
		stream_reset(client);
	}
	w->counts.open -= x->probe == NULL;
	worker_give_exchange(w, x);
}

/* The client has left, or cannot be written to: nobody waits for an answer any more. */
static bool client_left(const struct exchange *x)
{
	return x->client->gone || x->client->out == STREAM_OUT_FAILED ||
		(x->client->in == STREAM_IN_FAILED && x->client->in_err != ERR_TIMEOUT &&
			x->client->in_err != ERR_SYNTAX && x->client->in_err != ERR_MEMORY);
}

static void on_again(struct task *t)
{
	exchange_wake(CONTAINER_OF(t, struct exchange, again));
}

/* False when the exchange has ended: it must not be touched any more. */
static bool run_steps(struct exchange *x)
{
	for (;;) {
		enum verdict v;

		assert_context(steps[x->step].name);
		v = steps[x->step].run(x);
		switch (v) {
		case VERDICT_NEXT:
			x->step++;
			break;
		case VERDICT_WAIT:
			return true;
		case VERDICT_AGAIN:
			loop_again(x->w->loop, &x->again, on_again);
			return true;
		case VERDICT_RETRY:
			drop_upstream(x);
			x->step = STEP_CHOOSE;
			break;
		case VERDICT_RESEND:
			drop_upstream(x);
			x->step = STEP_ADDRESS;
			break;
		case VERDICT_REPLY:
			drop_upstream(x);
			x->step = STEP_REPLY;
			break;
		case VERDICT_END:
			finish(x);
			return false;
		}
	}
}

static void abandon(struct exchange *x)
{
	x->rec.client_abort = true;
	x->rec.reason = "client.gone";
	x->rec.status = x->rec.status != 0 ? x->rec.status : 499;
	x->w->counts.client_aborts += x->probe == NULL;
	finish(x);
}

void exchange_wake(struct exchange *x)
{
	ASSERT(x->magic == EXCHANGE_MAGIC);
	if (x->running) {
		return;
	}
	x->running = true;
	x->woke_us = loop_now_us(x->w->loop);
	if (x->rec.began_us == 0) {
		x->rec.began_us = x->woke_us;
	}
	if (client_left(x) && x->client->out != STREAM_OUT_END) {
		abandon(x);
	} else if (run_steps(x)) {
		x->running = false;
	}
	assert_context(NULL);
}

void exchange_abort(struct exchange *x)
{
	x->rec.reason = x->rec.reason != NULL ? x->rec.reason : "shutdown";
	x->rec.cut = true;
	finish(x);
}

static void on_timer(struct timer *t)
{
	struct exchange *x = CONTAINER_OF(t, struct exchange, timer);

	x->timed_out = true;
	exchange_wake(x);
}

static void on_client(struct stream_user *u, struct stream *s)
{
	(void)s;
	exchange_wake(CONTAINER_OF(u, struct exchange, client_user));
}

static void on_upstream(struct stream_user *u, struct stream *s)
{
	(void)s;
	exchange_wake(CONTAINER_OF(u, struct exchange, up_user));
}

static void start(struct worker *w, struct stream *client, struct probe_run *probe)
{
	struct exchange *x = worker_take_exchange(w);
	struct request *rq = worker_take_request(w);

	x->w = w;
	x->magic = EXCHANGE_MAGIC;
	x->client = client;
	x->rq = rq;
	rq->x = x;
	x->client_user.on_stream = on_client;
	x->up_user.on_stream = on_upstream;
	list_append(&w->exchanges, &x->link);
	answer_init(x);
	x->probe = probe;
	w->counts.exchanges += probe == NULL;
	w->counts.open += probe == NULL;
	w->counts.probes += probe != NULL;
	client->user = &x->client_user;
	rq->head = *client->head;
	arena_init_with(&rq->arena, REQUEST_ARENA_MAX, rq->arena_room, sizeof(rq->arena_room));
	json_hits_init(&rq->hits, rq->hits_room, HITS_INLINE, 65536);
	/* H1_FIELDS_MAX fields of 12 bytes always fit. */
	ASSERT(head_keep(&rq->head, &rq->arena));
	exchange_wake(x);
}

void exchange_start(struct worker *w, struct stream *client)
{
	start(w, client, NULL);
}

void exchange_start_probe(struct worker *w, struct stream *client, struct probe_run *probe)
{
	start(w, client, probe);
}
