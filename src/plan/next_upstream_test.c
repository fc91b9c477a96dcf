/* Annotations of an Ingress to what its routes do when a destination fails. */
#include "plan/next_upstream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plan/world.h"

/* What an Ingress says of the time of all attempts. */
static const struct {
	const char *annotations;
	unsigned ms;
	const char *code, *reason;
} whole_rows[] = {
	{"", 0, NULL, "nothing is said: no end"},
	{"    higress.io/timeout: \"5\"\n", 5000, NULL, "seconds"},
	{"    higress.io/timeout: \"0\"\n", 0, NULL, "0 is none"},
	{"    higress.io/timeout: \"5s\"\n", 0, "bad-value", "no unit"},
	{"    higress.io/timeout: \"99999999\"\n", 86400000, "bad-value",
		"longer than a day, and no overflow"},
};

#define TRIES(n) "    higress.io/proxy-next-upstream-tries: \"" n "\"\n"
#define TIMEOUT(s) "    higress.io/proxy-next-upstream-timeout: \"" s "\"\n"
#define ON(list) "    higress.io/proxy-next-upstream: \"" list "\"\n"
#define CONNECTION (FAILURE_ON_CONNECT | FAILURE_ON_RESET | FAILURE_ON_CONNECT_TIMEOUT)

static const struct {
	const char *annotations;
	unsigned attempts, timeout_ms, events;
	unsigned
		status; /* the only one of 403, 429, 500, 503 that is meant; 1: the last two, 0: none */
	bool non_idempotent;
	const char *code; /* of a finding; NULL: none */
	const char *reason;
} rows[] = {
	{"", 0, 0, 0, 0, false, NULL, "nothing is said: no further attempt"},
	{"    higress.io/enable-proxy-next-upstream: \"true\"\n", 0, 0, 0, 0, false, NULL,
		"the switch alone says nothing"},
	{TRIES("3") TIMEOUT("120") ON("error,timeout,non_idempotent"), 3, 120000,
		CONNECTION | FAILURE_ON_FIRST_BYTE, 0, true, NULL, "what Console writes"},
	{ON("error"), 3, 0, CONNECTION, 0, false, NULL, "no tries: three of them"},
	{TRIES("0") ON("error"), 3, 0, CONNECTION, 0, false, NULL, "0 is not said"},
	{TRIES("2"), 2, 0, CONNECTION | FAILURE_ON_FIRST_BYTE, 1, false, NULL,
		"no conditions beside one of the others: 5xx"},
	{ON("http_503"), 3, 0, 0, 503, false, NULL, "a status"},
	{ON("http_429 , http_42"), 3, 0, 0, 429, false, "next-upstream-condition", "two digits"},
	{ON("http_999"), 0, 0, 0, 0, false, "next-upstream-condition", "no status"},
	{ON("error timeout"), 3, 0, CONNECTION | FAILURE_ON_FIRST_BYTE, 0, false, NULL,
		"blanks separate too"},
	{ON("invalid_header"), 3, 0, FAILURE_ON_INVALID, 0, false, NULL, "no HTTP"},
	{ON("off"), 0, 0, 0, 0, false, NULL, "off"},
	{ON("error,off"), 0, 0, CONNECTION, 0, false, NULL, "off wins"},
	{ON("eror"), 0, 0, 0, 0, false, "next-upstream-condition", "a typing error is named"},
	{TRIES("17") ON("error"), 16, 0, CONNECTION, 0, false, "bad-value", "a storm of attempts"},
	{TRIES("many") ON("error"), 3, 0, CONNECTION, 0, false, "bad-value", "no number"},
	{TIMEOUT("-1") ON("error"), 3, 0, CONNECTION, 0, false, "bad-value", "no time"},
	{TIMEOUT("99999999") ON("error"), 3, 86400000, CONNECTION, 0, false, "bad-value",
		"longer than a day, and no overflow"},
	{"    nginx.ingress.kubernetes.io/proxy-next-upstream: \"http_500\"\n" ON("error"), 3, 0, 0,
		500, false, NULL, "nginx's spelling is preferred"},
};

static bool has_status(const struct failure_set *s, unsigned want)
{
	static const unsigned all[] = {403, 429, 500, 503};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (failure_set_has_status(s, all[i]) !=
			(want == all[i] || (want == 1 && all[i] >= 500))) {
			return false;
		}
	}
	return true;
}

static bool is_found(const struct findings *f, const char *code)
{
	const struct finding *at = f->first;

	while (at != NULL && strcmp(at->code, "next-upstream-condition") != 0 &&
		strcmp(at->code, "bad-value") != 0) {
		at = at->next;
	}
	return code == NULL ? at == NULL
			    : at != NULL && strcmp(at->code, code) == 0 && at->line > 1;
}

/* Of one Ingress with these annotations. */
static struct plan *plan_with(struct world *w, const char *annotations)
{
	static const struct provider_types none = {NULL, 0};
	const struct world_ingress ingress = {
		.name = "a", .host = "a.com", .path = "/", .annotations = annotations};
	struct plan *p;

	world_init(w);
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add_ingress(w, &ingress);
	p = world_plan(w, &none);
	assert_int_equal(p->n_routes, 1);
	return p;
}

static void the_whole_time_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(whole_rows); i++) {
		struct world w;
		struct plan *p = plan_with(&w, whole_rows[i].annotations);

		if (p->routes[0]->timeout_ms != whole_rows[i].ms ||
			!is_found(&p->findings, whole_rows[i].code)) {
			world_print(&p->findings);
			fail_msg("%s: %u ms", whole_rows[i].reason, p->routes[0]->timeout_ms);
		}
		plan_free(p);
		world_done(&w);
	}
}

static void annotations_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct next_policy *next;
		struct world w;
		struct plan *p = plan_with(&w, rows[i].annotations);

		next = &p->routes[0]->next;
		if (next->attempts != rows[i].attempts || next->timeout_ms != rows[i].timeout_ms ||
			next->non_idempotent != rows[i].non_idempotent ||
			next->on.events != (rows[i].events | FAILURE_ON_CONTEXT) ||
			!has_status(&next->on, rows[i].status) ||
			!is_found(&p->findings, rows[i].code)) {
			world_print(&p->findings);
			fail_msg("%s: %u attempts, %u ms, events %x", rows[i].reason,
				next->attempts, next->timeout_ms, next->on.events);
		}
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(annotations_are_read),
		cmocka_unit_test(the_whole_time_is_read),
	};

	return cmocka_run_group_tests_name("next_upstream", tests, NULL, NULL);
}
