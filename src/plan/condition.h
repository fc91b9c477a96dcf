/*
 * Conditions of a route on header fields, query parameters and the model (higress-resources.md §5.4,
 * §5.7). A header that the model router sets stands for the model: whether such a condition holds is
 * known only when the body was read.
 */
#ifndef PLAN_CONDITION_H
#define PLAN_CONDITION_H

#include "base/regex.h"
#include "plan/model_router.h"
#include "plan/plan.h"
#include "resource/object.h"

/* ON_AUTOMATIC: the header that automatic routing sets, where another one stands for the model. */
enum condition_on { ON_HEADER, ON_QUERY, ON_MODEL, ON_VENDOR, ON_AUTOMATIC };

/* A text that a value may be, or begin with. */
struct alternative {
	struct bytes text;
	bool prefix;
};

struct condition {
	enum condition_on on;
	struct bytes name; /* of the header (in lower case) or parameter */
	struct alternative *any;
	size_t n_any;
	struct regex *regex;    /* instead of alternatives */
	char how;               /* 'e'xact, 'p'refix, 'r'egex: the annotation's, with raw */
	struct bytes raw;       /* for telling routes apart */
	struct bytes beginning; /* of a path: of every one that matches */
	struct condition *next; /* of all of a plan, to be freed */
};

struct conditions_input {
	const struct model_router *router;
	struct condition **all; /* of the plan */
	struct arena *arena;
	struct findings *findings;
};

struct conditions {
	struct condition **v; /* in a fixed order, whatever that of the annotations */
	size_t n;
	size_t n_headers; /* model and vendor included */
	size_t n_queries;
	bool asks_model; /* has one on the model or the vendor */
};

/* Of the annotations of an Ingress. False when one cannot be evaluated, or never holds: said in
 * findings, and the routes are to be left out. */
MUST_CHECK bool conditions_read(
	const struct object *ingress, const struct conditions_input *in, struct conditions *out);
void conditions_free(struct condition *all);
/* An expression that a whole path must match; NULL and *fault for one that is none. */
MUST_CHECK const struct condition *condition_of_path(
	struct bytes pattern, const struct conditions_input *in, struct fault *fault);

/* Whether `key` (without higress.io/) is a condition that is read here. */
bool condition_is_key(struct bytes key);

/* Whether it is known only when the body was read. */
bool condition_asks_model(const struct condition *c);

/* Whether a condition on the model asks for exactly this one. */
bool conditions_name(const struct route *r, struct bytes model);
/* Of those that need no body: the first that does not hold; NULL: all hold. */
const struct condition *conditions_refusing(const struct route *r, const struct route_query *q);
/* The same of those on the model. */
const struct condition *conditions_refusing_model(
	const struct route *r, const struct route_model *m);
/* How closely those on the model describe it; 0: they do not hold, 1: there is none, or an expression. */
size_t conditions_fit(const struct route *r, const struct route_model *m);
/* Whether those on the vendor hold. */
bool conditions_take_vendor(const struct route *r, const struct route_model *m);
/* How closely a name does, and a beginning of n bytes: the longer, the closer. */
#define CONDITION_EQUAL SIZE_MAX
static inline size_t condition_beginning(size_t n)
{
	return n + 2;
}
/* What they look at, as the request has it; p NULL when it has none. */
struct bytes condition_value(const struct condition *c, const struct route_query *q);
struct bytes condition_model(const struct condition *c, const struct route_model *m);

#endif
