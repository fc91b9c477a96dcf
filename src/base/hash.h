/*
 * Keyed hashing (SipHash-1-3) and a table of byte keys. Keys from outside meet a secret seed, so
 * nobody can choose colliding ones.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

struct hash_seed {
	uint64_t k0, k1;
};

/* SipHash-1-3 (Aumasson, Bernstein 2012, with one compression and three finalisation rounds). */
uint64_t hash_bytes(const struct hash_seed *seed, struct bytes b);

/* A table from byte keys to pointers. Keys are not copied: they must live as long as the table. */
struct map_slot {
	struct bytes key;
	uint64_t hash;
	void *value; /* NULL: free slot */
};

struct map {
	struct map_slot *slots;
	size_t n, cap; /* cap is 0 or a power of two */
	struct hash_seed seed;
};

void map_init(struct map *m, const struct hash_seed *seed);
void map_done(struct map *m);
/* Room for n keys, so that putting them does not move the table again and again. */
void map_reserve(struct map *m, size_t n);
/* NULL when there is none. */
void *map_get(const struct map *m, struct bytes key);
void *map_get_hash(const struct map *m, struct bytes key, uint64_t hash);
/* Adds or replaces; value is not NULL. Returns the value that was there before, or NULL. */
void *map_put(struct map *m, struct bytes key, void *value);
/* The place where a key of that hash is looked for comes from memory, which takes as long as 100 instructions, while
 * the caller does something else. */
static inline void map_prefetch(const struct map *m, uint64_t hash)
{
	if (m->cap != 0) {
		__builtin_prefetch(&m->slots[hash & (m->cap - 1)]);
	}
}
/* Puts it when there is none of that key, and returns NULL; else returns the one that is there, which stays. */
void *map_add(struct map *m, struct bytes key, void *value);
/* hash: hash_bytes of the map's seed and the key. */
void *map_add_hash(struct map *m, struct bytes key, uint64_t hash, void *value);
/* Removes and returns the value, NULL when there is none. */
void *map_remove(struct map *m, struct bytes key);

#endif
