/*
 * An endpoint of the Console API as a pure function: (snapshot, request) → answer and change set. It runs on
 * a jobs thread; control gathers the body before and sends the answer after the change is live.
 */
#ifndef CONSOLE_ACT_H
#define CONSOLE_ACT_H

#include "console/call.h"
#include "resource/op.h"

#define ACT_PARAMS_MAX 4u

enum act_access { ACT_ANONYMOUS, ACT_ADMIN };

/* How an answer is wrapped: console-api.md §2.1, the one table of quirks. */
enum act_shape {
	ACT_BY_METHOD, /* GET: envelope 200; POST: raw 201; PUT: raw 200; DELETE: 204 */
	ACT_WRAPPED,   /* envelope, 200, whatever the method */
	ACT_RAW,       /* 200, never wrapped */
	ACT_NO_CONTENT /* 204 */
};

/* Name in the path against the body's, PUT (§2.7). */
enum act_name { ACT_NAME_FILLED_OR_400, ACT_NAME_NEEDED_ELSE_REPLACED, ACT_NAME_REPLACED };

struct act {
	const struct act_endpoint *endpoint;
	struct arena *arena;
	struct op *op;
	struct bytes params[ACT_PARAMS_MAX]; /* {name}… of the path, percent-decoded */
	struct bytes query;                  /* raw; act_query */
	struct doc *body;                    /* NULL: none */
	struct bytes user;                   /* who; empty: anonymous */
	/* answer */
	unsigned status;
	struct doc *data;    /* of a success; NULL: null */
	struct text message; /* of a refusal */
	bool list;           /* data is a list to be paged: total, pageNum, pageSize */
};

struct act_endpoint {
	const char *method, *path; /* "/v1/ai/providers/{name}" */
	enum act_access access;
	enum act_shape shape;
	enum act_name name;
	bool writes;
	const struct op_noun *noun; /* for the shared functions of a noun; NULL: none */
	void (*fn)(struct act *a);
	const char *summary; /* one line, for /v1/openapi.json */
};
#endif
