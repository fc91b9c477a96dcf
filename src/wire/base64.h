/*
 * Base64 (RFC 4648 §4) as Secrets and PEM have it: padded and canonical, so that each value has one
 * spelling but for line breaks.
 */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include "base/bytes.h"

/* Decodes into out (room for text.n / 4 * 3 bytes, may be where text stands) and returns the length, or
 * -1 when text is none: other bytes than the alphabet's and CR and LF, which are passed over, padding
 * that is missing or not at the end, bits set that no byte takes. */
MUST_CHECK ptrdiff_t base64_decode(char *out, struct bytes text);
/* Room for the text of n bytes, at least 1. */
static inline size_t base64_size(size_t n)
{
	return n / 3 * 4 + 5;
}
/* Padded, on one line, without a NUL; returns the length. out has base64_size(b.n). */
size_t base64_encode(char *out, struct bytes b);

#endif
