/*
 * The record of a decision, for an administrator who asks: a request with `x-sluice-explain: TOKEN` gets
 * `x-sluice-decision: …` on its answer, and its access line the same text (plan/explain.h). Any other
 * request costs a comparison of the fields that are called x-sluice-*.
 */
#ifndef PROXY_DECISION_H
#define PROXY_DECISION_H

#include "proxy/exchange.h"

/* Routes beside the candidates that are looked at: what one turn has time for. */
#define DECISION_LOOK_MAX 512u

/* The client's field i, which is called x-sluice-*. */
void decision_ask(struct exchange *x, unsigned i);
/* The candidates are being looked for: fields that are struck out later count for them. */
void decision_begin(struct exchange *x);
/* Adds the field to the head of the answer, when it was asked for. */
void decision_add(struct exchange *x, struct head_out *out);

#endif
