/*
 * What an upstream sends becomes what may be sent to the client: events whole, anything else as it comes. Used by the steps
 * before commit (opening.c) and behind it (answer.c).
 */
#ifndef PROXY_INTAKE_H
#define PROXY_INTAKE_H

#include "proxy/exchange.h"

/* The request's body goes on while its answer is awaited. VERDICT_REPLY: it cannot. */
enum verdict intake_push(struct exchange *x);
/* Takes what has come; what is complete becomes ready. 0, ERR_LIMIT, ERR_SYNTAX or ERR_MEMORY. */
MUST_CHECK int intake_take(struct exchange *x);
/* Why it cannot be taken, for the client. */
const char *intake_unusable(int rc);
/* Why a deadline passed: the step's own, for which the words are, or that of the whole answer. */
const char *intake_late(const struct exchange *x, const char *words);
/* The upstream has ended its answer: whether all of it came. */
bool intake_is_whole(const struct exchange *x);
/* The unterminated last event of a clean end counts. */
void intake_last_event(struct exchange *x);
/* What is not ready goes: an event that will not be completed. */
void intake_drop_unready(struct exchange *x);
/* What the dialect has put for the events so far may be sent; ERR_MEMORY: nothing of it. */
MUST_CHECK int intake_settle(struct exchange *x);

#endif
