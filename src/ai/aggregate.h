/*
 * A stream of a chat whose client asked for none (data-plane.md §10.2, aggregateUnexpectedStream): its events
 * become one chat.completion, with the usage that they told.
 */
#ifndef AI_AGGREGATE_H
#define AI_AGGREGATE_H

#include "proxy/exchange.h"

struct aggregate;

/* promotes: promoteThinkingOnEmpty holds for what comes out. NULL: no memory. */
struct aggregate *aggregate_new(struct exchange *x, bool promotes);
void aggregate_free(struct aggregate *a);

void aggregate_event(struct exchange *x, struct aggregate *a, struct bytes data);
/* Puts the answer. False: the stream was none that can be one answer; replied. */
MUST_CHECK bool aggregate_whole(struct exchange *x, struct aggregate *a);

#endif
