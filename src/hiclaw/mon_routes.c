/* AI routes, and where a request would go (monitor-api.md 4.10). */
#include "base/clock.h"
#include "hiclaw/endpoints.h"
#include "hiclaw/foreign_plan.h"
#include "hiclaw/hiclaw_int.h"
#include "hiclaw/resolve.h"
#include "proxy/bridges.h"

#define DEFAULT_ROUTE BYTES("default-ai-route")

struct explaining {
	struct bytes model, consumer;
	struct doc *routes, *lists[OPS_NOUNS];
	struct plan *foreign; /* of another Console's objects */
};

static struct doc *explained(
	struct ask *k, const struct plan *p, struct bytes model, struct bytes consumer)
{
	const bool here = k->hiclaw->opts.remote == NULL;
	const struct bytes led =
		here ? bridges_lead(k->hiclaw->gateway, consumer, model) : BYTES("");
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

static void reply(struct ask *k, const struct plan *p)
{
	const struct explaining *e = k->state;
	struct doc *d = ask_success(k);
	struct doc *why;

	doc_set(&k->arena, d, "routes", e->routes);
	if (e->model.n != 0) {
		why = explained(k, p, e->model, e->consumer);
		if (why == NULL) {
			ask_fail(k, HICLAW_INTERNAL,
				"Failed to get routes: the gateway's domain cannot be asked for");
			return;
		}
		doc_set(&k->arena, d, "explain", why);
	}
	ask_reply(k, 200, d);
}

/* A jobs thread. */
static void compile(struct ask *k)
{
	struct explaining *e = k->state;

	e->foreign =
		foreign_plan(e->lists, k->hiclaw->opts.types, (int64_t)(clock_wall_ms() / 1000));
}

static void compiled(struct ask *k)
{
	const struct explaining *e = k->state;

	reply(k, e->foreign);
}

static void drop(struct ask *k)
{
	struct explaining *e = k->state;

	plan_free(e->foreign);
}

static void routes_read(struct ask *k)
{
	struct arena *a = &k->arena;
	struct explaining *e = k->state;
	bool all = ask_query_flag(k, "all");

	e->routes = doc_list(a);
	for (const struct doc *r = doc_first(a, k->ops.lists[OPS_AI_ROUTE]); r != NULL;
		r = r->next) {
		if (all || is_dedicated(doc_peek(r, "name", BYTES("")))) {
			doc_append(a, e->routes, doc_copy(a, r));
		}
	}
	memcpy(e->lists, k->ops.lists, sizeof(e->lists));
	if (e->model.n != 0 && k->hiclaw->opts.remote != NULL) {
		k->done = drop;
		ask_job(k, compile, compiled);
	} else {
		reply(k, gateway_plan(k->hiclaw->gateway));
	}
}

void mon_routes(struct ask *k)
{
	struct explaining *e = arena_must(&k->arena, sizeof(*e));
	struct bytes consumer = ask_query(k, "consumer");
	bool there;

	e->model = ask_query(k, "explain");
	e->consumer = consumer.p != NULL ? consumer : BYTES("");
	there = e->model.n != 0 && k->hiclaw->opts.remote != NULL;
	k->state = e;
	k->failed = "Failed to get routes";
	ask_read(k,
		there ? 1u << OPS_SOURCE | 1u << OPS_PROVIDER | 1u << OPS_CONSUMER |
				1u << OPS_AI_ROUTE
		      : 1u << OPS_AI_ROUTE,
		routes_read);
}
