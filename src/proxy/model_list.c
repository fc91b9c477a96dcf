/* Which models there are, where the configuration says it (modelsFromMapping). */
#include "plan/models.h"

#include "proxy/exchange.h"
#include "proxy/worker.h"

/* Three quarters of what a request may use: MODELS_MAX names of 100 bytes. */
#define LIST_MAX (REQUEST_ARENA_MAX / 4 * 3)

static bool allows(void *of, const struct route *r)
{
	struct exchange *x = of;
	const struct hooks *hooks = x->w->opts->hooks;

	for (size_t i = 0; i < hooks->n_filters; i++) {
		if (hooks->filters[i]->allows != NULL && !hooks->filters[i]->allows(x, r)) {
			return false;
		}
	}
	return true;
}

static bool asks_models(const struct request *rq)
{
	return (rq->api == API_MODELS || rq->api == API_RETRIEVE_MODEL) &&
		(bytes_eq(rq->head.method, BYTES("GET")) ||
			bytes_eq(rq->head.method, BYTES("HEAD")));
}

static enum verdict answer(struct exchange *x, struct text *body)
{
	struct bytes copy = text_full(body) ? (struct bytes){NULL, 0}
					    : arena_copy(&x->rq->arena, text_bytes(body));

	if (copy.p == NULL) {
		return reply_no_memory(x);
	}
	x->rq->reply.body = copy;
	return reply_set(x, 200, "models.listed", "ok");
}

static enum verdict answer_one(struct exchange *x, const struct strings *names, struct text *body)
{
	struct bytes name = models_asked(x->rq->url.path, &x->rq->arena);

	if (!models_has(names, name)) {
		x->rq->reply.model_not_found = true;
		return reply_set(x, 404, "route.not_found",
			"there is no such model; the list of models has all that there are");
	}
	models_put_one(name, body);
	return answer(x, body);
}

enum verdict step_models(struct exchange *x)
{
	struct request *rq = x->rq;
	struct models_input in = {
		x->view->plan->router, rq->candidates, rq->n_candidates, allows, x};
	struct strings names;
	enum verdict v;
	struct text body;

	if (x->probe != NULL || !asks_models(rq)) {
		return VERDICT_NEXT;
	}
	rq->route = models_route(&in);
	if (rq->route == NULL) {
		return VERDICT_NEXT;
	}
	if (exchange_decide(x) == VERDICT_REPLY) {
		return VERDICT_REPLY;
	}
	if (!models_list(&in, &rq->arena, &names)) {
		return reply_no_memory(x);
	}
	text_init(&body, LIST_MAX);
	if (rq->api == API_RETRIEVE_MODEL) {
		v = answer_one(x, &names, &body);
	} else {
		models_put_list(&names, &body);
		v = answer(x, &body);
	}
	text_done(&body);
	return v;
}
