/*
 * CORS of an Ingress (higress-resources.md §5.6): which web pages may read what a route answers.
 */
#ifndef PLAN_CORS_H
#define PLAN_CORS_H

#include "resource/object.h"

/* Origins, and names in each of the lists. */
#define CORS_ORIGINS_MAX 256u
#define CORS_LIST_MAX 8192u

struct cors_origin {
	struct bytes text; /* exact, or the ending */
	bool ending;
};

struct cors {
	struct cors_origin *origins;
	size_t n_origins;
	struct bytes methods, headers; /* for preflights; "*": whatever is asked for */
	struct bytes expose;           /* empty: nothing beyond what every page sees */
	struct bytes max_age;          /* seconds, decimal */
	bool credentials;
};

/* NULL: the Ingress has none. What cannot be used is said in findings and the default taken instead, but an
 * origin is never taken for more than it says. */
const struct cors *cors_read(const struct object *ingress, struct arena *a, struct findings *f);
bool cors_allows(const struct cors *c, struct bytes origin);
/* The same policy, written in another Ingress. */
bool cors_same(const struct cors *a, const struct cors *b);

#endif
