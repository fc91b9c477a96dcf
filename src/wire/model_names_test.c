#include "wire/model_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define LONGEST 256

static const struct {
	const char *in, *want; /* names, '|' behind each; want NULL: refused */
	const char *reason;
} rows[] = {
	{"{\"object\":\"list\",\"data\":[{\"id\":\"b\",\"object\":\"model\",\"created\":1},"
	 "{\"id\":\"a/c\",\"permission\":[{\"id\":\"no\"}]}]}",
		"b|a/c|", "as OpenAI answers; an id further inside is no model's"},
	{"{\"data\":[{\"type\":\"model\",\"id\":\"claude-x\"}],\"has_more\":false}", "claude-x|",
		"as Anthropic answers"},
	{"{\"data\":[]}", "", "a vendor without a model"},
	{"{\"data\":[{},7,\"x\",{\"id\":7},{\"id\":\"\"},{\"id\":\"a\"}]}", "a|",
		"what has no name is left out"},
	{"{\"data\":[{\"id\":\"\\u0061\\/b\"}]}", "a/b|", "escapes"},
	{"{\"data\":[{\"id\":\"a\\u0000b\"},{\"id\":\"a\\nb\"},{\"id\":\"a\\u007f\"}]}", "",
		"no control character comes through"},
	{"{\"data\":{\"id\":\"a\"}}", NULL, "no list"},
	{"[{\"id\":\"a\"}]", NULL, "no object"},
	{"{\"models\":[{\"name\":\"models/gemini\"}]}", NULL, "another vendor's form"},
	{"{\"error\":{\"message\":\"no\"}}", NULL, "an error"},
	{"{\"data\":[{\"id\":\"a\"}", NULL, "cut off"},
	{"<html>", NULL, "no JSON"},
	{"", NULL, "nothing"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault fault = {0};
		struct text out;
		int rc;

		text_init(&out, 4096);
		rc = model_names_read(bytes_str(rows[i].in), &out, &fault);
		for (size_t k = 0; k < out.n; k++) {
			out.p[k] = out.p[k] == '\0' ? '|' : out.p[k];
		}
		if ((rc == 0) != (rows[i].want != NULL) || (rc != 0 && fault.text[0] == '\0') ||
			!bytes_eq(text_bytes(&out),
				bytes_str(rows[i].want != NULL ? rows[i].want : ""))) {
			fail_msg("%s: %d, \"%.*s\"", rows[i].reason, rc, (int)out.n, out.p);
		}
		text_done(&out);
	}
}

/* A name of that many bytes, each written as an escape: 0 when it is left out. */
static size_t read_long(size_t n)
{
	struct fault fault;
	struct text in, out;
	size_t got;

	text_init(&in, 1 << 20);
	text_init(&out, 1 << 20);
	text_add_str(&in, "{\"data\":[{\"id\":\"");
	for (size_t i = 0; i < n; i++) {
		text_add_str(&in, "\\u0061");
	}
	text_add_str(&in, "\"}]}");
	assert_int_equal(model_names_read(text_bytes(&in), &out, &fault), 0);
	got = out.n;
	text_done(&in);
	text_done(&out);
	return got;
}

static int read_many(size_t n, struct fault *fault)
{
	struct text in, out;
	int rc;

	text_init(&in, 1 << 20);
	text_init(&out, 1 << 20);
	text_add_str(&in, "{\"data\":[{\"id\":\"a\"}");
	for (size_t i = 1; i < n; i++) {
		text_add_str(&in, ",{\"id\":\"a\"}");
	}
	text_add_str(&in, "]}");
	rc = model_names_read(text_bytes(&in), &out, fault);
	assert_int_equal(out.n, rc == 0 ? 2 * n : 0);
	text_done(&in);
	text_done(&out);
	return rc;
}

static void test_limits(void **state)
{
	char *long_one = calloc(1, MODEL_NAMES_ANSWER_MAX + 1);
	struct fault fault = {0};
	struct text out;

	(void)state;
	assert_int_equal(read_long(LONGEST), LONGEST + 1);
	assert_int_equal(read_long(LONGEST + 1), 0);
	assert_int_equal(read_many(MODEL_NAMES_MAX, &fault), 0);
	assert_int_equal(read_many(MODEL_NAMES_MAX + 1, &fault), ERR_LIMIT);
	text_init(&out, 100);
	assert_int_equal(
		model_names_read(bytes_of(long_one, MODEL_NAMES_ANSWER_MAX + 1), &out, &fault),
		ERR_LIMIT);
	assert_non_null(strstr(fault.text, "2097152 bytes"));
	text_done(&out);
	free(long_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("wire/model_names", tests, NULL, NULL);
}
