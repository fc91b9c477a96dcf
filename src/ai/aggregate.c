/*
 * Each choice is a few texts that grow: literals as the vendor wrote them, piece behind piece. What stands once
 * (id, model, usage ...) is kept as it was told last. All texts together are bounded by ANSWER_GATHER_MAX.
 */
#include "ai/aggregate.h"

#include <stdlib.h>

#include "ai/chat_read.h"
#include "base/num.h"
#include "proxy/worker.h"

/* Calls of tools of one choice, and where their numbers end. */
#define CALLS_MAX 128u

struct tool_call {
	struct text id, name, arguments;
};

struct choice {
	uint64_t index;
	struct text content, reasoning, refusal, finish;
	bool has_content, has_refusal; /* told, if only as "" */
	struct tool_call *calls;       /* by their number; room for CALLS_MAX */
	size_t n_calls;
};

/* Of the call in progress: pointers to hits. */
struct call_said {
	uint64_t index;
	const struct json_hit *id, *name, *arguments;
};

struct aggregate {
	const struct json_query *query;
	struct kept kept;
	bool promotes, failed, told_error;
	struct text once[CHAT_USAGE + 1]; /* by enum chat_want: as it stood last */
	struct choice *v[CHAT_CHOICES_MAX];
	size_t n;
};

struct aggregate *aggregate_new(struct exchange *x, bool promotes)
{
	struct aggregate *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		return NULL;
	}
	a->query = x->w->opts->hooks->chat_query;
	a->promotes = promotes;
	kept_init(&a->kept, &x->w->pool, ANSWER_GATHER_MAX);
	for (size_t i = 0; i < ARRAY_LEN(a->once); i++) {
		text_init(&a->once[i], ANSWER_GATHER_MAX);
	}
	return a;
}

static void free_choice(struct choice *c)
{
	text_done(&c->content);
	text_done(&c->reasoning);
	text_done(&c->refusal);
	text_done(&c->finish);
	for (size_t i = 0; i < c->n_calls; i++) {
		text_done(&c->calls[i].id);
		text_done(&c->calls[i].name);
		text_done(&c->calls[i].arguments);
	}
	free(c->calls);
	free(c);
}

void aggregate_free(struct aggregate *a)
{
	if (a == NULL) {
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(a->once); i++) {
		text_done(&a->once[i]);
	}
	for (size_t i = 0; i < a->n; i++) {
		free_choice(a->v[i]);
	}
	kept_done(&a->kept);
	free(a);
}

/* --- events ------------------------------------------------------------------------------------- */

static void add(struct aggregate *a, struct text *t, struct bytes b)
{
	a->failed = a->failed || !kept_add(&a->kept, t, b);
}

static struct choice *choice_of(struct aggregate *a, uint64_t index)
{
	struct choice *c;

	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i]->index == index) {
			return a->v[i];
		}
	}
	if (a->n == CHAT_CHOICES_MAX) {
		return NULL;
	}
	c = must_alloc(sizeof(*c));
	c->index = index;
	text_init(&c->content, ANSWER_GATHER_MAX);
	text_init(&c->reasoning, ANSWER_GATHER_MAX);
	text_init(&c->refusal, ANSWER_GATHER_MAX);
	text_init(&c->finish, ANSWER_GATHER_MAX);
	a->v[a->n++] = c;
	return c;
}

static struct tool_call *call_of(struct choice *c, uint64_t index)
{
	if (index >= CALLS_MAX) {
		return NULL;
	}
	if (c->calls == NULL) {
		c->calls = must_alloc(CALLS_MAX * sizeof(*c->calls));
	}
	for (; c->n_calls <= index; c->n_calls++) {
		struct tool_call *call = &c->calls[c->n_calls];

		text_init(&call->id, ANSWER_GATHER_MAX);
		text_init(&call->name, ANSWER_GATHER_MAX);
		text_init(&call->arguments, ANSWER_GATHER_MAX);
	}
	return &c->calls[index];
}

/* Told once; vendors repeat it, or not. */
static void add_once(
	struct aggregate *a, struct text *t, struct bytes data, const struct json_hit *h)
{
	if (h != NULL && t->n == 0) {
		add(a, t, chat_inside(data, h));
	}
}

static void end_call(
	struct aggregate *a, struct choice *c, struct bytes data, const struct call_said *s)
{
	struct tool_call *call = call_of(c, s->index);

	if (call == NULL) {
		a->failed = true;
		return;
	}
	add_once(a, &call->id, data, s->id);
	add_once(a, &call->name, data, s->name);
	if (s->arguments != NULL) {
		add(a, &call->arguments, chat_inside(data, s->arguments));
	}
}

static void take_choice(
	struct aggregate *a, struct choice *c, struct bytes data, const struct json_hit *h)
{
	struct bytes inside = chat_inside(data, h);

	if (h->want == CHAT_CONTENT) {
		c->has_content |= h->type == JSON_STRING;
		add(a, &c->content, inside);
	} else if (h->want == CHAT_REASONING) {
		add(a, &c->reasoning, inside);
	} else if (h->want == CHAT_REFUSAL) {
		c->has_refusal |= h->type == JSON_STRING;
		add(a, &c->refusal, inside);
	} else if (h->want == CHAT_FINISH && h->type == JSON_STRING) {
		text_clear(&c->finish);
		add(a, &c->finish, inside);
	}
}

/* The hits of one choice, the last of which is the choice itself. */
static void end_choice(struct aggregate *a, struct bytes data, const struct json_hit *v, size_t n)
{
	struct call_said call = {0};
	struct choice *c;
	uint64_t index = 0;

	for (size_t i = 0; i < n; i++) {
		index = v[i].want == CHAT_INDEX ? chat_number(data, &v[i]) : index;
	}
	c = choice_of(a, index);
	for (size_t i = 0; i < n && c != NULL; i++) {
		const struct json_hit *h = &v[i];

		if (h->want == CHAT_CALL_INDEX) {
			call.index = chat_number(data, h);
		} else if (h->want == CHAT_CALL_ID) {
			call.id = h;
		} else if (h->want == CHAT_CALL_NAME) {
			call.name = h;
		} else if (h->want == CHAT_CALL_ARGUMENTS) {
			call.arguments = h;
		} else if (h->want == CHAT_CALL) {
			end_call(a, c, data, &call);
			call = (struct call_said){0};
		} else {
			take_choice(a, c, data, h);
		}
	}
	a->failed |= c == NULL;
}

/* Of the answer as a whole: what was told last counts, but for null. */
static void take_once(struct aggregate *a, struct bytes data, const struct json_hit *h)
{
	if (h->type != JSON_NULL) {
		a->kept.n -= a->once[h->want].n;
		text_clear(&a->once[h->want]);
		add(a, &a->once[h->want], chat_value(data, h));
	}
}

void aggregate_event(struct exchange *x, struct aggregate *a, struct bytes data)
{
	struct json_hit room[CHAT_HITS];
	struct json_hits hits;
	size_t from = 0;

	(void)x;
	json_hits_init(&hits, room, CHAT_HITS, CHAT_HITS_MAX);
	if (json_scan_all(a->query, data, &hits, NULL) != 0) {
		a->failed = true;
	}
	for (size_t i = 0; i < hits.n && !a->failed; i++) {
		const struct json_hit *h = &hits.v[i];

		if (h->want == CHAT_ERROR) {
			a->told_error |= h->type != JSON_NULL;
		} else if (h->want <= CHAT_USAGE) {
			take_once(a, data, h);
			from = from == i ? i + 1 : from;
		} else if (h->want == CHAT_CHOICE) {
			end_choice(a, data, &hits.v[from], i - from);
			from = i + 1;
		}
	}
	json_hits_done(&hits);
}

/* --- the answer --------------------------------------------------------------------------------- */

static void put_str(struct exchange *x, const char *s)
{
	answer_put(x, bytes_str(s));
}

static void put_string(struct exchange *x, const struct text *inside)
{
	put_str(x, "\"");
	answer_put(x, text_bytes(inside));
	put_str(x, "\"");
}

static void put_once(struct exchange *x, const struct aggregate *a, unsigned want, const char *name)
{
	if (a->once[want].n != 0) {
		put_str(x, "\"");
		put_str(x, name);
		put_str(x, "\":");
		answer_put(x, text_bytes(&a->once[want]));
		put_str(x, ",");
	}
}

static void put_calls(struct exchange *x, const struct choice *c)
{
	put_str(x, ",\"tool_calls\":[");
	for (size_t i = 0; i < c->n_calls; i++) {
		put_str(x, i == 0 ? "{\"id\":" : ",{\"id\":");
		put_string(x, &c->calls[i].id);
		put_str(x, ",\"type\":\"function\",\"function\":{\"name\":");
		put_string(x, &c->calls[i].name);
		put_str(x, ",\"arguments\":");
		put_string(x, &c->calls[i].arguments);
		put_str(x, "}}");
	}
	put_str(x, "]");
}

static void put_message(struct exchange *x, const struct aggregate *a, const struct choice *c)
{
	bool promoted = a->promotes && c->n_calls == 0 && c->reasoning.n != 0 &&
		chat_is_blank(text_bytes(&c->content));
	bool null = !c->has_content && (c->n_calls != 0 || c->has_refusal) && !promoted;

	put_str(x, "\"message\":{\"role\":\"assistant\",\"content\":");
	if (null) {
		put_str(x, "null");
	} else {
		put_string(x, promoted ? &c->reasoning : &c->content);
	}
	if (promoted) {
		put_str(x, ",\"reasoning_content\":\"\"");
	} else if (c->reasoning.n != 0) {
		put_str(x, ",\"reasoning_content\":");
		put_string(x, &c->reasoning);
	}
	if (c->has_refusal) {
		put_str(x, ",\"refusal\":");
		put_string(x, &c->refusal);
	}
	if (c->n_calls != 0) {
		put_calls(x, c);
	}
	put_str(x, "}");
}

static void put_choice(struct exchange *x, const struct aggregate *a, const struct choice *c)
{
	char digits[NUM_U64_MAX];

	put_str(x, "{\"index\":");
	answer_put(x, bytes_of(digits, num_format_u64(digits, c->index)));
	put_str(x, ",");
	put_message(x, a, c);
	put_str(x, ",\"finish_reason\":");
	if (c->finish.n != 0) {
		put_string(x, &c->finish);
	} else {
		put_str(x, "null");
	}
	put_str(x, "}");
}

static int by_index(const void *a, const void *b)
{
	const struct choice *x = *(struct choice *const *)a;
	const struct choice *y = *(struct choice *const *)b;

	return (x->index > y->index) - (x->index < y->index);
}

static void put_all(struct exchange *x, struct aggregate *a)
{
	qsort(a->v, a->n, sizeof(a->v[0]), by_index);
	put_str(x, "{");
	put_once(x, a, CHAT_ID, "id");
	put_str(x, "\"object\":\"chat.completion\",");
	put_once(x, a, CHAT_CREATED, "created");
	put_once(x, a, CHAT_MODEL, "model");
	put_once(x, a, CHAT_FINGERPRINT, "system_fingerprint");
	put_once(x, a, CHAT_USAGE, "usage");
	put_str(x, "\"choices\":[");
	for (size_t i = 0; i < a->n; i++) {
		put_str(x, i == 0 ? "" : ",");
		put_choice(x, a, a->v[i]);
	}
	put_str(x, "]}");
	x->answer.reshape->type = "application/json";
}

bool aggregate_whole(struct exchange *x, struct aggregate *a)
{
	if (a->told_error) {
		reply_set(
			x, 502, "upstream.invalid", "the upstream ended its answer with an error");
	} else if (a->failed || a->n == 0) {
		reply_set(x, 502, "upstream.invalid",
			a->failed ? "the upstream sent a stream that cannot be made one answer"
				  : "the upstream sent a stream without an answer in it");
	} else {
		put_all(x, a);
	}
	return !a->told_error && !a->failed && a->n != 0;
}
