/*
 * Collections in brackets are written anew from their pieces: each item with what stands in front of it
 * and behind it, so that line ends and comments between them stay. A comment in front of an item that
 * goes away stays, too.
 */
#include "wire/yaml_edit_int.h"

/* Behind blanks, line ends and comments. */
static size_t skip_gap(const struct edit *e, size_t at)
{
	while (at < e->text.n && strchr(" \t\r\n#", e->text.p[at]) != NULL && e->text.p[at] != 0) {
		if (e->text.p[at] == '#') {
			while (at < e->text.n && e->text.p[at] != '\n') {
				at++;
			}
		} else {
			at++;
		}
	}
	return at;
}

struct piece {
	size_t lead, beg, end, tail; /* gap, item, gap; the comma follows */
};

static struct piece piece_of(const struct edit *e, const struct yaml_node *n, size_t lead)
{
	struct piece p = {
		.lead = lead, .beg = n->key != NULL ? n->key->beg : n->beg, .end = n->end};

	p.tail = skip_gap(e, p.end);
	if (p.tail == e->text.n || e->text.p[p.tail] != ',') {
		p.tail = p.end; /* the last one: what is in front of the bracket stays there */
	}
	return p;
}

static bool has_comment(const struct edit *e, size_t from, size_t to)
{
	return memchr(e->text.p + from, '#', to - from) != NULL;
}

static void put_part(struct edit *e, size_t from, size_t to)
{
	edit_put(e, bytes_of(e->text.p + from, to - from));
}

static void put_new(struct edit *e, const struct doc *d, bool member)
{
	struct yaml_emit emit;

	edit_emit_init(e, &emit);
	emit.one_line = true;
	if (member) {
		yaml_emit_flow_key(&emit, d->key);
	}
	yaml_emit_flow(&emit, d);
	edit_put(e, text_bytes(&e->scratch));
}

static void put_value(struct edit *e, const struct doc *d, const struct yaml_node *n);

struct items {
	size_t begin; /* behind the bracket */
	size_t at;    /* where the gap in front of the next old item begins */
	size_t left;  /* new items to come */
	bool first;   /* none was written yet */
	bool member;
	bool comma; /* also behind the last one, as in the old text */
};

static void put_kept(
	struct edit *e, struct items *t, const struct edit_step *s, const struct piece *p)
{
	if (!t->first && p->lead == p->beg && p->lead == t->begin) {
		edit_put(e, BYTES(" "));
	} else {
		put_part(e, p->lead, p->beg);
	}
	put_part(e, p->beg, s->old->key != NULL ? s->old->beg : p->beg);
	put_value(e, s->new, s->old);
	put_part(e, p->end, p->tail);
}

static void put_item(struct edit *e, struct items *t, const struct edit_step *s)
{
	struct piece p = {0};

	if (s->old != NULL) {
		p = piece_of(e, s->old, t->at);
		t->at = p.tail + (p.tail < e->text.n && e->text.p[p.tail] == ',');
	}
	if (s->new == NULL) {
		if (has_comment(e, p.lead, p.beg)) {
			put_part(e, p.lead, p.beg);
		}
		/* A blank behind its comma goes with it, so that the next one moves up. */
		t->at += t->first && e->text.p[t->at] == ' ';
		return;
	}
	if (s->old != NULL) {
		put_kept(e, t, s, &p);
	} else {
		edit_put(e, t->first ? BYTES("") : BYTES(" "));
		put_new(e, s->new, t->member);
	}
	t->first = false;
	edit_put(e, --t->left != 0 || t->comma ? BYTES(",") : BYTES(""));
}

static void put_items(struct edit *e, const struct doc *d, const struct yaml_node *n,
	const struct edit_steps *steps)
{
	struct items t = {.begin = n->beg + 1,
		.at = n->beg + 1,
		.left = d->n,
		.first = true,
		.member = d->type == DOC_MAP};

	for (size_t i = 0; i < steps->n; i++) {
		if (steps->v[i].old != NULL) {
			size_t tail = piece_of(e, steps->v[i].old, 0).tail;

			t.comma = tail < e->text.n && e->text.p[tail] == ',';
		}
	}
	for (size_t i = 0; i < steps->n; i++) {
		put_item(e, &t, &steps->v[i]);
	}
	put_part(e, t.at, n->end - 1);
}

static void put_collection(struct edit *e, const struct doc *d, const struct yaml_node *n)
{
	struct edit_steps steps;

	if (!edit_match(e, d, n, &steps)) {
		edit_refuse(e, n);
		return;
	}
	/* Inside of brackets merged and repeated members are too entangled, and a sorted order of what
	 * stands in the text is what pieces need. */
	for (size_t i = 0, at = n->beg; i < steps.n; i++) {
		const struct yaml_node *old = steps.v[i].old;

		if (old != NULL) {
			if (old->beg < at || !edit_stands_in(n, old)) {
				edit_refuse(e, n);
				return;
			}
			at = old->end;
		}
	}
	put_part(e, n->beg, n->beg + 1);
	put_items(e, d, n, &steps);
	put_part(e, n->end - 1, n->end);
}

static void put_value(struct edit *e, const struct doc *d, const struct yaml_node *n)
{
	bool list = d->type == DOC_LIST && n->type == YAML_SEQ;
	bool map = d->type == DOC_MAP && n->type == YAML_MAP;

	if (doc_is_yaml(e->arena, d, n)) {
		put_part(e, n->beg, n->end);
	} else if ((list || map) && d->n != 0 && n->n != 0 && edit_is_flow(e, n)) {
		put_collection(e, d, n);
	} else {
		if (n->beg == n->end) {
			edit_put(e, BYTES(" "));
		}
		put_new(e, d, false);
	}
}

void edit_flow(struct edit *e, const struct doc *d, const struct yaml_node *n)
{
	if (n->end < n->beg + 2) {
		edit_refuse(e, n);
		return;
	}
	edit_copy(e, n->beg);
	put_collection(e, d, n);
	edit_skip(e, n->end);
}
