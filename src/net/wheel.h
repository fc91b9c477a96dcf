/*
 * The timing wheel of a loop, as a pure structure: the caller says what time it is.
 *
 * Seven levels of 64 slots. A timer stands on the level of the highest group of six bits in which its
 * slot differs from the wheel's time, so every occupied slot of a level lies ahead of the current one
 * and nothing wraps. Deadlines are lazy: a timer that moved later stays until its slot comes up.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include "net/loop.h"

#define WHEEL_BITS 6u
#define WHEEL_SLOTS (1u << WHEEL_BITS)
#define WHEEL_LEVELS 7u /* 2^42 ms: 139 years since boot */

struct wheel {
	uint64_t now_ms;
	uint64_t used[WHEEL_LEVELS]; /* a bit for each slot that is not empty */
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
	struct list due; /* came up and not yet fired, in the order of their slots */
};

void wheel_init(struct wheel *w, uint64_t now_ms);
/* Sets or moves. due_ms not later than now_ms: t goes to `due` at once. */
void wheel_set(struct wheel *w, struct timer *t, uint64_t due_ms);
/* Also for timers on `due` or on a list that was spliced from it. */
void wheel_clear(struct wheel *w, struct timer *t);
/* The same, but a slot may still hold it until that comes up: wheel_clear before its memory goes. */
void wheel_rest(struct wheel *w, struct timer *t);
/* Moves time on (never back) and what came up to `due`. */
void wheel_advance(struct wheel *w, uint64_t now_ms);
/* When wheel_advance has something to do next: 0 when `due` is not empty, UINT64_MAX for never. It may
 * be earlier than the next deadline (a slot of a higher level comes up), never later. */
uint64_t wheel_next_ms(const struct wheel *w);

#endif
