/*
 * The plan: what will happen to a request. A pure function of the resources: the same snapshot gives
 * the same plan and the same hash. Made of parts (services, providers, consumer sets, routes) that are
 * immutable; what outlives a plan is in cells (plan/cell.h), which are bound when it goes live.
 *
 * Compiled on a jobs thread, read by workers without locks, freed by control.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdatomic.h>

#include "base/hash.h"
#include "plan/cell.h"
#include "plan/failover.h"
#include "plan/global_config.h"
#include "plan/lane.h"
#include "plan/provider.h"
#include "plan/spread.h"
#include "resource/object.h"

/* One address of an upstream: a name or a literal, and a port. */
struct endpoint {
	struct bytes host; /* without brackets */
	uint16_t port;     /* 0: the service's instances have their own */
	/* NULL: host is resolved by DNS. Else host is the service's name, and its instances are asked for. */
	const struct discovered *ask;
	struct endpoint_cell *cell; /* bound when the plan goes live; NULL before */
};

/* <registry name>.<registry type> of the McpBridge. */
struct service {
	struct bytes name; /* "llm-lololo.internal.dns" */
	/* The registry's; a static one's endpoints have their own. 0: any, of one that is asked for. */
	uint16_t port;
	bool tls;
	struct bytes
		sni; /* the registry's own, or the host of a one-host dns registry; may be empty */
	struct endpoint *endpoints;
	size_t n_endpoints;
};

struct destination {
	const struct service *service;
	const struct provider
		*provider; /* NULL: no ai-proxy rule for (route, service): plain proxying */
	const struct mapping *mapping; /* of model-mapper for (route, service); NULL: none */
	/* The list of models of a provider that wants it listed; NULL: nobody asks for it. */
	const struct fetched_source *models;
	unsigned weight;            /* 0: no traffic but that of others that failed */
	struct lane_slot *upstream; /* NULL: nothing is kept about it */
	unsigned window;            /* of its model, in units of text (tokens); 0: not known */
};

/* The plugins that ask who calls (data-plane.md §12): by a key, and by a user's name and password. */
enum auth_plugin { AUTH_KEY, AUTH_BASIC, AUTH_PLUGINS };

struct consumer {
	struct bytes name;
};

enum key_source { KEY_IN_HEADER, KEY_IN_QUERY };

struct key_name { /* a place where credentials may stand */
	enum key_source source;
	struct bytes name; /* header names in lower case */
	uint8_t field_id;  /* enum field_id when the header is a known one */
};

/* A part: compiled from one configuration, immutable, and shared by the plans that follow one another
 * as long as that configuration stays as it is. Needs no other memory than its own. */
struct consumers {
	enum auth_plugin plugin; /* AUTH_BASIC: one place, and values are "user:password" */
	/* All places of all consumers, in file order, without repetition; what identify looks at. */
	struct key_name *places;
	size_t n_places;
	struct map by_key; /* (place index, value) → consumer; key bytes: index, then the value */
	int bearer_place; /* of BEARER credentials (key Authorization in header): second pass; -1: none */
	struct map by_name;
	struct consumer *v;
	size_t n;
	bool strict; /* strictCredential */
	struct bytes realm;
	int global_auth; /* -1 absent, 0 false, 1 true */
	bool has_rules;
	bool invalid; /* the configuration cannot be used: protected routes answer 503 */
	struct findings findings; /* of compiling it; every plan that uses it repeats them */
	struct {                  /* what it was compiled from; config 0: nothing */
		struct bytes file;
		uint64_t hash[2];        /* of the file */
		uint32_t config;         /* where in it the configuration ends */
		uint64_t config_hash[2]; /* of its bytes; 0: only the file's can tell */
		uint32_t line, column;   /* where it begins: findings name lines */
	} of;
	struct arena arena;
	atomic_uint refs;
};

struct consumer_set { /* one of a plan's: rules may bring their own */
	struct consumers *consumers;
	struct consumer_set *next;
};

/* What one of the plugins demands on a route. */
struct auth_rule {
	enum { AUTH_PASS, AUTH_ANY_CONSUMER, AUTH_ALLOW_LIST, AUTH_BROKEN, AUTH_BY_HOST } need;
	const struct consumers *consumers; /* whose credentials count; never NULL */
	const struct consumer **allow;     /* sorted by pointer */
	size_t n_allow;
	const struct auth_case *cases; /* AUTH_BY_HOST; in order, the last is for every host */
	size_t n_cases;
};

struct auth_case {
	const struct strings *domains; /* NULL: every host */
	struct auth_rule rule;         /* never AUTH_BY_HOST */
};

struct rewrite_target;

struct rewrite {
	struct bytes path; /* rewrite-path, or a rewrite-target without groups; empty: none */
	const struct rewrite_target *target; /* PATH_REGEX only, instead of path; NULL: none */
	struct bytes host;                   /* upstream-vhost; empty: none */
};

struct blocking_list;
struct cors;
struct fixed_answer;
struct header_control;
struct route_group;

struct route {
	struct bytes name; /* Ingress name: "ai-route-x.internal" */
	struct bytes host; /* lower case, "*" for every host, "*.a.com" */
	struct bytes path; /* without trailing slash for prefixes */
	enum { PATH_EXACT, PATH_PREFIX, PATH_REGEX } path_type;
	const struct condition *pattern; /* PATH_REGEX: for the whole path; path is its text */
	bool path_nocase;
	uint16_t methods;                 /* bit per enum method; 0: any */
	struct destination *destinations; /* usable ones only */
	size_t n_destinations;
	unsigned total_weight; /* 0: n_destinations is 0 and the answer 503 config.invalid */
	struct spread spread;
	unsigned turns;         /* which counter of turns is its own, below the plan's n_turns */
	struct auth_rule auth;  /* of key-auth */
	struct auth_rule basic; /* of basic-auth */
	struct rewrite rewrite;
	const struct header_control *headers; /* plan/header_control.h; NULL: none */
	const struct cors *cors;              /* plan/cors.h; NULL: none */
	const struct fixed_answer
		*fixed; /* plan/fixed_answer.h: no destination is asked; NULL: none */
	struct condition *const *conditions; /* plan/condition.h */
	size_t n_conditions;
	size_t n_header_conditions; /* of these; on the model too */
	bool asks_model;            /* one of them is on the model: known when the body was read */
	struct route_group *group;  /* plan/groups.h; NULL: asks no model */
	bool is_ai;                 /* some destination has a provider: the body is read */
	struct next_policy next;    /* other destinations, when one fails */
	const struct fallback *fallback; /* plan/failover.h; NULL: none */
	uint32_t timeout_ms;             /* of the whole exchange, up to its first byte; 0: none */
	const struct statistics *statistics;  /* plan/statistics.h; NULL: nothing more is logged */
	const struct blocking_list *blocking; /* plan/blocking.h; NULL: nothing is refused */
	unsigned rank;                        /* order inside its host, 0 first */
	bool ssl_redirect; /* over plain HTTP the answer is 308 to https (§5.6) */
	bool is_tools;     /* an MCP server of tools that nothing here runs: 501 mcp.unsupported */
};

enum method {
	METHOD_OTHER,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_CONNECT,
	METHOD_OPTIONS,
	METHOD_TRACE,
	METHOD_PATCH
};
enum method method_of(struct bytes name);
/* "" for METHOD_OTHER. */
const char *method_name(enum method m);

struct model_router;
struct statistics;
struct condition;
struct certificate;
struct certificates;

/* A second name of a host: what is asked of the one, and finds no route of that very name, has those of the other, and
 * its certificate where none covers the name. Lower case in a plan. */
struct plan_alias {
	struct bytes name, of;
};

struct plan {
	uint64_t version; /* counts up with every plan of the process; set by the caller */
	uint64_t hash[2];
	struct findings
		findings; /* errors do not make a plan unusable: what they concern is left out */
	size_t n_routes, n_providers, n_consumers, n_services, n_certificates;
	size_t n_fallbacks;                 /* routes that have one */
	size_t n_turns;                     /* counters of turns that whoever uses it keeps */
	const struct route *const *routes;  /* by host, then by rank */
	struct consumers *consumers;        /* of key-auth's default configuration; never NULL */
	struct consumer_set *consumer_sets; /* these and those of rules: a reference to each */
	struct endpoint **endpoints;        /* all, for binding */
	size_t n_endpoints;
	struct context_source *contexts; /* of providers */
	struct fetched_source *fetched;  /* those of contexts and of lists of models, for binding */
	struct lane_slot *lanes;         /* of credentials and upstreams, for binding */
	bool has_cors;                   /* a route has */
	bool has_basic;                  /* basic-auth demands something, somewhere */
	bool has_blocking;               /* a route has */
	bool asks_tls;                   /* a service is spoken to by TLS */
	struct plan_index *index;        /* host and path lookup (plan/match.c) */
	struct route_group *groups;      /* plan/groups.h */
	struct model_router *router;     /* never NULL */
	struct plan_alias alias;         /* name.n == 0: none */
	const struct route *inside;      /* plan/inside.h; NULL: none. Not among routes */
	struct endpoint *inside_endpoint;
	struct map pinned; /* provider id to struct route (plan/pinned.h) */
	struct global_config global;
	struct condition *regexes;         /* conditions with an expression, to be freed */
	struct certificates *certificates; /* plan/certificates.h; never NULL */
	struct arena arena;
};

struct plan_env { /* what compiling needs beside the resources */
	const struct provider_types *types;
	struct hash_seed seed;
	/* May be NULL. A plan that was compiled with the same seed, as a rule the one that is live: what
	 * has not changed since is taken from it. It must live until plan_compile has returned. */
	const struct plan *before;
	const struct plan_inside *inside; /* plan/inside.h; NULL: management has no route */
	const struct plan_alias *alias;   /* in any case; NULL: each host has one name */
};

/* Never NULL: what cannot be compiled is left out and said in plan->findings (with place and remedy). */
struct plan *plan_compile(const struct snapshot *s, const struct plan_env *env);
/* The hash that the plan of this snapshot has: equal ones need not be compiled. */
void plan_hash(const struct snapshot *s, uint64_t out[2]);
/* Cells must have been unbound. On any thread; other plans may be compiled or freed meanwhile. */
void plan_free(struct plan *p);

/* What a request asks, as far as routing needs it before the body was read. */
struct route_query {
	struct bytes host; /* without port, any case */
	struct bytes path; /* without query */
	enum method method;
	struct bytes query; /* as it was sent, without '?' */
	/* The value of a header field (name in lower case), those of several joined by ','; p NULL when
	 * there is none. May be NULL: no fields at all. Names with a colon in front ask for what HTTP/2
	 * calls pseudo headers: :authority with its port, :path with its query, :method, :scheme. */
	struct bytes (*header)(void *of, struct bytes name);
	void *header_of;
};

/* Candidates in order of precedence: all that match but for conditions on the model, up to and with the
 * first that has none; and those that differ from one of these in the values of such conditions only.
 * Puts at most max of them into out and returns how many there are; 0: no route (404).
 * higress-resources.md §5.2, §5.3. For who wants to see each; costs what their number is. */
size_t plan_candidates(
	const struct plan *p, const struct route_query *q, const struct route **out, size_t max);

/* The same, but of routes that differ in the values of conditions on the model only, just the first. Every
 * question to candidates (plan_choose, plan/decide.h) has the same answer for both lists. Its cost
 * does not grow with the number of hosts, paths and models. */
#define PLAN_LEADERS_MAX 16u
size_t plan_leaders(
	const struct plan *p, const struct route_query *q, const struct route **out, size_t max);
/* What plan_candidates lists, of leaders that are known. Returns how many there are; when these are more than
 * max, nothing is put into out. */
size_t plan_members(
	const struct route *const *leaders, size_t n_leaders, const struct route **out, size_t max);

struct route_model {
	struct bytes name;      /* of the body; empty: no condition on the model holds */
	struct bytes vendor;    /* what stands before the first '/', p NULL when there is none */
	struct bytes automatic; /* chosen by automatic routing; empty: that did not choose */
};

/* The first candidate whose conditions on the model hold; of those that differ in the values of these
 * conditions only, the one that describes the model most closely: EQUAL, then the longest PRE
 * (data-plane.md §14.1). NULL: none. */
const struct route *plan_choose(
	const struct route *const *candidates, size_t n, const struct route_model *m);

/* Chooses by weight; `pick` is in 0..route->total_weight-1: of spread_pick, or uniform. */
const struct destination *route_pick(const struct route *r, unsigned pick);

bool route_rewrites_path(const struct route *r);
/* The path after the route's rewrite, appended to out (higress-resources.md §5.6). */
void route_rewrite_path(const struct route *r, struct bytes path, struct text *out);

/* Whether a route, a consumer of that name is in the plan. */
bool plan_has_route(const struct plan *p, struct bytes name);
bool plan_has_consumer(const struct plan *p, struct bytes name);

/* The certificate for the name that a TLS client asks for (any case; n == 0: it names none). In this
 * order: what a domain or an Ingress names for that host, by the scopes of higress-resources.md §5.2;
 * a TLS Secret that covers the name; what stands for every host. NULL: none, the handshake is refused.
 * Valid as long as the plan, longer with a reference (certificate_ref). */
const struct certificate *plan_certificate(const struct plan *p, struct bytes name);

#endif
