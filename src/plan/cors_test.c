/*
 * Policies of CORS: what annotations say, and which origins may read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/cors.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define ON "    higress.io/enable-cors: \"true\"\n"
#define ORIGIN(list) ON "    higress.io/cors-allow-origin: '" list "'\n"

static const struct {
	const char *annotations, *origin;
	bool allowed;
	const char *reason;
} rows[] = {
	{ON, "https://a.com", true, "the default is every origin"},
	{ON, "null", true, "also that of a file"},
	{ON, "", false, "no origin"},
	{ORIGIN("*"), "http://localhost:3000", true, "said in so many words"},
	{ORIGIN("https://a.com"), "https://a.com", true, "this one"},
	{ORIGIN("https://a.com"), "http://a.com", false, "the scheme is a part of it"},
	{ORIGIN("https://a.com"), "https://a.com:8443", false, "and so is the port"},
	{ORIGIN("https://a.com"), "https://a.com.evil.org", false, "it is no beginning"},
	{ORIGIN("https://a.com"), "https://b.com", false, "another one"},
	{ORIGIN("https://a.com, https://b.com"), "https://b.com", true, "one of a list"},
	{ORIGIN("https://*.a.com"), "https://x.y.a.com", true, "an ending"},
	{ORIGIN("https://*.a.com"), "http://x.a.com", true, "of any scheme (§5.6)"},
	{ORIGIN("https://*.a.com"), "https://a.com", false, "with its dot"},
	{ORIGIN("https://*.a.com"), "https://xa.com", false, "with its dot, really"},
	{ORIGIN("https://*.a.com"), "https://x.a.com:8080", false, "an ending is an ending"},
	{ORIGIN("https://*.a.com:8080"), "https://x.a.com:8080", true, "with the port it names"},
	{ORIGIN("https://*"), "ftp://b.org", true, "nothing behind the star"},
	{ORIGIN(",,https://a.com,"), "https://a.com", true, "empty entries are none"},
	{ORIGIN(",,https://a.com,"), "", false, "and allow nobody"},
	{"    nginx.ingress.kubernetes.io/enable-cors: \"true\"\n"
	 "    nginx.ingress.kubernetes.io/cors-allow-origin: https://n.com\n",
		"https://n.com", true, "in nginx' spelling"},
};

static void origins(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct route *r;
		struct world w;
		struct plan *p;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w,
			&(struct world_ingress){
				.name = "r", .path = "/", .annotations = rows[i].annotations});
		p = world_plan(&w, &no_types);
		r = world_route(p, "any", "/", METHOD_GET);
		assert_true(p->has_cors);
		assert_int_equal(p->findings.n, 0);
		if (cors_allows(r->cors, bytes_str(rows[i].origin)) != rows[i].allowed) {
			fail_msg("%s asks %s: %s", rows[i].origin, rows[i].annotations,
				rows[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

#define METHODS "GET, PUT, POST, DELETE, PATCH, OPTIONS"
#define HEADERS                                                                              \
	"DNT,X-CustomHeader,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-" \
	"Control,Content-Type,Authorization"

static const struct {
	const char *annotations;
	const char *methods, *headers, *expose, *max_age;
	bool credentials;
	size_t n_findings;
	const char *reason;
} policies[] = {
	{ON, METHODS, HEADERS, "", "1728000", true, 0, "the defaults of §5.6"},
	{ON "    higress.io/cors-allow-methods: GET\n    higress.io/cors-allow-headers: x-a, x-b\n"
	    "    higress.io/cors-expose-headers: x-c\n    higress.io/cors-max-age: \"60\"\n"
	    "    higress.io/cors-allow-credentials: \"false\"\n",
		"GET", "x-a, x-b", "x-c", "60", false, 0, "all of them said"},
	{ON "    higress.io/cors-max-age: soon\n", METHODS, HEADERS, "", "1728000", true, 1,
		"no number"},
	{ON "    higress.io/cors-max-age: \"99999999999999999999\"\n", METHODS, HEADERS, "",
		"1728000", true, 1, "a number that no browser holds"},
	{ON "    higress.io/cors-allow-credentials: maybe\n", METHODS, HEADERS, "", "1728000",
		false, 1, "what is no boolean allows nothing"},
	{ON "    higress.io/cors-allow-headers: \"a\\r\\nb: c\"\n", METHODS, HEADERS, "", "1728000",
		true, 1, "a line break in a header"},
};

static void policies_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		const struct cors *c;
		struct world w;
		struct plan *p;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w,
			&(struct world_ingress){
				.name = "r", .path = "/", .annotations = policies[i].annotations});
		p = world_plan(&w, &no_types);
		c = world_route(p, "any", "/", METHOD_GET)->cors;
		if (!bytes_eq(c->methods, bytes_str(policies[i].methods)) ||
			!bytes_eq(c->headers, bytes_str(policies[i].headers)) ||
			!bytes_eq(c->expose, bytes_str(policies[i].expose)) ||
			!bytes_eq(c->max_age, bytes_str(policies[i].max_age)) ||
			c->credentials != policies[i].credentials ||
			p->findings.n != policies[i].n_findings) {
			world_print(&p->findings);
			fail_msg("%s", policies[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origins),
		cmocka_unit_test(policies_are_read),
	};

	return cmocka_run_group_tests_name("plan/cors", tests, NULL, NULL);
}
