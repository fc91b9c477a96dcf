/*
 * The beginning of an answer, before anything of it is the client's: the head, the first event of a stream or the first byte
 * of anything else, or all of an answer that is gathered. Whatever goes wrong here can be made good by another attempt.
 */
#include "proxy/attempts.h"
#include "proxy/intake.h"
#include "proxy/worker.h"

/* --- head --------------------------------------------------------------------------------------- */

static bool is_event_stream(const struct head *h)
{
	return bytes_starts_nocase(head_get(h, FIELD_CONTENT_TYPE), BYTES("text/event-stream"));
}

/* An end that crossed the request on its way is there after a round trip. Later the upstream had the request, and
 * may have done what it asks, and count it. */
#define CROSSED_MS 1000u

/* A reused connection that ended before it said anything was closed by its peer while the request was
 * on its way: one more try, on a new connection (RFC 9112 §9.3.1). */
static bool died_idle(const struct exchange *x)
{
	const struct stream *up = x->up;

	return x->woke_us < x->rq->at.sent_us + CROSSED_MS * 1000u && up->reused && !up->spoke &&
		(up->in_err == ERR_CLOSED || up->in_err == ERR_RESET) && !x->rq->at.fresh &&
		(x->rq->gathers || !x->rq->head.has_body);
}

static enum verdict again_fresh(struct exchange *x)
{
	x->rq->at.fresh = true;
	x->rq->at.awaited = false;
	x->rq->complete_us = x->woke_us; /* what the first one took was not our part */
	if (x->rq->gathers) {
		splice_rewind(&x->rq->at.splice);
	}
	return VERDICT_RESEND;
}

static uint64_t usual_ms(const struct exchange *x)
{
	const struct provider *p = x->rq->at.to->provider;

	/* data-plane.md §10.4: type generic has no streams that we would know of. */
	if (!x->rq->stream && !(p != NULL && p->first_byte_ms != 0 && p->type->keeps_body)) {
		return x->w->opts->limits.answer_ms;
	}
	return p != NULL && p->first_byte_ms != 0 ? p->first_byte_ms
						  : x->w->opts->limits.first_byte_ms;
}

static uint64_t shorter(uint64_t ms, uint64_t other)
{
	return other != 0 && (ms == 0 || other < ms) ? other : ms;
}

/* An answer that is no stream may take minutes, and to give it up costs as much as to have it: the policies' times
 * are for streams, and for attempts behind the first. */
static uint64_t first_byte_ms(const struct exchange *x)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;
	uint64_t ms = usual_ms(x);

	if (!rq->stream && x->rec.attempts <= 1) {
		return ms;
	}
	if (p != NULL && p->retry.enabled) {
		ms = shorter(ms, p->retry.timeout_ms);
	}
	return rq->route->next.attempts != 0 ? shorter(ms, rq->route->next.timeout_ms) : ms;
}

/* The deadline for the answer begins when the request is sent. Until then the client, or the blocked connection, has one of its
 * own, and all attempts together may have one that ends here. */
static void await(struct exchange *x)
{
	struct attempt *at = &x->rq->at;

	if (x->up->out == STREAM_OUT_OPEN) {
		if (!timer_is_set(&x->timer)) {
			exchange_deadline(x, 0);
		}
		return;
	}
	exchange_begin_whole(x);
	if (!at->awaited) {
		at->awaited = true;
		exchange_deadline(x, first_byte_ms(x));
	}
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
		reply_set(x, 502, "upstream.invalid",
			"the upstream answered with a web page instead of an API's answer");
		return attempts_failed(x, FAILURE_INVALID);
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
		reply_set(x, 502, "upstream.invalid", "the upstream's head is too large");
		return attempts_failed(x, FAILURE_INVALID);
	}
	stream_want(up, ANSWER_HIGH_WATER);
	return VERDICT_NEXT;
}

enum verdict step_head(struct exchange *x)
{
	struct stream *up = x->up;
	enum verdict v;

	if (up->in == STREAM_IN_HEAD) {
		v = intake_push(x);
		if (v != VERDICT_NEXT) {
			return v;
		}
		if (x->timed_out) {
			reply_set(x, 504, "upstream.timeout", "%s",
				intake_late(x, "the upstream sent no answer in time"));
			return attempts_failed(x, FAILURE_TIMEOUT);
		}
		await(x);
		return VERDICT_WAIT;
	}
	if (up->in == STREAM_IN_FAILED) {
		return died_idle(x) ? again_fresh(x) : reply_upstream(x, up->in_err, up->fault);
	}
	return begin_answer(x);
}

/* --- first --------------------------------------------------------------------------------------- */

static enum verdict no_event(struct exchange *x)
{
	if (x->up->in == STREAM_IN_FAILED) {
		return reply_upstream(x, x->up->in_err, x->up->fault);
	}
	reply_set(x, 502, "upstream.invalid", "the upstream ended its stream without an event");
	return attempts_failed(x, FAILURE_INVALID);
}

/* --- gathered ----------------------------------------------------------------------------------- */

/* All of it has come. */
static enum verdict put_whole(struct exchange *x)
{
	if (x->is_sse && x->up->in == STREAM_IN_END) {
		intake_last_event(x);
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
	reply_set(
		x, 502, "upstream.reset", "the upstream broke off before the answer was complete");
	return attempts_failed(x, FAILURE_RESET);
}

static enum verdict gather(struct exchange *x)
{
	bool came = x->up->body.n != 0;
	int rc = intake_take(x);

	if (rc == ERR_MEMORY) {
		return reply_no_memory(x);
	}
	if (rc != 0 || x->answer.reshape->torn) {
		reply_set(x, 502, "upstream.invalid", "%s",
			intake_unusable(rc != 0 ? rc : ERR_LIMIT));
		return attempts_failed(x, FAILURE_INVALID);
	}
	if (!x->is_sse && x->answer.reshape->held.n > ANSWER_GATHER_MAX) {
		reshape_send_on(x);
		return VERDICT_NEXT;
	}
	if (unpack_waits(x)) {
		return VERDICT_AGAIN;
	}
	if ((x->up->in == STREAM_IN_END && intake_is_whole(x)) || (x->is_sse && x->saw_done)) {
		return put_whole(x);
	}
	if (x->up->in != STREAM_IN_BODY) {
		return no_rest(x);
	}
	if (x->timed_out) {
		reply_set(x, 504, "upstream.timeout", "%s",
			intake_late(
				x, "the upstream was silent for too long inside of its answer"));
		return attempts_failed(x, FAILURE_TIMEOUT);
	}
	if (came) {
		timer_clear(x->w->loop, &x->timer);
		exchange_deadline(x, x->idle_ms);
	}
	await(x);
	stream_want(x->up, ANSWER_HIGH_WATER);
	return VERDICT_WAIT;
}

/* An answer that is no stream, as far as it has come. */
static enum verdict look_at_bytes(struct exchange *x)
{
	const struct chain *body = &x->up->body;
	struct bytes begin = body->head != NULL
		? bytes_of(body->head->data + body->head->beg,
			  MIN((size_t)(body->head->end - body->head->beg), FAILURE_BODY_MAX))
		: BYTES("");

	if (attempts_is_usual(begin) && !attempts_want_filtered(x->rq)) {
		return VERDICT_NEXT;
	}
	if (attempts_wait_for_why(x, begin)) {
		return VERDICT_WAIT;
	}
	return attempts_want_filtered(x->rq) || attempts_look_twice(begin, BYTES(""))
		? attempts_doubt(x, begin, false, BYTES(""))
		: VERDICT_NEXT;
}

/* Data-plane.md §9.3: the head of a model's answer is withheld until something follows it. */
static enum verdict first_byte(struct exchange *x)
{
	enum verdict v;

	if (!x->reads_answer) {
		return VERDICT_NEXT;
	}
	if (x->up->in == STREAM_IN_FAILED) {
		return reply_upstream(x, x->up->in_err, x->up->fault);
	}
	if (x->up->body.n != 0 || x->up->in != STREAM_IN_BODY) {
		v = look_at_bytes(x);
		if (v != VERDICT_WAIT) {
			return v;
		}
	}
	v = intake_push(x);
	if (v != VERDICT_NEXT) {
		return v;
	}
	if (x->timed_out) {
		reply_set(x, 504, "upstream.timeout", "%s",
			intake_late(x, "the upstream sent a head and no answer"));
		return attempts_failed(x, FAILURE_TIMEOUT);
	}
	await(x);
	stream_want(x->up, ANSWER_HIGH_WATER);
	return head_keep(x->up->head, &x->rq->arena) ? VERDICT_WAIT : VERDICT_NEXT;
}

enum verdict step_first(struct exchange *x)
{
	enum verdict v;
	int rc;

	if (!x->is_sse && !reshape_gathers(x)) {
		return first_byte(x);
	}
	v = intake_push(x);
	if (v != VERDICT_NEXT || reshape_gathers(x)) {
		return v == VERDICT_NEXT ? gather(x) : v;
	}
	rc = intake_take(x);
	if (rc == 0 && x->up->in == STREAM_IN_END && intake_is_whole(x)) {
		intake_last_event(x);
	}
	if (x->has_event) {
		return x->rq->doubtful
			? attempts_doubt(x, x->rq->first_data, true, x->rq->first_name)
			: VERDICT_NEXT;
	}
	if (rc == ERR_MEMORY) {
		return reply_no_memory(x);
	}
	if (rc != 0) {
		reply_set(x, 502, "upstream.invalid", "%s", intake_unusable(rc));
		return attempts_failed(x, FAILURE_INVALID);
	}
	if (unpack_waits(x)) {
		return VERDICT_AGAIN;
	}
	if (x->up->in != STREAM_IN_BODY) {
		return no_event(x);
	}
	if (x->timed_out) {
		reply_set(x, 504, "upstream.timeout", "%s",
			intake_late(x, "the upstream sent no event in time"));
		return attempts_failed(x, FAILURE_TIMEOUT);
	}
	await(x);
	stream_want(x->up, ANSWER_HIGH_WATER);
	return VERDICT_WAIT;
}
