#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* BYTES for static tables. */
#define LIT(lit)                        \
	{                               \
		"" lit, sizeof(lit) - 1 \
	}

static void it_grows_up_to_its_maximum(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 100);
	for (int i = 0; i < 100; i++) {
		text_add_char(&t, (char)('a' + i % 26));
		assert_false(text_full(&t));
	}
	text_add_char(&t, '!');
	assert_true(text_full(&t));
	assert_int_equal(t.n, 100);
	assert_int_equal(strlen(text_cstr(&t)), 100); /* its NUL does not count */
	text_clear(&t);
	text_add_str(&t, "again");
	assert_string_equal(text_cstr(&t), "again");
	assert_false(text_full(&t));
	text_done(&t);
	text_done(&t);
}

static void a_full_text_stays_as_it_was(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 5);
	text_add_str(&t, "abc");
	text_add_str(&t, "defg"); /* does not fit: nothing of it is added */
	text_add_str(&t, "h");    /* would fit, but the sequence is broken */
	assert_true(text_full(&t));
	assert_string_equal(text_cstr(&t), "abc");
	text_done(&t);
}

static void storage_is_left_when_it_is_too_small(void **state)
{
	char storage[8];
	struct text t;

	(void)state;
	text_init_with(&t, storage, sizeof(storage), 100);
	text_add_str(&t, "12345678");
	assert_ptr_equal(t.p, storage);
	assert_string_equal(text_cstr(&t), "12345678"); /* the NUL has room elsewhere */
	assert_ptr_not_equal(t.p, storage);
	text_done(&t);
	text_init_with(&t, storage, sizeof(storage), 100);
	text_add_str(&t, "1234");
	for (int i = 4; i < 100; i++) {
		text_add_char(&t, (char)('0' + i % 10));
	}
	assert_false(text_full(&t));
	assert_memory_equal(t.p, "12344567", 8); /* what stood in the storage is still there */
	text_add_char(&t, '!');
	assert_true(text_full(&t));
	assert_int_equal(t.n, 100);
	assert_memory_equal(storage, "1234", 4);
	text_done(&t);
	text_done(&t);
}

static void the_byte_of_the_nul_is_not_for_text(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 5);
	text_add_str(&t, "abcde");
	assert_string_equal(text_cstr(&t), "abcde");
	text_add_char(&t, 'f');
	assert_true(text_full(&t));
	text_done(&t);
}

static void fixed_storage_is_never_left(void **state)
{
	char storage[8];
	struct text t;

	(void)state;
	memset(storage, '#', sizeof(storage));
	text_init_fixed(&t, storage, 4);
	text_add_str(&t, "abcd");
	assert_false(text_full(&t));
	text_add_char(&t, 'e');
	assert_true(text_full(&t));
	assert_memory_equal(storage, "abcd####", 8);
	assert_string_equal(text_cstr(&t), ""); /* no room for the NUL */
	text_done(&t);
}

static void json_takes_what_there_is_room_for(void **state)
{
	char storage[8];
	struct text t;

	(void)state;
	memset(storage, '#', sizeof(storage));
	text_init_fixed(&t, storage, 4);
	text_add_json(&t, BYTES("abcd"));
	assert_false(text_full(&t));
	text_clear(&t);
	text_add_json(&t, BYTES("a\"cdef")); /* the escape is two bytes and is not cut */
	assert_true(text_full(&t));
	assert_memory_equal(storage, "a\\\"c####", 8);
	text_clear(&t);
	text_add_json(&t, BYTES("abcdef"));
	assert_true(text_full(&t));
	assert_int_equal(t.n, 4);
	assert_memory_equal(storage, "abcd####", 8);
}

static void formats_of_every_length(void **state)
{
	char *long_word = malloc(1001);

	(void)state;
	assert_non_null(long_word);
	memset(long_word, 'x', 1000);
	/* Around the size up to which it is formatted at once, and exactly up to the maximum. */
	for (size_t n = 0; n <= 1000; n += n < 250 || n >= 260 ? 10 : 1) {
		struct text t;
		struct text narrow;

		long_word[n] = '\0';
		text_init(&t, n);
		text_addf(&t, "%s", long_word);
		assert_false(text_full(&t));
		assert_int_equal(t.n, n);
		assert_string_equal(text_cstr(&t), long_word);
		text_done(&t);
		if (n != 0) {
			text_init(&narrow, n - 1);
			text_addf(&narrow, "%s", long_word);
			assert_true(text_full(&narrow));
			assert_int_equal(narrow.n, 0);
			text_done(&narrow);
		}
		long_word[n] = 'x';
	}
	free(long_word);
}

static void numbers(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 100);
	text_add_u64(&t, 0);
	text_add_char(&t, ' ');
	text_add_u64(&t, UINT64_MAX);
	text_add_bytes(&t, BYTES(" end"));
	assert_string_equal(text_cstr(&t), "0 18446744073709551615 end");
	text_done(&t);
}

static void json_strings_are_always_valid(void **state)
{
	static const struct {
		struct bytes in;
		const char *want;
		const char *reason;
	} rows[] = {
		{LIT("plain"), "plain", "nothing to do"},
		{LIT("a\"b\\c"), "a\\\"b\\\\c", "quote and backslash"},
		{LIT("a\nb\tc\x01"), "a\\nb\\u0009c\\u0001", "control characters"},
		{LIT("\x7f\0"), "\\u007f\\u0000", "DEL and NUL"},
		{LIT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
			"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "two, three and four bytes"},
		{LIT("\xff"), "\xef\xbf\xbd", "never in UTF-8"},
		{LIT("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd", "a NUL in disguise"},
		{LIT("\xc3"), "\xef\xbf\xbd", "cut after one byte"},
		{LIT("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd", "cut after two"},
		{LIT("\xe0\x9f\xbf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "longer than needed"},
		{LIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
			"half of a surrogate pair"},
		{LIT("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
			"behind U+10FFFF"},
		{LIT("\xe2\x28\xa1"), "\xef\xbf\xbd(\xef\xbf\xbd", "the ASCII inside survives"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t;

		text_init(&t, 100);
		text_add_json(&t, rows[i].in);
		if (strcmp(text_cstr(&t), rows[i].want) != 0) {
			fail_msg("\"%s\": %s", text_cstr(&t), rows[i].reason);
		}
		text_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows_up_to_its_maximum),
		cmocka_unit_test(a_full_text_stays_as_it_was),
		cmocka_unit_test(storage_is_left_when_it_is_too_small),
		cmocka_unit_test(the_byte_of_the_nul_is_not_for_text),
		cmocka_unit_test(fixed_storage_is_never_left),
		cmocka_unit_test(json_takes_what_there_is_room_for),
		cmocka_unit_test(formats_of_every_length),
		cmocka_unit_test(numbers),
		cmocka_unit_test(json_strings_are_always_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
