#include "ai/request_edit.h"

/* How far before a value its key is looked for: the longest key here and a few blanks. */
#define KEY_WINDOW 128u
/* Edits beside one per developer message. */
#define EDITS_BASE 10u
/* Attack: a body of nothing but roles to edit. With all of them half of the request's arena is left. */
#define DEVELOPERS_MAX 1000u

bool request_edit_room(struct exchange *x)
{
	struct request *rq = x->rq;
	size_t developers;

	json_hits_get(&rq->hits, WANT_DEVELOPER, &developers);
	if (developers > DEVELOPERS_MAX) {
		return false;
	}
	rq->at.edits_cap = EDITS_BASE + developers;
	rq->at.edits = arena_alloc(&rq->arena, rq->at.edits_cap * sizeof(*rq->at.edits));
	return rq->at.edits != NULL;
}

static const struct json_hit *hit(const struct exchange *x, enum request_want want)
{
	return json_hits_get(&x->rq->hits, want, NULL);
}

static struct bytes keep(struct exchange *x, struct bytes b)
{
	struct bytes copy = arena_copy(&x->rq->arena, b);

	/* The texts here are bounded by the configuration and far below the arena's limit. */
	ASSERT(copy.p != NULL);
	return copy;
}

static void replace(struct exchange *x, const struct json_hit *h, struct bytes put)
{
	exchange_edit(x, h->beg, h->end - h->beg, put);
}

static bool is_inserted(const struct exchange *x, uint64_t at)
{
	const struct attempt *a = &x->rq->at;

	for (size_t i = 0; i < a->n_edits; i++) {
		if (a->edits[i].at == at && a->edits[i].cut == 0) {
			return true;
		}
	}
	return false;
}

/* Puts `member` ("key":value) in front of the members of the object that begins at `at`, behind those
 * that were put there before. In an empty object the comma stands before each but the first. */
static void insert_member(struct exchange *x, uint64_t at, bool empty, struct bytes member)
{
	struct text t;

	text_init(&t, 64 * 1024);
	if (empty && is_inserted(x, at + 1)) {
		text_add_char(&t, ',');
	}
	text_add_bytes(&t, member);
	if (!empty) {
		text_add_char(&t, ',');
	}
	exchange_edit(x, at + 1, 0, keep(x, text_bytes(&t)));
	text_done(&t);
}

static void insert_top(struct exchange *x, struct bytes member)
{
	const struct json_scan *s = x->rq->scan;

	insert_member(x, json_scan_top_at(s), json_scan_top_empty(s), member);
}

void request_edit_model(struct exchange *x, struct bytes model)
{
	const struct json_hit *h = hit(x, WANT_MODEL);
	struct text t;

	if (bytes_eq(model, x->rq->body_model)) {
		return;
	}
	text_init(&t, 8192);
	if (h == NULL) {
		text_add_str(&t, "\"model\":");
	}
	text_add_char(&t, '"');
	text_add_json(&t, model);
	text_add_char(&t, '"');
	if (h == NULL) {
		insert_top(x, text_bytes(&t));
	} else {
		replace(x, h, keep(x, text_bytes(&t)));
	}
	text_done(&t);
}

/* --- members as a whole ------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the key of a value begins (its quote). The scan has accepted the text, so before the value
 * stand blanks, a colon, blanks and a string; a key is at most JSON_KEY_MAX characters, unless it is
 * written in escapes, which nobody does: then 0 is returned and the member is left alone. */
static uint64_t key_begin(const struct exchange *x, uint64_t value_at)
{
	char room[KEY_WINDOW];
	size_t n = value_at < KEY_WINDOW ? (size_t)value_at : KEY_WINDOW;
	size_t i = n;

	chain_copy(&x->rq->body, (size_t)value_at - n, n, room);
	while (i > 0 && (is_blank(room[i - 1]) || room[i - 1] == ':')) {
		i--;
	}
	if (i < 2 || room[i - 1] != '"') {
		return 0;
	}
	for (i--; i > 0; i--) {
		if (room[i - 1] == '\\') {
			return 0;
		}
		if (room[i - 1] == '"') {
			return value_at - n + i - 1;
		}
	}
	return 0;
}

static char byte_at(const struct exchange *x, uint64_t at)
{
	char c;

	chain_copy(&x->rq->body, (size_t)at, 1, &c);
	return c;
}

/* A byte that an edit before this one has taken out already. */
static bool is_cut(const struct exchange *x, uint64_t at)
{
	const struct attempt *a = &x->rq->at;

	for (size_t i = 0; i < a->n_edits; i++) {
		if (at >= a->edits[i].at && at - a->edits[i].at < a->edits[i].cut) {
			return true;
		}
	}
	return false;
}

/* Takes a member out, with the comma that belongs to it: the one before it, or the one behind it when
 * it is the first, also when it is first because what stood before it went already. So several members
 * are taken out in their order in the text. */
static void remove_member(struct exchange *x, const struct json_hit *h)
{
	uint64_t beg = key_begin(x, h->beg);
	uint64_t end = h->end;
	uint64_t at = beg;

	if (beg == 0) {
		return;
	}
	while (beg - at < KEY_WINDOW && is_blank(byte_at(x, at - 1))) {
		at--;
	}
	if (beg - at == KEY_WINDOW) {
		return; /* nobody writes that, and looking for the comma would take long */
	}
	if (byte_at(x, at - 1) == ',' && !is_cut(x, at - 1)) {
		exchange_edit(x, at - 1, end - (at - 1), BYTES(""));
		return;
	}
	while (end - h->end < KEY_WINDOW && is_blank(byte_at(x, end))) {
		end++;
	}
	if (end - h->end == KEY_WINDOW) {
		return;
	}
	end += byte_at(x, end) == ',';
	exchange_edit(x, beg, end - beg, BYTES(""));
}

/* Two members, each of which may be missing. */
static void remove_members(struct exchange *x, const struct json_hit *a, const struct json_hit *b)
{
	const struct json_hit *first = a != NULL && b != NULL && b->beg < a->beg ? b : a;
	const struct json_hit *second = first == a ? b : a;

	if (first != NULL) {
		remove_member(x, first);
	}
	if (second != NULL) {
		remove_member(x, second);
	}
}

/* Puts another member in a member's place. */
static void replace_member(struct exchange *x, const struct json_hit *h, struct bytes member)
{
	uint64_t beg = key_begin(x, h->beg);

	if (beg != 0) {
		exchange_edit(x, beg, h->end - beg, member);
	}
}

/* --- tweaks ------------------------------------------------------------------------------------- */

/* data-plane.md §8.2: usage is asked for, and its event hidden from a client that did not ask. */
static void ask_for_usage(struct exchange *x)
{
	const struct json_hit *options = hit(x, WANT_STREAM_OPTIONS);
	const struct json_hit *include = hit(x, WANT_INCLUDE_USAGE);

	if (include != NULL && include->type == JSON_TRUE) {
		return;
	}
	x->rq->at.hide_usage = true;
	if (options == NULL) {
		insert_top(x, BYTES("\"stream_options\":{\"include_usage\":true}"));
	} else if (options->type == JSON_NULL) {
		replace(x, options, BYTES("{\"include_usage\":true}"));
	} else if (include != NULL) {
		replace(x, include, BYTES("true"));
	} else if (options->type == JSON_OBJECT) {
		insert_member(x, options->beg, options->empty, BYTES("\"include_usage\":true"));
	} else {
		x->rq->at.hide_usage = false; /* the vendor will say what is wrong with it */
	}
}

/* providers.md D-03. */
static void developer_to_system(struct exchange *x)
{
	const struct json_hits *hits = &x->rq->hits;

	for (size_t i = 0; i < hits->n; i++) {
		if (hits->v[i].want == WANT_DEVELOPER) {
			replace(x, &hits->v[i], BYTES("\"system\""));
		}
	}
}

static void zhipu_thinking(struct exchange *x)
{
	const struct json_hit *effort = hit(x, WANT_REASONING_EFFORT);
	const struct json_hit *thinking = hit(x, WANT_THINKING);

	if (effort == NULL) {
		return;
	}
	if (thinking == NULL) {
		replace_member(x, effort, BYTES("\"thinking\":{\"type\":\"enabled\"}"));
		return;
	}
	replace(x, thinking, BYTES("{\"type\":\"enabled\"}"));
	remove_member(x, effort);
}

static void openrouter_reasoning(struct exchange *x)
{
	const struct json_hit *tokens = hit(x, WANT_REASONING_MAX_TOKENS);
	const struct json_hit *reasoning = hit(x, WANT_REASONING);
	const struct json_hit *max = hit(x, WANT_REASONING_MAX);
	const struct json_hit *effort = hit(x, WANT_REASONING_EFFORT);
	char number[24];
	uint64_t v;
	struct text t;

	if (tokens == NULL || tokens->type != JSON_NUMBER || tokens->end - tokens->beg > 20) {
		return;
	}
	chain_copy(&x->rq->body, (size_t)tokens->beg, (size_t)(tokens->end - tokens->beg), number);
	if (!json_number_u64(bytes_of(number, (size_t)(tokens->end - tokens->beg)), &v) || v == 0) {
		return;
	}
	text_init(&t, 256);
	if (reasoning == NULL || reasoning->type != JSON_OBJECT) {
		text_addf(&t, "\"reasoning\":{\"max_tokens\":%llu}", (unsigned long long)v);
		replace_member(x, tokens, keep(x, text_bytes(&t)));
		remove_members(x, reasoning, effort);
	} else {
		text_addf(&t, max != NULL ? "%llu" : "\"max_tokens\":%llu", (unsigned long long)v);
		if (max != NULL) {
			replace(x, max, keep(x, text_bytes(&t)));
		} else {
			insert_member(x, reasoning->beg, reasoning->empty, text_bytes(&t));
		}
		remove_members(x, tokens, effort);
	}
	text_done(&t);
}

static void response_format(struct exchange *x, struct bytes schema)
{
	const struct json_hit *h = hit(x, WANT_RESPONSE_FORMAT);
	struct text t;

	if (h != NULL) {
		replace(x, h, schema);
		return;
	}
	text_init(&t, 64 * 1024);
	text_add_str(&t, "\"response_format\":");
	text_add_bytes(&t, schema);
	insert_top(x, text_bytes(&t));
	text_done(&t);
}

void request_edit_tweaks(struct exchange *x)
{
	const struct provider *p = x->rq->at.to->provider;
	bool chat = x->rq->api == API_CHAT_COMPLETIONS;

	if ((p->tweaks & TWEAK_STREAM_USAGE) != 0 && x->rq->stream &&
		(chat || x->rq->api == API_COMPLETIONS)) {
		ask_for_usage(x);
	}
	if (!chat) {
		return;
	}
	if ((p->tweaks & TWEAK_DEVELOPER_TO_SYSTEM) != 0) {
		developer_to_system(x);
	}
	if ((p->tweaks & TWEAK_ZHIPU_THINKING) != 0) {
		zhipu_thinking(x);
	}
	if ((p->tweaks & TWEAK_OPENROUTER_REASONING) != 0) {
		openrouter_reasoning(x);
	}
	if (p->response_format.n != 0) {
		response_format(x, p->response_format);
	}
}
