/*
 * Runs of bytes in an HTTP/1 head: for the files of h1 only. Each function looks at p[0..end) and
 * returns where its run ends; end when all of it belongs to the run.
 */
#ifndef WIRE_H1_SCAN_H
#define WIRE_H1_SCAN_H

#include "base/bytes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* RFC 9110 §5.6.2: token characters. */
const char *h1_scan_token(const char *p, const char *end);
/* Bytes that may stand in a field value or reason: blank, tab, visible, above 0x7f. */
const char *h1_scan_value(const char *p, const char *end);
/* Bytes of a request target: 0x21..0x7e. */
const char *h1_scan_target(const char *p, const char *end);

/* The same two, for what is nearly always the case: a short name before its colon, a short value before its
 * line end. Inlined, because a head is little else. */
#ifdef __SSE2__

#define H1_SCAN_STEP 16

static inline __m128i h1_scan_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline unsigned h1_scan_bits(__m128i v)
{
	return (unsigned)_mm_movemask_epi8(v);
}

/* Bits of the bytes that are neither letter nor '-'. */
static inline unsigned h1_scan_not_letter_or_dash(__m128i v)
{
	__m128i lower = _mm_or_si128(v, _mm_set1_epi8(0x20));
	__m128i from_a = _mm_sub_epi8(lower, _mm_set1_epi8('a'));
	__m128i beyond_z = _mm_subs_epu8(from_a, _mm_set1_epi8('z' - 'a'));
	__m128i letter = _mm_cmpeq_epi8(beyond_z, _mm_setzero_si128());
	return h1_scan_bits(_mm_or_si128(letter, _mm_cmpeq_epi8(v, _mm_set1_epi8('-')))) ^ 0xffffu;
}

/* Bits of the bytes below 0x20 (unsigned) and of 0x7f. */
static inline unsigned h1_scan_control(__m128i v)
{
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	return h1_scan_bits(_mm_or_si128(low, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));
}

#endif

static inline const char *h1_scan_name(const char *p, const char *end)
{
#ifdef __SSE2__
	if (end - p >= H1_SCAN_STEP) {
		unsigned stops = h1_scan_not_letter_or_dash(h1_scan_load(p));
		if (stops != 0 && p[__builtin_ctz(stops)] == ':') {
			return p + __builtin_ctz(stops);
		}
	}
#endif
	return h1_scan_token(p, end);
}

static inline const char *h1_scan_line(const char *p, const char *end)
{
#ifdef __SSE2__
	if (end - p >= H1_SCAN_STEP) {
		unsigned stops = h1_scan_control(h1_scan_load(p));
		if (stops != 0 && p[__builtin_ctz(stops)] == '\r') {
			return p + __builtin_ctz(stops);
		}
	}
#endif
	return h1_scan_value(p, end);
}

/*
 * The first line feed at from or later that either no CR precedes or that ends an empty line which
 * is not the first line: in.n when there is none. Bytes before `from` are looked at, but not
 * returned.
 */
size_t h1_scan_empty_line(struct bytes in, size_t from);

#endif
