/*
 * GET /v1/models by the gateway itself (modelsFromMapping, data-plane.md §6): the names that a caller may send to
 * the routes of a path, of the configuration and of the providers' own lists. Pure.
 */
#ifndef PLAN_MODELS_H
#define PLAN_MODELS_H

#include "plan/fetched_source.h"
#include "plan/model_router.h"
#include "plan/plan.h"

/* Names that are looked at. A list that is longer ends there: a menu has dozens, and each name is asked for its
 * route. */
#define MODELS_MAX 512u
/* Lists of providers that are asked for; routes of one path lead to a few. */
#define MODELS_SOURCES_MAX 32u

struct models_input {
	const struct model_router *router;
	const struct route *const
		*candidates; /* of the request, conditions on the model left out */
	size_t n;
	bool (*allows)(void *of, const struct route *r); /* whether the caller may use it */
	/* What a provider's list is known to have, each name with a NUL behind it; empty: nothing. NULL: no
	 * list is known. */
	struct bytes (*listed)(void *of, const struct fetched_source *list);
	void *of;
};

/* The first route that the caller may use and whose models are listed; NULL: the request is an upstream's. */
const struct route *models_route(const struct models_input *in);
/* The providers' lists that count, each once: of routes that the caller may use. Returns how many. */
size_t models_sources(
	const struct models_input *in, const struct fetched_source *out[MODELS_SOURCES_MAX]);
/* Sorted, each name once; texts are the plan's and the lists'. False: the arena is full. */
MUST_CHECK bool models_list(const struct models_input *in, struct arena *a, struct strings *out);
/* The model that the path of a request for one names, decoded; empty: not a name. */
struct bytes models_asked(struct bytes path, struct arena *a);
/* Whether it is one of them. */
bool models_has(const struct strings *names, struct bytes name);
/* As OpenAI's SDK reads it, with the members that Anthropic's wants. */
void models_put_list(const struct strings *names, struct text *out);
void models_put_one(struct bytes name, struct text *out);

#endif
