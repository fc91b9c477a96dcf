/*
 * CORS (Fetch Standard §3.2). A preflight is answered by the gateway before anybody is asked for a key,
 * because browsers send none with it; the method that it announces chooses the route. Other requests go
 * their way, and whatever answers them says who may read it; where the policy is the plugin's, what it does not allow is
 * refused, once it is known who calls. Plans without CORS do not come here.
 */
#include "plan/cors.h"
#include "plan/groups.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

void browser_candidates(struct exchange *x)
{
	struct request *rq = x->rq;

	rq->cors.origin = routing_header(x, BYTES("origin"));
	if (rq->cors.origin.n != 0) {
		rq->cors.policy =
			group_cors(rq->candidates, rq->n_candidates, rq->host, rq->cors.origin);
	}
}

/* Of the routes that the announced request would come to. */
static const struct cors *policy_for(
	struct exchange *x, const struct route_query *as, struct bytes origin)
{
	const struct plan *p = x->view->plan;
	const struct route *room[PLAN_LEADERS_MAX];
	const struct route **out = room;
	size_t n = plan_leaders(p, as, room, PLAN_LEADERS_MAX);

	if (n > PLAN_LEADERS_MAX) {
		out = arena_alloc(&x->rq->arena, n * sizeof(*out));
		n = out != NULL ? plan_leaders(p, as, out, n) : 0;
	}
	return group_cors(out, n, x->rq->host, origin);
}

/* Higress's text. */
static enum verdict refuse(struct exchange *x, enum cors_verdict v)
{
	return reply_set(x, 403, cors_reason(v), "Invalid CORS request");
}

static bool is_own(const struct route_query *q, struct bytes origin)
{
	return cors_is_own(origin, q->header(q->header_of, BYTES(":authority")));
}

enum verdict browser_preflight(struct exchange *x, const struct route_query *q)
{
	struct request *rq = x->rq;
	struct bytes origin = routing_header(x, BYTES("origin"));
	struct bytes method = routing_header(x, BYTES("access-control-request-method"));
	const struct cors *policy;
	struct route_query as = *q;

	if (q->method != METHOD_OPTIONS || origin.n == 0 || method.n == 0) {
		return VERDICT_NEXT;
	}
	as.method = method_of(method);
	policy = policy_for(x, &as, origin);
	if (policy != NULL && policy->refuses && !is_own(q, origin)) {
		enum cors_verdict v = cors_judge(policy, origin, method,
			routing_header(x, BYTES("access-control-request-headers")));

		if (v != CORS_OK) {
			return refuse(x, v);
		}
	}
	if (policy == NULL || !cors_allows(policy, origin)) {
		return VERDICT_NEXT; /* without permission it is a request like others */
	}
	rq->cors.origin = origin;
	rq->cors.policy = policy;
	rq->cors.preflight = true;
	return reply_set(x, 200, "cors.preflight", "the page may ask");
}

enum verdict browser_judge(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct cors *c = cors_for(rq->route->cors, rq->host);
	enum cors_verdict v = CORS_OK;

	if (c != NULL && c->refuses && rq->cors.origin.n != 0) {
		struct route_query q = routing_query(x);

		if (!is_own(&q, rq->cors.origin)) {
			v = cors_judge(
				c, rq->cors.origin, rq->head.method, (struct bytes){NULL, 0});
		}
	}
	return v == CORS_OK ? VERDICT_NEXT : refuse(x, v);
}

static bool is_cors(struct bytes name)
{
	return bytes_starts_nocase(name, BYTES("access-control-"));
}

/* What the upstream says about it does not count: two of a kind, and browsers refuse both. */
static void take_away(struct head_out *out)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < out->n; i++) {
		if (!is_cors(out->v[i].name)) {
			out->v[kept++] = out->v[i];
		}
	}
	out->n = kept;
}

static void add_list(struct head_out *out, const char *name, struct bytes list, struct bytes asked)
{
	struct bytes value = bytes_eq(list, BYTES("*")) ? asked : list;

	if (value.n != 0) {
		head_out_add(out, bytes_str(name), value);
	}
}

static void add_permissions(struct exchange *x, const struct cors *c, struct head_out *out)
{
	add_list(out, "Access-Control-Allow-Methods", c->methods,
		routing_header(x, BYTES("access-control-request-method")));
	add_list(out, "Access-Control-Allow-Headers", c->headers,
		routing_header(x, BYTES("access-control-request-headers")));
	head_out_add(out, BYTES("Access-Control-Max-Age"), c->max_age);
}

void browser_add(struct exchange *x, struct head_out *out)
{
	const struct request *rq = x->rq;
	const struct cors *c =
		rq->route != NULL ? cors_for(rq->route->cors, rq->host) : rq->cors.policy;

	if (c == NULL || rq->cors.origin.n == 0) {
		return;
	}
	take_away(out);
	head_out_add(out, BYTES("Vary"), BYTES("Origin"));
	if (!cors_allows(c, rq->cors.origin)) {
		return;
	}
	head_out_add(out, BYTES("Access-Control-Allow-Origin"),
		c->any_origin ? BYTES("*") : rq->cors.origin);
	if (c->credentials) {
		head_out_add(out, BYTES("Access-Control-Allow-Credentials"), BYTES("true"));
	}
	if (rq->cors.preflight) {
		add_permissions(x, c, out);
	} else if (c->expose.n != 0) {
		head_out_add(out, BYTES("Access-Control-Expose-Headers"), c->expose);
	}
}
