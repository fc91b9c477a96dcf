/*
 * Which route: candidates before the body is read, and the one of them that takes the model.
 */
#include "plan/decide.h"
#include "proxy/bridges.h"
#include "proxy/decision.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

/* A header that the model router sets is not the client's to say. */
static void strip_routing_headers(struct exchange *x, const struct model_router *m)
{
	const struct head *h = &x->rq->head;

	for (unsigned i = 0; m->on && i < h->n_fields; i++) {
		if (decide_is_routers(m, (enum field_id)h->fields[i].id, head_name(h, i))) {
			exchange_strip(x, i);
		}
	}
}

/* --- fields of one name ------------------------------------------------------------------------- */

/* Made once for a name, because as many routes ask for it as there are. */
struct joined {
	struct joined *next;
	struct bytes name, value;
};

static const struct joined *find_joined(const struct request *rq, struct bytes name)
{
	const struct joined *j = rq->joined;

	if (memcmp(rq->joined_without, rq->strip_fields, sizeof(rq->strip_fields)) != 0) {
		return NULL; /* other fields were there */
	}
	while (j != NULL && !bytes_eq(j->name, name)) {
		j = j->next;
	}
	return j;
}

static struct joined *add_joined(struct request *rq, struct bytes name, size_t n)
{
	struct joined *j = arena_alloc(&rq->arena, sizeof(*j));
	char *room = j != NULL ? arena_alloc(&rq->arena, n) : NULL;

	if (room == NULL) {
		return NULL;
	}
	if (memcmp(rq->joined_without, rq->strip_fields, sizeof(rq->strip_fields)) != 0) {
		memcpy(rq->joined_without, rq->strip_fields, sizeof(rq->strip_fields));
		rq->joined = NULL;
	}
	*j = (struct joined){rq->joined, name, bytes_of(room, 0)};
	rq->joined = j;
	return j;
}

static bool is_field(const struct exchange *x, unsigned i, struct bytes name)
{
	return bytes_eq_nocase(head_name(&x->rq->head, i), name) && !exchange_stripped(x, i);
}

/* n: of all values with a comma behind each. */
static struct bytes join(struct exchange *x, struct bytes name, size_t n)
{
	const struct head *h = &x->rq->head;
	const struct joined *known = find_joined(x->rq, name);
	struct joined *j = known == NULL ? add_joined(x->rq, name, n) : NULL;
	struct text t;

	if (j == NULL) {
		return known != NULL ? known->value : (struct bytes){NULL, 0};
	}
	text_init_fixed(&t, (char *)(uintptr_t)j->value.p, n);
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (is_field(x, i, name)) {
			text_add_bytes(&t, head_value(h, i));
			text_add_char(&t, ',');
		}
	}
	j->value.n = t.n - 1;
	return j->value;
}

/* Fields of one name are one value (higress-resources.md §5.4); what is not sent on is not there. */
struct bytes routing_header(struct exchange *x, struct bytes name)
{
	const struct head *h = &x->rq->head;
	struct bytes value = {NULL, 0};
	size_t sum = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_fields; i++) {
		if (is_field(x, i, name)) {
			value = n++ == 0 ? head_value(h, i) : value;
			sum += head_value(h, i).n + 1;
		}
	}
	return n > 1 ? join(x, name, sum) : value;
}

/* --- candidates --------------------------------------------------------------------------------- */

/* The one place that says how the request came. */
static struct bytes scheme_of(const struct exchange *x)
{
	return x->client->tls != NULL ? BYTES("https") : BYTES("http");
}

/* With the port, when one was given. */
static struct bytes authority_of(const struct request *rq)
{
	struct bytes host = rq->url.host;
	const char *end = rq->head.target.p + rq->head.target.n;

	if (host.n == 0) {
		return head_get(&rq->head, FIELD_HOST);
	}
	if (rq->url.port != 0) { /* an absolute target: ":port" follows */
		do {
			host.n++;
		} while (host.p + host.n < end && ascii_digit(host.p[host.n]));
	}
	return host;
}

/* What HTTP/2 says in pseudo headers. */
static struct bytes pseudo_header(const struct exchange *x, struct bytes name)
{
	const struct request *rq = x->rq;
	const struct url *u = &rq->url;

	if (bytes_eq(name, BYTES(":method"))) {
		return rq->head.method;
	}
	if (bytes_eq(name, BYTES(":scheme"))) {
		return scheme_of(x);
	}
	if (bytes_eq(name, BYTES(":authority"))) {
		return authority_of(rq);
	}
	return u->query.p == NULL /* else it stands behind the path in the target */
		? u->path
		: bytes_of(u->path.p, (size_t)(u->query.p + u->query.n - u->path.p));
}

static struct bytes header_of(void *of, struct bytes name)
{
	return name.p[0] == ':' ? pseudo_header(of, name) : routing_header(of, name);
}

static enum verdict pin(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct route *r = probe_route(x->probe, x->view->plan);

	if (r == NULL) {
		return reply_set(x, 404, "probe.no_provider",
			"provider " BYTES_FMT
			" is unknown, its configuration cannot be used, or "
			"no service belongs to it",
			BYTES_ARG(texts_cut(probe_provider(x->probe))));
	}
	rq->candidates = rq->candidate_room;
	rq->candidate_room[0] = r;
	rq->n_candidates = 1;
	return VERDICT_NEXT;
}

static enum verdict find_candidates(struct exchange *x, const struct route_query *q)
{
	struct request *rq = x->rq;
	const struct plan *p = x->view->plan;

	if (x->probe != NULL) {
		return pin(x);
	}
	rq->candidates = rq->candidate_room;
	rq->n_candidates = plan_leaders(p, q, rq->candidates, PLAN_LEADERS_MAX);
	if (rq->n_candidates > PLAN_LEADERS_MAX) {
		rq->candidates =
			arena_alloc(&rq->arena, rq->n_candidates * sizeof(const struct route *));
		if (rq->candidates == NULL) {
			rq->n_candidates = 0;
			return reply_set(x, 503, "config.invalid",
				"too many routes of one path hold for this request at once");
		}
		rq->n_candidates = plan_leaders(p, q, rq->candidates, rq->n_candidates);
	}
	return VERDICT_NEXT;
}

struct route_query routing_query(struct exchange *x)
{
	const struct request *rq = x->rq;

	return (struct route_query){.host = x->rq->host,
		.path = rq->url.path,
		.method = method_of(rq->head.method),
		.query = rq->url.query,
		.header = header_of,
		.header_of = x};
}

enum verdict step_candidates(struct exchange *x)
{
	struct request *rq = x->rq;
	struct route_query q = routing_query(x);
	const struct model_router *router;

	x->view = view_use(x->w);
	if (x->view == NULL) {
		return reply_set(x, 503, "config.invalid", "no configuration has been loaded yet");
	}
	router = x->view->plan->router;
	strip_routing_headers(x, router);
	decision_begin(x);
	if (x->view->plan->has_cors && browser_preflight(x, &q) == VERDICT_REPLY) {
		return VERDICT_REPLY;
	}
	if (find_candidates(x, &q) == VERDICT_REPLY) {
		return VERDICT_REPLY;
	}
	if (x->view->plan->has_cors) {
		browser_candidates(x);
	}
	if (rq->n_candidates == 0) {
		return reply_set(x, 404, "route.not_found",
			"no route serves path %.*s on host %.*s", BYTES_ARG(x->rq->texts.path),
			BYTES_ARG(x->rq->texts.host));
	}
	rq->routes_by_model = decide_by_model(rq->candidates, rq->n_candidates) &&
		model_router_reads(router, rq->api, rq->url.path);
	return VERDICT_NEXT;
}

/* --- https only --------------------------------------------------------------------------------- */

/*
 * Where the same thing is to be had over TLS. A client that names no port has come by the default one,
 * whatever it is mapped to, and will find the other default. One that names a port talks to us without
 * anything between: our own port for TLS is the one to go to.
 */
static struct bytes https_url(struct exchange *x, struct bytes host, bool named_port)
{
	struct request *rq = x->rq;
	uint16_t port = named_port ? x->w->tls_port : 0;
	size_t max = host.n + rq->url.path.n + rq->url.query.n + sizeof("https://:65535/?");
	char *room = arena_alloc(&rq->arena, max);
	struct text t;

	if (room == NULL) {
		return BYTES("");
	}
	text_init_fixed(&t, room, max);
	text_add_str(&t, "https://");
	text_add_bytes(&t, host);
	if (port != 0 && port != 443) {
		text_addf(&t, ":%u", port);
	}
	if (bytes_starts(rq->url.path, BYTES("/"))) {
		text_add_bytes(&t, rq->url.path);
	} else {
		text_add_char(&t, '/');
	}
	if (rq->url.query.p != NULL) {
		text_add_char(&t, '?');
		text_add_bytes(&t, rq->url.query);
	}
	return text_bytes(&t);
}

/* Before anybody asks for a key: none should cross the network in the clear, and whichever candidate
 * the body would choose, it is not read. */
enum verdict step_redirect(struct exchange *x)
{
	struct request *rq = x->rq;
	struct bytes host = rq->url.host;
	uint16_t port = rq->url.port;

	if (x->client->tls != NULL || !decide_wants_tls(rq->candidates, rq->n_candidates)) {
		return VERDICT_NEXT;
	}
	if (host.n == 0 &&
		url_parse_authority(head_get(&rq->head, FIELD_HOST), &host, &port) != 0) {
		return reply_set(x, 400, "request.malformed",
			"this route is served over https only, and the request names no host");
	}
	rq->reply.location = https_url(x, host, port != 0);
	if (rq->reply.location.n == 0) {
		return reply_no_memory(x);
	}
	return reply_set(x, 308, "https.required", "this route is served over https only");
}

/* --- the model ---------------------------------------------------------------------------------- */

/* Longest model that another member than "model" may name. Attack: text in logs and lookups. */
#define KEY_MODEL_MAX 512u
#define KEY_HITS 4u

/* A second scan beside the one of the dialect, for the rare plugin that names a member of its own. */
struct key_scan {
	struct json_scan_room room;
	struct json_scan *scan;
	struct json_hits hits;
	struct json_hit hits_room[KEY_HITS];
	bool failed; /* more hits than there is room for */
};

bool routing_begin_body(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct model_router *router = x->view->plan->router;
	struct key_scan *k;

	if (!rq->gathers || !rq->routes_by_model || router->key == NULL) {
		return true;
	}
	k = arena_alloc(&rq->arena, sizeof(*k));
	if (k == NULL) {
		return false;
	}
	k->failed = false;
	json_hits_init(&k->hits, k->hits_room, KEY_HITS, KEY_HITS);
	k->scan = json_scan_init(&k->room, router->key, &k->hits);
	rq->key_scan = k;
	return true;
}

void routing_scan(struct exchange *x, struct bytes more)
{
	struct key_scan *k = x->rq->key_scan;

	if (k != NULL && !k->failed) {
		k->failed = json_scan_feed(k->scan, more.p, more.n, NULL) == READ_FAIL;
	}
}

static bool refuse_key(struct exchange *x)
{
	reply_set(x, 400, "body.invalid_json",
		"the member of the request body that names the model must be one short string");
	return false;
}

/* What modelKey names; empty when the body has no such member. False: replied. */
static bool read_key(struct exchange *x, struct bytes *out)
{
	struct request *rq = x->rq;
	const struct key_scan *k = rq->key_scan;
	const struct json_hit *h = json_hits_get(&k->hits, 0, NULL);
	char raw[KEY_MODEL_MAX + 2];
	struct text t;
	size_t len;

	*out = BYTES("");
	if (k->failed || k->hits.n > 1) {
		return refuse_key(x);
	}
	if (h == NULL) {
		return true;
	}
	len = (size_t)(h->end - h->beg);
	if (h->type != JSON_STRING || len > sizeof(raw)) {
		return refuse_key(x);
	}
	chain_copy(&rq->body, (size_t)h->beg, len, raw);
	text_init(&t, KEY_MODEL_MAX);
	json_unescape(bytes_of(raw + 1, len - 2), &t);
	*out = arena_copy(&rq->arena, text_bytes(&t));
	text_done(&t);
	return out->p != NULL || refuse_key(x);
}

/* What the model router makes of the model. False: replied. */
static bool read_model(struct exchange *x, struct route_model *m)
{
	struct request *rq = x->rq;
	const struct model_router *router = x->view->plan->router;
	struct bytes name = rq->model;
	struct bytes rest;

	*m = (struct route_model){.name = BYTES("")};
	if (rq->automatic != NULL) {
		decide_automatic(router, rq->chosen_model, m);
		return true;
	}
	if ((!rq->gathers && rq->upload == NULL) ||
		!model_router_reads(router, rq->api, rq->url.path)) {
		return true;
	}
	if (rq->key_scan != NULL && !read_key(x, &name)) {
		return false;
	}
	rest = decide_model(router, name, m);
	rq->model = router->key == NULL ? rest : rq->model;
	return true;
}

static void no_such_model(struct exchange *x, const struct route_model *m)
{
	struct request *rq = x->rq;
	struct bytes name = texts_cut(m->name);

	rq->reply.model_not_found = true;
	if (rq->automatic != NULL && rq->chosen_model.n == 0) {
		reply_set(x, 404, "route.not_found",
			"no rule of the automatic routing takes this request, and there is no "
			"default model");
	} else if (name.n != 0) {
		reply_set(x, 404, "route.not_found", "no route of this path serves model %.*s",
			BYTES_ARG(name));
	} else if (rq->gathers || rq->upload != NULL || !rq->head.has_body) {
		reply_set(x, 404, "route.not_found",
			"the routes for this path are chosen by the model, and the request names "
			"none");
	} else {
		reply_set(x, 404, "route.not_found",
			"the routes for this path are chosen by the model, which is read from JSON "
			"and multipart/form-data bodies of known APIs only");
	}
}

bool routing_choose(struct exchange *x)
{
	struct request *rq = x->rq;

	if (x->probe != NULL) {
		rq->route = rq->candidates[0];
		return true;
	}
	if (!bridges_cross(x)) {
		reply_no_memory(x);
		return false;
	}
	if (!read_model(x, &rq->route_model)) {
		return false;
	}
	rq->has_route_model = true;
	rq->route = plan_choose(rq->candidates, rq->n_candidates, &rq->route_model);
	if (rq->route == NULL) {
		no_such_model(x, &rq->route_model);
	}
	return rq->route != NULL;
}
