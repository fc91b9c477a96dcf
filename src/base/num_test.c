#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* BYTES for static tables. */
#define LIT(lit)                        \
	{                               \
		"" lit, sizeof(lit) - 1 \
	}

static void arithmetic_notices_overflow(void **state)
{
	size_t out = 7;

	(void)state;
	assert_true(num_add(SIZE_MAX - 1, 1, &out));
	assert_true(out == SIZE_MAX);
	assert_false(num_add(SIZE_MAX, 1, &out));
	assert_true(out == SIZE_MAX); /* untouched */
	assert_true(num_mul(SIZE_MAX / 2, 2, &out));
	assert_true(out == SIZE_MAX - 1);
	assert_false(num_mul(SIZE_MAX / 2 + 1, 2, &out));
	assert_true(out == SIZE_MAX - 1);
	assert_true(num_mul(0, SIZE_MAX, &out));
	assert_true(out == 0);
}

static void decimal_is_strict(void **state)
{
	static const struct {
		struct bytes text;
		uint64_t max, want;
		bool ok;
		const char *reason;
	} rows[] = {
		{LIT("0"), 10, 0, true, "zero"},
		{LIT("007"), 10, 7, true, "leading zeros change nothing"},
		{LIT("10"), 10, 10, true, "the maximum"},
		{LIT("11"), 10, 0, false, "above it"},
		{LIT("18446744073709551615"), UINT64_MAX, UINT64_MAX, true, "the largest"},
		{LIT("18446744073709551616"), UINT64_MAX, 0, false, "one more"},
		{LIT("184467440737095516150"), UINT64_MAX, 0, false, "ten times that"},
		{LIT("99999999999999999999999999"), UINT64_MAX, 0, false, "far too long"},
		{LIT(""), 10, 0, false, "no digit"},
		{LIT("+1"), 10, 0, false, "sign"},
		{LIT("-1"), UINT64_MAX, 0, false, "sign"},
		{LIT(" 1"), 10, 0, false, "blank before"},
		{LIT("1 "), 10, 0, false, "blank behind"},
		{LIT("1\0"), 10, 0, false, "NUL behind"},
		{LIT("0x1"), 10, 0, false, "another base"},
		{LIT("1e1"), 10, 0, false, "exponent"},
		{LIT("\xb2"), 10, 0, false, "a digit in another alphabet"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t out = 77;
		bool ok = num_parse_u64(rows[i].text, rows[i].max, &out);

		if (ok != rows[i].ok || out != (ok ? rows[i].want : 77)) {
			fail_msg("%s", rows[i].reason);
		}
	}
}

static void hexadecimal_is_strict(void **state)
{
	static const struct {
		struct bytes text;
		uint64_t max, want;
		bool ok;
		const char *reason;
	} rows[] = {
		{LIT("0"), 10, 0, true, "zero"},
		{LIT("aF"), 1000, 0xaf, true, "both cases"},
		{LIT("ffffffffffffffff"), UINT64_MAX, UINT64_MAX, true, "the largest"},
		{LIT("10000000000000000"), UINT64_MAX, 0, false, "one more"},
		{LIT("0000000000000000000f"), 15, 15, true, "leading zeros, more than 16 digits"},
		{LIT("10"), 15, 0, false, "above the maximum"},
		{LIT(""), 10, 0, false, "no digit"},
		{LIT("0x1"), 100, 0, false, "no prefix"},
		{LIT("g"), 100, 0, false, "behind f"},
		{LIT("1;"), 100, 0, false, "something behind"},
		{LIT("-1"), 100, 0, false, "sign"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t out = 77;
		bool ok = num_parse_hex(rows[i].text, rows[i].max, &out);

		if (ok != rows[i].ok || out != (ok ? rows[i].want : 77)) {
			fail_msg("%s", rows[i].reason);
		}
	}
}

static void what_is_written_can_be_read(void **state)
{
	static const struct {
		uint64_t v;
		const char *dec, *hex;
	} rows[] = {
		{0, "0", "0"},
		{9, "9", "9"},
		{10, "10", "a"},
		{255, "255", "ff"},
		{1000000, "1000000", "f4240"},
		{UINT64_MAX, "18446744073709551615", "ffffffffffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char dec[NUM_U64_MAX];
		char hex[16];
		struct bytes d = {dec, num_format_u64(dec, rows[i].v)};
		struct bytes h = {hex, num_format_hex(hex, rows[i].v)};

		assert_true(bytes_eq(d, bytes_str(rows[i].dec)));
		assert_true(bytes_eq(h, bytes_str(rows[i].hex)));
	}
}

/* Every digit at every place. */
static void formats_all_hex_digits(void **state)
{
	static const char digits[] = "0123456789abcdef";
	char out[17];

	(void)state;
	out[16] = '!';
	num_format_hex16(out, UINT64_C(0x0123456789abcdef));
	assert_memory_equal(out, "0123456789abcdef!", sizeof(out));
	for (unsigned place = 0; place < 16; place++) {
		for (unsigned digit = 0; digit < 16; digit++) {
			num_format_hex16(out, (uint64_t)digit << (4 * (15 - place)));
			for (unsigned i = 0; i < 16; i++) {
				assert_int_equal(out[i], digits[i == place ? digit : 0]);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_notices_overflow),
		cmocka_unit_test(formats_all_hex_digits),
		cmocka_unit_test(decimal_is_strict),
		cmocka_unit_test(hexadecimal_is_strict),
		cmocka_unit_test(what_is_written_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
