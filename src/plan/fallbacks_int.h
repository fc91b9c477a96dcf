/*
 * Inside the room only: what the files that make fallbacks share. fallbacks.c reads EnvoyFilters, fallback_record.c
 * the list of a Console's record, fallback_own.c our own annotations.
 */
#ifndef PLAN_FALLBACKS_INT_H
#define PLAN_FALLBACKS_INT_H

#include "plan/build.h"
#include "plan/fallbacks.h"

struct named { /* routes of one Ingress */
	struct route *route;
	struct named *next;
};

struct fallback_names {
	const struct fallbacks_input *in;
	struct map by_name; /* of Ingresses to struct named, in the order of routes */
	size_t n;           /* routes that have got a fallback */
};

/* Gives the route that fallback, copied into the arena; candidates are those of f->to. */
struct fallback *fallback_set(
	struct fallback_names *names, struct route *r, const struct fallback *f);

/* An AI route of the Console: when its record says SEQ, f->candidates become the record's upstreams in their
 * order, because the Ingress f->to names only the first of them. */
void fallback_record_apply(
	const struct fallbacks_input *in, struct bytes route, struct fallback *f);

/* Annotations sluice.io/fallback, -on, -order, -on-own-rate-limit of all Ingresses; and who falls back in a
 * circle. */
void fallback_own_apply(struct fallback_names *names);
/* Whether any Ingress has one of them. */
bool fallback_own_any(const struct snapshot *s);

#endif
