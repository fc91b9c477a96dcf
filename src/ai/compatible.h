/*
 * The OpenAI-compatible dialect (providers.md §2): edits are byte spans, everything else of a body goes
 * on as the client wrote it; usage is read from what passes.
 */
#ifndef AI_COMPATIBLE_H
#define AI_COMPATIBLE_H

#include "proxy/dialect.h"
#include "wire/json.h"

extern const struct dialect dialect_compatible;

/* The queries of requests and answers; the caller frees them with json_query_free. */
struct json_query *compatible_request_query(void);
struct json_query *compatible_answer_query(void);
struct json_query *compatible_chat_query(void);

#endif
