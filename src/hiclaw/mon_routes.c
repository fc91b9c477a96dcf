/* AI routes, and where a request would go (monitor-api.md 4.10). */
#include "hiclaw/endpoints.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/resolve.h"
#include "proxy/bridges.h"

#define DEFAULT_ROUTE BYTES("default-ai-route")

static struct doc *explained(struct ask *k, struct bytes model, struct bytes consumer)
{
	const struct plan *p = gateway_plan(k->hiclaw->gateway);
	const struct bytes led = bridges_lead(k->hiclaw->gateway, consumer, model);
	const struct resolve_request rq = {.host = k->hiclaw->env->gateway_domain,
		.path = BYTES("/v1/chat/completions"),
		.consumer = consumer,
		.model = led.n != 0 ? led : model};
	struct resolve_answer r = {.status = 0};
	struct arena *a = &k->arena;
	struct doc *d = doc_map(a);

	if (p == NULL || resolve_model(p, &rq, a, &r) != 0) {
		return NULL;
	}
	doc_set(a, d, "model", doc_string(a, model));
	doc_set(a, d, "consumer", doc_string(a, consumer));
	doc_set(a, d, "route", doc_string(a, r.route));
	doc_set(a, d, "provider", doc_string(a, r.provider));
	doc_set(a, d, "upstreamModel", doc_string(a, r.model));
	if (led.n != 0) {
		doc_set(a, d, "bridgedTo", doc_string_copy(a, led));
	}
	doc_set(a, d, "allowed", doc_bool(a, r.allowed));
	doc_set(a, d, "status", doc_int(a, r.status != 0 ? (int64_t)r.status : 200));
	doc_set(a, d, "reason", doc_string(a, r.text));
	return d;
}

static bool is_dedicated(struct bytes name)
{
	return bytes_ends(name, BYTES("-ai-route")) && !bytes_eq(name, DEFAULT_ROUTE);
}

static void routes_read(struct ask *k)
{
	struct arena *a = &k->arena;
	struct doc *d = ask_success(k);
	struct doc *list = doc_need_list(a, d, "routes");
	struct bytes model = ask_query(k, "explain");
	struct bytes consumer = ask_query(k, "consumer");
	bool all = ask_query_flag(k, "all");
	struct doc *why;

	for (const struct doc *r = doc_first(a, k->ops.lists[OPS_AI_ROUTE]); r != NULL;
		r = r->next) {
		if (all || is_dedicated(doc_peek(r, "name", BYTES("")))) {
			doc_append(a, list, doc_copy(a, r));
		}
	}
	if (model.n != 0) {
		why = explained(k, model, consumer.p != NULL ? consumer : BYTES(""));
		if (why == NULL) {
			ask_fail(k, HICLAW_INTERNAL,
				"Failed to get routes: the gateway's domain cannot be asked for");
			return;
		}
		doc_set(a, d, "explain", why);
	}
	ask_reply(k, 200, d);
}

void mon_routes(struct ask *k)
{
	k->failed = "Failed to get routes";
	ask_read(k, 1u << OPS_AI_ROUTE, routes_read);
}
