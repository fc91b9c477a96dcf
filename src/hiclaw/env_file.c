#include "hiclaw/env_file.h"

#include "base/text.h"

/* A name as the shell has it: [A-Za-z_][A-Za-z0-9_]*. */
static bool is_name(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && c != '_' && (i == 0 || !ascii_digit(c))) {
			return false;
		}
	}
	return s.n > 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool has_control(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return true;
		}
	}
	return false;
}

/* Inside of "": \ is itself but before these. */
static bool is_escapable(char c)
{
	return c == '"' || c == '\\' || c == '$' || c == '`';
}

/* Takes a quoted piece, the quote at rest->p[0]. False: the line does not close it. */
static bool take_quoted(struct bytes *rest, struct text *value)
{
	char quote = rest->p[0];
	size_t i = 1;

	for (; i < rest->n && rest->p[i] != quote; i++) {
		if (quote == '"' && rest->p[i] == '\\' && i + 1 < rest->n &&
			is_escapable(rest->p[i + 1])) {
			i++;
		}
		text_add_char(value, rest->p[i]);
	}
	if (i >= rest->n) {
		return false;
	}
	*rest = bytes_of(rest->p + i + 1, rest->n - i - 1);
	return true;
}

/* Bare characters up to a blank or a quote. False: nothing behind a backslash. */
static bool take_bare(struct bytes *rest, struct text *value)
{
	size_t i = 0;

	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (is_blank(c) || c == '\'' || c == '"') {
			break;
		}
		if (c == '\\' && ++i >= rest->n) {
			return false;
		}
		text_add_char(value, rest->p[i]);
	}
	*rest = bytes_of(rest->p + i, rest->n - i);
	return true;
}

static bool take_value(struct bytes rest, struct text *value)
{
	while (rest.n > 0 && !is_blank(rest.p[0])) {
		bool quoted = rest.p[0] == '\'' || rest.p[0] == '"';

		if (quoted ? !take_quoted(&rest, value) : !take_bare(&rest, value)) {
			return false;
		}
	}
	rest = bytes_trim(rest);
	return (rest.n == 0 || rest.p[0] == '#') && !text_full(value);
}

static struct bytes without_export(struct bytes line)
{
	const struct bytes word = BYTES("export");

	if (bytes_starts(line, word) && line.n > word.n && is_blank(line.p[word.n])) {
		return bytes_trim(bytes_of(line.p + word.n, line.n - word.n));
	}
	return line;
}

/* False: the line is no assignment. */
static bool read_pair(struct bytes line, struct bytes *key, struct text *value)
{
	struct bytes rest = without_export(line);

	if (has_control(line)) {
		return false;
	}
	*key = bytes_cut(&rest, '=');
	return rest.p != NULL && is_name(*key) && take_value(rest, value);
}

static struct bytes take_line(struct bytes *rest)
{
	struct bytes line = bytes_cut(rest, '\n');

	if (line.n > 0 && line.p[line.n - 1] == '\r') {
		line.n--;
	}
	return line;
}

/* Blanks in front only: one at the end may belong to a backslash. */
static struct bytes trim_front(struct bytes s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s = bytes_of(s.p + 1, s.n - 1);
	}
	return s;
}

int env_file_read(struct arena *a, struct bytes text, struct env_file *out, struct fault *fault)
{
	char room[ENV_FILE_VALUE_MAX];
	struct env_file f = {.n = 0};
	struct bytes rest = text;
	struct text value;

	if (text.n > ENV_FILE_TEXT_MAX) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the file is longer than 64 KB");
	}
	text_init_fixed(&value, room, sizeof(room));
	for (size_t at = 1; rest.p != NULL; at++) {
		struct bytes line = trim_front(take_line(&rest));
		struct bytes key;

		if (line.n == 0 || line.p[0] == '#') {
			continue;
		}
		text_clear(&value);
		if (!read_pair(line, &key, &value)) {
			f.first_bad = f.bad_lines++ == 0 ? at : f.first_bad;
			continue;
		}
		if (f.n == ENV_FILE_PAIRS_MAX) {
			return fault_set(
				fault, ERR_LIMIT, 0, at, "the file sets more than 256 variables");
		}
		f.v[f.n].key = arena_copy(a, key);
		f.v[f.n++].value = arena_copy(a, text_bytes(&value));
	}
	if (arena_full(a)) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the variables take too much memory");
	}
	*out = f;
	return 0;
}

struct bytes env_file_get(const struct env_file *f, struct bytes key)
{
	for (size_t i = f->n; i > 0; i--) {
		if (bytes_eq(f->v[i - 1].key, key)) {
			return f->v[i - 1].value;
		}
	}
	return BYTES("");
}
