/* How long to wait, out of what servers say: rows whose last word is the reason. */
#include "wire/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/http_date.h"

#define NOW_S UINT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define FLOOR RETRY_AFTER_FLOOR_MS
#define CEILING RETRY_AFTER_CEILING_MS
#define NONE 0u

struct row {
	const char *value, *date;
	uint64_t ms;
	const char *reason;
};

static const struct row rows[] = {
	{"2", NULL, 2000, "seconds"},
	{" 2\t", NULL, 2000, "blanks at the ends"},
	{"0", NULL, FLOOR, "at once would be a storm"},
	{"00030", NULL, 30000, "zeros in front"},
	{"1.5", NULL, 1500, "a fraction, which some vendors write"},
	{"1.0001", NULL, 1001, "a fraction is rounded up"},
	{"1.", NULL, NONE, "a point without digits"},
	{".5", NULL, NONE, "a point without digits in front"},
	{"-1", NULL, FLOOR, "a negative number has passed"},
	{"-", NULL, NONE, "a sign alone"},
	{"+5", NULL, NONE, "no such sign"},
	{"3600", NULL, CEILING, "just the ceiling"},
	{"3601", NULL, CEILING, "above it"},
	{"18446744073709551615", NULL, CEILING, "2^64-1"},
	{"18446744073709551616", NULL, CEILING, "2^64 does not turn into 0"},
	{"99999999999999999999999999999999999999999999", NULL, CEILING, "as many digits as fit"},
	{"-18446744073709551616", NULL, FLOOR, "the same below"},
	{"", NULL, NONE, "nothing"},
	{"soon", NULL, NONE, "a word"},
	{"5 seconds", NULL, NONE, "a word behind the number"},
	{"5, 7", NULL, NONE, "two values say nothing"},
	{"0x10", NULL, NONE, "hexadecimal"},
	{"Sun, 06 Nov 1994 08:49:47 GMT", NULL, 10000, "a date ten seconds from now"},
	{"Sunday, 06-Nov-94 08:49:47 GMT", NULL, 10000, "the form of RFC 850"},
	{"Sun Nov  6 08:49:47 1994", NULL, 10000, "the form of asctime"},
	{"Sun, 06 Nov 1994 08:49:27 GMT", NULL, FLOOR, "a date that has passed"},
	{"Sun, 06 Nov 1994 09:49:37 GMT", NULL, CEILING, "an hour from now"},
	{"Fri, 31 Dec 9999 23:59:59 GMT", NULL, CEILING, "the year 9999"},
	{"Mon, 01 Jan 1601 00:00:00 GMT", NULL, FLOOR, "the first year"},
	{"Sun, 06 Nov 1600 08:49:47 GMT", NULL, NONE, "before the first year"},
	{"Sun, 06 Nov 1994 08:49:47 GMT", "Sun, 06 Nov 1994 08:49:07 GMT", 40000,
		"counted from the answer's own Date: the clocks differ"},
	{"Sun, 06 Nov 1994 08:49:47 GMT", "yesterday", 10000, "a Date that is none"},
	{"10", "Sun, 06 Nov 1994 08:49:07 GMT", 10000, "seconds have nothing to do with the Date"},
	{"Sun, 06 Nov 1994 08:49:47 UTC", NULL, NONE, "only GMT is in the grammar"},
	{"Sun, 6 Nov 1994 08:49:47 GMT", NULL, NONE, "a day of one digit"},
	{"sun, 06 nov 1994 08:49:47 gmt", NULL, NONE, "case matters"},
	{"Sun, 06 Nov 1994 08:49:47", NULL, NONE, "no zone"},
	{"Sun, 06 Nov 1994 08:49:47 GMT ", NULL, 10000, "a blank behind it"},
	{"Sunday, 06 Nov 1994 08:49:47 GMT", NULL, NONE, "two forms mixed"},
};

static uint64_t read_row(const struct row *r)
{
	struct bytes date = r->date != NULL ? bytes_str(r->date) : bytes_of(NULL, 0);
	/* The input ends where its memory ends, so that a sanitizer sees a step too far. */
	size_t n = strlen(r->value);
	char *copy = must_alloc(n + 1);
	uint64_t ms = NONE;
	bool read;

	memcpy(copy, r->value, n);
	read = retry_after_read(bytes_of(copy, n), date, NOW_S * 1000, &ms);
	free(copy);
	assert_true(read || ms == NONE);
	return ms;
}

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t ms = read_row(&rows[i]);

		if (ms != rows[i].ms) {
			fail_msg("'%s' (%s): %llu", rows[i].value, rows[i].reason,
				(unsigned long long)ms);
		}
	}
}

/* Every prefix of a date is no date. */
static void test_prefixes(void **state)
{
	static const char *const dates[] = {"Sun, 06 Nov 1994 08:49:47 GMT",
		"Sunday, 06-Nov-94 08:49:47 GMT", "Sun Nov  6 08:49:47 1994"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		for (size_t n = 0; n < strlen(dates[i]); n++) {
			int64_t s = 7;

			assert_false(http_date_parse(bytes_of(dates[i], n), NOW_S, &s));
			assert_int_equal(s, 7);
		}
	}
}

static const struct {
	const char *text;
	bool good;
	int64_t s;
	const char *reason;
} dates[] = {
	{"Thu, 01 Jan 1970 00:00:00 GMT", true, 0, "the beginning"},
	{"Wed, 31 Dec 1969 23:59:59 GMT", true, -1, "before it"},
	{"Thu, 29 Feb 2024 12:00:00 GMT", true, 1709208000, "a leap day"},
	{"Wed, 29 Feb 2023 12:00:00 GMT", false, 0, "none in that year"},
	{"Tue, 29 Feb 2000 00:00:00 GMT", true, 951782400, "every fourth century has one"},
	{"Mon, 29 Feb 1900 00:00:00 GMT", false, 0, "other centuries have none"},
	{"Sat, 31 Apr 2024 00:00:00 GMT", false, 0, "a month of 30 days"},
	{"Sat, 00 Apr 2024 00:00:00 GMT", false, 0, "day 0"},
	{"Sat, 01 Foo 2024 00:00:00 GMT", false, 0, "no month"},
	{"Sat, 01 Apr 2024 24:00:00 GMT", false, 0, "no hour"},
	{"Sat, 01 Apr 2024 23:60:00 GMT", false, 0, "no minute"},
	{"Sat, 31 Dec 2016 23:59:60 GMT", true, 1483228799, "a leap second is the one before it"},
	{"Sat, 31 Dec 2016 23:59:61 GMT", false, 0, "there is no second one"},
	{"Mon, 01 Apr 2024 00:00:0x GMT", false, 0, "a letter for a digit"},
	{"Fri, 01 Apr 2024 00:00:00 GMT", true, 1711929600, "another day's name is not compared"},
	{"Xyz, 01 Apr 2024 00:00:00 GMT", false, 0, "no name of a day"},
	{"Saturday, 01-Jan-44 00:00:00 GMT", true, 2335219200, "50 years ahead are ahead"},
	{"Saturday, 01-Jan-45 00:00:00 GMT", true, -788918400, "51 are of the century before"},
	{"Sun Nov 16 08:49:37 1994", true, 784975777, "asctime with a day of two digits"},
};

static void test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		int64_t s = 0;
		bool good = http_date_parse(bytes_str(dates[i].text), NOW_S, &s);

		if (good != dates[i].good || s != dates[i].s) {
			fail_msg("'%s' (%s): %d %lld", dates[i].text, dates[i].reason, good,
				(long long)s);
		}
	}
}

static const struct row spans[] = {
	{"13s", NULL, 13000, "Gemini's retryDelay"},
	{"1.5s", NULL, 1500, "with a fraction"},
	{"34.074824224s", NULL, 34075, "nine digits of it, rounded up"},
	{"1750ms", NULL, 1750, "milliseconds, not minutes"},
	{"20ms", NULL, FLOOR, "a short one"},
	{"6m0s", NULL, 360000, "OpenAI's reset"},
	{"1h2m3s", NULL, CEILING, "above the ceiling"},
	{"59m59s", NULL, 3599000, "below it"},
	{"18446744073709551616h", NULL, CEILING, "2^64 hours do not turn into 0"},
	{"9999999999999m9999999999999m", NULL, CEILING, "nor does their sum"},
	{"13", NULL, NONE, "no unit"},
	{"13d", NULL, NONE, "no such unit"},
	{"s", NULL, NONE, "no number"},
	{"", NULL, NONE, "nothing"},
	{"1s x", NULL, NONE, "a word behind it"},
};

static void test_spans(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		uint64_t ms = NONE;
		bool read = retry_after_read_span(bytes_str(spans[i].value), &ms);

		if (ms != spans[i].ms || read != (spans[i].ms != NONE)) {
			fail_msg("'%s' (%s): %llu", spans[i].value, spans[i].reason,
				(unsigned long long)ms);
		}
	}
}

static const struct row millis[] = {
	{"1200", NULL, 1200, "milliseconds"},
	{"1200.2", NULL, 1201, "a fraction is rounded up"},
	{"20", NULL, FLOOR, "the floor holds here too"},
	{"-5", NULL, FLOOR, "a negative one"},
	{"18446744073709551616", NULL, CEILING, "2^64"},
	{"soon", NULL, NONE, "a word"},
};

static void test_millis(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(millis); i++) {
		uint64_t ms = NONE;
		bool read = retry_after_read_ms(bytes_str(millis[i].value), &ms);

		if (ms != millis[i].ms || read != (millis[i].ms != NONE)) {
			fail_msg("'%s' (%s): %llu", millis[i].value, millis[i].reason,
				(unsigned long long)ms);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_spans),
		cmocka_unit_test(test_millis),
	};

	return cmocka_run_group_tests_name("retry_after", tests, NULL, NULL);
}
