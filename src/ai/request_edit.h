/*
 * Span edits of a request body (providers.md §2.3).
 */
#ifndef AI_REQUEST_EDIT_H
#define AI_REQUEST_EDIT_H

#include "proxy/exchange.h"

/* The wanted members of a request, in the order of the query. */
enum request_want {
	WANT_MODEL,
	WANT_STREAM,
	WANT_STREAM_OPTIONS,
	WANT_INCLUDE_USAGE,
	WANT_DEVELOPER, /* messages[].role that is "developer" */
	WANT_REASONING_EFFORT,
	WANT_REASONING_MAX_TOKENS,
	WANT_REASONING,
	WANT_REASONING_MAX,
	WANT_THINKING,
	WANT_RESPONSE_FORMAT,
	WANT_COUNT
};

/* Makes room for the edits that this request can need; false when there are too many. */
MUST_CHECK bool request_edit_room(struct exchange *x);
/* Replaces the model, or puts one in where there is none; nothing when both are equal. */
void request_edit_model(struct exchange *x, struct bytes model);
/* What the provider's type asks for. */
void request_edit_tweaks(struct exchange *x);

#endif
