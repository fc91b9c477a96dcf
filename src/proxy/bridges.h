/*
 * Bridges (hiclaw-integration.md 11.3): for a while a consumer's requests for one model are taken as requests for another
 * one, because it was given that and has not heard of it yet. A cell that outlives plans: control hands all of them over
 * at once, workers read. A bridge ends for good with the consumer's first request for the other model itself.
 */
#ifndef PROXY_BRIDGES_H
#define PROXY_BRIDGES_H

#include "proxy/gateway.h"

/* Accident: a caller that makes up consumers. HiClaw has some ten Workers. */
#define BRIDGES_MAX 1000u

struct bridge {
	struct bytes consumer, from, to; /* models as clients name them */
};

struct exchange;

/* Control: these from now on, at most one of a consumer; copied. One that was there before and has ended stays ended. */
void bridges_set(struct gateway *g, const struct bridge *v, size_t n);
/* Control: whether the bridge of that consumer is there, and has ended. */
bool bridges_ended(const struct gateway *g, struct bytes consumer);
/* Control: where a request of the consumer for that model is led to; p NULL: it stays. Until the next bridges_set. */
struct bytes bridges_lead(const struct gateway *g, struct bytes consumer, struct bytes model);
/* The end; no loop runs. */
void bridges_free(struct gateway *g);

/* Worker, when the body is known and who calls: puts the other model into the request. False: no memory. */
bool bridges_cross(struct exchange *x);

#endif
