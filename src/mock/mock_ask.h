/*
 * What a request asks of the mock: which API its path means (by its end, so that every vendor's prefix
 * works) and what its JSON body says that an answer depends on.
 */
#ifndef MOCK_MOCK_ASK_H
#define MOCK_MOCK_ASK_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/seg.h"

struct json_query;

enum mock_api {
	MOCK_UNKNOWN,
	MOCK_CHAT,
	MOCK_COMPLETIONS,
	MOCK_EMBEDDINGS,
	MOCK_MESSAGES, /* Anthropic's */
	MOCK_RESPONSES,
	MOCK_MODELS,
	MOCK_MODEL,    /* one of them; its name is the model */
	MOCK_REQUESTS, /* what the mock saw */
	MOCK_STATE,
	MOCK_SCRIPT /* the sequence of the next requests */
};

#define MOCK_MODEL_MAX 255u
/* What the answer repeats of the last message. */
#define MOCK_SAID_MAX 200u

struct mock_ask {
	enum mock_api api;
	bool stream, include_usage;
	bool base64;      /* embeddings as base64 */
	unsigned n_input; /* embeddings: how many texts, at least 1 */
	char model[MOCK_MODEL_MAX + 1];
	char said[MOCK_SAID_MAX + 4]; /* cut, with "..." when it is */
	uint64_t said_words;
};

/* The compiled question to bodies; one for the mock's life. */
struct json_query *mock_ask_query(void);

/* Fills api, and for MOCK_MODEL the model. target is that of the request. */
void mock_ask_target(struct mock_ask *ask, struct bytes target);
/* Fills the rest from a JSON body; ERR_SYNTAX and a fault with status 400 when it is none. */
MUST_CHECK int mock_ask_body(struct mock_ask *ask, const struct json_query *query,
	const struct chain *body, struct fault *fault);

#endif
