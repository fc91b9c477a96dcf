#include "meter/recall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Addresses are compared, never followed: the same ones in each run. */
#define THINGS (2u * RECALL_MAX)

static const void *thing(unsigned i)
{
	return (const void *)((uintptr_t)0x10000 + (uintptr_t)64 * i);
}

static struct recalled *find(struct recall *r, uint64_t plan, unsigned route, unsigned consumer)
{
	bool is_new;
	struct recalled *e = recall_find(
		r, &(struct recall_key){plan, thing(route), thing(7), thing(consumer)}, &is_new);

	assert_int_equal(is_new, e->of.route == 0);
	return e;
}

/* What the rows are is of no matter here: a number that says whose they are. */
static uint16_t number(unsigned route, unsigned consumer)
{
	return (uint16_t)(1 + route + 100 * consumer);
}

static void the_table_grows_with_what_it_holds(void **state)
{
	struct recall r;
	unsigned kept = 0;

	(void)state;
	recall_init(&r);
	for (unsigned i = 0; i < 1000; i++) {
		find(&r, 1, i % 100, i)->of.route = number(i % 100, i);
	}
	assert_in_range(r.n_slots, 1024, RECALL_MAX);
	for (unsigned i = 0; i < 1000; i++) {
		const struct recalled *e = find(&r, 1, i % 100, i);

		assert_true(e->of.route == 0 || e->of.route == number(i % 100, i));
		kept += e->of.route != 0;
	}
	assert_in_range(kept, 800, 1000);
	recall_done(&r);
}

static void what_does_not_fit_is_found_again(void **state)
{
	struct recall r;

	(void)state;
	recall_init(&r);
	for (unsigned i = 0; i < THINGS; i++) {
		struct recalled *e = find(&r, 1, 0, i);

		e->of.route = number(0, i % 600);
		assert_ptr_equal(find(&r, 1, 0, i), e);
	}
	assert_int_equal(r.n_slots, RECALL_MAX);
	recall_done(&r);
}

static void another_plan_has_others_at_the_same_addresses(void **state)
{
	struct recall r;
	size_t slots;

	(void)state;
	recall_init(&r);
	for (unsigned i = 0; i < 500; i++) {
		find(&r, 1, 1, i)->of.route = 1;
	}
	slots = r.n_slots;
	for (uint64_t plan = 2; plan < 10; plan++) {
		struct recalled *other = find(&r, plan, 1, 3);

		assert_int_equal(other->of.route, 0);
		other->of.route = 2;
		for (unsigned i = 0; i < 500; i++) {
			find(&r, plan, 1, i)->of.route = 2;
		}
		/* the places of plans before are taken */
		assert_in_range(r.n_slots, slots, 2 * slots);
	}
	recall_done(&r);
}

static void rows_are_forgotten_alone(void **state)
{
	struct series_row row = {.users = 0};
	struct recall r;

	(void)state;
	recall_init(&r);
	find(&r, 1, 1, 2)->of.route = 5;
	find(&r, 1, 1, 2)->row = &row;
	recall_drop_rows(&r);
	assert_null(find(&r, 1, 1, 2)->row);
	assert_int_equal(find(&r, 1, 1, 2)->of.route, 5);
	assert_int_equal(find(&r, 1, 2, 2)->of.route, 0);
	recall_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_grows_with_what_it_holds),
		cmocka_unit_test(what_does_not_fit_is_found_again),
		cmocka_unit_test(another_plan_has_others_at_the_same_addresses),
		cmocka_unit_test(rows_are_forgotten_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
