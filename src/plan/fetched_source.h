/*
 * What a plan wants fetched for the workers: a file of a provider (plan/context.h), its list of models
 * (plan/model_source.h). What it says is in a cell (proxy/fetched.h), because it outlives plans.
 */
#ifndef PLAN_FETCHED_SOURCE_H
#define PLAN_FETCHED_SOURCE_H

#include "base/arena.h"
#include "base/text.h"

enum fetched_kind { FETCHED_CONTEXT, FETCHED_MODELS };

/* Endpoints of a service that may be asked, one after the other. */
#define FETCHED_ENDPOINTS 16u
/* Longest name in TLS. */
#define FETCHED_TLS_NAME_MAX 255u
/* Hosts of endpoints have at most 253 bytes. */
#define FETCHED_ENDPOINTS_MAX (FETCHED_ENDPOINTS * 264u)

struct fetched_cell;
struct service;

struct fetched_source {
	struct fetched_source *next; /* of the plan */
	enum fetched_kind kind;
	uint64_t timeout_ms;
	/* All that decides what is fetched, each text with a NUL behind it: "1" for TLS, else "0"; the name
	 * for TLS; Host; target; of a list of models names and values of header fields, and an empty
	 * name; then host and port of each endpoint. Empty: there is no such service. */
	struct bytes key;
	/* Bound when the plan goes live; NULL before, or without a key. */
	struct fetched_cell *cell;
};

/* A text of a key: up to a NUL, which only the name of a registry can have, so no text moves another. */
void fetched_source_add(struct text *key, struct bytes text);
/* The endpoints at a key's end. */
void fetched_source_add_endpoints(struct text *key, const struct service *s);

#endif
