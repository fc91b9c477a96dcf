/*
 * A request to an endpoint of the API on its way: who asks, the body, a jobs thread or the queue of writes,
 * the answer. On control, but for what says otherwise. An errand outlives its call when the client leaves: a write that has
 * begun is finished.
 */
#ifndef CONSOLE_ERRAND_H
#define CONSOLE_ERRAND_H

#include "console/act.h"
#include "console/call.h"

/* The largest body of somebody who is known, and of anybody (log-in, initialisation). */
#define ERRAND_BODY_MAX ((size_t)16 << 20)
#define ERRAND_BODY_MAX_ANYBODY ((size_t)64 << 10)
/* Bodies of all requests together: above it 503. */
#define ERRAND_BODIES_MAX ((size_t)64 << 20)
/* Attack: requests that wait for a password to be hashed. */
#define ERRAND_CHECKS_MAX 32u
/* A write waits for its turn and for the workers at most that long; then the client is told. */
#define ERRAND_WRITE_MS 30000u

/* Looks for an endpoint and begins; false: there is none for that path, and nothing was done. */
bool errand_begin(struct call *c);
/* The call's stream has news before anything was answered. */
void errand_on_body(struct errand *t);
/* The call ends. NULL is allowed. */
void errand_forget(struct errand *t);
/* The console ends: calls have ended and jobs have run before; what they post still comes. */
void errand_free_all(struct list *errands);

#endif
