/*
 * What is in service, and for how long not: each transition as a row of steps, and exactly one probe among threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <pthread.h>

#include "plan/health.h"

/*
 * A step is a letter: e enters (must be let in), p enters as the probe, x must not be let in, f is forced in;
 * g and b end the last pass well or badly, l leaves, r is told to wait 1000 ms; t lets 1000 ms pass; a, c use a second
 * pass: a enters, c ends it well, d badly. What is expected at last: the state.
 */
static const struct row {
	const char *steps;
	enum health_state state;
	unsigned failures;
	const char *reason;
} rows[] = {
	{"eg", HEALTH_CLOSED, 0, "nothing is wrong"},
	{"ebeb", HEALTH_CLOSED, 2, "below the threshold of 3 nothing is benched"},
	{"ebebeg", HEALTH_CLOSED, 0, "a success forgives"},
	{"ebebeb", HEALTH_OPEN, 0, "the third in a row"},
	{"ebebegebeb", HEALTH_CLOSED, 2, "in a row, not in all"},
	{"ebebebx", HEALTH_OPEN, 0, "nobody is let in before its time"},
	{"ebebebtp", HEALTH_HALF, 0, "then one"},
	{"ebebebtpx", HEALTH_HALF, 0, "and only one"},
	{"ebebebtpg", HEALTH_CLOSED, 0, "which closes it"},
	{"ebebebtpbx", HEALTH_OPEN, 0, "or opens it again"},
	{"ebebebtplp", HEALTH_HALF, 0, "a probe that left gives its place to the next"},
	{"erx", HEALTH_BENCHED, 0, "told to wait: out at once"},
	{"ertegg", HEALTH_CLOSED, 0, "and in again without a probe, when it is over"},
	{"aercx", HEALTH_BENCHED, 0, "a success that was under way does not end the wait"},
	{"aebebebcx", HEALTH_OPEN, 0, "an old success does not close what opened after it began"},
	{"aebebebd", HEALTH_OPEN, 0, "a failure of before changes nothing"},
	{"ebebebfg", HEALTH_CLOSED, 0, "who went in although it was out, and succeeded, ends it"},
	{"ebebebfb", HEALTH_OPEN, 0, "and who failed does not prolong it"},
};

struct playing {
	struct health h;
	struct health_pass pass, second;
	uint64_t now;
};

static bool play(struct playing *p, char step)
{
	switch (step) {
	case 'e':
		return health_enter(&p->h, p->now, &p->pass) && !p->pass.probe;
	case 'p':
		return health_enter(&p->h, p->now, &p->pass) && p->pass.probe;
	case 'x':
		return !health_is_up(&p->h, p->now) &&
			!health_enter(&p->h, p->now, &(struct health_pass){.taken = false});
	case 'a':
		return health_enter(&p->h, p->now, &p->second);
	case 'f':
		health_force(&p->h, &p->pass);
		return true;
	case 'g':
		health_good(&p->h, &p->pass, 1, p->now);
		return true;
	case 'c':
		health_good(&p->h, &p->second, 1, p->now);
		return true;
	case 'b':
		IGNORE(health_bad(
			&p->h, &p->pass, 3, p->now + 1000, 1)); /* the row says what came of it */
		return true;
	case 'd':
		return !health_bad(&p->h, &p->second, 3, p->now + 1000, 1);
	case 'l':
		health_leave(&p->h, &p->pass, p->now);
		return true;
	case 'r':
		return health_bench(&p->h, &p->pass, p->now + 1000, 1);
	default:
		p->now += 1000;
		return true;
	}
}

static void steps_lead_to_states(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct playing p = {.now = 5000};
		struct health_view v;

		for (const char *at = rows[i].steps; *at != '\0'; at++) {
			if (!play(&p, *at)) {
				fail_msg("row %zu, step %zu: %s", i, (size_t)(at - rows[i].steps),
					rows[i].reason);
			}
		}
		v = health_look(&p.h);
		if (v.state != rows[i].state || v.failures != rows[i].failures) {
			fail_msg("row %zu: state %d, %u failures: %s", i, v.state, v.failures,
				rows[i].reason);
		}
	}
}

/* An answer that was on its way when the circuit opened comes after it: it is of another period. */
/* The configuration says no more how it is to be asked. */
static void no_probe_is_coming(void **state)
{
	struct health h = {.word = 0};
	struct health_pass p;

	(void)state;
	assert_true(health_enter(&h, 1, &p));
	assert_true(health_bad(&h, &p, 1, 1000, 1));
	health_unprobed(&h, 5000); /* a request was to try it anyway */
	assert_int_equal(health_look(&h).until_ms, 1000);
	assert_true(health_enter(&h, 1000, &p));
	assert_false(health_bad(&h, &p, 1, HEALTH_UNTIL_PROBED, 1));
	assert_false(health_enter(&h, UINT64_C(1) << 40, &p));
	health_unprobed(&h, 5000);
	assert_false(health_enter(&h, 4999, &p));
	assert_true(health_enter(&h, 5000, &p));
	health_unprobed(&h, 9000); /* it is being tried */
	health_good(&h, &p, 1, 5001);
	assert_int_equal(health_look(&h).state, HEALTH_CLOSED);
}

static void an_old_success_closes_nothing(void **state)
{
	struct health h = {.word = 0};
	struct health_pass old, p;

	(void)state;
	assert_true(health_enter(&h, 1, &old));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(health_enter(&h, 1, &p));
		assert_int_equal(health_bad(&h, &p, 3, 1000, 1), i == 2);
	}
	health_good(&h, &old, 1, 2);
	assert_int_equal(health_look(&h).state, HEALTH_OPEN);
	assert_int_equal(health_look(&h).until_ms, 1000);
}

static void as_many_probes_as_asked_for(void **state)
{
	struct health h = {.word = 0};
	struct health_pass p;

	(void)state;
	assert_true(health_enter(&h, 1, &p));
	assert_true(health_bad(&h, &p, 1, HEALTH_UNTIL_PROBED, 1));
	assert_false(health_is_up(&h, UINT32_MAX));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(health_probe(&h, &p));
		assert_false(health_probe(&h, &(struct health_pass){.taken = false}));
		health_good(&h, &p, 2, 5);
		assert_int_equal(health_look(&h).state, i == 0 ? HEALTH_OPEN : HEALTH_CLOSED);
	}
	assert_false(health_probe(&h, &p));
}

static void edges_of_the_word(void **state)
{
	struct health h = {.word = 0};
	struct health_pass p;

	(void)state;
	for (unsigned i = 0; i < 300; i++) { /* a threshold above the counter is its highest */
		assert_true(health_enter(&h, 1, &p));
		if (health_bad(&h, &p, 1000, 16, 1)) {
			assert_int_equal(i, HEALTH_FAILURES_MAX - 1);
			break;
		}
	}
	assert_int_equal(health_look(&h).state, HEALTH_OPEN);
	assert_true(health_enter(&h, 16, &p));
	assert_true(health_bench(&h, &p, UINT64_MAX, 1) || true);
	assert_true(health_look(&h).until_ms == HEALTH_UNTIL_PROBED); /* no overflow */
	for (unsigned i = 0; i < 3000; i++) {                         /* periods come round */
		h.word = 0;
		assert_true(health_enter(&h, 8, &p));
		IGNORE(health_bad(&h, &p, 1, 8, 1));
		assert_true(health_enter(&h, 8, &p));
		health_good(&h, &p, 1, 8);
		assert_true(health_is_quiet(&h));
	}
}

#define THREADS 4
#define ROUNDS 20000u

struct racing {
	struct health h;
	atomic_uint inside, probes, wrong;
};

static void *race(void *arg)
{
	struct racing *r = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct health_pass p;

		if (!health_enter(&r->h, 8, &p)) {
			continue;
		}
		if (p.probe) {
			atomic_fetch_add(&r->probes, 1);
			atomic_fetch_add(&r->wrong, atomic_fetch_add(&r->inside, 1) != 0);
			atomic_fetch_sub(&r->inside, 1);
		}
		if (p.probe && i % 3 == 0) {
			health_leave(&r->h, &p, 8);
		} else if (i % 2 == 0) {
			IGNORE(health_bad(&r->h, &p, 1, 8, 1)); /* due again at once */
		} else {
			health_good(&r->h, &p, 1, 8);
		}
	}
	return NULL;
}

static void one_probe_among_threads(void **state)
{
	struct racing r = {.inside = 0};
	pthread_t threads[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, race, &r), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(atomic_load(&r.wrong), 0);
	assert_true(atomic_load(&r.probes) > 0);
	/* No place of a probe was lost: it can be entered. */
	assert_true(health_is_up(&r.h, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_lead_to_states),
		cmocka_unit_test(an_old_success_closes_nothing),
		cmocka_unit_test(no_probe_is_coming),
		cmocka_unit_test(as_many_probes_as_asked_for),
		cmocka_unit_test(edges_of_the_word),
		cmocka_unit_test(one_probe_among_threads),
	};

	return cmocka_run_group_tests_name("plan/health", tests, NULL, NULL);
}
