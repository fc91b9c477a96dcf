/*
 * How many exchanges are at an upstream, with a credential, of a consumer, at once (plan/failover.h, struct concurrency):
 * places, counted in lanes that all workers share. Who finds every candidate full waits in a short queue: a place that is
 * given back wakes one of those that wait for it, on whatever worker that is.
 */
#ifndef PROXY_CONCURRENCY_H
#define PROXY_CONCURRENCY_H

#include "proxy/exchange.h"

/* A place may come free where nobody who waits was told: they look again by themselves. */
#define CONCURRENCY_LOOK_MS 250u
/* What a client that is refused is told to wait. */
#define CONCURRENCY_RETRY_S 1u
/* Consumers that are counted at once; others are not, until one has left. */
#define CONCURRENCY_CONSUMERS 4096u

/* A consumer at an upstream: 40 bits of a keyed hash and 24 of a count. */
struct concurrency_consumers {
	_Atomic uint64_t v[CONCURRENCY_CONSUMERS];
};

/* course_env.take: places for the exchange `of`; what was taken is x->places. What it had at another upstream is given back
 * then; what it has at this one is its own: a further attempt there needs no other, and waits for nobody. */
bool concurrency_take(void *of, const struct destination *to, struct lane *credential);
/* Gives them back, and wakes. Also when there are none. */
void concurrency_give(struct exchange *x);
/* The same for those of another upstream than the attempt's now, which may have no caps. */
void concurrency_give_former(struct exchange *x);
/* There was no place: waits for one, or replies 429. */
enum verdict concurrency_wait(struct exchange *x);
/* It has one, or leaves. */
void concurrency_unqueue(struct exchange *x);
/* The same, also when it did not wait. */
static inline void concurrency_leave(struct exchange *x)
{
	if (x->rq->waits_for != NULL) {
		concurrency_unqueue(x);
	}
}

#endif
