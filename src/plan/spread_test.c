/*
 * Shares: exact over a period, near to it before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/spread.h"

#define DESTINATIONS 4u

static const struct {
	unsigned weights[DESTINATIONS];
	unsigned period;
	unsigned most_off; /* requests from the exact share, at any moment */
	const char *reason;
} rows[] = {
	{{1, 1}, 2, 1, "in turn"},
	{{50, 50}, 2, 1, "a common divisor does not make the period longer"},
	{{1, 1, 1}, 3, 1, "G119: thirds, and not 34/33/33"},
	{{47, 53}, 100, 2, "G120: 47/53, and not 48/52"},
	{{41, 59}, 100, 2, "nor 42/58"},
	{{70, 30}, 10, 1, "seven of ten"},
	{{99, 1}, 100, 1, "one of a hundred"},
	{{1, 99}, 100, 1, "the other way round"},
	{{3000, 1}, 3001, 2, "any sum"},
	{{0, 5}, 1, 0, "0 is no traffic"},
	{{7}, 1, 0, "all of it"},
	{{10, 20, 30, 40}, 10, 2, "four of them"},
	{{59, 139}, 198, 3, "a period whose golden section is a bad one"},
	{{1000000, 999999, 1, 3}, 2000003, 5, "large weights"},
};

static unsigned who(const unsigned *weights, unsigned pick)
{
	unsigned i = 0;

	while (pick >= weights[i]) {
		pick -= weights[i];
		i++;
		assert_true(i < DESTINATIONS);
	}
	return i;
}

static struct spread spread_of(const unsigned *weights)
{
	struct spread s = {0};

	for (unsigned i = 0; i < DESTINATIONS; i++) {
		spread_add(&s, weights[i]);
	}
	spread_finish(&s);
	return s;
}

/* From any turn on: the counts after each of the next turns, and at the end of the period. */
static void play(size_t row, unsigned from)
{
	const unsigned *weights = rows[row].weights;
	struct spread s = spread_of(weights);
	unsigned got[DESTINATIONS] = {0};

	for (unsigned turn = 0; turn < s.period; turn++) {
		got[who(weights, spread_pick(&s, (from + turn) % s.period))]++;
		for (unsigned i = 0; i < DESTINATIONS; i++) {
			uint64_t due = (uint64_t)weights[i] * (turn + 1) / (s.period * s.unit);
			uint64_t off = got[i] > due ? got[i] - due : due - got[i];

			if (off > rows[row].most_off) {
				fail_msg("%s: after %u turns from %u: %u instead of %llu",
					rows[row].reason, turn + 1, from, got[i],
					(unsigned long long)due);
			}
		}
	}
	for (unsigned i = 0; i < DESTINATIONS; i++) {
		if ((uint64_t)got[i] * s.unit != weights[i]) {
			fail_msg(
				"%s: %u turns for weight %u", rows[row].reason, got[i], weights[i]);
		}
	}
}

static void everybody_gets_the_exact_share(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spread s = spread_of(rows[i].weights);

		if (s.period != rows[i].period) {
			fail_msg("%s: period %u", rows[i].reason, s.period);
		}
		play(i, 0);
		play(i, s.period / 2);
		play(i, s.period - 1);
	}
}

static void nothing_to_share_has_no_turns(void **state)
{
	const unsigned none[DESTINATIONS] = {0};

	(void)state;
	assert_int_equal(spread_of(none).period, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_gets_the_exact_share),
		cmocka_unit_test(nothing_to_share_has_no_turns),
	};

	return cmocka_run_group_tests_name("plan/spread", tests, NULL, NULL);
}
