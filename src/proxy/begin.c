/*
 * Step begin: what the head of a request says, before anything is chosen by it. Three things are settled here, because
 * everything behind relies on them: which fields a client may not send (they are marked, and no copy is made without them), under
 * which id and trace the request goes through the access log and to the upstream, and what its target and host are. Addresses
 * of the gateway's own health end here.
 */
#include "plan/decide.h"
#include "proxy/decision.h"
#include "proxy/worker.h"

/* Returns which fields there are: a bit for each enum field_id. */
static uint64_t sanitise(struct exchange *x)
{
	const struct head *h = &x->rq->head;
	uint64_t there = 0;

	for (unsigned i = 0; i < h->n_fields; i++) {
		enum field_id id = (enum field_id)h->fields[i].id;

		there |= UINT64_C(1) << id;
		if (id == FIELD_X_SLUICE) {
			decision_ask(x, i);
			x->timing |= bytes_eq_nocase(head_name(h, i), BYTES("x-sluice-timing"));
		}
		if (h->fields[i].hop || decide_forbids(id) || id == FIELD_CONTENT_LENGTH) {
			exchange_strip(x, i);
		}
	}
	return there;
}

static bool is_sane_id(struct bytes id)
{
	if (id.n == 0 || id.n > sizeof(((struct record *)0)->id)) {
		return false;
	}
	for (size_t i = 0; i < id.n; i++) {
		char c = ascii_lower(id.p[i]);

		if (!ascii_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') {
			return false;
		}
	}
	return true;
}

/* How often the client sent it; *first: its first value. */
static unsigned find_fields(const struct head *h, enum field_id id, struct bytes *first)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_fields; i++) {
		if (h->fields[i].id == (uint8_t)id && n++ == 0) {
			*first = head_value(h, i);
		}
	}
	return n;
}

static void strip_all(struct exchange *x, enum field_id id)
{
	for (unsigned i = 0; i < x->rq->head.n_fields; i++) {
		if (x->rq->head.fields[i].id == (uint8_t)id) {
			exchange_strip(x, i);
		}
	}
}

/* The client's own is sent on where it stands; step_send adds a new one. */
static void make_id(struct exchange *x, bool there)
{
	struct bytes theirs = {NULL, 0};

	if (there) {
		if (find_fields(&x->rq->head, FIELD_X_REQUEST_ID, &theirs) == 1 &&
			is_sane_id(theirs)) {
			memcpy(x->rec.id, theirs.p, theirs.n);
			x->rec.id_n = (uint8_t)theirs.n;
			return;
		}
		strip_all(x, FIELD_X_REQUEST_ID);
	}
	reply_make_id(x->w, x->rec.id);
	x->rec.id_n = RECORD_ID_NEW;
	x->rq->new_id = true;
}

/* W3C Trace Context §3.2, §3.3: tracestate means nothing without a traceparent that can be believed. */
static void find_trace(struct exchange *x, bool there)
{
	struct bytes theirs = {NULL, 0};
	unsigned n;

	if (there) {
		n = find_fields(&x->rq->head, FIELD_TRACEPARENT, &theirs);
		strip_all(x, FIELD_TRACEPARENT);
		if (n == 1 && trace_parse(theirs, &x->rec.trace)) {
			return;
		}
		strip_all(x, FIELD_TRACESTATE);
	}
	x->rec.trace =
		(struct trace){.id = {random_u64(&x->w->random) | 1, random_u64(&x->w->random)}};
}

static struct bytes find_host(const struct request *rq)
{
	struct bytes host = rq->url.host;
	uint16_t port;

	if (host.n == 0 &&
		url_parse_authority(head_get(&rq->head, FIELD_HOST), &host, &port) != 0) {
		return (struct bytes){"", 0};
	}
	return decide_plain_host(host);
}

/* Any other Upgrade may be ignored (RFC 9110 §7.8): Java's client asks for h2c with every request. */
static bool wants_websocket(const struct head *h)
{
	return h->upgrade && bytes_eq_nocase(head_get(h, FIELD_UPGRADE), BYTES("websocket"));
}

static enum verdict health(struct exchange *x, struct bytes path)
{
	if (bytes_eq(path, BYTES("/healthz/live"))) {
		return reply_set(x, 200, "health", "ok");
	}
	if (!bytes_eq(path, BYTES("/healthz/ready"))) {
		return reply_set(
			x, 404, "route.not_found", "health is at /healthz/live and /healthz/ready");
	}
	if (x->w->view != NULL) {
		return reply_set(x, 200, "health", "ready");
	}
	return reply_set(x, 503, "health", "no configuration has been loaded yet");
}

enum verdict step_begin(struct exchange *x)
{
	struct request *rq = x->rq;
	struct bytes suffix;
	struct fault f;
	uint64_t there;

	there = sanitise(x);
	make_id(x, (there >> FIELD_X_REQUEST_ID & 1) != 0);
	find_trace(
		x, (there >> FIELD_TRACEPARENT & 1) != 0 || (there >> FIELD_TRACESTATE & 1) != 0);
	x->rq->texts.method = texts_cut(rq->head.method);
	if (url_parse_target(&rq->url, rq->head.target, &f) != 0) {
		x->rq->texts.path = BYTES("-");
		return reply_set(x, 400, "request.malformed", "%s", f.text);
	}
	x->rq->texts.path = texts_cut(rq->url.path);
	rq->host = find_host(rq);
	rq->texts.host = texts_cut(rq->host);
	rq->query = rq->url.query;
	if (bytes_starts(rq->url.path, BYTES("/healthz/"))) {
		return health(x, rq->url.path);
	}
	rq->api = api_of_path(rq->url.path, &suffix);
	x->protocol = (uint8_t)api_protocol(rq->api);
	if (wants_websocket(&rq->head) || rq->api == API_REALTIME) {
		return reply_set(x, 501, "api.unsupported",
			"WebSocket connections (realtime) are not served yet; use the HTTP API");
	}
	return VERDICT_NEXT;
}
