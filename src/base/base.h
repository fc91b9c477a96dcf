/*
 * What every file needs: assertions, checked returns, container lookups.
 *
 * ASSERT guards our own state only and is on in every build; no byte from outside may reach one.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NO_RETURN __attribute__((noreturn, cold))
/* Where something went wrong. What leads there is compiled out of the way, so that what is run for each request stays
 * together: half of its time is spent waiting for code and data. */
#define COLD __attribute__((cold))
#define UNUSED __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The object of `type` that embeds `member` at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* A deliberate ignore of a must-check result; say why in a comment beside it. */
#define IGNORE(call)                                \
	do {                                        \
		__typeof__(call) ignored_ = (call); \
		(void)ignored_;                     \
	} while (0)

#define ASSERT(cond)                                              \
	do {                                                      \
		if (__builtin_expect(!(cond), 0))                 \
			assert_failed(#cond, __FILE__, __LINE__); \
	} while (0)

/* Prints where and, if one is set, the context line of this thread (assert_context), then aborts. */
NO_RETURN void assert_failed(const char *cond, const char *file, int line);

/* Text printed when an assertion of this thread fails, e.g. the exchange and its step. The pointer
 * must stay valid until it is replaced; NULL clears it. */
void assert_context(const char *text);

/* Memory of a fixed size that the program cannot go on without: zeroed, never NULL. Growth that a
 * peer drives does not use these; it is checked against its limit first and fails as a value. */
void *must_alloc(size_t size);
void *must_realloc(void *old, size_t size);
char *must_strdup(const char *s);
/* dir, a slash, name. */
char *must_path(const char *dir, const char *name);

#endif
