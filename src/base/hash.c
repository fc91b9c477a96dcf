#include "base/hash.h"

#include <stdlib.h>

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = ROTL(s->v1, 13);
	s->v1 ^= s->v0;
	s->v0 = ROTL(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = ROTL(s->v3, 16);
	s->v3 ^= s->v2;
	s->v0 += s->v3;
	s->v3 = ROTL(s->v3, 21);
	s->v3 ^= s->v0;
	s->v2 += s->v1;
	s->v1 = ROTL(s->v1, 17);
	s->v1 ^= s->v2;
	s->v2 = ROTL(s->v2, 32);
}

static inline uint64_t load64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

uint64_t hash_bytes(const struct hash_seed *seed, struct bytes b)
{
	struct sip s = {0x736f6d6570736575u ^ seed->k0, 0x646f72616e646f6du ^ seed->k1,
		0x6c7967656e657261u ^ seed->k0, 0x7465646279746573u ^ seed->k1};
	size_t i = 0;
	uint64_t last = 0;

	for (; i + 8 <= b.n; i += 8) {
		uint64_t w = load64(b.p + i);

		s.v3 ^= w;
		sip_round(&s);
		s.v0 ^= w;
	}
	if (i < b.n) {
		memcpy(&last, b.p + i, b.n - i);
	}
	last |= (uint64_t)(b.n & 0xff) << 56;
	s.v3 ^= last;
	sip_round(&s);
	s.v0 ^= last;
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void map_init(struct map *m, const struct hash_seed *seed)
{
	*m = (struct map){.seed = *seed};
}

void map_done(struct map *m)
{
	free(m->slots);
	m->slots = NULL;
	m->n = m->cap = 0;
}

/* The slot that holds the key, or the free slot where it would go. */
static struct map_slot *find(const struct map *m, struct bytes key, uint64_t hash)
{
	size_t mask = m->cap - 1;

	for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
		struct map_slot *s = &m->slots[i];

		if (s->value == NULL || (s->hash == hash && bytes_eq(s->key, key))) {
			return s;
		}
	}
}

void *map_get_hash(const struct map *m, struct bytes key, uint64_t hash)
{
	return m->n != 0 ? find(m, key, hash)->value : NULL;
}

void *map_get(const struct map *m, struct bytes key)
{
	return m->n != 0 ? map_get_hash(m, key, hash_bytes(&m->seed, key)) : NULL;
}

static void grow_to(struct map *m, size_t cap)
{
	struct map_slot *old = m->slots;
	size_t old_cap = m->cap;

	m->cap = cap;
	m->slots = must_alloc(m->cap * sizeof(*m->slots));
	for (size_t i = 0; i < old_cap; i++) {
		if (old[i].value != NULL) {
			*find(m, old[i].key, old[i].hash) = old[i];
		}
	}
	free(old);
}

static bool is_full(const struct map *m, size_t n)
{
	return n * 4 > m->cap * 3;
}

void map_reserve(struct map *m, size_t n)
{
	size_t cap = MAX(m->cap, (size_t)8);

	while (n * 4 > cap * 3) {
		cap *= 2;
	}
	if (cap != m->cap) {
		grow_to(m, cap);
	}
}

void *map_put(struct map *m, struct bytes key, void *value)
{
	uint64_t hash = hash_bytes(&m->seed, key);
	struct map_slot *s;
	void *before;

	ASSERT(value != NULL);
	if (is_full(m, m->n + 1)) {
		grow_to(m, MAX(m->cap * 2, (size_t)8));
	}
	s = find(m, key, hash);
	before = s->value;
	*s = (struct map_slot){key, hash, value};
	m->n += before == NULL;
	return before;
}

void *map_add(struct map *m, struct bytes key, void *value)
{
	return map_add_hash(m, key, hash_bytes(&m->seed, key), value);
}

void *map_add_hash(struct map *m, struct bytes key, uint64_t hash, void *value)
{
	struct map_slot *s;

	ASSERT(value != NULL);
	if (is_full(m, m->n + 1)) {
		grow_to(m, MAX(m->cap * 2, (size_t)8));
	}
	s = find(m, key, hash);
	if (s->value != NULL) {
		return s->value;
	}
	*s = (struct map_slot){key, hash, value};
	m->n++;
	return NULL;
}

void *map_remove(struct map *m, struct bytes key)
{
	size_t mask = m->cap - 1;
	struct map_slot *s;
	size_t hole;
	void *before;

	if (m->n == 0) {
		return NULL;
	}
	s = find(m, key, hash_bytes(&m->seed, key));
	before = s->value;
	if (before == NULL) {
		return NULL;
	}
	/* Close the gap, so that probing never meets a hole before the key it looks for. */
	hole = (size_t)(s - m->slots);
	for (size_t i = (hole + 1) & mask; m->slots[i].value != NULL; i = (i + 1) & mask) {
		size_t home = (size_t)m->slots[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct map_slot){.value = NULL};
	m->n--;
	return before;
}
