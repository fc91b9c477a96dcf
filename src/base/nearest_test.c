#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/nearest.h"

static const struct {
	const char *a, *b;
	size_t distance;
	const char *reason;
} distances[] = {
	{"", "", 0, "nothing differs from nothing"},
	{"", "abc", 3, "three letters to insert"},
	{"abc", "", 3, "three letters to delete"},
	{"serve", "serve", 0, "equal"},
	{"SERVE", "serve", 0, "case of letters does not count"},
	{"sevre", "serve", 1, "neighbours swapped are one edit"},
	{"srve", "serve", 1, "one letter missing"},
	{"serwe", "serve", 1, "one letter replaced"},
	{"servee", "serve", 1, "one letter too many"},
	{"log-lvl", "log-level", 2, "two letters missing"},
	{"ca", "abc", 3, "a swap is not edited again (optimal string alignment)"},
};

static void test_distance(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(distances); i++) {
		struct bytes a = bytes_str(distances[i].a);
		struct bytes b = bytes_str(distances[i].b);

		if (nearest_distance(a, b) != distances[i].distance ||
			nearest_distance(b, a) != distances[i].distance) {
			fail_msg("%s / %s: %zu, not %zu (%s)", distances[i].a, distances[i].b,
				nearest_distance(a, b), distances[i].distance, distances[i].reason);
		}
	}
}

static void test_offer(void **state)
{
	struct nearest best = {NULL, 0};
	char huge[200];

	(void)state;
	nearest_offer(&best, BYTES("xyz"), "abc");
	assert_null(best.name); /* nothing in common */
	nearest_offer(&best, BYTES("wokers"), "gateway");
	nearest_offer(&best, BYTES("wokers"), "workers");
	nearest_offer(&best, BYTES("wokers"), "markers");
	assert_string_equal(best.name, "workers");
	assert_int_equal(best.distance, 1);
	memset(huge, 'w', sizeof(huge));
	best = (struct nearest){NULL, 0};
	nearest_offer(&best, bytes_of(huge, sizeof(huge)), "workers");
	assert_null(best.name); /* too long to be a slip */
}

static void test_slip(void **state)
{
	static const struct {
		const char *given, *meant, *reason;
	} rows[] = {
		{"opnai", "openai", "a letter missing"},
		{"oepnai", "openai", "neighbours swapped"},
		{"openaiCustomURL", "openaiCustomUrl", "letters of another case"},
		{"healthChekModle", "healthCheckModel", "two slips in a long name"},
		{"ab", NULL, "too little in common"},
		{"providers", "provider", "one too many"},
		{"gibberish", NULL, "like none"},
	};
	static const char *const names[] = {
		"openai", "openaiCustomUrl", "healthCheckModel", "provider", "xyz"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct nearest near = {NULL, 0};
		const char *got;

		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			nearest_offer(&near, bytes_str(rows[i].given), names[k]);
		}
		got = nearest_slip(&near, bytes_str(rows[i].given));
		if (rows[i].meant == NULL ? got != NULL
					  : got == NULL || strcmp(got, rows[i].meant) != 0) {
			fail_msg("%s: %s (%s)", rows[i].given, got != NULL ? got : "none",
				rows[i].reason);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_slip),
		cmocka_unit_test(test_offer),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
