/*
 * The facts of one answer that whole bodies and events share.
 */
#ifndef MOCK_MOCK_REPLY_H
#define MOCK_MOCK_REPLY_H

#include "mock/mock_content.h"

struct mock_reply {
	struct mock_script script;
	struct mock_ask ask;
	struct mock_content content;
	uint64_t seq;     /* of the request: makes ids */
	uint64_t created; /* seconds since 1970 */
};

/* A whole body, as the API says it; appended to out. */
void mock_reply_body(const struct mock_reply *r, struct text *out);

/* An error object in the API's shape. */
void mock_reply_error(enum mock_api api, unsigned status, const char *message, struct text *out);

/* Errors that mean more than their status; what the API's vendor says, appended to out. Returns the status. */
enum mock_refusal { MOCK_REFUSAL_QUOTA, MOCK_REFUSAL_CONTEXT, MOCK_REFUSAL_FILTER };
unsigned mock_reply_refusal(enum mock_api api, enum mock_refusal kind, struct text *out);

/* The models that the mock lists. */
void mock_reply_models(uint64_t created, struct text *out);

/* {"prompt_tokens":…}, in the names that OpenAI (or Responses and Anthropic: input_tokens) uses. */
void mock_reply_usage(const struct mock_reply *r, struct text *out);
void mock_reply_usage_input_output(const struct mock_reply *r, bool total, struct text *out);

#endif
