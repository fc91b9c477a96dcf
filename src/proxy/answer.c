/*
 * What comes back from the upstream and goes to the client.
 *
 * Everything that came waits in one chain. Its first `ready` bytes may be sent. A stream of events is
 * relayed in whole events, byte for byte: bytes are fed to the event parser as they come, and an event
 * becomes ready when it is complete, or is cut out when the dialect hides it. So an error event can
 * always be put behind the last whole event. Anything else is ready at once, while the dialect looks
 * on. Nothing here needs memory beside the segments that the bytes came in.
 *
 * An answer that the dialect rewrites waits in another chain, what is held; what the dialect puts goes to the
 * end of the first one (reshape.c). The events are parsed in the same way in either.
 *
 * Back-pressure: above the high-water mark of what waits for the client the upstream is not read.
 */
#define _GNU_SOURCE
#include "proxy/decision.h"
#include "proxy/exchange.h"

#include <stdlib.h>

#include "plan/header_control.h"
#include "proxy/worker.h"

static int answer_fill(struct stream_source *s, struct iovec *v, int max)
{
	struct answer *a = CONTAINER_OF(s, struct answer, source);
	size_t left = a->ready;
	int n = 0;

	for (struct seg *at = a->chain.head; left != 0 && n < max; at = at->next) {
		size_t here = MIN(left, (size_t)(at->end - at->beg));

		v[n++] = (struct iovec){at->data + at->beg, here};
		left -= here;
	}
	return n;
}

static void answer_sent(struct stream_source *s, size_t n)
{
	struct answer *a = CONTAINER_OF(s, struct answer, source);
	struct exchange *x = CONTAINER_OF(a, struct exchange, answer);

	x->rec.bytes_out += n;
	a->ready -= n;
	chain_drop(a->pool, &a->chain, n);
}

struct chain *answer_input(struct exchange *x)
{
	return x->answer.reshape != NULL ? &x->answer.reshape->held : &x->answer.chain;
}

/* Where the event in progress begins in it. */
static size_t input_at(const struct exchange *x)
{
	return x->answer.reshape != NULL ? 0 : x->answer.ready;
}

void answer_init(struct exchange *x)
{
	x->answer.source = (struct stream_source){answer_fill, answer_sent, false};
	x->answer.pool = &x->w->pool;
}

/* --- head --------------------------------------------------------------------------------------- */

static bool is_event_stream(const struct head *h)
{
	return bytes_starts_nocase(head_get(h, FIELD_CONTENT_TYPE), BYTES("text/event-stream"));
}

/* A reused connection that ended before it said anything was closed by its peer while the request was
 * on its way: one more try, on a new connection (RFC 9112 §9.3.1). */
static bool died_idle(const struct exchange *x)
{
	const struct stream *up = x->up;

	return up->reused && !up->spoke && (up->in_err == ERR_CLOSED || up->in_err == ERR_RESET) &&
		!x->rq->at.fresh && (x->rq->gathers || !x->rq->head.has_body);
}

static enum verdict again_fresh(struct exchange *x)
{
	x->rq->at.fresh = true;
	if (x->rq->gathers) {
		splice_rewind(&x->rq->at.splice);
	}
	return VERDICT_RETRY;
}

/* The request's body goes on while its answer is awaited. */
static enum verdict push_request(struct exchange *x)
{
	struct request *rq = x->rq;

	if (rq->gathers || !rq->head.has_body || x->up->out != STREAM_OUT_OPEN) {
		return VERDICT_NEXT;
	}
	if (x->client->in == STREAM_IN_FAILED) {
		return reply_bad_body(x);
	}
	if (x->rec.bytes_in + x->client->body.n > x->w->opts->limits.body_max) {
		return reply_set(x, 413, "body.too_large",
			"the request body is larger than %llu bytes",
			(unsigned long long)x->w->opts->limits.body_max);
	}
	if (rq->upload != NULL && upload_push(x) == VERDICT_REPLY) {
		return VERDICT_REPLY;
	}
	rq->source.source.ended = x->client->in == STREAM_IN_END;
	stream_pump(x->up);
	return VERDICT_NEXT;
}

static uint64_t first_byte_ms(const struct exchange *x)
{
	const struct provider *p = x->rq->at.to->provider;

	/* data-plane.md §10.4: type generic has no streams that we would know of. */
	if (!x->rq->stream && !(p != NULL && p->first_byte_ms != 0 && p->type->keeps_body)) {
		return x->w->opts->limits.answer_ms;
	}
	return p != NULL && p->first_byte_ms != 0 ? p->first_byte_ms
						  : x->w->opts->limits.first_byte_ms;
}

/* The deadline for the answer begins when the request is sent; until then the client, or the blocked
 * connection, has a deadline of its own. */
static void await(struct exchange *x)
{
	if (x->up->out == STREAM_OUT_OPEN) {
		return;
	}
	exchange_begin_whole(x);
	if (!timer_is_set(&x->timer)) {
		exchange_deadline(x, first_byte_ms(x));
	}
}

/* Why a deadline passed: the step's own, for which the words are, or that of the whole answer. */
static const char *late(const struct exchange *x, const char *words)
{
	return exchange_is_over(x) ? "the answer took longer than downstream.routeTimeout of "
				     "higress-config allows"
				   : words;
}

/* A page with status 200 where an API should answer: some proxy or portal on the way, never a model. */
static bool is_page(const struct head *h)
{
	return bytes_starts_nocase(head_get(h, FIELD_CONTENT_TYPE), BYTES("text/html"));
}

/* The dialect says how it goes on; nothing, however it is framed, goes on as it comes. */
static bool begin_reading(struct exchange *x)
{
	enum answer_way way = x->w->opts->hooks->dialect->begin_answer(x, x->is_sse);

	return reshape_begin(
		x, x->up->head->has_body && answer_may_have_body(x) ? way : ANSWER_SENT_ON);
}

static enum verdict begin_answer(struct exchange *x)
{
	struct stream *up = x->up;
	const struct head *h = up->head;
	bool good = h->status >= 200 && h->status < 300;
	enum body_coding coding = unpack_coding(h);
	const struct provider *p = x->rq->at.to->provider;
	bool ai = p != NULL;
	bool plain = coding == BODY_PLAIN;

	x->idle_ms = ai && p->idle_ms != 0 ? p->idle_ms : x->w->opts->limits.idle_ms;
	unpack_end(x); /* of an attempt before this one */
	if (good && ai && !plain && coding != BODY_UNKNOWN && api_has_usage(x->rq->api) &&
		h->has_body) {
		if (!unpack_begin(x, coding)) {
			return reply_no_memory(x);
		}
		plain = true;
	}
	x->is_sse = good && ai && plain && is_event_stream(h) && answer_may_have_body(x);
	x->reads_answer = good && ai && plain && api_has_usage(x->rq->api);
	if (x->reads_answer && is_page(h)) {
		return reply_set(x, 502, "upstream.invalid",
			"the upstream answered with a web page instead of an API's answer");
	}
	x->rec.status = (uint16_t)h->status;
	x->rec.stream = x->is_sse;
	attributes_of_answer(x);
	if (x->answer_state != NULL) {
		x->w->opts->hooks->dialect->done(x); /* of an attempt before this one */
	}
	reshape_end(x);
	if (x->reads_answer && !begin_reading(x)) {
		return reply_no_memory(x);
	}
	if (x->is_sse) {
		sse_init(&x->sse);
	}
	if ((x->is_sse || x->answer.reshape != NULL) && !head_keep(up->head, &x->rq->arena)) {
		return reply_set(x, 502, "upstream.invalid", "the upstream's head is too large");
	}
	stream_want(up, ANSWER_HIGH_WATER);
	return VERDICT_NEXT;
}

enum verdict step_head(struct exchange *x)
{
	struct stream *up = x->up;
	enum verdict v;

	if (up->in == STREAM_IN_HEAD) {
		v = push_request(x);
		if (v != VERDICT_NEXT) {
			return v;
		}
		if (x->timed_out) {
			return reply_set(x, 504, "upstream.timeout", "%s",
				late(x, "the upstream sent no answer in time"));
		}
		await(x);
		return VERDICT_WAIT;
	}
	if (up->in == STREAM_IN_FAILED) {
		return died_idle(x) ? again_fresh(x) : reply_upstream(x, up->in_err, up->fault);
	}
	return begin_answer(x);
}

/* --- events ------------------------------------------------------------------------------------- */

/* The raw bytes of the event that ends at `end` in the chain's last segment and begins behind what is
 * ready. Put together in scratch when it lies across segments; p is NULL when it is too long. */
static struct bytes event_bytes(
	struct exchange *x, const char *end, uint32_t raw_n, struct text *scratch)
{
	const struct chain *c = answer_input(x);

	if ((size_t)(end - (c->tail->data + c->tail->beg)) >= raw_n) {
		return bytes_of(end - raw_n, raw_n);
	}
	if (raw_n > EVENT_READ_MAX) {
		return (struct bytes){NULL, 0};
	}
	text_init_fixed(scratch, must_alloc(raw_n), raw_n);
	chain_copy(c, input_at(x), raw_n, scratch->p);
	scratch->n = raw_n;
	return text_bytes(scratch);
}

static enum event_verdict judge(struct exchange *x, const struct sse_event *ev, const char *end)
{
	enum event_verdict v = EVENT_PASS;
	struct text scratch = {.p = NULL};
	struct bytes raw;

	x->w->counts.events++;
	x->saw_done |= ev->done;
	if (ev->data_lines != 0 && x->reads_answer) {
		raw = event_bytes(x, end, ev->raw_n, &scratch);
		if (raw.p != NULL) {
			v = x->w->opts->hooks->dialect->event(x, ev, raw);
		} else if (x->answer.reshape != NULL) {
			x->answer.reshape->torn = true;
		}
		free(scratch.p);
	}
	x->has_event |= v != EVENT_HIDE && ev->data_lines != 0;
	/* Comments and pings before the first data commit nothing and are swallowed. */
	return x->has_event ? v : EVENT_HIDE;
}

/* The next n bytes behind what is ready become ready, or go. */
static void settle(struct exchange *x, size_t n, enum event_verdict v)
{
	if (x->answer.reshape != NULL && v == EVENT_PASS) {
		reshape_pass(x, n);
	} else if (x->answer.reshape != NULL) {
		chain_drop(&x->w->pool, &x->answer.reshape->held, n);
	} else if (v == EVENT_PASS) {
		x->answer.ready += n;
	} else {
		chain_cut(&x->w->pool, &x->answer.chain, x->answer.ready, n);
	}
}

/* The LF of a terminator that was cut between CR and LF shares the fate of its event, and goes on at
 * once, for clients that wait for the whole of CR LF CR LF. The parser counts it to the next event.
 * Returns 1 when it was there. */
static size_t settle_cut_lf(struct exchange *x, const char *piece, size_t n)
{
	struct sse_event ev;
	size_t used;
	bool cut = x->ended_with_cr;

	x->ended_with_cr = false;
	if (!cut || n == 0 || *piece != '\n') {
		return 0;
	}
	IGNORE(sse_feed(&x->sse, bytes_of(piece, 1), &used, &ev)); /* a LF alone makes no event */
	settle(x, 1, x->last_verdict == EVENT_HIDE ? EVENT_HIDE : EVENT_PASS);
	x->sent_ahead = 1;
	return 1;
}

/* The first n raw bytes of the event were settled before it was complete. */
static void leave_out(struct sse_event *ev, uint32_t n)
{
	ev->raw_n -= n;
	ev->data_off -= ev->data_lines != 0 ? n : 0;
	ev->name_off -= ev->name_n != 0 ? n : 0;
}

/* Where the last n bytes of the chain are: they are in its last segment. */
static const char *last_bytes(const struct exchange *x, size_t n)
{
	const struct seg *tail =
		x->answer.reshape != NULL ? x->answer.reshape->held.tail : x->answer.chain.tail;

	return tail->data + tail->end - n;
}

/* What the dialect has put for the events so far may be sent. */
static int settle_put(struct exchange *x)
{
	return x->answer.reshape != NULL ? reshape_settle(x) : 0;
}

/* Feeds the last n bytes of the chain to the event parser. */
static int feed(struct exchange *x, size_t n)
{
	struct sse_event ev;
	size_t used;

	n -= settle_cut_lf(x, last_bytes(x, n), n);
	while (n != 0) {
		const char *piece = last_bytes(x, n);
		enum read_rc rc = sse_feed(&x->sse, bytes_of(piece, n), &used, &ev);

		if (rc == READ_FAIL) {
			return ERR_LIMIT;
		}
		n -= used;
		if (rc == READ_MORE) {
			break;
		}
		leave_out(&ev, x->sent_ahead);
		x->sent_ahead = 0;
		x->ended_with_cr = piece[used - 1] == '\r' && n == 0;
		x->last_verdict = (uint8_t)judge(x, &ev, piece + used);
		settle(x, ev.raw_n, x->last_verdict);
	}
	return settle_put(x);
}

/* Takes what the upstream sent; the events that are complete become ready. */
static int relay_events(struct exchange *x)
{
	struct chain *body = &x->up->body;
	int rc = 0;

	if (x->unpack.z != NULL) {
		return unpack_slice(x, feed);
	}
	while (body->n != 0 && rc == 0) {
		size_t n = body->head->end - body->head->beg;

		chain_shift(&x->w->pool, body, answer_input(x));
		rc = feed(x, n);
	}
	return rc;
}

/* What is not ready goes: an event that will not be completed. */
static void drop_unready(struct exchange *x)
{
	struct answer *a = &x->answer;

	if (a->reshape != NULL) {
		chain_give(a->pool, &a->reshape->held);
	}
	chain_cut(a->pool, &a->chain, a->ready, a->chain.n - a->ready);
}

/* The unterminated last event of a clean end counts. */
static void last_event(struct exchange *x)
{
	struct sse_event ev;

	if (answer_input(x)->n == input_at(x) || !sse_finish(&x->sse, &ev)) {
		drop_unready(x);
		return;
	}
	leave_out(&ev, x->sent_ahead);
	settle(x, ev.raw_n, judge(x, &ev, last_bytes(x, 0)));
	IGNORE(settle_put(x)); /* without memory the last event is missing */
	drop_unready(x);
}

/* --- everything else ---------------------------------------------------------------------------- */

/* The last n bytes of the chain were decoded. */
static int pass_bytes(struct exchange *x, size_t n)
{
	if (x->reads_answer) {
		x->w->opts->hooks->dialect->bytes(x, bytes_of(last_bytes(x, n), n), false);
	}
	x->answer.ready += x->answer.reshape == NULL ? n : 0;
	return 0;
}

static int relay_bytes(struct exchange *x)
{
	struct chain *body = &x->up->body;

	if (x->unpack.z != NULL) {
		return unpack_slice(x, pass_bytes);
	}
	while (body->n != 0) {
		const struct seg *s = body->head;
		size_t n = s->end - s->beg;

		if (x->reads_answer) {
			x->w->opts->hooks->dialect->bytes(x, bytes_of(s->data + s->beg, n),
				x->up->in == STREAM_IN_END && body->n == n);
		}
		chain_shift(&x->w->pool, body, answer_input(x));
	}
	if (x->answer.reshape == NULL) {
		x->answer.ready = x->answer.chain.n;
	}
	return 0;
}

/* --- first, commit ------------------------------------------------------------------------------ */

static enum verdict no_event(struct exchange *x)
{
	if (x->up->in == STREAM_IN_FAILED) {
		return reply_upstream(x, x->up->in_err, x->up->fault);
	}
	return reply_set(
		x, 502, "upstream.invalid", "the upstream ended its stream without an event");
}

static const char *unusable(int rc)
{
	return rc == ERR_LIMIT     ? "an event of the upstream is too large"
		: rc == ERR_MEMORY ? "the gateway is out of buffer memory"
				   : "the upstream's answer cannot be decompressed";
}

/* The upstream has ended its answer: whether all of it came. */
static bool is_whole(const struct exchange *x)
{
	return x->unpack.z == NULL || x->unpack.ended;
}

/* --- gathered ----------------------------------------------------------------------------------- */

/* All of it has come. */
static enum verdict put_whole(struct exchange *x)
{
	if (x->is_sse && x->up->in == STREAM_IN_END) {
		last_event(x);
	}
	if (!x->w->opts->hooks->dialect->whole(x)) {
		return VERDICT_REPLY;
	}
	chain_give(&x->w->pool, &x->answer.reshape->held);
	x->is_sse = x->rec.stream = false;
	return reshape_settle(x) != 0 ? reply_no_memory(x) : VERDICT_NEXT;
}

/* It has ended before it was complete. */
static enum verdict no_rest(struct exchange *x)
{
	if (x->up->in == STREAM_IN_FAILED) {
		return reply_upstream(x, x->up->in_err, x->up->fault);
	}
	return reply_set(
		x, 502, "upstream.reset", "the upstream broke off before the answer was complete");
}

static enum verdict gather(struct exchange *x)
{
	bool came = x->up->body.n != 0;
	int rc = x->is_sse ? relay_events(x) : relay_bytes(x);

	if (rc == ERR_MEMORY) {
		return reply_no_memory(x);
	}
	if (rc != 0 || x->answer.reshape->torn) {
		return reply_set(
			x, 502, "upstream.invalid", "%s", unusable(rc != 0 ? rc : ERR_LIMIT));
	}
	if (!x->is_sse && x->answer.reshape->held.n > ANSWER_GATHER_MAX) {
		reshape_send_on(x);
		return VERDICT_NEXT;
	}
	if (unpack_waits(x)) {
		return VERDICT_AGAIN;
	}
	if ((x->up->in == STREAM_IN_END && is_whole(x)) || (x->is_sse && x->saw_done)) {
		return put_whole(x);
	}
	if (x->up->in != STREAM_IN_BODY) {
		return no_rest(x);
	}
	if (x->timed_out) {
		return reply_set(x, 504, "upstream.timeout", "%s",
			late(x, "the upstream was silent for too long inside of its answer"));
	}
	if (came) {
		timer_clear(x->w->loop, &x->timer);
		exchange_deadline(x, x->idle_ms);
	}
	await(x);
	stream_want(x->up, ANSWER_HIGH_WATER);
	return VERDICT_WAIT;
}

enum verdict step_first(struct exchange *x)
{
	enum verdict v;
	int rc;

	if (!x->is_sse && !reshape_gathers(x)) {
		return VERDICT_NEXT;
	}
	v = push_request(x);
	if (v != VERDICT_NEXT || reshape_gathers(x)) {
		return v == VERDICT_NEXT ? gather(x) : v;
	}
	rc = relay_events(x);
	if (rc == 0 && x->up->in == STREAM_IN_END && is_whole(x)) {
		last_event(x);
	}
	if (x->has_event) {
		return VERDICT_NEXT;
	}
	if (rc == ERR_MEMORY) {
		return reply_no_memory(x);
	}
	if (rc != 0) {
		return reply_set(x, 502, "upstream.invalid", "%s", unusable(rc));
	}
	if (unpack_waits(x)) {
		return VERDICT_AGAIN;
	}
	if (x->up->in != STREAM_IN_BODY) {
		return no_event(x);
	}
	if (x->timed_out) {
		return reply_set(x, 504, "upstream.timeout", "%s",
			late(x, "the upstream sent no event in time"));
	}
	await(x);
	stream_want(x->up, ANSWER_HIGH_WATER);
	return VERDICT_WAIT;
}

/* whole: nothing of it is missing. */
static void end_answer(struct exchange *x, bool whole)
{
	if (x->reads_answer) {
		x->w->opts->hooks->dialect->end_answer(x, whole);
		IGNORE(settle_put(x)); /* without memory what comes last is missing */
		x->w->counts.usage_unknown +=
			!x->rec.usage.known && !x->rec.no_usage && x->probe == NULL;
	}
	x->answer.source.ended = true;
	x->ending = true;
	unpack_end(x);
	timer_clear(x->w->loop, &x->timer);
}

static void close_upstream(struct exchange *x)
{
	struct stream *up = x->up;

	x->up = NULL;
	if (up->in == STREAM_IN_END) {
		stream_close(up);
	} else {
		stream_reset(up);
	}
}

/* Unless the request is still on its way. */
static void close_sent(struct exchange *x)
{
	if (x->up->out != STREAM_OUT_OPEN) {
		close_upstream(x);
	}
}

enum verdict step_commit(struct exchange *x)
{
	struct head_out *out = &x->w->head;
	struct stream *up = x->up;
	char timing[ANSWER_TIMING_MAX];
	int rc;

	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
	x->rec.added_us += loop_now_us(x->w->loop) - x->woke_us;
	answer_head(x, out, timing);
	rc = stream_send(x->client, out, &x->answer.source);
	if (rc != 0) {
		return reply_set(
			x, 502, "upstream.invalid", "the upstream's head is too large to pass on");
	}
	x->committed = true;
	stream_release_head(up);
	if (reshape_gathers(x)) {
		end_answer(x, true);
		close_sent(x);
	}
	return VERDICT_NEXT;
}

/* --- relay -------------------------------------------------------------------------------------- */

/* The upstream broke off after data was sent. A stream of events gets an error event behind its last
 * whole event, then its regular end; anything else can only be cut. */
static enum verdict broken(
	struct exchange *x, unsigned status, const char *reason, const char *message)
{
	struct text event;

	x->rec.cut = true;
	x->rec.reason = reason;
	x->w->counts.upstream_failures += x->probe == NULL;
	close_upstream(x);
	if (!x->is_sse) {
		return VERDICT_END;
	}
	drop_unready(x);
	text_init(&event, 1024);
	reply_error_event(x, status, message, &event);
	/* Without memory for 200 bytes the stream just ends. */
	IGNORE(chain_add(&x->w->pool, &x->answer.chain, event.p, event.n));
	x->answer.ready = x->answer.chain.n;
	text_done(&event);
	end_answer(x, false);
	return VERDICT_NEXT;
}

static enum verdict upstream_broke(struct exchange *x)
{
	if (x->is_sse && x->saw_done) {
		/* Everything was said; how the connection ended does not matter any more. */
		drop_unready(x);
		close_upstream(x);
		end_answer(x, true);
		return VERDICT_NEXT;
	}
	return broken(
		x, 502, "upstream.reset", "the upstream broke off before the answer was complete");
}

/* Takes what has come; VERDICT_NEXT: fine so far. */
static enum verdict take_answer(struct exchange *x)
{
	struct stream *up = x->up;
	int rc = x->is_sse ? relay_events(x) : relay_bytes(x);

	if (rc != 0) {
		return broken(x, rc == ERR_MEMORY ? 503 : 502,
			rc == ERR_MEMORY ? "memory" : "upstream.invalid", unusable(rc));
	}
	if (unpack_waits(x)) {
		return VERDICT_NEXT;
	}
	if (up->in == STREAM_IN_END && !is_whole(x)) {
		return upstream_broke(x);
	}
	if (up->in == STREAM_IN_END) {
		if (x->is_sse) {
			last_event(x);
		}
		end_answer(x, true);
		close_sent(x);
		return VERDICT_NEXT;
	}
	if (up->in == STREAM_IN_FAILED) {
		return upstream_broke(x);
	}
	if (x->timed_out && x->is_sse && x->saw_done) {
		return upstream_broke(x);
	}
	if (x->timed_out) {
		return broken(x, 504, "upstream.timeout",
			late(x, "the upstream was silent for too long"));
	}
	return VERDICT_NEXT;
}

/* Reads on while the client keeps up; only then may silence be the upstream's fault. */
static void regulate(struct exchange *x)
{
	/* When memory is short each stream makes do with one read at a time. */
	size_t high = segpool_tight(&x->w->pool) ? 1 : ANSWER_HIGH_WATER;

	if (x->up->out != STREAM_OUT_OPEN) {
		exchange_begin_whole(x);
	}
	if (x->answer.ready >= high) {
		stream_want(x->up, 0);
		exchange_no_deadline(x);
	} else {
		stream_want(x->up, high);
		exchange_deadline(x, x->idle_ms);
	}
}

/* A request body that is still on its way needs its memory; otherwise the wait may be an hour. */
static void slim(struct exchange *x)
{
	if (x->rq == NULL) {
		return;
	}
	if (x->up != NULL && x->up->out == STREAM_OUT_OPEN) {
		IGNORE(push_request(x)); /* a refusal comes too late now; the answer decides */
		if (x->up->out == STREAM_OUT_OPEN) {
			return;
		}
	}
	exchange_release_request(x);
}

enum verdict step_relay(struct exchange *x)
{
	bool first = x->rec.first_us == 0;

	if (x->up != NULL && !x->ending && take_answer(x) == VERDICT_END) {
		return VERDICT_END;
	}
	stream_pump(x->client);
	if (first) {
		x->rec.first_us = loop_now_us(x->w->loop);
	}
	if (x->client->out == STREAM_OUT_END) {
		x->rec.ended_us = first ? x->rec.first_us : 0; /* it went at once */
		return VERDICT_END;
	}
	slim(x);
	if (x->up != NULL && !x->ending) {
		regulate(x);
		if (x->answer.ready < ANSWER_HIGH_WATER && unpack_waits(x)) {
			return VERDICT_AGAIN;
		}
	}
	return VERDICT_WAIT;
}
