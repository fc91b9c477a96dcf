/*
 * Routes by headers, query parameters and the model: higress-resources.md §5.3, §5.4, §5.7, and which
 * of several routes takes a model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/condition.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define NOTE(line) "    higress.io/" line "\n"
#define MODEL(how, value) NOTE(how "-match-header-x-higress-llm-model: '" value "'")

/* --- what a request brings ---------------------------------------------------------------------- */

/* "x-a: 1\nx-b: 2", names in lower case; several of one name as they would be joined. */
static struct bytes header_of(void *of, struct bytes name)
{
	struct bytes rest = bytes_str(of);

	while (rest.p != NULL) {
		struct bytes value = bytes_cut(&rest, '\n');
		struct bytes key = bytes_cut(&value, ':');

		if (bytes_eq(key, name)) {
			return bytes_trim(value);
		}
	}
	return (struct bytes){NULL, 0};
}

struct ask {
	const char *path, *query, *headers, *model;
};

#define ASK_MAX 40u

static const char *route_for(const struct plan *p, const struct ask *ask)
{
	static char headers[400];
	const struct route *out[ASK_MAX];
	struct route_query q = {.host = BYTES("ai.com"),
		.path = bytes_str(ask->path != NULL ? ask->path : "/v1/chat/completions"),
		.method = METHOD_POST,
		.query = bytes_str(ask->query),
		.header = header_of,
		.header_of = headers};
	struct route_model m = {.name = bytes_str(ask->model)};
	struct bytes rest = m.name;
	struct bytes vendor = bytes_cut(&rest, '/');
	const struct route *r;
	size_t n;

	m.vendor = rest.p != NULL && m.name.n != 0 ? vendor : m.vendor;
	memset(headers, 0, sizeof(headers));
	if (ask->headers != NULL) {
		memcpy(headers, ask->headers, strlen(ask->headers));
	}
	n = plan_candidates(p, &q, out, ASK_MAX);
	assert_true(n <= ASK_MAX);
	r = plan_choose(out, n, &m);
	return r != NULL ? r->name.p : NULL;
}

#define ROUTER                                             \
	WORLD_PLUGIN("model-router",                       \
		"  defaultConfig:\n"                       \
		"    modelToHeader: X-Higress-LLM-Model\n" \
		"    addProviderHeader: x-p\n"             \
		"  defaultConfigDisable: false\n")

static struct plan *plan_of(struct world *w, const struct world_ingress *v, size_t n)
{
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	for (size_t i = 0; i < n; i++) {
		world_add_ingress(w, &v[i]);
	}
	return world_plan(w, &no_types);
}

static void expect(const struct plan *p, const char *id, const struct ask *ask, const char *route,
	const char *reason)
{
	const char *got = route_for(p, ask);

	if ((got == NULL) != (route == NULL) || (got != NULL && strcmp(got, route) != 0)) {
		fail_msg("%s: %s: got %s instead of %s", id, reason, got != NULL ? got : "404",
			route != NULL ? route : "404");
	}
}

/* --- golden sets -------------------------------------------------------------------------------- */

static const struct world_ingress m3[] = {
	{.name = "R1", .host = "ai.com", .path = "/", .annotations = MODEL("prefix", "qwen-")},
	{.name = "R2",
		.host = "ai.com",
		.path = "/",
		.annotations = MODEL("exact", "deepseek-chat")},
	{.name = "R3", .host = "ai.com", .path = "/"},
	{.name = "R4", .host = "ai.com", .path = "/v1/embeddings"},
	{.name = "R5",
		.host = "ai.com",
		.path = "/v1/.*",
		.annotations = NOTE("use-regex: \"true\"") NOTE("exact-match-header-x-a: '1'")},
};

static const struct world_ingress several[] = {
	{.name = "console",
		.host = "ai.com",
		.path = "/c",
		.annotations = MODEL("regex", "^(qwen-.*|deepseek-chat|a\\.b\\|c)")},
	{.name = "by-hand",
		.host = "ai.com",
		.path = "/h",
		.annotations = MODEL("regex", "qwen-[0-9]+|gpt-4")},
	{.name = "two",
		.host = "ai.com",
		.path = "/t",
		.annotations = MODEL("prefix", "qwen-") MODEL("regex", ".*-max")},
	{.name = "slash", .host = "ai.com", .path = "/s", .annotations = MODEL("exact", "a/b")},
	{.name = "g114",
		.host = "ai.com",
		.path = "/g",
		.annotations = MODEL("regex", "^(gpt-4|qwen.*)")},
};

/* All of one host and path: only the conditions on the model differ. The order of their names is the
 * wrong one. */
static const struct world_ingress rivals[] = {
	{.name = "a-regex",
		.host = "ai.com",
		.path = "/",
		.annotations = MODEL("regex", "qwen.*x")},
	{.name = "b-pre", .host = "ai.com", .path = "/", .annotations = MODEL("prefix", "qwen")},
	{.name = "c-longer",
		.host = "ai.com",
		.path = "/",
		.annotations = MODEL("prefix", "qwen-m")},
	{.name = "d-some",
		.host = "ai.com",
		.path = "/",
		.annotations = MODEL("regex", "^(gpt-4|qwen-ma.*)")},
	{.name = "e-equal",
		.host = "ai.com",
		.path = "/",
		.annotations = MODEL("exact", "qwen-max")},
	{.name = "f-header",
		.host = "ai.com",
		.path = "/",
		.annotations = MODEL("prefix", "q") NOTE("exact-match-header-x-a: '1'")},
	{.name = "everywhere", .path = "/", .annotations = MODEL("prefix", "other")},
};

static const struct world_ingress ordinary[] = {
	{.name = "exact",
		.host = "ai.com",
		.path = "/e",
		.annotations = NOTE("exact-match-header-X-A: '1'")},
	{.name = "prefix",
		.host = "ai.com",
		.path = "/p",
		.annotations = NOTE("prefix-match-header-x-a: ab")},
	{.name = "regex",
		.host = "ai.com",
		.path = "/r",
		.annotations = NOTE("regex-match-header-x-a: a+")},
	{.name = "query",
		.host = "ai.com",
		.path = "/q",
		.annotations = NOTE("exact-match-query-q: a b")},
	{.name = "query-v",
		.host = "ai.com",
		.path = "/v",
		.annotations = NOTE("exact-match-query-v: '1'")},
	{.name = "query-p",
		.host = "ai.com",
		.path = "/w",
		.annotations = NOTE("prefix-match-query-v: ab")},
	{.name = "o-none", .host = "ai.com", .path = "/o"},
	{.name = "o-query",
		.host = "ai.com",
		.path = "/o",
		.annotations = NOTE("exact-match-query-v: '1'")},
	{.name = "o-header",
		.host = "ai.com",
		.path = "/o",
		.annotations = NOTE("exact-match-header-x-a: '1'")},
	{.name = "o-headers",
		.host = "ai.com",
		.path = "/o",
		.annotations =
			NOTE("exact-match-header-x-a: '1'") NOTE("exact-match-header-x-b: '2'")},
	{.name = "vendor",
		.host = "ai.com",
		.path = "/vendor",
		.annotations = NOTE("exact-match-header-x-p: dashscope")},
	{.name = "root-x",
		.host = "ai.com",
		.path = "/",
		.annotations = NOTE("exact-match-header-x-root: '1'")},
	{.name = "root", .host = "ai.com", .path = "/", .created = NULL},
};

#define SET(s) s, ARRAY_LEN(s)

/* Gnnn: higress-resources.md §7.5; dGnnn: data-plane.md §22.6. Elsewhere: weights and duplicates in match_test,
 * shares in spread_test, mappings (dG113) in mapping_test, automatic routing (dG111) in 337-automatic.sim,
 * JSON that is none (dG112) in 212-body-errors.sim, callers (§22.5) in auth_test. dG115, dG116 and dG125 wait
 * for several credentials and their failover, dG117 to dG120 for retries, dG121 to dG124 for fallbacks, dG126
 * beyond its 504 for retries. Of §22.5 dG107 is in 361-anthropic-native.sim. */
static const struct golden {
	const char *id;
	const struct world_ingress *set;
	size_t n;
	struct ask ask;
	const char *route; /* NULL: 404 */
	const char *reason;
} golden[] = {
	{"G107", SET(m3), {.model = "qwen-max"}, "R1", "the model begins so"},
	{"G108", SET(m3), {.model = "deepseek-chat"}, "R2", "the model is this one"},
	{"G109", SET(m3), {.model = "gpt-4o"}, "R3", "no predicate holds"},
	{"G110", SET(m3), {.path = "/v1/embeddings", .model = "qwen-embed"}, "R4",
		"a longer path beats more conditions"},
	{"G111", SET(m3), {.path = "/v1/models", .headers = "x-higress-llm-model: qwen-max"}, "R3",
		"the header of a client does not stand for the model"},
	{"G112", SET(m3), {.model = "gpt-4o", .headers = "x-a: 1"}, "R5",
		"an expression precedes the catch-all"},
	{"G113", SET(m3), {.model = "qwen-max", .headers = "x-a: 1"}, "R1",
		"any prefix precedes an expression"},
	{"G112b", SET(m3), {.path = "/v2/x", .model = "gpt-4o", .headers = "x-a: 1"}, "R3",
		"the expression does not match"},
	{"G108-equal", SET(m3), {.model = "deepseek-chat-v2"}, "R3", "EQUAL is no prefix test"},
	{"G107-case", SET(m3), {.model = "Qwen-max"}, "R3", "values are compared with case"},
	{"G109-empty", SET(m3), {.model = ""}, "R3", "no model meets no condition"},
	{"G114", SET(several), {.path = "/c", .model = "deepseek-chat-v2"}, NULL,
		"alternatives match the whole model"},
	{"G114b", SET(several), {.path = "/c", .model = "deepseek-chat"}, "console", "the same"},
	{"G114c", SET(several), {.path = "/c", .model = "qwen-max"}, "console", "a beginning"},
	{"G114d", SET(several), {.path = "/c", .model = "a.b|c"}, "console", "escapes are undone"},
	{"G114e", SET(several), {.path = "/c", .model = "axb"}, NULL, "an escaped dot is a dot"},
	{"G114f", SET(several), {.path = "/c", .model = ""}, NULL, "no model at all"},
	{"G114g", SET(several), {.path = "/h", .model = "qwen-72"}, "by-hand",
		"other expressions are evaluated"},
	{"G114h", SET(several), {.path = "/h", .model = "gpt-4o"}, NULL, "over the whole value"},
	{"two-1", SET(several), {.path = "/t", .model = "qwen-max"}, "two", "both hold"},
	{"two-2", SET(several), {.path = "/t", .model = "gpt-max"}, NULL, "only one of them holds"},
	{"dG114", SET(several), {.path = "/g", .model = "gpt-4"}, "g114", "EQUAL holds"},
	{"dG114b", SET(several), {.path = "/g", .model = "gpt-4o"}, NULL, "EQUAL is no prefix"},
	{"dG114c", SET(several), {.path = "/g", .model = "qwen-max"}, "g114", "PRE holds"},
	{"rival-1", SET(rivals), {.model = "qwen-max"}, "e-equal", "EQUAL before every PRE"},
	{"rival-2", SET(rivals), {.model = "qwen-max2"}, "d-some", "the longest alternative"},
	{"rival-3", SET(rivals), {.model = "qwen-mini"}, "c-longer", "the longer PRE"},
	{"rival-4", SET(rivals), {.model = "qwen"}, "b-pre", "the only one"},
	{"rival-5", SET(rivals), {.model = "qwenx"}, "b-pre", "a regex is the least close"},
	{"rival-6", SET(rivals), {.model = "gpt-4"}, "d-some", "an alternative that is equal"},
	{"rival-7", SET(rivals), {.model = "qwen-max", .headers = "x-a: 1"}, "f-header",
		"more headers come first, whatever the model says"},
	{"rival-8", SET(rivals), {.model = "other-1"}, "everywhere", "then wider hosts"},
	{"rival-9", SET(rivals), {.model = "gpt-4o"}, NULL, "no route takes the model"},
	{"header-1", SET(ordinary), {.path = "/e", .headers = "x-a: 1"}, "exact", "equal"},
	{"header-2", SET(ordinary), {.path = "/e", .headers = "x-a: 12"}, "root",
		"not equal: the next path of the host is asked"},
	{"G106c", SET(ordinary), {.path = "/e", .headers = "x-a: 1,1"}, "root",
		"several fields are one value"},
	{"header-4", SET(ordinary), {.path = "/p", .headers = "x-a: abc"}, "prefix", "begins so"},
	{"header-5", SET(ordinary), {.path = "/p", .headers = "x-a: xab"}, "root", "does not"},
	{"header-6", SET(ordinary), {.path = "/r", .headers = "x-a: aaa"}, "regex", "whole"},
	{"header-7", SET(ordinary), {.path = "/r", .headers = "x-a: aab"}, "root", "not whole"},
	{"header-8", SET(ordinary), {.path = "/r"}, "root", "a missing header never matches"},
	{"G106a", SET(ordinary), {.path = "/q", .query = "q=a%20b"}, "root", "compared as sent"},
	{"G106b", SET(ordinary), {.path = "/v", .query = "v=1&v=2"}, "query-v", "the first counts"},
	{"G106b2", SET(ordinary), {.path = "/v", .query = "v=2&v=1"}, "root", "the first counts"},
	{"query-1", SET(ordinary), {.path = "/w", .query = "a&v=abc"}, "query-p", "begins so"},
	{"query-2", SET(ordinary), {.path = "/w", .query = "V=abc"}, "root", "names have case"},
	{"order-1", SET(ordinary), {.path = "/o", .query = "v=1", .headers = "x-a: 1\nx-b: 2"},
		"o-headers", "more headers first"},
	{"order-2", SET(ordinary), {.path = "/o", .query = "v=1", .headers = "x-a: 1"}, "o-header",
		"a header before a query"},
	{"order-3", SET(ordinary), {.path = "/o", .query = "v=1"}, "o-query", "a query"},
	{"order-4", SET(ordinary), {.path = "/o"}, "o-none", "nothing asked"},
	{"catch-all", SET(ordinary), {.path = "/", .headers = "x-root: 1"}, "root-x",
		"a condition on / comes before the catch-all"},
	{"dG108", SET(several), {.path = "/s", .model = "a/b"}, "slash", "the whole model"},
	{"dG108b", SET(several), {.path = "/s", .model = "b"}, NULL, "and not its end"},
	{"dG109", SET(ordinary), {.path = "/vendor", .model = "dashscope/qwen/x"}, "vendor",
		"what stands before the first slash"},
	{"dG110", SET(ordinary), {.path = "/vendor", .model = "dashscope"}, "root",
		"no slash: no header"},
};

static void golden_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
		const struct golden *g = &golden[i];
		struct world w;
		struct plan *p;

		world_init(&w);
		world_add(&w, "wasmplugins/model-router.internal.yaml", ROUTER);
		p = plan_of(&w, g->set, g->n);
		if (p->n_routes != g->n) {
			world_print(&p->findings);
		}
		assert_int_equal(p->n_routes, g->n);
		expect(p, g->id, &g->ask, g->route, g->reason);
		plan_free(p);
		world_done(&w);
	}
}

/* --- candidates --------------------------------------------------------------------------------- */

static void the_list_ends_where_the_model_does_not_matter(void **state)
{
	const struct route *out[ASK_MAX];
	struct route_query q = {
		.host = BYTES("ai.com"), .path = BYTES("/v1/embeddings"), .method = METHOD_POST};
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add(&w, "wasmplugins/model-router.internal.yaml", ROUTER);
	p = plan_of(&w, m3, ARRAY_LEN(m3));
	assert_int_equal(plan_candidates(p, &q, out, ASK_MAX), 1);
	q.path = BYTES("/v1/chat/completions");
	assert_int_equal(plan_candidates(p, &q, out, ASK_MAX), 3);
	assert_string_equal(out[0]->name.p, "R1");
	assert_string_equal(out[2]->name.p, "R3");
	out[1] = NULL;
	assert_int_equal(plan_candidates(p, &q, out, 1), 3); /* how many there are */
	assert_null(out[1]);
	plan_free(p);
	world_done(&w);
}

/* --- the plugin --------------------------------------------------------------------------------- */

#define PLUGIN(config) WORLD_PLUGIN("model-router", "  defaultConfig:\n" config)
#define TO_HEADER "    modelToHeader: x-higress-llm-model\n"

static const struct router_row {
	const char *yaml; /* NULL: no plugin */
	const char *path;
	const char *finding; /* NULL: none */
	bool usable;         /* the route with a condition on the model is there */
	bool reads;
	const char *reason;
} router_rows[] = {
	{NULL, "/v1/chat/completions", "model-router-missing", false, false,
		"nobody sets the header"},
	{PLUGIN(TO_HEADER "  defaultConfigDisable: true\n"), "/v1/chat/completions",
		"model-router-missing", false, false, "switched off"},
	{PLUGIN("    modelToHeader: x-other\n"), "/v1/chat/completions", "model-router-missing",
		false, true, "it sets another header"},
	{PLUGIN(TO_HEADER), "/v1/chat/completions", NULL, true, true, "a known API"},
	{PLUGIN(TO_HEADER), "/v1/moderations", NULL, true, true, "a suffix of the plugin"},
	{PLUGIN(TO_HEADER), "/x/image-synthesis", NULL, true, true, "an API that only it knows"},
	{PLUGIN(TO_HEADER), "/v1/videos", NULL, true, true, "an API that it does not know"},
	{PLUGIN(TO_HEADER), "/upload", NULL, true, false, "neither: the body streams through"},
	{PLUGIN(TO_HEADER "    enableOnPathSuffix: [/ask]\n"), "/v1/chat/completions", NULL, true,
		false, "an explicit list is obeyed"},
	{PLUGIN(TO_HEADER "    enableOnPathSuffix: [/ask]\n"), "/v9/ask", NULL, true, true,
		"and its suffixes hold"},
	{PLUGIN(TO_HEADER "    enableOnPathSuffix: ['*']\n"), "/upload", NULL, true, true,
		"a star is every path"},
	{PLUGIN(TO_HEADER "    enableOnPathSuffix: []\n"), "/v1/embeddings", NULL, true, false,
		"an empty list is no path"},
	{PLUGIN(TO_HEADER "    enableOnPathSuffix: /ask\n"), "/v1/embeddings", "list-expected",
		true, true, "no list: the usual paths"},
	{PLUGIN(TO_HEADER "    modelKey: model\n"), "/v1/embeddings", NULL, true, true,
		"the usual member by name"},
	{PLUGIN(TO_HEADER "    modelKey: name\n"), "/v1/embeddings", NULL, true, true,
		"another member"},
	{PLUGIN(TO_HEADER "    modelKey: a.b\n"), "/v1/embeddings", "unsupported-setting", false,
		false, "a member that cannot be read: better no route than a wrong one"},
	{PLUGIN(TO_HEADER "    modelKey: name\n    addProviderHeader: x-p\n"), "/v1/embeddings",
		"unsupported-setting", true, true, "the body stays as it is"},
	{PLUGIN("    modelToHeader: 'x y'\n"), "/v1/embeddings", "bad-header", false, true,
		"no name of a header"},
	{PLUGIN(TO_HEADER "    autoRouting: {enable: true}\n"), "/v1/embeddings", NULL, true, true,
		"automatic routing without rules"},
	{PLUGIN(TO_HEADER "    modelKey: name\n    autoRouting: {enable: true}\n"),
		"/v1/embeddings", "unsupported-setting", true, true, "not by another member"},
	{PLUGIN(TO_HEADER "    autoRouting: {enable: true, rules: [{pattern: '(', model: m}]}\n"),
		"/v1/embeddings", "bad-regex", true, true, "a bad pattern is skipped"},
	{PLUGIN(TO_HEADER "    autoRouting: {enable: true, rules: [{pattern: a}]}\n"),
		"/v1/embeddings", "bad-regex", true, true, "a rule without a model"},
	{PLUGIN(TO_HEADER "    autoRouting: {enable: true, rules: {a: b}}\n"), "/v1/embeddings",
		"list-expected", true, true, "no list of rules"},
	{PLUGIN(TO_HEADER "    autoRouting: {enable: false, rules: 1}\n"), "/v1/embeddings", NULL,
		true, true, "switched off"},
	{WORLD_PLUGIN("model-router",
		 "  defaultConfig:\n" TO_HEADER
		 "  matchRules:\n  - config: {}\n    ingress: [a]\n"),
		"/v1/embeddings", "unsupported-setting", true, true, "rules come too late for it"},
};

static void the_plugin_says_when(void **state)
{
	static const struct world_ingress one = {
		.name = "a", .path = "/", .annotations = MODEL("exact", "m")};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(router_rows); i++) {
		const struct router_row *r = &router_rows[i];
		struct bytes suffix;
		struct bytes path = bytes_str(r->path);
		struct world w;
		struct plan *p;

		world_init(&w);
		if (r->yaml != NULL) {
			world_add(&w, "wasmplugins/model-router.internal.yaml", r->yaml);
		}
		p = plan_of(&w, &one, 1);
		if ((p->n_routes == 1) != r->usable ||
			model_router_reads(p->router, api_of_path(path, &suffix), path) !=
				r->reads ||
			(r->finding != NULL && world_finding(&p->findings, r->finding) == NULL) ||
			(r->finding == NULL && p->findings.first != NULL)) {
			world_print(&p->findings);
			fail_msg("row %zu: %s", i, r->reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* Each step of the first rule runs over all that is left of the text. */
static void a_text_that_would_hold_a_worker_is_given_up(void **state)
{
	static const struct world_ingress one = {
		.name = "a", .path = "/", .annotations = MODEL("exact", "m")};
	static char text[MODEL_ROUTER_TEXT_MAX];
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add(&w, "wasmplugins/model-router.internal.yaml",
		PLUGIN(TO_HEADER "    autoRouting: {enable: true, defaultModel: other, rules: "
				 "[{pattern: '[a-z ]+[0-9]', model: m}]}\n"));
	p = plan_of(&w, &one, 1);
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = "write code "[i % 11];
	}
	assert_true(bytes_eq(
		model_router_choose(p->router, bytes_of(text, sizeof(text))), BYTES("other")));
	memcpy(text + sizeof(text) - 5, "code1", 5); /* the first step finds it */
	assert_true(
		bytes_eq(model_router_choose(p->router, bytes_of(text, sizeof(text))), BYTES("m")));
	text[sizeof(text) - 15] = '\n'; /* where all steps before it end */
	memcpy(text + sizeof(text) - 12, "write code1!", 12);
	assert_true(bytes_eq(
		model_router_choose(p->router, bytes_of(text, sizeof(text))), BYTES("other")));
	plan_free(p);
	world_done(&w);
}

/* --- what cannot be ----------------------------------------------------------------------------- */

static const struct bad {
	const char *annotation, *finding;
	const char *reason;
} bad[] = {
	{NOTE("regex-match-header-x-a: '('"), "bad-regex", "no expression"},
	{NOTE("regex-match-header-x-higress-llm-model: '[a'"), "bad-regex", "none of a model"},
	{NOTE("exact-match-pseudo-header-status: '200'"), "bad-name", "no header of requests"},
	{"    nginx.ingress.kubernetes.io/exact-match-header-x-a: '1'\n", "unsupported-condition",
		"not by that name"},
	{"    'higress.io/exact-match-header-x a': '1'\n", "bad-name", "no name of a header"},
};

static void what_cannot_be_evaluated_takes_the_route_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct world_ingress one = {
			.name = "a", .path = "/", .annotations = bad[i].annotation};
		struct world w;
		struct plan *p;

		world_init(&w);
		world_add(&w, "wasmplugins/model-router.internal.yaml", ROUTER);
		p = plan_of(&w, &one, 1);
		if (p->n_routes != 0 || world_finding(&p->findings, bad[i].finding) == NULL) {
			world_print(&p->findings);
			fail_msg("%s", bad[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

static void conditions_make_routes_different(void **state)
{
	static const struct world_ingress twins[] = {
		{.name = "a", .path = "/", .annotations = MODEL("exact", "m")},
		{.name = "b", .path = "/", .annotations = MODEL("exact", "m")},
		{.name = "c", .path = "/", .annotations = MODEL("prefix", "m")},
		{.name = "d", .path = "/", .annotations = NOTE("exact-match-query-m: m")},
		{.name = "e", .path = "/"},
	};
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add(&w, "wasmplugins/model-router.internal.yaml", ROUTER);
	p = plan_of(&w, twins, ARRAY_LEN(twins));
	assert_int_equal(p->n_routes, 4);
	assert_non_null(world_finding(&p->findings, "route-duplicate"));
	expect(p, "twins", &(struct ask){.model = "m"}, "a", "the older one serves");
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_rows),
		cmocka_unit_test(the_list_ends_where_the_model_does_not_matter),
		cmocka_unit_test(the_plugin_says_when),
		cmocka_unit_test(a_text_that_would_hold_a_worker_is_given_up),
		cmocka_unit_test(what_cannot_be_evaluated_takes_the_route_out),
		cmocka_unit_test(conditions_make_routes_different),
	};

	return cmocka_run_group_tests_name("plan/condition", tests, NULL, NULL);
}
