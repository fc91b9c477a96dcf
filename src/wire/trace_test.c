#include "wire/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

struct row {
	const char *in;
	const char *want; /* what is sent on with the same span; NULL: not believed */
	const char *reason;
};

static const struct row rows[] = {
	{"00-" ID "-" SPAN "-01", "00-" ID "-" SPAN "-01", "the example of the standard"},
	{"00-" ID "-" SPAN "-00", "00-" ID "-" SPAN "-00", "not sampled"},
	{"00-" ID "-" SPAN "-ff", "00-" ID "-" SPAN "-01", "flags nobody knows are not passed on"},
	{"00-" ID "-" SPAN "-02", "00-" ID "-" SPAN "-00", "the random flag is of a later level"},
	{"01-" ID "-" SPAN "-01", "00-" ID "-" SPAN "-01", "a later version, as long as ours"},
	{"fe-" ID "-" SPAN "-01-more", "00-" ID "-" SPAN "-01", "a later version has more"},
	{"fe-" ID "-" SPAN "-01-", "00-" ID "-" SPAN "-01", "a later version, only the dash"},
	{"cc-" ID "-" SPAN "-01.more", NULL, "more must come behind a dash"},
	{"00-" ID "-" SPAN "-01-more", NULL, "ours has no more"},
	{"00-" ID "-" SPAN "-01-", NULL, "ours has no dash at its end"},
	{"ff-" ID "-" SPAN "-01", NULL, "version ff is forbidden"},
	{"0-" ID "-" SPAN "-011", NULL, "a version of one digit"},
	{"0g-" ID "-" SPAN "-01", NULL, "no hexadecimal digit in the version"},
	{"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL, "capitals in the trace"},
	{"00-" ID "-00F067AA0BA902B7-01", NULL, "capitals in the span"},
	{"00-" ID "-" SPAN "-0A", NULL, "capitals in the flags"},
	{"00-00000000000000000000000000000000-" SPAN "-01", NULL, "a trace of zeros"},
	{"00-00000000000000000000000000000001-" SPAN "-01",
		"00-00000000000000000000000000000001-" SPAN "-01",
		"only its second half is not zero"},
	{"00-10000000000000000000000000000000-" SPAN "-01",
		"00-10000000000000000000000000000000-" SPAN "-01",
		"only its first half is not zero"},
	{"00-" ID "-0000000000000000-01", NULL, "a span of zeros"},
	{"00-" ID "-" SPAN "-0", NULL, "flags of one digit"},
	{"00-" ID "-" SPAN, NULL, "no flags"},
	{"00_" ID "-" SPAN "-01", NULL, "another separator behind the version"},
	{"00-" ID "_" SPAN "-01", NULL, "another separator behind the trace"},
	{"00-" ID "-" SPAN "_01", NULL, "another separator behind the span"},
	{"00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-001", NULL, "a trace of 31 digits"},
	{" 00-" ID "-" SPAN "-01", NULL, "a blank before it: fields are trimmed before"},
	{"00-" ID "-" SPAN "-01,00-" ID "-" SPAN "-01", NULL, "two in one field"},
	{"", NULL, "nothing"},
	{"hello", NULL, "something else"},
};

/* In memory that ends where it ends. */
static bool parse(const char *p, size_t n, struct trace *out)
{
	char *copy = malloc(n + 1);
	bool good;

	assert_non_null(copy);
	memmove(copy + 1, p, n);
	good = trace_parse(bytes_of(copy + 1, n), out);
	free(copy);
	return good;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		char out[TRACE_PARENT_N];
		struct trace t;
		bool good = parse(r->in, strlen(r->in), &t);

		if (good != (r->want != NULL)) {
			fail_msg("'%s' (%s): %s", r->in, r->reason, good ? "believed" : "refused");
		}
		if (good) {
			trace_format(&t, out);
			if (memcmp(out, r->want, sizeof(out)) != 0) {
				fail_msg(
					"'%s' (%s): %.*s", r->in, r->reason, (int)sizeof(out), out);
			}
			if (memcmp(out, r->want, sizeof(out)) != 0) {}
		}
	}
}

/* Every beginning of a good one is refused, and so is every other byte at every place. */
static void test_every_byte(void **state)
{
	static const char good[] = "00-" ID "-" SPAN "-01";
	struct trace t;

	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++) {
		assert_false(parse(good, n, &t));
	}
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (unsigned c = 0; c < 256; c++) {
			char bad[sizeof(good)];
			bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

			memcpy(bad, good, sizeof(good));
			bad[i] = (char)c;
			if (good[i] == '-') {
				assert_int_equal(parse(bad, sizeof(good) - 1, &t), c == '-');
			} else {
				assert_int_equal(parse(bad, sizeof(good) - 1, &t), hex);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
