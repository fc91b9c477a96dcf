#include "base/num.h"

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

static size_t decimal_digits(uint64_t v)
{
	size_t n = 1;

	for (; v >= 100; v /= 100) {
		n += 2;
	}
	return n + (v >= 10);
}

/* Two digits at a time: a line of the access log has a dozen numbers. */
size_t num_format_u64(char *p, uint64_t v)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324"
		"25262728293031323334353637383940414243444546474849"
		"50515253545556575859606162636465666768697071727374"
		"75767778798081828384858687888990919293949596979899";
	size_t n = decimal_digits(v);
	char *at = p + n;

	for (; v >= 100; v /= 100) {
		at -= 2;
		memcpy(at, pairs + v % 100 * 2, 2);
	}
	if (v >= 10) {
		memcpy(p, pairs + v * 2, 2);
	} else {
		*p = (char)('0' + v);
	}
	return n;
}

size_t num_format_hex(char *p, uint64_t v)
{
	size_t n = v == 0 ? 1 : (67u - (unsigned)__builtin_clzll(v)) / 4;

	for (size_t i = n; i-- > 0; v >>= 4) {
		p[i] = "0123456789abcdef"[v & 15];
	}
	return n;
}

/* Eight digits at once: the nibbles are spread over the bytes of a word, the highest into the lowest
 * byte, then '0' is added to each and the distance to 'a' to those above 9. */
static uint64_t eight_digits(uint32_t v)
{
	uint64_t w = __builtin_bswap32(v);
	uint64_t above9;

	w = (w | w << 16) & UINT64_C(0x0000ffff0000ffff);
	w = (w | w << 8) & UINT64_C(0x00ff00ff00ff00ff);
	w = (w >> 4 | w << 8) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	above9 = ((w + UINT64_C(0x0606060606060606)) >> 4) & UINT64_C(0x0101010101010101);
	return w + UINT64_C(0x3030303030303030) + above9 * ('a' - '0' - 10);
}

void num_format_hex16(char p[16], uint64_t v)
{
	const uint64_t words[2] = {eight_digits((uint32_t)(v >> 32)), eight_digits((uint32_t)v)};

	static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lowest byte comes first");
	memcpy(p, words, sizeof(words));
}
