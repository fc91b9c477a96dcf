/*
 * What simdjson makes of a text, written as facts that can be compared: `s3:abc`, `i-7;`, `d0x1p+1;`,
 * `t`, `f`, `n`, and members and items between brackets, in their order, none left out.
 */
#ifndef TESTS_DIFFERENTIAL_SIMDJSON_SHIM_H
#define TESTS_DIFFERENTIAL_SIMDJSON_SHIM_H

#include <stddef.h>

enum theirs {
	THEIRS_READ,
	THEIRS_REFUSED,
	THEIRS_NUMBER, /* refused for a number: no number at all, or one that no type of C holds */
	THEIRS_STRING  /* refused for an escape: a bad one, or half of a surrogate pair */
};

#ifdef __cplusplus
extern "C"
#endif
	/* The facts belong to the shim until the next call of the thread. */
	enum theirs
	simdjson_read(const char *p, size_t n, char **out, size_t *out_n);

#endif
