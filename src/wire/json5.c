/*
 * One pass, no recursion: open containers are a stack. Behind an item only a comma or the closing bracket
 * may follow, behind a comma an item or the bracket: so a trailing comma needs no rule of its own.
 *
 * The strict scanner of wire/json_scan.c was not widened for this: it stands on the data path, works on
 * pieces, and refuses by design what is the point here.
 */
#include "wire/json5_int.h"

#include "base/num.h"

struct reader {
	struct arena *arena;
	struct bytes text;
	size_t at;
	unsigned depth, values;
	bool behind_item; /* of the innermost container */
	struct json_value *open[JSON5_DEPTH_MAX];
	struct json_value **tail[JSON5_DEPTH_MAX];
	struct fault *fault;
};

/* --- faults ------------------------------------------------------------------------------------- */

/* Places are counted when they are needed, so reading does not pay for them. Always false. */
static bool fail_at(struct reader *r, enum err err, size_t at, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		unsigned char c = (unsigned char)r->text.p[i];

		if (c == '\n' || (c == '\r' && (i + 1 == r->text.n || r->text.p[i + 1] != '\n'))) {
			line++;
			column = 1;
		} else if ((c & 0xc0) != 0x80 && c != '\r') {
			column++;
		}
	}
	if (bytes_starts(r->text, BYTES("\xef\xbb\xbf")) && line == 1 && at != 0) {
		column--;
	}
	fault_set(r->fault, err, 0, line, "line %zu, column %zu: %s", line, column, what);
	return false;
}

static bool fail(struct reader *r, const char *what)
{
	return fail_at(r, ERR_SYNTAX, r->at, what);
}

static bool no_memory(struct reader *r)
{
	return fail_at(r, ERR_LIMIT, r->at, "the text needs too much memory");
}

/* --- between tokens ------------------------------------------------------------------------------- */

static bool at_end(const struct reader *r)
{
	return r->at == r->text.n;
}

static char byte(const struct reader *r)
{
	return r->text.p[r->at];
}

static bool is_utf8(struct bytes b)
{
	for (size_t i = 0, len; i < b.n; i += len) {
		len = text_utf8(b.p + i, b.n - i);
		if (len == 0) {
			return false;
		}
	}
	return true;
}

static bool skip_between(struct reader *r)
{
	while (!at_end(r)) {
		const char *p = r->text.p + r->at;
		size_t left = r->text.n - r->at, n = json5_blank(p, left);

		if (n == 0 && *p == '/') {
			n = json5_comment(p, left);
			if (n == 0 || !is_utf8(bytes_of(p, n))) {
				return fail(r,
					n != 0 ? "a comment is not UTF-8"
						: left > 1 && p[1] == '*'
						? "a comment does not end"
						: "a slash that begins no comment");
			}
		}
		if (n == 0) {
			break;
		}
		r->at += n;
	}
	return true;
}

/* --- strings, keys -------------------------------------------------------------------------------- */

static bool keep_text(struct reader *r, struct bytes raw, bool escaped, struct bytes *out)
{
	*out = escaped ? json5_unescape(r->arena, raw) : raw;
	return out->p != NULL || no_memory(r);
}

/* From the opening quote to the closing one. */
static bool run_to(struct reader *r, char quote, bool *escaped)
{
	size_t from = r->at++;

	while (!at_end(r) && byte(r) != quote) {
		const char *p = r->text.p + r->at;
		size_t left = r->text.n - r->at;
		size_t n = *p == '\\' ? json5_escape(p, left) : text_utf8(p, left);

		if (n == 0) {
			return fail(r,
				*p == '\\' ? "an escape that there is not"
					   : "a string is not UTF-8");
		}
		if (*p == '\n' || *p == '\r') {
			break;
		}
		*escaped |= *p == '\\';
		r->at += n;
	}
	if (at_end(r) || byte(r) != quote) {
		return fail_at(r, ERR_SYNTAX, from, "a string does not end");
	}
	return true;
}

/* The string at r->at, whose quote is there. */
static bool take_string(struct reader *r, struct bytes *out)
{
	size_t from = r->at + 1;
	bool escaped = false;

	if (!run_to(r, byte(r), &escaped)) {
		return false;
	}
	r->at++;
	return keep_text(r, bytes_of(r->text.p + from, r->at - 1 - from), escaped, out);
}

/* Length of the character at p when it may stand in a name; 0: it may not. spec.json5.org section 3.1
 * asks Unicode's tables for letters; here every character beyond ASCII that is no blank is one. */
static size_t name_char(const char *p, size_t n, bool first)
{
	if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' || *p == '$' ||
		(!first && ascii_digit(*p))) {
		return 1;
	}
	if (*p == '\\') {
		return n > 1 && p[1] == 'u' ? json5_escape(p, n) : 0;
	}
	return (unsigned char)*p >= 0x80 && json5_blank(p, n) == 0 ? text_utf8(p, n) : 0;
}

/* A name: letters, digits, $, _; n 0: there is none. */
static struct bytes take_name(struct reader *r, bool *escaped)
{
	size_t from = r->at;

	while (!at_end(r)) {
		size_t n = name_char(r->text.p + r->at, r->text.n - r->at, r->at == from);

		if (n == 0) {
			break;
		}
		*escaped |= byte(r) == '\\';
		r->at += n;
	}
	return bytes_of(r->text.p + from, r->at - from);
}

/* --- numbers, words -------------------------------------------------------------------------------- */

static size_t skip_digits(struct reader *r)
{
	size_t from = r->at;

	while (!at_end(r) && ascii_digit(byte(r))) {
		r->at++;
	}
	return r->at - from;
}

static bool take_hex(struct reader *r)
{
	size_t from;
	uint64_t digit;

	for (from = r->at += 2; !at_end(r); r->at++) {
		if (!num_parse_hex(bytes_of(r->text.p + r->at, 1), 15, &digit)) {
			break;
		}
	}
	return r->at != from || fail(r, "a number without digits");
}

/* spec.json5.org section 6: digits in front of the point or behind it, or both. */
static bool take_decimal(struct reader *r)
{
	bool zero = byte(r) == '0';
	size_t n = skip_digits(r);

	if (zero && n > 1) {
		return fail(r, "a number begins with 0");
	}
	if (!at_end(r) && byte(r) == '.') {
		r->at++;
		n += skip_digits(r);
	}
	if (n == 0) {
		return fail(r, "a value is missing");
	}
	if (!at_end(r) && (byte(r) == 'e' || byte(r) == 'E')) {
		r->at++;
		if (!at_end(r) && (byte(r) == '+' || byte(r) == '-')) {
			r->at++;
		}
		return skip_digits(r) != 0 || fail(r, "an exponent without digits");
	}
	return true;
}

static bool take_word(struct reader *r, struct json_value *v, bool is_signed)
{
	static const struct {
		struct bytes word;
		enum json_type type;
	} words[] = {
		{{"Infinity", 8}, JSON_NUMBER},
		{{"NaN", 3}, JSON_NUMBER},
		{{"true", 4}, JSON_TRUE},
		{{"false", 5}, JSON_FALSE},
		{{"null", 4}, JSON_NULL},
	};
	bool escaped = false;
	size_t from = r->at;
	struct bytes name = take_name(r, &escaped);

	for (size_t i = 0; i < (is_signed ? 2 : ARRAY_LEN(words)); i++) {
		if (bytes_eq(name, words[i].word)) {
			v->type = words[i].type;
			return true;
		}
	}
	r->at = from;
	return fail(r, "a value is missing");
}

static bool take_literal(struct reader *r, struct json_value *v)
{
	bool is_signed = byte(r) == '+' || byte(r) == '-';
	size_t from = r->at;
	bool ok;

	r->at += is_signed;
	v->type = JSON_NUMBER;
	if (at_end(r)) {
		return fail(r, "a value is missing");
	}
	if (byte(r) == '0' && r->at + 1 < r->text.n && ascii_lower(r->text.p[r->at + 1]) == 'x') {
		ok = take_hex(r);
	} else if (ascii_digit(byte(r)) || byte(r) == '.') {
		ok = take_decimal(r);
	} else {
		ok = take_word(r, v, is_signed);
	}
	v->text = bytes_of(r->text.p + from, r->at - from);
	return ok;
}

/* --- tree ------------------------------------------------------------------------------------------ */

static struct json_value *add_value(struct reader *r)
{
	struct json_value *v;

	if (++r->values > JSON5_VALUES_MAX) {
		fail_at(r, ERR_LIMIT, r->at, "too many values");
		return NULL;
	}
	v = arena_alloc(r->arena, sizeof(*v));
	if (v == NULL) {
		no_memory(r);
		return NULL;
	}
	if (r->depth != 0) {
		*r->tail[r->depth - 1] = v;
		r->tail[r->depth - 1] = &v->next;
		r->open[r->depth - 1]->n++;
	}
	return v;
}

/* The value at r->at, of a container its opening bracket. */
static bool take_value(struct reader *r, struct json_value *v)
{
	char c;

	if (at_end(r)) {
		return fail(r, "a value is missing");
	}
	c = byte(r);
	v->beg = r->at;
	r->behind_item = true;
	if (c == '{' || c == '[') {
		if (r->depth == JSON5_DEPTH_MAX) {
			return fail_at(r, ERR_LIMIT, r->at, "nested deeper than 64 levels");
		}
		v->type = c == '{' ? JSON_OBJECT : JSON_ARRAY;
		r->open[r->depth] = v;
		r->tail[r->depth++] = &v->items;
		r->behind_item = false;
		r->at++;
		return true;
	}
	if (c == '"' || c == '\'') {
		v->type = JSON_STRING;
		if (!take_string(r, &v->text)) {
			return false;
		}
	} else if (!take_literal(r, v)) {
		return false;
	}
	v->end = r->at;
	return true;
}

/* A key and what is up to its value. */
static bool take_key(struct reader *r, struct json_value *v)
{
	bool escaped = false;
	struct bytes name;

	v->key_beg = r->at;
	if (byte(r) == '"' || byte(r) == '\'') {
		if (!take_string(r, &v->key)) {
			return false;
		}
	} else {
		name = take_name(r, &escaped);
		if (name.n == 0) {
			return fail(r, "a key or } is missing");
		}
		if (!keep_text(r, name, escaped, &v->key)) {
			return false;
		}
	}
	v->key_end = r->at;
	if (!skip_between(r)) {
		return false;
	}
	if (at_end(r) || byte(r) != ':') {
		return fail(r, "a colon is missing");
	}
	r->at++;
	return skip_between(r);
}

/* One step inside of the innermost container: its end, a comma, or an item. */
static bool step(struct reader *r)
{
	struct json_value *parent = r->open[r->depth - 1], *v;
	bool object = parent->type == JSON_OBJECT;

	if (!skip_between(r)) {
		return false;
	}
	if (at_end(r)) {
		return fail_at(r, ERR_SYNTAX, parent->beg,
			object ? "the } to this { is missing" : "the ] to this [ is missing");
	}
	if (byte(r) == (object ? '}' : ']')) {
		parent->end = ++r->at;
		r->depth--;
		r->behind_item = true;
		return true;
	}
	if (r->behind_item) {
		if (byte(r) != ',') {
			return fail(
				r, object ? "a comma or } is missing" : "a comma or ] is missing");
		}
		r->at++;
		r->behind_item = false;
		return true;
	}
	v = add_value(r);
	return v != NULL && (!object || take_key(r, v)) && take_value(r, v);
}

static bool read_all(struct reader *r, struct json_value **out)
{
	if (!skip_between(r) || (*out = add_value(r)) == NULL || !take_value(r, *out)) {
		return false;
	}
	while (r->depth != 0) {
		if (!step(r)) {
			return false;
		}
	}
	return skip_between(r) && (at_end(r) || fail(r, "something follows the value"));
}

struct json_value *json5_parse(struct arena *a, struct bytes text, struct fault *fault)
{
	struct reader r = {.arena = a, .text = text, .fault = fault};
	struct json_value *top = NULL;

	if (text.n > JSON5_TEXT_MAX) {
		fault_set(fault, ERR_LIMIT, 0, 1, "line 1, column 1: longer than 4 MiB");
		return NULL;
	}
	return read_all(&r, &top) ? top : NULL;
}
