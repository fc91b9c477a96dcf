/*
 * Automatic routing (data-plane.md §13.1): for the model "higress/auto" the text of the last message of
 * the user chooses the model. Only such requests pay for it: their body, which is gathered, is scanned a
 * second time, slice by slice, for where that text stands.
 */
#include <stdlib.h>

#include "plan/model_router.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

/* One turn, about 0.2 ms of scanning. */
#define SLICE (128u * 1024u)
/* Hits are taken and forgotten piece by piece. */
#define PIECE 8192u
#define PIECE_HITS (PIECE + 64u)
/* Rules are tried until a turn has taken so long. */
#define SLICE_US 500u

enum { WANT_MESSAGE, WANT_USER, WANT_STRING, WANT_PART, WANT_PART_TYPE, WANT_PART_TEXT };

/* Of the text of a message: between the quotes. */
struct span {
	uint64_t beg, end; /* end 0: none */
};

struct automatic {
	struct json_scan_room room;
	struct json_scan *scan;
	struct json_hits hits;
	const struct seg *seg; /* that is scanned next, and from where in its data */
	uint32_t at;
	bool scanned;
	struct span last; /* of the last message of the user that has a text */
	struct span message, part;
	bool is_user, is_text;
	struct text text; /* to be matched */
	size_t rule;      /* to be tried next */
};

static void take_hit(struct automatic *a, const struct json_hit *h)
{
	struct span s = {h->beg + 1, h->end - 1};

	switch (h->want) {
	case WANT_USER:
		a->is_user = true;
		break;
	case WANT_STRING:
		if (h->type == JSON_STRING) {
			a->message = s;
		}
		break;
	case WANT_PART_TYPE:
		a->is_text = true;
		break;
	case WANT_PART_TEXT:
		a->part = h->type == JSON_STRING ? s : a->part;
		break;
	case WANT_PART:
		a->message = a->is_text && a->part.end != 0 ? a->part : a->message;
		a->part = (struct span){0, 0};
		a->is_text = false;
		break;
	case WANT_MESSAGE:
		a->last = a->is_user && a->message.end != 0 ? a->message : a->last;
		a->message = a->part = (struct span){0, 0};
		a->is_user = a->is_text = false;
		break;
	default:
		ASSERT(false);
	}
}

/* The body has been scanned once, so it is well-formed. */
static void scan_slice(struct automatic *a)
{
	size_t left = SLICE;

	while (a->seg != NULL && left != 0) {
		size_t n = MIN(MIN((size_t)(a->seg->end - a->at), left), (size_t)PIECE);

		a->hits.n = 0;
		if (json_scan_feed(a->scan, a->seg->data + a->at, n, NULL) == READ_FAIL) {
			a->seg = NULL; /* more hits than a piece has bytes */
			break;
		}
		for (size_t i = 0; i < a->hits.n; i++) {
			take_hit(a, &a->hits.v[i]);
		}
		a->at += (uint32_t)n;
		left -= n;
		if (a->at == a->seg->end) {
			a->seg = a->seg->next;
			a->at = a->seg != NULL ? a->seg->beg : 0;
		}
	}
	a->scanned = a->seg == NULL;
}

/* The end of the last character or escape that is whole within the first max bytes. */
static size_t whole_within(const char *raw, size_t n, size_t max)
{
	size_t i = 0;

	while (i < n) {
		size_t step = raw[i] != '\\' ? 1 : i + 1 < n && raw[i + 1] == 'u' ? 6 : 2;

		if (i + step > max) {
			break;
		}
		i += step;
	}
	return i;
}

static void read_text(struct exchange *x, struct automatic *a)
{
	size_t n = (size_t)(a->last.end - a->last.beg);
	size_t taken = MIN(n, (size_t)MODEL_ROUTER_TEXT_MAX + 8);
	char *raw = must_alloc(taken + 1);

	chain_copy(&x->rq->body, (size_t)a->last.beg, taken, raw);
	json_unescape(bytes_of(raw, whole_within(raw, taken, MODEL_ROUTER_TEXT_MAX)), &a->text);
	free(raw);
}

static bool begin(struct exchange *x)
{
	const struct model_router *m = x->view->plan->router;
	struct request *rq = x->rq;
	struct automatic *a = arena_alloc(&rq->arena, sizeof(*a));

	if (a == NULL) {
		return false;
	}
	memset(a, 0, sizeof(*a));
	json_hits_init(&a->hits, NULL, 0, PIECE_HITS);
	text_init(&a->text, MODEL_ROUTER_TEXT_MAX);
	a->scan = json_scan_init(&a->room, m->automatic.query, &a->hits);
	a->seg = rq->body.head;
	a->at = a->seg != NULL ? a->seg->beg : 0;
	rq->automatic = a;
	return true;
}

void automatic_free(struct automatic *a)
{
	if (a != NULL) {
		json_hits_done(&a->hits);
		text_done(&a->text);
	}
}

static void choose(struct request *rq, struct bytes model)
{
	rq->chosen_model = model;
	if (model.n != 0) {
		rq->model = model;
	}
}

/* VERDICT_AGAIN: there are rules left. */
static enum verdict try_rules(struct exchange *x, struct automatic *a)
{
	const struct model_router *m = x->view->plan->router;
	struct bytes text = text_bytes(&a->text);

	for (; a->last.end != 0 && a->rule < m->automatic.n; a->rule++) {
		const struct automatic_rule *r = &m->automatic.rules[a->rule];

		if (regex_matches(r->regex, text)) {
			choose(x->rq, r->model);
			return VERDICT_NEXT;
		}
		if (loop_now_us(x->w->loop) - x->woke_us >= SLICE_US) {
			a->rule++;
			return VERDICT_AGAIN;
		}
	}
	choose(x->rq, m->automatic.default_model);
	return VERDICT_NEXT;
}

enum verdict step_automatic(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct model_router *m = x->view->plan->router;
	struct automatic *a = rq->automatic;

	if (a == NULL) {
		if (!m->on || !m->automatic.on || !rq->gathers ||
			!bytes_eq(rq->model, BYTES(MODEL_ROUTER_AUTOMATIC)) ||
			!model_router_reads(m, rq->api, rq->url.path)) {
			return VERDICT_NEXT;
		}
		if (!begin(x)) {
			return reply_no_memory(x);
		}
		a = rq->automatic;
	}
	if (!a->scanned) {
		scan_slice(a);
		if (a->scanned && a->last.end != 0) {
			read_text(x, a);
		}
		return VERDICT_AGAIN;
	}
	return try_rules(x, a);
}
