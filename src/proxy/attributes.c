/*
 * What ai-statistics asks to be logged of an exchange. Values are taken before the plan is let go: those
 * of the request when its route is known, those of the answer when its head is there. They are kept as the
 * members of a JSON object, escaped, in one text of bounded size.
 */
#include "plan/statistics.h"
#include "proxy/exchange.h"

#define CUT_MARK " [truncated] "

/* Longer values lose their middle. */
static void add_value(struct text *t, struct bytes value, size_t max)
{
	size_t half;

	if (value.n <= max) {
		text_add_json(t, value);
		return;
	}
	half = max > sizeof(CUT_MARK) ? (max - (sizeof(CUT_MARK) - 1)) / 2 : 0;
	text_add_json(t, bytes_of(value.p, half));
	text_add_str(t, CUT_MARK);
	text_add_json(t, bytes_of(value.p + value.n - half, half));
}

/* The whole attribute, or nothing of it when the text is full. */
static void add(struct exchange *x, const struct statistics_attribute *a, struct bytes value)
{
	struct text *t = &texts_more(x)->attributes;
	size_t before = t->n;

	if (value.p == NULL) {
		value = a->absent;
	}
	if (value.n == 0 && a->source != STATISTICS_FIXED) {
		return;
	}
	if (t->max == 0) {
		text_init(t, ATTRIBUTES_MAX);
	}
	text_add_str(t, before != 0 ? ",\"" : "\"");
	text_add_json(t, a->key);
	text_add_str(t, "\":\"");
	add_value(t, value, x->rq->statistics->value_max);
	text_add_char(t, '"');
	if (text_full(t)) {
		t->n = before;
		t->full = false;
	}
}

static void take_session(struct exchange *x)
{
	struct bytes name = x->rq->statistics->session_header;
	struct bytes value = {NULL, 0};

	if (name.n != 0) {
		value = routing_header(x, name);
	}
	for (size_t i = 0; value.n == 0 && statistics_session_header(i) != NULL; i++) {
		value = routing_header(x, bytes_str(statistics_session_header(i)));
	}
	if (value.n != 0) {
		x->rq->texts.session = texts_cut(value);
	}
}

void attributes_of_request(struct exchange *x)
{
	const struct statistics *s = statistics_for(x->rq->route->statistics, x->rq->host);

	if (s == NULL || !statistics_means(s, x->rq->url.path)) {
		return;
	}
	x->rq->statistics = s;
	x->rec.no_usage = s->no_usage;
	take_session(x);
	for (size_t i = 0; i < s->n_attributes; i++) {
		const struct statistics_attribute *a = &s->attributes[i];

		if (a->source == STATISTICS_FIXED) {
			add(x, a, a->value);
		} else if (a->source == STATISTICS_REQUEST) {
			add(x, a, routing_header(x, a->value));
		}
	}
	if (x->rec.more != NULL) {
		x->rec.more->request_attributes_n = x->rec.more->attributes.n;
	}
}

static struct bytes answer_header(const struct head *h, struct bytes name)
{
	for (unsigned i = 0; i < h->n_fields; i++) {
		if (bytes_eq_nocase(head_name(h, i), name)) {
			return head_value(h, i);
		}
	}
	return (struct bytes){NULL, 0};
}

void attributes_of_answer(struct exchange *x)
{
	const struct statistics *s = x->rq->statistics;

	if (x->rec.more != NULL) {
		x->rec.more->attributes.n =
			x->rec.more->request_attributes_n; /* of an attempt before this one */
	}
	for (size_t i = 0; s != NULL && i < s->n_attributes; i++) {
		if (s->attributes[i].source == STATISTICS_RESPONSE) {
			add(x, &s->attributes[i],
				answer_header(x->up->head, s->attributes[i].value));
		}
	}
}
