#include "hiclaw/usage_days.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOON ((uint64_t)1800000000 / 86400 * 86400 + 43200)

#define ALICE BYTES("worker-alice")

struct fixture {
	struct usage_days *days;
	struct tally_counts counts; /* of worker-alice */
	struct text out;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){.days = usage_days_new()};
	text_init(&f->out, (size_t)64 << 20);
}

static void done(struct fixture *f)
{
	usage_days_free(f->days);
	text_done(&f->out);
}

/* n more requests of 100 tokens and about a second each. */
static void more(struct fixture *f, unsigned n, uint64_t at_s)
{
	f->counts.requests += n;
	f->counts.errors += n / 10;
	f->counts.input += 90u * n;
	f->counts.output += 10u * n;
	f->counts.duration[5] += n;
	usage_days_add(f->days, TALLY_CONSUMER, ALICE, &f->counts, at_s);
}

static const char *series(struct fixture *f, struct usage_query q, uint64_t now_s)
{
	text_clear(&f->out);
	usage_days_series(f->days, &q, now_s, &f->out);
	return text_cstr(&f->out);
}

static void test_differences_are_kept(void **state)
{
	struct usage_sum sum;
	struct fixture f;

	(void)state;
	setup(&f);
	more(&f, 10, NOON);
	more(&f, 20, NOON + 30);
	more(&f, 0, NOON + 60);
	more(&f, 5, NOON + 125);
	assert_true(
		usage_days_hour(f.days, TALLY_CONSUMER, BYTES("worker-alice"), NOON + 125, &sum));
	assert_int_equal(sum.requests, 35);
	assert_int_equal(sum.errors, 3);
	assert_int_equal(sum.tokens, 3500);
	assert_string_equal(
		series(&f,
			(struct usage_query){
				.from_s = NOON, .to_s = NOON + 130, .by = TALLY_CONSUMER},
			NOON + 130),
		"{\"step\":60,\"series\":[{\"key\":\"worker-alice\",\"points\":["
		"[1800014400,30,3,2700,300,1006],[1800014460,0,0,0,0,0],"
		"[1800014520,5,0,450,50,1024]]}]}");
	assert_string_equal(series(&f, (struct usage_query){.by = TALLY_ROUTE}, NOON + 130),
		"{\"step\":120,\"series\":[]}");
	assert_false(usage_days_hour(f.days, TALLY_ROUTE, BYTES("worker-alice"), NOON, &sum));
	done(&f);
}

static void test_an_hour_goes_by(void **state)
{
	struct usage_sum sum;
	struct fixture f;

	(void)state;
	setup(&f);
	more(&f, 7, NOON);
	IGNORE(usage_days_hour(f.days, TALLY_CONSUMER, ALICE, NOON + 59 * 60, &sum));
	assert_int_equal(sum.requests, 7);
	IGNORE(usage_days_hour(f.days, TALLY_CONSUMER, ALICE, NOON + 60 * 60, &sum));
	assert_int_equal(sum.requests, 0);
	usage_days_sparkline(f.days, TALLY_CONSUMER, ALICE, NOON + 59 * 60, &f.out);
	assert_int_equal(strncmp(text_cstr(&f.out), "[7,0,", 5), 0);
	text_clear(&f.out);
	usage_days_sparkline(f.days, TALLY_CONSUMER, ALICE, NOON, &f.out);
	assert_non_null(strstr(text_cstr(&f.out), ",0,7]"));
	text_clear(&f.out);
	usage_days_sparkline(f.days, TALLY_CONSUMER, BYTES("nobody"), NOON, &f.out);
	assert_int_equal(f.out.n, 121);
	done(&f);
}

/* A place of the ring is used again: what stood there is of another day. */
static void test_rings_forget(void **state)
{
	struct usage_sum sum;
	struct fixture f;

	(void)state;
	setup(&f);
	more(&f, 7, NOON);
	more(&f, 1, NOON + 25 * 3600);
	IGNORE(usage_days_hour(f.days, TALLY_CONSUMER, ALICE, NOON + 25 * 3600, &sum));
	assert_int_equal(sum.requests, 1);
	assert_null(strstr(
		series(&f, (struct usage_query){.from_s = NOON + 2 * 3600, .by = TALLY_CONSUMER},
			NOON + 25 * 3600),
		",7,"));
	/* by the hour it is still there */
	assert_non_null(
		strstr(series(&f, (struct usage_query){.from_s = NOON - 3600, .by = TALLY_CONSUMER},
			       NOON + 25 * 3600),
			"[1800014400,7,0,630,70,"));
	more(&f, 2, NOON + 31 * USAGE_DAY_S);
	assert_null(strstr(series(&f, (struct usage_query){.from_s = 1, .by = TALLY_CONSUMER},
				   NOON + 31 * USAGE_DAY_S),
		",7,"));
	done(&f);
}

static void test_steps(void **state)
{
	static const struct {
		const char *reason;
		uint64_t ago_s, step_s;
		const char *expect;
	} rows[] = {
		{"an hour", 3600, 0, "{\"step\":60,"},
		{"a day by minute would be 1440 points", 86400, 0, "{\"step\":120,"},
		{"asked for is the least", 3600, 250, "{\"step\":300,"},
		{"as few points as there may be win", 86400, 60, "{\"step\":120,"},
		{"before the day there are hours", 2 * 86400, 60, "{\"step\":3600,"},
		{"a month", 30 * 86400, 0, "{\"step\":3600,"},
		{"more than a year is a month", 400 * 86400ull, 0, "{\"step\":3600,"},
		{"longer than any", 3600, 1000000, "{\"step\":86400,"},
	};
	struct fixture f;

	(void)state;
	setup(&f);
	more(&f, 1, NOON);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = series(&f,
			(struct usage_query){.from_s = NOON - rows[i].ago_s,
				.step_s = rows[i].step_s,
				.by = TALLY_CONSUMER},
			NOON);
		unsigned points = 0;

		for (const char *p = got; *p != '\0'; p++) {
			points += *p == '[';
		}
		if (strncmp(got, rows[i].expect, strlen(rows[i].expect)) != 0 ||
			points > USAGE_POINTS_MAX + 3) {
			fail_msg("%s: %.40s, %u points", rows[i].reason, got, points);
		}
	}
	/* nonsense is answered, not refused */
	assert_non_null(
		strstr(series(&f, (struct usage_query){.from_s = NOON + 9, .to_s = 5}, NOON),
			"\"series\":[]"));
	done(&f);
}

static void test_too_many_keys_are_others(void **state)
{
	struct usage_sum sum;
	struct fixture f;
	char name[32];

	(void)state;
	setup(&f);
	for (unsigned round = 1; round <= 2; round++) {
		for (unsigned i = 0; i < USAGE_KEYS_MAX + 10; i++) {
			snprintf(name, sizeof(name), "c%u", i);
			usage_days_add(f.days, TALLY_CONSUMER, bytes_str(name),
				&(struct tally_counts){.requests = round}, NOON);
		}
	}
	assert_true(usage_days_hour(f.days, TALLY_CONSUMER, BYTES("c0"), NOON, &sum));
	assert_int_equal(sum.requests, 2);
	assert_true(usage_days_hour(f.days, TALLY_CONSUMER, BYTES("other"), NOON, &sum));
	assert_int_equal(sum.requests, 20);
	assert_false(usage_days_hour(f.days, TALLY_CONSUMER, BYTES("c515"), NOON, &sum));
	done(&f);
}

static void test_percentiles(void **state)
{
	static const struct {
		const char *reason;
		uint64_t duration[TALLY_DURATIONS];
		uint32_t p50, p95;
	} rows[] = {
		{"nothing", {0}, 0, 0},
		{"one", {[1] = 1}, 64, 64},
		{"evenly in one bucket", {[1] = 100}, 48, 62},
		{"in two", {[0] = 50, [2] = 50}, 32, 121},
		{"beyond all", {[11] = 10}, 49152, 65536},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t p50 = usage_percentile(rows[i].duration, 500);
		uint32_t p95 = usage_percentile(rows[i].duration, 950);

		if (p50 != rows[i].p50 || p95 != rows[i].p95) {
			fail_msg("%s: got %u and %u", rows[i].reason, p50, p95);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences_are_kept),
		cmocka_unit_test(test_an_hour_goes_by),
		cmocka_unit_test(test_rings_forget),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_too_many_keys_are_others),
		cmocka_unit_test(test_percentiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
