/*
 * The tree: a scan first, which alone decides what is valid, then building from text that is known to
 * be. So there is one grammar in the program, and building asserts where it would have to check.
 */
#include "wire/json_int.h"

struct builder {
	struct arena *arena;
	struct bytes text;
	const char *(*run)(const char *p, const char *end, bool *escaped);
	size_t at;
	unsigned depth;
	struct json_value *open[JSON_DEPTH_MAX];
	struct json_value **tail[JSON_DEPTH_MAX]; /* where the next item is linked */
	struct bytes key;                         /* of the value that comes next */
	size_t key_beg, key_end;
	bool have_key;
};

/* The string at b->at, whose quote is there; b->at moves behind it. p NULL: no memory. */
static struct bytes take_text(struct builder *b)
{
	const char *p = b->text.p + b->at + 1;
	bool escaped = false;
	const char *q = b->run(p, b->text.p + b->text.n, &escaped);
	struct bytes raw = bytes_of(p, (size_t)(q - p));
	struct text plain;
	char *room;

	ASSERT(q < b->text.p + b->text.n && *q == '"');
	b->at += raw.n + 2;
	if (!escaped) {
		return raw;
	}
	/* No escape is shorter than what it stands for. */
	room = arena_alloc(b->arena, raw.n);
	if (room == NULL) {
		return bytes_of(NULL, 0);
	}
	text_init_fixed(&plain, room, raw.n);
	json_unescape(raw, &plain);
	ASSERT(!text_full(&plain));
	return text_bytes(&plain);
}

/* Numbers and words end where none of their bytes follows. */
static struct bytes take_literal(struct builder *b)
{
	size_t from = b->at;

	while (b->at < b->text.n && strchr(" \t\r\n,]}", b->text.p[b->at]) == NULL) {
		b->at++;
	}
	return bytes_of(b->text.p + from, b->at - from);
}

static struct json_value *add_value(struct builder *b)
{
	struct json_value *v = arena_alloc(b->arena, sizeof(*v));

	if (v == NULL) {
		return NULL;
	}
	v->beg = b->at;
	if (b->have_key) {
		v->key = b->key;
		v->key_beg = b->key_beg;
		v->key_end = b->key_end;
		b->have_key = false;
	}
	if (b->depth != 0) {
		*b->tail[b->depth - 1] = v;
		b->tail[b->depth - 1] = &v->next;
		b->open[b->depth - 1]->n++;
	}
	return v;
}

/* The value at b->at; of a container its opening bracket. NULL: no memory. */
static struct json_value *take_value(struct builder *b)
{
	struct json_value *v = add_value(b);
	char c = b->text.p[b->at];

	if (v == NULL) {
		return NULL;
	}
	if (c == '{' || c == '[') {
		v->type = c == '{' ? JSON_OBJECT : JSON_ARRAY;
		ASSERT(b->depth < JSON_DEPTH_MAX);
		b->open[b->depth] = v;
		b->tail[b->depth] = &v->items;
		b->depth++;
		b->at++;
		return v;
	}
	if (c == '"') {
		v->type = JSON_STRING;
		v->text = take_text(b);
		if (v->text.p == NULL) {
			return NULL;
		}
	} else {
		v->type = c == 't' ? JSON_TRUE
			: c == 'f' ? JSON_FALSE
			: c == 'n' ? JSON_NULL
				   : JSON_NUMBER;
		v->text = take_literal(b);
	}
	v->end = b->at;
	return v;
}

/* Steps over what only separates, and closes what ends there. */
static void skip_between(struct builder *b)
{
	for (; b->at < b->text.n; b->at++) {
		char c = b->text.p[b->at];

		if (c == '}' || c == ']') {
			ASSERT(b->depth != 0);
			b->depth--;
			b->open[b->depth]->end = b->at + 1;
		} else if (strchr(" \t\r\n,:", c) == NULL) {
			return;
		}
	}
}

static struct json_value *build(struct builder *b)
{
	struct json_value *top = NULL;

	for (skip_between(b); b->at < b->text.n; skip_between(b)) {
		bool in_object = b->depth != 0 && b->open[b->depth - 1]->type == JSON_OBJECT;
		struct json_value *v;

		if (in_object && !b->have_key) {
			b->key_beg = b->at;
			b->key = take_text(b);
			b->key_end = b->at;
			b->have_key = true;
			if (b->key.p == NULL) {
				return NULL;
			}
			continue;
		}
		v = take_value(b);
		if (v == NULL) {
			return NULL;
		}
		top = top == NULL ? v : top;
	}
	return top;
}

struct json_value *json_parse(struct arena *a, struct bytes text, struct fault *fault)
{
	struct builder b = {.arena = a, .text = text};
	struct json_value *top;
	size_t n;

	if (json_scan_all(NULL, text, NULL, fault) != 0) {
		return NULL;
	}
	b.run = json_runs(&n)->run;
	top = build(&b);
	if (top == NULL) {
		fault_set(fault, ERR_LIMIT, 413, b.at,
			"JSON with more values than there is room for");
	}
	return top;
}

const struct json_value *json_get(const struct json_value *v, const char *key)
{
	const struct json_value *found = NULL;
	struct bytes k = bytes_str(key);

	if (v == NULL || v->type != JSON_OBJECT) {
		return NULL;
	}
	for (const struct json_value *i = v->items; i != NULL; i = i->next) {
		if (bytes_eq(i->key, k)) {
			found = i;
		}
	}
	return found;
}

struct bytes json_text(const struct json_value *v, struct bytes def)
{
	return v != NULL && v->type == JSON_STRING ? v->text : def;
}
