/*
 * The gateway's own list of models: where providers' lists are asked for, and which names are left.
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/models.h"
#include "plan/world.h"

static const struct capability caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_MODELS, "/v1/models"},
};
static const struct capability no_list[] = {{API_CHAT_COMPLETIONS, "/v1/chat/completions"}};
static const struct provider_key plain_keys[] = {{.name = "url", .type = KEY_URL}};

static const struct provider_type type_rows[] = {
	{.name = "plain",
		.default_host = "api.example",
		.auth = AUTH_BEARER,
		.custom_url = true,
		.custom_url_key = "url",
		.keys = plain_keys,
		.n_keys = 1,
		.caps = caps,
		.n_caps = 2},
	{.name = "key",
		.default_host = "key.example",
		.auth = AUTH_X_API_KEY,
		.anthropic_version = "2023-06-01",
		.caps = caps,
		.n_caps = 2},
	{.name = "silent", .default_host = "s.example", .caps = no_list, .n_caps = 1},
	{.name = "passing",
		.default_host = "p.example",
		.unsupported_passes = true,
		.caps = no_list,
		.n_caps = 1},
};
static const struct provider_types types = {type_rows, ARRAY_LEN(type_rows)};

#define HTTPS "{name: up, type: dns, domain: 'u.example,v.example', port: 443, protocol: https}"

/* One provider at one service: the key of its list, '|' for each NUL; NULL: it is not asked for. */
static const struct key_row {
	const char *provider, *registry, *key, *reason;
} key_rows[] = {
	{"type: plain, apiTokens: [sk-1, sk-2], modelsFromMapping: true", HTTPS,
		"1|api.example|api.example|/v1/models|Authorization|Bearer "
		"sk-1||u.example|443|v.example|443|",
		"path, host and credential are the provider's, addresses the service's"},
	{"type: plain, modelsFromMapping: true",
		"{name: up, type: dns, domain: u.example, port: 80}",
		"0|api.example|api.example|/v1/models||u.example|80|",
		"without a token none is sent, in the clear"},
	{"type: plain, url: 'https://mine.example:8443/api/v3', modelsFromMapping: true", HTTPS,
		"1|mine.example|mine.example:8443|/api/v3/models||u.example|443|v.example|443|",
		"a custom URL leads to the list beside it"},
	{"type: key, apiTokens: [sk-1], modelsFromMapping: true", HTTPS,
		"1|key.example|key.example|/v1/models?limit=1000|x-api-key|sk-1|anthropic-version|"
		"2023-06-01||u.example|443|v.example|443|",
		"the whole list at once, with the version that its servers want"},
	{"type: plain, capabilities: {openai/v1/models: /v9/list}, modelsFromMapping: true", HTTPS,
		"1|api.example|api.example|/v9/list||u.example|443|v.example|443|",
		"a path that the configuration names"},
	{"type: plain", HTTPS, NULL, "nobody wants it"},
	{"type: silent, modelsFromMapping: true", HTTPS, NULL, "a vendor without a list"},
	{"type: passing, modelsFromMapping: true", HTTPS, NULL,
		"what would be passed on unread is no list"},
	{"type: plain, protocol: original, modelsFromMapping: true", HTTPS, NULL,
		"the provider's own protocol"},
	{"type: plain, modelsFromMapping: true",
		"{name: up, type: consul, domain: c.example, port: 8500, consulDatacenter: d}",
		NULL, "instances that a registry knows are known to workers only"},
};

static void add_proxy(struct world *w, const char *providers, const char *rules)
{
	struct text t;

	text_init(&t, 65536);
	text_addf(&t,
		WORLD_PLUGIN("ai-proxy", "  defaultConfig:\n    providers:\n%s  matchRules:\n%s"),
		providers, rules);
	world_add(w, "wasmplugins/ai-proxy.yaml", text_cstr(&t));
	text_done(&t);
}

static struct plan *plan_of_row(struct world *w, const struct key_row *r)
{
	char provider[1000], bridge[1000];

	snprintf(provider, sizeof(provider), "    - {id: p, %s}\n", r->provider);
	snprintf(bridge, sizeof(bridge), WORLD_REGISTRIES("  - %s\n"), r->registry);
	add_proxy(w, provider,
		"  - {config: {activeProviderId: p}, service: [up.dns, up.d.consul]}\n");
	world_add(w, "mcpbridges/default.yaml", bridge);
	for (int i = 0; i < 2; i++) { /* two routes share one list */
		world_add_ingress(w,
			&(struct world_ingress){.name = i == 0 ? "a" : "b",
				.host = i == 0 ? "a.com" : "b.com",
				.path = "/",
				.destination = strstr(r->registry, "consul") != NULL ? "up.d.consul"
										     : "up.dns"});
	}
	return world_plan(w, &types);
}

static void lists_are_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(key_rows); i++) {
		const struct key_row *r = &key_rows[i];
		const struct fetched_source *s;
		struct world w;
		struct plan *p;
		struct text t;

		world_init(&w);
		p = plan_of_row(&w, r);
		s = p->fetched;
		text_init(&t, 4096);
		for (size_t k = 0; s != NULL && k < s->key.n; k++) {
			text_add_char(&t, s->key.p[k] != '\0' ? s->key.p[k] : '|');
		}
		if (p->n_routes != 2 || p->routes[0]->n_destinations != 1 ||
			p->routes[0]->destinations[0].models != s ||
			p->routes[1]->destinations[0].models != s ||
			(s != NULL && (s->next != NULL || s->kind != FETCHED_MODELS)) ||
			strcmp(text_cstr(&t), r->key != NULL ? r->key : "") != 0) {
			world_print(&p->findings);
			fail_msg("%s: got %s", r->reason, text_cstr(&t));
		}
		text_done(&t);
		plan_free(p);
		world_done(&w);
	}
}

/* --- names -------------------------------------------------------------------------------------- */

/* Two providers, each with a list of its own; who is asked is told by the host in its key. */
struct lists {
	const char *a, *b;  /* names, with ',' behind each */
	const char *denied; /* a route that the caller may not use */
	struct arena *arena;
};

static bool allows(void *of, const struct route *r)
{
	return !bytes_eq(r->name, bytes_str(((const struct lists *)of)->denied));
}

static struct bytes listed(void *of, const struct fetched_source *s)
{
	const struct lists *l = of;
	bool is_a = memmem(s->key.p, s->key.n, "a.example", 9) != NULL;
	struct bytes names = arena_copy(l->arena, bytes_str(is_a ? l->a : l->b));

	for (size_t i = 0; i < names.n; i++) {
		if (names.p[i] == ',') {
			((char *)(uintptr_t)names.p)[i] = '\0';
		}
	}
	return names;
}

#define MODEL(kind, text) "    higress.io/" kind "-match-header-x-higress-llm-model: '" text "'\n"

/* Routes ra and rb of one host, to the providers a and b. */
static const struct {
	const char *a, *b;           /* more of each provider's configuration */
	const char *on_a, *on_b;     /* conditions of the routes */
	const char *list_a, *list_b; /* what the providers list */
	const char *denied;
	const char *want; /* names, with ' ' behind each */
	const char *reason;
} name_rows[] = {
	{"x: y", "x: y", MODEL("prefix", "a-"), "", "a-2,a-1,b-1,", "b-2,a-3,", "-", "a-1 a-2 b-2 ",
		"each provider's names that come to it, sorted"},
	{"modelMapping: {a-9: a-1}", "x: y", MODEL("prefix", "a-"), "", "a-1,a-9,", "", "-",
		"a-1 a-9 ", "a key of a mapping is one name, whoever lists it"},
	{"modelMapping: {'a-old*': a-1}", "modelMapping: {'*': b-1}", MODEL("prefix", "a-"), "",
		"a-1,a-old-2,", "b-1,b-2,", "-", "a-1 b-1 ",
		"what a mapping makes another model of is not what is listed"},
	{"modelMapping: {'~^a-(.*)$': 'a-$1'}", "modelMapping: {'*': ''}", MODEL("prefix", "a-"),
		"", "a-1,", "b-2,", "-", "a-1 b-2 ", "what a mapping leaves as it is"},
	{"modelDeny: [a-2]", "x: y", MODEL("prefix", "a-"), "", "a-1,a-2,", "b-1,", "-", "a-1 b-1 ",
		"what would be refused"},
	{"x: y", "x: y", MODEL("prefix", "a-"), "", "a-1,", "b-1,", "ra", "b-1 ",
		"a route that the caller may not use: its names, and its provider, are not seen"},
	{"x: y", "x: y", MODEL("exact", "a-1"), MODEL("exact", "b-1"), "", "", "-", "a-1 b-1 ",
		"lists that could not be had leave what the configuration says"},
	{"x: y", "x: y", MODEL("exact", "a-1"), MODEL("exact", "b-1"), "", "", "ra", "b-1 ",
		"nor is the model that it asks for"},
	{"x: y", "x: y", MODEL("prefix", "a-"), "", "same,a-1,", "same,", "-", "a-1 same ",
		"a name of both is there once"},
};

static void check_names(size_t i, const struct plan *p, struct arena *a)
{
	struct lists lists = {name_rows[i].list_a, name_rows[i].list_b, name_rows[i].denied, a};
	const struct route_query q = {
		.host = BYTES("x.com"), .path = BYTES("/v1/models"), .method = METHOD_GET};
	const struct route *candidates[PLAN_LEADERS_MAX];
	struct models_input in = {p->router, candidates, 0, allows, listed, &lists};
	struct strings got;
	struct text t;

	in.n = plan_leaders(p, &q, candidates, PLAN_LEADERS_MAX);
	text_init(&t, 4096);
	assert_non_null(models_route(&in));
	assert_true(models_list(&in, a, &got));
	for (size_t k = 0; k < got.n; k++) {
		text_add_bytes(&t, got.v[k]);
		text_add_char(&t, ' ');
	}
	if (strcmp(text_cstr(&t), name_rows[i].want) != 0) {
		world_print(&p->findings);
		fail_msg("%s: got %s", name_rows[i].reason, text_cstr(&t));
	}
	text_done(&t);
}

static void names_that_are_served_are_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
		char providers[2000];
		struct world w;
		struct plan *p;

		world_init(&w);
		snprintf(providers, sizeof(providers),
			"    - {id: a, type: plain, modelsFromMapping: true, %s}\n"
			"    - {id: b, type: key, modelsFromMapping: true, apiTokens: [k], %s}\n",
			name_rows[i].a, name_rows[i].b);
		add_proxy(&w, providers,
			"  - {config: {activeProviderId: a}, service: [a.dns]}\n"
			"  - {config: {activeProviderId: b}, service: [b.dns]}\n");
		world_add(&w, "wasmplugins/model-router.yaml",
			WORLD_PLUGIN("model-router",
				"  defaultConfig: {modelToHeader: x-higress-llm-model}\n"));
		world_add(&w, "mcpbridges/default.yaml",
			WORLD_REGISTRIES("  - {name: a, type: dns, domain: a.example, port: 80}\n"
					 "  - {name: b, type: dns, domain: b.example, port: "
					 "80}\n"));
		world_add_ingress(&w,
			&(struct world_ingress){.name = "ra",
				.host = "x.com",
				.path = "/",
				.annotations = name_rows[i].on_a,
				.destination = "a.dns"});
		world_add_ingress(&w,
			&(struct world_ingress){.name = "rb",
				.host = "x.com",
				.path = "/",
				.annotations = name_rows[i].on_b,
				.destination = "b.dns"});
		p = world_plan(&w, &types);
		check_names(i, p, &w.arena);
		plan_free(p);
		world_done(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_asked_for),
		cmocka_unit_test(names_that_are_served_are_left),
	};

	return cmocka_run_group_tests_name("plan/models", tests, NULL, NULL);
}
