/*
 * A request to an endpoint of the API on its way: who asks, the body, a jobs thread or the queue of writes,
 * the answer. On control, but for what says otherwise. An errand outlives its call when the client leaves: a write that has
 * begun is finished.
 */
#ifndef CONSOLE_ERRAND_H
#define CONSOLE_ERRAND_H

#include "console/act.h"
#include "manage/call.h"

struct console;

/* The largest body of somebody who is known, and of anybody (log-in, initialisation). */
#define ERRAND_BODY_MAX ((size_t)16 << 20)
#define ERRAND_BODY_MAX_ANYBODY ((size_t)64 << 10)
/* Attack: what may be asked without a password, again and again, by clients that do not wait for an answer. */
#define ERRAND_STRANGERS_MAX 64u
/* A write waits for its turn and for the workers at most that long; then the client is told. */
#define ERRAND_WRITE_MS 30000u

/* Looks for an endpoint and begins; false: there is none for that path, and nothing was done. */
bool errand_begin(struct console *console, struct call *c);
/* The console ends: calls have ended and jobs have run before; what they post still comes. */
void errand_free_all(struct list *errands);

#endif
