/*
 * request-block, through a whole plan: configuration, scope, and what is refused of a request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/blocking.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define DEFAULT(config) WORLD_PLUGIN("request-block", "  defaultConfig: " config "\n")
#define RULES(rules) \
	WORLD_PLUGIN("request-block", "  defaultConfigDisable: true\n  matchRules:\n" rules)
#define RULE(scope, config) "  - {" scope ", config: " config "}\n"

/* Route r is for a.com, wide for every host; both lead to up.static, two of them to other.static as well. */
static const struct world_ingress routes[] = {
	{.name = "r", .host = "a.com", .path = "/"},
	{.name = "two",
		.host = "two.com",
		.path = "/",
		.destination = "|\n      60% up.static:80\n      40% other.static:81"},
	{.name = "wide", .path = "/"},
};

#define LONG_10 "q=abcdefg&"
#define LONG_100 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10 LONG_10
#define LONG_1000 \
	LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100 LONG_100

static const struct row {
	const char *plugin;
	const char *host, *target;
	const char *header; /* "name: value", or NULL */
	const char *gets;   /* the reason, with the status before it; "pass" */
	const char *reason;
} rows[] = {
	{DEFAULT("{block_urls: [swagger.html]}"), "a.com", "/x/swagger.html", NULL,
		"403 request-block.url_blocked.keyword", "a part of the path"},
	{DEFAULT("{block_urls: [foo=bar]}"), "a.com", "/x?foo=bar", NULL,
		"403 request-block.url_blocked.keyword", "a part of the query"},
	{DEFAULT("{block_urls: ['html?foo']}"), "a.com", "/x.html?foo=bar", NULL,
		"403 request-block.url_blocked.keyword", "path and query are one text"},
	{DEFAULT("{block_urls: [swagger.html]}"), "a.com", "/x/Swagger.html", NULL, "pass",
		"case counts, unless told otherwise"},
	{DEFAULT("{block_urls: [swagger.html], case_sensitive: false}"), "a.com", "/x/SWAGGER.html",
		NULL, "403 request-block.url_blocked.keyword", "case does not count"},
	{DEFAULT("{block_urls: [SWAGGER.html], case_sensitive: 'false'}"), "a.com",
		"/x/swagger.HTML", NULL, "403 request-block.url_blocked.keyword",
		"nor in the configuration; a quoted word is understood"},
	{DEFAULT("{block_urls: [other]}"), "a.com", "/x", NULL, "pass", "another text"},
	{DEFAULT("{block_urls: [a.com]}"), "a.com", "/x", NULL, "pass",
		"the host is no part of it"},
	{DEFAULT("{block_urls: ['/a b']}"), "a.com", "/a%20b", NULL, "pass",
		"compared as it was sent"},
	{DEFAULT("{block_exact_urls: [/admin]}"), "a.com", "/admin", NULL,
		"403 request-block.url_blocked.exact", "exactly that"},
	{DEFAULT("{block_exact_urls: [/admin]}"), "a.com", "/admin?x", NULL, "pass",
		"with a query it is another one"},
	{DEFAULT("{block_exact_urls: [/admin]}"), "a.com", "/administrator", NULL, "pass",
		"a longer one"},
	{DEFAULT("{block_exact_urls: [/Admin], case_sensitive: false}"), "a.com", "/aDMIN", NULL,
		"403 request-block.url_blocked.exact", "without case"},
	{DEFAULT("{block_exact_urls: [/x], block_urls: [x]}"), "a.com", "/x", NULL,
		"403 request-block.url_blocked.exact", "exact ones are asked first"},
	{DEFAULT("{block_regexp_urls: ['/api/v\\d+/blocked']}"), "a.com", "/q/api/v12/blocked/x",
		NULL, "403 request-block.url_blocked.regexp", "anywhere in the address"},
	{DEFAULT("{block_regexp_urls: ['^/api/v\\d+$']}"), "a.com", "/q/api/v1", NULL, "pass",
		"unless it says where"},
	{DEFAULT("{block_regexp_urls: ['^/API/V\\D+$'], case_sensitive: false}"), "a.com",
		"/api/vx", NULL, "403 request-block.url_blocked.regexp",
		"without case, and classes stay what they are"},
	{DEFAULT("{block_regexp_urls: ['^(a+)+$', '(x+x+)+[yz]'], case_sensitive: false}"), "a.com",
		"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL,
		"403 request-block.url_blocked.regexp",
		"a search that had to be given up has not shown that it may pass"},
	{DEFAULT("{block_headers: [example-key]}"), "a.com", "/", "Example-Key: 123",
		"403 request-block.header_blocked", "a name, which has no case"},
	{DEFAULT("{block_headers: [Example-Key]}"), "a.com", "/", "Example-Key: 123", "pass",
		"names are in lower case, as Higress sees them"},
	{DEFAULT("{block_headers: [Example-Key], case_sensitive: false}"), "a.com", "/",
		"example-key: 123", "403 request-block.header_blocked", "without case"},
	{DEFAULT("{block_headers: [example-value]}"), "a.com", "/", "my-header: an example-value!",
		"403 request-block.header_blocked", "a part of a value"},
	{DEFAULT("{block_headers: [example-value]}"), "a.com", "/", "my-header: Example-Value",
		"pass", "values have a case"},
	{DEFAULT("{block_headers: ['my-header: x']}"), "a.com", "/", "my-header: x", "pass",
		"names and values are compared one by one"},
	{DEFAULT("{block_headers: [host]}"), "a.com", "/", NULL, "pass",
		"the name of Host, which every request has, is none"},
	{DEFAULT("{block_headers: [a.com]}"), "a.com", "/", NULL,
		"403 request-block.header_blocked", "its value is"},
	{DEFAULT("{block_headers: [abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz]}"),
		"a.com", "/",
		"X-ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-Z: 1",
		"403 request-block.header_blocked", "a name that is lowered in pieces"},
	{DEFAULT("{block_urls: [x], blocked_code: 404}"), "a.com", "/x", NULL,
		"404 request-block.url_blocked.keyword", "a status of its own"},
	{DEFAULT("{block_urls: [x], blocked_code: '429'}"), "a.com", "/x", NULL,
		"429 request-block.url_blocked.keyword", "as a text"},
	{DEFAULT("{block_urls: [x], blocked_code: 999}"), "a.com", "/x", NULL,
		"403 request-block.url_blocked.keyword", "one that is none: the default"},
	{DEFAULT("{block_urls: ['', null, 5]}"), "a.com", "/a5", NULL,
		"403 request-block.url_blocked.keyword", "a number is its text"},
	{DEFAULT("{block_urls: ['', null]}"), "a.com", "/a", NULL, "pass",
		"empty texts would be in every address"},
	{DEFAULT("{block_bodies: [x]}"), "a.com", "/x", NULL, "pass", "not the address"},
	{DEFAULT("{block_regexp_urls: ['.*swagger.*', '^.*\\.php$', '.*?druid']}"), "a.com",
		"/x?" LONG_1000 LONG_1000, NULL, "pass",
		"a long address, and expressions that begin anywhere"},
	{DEFAULT("{block_regexp_urls: ['^.*\\.php$']}"), "a.com", "/x?" LONG_1000 ".php", NULL,
		"403 request-block.url_blocked.regexp", "its end"},
	{DEFAULT("{block_regexp_urls: ['.*+x']}"), "a.com", "/x", NULL, "pass",
		"nothing is behind what gives nothing back"},
	{DEFAULT("{block_regexp_urls: ['union.*select.*from']}"), "a.com",
		"/x?union" LONG_1000 LONG_1000, NULL, "pass", "long, with a part of it"},
	{DEFAULT("{block_regexp_urls: ['(']}"), "a.com", "/x", NULL, "503 config.invalid",
		"what it was meant to refuse is not let pass"},
	{DEFAULT("{block_urls: x}"), "a.com", "/x", NULL, "503 config.invalid", "no list"},
	{DEFAULT("{block_urls: [[x]]}"), "a.com", "/x", NULL, "503 config.invalid", "no text"},
	{DEFAULT("{block_urls: [x], blocked_message: [x]}"), "a.com", "/", NULL,
		"503 config.invalid", "a message that is none"},
	{DEFAULT("{block_urls: [x], case_sensitive: perhaps}"), "a.com", "/", NULL,
		"503 config.invalid", "neither true nor false"},
	/* scopes */
	{RULES(RULE("ingress: [r]", "{block_urls: [x]}")), "a.com", "/x", NULL,
		"403 request-block.url_blocked.keyword", "a route"},
	{RULES(RULE("ingress: [r]", "{block_urls: [x]}")), "b.com", "/x", NULL, "pass",
		"another route"},
	{RULES(RULE("ingress: [r]", "{block_urls: [x], _disable_: true}")), "a.com", "/x", NULL,
		"pass", "switched off"},
	{RULES(RULE("ingress: [r], configDisable: true", "{block_urls: [x]}")), "a.com", "/x", NULL,
		"pass", "left out"},
	{WORLD_PLUGIN("request-block",
		 "  defaultConfig: {block_urls: [x]}\n  matchRules:\n" RULE(
			 "ingress: [r]", "{block_urls: [y]}")),
		"a.com", "/x", NULL, "pass", "a rule stands in place of the default"},
	{WORLD_PLUGIN("request-block",
		 "  defaultConfig: {block_urls: [x]}\n  matchRules:\n" RULE(
			 "ingress: [r]", "{block_urls: [y]}")),
		"b.com", "/x", NULL, "403 request-block.url_blocked.keyword",
		"which holds where no rule does"},
	{WORLD_PLUGIN("request-block",
		 "  defaultConfig: {block_urls: [x]}\n  defaultConfigDisable: true\n"),
		"a.com", "/x", NULL, "pass", "a default that is switched off"},
	{RULES(RULE("domain: [a.com]", "{block_urls: [x]}")), "a.com", "/x", NULL,
		"403 request-block.url_blocked.keyword", "a domain"},
	{RULES(RULE("domain: ['*.com']", "{block_urls: [x]}")), "a.com", "/x", NULL,
		"403 request-block.url_blocked.keyword", "domains"},
	{RULES(RULE("domain: [b.com]", "{block_urls: [x]}")), "b.com", "/x", NULL,
		"403 request-block.url_blocked.keyword",
		"a domain of a route for every host: the request says"},
	{RULES(RULE("domain: [b.com]", "{block_urls: [x]}")), "B.com", "/x", NULL,
		"403 request-block.url_blocked.keyword", "hosts have no case"},
	{RULES(RULE("domain: [b.com]", "{block_urls: [x]}")), "c.com", "/x", NULL, "pass",
		"another host of that route"},
	{RULES(RULE("domain: [b.com]", "{block_urls: [x]}")
			 RULE("domain: ['*.com']", "{block_urls: [y]}")),
		"b.com", "/y", NULL, "pass", "the first that matches, not all"},
	{RULES(RULE("domain: [b.com]", "{block_urls: [x]}")
			 RULE("domain: ['*.com']", "{block_urls: [y]}")),
		"c.com", "/y", NULL, "403 request-block.url_blocked.keyword", "the second one"},
	{RULES(RULE("ingress: [r]", "{block_urls: [x]}")
			 RULE("domain: [a.com]", "{block_urls: [y]}")),
		"a.com", "/y", NULL, "pass", "in the order of the file"},
	{RULES(RULE("service: [up.static]", "{block_urls: [x]}")), "a.com", "/x", NULL,
		"403 request-block.url_blocked.keyword", "a service"},
	{RULES(RULE("service: ['up.static:80']", "{block_urls: [x]}")), "a.com", "/x", NULL,
		"403 request-block.url_blocked.keyword", "with its port"},
	{RULES(RULE("service: [other.static]", "{block_urls: [x]}")), "a.com", "/x", NULL, "pass",
		"of another route"},
	{RULES(RULE("service: [other.static]", "{block_urls: [x]}")), "two.com", "/x", NULL,
		"403 request-block.url_blocked.keyword",
		"one of two: which is asked is not known yet"},
	{RULES(RULE("service: [up.static]", "{block_urls: [x]}")
			 RULE("service: [other.static]", "{block_urls: [y]}")),
		"two.com", "/y", NULL, "403 request-block.url_blocked.keyword",
		"rules of all services hold"},
	{RULES("  - {config: {block_urls: [x]}}\n"), "a.com", "/y", NULL, "503 config.invalid",
		"a rule that may be for any route"},
};

struct request {
	struct bytes names[2], values[2];
};

static void field(const void *of, size_t i, struct bytes *name, struct bytes *value)
{
	const struct request *rq = of;

	*name = rq->names[i];
	*value = rq->values[i];
}

static struct plan *make(struct world *w, const char *const *plugins, size_t n);

/* GET http://bad.com/ HTTP/1.1 with "Host: a.com": the second is what is sent, the first what counts. */
static void the_host_of_an_absolute_target_is_a_header(void **state)
{
	static const char plugin[] = DEFAULT("{block_headers: [bad.com]}");
	const char *const plugins[] = {plugin};
	const struct blocking *whose = NULL;
	struct world w;
	struct plan *p = make(&w, plugins, 1);
	const struct route *route = world_route(p, "bad.com", "/", METHOD_GET);
	struct request rq = {{BYTES("Host")}, {BYTES("a.com")}};
	struct blocking_head h = {BYTES("bad.com"), BYTES("/"), 1, field, &rq};

	(void)state;
	assert_int_equal(blocking_judge(route->blocking, &h, &whose), BLOCKING_HEADER);
	h.host = BYTES("a.com");
	assert_int_equal(blocking_judge(route->blocking, &h, &whose), BLOCKING_NOT);
	plan_free(p);
	world_done(&w);
}

static void judge(const struct plan *p, const struct row *r, struct text *out)
{
	const struct route *route = world_route(p, r->host, "/", METHOD_GET);
	struct request rq = {{BYTES("Host")}, {bytes_str(r->host)}};
	struct blocking_head h = {bytes_str(r->host), bytes_str(r->target), 1, field, &rq};
	const struct blocking *whose = NULL;
	enum blocking_by by = BLOCKING_NOT;

	if (r->header != NULL) {
		struct bytes rest = bytes_str(r->header);

		rq.names[1] = bytes_cut(&rest, ':');
		rq.values[1] = bytes_trim(rest);
		h.n_fields = 2;
	}
	assert_non_null(route);
	assert_true(p->has_blocking || route->blocking == NULL);
	if (route->blocking != NULL) {
		by = blocking_judge(route->blocking, &h, &whose);
	}
	if (by == BLOCKING_NOT) {
		text_add_str(out, "pass");
	} else {
		text_addf(out, "%u %s", blocking_status(whose, by), blocking_reason(by));
	}
}

static struct plan *make(struct world *w, const char *const *plugins, size_t n)
{
	world_init(w);
	world_add(w, "mcpbridges/default.yaml",
		WORLD_REGISTRIES(WORLD_UP
			"  - {name: other, type: static, domain: '127.0.0.1:9001', port: 81}\n"));
	for (size_t i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "wasmplugins/request-block-%zu.yaml", i);
		world_add(w, name, plugins[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		world_add_ingress(w, &routes[i]);
	}
	return world_plan(w, &no_types);
}

static void requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct world w;
		struct plan *p = make(&w, &r->plugin, 1);
		struct text t;

		text_init(&t, 4096);
		judge(p, r, &t);
		if (strcmp(text_cstr(&t), r->gets) != 0) {
			world_print(&p->findings);
			fail_msg("%s: got %s", r->reason, text_cstr(&t));
		}
		text_done(&t);
		plan_free(p);
		world_done(&w);
	}
}

/* --- what is said ------------------------------------------------------------------------------- */

static const struct said {
	const char *plugin;
	const char *code; /* NULL: nothing is said */
	unsigned line, column;
	const char *reason;
} said[] = {
	{DEFAULT("{block_urls: [x]}"), NULL, 0, 0, "a configuration like others"},
	{DEFAULT("{block_urls: [x], block_regexp_urls: ['a(']}"), "request-block-invalid", 7, 56,
		"no expression"},
	{DEFAULT("{block_urls: x}"), "request-block-invalid", 7, 31, "no list"},
	{DEFAULT("{block_urls: [{a: b}]}"), "request-block-invalid", 7, 32, "no text"},
	{DEFAULT("{block_urls: [x], case_sensitive: 2}"), "request-block-invalid", 7, 52,
		"no switch"},
	{DEFAULT("{block_urls: [x], blocked_code: 199}"), "request-block-code", 7, 50,
		"a status that is none"},
	{DEFAULT("{block_urls: [x], blocked_code: 600}"), "request-block-code", 7, 50,
		"nor is that"},
	{DEFAULT("{block_urls: [x], blocked_code: 599}"), NULL, 0, 0, "the last one"},
	{DEFAULT("{block_urls: [x], blocked_code: 200}"), NULL, 0, 0, "the first one"},
	{DEFAULT("{block_urls: []}"), "request-block-empty", 7, 18, "refuses nothing"},
	{DEFAULT("{blocked_code: 404}"), "request-block-empty", 7, 18, "nor does that"},
	{DEFAULT("{}"), NULL, 0, 0, "an empty default beside rules is how they are written"},
	{RULES(RULE("ingress: [r]", "{blocked_code: 404}")), "request-block-empty", 9, 5, "a rule"},
	{RULES(RULE("ingress: [none]", "{block_regexp_urls: ['(']}")), "request-block-invalid", 9,
		52, "a rule that no route has is read as well"},
	{DEFAULT("{block_bodies: [x]}"), "request-block-bodies", 7, 34,
		"what becomes of large bodies"},
	{DEFAULT("{block_bodys: [x]}"), "request-block-bodies", 7, 33, "the old spelling"},
};

static void findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		const struct said *s = &said[i];
		struct world w;
		struct plan *p = make(&w, &s->plugin, 1);
		const struct finding *f = NULL;

		for (const struct finding *at = p->findings.first; at != NULL; at = at->next) {
			f = bytes_starts(bytes_str(at->code), BYTES("request-block")) ? at : f;
		}
		if ((f == NULL) != (s->code == NULL) ||
			(f != NULL &&
				(strcmp(f->code, s->code) != 0 || f->line != s->line ||
					f->column != s->column))) {
			world_print(&p->findings);
			fail_msg("%s: wrong finding", s->reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* Two WasmPlugins of it are two filters in Higress: both hold. */
static void two_plugins(void **state)
{
	static const char *const both[] = {
		DEFAULT("{block_urls: [x]}"), DEFAULT("{block_urls: [y], blocked_code: 404}")};
	struct world w;
	struct plan *p = make(&w, both, 2);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct row r = {"", "a.com", i == 0 ? "/x" : "/y", NULL, NULL, NULL};
		struct text t;

		text_init(&t, 4096);
		judge(p, &r, &t);
		assert_string_equal(text_cstr(&t),
			i == 0 ? "403 request-block.url_blocked.keyword"
			       : "404 request-block.url_blocked.keyword");
		text_done(&t);
	}
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(the_host_of_an_absolute_target_is_a_header),
		cmocka_unit_test(findings),
		cmocka_unit_test(two_plugins),
	};

	return cmocka_run_group_tests_name("plan/blocking", tests, NULL, NULL);
}
