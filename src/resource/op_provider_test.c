/*
 * Providers of each type as registry, entry and rule (higress-resources.md §3.2, §7.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define AND "\n--\n"
#define RAW(type, raw) "create provider p {\"type\":\"" type "\",\"rawConfigs\":{" raw "}}"
#define DNS(host, port, protocol)                                                         \
	"mcpbridges/default spec|registries|0 {\"domain\":\"" host                        \
	"\",\"name\":\"llm-p.internal\",\"port\":" port ",\"protocol\":\"" protocol       \
	"\",\"type\":\"dns\"}\nwasmplugins/ai-proxy.internal spec|matchRules "            \
	"[{\"config\":{\"activeProviderId\":\"p\"},\"configDisable\":false,\"service\":[" \
	"\"llm-p.internal.dns\"]}]"
#define STATIC(list, protocol)                                                              \
	"mcpbridges/default spec|registries|0 {\"domain\":\"" list                          \
	"\",\"name\":\"llm-p.internal\",\"port\":80,\"protocol\":\"" protocol               \
	"\",\"type\":\"static\"}\nwasmplugins/ai-proxy.internal spec|matchRules|0|service " \
	"[\"llm-p.internal.static\"]"
#define ENTRY "wasmplugins/ai-proxy.internal spec|defaultConfig|providers|0"
#define NOTHING "mcpbridges/default . -\nwasmplugins/ai-proxy.internal . -\nlist provider []"
#define URL(u) "\"openaiCustomUrl\":\"" u "\""
#define EXTRA(u) ",\"openaiExtraCustomUrls\":[\"" u "\"]"
#define NAMED "\"openaiCustomServiceName\":\"s.static\",\"openaiCustomServicePort\":8080"
#define KEY(more)                                                                               \
	"\"vertexAuthKey\":\"{\\\"client_email\\\":\\\"a\\\",\\\"private_key_id\\\":\\\"b\\\"," \
	"\\\"private_key\\\":\\\"c\\\"" more "}\""
#define VERTEX(region)               \
	"\"vertexRegion\":\"" region \
	"\",\"vertexProjectId\":\"x\"," KEY(",\\\"token_uri\\\":\\\"d\\\"")
#define ROUTE "create ai-route r {\"upstreams\":[{\"provider\":\"p\"}]}"

static const struct op_row rows[] = {
	{"G15", NULL, RAW("openai", ""), OP_OK, DNS("api.openai.com", "443", "https"),
		"the vendor's own address"},
	{"G16", NULL, RAW("openai", URL("https://lololo.com/v1")), OP_OK,
		DNS("lololo.com", "443", "https"), "a URL with a name"},
	{"G17", NULL, RAW("openai", URL("http://10.0.0.5:8000/v1")), OP_OK,
		STATIC("10.0.0.5:8000", "http"), "an address is a static registry"},
	{"G18", NULL, RAW("openai", URL("https://10.0.0.5/v1")), OP_OK,
		STATIC("10.0.0.5:443", "https"), "its port is the scheme's"},
	{"G19", NULL,
		RAW("openai", URL("http://10.0.0.5:8000/v1") EXTRA("http://10.0.0.6:8001/v1")),
		OP_OK, STATIC("10.0.0.5:8000,10.0.0.6:8001", "http"),
		"several addresses, the first URL first"},
	{"G20", NULL, RAW("openai", URL("http://10.0.0.5:8000/v1") EXTRA("http://b.com/v1")),
		OP_INVALID, NOTHING, "a name beside an address"},
	{"G21", NULL, RAW("openai", URL("http://10.0.0.5/v1") EXTRA("http://10.0.0.6/v2")),
		OP_INVALID, NOTHING, "one provider has one path"},
	{"G22", NULL, RAW("openai", URL("http://10.0.0.5/v1") EXTRA("https://10.0.0.6/v1")),
		OP_INVALID, NOTHING, "one provider has one protocol"},
	{"G23", NULL, RAW("openai", URL("")), OP_INVALID, NOTHING, "an empty URL"},
	{"G24", NULL, RAW("openai", URL("lololo.com/v1")), OP_INVALID, NOTHING, "no scheme"},
	{"G25", NULL, RAW("openai", NAMED), OP_OK,
		"mcpbridges/default . -\n"
		"wasmplugins/ai-proxy.internal spec|matchRules|0|service [\"s.static\"]",
		"a named service needs no registry"},
	{"G26", NULL,
		RAW("openai",
			"\"openaiCustomServiceName\":\"s.static\",\"openaiCustomServicePort\":\"8080\""),
		OP_OK, DNS("api.openai.com", "443", "https"), "a port that is text is none"},
	{"G27", RAW("openai", NAMED),
		"create provider q {\"type\":\"openai\",\"rawConfigs\":{" NAMED "}}", OP_INVALID,
		"list provider [\"p\"]", "a service can stand for one provider only"},
	{"G28", NULL,
		RAW("ollama",
			"\"ollamaServerHost\":\"192.168.1.2\",\"ollamaServerPort\":\"11434\""),
		OP_OK, STATIC("192.168.1.2:11434", "http") "\n" ENTRY "|ollamaServerPort 11434",
		"a port in quotes is stored as a number"},
	{"G29", NULL,
		RAW("ollama", "\"ollamaServerHost\":\"ollama.local\",\"ollamaServerPort\":11434"),
		OP_OK, DNS("ollama.local", "11434", "http"), "a name with its port"},
	{"G29a", NULL, RAW("ollama", "\"ollamaServerHost\":\"a\",\"ollamaServerPort\":70000"),
		OP_INVALID, NOTHING, "no such port"},
	{"G30", NULL, RAW("qwen", ""), OP_OK,
		DNS("dashscope.aliyuncs.com", "443", "https") "\n" ENTRY
							      "|qwenEnableSearch false\n" ENTRY
							      "|qwenEnableCompatible true",
		"both switches are always written"},
	{"G31", NULL, RAW("qwen", "\"qwenDomain\":\" x.y.com \""), OP_OK,
		DNS("x.y.com", "443", "https") "\n" ENTRY "|qwenDomain \"x.y.com\"", "trimmed"},
	{"G31a", NULL, RAW("qwen", "\"qwenDomain\":\"x.y.com:8443\""), OP_INVALID, NOTHING,
		"a port cannot be given here"},
	{"G32", NULL,
		RAW("azure",
			"\"azureServiceUrl\":\"https://r.openai.azure.com/openai/deployments/d/chat/"
			"completions?api-version=1\""),
		OP_OK, DNS("r.openai.azure.com", "443", "https"), "the URL says where"},
	{"G32a", NULL, RAW("azure", "\"azureServiceUrl\":\"https://r.openai.azure.com/\""),
		OP_INVALID, NOTHING, "without api-version the vendor answers nothing"},
	{"G33", NULL, RAW("vertex", VERTEX("US-Central1")), OP_OK,
		ENTRY "|vertexRegion \"us-central1\"\n" ENTRY
		      "|vertexAuthServiceName \"vertex-auth.internal\"\n"
		      "mcpbridges/default spec|registries|0 {\"domain\":\"oauth2.googleapis.com\","
		      "\"name\":\"vertex-auth.internal\",\"port\":443,\"protocol\":\"https\","
		      "\"type\":\"dns\"}\n"
		      "mcpbridges/default spec|registries|1|domain "
		      "\"us-central1-aiplatform.googleapis.com\"",
		"the vendor's log-in is a service of its own"},
	{"G34", NULL, RAW("vertex", VERTEX("global")), OP_OK,
		"mcpbridges/default spec|registries|1|domain \"aiplatform.googleapis.com\"",
		"the region that is none"},
	{"G34a", NULL,
		RAW("vertex", "\"vertexRegion\":\"global\",\"vertexProjectId\":\"x\"," KEY("")),
		OP_INVALID, NOTHING, "a key without token_uri"},
	{"G35", NULL, RAW("claude", "\"claudeCustomUrl\":\"http://10.1.1.1:9000/anthropic\""),
		OP_OK,
		STATIC("10.1.1.1:9000", "http") "\n" ENTRY "|providerDomain \"10.1.1.1\"\n" ENTRY
						"|providerBasePath \"/anthropic\"\n" ENTRY
						"|claudeVersion \"2023-06-01\"",
		"the URL wins over domain and path"},
	{"G35a", NULL,
		RAW("claude", "\"providerDomain\":\"b.com:8443\",\"providerBasePath\":\"x\""),
		OP_OK,
		DNS("b.com", "8443",
			"https") "\n" ENTRY "|providerBasePath \"/x\"\n"
				 "read provider p rawConfigs|claudeCustomUrl \"https://b.com:8443/x\"",
		"the answer has the URL that the two make"},
	{"G35b", NULL, "create provider p {\"type\":\"claude\"}", OP_OK,
		DNS("api.anthropic.com", "443",
			"https") "\n" ENTRY
				 "|claudeVersion -\nread provider p rawConfigs|claudeCustomUrl -",
		"nothing given, nothing completed"},
	{"G36", NULL, RAW("zhipuai", ""), OP_OK,
		DNS("open.bigmodel.cn", "443", "https") "\n" ENTRY "|zhipuCodePlanMode true",
		"the switch is always written"},
	{"D13", NULL, RAW("zhipu", ""), OP_OK,
		ENTRY "|type \"zhipuai\"\nread provider p type \"zhipuai\"",
		"a page's name for zhipuai"},
	{"G37", NULL, RAW("hunyuan", ""), OP_INVALID, NOTHING, "declared, but nobody serves it"},
	{"G38", NULL, "create provider p {\"type\":\"groq\",\"protocol\":\"original\"}", OP_OK,
		ENTRY "|protocol \"original\"\nread provider p protocol \"original\"",
		"as it came"},
	{"G38a", NULL, "create provider p {\"type\":\"groq\"}", OP_OK,
		ENTRY " {\"id\":\"p\",\"protocol\":\"openai\",\"type\":\"groq\"}\n"
		      "read provider p protocol \"openai/v1\"",
		"the usual one, in both spellings"},
	{"K056", NULL, "create provider p {\"type\":\"groq\",\"protocol\":\"foo\"}", OP_INVALID,
		NOTHING, "no such protocol"},
	{"G39", NULL,
		"create provider p {\"type\":\"groq\",\"tokens\":[],\"tokenFailoverConfig\":null,"
		"\"rawConfigs\":{\"apiTokens\":[\"x\"],\"failover\":{\"enabled\":true},"
		"\"retryOnFailure\":{\"enabled\":true}}}",
		OP_OK, ENTRY " {\"id\":\"p\",\"protocol\":\"openai\",\"type\":\"groq\"}",
		"fields of their own win over rawConfigs"},
	{"G40", NULL,
		"create provider p {\"type\":\"groq\",\"tokenFailoverConfig\":{\"enabled\":false}}",
		OP_OK,
		ENTRY
		"|failover {\"enabled\":false}\n" ENTRY "|retryOnFailure {\"enabled\":false}\n"
		"read provider p tokenFailoverConfig {\"enabled\":false,\"failureThreshold\":null,"
		"\"successThreshold\":null,\"healthCheckInterval\":null,\"healthCheckTimeout\":null,"
		"\"healthCheckModel\":null}",
		"members that were not given are absent in the file and null in the answer"},
	{"G41", RAW("groq", ""), "remove provider p", OP_OK,
		"wasmplugins/ai-proxy.internal spec|defaultConfig {\"providers\":[]}\n"
		"wasmplugins/ai-proxy.internal spec|defaultConfigDisable true\n"
		"wasmplugins/ai-proxy.internal spec|matchRules -\n"
		"mcpbridges/default spec|registries -",
		"the last one leaves an empty list, switched off"},
	{"K051", NULL, "remove provider p", OP_OK, NOTHING, "what is not there is gone"},
	{"G42", RAW("groq", "") AND ROUTE, "remove provider p", OP_OK,
		"ingresses/ai-route-r.internal metadata|annotations|higress.io/destination "
		"\"llm-p.internal.dns:443\"\nlist ai-route [\"r\"]\nlist provider []",
		"clients rename by deleting first: the route dangles"},
	{"G43",
		RAW("openai", URL("https://a.com/v1")) AND
		"create provider q {\"type\":\"groq\"}" AND ROUTE,
		"update provider p {\"type\":\"openai\",\"rawConfigs\":{" URL(
			"http://10.0.0.5/v1") "}}",
		OP_OK,
		STATIC("10.0.0.5:80",
			"http") "\n"
				"mcpbridges/default spec|registries|1|name \"llm-q.internal\"\n"
				"wasmplugins/ai-proxy.internal spec|matchRules|1|service [\"llm-q.internal.dns\"]\n"
				"wasmplugins/ai-proxy.internal spec|matchRules|2 -\n"
				"ingresses/ai-route-r.internal metadata|annotations|higress.io/destination "
				"\"llm-p.internal.static:80\"\n"
				"configmaps/ai-route-r metadata|resourceVersion \"1\"",
		"the service has another name: routes follow, but their version stays"},
	{"G44", "create provider zeta {\"type\":\"groq\"}",
		"create provider alpha {\"type\":\"groq\"}", OP_OK,
		"wasmplugins/ai-proxy.internal spec|matchRules|0|service [\"llm-alpha.internal.dns\"]\n"
		"wasmplugins/ai-proxy.internal spec|matchRules|1|service [\"llm-zeta.internal.dns\"]\n" ENTRY
		"|id \"zeta\"\nlist provider [\"alpha\",\"zeta\"]",
		"rules are sorted, entries keep their order"},
	{"K055", NULL, "create provider a/b {\"type\":\"groq\"}", OP_INVALID, NOTHING, "a slash"},
	{"D33", NULL, "create provider a\tb {\"type\":\"groq\"}", OP_INVALID, NOTHING,
		"a destination line is split at blanks"},
	{"K043", "create provider p {\"type\":\"groq\",\"tokens\":[\"a\"]}",
		"create provider p {\"type\":\"groq\",\"tokens\":[\"b\",{\"value\":\"c\"}]}", OP_OK,
		ENTRY "|apiTokens [\"b\",\"c\"]\nlist provider [\"p\"]\n"
		      "read provider p tokens [\"b\",\"c\"]",
		"a second POST replaces; a token may come as an object"},
	{"K046", "create provider p {\"type\":\"groq\",\"tokens\":[\"a\"]}",
		"update provider p {\"type\":\"groq\",\"tokens\":[],\"rawConfigs\":{\"apiTokens\":[\"a\"]}}",
		OP_OK, ENTRY "|apiTokens -\nread provider p tokens null",
		"no tokens deletes the keys"},
	{"K064",
		"create provider p {\"type\":\"groq\",\"tokens\":[\"sk-abcdef001\",\"sk-abcxyz001\",\"short\"]}",
		"update provider p {\"type\":\"groq\",\"tokens\":[\"s******t\",\"sk-******001\","
		"\"sk-******001\",\"sk-******002\"]}",
		OP_OK,
		ENTRY "|apiTokens [\"short\",\"sk-abcxyz001\",\"sk-abcdef001\",\"sk-******002\"]",
		"S4: a mask that a page showed means the stored key; what masks none is stored as it is"},
	{"K064a",
		"create provider p {\"type\":\"groq\",\"tokens\":[\"sk-******001\",\"sk-abcxyz001\"]}",
		"update provider p {\"type\":\"groq\",\"tokens\":[\"sk-******001\"]}", OP_OK,
		ENTRY "|apiTokens [\"sk-******001\"]",
		"a stored key that looks like a mask is itself"},
	{"K060", NULL,
		"create provider p {\"type\":\"openai\",\"modelMapping\":{},\"rawConfigs\":{"
		"\"apiUrl\":\"https://api.x.com/v1\",\"hiclawMode\":true}}",
		OP_OK,
		DNS("api.x.com", "443", "https") "\n" ENTRY "|hiclawMode true\n" ENTRY
						 "|modelMapping -",
		"D14: apiUrl has its evident meaning; unknown members of the top are ignored"},
	{"PRV-1", NULL, RAW("openai", URL("HTTPS://LoLo.com/v1")), OP_OK,
		DNS("lolo.com", "443", "https"),
		"scheme and host in lower case, the port of the scheme"},
	{"PRV-2", NULL, RAW("openai", URL("http://my_host/v1")), OP_INVALID, NOTHING,
		"an underscore is in no host name"},
	{"PRV-3", NULL, "create provider p {\"type\":\"groq\",\"proxyName\":\"px\"}", OP_OK,
		"mcpbridges/default spec|registries|0|proxyName \"px\"\nread provider p proxyName \"px\"",
		"the proxy is the registry's"},
	{"PRV-4", "create provider p {\"type\":\"groq\",\"proxyName\":\"px\"}",
		"update provider p {\"type\":\"groq\",\"proxyName\":\"\"}", OP_OK,
		"mcpbridges/default spec|registries|0|proxyName -", "an empty name is none"},
	{"PRV-5", NULL, RAW("bedrock", "\"awsRegion\":\"us-east-1\",\"awsAccessKey\":\"a\""),
		OP_INVALID, NOTHING, "the secret key is missing"},
	{"PRV-6", NULL,
		RAW("bedrock",
			"\"awsRegion\":\"us-east-1\",\"awsAccessKey\":\"a\",\"awsSecretKey\":\"b\""),
		OP_OK, DNS("bedrock-runtime.us-east-1.amazonaws.com", "443", "https"),
		"the region is part of the host"},
	{"PRV-7",
		"file wasmplugins/ai-proxy.internal {metadata: {labels: {higress.io/wasm-plugin-name: "
		"ai-proxy, higress.io/wasm-plugin-version: 1.0.0, a: b}, annotations: {c: d}}, spec: "
		"{url: old, phase: AUTHN, extra: 1, defaultConfig: {providers: [{id: x, type: dify, z: 1}], "
		"k: v}, matchRules: [{service: [llm-x.internal.dns], config: {activeProviderId: x}}]}}",
		RAW("groq", ""), OP_OK,
		"wasmplugins/ai-proxy.internal metadata|labels|higress.io/wasm-plugin-version \"2.0.1\"\n"
		"wasmplugins/ai-proxy.internal metadata|labels|a \"b\"\n"
		"wasmplugins/ai-proxy.internal metadata|annotations|c \"d\"\n"
		"wasmplugins/ai-proxy.internal spec|url "
		"\"oci://higress-registry.cn-hangzhou.cr.aliyuncs.com/plugins/ai-proxy:2.0.1\"\n"
		"wasmplugins/ai-proxy.internal spec|phase -\n"
		"wasmplugins/ai-proxy.internal spec|extra 1\n"
		"wasmplugins/ai-proxy.internal spec|defaultConfig|k \"v\"\n" ENTRY
		" {\"id\":\"x\",\"type\":\"dify\",\"z\":1}\nlist provider [\"p\"]\n"
		"wasmplugins/ai-proxy.internal spec|matchRules|1|service [\"llm-x.internal.dns\"]",
		"an older plugin is renewed around what is configured; an entry of another type is kept, "
		"not listed"},
	/* --- names and texts that files and requests cannot carry ------------------------------------ */
	{"OPS-11", NULL, "create provider p\u2003q {\"type\":\"openai\"}", OP_INVALID, NOTHING,
		"Go splits a destination at the blanks of Unicode, too"},
	{"OPS-12", NULL, "create provider .. {\"type\":\"openai\"}", OP_INVALID, NOTHING,
		"no path could name it"},
	{"OPS-13", NULL, "create provider p {\"type\":\"openai\",\"proxyName\":\"a\\nb\"}",
		OP_INVALID, NOTHING, "no proxy server is called so"},
	{"OPS-14", NULL,
		"create provider p {\"type\":\"openai\",\"tokenFailoverConfig\":{\"enabled\":true,"
		"\"healthCheckModel\":\"a\\u0000\"}}",
		OP_INVALID, NOTHING, "no model is called so"},
	{"OPS-15", RAW("openai", URL("http://10.0.0.5/v1")) AND ROUTE,
		"update provider p {\"type\":\"qwen\"}", OP_OK,
		"ingresses/ai-route-r.internal metadata|annotations|higress.io/destination "
		"\"llm-p.internal.dns:443\"",
		"a provider of another type has another service: its routes follow"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_true(op_world_rows(rows, ARRAY_LEN(rows)));
}

static bool refuse_metadata(void *arg, struct bytes host, const char **why)
{
	(void)arg;
	*why = "it is the metadata service of the machine";
	return !bytes_eq(host, BYTES("169.254.169.254"));
}

/* D35: an address that a client must not reach through the gateway. */
static void test_addresses(void **state)
{
	static const struct {
		const char *url;
		enum op_rc rc;
	} cases[] = {
		{"http://169.254.169.254/v1", OP_INVALID},
		{"http://10.0.0.5/v1", OP_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct op_world w;
		struct bytes body;

		op_world_init(&w);
		w.op.address_allowed = refuse_metadata;
		body = op_textf(&w.op,
			"{\"type\":\"openai\",\"rawConfigs\":{\"openaiCustomUrl\":\"%s\"}}",
			cases[i].url);
		assert_int_equal(
			op_provider.save(&w.op, OP_CREATE, BYTES("p"), op_world_json(&w, body)),
			cases[i].rc);
		op_world_done(&w);
	}
}

/* product.md §7: a route names the provider. Strict: refused; else said. */
static void test_strict_delete(void **state)
{
	(void)state;
	for (int strict = 0; strict < 2; strict++) {
		struct op_world w;

		op_world_init(&w);
		assert_int_equal(op_world_do(&w, bytes_str(RAW("groq", ""))), OP_OK);
		assert_int_equal(op_world_do(&w, bytes_str(ROUTE)), OP_OK);
		w.op.strict_delete = strict != 0;
		assert_int_equal(
			op_provider.remove(&w.op, BYTES("p")), strict != 0 ? OP_IN_USE : OP_OK);
		assert_int_equal(w.op.warnings.n > 0, strict == 0);
		op_world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_strict_delete),
	};

	return cmocka_run_group_tests_name("op_provider", tests, NULL, NULL);
}
