/*
 * The names in a list of models, as OpenAI, Anthropic and those who speak like them answer GET /v1/models:
 * {"data":[{"id":"NAME", ...}, ...], ...}.
 */
#ifndef WIRE_MODEL_NAMES_H
#define WIRE_MODEL_NAMES_H

#include "base/err.h"
#include "base/text.h"

/* Attack, accident: a server that answers with anything. Aggregators have hundreds of models, and write a KB
 * about each. */
#define MODEL_NAMES_ANSWER_MAX ((size_t)2 << 20)
/* Models of a list; one that is longer is refused. */
#define MODEL_NAMES_MAX 4096u
/* A longer one is left out; so is one with control characters, which no model has. */
#define MODEL_NAME_MAX 256u

/* Appends the names in the order of the list, each with a NUL behind it. ERR_SYNTAX: no such list, ERR_LIMIT: too
 * long a one; then nothing is appended. A list without a name is one. */
MUST_CHECK int model_names_read(struct bytes json, struct text *out, struct fault *f);

#endif
