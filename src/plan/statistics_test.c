/*
 * Configurations of ai-statistics: what a route asks for, and what is said about the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/statistics.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define RULE(config)                                            \
	WORLD_PLUGIN("ai-statistics",                           \
		"  defaultConfigDisable: true\n  matchRules:\n" \
		"  - ingress: [r]\n    config: " config "\n")
#define ONE(attribute) RULE("{attributes: [{" attribute "}]}")

static const struct row {
	const char *plugin; /* NULL: none */
	const char *asks;   /* what the route asks for; NULL: nothing at all */
	const char *code;   /* of a finding; NULL: none of the plugin */
	const char *reason;
} rows[] = {
	{NULL, NULL, NULL, "no plugin"},
	{RULE("{use_default_response_attributes: true}"), "max=4000 ", NULL, "what Console writes"},
	{RULE("{}"), "max=4000 ", NULL, "the session is asked for all the same"},
	{WORLD_PLUGIN("ai-statistics", "  defaultConfig: {disable_openai_usage: true}\n"),
		"max=4000 no-usage ", NULL, "the default configuration holds for all routes"},
	{WORLD_PLUGIN("ai-statistics",
		 "  defaultConfigDisable: true\n  matchRules:\n"
		 "  - {ingress: [r], config: {_disable_: true}}\n"),
		NULL, NULL, "switched off by its rule"},
	{ONE("key: a, value_source: fixed_value, value: v, apply_to_log: true"),
		"max=4000 a=fixed:v ", NULL, "a fixed value"},
	{ONE("key: a, value_source: fixed_value, value: 5, apply_to_log: true"),
		"max=4000 a=fixed:5 ", NULL, "a number is its text"},
	{ONE("key: a, value_source: request_header, value: X-A, default_value: d, "
	     "apply_to_log: true"),
		"max=4000 a=request:x-a/d ", NULL, "a header, in lower case, with a default"},
	{ONE("key: a, value_source: response_header, value: X-A, apply_to_log: true"),
		"max=4000 a=response:x-a ", NULL, "one of the answer"},
	{ONE("key: a, value_source: fixed_value, value: v"), "max=4000 ", NULL, "not for the log"},
	{ONE("key: a, value_source: request_header, value: Authorization, apply_to_log: true"),
		"max=4000 ", "statistics-secret", "a credential"},
	{ONE("key: a, value_source: response_header, value: Set-Cookie, apply_to_log: true"),
		"max=4000 ", "statistics-secret", "a cookie"},
	{ONE("key: a, value_source: request_header, value: x-team-token, apply_to_log: true"),
		"max=4000 ", "statistics-secret", "a token by its name"},
	{ONE("key: a, value_source: response_header, value: x-ratelimit-remaining-tokens, "
	     "apply_to_log: true"),
		"max=4000 a=response:x-ratelimit-remaining-tokens ", NULL,
		"but not a count of them"},
	{ONE("key: a, value_source: request_header, value: X-Team, apply_to_log: true"),
		"max=4000 ", "statistics-secret", "where a consumer's credential stands"},
	{ONE("key: a, value_source: request_header, apply_to_log: true"), "max=4000 ",
		"statistics-secret", "no header"},
	{ONE("key: question, value_source: request_body, value: messages.0, apply_to_log: true"),
		"max=4000 ", "statistics-not-evaluated", "a body"},
	{ONE("key: a, value_source: response_streaming_body, rule: append, value: x"), "max=4000 ",
		"statistics-not-evaluated", "a stream"},
	{ONE("key: a, value_source: response_streaming_body, rule: last, value: x"), "max=4000 ",
		"statistics-attribute", "a rule that is none"},
	{ONE("key: a, value_source: cookie, value: x"), "max=4000 ", "statistics-attribute",
		"a source that is none"},
	{ONE("key: question, apply_to_log: true"), "max=4000 ", "statistics-text",
		"the text of a prompt"},
	{ONE("key: cached_tokens, apply_to_log: true"), "max=4000 ", NULL,
		"stands in the line anyway"},
	{RULE("{use_default_attributes: true}"), "max=4000 ", "statistics-text",
		"texts by default"},
	{ONE("value_source: fixed_value, value: v, apply_to_log: true"), "max=4000 ",
		"statistics-attribute", "no key"},
	{RULE("{attributes: [a]}"), "max=4000 ", "statistics-attribute", "no attribute"},
	{RULE("{attributes: {a: b}}"), "max=4000 ", "list-expected", "no list"},
	{RULE("{value_length_limit: 10}"), "max=10 ", NULL, "shorter values"},
	{RULE("{value_length_limit: 10485760}"), "max=4000 ", NULL, "a line has an end"},
	{RULE("{session_id_header: X-Session}"), "max=4000 session=x-session ", NULL, "its header"},
	{RULE("{session_id_header: Cookie}"), "max=4000 ", "statistics-secret", "not a secret one"},
	{RULE("{session_id_header: X-Team}"), "max=4000 ", "statistics-secret", "nor a consumer's"},
	{RULE("{enable_path_suffixes: [/completions]}"), "max=4000 ", NULL, "the path ends so"},
	{RULE("{enable_path_suffixes: [/messages]}"), "max=4000 not-here ", NULL, "it does not"},
	{RULE("{enable_path_suffixes: [/messages, '*']}"), "max=4000 ", NULL, "every path"},
};

static void describe(struct text *t, const struct statistics *s)
{
	static const char *const sources[] = {"fixed", "request", "response"};

	text_addf(t, "max=%zu ", s->value_max);
	if (s->session_header.n != 0) {
		text_addf(t, "session=" BYTES_FMT " ", BYTES_ARG(s->session_header));
	}
	text_add_str(t, s->no_usage ? "no-usage " : "");
	text_add_str(t, statistics_means(s, BYTES("/v1/chat/completions")) ? "" : "not-here ");
	for (size_t i = 0; i < s->n_attributes; i++) {
		const struct statistics_attribute *a = &s->attributes[i];

		text_addf(t, BYTES_FMT "=%s:" BYTES_FMT "%s" BYTES_FMT " ", BYTES_ARG(a->key),
			sources[a->source], BYTES_ARG(a->value), a->absent.n != 0 ? "/" : "",
			BYTES_ARG(a->absent));
	}
}

static bool is_said(const struct findings *f, const char *code)
{
	if (code != NULL) {
		return world_finding(f, code) != NULL;
	}
	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		if (bytes_starts(bytes_str(at->code), BYTES("statistics-"))) {
			return false;
		}
	}
	return true;
}

static void routes_ask(void **state)
{
	static const struct world_ingress one = {.name = "r", .path = "/"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct route *route;
		struct world w;
		struct plan *p;
		struct text t;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add(&w, "wasmplugins/key-auth.internal.yaml",
			WORLD_PLUGIN("key-auth",
				"  defaultConfig:\n    global_auth: false\n    consumers:\n"
				"    - {name: c, credential: s, keys: [x-team], in_header: true}\n"));
		if (r->plugin != NULL) {
			world_add(&w, "wasmplugins/ai-statistics-2.0.1.yaml", r->plugin);
		}
		world_add_ingress(&w, &one);
		p = world_plan(&w, &no_types);
		route = world_route(p, "a.com", "/", METHOD_POST);
		text_init(&t, 4096);
		if (route->statistics != NULL) {
			describe(&t, route->statistics);
		}
		if (strcmp(text_cstr(&t), r->asks != NULL ? r->asks : "") != 0 ||
			!is_said(&p->findings, r->code)) {
			world_print(&p->findings);
			fail_msg("%s: got %s", r->reason, text_cstr(&t));
		}
		text_done(&t);
		plan_free(p);
		world_done(&w);
	}
}

/* Routes of some hosts each, and a rule that switches it off for one host of each. */
static void each_route_has_its_own_hosts(void **state)
{
	static const struct world_ingress two[] = {{.name = "p", .host = "*.p.com", .path = "/"},
		{.name = "q", .host = "*.q.com", .path = "/"}};
	static const char *const hosts[] = {"x.p.com", "x.q.com", "y.p.com", "y.q.com"};
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add(&w, "wasmplugins/ai-statistics-2.0.1.yaml",
		WORLD_PLUGIN("ai-statistics",
			"  defaultConfig: {disable_openai_usage: true}\n  matchRules:\n"
			"  - {domain: [x.p.com], config: {_disable_: true}}\n"
			"  - {domain: [x.q.com], config: {_disable_: true}}\n"));
	world_add_ingress(&w, &two[0]);
	world_add_ingress(&w, &two[1]);
	p = world_plan(&w, &no_types);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		const struct route *r = world_route(p, hosts[i], "/", METHOD_POST);
		bool asks = statistics_for(r->statistics, bytes_str(hosts[i])) != NULL;

		assert_int_equal(asks, hosts[i][0] == 'y');
	}
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_ask),
		cmocka_unit_test(each_route_has_its_own_hosts),
	};

	return cmocka_run_group_tests_name("plan/statistics", tests, NULL, NULL);
}
