/*
 * Which models there are, where the gateway says it (modelsFromMapping). Lists of providers are fetched by control
 * when somebody asks; the first who ask wait for them a while, all others get what is known.
 */
#include "proxy/model_list.h"

#include "plan/models.h"
#include "wire/model_names.h"

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

static struct bytes listed(void *of, const struct fetched_source *list)
{
	struct exchange *x = of;
	struct fetched_text *t = NULL;

	if (list->cell != NULL) {
		IGNORE(fetched_get(x->w, list->cell, &t));
	}
	return t != NULL ? bytes_of(t->text, t->n) : BYTES("");
}

const struct fetched_form model_list_form = {
	.what = "list of models",
	.without = "only names of the configuration are listed",
	.advice = "check the provider's address and apiTokens, or leave its models to modelMapping",
	.accept = "application/json",
	.has_fields = true,
	.retry_ms = MODEL_LIST_RETRY_MS,
	.answer_max = MODEL_NAMES_ANSWER_MAX,
	.text_max = MODEL_NAMES_ANSWER_MAX,
	.make = model_names_read,
};

/* Whether all lists are there, or are not waited for. */
static bool are_known(struct exchange *x, const struct models_input *in)
{
	const struct fetched_source *sources[MODELS_SOURCES_MAX];
	size_t n = models_sources(in, sources);
	struct fetched_text *t;
	bool known = true;

	for (size_t i = 0; i < n; i++) {
		if (sources[i]->cell == NULL) {
			continue;
		}
		if (x->rq->waits_for_models && x->timed_out) {
			fetched_give_up(sources[i]->cell);
		}
		known = fetched_get(x->w, sources[i]->cell, &t) && known;
	}
	return known;
}

/* True when there is nothing to wait for any more. */
static bool have_waited(struct exchange *x, const struct models_input *in)
{
	struct request *rq = x->rq;

	if (!are_known(x, in)) {
		if (!rq->waits_for_models) {
			rq->waits_for_models = true;
			list_append(&x->w->waiting, &rq->wait_link);
			exchange_deadline(x, MODEL_LIST_WAIT_MS);
		}
		return false;
	}
	if (rq->waits_for_models) {
		list_remove(&rq->wait_link);
		timer_clear(x->w->loop, &x->timer);
		x->timed_out = false;
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
		x->view->plan->router, rq->candidates, rq->n_candidates, allows, listed, x};
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
	if (!have_waited(x, &in)) {
		return VERDICT_WAIT;
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
