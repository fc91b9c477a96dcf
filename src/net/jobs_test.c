#define _GNU_SOURCE
#include "net/jobs.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define JOBS 2000

struct sum {
	struct job job;
	uint64_t upto, result;
	pthread_t worked_on, done_on;
	int niceness; /* of the thread that worked */
	unsigned *open;
	bool done;
};

static void add_up(struct job *j)
{
	struct sum *s = CONTAINER_OF(j, struct sum, job);

	s->result = 0;
	for (uint64_t i = 1; i <= s->upto; i++) {
		s->result += i;
	}
	s->worked_on = pthread_self();
	s->niceness = getpriority(PRIO_PROCESS, 0);
}

static void on_done(struct job *j)
{
	struct sum *s = CONTAINER_OF(j, struct sum, job);

	s->done = true;
	s->done_on = pthread_self();
	if (s->open != NULL && --*s->open == 0) {
		loop_stop(j->home);
	}
}

static struct sum sum_of(uint64_t upto, struct loop *home)
{
	return (struct sum){
		.job = {.home = home, .work = add_up, .on_done = on_done}, .upto = upto};
}

static void results_come_home(void **state)
{
	struct loop *l = loop_new();
	struct jobs *js = jobs_new(2);
	struct sum *sums = calloc(JOBS, sizeof(*sums));
	unsigned open = JOBS;

	(void)state;
	assert_non_null(sums);
	for (unsigned i = 0; i < JOBS; i++) {
		sums[i] = sum_of(i, l);
		sums[i].open = &open;
		jobs_submit(js, &sums[i].job);
	}
	loop_run(l);
	for (unsigned i = 0; i < JOBS; i++) {
		assert_true(sums[i].done);
		assert_true(sums[i].result == (uint64_t)i * (i + 1) / 2);
		/* Workers go first where both want the core. */
		assert_true(sums[i].niceness > MIN(getpriority(PRIO_PROCESS, 0), 18));
		assert_false(pthread_equal(sums[i].worked_on, pthread_self()));
		assert_true(pthread_equal(sums[i].done_on, pthread_self()));
	}
	jobs_free(js);
	loop_free(l);
	free(sums);
}

static void the_end_waits_for_what_is_queued(void **state)
{
	static const unsigned threads[] = {0, 1, 3};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		struct loop *l = loop_new();
		struct jobs *js = jobs_new(threads[i]);
		struct sum sums[20];

		for (unsigned k = 0; k < ARRAY_LEN(sums); k++) {
			sums[k] = sum_of(100000, l);
			jobs_submit(js, &sums[k].job);
		}
		jobs_free(js);
		loop_turn(l, 0);
		for (unsigned k = 0; k < ARRAY_LEN(sums); k++) {
			assert_true(sums[k].done && sums[k].result == 5000050000u);
		}
		loop_free(l);
	}
}

static void without_threads_jobs_run_by_hand_in_order(void **state)
{
	struct loop *l = loop_new();
	struct jobs *js = jobs_new(0);
	struct sum a = sum_of(3, l);
	struct sum b = sum_of(4, l);

	(void)state;
	assert_false(jobs_run_one(js));
	jobs_submit(js, &a.job);
	jobs_submit(js, &b.job);
	assert_true(jobs_run_one(js));
	assert_int_equal(a.result, 6);
	assert_int_equal(b.result, 0);
	assert_false(a.done); /* it is still on its way home */
	loop_turn(l, 0);
	assert_true(a.done);
	/* The job is the caller's again. */
	jobs_submit(js, &a.job);
	assert_true(jobs_run_one(js));
	assert_true(jobs_run_one(js));
	assert_false(jobs_run_one(js));
	assert_int_equal(b.result, 10);
	jobs_free(js);
	loop_turn(l, 0);
	loop_free(l);
}

static void look_at_mask(struct job *j)
{
	struct sum *s = CONTAINER_OF(j, struct sum, job);
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	s->result = (uint64_t)sigismember(&mask, SIGTERM);
}

static void signals_stay_with_the_other_threads(void **state)
{
	struct loop *l = loop_new();
	struct jobs *js = jobs_new(1);
	struct sum s = sum_of(0, l);
	sigset_t mask;

	(void)state;
	s.job.work = look_at_mask;
	jobs_submit(js, &s.job);
	jobs_free(js);
	assert_int_equal(s.result, 1);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	assert_int_equal(sigismember(&mask, SIGTERM), 0);
	loop_turn(l, 0);
	loop_free(l);
}

static void after_the_end_it_runs_at_once(void **state)
{
	struct loop *l = loop_new();
	struct jobs *js = jobs_new(2);
	struct sum first = sum_of(10, l);
	struct sum late = sum_of(20, l);

	(void)state;
	jobs_submit(js, &first.job);
	jobs_end(js);
	assert_true(first.result == 55);
	assert_false(first.done);
	jobs_submit(js, &late.job);
	assert_true(late.result == 210);
	assert_true(pthread_equal(late.worked_on, pthread_self()));
	assert_false(late.done);
	loop_turn(l, 0);
	assert_true(first.done);
	assert_true(late.done);
	jobs_free(js);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_come_home),
		cmocka_unit_test(the_end_waits_for_what_is_queued),
		cmocka_unit_test(without_threads_jobs_run_by_hand_in_order),
		cmocka_unit_test(signals_stay_with_the_other_threads),
		cmocka_unit_test(after_the_end_it_runs_at_once),
	};

	alarm(120); /* a lost wake-up must not hang whoever runs this */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
