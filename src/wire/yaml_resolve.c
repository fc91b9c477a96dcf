/*
 * Plain scalars by the YAML 1.1 table that Kubernetes' tools use (higress-resources.md §6.1), and the
 * accessors of the tree. Underscores in numbers are dropped wherever they stand (behind a leading
 * point only between digits), a leading 0 means octal, what looks like octal but is not ("08") is a decimal fraction, and what no double can hold ("1e400")
 * is text: measured, not designed.
 */
#include "wire/yaml.h"

#include <math.h>
#include <stdlib.h>

#include "base/num.h"

/* A plain number that is longer stays text: no type of ours could hold it. */
#define DIGITS_MAX 120u

static bool is_word(struct bytes s, const char *const *words, size_t n)
{
	char first = s.n != 0 ? s.p[0] : '\0';

	for (size_t i = 0; i < n; i++) {
		if (words[i][0] == first && bytes_eq(s, bytes_str(words[i]))) {
			return true;
		}
	}
	return false;
}

static bool resolve_word(struct bytes s, struct yaml_node *out)
{
	static const char *const yes[] = {
		"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"};
	static const char *const no[] = {
		"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"};
	static const char *const null[] = {"", "~", "null", "Null", "NULL"};

	if (s.n > 5 || (s.n != 0 && memchr("yYnNtTfFoO~", s.p[0], 11) == NULL)) {
		return false;
	}
	if (is_word(s, null, ARRAY_LEN(null))) {
		out->type = YAML_NULL;
		return true;
	}
	out->boolean = is_word(s, yes, ARRAY_LEN(yes));
	if (out->boolean || is_word(s, no, ARRAY_LEN(no))) {
		out->type = YAML_BOOL;
		return true;
	}
	return false;
}

static bool resolve_special(struct bytes s, struct yaml_node *out)
{
	static const char *const nan_words[] = {".nan", ".NaN", ".NAN"};
	static const char *const inf_words[] = {".inf", ".Inf", ".INF"};
	bool negative = s.n == 5 && s.p[0] == '-';

	if (s.n == 4 && is_word(s, nan_words, ARRAY_LEN(nan_words))) {
		out->number = (double)NAN;
	} else {
		if (negative || (s.n == 5 && s.p[0] == '+')) {
			s = bytes_of(s.p + 1, s.n - 1);
		}
		if (!is_word(s, inf_words, ARRAY_LEN(inf_words))) {
			return false;
		}
		out->number = negative ? -(double)INFINITY : (double)INFINITY;
	}
	out->type = YAML_FLOAT;
	return true;
}

static unsigned digit_value(char c)
{
	c = ascii_lower(c);
	if (ascii_digit(c)) {
		return (unsigned)(c - '0');
	}
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* s is digits without sign and underscores, with a radix prefix or a leading zero. */
static bool integer_magnitude(struct bytes s, uint64_t *out)
{
	unsigned radix = 10;
	uint64_t v = 0;

	if (s.n > 1 && s.p[0] == '0') {
		char mark = ascii_lower(s.p[1]);
		size_t skip = mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;

		radix = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
		s = bytes_of(s.p + skip, s.n - skip);
	}
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = digit_value(s.p[i]);

		if (d >= radix || __builtin_mul_overflow(v, radix, &v) ||
			__builtin_add_overflow(v, d, &v)) {
			return false;
		}
	}
	*out = v;
	return s.n != 0;
}

static bool resolve_integer(struct bytes s, struct yaml_node *out)
{
	bool negative = s.n != 0 && s.p[0] == '-';
	uint64_t v;

	if (negative || (s.n != 0 && s.p[0] == '+')) {
		s = bytes_of(s.p + 1, s.n - 1);
	}
	if (!integer_magnitude(s, &v) || v > (uint64_t)INT64_MAX + negative) {
		return false;
	}
	out->type = YAML_INT;
	out->integer = negative ? (int64_t)(0 - v) : (int64_t)v;
	out->number = (double)out->integer;
	return true;
}

static size_t skip_digits(const char *p, size_t i, size_t n)
{
	while (i < n && ascii_digit(p[i])) {
		i++;
	}
	return i;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_decimal(struct bytes s)
{
	size_t i = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+');
	size_t whole = skip_digits(s.p, i, s.n);
	size_t at = whole;

	if (at < s.n && s.p[at] == '.') {
		at = skip_digits(s.p, at + 1, s.n);
		if (whole == i && at == whole + 1) {
			return false;
		}
	} else if (whole == i) {
		return false;
	}
	if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
		size_t from = at + 1 + (at + 1 < s.n && (s.p[at + 1] == '-' || s.p[at + 1] == '+'));

		at = skip_digits(s.p, from, s.n);
		if (at == from) {
			return false;
		}
	}
	return at == s.n;
}

static bool is_between_digits(struct bytes s, size_t i)
{
	return i != 0 && i + 1 < s.n && ascii_digit(s.p[i - 1]) && ascii_digit(s.p[i + 1]);
}

static bool resolve_number(struct bytes plain, struct yaml_node *out)
{
	char digits[DIGITS_MAX + 1];
	double number;
	size_t n = 0;

	if (plain.n > DIGITS_MAX || memchr("+-.0123456789", plain.p[0], 13) == NULL) {
		return false;
	}
	for (size_t i = 0; i < plain.n; i++) {
		if (plain.p[i] != '_') {
			digits[n++] = plain.p[i];
		} else if (plain.p[0] == '.' && !is_between_digits(plain, i)) {
			return false;
		}
	}
	digits[n] = '\0';
	if (resolve_integer(bytes_of(digits, n), out)) {
		return true;
	}
	if (!is_decimal(bytes_of(digits, n))) {
		return false;
	}
	number = strtod(digits, NULL);
	if (isinf(number) != 0) {
		return false;
	}
	out->type = YAML_FLOAT;
	out->number = number;
	return true;
}

enum yaml_type yaml_resolve(struct bytes plain, struct yaml_node *out)
{
	struct yaml_node scratch = {.type = YAML_STRING};

	if (!resolve_word(plain, &scratch) && !resolve_special(plain, &scratch)) {
		IGNORE(resolve_number(plain, &scratch)); /* what is no number stays a string */
	}
	if (out != NULL) {
		out->type = scratch.type;
		out->boolean = scratch.boolean;
		out->integer = scratch.integer;
		out->number = scratch.number;
	}
	return scratch.type;
}

const struct yaml_node *yaml_get(const struct yaml_node *m, const char *key)
{
	struct bytes want = bytes_str(key);

	if (m == NULL || m->type != YAML_MAP) {
		return NULL;
	}
	for (const struct yaml_node *v = m->items; v != NULL; v = v->next) {
		if (bytes_eq(v->key->text, want)) {
			return v;
		}
	}
	return NULL;
}

bool yaml_u64(const struct yaml_node *n, uint64_t *out)
{
	if (n == NULL) {
		return false;
	}
	if (n->type == YAML_INT && n->integer >= 0) {
		*out = (uint64_t)n->integer;
		return true;
	}
	if (n->type == YAML_FLOAT && n->number >= 0 && n->number < 0x1p64) {
		uint64_t whole = (uint64_t)n->number;

		if ((double)whole < n->number) {
			return false;
		}
		*out = whole;
		return true;
	}
	return n->type == YAML_STRING && num_parse_u64(n->text, UINT64_MAX, out);
}
