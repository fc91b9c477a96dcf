/*
 * Where a provider's own list of models is to be had: with modelsFromMapping its names stand beside those of the
 * configuration (plan/models.h). Control fetches it (proxy/fetched.h).
 */
#ifndef PLAN_MODEL_SOURCE_H
#define PLAN_MODEL_SOURCE_H

#include "plan/fetched_source.h"
#include "plan/plan.h"

/* How long the list may take to come. Who asks for models waits less (proxy/model_list.c). */
#define MODEL_SOURCE_TIMEOUT_MS 10000u

/* Gives each destination the source of its provider's list, where there is one that can be asked: of one
 * provider at one service there is one, however many routes lead to it. The routes are compiled. */
void model_sources_compile(struct plan *p, const struct hash_seed *seed);

#endif
