/*
 * Expressions: whole texts only, and bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/regex.h"

static const struct row {
	const char *pattern, *text;
	bool matches;
	const char *reason;
} rows[] = {
	{"a", "a", true, "the same"},
	{"a", "ab", false, "the end is anchored"},
	{"a", "ba", false, "the beginning is anchored"},
	{"a|ab", "ab", true, "every alternative may take the whole"},
	{"qwen.*|gpt-4", "gpt-4o", false, "anchors hold around all alternatives"},
	{"^a$", "a", true, "anchors of one's own do no harm"},
	{"^a$", "a\n", false, "$ is the end, not a line's"},
	{"(?i)CODE", "code", true, "flags inside"},
	{"", "", true, "nothing is nothing"},
	{"a.c",
		"a\xff"
		"c",
		true, "bytes, whatever they mean"},
	{"(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false,
		"a match that costs too much is none"},
};

static void texts_are_matched_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault f;
		struct regex *r = regex_new(bytes_str(rows[i].pattern), &f);

		assert_non_null(r);
		if (regex_matches(r, bytes_str(rows[i].text)) != rows[i].matches) {
			fail_msg("%s on %s: %s", rows[i].pattern, rows[i].text, rows[i].reason);
		}
		regex_free(r);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const bad[] = {"(", "[a", "a**b(", "*", "\\C", "(*UTF)a"};
	static char room[REGEX_MAX + 1];
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(regex_new(bytes_str(bad[i]), &f));
		assert_int_equal(f.err, ERR_SYNTAX);
		assert_true(f.text[0] != '\0');
	}
	memset(room, 'a', sizeof(room));
	assert_null(regex_new(bytes_of(room, sizeof(room)), &f));
	assert_int_equal(f.err, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_matched_whole),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("base/regex", tests, NULL, NULL);
}
