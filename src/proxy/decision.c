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

	return rq->asked[c->plugin].in == c ? rq->asked[c->plugin].found : NULL;
}

/* The exchange has the first route of each group that differs by the model only; here each is told. */
static const struct route **all_candidates(
	struct exchange *x, const struct route_query *q, size_t *n)
{
	const struct plan *p = x->view->plan;
	size_t most = MIN(plan_candidates(p, q, NULL, 0), (size_t)DECISION_LOOK_MAX);
	const struct route **all = arena_alloc(&x->rq->arena, (most + 1) * sizeof(*all));

	*n = all != NULL ? MIN(plan_candidates(p, q, all, most), most) : 0;
	return all;
}

/* The same from what the exchange has; NULL when they are too many for a line that nobody asked for. */
static const struct route **few_candidates(struct exchange *x, size_t *n)
{
	const struct request *rq = x->rq;
	const struct route **all = arena_alloc(&x->rq->arena, DECISION_LOG_LOOK_MAX * sizeof(*all));

	*n = plan_members(
		rq->candidates, rq->n_candidates, all, all != NULL ? DECISION_LOG_LOOK_MAX : 0);
	return *n <= DECISION_LOG_LOOK_MAX ? all : NULL;
}

static bool find_routes(struct exchange *x, struct explain_routes *out)
{
	size_t look_max = x->explains ? DECISION_LOOK_MAX : DECISION_LOG_LOOK_MAX;
	struct request *rq = x->rq;
	const struct route_query q = routing_query(x);
	struct explain_decided d = {.query = &q,
		.route = rq->route,
		.model = rq->has_route_model ? &rq->route_model : NULL,
		.caller = {who, rq, rq->host}};
	uint64_t struck[ARRAY_LEN(rq->strip_fields)];
	bool made;

	memcpy(struck, rq->strip_fields, sizeof(struck));
	memcpy(rq->strip_fields, rq->struck_early, sizeof(struck));
	d.candidates = x->explains ? all_candidates(x, &q, &d.n_candidates)
				   : few_candidates(x, &d.n_candidates);
	out->n_further = d.n_candidates; /* when they cannot be told */
	made = d.candidates != NULL && explain_routes(x->view->plan, &d, look_max, &rq->arena, out);
	memcpy(rq->strip_fields, struck, sizeof(struck));
	return made;
}

static void make(struct exchange *x, unsigned status, struct text *out)
{
	const struct destination *to = x->rq->at.to;
	struct explain_routes routes = {.n = 0};
	struct explain_line l = {.status = status,
		.reason = x->rq->reply.reason,
		.route = x->rq->texts.route,
		.consumer = x->rq->texts.consumer,
		.provider = x->rq->texts.provider,
		.model = x->rq->texts.model,
		.upstream_model = x->rq->texts.upstream_model,
		.bridged_to = x->rq->bridged ? texts_cut(x->rq->model) : BYTES(""),
		.service = to != NULL ? to->service->name : BYTES(""),
		.routes = &routes,
		.max = x->explains ? EXPLAIN_LINE_MAX : DECISION_LOG_MAX};

	if (x->view != NULL) {
		IGNORE(find_routes(x, &routes)); /* without room for them they are not named */
	}
	text_init(out, EXPLAIN_LINE_MAX);
	explain_put_line(&l, out);
}

/* Whether the access line tells it although nobody asked. */
static bool is_logged(const struct exchange *x)
{
	enum access_decisions which = x->w->opts->access_decisions;

	return x->w->opts->access_log && x->probe == NULL &&
		(which == ACCESS_DECISIONS_ALL ||
			(which == ACCESS_DECISIONS_REFUSED && x->rq->reply.status >= 400));
}

void decision_add(struct exchange *x, struct head_out *out)
{
	struct text *decision;

	if (x->rq == NULL || !(x->explains || is_logged(x))) {
		return;
	}
	decision = &texts_more(x)->decision;
	if (decision->n == 0) {
		make(x, x->rq->reply.status, decision);
	}
	if (x->explains) {
		head_out_add(out, BYTES("x-sluice-decision"), text_bytes(decision));
	}
}
