/*
 * Two readers, because two things are read: a request that is refused when it is wrong, and files of
 * others, where a wrong value must not keep anybody from giving a right one.
 */
#include "hiclaw/model_traits.h"

#include "base/num.h"
#include "wire/json5.h"

bool model_id_is_valid(struct bytes id)
{
	if (id.n == 0 || id.n > MODEL_ID_MAX) {
		return false;
	}
	for (size_t i = 0, len; i < id.n; i += len) {
		unsigned char c = (unsigned char)id.p[i];

		len = text_utf8(id.p + i, id.n - i);
		if (len == 0 || c <= ' ' || c == 0x7f || c == '"' || c == '\'' || c == '`' ||
			(c == '$' && i + 1 < id.n && id.p[i + 1] == '{')) {
			return false;
		}
	}
	return true;
}

static const struct json_value *given(const struct json_value *members, const char *name)
{
	const struct json_value *v = json_get(members, name);

	return v != NULL && v->type != JSON_NULL ? v : NULL;
}

/* --- of a client ----------------------------------------------------------------------------------- */

static int read_tokens(
	const struct json_value *members, const char *name, uint64_t *out, struct fault *fault)
{
	const struct json_value *v = given(members, name);
	uint64_t n = 0;
	bool whole;

	if (v == NULL) {
		return 0;
	}
	whole = v->type == JSON_NUMBER
		? json_number_u64(v->text, &n)
		: v->type == JSON_STRING && num_parse_u64(v->text, UINT64_MAX, &n);
	if (!whole) {
		return fault_set(fault, ERR_SYNTAX, 400, 0, "%s must be a whole number", name);
	}
	if (n < 1 || n > MODEL_CONTEXT_MAX) {
		return fault_set(fault, ERR_LIMIT, 400, 0, "%s must be between 1 and %u", name,
			MODEL_CONTEXT_MAX);
	}
	*out = n;
	return 0;
}

static int read_reasoning(
	const struct json_value *members, enum model_answer *out, struct fault *fault)
{
	const struct json_value *v = given(members, "reasoning");
	struct bytes word = json_text(v, BYTES(""));

	if (v == NULL) {
		return 0;
	}
	if (v->type == JSON_TRUE || bytes_eq(word, BYTES("true"))) {
		*out = MODEL_YES;
	} else if (v->type == JSON_FALSE || bytes_eq(word, BYTES("false"))) {
		*out = MODEL_NO;
	} else {
		return fault_set(fault, ERR_SYNTAX, 400, 0, "reasoning must be true or false");
	}
	return 0;
}

/* 0: v is no list of what is known, or empty. */
static unsigned input_of(const struct json_value *v)
{
	unsigned input = 0;

	if (v == NULL || v->type != JSON_ARRAY) {
		return 0;
	}
	for (const struct json_value *i = v->items; i != NULL; i = i->next) {
		struct bytes word = json_text(i, BYTES(""));

		if (bytes_eq(word, BYTES("text"))) {
			input |= MODEL_INPUT_TEXT;
		} else if (bytes_eq(word, BYTES("image"))) {
			input |= MODEL_INPUT_IMAGE;
		} else {
			return 0;
		}
	}
	return input;
}

static int read_input(const struct json_value *members, unsigned *out, struct fault *fault)
{
	const struct json_value *v = given(members, "input");
	unsigned input = input_of(v);

	if (v != NULL && input == 0) {
		return fault_set(fault, ERR_SYNTAX, 400, 0,
			"input must be a list of \"text\" and \"image\"");
	}
	*out = input;
	return 0;
}

int model_traits_read(const struct json_value *members, struct model_traits *out,
	const char **field_out, struct fault *fault)
{
	struct model_traits t = {0};
	int rc = read_tokens(members, "contextWindow", &t.context_window, fault);
	const char *field = "contextWindow";

	if (rc == 0) {
		field = "maxTokens";
		rc = read_tokens(members, field, &t.max_tokens, fault);
	}
	if (rc == 0 && t.context_window != 0 && t.max_tokens > t.context_window) {
		rc = fault_set(
			fault, ERR_LIMIT, 400, 0, "maxTokens must not be more than contextWindow");
	}
	if (rc == 0) {
		field = "reasoning";
		rc = read_reasoning(members, &t.reasoning, fault);
	}
	if (rc == 0) {
		field = "input";
		rc = read_input(members, &t.input, fault);
	}
	if (rc != 0) {
		*field_out = field;
		return rc;
	}
	*out = t;
	return 0;
}

/* --- of a file --------------------------------------------------------------------------------------- */

static uint64_t tokens_of(const struct json_value *entry, const char *name)
{
	const struct json_value *v = json_get(entry, name);
	uint64_t n = 0;

	if (v == NULL || v->type != JSON_NUMBER || !json5_number_u64(v->text, &n) ||
		n > MODEL_CONTEXT_MAX) {
		return 0;
	}
	return n;
}

struct model_traits model_traits_of(const struct json_value *entry)
{
	const struct json_value *reasoning = json_get(entry, "reasoning");
	struct model_traits t = {
		.context_window = tokens_of(entry, "contextWindow"),
		.max_tokens = tokens_of(entry, "maxTokens"),
		.input = input_of(json_get(entry, "input")),
	};

	if (reasoning != NULL && reasoning->type == JSON_TRUE) {
		t.reasoning = MODEL_YES;
	} else if (reasoning != NULL && reasoning->type == JSON_FALSE) {
		t.reasoning = MODEL_NO;
	}
	return t;
}

/* --- written ------------------------------------------------------------------------------------------ */

struct doc *model_traits_input(struct arena *a, unsigned input)
{
	struct doc *list = doc_list(a);

	if ((input & MODEL_INPUT_TEXT) != 0) {
		doc_append(a, list, doc_str(a, "text"));
	}
	if ((input & MODEL_INPUT_IMAGE) != 0) {
		doc_append(a, list, doc_str(a, "image"));
	}
	return list;
}

struct doc *model_traits_entry(struct arena *a, struct bytes id, const struct model_traits *t)
{
	struct doc *m = doc_map(a);

	doc_set(a, m, "id", doc_string(a, id));
	doc_set(a, m, "name", doc_string(a, id));
	if (t->reasoning != MODEL_UNKNOWN) {
		doc_set(a, m, "reasoning", doc_bool(a, t->reasoning == MODEL_YES));
	}
	if (t->context_window != 0) {
		doc_set(a, m, "contextWindow", doc_int(a, (int64_t)t->context_window));
	}
	if (t->max_tokens != 0) {
		doc_set(a, m, "maxTokens", doc_int(a, (int64_t)t->max_tokens));
	}
	if (t->input != 0) {
		doc_set(a, m, "input", model_traits_input(a, t->input));
	}
	return m;
}
