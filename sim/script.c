#define _GNU_SOURCE
#include "sim/script.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"

#define INCLUDE_DEPTH_MAX 4u

static char *keep(struct script *s, char *p)
{
	s->kept = must_realloc(s->kept, (s->n_kept + 1) * sizeof(char *));
	s->kept[s->n_kept++] = p;
	return p;
}

static char *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *p = NULL;
	size_t cap = 0;

	*n = 0;
	if (f == NULL) {
		return NULL;
	}
	do {
		cap += 65536;
		p = must_realloc(p, cap);
		*n += fread(p + *n, 1, cap - *n, f);
	} while (*n == cap);
	fclose(f);
	return p;
}

struct bytes script_word(struct bytes *rest)
{
	struct bytes word;

	*rest = bytes_trim(*rest);
	word = bytes_cut(rest, ' ');
	*rest = rest->p == NULL ? bytes_of("", 0) : bytes_trim(*rest);
	return word;
}

/* --- lines -------------------------------------------------------------------------------------- */

static bool complain(const struct line *l, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", l->file, l->number, what);
	return false;
}

static struct bytes cut_column(struct bytes *rest)
{
	const char *bar = memmem(rest->p, rest->n, " | ", 3);
	struct bytes it = *rest;

	if (bar == NULL) {
		*rest = bytes_of(NULL, 0);
		return bytes_trim(it);
	}
	it.n = (size_t)(bar - rest->p);
	*rest = bytes_of(bar + 3, rest->n - it.n - 3);
	return bytes_trim(it);
}

static void add_row(struct script *s, struct bytes text)
{
	s->rows = must_realloc(s->rows, (s->n_cases + 1) * sizeof(*s->rows));
	memset(s->rows[s->n_cases], 0, sizeof(*s->rows));
	for (unsigned i = 0; i < s->n_columns && text.p != NULL; i++) {
		s->rows[s->n_cases][i] = cut_column(&text);
	}
	s->n_cases++;
}

/* for each n in 1..64 */
static bool add_range(struct script *s, struct bytes range)
{
	const char *dots = memmem(range.p, range.n, "..", 2);
	uint64_t from;
	uint64_t to;

	if (dots == NULL ||
		!num_parse_u64(bytes_of(range.p, (size_t)(dots - range.p)), 1000000, &from) ||
		!num_parse_u64(
			bytes_of(dots + 2, (size_t)(range.p + range.n - dots) - 2), 1000000, &to)) {
		return false;
	}
	for (; from <= to; from++) {
		char *text = keep(s, must_alloc(NUM_U64_MAX));

		add_row(s, bytes_of(text, num_format_u64(text, from)));
	}
	return true;
}

static bool read_each(struct script *s, const struct line *l, struct bytes rest)
{
	const char *in = memmem(rest.p, rest.n, " in ", 4);

	if (in != NULL) {
		s->columns[s->n_columns++] = bytes_of(rest.p, (size_t)(in - rest.p));
		return add_range(s, bytes_of(in + 4, (size_t)(rest.p + rest.n - in) - 4)) ||
			complain(l, "a range is written 1..64");
	}
	while (rest.p != NULL && s->n_columns < SCRIPT_COLUMNS_MAX) {
		s->columns[s->n_columns++] = cut_column(&rest);
	}
	for (unsigned i = 0; i < l->n_block; i++) {
		if (l->block[i].n != 0) {
			add_row(s, l->block[i]);
		}
	}
	return s->n_cases != 0 || complain(l, "for each of nothing");
}

static bool read_let(struct script *s, const struct line *l, struct bytes rest)
{
	struct bytes name = script_word(&rest);

	if (!bytes_eq(script_word(&rest), BYTES("="))) {
		return complain(l, "let NAME = VALUE");
	}
	s->lets = must_realloc(s->lets, (s->n_lets + 1) * sizeof(*s->lets));
	s->lets[s->n_lets].name = name;
	s->lets[s->n_lets++].value = rest;
	return true;
}

static bool read_into(struct script *s, const char *path, unsigned depth);

static bool read_include(struct script *s, const struct line *l, struct bytes rest, unsigned depth)
{
	const char *slash = strrchr(l->file, '/');
	int n = slash == NULL ? 0 : (int)(slash - l->file) + 1;
	char *path = NULL;

	if (asprintf(&path, "%.*s" BYTES_FMT, n, l->file, BYTES_ARG(rest)) < 0) {
		return false;
	}
	return read_into(s, keep(s, path), depth + 1) || complain(l, "cannot be included");
}

/* What concerns the file as a whole is dealt with at once; everything else is a line of the story. */
static bool read_line(struct script *s, const struct line *l, unsigned depth)
{
	struct bytes rest = l->text;
	struct bytes word = script_word(&rest);
	uint64_t seeds;

	if (bytes_eq(word, BYTES("include"))) {
		return read_include(s, l, rest, depth);
	}
	if (bytes_eq(word, BYTES("let"))) {
		return read_let(s, l, rest);
	}
	if (bytes_starts(l->text, BYTES("for each "))) {
		IGNORE(script_word(&rest)); /* each */
		return read_each(s, l, rest);
	}
	if (bytes_eq(word, BYTES("seeds"))) {
		if (!num_parse_u64(rest, 100000, &seeds) || seeds == 0) {
			return complain(l, "seeds NUMBER");
		}
		s->seeds = (unsigned)seeds;
		return true;
	}
	if (s->n_lines == s->cap_lines) {
		s->cap_lines = MAX(s->cap_lines * 2, 64u);
		s->lines = must_realloc(s->lines, s->cap_lines * sizeof(*s->lines));
	}
	s->lines[s->n_lines++] = *l;
	return true;
}

static bool is_indented(struct bytes text)
{
	return text.n != 0 && (text.p[0] == ' ' || text.p[0] == '\t');
}

static size_t indentation(struct bytes text)
{
	size_t n = 0;

	while (n < text.n && (text.p[n] == ' ' || text.p[n] == '\t')) {
		n++;
	}
	return n;
}

/* The indented lines behind a line; blank ones belong to them when another indented one follows. */
static void read_block(struct script *s, struct line *l, struct bytes *rest, unsigned *number)
{
	size_t indent = 0;
	unsigned blank = 0;

	l->block = NULL;
	l->n_block = 0;
	while (rest->p != NULL) {
		struct bytes ahead = *rest;
		struct bytes text = bytes_cut(&ahead, '\n');

		if (text.n != 0 && !is_indented(text)) {
			break;
		}
		(*number)++;
		*rest = ahead;
		if (bytes_trim(text).n == 0) {
			blank++;
			continue;
		}
		indent = l->n_block == 0 ? indentation(text) : indent;
		l->block = must_realloc(l->block, (l->n_block + blank + 1) * sizeof(*l->block));
		for (; l->n_block != 0 && blank != 0; blank--) {
			l->block[l->n_block++] = bytes_of("", 0);
		}
		blank = 0;
		indent = MIN(indent, indentation(text));
		l->block[l->n_block++] = bytes_of(text.p + indent, text.n - indent);
	}
	if (l->block != NULL) {
		keep(s, (char *)l->block);
	}
}

static bool read_into(struct script *s, const char *path, unsigned depth)
{
	size_t n;
	char *p = depth > INCLUDE_DEPTH_MAX ? NULL : read_file(path, &n);
	struct bytes rest;
	unsigned number = 0;

	if (p == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return false;
	}
	rest = bytes_of(keep(s, p), n);
	while (rest.p != NULL) {
		struct bytes text = bytes_cut(&rest, '\n');
		struct line l = {.file = path, .number = ++number, .text = bytes_trim(text)};

		if (l.text.n == 0 || l.text.p[0] == '#') {
			continue;
		}
		read_block(s, &l, &rest, &number);
		if (!read_line(s, &l, depth)) {
			return false;
		}
	}
	return true;
}

struct script *script_read(const char *path)
{
	struct script *s = must_alloc(sizeof(*s));

	s->path = must_strdup(path);
	if (!read_into(s, s->path, 0)) {
		script_free(s);
		return NULL;
	}
	if (s->n_cases == 0) {
		add_row(s, bytes_of(NULL, 0));
	}
	return s;
}

void script_free(struct script *s)
{
	for (unsigned i = 0; i < s->n_kept; i++) {
		free(s->kept[i]);
	}
	free(s->kept);
	free(s->lets);
	free(s->rows);
	free(s->lines);
	free(s->path);
	free(s);
}

/* --- variables and values ----------------------------------------------------------------------- */

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_' || ascii_digit(c);
}

static struct bytes variable(const struct script *s, unsigned c, struct bytes name)
{
	for (unsigned i = 0; i < s->n_columns; i++) {
		if (bytes_eq(s->columns[i], name)) {
			struct bytes v = s->rows[c][i];

			return v.p == NULL ? bytes_of("", 0) : v;
		}
	}
	for (unsigned i = s->n_lets; i-- > 0;) {
		if (bytes_eq(s->lets[i].name, name)) {
			return s->lets[i].value;
		}
	}
	return bytes_of(NULL, 0);
}

static void expand(
	const struct script *s, unsigned c, struct bytes text, struct text *out, unsigned depth)
{
	for (size_t i = 0; i < text.n; i++) {
		size_t end = i + 1;
		struct bytes value = bytes_of(NULL, 0);

		if (text.p[i] == '$' && depth < 4) {
			while (end < text.n && in_name(text.p[end])) {
				end++;
			}
			value = variable(s, c, bytes_of(text.p + i + 1, end - i - 1));
		}
		if (value.p == NULL) {
			text_add_char(out, text.p[i]);
			continue;
		}
		expand(s, c, value, out, depth + 1);
		i = end - 1;
	}
}

void script_expand(const struct script *s, unsigned c, struct bytes text, struct text *out)
{
	expand(s, c, text, out, 0);
}

/* One escape behind a backslash; returns the characters it takes, 0 when there is no such. */
static size_t escape(struct bytes rest, struct text *out)
{
	static const char from[] = "rnt0\\\"e";
	static const char to[] = "\r\n\t\0\\\"\x1b";
	const char *at = rest.n == 0 ? NULL : strchr(from, rest.p[0]);
	uint64_t v;

	if (at != NULL && *at != '\0') {
		text_add_char(out, to[at - from]);
		return 1;
	}
	if (rest.n >= 3 && rest.p[0] == 'x' && num_parse_hex(bytes_of(rest.p + 1, 2), 255, &v)) {
		text_add_char(out, (char)v);
		return 3;
	}
	return 0;
}

/* The quoted piece that *rest begins with. */
static bool quoted(struct bytes *rest, struct text *out)
{
	for (size_t i = 1; i < rest->n; i++) {
		size_t taken;

		if (rest->p[i] == '"') {
			*rest = bytes_trim(bytes_of(rest->p + i + 1, rest->n - i - 1));
			return true;
		}
		if (rest->p[i] != '\\') {
			text_add_char(out, rest->p[i]);
			continue;
		}
		taken = escape(bytes_of(rest->p + i + 1, rest->n - i - 1), out);
		if (taken == 0) {
			return false;
		}
		i += taken;
	}
	return false;
}

static bool repeated(struct bytes *rest, size_t from, struct text *out)
{
	struct bytes star = script_word(rest);
	uint64_t times;
	char *copy;
	size_t n = out->n - from;

	(void)star;
	if (!num_parse_u64(script_word(rest), SCRIPT_TEXT_MAX, &times)) {
		return false;
	}
	copy = bytes_dup(bytes_of(out->p + from, n));
	out->n = from;
	for (uint64_t i = 0; i < times; i++) {
		text_add(out, copy, n);
	}
	free(copy);
	return true;
}

bool script_value(struct bytes text, struct text *out)
{
	struct bytes rest = bytes_trim(text);

	if (rest.n == 0 || rest.p[0] != '"') {
		text_add_bytes(out, rest);
		return true;
	}
	while (rest.n != 0) {
		size_t from = out->n;

		if (rest.p[0] != '"' || !quoted(&rest, out)) {
			return false;
		}
		if (rest.n != 0 && rest.p[0] == '*' && !repeated(&rest, from, out)) {
			return false;
		}
	}
	return !text_full(out);
}
