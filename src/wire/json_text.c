/*
 * What literals mean: the text of a string, the value of a number. Both expect what a scan accepted.
 */
#include "base/num.h"
#include "wire/json.h"

#define REPLACEMENT 0xfffdu
/* More digits than any uint64_t has, and an exponent that no text of digits can make good. */
#define DIGITS_MAX 20u
#define EXPONENT_MAX 1000000000u

/* The four digits behind \u at raw.p[at]; 0 when there is no \u escape. */
static unsigned unit_at(struct bytes raw, size_t at)
{
	uint64_t unit;

	if (raw.n < 6 || at > raw.n - 6 || raw.p[at] != '\\' || raw.p[at + 1] != 'u' ||
		!num_parse_hex(bytes_of(raw.p + at + 2, 4), 0xffff, &unit)) {
		return 0;
	}
	return (unsigned)unit;
}

/* A \u escape at raw.p[at], or two that are a pair; returns its bytes. */
static size_t add_unicode(struct bytes raw, size_t at, struct text *out)
{
	unsigned unit = unit_at(raw, at);
	unsigned low;

	if (unit < 0xd800 || unit >= 0xe000) {
		text_add_utf8(out, unit);
		return 6;
	}
	low = unit < 0xdc00 ? unit_at(raw, at + 6) : 0;
	if (low < 0xdc00 || low >= 0xe000) {
		text_add_utf8(out, REPLACEMENT);
		return 6;
	}
	text_add_utf8(out, 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
	return 12;
}

static char plain_of(char escape)
{
	switch (escape) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return escape;
	}
}

void json_unescape(struct bytes raw, struct text *out)
{
	size_t at = 0;

	while (at < raw.n && !text_full(out)) {
		const char *slash = memchr(raw.p + at, '\\', raw.n - at);
		size_t plain = slash != NULL ? (size_t)(slash - raw.p) - at : raw.n - at;

		text_add(out, raw.p + at, plain);
		at += plain;
		if (raw.n - at < 2) {
			return;
		}
		if (raw.p[at + 1] == 'u') {
			at += add_unicode(raw, at, out);
		} else {
			text_add_char(out, plain_of(raw.p[at + 1]));
			at += 2;
		}
	}
}

/* A number without its sign: significant digits, and the power of ten that they are counted in. */
struct decimal {
	char digits[DIGITS_MAX];
	size_t n;
	int64_t power;
	bool too_long;
};

/* Leading zeros do not count; trailing ones are held back until another digit follows. */
static void add_digit(struct decimal *d, char c, size_t *zeros)
{
	if (c == '0') {
		*zeros += d->n != 0;
		return;
	}
	if (d->n + *zeros >= DIGITS_MAX) {
		d->too_long = true;
		return;
	}
	while (*zeros != 0) {
		d->digits[d->n++] = '0';
		--*zeros;
	}
	d->digits[d->n++] = c;
}

/* Digits before and behind the point; returns the bytes they take. */
static size_t read_digits(struct bytes text, struct decimal *d)
{
	size_t zeros = 0;
	size_t at = 0;
	bool fraction = false;

	for (; at < text.n && (ascii_digit(text.p[at]) || (text.p[at] == '.' && !fraction)); at++) {
		if (text.p[at] == '.') {
			fraction = true;
			continue;
		}
		add_digit(d, text.p[at], &zeros);
		d->power -= fraction;
	}
	d->power += (int64_t)zeros;
	return at;
}

static bool read_exponent(struct bytes text, struct decimal *d)
{
	bool minus = false;
	uint64_t e;

	if (text.n == 0) {
		return true;
	}
	if (text.n < 2 || ascii_lower(text.p[0]) != 'e') {
		return false;
	}
	text = bytes_of(text.p + 1, text.n - 1);
	if (text.p[0] == '+' || text.p[0] == '-') {
		minus = text.p[0] == '-';
		text = bytes_of(text.p + 1, text.n - 1);
	}
	while (text.n > 1 && text.p[0] == '0') {
		text = bytes_of(text.p + 1, text.n - 1);
	}
	if (!num_parse_u64(text, EXPONENT_MAX, &e)) {
		/* Too large to matter, unless it is no number at all. */
		d->too_long = true;
		return text.n != 0 && ascii_digit(text.p[0]);
	}
	d->power += minus ? -(int64_t)e : (int64_t)e;
	return true;
}

/* d's value when it is an integer that fits. */
static bool integer_of(const struct decimal *d, uint64_t *out)
{
	uint64_t v;

	if (d->too_long || d->power < 0 || d->power > (int64_t)DIGITS_MAX ||
		!num_parse_u64(bytes_of(d->digits, d->n), UINT64_MAX, &v)) {
		return false;
	}
	for (int64_t i = 0; i < d->power; i++) {
		if (__builtin_mul_overflow(v, 10u, &v)) {
			return false;
		}
	}
	*out = v;
	return true;
}

/* As counts are written: digits alone, and so few that they fit. */
static bool read_count(struct bytes literal, uint64_t *out)
{
	uint64_t v = 0;

	if (literal.n == 0 || literal.n >= DIGITS_MAX) {
		return false;
	}
	for (size_t i = 0; i < literal.n; i++) {
		if (!ascii_digit(literal.p[i])) {
			return false;
		}
		v = v * 10 + (unsigned)(literal.p[i] - '0');
	}
	*out = v;
	return true;
}

bool json_number_u64(struct bytes literal, uint64_t *out)
{
	struct decimal d = {.n = 0};
	bool minus = literal.n != 0 && literal.p[0] == '-';
	size_t used;

	if (read_count(literal, out)) {
		return true;
	}
	if (minus) {
		literal = bytes_of(literal.p + 1, literal.n - 1);
	}
	used = read_digits(literal, &d);
	if (used == 0 || !read_exponent(bytes_of(literal.p + used, literal.n - used), &d)) {
		return false;
	}
	if (d.n == 0) {
		*out = 0;
		return true;
	}
	return !minus && integer_of(&d, out);
}
