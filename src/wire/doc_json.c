/*
 * Documents from JSON and into it.
 */
#include <stdlib.h>

#include "base/random.h"
#include "wire/doc_int.h"

/* --- from JSON ---------------------------------------------------------------------------------- */

static void fill_number(struct doc *d, struct bytes literal)
{
	struct yaml_node n = {.type = YAML_STRING};

	/* What JSON has for numbers means the same in YAML. */
	yaml_resolve(literal, &n);
	if (n.type == YAML_STRING) {
		char *digits = bytes_dup(literal); /* longer than YAML takes for a number */

		n.type = YAML_FLOAT;
		n.number = strtod(digits, NULL);
		free(digits);
	}
	d->type = n.type == YAML_INT ? DOC_INT : DOC_FLOAT;
	d->integer = n.integer;
	d->number = n.number;
	d->text = literal;
}

static enum doc_type type_of(enum json_type type)
{
	static const enum doc_type types[] = {
		[JSON_NULL] = DOC_NULL,
		[JSON_FALSE] = DOC_BOOL,
		[JSON_TRUE] = DOC_BOOL,
		[JSON_NUMBER] = DOC_FLOAT,
		[JSON_STRING] = DOC_STRING,
		[JSON_ARRAY] = DOC_LIST,
		[JSON_OBJECT] = DOC_MAP,
	};

	return types[type];
}

/* The last of several members of one key counts, where the first stands. */
static struct doc *find_same(struct map *index, const struct doc *m, struct bytes key)
{
	if (m->n > DOC_INDEX_FROM) {
		if (index->n == 0) {
			struct hash_seed seed;

			random_secret(&seed, sizeof(seed));
			map_init(index, &seed);
			for (struct doc *i = m->items; i != NULL; i = i->next) {
				IGNORE(map_put(index, i->key, i)); /* they differ */
			}
		}
		return map_get(index, key);
	}
	for (struct doc *i = m->items; i != NULL; i = i->next) {
		if (bytes_eq(i->key, key)) {
			return i;
		}
	}
	return NULL;
}

static void add_item(struct map *index, struct doc *parent, struct doc *item, struct bytes key)
{
	struct doc *same = NULL;

	if (parent->type == DOC_MAP) {
		item->key = key;
		same = find_same(index, parent, key);
	}
	if (same != NULL) {
		item->next = same->next;
		*same = *item;
		return;
	}
	*(parent->last != NULL ? &parent->last->next : &parent->items) = item;
	parent->last = item;
	parent->n++;
	if (index->n != 0) {
		IGNORE(map_put(index, key, item)); /* it was not there */
	}
}

/* Depth is bounded by the reader (JSON_DEPTH_MAX). */
struct doc *doc_of_json(struct arena *a, const struct json_value *v)
{
	struct doc *d = doc_null(a);
	struct map index = {0};

	if (d == NULL || v == NULL) {
		return d;
	}
	d->type = type_of(v->type);
	d->boolean = v->type == JSON_TRUE;
	if (v->type == JSON_NUMBER) {
		fill_number(d, v->text);
	} else if (v->type == JSON_STRING) {
		d->text = v->text;
	}
	for (const struct json_value *i = v->items; i != NULL; i = i->next) {
		struct doc *item = doc_of_json(a, i);

		if (item == NULL) {
			d = NULL;
			break;
		}
		add_item(&index, d, item, i->key);
	}
	map_done(&index);
	return d;
}

/* --- into JSON ---------------------------------------------------------------------------------- */

static void put_number(struct json_writer *w, const struct doc *d)
{
	char room[64 + 400];
	struct text t;

	if (d->text.n > 64) {
		json_put_raw(w, d->text); /* only what JSON would write so has a text */
		return;
	}
	text_init_fixed(&t, room, sizeof(room));
	if (doc_put_number_json(&t, d)) {
		json_put_raw(w, text_bytes(&t));
	} else {
		json_put_null(w);
	}
}

void doc_put_json(struct arena *a, struct json_writer *w, const struct doc *d)
{
	switch (d != NULL ? d->type : DOC_NULL) {
	case DOC_NULL:
		json_put_null(w);
		break;
	case DOC_BOOL:
		json_put_bool(w, d->boolean);
		break;
	case DOC_INT:
	case DOC_FLOAT:
		put_number(w, d);
		break;
	case DOC_STRING:
		json_put_string(w, d->text);
		break;
	case DOC_LIST:
		json_open_array(w);
		for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
			doc_put_json(a, w, i);
		}
		json_close_array(w);
		break;
	case DOC_MAP:
		json_open_object(w);
		for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
			json_key_bytes(w, i->key);
			doc_put_json(a, w, i);
		}
		json_close_object(w);
		break;
	}
}

/* --- as Gson writes it -------------------------------------------------------------------------- */

/* Bytes of text at p that Gson writes as an escape; 0: written as they are. */
static size_t gson_escape(const char *p, size_t n, const char **escape, char room[8])
{
	static const char *const shorts[] = {['\t'] = "\\t",
		['\b'] = "\\b",
		['\n'] = "\\n",
		['\r'] = "\\r",
		['\f'] = "\\f",
		['"'] = "\\\"",
		['\\'] = "\\\\"};
	unsigned char c = (unsigned char)*p;

	*escape = room;
	if (n >= 3 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0)) {
		*escape = (unsigned char)p[2] == 0xa8 ? "\\u2028" : "\\u2029";
		return 3;
	}
	if (c < ARRAY_LEN(shorts) && shorts[c] != NULL) {
		*escape = shorts[c];
		return 1;
	}
	if (c < ' ' || (c < 0x80 && strchr("<>&='", *p) != NULL)) {
		static const char hex[] = "0123456789abcdef";

		memcpy(room, "\\u00", 4);
		room[4] = hex[c >> 4];
		room[5] = hex[c & 15];
		room[6] = '\0';
		return 1;
	}
	return 0;
}

static void put_gson_string(struct text *out, struct bytes s)
{
	size_t from = 0, i = 0;

	text_add_char(out, '"');
	while (i < s.n) {
		const char *escape;
		char room[8];
		size_t n = gson_escape(s.p + i, s.n - i, &escape, room);

		if (n == 0) {
			i++;
			continue;
		}
		text_add(out, s.p + from, i - from);
		text_add_str(out, escape);
		i += n;
		from = i;
	}
	text_add(out, s.p + from, s.n - from);
	text_add_char(out, '"');
}

static void put_gson_items(struct arena *a, struct text *out, const struct doc *d)
{
	const char *comma = "";

	for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
		if (d->type == DOC_MAP && i->type == DOC_NULL) {
			continue;
		}
		text_add_str(out, comma);
		comma = ",";
		if (d->type == DOC_MAP) {
			put_gson_string(out, i->key);
			text_add_char(out, ':');
		}
		doc_put_gson(a, out, i);
	}
}

void doc_put_gson(struct arena *a, struct text *out, const struct doc *d)
{
	switch (d != NULL ? d->type : DOC_NULL) {
	case DOC_NULL:
		text_add_str(out, "null");
		break;
	case DOC_BOOL:
		text_add_str(out, d->boolean ? "true" : "false");
		break;
	case DOC_INT:
	case DOC_FLOAT:
		if (!doc_put_number_json(out, d)) {
			text_add_str(out, "null");
		}
		break;
	case DOC_STRING:
		put_gson_string(out, d->text);
		break;
	case DOC_LIST:
	case DOC_MAP:
		text_add_char(out, d->type == DOC_LIST ? '[' : '{');
		put_gson_items(a, out, d);
		text_add_char(out, d->type == DOC_LIST ? ']' : '}');
		break;
	}
}

struct doc *doc_detached(struct arena *a, const struct doc *d)
{
	const struct json_value *v = NULL;
	struct json_writer w;
	struct bytes kept;
	struct text t;

	text_init(&t, SIZE_MAX / 2);
	json_writer_init(&w, &t);
	doc_put_json(a, &w, d);
	kept = arena_copy(a, text_bytes(&t));
	text_done(&t);
	v = kept.p != NULL ? json_parse(a, kept, NULL) : NULL;
	return v != NULL ? doc_of_json(a, v) : NULL;
}
