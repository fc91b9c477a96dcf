/*
 * Types of providers: where the vendor is and what its settings must hold (higress-resources.md §3.2.3,
 * console-api.md §3.2.3). One row each; what a row cannot say is a function.
 */
#include "base/num.h"
#include "resource/op_int.h"
#include "wire/json.h"
#include "wire/url.h"

/* --- settings ----------------------------------------------------------------------------------- */

static struct bytes setting(struct op *o, const struct doc *raw, const char *key)
{
	return doc_text(doc_get(o->arena, raw, key), BYTES(""));
}

static void put_text(struct op *o, struct doc *raw, const char *key, struct bytes value)
{
	doc_set(o->arena, raw, key, doc_string(o->arena, value));
}

static enum op_rc need(struct op *o, const struct doc *raw, const char *key)
{
	return bytes_trim(setting(o, raw, key)).n > 0
		? OP_OK
		: op_refuse(o, OP_INVALID, "rawConfigs.%s must be given", key);
}

/* A boolean that may come as text; absent: def. */
static void put_switch(struct op *o, struct doc *raw, const char *key, bool def)
{
	const struct doc *v = doc_get(o->arena, raw, key);
	bool on = def;

	if (doc_given(v) && v->type == DOC_BOOL) {
		return;
	}
	if (doc_given(v)) {
		on = bytes_eq_nocase(bytes_trim(v->text), BYTES("true"));
	}
	doc_set(o->arena, raw, key, doc_bool(o->arena, on));
}

static struct bytes lower(struct op *o, struct bytes s)
{
	char *p = arena_alloc(o->arena, s.n + 1);

	if (p == NULL) {
		return BYTES("");
	}
	for (size_t i = 0; i < s.n; i++) {
		p[i] = ascii_lower(s.p[i]);
	}
	return bytes_of(p, s.n);
}

/* --- endpoints ---------------------------------------------------------------------------------- */

static enum op_rc add_endpoint(struct op *o, struct op_endpoints *out, const struct op_endpoint *e)
{
	if (out->n == OP_ENDPOINTS_MAX) {
		return op_refuse(o, OP_INVALID, "rawConfigs: more than %u URLs", OP_ENDPOINTS_MAX);
	}
	out->v[out->n++] = *e;
	return OP_OK;
}

static enum op_rc read_url(
	struct op *o, const char *key, struct bytes text, struct op_endpoint *out)
{
	struct url url;
	struct fault fault;

	if (url_parse(&url, text, &fault) != 0 || url.host.n == 0 ||
		memchr(url.host.p, '_', url.host.n) != NULL) {
		return op_refuse(o, OP_INVALID,
			"rawConfigs.%s must be an absolute http or https URL with a host name or "
			"address",
			key);
	}
	*out = (struct op_endpoint){lower(o, url.scheme), lower(o, url.host), url.path, url.port};
	if (out->port == 0) {
		out->port = bytes_eq(out->scheme, BYTES("https")) ? 443 : 80;
	}
	return OP_OK;
}

static enum op_rc add_url(
	struct op *o, const char *key, struct bytes text, struct op_endpoints *out)
{
	struct op_endpoint e;
	enum op_rc rc = read_url(o, key, text, &e);

	return rc == OP_OK ? add_endpoint(o, out, &e) : rc;
}

/* A host without port in `key`, cut of blanks; a blank one counts as absent. */
static enum op_rc add_domain(
	struct op *o, struct doc *raw, const char *key, struct op_endpoints *out)
{
	const struct doc *v = doc_get(o->arena, raw, key);
	struct bytes domain = bytes_trim(doc_text(v, BYTES(""))), host;
	uint16_t port;

	if (!doc_given(v) || domain.n == 0) {
		return OP_OK;
	}
	if (url_parse_authority(domain, &host, &port) != 0 || host.n != domain.n) {
		return op_refuse(
			o, OP_INVALID, "rawConfigs.%s must be a host name without a port", key);
	}
	put_text(o, raw, key, domain);
	return add_endpoint(
		o, out, &(struct op_endpoint){BYTES("https"), lower(o, domain), BYTES(""), 443});
}

static enum op_rc add_built(struct op *o, struct bytes host, struct op_endpoints *out)
{
	struct bytes parsed;
	uint16_t port;

	if (url_parse_authority(host, &parsed, &port) != 0 || parsed.n != host.n) {
		return op_refuse(
			o, OP_INVALID, "rawConfigs: the region cannot be part of a host name");
	}
	return add_endpoint(o, out, &(struct op_endpoint){BYTES("https"), host, BYTES(""), 443});
}

/* The URL in `key` and those of the list in `more`. */
static enum op_rc add_urls(
	struct op *o, const struct doc *raw, const char *const keys[2], struct op_endpoints *out)
{
	const struct doc *more = doc_get(o->arena, raw, keys[1]);
	enum op_rc rc = add_url(o, keys[0], setting(o, raw, keys[0]), out);

	if (rc == OP_OK && doc_given(more) && more->type != DOC_LIST) {
		return op_refuse(o, OP_INVALID, "rawConfigs.%s must be a list of URLs", keys[1]);
	}
	for (const struct doc *u = doc_first(o->arena, more); rc == OP_OK && u != NULL;
		u = u->next) {
		rc = add_url(o, keys[1], doc_text(u, BYTES("")), out);
	}
	return rc;
}

/* --- types -------------------------------------------------------------------------------------- */

/* A service of that name takes the place of the registry: true when both settings are there. */
static bool named_service(struct op *o, const struct doc *raw, struct op_endpoints *out)
{
	const struct doc *port = doc_get(o->arena, raw, "openaiCustomServicePort");
	struct bytes name = setting(o, raw, "openaiCustomServiceName");

	if (name.n == 0 || port == NULL || port->type != DOC_INT || port->integer < 1 ||
		port->integer > 65535) {
		return false;
	}
	out->service = name;
	out->service_port = (unsigned)port->integer;
	return true;
}

static enum op_rc complete_openai(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	static const char *const keys[2] = {"openaiCustomUrl", "openaiExtraCustomUrls"};
	const struct doc *url = doc_get(o->arena, raw, keys[0]);
	struct bytes api = setting(o, raw, "apiUrl");
	struct op_endpoint e;
	bool custom = url != NULL && url->type == DOC_STRING;

	if (named_service(o, raw, out)) {
		for (size_t i = 0; i < out->service.n; i++) {
			if (out->service.p[i] <= ' ' || out->service.p[i] == 0x7f) {
				return op_refuse(o, OP_INVALID,
					"rawConfigs.openaiCustomServiceName must not hold blanks");
			}
		}
		return custom ? read_url(o, keys[0], url->text, &e) : OP_OK;
	}
	if (custom) {
		return add_urls(o, raw, keys, out);
	}
	if (api.n > 0 && read_url(o, "apiUrl", api, &e) == OP_OK) {
		return add_endpoint(o, out, &e);
	}
	if (api.n > 0) {
		text_clear(&o->why);
		op_warn(o, "rawConfigs.apiUrl is no http or https URL: the vendor's own is used");
	}
	return OP_OK;
}

static enum op_rc complete_vllm(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	static const char *const keys[2] = {"vllmCustomUrl", "vllmExtraCustomUrls"};
	enum op_rc rc = need(o, raw, keys[0]);

	return rc == OP_OK ? add_urls(o, raw, keys, out) : rc;
}

static enum op_rc complete_qwen(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	const struct doc *files = doc_get(o->arena, raw, "qwenFileIds");

	if (doc_given(files) && files->type != DOC_LIST) {
		return op_refuse(o, OP_INVALID, "rawConfigs.qwenFileIds must be a list");
	}
	if (!doc_given(doc_get(o->arena, raw, "qwenEnableSearch"))) {
		doc_set(o->arena, raw, "qwenEnableSearch", doc_bool(o->arena, false));
	}
	if (!doc_given(doc_get(o->arena, raw, "qwenEnableCompatible"))) {
		doc_set(o->arena, raw, "qwenEnableCompatible", doc_bool(o->arena, true));
	}
	return add_domain(o, raw, "qwenDomain", out);
}

static enum op_rc complete_zhipuai(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	put_switch(o, raw, "zhipuCodePlanMode", true);
	return add_domain(o, raw, "zhipuDomain", out);
}

static enum op_rc complete_azure(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	struct bytes text = setting(o, raw, "azureServiceUrl"), value, whole;
	enum op_rc rc = add_url(o, "azureServiceUrl", text, out);
	struct fault fault;
	struct url url;

	if (rc != OP_OK) {
		return rc;
	}
	if (url_parse(&url, text, &fault) != 0 ||
		!url_query_get(url.query, BYTES("api-version"), &value, &whole) || value.n == 0) {
		return op_refuse(o, OP_INVALID,
			"rawConfigs.azureServiceUrl must have the parameter api-version");
	}
	return OP_OK;
}

static enum op_rc complete_ollama(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	const struct doc *v = doc_get(o->arena, raw, "ollamaServerPort");
	struct bytes text = bytes_trim(setting(o, raw, "ollamaServerHost")), host;
	uint64_t port = 0;
	uint16_t none;

	if (url_parse_authority(text, &host, &none) != 0 || host.n != text.n) {
		return op_refuse(o, OP_INVALID,
			"rawConfigs.ollamaServerHost must be a host name or address");
	}
	if (v != NULL && v->type == DOC_INT && v->integer > 0) {
		port = (uint64_t)v->integer;
	} else if (!num_parse_u64(bytes_trim(doc_text(v, BYTES(""))), 65535, &port)) {
		port = 0;
	}
	if (port < 1 || port > 65535) {
		return op_refuse(o, OP_INVALID,
			"rawConfigs.ollamaServerPort must be a port between 1 and 65535");
	}
	doc_set(o->arena, raw, "ollamaServerPort", doc_int(o->arena, (int64_t)port));
	return add_endpoint(o, out,
		&(struct op_endpoint){BYTES("http"), lower(o, text), BYTES(""), (unsigned)port});
}

/* https://<providerDomain>[:port]<providerBasePath> */
static enum op_rc add_claude_domain(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	struct bytes domain = bytes_trim(setting(o, raw, "providerDomain"));
	struct bytes path = setting(o, raw, "providerBasePath"), host;
	uint16_t port;

	if (path.n > 0 && path.p[0] != '/') {
		path = op_textf(o, "/" BYTES_FMT, BYTES_ARG(path));
		put_text(o, raw, "providerBasePath", path);
	}
	if (domain.n == 0) {
		return OP_OK;
	}
	if (url_parse_authority(domain, &host, &port) != 0) {
		return op_refuse(o, OP_INVALID,
			"rawConfigs.providerDomain must be a host name or address, with a port if "
			"it is not 443");
	}
	return add_endpoint(o, out,
		&(struct op_endpoint){
			BYTES("https"), lower(o, host), path, port != 0 ? port : 443u});
}

static enum op_rc complete_claude(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	const struct doc *url = doc_get(o->arena, raw, "claudeCustomUrl");
	enum op_rc rc;

	if (doc_first(o->arena, raw) != NULL &&
		bytes_trim(setting(o, raw, "claudeVersion")).n == 0) {
		put_text(o, raw, "claudeVersion", BYTES("2023-06-01"));
	}
	if (doc_given(doc_get(o->arena, raw, "claudeCodeMode"))) {
		put_switch(o, raw, "claudeCodeMode", false);
	}
	if (url == NULL || url->type != DOC_STRING) {
		return add_claude_domain(o, raw, out);
	}
	rc = add_url(o, "claudeCustomUrl", url->text, out);
	if (rc == OP_OK) {
		put_text(o, raw, "providerDomain", out->v[0].host);
		put_text(o, raw, "providerBasePath",
			out->v[0].path.n > 0 ? out->v[0].path : BYTES("/"));
	}
	return rc;
}

static enum op_rc complete_bedrock(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	static const char *const keys[] = {"awsRegion", "awsAccessKey", "awsSecretKey"};
	struct bytes region = bytes_trim(setting(o, raw, keys[0]));
	enum op_rc rc = OP_OK;

	for (size_t i = 0; i < ARRAY_LEN(keys) && rc == OP_OK; i++) {
		rc = need(o, raw, keys[i]);
	}
	return rc != OP_OK ? rc
			   : add_built(o,
				     op_textf(o, "bedrock-runtime." BYTES_FMT ".amazonaws.com",
					     BYTES_ARG(region)),
				     out);
}

/* The key of a service account: a JSON text with four texts in it. */
static enum op_rc check_vertex_key(struct op *o, const struct doc *raw)
{
	static const char *const keys[] = {
		"client_email", "private_key_id", "private_key", "token_uri"};
	struct fault fault;
	const struct json_value *key =
		json_parse(o->arena, setting(o, raw, "vertexAuthKey"), &fault);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (json_text(json_get(key, keys[i]), BYTES("")).n == 0) {
			return op_refuse(o, OP_INVALID,
				"rawConfigs.vertexAuthKey must be the JSON text of a service "
				"account's key, with the member %s",
				keys[i]);
		}
	}
	return OP_OK;
}

static enum op_rc check_vertex_options(struct op *o, const struct doc *raw)
{
	const struct doc *ahead = doc_get(o->arena, raw, "vertexTokenRefreshAhead");
	const struct doc *safety = doc_get(o->arena, raw, "geminiSafetySetting");

	if (doc_given(ahead) && (ahead->type != DOC_INT || ahead->integer < 0)) {
		return op_refuse(o, OP_INVALID,
			"rawConfigs.vertexTokenRefreshAhead must be a number of seconds, not negative");
	}
	if (doc_given(safety) && safety->type != DOC_MAP) {
		return op_refuse(
			o, OP_INVALID, "rawConfigs.geminiSafetySetting must be an object of texts");
	}
	for (const struct doc *v = doc_first(o->arena, safety); v != NULL; v = v->next) {
		if (v->type != DOC_STRING) {
			return op_refuse(o, OP_INVALID,
				"rawConfigs.geminiSafetySetting must be an object of texts");
		}
	}
	return OP_OK;
}

static enum op_rc complete_vertex(struct op *o, struct doc *raw, struct op_endpoints *out)
{
	struct bytes region = lower(o, bytes_trim(setting(o, raw, "vertexRegion"))), host;
	enum op_rc rc = need(o, raw, "vertexRegion");

	rc = rc != OP_OK ? rc : need(o, raw, "vertexProjectId");
	rc = rc != OP_OK ? rc : check_vertex_key(o, raw);
	rc = rc != OP_OK ? rc : check_vertex_options(o, raw);
	if (rc != OP_OK) {
		return rc;
	}
	put_text(o, raw, "vertexRegion", region);
	put_text(o, raw, "vertexAuthServiceName", BYTES("vertex-auth.internal"));
	out->vertex_auth = true;
	host = bytes_eq(region, BYTES("global"))
		? BYTES("aiplatform.googleapis.com")
		: op_textf(o, BYTES_FMT "-aiplatform.googleapis.com", BYTES_ARG(region));
	return add_built(o, host, out);
}

/* --- the table ---------------------------------------------------------------------------------- */

static const struct op_provider_type types[] = {
	{"openai", "api.openai.com", "/v1", true, complete_openai},
	{"qwen", "dashscope.aliyuncs.com", "", false, complete_qwen},
	{"azure", NULL, "", false, complete_azure},
	{"ollama", NULL, "", true, complete_ollama},
	{"claude", "api.anthropic.com", "", true, complete_claude},
	{"vllm", NULL, "", true, complete_vllm},
	{"zhipuai", "open.bigmodel.cn", "", false, complete_zhipuai},
	{"bedrock", NULL, "", false, complete_bedrock},
	{"vertex", NULL, "", false, complete_vertex},
	{"moonshot", "api.moonshot.cn", "", false, NULL},
	{"ai360", "api.360.cn", "", false, NULL},
	{"github", "models.inference.ai.azure.com", "", false, NULL},
	{"groq", "api.groq.com", "", false, NULL},
	{"grok", "api.x.ai", "", false, NULL},
	{"baichuan", "api.baichuan-ai.com", "", false, NULL},
	{"yi", "api.lingyiwanwu.com", "", false, NULL},
	{"deepseek", "api.deepseek.com", "", false, NULL},
	{"baidu", "qianfan.baidubce.com", "", false, NULL},
	{"stepfun", "api.stepfun.com", "", false, NULL},
	{"minimax", "api.minimax.chat", "", false, NULL},
	{"gemini", "generativelanguage.googleapis.com", "", false, NULL},
	{"mistral", "api.mistral.ai", "", false, NULL},
	{"cohere", "api.cohere.com", "", false, NULL},
	{"doubao", "ark.cn-beijing.volces.com", "", false, NULL},
	{"coze", "api.coze.cn", "", false, NULL},
	{"openrouter", "openrouter.ai", "", false, NULL},
};

const struct op_provider_type *op_provider_type(struct bytes name)
{
	if (bytes_eq(name, BYTES("zhipu"))) {
		name = BYTES("zhipuai");
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (bytes_eq(name, bytes_str(types[i].name))) {
			return &types[i];
		}
	}
	return NULL;
}

enum op_rc op_provider_endpoints(
	struct op *o, const struct op_provider_type *t, struct doc *raw, struct op_endpoints *out)
{
	enum op_rc rc;

	*out = (struct op_endpoints){0};
	rc = t->complete != NULL ? t->complete(o, raw, out) : OP_OK;
	if (rc == OP_OK && out->n == 0 && out->service.n == 0) {
		out->v[out->n++] = (struct op_endpoint){
			BYTES("https"), bytes_str(t->host), bytes_str(t->path), 443};
	}
	return rc;
}
