/*
 * A value is spelled like its pattern: the node in whose place it comes, or the last item of its kind
 * beside it, and inside of it like the pattern's member of the same name. That gives an array of two words
 * on one line in a file where its siblings have it so, and over four lines in a file of jq's.
 */
#include "wire/json5_edit.h"

#include "wire/json5_int.h"

/* How the file is written where no neighbour shows it. */
struct manner {
	struct bytes eol, unit; /* a line end; one level of indentation */
	bool tight;             /* no blank behind colons */
	bool flat_lists;        /* lists of scalars stand on one line */
};

struct writer {
	const struct json5_edit *edit;
	struct text *out;
	struct manner manner;
};

struct layout {              /* of a value */
	struct bytes indent; /* of the line on which it begins */
	unsigned depth;      /* units below that */
	bool flat;
};

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

/* --- what the text looks like --------------------------------------------------------------------- */

static struct bytes between(struct bytes text, size_t beg, size_t end)
{
	return bytes_of(text.p + beg, end - beg);
}

static bool has_line_end(struct bytes s)
{
	return memchr(s.p, '\n', s.n) != NULL || memchr(s.p, '\r', s.n) != NULL;
}

static bool is_container(const struct json_value *v)
{
	return v->type == JSON_OBJECT || v->type == JSON_ARRAY;
}

static bool is_flat(struct bytes text, const struct json_value *v)
{
	return !has_line_end(between(text, v->beg, v->end));
}

/* Where an item begins: its key, where it has one. */
static size_t start_of(const struct json_value *v)
{
	return v->key_end != 0 ? v->key_beg : v->beg;
}

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

/* The blanks at the start of the line that `at` is on. */
static struct bytes indent_at(struct bytes text, size_t at)
{
	size_t beg = at, end;

	while (beg != 0 && text.p[beg - 1] != '\n' && text.p[beg - 1] != '\r') {
		beg--;
	}
	if (beg == 0 && bytes_starts(text, BYTES("\xef\xbb\xbf"))) {
		beg = 3;
	}
	for (end = beg; end < at && (text.p[end] == ' ' || text.p[end] == '\t'); end++) {}
	return between(text, beg, end);
}

/* Looks at nothing but blanks: the line may be all of the file. */
static bool starts_line(struct bytes text, size_t at)
{
	while (at != 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t')) {
		at--;
	}
	return at == 0 || text.p[at - 1] == '\n' || text.p[at - 1] == '\r' ||
		(at == 3 && bytes_starts(text, BYTES("\xef\xbb\xbf")));
}

/* By how much the item is indented below its container; n 0: it does not tell. */
static struct bytes unit_of(
	struct bytes text, const struct json_value *outer, const struct json_value *item)
{
	struct bytes from, to;

	if (!starts_line(text, start_of(item))) {
		return bytes_of(NULL, 0);
	}
	from = indent_at(text, outer->beg);
	to = indent_at(text, start_of(item));
	return to.p != from.p && to.n > from.n && bytes_starts(to, from)
		? bytes_of(to.p + from.n, to.n - from.n)
		: bytes_of(NULL, 0);
}

/* The first item on a line of its own tells. */
static struct bytes find_unit(struct bytes text, const struct json_value *v)
{
	struct bytes found = bytes_of(NULL, 0);

	for (const struct json_value *i = v->items; i != NULL && found.n == 0; i = i->next) {
		found = unit_of(text, v, i);
		found = found.n == 0 ? find_unit(text, i) : found;
	}
	return found;
}

static const struct json_value *find_member(const struct json_value *v)
{
	const struct json_value *found = NULL;

	if (v->type == JSON_OBJECT && v->items != NULL) {
		return v->items;
	}
	for (const struct json_value *i = v->items; i != NULL && found == NULL; i = i->next) {
		found = find_member(i);
	}
	return found;
}

/* The first list that has items and no containers among them. */
static const struct json_value *find_list(const struct json_value *v)
{
	const struct json_value *found = NULL;
	bool plain = v->type == JSON_ARRAY && v->items != NULL;

	for (const struct json_value *i = v->items; i != NULL && found == NULL; i = i->next) {
		plain &= !is_container(i);
		found = find_list(i);
	}
	return plain ? v : found;
}

static struct manner manner_of(struct bytes text, const struct json_value *root)
{
	const char *lf = memchr(text.p, '\n', text.n);
	const struct json_value *member = find_member(root), *list = find_list(root);
	struct manner m = {.eol = BYTES("\n"), .unit = find_unit(text, root)};

	if (lf != NULL ? lf != text.p && lf[-1] == '\r' : has_line_end(text)) {
		m.eol = lf != NULL ? BYTES("\r\n") : BYTES("\r");
	}
	if (m.unit.n == 0) {
		m.unit = BYTES("  ");
	}
	m.tight = member != NULL && text.p[member->beg - 1] == ':';
	m.flat_lists = list != NULL && is_flat(text, list);
	return m;
}

/* --- values ------------------------------------------------------------------------------------------ */

static bool is_collection(const struct doc *d)
{
	return d->type == DOC_MAP || d->type == DOC_LIST;
}

static void put_scalar(struct writer *w, const struct doc *d)
{
	struct json_writer json;

	json_writer_init(&json, w->out);
	doc_put_json(w->edit->arena, &json, d);
}

static void put_key(struct writer *w, struct bytes key)
{
	text_add_char(w->out, '"');
	text_add_json(w->out, key);
	text_add_str(w->out, w->manner.tight ? "\":" : "\": ");
}

static void put_line(struct writer *w, const struct layout *at, unsigned depth)
{
	text_add_bytes(w->out, w->manner.eol);
	text_add_bytes(w->out, at->indent);
	for (unsigned i = 0; i < depth; i++) {
		text_add_bytes(w->out, w->manner.unit);
	}
}

/* The pattern for the item d inside of the pattern of its container (may be NULL). */
static const struct json_value *pattern_of(const struct json_value *outer, const struct doc *d)
{
	enum json_type type = d->type == DOC_MAP ? JSON_OBJECT : JSON_ARRAY;
	const struct json_value *found = NULL;

	if (outer == NULL || !is_collection(d)) {
		return NULL;
	}
	for (const struct json_value *i = outer->items; i != NULL; i = i->next) {
		if (i->type == type && i->items != NULL &&
			(d->key.p == NULL || bytes_eq(i->key, d->key))) {
			found = i;
		}
	}
	return found;
}

/* The last item of its kind beside it, whatever its name. */
static const struct json_value *sibling_of(const struct json_value *c, const struct doc *d)
{
	struct doc nameless = *d;

	nameless.key = bytes_of(NULL, 0);
	return pattern_of(c, &nameless);
}

static bool all_scalars(struct arena *a, const struct doc *d)
{
	for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
		if (is_collection(i)) {
			return false;
		}
	}
	return true;
}

static bool goes_flat(const struct writer *w, const struct json_value *pattern, const struct doc *d)
{
	if (pattern != NULL) {
		return is_flat(w->edit->text, pattern);
	}
	return d->type == DOC_LIST && w->manner.flat_lists && all_scalars(w->edit->arena, d);
}

/* Depth is that of what the program wants to write: a handful. */
static void put_value(struct writer *w, const struct doc *d, const struct json_value *pattern,
	const struct layout *at)
{
	const char *brackets = d->type == DOC_MAP ? "{}" : "[]";
	const struct doc *first = is_collection(d) ? doc_first(w->edit->arena, d) : NULL;
	bool padded = at->flat && pattern != NULL && pattern->items != NULL &&
		w->edit->text.p[pattern->beg + 1] == ' ';

	if (first == NULL) {
		put_scalar(w, d);
		return;
	}
	text_add_char(w->out, brackets[0]);
	for (const struct doc *i = first; i != NULL; i = i->next) {
		const struct json_value *inner = pattern_of(pattern, i);
		struct layout below = {
			at->indent, at->depth + 1, at->flat || goes_flat(w, inner, i)};

		text_add_str(w->out, i != first ? "," : "");
		if (!at->flat) {
			put_line(w, at, at->depth + 1);
		} else if (padded || (i != first && !w->manner.tight)) {
			text_add_char(w->out, ' ');
		}
		if (d->type == DOC_MAP) {
			put_key(w, i->key);
		}
		put_value(w, i, inner, &below);
	}
	if (!at->flat) {
		put_line(w, at, at->depth);
	} else if (padded) {
		text_add_char(w->out, ' ');
	}
	text_add_char(w->out, brackets[1]);
}

/* --- places ------------------------------------------------------------------------------------------- */

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

/* What was written into w->out since `from`, kept. */
static struct bytes written(struct writer *w)
{
	struct bytes kept = arena_copy(w->edit->arena, text_bytes(w->out));

	text_clear(w->out);
	return kept;
}

struct row { /* where items are added */
	const struct json_value *container;
	struct layout layout; /* of each item */
	bool own_line, blank; /* what stands in front of each */
};

static void put_items(struct writer *w, const struct doc *add, const struct row *row)
{
	const struct doc *first = doc_first(w->edit->arena, add);

	for (const struct doc *i = first; i != NULL; i = i->next) {
		const struct json_value *pattern = sibling_of(row->container, i);
		struct layout at = row->layout;

		if (pattern != NULL || row->own_line) {
			at.flat = goes_flat(w, pattern, i);
		}
		text_add_str(w->out, i != first ? "," : "");
		if (row->own_line) {
			put_line(w, &row->layout, row->layout.depth);
		} else if (row->blank) {
			text_add_char(w->out, ' ');
		}
		if (add->type == DOC_MAP) {
			put_key(w, i->key);
		}
		put_value(w, i, pattern, &at);
	}
}

/* Behind the last item. */
static void add_behind(struct writer *w, struct json5_edit *e, const struct json5_op *op)
{
	struct bytes text = e->text;
	const struct json_value *before, *last = last_item(op->at, &before);
	size_t from = before != NULL ? before->end : op->at->beg + 1, comma;
	struct row row = {op->at, {indent_at(text, start_of(last)), 0, true}, false, false};
	struct gap g;

	row.own_line = has_line_end(between(text, from, start_of(last)));
	row.blank = before != NULL ? json5_blank(text.p + start_of(last) - 1, 1) != 0
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
static void add_first(struct writer *w, struct json5_edit *e, const struct json5_op *op)
{
	struct bytes text = e->text;
	size_t beg = op->at->beg + 1, end = op->at->end - 1, comma;
	struct gap g = last_gap(text, beg, end, &comma);
	bool comments = g.at != beg;
	struct bytes inside = between(text, beg, end);
	struct row row = {op->at, {indent_at(text, op->at->beg), 0, true}, false, false};

	row.own_line = has_line_end(inside) || starts_line(text, start_of(op->at));
	row.layout.depth = row.own_line;
	row.blank = comments;
	put_items(w, op->add, &row);
	if (row.own_line && !(comments && has_line_end(between(text, g.at, end)))) {
		put_line(w, &row.layout, 0);
	}
	note_edit(e, comments ? g.at : beg, comments ? 0 : end - beg, written(w));
}

static void set_value(struct writer *w, struct json5_edit *e, const struct json5_op *op)
{
	const struct json_value *old =
		is_container(op->at) && op->at->items != NULL ? op->at : NULL;
	struct layout at = {indent_at(e->text, start_of(op->at)), 0, false};

	at.flat = goes_flat(w, old, op->set) || !starts_line(e->text, start_of(op->at));
	put_value(w, op->set, old, &at);
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
	if (old->type != now->type || (!is_container(old) && !bytes_eq(old->text, now->text))) {
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
	struct writer w = {e, &out, manner_of(e->text, e->root)};

	text_init(&out, JSON5_TEXT_MAX);
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
		text_add_bytes(out, between(e->text, at, (size_t)s->at));
		text_add_bytes(out, s->put);
		at = (size_t)(s->at + s->cut);
	}
	text_add_bytes(out, between(e->text, at, e->text.n));
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
