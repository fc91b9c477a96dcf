/* The fast generator of random.h: xoroshiro128+ (Blackman, Vigna 2018), seeded from the system. */
#include "base/random.h"

__extension__ typedef unsigned __int128 wide;

void random_init(struct random *r)
{
	do {
		random_secret(r->s, sizeof(r->s));
	} while (r->s[0] == 0 && r->s[1] == 0);
}

static uint64_t rotl(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t random_u64(struct random *r)
{
	uint64_t a = r->s[0];
	uint64_t b = r->s[1];
	uint64_t out = a + b;

	b ^= a;
	r->s[0] = rotl(a, 24) ^ b ^ b << 16;
	r->s[1] = rotl(b, 37);
	return out;
}

uint64_t random_below(struct random *r, uint64_t n)
{
	return (uint64_t)(((wide)random_u64(r) * n) >> 64);
}
