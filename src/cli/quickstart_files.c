#include "cli/quickstart_files.h"

#include "wire/yaml.h"

#define NAMESPACE "  namespace: higress-system\n"
#define COMMENT                                                                             \
	"    higress.io/comment: PLEASE DO NOT EDIT DIRECTLY. This resource is managed by " \
	"Higress.\n"
#define ICON "    higress.io/wasm-plugin-icon: https://img.alicdn.com/imgextra/"
#define ICON_AI ICON "i1/O1CN018iKKih1iVx287RltL_!!6000000004419-2-tps-42-42.png\n"
#define ICON_AUTH ICON "i4/O1CN01BPFGlT1pGZ2VDLgaH_!!6000000005333-2-tps-42-42.png\n"
#define IMAGES "oci://higress-registry.cn-hangzhou.cr.aliyuncs.com/plugins/"

/* --- scalars ------------------------------------------------------------------------------------ */

static bool is_plain_char(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
		(c != '\0' && strchr("_./+=:-", c) != NULL);
}

/* Looks like a plain scalar; stricter than YAML, whose rules depend on what follows. */
static bool may_be_plain(struct bytes s)
{
	if (s.n == 0 || s.p[s.n - 1] == ':' || strchr("_./+=:-", s.p[0]) != NULL) {
		return false;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (!is_plain_char(s.p[i])) {
			return false;
		}
	}
	return true;
}

void quickstart_files_scalar(struct text *out, struct bytes value)
{
	struct yaml_node node;

	if (!may_be_plain(value) && value.n != 0) {
		text_add_char(out, '\'');
		for (size_t i = 0; i < value.n; i++) {
			text_add(out, "''", value.p[i] == '\'' ? 2 : 0);
			text_add(out, &value.p[i], value.p[i] == '\'' ? 0 : 1);
		}
		text_add_char(out, '\'');
	} else if (value.n == 0 || yaml_resolve(value, &node) != YAML_STRING) {
		text_add_char(out, '"');
		text_add_bytes(out, value);
		text_add_char(out, '"');
	} else {
		text_add_bytes(out, value);
	}
}

/* --- documents ---------------------------------------------------------------------------------- */

static void make_mcpbridge(const struct quickstart_files *q, struct text *out)
{
	text_addf(out,
		"apiVersion: networking.higress.io/v1\n"
		"kind: McpBridge\n"
		"metadata:\n"
		"  creationTimestamp: \"%s\"\n"
		"  name: default\n" NAMESPACE
		"  resourceVersion: \"1\"\n"
		"spec:\n"
		"  registries:\n"
		"  - domain: ",
		q->created);
	quickstart_files_scalar(out, bytes_str(q->domain));
	text_addf(out,
		"\n"
		"    name: llm-%s.internal\n"
		"    port: %u\n"
		"    protocol: %s\n"
		"    type: %s\n"
		"status: {}\n",
		q->provider, q->is_static ? 80u : q->port, q->protocol,
		q->is_static ? "static" : "dns");
}

struct plugin {
	const char *name, *resource, *version; /* "key-auth", "key-auth.internal", "1.0.0" */
	const char *description, *icon, *title;
	const char *category;
	bool internal;
	unsigned revision; /* resourceVersion: how often Console writes it */
};

static void make_plugin_head(
	const struct quickstart_files *q, const struct plugin *p, struct text *out)
{
	text_addf(out,
		"apiVersion: extensions.higress.io/v1alpha1\n"
		"kind: WasmPlugin\n"
		"metadata:\n"
		"  annotations:\n"
		"%s"
		"    higress.io/wasm-plugin-description: %s\n"
		"%s"
		"    higress.io/wasm-plugin-title: %s\n"
		"  creationTimestamp: \"%s\"\n"
		"  labels:\n"
		"%s"
		"    higress.io/resource-definer: higress\n"
		"    higress.io/wasm-plugin-built-in: \"true\"\n",
		p->internal ? COMMENT : "", p->description, p->icon, p->title, q->created,
		p->internal ? "    higress.io/internal: \"true\"\n" : "");
	text_addf(out,
		"    higress.io/wasm-plugin-category: %s\n"
		"    higress.io/wasm-plugin-name: %s\n"
		"    higress.io/wasm-plugin-version: %s\n"
		"  name: %s\n" NAMESPACE
		"  resourceVersion: \"%u\"\n"
		"spec:\n",
		p->category, p->name, p->version, p->resource, p->revision);
}

/* One member of the provider's entry, the first one behind the dash of its list item. */
static void add_member(struct text *out, const char *key, const char *value, bool *first)
{
	text_addf(out, "    %s %s:%s%s\n", *first ? "-" : " ", key, value[0] == '\n' ? "" : " ",
		value);
	*first = false;
}

/* Members stand in the order of their keys. */
static void make_provider_entry(const struct quickstart_files *q, struct text *out)
{
	const struct quickstart_member common[] = {
		{"failover", "\n        enabled: false"},
		{"id", q->provider},
		{"protocol", "openai"},
		{"retryOnFailure", "\n        enabled: false"},
		{"type", q->type},
	};
	bool first = true;
	size_t m = 0;

	if (q->credential != NULL) {
		text_add_str(out, "    - apiTokens:\n      - ");
		quickstart_files_scalar(out, bytes_str(q->credential));
		text_add_char(out, '\n');
		first = false;
	}
	for (size_t c = 0; c < ARRAY_LEN(common); c++) {
		for (; m < q->n_members && strcmp(q->members[m].key, common[c].key) < 0; m++) {
			add_member(out, q->members[m].key, q->members[m].value, &first);
		}
		add_member(out, common[c].key, common[c].value, &first);
	}
	for (; m < q->n_members; m++) {
		add_member(out, q->members[m].key, q->members[m].value, &first);
	}
}

static void make_ai_proxy(const struct quickstart_files *q, struct text *out)
{
	static const struct plugin plugin = {
		.name = "ai-proxy",
		.resource = "ai-proxy.internal",
		.version = "2.0.1",
		.description =
			"Provide unified OpenAI API compatible interface\n"
			"      to call different AI service providers.",
		.icon = ICON_AI,
		.title = "AI Proxy",
		.category = "ai",
		.internal = true,
		.revision = 1,
	};

	make_plugin_head(q, &plugin, out);
	text_add_str(out, "  defaultConfig:\n    providers:\n");
	make_provider_entry(q, out);
	text_addf(out,
		"  defaultConfigDisable: false\n"
		"  failStrategy: FAIL_OPEN\n"
		"  matchRules:\n"
		"  - config:\n"
		"      activeProviderId: %s\n"
		"    configDisable: false\n"
		"    service:\n"
		"    - llm-%s.internal.%s\n"
		"  priority: 100\n"
		"  url: " IMAGES
		"ai-proxy:2.0.1\n"
		"status: {}\n",
		q->provider, q->provider, q->is_static ? "static" : "dns");
}

static void make_key_auth(const struct quickstart_files *q, struct text *out)
{
	static const struct plugin plugin = {
		.name = "key-auth",
		.resource = "key-auth.internal",
		.version = "1.0.0",
		.description = "Authentication based on API Key.",
		.icon = ICON_AUTH,
		.title = "Key Auth",
		.category = "auth",
		.internal = true,
		.revision = 2, /* once for the consumer, once for the route */
	};

	make_plugin_head(q, &plugin, out);
	text_addf(out,
		"  defaultConfig:\n"
		"    allow: []\n"
		"    consumers:\n"
		"    - credentials:\n"
		"      - Bearer %s\n"
		"      in_header: true\n"
		"      in_query: false\n"
		"      keys:\n"
		"      - Authorization\n"
		"      name: %s\n"
		"    global_auth: false\n"
		"    keys:\n"
		"    - x-higress-dummy-key\n",
		q->consumer_key, q->consumer);
	text_addf(out,
		"  defaultConfigDisable: false\n"
		"  failStrategy: FAIL_OPEN\n"
		"  matchRules:\n"
		"  - config:\n"
		"      allow:\n"
		"      - %s\n"
		"    configDisable: false\n"
		"    ingress:\n"
		"    - ai-route-%s.internal\n"
		"  phase: AUTHN\n"
		"  priority: 310\n"
		"  url: " IMAGES
		"key-auth:2.0.0\n"
		"status: {}\n",
		q->consumer, q->route);
}

static void make_statistics(const struct quickstart_files *q, struct text *out)
{
	static const struct plugin plugin = {
		.name = "ai-statistics",
		.resource = "ai-statistics-2.0.1",
		.version = "2.0.1",
		.description =
			"Provides statistics of token usage, including\n"
			"      logs, monitoring, and alerts.",
		.icon = ICON_AI,
		.title = "AI Statistics",
		.category = "ai",
		.internal = false,
		.revision = 1,
	};

	make_plugin_head(q, &plugin, out);
	text_addf(out,
		"  defaultConfigDisable: true\n"
		"  failStrategy: FAIL_OPEN\n"
		"  matchRules:\n"
		"  - config:\n"
		"      use_default_response_attributes: true\n"
		"    configDisable: false\n"
		"    ingress:\n"
		"    - ai-route-%s.internal\n"
		"  priority: 900\n"
		"  url: " IMAGES
		"ai-statistics:2.0.1\n"
		"status: {}\n",
		q->route);
}

static void make_ingress(const struct quickstart_files *q, struct text *out)
{
	text_addf(out,
		"apiVersion: networking.k8s.io/v1\n"
		"kind: Ingress\n"
		"metadata:\n"
		"  annotations:\n" COMMENT
		"    higress.io/destination: llm-%s.internal.%s:%u\n"
		"    higress.io/enable-proxy-next-upstream: \"true\"\n"
		"    higress.io/proxy-next-upstream: error,timeout,non_idempotent\n"
		"    higress.io/proxy-next-upstream-timeout: \"120\"\n"
		"    higress.io/proxy-next-upstream-tries: \"3\"\n"
		"  creationTimestamp: \"%s\"\n",
		q->provider, q->is_static ? "static" : "dns", q->is_static ? 80u : q->port,
		q->created);
	text_addf(out,
		"  labels:\n"
		"    higress.io/domain_higress-default-domain: \"true\"\n"
		"    higress.io/internal: \"true\"\n"
		"    higress.io/resource-definer: higress\n"
		"  name: ai-route-%s.internal\n" NAMESPACE
		"  resourceVersion: \"1\"\n"
		"spec:\n"
		"  ingressClassName: higress\n"
		"  rules:\n"
		"  - http:\n"
		"      paths:\n"
		"      - backend:\n"
		"          resource:\n"
		"            apiGroup: networking.higress.io\n"
		"            kind: McpBridge\n"
		"            name: default\n"
		"        path: /v1\n"
		"        pathType: Prefix\n"
		"status:\n"
		"  loadBalancer: {}\n",
		q->route);
}

static void make_configmap(const struct quickstart_files *q, struct text *out)
{
	text_addf(out,
		"apiVersion: v1\n"
		"data:\n"
		"  data: '{\"name\":\"%s\",\"domains\":[],\"pathPredicate\":{\"matchType\":\"PRE\","
		"\"matchValue\":\"/v1\"},\"headerPredicates\":[],"
		"\"urlParamPredicates\":[],\"upstreams\":[{\"provider\":\"%s\",\"weight\":100,"
		"\"modelMapping\":{}}],\"modelPredicates\":[],\"authConfig\":{\"enabled\":true,"
		"\"allowedConsumers\":[\"%s\"]},\"fallbackConfig\":{\"enabled\":false},"
		"\"proxyNextUpstream\":{\"enabled\":true,\"attempts\":3,\"timeout\":120,"
		"\"conditions\":[\"error\",\"timeout\",\"non_idempotent\"]}}'\n",
		q->route, q->provider, q->consumer);
	text_addf(out,
		"kind: ConfigMap\n"
		"metadata:\n"
		"  creationTimestamp: \"%s\"\n"
		"  labels:\n"
		"    higress.io/config-map-type: ai-route\n"
		"    higress.io/resource-definer: higress\n"
		"  name: ai-route-%s\n" NAMESPACE "  resourceVersion: \"1\"\n",
		q->created, q->route);
}

void quickstart_files_make(
	const struct quickstart_files *q, size_t i, struct text *path, struct text *out)
{
	static const struct {
		const char *before, *after; /* of the route's name, when `named` */
		bool named;
		void (*make)(const struct quickstart_files *q, struct text *out);
	} files[QUICKSTART_FILES] = {
		{"mcpbridges/default", ".yaml", false, make_mcpbridge},
		{"wasmplugins/ai-proxy.internal", ".yaml", false, make_ai_proxy},
		{"wasmplugins/key-auth.internal", ".yaml", false, make_key_auth},
		{"wasmplugins/ai-statistics-2.0.1", ".yaml", false, make_statistics},
		{"ingresses/ai-route-", ".internal.yaml", true, make_ingress},
		{"configmaps/ai-route-", ".yaml", true, make_configmap},
	};

	ASSERT(i < QUICKSTART_FILES);
	text_addf(path, "%s%s%s", files[i].before, files[i].named ? q->route : "", files[i].after);
	files[i].make(q, out);
}
