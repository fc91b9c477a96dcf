/*
 * The old text is walked once from its beginning to its end: up to a change it is taken over, what a
 * change replaces is left out, what is new is put in between. Blocks are made of lines: an item that goes
 * away takes its lines with it, one that comes gets lines of its own behind those of its neighbour.
 * Where something stands that the lines do not tell (properties, aliases, explicit keys), nothing is
 * assumed: the edit is refused here, or by the comparison at the end.
 */
#include "wire/yaml_edit_int.h"

#define STEP_MAX 8u
/* Nodes that are looked at to learn the style of a text. */
#define STYLE_LOOKS 1000u

/* --- the text ----------------------------------------------------------------------------------- */

void edit_refuse(struct edit *e, const struct yaml_node *at)
{
	if (e->line == 0) {
		e->line = at->line;
	}
}

void edit_copy(struct edit *e, size_t to)
{
	if (to > e->done) {
		text_add(e->out, e->text.p + e->done, to - e->done);
		e->done = to;
	}
}

void edit_skip(struct edit *e, size_t to)
{
	if (to > e->done) {
		e->done = to;
	}
}

/* Line ends become those of the text. */
void edit_put(struct edit *e, struct bytes s)
{
	while (s.p != NULL && s.n != 0) {
		struct bytes line = bytes_cut(&s, '\n');

		text_add_bytes(e->out, line);
		if (s.p != NULL) {
			bool kept = line.n != 0 && line.p[line.n - 1] == '\r';

			text_add_str(e->out, kept ? "\n" : e->eol);
		}
	}
}

void edit_emit_init(struct edit *e, struct yaml_emit *emit)
{
	text_clear(&e->scratch);
	yaml_emit_init(emit, e->arena, &e->scratch);
	emit->step = e->step;
	emit->list_indented = e->list_indented;
}

static char char_at(const struct edit *e, size_t at)
{
	return at < e->text.n ? e->text.p[at] : '\0';
}

static size_t line_start(const struct edit *e, size_t at)
{
	while (at > e->begin && e->text.p[at - 1] != '\n') {
		at--;
	}
	return at;
}

/* Behind the line that holds the last byte before `end`. */
static size_t line_after(const struct edit *e, size_t end)
{
	const char *nl;

	if (end > e->begin && e->text.p[end - 1] == '\n') {
		return end; /* of a block scalar */
	}
	nl = end < e->text.n ? memchr(e->text.p + end, '\n', e->text.n - end) : NULL;
	return nl != NULL ? (size_t)(nl - e->text.p) + 1 : e->text.n;
}

/* What is behind the end counts as blank. */
static bool is_blank(const struct edit *e, size_t from, size_t to)
{
	to = MIN(to, e->text.n);
	while (from < to && strchr(" \t\r\n", e->text.p[from]) != NULL && e->text.p[from] != '\0') {
		from++;
	}
	return from >= to;
}

/* Whether a comment follows in the line. */
static bool line_goes_on(const struct edit *e, size_t at)
{
	return !is_blank(e, at, line_after(e, at));
}

static size_t without_end(const struct edit *e, size_t beg, size_t end)
{
	while (end > beg && is_blank(e, end - 1, end)) {
		end--;
	}
	return end;
}

/* The new text goes on at the beginning of a line. */
static void need_line(struct edit *e)
{
	if (e->out->n > e->out_from && e->out->p[e->out->n - 1] != '\n') {
		text_add_str(e->out, e->eol);
	}
}

bool edit_is_flow(const struct edit *e, const struct yaml_node *n)
{
	char c = char_at(e, n->beg);

	return c == '[' || c == '{';
}

static bool is_collection(const struct yaml_node *n)
{
	return n->type == YAML_SEQ || n->type == YAML_MAP;
}

static bool is_block(const struct edit *e, const struct yaml_node *n)
{
	return is_collection(n) && n->n != 0 && !edit_is_flow(e, n) && char_at(e, n->beg) != '*';
}

static size_t start_of(const struct yaml_node *n)
{
	return n->key != NULL ? n->key->beg : n->beg;
}

/* --- where a value stands ----------------------------------------------------------------------- */

struct slot {
	int column;  /* of the container's items; -1: the root */
	bool of_key; /* behind a key, else behind a dash */
	size_t mark; /* behind the colon or the dash */
};

static void edit_node(
	struct edit *e, const struct doc *d, const struct yaml_node *n, const struct slot *slot);

/* Behind the colon. */
static bool find_colon(const struct edit *e, const struct yaml_node *n, size_t *out)
{
	size_t at = n->key->end;

	while (at < n->beg && is_blank(e, at, at + 1)) {
		at++;
	}
	*out = at + 1;
	return char_at(e, at) == ':';
}

/* The dash of an item: in the column of the list, in the item's line or, when nothing but comments stands
 * between, above it. */
static bool find_dash(const struct edit *e, const struct yaml_node *list,
	const struct yaml_node *item, size_t *out)
{
	size_t column = list->beg - line_start(e, list->beg);

	if (item == list->items) {
		*out = list->beg;
		return char_at(e, *out) == '-';
	}
	for (size_t line = line_start(e, item->beg); line > list->beg;
		line = line_start(e, line - 1)) {
		if (line + column < item->beg + 1 && char_at(e, line + column) == '-' &&
			is_blank(e, line, line + column) &&
			is_blank(e, line + column + 1, line + column + 2)) {
			*out = line + column;
			return true;
		}
	}
	return false;
}

/* Start of an item or member, and where its value goes. */
static bool find_slot(const struct edit *e, const struct yaml_node *parent,
	const struct yaml_node *n, size_t *start, struct slot *slot)
{
	slot->column = (int)(parent->beg - line_start(e, parent->beg));
	slot->of_key = n->key != NULL;
	if (n->key != NULL) {
		*start = n->key->beg;
		return find_colon(e, n, &slot->mark);
	}
	slot->mark = 0;
	if (!find_dash(e, parent, n, start)) {
		return false;
	}
	slot->mark = *start + 1;
	return true;
}

/* --- a value in the place of another ------------------------------------------------------------- */

/* Lines are folded by characters, not by bytes. */
static size_t characters(const struct edit *e, size_t from, size_t to)
{
	size_t n = 0;

	for (; from < to; from++) {
		n += ((unsigned char)e->text.p[from] & 0xc0u) != 0x80;
	}
	return n;
}

/* What was written for the value, without the blank or line end in front. */
static struct bytes render(
	struct edit *e, const struct doc *d, const struct slot *slot, bool one_line, bool *lines)
{
	struct yaml_emit emit;
	struct bytes s;

	edit_emit_init(e, &emit);
	emit.one_line = one_line;
	if (slot->column >= 0) {
		/* Behind a key or a dash, whatever its length: that folds as go-yaml does. */
		emit.column = slot->of_key ? characters(e, line_start(e, slot->mark), slot->mark)
					   : (size_t)slot->column + 1;
		emit.whitespace = false;
		emit.indention = !slot->of_key;
	}
	yaml_emit_node(&emit, d, slot->column, slot->of_key);
	s = text_bytes(&e->scratch);
	*lines = s.n != 0 && s.p[0] == '\n';
	while (s.n != 0 && *s.p == '\n') {
		s = bytes_of(s.p + 1, s.n - 1);
	}
	if (!*lines) {
		while (s.n != 0 && *s.p == ' ') {
			s = bytes_of(s.p + 1, s.n - 1);
		}
	}
	if (s.n != 0 && s.p[s.n - 1] == '\n') {
		s.n--; /* the line of the old one has its end */
	}
	return s;
}

/* s lost its last line end; one that is left belongs to a literal that keeps them. */
static void put_lines(struct edit *e, struct bytes s)
{
	need_line(e);
	edit_put(e, s);
	text_add_str(e->out, e->eol);
}

/* `key: old # comment` becomes `key: # comment` and lines below. */
static void put_below(
	struct edit *e, struct bytes s, const struct yaml_node *n, size_t mark, size_t end)
{
	edit_copy(e, mark);
	if (!is_blank(e, mark, n->beg)) {
		edit_copy(e, n->beg);
	}
	edit_skip(e, end);
	if (is_blank(e, end, line_after(e, end))) {
		edit_skip(e, line_after(e, end));
	} else {
		edit_copy(e, line_after(e, end));
	}
	put_lines(e, s);
}

/* The old value stands behind its key or dash, at least its beginning. */
static void replace_inline(
	struct edit *e, const struct doc *d, const struct yaml_node *n, const struct slot *slot)
{
	size_t end = without_end(e, n->beg, n->end);
	bool lines;
	struct bytes s = render(e, d, slot, line_goes_on(e, end) && end == n->end, &lines);

	if (lines) {
		put_below(e, s, n, slot->mark, end);
		return;
	}
	edit_copy(e, n->beg);
	if (n->beg > e->begin && slot->column >= 0 && !is_blank(e, n->beg - 1, n->beg)) {
		edit_put(e, BYTES(" "));
	}
	edit_put(e, s);
	edit_skip(e, end);
	if (n->beg == n->end && !line_goes_on(e, end)) {
		edit_skip(e, end + (char_at(e, end) == ' '));
	}
}

/* The old value is a block below its key. Comments between stay. */
static void replace_block(
	struct edit *e, const struct doc *d, const struct yaml_node *n, const struct slot *slot)
{
	size_t first = line_start(e, n->beg);
	bool one_line = d->type == DOC_STRING && slot->column >= 0 && line_goes_on(e, slot->mark);
	bool lines;
	struct bytes s = render(e, d, slot, one_line, &lines);

	if (!lines && slot->column >= 0) {
		edit_copy(e, slot->mark);
		edit_put(e, BYTES(" "));
		edit_put(e, s);
		edit_copy(e, first);
	} else {
		edit_copy(e, first);
		put_lines(e, s);
	}
	edit_skip(e, line_after(e, n->end));
}

static void replace(
	struct edit *e, const struct doc *d, const struct yaml_node *n, const struct slot *slot)
{
	if (is_block(e, n) && is_blank(e, line_start(e, n->beg), n->beg) &&
		(slot->of_key || slot->column < 0)) {
		replace_block(e, d, n, slot);
	} else {
		replace_inline(e, d, n, slot);
	}
}

/* --- blocks ------------------------------------------------------------------------------------- */

/* An item with its dash, or a member with its key, without indentation and line end. */
static struct bytes render_new(struct edit *e, const struct doc *d, bool member, size_t column)
{
	struct yaml_emit emit;
	struct bytes s;

	edit_emit_init(e, &emit);
	emit.column = column;
	if (member) {
		yaml_emit_member(&emit, d->key, d, (int)column);
	} else {
		yaml_emit_item(&emit, d, (int)column);
	}
	s = text_bytes(&e->scratch);
	if (s.n != 0 && s.p[s.n - 1] == '\n') {
		s.n--;
	}
	return s;
}

static void put_indent(struct edit *e, size_t column)
{
	for (size_t i = 0; i < column; i++) {
		text_add_char(e->out, ' ');
	}
}

struct block {
	const struct yaml_node *node;
	bool member;
	size_t column;
	bool inside;                  /* its first item stands behind something in its line */
	const struct yaml_node *last; /* old item that was passed last; NULL: none yet */
};

static void add_new(struct edit *e, struct block *b, const struct doc *d)
{
	struct bytes s;

	if (b->last == NULL && b->inside) {
		edit_copy(e, b->node->beg);
		edit_put(e, render_new(e, d, b->member, b->column));
		text_add_str(e->out, e->eol);
		put_indent(e, b->column);
		return;
	}
	edit_copy(e, b->last != NULL ? line_after(e, b->last->end) : line_start(e, b->node->beg));
	need_line(e);
	put_indent(e, b->column);
	s = render_new(e, d, b->member, b->column);
	edit_put(e, s);
	text_add_str(e->out, e->eol);
}

static void take_step(struct edit *e, struct block *b, const struct edit_step *s)
{
	struct slot slot;
	size_t start;

	if (s->old == NULL) {
		add_new(e, b, s->new);
		return;
	}
	b->last = s->old;
	if (s->new != NULL && s->new->closed && s->new->origin == s->old) {
		return;
	}
	if (!find_slot(e, b->node, s->old, &start, &slot) || start < e->done) {
		edit_refuse(e, s->old);
		return;
	}
	if (s->new != NULL) {
		edit_node(e, s->new, s->old, &slot);
		return;
	}
	edit_copy(e, line_start(e, start));
	edit_skip(e, line_after(e, s->old->end));
}

/* Behind a dash: `- a: 1`, where a goes away or something comes in front of it. */
static bool take_first(struct edit *e, struct block *b, const struct edit_steps *steps, size_t *at)
{
	size_t start = b->node->beg, i = 0, first = 0;
	struct slot slot;

	while (first < steps->n && (steps->v[first].old == NULL || steps->v[first].new == NULL)) {
		first++;
	}
	if (first == steps->n || !find_slot(e, b->node, steps->v[first].old, &start, &slot)) {
		return false;
	}
	for (i = 0; i < first; i++) {
		if (steps->v[i].new != NULL) {
			add_new(e, b, steps->v[i].new);
		}
	}
	if (start != b->node->beg) {
		size_t from = b->node->beg;

		edit_copy(e, from);
		for (i = 0; i < first; i++) {
			const struct yaml_node *old = steps->v[i].old;

			if (old == NULL) {
				continue;
			}
			if (!is_blank(e, from, start_of(old)) && old->key != NULL) {
				edit_copy(e, line_start(e, start_of(old)));
			}
			from = without_end(e, from, old->end);
			edit_skip(e, from);
		}
		if (is_blank(e, from, start)) {
			edit_skip(e, start);
		}
	}
	*at = first;
	return true;
}

/* Not with an anchor, a tag or an alias of its own. */
static bool begins_plainly(const struct edit *e, const struct yaml_node *n)
{
	char c = char_at(e, n->beg);

	if (n->type == YAML_SEQ) {
		return c == '-';
	}
	return start_of(n->items) == n->beg || (c != '&' && c != '!' && c != '*');
}

static void edit_block(
	struct edit *e, const struct doc *d, const struct yaml_node *n, const struct slot *slot)
{
	struct block b = {
		.node = n, .member = d->type == DOC_MAP, .column = n->beg - line_start(e, n->beg)};
	struct edit_steps steps;
	size_t i = 0;

	if (!edit_match(e, d, n, &steps)) {
		edit_refuse(e, n);
		return;
	}
	if (steps.kept == 0) {
		replace(e, d, n, slot);
		return;
	}
	b.inside = !is_blank(e, line_start(e, n->beg), n->beg);
	if (b.inside && !take_first(e, &b, &steps, &i)) {
		edit_refuse(e, n);
		return;
	}
	for (; i < steps.n && e->line == 0; i++) {
		take_step(e, &b, &steps.v[i]);
	}
}

static void edit_node(
	struct edit *e, const struct doc *d, const struct yaml_node *n, const struct slot *slot)
{
	bool list = d->type == DOC_LIST && n->type == YAML_SEQ;
	bool map = d->type == DOC_MAP && n->type == YAML_MAP;

	if (d->closed && d->origin == n) {
		return;
	}
	if (list || map ? d->n == 0 && n->n == 0 : !is_collection(n) && doc_scalar_is(d, n)) {
		return;
	}
	if ((!list && !map) || d->n == 0 || n->n == 0) {
		replace(e, d, n, slot);
	} else if (edit_is_flow(e, n)) {
		if (!doc_is_yaml(e->arena, d, n)) {
			edit_flow(e, d, n);
		}
	} else if (!edit_stands_in(n, n->items) || !begins_plainly(e, n)) {
		if (!doc_is_yaml(e->arena, d, n)) {
			edit_refuse(e, n); /* an alias, a merge, or a property in front */
		}
	} else {
		edit_block(e, d, n, slot);
	}
}

/* --- the whole ---------------------------------------------------------------------------------- */

struct style {
	unsigned looks;
	bool step_known, list_known;
};

static void learn_style(struct edit *e, const struct yaml_node *n, struct style *s)
{
	for (const struct yaml_node *i = n->items; i != NULL && s->looks < STYLE_LOOKS;
		i = i->next) {
		bool below = i->key != NULL && is_block(e, i) && i->line > i->key->line;

		s->looks++;
		if (below && i->type == YAML_MAP && !s->step_known && i->column > n->column &&
			i->column - n->column <= STEP_MAX) {
			e->step = i->column - n->column;
			s->step_known = true;
		}
		if (below && i->type == YAML_SEQ && !s->list_known) {
			e->list_indented = i->column > n->column;
			s->list_known = true;
		}
		learn_style(e, i, s);
	}
}

static void rewrite(struct edit *e, const struct yaml_node *root, const struct doc *want)
{
	const struct slot slot = {.column = -1, .mark = e->begin};
	struct style style = {0};

	if (root == NULL) {
		edit_copy(e, e->text.n);
		need_line(e);
		text_clear(&e->scratch);
		yaml_write(e->arena, &e->scratch, want);
		edit_put(e, text_bytes(&e->scratch));
		return;
	}
	learn_style(e, root, &style);
	edit_node(e, want, root, &slot);
	edit_copy(e, e->text.n);
}

/* The last line of the text had no end: then it gets none. */
static void cut_end(struct edit *e)
{
	size_t eol = strlen(e->eol);
	bool ended = e->text.n != 0 && e->text.p[e->text.n - 1] == '\n';

	if (!ended && e->text.n > e->begin && e->out->n - e->out_from > eol &&
		e->out->p[e->out->n - 1] == '\n') {
		e->out->n -= eol;
	}
}

static int check_result(struct edit *e, const struct doc *want, const struct yaml_node *root,
	struct yaml_check *check, struct fault *fault)
{
	struct bytes made = bytes_of(e->out->p + e->out_from, e->out->n - e->out_from);
	struct arena *a = check != NULL ? &check->arena : e->arena;
	struct yaml_doc doc = {0};
	struct fault why = {0};
	int rc = e->line == 0 ? yaml_parse(a, made, &doc, &why) : ERR_UNSUPPORTED;

	if (text_full(e->out) || arena_full(e->arena) || arena_full(a) || rc == ERR_LIMIT) {
		return fault_set(fault, ERR_LIMIT, 0, 1, "the changed text is too large");
	}
	if (rc != 0 || !doc_is_yaml(e->arena, want, doc.root)) {
		return fault_set(fault, ERR_UNSUPPORTED, 0,
			e->line != 0           ? e->line
				: root != NULL ? root->line
					       : 1,
			"the change does not fit into this text (an anchor, an alias, a merge key, a tag or a "
			"tab has a part in it): write the file anew");
	}
	if (check != NULL) {
		check->doc = doc;
	}
	return 0;
}

int yaml_edit(struct arena *a, struct bytes text, const struct yaml_node *root,
	const struct doc *want, struct text *out, struct yaml_check *check, struct fault *fault)
{
	const char *nl = text.n != 0 ? memchr(text.p, '\n', text.n) : NULL;
	struct edit e = {.arena = a,
		.text = text,
		.out = out,
		.out_from = out->n,
		.begin = bytes_starts(text, BYTES("\xef\xbb\xbf")) ? 3 : 0,
		.eol = nl != NULL && nl > text.p && nl[-1] == '\r' ? "\r\n" : "\n",
		.step = 2};
	int rc;

	text_init(&e.scratch, out->max);
	rewrite(&e, root, want);
	cut_end(&e);
	rc = check_result(&e, want, root, check, fault);
	if (rc != 0) {
		out->n = e.out_from;
	}
	text_done(&e.scratch);
	return rc;
}
