/*
 * Whole plans: the worked example, services, what is left out and why, and that a plan follows from its
 * snapshot alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"
#include "plan/auth.h"
#include "plan/world.h"
#include "wire/field.h"

/* Two types are enough to see who uses what; the real rows are tested in their room. */
static const struct capability caps[] = {{API_CHAT_COMPLETIONS, "/v1/chat/completions"}};
static const struct provider_key keys[] = {{.name = "openaiCustomUrl", .type = KEY_URL}};
static const struct provider_type type_rows[] = {
	{.name = "openai",
		.default_host = "api.openai.com",
		.auth = AUTH_BEARER,
		.custom_url = true,
		.custom_url_key = "openaiCustomUrl",
		.unsupported_passes = true,
		.caps = caps,
		.n_caps = 1,
		.keys = keys,
		.n_keys = 1},
	{.name = "strict", .default_host = "h", .auth = AUTH_BEARER, .token_required = true},
};
static const struct provider_types types = {type_rows, ARRAY_LEN(type_rows)};

/* --- the worked example ------------------------------------------------------------------------- */

struct loading {
	struct world *world;
	const char *dir;
	enum resource_kind kind;
	size_t n;
};

static bool load(void *arg, const char *name)
{
	struct loading *l = arg;
	struct text path, text;
	struct fault fault;

	text_init(&path, 4096);
	text_init(&text, 1 << 20);
	text_addf(&path, "%s/%s/%s", l->dir, resource_dir(l->kind), name);
	assert_int_equal(file_read(text_cstr(&path), 1 << 20, &text, NULL, &fault), 0);
	text_clear(&path);
	text_addf(&path, "%s/%s", resource_dir(l->kind), name);
	world_add(l->world, text_cstr(&path), text_cstr(&text));
	text_done(&path);
	text_done(&text);
	l->n++;
	return true;
}

/* The tests run in the root of the repository, as `make unit` starts them. */
static void load_tree(struct world *w, const char *dir)
{
	struct loading l = {.world = w, .dir = dir};

	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		struct text path;
		struct fault fault;
		int rc;

		l.kind = (enum resource_kind)k;
		text_init(&path, 4096);
		text_addf(&path, "%s/%s", dir, resource_dir(l.kind));
		rc = file_list(text_cstr(&path), load, &l, &fault);
		assert_true(rc == 0 || rc == ERR_NOT_FOUND); /* not every tree has all kinds */
		text_done(&path);
	}
	assert_true(l.n >= 7);
}

static void check_zimomo(const struct plan *p, bool credential)
{
	const struct route *r = world_route(p, "zimomo.com", "/v1/chat/completions", METHOD_POST);
	const struct destination *d;
	struct auth_header h = {
		BYTES("authorization"), BYTES("Bearer 123456-xxx"), FIELD_AUTHORIZATION};
	struct auth_query q = {&h, 1, {NULL, 0}};
	struct auth_hit hit;
	struct text path;

	assert_non_null(r);
	assert_true(bytes_eq(r->name, BYTES("ai-route-zimomo2lololo.internal")));
	assert_true(r->is_ai);
	assert_int_equal(r->n_destinations, 1);
	d = route_pick(r, 0);
	assert_true(bytes_eq(d->service->name, BYTES("llm-lololo.internal.dns")));
	assert_true(d->service->tls);
	assert_true(bytes_eq(d->service->sni, BYTES("lololo.com")));
	assert_int_equal(d->service->endpoints[0].port, 443);
	assert_true(bytes_eq(d->provider->host, BYTES("lololo.com")));
	assert_int_equal(d->provider->tokens.n, credential);
	assert_null(d->mapping);
	text_init(&path, 200);
	assert_int_equal(provider_path(d->provider, API_CHAT_COMPLETIONS,
				 BYTES("/v1/chat/completions"), (struct bytes){0}, &path),
		0);
	assert_string_equal(text_cstr(&path), "/v1/chat/completions");
	text_done(&path);
	assert_int_equal(auth_verdict(&r->auth, NULL), 401);
	assert_true(auth_identify(r->auth.consumers, &q, &hit));
	assert_true(bytes_eq(hit.consumer->name, BYTES("labubu")));
	assert_int_equal(auth_verdict(&r->auth, hit.consumer), 0);
	assert_null(world_route(p, "lololo.com", "/v1/chat/completions", METHOD_POST));
	assert_null(world_route(p, "zimomo.com", "/v2", METHOD_POST));
}

static void zimomo(void **state)
{
	static const char *const trees[] = {
		"examples/zimomo/resources", "examples/zimomo-credential/resources"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		struct world w;
		struct plan *p;
		bool credential = i == 1;

		world_init(&w);
		load_tree(&w, trees[i]);
		p = world_plan(&w, &types);
		if (p->findings.errors != 0) {
			world_print(&p->findings);
		}
		assert_int_equal(p->findings.errors, 0);
		assert_int_equal(world_finding(&p->findings, "provider-without-credential") == NULL,
			credential);
		assert_int_equal(p->n_routes, 1);
		assert_int_equal(p->n_consumers, 1);
		assert_int_equal(p->n_providers, 1);
		assert_int_equal(p->n_endpoints, 2);
		check_zimomo(p, credential);
		plan_free(p);
		world_done(&w);
	}
}

/* --- services ----------------------------------------------------------------------------------- */

static const struct {
	const char *registry;
	const char *code; /* NULL: no finding */
	size_t endpoints; /* 0: no service */
	const char *host;
	uint16_t port;
	bool tls;
	const char *sni, *reason;
} services[] = {
	{"{name: s, type: dns, domain: a.com, port: 443, protocol: https}", NULL, 1, "a.com", 443,
		true, "a.com", "SNI of a single host"},
	{"{name: s, type: dns, domain: 'A.com, b.com', port: 443, protocol: HTTPS}", NULL, 2,
		"a.com", 443, true, "", "several hosts: no SNI; blanks are cut, case is folded"},
	{"{name: s, type: dns, domain: a.com, port: 443, protocol: https, sni: X.com}", NULL, 1,
		"a.com", 443, true, "x.com", "its own SNI"},
	{"{name: s, type: dns, domain: a.com, port: 80}", NULL, 1, "a.com", 80, false, "",
		"http is the default"},
	{"{name: s, type: dns, domain: modelserver, port: 8000}", "host-not-qualified", 1,
		"modelserver", 8000, false, "", "single labels work here"},
	{"{name: s, type: dns, domain: model_server.lan, port: 8000}", NULL, 1, "model_server.lan",
		8000, false, "", "container networks use underscores"},
	{"{name: s, type: dns, domain: 10.0.0.1, port: 443, protocol: https}", "host-not-qualified",
		1, "10.0.0.1", 443, true, "", "addresses too, without SNI"},
	{"{name: s, type: static, domain: '10.0.0.1:8000,10.0.0.2:8001', port: 80}", NULL, 2,
		"10.0.0.1", 8000, false, "", "endpoints of a static one have their own ports"},
	{"{name: s, type: static, domain: '[::1]:8000', port: 80, protocol: https}", NULL, 1, "::1",
		8000, true, "", "IPv6; no SNI for static"},
	{"{name: s, type: static, domain: 'a.com:8000', port: 80}", "registry-domain", 0, NULL, 0,
		false, "", "no names in static"},
	{"{name: s, type: static, domain: '10.0.0.1', port: 80}", "registry-domain", 0, NULL, 0,
		false, "", "a port is needed there"},
	{"{name: s, type: static, domain: '10.0.0.1:80,x', port: 80}", "registry-domain", 1,
		"10.0.0.1", 80, false, "", "one bad entry is left out"},
	{"{name: s, type: dns, domain: 'a.com/v1', port: 80}", "registry-domain", 0, NULL, 0, false,
		"", "a path is no host"},
	{"{name: s, type: dns, domain: 'a..com', port: 80}", "registry-domain", 0, NULL, 0, false,
		"", "an empty label"},
	{"{name: s, type: dns, domain: a.com}", "registry-port", 0, NULL, 0, false, "", "no port"},
	{"{name: s, type: dns, domain: a.com, port: 80, protocol: grpc}", "registry-protocol", 0,
		NULL, 0, false, "", "not spoken yet"},
	{"{name: s, type: nacos, domain: a.com, port: 80}", "destination-unknown-service", 0, NULL,
		0, false, "", "its services have names of their own"},
	{"{name: s, type: nacos2, domain: a.com, port: 8848, nacosNamespaceId: n, nacosGroups: [g], "
	 "authSecretName: a}",
		"registry-secret", 0, NULL, 0, false, "",
		"with all its fields; the Secret is not there"},
	{"{name: s, type: nacos3, domain: a.com, enableMCPServer: false}", "registry-port", 0, NULL,
		0, false, "", "no port"},
	{"{name: s, type: consul, domain: 'a.com,b.com', port: 8500}", "registry-domain", 0, NULL,
		0, false, "", "one server is asked"},
	{"{name: s, type: eureka, domain: a.com, port: 8761, protocol: grpc}", "registry-protocol",
		0, NULL, 0, false, "", "not spoken to instances"},
	{"{name: s, type: eureka, domain: a.com, port: 8761, proxyName: p}",
		"registry-proxy-unknown", 0, NULL, 0, false, "", "nor through a proxy"},
	{"{name: s, type: zookeeper, domain: a.com, port: 2181, zkServicesPath: [dubbo]}",
		"destination-unknown-service", 0, NULL, 0, false, "",
		"its services have names of their own, too"},
	{"{name: s, type: etcd, domain: a.com, port: 80}", "registry-type", 0, NULL, 0, false, "",
		"no type of Higress's"},
	{"{name: s, type: dns, domain: a.com, port: 80, proxyName: p}", "registry-proxy-unknown", 0,
		NULL, 0, false, "", "never directly where a proxy is demanded"},
	{"{name: s, type: dns, domain: a.com, port: 80, proxyName: p}\n  proxies:\n"
	 "  - {name: p, type: http, serverAddress: 10.0.0.1, serverPort: 3128}",
		"registry-proxy", 0, NULL, 0, false, "", "nor where it is known"},
	{"{name: s, domain: a.com, port: 80}", "registry-type", 0, NULL, 0, false, "", "no type"},
	{"{type: dns, domain: a.com, port: 80}", "registry-name", 0, NULL, 0, false, "", "no name"},
	{"{name: s, type: dns, domain: '', port: 80}", "registry-without-endpoint", 0, NULL, 0,
		false, "", "nobody there"},
};

static void registries_become_services(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		const struct route *r;
		const struct service *s;
		char file[1000];
		struct world w;
		struct plan *p;
		bool good;

		world_init(&w);
		snprintf(file, sizeof(file), WORLD_REGISTRIES("  - %s\n"), services[i].registry);
		world_add(&w, "mcpbridges/default.yaml", file);
		world_add_ingress(&w,
			&(struct world_ingress){.name = "r",
				.path = "/",
				.destination = strstr(file, "type: static") != NULL ? "s.static"
										    : "s.dns"});
		p = world_plan(&w, &types);
		r = world_route(p, "x", "/", METHOD_GET);
		assert_non_null(r);
		s = r->n_destinations != 0 ? r->destinations[0].service : NULL;
		good = services[i].code == NULL
			? p->findings.n == 0
			: world_finding(&p->findings, services[i].code) != NULL;
		good = good && p->n_endpoints == services[i].endpoints;
		good = good && (s != NULL) == (services[i].endpoints != 0);
		if (s != NULL) {
			good = good &&
				bytes_eq(s->endpoints[0].host, bytes_str(services[i].host)) &&
				s->endpoints[0].port == services[i].port &&
				s->tls == services[i].tls &&
				bytes_eq(s->sni, bytes_str(services[i].sni));
		}
		if (!good) {
			world_print(&p->findings);
			fail_msg("%s: %s", services[i].registry, services[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* console-api.md D25 */
static void a_service_that_only_a_provider_names(void **state)
{
	static const struct {
		const char *entry, *registry;
		const char *host; /* NULL: none */
		unsigned port;
		bool tls, warned;
		const char *reason;
	} rows[] = {
		{"openaiCustomUrl: 'https://m.example.com/v1'", "{}", "m.example.com", 443, true,
			true, "the host of its URL"},
		{"openaiCustomUrl: 'http://[::1]:8000/v1'", "{}", "::1", 8000, false, true,
			"an address with its port"},
		{"openaiCustomUrl: 'https://m.example.com/v1'",
			"{name: s, type: dns, domain: own.example.com, port: 80}",
			"own.example.com", 80, false, false, "a registry's own counts"},
		{"openaiCustomUrl: 'https://m.example.com/v1'",
			"{name: s, type: dns, domain: '', port: 80}", NULL, 0, false, false,
			"nor does a broken registry let traffic go elsewhere"},
		{"x: y", "{}", NULL, 0, false, false, "nothing is known"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct route *r;
		const struct service *s;
		char bridge[500], proxy[1000];
		struct world w;
		struct plan *p;
		bool good;

		world_init(&w);
		snprintf(bridge, sizeof(bridge), WORLD_REGISTRIES("  - %s\n"), rows[i].registry);
		snprintf(proxy, sizeof(proxy),
			WORLD_PLUGIN("ai-proxy",
				"  defaultConfig:\n    providers:\n    - {id: p, type: openai, "
				"apiTokens: [k], openaiCustomServiceName: s.dns, "
				"openaiCustomServicePort: 443, %s}\n"),
			rows[i].entry);
		world_add(&w, "mcpbridges/default.yaml", bridge);
		world_add(&w, "wasmplugins/ai-proxy.internal.yaml", proxy);
		world_add_ingress(&w,
			&(struct world_ingress){.name = "r", .path = "/", .destination = "s.dns"});
		p = world_plan(&w, &types);
		r = world_route(p, "x", "/", METHOD_GET);
		assert_non_null(r);
		s = r->n_destinations != 0 ? r->destinations[0].service : NULL;
		good = (s != NULL) == (rows[i].host != NULL);
		good = good &&
			(world_finding(&p->findings, "provider-service-unknown") != NULL) ==
				rows[i].warned;
		if (s != NULL) {
			good = good && bytes_eq(s->endpoints[0].host, bytes_str(rows[i].host)) &&
				s->endpoints[0].port == rows[i].port && s->tls == rows[i].tls;
		}
		if (!good) {
			world_print(&p->findings);
			fail_msg("%s: %s", rows[i].entry, rows[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* --- what is left out --------------------------------------------------------------------------- */

#define NOTE(line) .annotations = "    " line "\n"

static const struct {
	struct world_ingress ingress;
	const char *code;
	bool error, routed;
	const char *reason;
} odd[] = {
	{{NOTE("higress.io/use-regex: \"true\"")}, NULL, false, true, "an expression"},
	{{NOTE("nginx.ingress.kubernetes.io/use-regex: t")}, NULL, false, true,
		"in nginx' spelling too"},
	{{NOTE("higress.io/use-regex: \"false\"")}, NULL, false, true, "switched off"},
	{{NOTE("higress.io/use-regex: perhaps")}, "boolean-expected", true, false,
		"what is no boolean is no no"},
	{{NOTE("higress.io/full-path-regex: maybe")}, "boolean-expected", true, false, "nor here"},
	{{NOTE("higress.io/use-regex: \"true\""), .path = "/("}, "bad-regex", true, false,
		"an expression that is none"},
	{{NOTE("higress.io/exact-match-header-x-higress-llm-model: m")}, "model-router-missing",
		false, false, "a model predicate that nothing can meet"},
	{{NOTE("higress.io/regex-match-query-v: '('")}, "bad-regex", true, false,
		"a query condition that cannot be read"},
	{{NOTE("higress.io/prefix-match-pseudo-header-status: 2")}, "bad-name", true, false,
		"no pseudo header of requests"},
	{{NOTE("higress.io/exact-match-header-a: ''")}, NULL, false, true,
		"an empty value is no condition"},
	{{NOTE("disabled.higress.io/exact-match-header-a: b")}, NULL, false, true, "disabled"},
	{{NOTE("higress.io/rewrite-target: /$1")}, "bad-path", true, false,
		"a group that the path does not have"},
	{{NOTE("higress.io/rewrite-target: /$1"), .path = "/a/(.*)"}, NULL, false, true, "a group"},
	{{NOTE("nginx.ingress.kubernetes.io/rewrite-target: /x?a=b")}, "bad-path", true, false,
		"a query in a path"},
	{{NOTE("higress.io/rewrite-target: /x\\y")}, "bad-path", true, false,
		"a backslash of no use"},
	{{NOTE("higress.io/rewrite-target: /x\n    higress.io/rewrite-path: /y")},
		"unsupported-annotation", false, true, "not used beside rewrite-path"},
	{{NOTE("higress.io/whitelist-source-range: 10.0.0.0/8")}, "unsupported-condition", true,
		false, "who is let in is not overlooked"},
	{{NOTE("nginx.ingress.kubernetes.io/auth-type: basic")}, "unsupported-condition", true,
		false, "nor how"},
	{{NOTE("higress.io/match-method: FETCH")}, "unsupported-condition", true, false,
		"no known method is not every method"},
	{{NOTE("higress.io/ignore-path-case: maybe")}, "boolean-expected", true, false, "neither"},
	{{NOTE("higress.io/request-header-control-add: a b")}, NULL, false, true, "header control"},
	{{NOTE("nginx.ingress.kubernetes.io/request-header-control-add: a b")},
		"unsupported-annotation", false, true, "which nginx does not know"},
	{{NOTE("higress.io/request-header-control-update: Host a.com")}, "header-refused", true,
		true, "the Host is not a header like others"},
	{{NOTE("higress.io/response-header-control-remove: Content-Length")}, "header-refused",
		true, true, "nor what frames a message"},
	{{NOTE("higress.io/request-header-control-add: ':path /x'")}, "header-refused", true, true,
		"no pseudo headers"},
	{{NOTE("higress.io/request-header-control-add: a")}, "header-without-value", false, true,
		"a line without value"},
	{{NOTE("higress.io/enable-cors: \"true\"")}, NULL, false, true, "CORS"},
	{{NOTE("higress.io/enable-cors: perhaps")}, "cors-invalid", false, true,
		"what is no boolean allows nobody"},
	{{NOTE("higress.io/enable-cors: \"true\"\n    higress.io/cors-max-age: 1d")},
		"cors-invalid", false, true, "seconds only"},
	{{NOTE("higress.io/enable-cors: \"false\"\n    higress.io/cors-max-age: \"1\"")}, NULL,
		false, true, "CORS that is off asks for nothing"},
	{{NOTE("higress.io/ssl-redirect: \"false\"")}, NULL, false, true, "nor does this"},
	{{NOTE("nginx.ingress.kubernetes.io/canary: \"true\"")}, "unsupported-annotation", false,
		true, "no effect, but said"},
	{{NOTE("higress.io/proxy-next-upstream: error,timeout\n"
	       "    higress.io/proxy-next-upstream-tries: \"3\"\n"
	       "    higress.io/enable-proxy-next-upstream: \"true\"")},
		NULL, false, true, "used later"},
	{{NOTE("my.org/x: y")}, NULL, false, true, "somebody else's"},
	{{NOTE("higress.io/rewrite-path: x")}, "bad-path", true, false, "no path"},
	{{NOTE("higress.io/upstream-vhost: \"a b\"")}, "bad-host", true, false, "no host"},
	{{.destination = "gone.static"}, "destination-unknown-service", false, true,
		"no registry: 503"},
	{{.destination = "svc.DEFAULT-GROUP.public.nacos:8080"}, "destination-unknown-service",
		false, true, "a service that nobody was asked for: 503"},
	{{.destination = "up.static:8080"}, "destination-port-mismatch", false, true,
		"another port than the registry's: 503"},
	{{.destination = "\"x% up.static\\n50% up.static\""}, "destination-invalid", true, false,
		"G122: one bad weight spoils the annotation"},
	{{.destination = "\"50%\""}, "destination-invalid", true, false, "a weight of nothing"},
	{{.destination = "\" \""}, "destination-missing", true, false, "no destination"},
	{{.destination = "up.static:80 v1"}, "unsupported-setting", false, true, "a version"},
	{{.path = "v1"}, "bad-path", true, false, "no path"},
	{{.path = "/a b"}, "bad-path", true, false, "a blank in a path"},
	{{.type = "Regex"}, "bad-path-type", true, false, "no such type"},
	{{.host = "a b"}, "bad-host", true, false, "no host"},
	{{.host = "*foo.com"}, "bad-host", true, false, "a star stands for whole labels"},
	{{.host = "a.com:80"}, "bad-host", true, false, "hosts have no port"},
	{{.name = "ai-route-x.internal"}, "upstream-without-provider", false, true,
		"an AI route without provider"},
};

static void conditions_are_never_overlooked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct world_ingress ingress = odd[i].ingress;
		const struct finding *f = NULL;
		struct world w;
		struct plan *p;
		bool good;

		ingress.name = ingress.name != NULL ? ingress.name : "r";
		ingress.path = ingress.path != NULL ? ingress.path : "/";
		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w, &ingress);
		p = world_plan(&w, &types);
		if (odd[i].code != NULL) {
			f = world_finding(&p->findings, odd[i].code);
			good = f != NULL && (f->level == FINDING_ERROR) == odd[i].error &&
				f->line != 0 && bytes_starts(f->file, BYTES("ingresses/"));
		} else {
			good = p->findings.n == 0;
		}
		if (!good || (p->n_routes == 1) != odd[i].routed) {
			world_print(&p->findings);
			fail_msg("%zu: %s", i, odd[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

static void a_route_without_upstream_stays(void **state)
{
	const struct route *r;
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add_ingress(&w, &(struct world_ingress){.name = "r", .path = "/"});
	p = world_plan(&w, &types);
	r = world_route(p, "x", "/", METHOD_GET);
	assert_non_null(r); /* 503 and not 404 */
	assert_int_equal(r->n_destinations, 0);
	assert_int_equal(r->total_weight, 0);
	assert_null(route_pick(r, 0));
	assert_non_null(p->consumers);
	plan_free(p);
	world_done(&w);
}

static void a_backend_service_is_skipped(void **state)
{
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add(&w, "ingresses/s.yaml",
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  annotations:\n"
		"    higress.io/destination: up.static\nspec:\n  rules:\n  - host: a.com\n"
		"  - http: {paths: [{path: /s, pathType: Prefix, backend: {service: {name: s}}},\n"
		"      {path: /r, pathType: Prefix, backend: {resource: {kind: McpBridge, name: "
		"default}}}]}\n");
	p = world_plan(&w, &types);
	assert_int_equal(p->n_routes, 1);
	assert_non_null(world_finding(&p->findings, "service-backend"));
	assert_null(world_route(p, "a.com", "/s", METHOD_GET));
	assert_non_null(world_route(p, "a.com", "/r", METHOD_GET));
	plan_free(p);
	world_done(&w);
}

/* --- providers and mappings of destinations ----------------------------------------------------- */

#define TWO_UP \
	WORLD_REGISTRIES(WORLD_UP "  - {name: b, type: static, domain: '127.0.0.1:2', port: 80}\n")

static const struct {
	const char *proxy, *code;
	int usable;
	const char *provider, *reason; /* of the first usable destination */
} proxies[] = {
	{"  defaultConfig: {providers: [{id: p, type: openai, apiTokens: [k]}]}\n"
	 "  matchRules: [{service: [up.static], config: {activeProviderId: p}}]\n",
		NULL, 2, "p", "by service"},
	{"  defaultConfig: {providers: [{id: p, type: openai, apiTokens: [k]}]}\n"
	 "  matchRules: [{service: ['up.static:80'], config: {activeProviderId: p}}]\n",
		NULL, 2, "p", "by service and port"},
	{"  defaultConfig: {providers: [{id: p, type: openai, apiTokens: [k]}]}\n"
	 "  matchRules: [{service: [up.static], config: {activeProviderId: q}}]\n",
		"provider-unknown", 1, "", "a provider that is not there is not passed by"},
	{"  defaultConfig: {providers: [{id: p, type: strict}]}\n"
	 "  matchRules: [{service: [up.static], config: {activeProviderId: p}}]\n",
		"token-missing", 1, "", "nor one that cannot be used"},
	{"  defaultConfigDisable: true\n"
	 "  defaultConfig: {providers: [{id: p, type: openai, apiTokens: [k]}]}\n"
	 "  matchRules: [{service: [up.static], config: {activeProviderId: p}}]\n",
		"provider-unknown", 1, "", "a disabled default has no providers"},
	{"  matchRules: [{service: [up.static], config: {provider: {type: openai, id: own, "
	 "apiTokens: [k]}}}]\n",
		NULL, 2, "own", "the form of the first versions"},
	{"  defaultConfig: {activeProviderId: p, providers: [{id: p, type: openai, apiTokens: "
	 "[k]}]}\n",
		NULL, 2, "p", "the default holds where no rule does"},
	{"  defaultConfig: {activeProviderId: p, providers: [{id: p, type: openai, apiTokens: "
	 "[k]}]}\n"
	 "  matchRules: [{service: [up.static], config: {_disable_: true}}]\n",
		NULL, 2, "", "_disable_ is honoured for every plugin"},
	{"  defaultConfig: {providers: [{id: p, type: openai, apiTokens: [k]}, {id: p, type: "
	 "openai}]}\n",
		"provider-duplicate", 2, "", "the first of two entries"},
	{"  defaultConfig: {providers: [{id: p, type: openai, apiTokens: [k]}]}\n"
	 "  matchRules: [{domain: [x.com], service: [up.static], config: {activeProviderId: p}}]\n",
		"unsupported-condition", 0, "",
		"Go plugins see the domain first; x.com is one of "
		"the hosts of the route"},
};

static void destinations_know_their_provider(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		char file[2000];
		const struct route *r;
		struct world w;
		struct plan *p;
		const struct provider *got;
		bool good, is_ai;

		snprintf(file, sizeof(file), WORLD_PLUGIN("ai-proxy", "%s"), proxies[i].proxy);
		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", TWO_UP);
		world_add(&w, "wasmplugins/ai-proxy.internal.yaml", file);
		world_add_ingress(&w,
			&(struct world_ingress){.name = "r",
				.path = "/",
				.destination = "\"1% up.static:80\\n1% b.static\""});
		p = world_plan(&w, &types);
		r = world_route(p, "x", "/", METHOD_GET);
		assert_non_null(r);
		got = r->n_destinations != 0 ? r->destinations[0].provider : NULL;
		is_ai = false;
		for (size_t k = 0; k < r->n_destinations; k++) {
			is_ai = is_ai || r->destinations[k].provider != NULL;
		}
		good = proxies[i].code == NULL
			? p->findings.errors == 0
			: world_finding(&p->findings, proxies[i].code) != NULL;
		if (!good || r->n_destinations != (size_t)proxies[i].usable || r->is_ai != is_ai ||
			!bytes_eq(got != NULL ? got->id : BYTES(""),
				bytes_str(proxies[i].provider))) {
			world_print(&p->findings);
			fail_msg("%zu: %s", i, proxies[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

static void mappings_belong_to_route_and_service(void **state)
{
	const struct route *r;
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", TWO_UP);
	world_add(&w, "wasmplugins/model-mapper.internal.yaml",
		WORLD_PLUGIN("model-mapper",
			"  defaultConfigDisable: true\n  matchRules:\n"
			"  - {ingress: [r], service: [b.static], config: {modelMapping: {a: "
			"bee}}}\n"
			"  - {ingress: [s], service: [b.static], config: {modelMapping: {'~(': "
			"bee}}}\n"));
	world_add_ingress(&w,
		&(struct world_ingress){.name = "r",
			.path = "/r",
			.destination = "\"1% up.static\\n1% b.static\""});
	world_add_ingress(&w,
		&(struct world_ingress){.name = "s",
			.path = "/s",
			.destination = "\"1% up.static\\n1% b.static\""});
	p = world_plan(&w, &types);
	r = world_route(p, "x", "/r", METHOD_GET);
	assert_null(r->destinations[0].mapping);
	assert_true(bytes_eq(
		mapping_apply(r->destinations[1].mapping, BYTES("a"), &w.arena), BYTES("bee")));
	r = world_route(
		p, "x", "/s", METHOD_GET); /* a mapping that cannot be: never the wrong model */
	assert_int_equal(r->n_destinations, 1);
	assert_int_equal(r->total_weight, 1);
	plan_free(p);
	world_done(&w);
}

/* --- purity ------------------------------------------------------------------------------------- */

static void text_of_plan(const struct plan *p, struct text *t)
{
	static const char *const paths[] = {"/v1", "/v2", "/"};

	for (const struct finding *f = p->findings.first; f != NULL; f = f->next) {
		finding_format(f, t);
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct route *r = world_route(p, "zimomo.com", paths[i], METHOD_GET);

		text_add_bytes(t, r != NULL ? r->name : BYTES("-"));
	}
}

static void the_same_snapshot_is_the_same_plan(void **state)
{
	const struct plan_env other_seed = {.types = &types, .seed = {99, 98}};
	struct world one, two;
	struct plan *a, *b, *c;
	struct text ta, tb;

	(void)state;
	world_init(&one);
	world_init(&two);
	load_tree(&one, "examples/zimomo/resources");
	load_tree(&two, "examples/zimomo/resources");
	a = world_plan(&one, &types);
	b = plan_compile(two.snapshot, &other_seed); /* the seed must not show */
	assert_memory_equal(a->hash, b->hash, sizeof(a->hash));
	text_init(&ta, 1 << 16);
	text_init(&tb, 1 << 16);
	text_of_plan(a, &ta);
	text_of_plan(b, &tb);
	assert_string_equal(text_cstr(&ta), text_cstr(&tb));
	/* The plan lives on when its snapshot is gone. */
	world_done(&one);
	text_clear(&ta);
	text_of_plan(a, &ta);
	assert_string_equal(text_cstr(&ta), text_cstr(&tb));
	check_zimomo(a, false);
	/* One byte more, another hash. */
	world_add(&two, "configmaps/x.yaml", "apiVersion: v1\nkind: ConfigMap\n");
	c = world_plan(&two, &types);
	assert_memory_not_equal(c->hash, b->hash, sizeof(c->hash));
	text_done(&ta);
	text_done(&tb);
	plan_free(a);
	plan_free(b);
	plan_free(c);
	world_done(&two);
}

static void an_empty_snapshot_is_a_plan(void **state)
{
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	p = world_plan(&w, &types);
	assert_null(world_route(p, "a", "/", METHOD_GET));
	assert_int_equal(p->findings.n, 0);
	assert_non_null(p->consumers);
	plan_free(p);
	plan_free(NULL);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zimomo),
		cmocka_unit_test(registries_become_services),
		cmocka_unit_test(a_service_that_only_a_provider_names),
		cmocka_unit_test(conditions_are_never_overlooked),
		cmocka_unit_test(a_route_without_upstream_stays),
		cmocka_unit_test(a_backend_service_is_skipped),
		cmocka_unit_test(destinations_know_their_provider),
		cmocka_unit_test(mappings_belong_to_route_and_service),
		cmocka_unit_test(the_same_snapshot_is_the_same_plan),
		cmocka_unit_test(an_empty_snapshot_is_a_plan),
	};

	return cmocka_run_group_tests_name("plan/plan", tests, NULL, NULL);
}
