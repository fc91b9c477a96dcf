/*
 * Changes are notes until the end; then each becomes one or two edits of the text: a value that is replaced,
 * a comma behind an item, items behind that and the comments that belong to it.
 */
#include "wire/json5_edit.h"

#include "wire/json5_int.h"
#include "wire/json5_spell.h"

void json5_edit_init(
	struct json5_edit *e, struct arena *a, struct bytes text, const struct json_value *root)
{
	*e = (struct json5_edit){.arena = a, .text = text, .root = root};
}

static struct json5_op *op_of(struct json5_edit *e, const struct json_value *at)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->ops[i].at == at) {
			return &e->ops[i];
		}
	}
	ASSERT(e->n < JSON5_OPS_MAX);
	e->ops[e->n].at = at;
	return &e->ops[e->n++];
}

void json5_edit_set(struct json5_edit *e, const struct json_value *at, const struct doc *value)
{
	if (value != NULL) {
		op_of(e, at)->set = value;
	}
}

void json5_edit_add_member(
	struct json5_edit *e, const struct json_value *to, struct bytes key, struct doc *value)
{
	struct json5_op *op;

	ASSERT(to->type == JSON_OBJECT);
	if (value != NULL) {
		op = op_of(e, to);
		op->add = op->add != NULL ? op->add : doc_map(e->arena);
		doc_set_bytes(e->arena, op->add, key, value);
	}
}

void json5_edit_add_item(struct json5_edit *e, const struct json_value *to, struct doc *value)
{
	struct json5_op *op;

	ASSERT(to->type == JSON_ARRAY);
	if (value != NULL) {
		op = op_of(e, to);
		op->add = op->add != NULL ? op->add : doc_list(e->arena);
		doc_append(e->arena, op->add, value);
	}
}

/* --- places ------------------------------------------------------------------------------------------- */

static const struct json_value *last_item(
	const struct json_value *c, const struct json_value **before_out)
{
	const struct json_value *last = NULL, *before = NULL;

	for (const struct json_value *i = c->items; i != NULL; i = i->next) {
		before = last;
		last = i;
	}
	*before_out = before;
	return last;
}

struct gap {       /* what follows an item on its line */
	size_t at; /* behind the last comment, or the item */
	bool line; /* that comment ends the line */
};

/* Comments that begin on the same line belong to what they follow. */
static struct gap gap_behind(struct bytes text, size_t from, size_t end)
{
	struct gap g = {from, false};

	for (size_t at = from; at < end;) {
		size_t n = json5_comment(text.p + at, end - at);

		if (n != 0) {
			g = (struct gap){at + n, text.p[at + 1] == '/'};
		} else if (json5_line_end(text.p + at, end - at) == 0) {
			n = json5_blank(text.p + at, end - at);
		}
		if (n == 0) {
			break;
		}
		at += n;
	}
	return g;
}

/* Behind the last comment between from and end, on whatever line; and the offset behind a comma there, 0
 * when there is none. */
static struct gap last_gap(struct bytes text, size_t from, size_t end, size_t *comma_out)
{
	struct gap g = {from, false};
	size_t n;

	*comma_out = 0;
	for (size_t at = from; at < end; at += n) {
		n = json5_comment(text.p + at, end - at);
		if (n != 0) {
			g = (struct gap){at + n, text.p[at + 1] == '/'};
			continue;
		}
		n = json5_blank(text.p + at, end - at);
		if (n == 0) {
			ASSERT(text.p[at] == ',');
			n = 1;
			*comma_out = at + 1;
		}
	}
	return g;
}

static void note_edit(struct json5_edit *e, size_t at, size_t cut, struct bytes put)
{
	ASSERT(e->n_edits < ARRAY_LEN(e->edits));
	e->edits[e->n_edits++] = (struct splice_edit){at, cut, put};
}

/* What was written, kept; the next starts empty. */
static struct bytes written(struct json5_spell *w)
{
	struct bytes kept = arena_copy(w->arena, text_bytes(w->out));

	text_clear(w->out);
	return kept;
}

struct row { /* where items are added */
	const struct json_value *container;
	struct json5_layout layout; /* of each item */
	bool own_line, blank;       /* what stands in front of each */
};

static void put_items(struct json5_spell *w, const struct doc *add, const struct row *row)
{
	const struct doc *first = doc_first(w->arena, add);

	for (const struct doc *i = first; i != NULL; i = i->next) {
		const struct json_value *pattern = json5_spell_sibling(row->container, i);
		struct json5_layout at = row->layout;

		if (pattern != NULL || row->own_line) {
			at.flat = json5_spell_goes_flat(w, pattern, i);
		}
		text_add_str(w->out, i != first ? "," : "");
		if (row->own_line) {
			json5_spell_line(w, &row->layout, row->layout.depth);
		} else if (row->blank) {
			text_add_char(w->out, ' ');
		}
		if (add->type == DOC_MAP) {
			json5_spell_key(w, i->key);
		}
		json5_spell_value(w, i, pattern, &at);
	}
}

/* Behind the last item. */
static void add_behind(struct json5_spell *w, struct json5_edit *e, const struct json5_op *op)
{
	struct bytes text = e->text;
	const struct json_value *before, *last = last_item(op->at, &before);
	size_t from = before != NULL ? before->end : op->at->beg + 1, comma;
	struct row row = {
		op->at, {json5_spell_indent(text, json5_spell_start(last)), 0, true}, false, false};
	struct gap g;

	row.own_line =
		json5_spell_has_line_end(json5_spell_between(text, from, json5_spell_start(last)));
	row.blank = before != NULL ? json5_blank(text.p + json5_spell_start(last) - 1, 1) != 0
				   : !w->manner.tight;
	IGNORE(last_gap(text, last->end, op->at->end - 1, &comma)); /* only the comma matters */
	g = gap_behind(text, comma != 0 ? comma : last->end, op->at->end - 1);
	if (g.line && !row.own_line) {
		row.own_line = true; /* nothing can follow on that line */
		row.layout.depth = 1;
	}
	if (comma == 0 && g.at != last->end) {
		note_edit(e, last->end, 0, BYTES(","));
	} else if (comma == 0) {
		text_add_char(w->out, ',');
	}
	put_items(w, op->add, &row);
	text_add_str(w->out, comma != 0 ? "," : "");
	note_edit(e, g.at, 0, written(w));
}

/* Into a container without items. */
static void add_first(struct json5_spell *w, struct json5_edit *e, const struct json5_op *op)
{
	struct bytes text = e->text;
	size_t beg = op->at->beg + 1, end = op->at->end - 1, comma;
	struct gap g = last_gap(text, beg, end, &comma);
	bool comments = g.at != beg;
	struct bytes inside = json5_spell_between(text, beg, end);
	struct row row = {op->at, {json5_spell_indent(text, op->at->beg), 0, true}, false, false};

	row.own_line = json5_spell_has_line_end(inside) || g.line ||
		json5_spell_starts_line(text, json5_spell_start(op->at));
	row.layout.depth = row.own_line;
	row.blank = comments;
	put_items(w, op->add, &row);
	if (row.own_line &&
		!(comments && json5_spell_has_line_end(json5_spell_between(text, g.at, end)))) {
		json5_spell_line(w, &row.layout, 0);
	}
	note_edit(e, comments ? g.at : beg, comments ? 0 : end - beg, written(w));
}

static void set_value(struct json5_spell *w, struct json5_edit *e, const struct json5_op *op)
{
	const struct json_value *old =
		json5_spell_is_container(op->at) && op->at->items != NULL ? op->at : NULL;
	struct json5_layout at = {json5_spell_indent(e->text, json5_spell_start(op->at)), 0, false};

	at.flat = json5_spell_goes_flat(w, old, op->set) ||
		!json5_spell_starts_line(e->text, json5_spell_start(op->at));
	json5_spell_value(w, op->set, old, &at);
	note_edit(e, op->at->beg, op->at->end - op->at->beg, written(w));
}

/* --- the whole -------------------------------------------------------------------------------------- */

static const struct json5_op *find_op(const struct json5_edit *e, const struct json_value *at)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->ops[i].at == at) {
			return &e->ops[i];
		}
	}
	return NULL;
}

static bool is_doc(const struct json5_edit *e, const struct json_value *now, const struct doc *d)
{
	return doc_equal(e->arena, doc_of_json(e->arena, now), d);
}

static bool agrees(
	const struct json5_edit *e, const struct json_value *old, const struct json_value *now)
{
	const struct json5_op *op = find_op(e, old);
	const struct json_value *o = old->items, *n = now->items;

	if (op != NULL && op->set != NULL) {
		return is_doc(e, now, op->set);
	}
	if (old->type != now->type ||
		(!json5_spell_is_container(old) && !bytes_eq(old->text, now->text))) {
		return false;
	}
	for (; o != NULL && n != NULL; o = o->next, n = n->next) {
		if (!bytes_eq(o->key, n->key) || !agrees(e, o, n)) {
			return false;
		}
	}
	for (const struct doc *d = op != NULL ? doc_first(e->arena, op->add) : NULL; d != NULL;
		d = d->next) {
		if (n == NULL || !bytes_eq(d->key, n->key) || !is_doc(e, n, d)) {
			return false;
		}
		n = n->next;
	}
	return o == NULL && n == NULL;
}

bool json5_edit_agrees(const struct json5_edit *e, const struct json_value *now)
{
	return now != NULL && agrees(e, e->root, now);
}

static void find_edits(struct json5_edit *e)
{
	struct text out;
	struct json5_spell w;

	text_init(&out, JSON5_TEXT_MAX);
	json5_spell_init(&w, e->arena, e->text, e->root, &out);
	e->n_edits = 0;
	for (size_t i = 0; i < e->n; i++) {
		const struct json5_op *op = &e->ops[i];

		if (op->set != NULL) {
			set_value(&w, e, op);
		} else if (op->at->items != NULL) {
			add_behind(&w, e, op);
		} else {
			add_first(&w, e, op);
		}
	}
	splice_sort(e->edits, e->n_edits);
	text_done(&out);
}

static void splice_into(const struct json5_edit *e, struct text *out)
{
	size_t at = 0;

	for (size_t i = 0; i < e->n_edits; i++) {
		const struct splice_edit *s = &e->edits[i];

		ASSERT(s->at >= at && s->at + s->cut <= e->text.n);
		text_add_bytes(out, json5_spell_between(e->text, at, (size_t)s->at));
		text_add_bytes(out, s->put);
		at = (size_t)(s->at + s->cut);
	}
	text_add_bytes(out, json5_spell_between(e->text, at, e->text.n));
}

static int check(struct json5_edit *e, struct bytes now, struct fault *fault)
{
	const struct json_value *root = json5_parse(e->arena, now, fault);

	if (root == NULL) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the edited text cannot be read again");
	}
	if (!json5_edit_agrees(e, root)) {
		return fault_set(
			fault, ERR_REFUSED, 0, 0, "the edited text does not say what was wanted");
	}
	return 0;
}

int json5_edit_write(struct json5_edit *e, struct text *out, struct fault *fault)
{
	size_t from = out->n;
	int rc;

	find_edits(e);
	if (arena_full(e->arena)) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the edit needs too much memory");
	}
	splice_into(e, out);
	if (text_full(out)) {
		rc = fault_set(fault, ERR_LIMIT, 0, 0, "the edited text would be too long");
	} else {
		rc = e->n == 0 ? 0 : check(e, bytes_of(out->p + from, out->n - from), fault);
	}
	if (rc != 0) {
		out->n = from;
		out->full = false;
	}
	return rc;
}
