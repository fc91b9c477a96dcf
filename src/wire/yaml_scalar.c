/*
 * Scalars as go-yaml's second version writes them. Which style a string gets is decided in two steps, as
 * there: would it be read as another type when it is plain, and which styles can hold its characters.
 *
 * Two things are written more carefully than there: U+2028 and U+2029, which YAML 1.1 takes for line
 * breaks, are escapes; and "<<" as a key is quoted, since it is no merge.
 */
#include "base/text.h"
#include "wire/yaml_emit.h"

/* --- strings that would be read as something else ------------------------------------------------ */

static size_t digits_at(struct bytes s, size_t i, size_t max)
{
	size_t n = 0;

	while (n < max && i + n < s.n && ascii_digit(s.p[i + n])) {
		n++;
	}
	return n;
}

/* One or two digits at *at, from lo to hi. */
static bool take_number(struct bytes s, size_t *at, unsigned lo, unsigned hi, unsigned *out)
{
	size_t n = digits_at(s, *at, 2);

	if (n == 0) {
		return false;
	}
	*out = (unsigned)(s.p[*at] - '0');
	if (n == 2) {
		*out = *out * 10 + (unsigned)(s.p[*at + 1] - '0');
	}
	*at += n;
	return *out >= lo && *out <= hi;
}

static bool take_char(struct bytes s, size_t *at, char c)
{
	if (*at < s.n && s.p[*at] == c) {
		(*at)++;
		return true;
	}
	return false;
}

static bool take_zone(struct bytes s, size_t *at)
{
	size_t i = *at;

	if (take_char(s, at, 'Z')) {
		return true;
	}
	if (s.n - i != 6 || (s.p[i] != '+' && s.p[i] != '-') || digits_at(s, i + 1, 2) != 2 ||
		s.p[i + 3] != ':' || digits_at(s, i + 4, 2) != 2) {
		return false;
	}
	*at = s.n;
	return (s.p[i + 1] - '0') * 10 + s.p[i + 2] - '0' <= 24 && s.p[i + 4] < '6';
}

static unsigned days_of(unsigned year, unsigned month)
{
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (month == 2) {
		return leap ? 29 : 28;
	}
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* YYYY-M-D [ ( "T" / "t" / " " ) h:m:s [ "." digits ] [ zone ] ], the zone exactly behind T and t. */
static bool is_timestamp(struct bytes s)
{
	unsigned year = 0, month, day, part;
	size_t at = 4;
	char mark;

	if (digits_at(s, 0, 5) != 4 || !take_char(s, &at, '-')) {
		return false;
	}
	for (size_t i = 0; i < 4; i++) {
		year = year * 10 + (unsigned)(s.p[i] - '0');
	}
	if (!take_number(s, &at, 1, 12, &month) || !take_char(s, &at, '-') ||
		!take_number(s, &at, 1, days_of(year, month), &day)) {
		return false;
	}
	if (at == s.n) {
		return true;
	}
	mark = s.p[at++];
	if ((mark != 'T' && mark != 't' && mark != ' ') || !take_number(s, &at, 0, 23, &part) ||
		!take_char(s, &at, ':') || !take_number(s, &at, 0, 59, &part) ||
		!take_char(s, &at, ':') || !take_number(s, &at, 0, 59, &part)) {
		return false;
	}
	if (at + 1 < s.n && (s.p[at] == '.' || s.p[at] == ',') && ascii_digit(s.p[at + 1])) {
		at += 1 + digits_at(s, at + 1, s.n);
	}
	return (mark == ' ' || take_zone(s, &at)) && at == s.n;
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
static bool is_base60(struct bytes s)
{
	size_t i = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+');
	bool colon = false;

	if (i == s.n || !ascii_digit(s.p[i])) {
		return false;
	}
	while (i < s.n && (ascii_digit(s.p[i]) || s.p[i] == '_')) {
		i++;
	}
	while (i < s.n && s.p[i] == ':') {
		size_t n = digits_at(s, i + 1, 2);

		if (n == 0 || (n == 2 && s.p[i + 1] > '5')) {
			return false;
		}
		i += 1 + n;
		colon = true;
	}
	if (i < s.n && s.p[i] == '.') {
		for (i++; i < s.n && (ascii_digit(s.p[i]) || s.p[i] == '_'); i++) {}
	}
	return colon && i == s.n;
}

/* Longer than our reader takes for one, but a number to others. */
static bool is_long_number(struct bytes s)
{
	size_t i = 0;

	while (i < s.n && (ascii_digit(s.p[i]) || strchr("+-._eE", s.p[i]) != NULL) &&
		s.p[i] != 0) {
		i++;
	}
	return s.n > 100 && i == s.n;
}

static bool reads_as_other(struct bytes s)
{
	return yaml_resolve(s, NULL) != YAML_STRING || is_timestamp(s) || is_base60(s) ||
		is_long_number(s);
}

/* --- characters --------------------------------------------------------------------------------- */

struct rune {
	uint32_t v;
	size_t n; /* bytes */
};

/* What is not UTF-8 counts as one U+FFFD a byte. */
static struct rune rune_at(struct bytes s, size_t i)
{
	const unsigned char *p = (const unsigned char *)s.p + i;
	size_t n = text_utf8(s.p + i, s.n - i);
	uint32_t v;

	if (n <= 1) {
		return (struct rune){n == 1 ? *p : 0xfffd, 1};
	}
	v = *p & (0xffu >> (n + 1));
	for (size_t k = 1; k < n; k++) {
		v = v << 6 | (p[k] & 0x3fu);
	}
	return (struct rune){v, n};
}

/* Needs an escape, so only double quotes can hold it. */
static bool is_special(uint32_t v)
{
	return (v < ' ' && v != '\n') || (v > '~' && v < 0xa0) || v == 0x2028 || v == 0x2029 ||
		v == 0xfeff || v > 0xfffd;
}

struct facts {
	bool block_indicator, flow_indicator; /* a plain scalar cannot have it there */
	bool special, edge_space, edge_break, last_space, breaks, break_space, space_break;
};

static void look_first(struct facts *f, struct bytes s)
{
	char c = s.p[0];
	bool alone = s.n == 1 || s.p[1] == ' ' || s.p[1] == '\t';

	if (s.n >= 3 && (memcmp(s.p, "---", 3) == 0 || memcmp(s.p, "...", 3) == 0)) {
		f->block_indicator = f->flow_indicator = true;
	}
	if (c != '\0' && strchr("#,[]{}&*!|>'\"%@`", c) != NULL) {
		f->block_indicator = f->flow_indicator = true;
	} else if (c == '?' || c == ':') {
		f->flow_indicator = true;
		f->block_indicator = f->block_indicator || alone;
	} else if (c == '-' && alone) {
		f->block_indicator = f->flow_indicator = true;
	}
}

static void look_at(struct facts *f, struct bytes s, size_t i)
{
	char c = s.p[i], before = s.p[i - 1];

	if (c == ':') {
		f->flow_indicator = true;
		f->block_indicator = f->block_indicator || i + 1 == s.n || s.p[i + 1] == ' ' ||
			s.p[i + 1] == '\t';
	} else if (c == '#') {
		if (before == ' ' || before == '\t' || before == '\n') {
			f->block_indicator = f->flow_indicator = true;
		}
	} else if (c != '\0' && strchr(",?[]{}", c) != NULL) {
		f->flow_indicator = true;
	}
	f->break_space = f->break_space || (c == ' ' && before == '\n');
	f->space_break = f->space_break || (c == '\n' && before == ' ');
}

static struct facts facts_of(struct bytes s)
{
	struct facts f = {0};
	size_t n;

	if (s.n == 0) {
		return f;
	}
	look_first(&f, s);
	for (size_t i = 0; i < s.n; i += n) {
		struct rune r = rune_at(s, i);

		n = r.n;
		f.special = f.special || is_special(r.v) || (n == 1 && r.v == 0xfffd);
		f.breaks = f.breaks || r.v == '\n';
		if (i != 0) {
			look_at(&f, s, i);
		}
	}
	f.last_space = s.p[s.n - 1] == ' ';
	f.edge_space = s.p[0] == ' ' || f.last_space;
	f.edge_break = s.p[0] == '\n' || s.p[s.n - 1] == '\n';
	return f;
}

enum yaml_style yaml_scalar_style(struct bytes s, enum yaml_place place)
{
	struct facts f = facts_of(s);
	bool indicator = place == YAML_IN_FLOW ? f.flow_indicator : f.block_indicator;

	if (f.special || f.space_break) {
		return YAML_STYLE_DOUBLE;
	}
	if (f.breaks) {
		return place == YAML_IN_BLOCK && !f.last_space ? YAML_STYLE_LITERAL
							       : YAML_STYLE_DOUBLE;
	}
	if (reads_as_other(s) || (place == YAML_IN_KEY && bytes_eq(s, BYTES("<<")))) {
		return YAML_STYLE_DOUBLE;
	}
	return indicator || f.edge_space ? YAML_STYLE_SINGLE : YAML_STYLE_PLAIN;
}

bool yaml_scalar_multiline(struct bytes s)
{
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		struct rune r = rune_at(s, i);

		n = r.n;
		if (r.v == '\n' || r.v == '\r' || r.v == 0x85 || r.v == 0x2028 || r.v == 0x2029) {
			return true;
		}
	}
	return false;
}

/* --- written ------------------------------------------------------------------------------------ */

static void put(struct yaml_emit *e, const char *p, size_t n)
{
	text_add(e->out, p, n);
	e->column++;
}

void yaml_emit_raw(struct yaml_emit *e, struct bytes s)
{
	text_add_bytes(e->out, s);
	e->column += s.n;
	e->whitespace = e->indention = false;
}

/* A blank at i is where the line may end. inner: blanks at the edges stay in it. */
static bool folds_at(const struct yaml_emit *e, struct bytes s, size_t i, bool spaces)
{
	return !spaces && e->column > YAML_FOLD_COLUMN && i != 0 && i + 1 < s.n;
}

static void put_flat(struct yaml_emit *e, struct bytes s, bool single, int column, bool fold)
{
	bool spaces = false;
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		n = rune_at(s, i).n;
		if (s.p[i] == ' ') {
			if (fold && folds_at(e, s, i, spaces) && s.p[i + 1] != ' ') {
				e->indention = false;
				yaml_emit_indent(e, column);
			} else {
				put(e, " ", 1);
			}
			spaces = true;
			continue;
		}
		if (single && s.p[i] == '\'') {
			put(e, "'", 1);
		}
		put(e, s.p + i, n);
		e->indention = false;
		spaces = false;
	}
}

static void put_escape(struct yaml_emit *e, uint32_t v)
{
	static const struct {
		uint32_t v;
		char c;
	} shorts[] = {{0, '0'}, {7, 'a'}, {8, 'b'}, {9, 't'}, {10, 'n'}, {11, 'v'}, {12, 'f'},
		{13, 'r'}, {27, 'e'}, {'"', '"'}, {'\\', '\\'}, {0x85, 'N'}, {0xa0, '_'},
		{0x2028, 'L'}, {0x2029, 'P'}};
	char room[12];
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(shorts) && n == 0; i++) {
		if (shorts[i].v == v) {
			room[n++] = '\\';
			room[n++] = shorts[i].c;
		}
	}
	if (n == 0) {
		int width = v <= 0xff ? 2 : v <= 0xffff ? 4 : 8;

		room[n++] = '\\';
		room[n++] = width == 2 ? 'x' : width == 4 ? 'u' : 'U';
		for (int shift = (width - 1) * 4; shift >= 0; shift -= 4) {
			room[n++] = "0123456789ABCDEF"[v >> shift & 15];
		}
	}
	text_add(e->out, room, (size_t)n);
	e->column += (size_t)n;
}

/* Behind a byte order mark go-yaml takes every character for one, and writes escapes only. */
static void put_double(struct yaml_emit *e, struct bytes s, int column, bool fold)
{
	bool all = bytes_starts(s, BYTES("\xef\xbb\xbf"));
	bool spaces = false;
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		struct rune r = rune_at(s, i);

		n = r.n;
		if (all || r.v == '"' || r.v == '\\' || r.v == '\n' || is_special(r.v)) {
			put_escape(e, r.v);
			spaces = false;
		} else if (r.v == ' ' && fold && folds_at(e, s, i, spaces)) {
			yaml_emit_indent(e, column);
			if (s.p[i + 1] == ' ') {
				put(e, "\\", 1);
			}
			spaces = true;
		} else if (r.v == 0xfffd) {
			put(e, "\xef\xbf\xbd", 3);
			spaces = false;
		} else {
			put(e, s.p + i, n);
			spaces = r.v == ' ';
		}
		e->indention = false;
	}
}

static void put_literal(struct yaml_emit *e, struct bytes s, int column)
{
	bool fresh = true;
	size_t n;

	put(e, "|", 1);
	if (s.p[0] == ' ' || s.p[0] == '\n') {
		put(e, &"0123456789"[e->hint % 10], 1);
	}
	if (s.p[s.n - 1] != '\n') {
		put(e, "-", 1);
	} else if (s.n == 1 || s.p[s.n - 2] == '\n') {
		put(e, "+", 1);
	}
	text_add_char(e->out, '\n');
	e->column = 0;
	e->indention = e->whitespace = true;
	for (size_t i = 0; i < s.n; i += n) {
		n = rune_at(s, i).n;
		if (s.p[i] == '\n') {
			text_add_char(e->out, '\n');
			e->column = 0;
			e->indention = fresh = true;
			continue;
		}
		if (fresh) {
			yaml_emit_indent(e, column);
			fresh = false;
		}
		put(e, s.p + i, n);
		e->indention = false;
	}
}

void yaml_scalar_put(
	struct yaml_emit *e, struct bytes s, enum yaml_style style, int column, bool fold)
{
	bool quoted = style == YAML_STYLE_SINGLE || style == YAML_STYLE_DOUBLE;

	if (!e->whitespace) {
		put(e, " ", 1);
	}
	if (style == YAML_STYLE_LITERAL) {
		put_literal(e, s, column);
		return;
	}
	if (quoted) {
		put(e, style == YAML_STYLE_SINGLE ? "'" : "\"", 1);
		e->whitespace = e->indention = false;
	}
	if (style == YAML_STYLE_DOUBLE) {
		put_double(e, s, column, fold);
	} else {
		put_flat(e, s, style == YAML_STYLE_SINGLE, column, fold);
	}
	if (quoted) {
		put(e, style == YAML_STYLE_SINGLE ? "'" : "\"", 1);
	}
	e->whitespace = e->indention = false;
}
