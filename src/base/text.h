/*
 * Text that grows up to a maximum given at birth. One of the two buffer types of the program.
 *
 * A text that met its maximum is "full": further appends do nothing and the caller asks once at the
 * end (text_full), so a sequence of appends needs one check.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>

#include "base/bytes.h"

struct text {
	char *p;
	size_t n, cap, max;
	bool full;
	bool fixed; /* p is the caller's storage; grows out of it when max is more than cap */
};

/* Grows on the heap up to max bytes; text_done frees. */
void text_init(struct text *t, size_t max);
/* Uses the caller's storage of cap bytes and never grows. */
void text_init_fixed(struct text *t, char *storage, size_t cap);
/* Begins in the caller's storage of cap bytes and goes on on the heap, up to max (more than cap). */
void text_init_with(struct text *t, char *storage, size_t cap, size_t max);
void text_done(struct text *t);
void text_clear(struct text *t);

void text_add(struct text *t, const char *p, size_t n);
void text_add_bytes(struct text *t, struct bytes b);
void text_add_str(struct text *t, const char *s);
void text_add_char(struct text *t, char c);
void text_add_u64(struct text *t, uint64_t v);
void text_addf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_addv(struct text *t, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* b as the inside of a JSON string (without the quotes). Bytes that are not UTF-8 become U+FFFD. */
void text_add_json(struct text *t, struct bytes b);

/* The character with that code, as UTF-8; code <= 0x10ffff, no surrogate. */
void text_add_utf8(struct text *t, unsigned code);

/* Length of the well-formed UTF-8 character at p, n > 0 bytes of which are there; 0: there is none. */
size_t text_utf8(const char *p, size_t n);

static inline bool text_full(const struct text *t)
{
	return t->full;
}

static inline struct bytes text_bytes(const struct text *t)
{
	return (struct bytes){t->p, t->n};
}

/* The content with a NUL behind it, owned by t; "" when nothing fits. */
const char *text_cstr(struct text *t);

#endif
