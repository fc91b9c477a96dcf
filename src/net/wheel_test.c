/* The timing wheel against a model that looks at every deadline. */
#include "net/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIMERS 300
#define STEPS 60000

static uint64_t pick(uint64_t *state, uint64_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % below;
}

static struct timer *pop_due(struct wheel *w)
{
	struct timer *t;

	if (list_empty(&w->due)) {
		return NULL;
	}
	t = CONTAINER_OF(w->due.next, struct timer, link);
	wheel_clear(w, t);
	return t;
}

/* Advances as a loop does, from one wake-up to the next, and says at which time t came up. */
static uint64_t fires_at(struct wheel *w, struct timer *t, unsigned *wakes)
{
	*wakes = 0;
	while (timer_is_set(t)) {
		uint64_t next = wheel_next_ms(w);

		assert_true(next == 0 || next > w->now_ms);
		assert_true(next != UINT64_MAX);
		wheel_advance(w, next);
		(*wakes)++;
		while (pop_due(w) != NULL) {}
	}
	return w->now_ms;
}

static void a_timer_comes_up_exactly_when_it_is_due(void **state)
{
	static const struct {
		uint64_t start, after;
		const char *reason;
	} rows[] = {
		{1000, 1, "the next slot"},
		{63, 1, "over the edge of the first level"},
		{64, 63, "the last slot before an edge"},
		{64, 64, "a whole round of the first level"},
		{4095, 1, "over the edge of two levels at once"},
		{4095, 4097, "a slot of the third level"},
		{262143, 1, "over the edge of three levels"},
		{1, 30000, "an ordinary deadline"},
		{123456789, 3600000, "an hour"},
		{(UINT64_C(1) << 40) - 1, 2, "a clock as of a real year, over many edges"},
		{1767225600000, 86400000, "a wall clock in place of a monotonic one"},
		{0, 5, "a clock that starts at zero"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct timer t = {.due_ms = 0};
		struct wheel w;
		unsigned wakes;

		wheel_init(&w, rows[i].start);
		wheel_set(&w, &t, rows[i].start + rows[i].after);
		if (fires_at(&w, &t, &wakes) != rows[i].start + rows[i].after) {
			fail_msg("late or early: %s", rows[i].reason);
		}
		if (wakes > WHEEL_LEVELS) {
			fail_msg("%u wake-ups for one timer: %s", wakes, rows[i].reason);
		}
		assert_true(wheel_next_ms(&w) == UINT64_MAX);
	}
}

static void a_timer_that_is_always_moved_later_wakes_once_a_slot(void **state)
{
	struct timer t = {.due_ms = 0};
	struct wheel w;
	unsigned wakes = 0;

	(void)state;
	wheel_init(&w, 5000);
	/* A connection that is busy every millisecond of ten minutes, idle limit one minute. */
	for (uint64_t now = 5000; now < 605000; now++) {
		wakes += wheel_next_ms(&w) <= now;
		wheel_advance(&w, now);
		assert_true(list_empty(&w.due));
		wheel_set(&w, &t, now + 60000);
	}
	assert_true(wakes < 60);
	assert_true(t.due_ms == 604999 + 60000);
}

static void time_far_away_is_never(void **state)
{
	struct timer t = {.due_ms = 0};
	struct wheel w;

	(void)state;
	wheel_init(&w, 77);
	wheel_set(&w, &t, UINT64_MAX);
	wheel_advance(&w, UINT64_C(1) << 41);
	assert_true(list_empty(&w.due));
	assert_true(timer_is_set(&t));
	wheel_clear(&w, &t);
	assert_true(wheel_next_ms(&w) == UINT64_MAX);
}

static void what_is_due_can_still_be_moved_and_cleared(void **state)
{
	struct timer t[3] = {{.due_ms = 0}};
	struct wheel w;

	(void)state;
	wheel_init(&w, 100);
	for (int i = 0; i < 3; i++) {
		wheel_set(&w, &t[i], 110);
	}
	wheel_advance(&w, 120);
	wheel_set(&w, &t[0], 200);
	wheel_clear(&w, &t[1]);
	assert_ptr_equal(pop_due(&w), &t[2]);
	assert_null(pop_due(&w));
	assert_true(timer_is_set(&t[0]));
	assert_false(timer_is_set(&t[1]));
	wheel_advance(&w, 199);
	assert_null(pop_due(&w));
	wheel_advance(&w, 200);
	assert_ptr_equal(pop_due(&w), &t[0]);
}

static void a_timer_that_rests_is_neither_due_nor_moved(void **state)
{
	struct timer t[2] = {{.due_ms = 0}};
	struct wheel w;

	(void)state;
	wheel_init(&w, 100);
	wheel_set(&w, &t[0], 200);
	wheel_set(&w, &t[1], 100); /* due at once */
	wheel_rest(&w, &t[1]);
	assert_null(pop_due(&w));
	wheel_rest(&w, &t[0]);
	assert_false(timer_is_set(&t[0]));
	assert_true(list_linked(&t[0].link));
	wheel_set(&w, &t[0], 300); /* stays where it is */
	assert_int_equal(t[0].slot_ms, 200);
	wheel_advance(&w, 299);
	assert_null(pop_due(&w));
	wheel_rest(&w, &t[0]);
	wheel_advance(&w, 300);
	assert_null(pop_due(&w));
	assert_false(list_linked(&t[0].link)); /* its slot came up: the wheel forgot it */
	assert_int_equal(t[0].slot_ms, 0);
	assert_true(wheel_next_ms(&w) == UINT64_MAX);
	wheel_set(&w, &t[0], 400);
	wheel_rest(&w, &t[0]);
	wheel_clear(&w, &t[0]);
	assert_false(list_linked(&t[0].link));
	assert_true(wheel_next_ms(&w) == UINT64_MAX);
}

/* --- against the model -------------------------------------------------------------------------- */

struct model {
	struct wheel w;
	struct timer timers[TIMERS];
	uint64_t due[TIMERS]; /* 0: not set */
	uint64_t now;
	uint64_t seed;
};

static uint64_t model_next(const struct model *m)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < TIMERS; i++) {
		if (m->due[i] != 0) {
			next = MIN(next, m->due[i]);
		}
	}
	return next;
}

static void model_set(struct model *m)
{
	static const uint64_t spans[] = {3, 70, 5000, 300000, 20000000, UINT64_C(1) << 36};
	uint64_t i = pick(&m->seed, TIMERS);
	uint64_t due = m->now + pick(&m->seed, spans[pick(&m->seed, ARRAY_LEN(spans))]);

	wheel_set(&m->w, &m->timers[i], due);
	m->due[i] = due;
}

static void model_clear(struct model *m)
{
	uint64_t i = pick(&m->seed, TIMERS);

	if (pick(&m->seed, 2) == 0) {
		wheel_clear(&m->w, &m->timers[i]);
	} else {
		wheel_rest(&m->w, &m->timers[i]);
	}
	assert_false(timer_is_set(&m->timers[i]));
	m->due[i] = 0;
}

/* All that fires was due, nothing that was due is left, and it fires in order of time. */
static void model_advance(struct model *m, uint64_t now)
{
	uint64_t last = 0;

	wheel_advance(&m->w, now);
	while (!list_empty(&m->w.due)) {
		struct timer *t = CONTAINER_OF(m->w.due.next, struct timer, link);
		size_t i = (size_t)(t - m->timers);

		assert_true(m->due[i] != 0 && m->due[i] <= now);
		assert_true(t->due_ms == m->due[i]);
		if (m->due[i] > m->now) {
			assert_true(m->due[i] >= last);
			last = m->due[i];
		}
		m->due[i] = 0;
		wheel_clear(&m->w, t);
	}
	m->now = now;
	assert_true(model_next(m) > now);
	assert_true(wheel_next_ms(&m->w) <= model_next(m));
	assert_true(wheel_next_ms(&m->w) > now);
}

static void model_step(struct model *m)
{
	uint64_t what = pick(&m->seed, 100);

	if (what < 60) {
		model_set(m);
	} else if (what < 70) {
		model_clear(m);
	} else if (what < 85) {
		model_advance(m, m->now + pick(&m->seed, 200));
	} else if (what < 95) {
		uint64_t next = wheel_next_ms(&m->w);

		model_advance(m, next == UINT64_MAX ? m->now : MAX(next, m->now));
	} else {
		model_advance(m, m->now + pick(&m->seed, UINT64_C(1) << pick(&m->seed, 34)));
	}
}

static void a_random_life_equals_the_model(void **state)
{
	struct model *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	m->seed = 42;
	m->now = 1234567;
	wheel_init(&m->w, m->now);
	for (int i = 0; i < STEPS; i++) {
		model_step(m);
	}
	for (int i = 0; i < TIMERS; i++) {
		wheel_clear(&m->w, &m->timers[i]);
	}
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		assert_true(m->w.used[level] == 0);
	}
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_comes_up_exactly_when_it_is_due),
		cmocka_unit_test(a_timer_that_is_always_moved_later_wakes_once_a_slot),
		cmocka_unit_test(time_far_away_is_never),
		cmocka_unit_test(what_is_due_can_still_be_moved_and_cleared),
		cmocka_unit_test(a_timer_that_rests_is_neither_due_nor_moved),
		cmocka_unit_test(a_random_life_equals_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
