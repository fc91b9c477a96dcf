#include "wire/h1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void reasons(void **state)
{
	(void)state;
	static const struct {
		unsigned status;
		const char *want;
	} rows[] = {{100, "Continue"}, {200, "OK"}, {404, "Not Found"}, {429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"}, {502, "Bad Gateway"},
		{511, "Network Authentication Required"}, {0, "Unknown"}, {99, "Unknown"},
		{299, "Unknown"}, {599, "Unknown"}, {1000, "Unknown"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(h1_reason(rows[i].status), rows[i].want);
	}
	/* The table is ordered: all that are named are found. */
	unsigned named = 0;
	for (unsigned status = 0; status < 1000; status++) {
		named += strcmp(h1_reason(status), "Unknown") != 0;
	}
	assert_int_equal(named, 55);
}

/* RFC 9110 §5.6.2, spelled differently from the implementation. */
static bool is_tchar(int c)
{
	return (c > 0 && c < 128 && strchr("!#$%&'*+-.^_`|~", c) != NULL) ||
		(c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Each byte at each place of tokens and values of up to 40 bytes, in memory that ends there. */
static void every_byte_at_every_place(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 40; n++) {
		char *s = malloc(n);
		assert_non_null(s);
		for (size_t at = 0; at < n; at++) {
			for (int c = 0; c < 256; c++) {
				memset(s, 'a', n);
				s[at] = (char)c;
				bool at_end = at == 0 || at == n - 1;
				bool blank = c == ' ' || c == '\t';
				bool value = blank ? !at_end : c >= 0x20 && c != 0x7f;
				assert_int_equal(h1_is_token(bytes_of(s, n)), is_tchar(c));
				assert_int_equal(h1_is_value(bytes_of(s, n)), value);
			}
		}
		free(s);
	}
}

static void nothing_is_a_value_but_no_token(void **state)
{
	(void)state;
	assert_false(h1_is_token((struct bytes){NULL, 0}));
	assert_true(h1_is_value((struct bytes){NULL, 0}));
	assert_false(h1_is_value(BYTES(" ")));
	assert_true(h1_is_value(BYTES("several\ttabs in a value\tof some\tlength")));
}

static void chunk_heads(void **state)
{
	(void)state;
	char out[18];
	assert_int_equal(h1_chunk_head(out, 0), 3);
	assert_memory_equal(out, "0\r\n", 3);
	assert_int_equal(h1_chunk_head(out, 0x1f40), 6);
	assert_memory_equal(out, "1f40\r\n", 6);
	assert_int_equal(h1_chunk_head(out, UINT64_MAX), 18);
	assert_memory_equal(out, "ffffffffffffffff\r\n", 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(nothing_is_a_value_but_no_token),
		cmocka_unit_test(chunk_heads),
	};
	return cmocka_run_group_tests_name("h1_text", tests, NULL, NULL);
}
