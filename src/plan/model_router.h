/*
 * The plugin model-router (data-plane.md §13.1): which headers stand for the model, and on which paths
 * the model is read for routing.
 */
#ifndef PLAN_MODEL_ROUTER_H
#define PLAN_MODEL_ROUTER_H

#include "base/regex.h"
#include "plan/api.h"
#include "resource/object.h"

struct hash_seed;
struct json_query;

/* The model that asks for automatic routing, and how much of a message is looked at: the beginning of
 * what people write by hand. Expressions are run over it. */
#define MODEL_ROUTER_AUTOMATIC "higress/auto"
#define MODEL_ROUTER_TEXT_MAX 16384u
/* Each is tried for each such request. */
#define MODEL_ROUTER_RULES_MAX 64u

struct automatic_rule {
	struct regex *regex; /* searched in the last message of the user */
	struct bytes model;
};

struct model_router {
	bool on;
	struct bytes model_header;  /* modelToHeader in lower case; empty: none is set */
	struct bytes vendor_header; /* addProviderHeader; empty: none */
	struct bytes *suffixes;     /* enableOnPathSuffix as it was written */
	size_t n_suffixes;
	bool explicit_suffixes;
	struct bytes key_name; /* modelKey when that is not "model" */
	struct {
		bool on;
		struct automatic_rule *rules; /* the first that matches chooses */
		size_t n;
		struct bytes default_model; /* empty: none */
		struct json_query *query;   /* of the user's messages (proxy/automatic.c) */
	} automatic;
	struct json_query *key; /* of modelKey when that is not "model"; else NULL */
};

void model_router_compile(struct model_router *m, const struct snapshot *s,
	const struct hash_seed *seed, struct arena *a, struct findings *f);
void model_router_done(struct model_router *m);
/* Whether the model of a request to that path chooses its route. */
bool model_router_reads(const struct model_router *m, enum api api, struct bytes path);
/* What automatic routing makes of the last message of the user (p NULL: there is none): the model of the
 * first rule that takes it, else the default; empty: none. */
struct bytes model_router_choose(const struct model_router *m, struct bytes text);
/* The header that Console's conditions ask for. */
#define MODEL_ROUTER_HEADER "x-higress-llm-model"

#endif
