#include "meter/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct hash_seed seed = {1, 2};

static bool find_row(const struct tally *t, enum tally_kind kind, const char *name,
	struct tally_row *out, struct text *copy)
{
	struct tally_copy c;
	size_t at = 0;

	text_clear(copy);
	while (tally_put(t, &at, copy)) {}
	tally_read(&c, text_bytes(copy));
	while (tally_next(&c, out)) {
		if (out->kind == kind && bytes_eq(out->name, bytes_str(name))) {
			return true;
		}
	}
	return false;
}

static void test_counts(void **state)
{
	struct tally *t = tally_new(&seed);
	uint64_t now_us = clock_mono_ns() / 1000;
	struct tally_of of = {tally_find(t, TALLY_CONSUMER, BYTES("c")),
		tally_find(t, TALLY_PROVIDER, BYTES("p")), tally_find(t, TALLY_ROUTE, BYTES("r")),
		tally_find(t, TALLY_MODEL, BYTES("m"))};
	struct tally_request rq = {.ended_us = now_us,
		.us = 100000,
		.input = 5,
		.output = 7,
		.model = BYTES("asked"),
		.status = 200,
		.timed = true};
	struct tally_row r;
	struct text copy;

	(void)state;
	text_init(&copy, SIZE_MAX);
	assert_int_equal(tally_find(t, TALLY_CONSUMER, BYTES("c")), of.consumer);
	assert_int_not_equal(tally_find(t, TALLY_ROUTE, BYTES("c")), of.consumer);
	tally_begin(t, of.consumer, now_us - 3000000);
	tally_begin(t, of.consumer, now_us);
	assert_true(find_row(t, TALLY_CONSUMER, "c", &r, &copy));
	assert_int_equal(r.in_flight, 2);
	assert_int_equal(r.counts.requests, 0);
	assert_int_equal(r.last_ms, 0);
	assert_in_range(clock_wall_ms() - r.in_flight_since_ms, 2999, 4000);
	tally_end(t, &of, &rq, true);
	rq.error = true;
	rq.status = 500;
	rq.timed = false;
	tally_end(t, &of, &rq, true);
	/* one that had no route counts in the total alone */
	tally_end(t, &(struct tally_of){0}, &rq, false);
	for (unsigned k = TALLY_CONSUMER; k < TALLY_KINDS; k++) {
		static const char *const names[] = {"", "c", "p", "r", "m"};

		assert_true(find_row(t, (enum tally_kind)k, names[k], &r, &copy));
		assert_int_equal(r.counts.requests, 2);
		assert_int_equal(r.counts.errors, 1);
		assert_int_equal(r.counts.input, 10);
		assert_int_equal(r.counts.output, 14);
		assert_int_equal(r.counts.duration[2], 1);
	}
	assert_true(find_row(t, TALLY_CONSUMER, "c", &r, &copy));
	assert_int_equal(r.in_flight, 0);
	assert_int_equal(r.in_flight_since_ms, 0);
	assert_int_equal(r.last_status, 500);
	assert_true(bytes_eq(r.last_model, BYTES("asked")));
	assert_in_range(clock_wall_ms() - r.last_ms, 0, 1000);
	assert_true(find_row(t, TALLY_TOTAL, "", &r, &copy));
	assert_int_equal(r.counts.requests, 3);
	assert_int_equal(r.counts.errors, 2);
	text_done(&copy);
	tally_free(t);
}

static void test_durations_fall_into_their_buckets(void **state)
{
	static const struct {
		uint64_t us;
		unsigned bucket;
	} rows[] = {{0, 0}, {31999, 0}, {32000, 1}, {63999, 1}, {64000, 2}, {1000000, 5},
		{32767999, 10}, {32768000, 11}, {UINT64_MAX, 11}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tally *t = tally_new(&seed);
		struct tally_row r;
		struct text copy;

		text_init(&copy, SIZE_MAX);
		tally_end(t, &(struct tally_of){0},
			&(struct tally_request){.us = rows[i].us, .timed = true}, false);
		assert_true(find_row(t, TALLY_TOTAL, "", &r, &copy));
		assert_int_equal(r.counts.duration[rows[i].bucket], 1);
		text_done(&copy);
		tally_free(t);
	}
}

static void test_names_are_bounded(void **state)
{
	struct tally *t = tally_new(&seed);
	char name[TALLY_NAME_MAX + 10];
	uint16_t other = tally_find(t, TALLY_CONSUMER, BYTES("other"));
	uint16_t last = 0;

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_int_equal(tally_find(t, TALLY_ROUTE, bytes_of(name, sizeof(name))),
		tally_find(t, TALLY_ROUTE, bytes_of(name, TALLY_NAME_MAX)));
	for (unsigned i = 0; i < TALLY_KEYS_MAX + 10; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		last = tally_find(t, TALLY_CONSUMER, bytes_str(name));
		assert_in_range(last, 1, TALLY_KEYS_MAX);
	}
	assert_int_equal(last, other);
	assert_int_not_equal(tally_find(t, TALLY_CONSUMER, BYTES("c0")), other);
	tally_free(t);
}

/* A name counts by itself from the first answer on; what comes above the bound does not. */
static void test_models_are_learned(void **state)
{
	struct tally *t = tally_new(&seed);
	uint16_t other = tally_find(t, TALLY_MODEL, BYTES("other")), qwen;
	char name[32];

	(void)state;
	assert_true(tally_is_other_model(t, other));
	assert_int_equal(tally_model(t, BYTES(""), true), other);
	assert_int_equal(tally_model(t, BYTES("qwen"), false), other);
	qwen = tally_model(t, BYTES("qwen"), true);
	assert_int_not_equal(qwen, other);
	assert_int_equal(tally_model(t, BYTES("qwen"), false), qwen);
	assert_int_equal(tally_model(t, BYTES("qwe"), false), other);
	for (unsigned i = 1; i < TALLY_LEARNED_MAX; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		assert_int_not_equal(tally_model(t, bytes_str(name), true), other);
	}
	assert_int_equal(tally_model(t, BYTES("one more"), true), other);
	assert_int_equal(tally_model(t, BYTES("qwen"), true), qwen);
	assert_int_not_equal(tally_find(t, TALLY_MODEL, BYTES("of the configuration")), other);
	tally_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_durations_fall_into_their_buckets),
		cmocka_unit_test(test_names_are_bounded),
		cmocka_unit_test(test_models_are_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
