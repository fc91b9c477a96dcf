/*
 * What was decided is read from the exchange, not decided again. Only why other routes were refused is
 * found out now, with the fields as they were when the candidates were looked for: a credential that was
 * found, and what a provider is not to see, have been struck out since.
 */
#include "proxy/decision.h"

#include "plan/explain.h"
#include "proxy/worker.h"

void decision_ask(struct exchange *x, unsigned i)
{
	const struct head *h = &x->rq->head;
	struct bytes token = x->w->opts->explain_token;

	if (token.n != 0 && bytes_eq_nocase(head_name(h, i), BYTES("x-sluice-explain")) &&
		bytes_eq_secret(head_value(h, i), token)) {
		x->explains = true;
	}
}

void decision_begin(struct exchange *x)
{
	memcpy(x->rq->struck_early, x->rq->strip_fields, sizeof(x->rq->struck_early));
}

/* Whom the filters found; nobody is looked up again. */
static const struct consumer *who(void *of, const struct consumers *c)
{
	const struct request *rq = of;

	return rq->asked == c ? rq->found : NULL;
}

/* The exchange has the first route of each group that differs by the model only; here each is told. */
static const struct route **all_candidates(
	struct exchange *x, const struct route_query *q, size_t *n)
{
	const struct plan *p = x->view->plan;
	size_t most = MIN(plan_candidates(p, q, NULL, 0), (size_t)DECISION_LOOK_MAX);
	const struct route **all = arena_alloc(&x->rq->arena, (most + 1) * sizeof(*all));

	*n = all != NULL ? plan_candidates(p, q, all, most) : 0;
	return all;
}

static bool find_routes(struct exchange *x, struct explain_routes *out)
{
	struct request *rq = x->rq;
	const struct route_query q = routing_query(x);
	struct explain_decided d = {.query = &q,
		.route = rq->route,
		.model = rq->has_route_model ? &rq->route_model : NULL,
		.look_up = who,
		.look_up_of = rq};
	uint64_t struck[ARRAY_LEN(rq->strip_fields)];
	bool made;

	memcpy(struck, rq->strip_fields, sizeof(struck));
	memcpy(rq->strip_fields, rq->struck_early, sizeof(struck));
	d.candidates = all_candidates(x, &q, &d.n_candidates);
	made = explain_routes(x->view->plan, &d, DECISION_LOOK_MAX, &rq->arena, out);
	memcpy(rq->strip_fields, struck, sizeof(struck));
	return made;
}

static void make(struct exchange *x, unsigned status)
{
	const struct destination *to = x->rq->at.to;
	struct explain_routes routes = {.n = 0};
	struct explain_line l = {.status = status,
		.reason = x->rq->reply.reason,
		.route = x->rec.route,
		.consumer = x->rec.consumer,
		.provider = x->rec.provider,
		.model = x->rec.model,
		.upstream_model = x->rec.upstream_model,
		.service = to != NULL ? to->service->name : BYTES(""),
		.routes = &routes};

	if (x->view != NULL) {
		IGNORE(find_routes(x, &routes)); /* without room for them they are not named */
	}
	text_init(&x->rec.decision, EXPLAIN_LINE_MAX);
	explain_put_line(&l, &x->rec.decision);
}

void decision_add(struct exchange *x, struct head_out *out)
{
	if (!x->explains || x->rq == NULL) {
		return;
	}
	if (x->rec.decision.n == 0) {
		make(x, x->rq->reply.status);
	}
	head_out_add(out, BYTES("x-sluice-decision"), text_bytes(&x->rec.decision));
}
