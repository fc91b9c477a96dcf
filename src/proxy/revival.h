/*
 * Bringing credentials back (data-plane.md §9.2): those that are out of service and have a healthCheckModel are asked a
 * question of the gateway's own (probe.h) now and then. Control's.
 */
#ifndef PROXY_REVIVAL_H
#define PROXY_REVIVAL_H

#include "base/base.h"

struct gateway;
struct plan;
struct revival;

/* Probes under way at once. Accident: a vendor that is down, with a thousand credentials. */
#define REVIVAL_MAX 16u

struct revival *revival_new(struct gateway *g);
/* No probe is under way any more (probe_forget_all). */
void revival_free(struct revival *r);
/* About once a second. Says what went out of service and what came back, and begins what is due. */
void revival_tick(struct revival *r, const struct plan *p);

#endif
