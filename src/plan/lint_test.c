#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/lint.h"
#include "plan/world.h"

/* One type is enough; the real rows are tested in their room. */
static const struct capability caps[] = {{API_CHAT_COMPLETIONS, "/v1/chat/completions"}};
static const struct provider_type type_rows[] = {
	{.name = "openai",
		.default_host = "api.openai.com",
		.auth = AUTH_BEARER,
		.unsupported_passes = true,
		.caps = caps,
		.n_caps = 1},
};
static const struct provider_types types = {type_rows, ARRAY_LEN(type_rows)};

/*
 * A consistent set, and what a row adds to it or puts in its place. What object_read and plan_compile
 * find has tests of its own; docs/lint.md has an example of every code, which 19-lint.test.js runs.
 */

#define PLUGIN_HEAD(name)                                                           \
	"apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n" \
	"  name: " name "\nspec:\n"
#define INGRESS_HEAD(name, more)                                       \
	"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n" \
	"  name: " name "\n" more "  annotations:\n    higress.io/destination: "
#define RULES(host, path)                                                                       \
	"spec:\n  rules:\n  - host: \"" host "\"\n    http:\n      paths:\n      - path: " path \
	"\n        pathType: Prefix\n        backend: {resource: {kind: McpBridge, name: default}}\n"
#define MAP_HEAD "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\ndata:\n"

#define BRIDGE "mcpbridges/default.yaml"
#define REGISTRY(name) "  - {name: " name ", type: static, domain: '127.0.0.1:9000', port: 80}\n"
#define PROXY "wasmplugins/ai-proxy.internal.yaml"
#define PROXY_TEXT(provs, rules)         \
	PLUGIN_HEAD("ai-proxy.internal") \
	"  defaultConfig:\n    providers:\n" provs "  matchRules:\n" rules
#define PROVIDER(id) "    - {id: " id ", type: openai, apiTokens: [k]}\n"
#define BOUND(service, id) "  - {service: [" service "], config: {activeProviderId: " id "}}\n"
#define AUTH "wasmplugins/key-auth.internal.yaml"
#define AUTH_TEXT(global, consumers, rules)                                         \
	PLUGIN_HEAD("key-auth.internal")                                            \
	"  defaultConfig:\n    global_auth: " global "\n    consumers:\n" consumers \
	"  matchRules:\n" rules
#define BASIC "wasmplugins/basic-auth-1.0.0.yaml"
#define BASIC_TEXT(rule)                                                                   \
	PLUGIN_HEAD("basic-auth-1.0.0")                                                    \
	"  defaultConfig:\n    global_auth: false\n    consumers:\n"                       \
	"    - {name: ann, credential: 'ann:1'}\n    - {name: ben, credential: 'ben:1'}\n" \
	"  matchRules:\n" rule
#define CONSUMER(name)                                    \
	"    - {name: " name ", credential: Bearer " name \
	", in_header: true, keys: [Authorization]}\n"
#define ALLOW(ingress, name) "  - {ingress: [" ingress "], config: {allow: [" name "]}}\n"
#define ROUTE "ingresses/ai-route-a.internal.yaml"
#define LABEL(domain) "  labels:\n    higress.io/domain_" domain ": \"true\"\n"
#define ROUTE_NAME "ai-route-a.internal"
#define RECORD "configmaps/ai-route-a.yaml"
#define RECORD_TEXT(json) MAP_HEAD "  data: '" json "'\n"
#define DOMAIN "configmaps/domain-a.com.yaml"
#define DOMAIN_TEXT(name) MAP_HEAD "  domain: \"" name "\"\n  enableHttps: \"off\"\n"

static const struct file {
	const char *name, *text;
} set[] = {
	{BRIDGE, WORLD_REGISTRIES(REGISTRY("up") REGISTRY("llm-aaa"))},
	{PROXY, PROXY_TEXT(PROVIDER("a"), BOUND("up.static", "a") BOUND("llm-aaa.static", "a"))},
	{AUTH, AUTH_TEXT("false", CONSUMER("alice"), ALLOW(ROUTE_NAME, "alice"))},
	{ROUTE, INGRESS_HEAD(ROUTE_NAME, LABEL("a.com")) "up.static:80\n" RULES("a.com", "/v1")},
	{"ingresses/z.yaml", INGRESS_HEAD("z", "") "llm-aaa.static:80\n" RULES("z.com", "/z")},
	{RECORD,
		RECORD_TEXT("{\"name\":\"a\",\"domains\":[\"a.com\"],\"upstreams\":[{\"provider\":"
			    "\"a\"}],\"authConfig\":{\"allowedConsumers\":[\"alice\"]}}")},
	{DOMAIN, DOMAIN_TEXT("a.com")},
};

#define OTHER "ingresses/other.yaml"
#define OTHER_TEXT(more, destination, host, path) \
	INGRESS_HEAD("other", more) destination "\n" RULES(host, path)
#define NAMED_TEXT(name, destination, host, path) \
	INGRESS_HEAD(name, "") destination "\n" RULES(host, path)
#define MATCH(how, value) "up.static\n    higress.io/" how "-match-header-x-team: " value
#define MAPPER "wasmplugins/model-mapper.internal.yaml"
#define MAPPER_TEXT(rule)                               \
	PLUGIN_HEAD("model-mapper.internal")            \
	"  defaultConfigDisable: true\n  matchRules:\n" \
	"  - {" rule ", config: {modelMapping: {x: y}}}\n"

static const struct {
	struct file add[3];
	const char *code; /* NULL: nothing is found */
	const char *file;
	unsigned line;
	enum finding_level level;
	const char *reason;
} rows[] = {
	{{{0}}, NULL, NULL, 0, 0, "the set is consistent"},
	/* lint_objects */
	{{{"configmaps/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\n"}},
		"name-differs", "configmaps/x.yaml", 4, FINDING_WARNING, "the file's name counts"},
	{{{"configmaps/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n"}}, NULL,
		NULL, 0, 0, "both names are the same"},
	{{{"mcpbridges/other.yaml", WORLD_REGISTRIES(REGISTRY("b"))}}, "mcpbridge-ignored",
		"mcpbridges/other.yaml", 1, FINDING_WARNING, "only default is read"},
	{{{OTHER,
		 NAMED_TEXT("other",
			 "up.static:80\n    higress.io/mcp-server: 'true'\n"
			 "    higress.io/mcp-server-upstream-type: streamable",
			 "z.com", "/o")}},
		NULL, NULL, 0, 0, "an MCP server behind a direct route is served"},
	{{{OTHER, INGRESS_HEAD("other", "") "up.static\nspec:\n  rules:\n  - host: z.com\n"}},
		"ingress-without-path", OTHER, 9, FINDING_WARNING, "a rule for nothing"},
	{{{OTHER, INGRESS_HEAD("other", "") "up.static\nspec: {rules: []}\n"}},
		"ingress-without-path", OTHER, 1, FINDING_WARNING, "no rule at all"},
	{{{OTHER,
		 INGRESS_HEAD("other", "") "up.static\n" RULES(
			 "z.com", "/o") "  defaultBackend: {service: {name: x}}\n"}},
		"default-backend", OTHER, 15, FINDING_WARNING, "nothing goes there"},
	/* lint_destinations */
	{{{OTHER, OTHER_TEXT("", "llm-aax.static:8080", "z.com", "/o")}},
		"destination-port-mismatch", OTHER, 6, FINDING_WARNING,
		"item 4 of the article: the registry that was meant has another port"},
	{{{OTHER, OTHER_TEXT("", "nothing.dns:8080", "z.com", "/o")}}, NULL, NULL, 0, 0,
		"no registry begins like it, so nothing is guessed"},
	{{{OTHER, OTHER_TEXT("", "llm-aax.static:80", "z.com", "/o")}}, NULL, NULL, 0, 0,
		"the port would be right"},
	{{{OTHER, OTHER_TEXT("", "\"50% up.static\\n40% llm-aaa.static\"", "z.com", "/o")}},
		"weights-sum", OTHER, 6, FINDING_WARNING, "90 percent"},
	{{{OTHER, OTHER_TEXT("", "\"60% up.static\\n40% llm-aaa.static\"", "z.com", "/o")}}, NULL,
		NULL, 0, 0, "100 percent"},
	{{{OTHER, OTHER_TEXT("", "\"30% up.static\"", "z.com", "/o")}}, NULL, NULL, 0, 0,
		"a single one has all, whatever its weight"},
	/* lint_unused */
	{{{PROXY,
		 PROXY_TEXT(PROVIDER("a") PROVIDER("b"),
			 BOUND("up.static", "a") BOUND("llm-aaa.static", "a"))}},
		"provider-unbound", PROXY, 9, FINDING_WARNING, "no rule names b"},
	{{{PROXY,
		 PROXY_TEXT(PROVIDER("a") "    - {type: openai, apiTokens: [k]}\n",
			 BOUND("up.static, llm-aaa.static", "a"))}},
		"provider-unbound", PROXY, 9, FINDING_WARNING, "no rule can name it"},
	{{{BRIDGE, WORLD_REGISTRIES(REGISTRY("up") REGISTRY("llm-aaa") REGISTRY("llm-b"))},
		 {PROXY,
			 PROXY_TEXT(PROVIDER("a") PROVIDER("b"),
				 BOUND("up.static", "a") BOUND("llm-b.static", "b"))}},
		"provider-unused", PROXY, 9, FINDING_WARNING, "no route goes to llm-b"},
	{{{BRIDGE, WORLD_REGISTRIES(REGISTRY("up") REGISTRY("llm-aaa") REGISTRY("llm-b"))}},
		"service-unused", BRIDGE, 7, FINDING_INFO, "no route goes to llm-b"},
	{{{BRIDGE, WORLD_REGISTRIES(REGISTRY("up") REGISTRY("llm-aaa") REGISTRY("llm-b"))},
		 {PROXY,
			 PROXY_TEXT("    - {id: a, type: openai, apiTokens: [k], context: "
				    "{fileUrl: 'http://h/', serviceName: llm-b.static, "
				    "servicePort: 80}}\n",
				 BOUND("up.static, llm-aaa.static", "a"))}},
		NULL, NULL, 0, 0, "a provider has its file from llm-b"},
	{{{PROXY, PROXY_TEXT(PROVIDER("a"), BOUND("up.static, gone.dns", "a"))}},
		"rule-unknown-service", PROXY, 10, FINDING_WARNING, "no registry gone"},
	{{{PROXY, PROXY_TEXT(PROVIDER("a"), BOUND("'up.static:80'", "a"))}}, NULL, NULL, 0, 0,
		"a service may be named with its port"},
	{{{MAPPER, MAPPER_TEXT("ingress: [z], service: [up.static]")}}, "rule-without-pair", MAPPER,
		8, FINDING_WARNING, "z goes to llm-aaa, not to up"},
	{{{MAPPER, MAPPER_TEXT("ingress: [z, ai-route-a.internal], service: [up.static]")}}, NULL,
		NULL, 0, 0, "one pair is enough"},
	{{{MAPPER, MAPPER_TEXT("ingress: [z]")}}, NULL, NULL, 0, 0,
		"a rule for a route as a whole"},
	{{{AUTH,
		 AUTH_TEXT(
			 "false", CONSUMER("alice") CONSUMER("bob"), ALLOW(ROUTE_NAME, "alice"))}},
		"consumer-unused", AUTH, 10, FINDING_INFO, "no rule allows bob"},
	{{{BASIC, BASIC_TEXT(ALLOW(ROUTE_NAME, "ann"))}}, "consumer-unused", BASIC, 10,
		FINDING_INFO, "no rule of basic-auth allows ben"},
	{{{BASIC, BASIC_TEXT("  - {ingress: [" ROUTE_NAME "], config: {allow: []}}\n")}}, NULL,
		NULL, 0, FINDING_INFO, "an empty list of basic-auth admits ben too"},
	{{{AUTH, AUTH_TEXT("true", CONSUMER("alice") CONSUMER("bob"), ALLOW(ROUTE_NAME, "alice"))}},
		NULL, NULL, 0, 0, "every consumer may use the routes without rule"},
	{{{OTHER,
		 OTHER_TEXT("",
			 "up.static\n    higress.io/exact-match-header-x-higress-fallback-from: x",
			 "z.com", "/o")}},
		"fallback-unused", OTHER, 7, FINDING_WARNING, "nothing falls back to it"},
	/* lint_objects */
	{{{BASIC,
		 BASIC_TEXT(
			 "  - {ingress: [" ROUTE_NAME "], config: {allow: [], alow: [ann]}}\n")}},
		"unknown-field", BASIC, 12, FINDING_WARNING, "a slip of the pen beside the key"},
	{{{BASIC, BASIC_TEXT("  - {ingress: [" ROUTE_NAME "], config: {allow: [], tenant: x}}\n")}},
		NULL, NULL, 0, 0, "another version's member is none of ours"},
	/* lint_shadow */
	{{{"ingresses/f.yaml", NAMED_TEXT("f", MATCH("prefix", "re"), "z.com", "/s")},
		 {OTHER, OTHER_TEXT("", MATCH("exact", "red"), "z.com", "/s")}},
		"route-shadowed", OTHER, 13, FINDING_WARNING,
		"whoever is red begins with re, and f comes before other"},
	{{{"ingresses/f.yaml", NAMED_TEXT("f", MATCH("exact", "red"), "z.com", "/s")},
		 {OTHER, OTHER_TEXT("", MATCH("prefix", "re"), "z.com", "/s")}},
		NULL, NULL, 0, 0, "ready is left for the second"},
	{{{"ingresses/f.yaml", NAMED_TEXT("f", MATCH("prefix", "re"), "z.com", "/s")},
		 {"ingresses/g.yaml", NAMED_TEXT("g", MATCH("exact", "red"), "z.com", "/t")},
		 {OTHER, OTHER_TEXT("", MATCH("exact", "red"), "z.com", "/s")}},
		"route-shadowed", OTHER, 13, FINDING_WARNING,
		"another path of the same length stands between them"},
	{{{"ingresses/f.yaml", NAMED_TEXT("f", MATCH("prefix", "re"), "y.com", "/s")},
		 {OTHER, OTHER_TEXT("", MATCH("exact", "red"), "z.com", "/s")}},
		NULL, NULL, 0, 0, "another host"},
	/* lint_records */
	{{{RECORD, RECORD_TEXT("[]")}}, "ai-route-json", RECORD, 5, FINDING_WARNING, "no object"},
	{{{RECORD, RECORD_TEXT("{\"name\":\"b\"}")}}, "ai-route-name", RECORD, 5, FINDING_WARNING,
		"item 6 of the article"},
	{{{"configmaps/ai-route-b.yaml", RECORD_TEXT("{\"name\":\"b\"}")}},
		"ai-route-without-ingress", "configmaps/ai-route-b.yaml", 5, FINDING_WARNING,
		"item 5 of the article"},
	{{{"ingresses/ai-route-b.internal.yaml",
		 INGRESS_HEAD("ai-route-b.internal", "") "up.static\n" RULES("z.com", "/o")}},
		"ingress-without-ai-route", "ingresses/ai-route-b.internal.yaml", 1,
		FINDING_WARNING, "item 5 of the article, the other way round"},
	{{{RECORD, RECORD_TEXT("{\"name\":\"a\",\"upstreams\":[{\"provider\":\"x\"}]}")}},
		"ai-route-unknown-provider", RECORD, 5, FINDING_WARNING, "item 8 of the article"},
	{{{RECORD,
		 RECORD_TEXT("{\"name\":\"a\",\"fallbackConfig\":{\"upstreams\":[{\"provider\":"
			     "\"x\"}]}}")}},
		"ai-route-unknown-provider", RECORD, 5, FINDING_WARNING, "of its fallback"},
	{{{RECORD, RECORD_TEXT("{\"name\":\"a\",\"authConfig\":{\"allowedConsumers\":[\"x\"]}}")}},
		"ai-route-unknown-consumer", RECORD, 5, FINDING_WARNING, "nobody is called x"},
	{{{RECORD, RECORD_TEXT("{\"name\":\"a\",\"domains\":[\"b.com\"]}")}}, "ai-route-domain",
		RECORD, 5, FINDING_WARNING, "item 7 of the article"},
	{{{"configmaps/domain-q.com.yaml", DOMAIN_TEXT("p.com")},
		 {OTHER, OTHER_TEXT(LABEL("p.com"), "up.static", "p.com", "/o")}},
		"domain-name", "configmaps/domain-q.com.yaml", 5, FINDING_WARNING, "two names"},
	{{{"configmaps/domain-b.com.yaml", DOMAIN_TEXT("b.com")}}, "domain-unused",
		"configmaps/domain-b.com.yaml", 5, FINDING_WARNING, "item 2 of the article"},
	{{{OTHER, OTHER_TEXT(LABEL("c.com"), "up.static", "d.com", "/o")}}, "domain-label", OTHER,
		6, FINDING_WARNING, "no rule has the host of the label"},
	{{{OTHER, OTHER_TEXT(LABEL("d.com"), "up.static", "d.com", "/o")}}, "domain-label", OTHER,
		6, FINDING_WARNING, "item 1 of the article: nobody recorded the domain"},
	{{{OTHER, OTHER_TEXT("", "up.static", "a.com", "/o")}}, "domain-label", OTHER, 9,
		FINDING_WARNING, "the domain is recorded, and its route has no label"},
	{{{OTHER, OTHER_TEXT("", "up.static", "d.com", "/o")}}, NULL, NULL, 0, 0,
		"an Ingress that the Console knows nothing of"},
	{{{OTHER, OTHER_TEXT(LABEL("wildcard.d.com"), "up.static", "*.D.com", "/o")},
		 {"configmaps/domain-wildcard.d.com.yaml", DOMAIN_TEXT("*.d.com")}},
		NULL, NULL, 0, 0, "a star is spelled wildcard, and case does not matter"},
};

static void build(struct world *w, const struct file *add, size_t n)
{
	world_init(w);
	for (size_t i = 0; i < ARRAY_LEN(set); i++) {
		world_add(w, set[i].name, set[i].text);
	}
	for (size_t i = 0; i < n && add[i].name != NULL; i++) {
		world_add(w, add[i].name, add[i].text);
	}
}

static size_t of_level(const struct findings *f, enum finding_level level)
{
	size_t n = 0;

	for (const struct finding *at = f->first; at != NULL; at = at->next) {
		n += at->level <= level;
	}
	return n;
}

static void planted(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct finding *f = NULL;
		struct findings found;
		struct world w;
		struct plan *p;
		bool good;

		build(&w, rows[i].add, ARRAY_LEN(rows[i].add));
		p = world_plan(&w, &types);
		findings_init(&found, &w.arena);
		lint_resources(w.snapshot, p, &found);
		if (rows[i].code != NULL) {
			f = world_finding(&found, rows[i].code);
			good = f != NULL && f->level == rows[i].level &&
				bytes_eq(f->file, bytes_str(rows[i].file)) &&
				f->line == rows[i].line && f->column != 0;
		} else {
			good = of_level(&found, MAX(rows[i].level, FINDING_WARNING)) == 0;
		}
		if (!good) {
			world_print(&found);
			fail_msg("%zu %s: %s", i, rows[i].code != NULL ? rows[i].code : "-",
				rows[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* A rule may say things of several kinds about one object, but no more than was planted. */
static void nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct findings found;
		struct world w;
		struct plan *p;

		build(&w, rows[i].add, ARRAY_LEN(rows[i].add));
		p = world_plan(&w, &types);
		findings_init(&found, &w.arena);
		lint_resources(w.snapshot, p, &found);
		for (const struct finding *f = found.first; f != NULL; f = f->next) {
			if (f->level != FINDING_INFO &&
				(rows[i].code == NULL || strcmp(f->code, rows[i].code) != 0)) {
				world_print(&found);
				fail_msg("%zu: %s beside what was planted", i, f->code);
			}
		}
		plan_free(p);
		world_done(&w);
	}
}

/* Nothing at all, a single object of each kind, and the set without one of its files: no crash, and no
 * error of its own, whatever is missing. */
static void holes(void **state)
{
	(void)state;
	for (size_t out = 0; out <= 2 * ARRAY_LEN(set); out++) {
		struct findings found;
		struct world w;
		struct plan *p;

		world_init(&w);
		for (size_t i = 0; i < ARRAY_LEN(set); i++) {
			bool alone = out >= ARRAY_LEN(set);

			if (alone ? i == out - ARRAY_LEN(set) : i != out) {
				world_add(&w, set[i].name, set[i].text);
			}
		}
		p = world_plan(&w, &types);
		findings_init(&found, &w.arena);
		lint_resources(w.snapshot, p, &found);
		assert_int_equal(found.errors, 0);
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planted),
		cmocka_unit_test(nothing_else),
		cmocka_unit_test(holes),
	};

	return cmocka_run_group_tests_name("plan/lint", tests, NULL, NULL);
}
