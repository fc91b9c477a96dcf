/*
 * The gateway's own answers, in the protocol of the client (providers.md §7, data-plane.md §11).
 */
#include <stdio.h>

#include "base/num.h"
#include "plan/fixed_answer.h"
#include "plan/header_control.h"
#include "proxy/attempts.h"
#include "proxy/decision.h"
#include "proxy/worker.h"

static const char *const json_type = "application/json";

/* One row per status: the types of providers.md §7. */
struct error_types {
	unsigned status;
	const char *openai, *anthropic, *gemini;
};

static const struct error_types types[] = {
	{400, "invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"},
	{401, "authentication_error", "authentication_error", "UNAUTHENTICATED"},
	{402, "insufficient_quota", "billing_error", "FAILED_PRECONDITION"},
	{403, "permission_error", "permission_error", "PERMISSION_DENIED"},
	{404, "invalid_request_error", "not_found_error", "NOT_FOUND"},
	{409, "conflict_error", "conflict_error", "ABORTED"},
	{413, "invalid_request_error", "request_too_large", "INVALID_ARGUMENT"},
	{429, "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED"},
	{500, "server_error", "api_error", "INTERNAL"},
	{502, "server_error", "api_error", "INTERNAL"},
	{503, "server_error", "api_error", "UNAVAILABLE"},
	{504, "timeout_error", "timeout_error", "DEADLINE_EXCEEDED"},
	{529, "server_error", "overloaded_error", "UNAVAILABLE"},
};

/* Other 4xx have the types of 400, other 5xx those of 500. */
static const struct error_types *types_of(unsigned status)
{
	unsigned fallback = status < 500 ? 400 : 500;
	const struct error_types *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].status == status) {
			return &types[i];
		}
		if (types[i].status == fallback) {
			found = &types[i];
		}
	}
	return found;
}

static void put_openai(
	struct json_writer *w, unsigned status, struct bytes message, const char *code)
{
	json_open_object(w);
	json_key(w, "error");
	json_open_object(w);
	json_key(w, "message");
	json_put_string(w, message);
	json_key(w, "type");
	json_put_str(w, types_of(status)->openai);
	json_key(w, "param");
	json_put_null(w);
	json_key(w, "code");
	json_put_str(w, code);
	json_close_object(w);
	json_close_object(w);
}

static void put_anthropic(
	struct json_writer *w, unsigned status, struct bytes message, struct bytes id)
{
	json_open_object(w);
	json_key(w, "type");
	json_put_str(w, "error");
	json_key(w, "error");
	json_open_object(w);
	json_key(w, "type");
	json_put_str(w, types_of(status)->anthropic);
	json_key(w, "message");
	json_put_string(w, message);
	json_close_object(w);
	json_key(w, "request_id");
	json_put_string(w, id);
	json_close_object(w);
}

static void put_gemini(struct json_writer *w, unsigned status, struct bytes message)
{
	json_open_object(w);
	json_key(w, "error");
	json_open_object(w);
	json_key(w, "code");
	json_put_u64(w, status);
	json_key(w, "message");
	json_put_string(w, message);
	json_key(w, "status");
	json_put_str(w, types_of(status)->gemini);
	json_close_object(w);
	json_close_object(w);
}

struct error {
	unsigned status;
	struct bytes message, id;
	const char *code;
	enum protocol protocol;
};

static void put_error(const struct error *e, struct text *out)
{
	struct json_writer w;

	json_writer_init(&w, out);
	switch (e->protocol) {
	case PROTOCOL_OPENAI:
		put_openai(&w, e->status, e->message, e->code);
		break;
	case PROTOCOL_ANTHROPIC:
		put_anthropic(&w, e->status, e->message, e->id);
		break;
	case PROTOCOL_GEMINI:
		put_gemini(&w, e->status, e->message);
		break;
	}
}

/* providers.md §7: C is the reason's name; for 404 what the SDKs know. */
static const char *code_of(const struct request *rq)
{
	if (rq->reply.status != 404) {
		return rq->reply.reason;
	}
	return rq->reply.model_not_found ? "model_not_found" : "not_found";
}

enum verdict reply_set(
	struct exchange *x, unsigned status, const char *reason, const char *fmt, ...)
{
	struct request *rq = x->rq;
	va_list ap;

	rq->reply.status = (uint16_t)status;
	rq->reply.reason = reason;
	va_start(ap, fmt);
	vsnprintf(rq->reply.text, sizeof(rq->reply.text), fmt, ap);
	va_end(ap);
	return VERDICT_REPLY;
}

enum verdict reply_fixed(struct exchange *x, const struct fixed_answer *a)
{
	x->rq->reply.fixed = a;
	x->rq->reply.location = a->location;
	return reply_set(x, a->status, fixed_answer_reason(a), "%s",
		a->location.n != 0 ? "the route is redirected" : "mock");
}

enum verdict reply_no_memory(struct exchange *x)
{
	x->rq->reply.retry_after_s = 1;
	return reply_set(x, 503, "memory", "the gateway is out of buffer memory; try again");
}

enum verdict reply_bad_body(struct exchange *x)
{
	if (x->client->in_err == ERR_MEMORY) {
		return reply_no_memory(x);
	}
	return reply_set(x, x->client->in_err == ERR_TIMEOUT ? 408 : 400, "request.malformed",
		"the request body ended before it was complete");
}

/* Said of an upstream: the class, and what the client is told. */
static enum failure_class blame(struct exchange *x, enum err err, const struct fault *f)
{
	bool said = x->up != NULL && x->up->connected;

	if (f != NULL && f->status == 504) {
		reply_set(x, 504, "upstream.timeout", "%s", f->text);
		return FAILURE_TIMEOUT;
	}
	if (err == ERR_TIMEOUT) {
		reply_set(x, 504, "upstream.timeout", "the upstream did not answer in time");
		return FAILURE_TIMEOUT;
	}
	if (err == ERR_TLS) {
		reply_set(x, 502, "upstream.connect", "the TLS handshake with the upstream failed");
		return FAILURE_CONNECT;
	}
	if (!said) {
		reply_set(x, 502, "upstream.connect", "the upstream could not be reached");
		return FAILURE_CONNECT;
	}
	if (err == ERR_SYNTAX || err == ERR_LIMIT || err == ERR_UNSUPPORTED) {
		reply_set(x, 502, "upstream.invalid", "the upstream's answer is not valid HTTP");
		return FAILURE_INVALID;
	}
	reply_set(x, 502, "upstream.reset", "the upstream closed the connection unexpectedly");
	return FAILURE_RESET;
}

enum verdict reply_upstream(struct exchange *x, enum err err, const struct fault *f)
{
	x->w->counts.upstream_failures += x->probe == NULL;
	if (x->probe != NULL) {
		probe_upstream_failed(x->probe, x->up != NULL && x->up->connected, err, f);
	}
	return attempts_failed(x, blame(x, err, f));
}

/* RFC 9110 §15.3.5, §15.3.6, §15.4.5 */
static bool has_no_body(unsigned status)
{
	return status == 204 || status == 205 || status == 304;
}

/* errorFormat plain (data-plane.md §11): Higress's bytes, as far as it had any. */
static void put_body(struct exchange *x, struct text *out, const char **type)
{
	struct request *rq = x->rq;
	struct error e = {
		.status = rq->reply.status,
		.message = bytes_str(rq->reply.text),
		.id = bytes_of(x->rec.id, x->rec.id_n),
		.code = code_of(rq),
		.protocol = (enum protocol)x->protocol,
	};

	*type = json_type;
	if (rq->cors.preflight || has_no_body(rq->reply.status)) {
		*type = NULL;
	} else if (rq->reply.status < 400 && !rq->reply.is_error) {
		text_addf(out, "{\"status\":\"%s\"}", rq->reply.text);
	} else if (!x->w->opts->plain_errors) {
		put_error(&e, out);
	} else if (rq->reply.authenticate[0] != '\0') {
		*type = NULL;
		text_add_bytes(out, e.message);
	} else if (rq->reply.is_error || (rq->reply.status == 404 && rq->route == NULL)) {
		*type = NULL;
	} else {
		*type = "text/plain";
		text_add_bytes(out, e.message);
	}
}

/* The body, and its media type; *type is empty where there is none. error: room for it. */
static struct bytes get_body(struct exchange *x, struct text *error, struct bytes *type)
{
	const struct fixed_answer *fixed = x->rq->reply.fixed;
	const char *said = json_type;

	if (fixed != NULL && fixed->location.n == 0) {
		*type = fixed->body.n != 0 ? fixed->type : BYTES("");
		return fixed->body;
	}
	if (x->rq->reply.body.n != 0) {
		*type = bytes_str(json_type);
		return x->rq->reply.body;
	}
	if (x->rq->reply.message.n != 0 && !has_no_body(x->rq->reply.status)) {
		*type = BYTES("text/plain");
		return x->rq->reply.message;
	}
	put_body(x, error, &said);
	*type = said != NULL ? bytes_str(said) : BYTES("");
	return text_bytes(error);
}

static void make_head(struct exchange *x, struct head_out *out, struct bytes type, char digits[])
{
	struct request *rq = x->rq;

	if (type.n != 0) {
		head_out_add(out, BYTES("Content-Type"), type);
	}
	head_out_add(out,
		x->protocol == PROTOCOL_ANTHROPIC ? BYTES("request-id") : BYTES("x-request-id"),
		bytes_of(x->rec.id, x->rec.id_n));
	head_out_add(out, BYTES("x-sluice-reason"), bytes_str(rq->reply.reason));
	if (rq->reply.location.n != 0) {
		head_out_add(out, BYTES("Location"), rq->reply.location);
	}
	if (rq->reply.authenticate[0] != '\0') {
		head_out_add(out, BYTES("WWW-Authenticate"), bytes_str(rq->reply.authenticate));
	}
	if (rq->reply.retry_after_s != 0) {
		head_out_add(out, BYTES("Retry-After"),
			bytes_of(digits, num_format_u64(digits, rq->reply.retry_after_s)));
	}
	attempts_add(x, out, digits + NUM_U64_MAX);
	browser_add(x, out);
	if (rq->route != NULL && rq->route->headers != NULL) {
		headers_control(x, &rq->route->headers->answer, out);
	}
}

enum verdict step_reply(struct exchange *x)
{
	char digits[NUM_U64_MAX + ATTEMPTS_DIGITS];
	char room[2048];
	struct head_out *out = &x->w->head;
	struct bytes body, type;
	struct text error;

	if (x->client->out == STREAM_OUT_IDLE) {
		/* Pieces of an upstream's answer that will not be passed on may be there; and no more of
		 * the request is read. */
		chain_give(&x->w->pool, &x->answer.chain);
		reshape_end(x);
		stream_want(x->client, 0);
		text_init_fixed(&error, room, sizeof(room));
		body = get_body(x, &error, &type);
		x->rec.status = x->rq->reply.status;
		x->rec.reason = x->rq->reply.reason;
		x->w->counts.replies += x->probe == NULL;
		head_out_init(out);
		out->status = x->rq->reply.status;
		make_head(x, out, type, digits);
		decision_add(x, out);
		out->length = body.n;
		x->answer.ready = body.n;
		x->answer.source.ended = true;
		timer_clear(x->w->loop, &x->timer);
		if (!chain_add(&x->w->pool, &x->answer.chain, body.p, body.n) ||
			stream_send(x->client, out, &x->answer.source) != 0) {
			x->rec.cut = true; /* not even memory to say so */
			return VERDICT_END;
		}
	}
	stream_pump(x->client);
	return x->client->out == STREAM_OUT_END ? VERDICT_END : VERDICT_WAIT;
}

void reply_error_event(struct exchange *x, unsigned status, const char *message, struct text *out)
{
	struct error e = {
		.status = status,
		.message = bytes_str(message),
		.id = bytes_of(x->rec.id, x->rec.id_n),
		.code = x->rec.reason,
		.protocol = (enum protocol)x->protocol,
	};

	text_add_str(out, e.protocol == PROTOCOL_ANTHROPIC ? "event: error\ndata: " : "data: ");
	put_error(&e, out);
	text_add_str(out, "\n\n");
}

void reply_make_id(struct worker *w, char *out)
{
	num_format_hex16(out, random_u64(&w->random));
	num_format_hex16(out + 16, random_u64(&w->random));
}

void reply_no_request(
	struct server *srv, const struct fault *f, struct text *fields, struct text *body)
{
	struct worker *w = server_context(srv);
	char id[RECORD_ID_NEW];
	struct error e = {
		.status = (unsigned)f->status,
		.message = bytes_str(f->text),
		.code = f->status == 431 ? "request.header_too_large" : "request.malformed",
		.protocol = PROTOCOL_OPENAI,
	};

	reply_make_id(w, id);
	text_addf(fields, "Content-Type: %s\r\nx-request-id: %.*s\r\nx-sluice-reason: %s\r\n",
		w->opts->plain_errors ? "text/plain" : json_type, (int)sizeof(id), id, e.code);
	if (w->opts->plain_errors) {
		text_add_bytes(body, e.message);
	} else {
		put_error(&e, body);
	}
}
