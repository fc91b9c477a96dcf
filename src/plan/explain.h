/*
 * Why a request gets the route that it gets, and why not each other one: for `sluice explain`, which asks
 * about a request that never was, and for the record that an administrator can ask the gateway for. Both
 * use what the data path uses (plan/decide.h, plan_candidates, plan_choose), so they cannot say something
 * else. Pure; the cost follows the routes of the request's host, so nothing here is for every request.
 */
#ifndef PLAN_EXPLAIN_H
#define PLAN_EXPLAIN_H

#include "plan/decide.h"

/* Routes that an explanation names, the nearest of those that there are: what a person can read. */
#define EXPLAIN_ROUTES_MAX 64u
/* Of the compact form, in bytes: what goes into a header without surprising anybody. */
#define EXPLAIN_LINE_MAX 2048u

enum explain_why {
	EXPLAIN_CHOSEN,
	EXPLAIN_PATH,
	EXPLAIN_METHOD,
	EXPLAIN_HEADER, /* a condition on a header or pseudo header */
	EXPLAIN_QUERY,
	EXPLAIN_MODEL,  /* a condition on the model, its vendor, or what automatic routing chose */
	EXPLAIN_CLOSER, /* takes the model; the chosen one describes it more closely */
	EXPLAIN_LATER,  /* would take it; another one comes first */
	EXPLAIN_UNREAD  /* a candidate, but the request is answered before the body is read */
};
/* "path"; static. */
const char *explain_why_name(enum explain_why w);

struct explain_route {
	const struct route *route;
	enum explain_why why;
	const struct condition *condition; /* that does not hold; NULL: none */
	struct bytes value;                /* what it saw; p NULL: the request has no such thing */
	enum auth_verdict auth;   /* of candidates only: of the first plugin that refuses */
	enum auth_plugin auth_by; /* that one */
	bool candidate;
	size_t nearness;
};

/* What has been decided, by the steps of an exchange or by explain_request. */
struct explain_decided {
	const struct route_query *query;
	const struct route *const *candidates;
	size_t n_candidates;
	const struct route *route;       /* NULL: none was chosen */
	const struct route_model *model; /* NULL: the choice by the model was not reached */
	struct decide_caller caller;
};

struct explain_routes {
	struct explain_route *v; /* in the order of precedence; nearest scope of the host first */
	size_t n;
	size_t n_further; /* of the host's routes, that are not in v */
	size_t n_other;   /* routes of other hosts */
};

/* At most `look_max` routes are looked at beside the candidates; what is made is in the arena, its texts
 * are the plan's and the query's. False: no room in the arena. */
MUST_CHECK bool explain_routes(const struct plan *p, const struct explain_decided *d,
	size_t look_max, struct arena *a, struct explain_routes *out);

struct explain_field {
	struct bytes name, value;
	uint8_t id; /* enum field_id */
	bool hop;   /* wire/field.h */
};

struct explain_request {
	struct bytes method;                /* "POST" */
	struct bytes authority;             /* the host with its port, as the client writes it */
	struct url url;                     /* path, query and host, the latter as it was parsed */
	const struct explain_field *fields; /* in order, Host among them */
	size_t n_fields;
	bool tls;
	bool has_body;      /* JSON, or multipart where the Content-Type says so */
	struct bytes model; /* that the body names; empty: none */
	struct bytes text;  /* the user's last message, for automatic routing */
	/* A credential that stands wherever the configuration looks for one; empty: only what headers
	 * and query say. Or the consumer's name. */
	struct bytes key, consumer;
};

struct explain_destination {
	const struct destination *to;
	unsigned status;    /* 0: the request would be sent there */
	const char *reason; /* as in data-plane.md §11; NULL */
	struct bytes model; /* as it is sent */
	struct bytes target, host;
	struct bytes tls_name; /* empty: no TLS, or the name that is connected to */
};

struct explain {
	unsigned status;    /* 0: it would be sent on */
	const char *reason; /* of the answer otherwise */
	struct bytes text;  /* one sentence */
	const struct route *route;
	const struct consumer *consumer;
	const struct consumer
		*known; /* whom the credential names, asked for or not; NULL: nobody */
	enum api api;
	bool asked; /* routes were; else `routes` is empty */
	bool routes_by_model, reads_body;
	bool screens_body;   /* request-block compares it with texts, and may refuse it */
	struct bytes model;  /* after the model router */
	struct bytes chosen; /* by automatic routing */
	struct explain_routes routes;
	struct explain_destination *destinations; /* those with a weight first */
	size_t n_destinations;
};

/* What would happen. Everything in the arena, which is large enough for the plan's routes. */
void explain_request(const struct plan *p, const struct explain_request *rq, struct arena *a,
	struct explain *out);

/* What is edited on the way to a destination: names for programs, "model"; how many of at most max. */
#define EXPLAIN_EDITS_MAX 16u
size_t explain_edits(const struct explain *e, const struct explain_request *rq,
	const struct explain_destination *to, const char *out[EXPLAIN_EDITS_MAX]);

/* For people: "exact", "prefix", "expression". */
const char *explain_path_type(const struct route *r);
/* "header", "query", "model". */
const char *explain_subject(const struct condition *c);
/* "exact", "prefix", "regex". */
const char *explain_how(const struct condition *c);
/* "GET, POST"; nothing for any. */
void explain_put_methods(const struct route *r, struct text *out);
/* Why not, in half a sentence; chosen may be NULL. */
void explain_put_why(const struct explain_route *e, const struct route *chosen, struct text *out);

/* One line of printable ASCII for a header: what was decided, then `refused=name:why(name),…`. Bytes that
 * are no token are percent-encoded. */
struct explain_line {
	unsigned status; /* 0: sent on */
	const char *reason;
	struct bytes route, consumer, provider, model, upstream_model, service;
	struct bytes
		bridged_to; /* the model that it was taken for, when that is another than the client's */
	const struct explain_routes *routes;
	size_t max; /* bytes that refused routes may lengthen it to; at most EXPLAIN_LINE_MAX */
};
void explain_put_line(const struct explain_line *l, struct text *out);

#endif
