/*
 * Span edits of a request body: the model, what the provider's type asks for (providers.md §2.3), and what its
 * configuration does (data-plane.md §7, §8).
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
	WANT_WATERMARK,
	WANT_PARALLEL_TOOL_CALLS,
	WANT_TOOL_CHOICE,
	WANT_COUNT
};

/* A second look at a body that is gathered: where the members stand that the chosen provider's
 * customSettings name. In slices; VERDICT_NEXT: all is known, or nothing was asked; VERDICT_REPLY: one of them
 * stands twice. */
enum verdict request_edit_survey(struct exchange *x);

/* All edits: the model when it is another one, or is missing and not empty; settings and tweaks when the
 * destination has a provider that wants them. False: replied. */
MUST_CHECK bool request_edit(struct exchange *x, struct bytes model);

#endif
