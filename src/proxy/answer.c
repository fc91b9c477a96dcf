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
#include "proxy/attempts.h"
#include "proxy/intake.h"
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

void answer_init(struct exchange *x)
{
	x->answer.source = (struct stream_source){answer_fill, answer_sent, false};
	x->answer.pool = &x->w->pool;
}

/* whole: nothing of it is missing. */
static void end_answer(struct exchange *x, bool whole)
{
	if (x->reads_answer) {
		x->w->opts->hooks->dialect->end_answer(x, whole);
		IGNORE(intake_settle(x)); /* without memory what comes last is missing */
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

/* --- commit ------------------------------------------------------------------------------------- */

enum verdict step_commit(struct exchange *x)
{
	struct head_out *out = &x->w->head;
	struct stream *up = x->up;
	char room[ANSWER_HEAD_ROOM];
	int rc;

	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
	x->rec.added_us += loop_now_us(x->w->loop) - x->woke_us;
	answer_head(x, out, room);
	rc = stream_send(x->client, out, &x->answer.source);
	if (rc != 0) {
		return reply_set(
			x, 502, "upstream.invalid", "the upstream's head is too large to pass on");
	}
	x->committed = true;
	attempts_commit(x);
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
		stream_pump(x->client); /* what there is, and be it a head only */
		return VERDICT_END;
	}
	intake_drop_unready(x);
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
		intake_drop_unready(x);
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
	int rc = intake_take(x);

	if (rc != 0) {
		return broken(x, rc == ERR_MEMORY ? 503 : 502,
			rc == ERR_MEMORY ? "memory" : "upstream.invalid", intake_unusable(rc));
	}
	if (unpack_waits(x)) {
		return VERDICT_NEXT;
	}
	if (up->in == STREAM_IN_END && !intake_is_whole(x)) {
		return upstream_broke(x);
	}
	if (up->in == STREAM_IN_END) {
		if (x->is_sse) {
			intake_last_event(x);
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
			intake_late(x, "the upstream was silent for too long"));
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
		IGNORE(intake_push(x)); /* a refusal comes too late now; the answer decides */
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
