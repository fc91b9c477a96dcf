/*
 * GET /v1/models from the configuration (modelsFromMapping, data-plane.md §6): the names that a caller may send
 * to the routes of a path. Pure.
 */
#ifndef PLAN_MODELS_H
#define PLAN_MODELS_H

#include "plan/model_router.h"
#include "plan/plan.h"

/* Names that are looked at. A list that is longer ends there: a menu has dozens, and each name is asked for its
 * route. */
#define MODELS_MAX 512u

struct models_input {
	const struct model_router *router;
	const struct route *const
		*candidates; /* of the request, conditions on the model left out */
	size_t n;
	bool (*allows)(void *of, const struct route *r); /* whether the caller may use it */
	void *of;
};

/* The first route that the caller may use and whose models are listed; NULL: the request is an upstream's. */
const struct route *models_route(const struct models_input *in);
/* Sorted, each name once; texts are the plan's. False: the arena is full. */
MUST_CHECK bool models_list(const struct models_input *in, struct arena *a, struct strings *out);
/* The model that the path of a request for one names, decoded; empty: not a name. */
struct bytes models_asked(struct bytes path, struct arena *a);
/* Whether it is one of them. */
bool models_has(const struct strings *names, struct bytes name);
/* As OpenAI's SDK reads it, with the members that Anthropic's wants. */
void models_put_list(const struct strings *names, struct text *out);
void models_put_one(struct bytes name, struct text *out);

#endif
