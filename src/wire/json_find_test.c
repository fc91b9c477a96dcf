#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/json.h"

/* The input ends where its memory ends, so that a sanitizer sees a step too far. */
static void expect_at(struct bytes text, struct bytes name, size_t at)
{
	char *copy = malloc(text.n + 1);
	const char *found;

	assert_non_null(copy);
	memcpy(copy + 1, text.p, text.n);
	found = json_find_name(bytes_of(copy + 1, text.n), name);
	if (at == SIZE_MAX ? found != NULL : found != copy + 1 + at) {
		fail_msg("%.*s in %.*s: not at %zu", BYTES_ARG(name), BYTES_ARG(text), at);
	}
	free(copy);
}

static void test_rows(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *reason;
	} rows[] = {
		{"", SIZE_MAX, "nothing"},
		{"\"usage", SIZE_MAX, "one byte too few"},
		{"\"usage\"", 0, "the whole text"},
		{"usage", SIZE_MAX, "no quotes"},
		{"\"usage ", SIZE_MAX, "no quote behind it"},
		{" usage\"", SIZE_MAX, "none before it"},
		{"\"usages\"", SIZE_MAX, "a longer name"},
		{"\"Usage\"", SIZE_MAX, "another case"},
		{"\"usagd\":\"us_ge\",\"usage\"", 16, "behind names that are like it"},
		{"\\\"usage\\\"", SIZE_MAX,
			"quoted inside of a string: a backslash stands before the quote"},
		{"[\"usage\",\"usage\"]", 1, "the first"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_at(bytes_str(rows[i].text), BYTES("usage"), rows[i].at);
	}
}

static void test_every_place(void **state)
{
	static const struct bytes names[] = {{"ab", 2}, {"usage", 5}, {"completion_tokens", 17}};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		for (size_t before = 0; before < 70; before++) {
			for (size_t behind = 0; behind < 70; behind++) {
				char text[256];
				int n = snprintf(text, sizeof(text), "%.*s\"%.*s\"%.*s",
					(int)before,
					"{\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"delta\":{}}],",
					BYTES_ARG(names[k]), (int)behind,
					":{\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"delta\":{}}],");

				expect_at(bytes_of(text, (size_t)n), names[k], before);
				text[before + 2] ^= 1;
				expect_at(bytes_of(text, (size_t)n), names[k], SIZE_MAX);
			}
		}
	}
}

/* Few letters, so that nearly all places are nearly right. */
static void test_random(void **state)
{
	static const char letters[] = "\"\"use";
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char text[120];
		size_t n;
		const char *found;

		seed = seed * 1664525u + 1013904223u;
		n = (seed >> 16) % sizeof(text);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			text[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		found = memmem(text, n, "\"us\"", 4);
		expect_at(bytes_of(text, n), BYTES("us"),
			found != NULL ? (size_t)(found - text) : SIZE_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_place),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("json_find", tests, NULL, NULL);
}
