/*
 * Sixteen bytes at a time with SSE2, the rest and every other processor byte by byte. Loads never
 * reach past `end`.
 */
#include "wire/h1_scan.h"

/* tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" /
 *         DIGIT / ALPHA                                                       (RFC 9110 §5.6.2) */
/* clang-format off */
static const bool token_chars[256] = {
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true,
	['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true,
	['`'] = true, ['|'] = true, ['~'] = true,
	['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true,
	['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true,
	['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true,
	['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true, ['K'] = true, ['L'] = true,
	['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true, ['Q'] = true, ['R'] = true,
	['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true, ['X'] = true,
	['Y'] = true, ['Z'] = true,
	['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true,
	['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true,
	['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true,
	['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true,
	['y'] = true, ['z'] = true,
};
/* clang-format on */

#ifdef __SSE2__

/* Bits of the bytes outside 0x21..0x7e; those above 0x7f are negative here. */
static unsigned not_visible(__m128i v)
{
	__m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x21));
	return h1_scan_bits(_mm_or_si128(low, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));
}

#endif

const char *h1_scan_token(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= H1_SCAN_STEP) {
		unsigned stops = h1_scan_not_letter_or_dash(h1_scan_load(p));
		if (stops != 0) {
			p += __builtin_ctz(stops);
			break;
		}
		p += H1_SCAN_STEP;
	}
#endif
	while (p < end && token_chars[(unsigned char)*p]) {
		p++;
	}
	return p;
}

static bool in_value(char c)
{
	unsigned char u = (unsigned char)c;
	return (u >= 0x20 && u != 0x7f) || u == '\t';
}

const char *h1_scan_value(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= H1_SCAN_STEP) {
		unsigned stops = h1_scan_control(h1_scan_load(p));
		if (stops == 0) {
			p += H1_SCAN_STEP;
			continue;
		}
		p += __builtin_ctz(stops);
		if (*p != '\t') {
			return p;
		}
		p++;
	}
#endif
	while (p < end && in_value(*p)) {
		p++;
	}
	return p;
}

const char *h1_scan_target(const char *p, const char *end)
{
#ifdef __SSE2__
	while (end - p >= H1_SCAN_STEP) {
		unsigned stops = not_visible(h1_scan_load(p));
		if (stops != 0) {
			return p + __builtin_ctz(stops);
		}
		p += H1_SCAN_STEP;
	}
#endif
	while (p<end && * p> 0x20 && *p < 0x7f) {
		p++;
	}
	return p;
}

/* Looking at a byte together with the two before it means one branch per step, not one per line. */
size_t h1_scan_empty_line(struct bytes in, size_t from)
{
	const char *p = in.p;
	size_t at = from;
	for (; at < in.n && at < 2; at++) {
		if (p[at] == '\n' && (at == 0 || p[at - 1] != '\r')) {
			return at;
		}
	}
#ifdef __SSE2__
	const __m128i lf = _mm_set1_epi8('\n');
	for (; in.n - at >= H1_SCAN_STEP; at += H1_SCAN_STEP) {
		unsigned line_feed = h1_scan_bits(_mm_cmpeq_epi8(h1_scan_load(p + at), lf));
		unsigned behind_cr =
			h1_scan_bits(_mm_cmpeq_epi8(h1_scan_load(p + at - 1), _mm_set1_epi8('\r')));
		unsigned behind_line = h1_scan_bits(_mm_cmpeq_epi8(h1_scan_load(p + at - 2), lf));
		unsigned stops = line_feed & (~behind_cr | behind_line);
		if (stops != 0) {
			return at + (size_t)__builtin_ctz(stops);
		}
	}
#endif
	for (; at < in.n; at++) {
		if (p[at] == '\n' && (p[at - 1] != '\r' || p[at - 2] == '\n')) {
			return at;
		}
	}
	return in.n;
}
