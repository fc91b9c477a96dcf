/*
 * Providers to the routes that name them: which service each row's resources give provider "p", and with what mapping.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/pinned.h"
#include "plan/world.h"

static const struct capability caps[] = {{API_CHAT_COMPLETIONS, "/v1/chat/completions"}};
static const struct provider_type type_rows[] = {
	{.name = "openai",
		.default_host = "api.openai.com",
		.auth = AUTH_BEARER,
		.caps = caps,
		.n_caps = 1},
	{.name = "strict", .default_host = "h", .auth = AUTH_BEARER, .token_required = true},
};
static const struct provider_types types = {type_rows, ARRAY_LEN(type_rows)};

#define REGISTRIES                                                                       \
	"  - {name: own, type: dns, domain: own.com, port: 443, protocol: https}\n"      \
	"  - {name: other, type: dns, domain: other.com, port: 8443, protocol: https}\n" \
	"  - {name: six, type: static, domain: '[::1]:80', port: 80}\n"                  \
	"  - {name: broken, type: dns, domain: '-', port: 1}\n"
#define PROVIDERS "  defaultConfig:\n    providers:\n    - {id: p, type: openai}\n"
#define OFF "  defaultConfigDisable: true\n"
#define RULES "  matchRules:\n"
#define RULE(id, service) "  - {config: {activeProviderId: " id "}, service: ['" service "']}\n"

static const struct {
	const char *reason, *proxy, *mapper, *destination, *expect; /* host of it; NULL: none */
} rows[] = {
	{"the rule of its service, without any route", PROVIDERS RULES RULE("p", "own.dns"), "",
		NULL, "own.com"},
	{"a rule that names the port too", PROVIDERS RULES RULE("p", "other.dns:8443"), "", NULL,
		"other.com:8443"},
	{"the wrong port is another service", PROVIDERS RULES RULE("p", "other.dns:9"), "", NULL,
		NULL},
	{"the first of two", PROVIDERS RULES RULE("p", "other.dns") RULE("p", "own.dns"), "", NULL,
		"other.com:8443"},
	{"a service that does not exist is passed over",
		PROVIDERS RULES RULE("p", "none.dns") RULE("p", "own.dns"), "", NULL, "own.com"},
	{"a registry that cannot be used, too",
		PROVIDERS RULES RULE("p", "broken.dns") RULE("p", "six.static"), "", NULL, "[::1]"},
	{"an earlier rule gives that service to another provider",
		"  defaultConfig:\n    providers:\n    - {id: p, type: openai}\n    - {id: q, type: "
		"openai}\n" RULES RULE("q", "own.dns") RULE("p", "own.dns"),
		"", NULL, NULL},
	{"a rule that is disabled",
		PROVIDERS RULES
		"  - {config: {activeProviderId: p}, configDisable: true, service: [own.dns]}\n",
		"", NULL, NULL},
	{"a route's own rule counts when there is no other",
		PROVIDERS RULES "  - {config: {activeProviderId: p}, ingress: [r]}\n", "",
		"other.dns:8443", "other.com:8443"},
	{"but after the service's",
		PROVIDERS RULES
		"  - {config: {activeProviderId: p}, ingress: [r]}\n" RULE("p", "own.dns"),
		"", "other.dns:8443", "own.com"},
	{"no rule and no route", PROVIDERS, "", NULL, NULL},
	{"a provider that cannot be used",
		"  defaultConfig:\n    providers:\n    - {id: p, type: strict}\n" RULES RULE(
			"p", "own.dns"),
		"", NULL, NULL},
	{"what a plugin says of the service holds", PROVIDERS RULES RULE("p", "own.dns"),
		RULES "  - {config: {modelMapping: {a: mapped}}, service: [own.dns]}\n", NULL,
		"own.com mapped"},
	{"what it says of routes and domains does not", PROVIDERS RULES RULE("p", "own.dns"),
		RULES "  - {config: {modelMapping: {a: mapped}}, ingress: [r]}\n"
		      "  - {config: {modelMapping: {a: mapped}}, domain: ['*.x.com']}\n",
		NULL, "own.com"},
};

static struct plan *plan_of(struct world *w, size_t i)
{
	struct text t;

	world_init(w);
	world_add(w, "mcpbridges/default.yaml",
		WORLD_REGISTRIES(REGISTRIES) "metadata: {name: default}\n");
	text_init(&t, 65536);
	text_addf(&t, WORLD_PLUGIN("ai-proxy", "%s"), rows[i].proxy);
	world_add(w, "wasmplugins/ai-proxy.yaml", text_cstr(&t));
	text_clear(&t);
	text_addf(&t, WORLD_PLUGIN("model-mapper", OFF "%s"), rows[i].mapper);
	world_add(w, "wasmplugins/model-mapper.yaml", text_cstr(&t));
	text_done(&t);
	if (rows[i].destination != NULL) {
		world_add_ingress(w,
			&(struct world_ingress){
				.name = "r", .path = "/", .destination = rows[i].destination});
	}
	return world_plan(w, &types);
}

static void describe(const struct route *r, struct text *out)
{
	const struct destination *to;

	if (r == NULL) {
		return;
	}
	to = &r->destinations[0];
	text_add_bytes(out, r->rewrite.host);
	if (to->mapping != NULL) {
		struct arena a;

		arena_init(&a, 4096);
		text_add_char(out, ' ');
		text_add_bytes(out, mapping_apply(to->mapping, BYTES("a"), &a));
		arena_done(&a);
	}
}

static void test_rows(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct plan *p = plan_of(&w, i);
		struct text got;

		text_init(&got, 4096);
		describe(pinned_find(p, BYTES("p")), &got);
		if (strcmp(text_cstr(&got), rows[i].expect != NULL ? rows[i].expect : "") != 0) {
			print_error("%s: got \"%s\"\n", rows[i].reason, text_cstr(&got));
			world_print(&p->findings);
			failed++;
		}
		text_done(&got);
		plan_free(p);
		world_done(&w);
	}
	assert_int_equal(failed, 0);
}

/* No request finds it, whatever it asks for. */
static void test_no_client_comes_there(void **state)
{
	struct world w;
	struct plan *p = plan_of(&w, 0);

	(void)state;
	assert_int_equal(p->n_routes, 0);
	assert_null(world_route(p, "own.com", "/v1/chat/completions", METHOD_POST));
	assert_non_null(pinned_find(p, BYTES("p")));
	assert_null(pinned_find(p, BYTES("")));
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_client_comes_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
