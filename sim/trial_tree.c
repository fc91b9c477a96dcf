/* One route for every host, in the form of Console's resources where that has one, in our own words where it has none. */
#include <stdio.h>

#include "sim/disk.h"
#include "sim/trial.h"
#include "sim/world.h"

#define TREE_MAX 65536u
#define PATH_ROOM 128
#define PORT 80
#define ADDRESS_ROOM 32

static void put(const char *name, struct text *t)
{
	char path[PATH_ROOM];

	ASSERT(!text_full(t));
	snprintf(path, sizeof(path), "/resources/%s.yaml", name);
	disk_put(world()->disk, path, text_bytes(t));
	text_clear(t);
}

static void without(const char *name)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "/resources/%s.yaml", name);
	disk_remove(world()->disk, path);
}

static void format_address(unsigned provider, unsigned endpoint, char room[ADDRESS_ROOM])
{
	snprintf(room, ADDRESS_ROOM, "10.0.%u.%u", provider, endpoint + 1);
}

struct sys_addr trial_address(unsigned provider, unsigned endpoint)
{
	struct sys_addr a;
	char room[ADDRESS_ROOM];

	format_address(provider, endpoint, room);
	ASSERT(sys_addr_parse(&a, room, strlen(room), PORT) == 0);
	return a;
}

static bool is_there(const struct trial_policy *p, unsigned i)
{
	return i < TRIAL_UPSTREAMS ? i < p->n_upstreams : i - TRIAL_UPSTREAMS < p->n_fallbacks;
}

static void write_registries(const struct trial_policy *p, struct text *t)
{
	text_add_str(t,
		"apiVersion: networking.higress.io/v1\nkind: McpBridge\nmetadata: {name: default}\n"
		"spec:\n  registries:\n");
	for (unsigned i = 0; i < TRIAL_PROVIDERS; i++) {
		if (!is_there(p, i)) {
			continue;
		}
		text_addf(t, "  - {name: p%u, type: static, port: 80, domain: '", i);
		for (unsigned e = 0; e < p->providers[i].n_endpoints; e++) {
			char room[ADDRESS_ROOM];

			format_address(i, e, room);
			text_addf(t, "%s%s:%u", e == 0 ? "" : ",", room, PORT);
		}
		text_add_str(t, "'}\n");
	}
	put("mcpbridges/default", t);
}

static void write_provider(const struct trial_provider *p, unsigned i, bool turned, struct text *t)
{
	text_addf(t,
		"    - id: p%u\n      type: openai\n      openaiCustomUrl: http://p%u.test/v1\n", i,
		i);
	text_addf(t, "      modelMapping: {'*': m%u}\n      apiTokens:\n", i);
	for (unsigned k = 0; k < p->n_keys; k++) {
		text_addf(t, "      - " TRIAL_KEY_FMT "\n", i, turned ? p->n_keys - 1 - k : k);
	}
	text_addf(t, "      failover: {enabled: %s, failureThreshold: %u%s}\n",
		p->failover ? "true" : "false", p->threshold,
		p->checked ? ", healthCheckModel: tiny" : "");
	text_addf(t, "      retryOnFailure: {enabled: %s, maxRetries: %u, retryTimeout: %u}\n",
		p->retries != 0 ? "true" : "false", p->retries, p->retry_ms);
	if (p->cap != 0 || p->key_cap != 0) {
		text_addf(t,
			"      concurrency: {max: %u, maxPerToken: %u, queue: %u, queueTimeout: %u}\n",
			p->cap, p->key_cap, p->queue, p->queue_ms);
	}
	if (p->first_byte_ms != 0) {
		text_addf(t, "      firstByteTimeout: %u\n", p->first_byte_ms);
	}
	if (p->idle_ms != 0) {
		text_addf(t, "      idleTimeout: %u\n", p->idle_ms);
	}
}

static void write_providers(const struct trial_policy *p, struct text *t)
{
	text_add_str(t,
		"apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n"
		"  name: ai-proxy\n  labels: {higress.io/wasm-plugin-name: ai-proxy}\n"
		"spec:\n  defaultConfig:\n    providers:\n");
	for (unsigned i = 0; i < TRIAL_PROVIDERS; i++) {
		if (is_there(p, i)) {
			write_provider(&p->providers[i], i, p->turned, t);
		}
	}
	text_add_str(t, "  matchRules:\n");
	for (unsigned i = 0; i < TRIAL_PROVIDERS; i++) {
		if (is_there(p, i)) {
			text_addf(t,
				"  - {config: {activeProviderId: p%u}, service: [p%u.static]}\n", i,
				i);
		}
	}
	put("wasmplugins/ai-proxy", t);
}

static void write_destinations(
	const struct trial_policy *p, unsigned from, unsigned n, struct text *t)
{
	text_add_str(t, "    higress.io/destination: \"");
	for (unsigned k = 0; k < n; k++) {
		/* The order of a fallback means something, and stays. */
		unsigned i = from + (p->turned && from == 0 ? n - 1 - k : k);

		text_addf(t, "%s%u%% p%u.static", k == 0 ? "" : "\\n",
			from == 0 ? p->providers[i].weight : 1, i);
	}
	text_add_str(t, "\"\n");
}

static void write_next(const struct trial_policy *p, struct text *t)
{
	static const char *const words[NEXT_KINDS] = {
		[NEXT_ERRORS] = "error,timeout,non_idempotent",
		[NEXT_SAFE] = "error,timeout",
		[NEXT_STATUSES] = "error timeout invalid_header non_idempotent http_503 http_429"};

	if (p->next != NEXT_OFF) {
		text_addf(t, "    higress.io/proxy-next-upstream: \"%s\"\n", words[p->next]);
		text_addf(t, "    higress.io/proxy-next-upstream-tries: \"%u\"\n", p->tries);
		text_addf(t, "    higress.io/proxy-next-upstream-timeout: \"%u\"\n", p->next_s);
	}
	if (p->timeout_s != 0) {
		text_addf(t, "    higress.io/timeout: \"%u\"\n", p->timeout_s);
	}
}

static void write_fall(const struct trial_policy *p, struct text *t)
{
	if (p->fall == FALL_OFF) {
		return;
	}
	text_add_str(t, "    sluice.io/fallback: spare\n");
	text_addf(t, "    sluice.io/fallback-order: %s\n", p->in_order ? "SEQ" : "RAND");
	text_addf(t, "    sluice.io/fallback-on-own-rate-limit: \"%s\"\n",
		p->own_rate ? "true" : "false");
	if (p->fall == FALL_CLASSES) {
		text_add_str(t, "    sluice.io/fallback-on: 4xx,5xx,connect-failure,invalid\n");
	} else if (p->fall == FALL_TIMEOUT) {
		text_add_str(t, "    sluice.io/fallback-on: timeout\n");
	}
}

static void write_route(const char *name, const char *host, struct text *body, struct text *t)
{
	text_addf(t,
		"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: %s\n"
		"  annotations:\n",
		name);
	text_add_bytes(t, text_bytes(body));
	text_clear(body);
	text_addf(t,
		"spec:\n  rules:\n  - host: %s\n    http:\n      paths:\n      - path: /\n"
		"        pathType: Prefix\n        backend: {resource: {kind: McpBridge, name: default}}\n",
		host);
}

static void write_whole(const struct trial_policy *p, struct text *t)
{
	text_addf(t,
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: higress-config}\ndata:\n"
		"  higress: |-\n    downstream:\n      routeTimeout: %u\n",
		p->whole_s);
	put("configmaps/higress-config", t);
}

void trial_tree(const struct trial *t, unsigned epoch)
{
	const struct trial_policy *p = &t->epochs[epoch];
	struct text text, body;

	text_init(&text, TREE_MAX);
	text_init(&body, TREE_MAX);
	write_registries(p, &text);
	write_providers(p, &text);
	write_destinations(p, 0, p->n_upstreams, &body);
	write_next(p, &body);
	write_fall(p, &body);
	write_route("main", "a.test", &body, &text);
	put("ingresses/main", &text);
	without("ingresses/spare");
	if (p->fall != FALL_OFF) {
		write_destinations(p, TRIAL_UPSTREAMS, p->n_fallbacks, &body);
		write_route("spare", "spare.test", &body, &text);
		put("ingresses/spare", &text);
	}
	write_whole(p, &text);
	text_done(&text);
	text_done(&body);
}
