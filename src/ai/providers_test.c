#include "ai/providers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

/* The provider that an entry of ai-proxy makes, NULL when it is refused. */
static const struct provider *compile(struct world *w, const char *entry)
{
	char yaml[4096];
	struct object *o;
	const struct yaml_node *list;

	snprintf(yaml, sizeof(yaml),
		WORLD_PLUGIN("ai-proxy", "  defaultConfig:\n    providers:\n    - %s\n"), entry);
	o = world_add(w, "wasmplugins/ai-proxy.internal.yaml", yaml);
	list = yaml_get(o->u.wasmplugin.config, "providers");
	return provider_compile(list->items, o, &provider_types, &w->arena, &w->findings);
}

struct path_row {
	const char *id, *entry, *request;
	const char *host, *path; /* path NULL: unsupported */
	const char *reason;
};

#define OPENAI "{id: p, type: openai, apiTokens: [k1]"
#define AZURE(url) "{id: p, type: azure, apiTokens: [k1], azureServiceUrl: '" url "'}"

static const struct path_row path_rows[] = {
	{"G001", OPENAI "}", "/v1/chat/completions?x=1", "api.openai.com",
		"/v1/chat/completions?x=1", "the query is kept"},
	{"G003", OPENAI ", openaiCustomUrl: 'https://custom.openai.com/api'}",
		"/v1/audio/transcriptions", "custom.openai.com", "/api/audio/transcriptions",
		"the custom path stands for /v1"},
	{"G004", OPENAI ", openaiCustomUrl: 'https://h/v1/chat/completions'}", "/v1/embeddings",
		"h", "/v1/embeddings", "D-02: a direct URL binds one API only"},
	{"G004b", OPENAI ", openaiCustomUrl: 'https://h/my/chat/completions'}",
		"/x/v1/chat/completions?a=b", "h", "/my/chat/completions?a=b",
		"the API it stands for goes exactly there"},
	{"G005", OPENAI ", openaiCustomUrl: 'https://h/v1/realtime/sessions'}",
		"/v1/realtime?model=m", "h", "/v1/realtime/sessions/realtime?model=m",
		"no known ending: a base"},
	{"G006", OPENAI "}", "/v1/realtime/", "api.openai.com", "/v1/realtime",
		"a trailing slash is tolerated"},
	{"G014", OPENAI "}", "/v1/fine_tuning/jobs/j1", "api.openai.com", "/v1/fine_tuning/jobs/j1",
		"D-31: placeholders are filled"},
	{"G015", OPENAI "}", "/t/v1/videos/v1/content?variant=thumbnail", "api.openai.com",
		"/v1/videos/v1/content?variant=thumbnail", "with the client's value"},
	{"G016", OPENAI ", basePath: /ai}", "/ai/v1/chat/completions", "api.openai.com",
		"/v1/chat/completions", "removed by default"},
	{"G017", OPENAI ", protocol: original, basePath: /ai}", "/ai/v1/foo", "api.openai.com",
		"/v1/foo", "original: only the base path changes"},
	{"G018", OPENAI ", basePath: /pre, basePathHandling: prepend}", "/v1/chat/completions",
		"api.openai.com", "/pre/v1/chat/completions", "prepended"},
	{"G018b", OPENAI ", basePath: pre/, basePathHandling: prepend, protocol: original}",
		"/pre/x", "api.openai.com", "/pre/x", "unless it stands there; slashes are normal"},
	{"G019", OPENAI ", providerBasePath: /gw, providerDomain: p.example}",
		"/v1/chat/completions", "p.example", "/gw/v1/chat/completions",
		"the provider's own base path and host"},
	{"G020", OPENAI ", basePath: /ai}", "/ainet/v1/chat/completions", "api.openai.com",
		"/v1/chat/completions", "a base path ends at a border; the capability decides"},
	{"G020b", OPENAI ", basePath: /ai, protocol: original}", "/ainet/v1/chat/completions",
		"api.openai.com", "/ainet/v1/chat/completions", "and nothing is cut"},
	{"G021", "{id: p, type: zhipuai, apiTokens: [k], zhipuCodePlanMode: true}",
		"/v1/chat/completions", "open.bigmodel.cn", "/api/coding/paas/v4/chat/completions",
		"code plan mode"},
	{"G021b", "{id: p, type: zhipuai, apiTokens: [k], zhipuDomain: 'API.z.ai:443'}",
		"/v1/chat/completions", "api.z.ai", "/api/paas/v4/chat/completions",
		"off by default; the domain's port is the registry's business"},
	{"G022", "{id: p, type: groq, apiTokens: [k]}", "/v1/embeddings", "api.groq.com", NULL,
		"not served by the vendor"},
	{"G127", "{id: p, type: openai, openaiCustomUrl: 'https://lololo.com/v1'}",
		"/v1/chat/completions", "lololo.com", "/v1/chat/completions", "as usual"},
	{"G128", OPENAI ", openaiCustomUrl: 'https://lololo.com'}", "/v1/chat/completions",
		"lololo.com", "/chat/completions", "without a path the /v1 is gone"},
	{"G129", OPENAI ", openaiCustomUrl: 'https://lololo.com/v1'}", "/team/v1/embeddings?x=1",
		"lololo.com", "/v1/embeddings?x=1", "the front part disappears"},
	{"G130", OPENAI ", openaiCustomUrl: 'https://lololo.com/a/chat/completions'}",
		"/v1/embeddings", "lololo.com", "/a/embeddings", "D-02 instead of G130's H"},
	{"G131", OPENAI ", openaiCustomUrl: 'https://lololo.com/api'}", "/v1/unknown", "lololo.com",
		"/v1/unknown", "an unknown path is kept"},
	{"url-slash", OPENAI ", openaiCustomUrl: 'https://lololo.com/api/v3/'}",
		"/x/v1/chat/completions", "lololo.com", "/api/v3/chat/completions", "one slash"},
	{"url-port", OPENAI ", openaiCustomUrl: 'HTTP://10.0.0.5:8000/v1'}", "/v1/chat/completions",
		"10.0.0.5:8000", "/v1/chat/completions", "the port is in Host"},
	{"url-v6", OPENAI ", openaiCustomUrl: 'http://[::1]:8000/v1'}", "/v1/models", "[::1]:8000",
		"/v1/models", "an IPv6 address"},
	{"url-bare", OPENAI ", openaiCustomUrl: 'lololo.com/v1'}", "/v1/models", "lololo.com",
		"/v1/models", "Higress never looks at the scheme"},
	{"url-query", OPENAI ", openaiCustomUrl: 'https://h/v1?api-version=1'}",
		"/v1/models?limit=2", "h", "/v1/models?limit=2&api-version=1",
		"the provider's own parameters come behind the client's"},
	{"qwen", "{id: p, type: qwen, apiTokens: [k]}", "/v1/embeddings", "dashscope.aliyuncs.com",
		"/compatible-mode/v1/embeddings", "compatible mode is the default"},
	{"qwen-file", "{id: p, type: qwen, apiTokens: [k]}", "/v1/files/a%2Fb",
		"dashscope.aliyuncs.com", "/compatible-mode/v1/files/a%2Fb", "values stay as sent"},
	{"qwen-batch", "{id: p, type: qwen, apiTokens: [k]}", "/v1/batches/b/cancel",
		"dashscope.aliyuncs.com", NULL, "no cancel"},
	{"qwen-am", "{id: p, type: qwen, apiTokens: [k]}", "/v1/messages", "dashscope.aliyuncs.com",
		"/apps/anthropic/v1/messages", "Anthropic clients"},
	{"deepseek-am", "{id: p, type: deepseek, apiTokens: [k]}", "/v1/messages",
		"api.deepseek.com", "/anthropic/v1/messages", "Anthropic clients"},
	{"moonshot", "{id: p, type: moonshot, apiTokens: [k]}", "/v1/models/kimi",
		"api.moonshot.cn", "/v1/models/kimi", "one model of the list"},
	{"minimax", "{id: p, type: minimax, apiTokens: [k]}", "/v1/chat/completions",
		"api.minimax.chat", "/v1/text/chatcompletion_v2", "v2"},
	{"groq", "{id: p, type: groq, apiTokens: [k]}", "/v1/responses", "api.groq.com",
		"/openai/v1/responses", "behind /openai"},
	{"openrouter", "{id: p, type: openrouter, apiTokens: [k]}", "/v1/completions",
		"openrouter.ai", "/api/v1/completions", "behind /api"},
	{"ollama", "{id: p, type: ollama, ollamaServerHost: box, ollamaServerPort: '11434'}",
		"/v1/chat/completions", "box:11434", "/v1/chat/completions",
		"host and port are keys, the port may be text"},
	{"ollama-pass", "{id: p, type: ollama, ollamaServerHost: box, ollamaServerPort: 11434}",
		"/v1/audio/speech", "box:11434", "/v1/audio/speech",
		"what it does not know passes"},
	{"github", "{id: p, type: github, apiTokens: [k]}", "/v1/embeddings",
		"models.inference.ai.azure.com", "/embeddings", "without /v1"},
	{"vllm", "{id: p, type: vllm, vllmCustomUrl: 'http://gpu:8000/v1'}", "/tokenize",
		"gpu:8000", "/tokenize", "what vllm has beside /v1 stays beside it"},
	{"vllm-rerank", "{id: p, type: vllm, vllmCustomUrl: 'http://gpu:8000/m/v1'}", "/v2/rerank",
		"gpu:8000", "/m/v1/rerank", "any spelling of rerank"},
	{"vllm-host", "{id: p, type: vllm, vllmServerHost: 'gpu:8000'}", "/v1/models", "gpu",
		"/v1/models", "the port is cut off"},
	{"cap-own", OPENAI ", capabilities: {openai/v1/chatcompletions: /x/chat}}",
		"/v1/chat/completions", "api.openai.com", "/x/chat", "the user's entry wins"},
	{"cap-keep", OPENAI ", capabilities: {openai/v1/chatcompletions: ''}}",
		"/t/v1/chat/completions", "api.openai.com", "/t/v1/chat/completions",
		"empty: the client's path"},
	{"cap-off", OPENAI ", capabilities: {openai/v1/embeddings: null}}", "/v1/embeddings",
		"api.openai.com", NULL, "null: switched off"},
	{"cap-more",
		"{id: p, type: groq, apiTokens: [k], capabilities: {openai/v1/embeddings: "
		"/openai/v1/embeddings}}",
		"/v1/embeddings", "api.groq.com", "/openai/v1/embeddings", "an API is added"},
	{"G007",
		AZURE("https://r.openai.azure.com/openai/deployments/deployment-only"
		      "?api-version=2024-02-15-preview"),
		"/v1/chat/completions", "r.openai.azure.com",
		"/openai/deployments/deployment-only/chat/completions"
		"?api-version=2024-02-15-preview",
		"a URL with a deployment"},
	{"G008", AZURE("https://r.openai.azure.com?api-version=1"), "/v1/chat/completions?x=y",
		"r.openai.azure.com",
		"/openai/deployments/a%3Ab/chat/completions?x=y&api-version=1",
		"a domain: the model is the deployment"},
	{"G009", AZURE("https://r.openai.azure.com/?api-version=2025-04-01-preview"),
		"/v1/responses", "r.openai.azure.com",
		"/openai/responses?api-version=2025-04-01-preview", "belongs to no deployment"},
	{"G010", AZURE("https://r.openai.azure.com?api-version=1"),
		"/v1/files?limit=10&purpose=assistants", "r.openai.azure.com",
		"/openai/files?limit=10&purpose=assistants&api-version=1",
		"with the client's query"},
	{"G011",
		AZURE("https://r.openai.azure.com/openai/deployments/d/chat/"
		      "completions?api-version=v"),
		"/v1/chat/completions?a=1", "r.openai.azure.com",
		"/openai/deployments/d/chat/completions?api-version=v",
		"a whole URL is all there is"},
	{"G012", AZURE("https://r.openai.azure.com?api-version=1"), "/foo", "r.openai.azure.com",
		"/foo?api-version=1", "D-19: an unknown path is kept"},
	{"G013", AZURE("https://r.openai.azure.com?api-version=1"), "/v1/files/f1",
		"r.openai.azure.com", "/openai/files/f1?api-version=1",
		"D-31: placeholders are filled"},
	{"azure-v1", AZURE("https://r.openai.azure.com/openai/v1/"), "/v1/embeddings",
		"r.openai.azure.com", "/openai/v1/embeddings", "D-20: needs no api-version"},
	{"azure-tuning", AZURE("https://r.openai.azure.com?api-version=1"),
		"/v1/fine_tuning/jobs/j1", "r.openai.azure.com",
		"/openai/deployments/a%3Ab/fine_tuning/jobs/j1?api-version=1",
		"the model and a value, each in its place"},
	{"azure-base",
		"{id: p, type: azure, apiTokens: [k], providerBasePath: /gw, azureServiceUrl: "
		"'https://h/openai/deployments/d?api-version=1'}",
		"/v1/chat/completions", "h",
		"/gw/openai/deployments/d/chat/completions?api-version=1",
		"§4 S b: the base path is not lost"},
	{"azure-original",
		"{id: p, type: azure, apiTokens: [k], protocol: original, azureServiceUrl: "
		"'https://h?api-version=1'}",
		"/openai/x?y=z", "h", "/openai/x?y=z", "original: path and query untouched"},
	{"cloudflare", "{id: p, type: cloudflare, apiTokens: [k], cloudflareAccountId: a-1}",
		"/v1/chat/completions", "api.cloudflare.com",
		"/client/v4/accounts/a-1/ai/v1/chat/completions", "the account stands in the path"},
	{"D-24", "{id: p, type: cloudflare, apiTokens: [k], cloudflareAccountId: a-1}",
		"/v1/embeddings", "api.cloudflare.com", "/client/v4/accounts/a-1/ai/v1/embeddings",
		"by capability"},
	{"D-24b", "{id: p, type: cloudflare, apiTokens: [k], cloudflareAccountId: a-1}",
		"/v1/images/generations", "api.cloudflare.com", NULL, "nothing else is served"},
	{"coze", "{id: p, type: coze, apiTokens: [k]}", "/x/v1/chat/completions?a", "api.coze.cn",
		"/x/v1/chat/completions?a", "the path is untouched"},
	{"doubao", "{id: p, type: doubao, apiTokens: [k], doubaoDomain: d.example}",
		"/v1/images/generations", "d.example", "/api/v3/images/generations", "v3"},
	{"doubao-r", "{id: p, type: doubao, apiTokens: [k]}", "/v1/responses",
		"ark.cn-beijing.volces.com", "/api/v3/responses", "v3"},
	{"fireworks", "{id: p, type: fireworks, apiTokens: [k], providerBasePath: /inference}",
		"/v1/completions", "api.fireworks.ai", "/inference/v1/completions",
		"the vendor's base is a setting"},
	{"generic", "{id: p, type: generic}", "/a/v1/chat/completions?b=c", "",
		"/a/v1/chat/completions?b=c", "the client's Host and path"},
	{"generic-host", "{id: p, type: generic, genericHost: 'G.example', basePath: /a}",
		"/a/v1/messages", "g.example", "/v1/messages",
		"its own host; base paths as always"},
	{"hunyuan", "{id: p, type: hunyuan, apiTokens: [k]}", "/v1/embeddings",
		"api.hunyuan.cloud.tencent.com", "/v1/embeddings", "the compatible surface"},
	{"longcat", "{id: p, type: longcat, apiTokens: [k]}", "/v1/models", "api.longcat.chat",
		"/v1/models", "lists models"},
	{"spark", "{id: p, type: spark, apiTokens: ['a:b']}", "/v1/chat/completions",
		"spark-api-open.xf-yun.com", "/v1/chat/completions", "D-25: passed"},
	{"D-22", "{id: p, type: cohere, apiTokens: [k]}", "/v1/chat/completions", "api.cohere.com",
		"/compatibility/v1/chat/completions", "the compatible surface"},
	{"cohere-rerank", "{id: p, type: cohere, apiTokens: [k]}", "/v2/rerank", "api.cohere.com",
		"/v1/rerank", "any spelling of rerank"},
	{"claude", "{id: p, type: claude, apiTokens: [k]}", "/x/v1/messages?beta=true",
		"api.anthropic.com", "/v1/messages?beta=true", "Anthropic clients"},
	{"claude-count", "{id: p, type: claude, apiTokens: [k]}", "/v1/messages/count_tokens",
		"api.anthropic.com", "/v1/messages/count_tokens", "D-28: native where it can be"},
	{"claude-openai", "{id: p, type: claude, apiTokens: [k]}", "/v1/chat/completions",
		"api.anthropic.com", NULL, "not translated yet"},
	{"claude-e", "{id: p, type: claude, apiTokens: [k]}", "/v1/embeddings", "api.anthropic.com",
		NULL, "§5.1: 404, not a path that nobody serves"},
	{"gemini", "{id: p, type: gemini, apiTokens: [k]}",
		"/team/v1beta/models/g-2:streamGenerateContent?alt=sse",
		"generativelanguage.googleapis.com",
		"/v1beta/models/g-2:streamGenerateContent?alt=sse",
		"Gemini clients; what stands in front is the route's"},
	{"gemini-openai", "{id: p, type: gemini, apiTokens: [k]}", "/v1/chat/completions",
		"generativelanguage.googleapis.com", NULL, "not translated yet"},
	{"gemini-elsewhere", OPENAI ", capabilities: {gemini/v1beta/generatecontent: null}}",
		"/v1beta/models/g:generateContent", "api.openai.com", NULL, "switched off"},
	{"dots", OPENAI ", protocol: original, providerBasePath: /gw}", "/a/../b//c?u=//x",
		"api.openai.com", "/gw/a/../b//c?u=//x", "no path is ever cleaned"},
	{"base-all", OPENAI ", protocol: original, basePath: /ai}", "/ai", "api.openai.com", "/",
		"cut to nothing is the root"},
};

static void paths_and_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
		const struct path_row *row = &path_rows[i];
		struct bytes query = bytes_str(row->request);
		struct bytes path = bytes_cut(&query, '?');
		const struct provider *p;
		struct bytes suffix;
		struct world w;
		struct text out;
		int rc;

		world_init(&w);
		p = compile(&w, row->entry);
		if (p == NULL) {
			world_print(&w.findings);
			fail_msg("%s: refused", row->id);
			return;
		}
		text_init(&out, 4096);
		text_add_str(&out, "GET ");
		rc = provider_path(p, api_of_path(path, &suffix), path, query, &out);
		provider_put_model(p, BYTES("a:b"), &out);
		if (!bytes_eq(p->host, bytes_str(row->host)) ||
			(row->path == NULL
					? rc != ERR_UNSUPPORTED
					: rc != 0 || strcmp(text_cstr(&out) + 4, row->path) != 0)) {
			fail_msg("%s (%s): " BYTES_FMT ", %d %s", row->id, row->reason,
				BYTES_ARG(p->host), rc, text_cstr(&out));
		}
		text_done(&out);
		world_done(&w);
	}
}

static void a_full_buffer_stays_inside(void **state)
{
	char room[48];
	struct world w;
	const struct provider *p;

	(void)state;
	world_init(&w);
	p = compile(&w,
		OPENAI
		", providerBasePath: /gateway, basePath: /pre, basePathHandling: "
		"prepend}");
	for (size_t n = 1; n < sizeof(room); n++) {
		struct text out;

		memset(room, '~', sizeof(room));
		text_init_fixed(&out, room, n);
		assert_int_equal(provider_path(p, API_CHAT_COMPLETIONS,
					 BYTES("/v1/chat/completions"), BYTES("a=b"), &out),
			0);
		assert_int_equal(
			text_full(&out), n < strlen("/gateway/pre/v1/chat/completions?a=b"));
		assert_int_equal(room[n], '~');
	}
	world_done(&w);
}

struct entry_row {
	const char *entry, *code; /* NULL: nothing is found */
	bool usable;
	const char *reason;
};

static const struct entry_row entry_rows[] = {
	{"{id: p, type: openai, apiTokens: [k]}", NULL, true, "a plain entry"},
	{"{id: p, type: openai}", "provider-without-credential", true,
		"product.md §7: the upstream gets none"},
	{"{id: p, type: openai, apiTokens: ['  ']}", "provider-without-credential", true,
		"blanks are no token"},
	{"{id: p, type: openai, apiTokens: [123456]}", "string-expected", true,
		"a number is taken as text, with a warning"},
	{"{id: p, type: deepseek}", "token-missing", false, "this vendor needs one"},
	{"{id: p, type: ollama, ollamaServerHost: h, ollamaServerPort: 1}", NULL, true,
		"a local server needs none, and nobody is warned"},
	{"{id: p, type: ollama, ollamaServerHost: h}", "key-missing", false, "the port is missing"},
	{"{id: p, type: ollama, ollamaServerHost: h, ollamaServerPort: 99999}", "port-expected",
		false, "no such port"},
	{"{id: p, type: bedrock, apiTokens: [k]}", "provider-untranslated", false,
		"not served yet: never passed on untranslated"},
	{"{id: p}", "key-missing", false, "a type is needed"},
	{"{id: p, type: qwen, apiTokens: [k], qwenEnableCompatible: false}", "unsupported-setting",
		false, "native mode is not served yet"},
	{"{id: p, type: qwen, apiTokens: [k], qwenEnableCompatible: true}", NULL, true,
		"compatible mode said aloud, as Console writes it"},
	{"{id: p, type: minimax, apiTokens: [k], minimaxApiType: pro}", "unsupported-setting",
		false, "pro is another dialect"},
	{"{id: p, type: openai, apiTokens: [k], protocol: anthropic}", "bad-value", false,
		"any other protocol rejects the entry"},
	{"{id: p, type: openai, apiTokens: [k], openaiCustomUrl: 'https://h:0/v1'}", "bad-url",
		false, "a port that is none"},
	{"{id: p, type: openai, apiTokens: [k], openaiCustomUrl: 'https://a b/v1'}", "bad-url",
		false, "a host that is none"},
	{"{id: p, type: openai, apiTokens: [k], providerDomain: \"a\\r\\nx: y\"}", "bad-host",
		false, "no header is smuggled in"},
	{"{id: p, type: openai, apiTokens: [k], openaiCustomURL: 'https://h/v1'}", "unknown-field",
		true, "a misspelled key is named"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: false}, retryOnFailure: "
	 "{enabled: false}, openaiExtraCustomUrls: []}",
		NULL, true, "what Console writes is no news"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true}}",
		"health-check-model-missing", true, "Higress refuses it: nothing can be probed"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m}}",
		NULL, true, "the defaults do"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: false, failureThreshold: x}}",
		NULL, true, "what is switched off is not read"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failureThreshold: null, successThreshold: 0}}",
		NULL, true, "null and 0 are the default, as Console writes it"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failureThreshold: 256}}",
		"bad-value", false, "more than is counted"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failureThreshold: -1}}",
		"bad-value", false, "less than none"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, healthCheckInterval: 5s}}",
		"bad-value", false, "milliseconds, not a text"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, healthCheckInterval: 99}}",
		"bad-value", true, "a storm of probes is not made, and Higress takes it"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failoverOnStatus: '5..'}}",
		"list-expected", false, "one pattern is a list too"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failoverOnStatus: ['5(']}}",
		"bad-regex", false, "no expression"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failoverOnStatus: ['50', 429]}}",
		"pattern-without-status", true, "a pattern for no status; numbers are texts"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failoverOnStatus: [[5]]}}",
		"string-expected", false, "no text"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: true, healthCheckModel: m, failureTreshold: 3}}",
		"unknown-field", true, "a misspelled member is named"},
	{"{id: p, type: openai, apiTokens: [k], failover: {enabled: maybe}}", "boolean-expected",
		false, "neither true nor false"},
	{"{id: p, type: openai, apiTokens: [k], failover: true}", "map-expected", false,
		"a switch alone"},
	{"{id: p, type: openai, apiTokens: [k], retryOnFailure: {enabled: true, maxRetries: 17}}",
		"bad-value", false, "a storm of attempts"},
	{"{id: p, type: openai, apiTokens: [k], retryOnFailure: {enabled: true, retryOnStatus: [connect-failure]}}",
		NULL, true, "words"},
	{"{id: p, type: openai, apiTokens: [k], retryOnFailure: [1]}", "map-expected", false,
		"no map"},
	{"{id: p, type: openai, apiTokens: [k], concurrency: {max: 10, maxPerToken: 2, maxPerConsumer: 3, queue: 0, queueTimeout: 100}}",
		NULL, true, "caps"},
	{"{id: p, type: openai, apiTokens: [k], concurrency: {queue: 5}}",
		"concurrency-without-cap", true, "nobody ever waits"},
	{"{id: p, type: openai, apiTokens: [k], concurrency: {max: many}}", "bad-value", false,
		"no number"},
	{"{id: p, type: openai, apiTokens: [k], contextWindow: 128k}", "bad-value", false,
		"a number of tokens"},
	{"{id: p, type: openai, apiTokens: [k], contextWindow: 128000}", NULL, true,
		"how much its models read"},
	{"{id: p, type: openai, apiTokens: [k], hiclawMode: true}", NULL, true,
		"messages are joined, and empty answers get their reasoning"},
	{"{id: p, type: openai, apiTokens: [k], promoteThinkingOnEmpty: true, "
	 "aggregateUnexpectedStream: false}",
		NULL, true, "what becomes of answers"},
	{"{id: p, type: openai, apiTokens: [k], contextCleanupCommands: [/clear], "
	 "mergeConsecutiveMessages: true}",
		NULL, true, "messages are forgotten and joined"},
	{"{id: p, type: openai, apiTokens: [k], contextCleanupCommands: /clear}", "list-expected",
		false, "one command is a list too"},
	{"{id: p, type: openai, apiTokens: [k], contextCleanupCommands: ['']}", "bad-value", false,
		"an empty command would forget whoever says nothing"},
	{"{id: p, type: openai, apiTokens: [k], contextCleanupCommands: [[a]]}", "string-expected",
		false, "no text"},
	{"{id: p, type: openai, apiTokens: [k], capabilities: {openai/v1/nothing: /x}}",
		"unknown-api", false, "an API that nobody knows"},
	{"{id: p, type: openai, apiTokens: [k], capabilities: {openai/v1/models: x}}", "bad-value",
		false, "a path begins with a slash"},
	{"{id: p, type: openai, apiTokens: [k], basePath: \"/a\\r\\nx: y\"}", "bad-value", false,
		"a line end in a path would be another header"},
	{"{id: p, type: openai, apiTokens: [k], basePath: /a, basePathHandling: keep}", "bad-value",
		false, "an unknown handling"},
	{"{id: p, type: openai, apiTokens: k}", "list-expected", false, "tokens are a list"},
	{"{id: p, type: openai, apiTokens: [k], modelMapping: {'~(': b}}", "bad-regex", false,
		"an expression that is none"},
	{AZURE("https://h/openai/deployments/d"), "bad-url", false, "azure needs an api-version"},
	{"{id: p, type: azure, apiTokens: [k]}", "key-missing", false, "and a URL"},
	{"{id: p, type: azure, azureServiceUrl: 'https://h?api-version=1'}", "token-missing", false,
		"and a key"},
	{"{id: p, type: cloudflare, apiTokens: [k]}", "key-missing", false,
		"an account, which Higress does not miss"},
	{"{id: p, type: cloudflare, apiTokens: [k], cloudflareAccountId: 'a/../b'}", "bad-value",
		false, "which is a part of a path"},
	{"{id: p, type: hunyuan, apiTokens: [k], hunyuanAuthId: x}", "provider-untranslated", false,
		"with ids it is another protocol"},
	{"{id: p, type: claude, apiTokens: [k], claudeCodeMode: true}", "unsupported-setting",
		false, "not served yet"},
	{"{id: p, type: claude, apiTokens: [k], claudeVersion: \"a\\r\\nx: y\"}", "bad-value",
		false, "no header is smuggled in"},
	{"{id: p, type: generic, genericHost: h}", NULL, true,
		"needs no token, and nobody is warned"},
	{"{id: p, type: openai, apiTokens: [k], modelDeny: ['o1*', '~^gpt-4']}", NULL, true,
		"models that may not be used"},
	{"{id: p, type: openai, apiTokens: [k], modelDeny: o1}", "list-expected", false,
		"patterns are a list"},
	{"{id: p, type: openai, apiTokens: [k], modelDeny: ['~(']}", "bad-regex", false,
		"an expression that is none"},
	{"{id: p, type: openai, apiTokens: [k], idleTimeout: 2s}", "bad-value", false,
		"milliseconds, not a text"},
	{"[1]", "map-expected", false, "no map at all"},
};

static void entries_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(entry_rows); i++) {
		const struct entry_row *row = &entry_rows[i];
		const struct provider *p;
		struct world w;
		bool found;

		world_init(&w);
		p = compile(&w, row->entry);
		found = row->code == NULL ? w.findings.n == 0
					  : world_finding(&w.findings, row->code) != NULL;
		if ((p != NULL) != row->usable || !found ||
			(row->usable ? w.findings.errors != 0 : w.findings.errors == 0)) {
			world_print(&w.findings);
			fail_msg("%s: %s", row->entry, row->reason);
		}
		world_done(&w);
	}
}

static void findings_hold_no_token(void **state)
{
	struct world w;
	struct text t;

	(void)state;
	world_init(&w);
	compile(&w, "{id: p, type: deepseek, apiTokens: {sk-secret: 1}, unheard: sk-secret}");
	assert_true(w.findings.n >= 2);
	text_init(&t, 65536);
	for (const struct finding *f = w.findings.first; f != NULL; f = f->next) {
		finding_format(f, &t);
	}
	assert_null(strstr(text_cstr(&t), "sk-secret"));
	text_done(&t);
	world_done(&w);
}

static void members_of_a_provider(void **state)
{
	struct world w;
	const struct provider *p;

	(void)state;
	world_init(&w);
	p = compile(&w,
		"{id: ' p1 ', type: openai, apiTokens: [a, ' b '], firstByteTimeout: 1500,"
		" openaiCustomUrl: 'https://H.Example/v1', tlsServerName: Other.example,"
		" responseJsonSchema: {b: [1, 0.1, x, true, null], a: {}}}");
	assert_non_null(p);
	assert_true(bytes_eq(p->id, BYTES("p1")));
	assert_int_equal(p->tokens.n, 2);
	assert_true(bytes_eq(p->tokens.v[1], BYTES("b")));
	assert_int_equal(p->first_byte_ms, 1500);
	assert_true(bytes_eq(p->host, BYTES("h.example")));
	assert_true(bytes_eq(p->sni, BYTES("other.example")));
	assert_true(
		bytes_eq(p->response_format, BYTES("{\"b\":[1,0.1,\"x\",true,null],\"a\":{}}")));
	/* D-03: developer stays at openai itself, not behind a custom URL. */
	assert_true((p->tweaks & TWEAK_DEVELOPER_TO_SYSTEM) != 0);
	p = compile(&w, "{id: p, type: openai, apiTokens: [k]}");
	assert_int_equal(p->tweaks, TWEAK_STREAM_USAGE);
	assert_false(p->failover.enabled || p->retry.enabled);
	assert_int_equal(p->concurrency.upstream + p->concurrency.credential, 0);
	p = compile(&w, "{id: p, type: deepseek, apiTokens: [k], protocol: original}");
	assert_true(p->original);
	assert_int_equal(p->tweaks, 0);
	world_done(&w);
}

static bool is_about(const struct failure_set *s, enum failure_class class, unsigned status)
{
	return failure_set_matches(
		s, &(struct failure){.class = class, .status = (uint16_t)status});
}

/* G115 to G118 and G126, as far as they are configuration. */
static void policies_are_read(void **state)
{
	struct world w;
	const struct provider *p;

	(void)state;
	world_init(&w);
	p = compile(&w,
		"{id: p, type: openai, apiTokens: [k], firstByteTimeout: 100, contextWindow: 9,"
		" failover: {enabled: 'true', failureThreshold: 2, successThreshold: 3,"
		"  healthCheckInterval: 1000, healthCheckTimeout: 500, healthCheckModel: ' m ',"
		"  failoverOnStatus: ['4.*', timeout]},"
		" retryOnFailure: {enabled: true, maxRetries: 2, retryTimeout: 700,"
		"  retryOnStatus: ['429']},"
		" concurrency: {max: 10, maxPerToken: '2', maxPerConsumer: 3, queue: 0,"
		"  queueTimeout: 100}}");
	assert_non_null(p);
	assert_true(p->failover.enabled && p->retry.enabled);
	assert_int_equal(p->failover.failure_threshold, 2);
	assert_int_equal(p->failover.success_threshold, 3);
	assert_int_equal(p->failover.probe_every_ms, 1000);
	assert_int_equal(p->failover.probe_timeout_ms, 500);
	assert_true(bytes_eq(p->failover.probe_model, BYTES("m")));
	assert_true(is_about(&p->failover.on, FAILURE_CLIENT, 404)); /* it was asked for */
	assert_false(is_about(&p->failover.on, FAILURE_SERVER, 500));
	assert_false(is_about(&p->failover.on, FAILURE_CONNECT, 0));
	assert_true(is_about(&p->failover.on, FAILURE_TIMEOUT, 0));
	assert_int_equal(p->retry.max, 2);
	assert_int_equal(p->retry.timeout_ms, 700);
	assert_true(is_about(&p->retry.on, FAILURE_RATE, 429));
	assert_false(is_about(&p->retry.on, FAILURE_SERVER, 500));
	assert_true(is_about(&p->retry.on, FAILURE_CONNECT, 0)); /* whatever the list says */
	assert_int_equal(p->concurrency.upstream, 10);
	assert_int_equal(p->concurrency.credential, 2);
	assert_int_equal(p->concurrency.consumer, 3);
	assert_int_equal(p->concurrency.queue, 0);
	assert_int_equal(p->concurrency.queue_ms, 100);
	assert_int_equal(p->context_window, 9);
	assert_int_equal(p->first_byte_ms, 100);
	p = compile(&w,
		"{id: p, type: openai, apiTokens: [k], failover: {enabled: true,"
		" healthCheckModel: m}, retryOnFailure: {enabled: true, maxRetries: 0},"
		" concurrency: {max: 1}}");
	assert_int_equal(p->failover.failure_threshold, 3);
	assert_int_equal(p->failover.success_threshold, 1);
	assert_int_equal(p->failover.probe_every_ms, 5000);
	assert_int_equal(p->failover.probe_timeout_ms, 5000);
	assert_false(is_about(&p->failover.on, FAILURE_CLIENT, 404)); /* G116 */
	assert_true(is_about(&p->failover.on, FAILURE_SERVER, 500));  /* G115 */
	assert_int_equal(p->retry.max, 1);                            /* G117, G118 */
	assert_int_equal(p->retry.timeout_ms, 60000);
	assert_int_equal(p->concurrency.queue, CONCURRENCY_QUEUE_DEFAULT);
	assert_int_equal(p->concurrency.queue_ms, CONCURRENCY_QUEUE_MS_DEFAULT);
	world_done(&w);
}

/* Whatever a row says must be something that the paths of clients can mean. */
static void rows_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < provider_types.n; i++) {
		const struct provider_type *t = &provider_types.v[i];

		if (t->untranslated) {
			continue;
		}
		assert_true(t->n_caps > 0 || t->keeps_body);
		assert_true(t->default_host != NULL || t->host_key != NULL || t->azure);
		for (size_t k = 0; k < t->n_caps; k++) {
			assert_true(t->caps[k].api > API_NONE && t->caps[k].api < API_COUNT);
			assert_true(t->caps[k].path[0] == '/' ||
				strcmp(t->caps[k].path, CAPABILITY_SUFFIX) == 0);
			for (size_t m = k + 1; m < t->n_caps; m++) {
				assert_int_not_equal(t->caps[k].api, t->caps[m].api);
			}
		}
		for (size_t k = i + 1; k < provider_types.n; k++) {
			assert_string_not_equal(t->name, provider_types.v[k].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_hosts),
		cmocka_unit_test(a_full_buffer_stays_inside),
		cmocka_unit_test(entries_are_checked),
		cmocka_unit_test(findings_hold_no_token),
		cmocka_unit_test(members_of_a_provider),
		cmocka_unit_test(policies_are_read),
		cmocka_unit_test(rows_are_sound),
	};

	return cmocka_run_group_tests_name("ai/providers", tests, NULL, NULL);
}
