/*
 * Characters of JSON5: what separates, what an escape stands for, what a number is.
 */
#include "base/num.h"
#include "wire/json5_int.h"

/* --- between tokens ------------------------------------------------------------------------------- */

size_t json5_line_end(const char *p, size_t n)
{
	if (*p == '\n' || *p == '\r') {
		return 1;
	}
	return n >= 3 && p[0] == '\xe2' && p[1] == '\x80' && (p[2] == '\xa8' || p[2] == '\xa9') ? 3
												: 0;
}

/* spec.json5.org section 8: tab, VT, FF, space, U+00A0, U+FEFF, line ends, and all of Unicode's Zs. */
size_t json5_blank(const char *p, size_t n)
{
	static const char *const wide[] = {
		"\xe1\x9a\x80", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80", "\xef\xbb\xbf"};
	size_t end = json5_line_end(p, n);

	if (end != 0) {
		return end;
	}
	if (*p == ' ' || *p == '\t' || *p == '\v' || *p == '\f') {
		return 1;
	}
	if (n >= 2 && p[0] == '\xc2' && p[1] == '\xa0') {
		return 2;
	}
	if (n < 3) {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		if (memcmp(p, wide[i], 3) == 0) {
			return 3;
		}
	}
	/* U+2000 to U+200A */
	return p[0] == '\xe2' && p[1] == '\x80' && (unsigned char)p[2] >= 0x80 &&
			(unsigned char)p[2] <= 0x8a
		? 3
		: 0;
}

size_t json5_comment(const char *p, size_t n)
{
	size_t i = 2;

	if (n < 2 || p[0] != '/' || (p[1] != '/' && p[1] != '*')) {
		return 0;
	}
	if (p[1] == '/') {
		while (i < n && json5_line_end(p + i, n - i) == 0) {
			i++;
		}
		return i;
	}
	while (i + 1 < n && (p[i] != '*' || p[i + 1] != '/')) {
		i++;
	}
	return i + 1 < n ? i + 2 : 0;
}

/* --- strings ------------------------------------------------------------------------------------------ */

size_t json5_escape(const char *p, size_t n)
{
	size_t digits = 0;
	uint64_t unit;

	if (n < 2 || (p[1] >= '1' && p[1] <= '9')) {
		return 0;
	}
	if (p[1] == 'x' || p[1] == 'u') {
		digits = p[1] == 'x' ? 2 : 4;
		return n >= 2 + digits && num_parse_hex(bytes_of(p + 2, digits), 0xffff, &unit)
			? 2 + digits
			: 0;
	}
	if (p[1] == '0') {
		return n > 2 && ascii_digit(p[2]) ? 0 : 2;
	}
	if (p[1] == '\r' && n > 2 && p[2] == '\n') {
		return 3;
	}
	digits = text_utf8(p + 1, n - 1);
	return digits != 0 ? 1 + digits : 0;
}

/* The code unit of the \u or \x escape at p; UINT32_MAX: it is none. */
static uint32_t unit_of(const char *p, size_t n)
{
	uint64_t unit;

	if (n < 4 || p[0] != '\\' || (p[1] != 'u' && p[1] != 'x') ||
		!num_parse_hex(bytes_of(p + 2, p[1] == 'u' ? 4 : 2), 0xffff, &unit)) {
		return UINT32_MAX;
	}
	return (uint32_t)unit;
}

/* \u and \x: spec.json5.org 5.1; returns the bytes taken, both halves of a pair. */
static size_t add_unit(struct text *out, const char *p, size_t n)
{
	uint32_t unit = unit_of(p, n), low;
	size_t len = p[1] == 'u' ? 6 : 4;

	if (unit < 0xd800 || unit > 0xdfff) {
		text_add_utf8(out, unit);
		return len;
	}
	low = n >= 12 && p[7] == 'u' ? unit_of(p + 6, 6) : UINT32_MAX;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
		text_add_utf8(out, 0xfffd);
		return len;
	}
	text_add_utf8(out, 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
	return 12;
}

/* The escape at p, which is valid; returns its length. */
static size_t add_escaped(struct text *out, const char *p, size_t n)
{
	static const char from[] = "bfnrtv0", to[] = "\b\f\n\r\t\v";
	const char *known = p[1] != '\0' ? strchr(from, p[1]) : NULL;
	size_t len = json5_escape(p, n);

	if (p[1] == 'u' || p[1] == 'x') {
		return add_unit(out, p, n);
	}
	if (known != NULL) {
		text_add_char(out, to[known - from]);
	} else if (json5_line_end(p + 1, n - 1) == 0) {
		text_add(out, p + 1, len - 1); /* a line that goes on leaves nothing behind */
	}
	return len;
}

struct bytes json5_unescape(struct arena *a, struct bytes raw)
{
	char *room = arena_alloc(a, raw.n); /* no escape is shorter than what it stands for */
	struct text out;

	if (room == NULL) {
		return bytes_of(NULL, 0);
	}
	text_init_fixed(&out, room, raw.n);
	for (size_t i = 0; i < raw.n;) {
		if (raw.p[i] == '\\') {
			i += add_escaped(&out, raw.p + i, raw.n - i);
		} else {
			text_add_char(&out, raw.p[i++]);
		}
	}
	ASSERT(!text_full(&out));
	return text_bytes(&out);
}

/* --- numbers ------------------------------------------------------------------------------------------ */

bool json5_number_u64(struct bytes literal, uint64_t *out)
{
	struct bytes s = literal;

	if (s.n != 0 && s.p[0] == '+') {
		s = bytes_of(s.p + 1, s.n - 1);
	}
	if (s.n > 2 && s.p[0] == '0' && ascii_lower(s.p[1]) == 'x') {
		return num_parse_hex(bytes_of(s.p + 2, s.n - 2), UINT64_MAX, out);
	}
	if (s.n > 1 && s.p[s.n - 1] == '.') {
		s.n--;
	}
	return s.n != 0 && (ascii_digit(s.p[0]) || s.p[0] == '-') && json_number_u64(s, out);
}
