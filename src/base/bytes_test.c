#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* BYTES for static tables. */
#define LIT(lit)                        \
	{                               \
		"" lit, sizeof(lit) - 1 \
	}

#define NOTHING ((struct bytes){NULL, 0})

static void equality_and_case(void **state)
{
	static const struct {
		struct bytes a, b;
		bool same, nocase;
		const char *reason;
	} rows[] = {
		{LIT("abc"), LIT("abc"), true, true, "the same"},
		{LIT("abc"), LIT("aBC"), false, true, "case"},
		{LIT("abc"), LIT("abd"), false, false, "another byte"},
		{LIT("abc"), LIT("ab"), false, false, "shorter"},
		{LIT(""), {NULL, 0}, true, true, "nothing is nothing, wherever it points"},
		{LIT("["), LIT("{"), false, false, "bit 5 alone does not make a letter"},
		{LIT("@"), LIT("`"), false, false, "nor below A"},
		{LIT("\xc4"), LIT("\xe4"), false, false, "ASCII only"},
		{LIT("Content-Length"), LIT("cONTENT-lENGTH"), false, true, "in words of eight"},
		{LIT("Content-Length"), LIT("content-lengti"), false, false, "the last of them"},
		{LIT("content-Length1"), LIT("bontent-length1"), false, false, "the first of them"},
		{LIT("AZ[@az{`"), LIT("az[@AZ{`"), false, true, "the first and the last letter"},
		{LIT("AZ[@az{`"), LIT("az{@az{`"), false, false, "and what is behind them"},
		{LIT("AZ[@az{`"), LIT("az[`az{`"), false, false, "and before"},
		{LIT("\xc1\xda\xe1\xfa\x80\xff--"), LIT("\xe1\xda\xe1\xfa\x80\xff--"), false, false,
			"ASCII only, in words too"},
		{LIT("a\0b"), LIT("a\0c"), false, false, "a NUL is a byte like any other"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (bytes_eq(rows[i].a, rows[i].b) != rows[i].same ||
			bytes_eq_secret(rows[i].a, rows[i].b) != rows[i].same ||
			bytes_eq_nocase(rows[i].a, rows[i].b) != rows[i].nocase) {
			fail_msg("%s", rows[i].reason);
		}
	}
}

static void beginnings_and_ends(void **state)
{
	static const struct {
		struct bytes s, part;
		bool starts, starts_nocase, ends;
	} rows[] = {
		{LIT("abcabc"), LIT("abc"), true, true, true},
		{LIT("abcd"), LIT("ABC"), false, true, false},
		{LIT("abcd"), LIT("bcd"), false, false, true},
		{LIT("ab"), LIT("abc"), false, false, false},
		{LIT("ab"), LIT(""), true, true, true},
		{{NULL, 0}, {NULL, 0}, true, true, true},
		{{NULL, 0}, LIT("a"), false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(bytes_starts(rows[i].s, rows[i].part), rows[i].starts);
		assert_int_equal(
			bytes_starts_nocase(rows[i].s, rows[i].part), rows[i].starts_nocase);
		assert_int_equal(bytes_ends(rows[i].s, rows[i].part), rows[i].ends);
	}
}

static void trimming(void **state)
{
	static const struct {
		struct bytes s, want;
	} rows[] = {
		{LIT(" \t a b\t "), LIT("a b")},
		{LIT("a"), LIT("a")},
		{LIT(" \t"), LIT("")},
		{LIT(""), LIT("")},
		{LIT("\r\na\n"), LIT("\r\na\n")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(bytes_eq(bytes_trim(rows[i].s), rows[i].want));
	}
	assert_int_equal(bytes_trim(NOTHING).n, 0);
}

static void order_is_by_unsigned_byte(void **state)
{
	static const struct bytes sorted[] = {
		LIT(""), LIT("\0"), LIT("A"), LIT("a"), LIT("aa"), LIT("b"), LIT("\xff")};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
			int c = bytes_cmp(sorted[i], sorted[k]);

			assert_true(i < k ? c < 0 : i > k ? c > 0 : c == 0);
		}
	}
}

static void cutting_visits_every_part(void **state)
{
	static const struct {
		struct bytes list;
		const char *parts[4];
		const char *reason;
	} rows[] = {
		{LIT("a,b"), {"a", "b"}, "two"},
		{LIT("a"), {"a"}, "one"},
		{LIT(""), {""}, "an empty one"},
		{LIT(","), {"", ""}, "two empty ones"},
		{LIT("a,,b,"), {"a", "", "b", ""}, "empty ones inside and behind"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes rest = rows[i].list;
		size_t n = 0;

		while (rest.p != NULL) {
			struct bytes part = bytes_cut(&rest, ',');

			if (n == 4 || rows[i].parts[n] == NULL ||
				!bytes_eq(part, bytes_str(rows[i].parts[n]))) {
				fail_msg("part %zu: %s", n, rows[i].reason);
			}
			n++;
		}
		assert_true(n == 4 || rows[i].parts[n] == NULL);
	}
}

static void copies_end_with_a_nul(void **state)
{
	char *copy = bytes_dup(bytes_of("abcdef", 3));

	(void)state;
	assert_string_equal(copy, "abc");
	free(copy);
	copy = bytes_dup(NOTHING);
	assert_string_equal(copy, "");
	free(copy);
	assert_int_equal(bytes_str(NULL).n, 0);
}

static void a_copy_is_as_long_as_its_text(void **state)
{
	char from[80];
	char to[80 + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++) {
		from[i] = (char)('!' + i);
	}
	for (size_t n = 0; n <= sizeof(from); n++) {
		memset(to, '\0', sizeof(to));
		assert_ptr_equal(bytes_put(to + 1, bytes_of(from, n)), to + 1 + n);
		assert_memory_equal(to + 1, from, n);
		assert_int_equal(to[0], 0);
		assert_int_equal(to[1 + n], 0); /* nothing behind it */
	}
	assert_ptr_equal(bytes_put(to, NOTHING), to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_and_case),
		cmocka_unit_test(beginnings_and_ends),
		cmocka_unit_test(trimming),
		cmocka_unit_test(order_is_by_unsigned_byte),
		cmocka_unit_test(cutting_visits_every_part),
		cmocka_unit_test(copies_end_with_a_nul),
		cmocka_unit_test(a_copy_is_as_long_as_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
