/*
 * Expressions: whole texts only, and bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

static const struct {
	const char *pattern, *text;
	unsigned n;
	const char *groups, *reason;
} finds[] = {
	{"/a/(b+)(c)?.*", "/a/bbd", 2, "/a/bbd|bb|-|-", "one that took nothing is not there"},
	{"/(a)|/(b)", "/b", 2, "/b|-|b|-", "nor one that was not come by"},
	{"/(x*)y", "/y", 1, "/y||-|-", "nothing is not the same as none"},
	{"(((((((((((a)))))))))))", "a", 11, "a|a|a|a", "more groups than anybody may ask for"},
	{"/a", "/b", 0, NULL, "no match"},
};

static void groups_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		struct bytes out[REGEX_GROUPS_MAX];
		char got[100] = "";
		struct fault f;
		struct regex *r = regex_new(bytes_str(finds[i].pattern), &f);
		bool found;

		assert_non_null(r);
		found = regex_find(r, bytes_str(finds[i].text), out);
		for (size_t k = 0; found && k < 4; k++) {
			size_t n = strlen(got);

			snprintf(got + n, sizeof(got) - n, "%s%.*s", k != 0 ? "|" : "",
				BYTES_ARG(out[k].p != NULL ? out[k] : BYTES("-")));
		}
		if (regex_groups(r) != finds[i].n || found != (finds[i].groups != NULL) ||
			(found && strcmp(got, finds[i].groups) != 0)) {
			fail_msg("%s on %s: %s: %s", finds[i].pattern, finds[i].text,
				finds[i].reason, got);
		}
		regex_free(r);
	}
}

static const struct row searches[] = {
	{"(?i)code", "please write CODE now", true, "anywhere, flags inside (G111)"},
	{"(?i)code", "hi", false, "not there"},
	{"^hi", "oh hi", false, "the beginning of the text, not of the search"},
	{"^hi", "hi there", true, "there it is"},
	{"hi$", "oh hi", true, "the end"},
	{"hi$", "hi\n", false, "not a line's"},
	{"a|b", "xxb", true, "alternatives stay together"},
	{"(a)(b)\\1", "xxaba", true, "groups keep their numbers"},
	{"line two", "line one\nline two", true, "across lines"},
	{"", "", true, "nothing is everywhere"},
	{"\xe4\xbb\xa3\xe7\xa0\x81", "\xe5\x86\x99\xe4\xbb\xa3\xe7\xa0\x81", true,
		"bytes of another script"},
};

static void texts_are_searched(void **state)
{
	static const char *const bad[] = {"a)(b", "(", "(?x) a # b", "(*UTF)a"};
	static char text[65536];
	struct fault f;
	struct regex *r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
		r = regex_new_search(bytes_str(searches[i].pattern), &f);
		assert_non_null(r);
		if (regex_matches(r, bytes_str(searches[i].text)) != searches[i].matches) {
			fail_msg("%s in %s: %s", searches[i].pattern, searches[i].text,
				searches[i].reason);
		}
		regex_free(r);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(regex_new_search(bytes_str(bad[i]), &f));
	}
	/* What would take minutes ends soon, and says no. */
	memset(text, 'a', sizeof(text));
	r = regex_new_search(BYTES("(a+)+b"), &f);
	assert_non_null(r);
	assert_false(regex_matches(r, bytes_of(text, sizeof(text))));
	regex_free(r);
}

static void what_a_look_costs_is_bounded(void **state)
{
	static const struct {
		const char *pattern, *unit;
		size_t n;
		enum regex_found found;
		const char *reason;
	} looks[] = {
		{"\\.(php|asp)$", "/.php", 6000, REGEX_ABSENT, "a long address that may pass"},
		{"swagger|druid|[?&]cmd=[a-z]+", "q=abc&", 6000, REGEX_ABSENT, "alternatives"},
		{"swagger|druid|actuator|jolokia|[?&]cmd=[a-z]+", "q=abc&", 32000, REGEX_ABSENT,
			"more of them, in the longest head"},
		{"swagger", "swagge", 32000, REGEX_ABSENT, "a plain text in the longest head"},
		{"\\+\\*\\?", "+*", 4000, REGEX_ABSENT, "signs that repeat nothing"},
		{"[a-z]*[0-9]", "a", 16000, REGEX_GIVEN_UP, "each step of it runs to the end"},
		{"union.*select.*from", "unionselect", 4000, REGEX_GIVEN_UP, "two that do"},
		{"<.*?scriptm", "<t", 8000, REGEX_GIVEN_UP, "one that is not greedy"},
		{"(a+)+[0-9]", "a", 200, REGEX_GIVEN_UP, "one inside of another"},
		{"[a-z]{2,}[0-9]", "ab", 16000, REGEX_GIVEN_UP, "a number of times"},
		{"x.*y", "ax.y", 16000, REGEX_FOUND, "what is there is found first"},
	};
	static char text[32000];
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		struct regex *r = regex_new_look(bytes_str(looks[i].pattern), &f);

		for (size_t k = 0; k < looks[i].n; k++) {
			text[k] = looks[i].unit[k % strlen(looks[i].unit)];
		}
		text[looks[i].n - 1] = 'm'; /* what "from" ends with is there */
		assert_non_null(r);
		if (regex_look(r, bytes_of(text, looks[i].n)) != looks[i].found) {
			fail_msg("%s: %s", looks[i].pattern, looks[i].reason);
		}
		regex_free(r);
	}
	for (size_t i = 0; i < ARRAY_LEN(searches); i++) {
		struct regex *r = regex_new_look(bytes_str(searches[i].pattern), &f);

		assert_non_null(r);
		if (regex_matches(r, bytes_str(searches[i].text)) != searches[i].matches) {
			fail_msg("%s in %s: %s", searches[i].pattern, searches[i].text,
				searches[i].reason);
		}
		regex_free(r);
	}
	assert_null(regex_new_look(BYTES("a)(b"), &f));
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

static const struct {
	const char *pattern, *beginning, *reason;
} beginnings[] = {
	{"/v1/.*", "/v1/", "up to what is no plain character"},
	{"/v1", "/v1", "all of it"},
	{"/v1\\.x", "/v1", "an escape ends it"},
	{"/v1?x", "/v", "the last character may not be there"},
	{"/v1*x", "/v", "nor here"},
	{"/v1{0,1}", "/v", "nor here"},
	{"/v1+", "/v", "here it is, but once is enough to know"},
	{"/a|/b", "", "alternatives of the whole"},
	{"/a(b|c)", "/a", "alternatives of a part"},
	{"/a(b)|c(d)", "", "between two parts"},
	{"/a\\(b|c\\)", "", "escaped parentheses are none"},
	{"/a[(]b|c[)]", "", "nor are those of a class"},
	{"/a(?#()|b", "", "nor is that of a comment"},
	{"/a(b)?c", "/a", "a group ends it, whatever stands behind"},
	{"(?i)/a", "", "flags change what is meant"},
	{"/ab(?i)c", "/ab", "for what is behind them"},
	{"^/a", "", "an anchor"},
	{".*", "", "anything"},
	{"", "", "nothing"},
};

static void beginnings_are_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
		struct bytes got = regex_beginning(bytes_str(beginnings[i].pattern));

		if (!bytes_eq(got, bytes_str(beginnings[i].beginning))) {
			fail_msg("%s: %s: " BYTES_FMT, beginnings[i].pattern, beginnings[i].reason,
				BYTES_ARG(got));
		}
	}
}

/* Of expressions and texts by chance: what matches begins so. */
static void beginnings_agree_with_matches(void **state)
{
	static const char *const parts[] = {"a", "b", "ab", "a?", "b*", "(a", ")", ".", "|", "a{2}",
		"[ab]", "\\.", "^", "(?i)", "(a|b)", "[(]", "\\(", "(?#()"};
	uint64_t s = 1;
	unsigned matched = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		char pattern[64] = "", text[6];
		struct fault f;
		struct regex *r;

		for (unsigned k = 0; k < 4; k++) {
			s = s * 6364136223846793005u + 1442695040888963407u;
			strcat(pattern, parts[(s >> 33) % ARRAY_LEN(parts)]);
		}
		for (unsigned k = 0; k < sizeof(text); k++) {
			s = s * 6364136223846793005u + 1442695040888963407u;
			text[k] = "abA."[(s >> 33) % 4];
		}
		r = regex_new(bytes_str(pattern), &f);
		for (size_t n = 0; r != NULL && n <= sizeof(text); n++) {
			if (regex_matches(r, bytes_of(text, n))) {
				matched++;
				assert_true(bytes_starts(
					bytes_of(text, n), regex_beginning(bytes_str(pattern))));
			}
		}
		regex_free(r);
	}
	assert_true(matched > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_matched_whole),
		cmocka_unit_test(groups_are_found),
		cmocka_unit_test(texts_are_searched),
		cmocka_unit_test(what_a_look_costs_is_bounded),
		cmocka_unit_test(beginnings_are_seen),
		cmocka_unit_test(beginnings_agree_with_matches),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("base/regex", tests, NULL, NULL);
}
