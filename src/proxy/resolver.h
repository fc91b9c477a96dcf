/*
 * Addresses of endpoints. Workers read a cell; control resolves, replaces what a cell holds and wakes
 * the exchanges that wait.
 */
#ifndef PROXY_RESOLVER_H
#define PROXY_RESOLVER_H

#include "net/dns.h"
#include "plan/plan.h"

struct gateway;
struct resolver;
struct worker;

/* Control. */
struct resolver *resolver_new(struct gateway *g, struct fault *f);
void resolver_free(struct resolver *r);
/* A plan goes live: literals get their address at once, names are looked up ahead of the first use. */
void resolver_warm(struct resolver *r, const struct plan *p);

/* Control, for who finds addresses out: puts another list into a cell. */
void resolver_replace(struct gateway *g, struct endpoint_cell *cell, const struct sys_addr *addrs,
	unsigned n, uint64_t expires_ms);
/* Control: what `resolving` was set and the cell held for is over, one way or the other. */
void resolver_answered(struct gateway *g, struct endpoint_cell *cell);

/* Worker: the address of a cold cell is wanted; the worker's waiting exchanges are woken when control
 * knows more. */
void resolver_ask(struct worker *w, struct endpoint_cell *cell);
/* Worker: asks for a refresh when what the cell holds is out of date; what is there stays in use. */
void resolver_check(struct worker *w, struct endpoint_cell *cell);

#endif
