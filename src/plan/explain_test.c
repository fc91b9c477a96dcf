/*
 * What is said of requests, as the one line that an administrator gets: the decision, and of each other
 * route of the host why not. That it is what the gateway does is for the scenarios (sim/judge.c).
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/explain.h"
#include "plan/world.h"

#define MODEL_IS(how, model) "    higress.io/" how "-match-header-x-higress-llm-model: " model "\n"
#define CHAT "/v1/chat/completions"

static const struct provider_types no_types = {NULL, 0};

static const struct world_ingress routes[] = {
	{.name = "max", .host = "a.com", .path = "/v1", .annotations = MODEL_IS("exact", "max")},
	{.name = "m", .host = "a.com", .path = "/v1", .annotations = MODEL_IS("prefix", "m")},
	{.name = "get",
		.host = "a.com",
		.path = "/v1",
		.annotations = "    higress.io/match-method: GET\n"},
	{.name = "env",
		.host = "a.com",
		.path = "/e",
		.annotations = "    higress.io/exact-match-header-x-env: dev\n"},
	{.name = "user",
		.host = "a.com",
		.path = "/q",
		.annotations = "    higress.io/exact-match-query-user: ab\n"},
	{.name = "closed", .host = "a.com", .path = "/closed"},
	{.name = "https",
		.host = "a.com",
		.path = "/s",
		.annotations = "    higress.io/ssl-redirect: 'true'\n"},
	{.name = "nowhere", .host = "a.com", .path = "/n", .destination = "none.static"},
	{.name = "moved",
		.host = "a.com",
		.path = "/moved",
		.annotations = "    higress.io/temporal-redirect: /n\n"},
	{.name = "mock",
		.host = "a.com",
		.path = "/mock",
		.annotations = "    sluice.io/mock-status: '418'\n"},
	{.name = "tools",
		.host = "a.com",
		.path = "/mcp-servers/x",
		.annotations = "    higress.io/mcp-server: 'true'\n"},
	{.name = "direct",
		.host = "a.com",
		.path = "/mcp-servers/y",
		.annotations = "    higress.io/mcp-server: 'true'\n"
			       "    higress.io/mcp-server-upstream-type: streamable\n"},
	{.name = "wide", .host = "*.com", .path = "/w"},
	{.name = "b", .host = "b.com", .path = "/"},
};

static const char key_auth[] = WORLD_PLUGIN("key-auth",
	"  defaultConfig:\n    consumers:\n    - {name: alice, credential: sk-alice}\n"
	"    - {name: bob, credential: sk-bob}\n    keys: [apikey]\n    in_header: true\n"
	"    in_query: true\n    global_auth: false\n  matchRules:\n"
	"  - {config: {allow: [alice]}, ingress: [closed]}\n");

static const struct row {
	const char *method, *host, *target, *model, *key, *consumer, *header;
	bool tls;
	const char *line, *why;
} rows[] = {
	{.method = "POST",
		.host = "c.org",
		.target = "/",
		.line = "answered; status=404; reason=route.not_found",
		.why = "no route is for the host, so none is named"},
	{.method = "POST",
		.host = "b.com",
		.target = "/x",
		.line = "served; route=b; service=up.static; refused=wide:path",
		.why = "the wildcard host is a scope of b.com too"},
	{.method = "POST",
		.host = "b.com",
		.target = "/w",
		.line = "served; route=b; service=up.static; refused=wide:later",
		.why = "the exact host comes first, the other would have taken it"},
	{.method = "GET",
		.host = "b.com",
		.target = "/x",
		.consumer = "alice",
		.line = "served; route=b; service=up.static; refused=wide:path",
		.why = "who calls is no consumer of a route that asks nobody"},
};

/* Rows on a.com are about one route each; the others' refusals are cut off. */
static const struct about {
	struct row row;
	const char *has;
} abouts[] = {
	{{.method = "POST", .target = CHAT, .model = "max", .why = "the closer condition wins"},
		"served; route=max; model=max; service=up.static"},
	{{.method = "POST", .target = CHAT, .model = "max", .why = "it would take it as well"},
		"m:closer"},
	{{.method = "POST", .target = CHAT, .model = "mini", .why = "another model"}, "max:model"},
	{{.method = "POST", .target = CHAT, .model = "x", .why = "no condition on the model holds"},
		"answered; status=404; reason=route.not_found; model=x"},
	{{.method = "POST", .target = CHAT, .model = "max", .why = "it serves GET only"},
		"get:method"},
	{{.method = "GET", .target = "/v1", .why = "no body, so no model"}, "served; route=get"},
	{{.method = "GET", .target = "/e", .why = "the header is missing"}, "env:header(x-env)"},
	{{.method = "GET", .target = "/e", .header = "dev", .why = "the header is right"},
		"served; route=env"},
	{{.method = "GET", .target = "/q?user=a", .why = "the parameter has another value"},
		"user:query(user)"},
	{{.method = "GET", .target = "/closed", .why = "nobody calls"},
		"answered; status=401; reason=key-auth.invalid_key"},
	{{.method = "GET", .target = "/closed", .key = "sk-bob", .why = "not in the list"},
		"answered; status=403; reason=key-auth.unauthorized"},
	{{.method = "GET", .target = "/closed", .key = "sk-bob", .why = "refused before the body"},
		"closed:unread"},
	{{.method = "GET", .target = "/closed", .key = "sk-alice", .why = "a key, in any place"},
		"served; route=closed; consumer=alice"},
	{{.method = "GET", .target = "/closed?apikey=sk-alice", .why = "a key in the query"},
		"served; route=closed; consumer=alice"},
	{{.method = "GET", .target = "/closed", .consumer = "alice", .why = "a name"},
		"served; route=closed; consumer=alice"},
	{{.method = "GET", .target = "/closed", .consumer = "eve", .why = "a name of nobody"},
		"answered; status=401; reason=key-auth.invalid_key"},
	{{.method = "GET", .target = "/s", .why = "plain HTTP on a route for https"},
		"answered; status=308; reason=https.required"},
	{{.method = "GET", .target = "/s", .tls = true, .why = "over TLS"}, "served; route=https"},
	{{.method = "GET", .target = "/n", .why = "the registry has no such service"},
		"answered; status=503; reason=config.invalid"},
	{{.method = "GET", .target = "/moved", .why = "the route redirects"},
		"answered; status=302; reason=route.redirect; route=moved"},
	{{.method = "GET", .target = "/mock", .why = "the route answers by itself"},
		"answered; status=418; reason=route.mock; route=mock"},
	{{.method = "POST", .target = "/mcp-servers/x/mcp", .why = "tools that nothing runs"},
		"answered; status=501; reason=mcp.unsupported"},
	{{.method = "POST", .target = "/mcp-servers/y/mcp", .why = "an MCP server behind it"},
		"served; route=direct"},
	{{.method = "GET", .target = "/healthz/live", .why = "answered before any route"},
		"answered; status=200; reason=health"},
	{{.method = "GET", .target = "/v1/realtime", .why = "WebSocket is not served"},
		"answered; status=501; reason=api.unsupported"},
};

static struct plan *make_plan(struct world *w)
{
	world_init(w);
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		world_add_ingress(w, &routes[i]);
	}
	world_add(w, "wasmplugins/key-auth.yaml", key_auth);
	world_add(w, "wasmplugins/model-router.yaml",
		WORLD_PLUGIN("model-router",
			"  defaultConfig:\n    modelToHeader: x-higress-llm-model\n"));
	return world_plan(w, &no_types);
}

static void put_line(const struct explain *e, struct text *out)
{
	const struct explain_destination *to = e->status == 0 ? e->destinations : NULL;
	const struct explain_line l = {.status = e->status,
		.reason = e->reason,
		.route = e->route != NULL ? e->route->name : BYTES(""),
		.consumer = e->consumer != NULL ? e->consumer->name : BYTES(""),
		.model = e->model,
		.service = to != NULL ? to->to->service->name : BYTES(""),
		.routes = &e->routes,
		.max = EXPLAIN_LINE_MAX};

	explain_put_line(&l, out);
}

static void explain_row(
	const struct plan *p, const struct row *r, struct arena *a, struct explain *e)
{
	const char *host = r->host != NULL ? r->host : "a.com";
	const struct explain_field fields[] = {{BYTES("Host"), bytes_str(host), FIELD_HOST, false},
		{BYTES("X-Env"), bytes_str(r->header), FIELD_OTHER, false}};
	struct explain_request rq = {.method = bytes_str(r->method),
		.authority = bytes_str(host),
		.fields = fields,
		.n_fields = r->header != NULL ? 2 : 1,
		.tls = r->tls,
		.has_body = r->model != NULL,
		.model = bytes_str(r->model),
		.key = bytes_str(r->key),
		.consumer = bytes_str(r->consumer)};
	struct fault f;

	assert_int_equal(url_parse_target(&rq.url, bytes_str(r->target), &f), 0);
	rq.url.host = bytes_str(host);
	explain_request(p, &rq, a, e);
	if (e->n_destinations != 0) { /* a credential in the query goes no further */
		assert_null(memmem(
			e->destinations[0].target.p, e->destinations[0].target.n, "sk-alice", 8));
	}
}

static void requests_are_explained(void **state)
{
	struct world w;
	struct plan *p = make_plan(&w);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows) + ARRAY_LEN(abouts); i++) {
		const struct row *r =
			i < ARRAY_LEN(rows) ? &rows[i] : &abouts[i - ARRAY_LEN(rows)].row;
		const char *has = i < ARRAY_LEN(rows) ? r->line : abouts[i - ARRAY_LEN(rows)].has;
		struct explain e;
		struct arena a;
		struct text t;

		arena_init(&a, SIZE_MAX);
		text_init(&t, EXPLAIN_LINE_MAX);
		explain_row(p, r, &a, &e);
		put_line(&e, &t);
		if (i < ARRAY_LEN(rows) ? strcmp(text_cstr(&t), has) != 0
					: strstr(text_cstr(&t), has) == NULL) {
			fail_msg("%s %s (%s): %s\n    instead of %s", r->method, r->target, r->why,
				text_cstr(&t), has);
		}
		text_done(&t);
		arena_done(&a);
	}
	plan_free(p);
	world_done(&w);
}

/* Names that a file gives, and more routes than the line has room for. */
static void the_line_is_bounded_and_printable(void **state)
{
	struct route odd = {.name = BYTES("a;b=\r\nc\xc3\xa9 %")};
	struct explain_route v[EXPLAIN_ROUTES_MAX];
	struct explain_routes all = {.v = v, .n = ARRAY_LEN(v), .n_further = 5};
	struct explain_line l = {.route = BYTES("x,y"), .routes = &all, .max = EXPLAIN_LINE_MAX};
	struct text t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		v[i] = (struct explain_route){.route = &odd, .why = EXPLAIN_PATH};
	}
	text_init(&t, EXPLAIN_LINE_MAX);
	explain_put_line(&l, &t);
	assert_true(t.n <= EXPLAIN_LINE_MAX && !text_full(&t));
	assert_true(t.n > 1000);
	assert_non_null(
		strstr(text_cstr(&t), "served; route=x%2Cy; refused=a%3Bb%3D%0D%0Ac%C3%A9"));
	assert_non_null(strstr(text_cstr(&t), "; more="));
	text_clear(&t);
	l.max = 300;
	explain_put_line(&l, &t);
	assert_true(t.n > 200 && t.n <= 300);
	for (size_t i = 0; i < t.n; i++) {
		assert_true(t.p[i] >= 0x20 && t.p[i] < 0x7f);
	}
	text_done(&t);
}

/* Of many routes the nearest are named, here the one that is asked last, and the others counted. */
static void the_nearest_are_named(void **state)
{
	struct world w;
	struct plan *p;
	struct explain e;
	struct arena a;
	const struct row r = {.method = "GET", .host = "a.com", .target = "/near-by"};

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	for (unsigned i = 0; i < 2 * EXPLAIN_ROUTES_MAX; i++) {
		char name[16], path[24];

		snprintf(name, sizeof(name), "r%u", i);
		snprintf(path, sizeof(path), i == 77 ? "/near" : "/further/%u", i);
		world_add_ingress(
			&w, &(struct world_ingress){.name = name, .host = "a.com", .path = path});
	}
	p = world_plan(&w, &no_types);
	arena_init(&a, SIZE_MAX);
	explain_row(p, &r, &a, &e);
	assert_int_equal(e.routes.n, EXPLAIN_ROUTES_MAX);
	assert_int_equal(e.routes.n_further, EXPLAIN_ROUTES_MAX);
	for (size_t i = 0; i < e.routes.n; i++) {
		if (bytes_eq(e.routes.v[i].route->name, BYTES("r77"))) {
			arena_done(&a);
			plan_free(p);
			world_done(&w);
			return;
		}
	}
	fail_msg("the route with the nearest path is not named");
}

/* Routes of the other name are walked where the lookup offers them, also when one of these serves. */
static void a_second_name_is_walked(void **state)
{
	static const struct {
		struct row row;
		const char *has;
	} asks[] = {
		{{.method = "POST",
			 .target = CHAT,
			 .model = "max",
			 .host = "old.com",
			 .why = "the route of the other name"},
			"served; route=max; model=max"},
		{{.method = "POST",
			 .target = CHAT,
			 .model = "max",
			 .host = "old.com",
			 .why = "and why not its neighbours"},
			"m:closer"},
		{{.method = "GET",
			 .target = "/w",
			 .host = "old.com",
			 .why = "behind them the scopes"},
			"served; route=wide"},
		{{.method = "POST",
			 .target = CHAT,
			 .model = "max",
			 .host = "old.org",
			 .why = "another host has none of them"},
			"status=404; reason=route.not_found"},
	};
	const struct plan_alias alias = {BYTES("old.com"), BYTES("a.com")};
	const struct plan_env env = {.types = &no_types, .seed = {1, 2}, .alias = &alias};
	struct world w;
	struct plan *p;

	(void)state;
	plan_free(make_plan(&w));
	p = plan_compile(w.snapshot, &env);
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		struct explain e;
		struct arena a;
		struct text t;

		arena_init(&a, SIZE_MAX);
		text_init(&t, EXPLAIN_LINE_MAX);
		explain_row(p, &asks[i].row, &a, &e);
		put_line(&e, &t);
		if (strstr(text_cstr(&t), asks[i].has) == NULL) {
			fail_msg("%s: %s", asks[i].row.why, text_cstr(&t));
		}
		text_done(&t);
		arena_done(&a);
	}
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_explained),
		cmocka_unit_test(the_line_is_bounded_and_printable),
		cmocka_unit_test(the_nearest_are_named),
		cmocka_unit_test(a_second_name_is_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
