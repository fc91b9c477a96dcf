/*
 * The exchange speaks to a stream, so what asks is one: its request is there from the start, and it takes the answer as
 * fast as it comes. The exchange learns only where it is to go (probe_route) and that it is not to be counted.
 *
 * A run goes to a worker by a post and comes back by the same one when the exchange lets its stream go; in between it
 * is the worker's. Who gives up meanwhile is forgotten by control at once; the worker is told by a second post, and
 * the run ends when both are back.
 */
#include "proxy/probe.h"

#include <stdio.h>
#include <stdlib.h>

#include "plan/pinned.h"
#include "proxy/gateway_int.h"

#define CONNECT_MS 10000u
#define TOTAL_MS 30000u
#define PIECES 8

struct probe_run {
	/* control's */
	struct list link; /* of gateway->probes */
	struct probe *p;  /* NULL: nobody waits for it any more */
	unsigned posts;   /* on their way */
	/* whoever has it */
	struct post post, cancel;
	struct worker *w;
	struct bytes provider, body;
	const struct lane *credential;
	uint32_t connect_ms, total_ms;
	/* the worker's */
	struct stream stream;
	struct stream_source *source;
	struct head head;
	struct timer connecting, deadline;
	struct task again;
	bool ended;
	uint64_t began_us;
	struct {
		bool known, connected;
		enum err err;
		char text[sizeof(((struct fault *)0)->text)];
	} upstream; /* of its failure */
	/* the outcome */
	enum probe_failure failure;
	unsigned status;
	struct text got;
	bool is_json;
	uint32_t ms;
	char why[PROBE_WHY_MAX];
	char texts[]; /* what is asked */
};

static void say(struct probe_run *r, enum probe_failure failure, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* The first one counts: what follows is only how the exchange ends. */
static void say(struct probe_run *r, enum probe_failure failure, const char *fmt, ...)
{
	va_list ap;

	if (r->failure != PROBE_ANSWERED) {
		return;
	}
	r->failure = failure;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
}

/* --- the exchange's end of it ------------------------------------------------------------------- */

static struct probe_run *run_of(struct stream *s)
{
	return CONTAINER_OF(s, struct probe_run, stream);
}

static struct exchange *exchange_of(const struct probe_run *r)
{
	return CONTAINER_OF(r->stream.user, struct exchange, client_user);
}

static void tell(struct probe_run *r)
{
	r->stream.user->on_stream(r->stream.user, &r->stream);
}

const struct route *probe_route(const struct probe_run *r, const struct plan *p)
{
	return pinned_find(p, r->provider);
}

const struct lane *probe_credential(const struct probe_run *r)
{
	return r->credential;
}

struct bytes probe_provider(const struct probe_run *r)
{
	return r->provider;
}

void probe_upstream_failed(struct probe_run *r, bool connected, enum err err, const struct fault *f)
{
	r->upstream.known = true;
	r->upstream.connected = connected;
	r->upstream.err = err;
	snprintf(r->upstream.text, sizeof(r->upstream.text), "%s", f != NULL ? f->text : "");
}

/* Of an answer that the gateway makes because of the upstream. */
static enum probe_failure failure_of(const struct probe_run *r, const struct exchange *x)
{
	struct bytes reason = bytes_str(x->rec.reason);
	const struct attempt *at = &x->rq->at;

	if (r->upstream.known && !r->upstream.connected) {
		return r->upstream.err == ERR_TLS        ? PROBE_TLS
			: r->upstream.err == ERR_TIMEOUT ? PROBE_TIMEOUT
							 : PROBE_CONNECT;
	}
	if (at->sent_us == 0 && !r->upstream.known) { /* there was no address */
		return at->to->service->endpoints[0].ask == NULL ? PROBE_DNS : PROBE_CONNECT;
	}
	return bytes_eq(reason, BYTES("upstream.timeout")) ? PROBE_TIMEOUT : PROBE_PROTOCOL;
}

/* An answer of the gateway's own. All others than these are what a client gets from this provider. */
static void judge_own(struct probe_run *r)
{
	const struct exchange *x = exchange_of(r);
	struct bytes reason = bytes_str(x->rec.reason);
	const char *text = r->upstream.text[0] != '\0' ? r->upstream.text : x->rq->reply.text;
	struct bytes address = x->rq->texts.upstream;

	if (bytes_eq(reason, BYTES("probe.no_provider")) ||
		bytes_eq(reason, BYTES("config.invalid"))) {
		say(r, PROBE_NO_PROVIDER, "%s", text);
	} else if (bytes_starts(reason, BYTES("upstream."))) {
		say(r, failure_of(r, x), address.n != 0 ? "%s (" BYTES_FMT ")" : "%s", text,
			BYTES_ARG(address));
	}
}

static int op_send(struct stream *s, const struct head_out *head, struct stream_source *source)
{
	struct probe_run *r = run_of(s);

	if (exchange_of(r)->rec.reason != NULL) {
		judge_own(r);
	}
	r->status = head->status;
	for (unsigned i = 0; i < head->n; i++) {
		if (bytes_eq_nocase(head->v[i].name, BYTES("content-type"))) {
			r->is_json =
				bytes_starts_nocase(head->v[i].value, BYTES("application/json"));
		}
	}
	r->source = source;
	s->out = STREAM_OUT_OPEN;
	return 0;
}

static void on_again(struct task *t)
{
	tell(CONTAINER_OF(t, struct probe_run, again));
}

static bool take(struct probe_run *r, const struct iovec *v, int n)
{
	size_t sum = 0;

	for (int i = 0; i < n; i++) {
		text_add(&r->got, v[i].iov_base, v[i].iov_len);
		sum += v[i].iov_len;
	}
	if (!text_full(&r->got)) {
		r->source->sent(r->source, sum);
		return true;
	}
	say(r, PROBE_PROTOCOL, "the answer is larger than %zu bytes", PROBE_ANSWER_MAX);
	r->stream.out = STREAM_OUT_FAILED;
	loop_again(r->w->loop, &r->again, on_again);
	return false;
}

static void op_pump(struct stream *s)
{
	struct probe_run *r = run_of(s);
	struct iovec v[PIECES];
	int n;

	while (s->out == STREAM_OUT_OPEN) {
		n = r->source->fill(r->source, v, PIECES);
		if (n == 0) {
			s->out = r->source->ended ? STREAM_OUT_END : STREAM_OUT_OPEN;
			return;
		}
		if (!take(r, v, n)) {
			return;
		}
	}
}

/* The body is short: all of it is there as soon as any of it is wanted. */
static void op_want(struct stream *s, size_t max)
{
	struct probe_run *r = run_of(s);

	if (max == 0 || s->in != STREAM_IN_BODY) {
		return;
	}
	s->in = STREAM_IN_END;
	if (!chain_add(s->pool, &s->body, r->body.p, r->body.n)) {
		s->in = STREAM_IN_FAILED;
		s->in_err = ERR_MEMORY;
	}
}

static void op_send_continue(struct stream *s)
{
	(void)s; /* it does not wait for that */
}

static void on_back(struct post *p);

/* The exchange has ended. Whatever is told of the run here, it is control's as soon as it is posted. */
static void end(struct probe_run *r)
{
	const struct exchange *x = exchange_of(r);

	if (bytes_eq(bytes_str(x->rec.reason), BYTES("shutdown"))) {
		say(r, PROBE_GONE, "the gateway is ending");
	} else if (r->stream.out != STREAM_OUT_END || x->rec.cut) {
		say(r, PROBE_PROTOCOL, "the upstream broke off before the answer was complete");
	}
	r->ms = (uint32_t)((loop_now_us(r->w->loop) - r->began_us) / 1000);
	timer_clear(r->w->loop, &r->connecting);
	timer_clear(r->w->loop, &r->deadline);
	loop_again_cancel(&r->again);
	chain_give(r->stream.pool, &r->stream.body);
	r->stream.user = NULL;
	r->ended = true;
	loop_post(r->w->gateway->control, &r->post, on_back);
}

static void op_end(struct stream *s)
{
	end(run_of(s));
}

static const char *op_peer(const struct stream *s)
{
	(void)s;
	return "127.0.0.1";
}

static const struct stream_ops ops = {
	.send = op_send,
	.send_continue = op_send_continue,
	.pump = op_pump,
	.want = op_want,
	.reset = op_end,
	.close = op_end,
	.peer = op_peer,
};

/* --- worker ------------------------------------------------------------------------------------- */

/* As a client that has waited long enough: it leaves. */
static void give_up(struct probe_run *r)
{
	r->stream.gone = true;
	tell(r);
}

static void on_connecting(struct timer *t)
{
	struct probe_run *r = CONTAINER_OF(t, struct probe_run, connecting);
	const struct exchange *x = exchange_of(r);

	if (x->committed || (x->up != NULL && x->up->connected)) {
		return;
	}
	say(r, PROBE_TIMEOUT, "there was no connection within %u ms", r->connect_ms);
	give_up(r);
}

static void on_deadline(struct timer *t)
{
	struct probe_run *r = CONTAINER_OF(t, struct probe_run, deadline);

	say(r, PROBE_TIMEOUT, "the answer was not complete within %u ms", r->total_ms);
	give_up(r);
}

static const char fields_text[] = "Accept: application/json\r\nContent-Type: application/json\r\n";
static const struct field fields[] = {
	{.name = 0, .name_n = 6, .value = 8, .value_n = 16, .id = FIELD_ACCEPT},
	{.name = 26, .name_n = 12, .value = 40, .value_n = 16, .id = FIELD_CONTENT_TYPE}};

static void on_start(struct post *p)
{
	struct probe_run *r = CONTAINER_OF(p, struct probe_run, post);
	struct worker *w = r->w;

	r->head.base = fields_text;
	r->head.fields = fields;
	r->head.n_fields = r->body.n != 0 ? 2 : 1;
	r->head.minor = 1;
	r->head.has_body = r->body.n != 0;
	r->head.length = r->body.n != 0 ? r->body.n : HEAD_NO_LENGTH;
	r->stream = (struct stream){.ops = &ops,
		.pool = &w->pool,
		.in = r->body.n != 0 ? STREAM_IN_BODY : STREAM_IN_END,
		.head = &r->head};
	text_init(&r->got, PROBE_ANSWER_MAX);
	r->began_us = loop_now_us(w->loop);
	timer_set(w->loop, &r->connecting, r->connect_ms, on_connecting);
	timer_set(w->loop, &r->deadline, r->total_ms, on_deadline);
	exchange_start_probe(w, &r->stream, r); /* it may be over, and r gone */
}

static void on_cancel_back(struct post *p);

static void on_cancel(struct post *p)
{
	struct probe_run *r = CONTAINER_OF(p, struct probe_run, cancel);

	if (!r->ended) {
		say(r, PROBE_GONE, "nobody waits for it");
		give_up(r);
	}
	loop_post(r->w->gateway->control, &r->cancel, on_cancel_back);
}

/* --- control ------------------------------------------------------------------------------------ */

static struct bytes put(struct text *t, struct bytes b)
{
	size_t at = t->n;

	text_add_bytes(t, b);
	return bytes_of(t->p + at, b.n);
}

static struct probe_run *run_new(const struct probe *p)
{
	size_t n = p->provider.n + p->method.n + p->path.n + p->body.n;
	struct probe_run *r = must_alloc(sizeof(*r) + n);
	struct text t;

	text_init_fixed(&t, r->texts, n);
	r->provider = put(&t, p->provider);
	r->head.method = put(&t, p->method);
	r->head.target = put(&t, p->path);
	r->body = put(&t, p->body);
	r->credential = p->credential;
	r->connect_ms = p->connect_ms != 0 ? p->connect_ms : CONNECT_MS;
	r->total_ms = p->total_ms != 0 ? p->total_ms : TOTAL_MS;
	return r;
}

static void came_back(struct probe_run *r)
{
	if (--r->posts == 0) {
		list_remove(&r->link);
		text_done(&r->got);
		free(r);
	}
}

static void on_cancel_back(struct post *p)
{
	came_back(CONTAINER_OF(p, struct probe_run, cancel));
}

static void on_back(struct post *post)
{
	struct probe_run *r = CONTAINER_OF(post, struct probe_run, post);
	struct probe *p = r->p;

	if (p != NULL) {
		p->failure = r->failure;
		p->status = r->status;
		p->is_json = r->is_json;
		p->ms = r->ms;
		memcpy(p->why, r->why, sizeof(p->why));
		p->body_got = r->got;
		r->got = (struct text){0};
		p->run = NULL;
	}
	came_back(r);
	if (p != NULL) {
		p->on_done(p);
	}
}

void probe_start(struct gateway *g, struct probe *p)
{
	struct probe_run *r = run_new(p);

	ASSERT(p->run == NULL);
	text_done(&p->body_got); /* of a run before */
	r->w = g->workers[g->probe_turn++ % g->opts.n_workers];
	r->p = p;
	p->run = r;
	r->posts = 1;
	list_append(&g->probes, &r->link);
	loop_post(r->w->loop, &r->post, on_start);
}

void probe_cancel(struct probe *p)
{
	struct probe_run *r = p->run;

	if (r == NULL) {
		return;
	}
	p->run = NULL;
	r->p = NULL;
	r->posts++;
	loop_post(r->w->loop, &r->cancel, on_cancel);
}

void probe_done(struct probe *p)
{
	ASSERT(p->run == NULL);
	text_done(&p->body_got);
}

void probe_forget_all(struct gateway *g)
{
	for (struct list *l = g->probes.next; l != &g->probes; l = l->next) {
		struct probe_run *r = CONTAINER_OF(l, struct probe_run, link);

		if (r->p != NULL) {
			r->p->failure = PROBE_GONE;
			r->p->run = NULL;
			r->p = NULL;
		}
	}
}
