#include "meter/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct row {
	const char *in;
	size_t n;
	const char *want, *reason;
};

#define LIT(text) text, sizeof(text) - 1

static const struct row rows[] = {
	{LIT("plain"), "l=\"plain\"", "nothing to escape"},
	{LIT(""), "l=\"\"", "an empty label"},
	{LIT("a\"b"), "l=\"a\\\"b\"", "a quote would end the value"},
	{LIT("a\\b"), "l=\"a\\\\b\"", "a backslash begins an escape"},
	{LIT("a\nb"), "l=\"a\\nb\"", "a line break would begin a sample"},
	{LIT("a\rb\x7f"),
		"l=\"a\xef\xbf\xbd"
		"b\xef\xbf\xbd\"",
		"other control characters are line breaks to some"},
	{LIT("a\0b"),
		"l=\"a\xef\xbf\xbd"
		"b\"",
		"NUL"},
	{LIT("\xe4\xb8\xad"), "l=\"\xe4\xb8\xad\"", "UTF-8 stays"},
	{LIT("\xe4\xb8"), "l=\"\xef\xbf\xbd\xef\xbf\xbd\"", "a character that was cut"},
	{LIT("\xff"), "l=\"\xef\xbf\xbd\"", "no UTF-8"},
	{LIT("} 1\nforged 2"), "l=\"} 1\\nforged 2\"", "a name that wants to be a sample"},
};

static void test_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *copy = malloc(rows[i].n + 1);
		struct text t;

		assert_non_null(copy);
		memcpy(copy + 1, rows[i].in, rows[i].n);
		text_init(&t, 1000);
		exposition_label(&t, "l", bytes_of(copy + 1, rows[i].n));
		if (strcmp(text_cstr(&t), rows[i].want) != 0) {
			fail_msg("%s: %s", rows[i].reason, text_cstr(&t));
		}
		text_done(&t);
		free(copy);
	}
}

static void test_histogram(void **state)
{
	static const double bounds[] = {0.01, 2.5, 67108864};
	static const uint64_t buckets[] = {1, 0, 2, 4};
	const struct histogram h = {bounds, ARRAY_LEN(bounds), buckets, 1234567, true};
	struct text t;

	(void)state;
	text_init(&t, 10000);
	exposition_family(&t, "f", "histogram", "What it is.");
	exposition_histogram(&t, "f", BYTES("a=\"b\""), &h);
	exposition_histogram(&t, "g", BYTES(""), &h);
	assert_string_equal(text_cstr(&t),
		"# HELP f What it is.\n# TYPE f histogram\n"
		"f_bucket{a=\"b\",le=\"0.01\"} 1\n"
		"f_bucket{a=\"b\",le=\"2.5\"} 1\n"
		"f_bucket{a=\"b\",le=\"67108864\"} 3\n"
		"f_bucket{a=\"b\",le=\"+Inf\"} 7\n"
		"f_sum{a=\"b\"} 1.234567\nf_count{a=\"b\"} 7\n"
		"g_bucket{le=\"0.01\"} 1\n"
		"g_bucket{le=\"2.5\"} 1\n"
		"g_bucket{le=\"67108864\"} 3\n"
		"g_bucket{le=\"+Inf\"} 7\n"
		"g_sum 1.234567\ng_count 7\n");
	text_done(&t);
}

static void test_numbers(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 10000);
	exposition_u64(&t, "n", BYTES(""), UINT64_MAX);
	exposition_u64(&t, "n", BYTES("a=\"\",b=\"\""), 0);
	exposition_micro(&t, "s", BYTES(""), 1000001);
	exposition_micro(&t, "s", BYTES(""), 1);
	assert_string_equal(text_cstr(&t),
		"n 18446744073709551615\nn{a=\"\",b=\"\"} 0\ns 1.000001\ns 0.000001\n");
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
