#include "sim/chance.h"

#include <stdio.h>

#define PATH_ROOM 256
#define TEXT_ROOM 65536u

#define PICK(r, ...) pick((r), (const char *const[]){__VA_ARGS__, NULL})

#define PLUGIN(name)                                                                \
	"apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n" \
	"  name: " name "\n  labels:\n    higress.io/wasm-plugin-name: " name "\nspec:\n"

static const char *pick(struct random *r, const char *const *all)
{
	size_t n = 0;

	while (all[n] != NULL) {
		n++;
	}
	return all[random_below(r, n)];
}

static bool in_hundred(struct random *r, unsigned n)
{
	return random_below(r, 100) < n;
}

static void annotation(struct text *t, const char *name, const char *value)
{
	text_addf(t, "    higress.io/%s: \"%s\"\n", name, value);
}

static void add_conditions(struct random *r, struct text *t)
{
	if (in_hundred(r, 25)) {
		annotation(t, "match-method", PICK(r, "POST", "GET PUT", "DELETE", "GET POST"));
	}
	if (in_hundred(r, 20)) {
		annotation(t, PICK(r, "exact-match-header-x-env", "prefix-match-header-x-env"),
			PICK(r, "prod", "p", "dev"));
	}
	if (in_hundred(r, 15)) {
		annotation(t, "exact-match-pseudo-header-method", PICK(r, "POST", "PATCH"));
	}
	if (in_hundred(r, 20)) {
		annotation(t,
			PICK(r, "exact-match-query-user", "prefix-match-query-user",
				"regex-match-query-user"),
			PICK(r, "a", "ab", "ab?"));
	}
	if (in_hundred(r, 45)) {
		annotation(t,
			PICK(r, "exact-match-header-x-higress-llm-model",
				"prefix-match-header-x-higress-llm-model",
				"regex-match-header-x-higress-llm-model"),
			PICK(r, "qwen-max", "qwen", "deepseek-chat", "^(qwen-.*|gpt-4o)"));
	}
	if (in_hundred(r, 15)) {
		annotation(
			t, "exact-match-header-x-higress-llm-provider", PICK(r, "vendor", "other"));
	}
}

static void add_edits(struct random *r, struct text *t)
{
	if (in_hundred(r, 10)) {
		annotation(t, "use-regex", "true");
	}
	if (in_hundred(r, 15)) {
		annotation(t, "ignore-path-case", "true");
	}
	if (in_hundred(r, 20)) {
		annotation(t, "rewrite-path", PICK(r, "/", "/v1", "/elsewhere"));
	}
	if (in_hundred(r, 10)) {
		annotation(t, "upstream-vhost", "inner.test");
	}
	if (in_hundred(r, 4)) {
		annotation(t, "ssl-redirect", "true");
	}
}

static void add_route(struct random *r, unsigned i, struct text *t)
{
	const char *host = PICK(r, "a.test", "a.test", "b.a.test", "'*.test'", "'*.a.test'", "");

	text_addf(t,
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: r%u\n"
		"  annotations:\n",
		i);
	annotation(t, "destination",
		PICK(r, "one.static", "two.static", "plain.static", "none.static",
			"30% one.static\\n70% two.static", "1% plain.static\\n99% one.static"));
	add_conditions(r, t);
	add_edits(r, t);
	text_addf(t, "spec:\n  rules:\n  - %s%s\n    http:\n      paths:\n      - path: %s\n",
		host[0] != '\0' ? "host: " : "host:", host,
		PICK(r, "/", "/v1", "/v1", "/v1/chat", "/v1/chat/completions", "/V1/x", "/other"));
	text_addf(t,
		"        pathType: %s\n        backend:\n          resource:\n"
		"            kind: McpBridge\n            name: default\n",
		PICK(r, "Prefix", "Prefix", "Prefix", "Exact"));
}

static void add_providers(struct random *r, struct text *t)
{
	text_add_str(t,
		PLUGIN("ai-proxy") "  defaultConfig:\n    providers:\n"
				   "    - {id: one, type: openai, apiTokens: [sk-one], "
				   "openaiCustomUrl: 'http://10.0.0.1/v1'");
	text_add_str(t, in_hundred(r, 50) ? ", modelMapping: {qwen-*: mapped, '*': rest}" : "");
	text_add_str(t,
		"}\n    - {id: two, type: deepseek, apiTokens: [sk-two]}\n  matchRules:\n"
		"  - {config: {activeProviderId: one}, service: [one.static]}\n"
		"  - {config: {activeProviderId: two}, service: [two.static]}\n");
}

static void add_keys(struct random *r, unsigned n_routes, struct text *t)
{
	text_add_str(t, PLUGIN("key-auth") "  defaultConfig:\n    consumers:\n"
					   "    - {name: alice, credential: sk-alice}\n"
					   "    - {name: bob, credential: sk-bob}\n"
					   "    keys: [apikey, x-api-key]\n    in_header: true\n"
					   "    in_query: true\n");
	text_addf(t, "    global_auth: %s\n  matchRules:\n",
		PICK(r, "false", "false", "false", "true"));
	for (unsigned i = 0; i < n_routes; i++) {
		if (i == 0 || in_hundred(r, 50)) {
			text_addf(t, "  - {config: {allow: [%s]}, ingress: [r%u]}\n",
				PICK(r, "", "alice", "alice, bob"), i);
		}
	}
}

static void add_router(struct random *r, struct text *t)
{
	text_add_str(t,
		PLUGIN("model-router") "  defaultConfig:\n"
				       "    modelToHeader: x-higress-llm-model\n");
	text_add_str(t, in_hundred(r, 40) ? "    addProviderHeader: x-higress-llm-provider\n" : "");
	text_add_str(t, in_hundred(r, 20) ? "    enableOnPathSuffix: [/completions]\n" : "");
}

static void put(struct disk *disk, const char *root, const char *name, struct text *t)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/%s.yaml", root, name);
	disk_put(disk, path, text_bytes(t));
	text_clear(t);
}

void chance_resources(struct random *r, struct disk *disk, const char *root)
{
	unsigned n = 6 + (unsigned)random_below(r, 14);
	char name[40];
	struct text t;

	text_init(&t, TEXT_ROOM);
	text_add_str(&t,
		"apiVersion: networking.higress.io/v1\nkind: McpBridge\nmetadata:\n"
		"  name: default\nspec:\n  registries:\n"
		"  - {name: one, type: static, domain: '10.0.0.1:80', port: 80}\n"
		"  - {name: two, type: static, domain: '10.0.0.1:80', port: 80}\n"
		"  - {name: plain, type: static, domain: '10.0.0.1:80', port: 80}\n");
	put(disk, root, "mcpbridges/default", &t);
	for (unsigned i = 0; i < n; i++) {
		add_route(r, i, &t);
		snprintf(name, sizeof(name), "ingresses/r%u", i);
		put(disk, root, name, &t);
	}
	add_providers(r, &t);
	put(disk, root, "wasmplugins/ai-proxy", &t);
	add_keys(r, n, &t);
	put(disk, root, "wasmplugins/key-auth", &t);
	if (in_hundred(r, 75)) {
		add_router(r, &t);
		put(disk, root, "wasmplugins/model-router", &t);
	}
	text_done(&t);
}

static void add_target(struct random *r, struct text *out)
{
	text_add_str(out,
		PICK(r, "/v1/chat/completions", "/v1/chat/completions", "/v1/chat/completions",
			"/v1/embeddings", "/v1/models", "/v1", "/V1/X", "/other/x", "/", "/a/../v1",
			"/v1/realtime", "/v1/messages"));
	text_add_str(out,
		PICK(r, "", "", "", "?user=a", "?user=ab", "?x=1&user=abc", "?apikey=sk-alice",
			"?apikey=sk-bob&user=a&apikey=again", "?apikey=unknown"));
}

static void add_head(struct random *r, struct text *out)
{
	text_addf(out, " HTTP/1.1\r\nHost: %s\r\n",
		PICK(r, "a.test", "A.test", "b.a.test", "c.b.a.test", "x.test", "elsewhere",
			"a.test:8080"));
	text_add_str(out,
		PICK(r, "", "x-api-key: sk-alice\r\n", "apikey: sk-bob\r\n",
			"Authorization: Bearer sk-alice\r\n", "x-api-key: unknown\r\n"));
	text_add_str(out,
		PICK(r, "", "", "x-env: prod\r\n", "X-Env: p\r\nx-env: dev\r\n",
			"x-higress-llm-model: qwen-max\r\n", "x-higress-llm-provider: vendor\r\n"));
}

void chance_request(struct random *r, struct text *out)
{
	bool has_body = in_hundred(r, 70);
	const char *model = PICK(r, "qwen-max", "qwen-plus", "deepseek-chat", "gpt-4o",
		"vendor/qwen-max", "other/x/y", "");
	char body[128];

	text_addf(out, "%s ",
		has_body ? PICK(r, "POST", "POST", "POST", "POST", "PUT", "PATCH")
			 : PICK(r, "GET", "GET", "DELETE", "POST"));
	add_target(r, out);
	add_head(r, out);
	if (!has_body) {
		text_add_str(out, "\r\n");
		return;
	}
	if (model[0] != '\0') {
		snprintf(body, sizeof(body), "{\"messages\":[],\"model\":\"%s\"}", model);
	} else {
		snprintf(body, sizeof(body), "{\"messages\":[]}");
	}
	text_addf(out, "%sContent-Length: %zu\r\n\r\n%s",
		PICK(r, "Content-Type: application/json\r\n", "Content-Type: text/plain\r\n", ""),
		strlen(body), body);
}
