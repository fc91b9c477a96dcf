/*
 * Answers as they come in: bytes are fed to the event parser, or shown to the dialect, and become ready for the client.
 * See answer.c for where they wait.
 */
#define _GNU_SOURCE
#include "proxy/intake.h"

#include <stdlib.h>

#include "proxy/attempts.h"
#include "proxy/worker.h"

struct chain *answer_input(struct exchange *x)
{
	return x->answer.reshape != NULL ? &x->answer.reshape->held : &x->answer.chain;
}

/* Where the event in progress begins in it. */
static size_t input_at(const struct exchange *x)
{
	return x->answer.reshape != NULL ? 0 : x->answer.ready;
}

enum verdict intake_push(struct exchange *x)
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

/* The first event of all is the last chance of another attempt. */
static void look_at_first(struct exchange *x, const struct sse_event *ev, struct bytes raw)
{
	struct request *rq = x->rq;
	struct bytes data = bytes_of(raw.p + ev->data_off, ev->data_n);
	struct bytes name = bytes_of(raw.p + ev->name_off, ev->name_n);

	rq->doubtful = attempts_is_doubtful(data, name) || attempts_want_filtered(rq);
	if (rq->doubtful) {
		rq->first_data =
			arena_copy(&rq->arena, bytes_of(data.p, MIN(data.n, FAILURE_BODY_MAX)));
		rq->first_name =
			arena_copy(&rq->arena, bytes_of(name.p, MIN(name.n, LOG_TEXT_MAX)));
	}
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
		if (raw.p != NULL && !x->has_event && x->rq != NULL) {
			look_at_first(x, ev, raw);
		}
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

int intake_settle(struct exchange *x)
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
	return intake_settle(x);
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

void intake_drop_unready(struct exchange *x)
{
	struct answer *a = &x->answer;

	if (a->reshape != NULL) {
		chain_give(a->pool, &a->reshape->held);
	}
	chain_cut(a->pool, &a->chain, a->ready, a->chain.n - a->ready);
}

void intake_last_event(struct exchange *x)
{
	struct sse_event ev;

	if (answer_input(x)->n == input_at(x) || !sse_finish(&x->sse, &ev)) {
		intake_drop_unready(x);
		return;
	}
	leave_out(&ev, x->sent_ahead);
	settle(x, ev.raw_n, judge(x, &ev, last_bytes(x, 0)));
	IGNORE(intake_settle(x)); /* without memory the last event is missing */
	intake_drop_unready(x);
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

const char *intake_unusable(int rc)
{
	return rc == ERR_LIMIT     ? "an event of the upstream is too large"
		: rc == ERR_MEMORY ? "the gateway is out of buffer memory"
				   : "the upstream's answer cannot be decompressed";
}

bool intake_is_whole(const struct exchange *x)
{
	return x->unpack.z == NULL || x->unpack.ended;
}

int intake_take(struct exchange *x)
{
	return x->is_sse ? relay_events(x) : relay_bytes(x);
}

const char *intake_late(const struct exchange *x, const char *words)
{
	if (exchange_is_over(x)) {
		return "the answer took longer than downstream.routeTimeout of higress-config allows";
	}
	return exchange_is_late(x)
		? "no answer began within the time that the route's annotation timeout allows"
		: words;
}
