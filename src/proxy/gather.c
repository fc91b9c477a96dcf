/*
 * Step gather: the body of a request, as far as it must be known before a route and a destination can be chosen. A JSON body is
 * read whole and scanned as it comes, where it was received; one that came compressed is decoded slice by slice once it is there; a
 * multipart one is looked at until its model is known (upload.c); any other goes through when its upstream wants it. Who
 * reads: somebody has to know the model, or a malformed document must be refused here and not be paid for there.
 */
#include "plan/decide.h"
#include "proxy/worker.h"

static bool any_ai(const struct request *rq)
{
	return decide_any_ai(rq->candidates, rq->n_candidates);
}

static enum verdict too_large(struct exchange *x)
{
	return reply_set(x, 413, "body.too_large", "the request body is larger than %llu bytes",
		(unsigned long long)x->w->opts->limits.body_max);
}

/* Whether the body may be begun; VERDICT_NEXT: it is now being read. */
static enum verdict begin_body(struct exchange *x)
{
	struct request *rq = x->rq;

	if (rq->head.length != HEAD_NO_LENGTH && rq->head.length > x->w->opts->limits.body_max) {
		return too_large(x);
	}
	if (rq->gathers && !decode_choose(x)) {
		return reply_set(x, 415, "body.encoding",
			"the request body has a Content-Encoding that is not understood; send it plain, "
			"or as gzip or deflate");
	}
	if (segpool_spent(&x->w->pool)) {
		return reply_no_memory(x);
	}
	if (segpool_tight(&x->w->pool)) {
		if (x->timed_out) {
			return reply_no_memory(x);
		}
		if (!list_linked(&rq->wait_link)) {
			list_append(&x->w->tight, &rq->wait_link);
			exchange_deadline(x, x->w->opts->limits.memory_ms);
		}
		return VERDICT_WAIT;
	}
	list_remove(&rq->wait_link);
	timer_clear(x->w->loop, &x->timer);
	x->timed_out = false;
	if (!routing_begin_body(x)) {
		return reply_no_memory(x);
	}
	rq->scan = json_scan_init(&rq->scan_room, x->w->opts->hooks->request_query, &rq->hits);
	stream_send_continue(x->client);
	stream_want(x->client,
		rq->gathers                  ? SIZE_MAX
			: rq->upload != NULL ? upload_credit(rq->upload)
					     : THROUGH_HIGH_WATER);
	return VERDICT_NEXT;
}

/* Scans what came since the last time. The bytes stay where they are. */
static enum read_rc scan_more(struct exchange *x, struct fault *f)
{
	struct request *rq = x->rq;
	const struct seg *s = rq->scan_seg;

	if (s == NULL) {
		s = rq->coding == BODY_PLAIN ? x->client->body.head : rq->body.head;
		rq->scan_at = s != NULL ? s->beg : 0;
	}
	while (s != NULL) {
		size_t n = s->end - rq->scan_at;

		if (json_scan_feed(rq->scan, s->data + rq->scan_at, n, f) == READ_FAIL) {
			return READ_FAIL;
		}
		routing_scan(x, bytes_of(s->data + rq->scan_at, n));
		rq->body_n += n;
		rq->scan_at = s->end;
		rq->scan_seg = s;
		s = s->next;
		if (s != NULL) {
			rq->scan_at = s->beg;
		}
	}
	return READ_MORE;
}

static enum verdict bad_json(struct exchange *x, const struct fault *f)
{
	return reply_set(x, 400, "body.invalid_json", "the request body is not valid: %s", f->text);
}

static enum verdict body_complete(struct exchange *x)
{
	struct request *rq = x->rq;
	struct fault f = {0};

	if (json_scan_end(rq->scan, &f) != READ_DONE) {
		return bad_json(x, &f);
	}
	if (rq->coding == BODY_PLAIN) {
		chain_move(&rq->body, &x->client->body);
		x->rec.bytes_in = rq->body.n;
	}
	return x->w->opts->hooks->dialect->read_request(x) ? VERDICT_NEXT : VERDICT_REPLY;
}

/* Somebody has to know what is in it (data-plane.md §1.2, stage 4). */
static bool wants_body(const struct request *rq)
{
	return rq->head.has_body &&
		((api_reads_body(rq->api) && any_ai(rq)) || rq->routes_by_model);
}

static bool needs_body(const struct request *rq)
{
	return bytes_eq(rq->head.method, BYTES("POST")) && api_reads_body(rq->api) && any_ai(rq);
}

/* The limit counts twice: for what comes, and for what that becomes. */
static enum verdict gather_coded(struct exchange *x)
{
	struct request *rq = x->rq;
	struct fault f = {0};
	enum verdict v;

	if (x->client->body.n > x->w->opts->limits.body_max) {
		return too_large(x);
	}
	if (x->client->in == STREAM_IN_FAILED) {
		return reply_bad_body(x);
	}
	if (x->client->in != STREAM_IN_END) {
		return VERDICT_WAIT;
	}
	if (rq->inflate == NULL) {
		rq->complete_us = x->woke_us;
	}
	v = decode_slice(x);
	if (v != VERDICT_NEXT) {
		return v;
	}
	if (scan_more(x, &f) == READ_FAIL) {
		return bad_json(x, &f);
	}
	if (rq->body_n > x->w->opts->limits.body_max) {
		return too_large(x);
	}
	return rq->decoded ? body_complete(x) : VERDICT_AGAIN;
}

enum verdict step_gather(struct exchange *x)
{
	struct request *rq = x->rq;
	struct fault f = {0};

	if (rq->scan == NULL) {
		enum verdict v;

		rq->gathers =
			wants_body(rq) && decide_is_json(head_get(&rq->head, FIELD_CONTENT_TYPE));
		rq->complete_us = x->woke_us;
		if (!rq->head.has_body) {
			return needs_body(rq)
				? reply_set(x, 400, "body.invalid_json",
					  "the request body is empty; this API wants a JSON object")
				: VERDICT_NEXT;
		}
		v = !rq->gathers && wants_body(rq) ? upload_begin(x) : VERDICT_NEXT;
		v = v == VERDICT_NEXT ? begin_body(x) : v;
		if (v != VERDICT_NEXT) {
			return v;
		}
	}
	if (!rq->gathers) {
		return rq->upload != NULL ? upload_gather(x) : VERDICT_NEXT;
	}
	if (rq->coding != BODY_PLAIN) {
		return gather_coded(x);
	}
	if (scan_more(x, &f) == READ_FAIL) {
		return bad_json(x, &f);
	}
	if (rq->body_n > x->w->opts->limits.body_max) {
		return too_large(x);
	}
	if (x->client->in == STREAM_IN_FAILED) {
		return reply_bad_body(x);
	}
	if (x->client->in != STREAM_IN_END) {
		return VERDICT_WAIT;
	}
	rq->complete_us = x->woke_us;
	return body_complete(x);
}
