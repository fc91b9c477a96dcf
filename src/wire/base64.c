/*
 * Four characters at a time become three bytes. CR and LF may stand anywhere: a YAML block keeps them.
 */
#include "wire/base64.h"

/* 0..63, or -1. */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (ascii_digit(c)) {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct group {
	uint32_t bits;
	unsigned n;       /* characters, padding included */
	unsigned padding; /* of these */
};

static bool take(struct group *g, char c)
{
	int value = value_of(c);

	if (c == '=' && g->n >= 2) {
		g->padding++;
		value = 0;
	} else if (g->padding != 0) {
		return false;
	}
	if (value < 0) {
		return false;
	}
	g->bits = g->bits << 6 | (uint32_t)value;
	g->n++;
	return true;
}

ptrdiff_t base64_decode(char *out, struct bytes text)
{
	struct group g = {0};
	bool ended = false;
	ptrdiff_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' || text.p[i] == '\r') {
			continue;
		}
		if (ended || !take(&g, text.p[i])) {
			return -1;
		}
		if (g.n != 4) {
			continue;
		}
		if ((g.bits & ((UINT32_C(1) << 8 * g.padding) - 1)) != 0) {
			return -1;
		}
		for (unsigned k = 0; k < 3 - g.padding; k++) {
			out[n++] = (char)(g.bits >> (16 - 8 * k) & 0xff);
		}
		ended = g.padding != 0;
		g = (struct group){0};
	}
	return g.n == 0 ? n : -1;
}

size_t base64_encode(char *out, struct bytes b)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *p = out;

	for (size_t i = 0; i < b.n; i += 3) {
		size_t n = MIN(b.n - i, (size_t)3);
		uint32_t bits = (uint32_t)(unsigned char)b.p[i] << 16;

		bits |= n > 1 ? (uint32_t)(unsigned char)b.p[i + 1] << 8 : 0;
		bits |= n > 2 ? (uint32_t)(unsigned char)b.p[i + 2] : 0;
		*p++ = letters[bits >> 18];
		*p++ = letters[bits >> 12 & 63];
		*p++ = n > 1 ? letters[bits >> 6 & 63] : '=';
		*p++ = n > 2 ? letters[bits & 63] : '=';
	}
	return (size_t)(p - out);
}
