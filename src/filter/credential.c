#include "filter/credential.h"

/* Each field of that name: a client that repeats it would send the credential on. */
static void strip_all(struct exchange *x, struct bytes name, uint8_t id)
{
	const struct head *h = &x->rq->head;

	for (unsigned i = 0; i < h->n_fields; i++) {
		if (h->fields[i].id == id && bytes_eq_nocase(head_name(h, i), name)) {
			exchange_strip(x, i);
		}
	}
}

static const struct consumer *look_up(struct exchange *x, const struct consumers *c)
{
	struct request *rq = x->rq;
	const struct head *h = &rq->head;
	struct auth_header headers[128];
	struct auth_query q = {.headers = headers, .query = rq->url.query};
	struct auth_hit hit;

	q.n_headers = MIN(h->n_fields, ARRAY_LEN(headers));
	for (unsigned i = 0; i < q.n_headers; i++) {
		headers[i] =
			(struct auth_header){head_name(h, i), head_value(h, i), h->fields[i].id};
	}
	if (c->n == 0 || !auth_identify(c, &q, &hit)) {
		return NULL;
	}
	if (hit.source == KEY_IN_HEADER) {
		strip_all(x, head_name(h, (unsigned)hit.header), h->fields[hit.header].id);
	} else {
		rq->query = decide_query_without(rq->query, hit.whole, &rq->arena);
	}
	return hit.consumer;
}

static const struct consumer *recall(void *of, const struct consumers *c)
{
	struct exchange *x = of;
	struct request *rq = x->rq;

	if (rq->asked[c->plugin].in != c) {
		rq->asked[c->plugin].in = c;
		rq->asked[c->plugin].found = look_up(x, c);
	}
	return rq->asked[c->plugin].found;
}

struct decide_caller credential_caller(struct exchange *x)
{
	return (struct decide_caller){recall, x, x->rq->host};
}
