/*
 * The request is taken from the exchange as it was read, and nothing that was decided. Left out is what
 * explain is not told: a text that automatic routing looks at, a bridge, a modelKey of another name, and answers
 * that depend on the bytes of a body or on what an upstream does.
 */
#include "sim/judge.h"

#include "meter/meter.h"
#include "plan/explain.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"
#include "sim/world.h"

struct verdict_of {
	struct explain e;
	struct explain_request rq;
	struct arena arena;
};

static bool is_known(const struct exchange *x)
{
	return x->rq != NULL && x->view != NULL && x->rq->automatic == NULL && !x->rq->bridged &&
		x->rq->key_scan == NULL && x->rq->url.path.n != 0;
}

static void ask(const struct exchange *x, struct verdict_of *v)
{
	const struct request *rq = x->rq;
	const struct head *h = &rq->head;
	struct explain_field *fields;

	arena_init(&v->arena, SIZE_MAX);
	fields = arena_must(&v->arena, (h->n_fields + 1) * sizeof(*fields));
	for (unsigned i = 0; i < h->n_fields; i++) {
		fields[i] = (struct explain_field){
			head_name(h, i), head_value(h, i), h->fields[i].id, h->fields[i].hop};
	}
	v->rq = (struct explain_request){.method = h->method,
		.authority = head_get(h, FIELD_HOST),
		.url = rq->url,
		.fields = fields,
		.n_fields = h->n_fields,
		.tls = x->client->tls != NULL,
		.has_body = h->has_body,
		.model = rq->body_model};
	v->rq.url.host = x->rq->host;
	explain_request(x->view->plan, &v->rq, &v->arena, &v->e);
}

static void differ(
	const struct exchange *x, const char *what, struct bytes gateway, struct bytes explained)
{
	world_wrong("explain says another %s of " BYTES_FMT " " BYTES_FMT ": " BYTES_FMT
		    ", the gateway " BYTES_FMT,
		what, BYTES_ARG(x->rq->texts.method), BYTES_ARG(x->rq->texts.path),
		BYTES_ARG(explained), BYTES_ARG(gateway));
}

static void same(
	const struct exchange *x, const char *what, struct bytes gateway, struct bytes explained)
{
	if (!bytes_eq(gateway, explained)) {
		differ(x, what, gateway, explained);
	}
}

static void compare_destination(const struct exchange *x, const struct verdict_of *v)
{
	const struct request *rq = x->rq;
	const struct explain_destination *d = NULL;

	for (size_t i = 0; i < v->e.n_destinations; i++) {
		if (v->e.destinations[i].to == rq->at.to) {
			d = &v->e.destinations[i];
		}
	}
	if (rq->course.attempts > 1 || rq->course.fallback != NULL) {
		return; /* where explain only knows what it depends on */
	}
	if (d == NULL || d->to->weight == 0 || d->status != 0) {
		differ(x, "destination", rq->at.to->service->name, BYTES("none of that name"));
		return;
	}
	same(x, "target", text_bytes(&rq->at.target), d->target);
	if (v->e.reads_body && !rq->model_pending && d->to->provider != NULL) {
		same(x, "model", rq->at.upstream_model, d->model);
	}
}

static void chosen(void *kept, struct exchange *x)
{
	struct verdict_of v;

	meter_observer.chosen(kept, x);
	if (!is_known(x)) {
		return;
	}
	ask(x, &v);
	if (v.e.status != 0) {
		differ(x, "reason", BYTES("none"), bytes_str(v.e.reason));
	} else {
		same(x, "route", x->rq->route->name, v.e.route->name);
		same(x, "consumer", x->rq->consumer != NULL ? x->rq->consumer->name : BYTES(""),
			v.e.consumer != NULL ? v.e.consumer->name : BYTES(""));
		compare_destination(x, &v);
	}
	arena_done(&v.arena);
}

/* What is answered for no other reason than the plan and the head, or the model. */
static bool is_decided(const struct request *rq)
{
	struct bytes reason = bytes_str(rq->reply.reason);

	return rq->reply.status != 0 &&
		(bytes_eq(reason, BYTES("route.not_found")) ||
			bytes_eq(reason, BYTES("https.required")) ||
			bytes_starts(reason, BYTES("key-auth.")) ||
			bytes_starts(reason, BYTES("basic-auth.")) ||
			bytes_starts(reason, BYTES("cors.refused")) ||
			bytes_starts(reason, BYTES("request-block.url")) ||
			bytes_starts(reason, BYTES("request-block.header")) ||
			bytes_eq(reason, BYTES("api.unsupported")));
}

/* What is answered: for all destinations, or for the one that was chosen by weight. */
static unsigned expected(const struct exchange *x, const struct verdict_of *v, struct bytes *reason)
{
	const struct explain *e = &v->e;
	unsigned status = e->status;

	*reason = bytes_str(e->reason != NULL ? e->reason : "none");
	for (size_t i = 0; status == 0 && i < e->n_destinations; i++) {
		if (e->destinations[i].to == x->rq->at.to && e->destinations[i].status != 0) {
			status = e->destinations[i].status;
			*reason = bytes_str(e->destinations[i].reason);
		}
	}
	return status;
}

static void finish(void *kept, struct exchange *x)
{
	struct verdict_of v;
	struct bytes reason;

	meter_observer.finish(kept, x);
	if (!is_known(x) || !is_decided(x->rq) || x->committed) {
		return;
	}
	ask(x, &v);
	if (expected(x, &v, &reason) != x->rq->reply.status) {
		differ(x, "status", bytes_str(x->rq->reply.reason), reason);
	}
	same(x, "reason", bytes_str(x->rq->reply.reason), reason);
	arena_done(&v.arena);
}

static void *start(const struct gateway_opts *opts)
{
	return meter_observer.start(opts);
}

static void stop(void *kept)
{
	meter_observer.stop(kept);
}

static void tidy(void *kept, const struct plan *p, uint64_t now_ms)
{
	meter_observer.tidy(kept, p, now_ms);
}

static bool copy(void *kept, size_t *at, struct text *out)
{
	return meter_observer.copy(kept, at, out);
}

static bool copy_tally(void *kept, size_t *at, struct text *out)
{
	return meter_observer.copy_tally(kept, at, out);
}

const struct observer judge_observer = {
	.start = start,
	.stop = stop,
	.chosen = chosen,
	.finish = finish,
	.tidy = tidy,
	.copy = copy,
	.copy_tally = copy_tally,
};
