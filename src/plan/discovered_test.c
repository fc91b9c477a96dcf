#include "plan/discovered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

#define IS(type, more) "{name: r, type: " type ", domain: reg.example.com, port: 8848" more "}"
#define NACOS_LIST "/nacos/v1/ns/instance/list?serviceName="
#define NACOS3_LIST "/nacos/v3/client/ns/instance/list?serviceName="

static const struct {
	const char *registry, *service;
	const char
		*want; /* the target of the request, and the seconds between two; NULL: not its */
	const char *reason;
} rows[] = {
	{IS("nacos", ", nacosGroups: [DEFAULT_GROUP]"), "a.DEFAULT-GROUP.public.nacos",
		NACOS_LIST "DEFAULT_GROUP%40%40a&namespaceId=public&healthyOnly=true 30",
		"as Higress names it"},
	{IS("nacos2", ", nacosGroups: [g_1, g_2], nacosNamespaceId: n_s"), "a.b.g_2.n-s.nacos",
		NACOS_LIST "g_2%40%40a.b&namespaceId=n_s&healthyOnly=true 30",
		"the second group; a name with a dot; either sign in the group"},
	{IS("nacos3", ", nacosRefreshInterval: 20"),
		"providers:x.S:1.0:.DEFAULT-GROUP.public.nacos",
		NACOS3_LIST "providers%3Ax.S%3A1.0%3A&groupName=DEFAULT_GROUP&namespaceId=public"
			    "&healthyOnly=true 20",
		"no groups: the default one"},
	{IS("nacos", ", nacosGroups: [g]"), "a.h.public.nacos", NULL, "another group"},
	{IS("nacos", ", nacosGroups: [g]"), "a.g.other.nacos", NULL, "another namespace"},
	{IS("nacos", ", nacosGroups: [g]"), ".g.public.nacos", NULL, "no name"},
	{IS("nacos", ", nacosGroups: [g]"), "g.public.nacos", NULL, "not even a dot before it"},
	{IS("nacos", ", nacosGroups: [g]"), "a.g.public.consul", NULL, "of another type"},
	{IS("consul", ", consulDatacenter: dc_1"), "llm.dc-1.consul",
		"/v1/health/service/llm?passing=true&dc=dc_1 30",
		"the data center as it is called"},
	{IS("consul",
		 ", consulDatacenter: dc1, consulServiceTag: a b&c, consulRefreshInterval: \"60\""),
		"l/m.dc1.consul", "/v1/health/service/l%2Fm?passing=true&dc=dc1&tag=a%20b%26c 60",
		"what would be read otherwise is escaped"},
	{IS("consul", ""), "llm.consul", "/v1/health/service/llm?passing=true 30",
		"no data center"},
	{IS("consul", ", consulDatacenter: dc1"), "llm.dc2.consul", NULL, "another data center"},
	{IS("consul", ", consulDatacenter: dc1, consulRefreshInterval: 1"), "x.dc1.consul",
		"/v1/health/service/x?passing=true&dc=dc1 10", "not more often"},
	{IS("consul", ", consulDatacenter: dc1, consulRefreshInterval: 86400"), "x.dc1.consul",
		"/v1/health/service/x?passing=true&dc=dc1 600", "not less often"},
	{IS("consul", ", consulDatacenter: dc1, consulRefreshInterval: 15000000000"),
		"x.dc1.consul", "/v1/health/service/x?passing=true&dc=dc1 15", "nanoseconds"},
	{IS("eureka", ""), "LLM.eureka", "/eureka/apps/LLM 30", "eureka"},
	{IS("eureka", ""), "eureka", NULL, "no name"},
	{IS("zookeeper", ""), "llm.services.zookeeper", "/services/llm 30",
		"zookeeper: where Spring Cloud registers"},
	{IS("zookeeper", ", zkServicesPath: [/services/, /team_a/svc/]"),
		"my.llm.Team-A-svc.zookeeper", "/team_a/svc/my.llm 30",
		"a path of its own, with a name as Higress shows it"},
	{IS("zookeeper", ", zkServicesPath: [/]"), "llm.zookeeper", "/llm 30", "the root"},
	{IS("zookeeper", ""), "llm.other.zookeeper", NULL, "another path"},
	{IS("zookeeper", ", zkServicesPath: [other]"), "llm.other.zookeeper", NULL,
		"no path: it has no / in front"},
	{IS("zookeeper", ""), "services.zookeeper", NULL, "no name"},
	{IS("static", ""), "r.static", NULL, "not asked either"},
};

static const struct registry *make_registry(struct world *w, const char *spec)
{
	char file[1000];

	snprintf(file, sizeof(file), WORLD_REGISTRIES("  - %s\n"), spec);
	return &world_add(w, "mcpbridges/default.yaml", file)->u.mcpbridge.registries[0];
}

static void names_become_questions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct discovered d;
		struct world w;
		struct text t;
		bool its;

		world_init(&w);
		text_init(&t, DISCOVERED_TARGET_MAX);
		its = discovered_match(make_registry(&w, rows[i].registry),
			bytes_str(rows[i].service), &w.arena, &d);
		if (its) {
			discovered_target(&d, BYTES(""), &t);
			text_addf(&t, " %u", d.refresh_s);
		}
		if (its != (rows[i].want != NULL) ||
			(its && !bytes_eq(text_bytes(&t), bytes_str(rows[i].want)))) {
			fail_msg("%s (%s): %s", rows[i].service, rows[i].reason, text_cstr(&t));
		}
		text_done(&t);
		world_done(&w);
	}
}

static void logins_are_forms(void **state)
{
	struct discovered d = {.kind = INSTANCES_NACOS};
	struct text target;
	struct text body;

	(void)state;
	text_init(&target, 4096);
	text_init(&body, 4096);
	assert_false(discovered_logs_in(&d));
	d.texts[DISCOVERED_USER] = BYTES("na cos");
	d.texts[DISCOVERED_SECRET] = BYTES("p&s=\xc3\xa4");
	assert_true(discovered_logs_in(&d));
	discovered_login(&d, &target, &body);
	assert_string_equal(text_cstr(&target), "/nacos/v1/auth/login");
	assert_string_equal(text_cstr(&body), "username=na%20cos&password=p%26s%3D%C3%A4");
	d.kind = INSTANCES_NACOS3;
	text_clear(&target);
	discovered_login(&d, &target, &body);
	assert_string_equal(text_cstr(&target), "/nacos/v3/auth/user/login");
	d.kind = INSTANCES_CONSUL;
	assert_false(discovered_logs_in(&d));
	text_done(&target);
	text_done(&body);
}

/* A change of any part is another question; a copy needs nothing of what it was made of. */
static void copies_are_equal(void **state)
{
	struct discovered d = {.kind = INSTANCES_CONSUL, .port = 1, .refresh_s = 30};
	struct discovered *copy;

	(void)state;
	for (size_t i = 0; i < DISCOVERED_TEXTS; i++) {
		d.texts[i] = i % 2 == 0 ? BYTES("text") : BYTES("");
	}
	copy = discovered_copy(&d);
	assert_true(discovered_equal(&d, copy));
	for (size_t i = 0; i < DISCOVERED_TEXTS; i++) {
		struct bytes was = d.texts[i];

		assert_true(copy->texts[i].p != was.p);
		assert_true(copy->texts[i].p[was.n] == '\0');
		d.texts[i] = BYTES("other");
		assert_false(discovered_equal(&d, copy));
		d.texts[i] = was;
	}
	d.tls = true;
	assert_false(discovered_equal(&d, copy));
	free(copy);
}

/* The service of a destination: found once, whatever port is written, with the Secret's credentials. */
static void destinations_find_services(void **state)
{
	static const struct provider_types types;
	const struct plan_env env = {.types = &types, .seed = {1, 2}};
	const struct destination *one;
	const struct destination *two;
	const struct endpoint *e;
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	make_registry(
		&w, IS("consul", ", consulDatacenter: dc1, authSecretName: s, protocol: https"));
	world_add(&w, "secrets/s.yaml",
		"apiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata: {name: s}\n"
		"data: {consulToken: dG9rZW4=}\n");
	world_add_ingress(&w,
		&(struct world_ingress){.name = "r",
			.path = "/",
			.destination = "\"40% a.dc1.consul:8080\\n60% a.dc1.consul\""});
	p = plan_compile(w.snapshot, &env);
	world_print(&p->findings);
	assert_int_equal(p->findings.n, 0);
	assert_int_equal(p->n_routes, 1);
	assert_int_equal(p->routes[0]->n_destinations, 2);
	one = &p->routes[0]->destinations[0];
	two = &p->routes[0]->destinations[1];
	assert_ptr_equal(one->service, two->service);
	assert_true(one->service->tls);
	assert_int_equal(p->n_endpoints, 1);
	e = p->endpoints[0];
	assert_true(bytes_eq(e->host, BYTES("a.dc1.consul")) && e->port == 0);
	assert_true(bytes_eq(e->ask->texts[DISCOVERED_SECRET], BYTES("token")));
	assert_true(bytes_eq(e->ask->texts[DISCOVERED_HOST], BYTES("reg.example.com")));
	assert_true(e->ask->tls);
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_questions),
		cmocka_unit_test(logins_are_forms),
		cmocka_unit_test(copies_are_equal),
		cmocka_unit_test(destinations_find_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
