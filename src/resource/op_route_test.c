/*
 * Generic routes as Ingresses and back (higress-resources.md §2.5, §3.5, §7.4; console-api.md §3.6).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define SERVICE "\"services\":[{\"name\":\"a.static\",\"port\":8080}]"
#define PATH "\"path\":{\"matchType\":\"PRE\",\"matchValue\":\"/\"}"
#define ROUTE(name, more) "create route " name " {" PATH "," SERVICE more "}"
#define NOTES "ingresses/r metadata|annotations"
#define NO_AUTH "{\"enabled\":false,\"allowedCredentialTypes\":null,\"allowedConsumers\":null}"
#define INGRESS(meta, spec)                                                   \
	"file ingresses/r {apiVersion: networking.k8s.io/v1, kind: Ingress, " \
	"metadata: {" meta "}, spec: {" spec "}}"
#define OURS "labels: {higress.io/resource-definer: higress}"
#define BRIDGE                                                                    \
	"backend: {resource: {apiGroup: networking.higress.io, kind: McpBridge, " \
	"name: default}}"
#define UPDATE "update route r {" PATH "," SERVICE "}"

static const struct op_row rows[] = {
	/* --- what is written ------------------------------------------------------------------------ */
	{"ROUTE-1", NULL, "create route r {" PATH "," SERVICE "}", OP_OK,
		"ingresses/r metadata|labels {"
		"\"higress.io/domain_higress-default-domain\":\"true\","
		"\"higress.io/resource-definer\":\"higress\"}\n" NOTES
		" {\"higress.io/destination\":\"a.static:8080\"}\n"
		"ingresses/r spec {\"ingressClassName\":\"higress\",\"rules\":[{\"http\":{\"paths\":[{"
		"\"backend\":{\"resource\":{\"apiGroup\":\"networking.higress.io\","
		"\"kind\":\"McpBridge\",\"name\":\"default\"}},\"path\":\"/\","
		"\"pathType\":\"Prefix\"}]}}]}\n"
		"wasmplugins/key-auth.internal spec|matchRules [{\"config\":{},\"configDisable\":true,"
		"\"ingress\":[\"r\"]}]\n"
		"list route [\"r\"]",
		"an Ingress and a rule that lets everybody in; nothing of AI routes"},
	{"G90", NULL, ROUTE("x.internal", ""), OP_READ_ONLY, "ingresses/x.internal . -",
		"names that end so are the gateway's own"},
	{"G91", NULL,
		"create route r {\"domains\":[\"d.com\"],\"path\":{\"matchType\":\"PRE\","
		"\"matchValue\":\"/old\"}," SERVICE
		",\"rewrite\":{\"enabled\":true,\"path\":\"/new\",\"host\":\"h\"}}",
		OP_OK,
		NOTES "|higress.io/enable-rewrite \"true\"\n" NOTES
		      "|higress.io/rewrite-path \"/new\"\n" NOTES
		      "|higress.io/upstream-vhost \"h\"\n"
		      "read route r rewrite {\"enabled\":true,\"path\":\"/new\",\"host\":\"h\"}",
		"a path that replaces a prefix"},
	{"G92", NULL,
		"create route r {\"path\":{\"matchType\":\"REGULAR\",\"matchValue\":\"/r_\\\\d+\"}," SERVICE
		",\"rewrite\":{\"path\":\"/x\"}}",
		OP_OK,
		"ingresses/r spec|rules|0|http|paths|0|pathType \"Prefix\"\n" NOTES
		"|higress.io/use-regex \"true\"\n" NOTES "|higress.io/rewrite-target \"/x\"\n" NOTES
		"|higress.io/rewrite-path -\n"
		"read route r path {\"matchType\":\"REGULAR\",\"matchValue\":\"/r_\\\\d+\","
		"\"caseSensitive\":null}",
		"a regular expression is a Prefix with an annotation, and rewrites by another one"},
	{"G93", NULL, ROUTE("r", ",\"methods\":[\"GET\",\"POST\"]"), OP_OK,
		NOTES "|higress.io/match-method \"GET POST\"\n"
		      "read route r methods [\"GET\",\"POST\"]",
		"methods are one text"},
	{"G94", NULL,
		"create route r {" PATH
		",\"services\":[{\"name\":\"a\",\"port\":8080,\"weight\":20},"
		"{\"name\":\"b\",\"port\":18080,\"version\":\"v1\",\"weight\":30},"
		"{\"name\":\"c\",\"version\":\"v2\",\"weight\":50}]}",
		OP_OK,
		NOTES
		"|higress.io/destination "
		"\"20% a:8080\\n30% b:18080 v1\\n50% c v2\"\n"
		"read route r services [{\"name\":\"a\",\"port\":8080,\"version\":null,\"weight\":20},"
		"{\"name\":\"b\",\"port\":18080,\"version\":\"v1\",\"weight\":30},"
		"{\"name\":\"c\",\"port\":null,\"version\":\"v2\",\"weight\":50}]",
		"a line each"},
	{"G95", NULL,
		"create route r {" PATH ",\"services\":[{\"name\":\"a\",\"port\":8080,"
		"\"version\":\"v1\",\"weight\":15}]}",
		OP_OK, NOTES "|higress.io/destination \"a:8080\"",
		"of one service neither weight nor version is written"},
	{"ROUTE-2", NULL,
		ROUTE("r",
			",\"domains\":[\"a.com\",\"*.b.com\"],\"authConfig\":{\"enabled\":true,"
			"\"allowedConsumers\":[\"c\"]}"),
		OP_OK,
		"ingresses/r metadata|labels|higress.io/domain_wildcard.b.com \"true\"\n"
		"ingresses/r spec|rules|1|host \"*.b.com\"\n"
		"wasmplugins/key-auth.internal spec|matchRules [{\"config\":{\"allow\":[\"c\"]},"
		"\"configDisable\":false,\"ingress\":[\"r\"]}]\n"
		"read route r readonly false\nread route r readonlyReason null\n"
		"read route r domains [\"a.com\",\"*.b.com\"]\n"
		"read route r authConfig {\"enabled\":true,\"allowedCredentialTypes\":[\"key-auth\"],"
		"\"allowedConsumers\":[\"c\"]}",
		"a rule of the Ingress for each domain; several domains make no route read-only (D17)"},
	{"ROUTE-3", NULL, "create route r {" PATH "," SERVICE "}", OP_OK,
		"read route r . {\"name\":\"r\",\"version\":\"1\",\"domains\":[],\"path\":{"
		"\"matchType\":\"PRE\",\"matchValue\":\"/\",\"caseSensitive\":null},"
		"\"methods\":null,\"headers\":null,\"urlParams\":null,\"services\":[{"
		"\"name\":\"a.static\",\"port\":8080,\"version\":null,\"weight\":100}],"
		"\"rewrite\":null,\"proxyNextUpstream\":null,\"cors\":{\"enabled\":null,"
		"\"allowOrigins\":null,\"allowMethods\":null,\"allowHeaders\":null,"
		"\"exposeHeaders\":null,\"maxAge\":null,\"allowCredentials\":null},"
		"\"headerControl\":null,\"authConfig\":" NO_AUTH ",\"customConfigs\":{},"
		"\"customLabels\":{},\"mock\":null,\"redirect\":null,\"rateLimit\":null,"
		"\"timeout\":null,\"readonly\":false,\"readonlyReason\":null}",
		"every member is there, in its order (K140)"},
	/* --- refusals ------------------------------------------------------------------------------- */
	{"K142", "create route r {" PATH "," SERVICE "}", "create route r {" PATH "," SERVICE "}",
		OP_EXISTS, "ingresses/r metadata|resourceVersion \"1\"", "created twice"},
	{"K144", NULL, "create route r {" PATH "}", OP_INVALID, "ingresses/r . -",
		"a route leads somewhere"},
	{"K144a", NULL, "create route r {" PATH ",\"services\":[]}", OP_INVALID, NULL,
		"an empty list leads nowhere, too"},
	{"K145", NULL, "create route r {" SERVICE "}", OP_INVALID, NULL,
		"without a path the Ingress would match nothing"},
	{"K147", ROUTE("r", ""), "update route r {\"version\":\"7\"," PATH "," SERVICE "}",
		OP_STALE, NULL, "somebody else has written meanwhile"},
	{"K148", NULL, UPDATE, OP_MISSING, "ingresses/r . -", "PUT creates no route"},
	{"K151", NULL, ROUTE("r", ",\"customConfigs\":{\"higress.io/destination\":\"x\"}"),
		OP_INVALID, "ingresses/r . -", "a field of its own says where it leads"},
	{"K151a", NULL,
		ROUTE("r",
			",\"customConfigs\":{\"disabled.nginx.ingress.kubernetes.io/"
			"exact-match-header-x\":\"x\"}"),
		OP_INVALID, NULL, "nor by the other prefix, nor switched off"},
	{"ROUTE-4", NULL, "create route R {" PATH "," SERVICE "}", OP_INVALID, NULL,
		"upper case is no name of an object"},
	{"ROUTE-5", NULL,
		"create route r {\"path\":{\"matchType\":\"EXACT\",\"matchValue\":\"/\"}," SERVICE
		"}",
		OP_INVALID, NULL, "the generated document says EXACT, the program EQUAL (T16)"},
	{"ROUTE-6", NULL, "create route r {" PATH ",\"services\":[{\"name\":\"a b\"}]}", OP_INVALID,
		NULL, "the destination is split at blanks (D33)"},
	{"ROUTE-7", NULL, ROUTE("r", ",\"authConfig\":{\"allowedCredentialTypes\":[\"oidc\"]}"),
		OP_INVALID, "ingresses/r . -", "checked before anything is written"},
	/* --- changed and removed -------------------------------------------------------------------- */
	{"K146", ROUTE("r", ""),
		"update route r {\"name\":\"r\",\"version\":\"1\"," PATH "," SERVICE
		",\"methods\":[\"GET\"],\"readonly\":false,\"readonlyReason\":null,\"mock\":null}",
		OP_OK,
		NOTES
		"|higress.io/match-method \"GET\"\ningresses/r metadata|resourceVersion \"2\"",
		"what GET gave comes back with what it cannot say"},
	{"D29", ROUTE("r", ",\"authConfig\":{\"enabled\":true,\"allowedConsumers\":[\"c\"]}"),
		"update route r {" PATH "," SERVICE
		",\"authConfig\":{\"allowedConsumers\":[\"c\"]}}",
		OP_OK, "wasmplugins/key-auth.internal spec|matchRules|0|configDisable false",
		"a PUT without the switch never opens a route"},
	{"G138",
		INGRESS(OURS ", annotations: {my.org/a: b}, finalizers: [x]",
			"foo: 1, rules: "
			"[{http: {paths: [{path: /, pathType: Prefix, " BRIDGE "}]}}]"),
		"update route r {" PATH "," SERVICE ",\"customConfigs\":{\"my.org/a\":\"b\"}}",
		OP_OK,
		"ingresses/r spec|foo 1\ningresses/r metadata|finalizers [\"x\"]\n" NOTES
		"|my.org/a \"b\"",
		"what the program does not know stays"},
	{"ROUTE-8",
		ROUTE("r", "") AND ROUTE("r2", "") AND
		"file wasmplugins/waf-1.0.0 {metadata: {labels: {higress.io/wasm-plugin-name: waf}}, "
		"spec: {matchRules: [{ingress: [r], config: {a: 1}}, {ingress: [r, r2], config: {}}]}}",
		"remove route r", OP_OK,
		"ingresses/r . -\nlist route [\"r2\"]\n"
		"wasmplugins/waf-1.0.0 spec|matchRules [{\"config\":{},\"ingress\":[\"r2\"]}]\n"
		"wasmplugins/key-auth.internal spec|matchRules [{\"config\":{},\"configDisable\":true,"
		"\"ingress\":[\"r2\"]}]",
		"what plugins have for the route goes with it"},
	{"K152", NULL, "remove route default", OP_OK, NULL,
		"deleting what is not there is no error"},
	{"ROUTE-9", INGRESS(OURS, "rules: []"), "remove route ai-route-x.internal", OP_READ_ONLY,
		NULL, "internal names refuse writes, whether they are there or not"},
	/* --- what others wrote (§2.5.2) ------------------------------------------------------------- */
	{"ROUTE-10",
		INGRESS("", "rules: [{http: {paths: [{path: /, pathType: Prefix, " BRIDGE "}]}}]"),
		UPDATE, OP_READ_ONLY,
		"list route [\"r\"]\nread route r readonly true\n"
		"read route r readonlyReason \"it is not managed here: the label "
		"higress.io/resource-definer is missing\"\n" NOTES " -",
		"without the label it is somebody else's; it is shown all the same"},
	{"ROUTE-11",
		INGRESS(OURS,
			"rules: [{http: {paths: [{path: /a, pathType: Prefix, " BRIDGE "}, "
			"{path: /b, pathType: Prefix, " BRIDGE "}]}}]"),
		UPDATE, OP_READ_ONLY,
		"read route r readonlyReason \"its rules have several paths\"\n"
		"read route r path|matchValue \"/a\"",
		"a route object has one path"},
	{"ROUTE-12",
		INGRESS(OURS,
			"rules: [{http: {paths: [{path: /a, pathType: ImplementationSpecific, " BRIDGE
			"}]}}]"),
		UPDATE, OP_READ_ONLY,
		"read route r readonlyReason \"its path is of another type than Exact and Prefix\"",
		"the type would be lost"},
	{"ROUTE-13",
		INGRESS(OURS,
			"rules: [{http: {paths: [{path: /a, pathType: Exact, backend: {service: "
			"{name: s, port: {number: 80}}}}]}}]"),
		UPDATE, OP_READ_ONLY,
		"read route r readonlyReason \"its backend is a Kubernetes Service\"\n"
		"read route r path|matchType \"EQUAL\"",
		"a Service has no place in a destination"},
	{"ROUTE-14",
		INGRESS(OURS ", annotations: {higress.io/destination: \"x% a:80\\n50% b:80 v2\\n"
			     "providers:com.x.S:0.0.0:.nacos\"}",
			"rules: [{http: {paths: [{path: /, pathType: Prefix, " BRIDGE "}]}}]"),
		"create domain d.com {}", OP_OK,
		"read route r services [{\"name\":\"b\",\"port\":80,\"version\":\"v2\",\"weight\":50},"
		"{\"name\":\"providers:com.x.S:0.0.0:.nacos\",\"port\":null,\"version\":null,"
		"\"weight\":100}]",
		"G122, G123: a line with a weight that is none is left out; a colon may belong to a name"},
	{"ROUTE-15",
		INGRESS(OURS ", annotations: {higress.io/enable-rewrite: 'false', "
			     "disabled.higress.io/rewrite-path: /n, "
			     "higress.io/request-header-control-add: \"a b c\\nd\", my/x: y}",
			"rules: [{host: h.com, http: {paths: [{path: /, pathType: Exact, " BRIDGE
			"}]}}]"),
		"create domain d.com {}", OP_OK,
		"read route r rewrite {\"enabled\":false,\"path\":\"/n\",\"host\":null}\n"
		"read route r headerControl|request {\"add\":[{\"key\":\"a\",\"value\":\"b c\"},"
		"{\"key\":\"d\",\"value\":\"\"}],\"set\":null,\"remove\":null}\n"
		"read route r headerControl|enabled true\n"
		"read route r customConfigs {\"my/x\":\"y\"}\nread route r domains [\"h.com\"]",
		"features that are switched off are shown; headers split at the first blank"},
	{"OPS-40", NULL, "create route r {" PATH ",\"services\":[{\"name\":\"a\\u000b.static\"}]}",
		OP_INVALID, "ingresses/r . -", "a destination is split there"},
	{"OPS-41", NULL, ROUTE("r", ",\"methods\":[\"G\\u0000T\"]"), OP_INVALID, "ingresses/r . -",
		"no method"},
	{"OPS-42", NULL, ROUTE("r", ",\"rewrite\":{\"path\":\"/\\u0001\"}"), OP_INVALID,
		"ingresses/r . -", "no path"},
	{"OPS-43", NULL,
		ROUTE("r",
			",\"customLabels\":{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123\"}"),
		OP_INVALID, "ingresses/r . -", "a cluster refuses the label"},
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

	return cmocka_run_group_tests_name("op_route", tests, NULL, NULL);
}
