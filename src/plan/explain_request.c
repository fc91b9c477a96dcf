/*
 * What would happen to a request that never was: the steps of an exchange (proxy/exchange.c), in their order, without an
 * exchange.
 */
#include <stdarg.h>

#include "plan/blocking.h"
#include "plan/consumers.h"
#include "plan/cors.h"
#include "plan/explain_int.h"
#include "plan/fixed_answer.h"
#include "plan/groups.h"
#include "plan/match.h"
#include "plan/models.h"

struct asking {
	const struct plan *plan;
	const struct explain_request *rq;
	struct arena *arena;
	struct auth_header *auth; /* as the client sends them */
	struct url sent;          /* path and query, without a credential */
	struct route_query query;
	struct explain_decided decided;
	struct route_model model;
	struct explain *out;
};

static bool hidden(const struct asking *k, const struct explain_field *f)
{
	enum field_id id = (enum field_id)f->id;

	return f->hop || decide_forbids(id) || id == FIELD_CONTENT_LENGTH ||
		decide_is_routers(k->plan->router, id, f->name);
}

static struct bytes join(struct arena *a, struct bytes x, struct bytes y)
{
	char *room = arena_must(a, x.n + y.n + 1);

	memcpy(room, x.p, x.n);
	room[x.n] = ',';
	memcpy(room + x.n + 1, y.p, y.n);
	return bytes_of(room, x.n + y.n + 1);
}

static struct bytes pseudo_header(const struct asking *k, struct bytes name)
{
	const struct url *u = &k->rq->url;

	if (bytes_eq(name, BYTES(":method"))) {
		return k->rq->method;
	}
	if (bytes_eq(name, BYTES(":scheme"))) {
		return k->rq->tls ? BYTES("https") : BYTES("http");
	}
	if (bytes_eq(name, BYTES(":authority"))) {
		return k->rq->authority;
	}
	return u->query.p == NULL /* else it stands behind the path in the target */
		? u->path
		: bytes_of(u->path.p, (size_t)(u->query.p + u->query.n - u->path.p));
}

static struct bytes header_of(void *of, struct bytes name)
{
	struct asking *k = of;
	struct bytes value = {NULL, 0};

	if (name.p[0] == ':') {
		return pseudo_header(k, name);
	}
	for (size_t i = 0; i < k->rq->n_fields; i++) {
		const struct explain_field *f = &k->rq->fields[i];

		if (!hidden(k, f) && bytes_eq_nocase(f->name, name)) {
			value = value.p == NULL ? f->value : join(k->arena, value, f->value);
		}
	}
	return value;
}

static bool find_key(
	const struct asking *k, const struct consumers *c, size_t place, struct auth_hit *hit)
{
	const struct key_name *at = &c->places[place];
	struct auth_header h = {at->name, k->rq->key, at->field_id};
	struct auth_query q = {.headers = &h, .n_headers = 1};
	struct text t;
	bool found;

	if (at->source == KEY_IN_HEADER) {
		return auth_identify(c, &q, hit);
	}
	text_init(&t, SIZE_MAX);
	text_add_bytes(&t, at->name);
	text_add_char(&t, '=');
	for (size_t i = 0; i < k->rq->key.n; i++) {
		text_addf(&t, "%%%02x", (unsigned char)k->rq->key.p[i]);
	}
	q = (struct auth_query){.query = text_bytes(&t)};
	found = auth_identify(c, &q, hit);
	text_done(&t);
	return found;
}

static void cut_credential(struct asking *k, const struct auth_hit *hit)
{
	struct bytes value, whole;
	struct bytes name = hit->whole;

	/* The second set of consumers that finds it there looks for it in vain. */
	if (hit->source == KEY_IN_QUERY &&
		url_query_get(k->sent.query, bytes_cut(&name, '='), &value, &whole)) {
		k->sent.query = decide_query_without(k->sent.query, hit->whole, k->arena);
	}
}

static const struct consumer *look_up(void *of, const struct consumers *c)
{
	struct asking *k = of;
	const struct explain_request *rq = k->rq;
	struct auth_header bearer = {BYTES("authorization"), rq->key, FIELD_AUTHORIZATION};
	struct auth_query q = {k->auth, rq->n_fields, rq->url.query};
	struct auth_hit hit;

	if (rq->consumer.n != 0) {
		return consumers_find(c, rq->consumer);
	}
	if (c->plugin == AUTH_BASIC && rq->key.n != 0) {
		const struct consumer *who = auth_find_user(c, rq->key);

		if (who != NULL) {
			return who;
		}
	}
	if (c->n != 0 && auth_identify(c, &q, &hit)) {
		cut_credential(k, &hit);
		return hit.consumer;
	}
	if (c->plugin == AUTH_BASIC) {
		return NULL;
	}
	for (size_t i = 0; rq->key.n != 0 && c->n != 0 && i < c->n_places; i++) {
		if (find_key(k, c, i, &hit)) {
			return hit.consumer;
		}
	}
	q = (struct auth_query){.headers = &bearer, .n_headers = rq->key.n != 0};
	return c->n != 0 && auth_identify(c, &q, &hit) ? hit.consumer : NULL;
}

static struct bytes field_value(const struct explain_request *rq, enum field_id id)
{
	for (size_t i = 0; i < rq->n_fields; i++) {
		if (rq->fields[i].id == id) {
			return rq->fields[i].value;
		}
	}
	return (struct bytes){NULL, 0};
}

static void answer(struct asking *k, unsigned status, const char *reason, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static void answer(struct asking *k, unsigned status, const char *reason, const char *fmt, ...)
{
	struct text t;
	va_list ap;

	k->out->status = status;
	k->out->reason = reason;
	text_init(&t, SIZE_MAX);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	k->out->text = arena_copy(k->arena, text_bytes(&t));
	text_done(&t);
}

/* begin. False: answered, no route is asked. */
static bool begin(struct asking *k)
{
	const struct explain_request *rq = k->rq;
	struct bytes path = rq->url.path;
	struct bytes suffix;

	k->out->api = api_of_path(path, &suffix);
	if (bytes_eq(path, BYTES("/healthz/live")) || bytes_eq(path, BYTES("/healthz/ready"))) {
		answer(k, 200, "health", "the gateway itself says whether it is well");
	} else if (bytes_starts(path, BYTES("/healthz/"))) {
		answer(k, 404, "route.not_found", "below /healthz/ are only live and ready");
	} else if (k->out->api == API_REALTIME) {
		answer(k, 501, "api.unsupported",
			"WebSocket connections (realtime) are not served yet");
	} else {
		return true;
	}
	return false;
}

static void refuse_page(struct asking *k, enum cors_verdict v)
{
	answer(k, 403, cors_reason(v), "cors: the %s is none that the policy allows",
		v == CORS_ORIGIN           ? "page's origin"
			: v == CORS_METHOD ? "page's method"
					   : "list of headers");
}

/* A browser asks whether a page may: the method that it announces chooses the route. False: it asks nothing, or in
 * vain; else answered. */
static bool is_preflight(struct asking *k)
{
	struct bytes origin = header_of(k, BYTES("origin"));
	struct bytes method = header_of(k, BYTES("access-control-request-method"));
	const struct route *leaders[PLAN_LEADERS_MAX];
	struct route_query as = k->query;
	const struct cors *policy;
	size_t n;

	if (!k->plan->has_cors || k->query.method != METHOD_OPTIONS || origin.n == 0 ||
		method.n == 0) {
		return false;
	}
	as.method = method_of(method);
	n = plan_leaders(k->plan, &as, leaders, PLAN_LEADERS_MAX);
	policy = group_cors(leaders, MIN(n, PLAN_LEADERS_MAX), k->rq->url.host, origin);
	if (policy != NULL && policy->refuses && !cors_is_own(origin, k->rq->authority)) {
		enum cors_verdict v = cors_judge(policy, origin, method,
			header_of(k, BYTES("access-control-request-headers")));

		if (v != CORS_OK) {
			refuse_page(k, v);
			return true;
		}
	}
	if (policy == NULL || !cors_allows(policy, origin)) {
		return false;
	}
	answer(k, 200, "cors.preflight", "the page of a browser may ask");
	return true;
}

/* candidates, redirect */
static bool find_candidates(struct asking *k)
{
	const struct explain_request *rq = k->rq;
	struct explain_decided *d = &k->decided;
	const struct route **room;

	k->out->asked = true;
	if (is_preflight(k)) {
		d->candidates = NULL;
		return false;
	}
	d->n_candidates = plan_candidates(k->plan, &k->query, NULL, 0);
	room = arena_must(k->arena, (d->n_candidates + 1) * sizeof(struct route *));
	plan_candidates(k->plan, &k->query, room, d->n_candidates);
	d->candidates = room;
	if (d->n_candidates == 0) {
		answer(k, 404, "route.not_found", "no route takes this request");
		return false;
	}
	if (!rq->tls && decide_wants_tls(d->candidates, d->n_candidates)) {
		answer(k, 308, "https.required",
			"a route that could take it is served over https only");
		return false;
	}
	return true;
}

static void refuse(struct asking *k, enum auth_plugin by, enum auth_verdict v)
{
	const char *reason = decide_auth_reason(by, v);

	if (v == AUTH_UNUSABLE) {
		answer(k, (unsigned)v, reason, "the %s configuration of the route is invalid",
			auth_plugin_name(by));
	} else if (v == AUTH_REFUSED) {
		answer(k, (unsigned)v, reason, "the consumer is in no allow list of the routes");
	} else if (by == AUTH_BASIC) {
		answer(k, (unsigned)v, reason,
			"the routes want a user's name and password, and none that are known came");
	} else {
		answer(k, (unsigned)v, reason,
			"the routes want the key of a consumer, and none that is known came");
	}
}

/* Whom a credential names, whether that is asked or not. */
static const struct consumer *known(struct asking *k, const struct route *r)
{
	const struct consumer *c = look_up(k, r->auth.consumers);

	return c != NULL ? c : look_up(k, r->basic.consumers);
}

static void field_of(const void *of, size_t i, struct bytes *name, struct bytes *value)
{
	const struct explain_field *f = (const struct explain_field *)of + i;

	*name = f->name;
	*value = f->value;
}

/* What a policy of CORS that refuses says. False: answered. */
static bool judge_page(struct asking *k, const struct route *r)
{
	const struct cors *c = cors_for(r->cors, k->rq->url.host);
	struct bytes origin = header_of(k, BYTES("origin"));
	enum cors_verdict v = CORS_OK;

	if (c != NULL && c->refuses && origin.n != 0 && !cors_is_own(origin, k->rq->authority)) {
		v = cors_judge(c, origin, k->rq->method, (struct bytes){NULL, 0});
	}
	if (v != CORS_OK) {
		refuse_page(k, v);
	}
	return v == CORS_OK;
}

/* What request-block says of the head; of the body only that it is looked at. False: answered. */
static bool judge_head(struct asking *k, const struct route *r)
{
	const struct explain_request *rq = k->rq;
	const struct blocking_head h = {
		rq->url.host, blocking_target(&rq->url), rq->n_fields, field_of, rq->fields};
	const struct blocking *b = NULL;
	enum blocking_by by = BLOCKING_NOT;
	size_t at = 0;

	if (r->blocking == NULL) {
		return true;
	}
	by = blocking_judge(r->blocking, &h, &b);
	if (by != BLOCKING_NOT) {
		answer(k, blocking_status(b, by), blocking_reason(by), "request-block: %s",
			blocking_text(by));
		return false;
	}
	while (rq->has_body && (b = blocking_next(r->blocking, rq->url.host, &at)) != NULL) {
		k->out->screens_body = k->out->screens_body || b->bodies != NULL;
	}
	return true;
}

/* identify */
static bool identify(struct asking *k)
{
	const struct explain_decided *d = &k->decided;

	for (unsigned p = AUTH_PLUGINS; p-- > 0;) {
		enum auth_plugin by = (enum auth_plugin)p;
		enum auth_verdict v =
			decide_identify(by, d->candidates, d->n_candidates, &d->caller);

		k->out->known = known(k, d->candidates[0]);
		if (v != AUTH_OK) {
			refuse(k, by, v);
			return false;
		}
	}
	return !blocking_is_certain(d->candidates, d->n_candidates) ||
		judge_head(k, d->candidates[0]);
}

static bool is_multipart(struct bytes type)
{
	return bytes_starts_nocase(type, BYTES("multipart/form-data"));
}

static void choose_automatically(struct asking *k)
{
	const struct model_router *m = k->plan->router;
	struct explain *out = k->out;

	out->chosen = model_router_choose(m, k->rq->text);
	out->model = out->chosen.n != 0 ? out->chosen : out->model;
	decide_automatic(m, out->chosen, &k->model);
}

/* gather, automatic: what the body says. */
static bool read_body(struct asking *k)
{
	const struct explain_request *rq = k->rq;
	const struct explain_decided *d = &k->decided;
	const struct model_router *m = k->plan->router;
	struct explain *out = k->out;
	struct bytes type = field_value(rq, FIELD_CONTENT_TYPE);
	bool reads = model_router_reads(m, out->api, rq->url.path);
	bool ai = api_reads_body(out->api) && decide_any_ai(d->candidates, d->n_candidates);
	bool json = decide_is_json(type);

	out->routes_by_model = decide_by_model(d->candidates, d->n_candidates) && reads;
	out->reads_body =
		rq->has_body && (ai || out->routes_by_model) && (json || is_multipart(type));
	k->model = (struct route_model){.name = BYTES("")};
	k->decided.model = &k->model;
	if (!rq->has_body && ai && bytes_eq(rq->method, BYTES("POST"))) {
		answer(k, 400, "body.invalid_json",
			"the request body is empty; this API wants a JSON object");
		k->decided.model = NULL;
		return false;
	}
	if (!out->reads_body) {
		return true;
	}
	out->model = rq->model;
	if (reads && json && m->automatic.on &&
		bytes_eq(rq->model, BYTES(MODEL_ROUTER_AUTOMATIC))) {
		choose_automatically(k);
	} else if (reads) {
		struct bytes rest = decide_model(m, rq->model, &k->model);

		out->model = m->key == NULL ? rest : out->model;
	}
	return true;
}

static bool allows(void *of, const struct route *r)
{
	const struct asking *k = of;
	enum auth_plugin by;

	return explain_judge_auth(&k->decided, r, &by) == AUTH_OK;
}

static bool asks_models(const struct explain_request *rq, enum api api)
{
	return (api == API_MODELS || api == API_RETRIEVE_MODEL) &&
		(bytes_eq(rq->method, BYTES("GET")) || bytes_eq(rq->method, BYTES("HEAD")));
}

/* models: what the gateway answers itself. False: the request goes on. */
static bool list_models(struct asking *k)
{
	struct explain_decided *d = &k->decided;
	const struct models_input in = {
		k->plan->router, d->candidates, d->n_candidates, allows, NULL, k};
	const struct route *r = asks_models(k->rq, k->out->api) ? models_route(&in) : NULL;
	struct strings names;

	if (r == NULL) {
		return false;
	}
	d->route = k->out->route = r;
	k->out->known = known(k, r);
	k->out->consumer = decide_consumer(r, &d->caller);
	if (!judge_head(k, r) || !judge_page(k, r)) {
		return true;
	}
	if (k->out->api == API_RETRIEVE_MODEL && models_list(&in, k->arena, &names) &&
		!models_has(&names, models_asked(k->rq->url.path, k->arena))) {
		answer(k, 404, "route.not_found",
			"there is no such model in the list of models, unless the provider's own "
			"list has it, which only the gateway asks for");
	} else {
		answer(k, 200, "models.listed",
			"the gateway says which models there are (modelsFromMapping)");
	}
	return true;
}

static void explain_fixed(struct asking *k, const struct fixed_answer *a)
{
	if (a->location.n != 0) {
		answer(k, a->status, fixed_answer_reason(a), "the route redirects to " BYTES_FMT,
			BYTES_ARG(a->location));
	} else {
		answer(k, a->status, fixed_answer_reason(a),
			"the route gives a mock answer, and asks no service");
	}
}

/* decide */
static bool choose(struct asking *k)
{
	struct explain_decided *d = &k->decided;
	enum auth_plugin by;
	enum auth_verdict v;

	d->route = plan_choose(d->candidates, d->n_candidates, &k->model);
	k->out->route = d->route;
	if (d->route == NULL) {
		answer(k, 404, "route.not_found",
			k->rq->has_body
				? "the routes for this path are chosen by the model, and none takes "
				  "this one"
				: "the routes for this path are chosen by the model, and a request "
				  "without a body names none");
		return false;
	}
	v = explain_judge_auth(d, d->route, &by);
	k->out->known = known(k, d->route);
	if (v != AUTH_OK) {
		refuse(k, by, v);
		return false;
	}
	k->out->consumer = decide_consumer(d->route, &d->caller);
	if (!judge_head(k, d->route) || !judge_page(k, d->route)) {
		return false;
	}
	if (d->route->fixed != NULL) {
		explain_fixed(k, d->route->fixed);
		return false;
	}
	if (d->route->is_tools) {
		answer(k, 501, "mcp.unsupported",
			"the route is an MCP server's, whose tools this version does not run");
		return false;
	}
	if (d->route->total_weight == 0) {
		answer(k, 503, "config.invalid",
			"the route has no usable destination; its resources need a correction");
		return false;
	}
	return true;
}

/* choose, prepare: of each destination that can be chosen. */
static void describe(struct asking *k, const struct destination *to, struct explain_destination *e)
{
	const struct explain_request *rq = k->rq;
	struct explain *out = k->out;
	const struct endpoint *first = to->service->endpoints;
	struct text t;

	*e = (struct explain_destination){.to = to, .model = out->model};
	if (to->service->n_endpoints == 0) {
		e->status = 503;
		e->reason = "config.invalid";
		return;
	}
	text_init(&t, SIZE_MAX);
	if (decide_target(out->route, to, out->api, &k->sent, &t) != 0) {
		e->status = 404;
		e->reason = "api.unsupported";
	}
	e->target = arena_copy(k->arena, text_bytes(&t));
	text_done(&t);
	e->host = decide_host(out->route, to, rq->authority);
	if (to->provider != NULL && out->reads_body) {
		e->model = decide_upstream_model(to, out->model, k->arena);
	}
	if (to->service->tls) {
		e->tls_name = decide_tls_name(to, first->host);
	}
}

static void describe_all(struct asking *k)
{
	const struct route *r = k->out->route;
	struct explain *out = k->out;
	const struct explain_destination *refusing = NULL;

	out->n_destinations = r->n_destinations;
	out->destinations = arena_must(k->arena, r->n_destinations * sizeof(*out->destinations));
	for (size_t i = 0; i < r->n_destinations; i++) {
		describe(k, &r->destinations[i], &out->destinations[i]);
		if (out->destinations[i].status != 0 && r->destinations[i].weight != 0 &&
			refusing == NULL) {
			refusing = &out->destinations[i];
		}
	}
	for (size_t i = 0; i < r->n_destinations; i++) {
		if (r->destinations[i].weight != 0 && out->destinations[i].status == 0) {
			return; /* at least a part of the requests is served */
		}
	}
	answer(k, refusing->status, refusing->reason, "%s",
		refusing->status == 404 ? "the provider does not serve this API"
					: "the service has no endpoint");
}

static void list_headers(struct asking *k)
{
	const struct explain_request *rq = k->rq;

	k->auth = arena_must(k->arena, (rq->n_fields + 1) * sizeof(*k->auth));
	for (size_t i = 0; i < rq->n_fields; i++) {
		const struct explain_field *f = &rq->fields[i];

		k->auth[i] = (struct auth_header){f->name, f->value, f->id};
	}
}

void explain_request(const struct plan *p, const struct explain_request *asked, struct arena *a,
	struct explain *out)
{
	struct explain_request plain = *asked;
	const struct explain_request *rq = &plain;
	struct asking k = {.plan = p, .rq = rq, .arena = a, .out = out};

	plain.url.host = decide_plain_host(asked->url.host);
	*out = (struct explain){.text = BYTES("")};
	k.query = (struct route_query){.host = rq->url.host,
		.path = rq->url.path,
		.method = method_of(rq->method),
		.query = rq->url.query,
		.header = header_of,
		.header_of = &k};
	k.sent = (struct url){.path = rq->url.path, .query = rq->url.query};
	k.decided.query = &k.query;
	k.decided.caller = (struct decide_caller){look_up, &k, rq->url.host};
	list_headers(&k);
	if (begin(&k) && find_candidates(&k) && identify(&k) && read_body(&k) && !list_models(&k) &&
		choose(&k)) {
		describe_all(&k);
	}
	ASSERT(!out->asked || explain_routes(p, &k.decided, SIZE_MAX, a, &out->routes));
}
