/*
 * A host with two names (struct plan_alias): which routes are found under the second one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

static const struct world_ingress named[] = {
	{.name = "new", .host = "new.a.com", .path = "/v1"},
	{.name = "new-sub", .host = "new.a.com", .path = "/v1/sub"},
	{.name = "old", .host = "old.a.com", .path = "/v1/sub", .type = "Exact"},
	{.name = "wide", .host = "*.a.com", .path = "/"},
};

static const struct {
	const char *alias, *of, *host, *path, *route, *reason;
} second_names[] = {
	{"second.b.com", "new.a.com", "second.b.com", "/v1/x", "new", "as of the other name"},
	{"Second.B.com", "NEW.a.com", "SECOND.b.com", "/v1/x", "new", "in any case"},
	{"second.b.com", "new.a.com", "new.a.com", "/v1/x", "new", "which keeps its routes"},
	{"second.b.com", "new.a.com", "third.b.com", "/v1/x", "-", "no other host has them"},
	{"second.b.com", "new.a.com", "x.second.b.com", "/v1/x", "-", "nor what is below it"},
	{"second.b.com", "new.a.com", "second.b.com", "/x", "-", "scopes are those of the name"},
	{"old.a.com", "new.a.com", "old.a.com", "/v1/sub", "old", "a route of its own comes first"},
	{"old.a.com", "new.a.com", "old.a.com", "/v1/x", "new", "then those of the other name"},
	{"old.a.com", "new.a.com", "old.a.com", "/x", "wide", "then the wider scopes"},
	{"old.a.com", "none.b.com", "old.a.com", "/v1/x", "wide", "the other has no route"},
	{"new.a.com", "new.a.com", "new.a.com", "/v1/x", "new", "itself"},
	{"", "new.a.com", "second.b.com", "/v1/x", "-", "no name"},
};

static void second_names_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(second_names); i++) {
		const struct plan_alias alias = {
			bytes_str(second_names[i].alias), bytes_str(second_names[i].of)};
		const struct plan_env env = {.types = &no_types, .seed = {1, 2}, .alias = &alias};
		const struct route *r;
		struct plan *p;
		struct world w;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		for (size_t k = 0; k < ARRAY_LEN(named); k++) {
			world_add_ingress(&w, &named[k]);
		}
		p = plan_compile(w.snapshot, &env);
		r = world_route(p, second_names[i].host, second_names[i].path, METHOD_GET);
		if (!bytes_eq(r != NULL ? r->name : BYTES("-"), bytes_str(second_names[i].route))) {
			fail_msg("%s %s: %s: got " BYTES_FMT, second_names[i].host,
				second_names[i].path, second_names[i].reason,
				BYTES_ARG(r != NULL ? r->name : BYTES("-")));
		}
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_names_are_found),
	};

	return cmocka_run_group_tests_name("plan/alias", tests, NULL, NULL);
}
