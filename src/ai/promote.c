#include "ai/promote.h"

#include <stdlib.h>

#include "ai/chat_read.h"
#include "base/num.h"
#include "proxy/worker.h"

/* Longest id, created or model that events of our own repeat. */
#define HEAD_PART_MAX 200u
/* Blank content is this short; what is longer says something. */
#define BLANK_MAX 256u
/* Spans of one event: two of a choice. */
#define SPANS_MAX (CHAT_CHOICES_MAX * 2)

struct choice {
	uint64_t index;
	bool settled; /* it has said something, or has ended */
	struct text withheld;
};

struct span {
	uint64_t beg, end; /* what stands there goes */
	uint64_t from, to; /* of what is held, put instead: a literal; none when both are 0 */
	bool named;        /* with the name of the member content before it */
};

/* What an event or an answer says of a choice, until its end. */
struct said {
	uint64_t index;
	const struct json_hit *content, *reasoning;
	bool calls, ends;
};

struct promote {
	const struct json_query *query;
	struct kept kept;
	bool off; /* nothing is withheld any longer */
	struct choice v[CHAT_CHOICES_MAX];
	size_t n;
	struct text head; /* id, created and model, as members */
	struct span spans[SPANS_MAX];
	size_t n_spans;
	/* of an answer that is no stream */
	struct json_scan_room room;
	struct json_scan *scan;
	struct json_hits hits;
	struct json_hit hits_room[CHAT_HITS];
	bool failed;
};

struct promote *promote_new(struct exchange *x)
{
	struct promote *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		return NULL;
	}
	p->query = x->w->opts->hooks->chat_query;
	kept_init(&p->kept, &x->w->pool, PROMOTE_MAX);
	text_init(&p->head, HEAD_PART_MAX * 4);
	json_hits_init(&p->hits, p->hits_room, CHAT_HITS, CHAT_HITS_MAX);
	p->scan = json_scan_init(&p->room, p->query, &p->hits);
	return p;
}

void promote_free(struct promote *p)
{
	if (p == NULL) {
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		text_done(&p->v[i].withheld);
	}
	text_done(&p->head);
	json_hits_done(&p->hits);
	kept_done(&p->kept);
	free(p);
}

/* --- events ------------------------------------------------------------------------------------- */

/* NULL: there are more of them than are told apart. */
static struct choice *choice_of(struct promote *p, uint64_t index)
{
	size_t i = 0;

	while (i < p->n && p->v[i].index != index) {
		i++;
	}
	if (i == CHAT_CHOICES_MAX) {
		return NULL;
	}
	if (i == p->n) {
		p->v[p->n++] = (struct choice){.index = index};
		text_init(&p->v[i].withheld, PROMOTE_MAX);
	}
	return &p->v[i];
}

static void put_withheld(
	struct exchange *x, struct promote *p, struct choice *c, const char *member)
{
	char digits[NUM_U64_MAX];

	answer_put(x, BYTES("data: {"));
	answer_put(x, text_bytes(&p->head));
	answer_put(x, BYTES("\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":"));
	answer_put(x, bytes_of(digits, num_format_u64(digits, c->index)));
	answer_put(x, BYTES(",\"delta\":{\""));
	answer_put(x, bytes_str(member));
	answer_put(x, BYTES("\":\""));
	answer_put(x, text_bytes(&c->withheld));
	answer_put(x, BYTES("\"},\"finish_reason\":null}]}\n\n"));
	text_clear(&c->withheld);
}

/* Whether something was put. */
static bool settle(struct exchange *x, struct promote *p, struct choice *c, const char *member)
{
	bool some = !c->settled && c->withheld.n != 0;

	if (some) {
		put_withheld(x, p, c, member);
	}
	c->settled = true;
	return some;
}

/* There is no room for more: all goes on as it came. */
static void give_up(struct exchange *x, struct promote *p)
{
	for (size_t i = 0; i < p->n; i++) {
		settle(x, p, &p->v[i], "reasoning_content");
	}
	p->off = true;
	p->n_spans = 0;
}

static void keep_head(struct promote *p, struct bytes data, const struct json_hit *h)
{
	static const char *const names[] = {
		[CHAT_ID] = "id", [CHAT_CREATED] = "created", [CHAT_MODEL] = "model"};
	struct bytes value = chat_value(data, h);

	if (value.n <= HEAD_PART_MAX) {
		text_addf(&p->head, "\"%s\":" BYTES_FMT ",", names[h->want], BYTES_ARG(value));
	}
}

/* Blanks say nothing. */
static bool says(struct bytes data, const struct json_hit *content)
{
	return content != NULL && content->type != JSON_NULL &&
		(content->type != JSON_STRING || !chat_is_blank(chat_inside(data, content)));
}

static void end_choice(
	struct exchange *x, struct promote *p, struct bytes data, const struct said *s)
{
	struct choice *c = choice_of(p, s->index);
	bool speaks = s->calls || says(data, s->content);

	if (c == NULL || c->settled) {
		return;
	}
	if (speaks) {
		settle(x, p, c, "reasoning_content");
		return;
	}
	if (s->reasoning != NULL && chat_inside(data, s->reasoning).n != 0) {
		if (!kept_add(&p->kept, &c->withheld, chat_inside(data, s->reasoning))) {
			give_up(x, p);
			return;
		}
		p->spans[p->n_spans++] =
			(struct span){.beg = s->reasoning->beg, .end = s->reasoning->end};
	}
	if (s->ends) {
		settle(x, p, c, "content");
	}
}

static void take_said(struct said *s, struct bytes data, const struct json_hit *h)
{
	if (h->want == CHAT_INDEX) {
		s->index = chat_number(data, h);
	} else if (h->want == CHAT_FINISH) {
		s->ends = h->type != JSON_NULL;
	} else if (h->want == CHAT_CONTENT) {
		s->content = h;
	} else if (h->want == CHAT_REASONING) {
		s->reasoning = h;
	} else if (h->want == CHAT_CALL) {
		s->calls = true;
	}
}

static void take_event(
	struct exchange *x, struct promote *p, struct bytes data, const struct json_hits *hits)
{
	bool new_head = p->head.n == 0;
	struct said s = {0};

	for (size_t i = 0; new_head && i < hits->n; i++) {
		if (hits->v[i].want <= CHAT_MODEL) {
			keep_head(p, data, &hits->v[i]);
		}
	}
	for (size_t i = 0; i < hits->n && !p->off; i++) {
		if (hits->v[i].want != CHAT_CHOICE) {
			take_said(&s, data, &hits->v[i]);
		} else if (p->n_spans < CHAT_CHOICES_MAX) {
			end_choice(x, p, data, &s);
			s = (struct said){0};
		}
	}
}

static void put_without(struct exchange *x, struct promote *p, struct bytes raw, struct bytes data)
{
	const char *at = raw.p;

	for (size_t i = 0; i < p->n_spans; i++) {
		const char *beg = data.p + p->spans[i].beg;

		answer_put(x, bytes_of(at, (size_t)(beg - at)));
		answer_put(x, BYTES("\"\""));
		at = data.p + p->spans[i].end;
	}
	answer_put(x, bytes_of(at, (size_t)(raw.p + raw.n - at)));
}

enum event_verdict promote_event(
	struct exchange *x, struct promote *p, struct bytes raw, struct bytes data)
{
	struct json_hit room[CHAT_HITS];
	struct json_hits hits;
	size_t before = x->answer.chain.n;

	if (p->off) {
		return EVENT_PASS;
	}
	p->n_spans = 0;
	json_hits_init(&hits, room, CHAT_HITS, CHAT_HITS_MAX);
	if (json_scan_all(p->query, data, &hits, NULL) == 0) {
		take_event(x, p, data, &hits);
	}
	json_hits_done(&hits);
	if (p->n_spans == 0 && x->answer.chain.n == before) {
		return EVENT_PASS;
	}
	put_without(x, p, raw, data);
	return EVENT_PUT;
}

bool promote_flush(struct exchange *x, struct promote *p)
{
	bool some = false;

	for (size_t i = 0; i < p->n; i++) {
		some |= settle(x, p, &p->v[i], "content");
	}
	return some;
}

/* --- an answer that is no stream ---------------------------------------------------------------- */

void promote_bytes(struct promote *p, struct bytes b)
{
	p->failed = p->failed || json_scan_feed(p->scan, b.p, b.n, NULL) == READ_FAIL;
}

/* Whether it is nothing, or only blanks. */
static bool is_empty(struct exchange *x, const struct json_hit *h)
{
	char room[BLANK_MAX];
	size_t n;

	if (h == NULL || h->type == JSON_NULL || (h->type == JSON_ARRAY && h->empty)) {
		return true;
	}
	n = (size_t)(h->end - h->beg);
	if (h->type != JSON_STRING || n > sizeof(room)) {
		return false;
	}
	answer_read_held(x, h->beg, n, room);
	return chat_is_blank(bytes_of(room + 1, n - 2));
}

static void plan_choice(struct exchange *x, struct promote *p, const struct said *s)
{
	const struct json_hit *r = s->reasoning;
	struct span content = {.named = s->content == NULL};

	if (r == NULL || r->type != JSON_STRING || r->end - r->beg == 2 || s->calls ||
		!is_empty(x, s->content) || p->n_spans + 2 > SPANS_MAX) {
		return;
	}
	content.beg = s->content != NULL ? s->content->beg : r->end;
	content.end = s->content != NULL ? s->content->end : r->end;
	content.from = r->beg;
	content.to = r->end;
	p->spans[p->n_spans++] = (struct span){.beg = r->beg, .end = r->end};
	p->spans[p->n_spans++] = content;
}

static void plan_spans(struct exchange *x, struct promote *p)
{
	struct said s = {0};

	for (size_t i = 0; i < p->hits.n; i++) {
		const struct json_hit *h = &p->hits.v[i];

		if (h->want == CHAT_WHOLE_CONTENT) {
			s.content = h;
		} else if (h->want == CHAT_WHOLE_REASONING) {
			s.reasoning = h;
		} else if (h->want == CHAT_WHOLE_CALLS) {
			s.calls = h->type == JSON_ARRAY && !h->empty;
		} else if (h->want == CHAT_CHOICE) {
			plan_choice(x, p, &s);
			s = (struct said){0};
		}
	}
}

static int by_place(const void *a, const void *b)
{
	const struct span *x = a;
	const struct span *y = b;

	return x->beg != y->beg ? (x->beg > y->beg) - (x->beg < y->beg)
				: (x->end > y->end) - (x->end < y->end);
}

void promote_whole(struct exchange *x, struct promote *p)
{
	uint64_t at = 0;

	if (!p->failed && json_scan_end(p->scan, NULL) == READ_DONE) {
		plan_spans(x, p);
	}
	qsort(p->spans, p->n_spans, sizeof(p->spans[0]), by_place);
	for (size_t i = 0; i < p->n_spans; i++) {
		const struct span *s = &p->spans[i];

		answer_put_held(x, at, s->beg);
		if (s->to == 0) {
			answer_put(x, BYTES("\"\""));
		} else {
			answer_put(x, s->named ? BYTES(",\"content\":") : BYTES(""));
			answer_put_held(x, s->from, s->to);
		}
		at = s->end;
	}
	answer_put_held(x, at, x->answer.reshape->held.n);
}
