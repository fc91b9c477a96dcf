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

/* A literal goes second: its length is known to the compiler then, and no call is made. */
static inline bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (b.n == 0 || memcmp(a.p, b.p, b.n) == 0);
}

/* s NULL gives an empty range. */
static inline struct bytes bytes_str(const char *s)
{
	return (struct bytes){s, s != NULL ? strlen(s) : 0};
}
/* The n bytes at a and b but for the case of ASCII letters. */
bool bytes_same_nocase(const char *a, const char *b, size_t n);
/* ASCII case only. */
static inline bool bytes_eq_nocase(struct bytes a, struct bytes b)
{
	return a.n == b.n && bytes_same_nocase(a.p, b.p, b.n);
}
static inline bool bytes_starts(struct bytes s, struct bytes prefix)
{
	return s.n >= prefix.n && bytes_eq(bytes_of(s.p, prefix.n), prefix);
}
static inline bool bytes_starts_nocase(struct bytes s, struct bytes prefix)
{
	return s.n >= prefix.n && bytes_same_nocase(s.p, prefix.p, prefix.n);
}
static inline bool bytes_ends(struct bytes s, struct bytes suffix)
{
	return s.n >= suffix.n && bytes_eq(bytes_of(s.p + s.n - suffix.n, suffix.n), suffix);
}
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

/* Copies b to `to` and returns what is behind it there. Inlined, because names and values of heads and
 * lines are short: two stores that overlap instead of a call. They must not overlap. */
static inline char *bytes_put(char *to, struct bytes b)
{
	if (b.n > 32) {
		memcpy(to, b.p, b.n);
	} else if (b.n >= 16) {
		memcpy(to, b.p, 16);
		memcpy(to + b.n - 16, b.p + b.n - 16, 16);
	} else if (b.n >= 8) {
		memcpy(to, b.p, 8);
		memcpy(to + b.n - 8, b.p + b.n - 8, 8);
	} else if (b.n >= 4) {
		memcpy(to, b.p, 4);
		memcpy(to + b.n - 4, b.p + b.n - 4, 4);
	} else if (b.n != 0) {
		to[0] = b.p[0];
		to[b.n / 2] = b.p[b.n / 2];
		to[b.n - 1] = b.p[b.n - 1];
	}
	return to + b.n;
}

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

#endif
