/*
 * AI routes as Ingresses, rules, EnvoyFilter and record (higress-resources.md §3.4, §7.1, §7.4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define PQ "create provider p {\"type\":\"groq\"}" AND "create provider q {\"type\":\"groq\"}"
#define ONE "\"upstreams\":[{\"provider\":\"p\",\"weight\":100}]"
#define ROUTE(members) "create ai-route r {" members "}"
#define WITH(members) ROUTE(ONE "," members)
#define I "ingresses/ai-route-r.internal "
#define F "ingresses/ai-route-r.fallback.internal "
#define NOTE(key) "metadata|annotations|higress.io/" key " "
#define RULE0 "spec|rules|0|http|paths|0|"
#define RECORD "configmaps/ai-route-r "
#define MAPPER "wasmplugins/model-mapper.internal "
#define FILTER "envoyfilters/ai-route-r.internal "
#define FALLBACK(strategy, upstreams, codes)                                         \
	"\"fallbackConfig\":{\"enabled\":true," strategy "\"upstreams\":[" upstreams \
	"],\"responseCodes\":[" codes "]}"
#define NOT_WRITTEN I ". -\n" RECORD ". -\nwasmplugins/key-auth.internal . -\nlist ai-route []"
#define JSON_START "\"{\\\"name\\\":\\\"r\\\","
#define DOMAIN(name, https) \
	"create domain " name " {\"enableHttps\":\"" https "\",\"certIdentifier\":\"c\"}"
#define MAPPED                                                                                    \
	ROUTE("\"upstreams\":[{\"provider\":\"p\",\"weight\":50,\"modelMapping\":{\"*\":\"m\"}}," \
	      "{\"provider\":\"q\",\"weight\":50}]")
#define PATCH \
	"spec|configPatches|0|patch|value|typed_per_filter_config|envoy.filters.http.custom_response|value|"
#define MATCHER PATCH "custom_response_matcher|matcher_list|matchers|0|"

static const struct op_row rows[] = {
	{"G05", PQ, WITH(FALLBACK("", "{\"provider\":\"q\"}", "\"4xx\"")), OP_OK,
		RECORD "metadata|name \"ai-route-r\"\n" I
		       "metadata|name \"ai-route-r.internal\"\n" F
		       "metadata|name \"ai-route-r.fallback.internal\"\n" FILTER
		       "metadata|name \"ai-route-r.internal\"",
		"four objects of one route"},
	{"G59", PQ, WITH("\"domains\":[]"), OP_OK,
		I NOTE("destination") "\"llm-p.internal.dns:443\"", "one service has no weight"},
	{"G60", PQ,
		ROUTE("\"upstreams\":[{\"provider\":\"p\",\"weight\":70},{\"provider\":\"q\","
		      "\"weight\":30}]"),
		OP_OK,
		I NOTE("destination") "\"70% llm-p.internal.dns:443\\n30% llm-q.internal.dns:443\"",
		"a line each"},
	{"G61", PQ,
		ROUTE("\"upstreams\":[{\"provider\":\"p\",\"weight\":70},{\"provider\":\"q\","
		      "\"weight\":20}]"),
		OP_INVALID, NOT_WRITTEN, "weights must sum to 100"},
	{"G62", PQ, ROUTE("\"upstreams\":[{\"provider\":\"p\"}]"), OP_OK,
		"read ai-route r upstreams [{\"provider\":\"p\",\"weight\":100,\"modelMapping\":null}]",
		"D15: there is only one thing it can mean"},
	{"K089", PQ,
		ROUTE("\"upstreams\":[{\"provider\":\"p\",\"weight\":100},{\"provider\":\"q\"}]"),
		OP_INVALID, NOT_WRITTEN, "D15: of several each needs one"},
	{"K090", PQ, ROUTE("\"upstreams\":[]"), OP_INVALID, NOT_WRITTEN, "nowhere to go"},
	{"K091", PQ, ROUTE("\"upstreams\":[{\"provider\":\"ghost\"}]"), OP_INVALID, NOT_WRITTEN,
		"no such provider"},
	{"G63", PQ, WITH("\"pathPredicate\":null"), OP_OK,
		I RULE0 "path \"/\"\n" I RULE0 "pathType \"Prefix\"\n" I NOTE(
			"ignore-path-case") "\"false\"\nread ai-route r pathPredicate {\"matchType\":\"PRE\","
					    "\"matchValue\":\"/\",\"caseSensitive\":true}",
		"every path, in its case"},
	{"G64", PQ, WITH("\"pathPredicate\":{\"matchType\":\"pre\",\"matchValue\":\"/v1\"}"), OP_OK,
		I RULE0 "path \"/v1\"\n" I NOTE(
			"ignore-path-case") "-\n"
					    "read ai-route r pathPredicate|matchType \"PRE\"",
		"unsaid stays unsaid; the word is stored in upper case"},
	{"G64a", PQ,
		WITH("\"pathPredicate\":{\"matchType\":\"PRE\",\"matchValue\":\"/v1\","
		     "\"caseSensitive\":false}"),
		OP_OK, I NOTE("ignore-path-case") "\"true\"", "said the other way round"},
	{"G65", PQ, WITH("\"pathPredicate\":{\"matchType\":\"EQUAL\",\"matchValue\":\"/v1\"}"),
		OP_INVALID, NOT_WRITTEN, "an AI route has prefixes only"},
	{"G66", PQ,
		WITH("\"modelPredicates\":[{\"matchType\":\"EQUAL\",\"matchValue\":\"qwen-max\"}]"),
		OP_OK,
		I NOTE("exact-match-header-x-higress-llm-model") "\"qwen-max\"\n"
								 "wasmplugins/model-router.internal spec|defaultConfig "
								 "{\"modelToHeader\":\"x-higress-llm-model\"}\n"
								 "wasmplugins/model-router.internal spec|defaultConfigDisable false",
		"the model becomes a header, which the router makes"},
	{"G67", PQ, WITH("\"modelPredicates\":[{\"matchType\":\"PRE\",\"matchValue\":\"qwen-\"}]"),
		OP_OK, I NOTE("prefix-match-header-x-higress-llm-model") "\"qwen-\"", "a prefix"},
	{"G68", PQ,
		WITH("\"modelPredicates\":[{\"matchType\":\"PRE\",\"matchValue\":\"qwen3.\"},"
		     "{\"matchType\":\"EQUAL\",\"matchValue\":\"deepseek-v3.1\"}]"),
		OP_OK,
		I NOTE("regex-match-header-x-higress-llm-model") "\"^(qwen3\\\\..*|deepseek-v3\\\\.1)\"",
		"several are one expression, and a dot is a dot"},
	{"G69", PQ,
		WITH("\"modelPredicates\":[{\"matchType\":\"EQUAL\",\"matchValue\":\"a+(b)\"},"
		     "{\"matchType\":\"EQUAL\",\"matchValue\":\"c\"}]"),
		OP_OK,
		I NOTE("regex-match-header-x-higress-llm-model") "\"^(a\\\\+\\\\(b\\\\)|c)\"",
		"all that means something in an expression"},
	{"K093", PQ, WITH("\"modelPredicates\":[{\"matchType\":\"REGULAR\",\"matchValue\":\"x\"}]"),
		OP_INVALID, NOT_WRITTEN, "models have no expressions"},
	{"G70", PQ,
		WITH("\"headerPredicates\":[{\"key\":\"x-env\",\"matchType\":\"EQUAL\",\"matchValue\":"
		     "\"gray\"},{\"key\":\":authority\",\"matchType\":\"PRE\",\"matchValue\":\"ai.\"}]"),
		OP_OK,
		I NOTE("exact-match-header-x-env") "\"gray\"\n" I NOTE(
			"prefix-match-pseudo-header-authority") "\"ai.\"",
		"headers, and what only looks like one"},
	{"G71", PQ,
		WITH("\"urlParamPredicates\":[{\"key\":\"v\",\"matchType\":\"REGULAR\",\"matchValue\":"
		     "\"^[12]$\"}]"),
		OP_OK, I NOTE("regex-match-query-v") "\"^[12]$\"", "a parameter of the query"},
	{"G72", PQ,
		WITH("\"headerPredicates\":[{\"key\":\"x\",\"matchType\":\"EQUAL\",\"matchValue\":\"a=b\"}]"),
		OP_OK,
		I NOTE("exact-match-header-x") "\"a=b\"\n" RECORD "data|data " JSON_START
					       "\\\"pathPredicate\\\":{\\\"matchType\\\":\\\"PRE\\\",\\\"matchValue\\\":\\\"/\\\","
					       "\\\"caseSensitive\\\":true},\\\"headerPredicates\\\":[{\\\"key\\\":\\\"x\\\","
					       "\\\"matchType\\\":\\\"EQUAL\\\",\\\"matchValue\\\":\\\"a\\\\u003db\\\"}],"
					       "\\\"upstreams\\\":[{\\\"provider\\\":\\\"p\\\",\\\"weight\\\":100}],"
					       "\\\"proxyNextUpstream\\\":{\\\"enabled\\\":true,\\\"attempts\\\":3,\\\"timeout\\\":120,"
					       "\\\"conditions\\\":[\\\"error\\\",\\\"timeout\\\",\\\"non_idempotent\\\"]}}\"",
		"Gson escapes what HTML could misread; members in the Console's order, defaults in"},
	{"G73", PQ,
		WITH("\"headerPredicates\":[{\"key\":\"X-Higress-LLM-Model\",\"matchType\":\"EQUAL\","
		     "\"matchValue\":\"a\"}]"),
		OP_INVALID, NOT_WRITTEN, "it is the model predicates' own"},
	{"G74", PQ, WITH("\"domains\":[\"a.com\",\"*.b.com\"]"), OP_OK,
		I "spec|rules|0|host \"a.com\"\n" I "spec|rules|1|host \"*.b.com\"\n" I
		  "spec|rules|2 -\n" I "metadata|labels|higress.io/domain_a.com \"true\"\n" I
		  "metadata|labels|higress.io/domain_wildcard.b.com \"true\"",
		"a rule for each domain, in the order given"},
	{"G75", PQ, WITH("\"domains\":[]"), OP_OK,
		I "spec|rules|0|host -\n" I "spec|rules|1 -\n" I
		  "metadata|labels|higress.io/domain_higress-default-domain \"true\"",
		"no domain is every domain"},
	{"G76", PQ AND DOMAIN("a.com", "on"), WITH("\"domains\":[\"a.com\"]"), OP_OK,
		I "spec|tls [{\"hosts\":[\"a.com\"],\"secretName\":\"c\"}]\n" I NOTE(
			"ssl-redirect") "-",
		"HTTPS of the domain"},
	{"G77", PQ AND DOMAIN("a.com", "force"), WITH("\"domains\":[\"a.com\"]"), OP_OK,
		I "spec|tls [{\"hosts\":[\"a.com\"],\"secretName\":\"c\"}]\n" I NOTE(
			"ssl-redirect") "\"true\"",
		"and nothing but HTTPS"},
	{"G78", PQ AND DOMAIN("a.com", "on") AND DOMAIN("b.com", "off"),
		WITH("\"domains\":[\"a.com\",\"b.com\"]"), OP_INVALID, NOT_WRITTEN,
		"one route cannot be both"},
	{"G78a", PQ AND DOMAIN("a.com", "on") AND DOMAIN("b.com", "force"),
		WITH("\"domains\":[\"a.com\",\"b.com\"]"), OP_INVALID, NOT_WRITTEN,
		"nor redirect for one domain only"},
	{"G79", PQ,
		WITH("\"headerControl\":{\"enabled\":true,\"request\":{\"add\":[{\"key\":\"X-A\","
		     "\"value\":\"1\"},{\"key\":\"X-B\",\"value\":\"\"}]}}"),
		OP_OK,
		I NOTE("enable-header-control") "\"true\"\n" I NOTE(
			"request-header-control-add") "\"X-A 1\\nX-B \"",
		"an empty value is a blank at the end"},
	{"G80", PQ,
		WITH("\"headerControl\":{\"enabled\":false,\"response\":{\"remove\":[\"Server\"]}}"),
		OP_OK,
		I NOTE("enable-header-control") "\"false\"\n" I
						"metadata|annotations|disabled.higress.io/response-header-control-remove \"Server\"\n" I
							NOTE("response-header-control-remove") "-",
		"what is switched off is kept under another name"},
	{"G81", PQ, WITH("\"customConfigs\":{\"higress.io/timeout\":\"5\"}"), OP_OK,
		I NOTE("timeout") "\"5\"", "an annotation that no field stands for"},
	{"G81a", PQ, WITH("\"customConfigs\":{\"higress.io/rewrite-path\":\"/x\"}"), OP_INVALID,
		NOT_WRITTEN, "one that a field stands for"},
	{"G81b", PQ,
		WITH("\"customConfigs\":{\"nginx.ingress.kubernetes.io/enable-cors\":\"true\"}"),
		OP_INVALID, NOT_WRITTEN, "its twin"},
	{"G81c", PQ, WITH("\"customConfigs\":{\"disabled.higress.io/x-match-header-y\":\"1\"}"),
		OP_INVALID, NOT_WRITTEN, "conditions, switched off or not"},
	{"G82", PQ, WITH(FALLBACK("", "{\"provider\":\"p\"},{\"provider\":\"q\"}", "\"5xx\"")),
		OP_OK,
		F NOTE("destination") "\"1% llm-p.internal.dns:443\\n1% llm-q.internal.dns:443\"\n"
				      "read ai-route r fallbackConfig {\"enabled\":true,\"upstreams\":[{\"provider\":\"p\","
				      "\"weight\":1,\"modelMapping\":null},{\"provider\":\"q\",\"weight\":1,"
				      "\"modelMapping\":null}],\"fallbackStrategy\":\"RAND\",\"responseCodes\":[\"5xx\"]}\n" FILTER
					      MATCHER
				      "predicate|single_predicate|value_match|exact \"5xx\"\n" F NOTE(
					      "exact-match-header-x-higress-fallback-from") "\"ai-route-r.internal\"",
		"no strategy is RAND, which makes all weights 1"},
	{"G83", PQ,
		WITH(FALLBACK("\"fallbackStrategy\":\"SEQ\",",
			"{\"provider\":\"p\",\"weight\":60},{\"provider\":\"q\",\"weight\":40}",
			"\"5xx\"")),
		OP_OK,
		F NOTE("destination") "\"llm-p.internal.dns:443\"\n"
				      "read ai-route r fallbackConfig|upstreams|1|weight 40",
		"SEQ uses the first and keeps the others"},
	{"G84", PQ, WITH(FALLBACK("", "{\"provider\":\"q\"}", "\"4xx\",\"404\"")), OP_INVALID,
		NOT_WRITTEN, "classes of status only"},
	{"K097", PQ,
		WITH(FALLBACK("\"strategy\":\"SEQ\",", "{\"provider\":\"q\"}", "\"5xx\",\"5xx\"")),
		OP_OK,
		"read ai-route r fallbackConfig|responseCodes [\"5xx\"]\n"
		"read ai-route r fallbackConfig|fallbackStrategy \"RAND\"",
		"each code once; the page's own word is not known"},
	{"G85",
		PQ AND WITH(FALLBACK(
			"", "{\"provider\":\"q\",\"modelMapping\":{\"*\":\"m\"}}", "\"5xx\"")),
		"update ai-route r {" ONE ",\"fallbackConfig\":{\"enabled\":false}}", OP_OK,
		F
		". -\n" FILTER ". -\n" MAPPER "spec|matchRules -\n"
		"wasmplugins/key-auth.internal spec|matchRules|0|ingress [\"ai-route-r.internal\"]\n"
		"wasmplugins/key-auth.internal spec|matchRules|1 -\n"
		"wasmplugins/ai-statistics-2.0.1 spec|matchRules|1 -",
		"everything of the fallback goes"},
	{"G86", PQ, MAPPED, OP_OK,
		MAPPER "spec|matchRules [{\"config\":{\"modelMapping\":{\"*\":\"m\"}},"
		       "\"configDisable\":false,\"ingress\":[\"ai-route-r.internal\"],"
		       "\"service\":[\"llm-p.internal.dns\"]}]",
		"only where there is a mapping"},
	{"G87", PQ AND MAPPED, "update ai-route r {\"upstreams\":[{\"provider\":\"q\"}]}", OP_OK,
		MAPPER "spec|matchRules -", "a mapping of an upstream that is gone"},
	{"G88", PQ AND ROUTE(ONE), ROUTE("\"upstreams\":[{\"provider\":\"q\"}]"), OP_EXISTS,
		I NOTE("destination") "\"llm-p.internal.dns:443\"\n" I
				      "metadata|resourceVersion \"1\"",
		"D12: a route that exists is not touched"},
	{"K081", PQ AND ROUTE(ONE),
		"update ai-route r {\"version\":\"999999\",\"upstreams\":[{\"provider\":\"q\"}]}",
		OP_STALE, I NOTE("destination") "\"llm-p.internal.dns:443\"",
		"D12: somebody else was faster"},
	{"K083", PQ, "update ai-route r {\"version\":\"5\"," ONE "}", OP_MISSING, NOT_WRITTEN,
		"D9: a deleted route must not come back"},
	{"K082", PQ, "update ai-route r {" ONE "}", OP_OK, "list ai-route [\"r\"]",
		"D9: without a version it is made"},
	{"G89",
		PQ AND "create ai-route other {" ONE "}" AND WITH(
			"\"modelPredicates\":[{\"matchType\":\"EQUAL\",\"matchValue\":\"m\"}]," FALLBACK(
				"", "{\"provider\":\"q\"}", "\"5xx\"")) AND
		"file wasmplugins/waf-1.0.0 {metadata: {labels: {higress.io/wasm-plugin-name: waf}}, spec: "
		"{matchRules: [{ingress: [ai-route-r.internal, x]}, {ingress: [ai-route-r.internal]}]}}",
		"remove ai-route r", OP_OK,
		I
		". -\n" F ". -\n" FILTER ". -\n" RECORD ". -\n"
		"wasmplugins/key-auth.internal spec|matchRules|0|ingress [\"ai-route-other.internal\"]\n"
		"wasmplugins/key-auth.internal spec|matchRules|1 -\n"
		"wasmplugins/ai-statistics-2.0.1 spec|matchRules|1 -\n"
		"wasmplugins/waf-1.0.0 spec|matchRules [{\"ingress\":[\"x\"]}]\n"
		"wasmplugins/model-router.internal metadata|resourceVersion \"1\"\n"
		"list ai-route [\"other\"]",
		"nothing names it any more, in whatever plugin; the router stays"},
	{"K106", PQ, "remove ai-route r", OP_OK, NOT_WRITTEN, "what is not there is gone"},
	{"K107", PQ AND ROUTE(ONE) AND "remove provider p", "update ai-route r {" ONE "}",
		OP_INVALID, "list ai-route [\"r\"]",
		"the provider is gone, the route is still listed"},
	{"AIR-1", PQ, "create ai-route R {" ONE "}", OP_INVALID, NOT_WRITTEN,
		"names of objects are in lower case"},
	{"AIR-2", PQ,
		WITH("\"headerControl\":{\"request\":{\"add\":[{\"key\":\"A\",\"value\":\"a\\nb\"}]}}"),
		OP_INVALID, NOT_WRITTEN, "D33: a line break would be another header"},
	{"AIR-3", PQ, WITH("\"cors\":{\"allowOrigins\":[\"a,b\"]}"), OP_INVALID, NOT_WRITTEN,
		"D33: a comma would be another origin"},
	{"AIR-4", PQ,
		WITH("\"cors\":{\"enabled\":true,\"allowOrigins\":[\"a\",\"b\"],\"maxAge\":\"600\","
		     "\"allowCredentials\":false}"),
		OP_OK,
		I NOTE("enable-cors") "\"true\"\n" I NOTE("cors-allow-origin") "\"a,b\"\n" I NOTE(
			"cors-max-age") "\"600\"\n" I
			NOTE("cors-allow-credentials") "\"false\"\n"
						       "read ai-route r cors|maxAge 600\nread ai-route r cors|exposeHeaders null",
		"numbers may come as text; unset members are null"},
	{"AIR-5", PQ, WITH("\"domains\":\"a.com\""), OP_INVALID, NOT_WRITTEN, "a text is no list"},
	{"AIR-6",
		PQ AND ROUTE(ONE) AND
		"file ingresses/ai-route-r.internal {apiVersion: networking.k8s.io/v1, kind: Ingress, "
		"metadata: {labels: {higress.io/resource-definer: higress, team: x}, annotations: "
		"{owner: me, higress.io/timeout: '9', higress.io/enable-rewrite: 'true'}, uid: u}, "
		"spec: {other: 1, rules: [{host: old}]}}",
		"update ai-route r {" ONE ",\"customConfigs\":{\"higress.io/timeout\":\"5\"}}",
		OP_OK,
		I "metadata|labels|team \"x\"\n" I
		  "metadata|annotations|owner \"me\"\n" I NOTE("timeout") "\"5\"\n" I NOTE(
			  "enable-rewrite") "-\n" I "metadata|uid \"u\"\n" I "spec|other 1\n" I
					    "spec|rules|0|host -",
		"what others put on the Ingress stays, what the route says wins"},
	{"AIR-7", PQ AND WITH("\"customConfigs\":{\"higress.io/timeout\":\"5\"}"),
		"update ai-route r {" ONE "}", OP_OK, I NOTE("timeout") "-",
		"what the route said before and does not say any more goes"},
	{"AIR-8",
		PQ AND
		"file configmaps/ai-route-r {metadata: {labels: {higress.io/resource-definer: higress, "
		"higress.io/config-map-type: ai-route}, resourceVersion: '4'}, data: {data: "
		"'{\"name\":\"zzz\",\"version\":\"9\",\"upstreams\":[{\"provider\":\"p\"}],\"future\":{\"a\":1}}'}}",
		"update ai-route r {\"version\":\"4\"," ONE "}", OP_OK,
		"read ai-route r name \"r\"\nread ai-route r version \"5\"\n" RECORD
		"data|data " JSON_START
		"\\\"pathPredicate\\\":{\\\"matchType\\\":\\\"PRE\\\",\\\"matchValue\\\":\\\"/\\\","
		"\\\"caseSensitive\\\":true},\\\"upstreams\\\":[{\\\"provider\\\":\\\"p\\\","
		"\\\"weight\\\":100}],\\\"proxyNextUpstream\\\":{\\\"enabled\\\":true,\\\"attempts\\\":3,"
		"\\\"timeout\\\":120,\\\"conditions\\\":[\\\"error\\\",\\\"timeout\\\","
		"\\\"non_idempotent\\\"]},\\\"future\\\":{\\\"a\\\":1}}\"",
		"members that are not known stay in the record; the name of the object is the name"},
	{"AIR-9",
		PQ AND
		"file wasmplugins/ai-statistics-1.0.0 {metadata: {labels: {higress.io/wasm-plugin-name: "
		"ai-statistics}}, spec: {matchRules: [{ingress: [ai-route-r.internal], config: {a: 1}}]}}",
		ROUTE(ONE), OP_OK, "wasmplugins/ai-statistics-2.0.1 . -",
		"an instance of an older version counts: it may have been changed by a person"},
	{"AIR-10", PQ, WITH("\"unknown\":1,\"strategyConfigId\":2"), OP_OK,
		"read ai-route r unknown -", "W4: unknown members of a request are ignored"},
	/* --- names and texts that collide or cannot be carried ------------------------------------------ */
	{"OPS-30", PQ AND WITH(FALLBACK("", "{\"provider\":\"q\"}", "\"4xx\"")),
		"create ai-route r.fallback {" ONE "}", OP_INVALID,
		F NOTE("destination") "\"llm-q.internal.dns:443\"\nlist ai-route [\"r\"]",
		"its Ingress would be the one that r falls back to"},
	{"OPS-31", PQ AND WITH(FALLBACK("", "{\"provider\":\"q\"}", "\"4xx\"")),
		"remove ai-route r.fallback", OP_OK,
		F NOTE("destination") "\"llm-q.internal.dns:443\"",
		"a route that is not there takes nothing with it"},
	{"OPS-32", PQ,
		ROUTE("\"upstreams\":[{\"provider\":\"p\",\"modelMapping\":{\"a\":\"b\\nc\"}}]"),
		OP_INVALID, NOT_WRITTEN, "no model is called so"},
	{"OPS-33", PQ,
		WITH("\"authConfig\":{\"enabled\":true,\"allowedConsumers\":[\"a\\u0000\"]}"),
		OP_INVALID, NOT_WRITTEN, "no consumer is called so"},
	{"OPS-34", PQ, WITH("\"domains\":[\"..\"]"), OP_INVALID, NOT_WRITTEN, "no host"},
	{"OPS-35", PQ,
		WITH("\"headerControl\":{\"request\":{\"add\":[{\"key\":\"a\",\"value\":\"b\\u0000\"}]}}"),
		OP_INVALID, NOT_WRITTEN, "no header can carry it"},
	{"OPS-36", PQ,
		WITH("\"headerControl\":{\"request\":{\"add\":[{\"key\":\"a\",\"value\":\"b\\tc\"}]}}"),
		OP_OK, I NOTE("request-header-control-add") "\"a b\\u0009c\"", "a tab is fine"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_true(op_world_rows(rows, ARRAY_LEN(rows)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("op_ai_route", tests, NULL, NULL);
}
