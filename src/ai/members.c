/*
 * New members go to the front of their object, or where a member is taken out; so neither an empty object
 * nor one that becomes empty gets a comma too many.
 */
#include "ai/members.h"

#include "ai/request_edit.h"

/* How far before a value its key is looked for: the longest key here and a few blanks. */
#define KEY_WINDOW 128u

/* A literal and its length, for initializers. */
#define KEY(lit)                     \
	{                            \
		lit, sizeof(lit) - 1 \
	}

static const struct {
	struct bytes key;
	size_t parent;
	unsigned want;
} fixed[MEMBER_FIXED] = {
	[MEMBER_MODEL] = {KEY("model"), MEMBER_TOP, WANT_MODEL},
	[MEMBER_STREAM_OPTIONS] = {KEY("stream_options"), MEMBER_TOP, WANT_STREAM_OPTIONS},
	[MEMBER_INCLUDE_USAGE] = {KEY("include_usage"), MEMBER_STREAM_OPTIONS, WANT_INCLUDE_USAGE},
	[MEMBER_RESPONSE_FORMAT] = {KEY("response_format"), MEMBER_TOP, WANT_RESPONSE_FORMAT},
	[MEMBER_REASONING_EFFORT] = {KEY("reasoning_effort"), MEMBER_TOP, WANT_REASONING_EFFORT},
	[MEMBER_REASONING_MAX_TOKENS] = {KEY("reasoning_max_tokens"), MEMBER_TOP,
		WANT_REASONING_MAX_TOKENS},
	[MEMBER_REASONING] = {KEY("reasoning"), MEMBER_TOP, WANT_REASONING},
	[MEMBER_REASONING_MAX] = {KEY("max_tokens"), MEMBER_REASONING, WANT_REASONING_MAX},
	[MEMBER_THINKING] = {KEY("thinking"), MEMBER_TOP, WANT_THINKING},
	[MEMBER_WATERMARK] = {KEY("watermark"), MEMBER_TOP, WANT_WATERMARK},
	[MEMBER_PARALLEL_TOOL_CALLS] = {KEY("parallel_tool_calls"), MEMBER_TOP,
		WANT_PARALLEL_TOOL_CALLS},
	[MEMBER_TOOL_CHOICE] = {KEY("tool_choice"), MEMBER_TOP, WANT_TOOL_CHOICE},
};

void members_init(struct members *m, const struct exchange *x)
{
	m->n = MEMBER_FIXED;
	m->wishes = 0;
	for (size_t i = 0; i < MEMBER_FIXED; i++) {
		m->v[i] = (struct member){.key = fixed[i].key,
			.parent = fixed[i].parent,
			.hit = json_hits_get(&x->rq->hits, fixed[i].want, NULL)};
	}
}

size_t members_add(struct members *m, size_t parent, struct bytes key, const struct json_hit *hit)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i].parent == parent && bytes_eq(m->v[i].key, key)) {
			return i;
		}
	}
	ASSERT(m->n < MEMBERS_MAX);
	m->v[m->n] = (struct member){.key = key, .parent = parent, .hit = hit};
	return m->n++;
}

bool members_has(const struct members *m, size_t i)
{
	return m->v[i].wish == MEMBER_SET || (m->v[i].wish == MEMBER_KEEP && m->v[i].hit != NULL);
}

static void wish(struct members *m, size_t i)
{
	m->wishes++;
	m->last = i;
}

void members_set(struct members *m, size_t i, struct bytes value)
{
	wish(m, i);
	m->v[i].wish = MEMBER_SET;
	m->v[i].value = value;
}

void members_remove(struct members *m, size_t i)
{
	wish(m, i);
	m->v[i].wish = m->v[i].hit != NULL ? MEMBER_REMOVE : MEMBER_KEEP;
}

struct bytes members_value(
	const struct members *m, size_t i, const struct exchange *x, char *room, size_t size)
{
	const struct member *e = &m->v[i];
	size_t n;

	if (!members_has(m, i)) {
		return (struct bytes){"", 0};
	}
	if (e->wish == MEMBER_SET) {
		return e->value;
	}
	n = (size_t)(e->hit->end - e->hit->beg);
	if (n > size) {
		return (struct bytes){"", 0};
	}
	chain_copy(&x->rq->body, (size_t)e->hit->beg, n, room);
	return bytes_of(room, n);
}

/* --- taking out --------------------------------------------------------------------------------- */

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

/* --- putting in --------------------------------------------------------------------------------- */

/* Whether somewhere below i a value is set. */
static bool sets_below(const struct members *m, size_t i)
{
	for (size_t k = 0; k < m->n; k++) {
		if (m->v[k].parent == i && (m->v[k].wish == MEMBER_SET || sets_below(m, k))) {
			return true;
		}
	}
	return false;
}

/* "key":value of all that is set below parent and does not stand there. */
static void put_new(const struct members *m, size_t parent, bool all, struct text *t)
{
	bool any = false;

	for (size_t i = 0; i < m->n; i++) {
		const struct member *e = &m->v[i];

		if (e->parent != parent || (!all && e->hit != NULL) ||
			(e->wish != MEMBER_SET && !sets_below(m, i))) {
			continue;
		}
		text_add_str(t, any ? ",\"" : "\"");
		any = true;
		text_add_json(t, e->key);
		text_add_str(t, "\":");
		if (e->wish == MEMBER_SET) {
			text_add_bytes(t, e->value);
		} else {
			text_add_char(t, '{');
			put_new(m, i, true, t);
			text_add_char(t, '}');
		}
	}
}

/* p NULL: no memory. */
static struct bytes keep(struct exchange *x, struct text *t)
{
	struct bytes copy =
		text_full(t) ? (struct bytes){NULL, 0} : arena_copy(&x->rq->arena, text_bytes(t));

	text_done(t);
	return copy;
}

/* The next member of that parent in the text that is to go. */
static const struct member *next_removed(const struct members *m, size_t parent, uint64_t from)
{
	const struct member *next = NULL;

	for (size_t i = 0; i < m->n; i++) {
		const struct member *e = &m->v[i];

		if (e->parent == parent && e->wish == MEMBER_REMOVE && e->hit->beg >= from &&
			(next == NULL || e->hit->beg < next->hit->beg)) {
			next = e;
		}
	}
	return next;
}

static bool edit_object(
	struct members *m, struct exchange *x, size_t parent, uint64_t at, bool empty);

/* What is to become of a member that stands there and stays. */
static bool edit_value(struct members *m, struct exchange *x, size_t i)
{
	const struct member *e = &m->v[i];
	struct text t;
	struct bytes object;

	if (e->wish == MEMBER_SET) {
		exchange_edit(x, e->hit->beg, e->hit->end - e->hit->beg, e->value);
		return true;
	}
	if (e->hit->type == JSON_OBJECT) {
		return edit_object(m, x, i, e->hit->beg, e->hit->empty);
	}
	if (!sets_below(m, i)) {
		return true;
	}
	text_init(&t, REQUEST_ARENA_MAX);
	text_add_char(&t, '{');
	put_new(m, i, true, &t);
	text_add_char(&t, '}');
	object = keep(x, &t);
	exchange_edit(x, e->hit->beg, e->hit->end - e->hit->beg, object);
	return object.p != NULL;
}

/* Puts what is new where the first member that goes stood, or to the front. */
static bool edit_members(
	struct members *m, struct exchange *x, size_t parent, uint64_t at, bool empty)
{
	const struct member *gone = next_removed(m, parent, 0);
	uint64_t slot = gone != NULL ? key_begin(x, gone->hit->beg) : 0;
	struct bytes fresh;
	struct text t;

	text_init(&t, REQUEST_ARENA_MAX);
	put_new(m, parent, false, &t);
	if (t.n != 0 && slot == 0 && !empty) {
		text_add_char(&t, ',');
	}
	fresh = keep(x, &t);
	if (fresh.p == NULL) {
		return false;
	}
	if (fresh.n != 0 && slot != 0) {
		exchange_edit(x, slot, gone->hit->end - slot, fresh);
		gone = next_removed(m, parent, gone->hit->end);
	} else if (fresh.n != 0) {
		exchange_edit(x, at + 1, 0, fresh);
	}
	for (; gone != NULL; gone = next_removed(m, parent, gone->hit->end)) {
		remove_member(x, gone->hit);
	}
	return true;
}

static bool edit_object(
	struct members *m, struct exchange *x, size_t parent, uint64_t at, bool empty)
{
	if (!edit_members(m, x, parent, at, empty)) {
		return false;
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct member *e = &m->v[i];

		if (e->parent == parent && e->hit != NULL && e->wish != MEMBER_REMOVE &&
			!edit_value(m, x, i)) {
			return false;
		}
	}
	return true;
}

bool members_edit(struct members *m, struct exchange *x)
{
	const struct json_scan *s = x->rq->scan;
	const struct member *only = m->wishes == 1 ? &m->v[m->last] : NULL;

	if (m->wishes == 0) {
		return true;
	}
	/* Nearly every request: another model. */
	if (only != NULL && only->wish == MEMBER_SET && only->hit != NULL) {
		exchange_edit(x, only->hit->beg, only->hit->end - only->hit->beg, only->value);
		return true;
	}
	return edit_object(m, x, MEMBER_TOP, json_scan_top_at(s), json_scan_top_empty(s));
}
