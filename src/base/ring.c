#include "base/ring.h"

#include <stdlib.h>

void ring_init(struct ring *r, size_t size)
{
	ASSERT(size != 0 && (size & (size - 1)) == 0);
	r->p = must_alloc(size);
	r->size = size;
	atomic_init(&r->dropped, 0);
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
}

void ring_done(struct ring *r)
{
	free(r->p);
	r->p = NULL;
}

bool ring_put(struct ring *r, struct bytes record)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	size_t at = head & (r->size - 1);
	size_t first;

	if (r->size - (head - tail) < record.n) {
		atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
		return false;
	}
	first = MIN(record.n, r->size - at);
	memcpy(r->p + at, record.p, first);
	memcpy(r->p, record.p + first, record.n - first);
	atomic_store_explicit(&r->head, head + record.n, memory_order_release);
	return true;
}

int ring_peek(struct ring *r, struct iovec v[2])
{
	size_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	size_t at = tail & (r->size - 1);
	size_t n = head - tail;
	size_t first = MIN(n, r->size - at);

	if (n == 0) {
		return 0;
	}
	v[0] = (struct iovec){r->p + at, first};
	if (first == n) {
		return 1;
	}
	v[1] = (struct iovec){r->p, n - first};
	return 2;
}

void ring_take(struct ring *r, size_t n)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	atomic_store_explicit(&r->tail, tail + n, memory_order_release);
}
