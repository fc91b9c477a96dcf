/*
 * promoteThinkingOnEmpty (data-plane.md §8.6): an answer of a chat that has nothing but reasoning gets that as
 * its content.
 *
 * Of a stream the reasoning of each choice is withheld until it says something: then it goes on as reasoning,
 * in one event before that; or until it ends without: then it goes on as content. An answer that calls tools
 * has said something. An answer that is no stream is gathered, and two spans of it change.
 */
#ifndef AI_PROMOTE_H
#define AI_PROMOTE_H

#include "proxy/exchange.h"

/* Reasoning that is withheld, of all choices; of more nothing is withheld any longer. */
#define PROMOTE_MAX ((size_t)1 << 20)

struct promote;

/* NULL: no memory. */
struct promote *promote_new(struct exchange *x);
void promote_free(struct promote *p);

/* An event, whose data lies at data.p inside of raw. */
enum event_verdict promote_event(
	struct exchange *x, struct promote *p, struct bytes raw, struct bytes data);
/* Nothing follows, or [DONE]: what is withheld is put. Whether something was. */
bool promote_flush(struct exchange *x, struct promote *p);

/* The next bytes of an answer that is no stream. */
void promote_bytes(struct promote *p, struct bytes b);
/* All of it is held: puts it. */
void promote_whole(struct exchange *x, struct promote *p);

#endif
