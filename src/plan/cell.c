/*
 * A plan holds one reference for each of its endpoints. Cells without any are on the list `unused`, the
 * longest unused first. An index is free again only when the caller, who knows when no worker can hold
 * it any more, frees the cell.
 */
#include "plan/cell.h"

#include <stdlib.h>

#include "base/num.h"
#include "plan/discovered.h"
#include "plan/plan.h"

struct cells {
	struct map by_key; /* "host:port" to struct endpoint_cell */
	struct list unused;
	uint32_t *free; /* indices that were given back */
	size_t n_free, free_cap;
	uint32_t fresh; /* indices from here on were never used */
};

struct cells *cells_new(const struct hash_seed *seed)
{
	struct cells *c = must_alloc(sizeof(*c));

	map_init(&c->by_key, seed);
	list_init(&c->unused);
	return c;
}

static void free_cell(struct endpoint_cell *e)
{
	free(atomic_load_explicit(&e->addresses, memory_order_acquire));
	free(e->ask);
	free(e->host);
	free(e);
}

void cells_free(struct cells *c)
{
	if (c == NULL) {
		return;
	}
	for (size_t i = 0; i < c->by_key.cap; i++) {
		if (c->by_key.slots[i].value != NULL) {
			free_cell(c->by_key.slots[i].value);
		}
	}
	map_done(&c->by_key);
	free(c->free);
	free(c);
}

static bool take_index(struct cells *c, uint32_t *out)
{
	if (c->n_free != 0) {
		*out = c->free[--c->n_free];
		return true;
	}
	if (c->fresh == CELLS_MAX) {
		return false;
	}
	*out = c->fresh++;
	return true;
}

/* Host and key are one text: the host ends where its port begins. */
static struct endpoint_cell *new_cell(struct cells *c, const struct endpoint *of)
{
	struct endpoint_cell *e;
	uint32_t index;
	char *key;

	if (!take_index(c, &index)) {
		return NULL;
	}
	e = must_alloc(sizeof(*e));
	key = must_alloc(of->host.n + 2 + NUM_U64_MAX);
	memcpy(key, of->host.p, of->host.n);
	key[of->host.n + 1] = ':';
	e->host = key; /* a NUL stands behind it */
	e->port = of->port;
	e->index = index;
	e->key.p = key;
	e->key.n = of->host.n + 2 + num_format_u64(key + of->host.n + 2, of->port);
	list_init(&e->link);
	map_put(&c->by_key, e->key, e);
	return e;
}

static struct endpoint_cell *find_cell(struct cells *c, const struct endpoint *of)
{
	char key[300];
	size_t n = of->host.n;

	ASSERT(n + 2 + NUM_U64_MAX <= sizeof(key)); /* the compiler takes hosts up to 253 */
	memcpy(key, of->host.p, n);
	key[n++] = '\0';
	key[n++] = ':';
	n += num_format_u64(key + n, of->port);
	return map_get(&c->by_key, bytes_of(key, n));
}

void cells_hold(struct endpoint_cell *e)
{
	list_remove(&e->link);
	e->refs++;
}

void cells_release(struct cells *c, struct endpoint_cell *e, uint64_t now_ms)
{
	ASSERT(e->refs > 0);
	if (--e->refs == 0) {
		e->unused_since_ms = now_ms;
		list_append(&c->unused, &e->link);
	}
}

/* A registry that is asked otherwise from now on is asked at once. */
static void take_ask(struct endpoint_cell *e, const struct discovered *ask)
{
	if (ask == NULL || (e->ask != NULL && discovered_equal(e->ask, ask))) {
		return;
	}
	free(e->ask);
	e->ask = discovered_copy(ask);
	e->ask_at_ms = 0;
}

void cells_bind(struct cells *c, struct plan *p)
{
	for (size_t i = 0; i < p->n_endpoints; i++) {
		struct endpoint *of = p->endpoints[i];
		struct endpoint_cell *e = find_cell(c, of);

		ASSERT(of->cell == NULL);
		if (e == NULL) {
			e = new_cell(c, of);
		}
		if (e != NULL) {
			cells_hold(e);
			take_ask(e, of->ask);
		}
		of->cell = e;
	}
}

void cells_unbind(struct cells *c, struct plan *p, uint64_t now_ms)
{
	for (size_t i = 0; i < p->n_endpoints; i++) {
		struct endpoint_cell *e = p->endpoints[i]->cell;

		p->endpoints[i]->cell = NULL;
		if (e != NULL) {
			cells_release(c, e, now_ms);
		}
	}
}

struct endpoint_cell *cells_expire(struct cells *c, uint64_t now_ms)
{
	struct endpoint_cell *e;

	if (list_empty(&c->unused)) {
		return NULL;
	}
	e = CONTAINER_OF(c->unused.next, struct endpoint_cell, link);
	if (now_ms < e->unused_since_ms || now_ms - e->unused_since_ms < CELL_GRACE_MS) {
		return NULL;
	}
	list_remove(&e->link);
	map_remove(&c->by_key, e->key);
	e->gone = true;
	return e;
}

void endpoint_cell_free(struct cells *c, struct endpoint_cell *e)
{
	if (c->n_free == c->free_cap) {
		c->free_cap = c->free_cap != 0 ? c->free_cap * 2 : 64;
		c->free = must_realloc(c->free, c->free_cap * sizeof(*c->free));
	}
	c->free[c->n_free++] = e->index;
	free_cell(e);
}
