#include "mock/mock_int.h"

#include "base/num.h"
#include "wire/url.h"

#define RECORD_LAST_DEFAULT 100u

static uint64_t query_number(struct bytes query, const char *name, uint64_t def)
{
	struct bytes value, whole;
	uint64_t v;

	if (query.p != NULL && url_query_get(query, bytes_str(name), &value, &whole) &&
		num_parse_u64(value, UINT64_MAX, &v)) {
		return v;
	}
	return def;
}

static void answer_requests(struct mock_exchange *x)
{
	struct bytes query = x->stream->head->target;
	struct mock *m = x->mock;

	if (bytes_eq(x->stream->head->method, BYTES("DELETE"))) {
		mock_record_clear(m->record);
		text_add_str(&x->out, "[]");
	} else {
		bytes_cut(&query, '?');
		mock_record_print(m->record, query_number(query, "last", RECORD_LAST_DEFAULT),
			query_number(query, "body", 1) != 0, &x->out);
	}
	mock_send_answer(x, 200, "application/json");
}

static void answer_state(struct mock_exchange *x)
{
	const struct mock_counts *c = &x->mock->counts;

	text_addf(&x->out,
		"{\"open\":%u,\"total\":%llu,\"complete\":%llu,\"client_gone\":%llu,\"cut\":%llu}",
		c->open, (unsigned long long)c->total, (unsigned long long)c->complete,
		(unsigned long long)c->client_gone, (unsigned long long)c->cut);
	mock_send_answer(x, 200, "application/json");
}

/* What the next requests get: the body of the request says it. */
static void answer_script(struct mock_exchange *x)
{
	char text[MOCK_SEQUENCE_TEXT_MAX];
	const struct chain *body = &x->stream->body;
	struct mock *m = x->mock;
	struct fault fault = {0};
	int rc = 0;

	if (!bytes_eq(x->stream->head->method, BYTES("GET"))) {
		size_t n = MIN(body->n, sizeof(text));

		chain_copy(body, 0, n, text);
		rc = body->n > sizeof(text)
			? fault_set(&fault, ERR_LIMIT, 400, 0, "mock: the sequence is too long")
			: mock_sequence_parse(bytes_of(text, n), &m->sequence, &fault);
	}
	if (rc != 0) {
		mock_send_error(x, 400, fault.text);
		return;
	}
	text_addf(&x->out, "{\"left\":%llu}", (unsigned long long)mock_sequence_left(&m->sequence));
	mock_send_answer(x, 200, "application/json");
}

bool mock_control(struct mock_exchange *x)
{
	switch (x->reply.ask.api) {
	case MOCK_REQUESTS:
		answer_requests(x);
		return true;
	case MOCK_STATE:
		answer_state(x);
		return true;
	case MOCK_SCRIPT:
		answer_script(x);
		return true;
	case MOCK_UNKNOWN:
	case MOCK_CHAT:
	case MOCK_COMPLETIONS:
	case MOCK_EMBEDDINGS:
	case MOCK_MESSAGES:
	case MOCK_RESPONSES:
	case MOCK_MODELS:
	case MOCK_MODEL:
		break;
	}
	return false;
}
