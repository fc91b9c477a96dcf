/*
 * Text from outside: a pointer and a length, never NUL-terminated, never owned.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <string.h>

#include "base/base.h"

struct bytes {
	const char *p;
	size_t n;
};

/* For string literals only. */
#define BYTES(lit) ((struct bytes){"" lit, sizeof(lit) - 1})
#define BYTES_FMT "%.*s"
#define BYTES_ARG(b) (int)(b).n, (b).p

static inline struct bytes bytes_of(const char *p, size_t n)
{
	return (struct bytes){p, n};
}

static inline bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* s NULL gives an empty range. */
struct bytes bytes_str(const char *s);
/* ASCII case only. */
bool bytes_eq_nocase(struct bytes a, struct bytes b);
bool bytes_starts(struct bytes s, struct bytes prefix);
bool bytes_starts_nocase(struct bytes s, struct bytes prefix);
bool bytes_ends(struct bytes s, struct bytes suffix);
/* Blanks and tabs at both ends removed. */
struct bytes bytes_trim(struct bytes s);
/* Order by unsigned byte, the shorter first when one is the other's beginning. */
int bytes_cmp(struct bytes a, struct bytes b);
/* Cuts *rest at the first `sep`: returns what stands before it and moves *rest behind it. When there
 * is none, returns all and leaves *rest with p == NULL. */
struct bytes bytes_cut(struct bytes *rest, char sep);
/* Time depends on the lengths only. For secrets. */
bool bytes_eq_secret(struct bytes a, struct bytes b);
/* Heap copy with a NUL behind it; the caller frees. */
char *bytes_dup(struct bytes s);

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

#endif
