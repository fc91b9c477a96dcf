#include "base/wake.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"

#define LONG_MS 20000u
#define ROUNDS 2000u

struct pair {
	struct wake wake;
	atomic_uint work, done;
};

/* Sleeps when there is nothing to do; each sleep that is not ended by a call would take LONG_MS. */
static void *sleeper(void *arg)
{
	struct pair *p = arg;

	while (atomic_load(&p->done) < ROUNDS) {
		wake_prepare(&p->wake);
		if (atomic_load(&p->work) == atomic_load(&p->done)) {
			wake_sleep(&p->wake, LONG_MS);
		}
		if (atomic_load(&p->work) > atomic_load(&p->done)) {
			atomic_fetch_add(&p->done, 1);
		}
	}
	return NULL;
}

static void test_a_call_ends_the_sleep(void **state)
{
	struct pair p = {.work = 0};
	uint64_t began = clock_mono_ns() / 1000000;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, sleeper, &p), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		atomic_fetch_add(&p.work, 1);
		wake_call(&p.wake);
		while (atomic_load(&p.done) <= i) {}
	}
	pthread_join(thread, NULL);
	assert_true(clock_mono_ns() / 1000000 - began < LONG_MS);
}

static void test_a_call_before_the_sleep_prevents_it(void **state)
{
	struct wake w = {0};
	uint64_t began = clock_mono_ns() / 1000000;

	(void)state;
	wake_prepare(&w);
	wake_call(&w);
	wake_sleep(&w, LONG_MS);
	assert_true(clock_mono_ns() / 1000000 - began < LONG_MS);
}

static void test_nobody_calls(void **state)
{
	struct wake w = {0};
	uint64_t began = clock_mono_ns() / 1000000;

	(void)state;
	wake_call(&w); /* to one that is awake: nothing */
	wake_prepare(&w);
	wake_sleep(&w, 30);
	assert_true(clock_mono_ns() / 1000000 - began >= 29);
	assert_int_equal(atomic_load(&w.asleep), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call_ends_the_sleep),
		cmocka_unit_test(test_a_call_before_the_sleep_prevents_it),
		cmocka_unit_test(test_nobody_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
