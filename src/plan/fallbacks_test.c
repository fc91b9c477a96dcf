/*
 * EnvoyFilters to fallbacks: the document that Console writes (higress-resources.md §4.3), changed in one
 * place per row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/fallbacks.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define SINGLE(class)                                                                                 \
	"single_predicate:\n"                                                                         \
	"                            input:\n"                                                        \
	"                              name: " class                                                  \
		"_response\n"                                                                         \
		"                              typed_config:\n"                                       \
		"                                '@type': type.googleapis.com/envoy.type.matcher.v3." \
		"HttpResponseStatusCodeClassMatchInput\n"                                             \
		"                            value_match:\n"                                          \
		"                              exact: " class "\n"

static const char document[] =
	"apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata:\n"
	"  annotations:\n    higress.io/comment: PLEASE DO NOT EDIT DIRECTLY.\n"
	"  labels:\n    higress.io/internal: \"true\"\n  name: ai-route-mix.internal\n"
	"  namespace: higress-system\n  resourceVersion: \"1\"\n"
	"spec:\n  configPatches:\n  - applyTo: HTTP_ROUTE\n    match:\n      context: GATEWAY\n"
	"      routeConfiguration:\n        vhost:\n          route:\n"
	"            name: ai-route-mix.internal\n"
	"    patch:\n      operation: MERGE\n      value:\n        typed_per_filter_config:\n"
	"          envoy.filters.http.custom_response:\n"
	"            '@type': type.googleapis.com/udpa.type.v1.TypedStruct\n"
	"            type_url: type.googleapis.com/envoy.extensions.filters.http.custom_response."
	"v3.CustomResponse\n"
	"            value:\n              custom_response_matcher:\n"
	"                matcher_list:\n                  matchers:\n"
	"                  - on_match:\n                      action:\n"
	"                        name: action\n                        typed_config:\n"
	"                          '@type': type.googleapis.com/udpa.type.v1.TypedStruct\n"
	"                          type_url: type.googleapis.com/envoy.extensions.http."
	"custom_response.redirect_policy.v3.RedirectPolicy\n"
	"                          value:\n"
	"                            keep_original_response_code: false\n"
	"                            max_internal_redirects: 10\n"
	"                            only_redirect_upstream_code: false\n"
	"                            request_headers_to_add:\n"
	"                            - append: false\n                              header:\n"
	"                                key: x-higress-fallback-from\n"
	"                                value: ai-route-mix.internal\n"
	"                            response_headers_to_add:\n"
	"                            - append: false\n                              header:\n"
	"                                key: x-higress-fallback-from\n"
	"                                value: ai-route-mix.internal\n"
	"                            use_original_request_body: true\n"
	"                            use_original_request_uri: true\n"
	"                    predicate:\n"
	"                      or_matcher:\n                        predicate:\n"
	"                        - " SINGLE("4xx") "                        - " SINGLE(
		"5xx") "              with_request_body:\n"
		       "                max_request_bytes: 1024000\nstatus: {}\n";

#define FROM "    higress.io/exact-match-header-x-higress-fallback-from: ai-route-mix.internal\n"

static const struct world_ingress both[] = {
	{.name = "ai-route-mix.internal", .host = "ai.com", .path = "/v1"},
	{.name = "ai-route-mix.fallback.internal",
		.host = "ai.com",
		.path = "/v1",
		.annotations = FROM},
};
static const struct world_ingress no_target[] = {
	{.name = "ai-route-mix.internal", .host = "ai.com", .path = "/v1"},
};
static const struct world_ingress other_path[] = {
	{.name = "ai-route-mix.internal", .host = "ai.com", .path = "/v1"},
	{.name = "ai-route-mix.fallback.internal",
		.host = "ai.com",
		.path = "/v2",
		.annotations = FROM},
};
static const struct world_ingress other_origin[] = {
	{.name = "ai-route-mix.internal", .host = "ai.com", .path = "/v1"},
	{.name = "ai-route-mix.fallback.internal",
		.host = "ai.com",
		.path = "/v1",
		.annotations = "    higress.io/exact-match-header-x-higress-fallback-from: x\n"},
};
static const struct world_ingress no_origin[] = {
	{.name = "ai-route-mix.internal", .host = "ai.com", .path = "/v1", .created = "\"2\""},
	{.name = "ai-route-mix.fallback.internal",
		.host = "ai.com",
		.path = "/v1",
		.annotations = "    higress.io/exact-match-header-x-a: b\n"},
};
static const struct world_ingress no_route[] = {
	{.name = "ai-route-mix.fallback.internal",
		.host = "ai.com",
		.path = "/v1",
		.annotations = FROM},
};

#define SET(s) s, ARRAY_LEN(s)
enum { IS_4XX = 1, IS_5XX = 2 };

static const struct row {
	const struct world_ingress *set;
	size_t n;
	const char *is, *instead; /* the change of the document; NULL: as it is */
	unsigned classes;         /* 0: no fallback */
	const char *code;         /* of a finding */
	const char *reason;
} rows[] = {
	{SET(both), NULL, NULL, IS_4XX | IS_5XX, NULL, "the worked example"},
	{SET(both), "exact: 4xx", "exact: 5xx", IS_5XX, NULL, "one class named twice"},
	{SET(both), "exact: 4xx", "exact: 2xx", IS_5XX, "fallback-condition",
		"a success is no reason to fall back; the other class stays"},
	{SET(both), "exact: 4xx", "prefix: 4xx", IS_5XX, "fallback-condition",
		"another way of comparing"},
	{SET(both), "StatusCodeClassMatchInput", "StatusCodeMatchInput", IS_5XX,
		"fallback-condition", "single codes are not classes"},
	{SET(both), "or_matcher", "and_matcher", 0, "fallback-condition", "no form of Console's"},
	{SET(both), "HTTP_ROUTE", "HTTP_FILTER", 0, "envoyfilter-unknown", "another patch"},
	{SET(both), "GATEWAY", "SIDECAR_INBOUND", 0, "envoyfilter-unknown", "not for a gateway"},
	{SET(both), "MERGE", "REMOVE", 0, "envoyfilter-unknown", "nothing is removed"},
	{SET(both), "http.custom_response:", "http.ratelimit:", 0, "envoyfilter-unknown",
		"another filter of Envoy's"},
	{SET(both), "v3.CustomResponse", "v3.NoCustomResponse", 0, "envoyfilter-unknown",
		"a type is the whole last word"},
	{SET(both), "redirect_policy.v3.RedirectPolicy", "local_response_policy.v3.LocalResponse",
		0, "envoyfilter-unknown", "an answer made by the gateway is no fallback"},
	{SET(both), "use_original_request_uri: true", "use_original_request_uri: false", 0,
		"envoyfilter-unknown", "a request to somewhere else"},
	{SET(both), "use_original_request_body: true", "use_original_request_body: false", 0,
		"envoyfilter-unknown", "a request without its body"},
	{SET(both), "key: x-higress-fallback-from", "key: x-other", 0, "envoyfilter-unknown",
		"no fallback route would take it"},
	{SET(both), "key: x-higress-fallback-from", "key: X-Higress-Fallback-From", IS_4XX | IS_5XX,
		NULL, "names have no case"},
	{SET(both), "keep_original_response_code: false", "keep_original_response_code: true",
		IS_4XX | IS_5XX, "unsupported-setting", "used, but not in this"},
	{SET(both), "                value: ai-route-mix.internal",
		"                value: ai-route-other.internal", 0, "fallback-without-target",
		"the target waits for another value"},
	{SET(both), "            name: ai-route-mix.internal\n",
		"            name: ai-route-gone.internal\n", 0, "fallback-without-route",
		"a route that is not there"},
	{SET(both), "            name: ai-route-mix.internal\n", "            name: ''\n", 0,
		"envoyfilter-unknown", "no route at all"},
	{SET(no_target), NULL, NULL, 0, "fallback-without-target", "no Ingress to fall back to"},
	{SET(other_path), NULL, NULL, 0, "fallback-without-target", "one of another path"},
	{SET(other_origin), NULL, NULL, 0, "fallback-without-target", "one of another route"},
	{SET(no_origin), NULL, NULL, 0, "fallback-without-target", "one that anybody may ask"},
	{SET(no_route), NULL, NULL, 0, "fallback-without-route", "a target without origin"},
};

static char *changed(const struct row *r)
{
	char *text = must_alloc(sizeof(document) + 200);
	const char *at = r->is != NULL ? strstr(document, r->is) : NULL;

	assert_true(r->is == NULL || at != NULL);
	if (at == NULL) {
		memcpy(text, document, sizeof(document));
		return text;
	}
	snprintf(text, sizeof(document) + 200, "%.*s%s%s", (int)(at - document), document,
		r->instead, at + strlen(r->is));
	return text;
}

static struct plan *make(struct world *w, const struct row *r)
{
	char *text = changed(r);

	world_init(w);
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	for (size_t i = 0; i < r->n; i++) {
		world_add_ingress(w, &r->set[i]);
	}
	world_add(w, "envoyfilters/ai-route-mix.internal.yaml", text);
	free(text);
	return world_plan(w, &no_types);
}

static unsigned classes_of(const struct failure_set *s)
{
	const struct failure refused = {.class = FAILURE_CONNECT};

	return (failure_set_has_status(s, 400) && failure_set_has_status(s, 499) ? IS_4XX : 0) |
		(failure_set_has_status(s, 500) && failure_set_has_status(s, 599) &&
					failure_set_matches(s, &refused)
				? IS_5XX
				: 0);
}

static bool is_right(const struct row *r, const struct plan *p)
{
	const struct route *route = world_route(p, "ai.com", "/v1/x", METHOD_POST);
	const struct fallback *f = route != NULL ? route->fallback : NULL;

	if (r->code != NULL && world_finding(&p->findings, r->code) == NULL) {
		return false;
	}
	if (r->classes == 0) {
		return f == NULL && p->n_fallbacks == 0;
	}
	return f != NULL && p->n_fallbacks == 1 && classes_of(&f->on) == r->classes &&
		bytes_eq(f->from, BYTES("ai-route-mix.internal")) &&
		bytes_eq(f->to->name, BYTES("ai-route-mix.fallback.internal"));
}

static void filters_become_fallbacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct plan *p = make(&w, &rows[i]);

		if (!is_right(&rows[i], p)) {
			world_print(&p->findings);
			fail_msg("row %zu: %s", i, rows[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* A client's own header is taken away before routes are looked for; without it, no condition on it can
 * hold, however it is written. */
static void nobody_asks_a_fallback_route(void **state)
{
	static const char *const how[] = {"exact", "prefix", "regex"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(how); i++) {
		char note[200];
		const struct world_ingress target = {.name = "f", .path = "/", .annotations = note};
		struct world w;
		struct plan *p;

		snprintf(note, sizeof(note),
			"    higress.io/%s-match-header-x-higress-fallback-from: '.*'\n", how[i]);
		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w, &target);
		p = world_plan(&w, &no_types);
		assert_int_equal(p->n_routes, 1);
		assert_null(world_route(p, "a.com", "/", METHOD_GET));
		plan_free(p);
		world_done(&w);
	}
}

/* A model must not be able to say what only the gateway says. */
static void no_model_is_that_header(void **state)
{
	static const char *const settings[] = {"modelToHeader", "addProviderHeader"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		const struct route_model m = {
			BYTES("ai-route-mix.internal"), BYTES("ai-route-mix.internal"), BYTES("")};
		const struct route_query q = {
			.host = BYTES("ai.com"), .path = BYTES("/v1"), .method = METHOD_POST};
		const struct route *out[4];
		char plugin[400];
		struct world w;
		struct plan *p;

		snprintf(plugin, sizeof(plugin),
			WORLD_PLUGIN(
				"model-router", "  defaultConfig: {%s: X-Higress-Fallback-From}\n"),
			settings[i]);
		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add(&w, "wasmplugins/model-router.internal.yaml", plugin);
		world_add_ingress(&w, &both[1]);
		p = world_plan(&w, &no_types);
		assert_non_null(world_finding(&p->findings, "bad-header"));
		assert_null(plan_choose(out, MIN(plan_candidates(p, &q, out, 4), 4u), &m));
		plan_free(p);
		world_done(&w);
	}
}

/* --- lists of records, and annotations of our own --------------------------------------------------- */

static const struct provider_type one_type[] = {
	{.name = "t", .default_host = "t.com", .unsupported_passes = true, .keeps_body = true}};
static const struct provider_types types = {one_type, 1};

#define PROXY                                                                     \
	WORLD_PLUGIN("ai-proxy",                                                  \
		"  defaultConfig:\n    providers:\n"                              \
		"    - {id: a, type: t, apiTokens: [k], contextWindow: 10}\n"     \
		"    - {id: b, type: t, apiTokens: [k], contextWindow: 20}\n"     \
		"    - {id: c, type: t, apiTokens: [k]}\n"                        \
		"  matchRules:\n"                                                 \
		"  - {service: [a.static], config: {activeProviderId: a}}\n"      \
		"  - {service: ['b.static:80'], config: {activeProviderId: b}}\n" \
		"  - {service: [c.static], config: {activeProviderId: c}}\n")
#define MAPPER                                                                         \
	WORLD_PLUGIN("model-mapper",                                                   \
		"  matchRules:\n"                                                      \
		"  - {ingress: [ai-route-mix.fallback.internal], service: [c.static]," \
		" config: {modelMapping: {'*': f}}}\n")
#define REGISTRIES                                                               \
	WORLD_REGISTRIES(                                                        \
		"  - {name: a, type: static, domain: '127.0.0.1:1', port: 80}\n" \
		"  - {name: b, type: static, domain: '127.0.0.1:2', port: 80}\n" \
		"  - {name: c, type: static, domain: '127.0.0.1:3', port: 80}\n")

static void add_record(struct world *w, const char *fallback)
{
	char text[1000];

	if (fallback != NULL) {
		snprintf(text, sizeof(text),
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ai-route-mix}\n"
			"data:\n  data: '{\"name\":\"mix\",\"fallbackConfig\":%s}'\n",
			fallback);
		world_add(w, "configmaps/ai-route-mix.yaml", text);
	}
}

/* The ids of the providers that a route falls back to, in their order: "s" or "w" (by weight), then them. */
static void tell(const struct route *r, char *out, size_t max)
{
	const struct fallback *f = r != NULL ? r->fallback : NULL;

	snprintf(out, max, "%s", f == NULL ? "none" : f->in_order ? "s" : "w");
	for (size_t i = 0; f != NULL && i < f->n_candidates; i++) {
		size_t n = strlen(out);

		snprintf(out + n, max - n, " " BYTES_FMT, BYTES_ARG(f->candidates[i].provider->id));
	}
}

#define SEQ(list) "{\"enabled\":true,\"fallbackStrategy\":\"SEQ\",\"upstreams\":[" list "]}"
#define RAND(list) "{\"enabled\":true,\"fallbackStrategy\":\"RAND\",\"upstreams\":[" list "]}"
#define UP(id) "{\"provider\":\"" id "\",\"weight\":1}"

static const struct {
	const char *record, *destination, *expect, *code, *reason;
} lists[] = {
	{SEQ(UP("b") "," UP("c")), "b.static", "s b c", NULL,
		"G121: SEQ walks the whole list, and the Ingress names only its first"},
	{SEQ(UP("c") "," UP("b")), "c.static", "s c b", NULL, "in the order of the list"},
	{RAND(UP("b") "," UP("c")), "1% b.static\n      1% c.static", "w b c", NULL,
		"RAND is the Ingress's"},
	{SEQ(UP("b") "," UP("gone")), "b.static", "s b", "fallback-candidate-unusable",
		"a provider that is not there"},
	{SEQ(UP("gone")), "b.static", "s b", "fallback-candidate-unusable",
		"none of them: what the Ingress says"},
	{NULL, "b.static", "w b", NULL, "no record: what the Ingress says"},
	{"[1]", "b.static", "w b", NULL, "a record that says nothing of it"},
	{SEQ("1,{}"), "b.static", "s b", "fallback-candidate-unusable", "no upstreams at all"},
};

static void records_say_in_what_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct row worked = {.set = NULL};
		char *filter = changed(&worked);
		char to[100], got[100];
		const struct world_ingress main = {.name = "ai-route-mix.internal",
			.host = "ai.com",
			.path = "/v1",
			.destination = "a.static"};
		const struct world_ingress fallback = {.name = "ai-route-mix.fallback.internal",
			.host = "ai.com",
			.path = "/v1",
			.destination = to,
			.annotations = FROM};
		const struct route *r;
		struct plan *p;
		struct world w;

		snprintf(to, sizeof(to), "|\n      %s", lists[i].destination);
		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", REGISTRIES);
		world_add(&w, "wasmplugins/ai-proxy.internal.yaml", PROXY);
		world_add(&w, "wasmplugins/model-mapper.internal.yaml", MAPPER);
		world_add_ingress(&w, &main);
		world_add_ingress(&w, &fallback);
		world_add(&w, "envoyfilters/ai-route-mix.internal.yaml", filter);
		add_record(&w, lists[i].record);
		p = world_plan(&w, &types);
		r = world_route(p, "ai.com", "/v1/x", METHOD_POST);
		tell(r, got, sizeof(got));
		if (strcmp(got, lists[i].expect) != 0 ||
			(lists[i].code != NULL) !=
				(world_finding(&p->findings, "fallback-candidate-unusable") !=
					NULL)) {
			world_print(&p->findings);
			fail_msg("%s: %s", lists[i].reason, got);
		}
		if (strcmp(got, "s b c") == 0) {
			const struct destination *c = &r->fallback->candidates[1];

			/* G124: its own mapping; and what its provider's models read. */
			assert_true(bytes_eq(
				mapping_apply(c->mapping, BYTES("m"), &w.arena), BYTES("f")));
			assert_int_equal(r->fallback->candidates[0].window, 20);
			assert_int_equal(r->destinations[0].window, 10);
		}
		plan_free(p);
		world_done(&w);
		free(filter);
	}
}

#define TO(name) "    sluice.io/fallback: " name "\n"
#define OWN(key, value) "    sluice.io/fallback-" key ": \"" value "\"\n"

static const struct {
	const char *annotations; /* of the route */
	const char *others;      /* of the one that it falls back to */
	const char *expect;      /* tell(), then what it is about */
	const char *code, *reason;
} own[] = {
	{TO("other"), "", "s b c 5xx 429 connect", NULL, "the default of the specification"},
	{TO("other") OWN("on", "4xx, 503,content-filter"), "", "s b c 4xx 429 filtered", NULL,
		"a list of one's own"},
	{TO("other") OWN("order", "RAND"), "", "w b c 5xx 429 connect", NULL, "by weight"},
	{TO("other") OWN("on-own-rate-limit", "true"), "", "s b c 5xx 429 connect own", NULL,
		"also for our own 429"},
	{TO("other") OWN("order", "FIRST"), "", "s b c 5xx 429 connect", "bad-value", "no order"},
	{TO("other") OWN("on-own-rate-limit", "maybe"), "", "s b c 5xx 429 connect",
		"boolean-expected", "no boolean"},
	{TO("other") OWN("on", "5xx,5(,50"), "", "s b c 5xx", "pattern-without-status",
		"words that do nothing are named"},
	{TO("other") OWN("onn", "5xx"), "", "s b c 5xx 429 connect", "unsupported-annotation",
		"a typing error is named"},
	{TO("gone"), "", "none", "fallback-without-target", "no such Ingress"},
	{TO("main"), "", "none", "fallback-without-target", "itself"},
	{OWN("on", "5xx"), "", "none", "fallback-setting-unused", "nothing to change"},
	{TO("other"), TO("main"), "s b c 5xx 429 connect", "fallback-circle",
		"a circle is told, and used: each is tried once"},
};

static void tell_more(const struct route *r, char *out, size_t max)
{
	const struct fallback *f = r->fallback;
	size_t n;

	tell(r, out, max);
	n = strlen(out);
	if (f == NULL) {
		return;
	}
	snprintf(out + n, max - n, "%s%s%s%s%s%s",
		failure_set_has_status(&f->on, 400) && failure_set_has_status(&f->on, 499) ? " 4xx"
											   : "",
		failure_set_has_status(&f->on, 500) && failure_set_has_status(&f->on, 599) ? " 5xx"
											   : "",
		failure_set_has_status(&f->on, 429) ? " 429" : "",
		(f->on.events & FAILURE_ON_CONNECT) != 0 ? " connect" : "",
		(f->on.events & FAILURE_ON_FILTERED) != 0 ? " filtered" : "",
		f->on_own_rate ? " own" : "");
}

static void annotations_become_fallbacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		const struct world_ingress main = {.name = "main",
			.host = "ai.com",
			.path = "/v1",
			.destination = "a.static",
			.annotations = own[i].annotations};
		const struct world_ingress other = {.name = "other",
			.host = "other.com",
			.path = "/",
			.destination = "|\n      50% b.static\n      50% c.static",
			.annotations = own[i].others};
		const char *codes[] = {"bad-value", "boolean-expected", "pattern-without-status",
			"unsupported-annotation", "fallback-without-target",
			"fallback-setting-unused", "fallback-circle"};
		struct plan *p;
		struct world w;
		char got[100];

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", REGISTRIES);
		world_add(&w, "wasmplugins/ai-proxy.internal.yaml", PROXY);
		world_add_ingress(&w, &main);
		world_add_ingress(&w, &other);
		p = world_plan(&w, &types);
		tell_more(world_route(p, "ai.com", "/v1/x", METHOD_POST), got, sizeof(got));
		for (size_t k = 0; k < ARRAY_LEN(codes); k++) {
			bool wanted = own[i].code != NULL && strcmp(own[i].code, codes[k]) == 0;

			if ((world_finding(&p->findings, codes[k]) != NULL) != wanted) {
				world_print(&p->findings);
				fail_msg("%s: %s", own[i].reason, codes[k]);
			}
		}
		if (strcmp(got, own[i].expect) != 0) {
			world_print(&p->findings);
			fail_msg("%s: %s", own[i].reason, got);
		}
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_become_fallbacks),
		cmocka_unit_test(nobody_asks_a_fallback_route),
		cmocka_unit_test(no_model_is_that_header),
		cmocka_unit_test(records_say_in_what_order),
		cmocka_unit_test(annotations_become_fallbacks),
	};

	return cmocka_run_group_tests_name("plan/fallbacks", tests, NULL, NULL);
}
