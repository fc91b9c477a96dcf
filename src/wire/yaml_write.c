/*
 * The layout of go-yaml's second version: two blanks a step, a list below a key in the key's own column,
 * what follows a dash in the dash's line. Nothing that is closed is opened: members are sorted through a
 * table that is given back, so that a file of 20 MB needs little more than its text.
 */
#include "wire/yaml_write.h"

#include <stdlib.h>

#include "base/text.h"
#include "wire/doc_int.h"
#include "wire/yaml_emit.h"

/* --- order of keys ------------------------------------------------------------------------------ */

static uint32_t rune_at(struct bytes s, size_t i, size_t *n)
{
	const unsigned char *p = (const unsigned char *)s.p + i;
	uint32_t v;

	*n = text_utf8(s.p + i, s.n - i);
	if (*n <= 1) {
		v = *n == 1 ? *p : 0xfffd;
		*n = 1;
		return v;
	}
	v = *p & (0xffu >> (*n + 1));
	for (size_t k = 1; k < *n; k++) {
		v = v << 6 | (p[k] & 0x3fu);
	}
	return v;
}

/* Letters as Unicode has them; beyond ASCII by the blocks that hold something else. */
static bool is_letter(uint32_t v)
{
	static const struct {
		uint32_t from, to;
	} others[] = {{0x80, 0xa9}, {0xab, 0xb4}, {0xb6, 0xb9}, {0xbb, 0xbf}, {0xd7, 0xd7},
		{0xf7, 0xf7}, {0x2c2, 0x2c5}, {0x2d2, 0x2df}, {0x300, 0x36f}, {0x375, 0x375},
		{0x378, 0x379}, {0x37e, 0x37e}, {0x380, 0x385}, {0x387, 0x387}, {0x660, 0x669},
		{0x966, 0x96f}, {0x2000, 0x2070}, {0x2074, 0x207e}, {0x2080, 0x208e},
		{0x20a0, 0x20ff}, {0x2190, 0x2bff}, {0x2e00, 0x2e7f}, {0x2e80, 0x2fff},
		{0x3000, 0x3004}, {0x3007, 0x3030}, {0x3036, 0x303a}, {0x303d, 0x3040},
		{0x3099, 0x309c}, {0x30a0, 0x30a0}, {0x30fb, 0x30fb}, {0x3190, 0x319f},
		{0x31c0, 0x31ef}, {0x3200, 0x33ff}, {0x4dc0, 0x4dff}, {0xd800, 0xf8ff},
		{0xfe00, 0xfe6f}, {0xfefd, 0xfeff}, {0xff00, 0xff20}, {0xff3b, 0xff40},
		{0xff5b, 0xff65}, {0xffe0, 0xffff}, {0x1d000, 0x1d3ff}, {0x1f000, 0x1fbff},
		{0xe0000, 0x10ffff}};

	if (v < 0x80) {
		return (v | 0x20) >= 'a' && (v | 0x20) <= 'z';
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (v >= others[i].from && v <= others[i].to) {
			return false;
		}
	}
	return true;
}

/* The run of digits at i as a number; *end is behind it. What is beyond a number is the greatest: Go's wraps, and its
 * order is none then. */
static uint64_t number_at(struct bytes s, size_t i, bool one_before, size_t *end)
{
	uint64_t v = one_before;

	for (; i < s.n && ascii_digit(s.p[i]); i++) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v)) {
			v = UINT64_MAX;
		}
	}
	*end = i;
	return v;
}

/* x and y are equal up to i and differ there: neither is a letter. */
static int order_digits(struct bytes x, struct bytes y, size_t i, bool less)
{
	bool one_before = false;
	size_t x_end, y_end;
	uint64_t xn, yn;

	if (x.p[i] == '0' || y.p[i] == '0') {
		for (size_t j = i; j > 0 && ascii_digit(x.p[j - 1]) && !one_before; j--) {
			one_before = x.p[j - 1] != '0';
		}
	}
	xn = number_at(x, i, one_before, &x_end);
	yn = number_at(y, i, one_before, &y_end);
	if (xn != yn) {
		return xn < yn ? -1 : 1;
	}
	if (x_end != y_end) {
		return x_end < y_end ? -1 : 1;
	}
	return less ? -1 : 1;
}

int yaml_key_order(struct bytes x, struct bytes y)
{
	size_t n = 0, m;

	for (size_t i = 0; i < x.n && i < y.n; i += n) {
		uint32_t xv = rune_at(x, i, &n), yv = rune_at(y, i, &m);
		bool x_letter, y_letter;

		if (xv == yv && n == m) {
			continue;
		}
		x_letter = is_letter(xv);
		y_letter = is_letter(yv);
		if (x_letter && y_letter) {
			return xv < yv ? -1 : 1;
		}
		if (x_letter || y_letter) {
			return y_letter ? -1 : 1;
		}
		return order_digits(x, y, i, xv < yv);
	}
	return (x.n > y.n) - (x.n < y.n);
}

/* --- layout ------------------------------------------------------------------------------------- */

void yaml_emit_init(struct yaml_emit *e, struct arena *a, struct text *out)
{
	*e = (struct yaml_emit){.arena = a,
		.out = out,
		.whitespace = true,
		.indention = true,
		.sorted = true,
		.step = 2};
}

void yaml_emit_indent(struct yaml_emit *e, int column)
{
	size_t to = column > 0 ? (size_t)column : 0;

	if (!e->indention || e->column > to || (e->column == to && !e->whitespace)) {
		text_add_char(e->out, '\n');
		e->column = 0;
	}
	for (; e->column < to; e->column++) {
		text_add_char(e->out, ' ');
	}
	e->whitespace = e->indention = true;
}

static void put_indicator(struct yaml_emit *e, char c, bool space_before)
{
	if (space_before && !e->whitespace) {
		text_add_char(e->out, ' ');
		e->column++;
	}
	text_add_char(e->out, c);
	e->column++;
	e->whitespace = false;
}

static bool is_collection(const struct doc *d)
{
	return d->type == DOC_LIST || d->type == DOC_MAP;
}

/* How far what belongs to a key, or stands behind a dash, is set in. */
static int deeper(const struct yaml_emit *e, bool of_key)
{
	return of_key ? (int)e->step : 2;
}

static struct bytes word_of(const struct doc *d)
{
	switch (d->type) {
	case DOC_BOOL:
		return d->boolean ? BYTES("true") : BYTES("false");
	case DOC_LIST:
		return BYTES("[]");
	case DOC_MAP:
		return BYTES("{}");
	case DOC_NULL:
	case DOC_INT:
	case DOC_FLOAT:
	case DOC_STRING:
		break;
	}
	return BYTES("null");
}

static void put_scalar(
	struct yaml_emit *e, const struct doc *d, int column, enum yaml_place place, bool fold)
{
	if (d->type == DOC_STRING) {
		enum yaml_style style = yaml_scalar_style(d->text, place);

		if (style == YAML_STYLE_LITERAL && e->one_line) {
			style = YAML_STYLE_DOUBLE;
		}
		yaml_scalar_put(e, d->text, style, column, fold && !e->one_line);
		return;
	}
	if (!e->whitespace) {
		put_indicator(e, ' ', false);
	}
	if (d->type == DOC_INT || d->type == DOC_FLOAT) {
		size_t before = e->out->n;

		doc_put_number_yaml(e->out, d);
		e->column += e->out->n - before;
		e->whitespace = e->indention = false;
		return;
	}
	yaml_emit_raw(e, word_of(d));
}

/* --- members in order --------------------------------------------------------------------------- */

struct member {
	struct bytes key;
	const struct doc *doc;        /* NULL: not opened */
	const struct yaml_node *yaml; /* then this */
};

struct members {
	struct member *v;
	size_t n;
	struct arena_mark mark;
};

static int by_key(const void *x, const void *y)
{
	return yaml_key_order(((const struct member *)x)->key, ((const struct member *)y)->key);
}

/* That something was refused stays known: the text lacks it. */
static void release(struct yaml_emit *e, const struct members *m)
{
	bool full = arena_full(e->arena);

	arena_rewind(e->arena, &m->mark);
	e->arena->full = e->arena->full || full;
}

/* False: the arena is full. */
static bool members_of(struct yaml_emit *e, const struct doc *d, struct members *out)
{
	*out = (struct members){.mark = arena_mark(e->arena)};
	out->v = arena_alloc(e->arena, d->n * sizeof(*out->v));
	if (out->v == NULL) {
		return false;
	}
	if (d->closed) {
		for (const struct yaml_node *i = d->origin->items; i != NULL; i = i->next) {
			out->v[out->n++] = (struct member){
				.key = i->key != NULL ? i->key->text : bytes_of(NULL, 0),
				.yaml = i};
		}
	} else {
		for (const struct doc *i = d->items; i != NULL; i = i->next) {
			out->v[out->n++] = (struct member){.key = i->key, .doc = i};
		}
	}
	if (e->sorted) {
		qsort(out->v, out->n, sizeof(*out->v), by_key);
	}
	return true;
}

static const struct doc *member_value(const struct member *m, struct doc *room)
{
	if (m->doc != NULL) {
		return m->doc;
	}
	doc_fill(room, m->yaml);
	return room;
}

/* --- block style -------------------------------------------------------------------------------- */

static void put_key(struct yaml_emit *e, struct bytes key, int column)
{
	bool simple = key.n <= YAML_SIMPLE_KEY_MAX && !yaml_scalar_multiline(key);

	if (simple) {
		yaml_scalar_put(e, key, yaml_scalar_style(key, YAML_IN_KEY), column, false);
		put_indicator(e, ':', false);
		e->indention = false;
		return;
	}
	put_indicator(e, '?', true);
	e->hint = 2;
	yaml_scalar_put(e, key, yaml_scalar_style(key, YAML_IN_BLOCK), column + 2, true);
	yaml_emit_indent(e, column);
	put_indicator(e, ':', true);
}

void yaml_emit_member(struct yaml_emit *e, struct bytes key, const struct doc *value, int column)
{
	put_key(e, key, column);
	yaml_emit_node(e, value, column, true);
}

void yaml_emit_item(struct yaml_emit *e, const struct doc *value, int column)
{
	put_indicator(e, '-', true);
	yaml_emit_node(e, value, column, false);
}

static void put_map(struct yaml_emit *e, const struct doc *d, int column)
{
	struct members members;
	struct doc room;

	if (!members_of(e, d, &members)) {
		return;
	}
	for (size_t i = 0; i < members.n; i++) {
		yaml_emit_indent(e, column);
		yaml_emit_member(e, members.v[i].key, member_value(&members.v[i], &room), column);
	}
	release(e, &members);
}

static void put_list(struct yaml_emit *e, const struct doc *d, int column)
{
	struct doc room;

	if (d->closed) {
		for (const struct yaml_node *i = d->origin->items; i != NULL; i = i->next) {
			doc_fill(&room, i);
			yaml_emit_indent(e, column);
			yaml_emit_item(e, &room, column);
		}
		return;
	}
	for (const struct doc *i = d->items; i != NULL; i = i->next) {
		yaml_emit_indent(e, column);
		yaml_emit_item(e, i, column);
	}
}

void yaml_emit_node(struct yaml_emit *e, const struct doc *d, int column, bool of_key)
{
	bool flush = of_key && !e->indention && !e->list_indented;
	int inside = column < 0 ? 0 : column + deeper(e, of_key);

	if (!is_collection(d) || d->n == 0) {
		e->hint = (unsigned)deeper(e, of_key);
		put_scalar(e, d, column < 0 ? 2 : inside, YAML_IN_BLOCK, true);
	} else if (d->type == DOC_MAP) {
		put_map(e, d, inside);
	} else {
		put_list(e, d, flush ? column : inside);
	}
}

/* --- flow style --------------------------------------------------------------------------------- */

void yaml_emit_flow_key(struct yaml_emit *e, struct bytes key)
{
	enum yaml_style style = yaml_scalar_style(key, YAML_IN_FLOW);

	if (bytes_eq(key, BYTES("<<"))) {
		style = YAML_STYLE_DOUBLE;
	}
	if (key.n > YAML_SIMPLE_KEY_MAX) {
		put_indicator(e, '?', true);
	}
	yaml_scalar_put(e, key, style, 0, false);
	put_indicator(e, ':', false);
}

static void put_flow_member(struct yaml_emit *e, const struct member *m, bool map, bool first)
{
	struct doc room;

	if (!first) {
		yaml_emit_raw(e, BYTES(", "));
	}
	e->whitespace = true;
	if (map) {
		yaml_emit_flow_key(e, m->key);
	}
	yaml_emit_flow(e, member_value(m, &room));
}

void yaml_emit_flow(struct yaml_emit *e, const struct doc *d)
{
	bool map = d->type == DOC_MAP, sorted = e->sorted;
	struct members members;

	if (!is_collection(d) || d->n == 0) {
		put_scalar(e, d, 0, YAML_IN_FLOW, false);
		return;
	}
	e->sorted = sorted && map;
	if (members_of(e, d, &members)) {
		e->sorted = sorted;
		put_indicator(e, map ? '{' : '[', true);
		for (size_t i = 0; i < members.n; i++) {
			put_flow_member(e, &members.v[i], map, i == 0);
		}
		put_indicator(e, map ? '}' : ']', false);
		release(e, &members);
	}
	e->sorted = sorted;
}

/* --- documents ---------------------------------------------------------------------------------- */

static void write_document(struct arena *a, struct text *out, const struct doc *d, bool sorted)
{
	static const struct doc null = {.type = DOC_NULL};
	struct yaml_emit e;

	yaml_emit_init(&e, a, out);
	e.sorted = sorted;
	yaml_emit_node(&e, d != NULL ? d : &null, -1, false);
	yaml_emit_indent(&e, 0);
}

void yaml_write(struct arena *a, struct text *out, const struct doc *d)
{
	write_document(a, out, d, true);
}

void yaml_write_in_order(struct arena *a, struct text *out, const struct doc *d)
{
	write_document(a, out, d, false);
}
