/*
 * A body that was gathered is whole and lies in the request. Any other waits in the client's stream until it is whole:
 * nothing of it is sent on before, so what is refused never begins to arrive anywhere. In both places the bytes stay
 * where they were received.
 */
#include "filter/request_block.h"

#include "plan/blocking.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

struct screened {
	const struct blocking *by;
	struct keywords_state state;
};

struct screening {
	const struct seg
		*seg; /* where it stands: segment and offset in its data; NULL: before the first */
	uint32_t at;
	size_t n;
	struct screened v[];
};

static void field_of(const void *of, size_t i, struct bytes *name, struct bytes *value)
{
	const struct head *h = of;

	*name = head_name(h, (unsigned)i);
	*value = head_value(h, (unsigned)i);
}

static bool refuse(struct exchange *x, const struct blocking *whose, enum blocking_by by)
{
	reply_set(x, blocking_status(whose, by), blocking_reason(by), "%s", blocking_text(by));
	if (by != BLOCKING_BROKEN) {
		x->rq->reply.message = whose->message;
		x->rq->reply.is_error = true;
	}
	return false;
}

/* False: replied. */
static bool judge_head(struct exchange *x, const struct route *r)
{
	const struct request *rq = x->rq;
	const struct blocking_head h = {.host = rq->host,
		.target = blocking_target(&rq->url),
		.n_fields = rq->head.n_fields,
		.field = field_of,
		.of = &rq->head};
	const struct blocking *whose = NULL;
	enum blocking_by by = BLOCKING_NOT;

	if (r->blocking != NULL && x->probe == NULL) {
		by = blocking_judge(r->blocking, &h, &whose);
	}
	return by == BLOCKING_NOT || refuse(x, whose, by);
}

static bool identify(struct exchange *x)
{
	const struct request *rq = x->rq;

	return !x->view->plan->has_blocking ||
		!blocking_is_certain(rq->candidates, rq->n_candidates) ||
		judge_head(x, rq->candidates[0]);
}

static bool decide(struct exchange *x)
{
	const struct request *rq = x->rq;

	return rq->route->blocking == NULL ||
		blocking_is_certain(rq->candidates, rq->n_candidates) || judge_head(x, rq->route);
}

/* --- bodies ------------------------------------------------------------------------------------- */

static size_t count(const struct exchange *x)
{
	const struct blocking *b;
	size_t at = 0, n = 0;

	while ((b = blocking_next(x->rq->route->blocking, x->rq->host, &at)) != NULL) {
		n += b->bodies != NULL;
	}
	return n;
}

/* VERDICT_NEXT: there is one, and texts to look for in it. */
static enum verdict begin(struct exchange *x)
{
	struct request *rq = x->rq;
	size_t n = count(x), at = 0;
	const struct blocking *b;
	struct screening *s;

	s = arena_alloc(&rq->arena, sizeof(*s) + n * sizeof(s->v[0]));
	if (s == NULL) {
		return reply_no_memory(x);
	}
	while ((b = blocking_next(rq->route->blocking, rq->host, &at)) != NULL) {
		if (b->bodies != NULL) {
			s->v[s->n++].by = b;
		}
	}
	rq->screening = s;
	if (n == 0 || rq->gathers) {
		return VERDICT_NEXT;
	}
	if (decode_coding(head_get(&rq->head, FIELD_CONTENT_ENCODING)) != BODY_PLAIN) {
		return reply_set(x, 415, "body.encoding",
			"on this route bodies are looked at, and this one has a Content-Encoding; send "
			"it plain");
	}
	stream_want(x->client, SIZE_MAX);
	return VERDICT_NEXT;
}

/* The text that one of them refuses has come to its end. */
static const struct blocking *look(struct screening *s, struct bytes next)
{
	for (size_t i = 0; i < s->n; i++) {
		if (keywords_find(s->v[i].by->bodies, &s->v[i].state, next) != KEYWORDS_NONE) {
			return s->v[i].by;
		}
	}
	return NULL;
}

/* Looks at what has come, up to a slice of it. VERDICT_NEXT: at all of it. */
static enum verdict slice(struct exchange *x, const struct chain *c)
{
	struct screening *s = x->rq->screening;
	size_t left = REQUEST_BLOCK_SLICE / s->n; /* each byte is read for each of them */

	if (s->seg == NULL && c->head != NULL) {
		s->seg = c->head;
		s->at = c->head->beg;
	}
	while (s->seg != NULL && left != 0) {
		size_t n = MIN(left, (size_t)(s->seg->end - s->at));
		const struct blocking *by = look(s, bytes_of(s->seg->data + s->at, n));

		if (by != NULL) {
			refuse(x, by, BLOCKING_BODY);
			return VERDICT_REPLY;
		}
		s->at += (uint32_t)n;
		left -= n;
		if (s->at != s->seg->end) {
			continue;
		}
		if (s->seg->next == NULL) {
			return VERDICT_NEXT;
		}
		s->seg = s->seg->next;
		s->at = s->seg->beg;
	}
	return s->seg == NULL ? VERDICT_NEXT : VERDICT_AGAIN;
}

/* Of a body that has not come whole yet. */
static enum verdict wait_for_end(struct exchange *x)
{
	uint64_t max = x->w->opts->limits.body_max;

	if (x->client->body.n > max) {
		return reply_set(x, 413, "body.too_large",
			"the request body is larger than %llu bytes", (unsigned long long)max);
	}
	if (x->client->in == STREAM_IN_FAILED) {
		return reply_bad_body(x);
	}
	if (x->client->in != STREAM_IN_END) {
		return VERDICT_WAIT;
	}
	x->rq->complete_us = x->woke_us;
	return VERDICT_NEXT;
}

static enum verdict screen(struct exchange *x)
{
	struct request *rq = x->rq;
	enum verdict v = VERDICT_NEXT;

	if (!rq->route->blocking->reads_bodies || !rq->head.has_body || x->probe != NULL) {
		return VERDICT_NEXT;
	}
	if (rq->screening == NULL) {
		v = begin(x);
	}
	if (v != VERDICT_NEXT || rq->screening->n == 0) {
		return v;
	}
	v = slice(x, rq->gathers ? &rq->body : &x->client->body);
	return v == VERDICT_NEXT && !rq->gathers ? wait_for_end(x) : v;
}

const struct filter filter_request_block = {
	.name = "request-block",
	.identify = identify,
	.decide = decide,
	.screen = screen,
};
