/*
 * The instances of services that a registry knows (plan/discovered.h): asked over its HTTP interface, or in
 * ZooKeeper's protocol, on control's loop, put into the service's cell. What a cell holds stays in use while its registry cannot be
 * asked.
 */
#ifndef PROXY_DISCOVERY_H
#define PROXY_DISCOVERY_H

#include "plan/plan.h"

struct discovery;
struct gateway;

/* All of it is control's. */
struct discovery *discovery_new(struct gateway *g);
/* Questions under way end without an answer. NULL is allowed. */
void discovery_free(struct discovery *d);

/* Asks for the instances of a cell that has `ask`, unless it is under way. */
void discovery_ask(struct discovery *d, struct endpoint_cell *cell);
/* About every second: asks for those of the plan's cells whose time has come. */
void discovery_tick(struct discovery *d, const struct plan *p);

#endif
