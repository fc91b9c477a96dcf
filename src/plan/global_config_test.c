/*
 * The ConfigMap higress-config: which settings of the listener it holds.
 */
#include "plan/global_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

static const struct provider_types no_types;

#define HEAD "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: higress-config}\ndata:\n"
#define TEXT(inner) HEAD "  higress: \"" inner "\"\n"

static const struct {
	const char *config; /* NULL: there is no such object */
	bool has;
	uint32_t ms;
	size_t findings;
	const char *reason;
} rows[] = {
	{NULL, false, 0, 0, "nothing is said"},
	{HEAD "  mesh: x\n", false, 0, 0, "another text"},
	{TEXT("downstream:\\n  idleTimeout: 900\\n"), true, 900000, 0, "seconds"},
	{TEXT("downstream: {idleTimeout: 0}"), true, 0, 0, "none"},
	{TEXT("downstream: {idleTimeout: 86400}"), true, 86400000, 0, "a day"},
	{TEXT("downstream: {idleTimeout: 86401}"), false, 0, 1, "more than a day"},
	{TEXT("downstream: {idleTimeout: -1}"), false, 0, 1, "a sign"},
	{TEXT("downstream: {idleTimeout: 1.5}"), false, 0, 1, "a fraction"},
	{TEXT("downstream: {idleTimeout: 10s}"), false, 0, 1, "a unit"},
	{TEXT("downstream: {idleTimeout: [1]}"), false, 0, 1, "a list"},
	{TEXT("downstream: {idleTimeout: '30'}"), true, 30000, 0, "a string that is a number"},
	{TEXT("downstream: {idleTimeout: }"), false, 0, 0, "null"},
	{TEXT("downstream: 5"), false, 0, 0, "no map"},
	{TEXT("upstream: {idleTimeout: 10}"), false, 0, 0, "that of upstreams"},
	{TEXT("upstream: {idleTimeout: x}"), false, 0, 1, "that of upstreams, no number"},
	{TEXT("downstream: ["), false, 0, 1, "no YAML"},
	{HEAD "  higress: ''\n", false, 0, 0, "empty"},
};

static void is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct plan *p;

		world_init(&w);
		if (rows[i].config != NULL) {
			world_add(&w, "configmaps/higress-config.yaml", rows[i].config);
		}
		p = world_plan(&w, &no_types);
		if (p->global.has_idle != rows[i].has || p->global.idle_ms != rows[i].ms ||
			p->findings.n != rows[i].findings) {
			world_print(&p->findings);
			fail_msg("%s: got %d %u", rows[i].reason, p->global.has_idle,
				p->global.idle_ms);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* The others, as has_pool_idle pool_idle_ms route_ms head_max findings. */
static const struct {
	const char *config, *want, *reason;
} other_rows[] = {
	{HEAD "  higress: ''\n", "0 0 0 0 0", "nothing is said"},
	{TEXT("upstream: {idleTimeout: 10}\\ndownstream: {routeTimeout: 60, maxRequestHeadersKb: 60}"),
		"1 10000 60000 61440 0", "all of them"},
	{TEXT("upstream: {idleTimeout: 0}\\ndownstream: {routeTimeout: 0}"), "1 0 0 0 0",
		"no limit, which is something else than nothing"},
	{TEXT("downstream: {routeTimeout: 86401}"), "0 0 0 0 1", "more than a day"},
	{TEXT("downstream: {routeTimeout: 60s}"), "0 0 0 0 1", "a unit"},
	{TEXT("downstream: {maxRequestHeadersKb: 1}"), "0 0 0 1024 0", "the least"},
	{TEXT("downstream: {maxRequestHeadersKb: 8192}"), "0 0 0 8388608 0", "the most"},
	{TEXT("downstream: {maxRequestHeadersKb: 0}"), "0 0 0 0 1", "no request would fit"},
	{TEXT("downstream: {maxRequestHeadersKb: 8193}"), "0 0 0 0 1", "more than Envoy takes"},
	{TEXT("downstream: {maxRequestHeadersKb: 1.5}"), "0 0 0 0 1", "a fraction"},
	{TEXT("downstream: {maxRequestHeadersKb: [], routeTimeout: -1}\\nupstream: {idleTimeout: {}}"),
		"0 0 0 0 3", "each is judged alone"},
};

static void others_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(other_rows); i++) {
		const struct global_config *g;
		struct world w;
		struct plan *p;
		char got[100];

		world_init(&w);
		world_add(&w, "configmaps/higress-config.yaml", other_rows[i].config);
		p = world_plan(&w, &no_types);
		g = &p->global;
		snprintf(got, sizeof(got), "%d %u %u %u %zu", g->has_pool_idle, g->pool_idle_ms,
			g->route_ms, g->head_max, p->findings.n);
		if (strcmp(got, other_rows[i].want) != 0) {
			world_print(&p->findings);
			fail_msg("%s: got %s", other_rows[i].reason, got);
		}
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read),
		cmocka_unit_test(others_are_read),
	};

	return cmocka_run_group_tests_name("plan/global_config", tests, NULL, NULL);
}
