/*
 * Which failures a policy is about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/failover.h"

static const struct row {
	const struct failure_set *set;
	struct failure f;
	bool matches;
	const char *reason;
} rows[] = {
	{&failover_default.on, {.class = FAILURE_RATE, .status = 429}, true, "listed"},
	{&failover_default.on, {.class = FAILURE_CREDENTIAL, .status = 401}, true, "listed"},
	{&failover_default.on, {.class = FAILURE_CREDENTIAL, .status = 403}, true, "listed"},
	{&failover_default.on, {.class = FAILURE_SERVER, .status = 500}, true, "first of 5.."},
	{&failover_default.on, {.class = FAILURE_SERVER, .status = 599}, true, "last of 5.."},
	{&failover_default.on, {.class = FAILURE_CLIENT, .status = 404}, false,
		"G116: a client's mistake is not counted"},
	{&failover_default.on, {.class = FAILURE_CLIENT, .status = 499}, false, "below 5.."},
	{&failover_default.on, {.class = FAILURE_NONE, .status = 204}, false,
		"patterns are anchored: 4.* does not stand in 204"},
	{&failover_default.on, {.class = FAILURE_CONNECT}, true, "connect-failure"},
	{&failover_default.on, {.class = FAILURE_TIMEOUT}, true, "timeout"},
	{&failover_default.on, {.class = FAILURE_FULL}, false, "our own cap blames nobody"},
	{&failover_default.on, {.class = FAILURE_CONTEXT, .status = 400}, false,
		"a request that is too long blames nobody"},
	{&failover_default.on, {.class = FAILURE_SERVER, .status = 200}, false,
		"an error behind a 2xx is a matter of FAILURE_ON_INVALID"},
	{&retry_default.on, {.class = FAILURE_SERVER, .status = 200}, true, "which a retry is for"},
	{&retry_default.on, {.class = FAILURE_INVALID}, true, "HTML instead of an answer"},
	{&next_console.on, {.class = FAILURE_SERVER, .status = 503}, false,
		"error and timeout name no status"},
	{&next_console.on, {.class = FAILURE_TIMEOUT, .connecting = true}, true, "timeout"},
	{&next_console.on, {.class = FAILURE_CONTEXT, .status = 400}, true, "to a larger window"},
	{&next_default.on, {.class = FAILURE_CONNECT}, false, "off"},
};

static void policies_are_about_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (failure_set_matches(rows[i].set, &rows[i].f) != rows[i].matches) {
			fail_msg("row %zu: %s", i, rows[i].reason);
		}
	}
}

static void sets_have_edges(void **state)
{
	struct failure_set s = {.events = 0};

	(void)state;
	assert_true(failure_set_is_empty(&s));
	failure_set_add(&s, 0, 100);
	assert_true(failure_set_has_status(&s, 100));
	assert_false(failure_set_has_status(&s, 101));
	failure_set_add(&s, 599, UINT32_MAX - 1);
	assert_true(failure_set_has_status(&s, 599));
	assert_false(failure_set_has_status(&s, 598));
	assert_false(failure_set_has_status(&s, 600));
	assert_false(failure_set_has_status(&s, 0));
	assert_false(failure_set_is_empty(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_about_failures),
		cmocka_unit_test(sets_have_edges),
	};

	return cmocka_run_group_tests_name("plan/failover", tests, NULL, NULL);
}
