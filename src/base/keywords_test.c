#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/keywords.h"
#include "base/text.h"

static const struct row {
	const char *texts[6];
	bool nocase;
	const char *in;
	int hit; /* number of the text; -1: none */
	const char *reason;
} rows[] = {
	{{"swagger"}, false, "/swagger.html", 0, "in the middle"},
	{{"swagger"}, false, "swagger", 0, "all of it"},
	{{"swagger"}, false, "/Swagger", -1, "case counts"},
	{{"swagger"}, true, "/SwAgGeR", 0, "case does not count"},
	{{"SWAGGER"}, true, "/swagger", 0, "nor that of the text"},
	{{"swagger"}, false, "/swagge", -1, "a part of it only"},
	{{"swagger"}, false, "", -1, "nothing"},
	{{NULL}, false, "abc", -1, "nothing is looked for"},
	{{"a"}, false, "ba", 0, "one byte"},
	{{"aab"}, false, "aaab", 0, "what was read is a beginning still"},
	{{"abab", "abac"}, false, "ababa", 0, "one of two that begin alike"},
	{{"abab", "abac"}, false, "abac", 1, "the other one"},
	{{"he", "she", "his", "hers"}, false, "ushers", 1, "she ends where he does"},
	{{"abcd", "bc"}, false, "abce", 1, "a text inside of a beginning"},
	{{"abcd", "bc"}, false, "abcd", 1, "the shorter one ends first"},
	{{"x", "x"}, false, "x", 0, "twice the same: the first"},
	{{"\xc3\xa4"}, true, "\xc3\xa4", 0, "bytes that are no ASCII"},
	{{"\xc3\xa4"}, true, "\xc3\x84", -1, "of which case is not known"},
	{{"[@`{"}, true, "[@`{", 0, "beside the letters"},
	{{"[@`{"}, true, "{`@[", -1, "no letters: not the same in another case"},
};

static size_t count(const struct row *r, struct bytes out[6])
{
	size_t n = 0;

	while (n < 6 && r->texts[n] != NULL) {
		out[n] = bytes_str(r->texts[n]);
		n++;
	}
	return n;
}

/* Whole, and split at each point. */
static void finds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct bytes texts[6];
		size_t n = count(r, texts);
		struct arena a;
		const struct keywords *k;

		arena_init(&a, SIZE_MAX);
		k = keywords_new(texts, n, r->nocase, &a);
		assert_non_null(k);
		for (size_t at = 0; at <= strlen(r->in); at++) {
			struct keywords_state s = {0};
			size_t hit = keywords_find(k, &s, bytes_of(r->in, at));

			if (hit == KEYWORDS_NONE) {
				hit = keywords_find(k, &s, bytes_str(r->in + at));
			}
			if (hit != (r->hit < 0 ? KEYWORDS_NONE : (size_t)r->hit)) {
				fail_msg("%s: split at %zu it found %zd", r->reason, at,
					(ptrdiff_t)hit);
			}
		}
		arena_done(&a);
	}
}

static void every_byte(void **state)
{
	char all[256];
	struct bytes text = bytes_of(all, sizeof(all));
	struct keywords_state s = {0};
	const struct keywords *k;
	struct arena a;

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		all[c] = (char)c;
	}
	arena_init(&a, SIZE_MAX);
	k = keywords_new(&text, 1, false, &a);
	assert_int_equal(keywords_find(k, &s, bytes_of(all, 255)), KEYWORDS_NONE);
	assert_int_equal(keywords_find(k, &s, bytes_of(all + 255, 1)), 0);
	arena_done(&a);
}

static void limits(void **state)
{
	static char long_text[KEYWORDS_BYTES_MAX + 1];
	struct bytes many[KEYWORDS_MAX + 1];
	struct keywords_state s = {0};
	const struct keywords *k;
	struct arena a;
	struct bytes b;

	(void)state;
	arena_init(&a, SIZE_MAX);
	memset(long_text, 'a', sizeof(long_text));
	b = bytes_of(long_text, KEYWORDS_BYTES_MAX);
	k = keywords_new(&b, 1, false, &a);
	assert_non_null(k);
	assert_int_equal(
		keywords_find(k, &s, bytes_of(long_text, KEYWORDS_BYTES_MAX - 1)), KEYWORDS_NONE);
	assert_int_equal(keywords_find(k, &s, BYTES("a")), 0);
	b.n++;
	assert_null(keywords_new(&b, 1, false, &a));
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = BYTES("ab");
	}
	assert_non_null(keywords_new(many, KEYWORDS_MAX, false, &a));
	assert_null(keywords_new(many, KEYWORDS_MAX + 1, false, &a));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("base/keywords", tests, NULL, NULL);
}
