/*
 * The annotations proxy-next-upstream, -tries and -timeout of an Ingress (data-plane.md §14.3,
 * higress-resources.md §5.5): when a request goes on to another endpoint or destination.
 */
#ifndef PLAN_NEXT_UPSTREAM_H
#define PLAN_NEXT_UPSTREAM_H

#include "plan/failover.h"
#include "resource/object.h"

/* Accident: a storm of attempts that one request makes. More is brought down to it, with a finding. */
#define NEXT_UPSTREAM_TRIES_MAX 16u

/* next_default when the Ingress says nothing. What cannot be understood counts as not said, with a finding. */
struct next_policy next_upstream_read(const struct object *ingress, struct findings *f);

/* The annotation timeout (seconds in the file, milliseconds here): how long the attempts of a request may take together
 * until its answer begins. 0: not said. */
uint32_t next_upstream_whole_ms(const struct object *ingress, struct findings *f);

#endif
