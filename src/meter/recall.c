/* Linear probing that looks at WINDOW places and no further. When they are all taken, something is forgotten; and when
 * the table is nearly full, it is too small. */
#include "meter/recall.h"

#include <stdlib.h>

#define SLOTS_AT_FIRST 64u
#define WINDOW 8u

void recall_init(struct recall *r)
{
	r->n_slots = SLOTS_AT_FIRST;
	r->v = must_alloc(r->n_slots * sizeof(*r->v));
}

void recall_done(struct recall *r)
{
	free(r->v);
	*r = (struct recall){.v = NULL};
}

static bool is_of(const struct recalled *e, const struct recall_key *k)
{
	return e->key.route == k->route && e->key.consumer == k->consumer && e->key.to == k->to &&
		e->key.plan == k->plan;
}

static size_t home_of(const struct recall *r, const struct recall_key *k)
{
	uint64_t h = (uint64_t)(uintptr_t)k->route * UINT64_C(0x9e3779b97f4a7c15) +
		(uint64_t)(uintptr_t)k->consumer;

	h = (h * UINT64_C(0x9e3779b97f4a7c15)) ^ (uint64_t)(uintptr_t)k->to >> 4;
	return (h * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (r->n_slots - 1);
}

/* The entry, or the first place in its window that is free or of another plan; NULL: neither is there. */
static struct recalled *look(struct recall *r, const struct recall_key *k)
{
	size_t home = home_of(r, k);
	struct recalled *place = NULL;

	for (size_t i = 0; i < WINDOW; i++) {
		struct recalled *e = &r->v[(home + i) & (r->n_slots - 1)];

		if (is_of(e, k)) {
			return e;
		}
		if (place == NULL && e->key.plan != k->plan) {
			place = e;
		}
		if (e->key.plan == 0) {
			break;
		}
	}
	return place;
}

/* Twice as many places; what is of other plans, or finds none, is forgotten. */
static void grow(struct recall *r, uint64_t plan)
{
	struct recall larger = {
		.v = must_alloc(2 * r->n_slots * sizeof(*r->v)), .n_slots = 2 * r->n_slots};

	for (size_t i = 0; i < r->n_slots; i++) {
		struct recalled *place =
			r->v[i].key.plan == plan ? look(&larger, &r->v[i].key) : NULL;

		if (place != NULL) {
			*place = r->v[i];
		}
	}
	free(r->v);
	r->v = larger.v;
	r->n_slots = larger.n_slots;
}

struct recalled *recall_find(struct recall *r, const struct recall_key *key, bool *is_new)
{
	struct recalled *e = look(r, key);

	if (e == NULL && r->n_slots < RECALL_MAX && r->n > r->n_slots / 4 * 3) {
		grow(r, key->plan);
		e = look(r, key);
	}
	if (e == NULL) {
		e = &r->v[home_of(r, key)];
	}
	*is_new = !is_of(e, key);
	if (*is_new) {
		r->n = r->plan == key->plan ? r->n + (e->key.plan != key->plan) : 1;
		r->plan = key->plan;
		*e = (struct recalled){.key = *key};
	}
	return e;
}

void recall_drop_rows(struct recall *r)
{
	for (size_t i = 0; i < r->n_slots; i++) {
		r->v[i].row = NULL;
	}
}
