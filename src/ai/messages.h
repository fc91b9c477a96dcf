/*
 * The messages of a chat, where a provider's configuration forgets or joins some of them, or adds one (data-plane.md
 * §8.4, §8.5, §8.7), as span edits: what stays is byte for byte the client's.
 */
#ifndef AI_MESSAGES_H
#define AI_MESSAGES_H

#include "proxy/exchange.h"

/* Attack: a body of nothing but messages. Conversations of people and agents have some hundred. */
#define MESSAGES_MAX 1000u

struct messages;

/* Looks through the gathered body in slices. *m is NULL at first and in the request's arena then.
 * VERDICT_NEXT: all is known. VERDICT_REPLY: it cannot be said for certain which messages there are. */
enum verdict messages_survey(struct exchange *x, struct messages **m);
/* How many edits messages_edit makes; m may be NULL. */
size_t messages_edits(struct exchange *x, const struct messages *m);
/* Makes them; m may be NULL. */
void messages_edit(struct exchange *x, const struct messages *m);

#endif
