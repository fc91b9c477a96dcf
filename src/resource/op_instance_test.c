/*
 * Plugin instances in WasmPlugins (console-api.md §3.12, higress-resources.md §2.8).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define ROUTE                                                                    \
	"create route r {\"path\":{\"matchType\":\"PRE\",\"matchValue\":\"/\"}," \
	"\"services\":[{\"name\":\"a.static\"}]}"
#define BLOCK "wasmplugins/request-block-1.0.0"
#define ON_ROUTE "instance ROUTE/r/request-block "
#define CONFIG "{\"configurations\":{\"block_urls\":[\"x\"]}}"
#define NOTHING(scope, target, plugin)                                                          \
	"{\"version\":null,\"scope\":\"" scope "\",\"target\":" target ",\"targets\":{\"" scope \
	"\":" target "},\"pluginName\":\"" plugin                                               \
	"\",\"pluginVersion\":null,\"internal\":false,"                                         \
	"\"enabled\":false,\"rawConfigurations\":null,\"configurations\":null}"
#define OTHER(name, version, more)                                                             \
	"file wasmplugins/" name                                                               \
	" {apiVersion: extensions.higress.io/v1alpha1, "                                       \
	"kind: WasmPlugin, metadata: {labels: {higress.io/resource-definer: higress, "         \
	"higress.io/wasm-plugin-name: request-block, higress.io/wasm-plugin-version: " version \
	"}}, spec: {" more "}}"

static const struct op_row rows[] = {
	{"K180", ROUTE, "create domain d.com {}", OP_OK,
		"read " ON_ROUTE ". " NOTHING("ROUTE", "\"r\"",
			"request-block") "\n"
					 "read instance ROUTE/r/nosuch . " NOTHING("ROUTE", "\"r\"",
						 "nosuch") "\n"
							   "read instance ROUTE/r/ . []",
		"nothing is configured: an object all the same, of unknown plugins too"},
	{"K181", ROUTE,
		"update " ON_ROUTE
		"{\"enabled\":true,\"rawConfigurations\":null,\"scope\":\"ROUTE\",\"target\":\"r\","
		"\"targets\":{\"ROUTE\":\"r\"},\"configurations\":{\"block_urls\":[\"x\"],"
		"\"blocked_code\":403}}",
		OP_OK,
		BLOCK
		" spec {\"defaultConfigDisable\":true,\"failStrategy\":\"FAIL_OPEN\","
		"\"matchRules\":[{\"config\":{\"block_urls\":[\"x\"],\"blocked_code\":403},"
		"\"configDisable\":false,\"ingress\":[\"r\"]}],\"phase\":\"AUTHZ\","
		"\"priority\":320,\"url\":\"oci://higress-registry.cn-hangzhou.cr.aliyuncs.com/"
		"plugins/request-block:2.0.0\"}\n" BLOCK
		" metadata|labels {\"higress.io/resource-definer\":\"higress\","
		"\"higress.io/wasm-plugin-built-in\":\"true\","
		"\"higress.io/wasm-plugin-category\":\"security\","
		"\"higress.io/wasm-plugin-name\":\"request-block\","
		"\"higress.io/wasm-plugin-version\":\"1.0.0\"}\n"
		"read " ON_ROUTE ". {\"version\":\"1\",\"scope\":\"ROUTE\",\"target\":\"r\","
		"\"targets\":{\"ROUTE\":\"r\"},\"pluginName\":\"request-block\","
		"\"pluginVersion\":\"1.0.0\",\"internal\":false,\"enabled\":true,"
		"\"rawConfigurations\":\"block_urls:\\n- x\\nblocked_code: 403\","
		"\"configurations\":{\"block_urls\":[\"x\"],\"blocked_code\":403}}",
		"a rule of a WasmPlugin that is made; shown as an object and as YAML"},
	{"BACKUP-1", ROUTE,
		"update plugin-instance ROUTE/r/request-block {\"configurations\":{\"block_urls\":"
		"[\"x\"]}}",
		OP_OK,
		BLOCK " spec|matchRules|0|config {\"block_urls\":[\"x\"]}\n"
		      "list plugin-instance [\"ROUTE/r/request-block\"]\n"
		      "read plugin-instance ROUTE/r/request-block name \"ROUTE/r/request-block\"",
		"an instance by a name of its own, as a backup keeps it"},
	{"BACKUP-2", ROUTE AND "update plugin-instance ROUTE/r/request-block {\"enabled\":true}",
		"remove plugin-instance ROUTE/r/request-block", OP_OK, "list plugin-instance []",
		"removed by that name"},
	{"BACKUP-3", ROUTE, "update plugin-instance ROUTE/request-block {}", OP_INVALID, "",
		"a name without a target is none"},
	{"BACKUP-4", "file configmaps/higress-config data: {higress: 'a: 1', other: 'x'}",
		"update settings higress-config {\"data\":{\"higress\":\"a: 2\"}}", OP_OK,
		"read settings higress-config data {\"higress\":\"a: 2\"}\n"
		"list settings [\"higress-config\"]",
		"settings become what is given, no more and no less"},
	{"BACKUP-5", ROUTE, "update settings higress-config {\"data\":{\"mesh\":\"a: [\"}}",
		OP_INVALID, "list settings []", "a section that is no YAML would stop a Higress"},
	{"BACKUP-6", ROUTE, "update settings other {\"data\":{}}", OP_INVALID, "",
		"there is one object of settings"},
	{"K182", ROUTE AND "update " ON_ROUTE CONFIG,
		"update " ON_ROUTE "{\"rawConfigurations\":\"block_urls: [x]\","
		"\"configurations\":{\"block_urls\":[\"y\"]}}",
		OP_OK, BLOCK " spec|matchRules|0|config {\"block_urls\":[\"y\"]}",
		"configurations count before rawConfigurations (T24)"},
	{"INST-1", ROUTE,
		"update " ON_ROUTE
		"{\"rawConfigurations\":\"a: off\\nb: 1.0\\nc: 0x10\\nd: [{e: ~}]\\n\"}",
		OP_OK,
		BLOCK
		" spec|matchRules|0|config {\"a\":false,\"b\":1,\"c\":16,\"d\":[{\"e\":null}]}",
		"YAML, in which numbers without a fraction are integers"},
	{"K184", ROUTE,
		"update instance ROUTE/r/key-auth {\"rawConfigurations\":\"consumers:\\n- a\\n- b\"}",
		OP_OK,
		"wasmplugins/key-auth-1.0.0 spec|matchRules [{\"config\":{\"consumers\":[\"a\",\"b\"]},"
		"\"configDisable\":false,\"ingress\":[\"r\"]}]\n"
		"wasmplugins/key-auth.internal spec|matchRules [{\"config\":{},\"configDisable\":true,"
		"\"ingress\":[\"r\"]}]",
		"a user's key-auth is an object of its own and leaves authConfig alone (T25)"},
	{"K185", NULL, "update instance ROUTE/none/basic-auth {}", OP_INVALID,
		"wasmplugins/basic-auth-1.0.0 . -", "no such route"},
	{"K186", ROUTE, "update instance ROUTE/r/nosuch {}", OP_INVALID, NULL, "no such plugin"},
	{"K187", ROUTE, "update " ON_ROUTE "{\"pluginName\":\"cors\"}", OP_INVALID, BLOCK " . -",
		"the name in the body is another one"},
	{"K188", ROUTE, "update " ON_ROUTE "{\"rawConfigurations\":\"a: [b\"}", OP_INVALID,
		BLOCK " . -", "no YAML"},
	{"K188a", ROUTE, "update " ON_ROUTE "{\"rawConfigurations\":\"- a\"}", OP_INVALID, NULL,
		"YAML, but no mapping"},
	{"K189", ROUTE, "update " ON_ROUTE "{\"enabled\":false}", OP_OK,
		BLOCK " spec|matchRules [{\"configDisable\":true,\"ingress\":[\"r\"]}]\n"
		      "read " ON_ROUTE ". " NOTHING("ROUTE", "\"r\"", "request-block"),
		"disabled and empty is not configured (D21)"},
	{"INST-2", ROUTE, "update " ON_ROUTE "{}", OP_OK,
		"read " ON_ROUTE "enabled true\nread " ON_ROUTE "rawConfigurations \"\"\n"
		"read " ON_ROUTE "configurations {}",
		"enabled when it does not say (T12); an empty configuration is an empty object"},
	{"K191", ROUTE AND "update " ON_ROUTE CONFIG, "remove " ON_ROUTE, OP_OK,
		BLOCK " spec|matchRules -\nread instance ROUTE/r/ . []",
		"the rule goes, the WasmPlugin stays"},
	{"K191a", NULL, "remove instance ROUTE/none/request-block", OP_OK, BLOCK " . -",
		"deleting what is not there, of what is not there"},
	{"K191b", ROUTE, "remove instance ROUTE/r/key-auth", OP_OK,
		"wasmplugins/key-auth.internal spec|matchRules|0|ingress [\"r\"]",
		"what the route keeps for itself is not deleted by a user's DELETE"},
	{"K192", NULL,
		"update instance GLOBAL//request-block {\"scope\":\"GLOBAL\",\"targets\":{\"GLOBAL\":null},"
		"\"configurations\":{\"a\":1}}",
		OP_OK,
		BLOCK " spec|defaultConfig {\"a\":1}\n" BLOCK " spec|defaultConfigDisable false\n"
		      "read instance GLOBAL//request-block target null\n"
		      "read instance GLOBAL//request-block targets {\"GLOBAL\":null}\n"
		      "read instance GLOBAL//request-block rawConfigurations \"a: 1\"\n"
		      "read instance GLOBAL// 0|pluginName \"request-block\"",
		"the default configuration"},
	{"K192a", "update instance GLOBAL//request-block " CONFIG,
		"remove instance GLOBAL//request-block", OP_OK,
		BLOCK
		" spec|defaultConfig -\n" BLOCK " spec|defaultConfigDisable true\n"
		"read instance GLOBAL//request-block . " NOTHING("GLOBAL", "null", "request-block"),
		"and without it"},
	{"K193", "create domain *.a.com {}", "update instance DOMAIN/*.a.com/request-block " CONFIG,
		OP_OK, BLOCK " spec|matchRules|0|domain [\"*.a.com\"]", "of a domain"},
	{"K193a",
		"create source tuwunel {\"type\":\"static\",\"domain\":\"127.0.0.1:6167\",\"port\":6167}",
		"update instance SERVICE/tuwunel.static/request-block " CONFIG, OP_OK,
		BLOCK " spec|matchRules|0|service [\"tuwunel.static\"]\n"
		      "read instance SERVICE/tuwunel.static/ 0|target \"tuwunel.static\"",
		"of a service"},
	{"K193b",
		"create source tuwunel {\"type\":\"static\",\"domain\":\"127.0.0.1:6167\",\"port\":6167}",
		"update instance SERVICE/tuwunel.dns/request-block " CONFIG, OP_INVALID, NULL,
		"a service is named with its type"},
	{"K193c", NULL, "update instance DOMAIN/a.com/request-block " CONFIG, OP_INVALID, NULL,
		"no such domain"},
	{"INST-3", ROUTE, "update " ON_ROUTE "{\"internal\":true}", OP_INVALID, NULL,
		"internal instances are not written here"},
	{"INST-4", ROUTE, "update " ON_ROUTE "{\"pluginVersion\":\"0.9.0\"}", OP_INVALID, NULL,
		"a version that is nowhere"},
	{"INST-5",
		ROUTE AND OTHER("request-block-0.9.0", "0.9.0",
			"matchRules: [{ingress: [r], config: "
			"{old: 1}}]"),
		"update " ON_ROUTE "{\"pluginVersion\":\"0.9.0\",\"configurations\":{\"new\":1}}",
		OP_OK,
		"wasmplugins/request-block-0.9.0 spec|matchRules|0|config {\"new\":1}\n" BLOCK
		" . -\nread " ON_ROUTE "pluginVersion \"0.9.0\"",
		"an instance of an older version is shown, and changed where it is"},
	{"INST-6",
		ROUTE AND
		"file wasmplugins/request-block-1.0.0 {apiVersion: extensions.higress.io/v1alpha1, "
		"kind: WasmPlugin, spec: {defaultConfig: {a: 1}}}",
		"update " ON_ROUTE CONFIG, OP_READ_ONLY,
		BLOCK " spec {\"defaultConfig\":{\"a\":1}}", "somebody else's object has the name"},
	{"INST-7",
		ROUTE AND OTHER("request-block-1.0.0", "1.0.0",
			"note: hi, matchRules: [{ingress: [q, r], "
			"config: {a: 1}}]"),
		"update " ON_ROUTE CONFIG, OP_OK,
		BLOCK " spec|matchRules|0|ingress [\"q\",\"r\"]\n" BLOCK
		      " spec|matchRules|1|ingress [\"r\"]\n" BLOCK " spec|note \"hi\"",
		"a rule of several routes stays; what is not known stays"},
	{"INST-8",
		ROUTE AND OTHER("request-block-1.0.0", "1.0.0",
			"matchRules: [{ingress: [q, r], "
			"config: {a: 1}}]"),
		"remove " ON_ROUTE, OP_OK,
		BLOCK " spec|matchRules [{\"config\":{\"a\":1},\"ingress\":[\"q\"]}]",
		"the route is taken out of it"},
	{"INST-9", ROUTE AND OTHER("mine", "2.0.0", "matchRules: []"),
		"update " ON_ROUTE "{\"configurations\":[]}", OP_INVALID, NULL,
		"configurations is an object"},
	{"INST-10",
		ROUTE AND
		"file wasmplugins/mine-1.0.0 {apiVersion: extensions.higress.io/v1alpha1, "
		"kind: WasmPlugin, metadata: {labels: {higress.io/resource-definer: higress, "
		"higress.io/wasm-plugin-name: mine, higress.io/wasm-plugin-version: 1.0.0}}, "
		"spec: {}}",
		"update instance ROUTE/r/mine " CONFIG, OP_OK,
		"wasmplugins/mine-1.0.0 spec|matchRules|0|config {\"block_urls\":[\"x\"]}\n"
		"wasmplugins/mine-1.0.0 spec|defaultConfigDisable true",
		"a plugin of one's own"},
	{"INST-11", ROUTE, "update instance ROUTE/r/json-converter {}", OP_OK,
		"wasmplugins/json-converter-2.0.1 spec|url \"oci://higress-registry.cn-hangzhou.cr."
		"aliyuncs.com/plugins/jsonrpc-converter:2.0.1\"",
		"its image has another name"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_true(op_world_rows(rows, ARRAY_LEN(rows)));
}

/* console-api.md §3.11 */
static void test_known(void **state)
{
	static const char all[] =
		"ai-prompt-decorator ai-prompt-template ai-rag ai-search ai-security-guard "
		"ai-statistics ai-token-ratelimit ai-transformer ai-cache ai-proxy ai-history "
		"ai-intent ai-quota ai-agent ai-data-masking ai-json-resp ai-load-balancer "
		"model-router model-mapper mcp-server basic-auth key-auth oidc jwt-auth hmac-auth "
		"ext-auth oauth opa custom-response transformer cache-control de-graphql geo-ip "
		"frontend-gray json-converter request-block key-rate-limit cluster-key-rate-limit "
		"ip-restriction request-validation traffic-tag bot-detect waf cors ai-context-limit "
		"gw-error-format hmac-auth-apisix log-request-response mcp-router "
		"nginx-rewrite-compatible response-cache simple-jwt-auth";
	struct bytes rest = bytes_str(all);

	(void)state;
	while (rest.n > 0) {
		struct bytes name = bytes_cut(&rest, ' ');
		const struct op_plugin *p = op_plugin_find(name);

		if (p == NULL || !bytes_eq(bytes_str(p->name), name)) {
			fail_msg("%.*s is not known", (int)name.n, name.p);
		}
	}
	assert_null(op_plugin_find(BYTES("nosuch")));
}

/* What a Higress would not load is said. */
static void test_warning(void **state)
{
	struct op_world w;

	(void)state;
	op_world_init(&w);
	assert_int_equal(op_world_do(&w, BYTES(ROUTE)), OP_OK);
	assert_int_equal(
		op_instance_save(&w.op, OP_ROUTE, BYTES("r"), BYTES("key-auth"),
			op_world_json(&w, BYTES("{\"configurations\":{\"consumers\":[\"a\"]}}"))),
		OP_OK);
	assert_non_null(strstr(text_cstr(&w.op.warnings), "key-auth"));
	op_world_done(&w);
}

/* Of all nouns whose saving is tested here and beside. */
static void test_small_arenas(void **state)
{
	static const char *const steps[] = {
		"update " ON_ROUTE "{\"rawConfigurations\":\"a: [{b: c}, 1.5]\\nd: true\"}",
		"update instance GLOBAL//cors {\"configurations\":{\"a\":[{\"b\":null}]}}",
		"update route r {\"domains\":[\"a.com\"],\"path\":{\"matchType\":\"EQUAL\","
		"\"matchValue\":\"/\"},\"services\":[{\"name\":\"a\"},{\"name\":\"b\"}],"
		"\"authConfig\":{\"enabled\":true,\"allowedConsumers\":[\"c\"]}}",
		"create source s {\"type\":\"nacos\",\"domain\":\"10.0.0.1\",\"port\":1,"
		"\"properties\":{\"nacosGroups\":[\"g\"]},\"vport\":{\"defaultValue\":1},"
		"\"authN\":{\"enabled\":true,\"properties\":{\"nacosUsername\":\"u\","
		"\"nacosPassword\":\"p\"}}}",
		("create proxy-server p {\"type\":\"http\",\"serverAddress\":\"1.2.3.4\","
		 "\"serverPort\":1}"),
		"remove route r",
	};
	struct op_world w;

	(void)state;
	op_world_init(&w);
	assert_int_equal(op_world_do(&w, BYTES(ROUTE)), OP_OK);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		assert_true(op_world_starve(&w, bytes_str(steps[i])) > 0);
	}
	op_world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_warning),
		cmocka_unit_test(test_small_arenas),
	};

	return cmocka_run_group_tests_name("op_instance", tests, NULL, NULL);
}
