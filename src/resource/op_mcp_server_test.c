/*
 * MCP servers as resources and back (console-api.md §3.13).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define SERVICES "\"services\":[{\"name\":\"api.dns\",\"port\":443,\"weight\":100}]"
#define AUTH                                                            \
	",\"consumerAuthInfo\":{\"type\":\"key-auth\",\"enable\":true," \
	"\"allowedConsumers\":[\"manager\"]}"
#define RAW "server:\\n  name: t\\ntools:\\n- name: a\\n"
#define OPEN                                                        \
	"create mcp-server x {\"type\":\"OPEN_API\"," SERVICES AUTH \
	",\"rawConfigurations\":\"" RAW "\"}"
#define DB(kind, config)                                                             \
	"create mcp-server x {\"type\":\"DATABASE\"," SERVICES ",\"dbType\":\"" kind \
	"\",\"dbConfig\":{" config "}}"
#define MYSQL                                                                                      \
	"\"host\":\"db\",\"port\":3306,\"username\":\"u\",\"password\":\"p@:w\",\"dbname\":\"d\"," \
	"\"otherParams\":{\"charset\":\"utf8\",\"timeout\":5}"
#define DIRECT(path, transport)                                    \
	"create mcp-server x {\"type\":\"DIRECT_ROUTE\"," SERVICES \
	",\"directRouteConfig\":{"                                 \
	"\"path\":\"" path "\",\"transportType\":\"" transport "\"}}"
#define SOURCE "create source api {\"type\":\"dns\",\"domain\":\"api.example.com\",\"port\":443}"
#define ROUTE "ingresses/mcp-server-x.internal"
#define NOTES ROUTE " metadata|annotations"
#define RULES "wasmplugins/mcp-server.internal spec|matchRules"
#define CONFIG "configmaps/higress-config data|higress"
#define FRESH                                                                                       \
	"downstream:\\n  connectionBufferLimits: 32768\\n  http2:\\n"                               \
	"    initialConnectionWindowSize: 1048576\\n    initialStreamWindowSize: 65535\\n"          \
	"    maxConcurrentStreams: 100\\n  idleTimeout: 180\\n  maxRequestHeadersKb: 60\\n"         \
	"  routeTimeout: 0\\nupstream:\\n  connectionBufferLimits: 10485760\\n  idleTimeout: 10\\n" \
	"mcpServer:\\n  enable: true\\n  redis:\\n    address: \\\"your.redis.host:6379\\\"\\n"     \
	"    password: \\\"your_password\\\"\\n    db: 0\\n    username: \\\"your_username\\\"\\n"
#define TAIL "  sse_path_suffix: \\\"/sse\\\"\\n"
#define ENTRY(kind, dsn)                                                         \
	"  servers:\\n  - path: \\\"/mcp-servers/x\\\"\\n    name: \\\"x\\\"\\n" \
	"    type: \\\"database\\\"\\n    config:\\n      dbType: \\\"" kind     \
	"\\\"\\n      dsn: "                                                     \
	"\\\"" dsn "\\\"\\n"
#define MAP(text)                                                                                   \
	"file configmaps/higress-config {apiVersion: v1, kind: ConfigMap, metadata: {name: "        \
	"higress-config, namespace: higress-system, resourceVersion: '7'}, data: {higress: \"" text \
	"\", mesh: 'a: b', meshNetworks: 'c: d'}}"

static const struct op_row rows[] = {
	/* --- what is written ------------------------------------------------------------------------ */
	{"MCP-1", NULL,
		"create mcp-server x {\"description\":\"what it does\",\"type\":\"OPEN_API\","
		"\"domains\":[\"a.com\",\" \",\"b.com\"]," SERVICES AUTH
		",\"rawConfigurations\":\"" RAW "\"}",
		OP_OK,
		ROUTE
		" metadata|labels {\"higress.io/biz-type\":\"mcp-server\","
		"\"higress.io/domain_a.com\":\"true\",\"higress.io/domain_b.com\":\"true\","
		"\"higress.io/internal\":\"true\",\"higress.io/mcp-server-type\":\"OPEN_API\","
		"\"higress.io/resource-definer\":\"higress\"}\n" NOTES
		" {\"higress.io/comment\":\"PLEASE DO NOT EDIT DIRECTLY. This resource is managed by "
		"Higress.\",\"higress.io/destination\":\"api.dns:443\","
		"\"higress.io/mcp-server\":\"true\","
		"\"higress.io/mcp-server-match-rule-domains\":\"a.com,b.com\","
		"\"higress.io/mcp-server-match-rule-type\":\"prefix\","
		"\"higress.io/mcp-server-match-rule-value\":\"/mcp-servers/x\","
		"\"higress.io/resource-description\":\"what it does\"}\n" ROUTE
		" spec|rules|1|http|paths|0|path \"/mcp-servers/x\"\n" ROUTE
		" spec|rules|1|http|paths|0|pathType \"Prefix\"\n" RULES
		" [{\"config\":{\"server\":{\"name\":\"t\"},\"tools\":[{\"name\":\"a\"}]},"
		"\"configDisable\":false,\"ingress\":[\"mcp-server-x.internal\"]}]\n"
		"wasmplugins/mcp-server.internal metadata|labels|higress.io/wasm-plugin-version "
		"\"2.0.1\"\n"
		"wasmplugins/mcp-server.internal metadata|annotations|higress.io/"
		"wasm-plugin-description \"Host MCP servers for AI tool integration.\"\n"
		"wasmplugins/key-auth.internal spec|matchRules [{\"config\":{\"allow\":[\"manager\"]},"
		"\"configDisable\":false,\"ingress\":[\"mcp-server-x.internal\"]}]\n"
		"configmaps/higress-config metadata|labels {\"higress.io/resource-definer\":"
		"\"higress\"}\n"
		"configmaps/higress-config data|mesh \"accessLogEncoding: TEXT\"\n" CONFIG
		" \"" FRESH "  servers: []\\n" TAIL "\"\n"
		"list mcp-server [\"x\"]",
		"a route, its rules and the block that a Higress wants; blank domains are left out"},
	{"MCP-2", OPEN, "update mcp-server x {\"type\":\"OPEN_API\"," SERVICES "}", OP_OK,
		RULES "|0|config {\"server\":{\"name\":\"t\"},\"tools\":[{\"name\":\"a\"}]}\n" RULES
		      "|0|configDisable false\n"
		      "wasmplugins/key-auth.internal spec|matchRules|0|config "
		      "{\"allow\":[\"manager\"]}\n"
		      "wasmplugins/key-auth.internal spec|matchRules|0|configDisable false",
		"without tools they are kept (D23), without consumerAuthInfo the list is"},
	{"MCP-3", NULL, "create mcp-server x {\"type\":\"OPEN_API\"," SERVICES "}", OP_OK,
		RULES " [{\"config\":{\"server\":{\"description\":\"Nothing\",\"name\":\"x\"}},"
		      "\"configDisable\":true,\"ingress\":[\"mcp-server-x.internal\"]}]\n"
		      "wasmplugins/key-auth.internal . -\n" NOTES
		      "|higress.io/resource-description -\n" NOTES
		      "|higress.io/mcp-server-match-rule-domains \"*\"",
		"a new server without tools has none, and no rule of consumers"},
	{"MCP-4", NULL,
		"create mcp-server x {\"type\":\"OPEN_API\"," SERVICES
		",\"rawConfigurations\":\"server:\\n  type: mcp-proxy\\n\"}",
		OP_OK, RULES "|0|configDisable true",
		"the Console switches on what says \"tools:\" and nothing else"},
	{"MCP-5", OPEN,
		"update mcp-server x {\"type\":\"OPEN_API\"," SERVICES
		",\"consumerAuthInfo\":{\"allowedConsumers\":[\"w\"]}}",
		OP_OK,
		"wasmplugins/key-auth.internal spec|matchRules|0|config {\"allow\":[\"w\"]}\n"
		"wasmplugins/key-auth.internal spec|matchRules|0|configDisable true",
		"the list is replaced; a switch that is left out is off"},
	{"MCP-6", OPEN,
		"update mcp-server x {\"type\":\"OPEN_API\"," SERVICES
		",\"consumerAuthInfo\":{\"enable\":null,\"allowedConsumers\":null}}",
		OP_OK,
		"wasmplugins/key-auth.internal spec|matchRules|0|config {}\n"
		"wasmplugins/key-auth.internal spec|matchRules|0|configDisable false",
		"a switch that is null stays as it is"},
	/* --- databases ------------------------------------------------------------------------------ */
	{"MCP-10", NULL, DB("MYSQL", MYSQL), OP_OK,
		CONFIG " \"" FRESH ENTRY("mysql", "u:p@:w@tcp(db:3306)/d?charset=utf8&timeout=5")
			TAIL
		"\"\n"
		"wasmplugins/mcp-server.internal . -\n"
		"read mcp-server x dbType \"MYSQL\"\n"
		"read mcp-server x dbConfig {\"host\":\"db\",\"port\":\"3306\","
		"\"username\":\"u\",\"password\":\"p@:w\",\"dbname\":\"d\",\"otherParams\":"
		"{\"charset\":\"utf8\",\"timeout\":\"5\"}}",
		"one text for all of it, and back; a password may hold what separates"},
	{"MCP-11", NULL,
		DB("postgresql",
			"\"host\":\"::1\",\"port\":\"5432\",\"username\":\"a b\","
			"\"password\":\"p@/w\",\"dbname\":\"d/e\""),
		OP_OK,
		CONFIG " \"" FRESH ENTRY("postgres", "postgres://a%20b:p%40%2Fw@[::1]:5432/d%2Fe")
			TAIL "\"\n"
			     "read mcp-server x dbConfig {\"host\":\"::1\",\"port\":\"5432\","
			     "\"username\":\"a b\",\"password\":\"p@/w\",\"dbname\":\"d/e\","
			     "\"otherParams\":null}",
		"encoded, and an address in brackets"},
	{"MCP-12", NULL,
		DB("CLICKHOUSE",
			"\"host\":\"db\",\"port\":9000,\"username\":\"u\",\"password\":\"p&w\","
			"\"dbname\":\"d\",\"otherParams\":{\"x\":true}"),
		OP_OK,
		CONFIG " \"" FRESH ENTRY("clickhouse",
			"tcp://db:9000?x=true&username=u&password=p%26w&database=d") TAIL
		"\"\n"
		"read mcp-server x dbConfig {\"host\":\"db\",\"port\":\"9000\","
		"\"username\":\"u\",\"password\":\"p&w\",\"dbname\":\"d\",\"otherParams\":"
		"{\"x\":\"true\"}}",
		"who logs in is a parameter"},
	{"MCP-13", NULL, DB("SQLITE", "\"dbname\":\"/data/my.db\""), OP_OK,
		CONFIG " \"" FRESH ENTRY("sqlite", "/data/my.db") TAIL
		"\"\nread mcp-server x dbConfig|dbname \"/data/my.db\"\n"
		"read mcp-server x dbConfig|host null",
		"a path"},
	{"MCP-14", DB("MYSQL", MYSQL),
		"update mcp-server x {\"type\":\"DATABASE\"," SERVICES
		",\"dbType\":\"MYSQL\",\"dbConfig\":{\"host\":\"db\",\"port\":1,\"username\":\"u\","
		"\"password\":\"p******w\",\"dbname\":\"d\"}}",
		OP_OK, "read mcp-server x dbConfig|password \"p@:w\"",
		"the mask of a password is the password (S4)"},
	{"MCP-15",
		DB("MYSQL", MYSQL) AND "create mcp-server y {\"type\":\"DATABASE\"," SERVICES
				       ",\"dbType\":\"SQLITE\",\"dbConfig\":{\"dbname\":\"y\"}}",
		"update mcp-server x {\"type\":\"DATABASE\"," SERVICES
		",\"dbType\":\"SQLITE\",\"dbConfig\":{\"dbname\":\"x\"}}",
		OP_OK,
		"read mcp-server y dbConfig|dbname \"y\"\nread mcp-server x dbConfig|dbname \"x\"\n"
		"list mcp-server [\"x\",\"y\"]",
		"entries of others stay"},
	{"MCP-16", DB("MYSQL", MYSQL), "update mcp-server x {\"type\":\"OPEN_API\"," SERVICES "}",
		OP_OK, CONFIG " \"" FRESH "  servers: []\\n" TAIL "\"",
		"a server of another type leaves no entry behind, which would answer for it"},
	{"MCP-17", OPEN,
		"update mcp-server x {\"type\":\"DATABASE\"," SERVICES
		",\"dbType\":\"SQLITE\",\"dbConfig\":{\"dbname\":\"x\"}}",
		OP_OK, RULES " -", "nor tools"},
	{"MCP-18",
		MAP("# mine\\ndownstream: {idleTimeout: 1}\\nmcpServer:\\n  enable: false\\n"
		    "  sse_path_suffix: /events\\n  redis: {address: r}\\n  extra: 1\\n"),
		DB("SQLITE", "\"dbname\":\"/y\""), OP_OK,
		CONFIG " \"# mine\\ndownstream: {idleTimeout: 1}\\nmcpServer:\\n  enable: false\\n"
		       "  sse_path_suffix: /events\\n  redis: {address: r}\\n  extra: 1\\n"
		       "  servers:\\n  - config:\\n      dbType: sqlite\\n      dsn: /y\\n"
		       "    name: x\\n    path: /mcp-servers/x\\n    type: database\\n\"\n"
		       "configmaps/higress-config data|mesh \"a: b\"",
		"a text that a person wrote keeps its comments, its order and what nobody knows"},
	{"MCP-19", MAP("mcpServer:\\n  enable: yes\\n  note: hello\\n"),
		"create mcp-server x {\"type\":\"OPEN_API\"," SERVICES "}", OP_OK,
		CONFIG " \"mcpServer:\\n  enable: yes\\n  note: hello\\n  redis:\\n"
		       "    address: your.redis.host:6379\\n    db: 0\\n"
		       "    password: your_password\\n    username: your_username\\n"
		       "  servers: []\\n  sse_path_suffix: /sse\\n\"",
		"a spelling that a printer would change is not printed anew"},
	{"MCP-20", MAP("mcpServer:\\n  enable: true\\n  note: a\\n  redis: {address: r}\\n"),
		"create mcp-server x {\"type\":\"OPEN_API\"," SERVICES "}", OP_OK,
		CONFIG " \"mcpServer:\\n  enable: true\\n  note: \\\"a\\\"\\n  redis:\\n"
		       "    address: \\\"r\\\"\\n  servers: []\\n" TAIL "\"",
		"what can lose nothing is printed as the Console does"},
	/* --- direct routes -------------------------------------------------------------------------- */
	{"MCP-30", SOURCE, DIRECT("/v1/mcp", "Streamable"), OP_OK,
		NOTES "|higress.io/mcp-server-upstream-type \"streamable\"\n" NOTES
		      "|higress.io/mcp-server-upstream-transport-type \"streamable\"\n" NOTES
		      "|higress.io/mcp-server-enable-path-rewrite \"true\"\n" NOTES
		      "|higress.io/mcp-server-path-rewrite-prefix \"/v1/mcp\"\n" NOTES
		      "|higress.io/enable-rewrite \"true\"\n" NOTES
		      "|higress.io/rewrite-path \"/v1/mcp\"\n" NOTES
		      "|higress.io/upstream-vhost \"api.example.com\"\n"
		      "read mcp-server x directRouteConfig {\"path\":\"/v1/mcp\","
		      "\"transportType\":\"streamable\"}",
		"a rewrite of path and host"},
	{"MCP-31", NULL, DIRECT("/sse", "sse"), OP_OK,
		NOTES "|higress.io/rewrite-path \"/\"\n" NOTES
		      "|higress.io/upstream-vhost -\n" NOTES
		      "|higress.io/mcp-server-upstream-type \"sse\"\n"
		      "read mcp-server x directRouteConfig {\"path\":\"/sse\","
		      "\"transportType\":\"sse\"}",
		"the end of a stream's path is not part of the prefix, and comes back"},
	{"MCP-32", MAP("mcpServer: {sse_path_suffix: /events}"), DIRECT("/a/events", "sse"), OP_OK,
		NOTES "|higress.io/rewrite-path \"/a\"\n"
		      "read mcp-server x directRouteConfig|path \"/a/events\"",
		"the end is the configured one"},
	{"MCP-33", DIRECT("/v1/mcp", "streamable"),
		"update mcp-server x {\"type\":\"DIRECT_ROUTE\"," SERVICES "}", OP_OK,
		"read mcp-server x directRouteConfig {\"path\":\"/v1/mcp\","
		"\"transportType\":\"streamable\"}",
		"a page that does not send what it does not show loses nothing"},
	/* --- refusals ------------------------------------------------------------------------------- */
	{"MCP-40", NULL, "create mcp-server x {" SERVICES "}", OP_INVALID, ROUTE " . -",
		"no type (K220)"},
	{"MCP-41", NULL, "create mcp-server x {\"type\":\"FOO\"," SERVICES "}", OP_INVALID,
		ROUTE " . -", "no such type (K220)"},
	{"MCP-42", NULL, "create mcp-server consumers {\"type\":\"OPEN_API\"," SERVICES "}",
		OP_INVALID, NULL, "the path of another endpoint"},
	{"MCP-43", NULL, "create mcp-server A/b {\"type\":\"OPEN_API\"," SERVICES "}", OP_INVALID,
		NULL, "no name of a file"},
	{"MCP-44", NULL, "create mcp-server x {\"type\":\"OPEN_API\",\"services\":[]}", OP_INVALID,
		NULL, "a server leads somewhere"},
	{"MCP-45", NULL,
		"create mcp-server x {\"type\":\"OPEN_API\"," SERVICES
		",\"rawConfigurations\":\"a: [b\"}",
		OP_INVALID, ROUTE " . -", "no YAML"},
	{"MCP-46", NULL,
		"create mcp-server x {\"type\":\"OPEN_API\"," SERVICES
		",\"consumerAuthInfo\":{\"type\":\"jwt-auth\"}}",
		OP_INVALID, NULL, "another way to log in"},
	{"MCP-47", NULL, DIRECT("/v1", "sse"), OP_INVALID, NULL,
		"the path of a stream without its end"},
	{"MCP-48", NULL, DIRECT("v1", "streamable"), OP_INVALID, NULL, "no path"},
	{"MCP-49", NULL, DIRECT("/v1", "stdio"), OP_INVALID, NULL, "another transport"},
	{"MCP-50", NULL, "create mcp-server x {\"type\":\"DIRECT_ROUTE\"," SERVICES "}", OP_INVALID,
		NULL, "nothing says where it leads"},
	{"MCP-51", NULL, DB("ORACLE", MYSQL), OP_INVALID, NULL, "another database"},
	{"MCP-52", NULL,
		DB("MYSQL", "\"host\":\"-a\",\"port\":1,\"username\":\"u\",\"dbname\":\"d\""),
		OP_INVALID, NULL, "no host"},
	{"MCP-53", NULL,
		DB("MYSQL", "\"host\":\"a\",\"port\":0,\"username\":\"u\",\"dbname\":\"d\""),
		OP_INVALID, NULL, "no port"},
	{"MCP-54", NULL,
		DB("MYSQL", "\"host\":\"a\",\"port\":1,\"username\":\" \",\"dbname\":\"d\""),
		OP_INVALID, NULL, "no user"},
	{"MCP-55", NULL,
		DB("MYSQL",
			"\"host\":\"a\",\"port\":1,\"username\":"
			"\"abcdefghijabcdefghijabcdefghijabc\",\"dbname\":\"d\""),
		OP_INVALID, NULL, "33 characters"},
	{"MCP-56", NULL,
		DB("MYSQL",
			"\"host\":\"a\",\"port\":1,\"username\":\"u\",\"dbname\":\"d\","
			"\"otherParams\":{\"a b\":\"c\"}"),
		OP_INVALID, NULL, "no name of a parameter"},
	{"MCP-57", NULL,
		DB("MYSQL",
			"\"host\":\"a\",\"port\":1,\"username\":\"u\",\"dbname\":\"d\","
			"\"otherParams\":{\"a\":null}"),
		OP_INVALID, NULL, "a parameter without a value"},
	{"MCP-58", NULL, DB("SQLITE", "\"dbname\":\"\\u00e4\""), OP_INVALID, NULL,
		"not printable ASCII"},
	{"MCP-60", NULL,
		DB("MYSQL", "\"host\":\"a\",\"port\":1,\"username\":\"u:v\",\"dbname\":\"d\""),
		OP_INVALID, NULL, "the driver would read the name of another user"},
	{"MCP-61", NULL,
		DB("MYSQL", "\"host\":\"a\",\"port\":1,\"username\":\"u\",\"dbname\":\"d?e\""),
		OP_INVALID, NULL, "and of another database"},
	{"MCP-62", NULL,
		DB("MYSQL", "\"host\":\"a)b:\",\"port\":1,\"username\":\"u\",\"dbname\":\"d\""),
		OP_INVALID, NULL, "a colon makes no address"},
	{"MCP-59", MAP("a: [b"), "create mcp-server x {\"type\":\"OPEN_API\"," SERVICES "}",
		OP_INVALID, ROUTE " . -",
		"a configuration that nobody can read is not overwritten"},
	/* --- removed -------------------------------------------------------------------------------- */
	{"MCP-70", OPEN, "remove mcp-server x", OP_OK,
		ROUTE " . -\n" RULES " -\nwasmplugins/key-auth.internal spec|matchRules -\n" CONFIG
		      " \"" FRESH "  servers: []\\n" TAIL "  match_list: []\\n\"\n"
		      "list mcp-server []",
		"nothing is left; the list of rules is written as the Console writes it"},
	{"MCP-71", NULL, "remove mcp-server x", OP_OK, "configmaps/higress-config . -",
		"of what is not there nothing is written"},
	{"MCP-72",
		MAP("mcpServer:\\n  match_list:\\n  - match_rule_path: /mcp-servers/x\\n"
		    "    match_rule_type: prefix\\n  - match_rule_path: /mcp-servers/z\\n  servers:\\n"
		    "  - name: x\\n  - name: z\\n"),
		"remove mcp-server x", OP_OK,
		CONFIG " \"mcpServer:\\n  match_list:\\n"
		       "  - match_rule_path: \\\"/mcp-servers/z\\\"\\n  servers:\\n"
		       "  - name: \\\"z\\\"\\n\"",
		"what an older Console wrote goes as well"},
	{"MCP-73", MAP("a: [b"), "remove mcp-server x", OP_OK, CONFIG " \"a: [b\"",
		"a configuration that nobody can read holds nothing up"},
	/* --- of others ------------------------------------------------------------------------------ */
	{"MCP-80", OPEN, "remove consumer manager", OP_OK, "list mcp-server [\"x\"]",
		"a consumer that does not exist"},
	{"MCP-81",
		"create consumer manager {\"credentials\":[{\"type\":\"key-auth\",\"source\":\"BEARER\","
		"\"values\":[\"k\"]}]}" AND OPEN,
		"remove consumer manager", OP_IN_USE, "list consumer [\"manager\"]",
		"a server lists it (K223)"},
	{"MCP-82", OPEN, "update route mcp-server-x.internal {}", OP_READ_ONLY,
		ROUTE " metadata|resourceVersion \"1\"", "the route is the server's"},
	{"MCP-83",
		"file ingresses/mcp-server-h.internal {apiVersion: networking.k8s.io/v1, kind: "
		"Ingress, metadata: {labels: {higress.io/biz-type: mcp-server, "
		"higress.io/mcp-server-type: OPEN_API}, annotations: {higress.io/destination: "
		"a.dns:80}}, spec: {rules: [{http: {paths: [{path: /mcp-servers/h, pathType: Prefix}]}}]}}",
		"update mcp-server h {\"type\":\"OPEN_API\"," SERVICES "}", OP_READ_ONLY,
		"list mcp-server [\"h\"]\nread mcp-server h type \"OPEN_API\"\n"
		"read mcp-server h services|0|name \"a.dns\"\n"
		"read mcp-server h rawConfigurations null",
		"one that a person wrote without the label is shown and not changed"},
	{"MCP-86",
		"file wasmplugins/mcp-server.internal {metadata: {labels: {higress.io/resource-definer: "
		"higress, higress.io/wasm-plugin-version: 2.0.1}}, spec: {matchRules: [{config: {server: "
		"{name: both}}, ingress: [mcp-server-x.internal, mcp-server-y.internal]}]}}" AND
		"create mcp-server x {\"type\":\"OPEN_API\"," SERVICES "}",
		"update mcp-server y {\"type\":\"OPEN_API\"," SERVICES
		",\"rawConfigurations\":\"server: {name: own}\"}",
		OP_OK,
		"read mcp-server x rawConfigurations \"server:\\n  name: both\"\n"
		"read mcp-server y rawConfigurations \"server:\\n  name: own\"\n" RULES
		"|0|ingress [\"mcp-server-x.internal\"]",
		"tools that a person wrote for two servers are shown, and kept for the other"},
	{"MCP-84", OPEN,
		"update mcp-server mcp-server-x.internal {\"type\":\"OPEN_API\"," SERVICES "}",
		OP_OK, "list mcp-server [\"x\"]\nread mcp-server mcp-server-x.internal name \"x\"",
		"a server may be called by its route"},
	{"MCP-85", OPEN, "update mcp-server y {\"type\":\"OPEN_API\"," SERVICES "}", OP_OK,
		"read mcp-server x . {\"id\":null,\"name\":\"x\",\"description\":null,\"domains\":[],"
		"\"services\":[{\"name\":\"api.dns\",\"port\":443,\"version\":null,\"weight\":100}],"
		"\"type\":\"OPEN_API\",\"consumerAuthInfo\":{\"type\":\"key-auth\",\"enable\":true,"
		"\"allowedConsumers\":[\"manager\"]},\"rawConfigurations\":\"server:\\n  name: t\\n"
		"tools:\\n- name: a\",\"dbConfig\":null,\"dbType\":null,\"directRouteConfig\":null}\n"
		"read mcp-server y consumerAuthInfo {\"type\":null,\"enable\":false,"
		"\"allowedConsumers\":null}",
		"every member is there, in its order"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_true(op_world_rows(rows, ARRAY_LEN(rows)));
}

/* --- lists of consumers ------------------------------------------------------------------------- */

static struct bytes allowed(struct op_world *w, const char *name)
{
	const struct doc *list = NULL;

	assert_int_equal(op_mcp_server_allowed(&w->op, bytes_str(name), &list), OP_OK);
	return op_world_text(w, list);
}

static void change(struct op_world *w, const char *name, const char *who, bool add)
{
	const struct doc *consumers = op_world_json(w, bytes_str(who));

	assert_int_equal(op_mcp_server_allow(&w->op, bytes_str(name), consumers, add), OP_OK);
	op_world_commit(w);
}

static void assert_allowed(struct op_world *w, const char *name, const char *want)
{
	struct bytes have = allowed(w, name);

	assert_int_equal(have.n, strlen(want));
	assert_memory_equal(have.p, want, have.n);
}

static void test_lists(void **state)
{
	struct op_world w;
	const struct doc *none = NULL;

	(void)state;
	op_world_init(&w);
	assert_int_equal(op_world_do(&w, BYTES(OPEN)), OP_OK);
	assert_int_equal(op_mcp_server_allow(&w.op, BYTES("none"), NULL, true), OP_MISSING);
	assert_int_equal(op_mcp_server_allowed(&w.op, BYTES("none"), &none), OP_MISSING);
	change(&w, "x", "[\"a\",\"manager\",\"a\"]", true);
	assert_allowed(&w, "x", "[\"manager\",\"a\"]");
	change(&w, "mcp-server-x.internal", "[\"manager\",\"other\"]", false);
	assert_allowed(&w, "x", "[\"a\"]");
	/* The switch stays: it was on. */
	assert_true(op_auth_enabled(&w.op, BYTES("mcp-server-x.internal")));
	assert_int_equal(
		op_world_do(&w, BYTES("update mcp-server y {\"type\":\"OPEN_API\"," SERVICES "}")),
		OP_OK);
	change(&w, "y", "[\"a\",\"b\"]", true);
	assert_false(op_auth_enabled(&w.op, BYTES("mcp-server-y.internal")));
	op_mcp_server_forbid(&w.op, BYTES("a"));
	op_world_commit(&w);
	assert_allowed(&w, "x", "[]");
	assert_allowed(&w, "y", "[\"b\"]");
	op_world_done(&w);
}

/* --- memory ------------------------------------------------------------------------------------- */

static void test_starved(void **state)
{
	struct op_world w;

	(void)state;
	op_world_init(&w);
	assert_true(op_world_starve(&w, BYTES(DB("MYSQL", MYSQL))) > 5);
	assert_true(op_world_starve(&w, BYTES(OPEN)) > 5);
	assert_int_equal(op_world_do(&w, BYTES(OPEN)), OP_OK);
	assert_true(op_world_starve(&w, BYTES("remove mcp-server x")) > 0);
	op_world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_starved),
	};

	return cmocka_run_group_tests_name("op_mcp_server", tests, NULL, NULL);
}
