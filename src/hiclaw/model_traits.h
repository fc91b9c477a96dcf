/*
 * What an agent has to know of a model besides its name: how much it reads and writes at once, whether it
 * reasons, what it can be shown. Names and bounds are those of OpenClaw's configuration.
 */
#ifndef HICLAW_MODEL_TRAITS_H
#define HICLAW_MODEL_TRAITS_H

#include "wire/doc.h"

/* hiclaw-integration.md 5.3: more is a typing error, and OpenClaw would wait for it before it compacts. */
#define MODEL_CONTEXT_MAX 100000000u
/* monitor-api.md 1.3: ids become keys of configuration and values of headers. */
#define MODEL_ID_MAX 256u

enum model_answer { MODEL_UNKNOWN, MODEL_NO, MODEL_YES };
enum model_input { MODEL_INPUT_TEXT = 1, MODEL_INPUT_IMAGE = 2 };

struct model_traits {                        /* zeroed: nothing is known */
	uint64_t context_window, max_tokens; /* tokens; 0: unknown */
	enum model_answer reasoning;
	unsigned input; /* of enum model_input; 0: unknown */
};

/* UTF-8 of 1 to MODEL_ID_MAX bytes without controls, blanks, quotes and "${", which OpenClaw would replace. */
bool model_id_is_valid(struct bytes id);

/*
 * Members contextWindow, maxTokens, reasoning and input as a client sends them: whole numbers and booleans,
 * or strings of them as forms have; null and absent are unknown. ERR_SYNTAX or ERR_LIMIT: *field_out is the
 * member, *fault (where is not set) a sentence for the client.
 */
MUST_CHECK int model_traits_read(const struct json_value *members, struct model_traits *out,
	const char **field_out, struct fault *fault);
/* The same of an entry of a configuration or a table, where what cannot be used is unknown. */
struct model_traits model_traits_of(const struct json_value *entry);

/* ["text","image"] */
struct doc *model_traits_input(struct arena *a, unsigned input);
/* The entry of a model in OpenClaw's provider: id, name, reasoning, contextWindow, maxTokens, input, as far
 * as they are known. */
struct doc *model_traits_entry(struct arena *a, struct bytes id, const struct model_traits *t);

#endif
