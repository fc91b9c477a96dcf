/*
 * For tests: what must hold for every text. Included by the unit test and by the fuzz target.
 */
#ifndef WIRE_JSON5_AGREE_INT_H
#define WIRE_JSON5_AGREE_INT_H

#include "wire/json5.h"

/* Places lie in order inside of the container, and brackets and quotes stand where they say. */
static inline bool json5_places_hold(struct bytes text, const struct json_value *v)
{
	size_t at = v->beg + 1;

	if (v->beg >= v->end || v->end > text.n) {
		return false;
	}
	if (v->type == JSON_STRING) {
		return v->end - v->beg >= 2 && text.p[v->beg] == text.p[v->end - 1];
	}
	if (v->type != JSON_OBJECT && v->type != JSON_ARRAY) {
		return v->items == NULL;
	}
	if (text.p[v->beg] != (v->type == JSON_OBJECT ? '{' : '[') ||
		text.p[v->end - 1] != (v->type == JSON_OBJECT ? '}' : ']')) {
		return false;
	}
	for (const struct json_value *i = v->items; i != NULL; i = i->next) {
		bool keyed = v->type == JSON_OBJECT;

		if (keyed != (i->key_end != 0) || (keyed ? i->key_beg : i->beg) < at ||
			(keyed && i->key_end >= i->beg) || !json5_places_hold(text, i)) {
			return false;
		}
		at = i->end;
	}
	return at < v->end;
}

static inline bool json5_same_tree(const struct json_value *x, const struct json_value *y)
{
	const struct json_value *i = x->items, *k = y->items;

	if (x->type != y->type || x->n != y->n || x->beg != y->beg || x->end != y->end ||
		x->key_beg != y->key_beg || x->key_end != y->key_end || !bytes_eq(x->key, y->key) ||
		((x->type == JSON_STRING || x->type == JSON_NUMBER) &&
			!bytes_eq(x->text, y->text))) {
		return false;
	}
	for (; i != NULL && k != NULL; i = i->next, k = k->next) {
		if (!json5_same_tree(i, k)) {
			return false;
		}
	}
	return i == k;
}

/* NULL, or what does not hold: of the tree; and whatever is JSON means the same to both readers. */
static inline const char *json5_agree(struct bytes text)
{
	struct arena a;
	struct fault fault = {0}, strict_fault = {0};
	const struct json_value *v, *strict;
	const char *wrong = NULL;

	arena_init(&a, JSON5_ARENA_MAX * 2);
	v = json5_parse(&a, text, &fault);
	strict = json_parse(&a, text, &strict_fault);
	if (v == NULL &&
		(fault.where < 1 || (fault.err != ERR_SYNTAX && fault.err != ERR_LIMIT) ||
			strstr(fault.text, ", column ") == NULL)) {
		wrong = "a refusal that does not say why or where";
	} else if (v != NULL && !json5_places_hold(text, v)) {
		wrong = "a place that is none";
	} else if (v == NULL && strict != NULL && fault.err != ERR_LIMIT) {
		wrong = "JSON is refused";
	} else if (v != NULL && strict != NULL && !json5_same_tree(v, strict)) {
		wrong = "JSON that means something else";
	}
	arena_done(&a);
	return wrong;
}

#endif
