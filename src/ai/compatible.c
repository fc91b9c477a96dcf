#include "ai/compatible.h"

#include <stdlib.h>

#include "ai/aggregate.h"
#include "ai/chat_read.h"
#include "ai/failures.h"
#include "ai/promote.h"
#include "ai/request_edit.h"
#include "ai/usage_read.h"
#include "plan/decide.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

/* Longest model name. Vendors' own are below 100 bytes. Attack: text in logs and lookups. */
#define MODEL_MAX 512u
/* An event's hits: each want once, and a few repeated members. */
#define EVENT_HITS 40u
/* A number that lies across two pieces of an answer has at most this much in the earlier one. */
#define CARRY_MAX 32u

struct json_query *compatible_request_query(void)
{
	static const struct json_want wants[WANT_COUNT] = {
		[WANT_MODEL] = {"model", NULL},
		[WANT_STREAM] = {"stream", NULL},
		[WANT_STREAM_OPTIONS] = {"stream_options", NULL},
		[WANT_INCLUDE_USAGE] = {"stream_options.include_usage", NULL},
		[WANT_DEVELOPER] = {"messages[].role", "developer"},
		[WANT_REASONING_EFFORT] = {"reasoning_effort", NULL},
		[WANT_REASONING_MAX_TOKENS] = {"reasoning_max_tokens", NULL},
		[WANT_REASONING] = {"reasoning", NULL},
		[WANT_REASONING_MAX] = {"reasoning.max_tokens", NULL},
		[WANT_THINKING] = {"thinking", NULL},
		[WANT_RESPONSE_FORMAT] = {"response_format", NULL},
		[WANT_WATERMARK] = {"watermark", NULL},
		[WANT_PARALLEL_TOOL_CALLS] = {"parallel_tool_calls", NULL},
		[WANT_TOOL_CHOICE] = {"tool_choice", NULL},
	};

	return json_query_new(wants, WANT_COUNT);
}

struct json_query *compatible_answer_query(void)
{
	return usage_query();
}

struct json_query *compatible_chat_query(void)
{
	return chat_query();
}

/* --- request ------------------------------------------------------------------------------------ */

COLD static bool refuse(struct exchange *x, const char *why)
{
	reply_set(x, 400, "body.invalid_json", "%s", why);
	return false;
}

/* data-plane.md §1.2 stage 4: a model that is no string or stands twice is refused. */
static bool read_model(struct exchange *x)
{
	struct request *rq = x->rq;
	size_t n;
	const struct json_hit *h = json_hits_get(&rq->hits, WANT_MODEL, &n);
	char raw[MODEL_MAX + 2];
	struct text t;
	size_t len;

	if (h == NULL) {
		return true;
	}
	if (n > 1) {
		return refuse(x, "the request body has the member \"model\" twice; send it once");
	}
	len = (size_t)(h->end - h->beg);
	if (h->type != JSON_STRING || len > sizeof(raw)) {
		return refuse(x, "the member \"model\" of the request body must be a short string");
	}
	chain_copy(&rq->body, (size_t)h->beg, len, raw);
	if (!h->escaped) {
		rq->model = arena_copy(&rq->arena, bytes_of(raw + 1, len - 2));
	} else {
		text_init(&t, MODEL_MAX);
		json_unescape(bytes_of(raw + 1, len - 2), &t);
		rq->model = arena_copy(&rq->arena, text_bytes(&t));
		text_done(&t);
	}
	rq->body_model = rq->model;
	return rq->model.p != NULL || refuse(x, "the request is too complex");
}

static bool read_request(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct json_hit *stream;
	size_t n;

	if (json_scan_top(rq->scan) != JSON_OBJECT) {
		return refuse(x, "the request body must be a JSON object");
	}
	json_hits_get(&rq->hits, WANT_STREAM_OPTIONS, &n);
	stream = json_hits_get(&rq->hits, WANT_STREAM, NULL);
	if (n > 1) {
		return refuse(x,
			"the request body has the member \"stream_options\" twice; send it once");
	}
	json_hits_get(&rq->hits, WANT_INCLUDE_USAGE, &n);
	if (n > 1) {
		return refuse(
			x, "the request body has the member \"include_usage\" twice; send it once");
	}
	json_hits_get(&rq->hits, WANT_STREAM, &n);
	if (n > 1) {
		return refuse(x, "the request body has the member \"stream\" twice; send it once");
	}
	rq->stream = stream != NULL && stream->type == JSON_TRUE;
	if (!read_model(x)) {
		return false;
	}
	x->rq->texts.model = texts_cut(rq->model);
	return true;
}

/* --- prepare ------------------------------------------------------------------------------------ */

/* providers.md §8, D-13: the provider's own credential is the only one that reaches it. */
static bool is_credential(enum field_id id)
{
	return id == FIELD_AUTHORIZATION || id == FIELD_X_API_KEY || id == FIELD_API_KEY ||
		id == FIELD_X_GOOG_API_KEY || id == FIELD_X_AUTHORIZATION;
}

/* A stream of events is asked for in words that OpenAI's and Anthropic's servers know. */
static bool asks_events(const struct request *rq)
{
	return rq->stream && api_protocol(rq->api) != PROTOCOL_GEMINI;
}

/* The client's own of these say what its answer is to look like; a provider that says which version it
 * speaks has the last word. */
static bool keeps_anthropic(const struct exchange *x, enum field_id id)
{
	const struct provider *p = x->rq->at.to->provider;

	return p->original ||
		(api_protocol(x->rq->api) == PROTOCOL_ANTHROPIC &&
			!(id == FIELD_ANTHROPIC_VERSION && p->version_is_fixed));
}

static void strip_fields(struct exchange *x)
{
	const struct head *h = &x->rq->head;
	bool read = api_has_usage(x->rq->api);

	for (unsigned i = 0; i < h->n_fields; i++) {
		enum field_id id = (enum field_id)h->fields[i].id;

		if (is_credential(id) || (id == FIELD_ACCEPT_ENCODING && read) ||
			(id == FIELD_ACCEPT && asks_events(x->rq)) ||
			((id == FIELD_ANTHROPIC_VERSION || id == FIELD_ANTHROPIC_BETA) &&
				!keeps_anthropic(x, id))) {
			exchange_strip(x, i);
		}
	}
}

/* What the provider's servers speak, as far as a client may have meant it. */
static const char *protocol_of(const struct provider_type *t)
{
	static const char *const names[] = {
		[PROTOCOL_OPENAI] = "OpenAI",
		[PROTOCOL_ANTHROPIC] = "Anthropic",
		[PROTOCOL_GEMINI] = "Gemini",
	};

	return names[t->n_caps != 0 ? api_protocol(t->caps[0].api) : PROTOCOL_OPENAI];
}

static void unsupported(struct exchange *x)
{
	const struct provider *p = x->rq->at.to->provider;
	enum protocol asked = api_protocol(x->rq->api);
	const struct bytes id = texts_cut(p->id);

	if (p->type->n_caps != 0 && asked != api_protocol(p->type->caps[0].api)) {
		reply_set(x, 404, "api.unsupported",
			"provider %.*s (type %s) speaks the protocol of %s, and this version does not "
			"translate; use a route to one that serves this API",
			BYTES_ARG(id), p->type->name, protocol_of(p->type));
		return;
	}
	reply_set(x, 404, "api.unsupported",
		"provider %.*s (type %s) does not serve this API; use a route to one that does",
		BYTES_ARG(id), p->type->name);
}

static bool make_target(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct url url = {.path = rq->url.path, .query = rq->query};
	int rc = decide_target(rq->at.route, rq->at.to, rq->api, &url, &rq->at.target);

	if (rc != 0) {
		unsupported(x);
		return false;
	}
	return true;
}

static struct bytes map_model(const struct exchange *x, struct bytes model)
{
	return decide_upstream_model(x->rq->at.to, model, &x->rq->arena);
}

static bool set_model(struct exchange *x)
{
	return request_edit(x, x->rq->model);
}

/* modelDeny. What the client asks for counts, not what that is mapped to. */
static bool is_denied(struct exchange *x)
{
	const struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;
	struct bytes name;

	if (rq->model.n == 0 || mapping_is_empty(&p->deny) ||
		!mapping_matches(&p->deny, rq->model)) {
		return false;
	}
	name = texts_cut(rq->model);
	reply_set(x, 403, "model.denied", "model %.*s may not be used here; ask for another one",
		BYTES_ARG(name));
	return true;
}

/* A path that names the deployment needs one. */
static bool put_deployment(struct exchange *x, struct bytes model)
{
	struct request *rq = x->rq;
	const struct provider *p = rq->at.to->provider;

	if (!provider_has_model_path(p, text_bytes(&rq->at.target))) {
		return true;
	}
	if (model.n == 0) {
		reply_set(x, 400, "body.invalid_json",
			"the request names no model, which chooses the deployment at provider %.*s",
			BYTES_ARG(p->id));
		return false;
	}
	provider_put_model(p, model, &rq->at.target);
	return true;
}

static bool prepare(struct exchange *x)
{
	struct request *rq = x->rq;
	struct attempt *at = &rq->at;
	struct bytes model;

	if (!make_target(x) || is_denied(x)) {
		return false;
	}
	strip_fields(x);
	model = map_model(x, rq->model);
	if (!put_deployment(x, model)) {
		return false;
	}
	if (rq->upload != NULL) {
		return true; /* its model may still have to come */
	}
	at->upstream_model = model;
	x->rq->texts.upstream_model = texts_cut(model);
	if (!rq->gathers || !api_reads_body(rq->api)) {
		return true;
	}
	return request_edit(x, model);
}

static void add_credential(struct exchange *x, struct bytes token, struct head_out *out)
{
	enum auth_scheme scheme = x->rq->at.to->provider->type->auth;
	struct text t;
	char *room;

	switch (scheme) {
	case AUTH_RAW:
		head_out_add(out, BYTES("Authorization"), token);
		return;
	case AUTH_X_API_KEY:
		head_out_add(out, BYTES("x-api-key"), token);
		return;
	case AUTH_API_KEY:
		head_out_add(out, BYTES("api-key"), token);
		return;
	case AUTH_X_GOOG_API_KEY:
		head_out_add(out, BYTES("x-goog-api-key"), token);
		return;
	case AUTH_BEARER:
		break;
	}
	room = arena_alloc(&x->rq->arena, token.n + 7);
	if (room == NULL) {
		out->overflow = true;
		return;
	}
	text_init_fixed(&t, room, token.n + 7);
	text_add_str(&t, "Bearer ");
	text_add_bytes(&t, token);
	head_out_add(out, BYTES("Authorization"), text_bytes(&t));
}

static void add_version(struct exchange *x, struct head_out *out)
{
	const struct provider *p = x->rq->at.to->provider;

	if (p->version.n != 0 && !p->original &&
		(p->version_is_fixed || head_get(&x->rq->head, FIELD_ANTHROPIC_VERSION).p == NULL ||
			api_protocol(x->rq->api) != PROTOCOL_ANTHROPIC)) {
		head_out_add(out, BYTES("anthropic-version"), p->version);
	}
}

static void add_headers(struct exchange *x, struct head_out *out)
{
	struct request *rq = x->rq;
	struct bytes token = rq->at.credential;

	if (token.n != 0) {
		add_credential(x, token, out);
	}
	add_version(x, out);
	if (asks_events(rq)) {
		head_out_add(out, BYTES("Accept"), BYTES("text/event-stream"));
	}
	if (api_has_usage(rq->api)) {
		head_out_add(out, BYTES("Accept-Encoding"), BYTES("identity"));
	}
}

/* --- answer ------------------------------------------------------------------------------------- */

struct ai_answer {
	bool stream, hide_usage, moonshot, failed;
	enum api api;
	struct promote *promote;     /* changes it; NULL: nobody does */
	struct aggregate *aggregate; /* the same */
	struct whole *whole; /* an answer that is no stream and comes in pieces; NULL: not yet */
};

static_assert(sizeof(struct ai_answer) <= DIALECT_ROOM, "it lives in the exchange");

/* The scan of an answer that passes in pieces. */
struct whole {
	struct json_scan_room room;
	struct json_scan *scan;
	struct json_hit hits_room[EVENT_HITS];
	struct json_hits hits;
	size_t taken; /* hits that were looked at */
	uint64_t at;  /* offset of the next piece */
	char carry[CARRY_MAX];
	size_t carry_n; /* last bytes before it */
	struct usage_reading reading;
};

/* Chats only, of which the body of the question was read, and that no other protocol is spoken in. */
static enum answer_way choose_way(struct exchange *x, struct ai_answer *a)
{
	const struct provider *p = x->rq->at.to->provider;

	if (a->api != API_CHAT_COMPLETIONS || p->original || !x->rq->gathers) {
		return ANSWER_SENT_ON;
	}
	if (a->stream && !x->rq->stream && p->aggregates) {
		a->aggregate = aggregate_new(x, p->promotes);
		return a->aggregate != NULL ? ANSWER_GATHERED : ANSWER_SENT_ON;
	}
	if (p->promotes) {
		a->promote = promote_new(x);
	}
	return a->promote == NULL ? ANSWER_SENT_ON : a->stream ? ANSWER_REWRITTEN : ANSWER_GATHERED;
}

static enum answer_way begin_answer(struct exchange *x, bool stream)
{
	struct ai_answer *a = (struct ai_answer *)(void *)x->answer_room;

	*a = (struct ai_answer){
		.stream = stream,
		.api = x->rq->api,
		.hide_usage = x->rq->at.hide_usage,
		.moonshot = (x->rq->at.to->provider->tweaks & TWEAK_MOONSHOT_USAGE) != 0,
	};
	x->answer_state = a;
	return choose_way(x, a);
}

static struct whole *whole_new(const struct exchange *x)
{
	struct whole *w = malloc(sizeof(*w));

	ASSERT(w != NULL);
	w->taken = 0;
	w->at = 0;
	w->carry_n = 0;
	w->reading = (struct usage_reading){.seen = 0};
	json_hits_init(&w->hits, w->hits_room, EVENT_HITS, 4096);
	w->scan = json_scan_init(&w->room, x->w->opts->hooks->answer_query, &w->hits);
	return w;
}

/* Most events say nothing about usage, or "usage":null: a look for the word costs far less than a scan
 * of the event. */
static bool may_have_usage(struct bytes raw)
{
	while (raw.n != 0) {
		const char *p = json_find_name(raw, BYTES("usage"));
		const char *end = raw.p + raw.n;

		if (p == NULL) {
			return false;
		}
		p += 7;
		while (p < end && (*p == ' ' || *p == ':')) {
			p++;
		}
		if (p == end || *p != 'n') {
			return true;
		}
		raw = bytes_of(p, (size_t)(end - p));
	}
	return false;
}

/* Whether an event, in which usage stands that we asked for, has nothing but that. Most vendors write
 * "choices":[] into it; where the member is missing something else could be meant. */
static bool is_usage_alone(const struct json_hits *hits, const struct usage_reading *r)
{
	const struct json_hit *choices = json_hits_get(hits, ANSWER_CHOICES, NULL);
	const struct json_hit *error = json_hits_get(hits, ANSWER_ERROR, NULL);

	if (choices != NULL && choices->type != JSON_NULL) {
		return choices->type == JSON_ARRAY && choices->empty;
	}
	return r->seen != 0 && (error == NULL || error->type == JSON_NULL);
}

/* An event's data, or an answer that is no stream. */
static enum event_verdict read_all(struct exchange *x, struct ai_answer *a, struct bytes data)
{
	struct json_hit room[EVENT_HITS];
	struct json_hits hits;
	struct usage_reading r = {.seen = 0};
	enum event_verdict v = EVENT_PASS;

	json_hits_init(&hits, room, EVENT_HITS, 4096);
	if (json_scan_all(x->w->opts->hooks->answer_query, data, &hits, NULL) == 0) {
		for (size_t i = 0; i < hits.n; i++) {
			usage_take(&r, &hits.v[i],
				bytes_of(data.p + hits.v[i].beg,
					(size_t)(hits.v[i].end - hits.v[i].beg)));
		}
		if (!x->rec.no_usage) {
			usage_merge(&x->rec.usage, &r, a->moonshot);
		}
		v = a->hide_usage && is_usage_alone(&hits, &r) ? EVENT_HIDE : EVENT_PASS;
	}
	json_hits_done(&hits);
	return v;
}

/* Whether everything was said, in the words of streams that have no [DONE]. */
static bool is_last(const struct ai_answer *a, struct bytes name)
{
	if (api_protocol(a->api) == PROTOCOL_ANTHROPIC) {
		return bytes_eq(name, BYTES("message_stop"));
	}
	return a->api == API_RESPONSES &&
		(bytes_eq(name, BYTES("response.completed")) ||
			bytes_eq(name, BYTES("response.incomplete")) ||
			bytes_eq(name, BYTES("response.failed")));
}

/* An event of an answer that is changed. raw_data: it stands in raw in one piece. */
static enum event_verdict change(
	struct exchange *x, struct bytes raw, struct bytes data, bool raw_data)
{
	struct ai_answer *a = x->answer_state;

	if (a->aggregate != NULL) {
		aggregate_event(x, a->aggregate, data);
		return EVENT_HIDE;
	}
	return raw_data && a->promote != NULL ? promote_event(x, a->promote, raw, data)
					      : EVENT_PASS;
}

/* "[DONE]". */
static enum event_verdict last_event(struct exchange *x, struct ai_answer *a, struct bytes raw)
{
	if (a->promote == NULL || !promote_flush(x, a->promote)) {
		return a->aggregate != NULL ? EVENT_HIDE : EVENT_PASS;
	}
	answer_put(x, raw);
	return EVENT_PUT;
}

static enum event_verdict look(
	struct exchange *x, struct ai_answer *a, struct bytes raw, struct bytes data)
{
	return may_have_usage(raw) ? read_all(x, a, data) : EVENT_PASS;
}

static enum event_verdict event(struct exchange *x, const struct sse_event *e, struct bytes raw)
{
	struct ai_answer *a = x->answer_state;
	bool changes = a->promote != NULL || a->aggregate != NULL;
	enum event_verdict v;
	struct text t;

	x->saw_done |= e->name_n != 0 && is_last(a, bytes_of(raw.p + e->name_off, e->name_n));
	if (e->done) {
		return last_event(x, a, raw);
	}
	if (!changes && !may_have_usage(raw)) {
		return EVENT_PASS;
	}
	if (e->data_lines == 1) {
		struct bytes data = bytes_of(raw.p + e->data_off, e->data_n);

		v = look(x, a, raw, data);
		return changes && v == EVENT_PASS ? change(x, raw, data, true) : v;
	}
	text_init(&t, EVENT_READ_MAX);
	sse_event_data(raw, &t);
	v = look(x, a, raw, text_bytes(&t));
	v = changes && v == EVENT_PASS ? change(x, raw, text_bytes(&t), false) : v;
	text_done(&t);
	return v;
}

/* The literal of a hit whose bytes may have begun in an earlier piece. */
static struct bytes literal(const struct whole *w, const struct json_hit *h, struct bytes piece,
	char room[CARRY_MAX * 2])
{
	size_t len = (size_t)(h->end - h->beg);
	size_t early;

	if (h->beg >= w->at) {
		return bytes_of(piece.p + (h->beg - w->at), len);
	}
	early = (size_t)(w->at - h->beg);
	if (len > CARRY_MAX || early > w->carry_n) {
		return (struct bytes){"", 0};
	}
	memcpy(room, w->carry + w->carry_n - early, MIN(early, len));
	if (len > early) {
		memcpy(room + early, piece.p, len - early);
	}
	return bytes_of(room, len);
}

static void carry(struct whole *w, struct bytes piece)
{
	size_t keep = piece.n >= CARRY_MAX ? 0 : MIN(w->carry_n, CARRY_MAX - piece.n);
	size_t n = MIN(piece.n, CARRY_MAX);

	memmove(w->carry, w->carry + w->carry_n - keep, keep);
	memcpy(w->carry + keep, piece.p + piece.n - n, n);
	w->carry_n = keep + n;
	w->at += piece.n;
}

static void take_hits(struct whole *w, struct bytes piece)
{
	char room[CARRY_MAX * 2];

	for (; w->taken < w->hits.n; w->taken++) {
		const struct json_hit *h = &w->hits.v[w->taken];

		if (h->type == JSON_NUMBER) {
			usage_take(&w->reading, h, literal(w, h, piece, room));
		}
	}
}

static void bytes(struct exchange *x, struct bytes b, bool last)
{
	struct ai_answer *a = x->answer_state;

	if (a->promote != NULL) {
		promote_bytes(a->promote, b);
	}
	if (a->failed) {
		return;
	}
	if (a->whole == NULL && last) {
		/* It came as one piece, as short answers do: nothing has to be kept between pieces. */
		read_all(x, a, b);
		return;
	}
	if (a->whole == NULL) {
		a->whole = whole_new(x);
	}
	if (json_scan_feed(a->whole->scan, b.p, b.n, NULL) == READ_FAIL) {
		a->failed = true; /* no JSON: relayed all the same, usage unknown */
		return;
	}
	take_hits(a->whole, b);
	carry(a->whole, b);
}

static bool whole(struct exchange *x)
{
	struct ai_answer *a = x->answer_state;

	if (a->aggregate != NULL) {
		return aggregate_whole(x, a->aggregate);
	}
	promote_whole(x, a->promote);
	return true;
}

static void end_answer(struct exchange *x, bool whole)
{
	struct ai_answer *a = x->answer_state;

	if (a->promote != NULL && whole && a->stream) {
		promote_flush(x, a->promote);
	}
	if (a->whole != NULL && !a->failed && !x->rec.no_usage &&
		json_scan_end(a->whole->scan, NULL) == READ_DONE) {
		usage_merge(&x->rec.usage, &a->whole->reading, a->moonshot);
	}
}

static void done(struct exchange *x)
{
	struct ai_answer *a = x->answer_state;

	x->answer_state = NULL;
	promote_free(a->promote);
	aggregate_free(a->aggregate);
	if (a->whole != NULL) {
		json_hits_done(&a->whole->hits);
		free(a->whole);
	}
}

const struct dialect dialect_compatible = {
	.read_request = read_request,
	.survey = request_edit_survey,
	.prepare = prepare,
	.map_model = map_model,
	.set_model = set_model,
	.add_headers = add_headers,
	.begin_answer = begin_answer,
	.event = event,
	.bytes = bytes,
	.whole = whole,
	.end_answer = end_answer,
	.classify = failures_classify,
	.done = done,
};
