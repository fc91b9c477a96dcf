/*
 * CORS of a route: which web pages may read what it answers, and which may ask at all. Of the annotations of an Ingress
 * (higress-resources.md §5.6), or of the plugin cors (plan/cors_rules.h), which goes before them and refuses.
 */
#ifndef PLAN_CORS_H
#define PLAN_CORS_H

#include "resource/object.h"

/* Origins, and names in each of the lists. */
#define CORS_ORIGINS_MAX 256u
#define CORS_LIST_MAX 8192u
/* Attack: a long origin, tried at each of its bytes by each pattern. Names of hosts have 253 bytes. */
#define CORS_ORIGIN_MAX 512u
/* What both use that say nothing else. */
#define CORS_METHODS "GET, PUT, POST, DELETE, PATCH, OPTIONS"
#define CORS_HEADERS                                                                         \
	"DNT,X-CustomHeader,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-" \
	"Control,Content-Type,Authorization"
#define CORS_MAX_AGE "1728000"

struct cors_origin {
	struct bytes text; /* exact, the ending, or a pattern in which '*' stands for any bytes */
	bool ending, pattern;
	struct bytes
		ports; /* of a pattern, "8080,9090"; "*": any, or none. Empty: text has it, or there is none */
};

struct cors_case {                     /* of a route for several hosts, in order */
	const struct strings *domains; /* NULL: every host */
	const struct cors *policy;     /* NULL: none */
};

struct cors {
	struct cors_case *cases; /* NULL: this is the policy; else it is one of these */
	size_t n_cases;
	struct cors_origin *origins;
	size_t n_origins;
	struct bytes methods, headers; /* for preflights; "*": whatever is asked for */
	struct bytes expose;           /* empty: nothing beyond what every page sees */
	struct bytes max_age;          /* seconds, decimal */
	bool credentials;
	bool refuses;    /* what it does not allow is answered 403 */
	bool any_origin; /* which is said as "*" */
};

/* NULL: the Ingress has none. What cannot be used is said in findings and the default taken instead, but an
 * origin is never taken for more than it says. */
const struct cors *cors_read(const struct object *ingress, struct arena *a, struct findings *f);
/* The policy for a host (without port); NULL: none. c may be NULL. */
const struct cors *cors_for(const struct cors *c, struct bytes host);
bool cors_allows(const struct cors *c, struct bytes origin);
/* The same policy, written in another Ingress. */
bool cors_same(const struct cors *a, const struct cors *b);

enum cors_verdict { CORS_OK, CORS_ORIGIN, CORS_METHOD, CORS_FIELDS };
/* What a policy that refuses says of a request; fields: those that a preflight announces, p NULL: none. */
enum cors_verdict cors_judge(
	const struct cors *c, struct bytes origin, struct bytes method, struct bytes fields);
/* "cors.refused_origin"; static. */
const char *cors_reason(enum cors_verdict v);
/* Whether a page of that origin asks the host that it came from. Behind a proxy that ends TLS its scheme is another. */
bool cors_is_own(struct bytes origin, struct bytes authority);

#endif
