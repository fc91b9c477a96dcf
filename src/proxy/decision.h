/*
 * The record of a decision, for an administrator who asks: a request with `x-sluice-explain: TOKEN` gets
 * `x-sluice-decision: …` on its answer, and its access line the same text (plan/explain.h). Access lines of
 * errors that the gateway makes have it unasked, as the setting access-decisions says; these know fewer
 * routes, so that whoever sends nonsense cannot make us think about it for long. A request that is
 * served costs a comparison of the fields that are called x-sluice-*, and one of that setting.
 */
#ifndef PROXY_DECISION_H
#define PROXY_DECISION_H

#include "proxy/exchange.h"

/* Routes beside the candidates that are looked at: what one turn has time for. */
#define DECISION_LOOK_MAX 512u
/* The same for a line that nobody asked for, and its length in bytes. Attack: floods of requests that are
 * refused, to spend time or to fill the log. */
#define DECISION_LOG_LOOK_MAX 64u
#define DECISION_LOG_MAX 512u

/* The client's field i, which is called x-sluice-*. */
void decision_ask(struct exchange *x, unsigned i);
/* The candidates are being looked for: fields that are struck out later count for them. */
void decision_begin(struct exchange *x);
/* The head of the answer is made: decides whether the access line tells the decision, and adds the field when it was
 * asked for. */
void decision_add(struct exchange *x, struct head_out *out);

#endif
