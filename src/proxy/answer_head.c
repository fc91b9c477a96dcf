/*
 * The head that goes to the client with an upstream's answer: what the upstream said, but for what describes
 * bytes that are changed on the way, and what the gateway and the route add.
 */
#include "plan/header_control.h"
#include "proxy/attempts.h"
#include "proxy/decision.h"
#include "proxy/worker.h"

/* Whatever its framing says: a stream of no bytes is a stream without an event. */
bool answer_may_have_body(const struct exchange *x)
{
	return x->up->head->status != 204 && !bytes_eq(x->rq->head.method, BYTES("HEAD"));
}

/* "sluice;dur=0.123": milliseconds that the gateway itself took so far. */
static struct bytes server_timing(struct exchange *x, char room[ANSWER_TIMING_MAX])
{
	uint64_t us = x->rec.added_us;
	struct text t;

	text_init_fixed(&t, room, ANSWER_TIMING_MAX);
	text_addf(&t, "sluice;dur=%llu.%03llu", (unsigned long long)(us / 1000),
		(unsigned long long)(us % 1000));
	return text_bytes(&t);
}

static void add_upstream_fields(struct exchange *x, struct head_out *out)
{
	const struct head *h = x->up->head;
	bool anthropic = x->protocol == PROTOCOL_ANTHROPIC;
	const char *type = x->answer.reshape != NULL ? x->answer.reshape->type : NULL;
	bool has_id = false;

	for (unsigned i = 0; i < h->n_fields; i++) {
		enum field_id id = (enum field_id)h->fields[i].id;

		if (h->fields[i].hop || id == FIELD_CONTENT_LENGTH ||
			(id == FIELD_CONTENT_ENCODING && x->unpack.z != NULL) ||
			(id == FIELD_CONTENT_TYPE && type != NULL)) {
			continue;
		}
		has_id |= id == (anthropic ? FIELD_REQUEST_ID : FIELD_X_REQUEST_ID);
		head_out_add(out, head_name(h, i), head_value(h, i));
	}
	if (type != NULL) {
		head_out_add(out, BYTES("Content-Type"), bytes_str(type));
	}
	if (!has_id) {
		head_out_add(out, anthropic ? BYTES("request-id") : BYTES("x-request-id"),
			bytes_of(x->rec.id, x->rec.id_n));
	}
}

void answer_head(struct exchange *x, struct head_out *out, char room[ANSWER_HEAD_ROOM])
{
	const struct head *h = x->up->head;

	head_out_init(out);
	out->status = h->status;
	out->length = x->is_sse || x->unpack.z != NULL ? HEAD_NO_LENGTH : h->length;
	if (reshape_gathers(x)) {
		out->length = x->answer.ready;
	}
	if (!h->has_body && out->length == HEAD_NO_LENGTH && answer_may_have_body(x)) {
		out->length =
			0; /* the answer to a HEAD says nothing about a length that was not said */
	}
	add_upstream_fields(x, out);
	if (x->timing) {
		head_out_add(out, BYTES("Server-Timing"), server_timing(x, room));
	}
	attempts_add(x, out, room + ANSWER_TIMING_MAX);
	browser_add(x, out);
	if (x->rq->at.route->headers != NULL) {
		headers_control(x, &x->rq->at.route->headers->answer, out);
	}
	decision_add(x, out);
}
