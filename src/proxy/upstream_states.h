/*
 * What the gateway knows of its upstreams, as JSON for people and their tools (/healthz/upstreams): endpoints and
 * credentials with their health, upstreams with their places. No secret is in it: of a credential its last four
 * characters at most.
 */
#ifndef PROXY_UPSTREAM_STATES_H
#define PROXY_UPSTREAM_STATES_H

#include "base/text.h"

struct gateway;

/* Of each kind; those that are out of service come first. Accident: a plan of 100,000 providers, in one turn. */
#define UPSTREAM_STATES_MAX 1000u

/* Control. Appends one object. */
void upstream_states_put(struct gateway *g, struct text *out);

#endif
