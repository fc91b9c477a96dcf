/*
 * What pages show of the built-in plugins (console-api.md §3.11): title and description in two languages, the
 * settings, a page to read. Those that the gateway itself has are described setting by setting; of the others it
 * says that a Higress which reads the same files runs them, and this gateway does not.
 */
#include "resource/op_int.h"

#define TEXT_MAX (256u * 1024u)

struct setting {
	const char *name, *type; /* of JSON Schema */
	const char *said[2];     /* English, Chinese */
	bool needed;
};

struct entry {
	const char *name;
	const char *title_zh;
	const char *said[2];
	const struct setting *settings; /* ends with a name NULL; NULL: not described */
	const char *example;            /* YAML */
};

/* --- settings ----------------------------------------------------------------------------------- */

static const struct setting of_ai_proxy[] = {
	{"activeProviderId", "string",
		{"The provider that a route or service uses", "路由或服务使用的供应商"}, false},
	{"providers", "array",
		{"The providers, each with id and type", "供应商列表，各有 id 和 type"}, true},
	{0},
};
static const struct setting of_ai_statistics[] = {
	{"attributes", "array",
		{"Values that go to logs, metrics or traces", "写入日志、指标或链路的属性"}, false},
	{"use_default_response_attributes", "boolean",
		{"Take the usual values of answers", "采用默认的响应属性"}, false},
	{0},
};
static const struct setting of_basic_auth[] = {
	{"consumers", "array",
		{"Who may pass: name and credential, \"user:password\"",
			"调用方：name 与 credential（用户名:密码）"},
		true},
	{"global_auth", "boolean",
		{"Ask everywhere, not only where a rule says so", "是否全局启用认证"}, false},
	{"allow", "array", {"Names of consumers that a route admits", "允许访问的调用方名称"},
		false},
	{0},
};
static const struct setting of_key_auth[] = {
	{"consumers", "array", {"Who may pass: name and credential", "调用方：name 与 credential"},
		true},
	{"keys", "array",
		{"Names of headers or parameters with the key", "密钥所在的请求头或参数名"}, true},
	{"in_header", "boolean", {"Look for the key in headers", "从请求头读取密钥"}, false},
	{"in_query", "boolean", {"Look for the key in the query", "从查询参数读取密钥"}, false},
	{"global_auth", "boolean",
		{"Ask everywhere, not only where a rule says so", "是否全局启用认证"}, false},
	{"allow", "array", {"Names of consumers that a route admits", "允许访问的调用方名称"},
		false},
	{0},
};
static const struct setting of_model_router[] = {
	{"modelKey", "string", {"The member of the body with the model", "请求体中模型的字段名"},
		false},
	{"modelToHeader", "string", {"The header that gets the model", "写入模型名的请求头"},
		false},
	{"addProviderHeader", "string", {"The header that gets the provider", "写入供应商的请求头"},
		false},
	{"enableOnPathSuffix", "array", {"Ends of paths that it looks at", "生效的路径后缀"},
		false},
	{0},
};
static const struct setting of_model_mapper[] = {
	{"modelKey", "string", {"The member of the body with the model", "请求体中模型的字段名"},
		false},
	{"modelMapping", "object",
		{"The model that is asked for, and the one that is used",
			"请求模型到目标模型的映射"},
		false},
	{"enableOnPathSuffix", "array", {"Ends of paths that it looks at", "生效的路径后缀"},
		false},
	{0},
};
static const struct setting of_request_block[] = {
	{"block_urls", "array",
		{"Parts of addresses, path and query, that are refused", "屏蔽的 URL 片段"}, false},
	{"block_exact_urls", "array",
		{"Whole addresses, path and query, that are refused", "精确屏蔽的 URL"}, false},
	{"block_regexp_urls", "array",
		{"Regular expressions of addresses that are refused", "屏蔽 URL 的正则表达式"},
		false},
	{"block_headers", "array",
		{"Parts of names and values of headers that are refused", "屏蔽的请求头片段"},
		false},
	{"block_bodies", "array", {"Parts of bodies that are refused", "屏蔽的请求体片段"}, false},
	{"blocked_code", "integer",
		{"Status of the refusal, 200 to 599; 403", "屏蔽时的状态码，默认 403"}, false},
	{"blocked_message", "string",
		{"Text of the refusal; without it an error of the client's protocol",
			"屏蔽时的响应内容，缺省为客户端协议的错误格式"},
		false},
	{"case_sensitive", "boolean", {"Whether case counts, true", "是否区分大小写，默认区分"},
		false},
	{0},
};
static const struct setting of_cors[] = {
	{"allow_origins", "array", {"Origins that may call", "允许的来源"}, false},
	{"allow_origin_patterns", "array", {"Patterns of origins, with *", "允许的来源模式"},
		false},
	{"allow_methods", "array", {"Methods that may be used", "允许的方法"}, false},
	{"allow_headers", "array", {"Headers that may be sent", "允许的请求头"}, false},
	{"expose_headers", "array", {"Headers that a page may read", "可读的响应头"}, false},
	{"allow_credentials", "boolean", {"Whether cookies are sent", "是否允许携带凭证"}, false},
	{"max_age", "integer", {"Seconds that the answer counts", "预检结果有效秒数"}, false},
	{0},
};
static const struct setting of_mcp_server[] = {
	{"server", "object", {"Name, description and settings of the server", "服务器名称与配置"},
		true},
	{"tools", "array", {"Tools: arguments and a request each", "工具：参数与请求模板"}, false},
	{"allowTools", "array", {"Names of tools that are offered", "对外提供的工具名"}, false},
	{0},
};

/* --- all of them, by name ----------------------------------------------------------------------- */

#define PLAIN(name_, zh_, en_, said_zh_)                \
	{                                               \
		name_, zh_, {en_, said_zh_}, NULL, NULL \
	}

static const struct entry entries[] = {
	PLAIN("ai-agent", "AI 智能体", "Lets a model call tools on its way to an answer.",
		"让模型在回答过程中调用工具。"),
	PLAIN("ai-cache", "AI 缓存", "Answers again from memory what was asked before.",
		"复用相同或相似问题的回答。"),
	PLAIN("ai-context-limit", "AI 上下文限制", "Refuses prompts that are too long for a model.",
		"拒绝超出模型上下文的请求。"),
	PLAIN("ai-data-masking", "AI 数据脱敏", "Hides sensitive words in prompts and answers.",
		"遮盖提示词与回答中的敏感信息。"),
	PLAIN("ai-history", "AI 历史对话", "Adds what was said before to a prompt.",
		"为请求补充历史对话。"),
	PLAIN("ai-intent", "AI 意图识别", "Tells what kind of question is asked.",
		"识别用户意图。"),
	PLAIN("ai-json-resp", "AI JSON 格式化", "Makes answers fit a JSON schema.",
		"让回答符合 JSON 结构。"),
	PLAIN("ai-load-balancer", "AI 负载均衡", "Chooses among the instances of a model.",
		"在模型实例之间均衡负载。"),
	PLAIN("ai-prompt-decorator", "AI 提示词", "Puts texts before and behind a prompt.",
		"在提示词前后添加内容。"),
	PLAIN("ai-prompt-template", "AI 提示词模板", "Makes prompts from templates.",
		"用模板生成提示词。"),
	{"ai-proxy", "AI 代理",
		{"One OpenAI-compatible interface to many providers.",
			"以 OpenAI 兼容接口访问多家供应商。"},
		of_ai_proxy,
		"providers:\n- id: qwen\n  type: qwen\n  apiTokens:\n  - YOUR_TOKEN\n"},
	PLAIN("ai-quota", "AI 配额管理", "Gives consumers a quota of tokens.",
		"按调用方管理额度。"),
	PLAIN("ai-rag", "AI 检索增强生成", "Adds documents that fit the question to a prompt.",
		"检索文档以增强提示词。"),
	PLAIN("ai-search", "AI 搜索增强", "Adds results of a search engine to a prompt.",
		"用搜索结果增强提示词。"),
	PLAIN("ai-security-guard", "AI 内容安全", "Has prompts and answers checked by a service.",
		"由内容安全服务检查输入输出。"),
	{"ai-statistics", "AI 统计",
		{"Counts tokens and writes attributes of requests.", "统计 Token 用量与请求属性。"},
		of_ai_statistics, "use_default_response_attributes: true\n"},
	PLAIN("ai-token-ratelimit", "AI Token 限流", "Limits tokens per key and time.",
		"按键值限制 Token 用量。"),
	PLAIN("ai-transformer", "AI 请求/响应转换", "Has a model rewrite requests and answers.",
		"由模型改写请求与响应。"),
	{"basic-auth", "Basic 认证",
		{"Asks for a user name and password.", "基于用户名和密码的认证。"}, of_basic_auth,
		"consumers:\n- name: consumer1\n  credential: user:password\n"},
	PLAIN("bot-detect", "机器人拦截", "Refuses known crawlers.", "拦截爬虫。"),
	PLAIN("cache-control", "浏览器缓存控制", "Tells browsers how long files count.",
		"为文件设置浏览器缓存。"),
	PLAIN("cluster-key-rate-limit", "基于 Key 集群限流",
		"Limits requests per key over all gateways.", "在集群范围内按键值限流。"),
	{"cors", "跨域资源共享", {"Lets pages of other origins call.", "允许其他来源的页面调用。"},
		of_cors,
		"allow_origins:\n- https://app.example.com\nallow_methods:\n- GET\n- POST\n"},
	PLAIN("custom-response", "自定义应答", "Answers with a fixed status and text.",
		"返回固定的状态和内容。"),
	PLAIN("de-graphql", "DeGraphQL", "Offers GraphQL queries as plain addresses.",
		"以普通地址提供 GraphQL 查询。"),
	PLAIN("ext-auth", "外部认证", "Asks another service who may pass.", "由外部服务鉴权。"),
	PLAIN("frontend-gray", "前端灰度", "Shows versions of a page to parts of its users.",
		"按用户分发不同版本的前端。"),
	PLAIN("geo-ip", "IP 地理位置", "Says in headers where an address is.",
		"在请求头中附加地理位置。"),
	PLAIN("gw-error-format", "网关错误格式化", "Gives the gateway's own errors another form.",
		"改写网关自身的错误响应。"),
	PLAIN("hmac-auth", "HMAC 认证", "Checks signatures of requests.", "校验请求的 HMAC 签名。"),
	PLAIN("hmac-auth-apisix", "HMAC 认证（APISIX 兼容）",
		"Checks signatures as APISIX has them.", "校验 APISIX 格式的 HMAC 签名。"),
	PLAIN("ip-restriction", "IP 限制", "Admits or refuses addresses.",
		"按 IP 允许或拒绝访问。"),
	PLAIN("json-converter", "JSON 转换器", "Converts JSON-RPC messages.",
		"转换 JSON-RPC 消息。"),
	PLAIN("jwt-auth", "JWT 认证", "Checks JSON Web Tokens.", "校验 JSON Web Token。"),
	{"key-auth", "Key 认证", {"Asks for an API key.", "基于 API Key 的认证。"}, of_key_auth,
		"consumers:\n- name: consumer1\n  credential: KEY\nkeys:\n- x-api-key\nin_header: true\n"},
	PLAIN("key-rate-limit", "基于 Key 限流", "Limits requests per key.", "按键值限流。"),
	PLAIN("log-request-response", "请求与响应日志", "Writes requests and answers to the log.",
		"记录请求与响应。"),
	PLAIN("mcp-router", "MCP 路由", "Leads tool calls to the servers that have the tools.",
		"将工具调用路由到对应的 MCP 服务器。"),
	{"mcp-server", "MCP 服务器",
		{"Offers HTTP APIs as tools to agents.", "将 HTTP API 作为工具提供给智能体。"},
		of_mcp_server,
		"server:\n  name: weather\ntools:\n- name: forecast\n  description: The weather of a city\n"
		"  args:\n  - name: city\n    type: string\n    required: true\n"
		"    position: query\n  requestTemplate:\n"
		"    url: https://api.example.com/forecast\n    method: GET\n"},
	{"model-mapper", "AI 模型映射",
		{"Asks for another model than the client named.", "将请求的模型替换为其他模型。"},
		of_model_mapper, "modelMapping:\n  gpt-4o: qwen-max\n  '*': qwen-turbo\n"},
	{"model-router", "AI 模型路由", {"Lets routes depend on the model.", "按模型选择路由。"},
		of_model_router, "modelToHeader: x-higress-llm-model\n"},
	PLAIN("nginx-rewrite-compatible", "Nginx Rewrite 兼容", "Rewrites paths as nginx does.",
		"兼容 Nginx 的改写规则。"),
	PLAIN("oauth", "OAuth2 认证", "Issues and checks OAuth2 tokens.",
		"签发并校验 OAuth2 令牌。"),
	PLAIN("oidc", "OIDC 认证", "Logs users in with OpenID Connect.",
		"基于 OpenID Connect 登录。"),
	PLAIN("opa", "OPA", "Asks an Open Policy Agent who may pass.", "由 OPA 策略鉴权。"),
	{"request-block", "请求屏蔽", {"Refuses requests by what they hold.", "按内容屏蔽请求。"},
		of_request_block, "block_urls:\n- swagger.html\nblocked_code: 404\n"},
	PLAIN("request-validation", "请求校验", "Checks requests against JSON schemas.",
		"按 JSON Schema 校验请求。"),
	PLAIN("response-cache", "响应缓存", "Keeps answers in Redis.", "在 Redis 中缓存响应。"),
	PLAIN("simple-jwt-auth", "简易 JWT 认证", "Checks a JSON Web Token with one secret.",
		"以共享密钥校验 JWT。"),
	PLAIN("traffic-tag", "流量染色", "Marks requests with headers.", "为请求添加标记。"),
	PLAIN("transformer", "请求/响应转换", "Changes headers, queries and bodies.",
		"转换请求头、参数与内容。"),
	PLAIN("waf", "WAF 防护", "Refuses attacks by the rules of OWASP.", "按 OWASP 规则防护。"),
};

static const struct entry *find(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		if (bytes_eq(name, bytes_str(entries[i].name))) {
			return &entries[i];
		}
	}
	return NULL;
}

const char *op_catalogue_name(size_t i)
{
	return i < ARRAY_LEN(entries) ? entries[i].name : NULL;
}

/* --- words -------------------------------------------------------------------------------------- */

/* Index into `said`: what is not Chinese is English. */
static size_t language(struct bytes lang)
{
	return bytes_starts_nocase(lang, BYTES("zh")) ? 1 : 0;
}

struct bytes op_catalogue_title(const struct op_plugin *p, struct bytes lang)
{
	const struct entry *e = find(bytes_str(p->name));

	return bytes_str(e != NULL && language(lang) == 1 ? e->title_zh : p->title);
}

struct bytes op_catalogue_description(const struct op_plugin *p, struct bytes lang)
{
	const struct entry *e = find(bytes_str(p->name));

	if (language(lang) == 0 && p->description != NULL) {
		return bytes_str(p->description);
	}
	return bytes_str(e != NULL ? e->said[language(lang)] : "");
}

/* --- schema ------------------------------------------------------------------------------------- */

static struct doc *property(struct op *o, const struct setting *s, size_t lang)
{
	struct arena *a = o->arena;
	struct doc *out = doc_map(a);

	doc_set(a, out, "type", doc_str(a, s->type));
	doc_set(a, out, "title", doc_str(a, s->name));
	doc_set(a, out, "description", doc_str(a, s->said[lang]));
	return out;
}

static struct doc *object_schema(struct op *o, const struct entry *e, size_t lang)
{
	struct arena *a = o->arena;
	struct doc *out = doc_map(a), *required, *properties;

	doc_set(a, out, "type", doc_str(a, "object"));
	required = doc_need_list(a, out, "required");
	properties = doc_need_map(a, out, "properties");
	for (const struct setting *s = e != NULL ? e->settings : NULL; s != NULL && s->name != NULL;
		s++) {
		if (s->needed) {
			doc_append(a, required, doc_str(a, s->name));
		}
		doc_set(a, properties, s->name, property(o, s, lang));
	}
	return out;
}

struct doc *op_catalogue_schema(struct op *o, struct bytes name, struct bytes lang)
{
	const struct entry *e = find(name);
	struct doc *out = object_schema(o, e, language(lang)), *more;

	doc_set(o->arena, out, "jsonSchema", object_schema(o, e, language(lang)));
	more = doc_need_map(o->arena, out, "extensions");
	doc_set(o->arena, more, "x-example-raw",
		doc_str(o->arena, e != NULL && e->example != NULL ? e->example : ""));
	return out;
}

/* --- a page to read ----------------------------------------------------------------------------- */

static const char *const words[][2] = {
	{"Setting", "配置项"},
	{"Type", "类型"},
	{"Meaning", "说明"},
	{"Example", "示例"},
	{"This gateway runs the plugin itself.", "本网关原生支持该插件。"},
	{"This gateway keeps the configuration and does not run the plugin. A Higress that reads the "
	 "same files runs it.",
		"本网关保存该插件的配置但不执行；读取相同文件的 Higress 会执行。"},
};

static void add_settings(struct text *t, const struct setting *s, size_t lang)
{
	text_addf(t, "\n| %s | %s | %s |\n|---|---|---|\n", words[0][lang], words[1][lang],
		words[2][lang]);
	for (; s->name != NULL; s++) {
		text_addf(t, "| `%s` | %s | %s |\n", s->name, s->type, s->said[lang]);
	}
}

struct bytes op_catalogue_readme(struct op *o, const struct op_plugin *p, struct bytes lang)
{
	const struct entry *e = find(bytes_str(p->name));
	size_t l = language(lang);
	struct bytes out;
	struct text t;

	text_init(&t, TEXT_MAX);
	text_addf(&t, "# " BYTES_FMT "\n\n" BYTES_FMT "\n\n%s\n",
		BYTES_ARG(op_catalogue_title(p, lang)),
		BYTES_ARG(op_catalogue_description(p, lang)),
		words[op_plugin_served(bytes_str(p->name)) ? 4 : 5][l]);
	if (e != NULL && e->settings != NULL) {
		add_settings(&t, e->settings, l);
		text_addf(&t, "\n## %s\n\n```yaml\n%s```\n", words[3][l], e->example);
	}
	out = arena_copy(o->arena, text_bytes(&t));
	text_done(&t);
	return out;
}
