#include "hiclaw/known_models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/json5.h"

#define BOTH (MODEL_INPUT_TEXT | MODEL_INPUT_IMAGE)

static bool traits_eq(const struct model_traits *x, const struct model_traits *y)
{
	return x->context_window == y->context_window && x->max_tokens == y->max_tokens &&
		x->reasoning == y->reasoning && x->input == y->input;
}

static void traits_are_resolved(void **state)
{
	static const struct known_model added[] = {
		{{"mine", 4}, {1000, 100, MODEL_NO, MODEL_INPUT_IMAGE}},
		{{"glm-5", 5}, {5000, 0, MODEL_UNKNOWN, 0}},
	};
	static const struct known_models more = {added, ARRAY_LEN(added)};
	static const struct {
		const char *id;
		struct model_traits given, in_file, overrides;
		const char *default_model;
		bool ok;
		struct model_traits expect;
		const char *reason;
	} rows[] = {
		{.id = "unheard-of",
			.ok = true,
			.expect = {200000, 64000, MODEL_YES, MODEL_INPUT_TEXT},
			.reason = "the defaults"},
		{.id = "deepseek-chat",
			.ok = true,
			.expect = {256000, 128000, MODEL_YES, MODEL_INPUT_TEXT},
			.reason = "the table"},
		{.id = "gpt-5.4",
			.ok = true,
			.expect = {1050000, 128000, MODEL_YES, BOTH},
			.reason = "the table, with images"},
		{.id = "mine",
			.ok = true,
			.expect = {1000, 100, MODEL_NO, MODEL_INPUT_IMAGE},
			.reason = "the file's table"},
		{.id = "glm-5",
			.ok = true,
			.expect = {5000, 5000, MODEL_YES, MODEL_INPUT_TEXT},
			.reason = "the file's entry hides the program's; its limit is cut"},
		{.id = "gpt-5.4",
			.given = {10, 5, MODEL_NO, MODEL_INPUT_TEXT},
			.in_file = {20, 6, MODEL_YES, BOTH},
			.overrides = {30, 7, MODEL_YES, BOTH},
			.default_model = "gpt-5.4",
			.ok = true,
			.expect = {10, 5, MODEL_NO, MODEL_INPUT_TEXT},
			.reason = "what is given wins"},
		{.id = "gpt-5.4",
			.in_file = {20, 6, MODEL_NO, MODEL_INPUT_TEXT},
			.overrides = {30, 7, MODEL_YES, BOTH},
			.default_model = "gpt-5.4",
			.ok = true,
			.expect = {20, 6, MODEL_NO, MODEL_INPUT_TEXT},
			.reason = "then the entry in the file"},
		{.id = "gpt-5.4",
			.overrides = {30, 7, MODEL_NO, MODEL_INPUT_TEXT},
			.default_model = "gpt-5.4",
			.ok = true,
			.expect = {30, 7, MODEL_NO, MODEL_INPUT_TEXT},
			.reason = "then the override of the default model"},
		{.id = "gpt-5.4",
			.overrides = {30, 7, MODEL_NO, MODEL_INPUT_TEXT},
			.default_model = "gpt-5",
			.ok = true,
			.expect = {1050000, 128000, MODEL_YES, BOTH},
			.reason = "which holds for no other"},
		{.id = "gpt-5.4",
			.given = {0, 0, MODEL_NO, 0},
			.in_file = {777, 0, MODEL_YES, 0},
			.ok = true,
			.expect = {777, 777, MODEL_NO, BOTH},
			.reason = "each value for itself"},
		{.id = "glm-5x",
			.given = {1000, 0, MODEL_UNKNOWN, 0},
			.in_file = {0, 64000, MODEL_UNKNOWN, 0},
			.ok = true,
			.expect = {1000, 1000, MODEL_YES, MODEL_INPUT_TEXT},
			.reason = "a limit that was not given is cut"},
		{.id = "gpt-5.4",
			.given = {0, 1050001, MODEL_UNKNOWN, 0},
			.reason = "one that was given is refused"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct model_sources s = {rows[i].given, rows[i].in_file,
			bytes_str(rows[i].default_model), rows[i].overrides, &more};
		struct model_traits t = {0};
		struct fault f = {0};
		int rc = known_models_resolve(&s, bytes_str(rows[i].id), &t, &f);

		if ((rc == 0) != rows[i].ok || !traits_eq(&t, &rows[i].expect) ||
			(rc != 0) != (f.text[0] != '\0')) {
			fail_msg("%s: %llu %llu", rows[i].reason,
				(unsigned long long)t.context_window,
				(unsigned long long)t.max_tokens);
		}
	}
}

/* Bounds of what the table says, so that a typing error in it shows. */
static void the_table_is_sound(void **state)
{
	size_t n;
	const struct known_model *v = known_models_built_in(&n);

	(void)state;
	assert_int_equal(n, 16);
	for (size_t i = 0; i < n; i++) {
		assert_true(model_id_is_valid(v[i].id));
		assert_ptr_equal(known_models_find(NULL, v[i].id), &v[i]);
		assert_in_range(v[i].traits.context_window, 200000, 1050000);
		assert_true(v[i].traits.max_tokens == 64000 || v[i].traits.max_tokens == 128000);
	}
	assert_null(known_models_find(NULL, BYTES("minimax-m2.5")));
}

static void files_are_read(void **state)
{
	static const struct {
		const char *text, *expect;
		size_t n;
		const char *reason;
	} rows[] = {
		{"[]", NULL, 0, "an empty list"},
		{"[{\"id\":\"a\",\"contextWindow\":5,\"input\":[\"text\"],\"name\":\"A\"},{id:'b'},]",
			NULL, 2, "as HiClaw has it; others' members do not matter"},
		{"{\"models\":[{\"id\":\"a\"}]}", NULL, 1, "as a member"},
		{"{}", "the known models are not a list", 0, "no list"},
		{"7", "the known models are not a list", 0, "a number"},
		{"[", "line 1, column 1: the ] to this [ is missing", 0, "half a file"},
		{"[{\"id\":\"a\"},{}]", "entry 2 of the known models has no usable id", 0, "no id"},
		{"[{\"id\":\"a b\"}]", "entry 1 of the known models has no usable id", 0,
			"no good id"},
		{"[{\"id\":\"a\",\"maxTokens\":-1}]",
			"entry 1 of the known models: maxTokens must be a whole number", 0,
			"a number that is none"},
		{"[7]", "entry 1 of the known models has no usable id", 0, "no object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct known_models k = {0};
		struct fault f = {0};
		struct arena a;
		int rc;

		arena_init(&a, JSON5_ARENA_MAX);
		rc = known_models_read(&a, bytes_str(rows[i].text), &k, &f);
		if ((rc == 0) != (rows[i].expect == NULL) || k.n != rows[i].n ||
			strcmp(f.text, rows[i].expect != NULL ? rows[i].expect : "") != 0) {
			fail_msg("%s: %s", rows[i].reason, f.text);
		}
		arena_done(&a);
	}
}

static void limits_of_files_are_met(void **state)
{
	struct known_models k;
	struct text t;
	struct arena a;
	struct fault f = {0};

	(void)state;
	text_init(&t, KNOWN_MODELS_TEXT_MAX + 1);
	text_add_char(&t, '[');
	for (unsigned i = 0; i < KNOWN_MODELS_MAX; i++) {
		text_add_str(&t, "{id:'a'},");
	}
	text_add_str(&t, "]");
	arena_init(&a, JSON5_ARENA_MAX);
	assert_int_equal(known_models_read(&a, text_bytes(&t), &k, &f), 0);
	t.n--;
	text_add_str(&t, "{id:'a'}]");
	assert_int_equal(known_models_read(&a, text_bytes(&t), &k, &f), ERR_LIMIT);
	while (t.n <= KNOWN_MODELS_TEXT_MAX) {
		text_add_char(&t, ' ');
	}
	assert_int_equal(known_models_read(&a, text_bytes(&t), &k, &f), ERR_LIMIT);
	assert_string_equal(f.text, "the known models are more than 1 MiB");
	arena_done(&a);
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traits_are_resolved),
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(limits_of_files_are_met),
	};

	return cmocka_run_group_tests_name("known_models", tests, NULL, NULL);
}
