/*
 * Service sources and proxy servers as entries of the McpBridge (higress-resources.md §2.6, §3.6; console-api.md
 * §3.7, §3.10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define BRIDGE "mcpbridges/default spec|registries"
#define STATIC(domain, more) \
	"source s {\"type\":\"static\",\"domain\":\"" domain "\",\"port\":80" more "}"
#define DNS(domain, more) \
	"source s {\"type\":\"dns\",\"domain\":\"" domain "\",\"port\":443" more "}"
#define NACOS(more)                                                            \
	"source s {\"type\":\"nacos2\",\"domain\":\"10.0.0.1\",\"port\":8848," \
	"\"properties\":{\"nacosGroups\":[\"g\"]}" more "}"
#define LOGIN                                                                   \
	",\"authN\":{\"enabled\":true,\"properties\":{\"nacosUsername\":\"u\"," \
	"\"nacosPassword\":\"p\"}}"
#define CONSUL(properties)                                                          \
	"source s {\"type\":\"consul\",\"domain\":\"c.example.com\",\"port\":8500," \
	"\"properties\":{" properties "}}"
#define NACOS3(properties)                                                     \
	"source s {\"type\":\"nacos3\",\"domain\":\"10.0.0.1\",\"port\":8848," \
	"\"properties\":{" properties "}}"
#define SECRET "secrets/s-auth-61jop"

static const struct op_row sources[] = {
	{"K160", NULL,
		"create source tuwunel {\"type\":\"static\",\"name\":\"tuwunel\","
		"\"domain\":\"127.0.0.1:6167\",\"port\":6167,\"protocol\":\"http\"}",
		OP_OK,
		BRIDGE " [{\"domain\":\"127.0.0.1:6167\",\"name\":\"tuwunel\",\"port\":6167,"
		       "\"protocol\":\"http\",\"type\":\"static\"}]\n"
		       "mcpbridges/default metadata|labels -\n"
		       "read source tuwunel . {\"name\":\"tuwunel\",\"version\":\"1\","
		       "\"type\":\"static\",\"domain\":\"127.0.0.1:6167\",\"port\":6167,"
		       "\"protocol\":\"http\",\"sni\":null,\"proxyName\":null,\"properties\":{},"
		       "\"vport\":null,\"authN\":{\"enabled\":false,\"properties\":null}}\n"
		       "list source [\"tuwunel\"]",
		"the bridge is made; every member is shown, properties and authN as objects (T20)"},
	{"K161", "create " STATIC("10.0.0.1:80", ""), "create " DNS("a.com", ""), OP_EXISTS,
		BRIDGE "|0|type \"static\"", "created twice: the first stays"},
	{"K163", NULL,
		"create source s {\"type\":\"dns\",\"domain\":\"api.github.com\",\"port\":\"443\"}",
		OP_OK, BRIDGE "|0|port 443\nread source s port 443", "a number as a text (W5)"},
	{"K164", NULL, "create source q.dns {\"type\":\"dns\",\"domain\":\"a.com\",\"port\":443}",
		OP_INVALID, "mcpbridges/default . -", "a dot separates name and type of a service"},
	{"K165", NULL, "create " STATIC("nohost", ""), OP_INVALID, "mcpbridges/default . -",
		"no address and port"},
	{"K165a", NULL, "create " STATIC("a.com:80", ""), OP_INVALID, NULL,
		"a name is not for the type static"},
	{"K165b", NULL, "create " STATIC("1.2.3.4:0", ""), OP_INVALID, NULL, "no such port"},
	{"K166", NULL, "create source s {\"type\":\"foo\",\"domain\":\"a.com\",\"port\":1}",
		OP_INVALID, NULL, "no such type"},
	{"K167", NULL, "create source s {\"type\":\"dns\",\"domain\":\"a.com\",\"port\":0}",
		OP_INVALID, NULL, "port 0"},
	{"K167a", NULL, "create source s {\"type\":\"dns\",\"domain\":\"a.com\"}", OP_INVALID, NULL,
		"no port"},
	{"K168", NULL, "update " DNS("a.com", ""), OP_OK, "list source [\"s\"]",
		"PUT creates what is not there"},
	{"K170", NULL, "update source llm-q.internal {}", OP_READ_ONLY, NULL,
		"belongs to a provider"},
	{"K170a", "create provider q {\"type\":\"deepseek\"}", "remove source llm-q.internal",
		OP_READ_ONLY, "list source [\"llm-q.internal\"]", "neither is it deleted here"},
	{"SRC-1", NULL, "create " STATIC(" 10.0.0.1:80 , ,[::1]:81,", ""), OP_OK,
		BRIDGE "|0|domain \"10.0.0.1:80,[::1]:81\"",
		"stored without blanks, at which a Higress would lose the service (D30)"},
	{"SRC-2", NULL, "create " STATIC(" , ", ""), OP_INVALID, NULL, "an empty list"},
	{"SRC-3", NULL, "create " DNS("modelserver", ""), OP_OK, BRIDGE "|0|domain \"modelserver\"",
		"a name in a container network (D18)"},
	{"SRC-4", NULL, "create " DNS("10.0.0.1", ""), OP_OK, NULL, "an address as a name (D18)"},
	{"SRC-5", NULL, "create " DNS("A.com", ""), OP_INVALID, NULL, "upper case"},
	{"SRC-6", NULL, "create " DNS("a.com:443", ""), OP_INVALID, NULL,
		"the port is a member of its own"},
	{"SRC-7", NULL, "create " DNS("a..com", ""), OP_INVALID, NULL, "an empty label"},
	{"SRC-8", NULL, "create " DNS("a.com", ",\"protocol\":\"ftp\""), OP_INVALID, NULL,
		"a Higress would lose the service (D30)"},
	{"SRC-9", NULL,
		"create " DNS("a.com", ",\"protocol\":\"\",\"sni\":\"\",\"proxyName\":\"\""), OP_OK,
		BRIDGE "|0 {\"domain\":\"a.com\",\"name\":\"s\",\"port\":443,\"type\":\"dns\"}",
		"empty texts stand for nothing"},
	{"SRC-10", "create " DNS("a.com", ",\"protocol\":\"https\",\"sni\":\"b.com\""),
		"update " DNS("a.com", ",\"protocol\":\"https\""), OP_OK,
		BRIDGE "|0 {\"domain\":\"a.com\",\"name\":\"s\",\"port\":443,"
		       "\"protocol\":\"https\",\"type\":\"dns\"}",
		"PUT replaces: what is not given goes"},
	{"SRC-11",
		"file mcpbridges/default {apiVersion: networking.higress.io/v1, kind: McpBridge, "
		"spec: {registries: [{name: z, type: dns, domain: z.com, port: 1}, {name: s, "
		"type: dns, domain: a.com, port: 1, metadata: {x: z}}]}}",
		"update " DNS("a.com", ""), OP_OK,
		BRIDGE "|1|metadata {\"x\":\"z\"}\n" BRIDGE
		       "|1|port 443\nlist source [\"z\",\"s\"]",
		"what the API cannot say stays; the order is the one of insertion"},
	{"SRC-12", NULL,
		"create " DNS("a.com",
			",\"vport\":{\"defaultValue\":80,\"servicesVport\":[{\"name\":\"x\","
			"\"value\":81}]}"),
		OP_OK,
		BRIDGE
		"|0|vport {\"default\":80,\"services\":[{\"name\":\"x\",\"value\":81}]}\n"
		"read source s vport {\"defaultValue\":80,\"servicesVport\":[{\"name\":\"x\","
		"\"value\":81}]}",
		"stored by other names than in the API"},
	{"SRC-13", NULL,
		"create " DNS("a.com",
			",\"vport\":{\"servicesVport\":[{\"name\":\"x\",\"value\":81},"
			"{\"name\":\"x\",\"value\":82}]}"),
		OP_INVALID, NULL, "a service has one port"},
	{"SRC-14", NULL, "create " DNS("a.com", ",\"sni\":\"a b\""), OP_INVALID, NULL,
		"no name that TLS could send"},
	/* --- registries ----------------------------------------------------------------------------- */
	{"SRC-20", NULL, "create " NACOS(""), OP_OK,
		BRIDGE
		"|0 {\"domain\":\"10.0.0.1\",\"nacosGroups\":[\"g\"],\"name\":\"s\","
		"\"port\":8848,\"type\":\"nacos2\"}\n"
		"read source s properties {\"nacosNamespaceId\":null,\"nacosGroups\":[\"g\"]}",
		"kept for a Higress; empty texts are not on disk"},
	{"SRC-21", NULL, "create source s {\"type\":\"nacos\",\"domain\":\"10.0.0.1\",\"port\":1}",
		OP_INVALID, NULL, "a group is needed"},
	{"SRC-22", NULL,
		"create " NACOS3("\"enableMCPServer\":true,\"mcpServerBaseUrl\":\"/mcp\","
				 "\"mcpServerExportDomains\":[\"a.com\"]"),
		OP_OK,
		BRIDGE "|0|enableMCPServer true\nread source s properties {"
		       "\"nacosNamespaceId\":null,\"nacosGroups\":null,\"enableMCPServer\":true,"
		       "\"mcpServerBaseUrl\":\"/mcp\",\"mcpServerExportDomains\":[\"a.com\"]}",
		"with MCP servers no group is needed"},
	{"SRC-23", NULL, "create " NACOS3("\"enableMCPServer\":\"yes\""), OP_INVALID, NULL,
		"the switch is no text"},
	{"SRC-24", NULL, "create " NACOS3("\"enableMCPServer\":true,\"mcpServerBaseUrl\":\"/a?b\""),
		OP_INVALID, NULL, "a path without a query"},
	{"SRC-25", NULL, "create " NACOS3("\"nacosGroups\":[\"g\"]"), OP_OK,
		BRIDGE "|0|enableMCPServer false", "false survives on disk"},
	{"SRC-26", NULL,
		"create " CONSUL("\"consulDatacenter\":\"dc\",\"consulRefreshInterval\":30"), OP_OK,
		BRIDGE "|0|consulRefreshInterval \"30\"\n"
		       "read source s properties {\"consulDatacenter\":\"dc\","
		       "\"consulServiceTag\":null,\"consulRefreshInterval\":30}",
		"64-bit numbers are texts on disk and numbers in the API"},
	{"SRC-27", NULL,
		"create " CONSUL("\"consulDatacenter\":\"dc\",\"consulRefreshInterval\":9"),
		OP_INVALID, NULL, "10 to 600 seconds"},
	{"SRC-28", NULL, "create " CONSUL("\"consulDatacenter\":\" \""), OP_INVALID, NULL,
		"a blank name of a data center"},
	{"SRC-29", NULL,
		"create source s {\"type\":\"eureka\",\"domain\":\"e.example.com\",\"port\":8761,"
		"\"proxyName\":\"p\"}",
		OP_INVALID, NULL, "only static and dns go through a proxy"},
	/* --- credentials ---------------------------------------------------------------------------- */
	{"K171", NULL, "create " NACOS(LOGIN), OP_OK,
		BRIDGE "|0|authSecretName \"s-auth-61jop\"\n" SECRET
		       " data {\"nacosPassword\":\"cA==\",\"nacosUsername\":\"dQ==\"}\n" SECRET
		       " metadata|labels {\"higress.io/resource-definer\":\"higress\"}\n" SECRET
		       " type -\n"
		       "read source s authN {\"enabled\":true,\"properties\":null}",
		"a Secret of its own; what is in it is never shown"},
	{"K171a", "create " NACOS(LOGIN), "update " NACOS(",\"authN\":{\"enabled\":true}"), OP_OK,
		SECRET " data|nacosUsername \"dQ==\"\n" BRIDGE
		       "|0|authSecretName \"s-auth-61jop\"\n" SECRET
		       " metadata|resourceVersion \"1\"",
		"enabled without properties: the stored ones stay"},
	{"SRC-30", "create " NACOS(LOGIN), "update " NACOS(""), OP_OK,
		SECRET " . -\n" BRIDGE "|0|authSecretName -\n"
		       "read source s authN|enabled false",
		"without authN they go"},
	{"SRC-31", NULL, "create " NACOS(",\"authN\":{\"enabled\":true}"), OP_INVALID,
		"mcpbridges/default . -", "nothing is stored yet"},
	{"SRC-32", NULL,
		"create " NACOS(
			",\"authN\":{\"enabled\":true,\"properties\":{\"nacosUsername\":\"u\"}}"),
		OP_INVALID, SECRET " . -", "user and password are needed"},
	{"SRC-33", "create " NACOS(LOGIN),
		"update " NACOS(
			",\"authN\":{\"enabled\":true,\"properties\":{\"nacosUsername\":\"v\","
			"\"nacosPassword\":\"q\"}}"),
		OP_OK, SECRET " data {\"nacosPassword\":\"cQ==\",\"nacosUsername\":\"dg==\"}",
		"new ones take the place of the old ones"},
	{"SRC-34", "create " NACOS(LOGIN), "remove source s", OP_OK, SECRET " . -\nlist source []",
		"the Secret goes with its source"},
	{"SRC-35", "file secrets/s-auth-61jop {apiVersion: v1, kind: Secret, data: {a: Yg==}}",
		"create " NACOS(LOGIN), OP_OK,
		SECRET " data {\"a\":\"Yg==\"}\nread source s authN|enabled true",
		"another Secret has the name: the next one is taken"},
	{"SRC-36", NULL, "remove source s", OP_OK, "mcpbridges/default . -",
		"deleting what is not there writes nothing"},
	{"OPS-51", NULL, "create " CONSUL("\"consulDatacenter\":\"a\\u0000\""), OP_INVALID,
		"mcpbridges/default . -", "no data center is called so"},
	{"OPS-52", NULL,
		"create " STATIC("1.2.3.4:80",
			",\"authN\":{\"enabled\":true,\"properties\":{\"../a\":\"b\"}}"),
		OP_INVALID, "mcpbridges/default . -", "a cluster takes no such key of a Secret"},
	{"OPS-53", NULL,
		"create " STATIC("1.2.3.4:80",
			",\"vport\":{\"servicesVport\":[{\"name\":\"a\\nb\",\"value\":1}]}"),
		OP_INVALID, "mcpbridges/default . -", "no service is called so"},
	{"OPS-50", NULL, "create " DNS("a.com", ",\"proxyName\":\"a b\""), OP_INVALID,
		"mcpbridges/default . -", "no proxy server is called so"},
};

#define PROXY(more)                                                                           \
	"proxy-server px {\"type\":\"HTTP\",\"name\":\"px\",\"serverAddress\":\"127.0.0.1\"," \
	"\"serverPort\":3128" more "}"
#define PROXIES "mcpbridges/default spec|proxies"

static const struct op_row proxies[] = {
	{"K230", NULL, "create " PROXY(",\"connectTimeout\":5000"), OP_OK,
		PROXIES
		" [{\"connectTimeout\":5000,\"name\":\"px\",\"serverAddress\":\"127.0.0.1\","
		"\"serverPort\":3128,\"type\":\"HTTP\"}]\n"
		"read proxy-server px . {\"type\":\"HTTP\",\"name\":\"px\",\"version\":\"1\","
		"\"serverAddress\":\"127.0.0.1\",\"serverPort\":3128,\"connectTimeout\":5000}\n"
		"list proxy-server [\"px\"]",
		"an entry of the bridge"},
	{"PROXY-1", "create " PROXY(""), "create " PROXY(""), OP_EXISTS, NULL, "created twice"},
	{"PROXY-2", "create " PROXY(",\"connectTimeout\":5"), "update " PROXY(""), OP_OK,
		PROXIES "|0|connectTimeout -", "PUT replaces"},
	{"PROXY-3", NULL, "update " PROXY(""), OP_OK, "list proxy-server [\"px\"]",
		"PUT creates what is not there"},
	{"K231", "create " PROXY("") AND "create " DNS("a.com", ",\"proxyName\":\"px\""),
		"remove proxy-server px", OP_IN_USE, "list proxy-server [\"px\"]",
		"a source goes through it (D7)"},
	{"PROXY-4", "create " PROXY(""), "remove proxy-server px", OP_OK,
		"list proxy-server []\n" PROXIES " -", "nobody uses it"},
	{"PROXY-5", NULL, "remove proxy-server px.internal", OP_READ_ONLY, NULL,
		"the gateway's own"},
	{"PROXY-6", NULL, "create proxy-server 1px {}", OP_INVALID, NULL,
		"a name begins with a letter"},
	{"PROXY-7", NULL,
		"create proxy-server px {\"type\":\"http\",\"serverAddress\":\"Px.com\","
		"\"serverPort\":1}",
		OP_INVALID, "mcpbridges/default . -", "a host name in lower case"},
	{"PROXY-8", NULL, "create " PROXY(",\"connectTimeout\":-1"), OP_INVALID, NULL,
		"no time is negative"},
	{"PROXY-9", NULL,
		"create proxy-server px {\"type\":\" \",\"serverAddress\":\"1.2.3.4\","
		"\"serverPort\":1}",
		OP_INVALID, NULL, "a type is needed"},
	{"PROXY-10", NULL,
		"create proxy-server px {\"type\":\"http\",\"serverAddress\":\"1.2.3.4\","
		"\"serverPort\":65536}",
		OP_INVALID, NULL, "no such port"},
};

static void test_sources(void **state)
{
	(void)state;
	assert_true(op_world_rows(sources, ARRAY_LEN(sources)));
}

static void test_proxies(void **state)
{
	(void)state;
	assert_true(op_world_rows(proxies, ARRAY_LEN(proxies)));
}

static bool only_ten(void *arg, struct bytes host, const char **why)
{
	*why = *(const char *const *)arg;
	return bytes_starts(host, BYTES("10."));
}

/* D35: every address that an object names is asked for. */
static void test_addresses(void **state)
{
	static const struct {
		const char *step;
		enum op_rc rc;
		const char *reason;
	} cases[] = {
		{"create " STATIC("10.0.0.1:80", ""), OP_OK, "allowed"},
		{"create " STATIC("10.0.0.1:80,169.254.169.254:80", ""), OP_INVALID,
			"each of the list is looked at"},
		{"create " STATIC("[fe80::1]:80", ""), OP_INVALID, "without brackets"},
		{"create " DNS("metadata.internal", ""), OP_INVALID, "names too"},
		{"create " PROXY(""), OP_INVALID, "and those of proxies"},
	};

	const char *reason = "it is not the test's";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes step = bytes_str(cases[i].step), name;
		const struct op_noun *noun;
		struct op_world w;

		op_world_init(&w);
		w.op.address_allowed = only_ten;
		w.op.arg = &reason;
		bytes_cut(&step, ' ');
		noun = op_world_noun(bytes_cut(&step, ' '));
		name = bytes_cut(&step, ' ');
		if (noun->save(&w.op, OP_CREATE, name, op_world_json(&w, step)) != cases[i].rc) {
			fail_msg("%s (%s)", cases[i].step, cases[i].reason);
		}
		if (cases[i].rc != OP_OK) {
			assert_non_null(strstr(text_cstr(&w.op.why), "it is not the test's"));
		}
		op_world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_proxies),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests_name("op_source", tests, NULL, NULL);
}
