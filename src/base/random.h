/*
 * Randomness. Scenario tests link sim/random.c in its place.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/base.h"

/* n bytes fit for keys, from the system. */
void random_secret(void *out, size_t n);

/* Fast numbers for choices that need no secrecy (weights, jitter, ids). One per worker. */
struct random {
	uint64_t s[2];
};

void random_init(struct random *r);
uint64_t random_u64(struct random *r);
/* Uniform in 0..n-1; n > 0. */
uint64_t random_below(struct random *r, uint64_t n);

#endif
