/*
 * Where a consumer's request for a model would go, without sending one (hiclaw-integration.md 8 step 7,
 * monitor-api.md 4.10): the plan is asked as the data path asks it (plan/explain.h). Pure.
 */
#ifndef HICLAW_RESOLVE_H
#define HICLAW_RESOLVE_H

#include "plan/explain.h"

struct resolve_request {
	struct bytes host;     /* as the agent writes it, with a port or without */
	struct bytes path;     /* "/v1/chat/completions" */
	struct bytes consumer; /* by name; empty: nobody calls, unless there is a key */
	struct bytes key;      /* a credential instead */
	struct bytes model;
	struct bytes provider; /* that is wanted; empty: any */
};

struct resolve_answer {
	/* The AI route by its name at the Console, the provider that gets most of its requests, and the model
	 * that it is asked for; empty: none. */
	struct bytes route, provider, model;
	bool allowed;        /* the request would be sent on */
	bool reached;        /* and the wanted provider is among those it may be sent to */
	unsigned status;     /* what the gateway would answer instead; 0: it is sent on */
	struct bytes reason; /* of that answer, "key-auth.unauthorized"; else empty */
	struct bytes text;   /* one sentence, without a full stop */
};

/* Texts of *out are in the arena. ERR_SYNTAX: host or path are none. ERR_LIMIT: no room in the arena. */
MUST_CHECK int resolve_model(const struct plan *p, const struct resolve_request *rq,
	struct arena *a, struct resolve_answer *out);

#endif
