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
	{SET(both), NULL, NULL, IS_4XX | IS_5XX, "fallback-not-acted-upon",
		"the worked example; and nobody is told that it acts"},
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
		"fallback-not-acted-upon", "names have no case"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_become_fallbacks),
		cmocka_unit_test(nobody_asks_a_fallback_route),
		cmocka_unit_test(no_model_is_that_header),
	};

	return cmocka_run_group_tests_name("plan/fallbacks", tests, NULL, NULL);
}
