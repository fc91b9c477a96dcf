/*
 * Models whose traits are known without asking: a table in the program, and a file that adds to it. What
 * an agent is told of a model is put together here from all that was said about it.
 */
#ifndef HICLAW_KNOWN_MODELS_H
#define HICLAW_KNOWN_MODELS_H

#include "hiclaw/model_traits.h"

/* hiclaw-integration.md 5.3, of a model that nobody knows. */
#define MODEL_CONTEXT_DEFAULT 200000u
#define MODEL_OUTPUT_DEFAULT 64000u
/* Of a file: a list for people to choose from. */
#define KNOWN_MODELS_MAX 1000u
#define KNOWN_MODELS_TEXT_MAX ((size_t)1 << 20)

struct known_model {
	struct bytes id;
	struct model_traits traits;
};

struct known_models { /* of a file; zeroed: none */
	const struct known_model *v;
	size_t n;
};

/* The table of the program: hiclaw-integration.md 15. */
const struct known_model *known_models_built_in(size_t *n_out);
/*
 * A file as HiClaw has it: a list of {"id", "contextWindow", "maxTokens", "reasoning", "input"}, or the list
 * as member "models" of an object. Texts stay in the arena or the input. ERR_SYNTAX, ERR_LIMIT: *fault says
 * what and where.
 */
MUST_CHECK int known_models_read(
	struct arena *a, struct bytes text, struct known_models *out, struct fault *fault);
/* The file's entry (`more` may be NULL), else the program's; NULL: unknown. Ids are compared exactly. */
const struct known_model *known_models_find(const struct known_models *more, struct bytes id);

struct model_sources {
	struct model_traits given;   /* by the caller of the API */
	struct model_traits in_file; /* the entry of the agent's configuration */
	/* Global overrides, which hold for this model alone (HICLAW_DEFAULT_MODEL); empty: for none. */
	struct bytes default_model;
	struct model_traits overrides;
	const struct known_models *more; /* may be NULL */
};

/*
 * Every trait from the first source that knows it, in the order of the struct, then the tables, then the
 * defaults. An output limit that is larger than the context window is cut to it; one that was given is
 * ERR_LIMIT.
 */
MUST_CHECK int known_models_resolve(const struct model_sources *s, struct bytes id,
	struct model_traits *out, struct fault *fault);

#endif
