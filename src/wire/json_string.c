/*
 * Strings byte by byte: the one place that knows every rule of RFC 8259 §7 and RFC 3629 §4, refuses,
 * and unescapes what spans pieces. json_block.c only ever runs ahead over what this would accept.
 */
#include "wire/json_int.h"

void json_string_start(struct json_string *str, bool keep)
{
	str->unit = 0;
	str->high = 0;
	str->escape = 0;
	str->more = 0;
	str->have = 0;
	str->escaped = false;
	str->keep = keep;
	str->kept_n = 0;
}

bool json_string_busy(const struct json_string *str)
{
	return str->escape != 0 || str->more != 0 || str->keep;
}

static void keep_byte(struct json_string *str, unsigned char c)
{
	if (str->keep) {
		str->kept[str->kept_n++] = (char)c;
		/* One byte too many says "matches nothing"; the rest need not be kept. */
		str->keep = str->kept_n <= JSON_KEY_MAX;
	}
}

static void keep_char(struct json_string *str, unsigned code)
{
	if (code < 0x80) {
		keep_byte(str, (unsigned char)code);
		return;
	}
	if (code < 0x800) {
		keep_byte(str, (unsigned char)(0xc0 | code >> 6));
	} else if (code < 0x10000) {
		keep_byte(str, (unsigned char)(0xe0 | code >> 12));
		keep_byte(str, (unsigned char)(0x80 | (code >> 6 & 0x3f)));
	} else {
		keep_byte(str, (unsigned char)(0xf0 | code >> 18));
		keep_byte(str, (unsigned char)(0x80 | (code >> 12 & 0x3f)));
		keep_byte(str, (unsigned char)(0x80 | (code >> 6 & 0x3f)));
	}
	keep_byte(str, (unsigned char)(0x80 | (code & 0x3f)));
}

/* A high surrogate whose other half did not come. */
static void settle_high(struct json_string *str)
{
	if (str->high != 0) {
		str->high = 0;
		keep_char(str, 0xfffd);
	}
}

/* A \u escape is complete. */
static void keep_unit(struct json_string *str)
{
	unsigned unit = str->unit;

	if (str->high != 0 && unit >= 0xdc00 && unit < 0xe000) {
		keep_char(str, 0x10000 + ((str->high & 0x3ffu) << 10) + (unit & 0x3ff));
		str->high = 0;
		return;
	}
	settle_high(str);
	if (unit >= 0xd800 && unit < 0xdc00) {
		str->high = (uint16_t)unit;
	} else {
		keep_char(str, unit >= 0xdc00 && unit < 0xe000 ? 0xfffd : unit);
	}
}

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Of the byte behind a backslash; 0: there is no such escape. */
static unsigned char simple_escape(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
		return c;
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
		return 0;
	}
}

static bool take_escape(struct json_string *str, unsigned char c)
{
	int digit = hex_value(c);

	if (str->escape == 1) {
		unsigned char plain = simple_escape(c);

		if (plain != 0) {
			settle_high(str);
			keep_byte(str, plain);
			str->escape = 0;
			return true;
		}
		str->unit = 0;
		str->escape = 5;
		return c == 'u';
	}
	if (digit < 0) {
		return false;
	}
	str->unit = (uint16_t)(str->unit << 4 | digit);
	if (--str->escape == 1) {
		str->escape = 0;
		keep_unit(str);
	}
	return true;
}

/* UTF8-2, UTF8-3, UTF8-4 of RFC 3629 §4. */
static bool start_sequence(struct json_string *str, unsigned char c)
{
	if (c < 0xc2 || c > 0xf4) {
		return false;
	}
	str->more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	str->have = 1;
	str->lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	str->hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	return true;
}

static bool continue_sequence(struct json_string *str, unsigned char c)
{
	if (c < str->lo || c > str->hi) {
		return false;
	}
	str->lo = 0x80;
	str->hi = 0xbf;
	str->more--;
	str->have++;
	return true;
}

/* One byte that is neither part of an escape nor the closing quote. NULL: fine, else what is wrong. */
static const char *take_plain(struct json_string *str, unsigned char c)
{
	if (str->more != 0) {
		if (!continue_sequence(str, c)) {
			return "invalid UTF-8 in a string";
		}
	} else if (c == '\\') {
		str->escape = 1;
		str->escaped = true;
		return NULL;
	} else if (c < 0x20) {
		return "control character in a string";
	} else if (c >= 0x80) {
		if (!start_sequence(str, c)) {
			return "invalid UTF-8 in a string";
		}
	}
	settle_high(str);
	keep_byte(str, c);
	return NULL;
}

const char *json_string_feed(struct json_scan *s, const char *p, const char *end, bool *over)
{
	struct json_string *str = &s->str;

	*over = false;
	do {
		unsigned char c = (unsigned char)*p;
		const char *wrong;

		if (str->escape != 0) {
			if (!take_escape(str, c)) {
				return json_scan_refuse(s, ERR_SYNTAX, json_scan_offset(s, p),
					"invalid escape in a string");
			}
			continue;
		}
		if (c == '"' && str->more == 0) {
			settle_high(str);
			*over = true;
			return p + 1;
		}
		wrong = take_plain(str, c);
		if (wrong != NULL) {
			/* A broken sequence is where it begins, however it was cut into pieces. */
			return json_scan_refuse(s, ERR_SYNTAX,
				json_scan_offset(s, p) - (str->more != 0 ? str->have : 0), wrong);
		}
	} while (++p < end && json_string_busy(str));
	return p;
}
