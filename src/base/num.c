#include "base/num.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
	if (text.n < NUM_U64_MAX - 1) { /* cannot overflow */
		for (size_t i = 0; i < text.n; i++) {
			if (!ascii_digit(text.p[i])) {
				return false;
			}
			v = v * 10 + (uint64_t)(text.p[i] - '0');
		}
		*out = v <= max ? v : *out;
		return v <= max;
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

/* Every bit is 0.3 digits; whether that is one too few the power says. */
static size_t decimal_digits(uint64_t v)
{
	static const uint64_t powers[] = {0, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
		100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
		1000000000000000000, 10000000000000000000u};
	size_t bits = 64u - (size_t)__builtin_clzll(v | 1);
	size_t n = bits * 1233 >> 12;

	return n + (v >= powers[n]);
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

#ifdef __SSE2__

/* All nibbles at once, the higher of each byte before the lower. */
void num_format_hex16(char p[16], uint64_t v)
{
	__m128i bytes = _mm_cvtsi64_si128((long long)__builtin_bswap64(v));
	__m128i nibbles = _mm_and_si128(
		_mm_unpacklo_epi8(_mm_srli_epi64(bytes, 4), bytes), _mm_set1_epi8(0x0f));
	__m128i above9 = _mm_cmpgt_epi8(nibbles, _mm_set1_epi8(9));
	__m128i digits = _mm_add_epi8(_mm_add_epi8(nibbles, _mm_set1_epi8('0')),
		_mm_and_si128(above9, _mm_set1_epi8('a' - '0' - 10)));

	_mm_storeu_si128((__m128i *)(void *)p, digits);
}

#else

void num_format_hex16(char p[16], uint64_t v)
{
	for (unsigned i = 16; i-- > 0; v >>= 4) {
		p[i] = "0123456789abcdef"[v & 15];
	}
}

#endif
