/*
 * key-auth and basic-auth at request time (data-plane.md §12): who calls, and may they. Pure.
 */
#ifndef PLAN_AUTH_H
#define PLAN_AUTH_H

#include "plan/plan.h"

/* Longer credentials are refused in the configuration and unknown in a request: a JWT with many claims
 * has 4 KB, and a value is copied to the stack to be looked up. */
#define AUTH_VALUE_MAX 8192u
/* Places that are looked at per request; the cost of a request must not follow the consumers. */
#define AUTH_PLACES_MAX 64u

struct auth_header {
	struct bytes name, value;
	uint8_t id; /* enum field_id */
};

struct auth_query {
	const struct auth_header *headers; /* as the client sent them, in order */
	size_t n_headers;
	struct bytes query; /* raw, without '?'; p may be NULL */
};

struct auth_hit {
	const struct consumer *consumer; /* its name is "" in a list of anonymous credentials */
	enum key_source source;
	size_t header;      /* KEY_IN_HEADER: index of the header that held the credential */
	struct bytes whole; /* KEY_IN_QUERY: name=value as it stands in the query */
};

/* Statuses, so that a verdict can be the answer. */
enum auth_verdict { AUTH_OK = 0, AUTH_UNKNOWN = 401, AUTH_REFUSED = 403, AUTH_UNUSABLE = 503 };

/* AUTH_KEY: the places in their order, the first value of each; first hit wins. A query parameter counts
 * even when a header of its name holds something else. Then, unless strict, the usual API key headers
 * against the Bearer credentials. AUTH_BASIC: the first Authorization, when its scheme is Basic (RFC 7617;
 * padding may be missing). False when nobody is found. */
bool auth_identify(const struct consumers *c, const struct auth_query *q, struct auth_hit *out);

/* The rule that holds for a host (without port): rule itself, or one of its cases. */
const struct auth_rule *auth_rule_for(const struct auth_rule *rule, struct bytes host);
/* rule is none of AUTH_BY_HOST; consumer: as found among rule->consumers, NULL when nobody was. */
enum auth_verdict auth_verdict(const struct auth_rule *rule, const struct consumer *consumer);

/* Whom a user's name and password ("user:password") belong to; c is of AUTH_BASIC. NULL: nobody. */
const struct consumer *auth_find_user(const struct consumers *c, struct bytes pair);
/* What stands behind "Basic " in any case; p NULL: another scheme. */
struct bytes auth_basic_text(struct bytes value);

const struct auth_rule *auth_rule_of(const struct route *r, enum auth_plugin plugin);
/* "key-auth" */
const char *auth_plugin_name(enum auth_plugin plugin);

/* A credential as it is compared: outer blanks and a leading "Bearer " (any case) cut, unless strict. */
struct bytes auth_normal(struct bytes value, bool strict);

#endif
