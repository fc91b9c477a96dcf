#include "hiclaw/known_models.h"

#include "wire/json5.h"

#define BOTH (MODEL_INPUT_TEXT | MODEL_INPUT_IMAGE)
#define MODEL(id, context, output, input)                 \
	{                                                 \
		{id, sizeof(id) - 1},                     \
		{                                         \
			context, output, MODEL_YES, input \
		}                                         \
	}

static const struct known_model table[] = {
	MODEL("gpt-5.4", 1050000, 128000, BOTH),
	MODEL("gpt-5.3-codex", 400000, 128000, BOTH),
	MODEL("gpt-5-mini", 400000, 128000, BOTH),
	MODEL("gpt-5-nano", 400000, 128000, BOTH),
	MODEL("claude-opus-4-6", 1000000, 128000, BOTH),
	MODEL("claude-sonnet-4-6", 1000000, 64000, BOTH),
	MODEL("claude-haiku-4-5", 200000, 64000, BOTH),
	MODEL("qwen3.6-plus", 200000, 64000, BOTH),
	MODEL("qwen3.5-plus", 200000, 64000, BOTH),
	MODEL("deepseek-chat", 256000, 128000, MODEL_INPUT_TEXT),
	MODEL("deepseek-reasoner", 256000, 128000, MODEL_INPUT_TEXT),
	MODEL("kimi-k2.5", 256000, 128000, BOTH),
	MODEL("glm-5", 200000, 128000, MODEL_INPUT_TEXT),
	MODEL("MiniMax-M2.7", 200000, 128000, MODEL_INPUT_TEXT),
	MODEL("MiniMax-M2.7-highspeed", 200000, 128000, MODEL_INPUT_TEXT),
	MODEL("MiniMax-M2.5", 200000, 128000, MODEL_INPUT_TEXT),
};

const struct known_model *known_models_built_in(size_t *n_out)
{
	*n_out = ARRAY_LEN(table);
	return table;
}

static const struct known_model *find(const struct known_model *v, size_t n, struct bytes id)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes_eq(v[i].id, id)) {
			return &v[i];
		}
	}
	return NULL;
}

const struct known_model *known_models_find(const struct known_models *more, struct bytes id)
{
	const struct known_model *m = more != NULL ? find(more->v, more->n, id) : NULL;

	return m != NULL ? m : find(table, ARRAY_LEN(table), id);
}

/* --- a file ------------------------------------------------------------------------------------------ */

static int read_one(
	const struct json_value *v, size_t at, struct known_model *out, struct fault *fault)
{
	struct bytes id = json_text(json_get(v, "id"), BYTES(""));
	const char *field;
	struct fault f = {0};

	if (!model_id_is_valid(id)) {
		return fault_set(fault, ERR_SYNTAX, 0, at,
			"entry %zu of the known models has no usable id", at);
	}
	if (model_traits_read(v, &out->traits, &field, &f) != 0) {
		return fault_set(
			fault, f.err, 0, at, "entry %zu of the known models: %s", at, f.text);
	}
	out->id = id;
	return 0;
}

int known_models_read(
	struct arena *a, struct bytes text, struct known_models *out, struct fault *fault)
{
	const struct json_value *top, *list;
	struct known_model *v;
	size_t n = 0;

	if (text.n > KNOWN_MODELS_TEXT_MAX) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the known models are more than 1 MiB");
	}
	top = json5_parse(a, text, fault);
	if (top == NULL) {
		return fault->err;
	}
	list = top->type == JSON_OBJECT ? json_get(top, "models") : top;
	if (list == NULL || list->type != JSON_ARRAY) {
		return fault_set(fault, ERR_SYNTAX, 0, 0, "the known models are not a list");
	}
	if (list->n > KNOWN_MODELS_MAX) {
		return fault_set(
			fault, ERR_LIMIT, 0, 0, "more than %u known models", KNOWN_MODELS_MAX);
	}
	v = arena_alloc(a, (list->n + 1) * sizeof(*v));
	if (v == NULL) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the known models need too much memory");
	}
	for (const struct json_value *i = list->items; i != NULL; i = i->next) {
		int rc = read_one(i, n + 1, &v[n], fault);

		if (rc != 0) {
			return rc;
		}
		n++;
	}
	*out = (struct known_models){v, n};
	return 0;
}

/* --- put together --------------------------------------------------------------------------------------- */

static void fill(struct model_traits *t, const struct model_traits *from)
{
	t->context_window = t->context_window != 0 ? t->context_window : from->context_window;
	t->max_tokens = t->max_tokens != 0 ? t->max_tokens : from->max_tokens;
	t->reasoning = t->reasoning != MODEL_UNKNOWN ? t->reasoning : from->reasoning;
	t->input = t->input != 0 ? t->input : from->input;
}

int known_models_resolve(const struct model_sources *s, struct bytes id, struct model_traits *out,
	struct fault *fault)
{
	static const struct model_traits defaults = {
		MODEL_CONTEXT_DEFAULT, MODEL_OUTPUT_DEFAULT, MODEL_YES, MODEL_INPUT_TEXT};
	const struct known_model *known = known_models_find(s->more, id);
	struct model_traits t = s->given;

	fill(&t, &s->in_file);
	if (s->default_model.n != 0 && bytes_eq(s->default_model, id)) {
		fill(&t, &s->overrides);
	}
	if (known != NULL) {
		fill(&t, &known->traits);
	}
	fill(&t, &defaults);
	if (s->given.max_tokens > t.context_window) {
		return fault_set(fault, ERR_LIMIT, 400, 0,
			"maxTokens %llu is more than the contextWindow %llu",
			(unsigned long long)t.max_tokens, (unsigned long long)t.context_window);
	}
	t.max_tokens = MIN(t.max_tokens, t.context_window);
	*out = t;
	return 0;
}
