#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cli/hide.h"

static const struct {
	const char *reason, *given, *want;
	enum hide_how how;
} rows[] = {
	{"a long one: three at each end, as the API masks it", "{\"tokens\":[\"sk-abcdefghij\"]}",
		"{\"tokens\":[\"sk-******hij\"]}", HIDE_MASK},
	{"a short one: its ends", "{\"tokens\":[\"abcdefghi\"]}", "{\"tokens\":[\"a******i\"]}",
		HIDE_MASK},
	{"of two characters the first", "{\"tokens\":[\"ab\"]}", "{\"tokens\":[\"a******\"]}",
		HIDE_MASK},
	{"a reference is no secret", "{\"tokens\":[\"${secret.a.b}\"]}",
		"{\"tokens\":[\"${secret.a.b}\"]}", HIDE_MASK},
	{"other members stay", "{\"name\":\"sk-abcdefghij\",\"tokens\":null}",
		"{\"name\":\"sk-abcdefghij\",\"tokens\":null}", HIDE_MASK},
	{"at any depth", "[{\"a\":{\"b\":[{\"apiTokens\":[\"sk-abcdefghij\"]}]}}]",
		"[{\"a\":{\"b\":[{\"apiTokens\":[\"sk-******hij\"]}]}}]", HIDE_MASK},
	{"the scheme of a credential is none of it", "{\"credentials\":[\"Bearer abcdefghijkl\"]}",
		"{\"credentials\":[\"Bearer abc******jkl\"]}", HIDE_MASK},
	{"objects below such a key are looked into",
		"{\"credentials\":[{\"source\":\"BEARER\",\"values\":[\"abcdefghijkl\"]}]}",
		"{\"credentials\":[{\"source\":\"BEARER\",\"values\":[\"abc******jkl\"]}]}",
		HIDE_MASK},
	{"a Secret has nothing but secrets",
		"{\"kind\":\"Secret\",\"data\":{\"x\":\"abcdefghijkl\"}}",
		"{\"kind\":\"Secret\",\"data\":{\"x\":\"abc******jkl\"}}", HIDE_MASK},
	{"a ConfigMap's data is shown",
		"{\"kind\":\"ConfigMap\",\"data\":{\"x\":\"abcdefghijkl\"}}",
		"{\"kind\":\"ConfigMap\",\"data\":{\"x\":\"abcdefghijkl\"}}", HIDE_MASK},
	{"two secrets of one mask differ by their digests",
		"{\"tokens\":[\"abcX23xyz0\",\"abcY23xyz0\"]}",
		"{\"tokens\":[\"abc******yz0 (0c66f20c)\",\"abc******yz0 (e5b96094)\"]}",
		HIDE_DIGEST},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct json_value *v;
		struct json_writer w;
		struct arena a;
		struct fault f;
		struct text t;
		struct doc *d;

		arena_init(&a, SIZE_MAX);
		v = json_parse(&a, bytes_str(rows[i].given), &f);
		assert_non_null(v);
		d = doc_of_json(&a, v);
		hide_secrets(&a, d, rows[i].how);
		text_init(&t, 65536);
		json_writer_init(&w, &t);
		doc_put_json(&a, &w, d);
		if (strcmp(text_cstr(&t), rows[i].want) != 0) {
			print_error("%s: %s\n", rows[i].reason, text_cstr(&t));
		}
		assert_string_equal(text_cstr(&t), rows[i].want);
		text_done(&t);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
