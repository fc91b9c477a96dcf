/*
 * A thread that sleeps while there is nothing to do, and is called by others that must not pay for it:
 * while it is awake a call is a look at one word. No fence lies between what a caller has done before
 * and that look, so a call that comes at the very moment of falling asleep may be missed: sleeps are
 * short enough that this delays and does not hang.
 */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include <stdatomic.h>

#include "base/base.h"

struct wake {
	atomic_uint asleep; /* zeroed: awake */
};

/* The thread: from here on it is called. What there is to do has to be looked for once more between
 * the two. */
void wake_prepare(struct wake *w);
/* Returns when it was called since wake_prepare, or after ms. */
void wake_sleep(struct wake *w, unsigned ms);

/* Only from wake_call. */
void wake_now(struct wake *w);

/* Any thread. */
static inline void wake_call(struct wake *w)
{
	if (atomic_load_explicit(&w->asleep, memory_order_relaxed) != 0) {
		wake_now(w);
	}
}

#endif
