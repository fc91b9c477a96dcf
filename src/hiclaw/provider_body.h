/*
 * The objects that POST /ni_status/create-provider writes (monitor-api.md 4.9): a provider as the Console has it,
 * and the service source for a base URL. Pure; the routes are hiclaw/hybrid.h's.
 */
#ifndef HICLAW_PROVIDER_BODY_H
#define HICLAW_PROVIDER_BODY_H

#include "hiclaw/ops.h"
#include "hiclaw/own_listener.h"

#define PROVIDER_BODY_NAME_MAX 63u
/* Attack: each key is compared with those that are stored. */
#define PROVIDER_BODY_KEYS_MAX 100u
/* Longer than any vendor's key, and than a service account's JSON. */
#define PROVIDER_BODY_KEY_MAX 16384u

struct provider_body_request {
	struct arena *arena;
	const struct doc *body;                /* of the request: a map */
	const struct doc *providers, *sources; /* lists of what there is; NULL: none */
	bool upsert;
	/* As in struct op; NULL: every address goes. */
	bool (*address_allowed)(void *arg, struct bytes host, const char **why);
	void *arg;
	const struct own_listener *own; /* NULL: nothing is known to be ours */
};

enum provider_body_rc {
	PROVIDER_BODY_OK,
	PROVIDER_BODY_NAME,    /* 400 INVALID_NAME */
	PROVIDER_BODY_INVALID, /* 400 INVALID_REQUEST */
	PROVIDER_BODY_EXISTS,  /* 409 CONFLICT */
	PROVIDER_BODY_LARGE    /* 500: no room in the arena */
};

struct provider_body {
	enum provider_body_rc rc;
	const char *field;        /* that is wrong; NULL: none in particular */
	struct bytes why;         /* one sentence, without a full stop */
	struct ops_item items[2]; /* the source first */
	size_t n_items;
	struct bytes name;
	struct bytes
		type; /* of the models, for the routes; the object's may be openai (see below). Empty:
			 a URL was given, and no vendor */
};

/* "apiKey" or "tokens"; "type" by any of its names; "baseUrl", "protocol", "rawConfigs", "modelMapping",
 * "tokenFailoverConfig". With a base URL the object is of type openai unless its type has a setting of its own
 * for one (claude, vllm, ollama): only that type can be sent elsewhere. An upsert keeps of the stored
 * object what the request does not name. Texts and documents are in the arena, or those of the request. */
void provider_body_make(const struct provider_body_request *rq, struct provider_body *out);

/* ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$, not ending in .dns or .static, not "default", which means that there is no
 * assignment. */
bool provider_body_name_is_valid(struct bytes name);

#endif
