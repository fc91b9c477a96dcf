#include "hiclaw/s3_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct row {
	const char *in;
	uint64_t want; /* 0: refused */
	const char *reason;
};

static void run(const struct row *rows, size_t n, bool (*read)(struct bytes, uint64_t *))
{
	for (size_t i = 0; i < n; i++) {
		uint64_t got = 0;

		if (read(bytes_str(rows[i].in), &got) != (rows[i].want != 0) ||
			got != rows[i].want) {
			fail_msg("%s: %llu", rows[i].reason, (unsigned long long)got);
		}
	}
}

static void test_http(void **state)
{
	static const struct row rows[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000u, "the example of the standard"},
		{"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199000u, "a leap day"},
		{"Sun, 06 Nov 1994 08:49:37 UTC", 0, "another zone"},
		{"Sun, 06 Nox 1994 08:49:37 GMT", 0, "no month"},
		{"Sun, 06 Nov 1994 24:49:37 GMT", 0, "hour 24"},
		{"Sun, 00 Nov 1994 08:49:37 GMT", 0, "day 0"},
		{"Sun, 06 Nov 1969 08:49:37 GMT", 0, "before 1970"},
		{"Sunday, 06-Nov-94 08:49:37 GMT", 0, "the old form"},
		{"", 0, "nothing"},
	};

	(void)state;
	run(rows, ARRAY_LEN(rows), s3_time_http);
}

static void test_iso(void **state)
{
	static const struct row rows[] = {
		{"1994-11-06T08:49:37Z", 784111777000u, "seconds"},
		{"1994-11-06T08:49:37.123456789Z", 784111777000u, "a fraction"},
		{"2000-03-01T00:00:00Z", 951868800000u, "behind a leap day"},
		{"1994-11-06T08:49:37+00:00", 0, "an offset"},
		{"1994-11-06T08:49:37.12x4Z", 0, "no fraction"},
		{"1994-13-06T08:49:37Z", 0, "month 13"},
		{"1994-11-06 08:49:37Z", 0, "a blank for the T"},
		{"", 0, "nothing"},
	};

	(void)state;
	run(rows, ARRAY_LEN(rows), s3_time_iso);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_iso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
