/*
 * A ring of bytes with one writer thread and one reader thread, without locks: access lines on their
 * way from a worker to the log thread.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <sys/uio.h>

#include "base/bytes.h"

struct ring {
	char *p;
	size_t size; /* a power of two */
	atomic_uint_fast64_t
		dropped; /* records that found no room; also those that the reader could not hand on */
	_Alignas(64) atomic_size_t head; /* bytes ever written */
	_Alignas(64) atomic_size_t tail; /* bytes ever read */
};

void ring_init(struct ring *r, size_t size);
void ring_done(struct ring *r);

/* Writer: the whole record or, when there is no room, nothing (and dropped counts). Never waits. */
bool ring_put(struct ring *r, struct bytes record);
/* Reader: shows what is there in one or two pieces (number returned), then takes n bytes of it. */
int ring_peek(struct ring *r, struct iovec v[2]);
void ring_take(struct ring *r, size_t n);

#endif
