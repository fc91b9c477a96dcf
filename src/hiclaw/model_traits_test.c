#include "hiclaw/model_traits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/json5.h"

#define BOTH (MODEL_INPUT_TEXT | MODEL_INPUT_IMAGE)

static void requests_are_read(void **state)
{
	static const struct {
		const char *json, *field; /* refused for this */
		struct model_traits expect;
		const char *reason;
	} rows[] = {
		{"{}", NULL, {0}, "nothing"},
		{"{\"contextWindow\":null,\"reasoning\":null,\"input\":null}", NULL, {0},
			"null is nothing"},
		{"{\"contextWindow\":200000,\"maxTokens\":64000,\"reasoning\":false,\"input\":[\"text\","
		 "\"image\"]}",
			NULL, {200000, 64000, MODEL_NO, BOTH}, "all of it"},
		{"{\"contextWindow\":\"200000\",\"maxTokens\":\"5\",\"reasoning\":\"true\"}", NULL,
			{200000, 5, MODEL_YES, 0}, "strings, as forms send them"},
		{"{\"contextWindow\":2e5,\"maxTokens\":5.0}", NULL, {200000, 5, MODEL_UNKNOWN, 0},
			"whole numbers in another spelling"},
		{"{\"contextWindow\":100000000}", NULL, {100000000, 0, MODEL_UNKNOWN, 0},
			"the largest"},
		{"{\"contextWindow\":100000001}", "contextWindow", {0}, "one more"},
		{"{\"contextWindow\":0}", "contextWindow", {0}, "zero"},
		{"{\"contextWindow\":-1}", "contextWindow", {0}, "negative"},
		{"{\"contextWindow\":1.5}", "contextWindow", {0}, "a fraction"},
		{"{\"contextWindow\":\"1.0\"}", "contextWindow", {0}, "no digits"},
		{"{\"contextWindow\":\"\"}", "contextWindow", {0}, "an empty field of a form"},
		{"{\"contextWindow\":true}", "contextWindow", {0}, "no number"},
		{"{\"maxTokens\":\" 5\"}", "maxTokens", {0}, "a blank"},
		{"{\"contextWindow\":5,\"maxTokens\":6}", "maxTokens", {0}, "more out than in"},
		{"{\"contextWindow\":5,\"maxTokens\":5}", NULL, {5, 5, MODEL_UNKNOWN, 0},
			"as much"},
		{"{\"reasoning\":1}", "reasoning", {0}, "a number for an answer"},
		{"{\"reasoning\":\"yes\"}", "reasoning", {0}, "another word"},
		{"{\"input\":[]}", "input", {0}, "blind and deaf"},
		{"{\"input\":\"text\"}", "input", {0}, "no list"},
		{"{\"input\":[\"audio\"]}", "input", {0}, "what OpenClaw does not know"},
		{"{\"input\":[1]}", "input", {0}, "a number in the list"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct model_traits t = {0};
		const char *field = NULL;
		struct fault f = {0};
		int rc;

		arena_init(&a, 100000);
		rc = model_traits_read(
			json_parse(&a, bytes_str(rows[i].json), NULL), &t, &field, &f);
		if ((rc == 0) != (rows[i].field == NULL) ||
			!bytes_eq(bytes_str(field), bytes_str(rows[i].field)) ||
			memcmp(&t, &rows[i].expect, sizeof(t)) != 0 ||
			(rc != 0 && strstr(f.text, rows[i].field) == NULL)) {
			fail_msg("%s: %s", rows[i].reason, f.text);
		}
		arena_done(&a);
	}
}

static void entries_are_read(void **state)
{
	static const struct {
		const char *json;
		struct model_traits expect;
		const char *reason;
	} rows[] = {
		{"{contextWindow: +200000, maxTokens: 0x10, reasoning: true, input: ['image']}",
			{200000, 16, MODEL_YES, MODEL_INPUT_IMAGE}, "as JSON5 spells it"},
		{"{contextWindow: '200000', maxTokens: 1.5, reasoning: 'true', input: 'text'}", {0},
			"what OpenClaw would not take is unknown"},
		{"{contextWindow: 1e9, input: ['text', 'audio']}", {0}, "out of bounds"},
		{"[]", {0}, "no object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct model_traits t;

		arena_init(&a, 100000);
		t = model_traits_of(json5_parse(&a, bytes_str(rows[i].json), NULL));
		if (memcmp(&t, &rows[i].expect, sizeof(t)) != 0) {
			fail_msg("%s", rows[i].reason);
		}
		arena_done(&a);
	}
}

static void ids_are_checked(void **state)
{
	static const struct {
		const char *id;
		bool ok;
	} ids[] = {
		{"gpt-5.4", true},
		{"org/model:free@1", true},
		{"\xe6\xa8\xa1", true},
		{"$x", true},
		{"a$", true},
		{"", false},
		{"a b", false},
		{"a\tb", false},
		{"a\x7f", false},
		{"a\"b", false},
		{"a'b", false},
		{"a`b", false},
		{"${HOME}", false},
		{"\xff", false},
	};
	char longest[MODEL_ID_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (model_id_is_valid(bytes_str(ids[i].id)) != ids[i].ok) {
			fail_msg("%s", ids[i].id);
		}
	}
	memset(longest, 'x', sizeof(longest));
	assert_true(model_id_is_valid(bytes_of(longest, MODEL_ID_MAX)));
	assert_false(model_id_is_valid(bytes_of(longest, MODEL_ID_MAX + 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(entries_are_read),
		cmocka_unit_test(ids_are_checked),
	};

	return cmocka_run_group_tests_name("model_traits", tests, NULL, NULL);
}
