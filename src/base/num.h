/*
 * Numbers that a peer influences: arithmetic that notices overflow, strict parsing, hand formatting.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/bytes.h"

/* true and *out = a + b (a * b), or false when it does not fit; *out is then untouched. */
MUST_CHECK static inline bool num_add(size_t a, size_t b, size_t *out)
{
	size_t sum;

	if (__builtin_add_overflow(a, b, &sum)) {
		return false;
	}
	*out = sum;
	return true;
}
MUST_CHECK bool num_mul(size_t a, size_t b, size_t *out);

/* Digits only (no sign, no blank), at least one, value at most max. */
MUST_CHECK bool num_parse_u64(struct bytes text, uint64_t max, uint64_t *out);
/* Hexadecimal digits only, at least one, value at most max. */
MUST_CHECK bool num_parse_hex(struct bytes text, uint64_t max, uint64_t *out);

#define NUM_U64_MAX 20 /* characters of the longest decimal uint64_t */

/* Writes v in decimal (hexadecimal, lower case, no leading zeros) at p; returns the length. Room for
 * NUM_U64_MAX (16) characters is the caller's. No NUL. */
size_t num_format_u64(char *p, uint64_t v);
size_t num_format_hex(char *p, uint64_t v);
/* All 16 hexadecimal digits, lower case. */
void num_format_hex16(char p[16], uint64_t v);

#endif
