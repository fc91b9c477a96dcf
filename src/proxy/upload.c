/*
 * Uploads: multipart bodies whose field "model" is read and mapped while they stream through
 * (data-plane.md §3.2, §13.1). Files are not gathered:
 *
 *   - where the model chooses the route, the body waits unsent until its field has come;
 *   - elsewhere only its beginning is waited for. Most senders put short fields first; then the new
 *     length is known and sent. Behind a file the model is replaced as it passes, in chunks.
 *
 * The scanner is always ahead of what is sent: bytes of the field's value go nowhere before the value is
 * whole. What has left cannot be sent again: another attempt follows only when no connection was made.
 */
#include "plan/model_router.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"
#include "wire/multipart.h"

/* What is waited for before the request goes on without its model: the short fields of a form. */
#define UPLOAD_AHEAD (THROUGH_HIGH_WATER / 2)

struct upload {
	struct multipart scan;
	bool over;      /* nothing more is to be scanned */
	bool broken;    /* because the body is malformed */
	bool must_know; /* the model chooses the route */
	bool may_edit;  /* the model may have to be replaced when it comes */
	bool edits;     /* `put` stands in place of the bytes beg to end of the body */
	uint64_t beg, end;
	struct bytes put;
	size_t put_sent;
};

static uint64_t passed(const struct exchange *x)
{
	return x->rec.bytes_in; /* of the client's bytes; the first of its chain comes next */
}

/* --- before a route is chosen ------------------------------------------------------------------- */

static struct bytes field_name(const struct exchange *x)
{
	const struct model_router *m = x->view->plan->router;

	return x->rq->routes_by_model && m->key != NULL ? m->key_name : BYTES("model");
}

/* Whether a provider that may get it refuses models, or has them in its paths. */
static bool is_judged(const struct route *r)
{
	for (size_t i = 0; i < r->n_destinations; i++) {
		const struct provider *p = r->destinations[i].provider;

		if (p != NULL && (!mapping_is_empty(&p->deny) || p->model_in_path)) {
			return true;
		}
	}
	return false;
}

static bool must_know(const struct exchange *x)
{
	const struct model_router *m = x->view->plan->router;

	for (size_t i = 0; i < x->rq->n_candidates; i++) {
		if (is_judged(x->rq->candidates[i])) {
			return true;
		}
	}
	return x->rq->routes_by_model ||
		(m->vendor_header.n != 0 && model_router_reads(m, x->rq->api, x->rq->url.path));
}

enum verdict upload_begin(struct exchange *x)
{
	struct request *rq = x->rq;
	char room[MULTIPART_BOUNDARY_MAX];
	struct bytes boundary;

	if (rq->upload != NULL ||
		!multipart_boundary(head_get(&rq->head, FIELD_CONTENT_TYPE), room, &boundary)) {
		return VERDICT_NEXT;
	}
	if (boundary.n == 0) {
		return reply_set(x, 400, "body.invalid_multipart",
			"the Content-Type of the request needs one boundary of 1 to %u characters",
			MULTIPART_BOUNDARY_MAX);
	}
	if (!decode_choose(x) || rq->coding != BODY_PLAIN) {
		return reply_set(x, 415, "body.encoding",
			"a multipart body cannot be read compressed; send it without "
			"Content-Encoding");
	}
	rq->upload = arena_alloc(&rq->arena, sizeof(*rq->upload));
	if (rq->upload == NULL) {
		return reply_no_memory(x);
	}
	memset(rq->upload, 0, sizeof(*rq->upload));
	multipart_init(&rq->upload->scan, boundary, field_name(x));
	rq->upload->must_know = must_know(x);
	return VERDICT_NEXT;
}

size_t upload_credit(const struct upload *u)
{
	return u->must_know && !u->over ? SIZE_MAX : THROUGH_HIGH_WATER;
}

static void take_model(struct exchange *x)
{
	struct request *rq = x->rq;
	struct upload *u = rq->upload;

	u->over = true;
	rq->model_pending = false;
	if (u->scan.found) {
		rq->model = rq->body_model = multipart_value(&u->scan);
		x->rq->texts.model = texts_cut(rq->model);
	}
}

/* Scans what has come since the last time. */
static enum read_rc scan(struct exchange *x, struct fault *f)
{
	struct upload *u = x->rq->upload;
	uint64_t skip = u->scan.at - passed(x);
	enum read_rc rc = READ_MORE;

	for (const struct seg *s = x->client->body.head; s != NULL && rc == READ_MORE;
		s = s->next) {
		uint64_t n = s->end - s->beg;

		if (skip < n) {
			rc = multipart_feed(
				&u->scan, s->data + s->beg + skip, (size_t)(n - skip), f);
			skip = n;
		}
		skip -= n;
	}
	if (rc == READ_MORE && x->client->in == STREAM_IN_END) {
		rc = multipart_end(&u->scan, f);
	}
	if (rc == READ_DONE) {
		take_model(x);
	}
	return rc;
}

static enum verdict malformed(struct exchange *x, const struct fault *f)
{
	return reply_set(x, 400, "body.invalid_multipart",
		"the model cannot be read from the request body: %s", f->text);
}

static enum verdict go_on(struct exchange *x)
{
	stream_want(x->client, THROUGH_HIGH_WATER);
	x->rq->complete_us = x->woke_us;
	return VERDICT_NEXT;
}

enum verdict upload_gather(struct exchange *x)
{
	struct upload *u = x->rq->upload;
	uint64_t max = x->w->opts->limits.body_max;
	struct fault f = {0};
	enum read_rc rc;

	if (x->client->body.n > max) {
		return reply_set(x, 413, "body.too_large",
			"the request body is larger than %llu bytes", (unsigned long long)max);
	}
	if (x->client->in == STREAM_IN_FAILED) {
		return reply_bad_body(x);
	}
	rc = scan(x, &f);
	if (rc == READ_DONE) {
		return go_on(x);
	}
	if (rc == READ_FAIL && u->must_know) {
		return malformed(x, &f);
	}
	if (rc == READ_FAIL) {
		u->over = u->broken = true; /* an upstream that needs no other model may judge it */
		return go_on(x);
	}
	if (u->must_know || x->client->body.n < UPLOAD_AHEAD) {
		return VERDICT_WAIT;
	}
	x->rq->model_pending = true;
	return go_on(x);
}

/* --- towards an upstream ------------------------------------------------------------------------ */

static bool is_one_line(struct bytes b)
{
	return memchr(b.p, '\r', b.n) == NULL && memchr(b.p, '\n', b.n) == NULL;
}

/* The model is known, and who gets it. */
static enum verdict choose_value(struct exchange *x)
{
	struct request *rq = x->rq;
	struct upload *u = rq->upload;
	struct bytes to = rq->model;

	if (rq->at.to->provider != NULL && bytes_eq(field_name(x), BYTES("model"))) {
		to = x->w->opts->hooks->dialect->map_model(x, to);
	}
	rq->at.upstream_model = to;
	x->rq->texts.upstream_model = texts_cut(to);
	u->edits = false; /* for an attempt before this one it may have been mapped */
	if (bytes_eq(to, rq->body_model)) {
		return VERDICT_NEXT;
	}
	if (!is_one_line(to)) {
		return reply_set(x, 503, "config.invalid",
			"the model is mapped to a name with a line break; the configuration needs a "
			"correction");
	}
	u->edits = true;
	u->beg = u->scan.beg;
	u->end = u->scan.end;
	u->put = to;
	return VERDICT_NEXT;
}

static bool maps_something(const struct mapping *m)
{
	return m != NULL && !mapping_is_empty(m);
}

enum verdict upload_prepare(struct exchange *x)
{
	struct request *rq = x->rq;
	struct upload *u = rq->upload;
	const struct destination *to = rq->at.to;

	if (u->scan.found) {
		return choose_value(x);
	}
	u->may_edit = to->provider != NULL &&
		(maps_something(to->mapping) ||
			(!to->provider->original && maps_something(&to->provider->mapping)));
	if (u->broken && u->may_edit) {
		return reply_set(x, 400, "body.invalid_multipart",
			"the model cannot be read from the request body: it is no well-formed "
			"multipart/form-data");
	}
	u->over = u->over || !u->may_edit;
	return VERDICT_NEXT;
}

uint64_t upload_length(const struct exchange *x)
{
	const struct upload *u = x->rq->upload;
	uint64_t length = x->rq->head.length;

	if (length == HEAD_NO_LENGTH || !u->over) {
		return HEAD_NO_LENGTH;
	}
	return u->edits ? length - (u->end - u->beg) + u->put.n : length;
}

enum verdict upload_push(struct exchange *x)
{
	struct upload *u = x->rq->upload;
	struct fault f = {0};
	enum read_rc rc;

	if (u->over) {
		return VERDICT_NEXT;
	}
	rc = scan(x, &f);
	if (rc == READ_FAIL) {
		return malformed(x, &f);
	}
	return rc == READ_DONE && u->scan.found ? choose_value(x) : VERDICT_NEXT;
}

/* The bytes `from` to `to` of a chain. */
static int show(const struct chain *c, uint64_t from, uint64_t to, struct iovec *v, int max)
{
	int n = 0;

	for (const struct seg *s = c->head; s != NULL && n < max && to != 0; s = s->next) {
		uint64_t here = s->end - s->beg;
		uint64_t end = MIN(here, to);

		if (from < end) {
			v[n].iov_base = (void *)(uintptr_t)(s->data + s->beg + from);
			v[n++].iov_len = (size_t)(end - from);
		}
		from -= MIN(from, here);
		to -= end;
	}
	return n;
}

static bool is_before_value(const struct exchange *x)
{
	return x->rq->upload->edits && passed(x) <= x->rq->upload->beg;
}

int upload_fill(struct exchange *x, struct iovec *v, int max)
{
	const struct upload *u = x->rq->upload;
	const struct chain *c = &x->client->body;
	int n;

	if (!u->over) {
		return show(c, 0, multipart_safe(&u->scan) - passed(x), v, max);
	}
	if (!is_before_value(x)) {
		return show(c, 0, c->n, v, max);
	}
	n = show(c, 0, u->beg - passed(x), v, max);
	if (n < max && u->put_sent < u->put.n) {
		v[n].iov_base = (void *)(uintptr_t)(u->put.p + u->put_sent);
		v[n++].iov_len = u->put.n - u->put_sent;
	}
	return n + show(c, u->end - passed(x), c->n, v + n, max - n);
}

bool upload_is_whole(const struct exchange *x)
{
	const struct upload *u = x->rq->upload;

	return u->scan.found && passed(x) == 0 && u->put_sent == 0;
}

static void drop(struct exchange *x, uint64_t n)
{
	x->rec.bytes_in += n;
	chain_drop(&x->w->pool, &x->client->body, (size_t)n);
}

void upload_sent(struct exchange *x, size_t n)
{
	struct upload *u = x->rq->upload;

	if (is_before_value(x)) {
		size_t before = (size_t)MIN(n, u->beg - passed(x));
		size_t put;

		drop(x, before);
		n -= before;
		if (passed(x) < u->beg) {
			return;
		}
		put = MIN(n, u->put.n - u->put_sent);
		u->put_sent += put;
		n -= put;
		if (u->put_sent < u->put.n) {
			return;
		}
		drop(x, u->end - u->beg);
		u->edits = false;
	}
	drop(x, n);
}
