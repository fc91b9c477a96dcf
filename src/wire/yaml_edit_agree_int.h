/*
 * For tests: changes of a text as bytes say, and what must hold for every one. Included by the unit test
 * and by the fuzz target.
 */
#ifndef WIRE_YAML_EDIT_AGREE_INT_H
#define WIRE_YAML_EDIT_AGREE_INT_H

#include "wire/yaml_edit.h"

#define EDIT_ARENA_MAX ((size_t)1 << 28)
#define EDIT_TEXT_MAX ((size_t)1 << 24)

struct edit_random {
	const uint8_t *p;
	size_t n;
};

static inline unsigned edit_take(struct edit_random *r)
{
	if (r->n == 0) {
		return 0;
	}
	r->n--;
	return *r->p++;
}

static inline struct doc *edit_value(struct arena *a, unsigned which)
{
	static const char *const texts[] = {"x", "", "off", "a\nb\n", "a: b", "#", "- x", "p q",
		"1", "\xf0\x9f\x98\x80", "a\tb", " a\nb", "a\r\nb", "\n\n", "a \nb", "'",
		"\xe2\x80\xa8", "\xef\xbb\xbf-", "1e400", "2001-01-01", "a\x01", "*x", "]",
		"trailing ", "<<",
		"aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffffff gggggggggg hhhhhhhhhh i j k"};
	struct doc *d;

	switch (which % (6 + ARRAY_LEN(texts))) {
	case 0:
		return doc_list(a);
	case 1:
		return doc_map(a);
	case 2:
		d = doc_list(a);
		doc_append(a, d, doc_int(a, 1));
		doc_append(a, d, doc_str(a, "two"));
		return d;
	case 3:
		d = doc_map(a);
		doc_set(a, d, "b", doc_null(a));
		doc_append(a, doc_need_list(a, d, "a"), doc_map(a));
		return d;
	case 4:
		return doc_int(a, which);
	case 5:
		return doc_null(a);
	default:
		return doc_str(a, texts[which % (6 + ARRAY_LEN(texts)) - 6]);
	}
}

static inline struct doc *edit_nth(struct arena *a, struct doc *d, unsigned n)
{
	struct doc *item = doc_first(a, d);

	for (n = d->n != 0 ? n % (unsigned)d->n : 0; n != 0 && item != NULL; n--) {
		item = item->next;
	}
	return item;
}

/*
 * What a single change may touch: from behind the neighbour in front of what is changed up to the neighbour behind it.
 * A collection that gets its first item, or loses its last, is changed as a whole.
 */
struct edit_span {
	size_t from, to;
	bool known;
};

static inline size_t edit_start(const struct yaml_node *n)
{
	return n->key != NULL ? n->key->beg : n->beg;
}

/* To that item, when all of the collection stands in the text in its order. */
static inline void edit_narrow(
	struct edit_span *s, const struct yaml_node *parent, const struct yaml_node *item)
{
	size_t from = s->from, to = s->to, before = parent->beg;
	bool found = false;

	for (const struct yaml_node *i = parent->items; i != NULL; i = i->next) {
		if (edit_start(i) < before || i->beg < edit_start(i) || i->end > parent->end) {
			/* An alias, a merge, a repeated key: the order of the text is another one. */
			s->known = false;
			return;
		}
		before = i->end;
		if (i == item) {
			to = i->next != NULL ? edit_start(i->next) : to;
			found = true;
		}
		from = found ? from : i->end;
	}
	if (found && parent->n > 1) {
		s->from = MAX(s->from, from);
		s->to = MIN(s->to, to);
	}
}

static inline void edit_narrow_to(struct edit_span *s, const struct doc *d, const struct doc *item)
{
	if (item != NULL && d->origin != NULL && item->origin != NULL) {
		edit_narrow(s, d->origin, item->origin);
	}
}

/* What stands in front of the span and behind it is in the new text, byte by byte. */
static inline void edit_check_span(
	const struct edit_span *s, struct bytes old, struct bytes made, bool no_last_end)
{
	size_t behind = old.n - s->to;

	if (!s->known || no_last_end) {
		return;
	}
	ASSERT(made.n >= s->from && memcmp(made.p, old.p, s->from) == 0);
	ASSERT(made.n >= behind && memcmp(made.p + made.n - behind, old.p + s->to, behind) == 0);
}

static inline void edit_once(
	struct arena *a, struct doc *d, struct edit_random *r, struct edit_span *span)
{
	static const char *const keys[] = {
		"a", "b", "c", "zz", "0", "k 1", "*", "<<", "a\nb", "off", "", "a: ", "\xc2\x85"};
	struct doc *item = edit_nth(a, d, edit_take(r));
	unsigned what = edit_take(r), value = edit_take(r);

	while (item != NULL && item->n != 0 && what % 4 != 0) {
		if (d->origin != NULL && item->origin != NULL) {
			edit_narrow(span, d->origin, item->origin);
		}
		d = item;
		item = edit_nth(a, d, edit_take(r));
		what = edit_take(r);
	}
	if (d->type == DOC_LIST) {
		switch (what / 4 % 4) {
		case 0:
			doc_append(a, d, edit_value(a, value));
			break;
		case 1:
			doc_insert_after(
				a, d, value % 2 == 0 ? NULL : item, edit_value(a, value / 2));
			break;
		case 2:
			edit_narrow_to(span, d, item);
			doc_remove(a, d, item);
			break;
		default:
			edit_narrow_to(span, d, item);
			doc_replace(a, d, item, edit_value(a, value));
			break;
		}
	} else if (d->type == DOC_MAP) {
		if (item == NULL || what / 4 % 3 == 0) {
			doc_set(a, d, keys[what / 16 % ARRAY_LEN(keys)], edit_value(a, value));
		} else if (what / 4 % 3 == 1) {
			edit_narrow_to(span, d, item);
			doc_drop_bytes(a, d, item->key);
		} else {
			edit_narrow_to(span, d, item);
			doc_set_bytes(a, d, item->key, edit_value(a, value));
		}
	}
}

/* Whether the order of keys is one in every map: between runs of digits with zeros in front, Go's may go in a circle. */
static inline bool edit_is_ordered(struct arena *a, const struct doc *d)
{
	size_t sum = 0, squares = 0, n = d->n;

	for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
		size_t rank = 0;

		if (!edit_is_ordered(a, i)) {
			return false;
		}
		for (const struct doc *k = doc_first(a, d); d->type == DOC_MAP && k != NULL;
			k = k->next) {
			rank += yaml_key_order(k->key, i->key) < 0;
		}
		sum += rank;
		squares += rank * rank;
	}
	/* Each rank from 0 to n - 1 is there once. */
	return d->type != DOC_MAP ||
		(n == 0 || (sum == n * (n - 1) / 2 && squares == (n - 1) * n * (2 * n - 1) / 6));
}

/* Whether the text was changed, not refused. `changes` says what is done; text is YAML or not. */
static inline bool edit_agree(struct bytes text, struct edit_random changes)
{
	struct arena a;
	struct text before, out, whole;
	struct yaml_doc doc;
	struct yaml_check check = {0};
	struct fault fault = {0};
	struct edit_span span = {.to = text.n, .known = true};
	bool canonical, done = false;
	bool changed = false;
	unsigned n;
	struct doc *want;

	arena_init(&a, EDIT_ARENA_MAX);
	arena_init(&check.arena, EDIT_ARENA_MAX);
	text_init(&before, EDIT_TEXT_MAX);
	text_init(&out, EDIT_TEXT_MAX);
	text_init(&whole, EDIT_TEXT_MAX);
	if (yaml_parse(&a, text, &doc, &fault) == 0 && doc.root != NULL && text.n != 0) {
		yaml_write(&a, &before, doc_of_yaml(&a, doc.root));
		canonical = bytes_eq(text_bytes(&before), text) &&
			edit_is_ordered(&a, doc_of_yaml(&a, doc.root));
		want = doc_of_yaml(&a, doc.root);
		/* Nothing is changed: not a byte is. */
		ASSERT(yaml_edit(&a, text, doc.root, want, &out, NULL, &fault) == 0);
		ASSERT(bytes_eq(text_bytes(&out), text));
		text_clear(&out);
		for (n = edit_take(&changes) % 4 + 1; n != 0; n--) {
			span.known = span.known && n == 1 && !changed;
			edit_once(&a, want, &changes, &span);
			changed = true;
		}
		done = yaml_edit(&a, text, doc.root, want, &out, &check, &fault) == 0;
		if (done) {
			ASSERT(doc_is_yaml(&a, want, check.doc.root));
			edit_check_span(&span, text, text_bytes(&out), text.p[text.n - 1] != '\n');
		} else {
			ASSERT(out.n == 0 && fault.text[0] != '\0' && fault.where != 0);
		}
		if (canonical && edit_is_ordered(&a, want)) {
			yaml_write(&a, &whole, want);
			ASSERT(done && bytes_eq(text_bytes(&out), text_bytes(&whole)));
		}
	}
	text_done(&before);
	text_done(&out);
	text_done(&whole);
	arena_done(&check.arena);
	arena_done(&a);
	return done;
}

#endif
