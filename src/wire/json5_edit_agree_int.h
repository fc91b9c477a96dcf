/*
 * For tests: changes of a text as bytes say, and what must hold for every one. Included by the unit test
 * and by the fuzz target.
 */
#ifndef WIRE_JSON5_EDIT_AGREE_INT_H
#define WIRE_JSON5_EDIT_AGREE_INT_H

#include "wire/json5_agree_int.h"
#include "wire/json5_edit.h"

struct json5_random {
	const uint8_t *p;
	size_t n;
};

static inline unsigned json5_take(struct json5_random *r)
{
	if (r->n == 0) {
		return 0;
	}
	r->n--;
	return *r->p++;
}

static inline struct doc *json5_some_value(struct arena *a, unsigned which)
{
	struct doc *d;

	switch (which % 8) {
	case 0:
		return doc_map(a);
	case 1:
		d = doc_list(a);
		doc_append(a, d, doc_str(a, "text"));
		doc_append(a, d, doc_str(a, "image"));
		return d;
	case 2:
		d = doc_map(a);
		doc_set(a, d, "id", doc_str(a, "x\"\n\\"));
		doc_append(a, doc_need_list(a, d, "input"), doc_map(a));
		doc_set(a, d, "n", doc_int(a, -7));
		return d;
	case 3:
		return doc_int(a, 100000);
	case 4:
		return doc_bool(a, true);
	case 5:
		return doc_null(a);
	case 6:
		return doc_list(a);
	default:
		return doc_str(a, "\xf0\x9f\x98\x80 // no comment");
	}
}

/* Some node of the tree, and whether it or one around it was set already. */
static inline const struct json_value *json5_some_node(
	const struct json5_edit *e, struct json5_random *r, bool *taken_out)
{
	const struct json_value *v = e->root;

	*taken_out = false;
	for (unsigned depth = json5_take(r) % 6;; depth--) {
		for (size_t i = 0; i < e->n; i++) {
			*taken_out |= e->ops[i].at == v && e->ops[i].set != NULL;
		}
		if (depth == 0 || v->items == NULL) {
			return v;
		}
		v = v->items;
		for (unsigned n = json5_take(r) % 8; n != 0 && v->next != NULL; n--) {
			v = v->next;
		}
	}
}

static inline bool json5_is_inside(const struct json_value *v, const struct json5_edit *e)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->ops[i].at->beg >= v->beg && e->ops[i].at->end <= v->end) {
			return true;
		}
	}
	return false;
}

static inline void json5_change(struct json5_edit *e, struct json5_random *r)
{
	static const char *const keys[] = {"fresh", "a \"key\"", "", "\xe6\xa8\xa1"};
	bool taken;
	const struct json_value *v = json5_some_node(e, r, &taken);
	unsigned which = json5_take(r);
	struct doc *value = json5_some_value(e->arena, which / 4);
	const char *key = keys[which % 4];

	if (taken) {
		return;
	}
	if (v->type == JSON_ARRAY && which % 4 != 0) {
		json5_edit_add_item(e, v, value);
	} else if (v->type == JSON_OBJECT && json_get(v, key) == NULL) {
		json5_edit_add_member(e, v, bytes_str(key), value);
	} else if (!json5_is_inside(v, e)) {
		json5_edit_set(e, v, value);
	}
}

/* Taking the edits back out of the new text gives the old one, byte for byte. */
static inline bool json5_rest_is_unchanged(const struct json5_edit *e, struct bytes now)
{
	size_t old_at = 0, new_at = 0;

	for (size_t i = 0; i <= e->n_edits; i++) {
		size_t to = i < e->n_edits ? (size_t)e->edits[i].at : e->text.n, n = to - old_at;

		if (to < old_at || now.n - new_at < n ||
			memcmp(now.p + new_at, e->text.p + old_at, n) != 0) {
			return false;
		}
		old_at = to;
		new_at += n;
		if (i < e->n_edits) {
			if (now.n - new_at < e->edits[i].put.n) {
				return false;
			}
			old_at += (size_t)e->edits[i].cut;
			new_at += e->edits[i].put.n;
		}
	}
	return new_at == now.n;
}

/* A lone CR or LF that the old text does not have. */
static inline bool json5_line_ends_hold(struct bytes old, struct bytes now)
{
	bool lf = false, crlf = false;

	for (size_t i = 0; i < old.n; i++) {
		bool pair = i != 0 && old.p[i - 1] == '\r';

		lf |= old.p[i] == '\n' && !pair;
		crlf |= old.p[i] == '\n' && pair;
	}
	for (size_t i = 0; i < now.n && (crlf && !lf); i++) {
		if (now.p[i] == '\n' && (i == 0 || now.p[i - 1] != '\r')) {
			return false;
		}
	}
	return true;
}

/* NULL, or what does not hold for these changes of this text. */
static inline const char *json5_edit_holds(struct bytes text, struct json5_random r)
{
	struct arena a;
	struct text out;
	struct fault fault = {0};
	struct json5_edit e;
	const struct json_value *root;
	const char *wrong = NULL;
	int rc;

	arena_init(&a, 2 * JSON5_ARENA_MAX);
	text_init(&out, JSON5_TEXT_MAX + 100000);
	root = json5_parse(&a, text, &fault);
	if (root != NULL) {
		json5_edit_init(&e, &a, text, root);
		for (unsigned n = json5_take(&r) % 6; n != 0; n--) {
			json5_change(&e, &r);
		}
		rc = json5_edit_write(&e, &out, &fault);
		if (rc != 0 && (rc != ERR_LIMIT || out.n != 0)) {
			wrong = fault.text[0] != '\0' ? "an edit that says something else"
						      : "no reason";
		} else if (rc == 0 && !json5_rest_is_unchanged(&e, text_bytes(&out))) {
			wrong = "bytes outside of the edits have changed";
		} else if (rc == 0 && !json5_line_ends_hold(text, text_bytes(&out))) {
			wrong = "a line end of another kind";
		} else if (rc == 0 && e.n == 0 && !bytes_eq(text_bytes(&out), text)) {
			wrong = "no change, and another text";
		}
	}
	text_done(&out);
	arena_done(&a);
	return wrong;
}

#endif
