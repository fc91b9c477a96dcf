#include "wire/json_int.h"

#include <stdlib.h>

#define FIRST_HEAP 32u

void json_hits_init(struct json_hits *h, struct json_hit *room, size_t room_n, size_t max)
{
	*h = (struct json_hits){.v = room, .cap = MIN(room_n, max), .max = max};
}

void json_hits_done(struct json_hits *h)
{
	if (h->heap) {
		free(h->v);
	}
	*h = (struct json_hits){.max = h->max};
}

/* A peer drives this growth; max is its limit, and cap never passes it. */
static void grow(struct json_hits *h)
{
	size_t cap = MIN(h->max, MAX(FIRST_HEAP, h->cap * 2));
	struct json_hit *v = must_realloc(h->heap ? h->v : NULL, cap * sizeof(*v));

	if (!h->heap && h->n != 0) {
		memcpy(v, h->v, h->n * sizeof(*v));
	}
	h->v = v;
	h->cap = cap;
	h->heap = true;
}

struct json_hit *json_hits_room(struct json_hits *h)
{
	if (h->n == h->max) {
		return NULL;
	}
	if (h->n == h->cap) {
		grow(h);
	}
	return &h->v[h->n++];
}

const struct json_hit *json_hits_get(const struct json_hits *h, unsigned want, size_t *n_out)
{
	const struct json_hit *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		if (h->v[i].want == want) {
			first = first == NULL ? &h->v[i] : first;
			n++;
		}
	}
	if (n_out != NULL) {
		*n_out = n;
	}
	return first;
}
