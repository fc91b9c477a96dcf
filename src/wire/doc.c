/*
 * Documents: made, read and changed. A level is opened as one block of nodes, so that a list of 100,000
 * costs one allocation; its items stay closed until somebody asks for them.
 */
#include "wire/doc.h"

#include <stdlib.h>

#include "wire/doc_int.h"

/* --- made --------------------------------------------------------------------------------------- */

static struct doc *make(struct arena *a, enum doc_type type)
{
	struct doc *d = arena_alloc(a, sizeof(*d));

	if (d != NULL) {
		d->type = type;
	}
	return d;
}

struct doc *doc_null(struct arena *a)
{
	return make(a, DOC_NULL);
}

struct doc *doc_bool(struct arena *a, bool v)
{
	struct doc *d = make(a, DOC_BOOL);

	if (d != NULL) {
		d->boolean = v;
	}
	return d;
}

struct doc *doc_int(struct arena *a, int64_t v)
{
	struct doc *d = make(a, DOC_INT);

	if (d != NULL) {
		d->integer = v;
		d->number = (double)v;
	}
	return d;
}

struct doc *doc_float(struct arena *a, double v)
{
	struct doc *d = make(a, DOC_FLOAT);

	if (d != NULL) {
		d->number = v;
	}
	return d;
}

struct doc *doc_string(struct arena *a, struct bytes s)
{
	struct doc *d = make(a, DOC_STRING);

	if (d != NULL) {
		d->text = s;
	}
	return d;
}

struct doc *doc_str(struct arena *a, const char *s)
{
	return doc_string(a, bytes_str(s));
}

struct doc *doc_string_copy(struct arena *a, struct bytes s)
{
	struct bytes copy = arena_copy(a, s);

	return copy.p != NULL ? doc_string(a, copy) : NULL;
}

struct doc *doc_list(struct arena *a)
{
	return make(a, DOC_LIST);
}

struct doc *doc_map(struct arena *a)
{
	return make(a, DOC_MAP);
}

static enum doc_type type_of(enum yaml_type type)
{
	static const enum doc_type types[] = {
		[YAML_NULL] = DOC_NULL,
		[YAML_BOOL] = DOC_BOOL,
		[YAML_INT] = DOC_INT,
		[YAML_FLOAT] = DOC_FLOAT,
		[YAML_STRING] = DOC_STRING,
		[YAML_SEQ] = DOC_LIST,
		[YAML_MAP] = DOC_MAP,
	};

	return types[type];
}

void doc_fill(struct doc *d, const struct yaml_node *n)
{
	*d = (struct doc){.type = type_of(n->type),
		.boolean = n->boolean,
		.closed = n->n != 0,
		.n = n->n,
		.integer = n->integer,
		.number = n->number,
		.text = n->text,
		.key = n->key != NULL ? n->key->text : bytes_of(NULL, 0),
		.origin = n};
	if ((d->type == DOC_INT || d->type == DOC_FLOAT) && !doc_literal_stays(d)) {
		d->text = bytes_of(NULL, 0);
	}
}

struct doc *doc_of_yaml(struct arena *a, const struct yaml_node *n)
{
	struct doc *d = make(a, DOC_NULL);

	if (d != NULL && n != NULL) {
		doc_fill(d, n);
		d->key = bytes_of(NULL, 0);
	}
	return d;
}

static void link_last(struct doc *parent, struct doc *item)
{
	item->next = NULL;
	*(parent->last != NULL ? &parent->last->next : &parent->items) = item;
	parent->last = item;
	parent->n++;
}

struct doc *doc_copy(struct arena *a, const struct doc *d)
{
	struct doc *copy = d != NULL ? make(a, d->type) : NULL;

	if (copy == NULL) {
		return NULL;
	}
	*copy = *d;
	copy->next = NULL;
	if (d->closed) {
		return copy;
	}
	copy->items = copy->last = NULL;
	copy->n = 0;
	for (const struct doc *i = d->items; i != NULL; i = i->next) {
		struct doc *item = doc_copy(a, i);

		if (item == NULL) {
			return NULL;
		}
		link_last(copy, item);
	}
	return copy;
}

/* --- read --------------------------------------------------------------------------------------- */

static bool open_level(struct arena *a, struct doc *d)
{
	struct doc *room = arena_alloc(a, d->n * sizeof(*room));
	size_t i = 0;

	if (room == NULL) {
		return false;
	}
	for (const struct yaml_node *n = d->origin->items; n != NULL; n = n->next, i++) {
		doc_fill(&room[i], n);
		room[i].next = n->next != NULL ? &room[i + 1] : NULL;
	}
	ASSERT(i == d->n);
	d->items = room;
	d->last = &room[i - 1];
	d->closed = false;
	return true;
}

struct doc *doc_first(struct arena *a, const struct doc *d)
{
	if (d == NULL) {
		return NULL;
	}
	if (d->closed) {
		/* Opening changes nothing that a reader could see. */
		return open_level(a, (struct doc *)(uintptr_t)d) ? d->items : NULL;
	}
	return d->items;
}

struct doc *doc_get_bytes(struct arena *a, const struct doc *m, struct bytes key)
{
	if (m == NULL || m->type != DOC_MAP) {
		return NULL;
	}
	for (struct doc *v = doc_first(a, m); v != NULL; v = v->next) {
		if (bytes_eq(v->key, key)) {
			return v;
		}
	}
	return NULL;
}

struct doc *doc_get(struct arena *a, const struct doc *m, const char *key)
{
	return doc_get_bytes(a, m, bytes_str(key));
}

struct bytes doc_peek(const struct doc *m, const char *key, struct bytes def)
{
	if (m != NULL && m->closed) {
		const struct yaml_node *n = yaml_get(m->origin, key);

		return n != NULL && n->type == YAML_STRING ? n->text : def;
	}
	for (const struct doc *v = m != NULL && m->type == DOC_MAP ? m->items : NULL; v != NULL;
		v = v->next) {
		if (bytes_eq(v->key, bytes_str(key))) {
			return doc_text(v, def);
		}
	}
	return def;
}

struct doc *doc_at(struct arena *a, const struct doc *m, const char *path)
{
	struct bytes rest = bytes_str(path);
	struct doc *found = NULL;

	while (rest.p != NULL) {
		found = doc_get_bytes(a, m, bytes_cut(&rest, '.'));
		m = found;
	}
	return found;
}

struct bytes doc_text(const struct doc *d, struct bytes def)
{
	return d != NULL && d->type == DOC_STRING ? d->text : def;
}

/* --- changed ------------------------------------------------------------------------------------ */

/* Whether it is of that type and open now. */
static bool opened(struct arena *a, struct doc *d, enum doc_type type)
{
	return d != NULL && d->type == type && (!d->closed || open_level(a, d));
}

static void put_in_place(struct doc *parent, struct doc *before, struct doc *old, struct doc *item)
{
	item->key = old->key;
	item->next = old->next;
	*(before != NULL ? &before->next : &parent->items) = item;
	if (parent->last == old) {
		parent->last = item;
	}
	old->next = NULL;
}

struct doc *doc_set_bytes(struct arena *a, struct doc *m, struct bytes key, struct doc *value)
{
	struct doc *before = NULL;

	if (value == NULL || !opened(a, m, DOC_MAP)) {
		return NULL;
	}
	for (struct doc *v = m->items; v != NULL; before = v, v = v->next) {
		if (!bytes_eq(v->key, key)) {
			continue;
		}
		if (v == value || doc_equal(a, v, value)) {
			return v;
		}
		put_in_place(m, before, v, value);
		return value;
	}
	value->key = key;
	link_last(m, value);
	return value;
}

struct doc *doc_set(struct arena *a, struct doc *m, const char *key, struct doc *value)
{
	return doc_set_bytes(a, m, bytes_str(key), value);
}

static void unlink_item(struct doc *parent, struct doc *before, struct doc *item)
{
	*(before != NULL ? &before->next : &parent->items) = item->next;
	if (parent->last == item) {
		parent->last = before;
	}
	item->next = NULL;
	parent->n--;
}

bool doc_drop_bytes(struct arena *a, struct doc *m, struct bytes key)
{
	struct doc *before = NULL;

	if (!opened(a, m, DOC_MAP)) {
		return false;
	}
	for (struct doc *v = m->items; v != NULL; before = v, v = v->next) {
		if (bytes_eq(v->key, key)) {
			unlink_item(m, before, v);
			return true;
		}
	}
	return false;
}

bool doc_drop(struct arena *a, struct doc *m, const char *key)
{
	return doc_drop_bytes(a, m, bytes_str(key));
}

static struct doc *need(struct arena *a, struct doc *m, const char *key, enum doc_type type)
{
	struct doc *d = doc_get(a, m, key);

	return d != NULL && d->type == type ? d : doc_set(a, m, key, make(a, type));
}

struct doc *doc_need_map(struct arena *a, struct doc *m, const char *key)
{
	return need(a, m, key, DOC_MAP);
}

struct doc *doc_need_list(struct arena *a, struct doc *m, const char *key)
{
	return need(a, m, key, DOC_LIST);
}

void doc_append(struct arena *a, struct doc *list, struct doc *item)
{
	if (item != NULL && opened(a, list, DOC_LIST)) {
		item->key = bytes_of(NULL, 0);
		link_last(list, item);
	}
}

void doc_insert_after(struct arena *a, struct doc *list, struct doc *at, struct doc *item)
{
	if (item == NULL || !opened(a, list, DOC_LIST)) {
		return;
	}
	if (at == list->last) {
		doc_append(a, list, item);
		return;
	}
	item->key = bytes_of(NULL, 0);
	item->next = at != NULL ? at->next : list->items;
	*(at != NULL ? &at->next : &list->items) = item;
	list->n++;
}

/* The item in front of `item`; false: it does not stand there. */
static bool find_before(const struct doc *list, const struct doc *item, struct doc **before)
{
	*before = NULL;
	for (struct doc *i = list->items; i != NULL; i = i->next) {
		if (i == item) {
			return true;
		}
		*before = i;
	}
	return false;
}

void doc_replace(struct arena *a, struct doc *list, struct doc *old, struct doc *item)
{
	struct doc *before;

	if (old != NULL && item != NULL && old != item && opened(a, list, DOC_LIST) &&
		find_before(list, old, &before)) {
		put_in_place(list, before, old, item);
	}
}

void doc_remove(struct arena *a, struct doc *list, struct doc *item)
{
	struct doc *before;

	if (item != NULL && opened(a, list, DOC_LIST) && find_before(list, item, &before)) {
		unlink_item(list, before, item);
	}
}
