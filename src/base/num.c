#include "base/num.h"

bool num_add(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_add_overflow(a, b, &r)) {
		return false;
	}
	*out = r;
	return true;
}

bool num_mul(size_t a, size_t b, size_t *out)
{
	size_t r;

	if (__builtin_mul_overflow(a, b, &r)) {
		return false;
	}
	*out = r;
	return true;
}

bool num_parse_u64(struct bytes text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (text.n == 0) {
		return false;
	}
	for (size_t i = 0; i < text.n; i++) {
		if (!ascii_digit(text.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(text.p[i] - '0'), &v) || v > max) {
			return false;
		}
	}
	*out = v;
	return true;
}

static int hex_value(char c)
{
	if (ascii_digit(c)) {
		return c - '0';
	}
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool num_parse_hex(struct bytes text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (text.n == 0) {
		return false;
	}
	for (size_t i = 0; i < text.n; i++) {
		int d = hex_value(text.p[i]);

		if (d < 0 || v >> 60 != 0) {
			return false;
		}
		v = v << 4 | (uint64_t)d;
		if (v > max) {
			return false;
		}
	}
	*out = v;
	return true;
}

static size_t format_radix(char *p, uint64_t v, unsigned radix)
{
	char tmp[NUM_U64_MAX];
	size_t n = 0;

	do {
		tmp[n++] = "0123456789abcdef"[v % radix];
		v /= radix;
	} while (v != 0);
	for (size_t i = 0; i < n; i++) {
		p[i] = tmp[n - 1 - i];
	}
	return n;
}

size_t num_format_u64(char *p, uint64_t v)
{
	return format_radix(p, v, 10);
}

size_t num_format_hex(char *p, uint64_t v)
{
	return format_radix(p, v, 16);
}
