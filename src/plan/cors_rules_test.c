/*
 * The plugin cors, through a whole plan: which pages may ask what, at which scope, and what is said of settings that
 * cannot be meant so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/cors.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define DEFAULT(config) WORLD_PLUGIN("cors", "  defaultConfig: " config "\n")
#define RULES(rules) WORLD_PLUGIN("cors", "  defaultConfigDisable: true\n  matchRules:\n" rules)
#define RULE(scope, config) "  - {" scope ", config: " config "}\n"
#define ORIGINS(list) DEFAULT("{allow_origins: [" list "]}")
#define PATTERNS(list) DEFAULT("{allow_origin_patterns: [" list "]}")

static const struct world_ingress routes[] = {
	{.name = "r", .host = "a.com", .path = "/"},
	{.name = "wide", .path = "/"},
	{.name = "own",
		.host = "own.com",
		.path = "/",
		.annotations = "    higress.io/enable-cors: \"true\"\n"
			       "    higress.io/cors-allow-origin: https://own.org\n"},
	{.name = "p", .host = "*.p.com", .path = "/"},
	{.name = "q", .host = "*.q.com", .path = "/"},
};

#define TWO_OFF                                                                              \
	WORLD_PLUGIN("cors",                                                                 \
		"  defaultConfig: {allow_origins: ['https://x.org']}\n  matchRules:\n" RULE( \
			"domain: [x.p.com]", "{_disable_: true}")                            \
			RULE("domain: [x.q.com]", "{_disable_: true}"))

static const struct row {
	const char *plugin;
	const char *host, *origin, *method, *fields; /* NULL: a preflight announces none */
	const char
		*gets; /* "none": no policy, "mild": one that does not refuse; else the verdict */
	const char *reason;
} rows[] = {
	{DEFAULT("{}"), "a.com", "https://x.org", "GET", NULL, "ok", "the default is every origin"},
	{ORIGINS("'*'"), "a.com", "null", "GET", NULL, "ok", "in so many words"},
	{ORIGINS("'https://x.org'"), "a.com", "https://x.org", "GET", NULL, "ok", "this one"},
	{ORIGINS("'https://x.org/'"), "a.com", "https://X.org", "GET", NULL, "ok",
		"a slash at the end, and case, do not matter"},
	{ORIGINS("'https://x.org'"), "a.com", "https://y.org", "GET", NULL, "origin", "another"},
	{ORIGINS("'https://x.org'"), "a.com", "http://x.org", "GET", NULL, "origin",
		"another scheme"},
	{ORIGINS("'https://x.org'"), "a.com", "https://x.org:8443", "GET", NULL, "origin",
		"another port"},
	{PATTERNS("'*'"), "a.com", "https://any.org:1", "GET", NULL, "ok", "a star alone"},
	{PATTERNS("'http://*.x.org'"), "a.com", "http://a.b.x.org", "GET", NULL, "ok", "a domain"},
	{PATTERNS("'http://*.x.org'"), "a.com", "http://x.org", "GET", NULL, "origin",
		"with its dot"},
	{PATTERNS("'http://*.x.org'"), "a.com", "http://a.x.org.evil.org", "GET", NULL, "origin",
		"the pattern is for the whole origin"},
	{PATTERNS("'http://*.x.org'"), "a.com", "http://a.x.org:81", "GET", NULL, "origin",
		"without a port it is for none"},
	{PATTERNS("'http://*.x.org:[8080,9090]'"), "a.com", "http://a.x.org:9090", "GET", NULL,
		"ok", "a port of the list"},
	{PATTERNS("'http://*.x.org:[8080,9090]'"), "a.com", "http://a.x.org:908", "GET", NULL,
		"origin", "not a part of one"},
	{PATTERNS("'http://*.x.org:[8080,9090]'"), "a.com", "http://a.x.org", "GET", NULL, "origin",
		"nor none"},
	{PATTERNS("'http://*.x.org:[*]'"), "a.com", "http://a.x.org:1", "GET", NULL, "ok",
		"any port"},
	{PATTERNS("'http://*.x.org:[*]'"), "a.com", "http://a.x.org", "GET", NULL, "ok", "or none"},
	{PATTERNS("'http://a*b*c.org'"), "a.com", "http://axbybzc.org", "GET", NULL, "ok",
		"stars that have to be tried again"},
	{PATTERNS("'http://a*b*c.org'"), "a.com", "http://axbybz.org", "GET", NULL, "origin",
		"in vain"},
	{DEFAULT("{allow_origins: ['https://x.org'], allow_origin_patterns: ['https://*.y.org']}"),
		"a.com", "https://a.y.org", "GET", NULL, "ok", "of either list"},
	{DEFAULT("{}"), "a.com", "https://x.org", "PUT", NULL, "ok", "a usual method"},
	{DEFAULT("{}"), "a.com", "https://x.org", "PROPFIND", NULL, "method", "an unusual one"},
	{DEFAULT("{allow_methods: [get, POST]}"), "a.com", "https://x.org", "GET", NULL, "ok",
		"methods of a list, in any case"},
	{DEFAULT("{allow_methods: [get, POST]}"), "a.com", "https://x.org", "PUT", NULL, "method",
		"not in the list"},
	{DEFAULT("{allow_methods: ['*']}"), "a.com", "https://x.org", "PROPFIND", NULL, "ok",
		"all methods"},
	{DEFAULT("{}"), "a.com", "https://x.org", "GET", "content-type, authorization", "ok",
		"usual headers"},
	{DEFAULT("{}"), "a.com", "https://x.org", "GET", "content-type,x-mine", "headers",
		"one that is not"},
	{DEFAULT("{allow_headers: [X-Mine]}"), "a.com", "https://x.org", "GET", "x-mine", "ok",
		"one of the list"},
	{DEFAULT("{allow_headers: [X-Mine, '*']}"), "a.com", "https://x.org", "GET", "x-other",
		"ok", "a star makes it all"},
	{DEFAULT("{allow_credentials: true}"), "a.com", "https://x.org", "GET", NULL, "origin",
		"with credentials, origins must be named"},
	/* scopes */
	{RULES(RULE("ingress: [r]", "{allow_origins: ['https://x.org']}")), "a.com",
		"https://y.org", "GET", NULL, "origin", "a route"},
	{RULES(RULE("ingress: [r]", "{allow_origins: ['https://x.org']}")), "b.com",
		"https://y.org", "GET", NULL, "none", "another route"},
	{RULES(RULE("ingress: [r]", "{_disable_: true}")), "a.com", "https://y.org", "GET", NULL,
		"none", "switched off"},
	{RULES(RULE("domain: [a.com]", "{allow_origins: ['https://x.org']}")), "a.com",
		"https://x.org", "GET", NULL, "ok", "a domain"},
	{RULES(RULE("domain: [b.com]", "{allow_origins: ['https://x.org']}")), "b.com",
		"https://y.org", "GET", NULL, "origin", "one of those of a route for every host"},
	{RULES(RULE("domain: [b.com]", "{allow_origins: ['https://x.org']}")), "c.com",
		"https://y.org", "GET", NULL, "none", "another of those"},
	{TWO_OFF, "x.p.com", "https://y.org", "GET", NULL, "none", "switched off for one host"},
	{TWO_OFF, "x.q.com", "https://y.org", "GET", NULL, "none", "and for another route's"},
	{TWO_OFF, "y.q.com", "https://y.org", "GET", NULL, "origin", "but not for all of them"},
	{RULES(RULE("service: [up.static]", "{allow_origins: ['https://x.org']}")), "a.com",
		"https://y.org", "GET", NULL, "origin", "a service"},
	{RULES(RULE("service: [else.static]", "{}")), "a.com", "https://y.org", "GET", NULL, "none",
		"another service"},
	{DEFAULT("{allow_origins: ['https://x.org']}"), "own.com", "https://own.org", "GET", NULL,
		"origin", "the plugin goes before annotations"},
	{RULES(RULE("ingress: [r]", "{}")), "own.com", "https://own.org", "GET", NULL, "mild",
		"which hold where it says nothing"},
	{RULES("  - {config: {}}\n"), "a.com", "https://x.org", "GET", NULL, "none",
		"a plugin that cannot be loaded"},
};

static struct plan *make(struct world *w, const char *plugin)
{
	world_init(w);
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add(w, "wasmplugins/cors-2.0.2.yaml", plugin);
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		world_add_ingress(w, &routes[i]);
	}
	return world_plan(w, &no_types);
}

static const char *judge(const struct plan *p, const struct row *r)
{
	static const char *const verdicts[] = {"ok", "origin", "method", "headers"};
	const struct cors *c =
		cors_for(world_route(p, r->host, "/", METHOD_GET)->cors, bytes_str(r->host));

	if (c == NULL) {
		return "none";
	}
	return !c->refuses ? "mild"
			   : verdicts[cors_judge(c, bytes_str(r->origin), bytes_str(r->method),
				     bytes_str(r->fields))];
}

static void pages_ask(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct plan *p = make(&w, rows[i].plugin);
		const char *got = judge(p, &rows[i]);

		if (strcmp(got, rows[i].gets) != 0) {
			world_print(&p->findings);
			fail_msg("%s: got %s", rows[i].reason, got);
		}
		plan_free(p);
		world_done(&w);
	}
}

static const struct {
	const char *config;
	const char *methods, *headers, *expose, *max_age;
	bool credentials, any_origin;
	size_t n_findings;
	const char *reason;
} policies[] = {
	{"{}", CORS_METHODS, CORS_HEADERS, "", CORS_MAX_AGE, false, true, 0, "the defaults"},
	{"{allow_methods: [GET, POST], allow_headers: [A, B], expose_headers: [C, ' D '], max_age: 60}",
		"GET,POST", "A,B", "C,D", "60", false, true, 0, "all of them said"},
	{"{allow_methods: ['*'], allow_headers: ['*'], expose_headers: ['*'], max_age: 0}", "*",
		"*", "*", CORS_MAX_AGE, false, true, 0, "all of all, and no age"},
	{"{allow_origin_patterns: ['*'], allow_credentials: true}", CORS_METHODS, CORS_HEADERS, "",
		CORS_MAX_AGE, true, false, 0, "credentials for all, as it is to be written"},
	{"{allow_origins: ['*'], allow_credentials: true}", CORS_METHODS, CORS_HEADERS, "",
		CORS_MAX_AGE, false, true, 1, "browsers take no star with credentials"},
	{"{allow_credentials: true}", CORS_METHODS, CORS_HEADERS, "", CORS_MAX_AGE, true, false, 1,
		"credentials for nobody"},
	{"{allow_credentials: perhaps}", CORS_METHODS, CORS_HEADERS, "", CORS_MAX_AGE, false, true,
		1, "no boolean allows nothing"},
	{"{max_age: soon}", CORS_METHODS, CORS_HEADERS, "", CORS_MAX_AGE, false, true, 1,
		"no number"},
	{"{allow_methods: GET}", CORS_METHODS, CORS_HEADERS, "", CORS_MAX_AGE, false, true, 1,
		"no list"},
	{"{allow_headers: [\"a\\r\\nb\", [c], d]}", CORS_METHODS, "d", "", CORS_MAX_AGE, false,
		true, 2, "entries that no header can hold"},
};

static void policies_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		char plugin[1024];
		const struct cors *c;
		struct world w;
		struct plan *p;
		struct text t;

		text_init_fixed(&t, plugin, sizeof(plugin));
		text_addf(&t, WORLD_PLUGIN("cors", "  defaultConfig: %s\n"), policies[i].config);
		p = make(&w, text_cstr(&t));
		c = world_route(p, "a.com", "/", METHOD_GET)->cors;
		if (!bytes_eq(c->methods, bytes_str(policies[i].methods)) ||
			!bytes_eq(c->headers, bytes_str(policies[i].headers)) ||
			!bytes_eq(c->expose, bytes_str(policies[i].expose)) ||
			!bytes_eq(c->max_age, bytes_str(policies[i].max_age)) ||
			c->credentials != policies[i].credentials ||
			c->any_origin != policies[i].any_origin ||
			p->findings.n != policies[i].n_findings) {
			world_print(&p->findings);
			fail_msg("%s", policies[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

static void pages_of_the_host(void **state)
{
	static const struct {
		const char *origin, *authority;
		bool own;
	} pages[] = {
		{"https://a.com", "a.com", true},
		{"https://a.com", "a.com:443", true},
		{"https://a.com:8443", "a.com:8443", true},
		{"https://a.com:8443", "a.com", false},
		{"http://A.com", "a.COM:80", true},
		{"http://a.com", "a.com:443", false},
		{"https://b.com", "a.com", false},
		{"null", "null", false},
		{"https://", "", true},
		{"", "", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (cors_is_own(bytes_str(pages[i].origin), bytes_str(pages[i].authority)) !=
			pages[i].own) {
			fail_msg("%s asks %s", pages[i].origin, pages[i].authority);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_ask),
		cmocka_unit_test(policies_are_read),
		cmocka_unit_test(pages_of_the_host),
	};

	return cmocka_run_group_tests_name("plan/cors_rules", tests, NULL, NULL);
}
