/*
 * key-auth: rows of data-plane.md §12 and §22.5, through a whole plan: configuration, route, request,
 * verdict and who it was.
 */
#include "plan/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/consumers.h"
#include "plan/world.h"
#include "wire/field.h"

static const struct provider_types no_types = {NULL, 0};

/* --- configurations ----------------------------------------------------------------------------- */

#define PEOPLE                                        \
	"    keys: [Authorization]\n    consumers:\n" \
	"    - {name: c1, credential: Bearer t1}\n    - {name: c2, credential: Bearer t2}\n"
#define ALLOW_C1 "  matchRules:\n  - {ingress: [r], config: {allow: [c1]}}\n"
#define GLOBAL(value) "    global_auth: " value "\n"
#define DEFAULT "  defaultConfig:\n"

/* Config K of the spec. */
#define K(global) DEFAULT global PEOPLE ALLOW_C1

/* As Console writes it (higress-resources.md §4.2). */
#define CONSOLE                                                                            \
	DEFAULT "    allow: []\n    consumers:\n"                                          \
		"    - credentials: [Bearer 123456-xxx]\n      in_header: true\n"          \
		"      in_query: false\n      keys: [Authorization]\n      name: labubu\n" \
		"    - {name: hans, credentials: [k-h1, k-h2], keys: [x-api-key], "        \
		"in_header: true, in_query: false}\n"                                      \
		"    - {name: quinn, credentials: [k-q], keys: [apikey], in_header: "      \
		"false, in_query: true}\n"                                                 \
		"    global_auth: false\n    keys: [x-higress-dummy-key]\n"                \
		"  defaultConfigDisable: false\n"                                          \
		"  matchRules:\n  - {ingress: [r], configDisable: false, config: "         \
		"{allow: [labubu, hans, quinn]}}\n"

#define USUAL DEFAULT "    consumers:\n    - {name: u, credential: t}\n"

#define LOCAL(global, more)                                                      \
	DEFAULT global PEOPLE "  matchRules:\n  - {ingress: [r], config: {" more \
			      "consumers: [{name: l, credential: tl}], keys: [x-api-key]}}\n"

struct row {
	const char *id, *config;
	const char *route;
	const char *header, *value; /* one header; NULL: none */
	const char *query;
	int status; /* 0: pass */
	const char *who;
	const char *reason;
};

#define AUTHZ "Authorization"

static const struct row rows[] = {
	{"G096", K(GLOBAL("false")), "r", AUTHZ, "Bearer t1", NULL, 0, "c1", "allowed"},
	{"G097", K(GLOBAL("false")), "r", AUTHZ, "Bearer t2", NULL, 403, "c2", "not in allow"},
	{"G098", K(GLOBAL("false")), "r", NULL, NULL, NULL, 401, NULL, "no key"},
	{"G098b", K(GLOBAL("false")), "r", AUTHZ, "Bearer zz", NULL, 401, NULL, "a wrong key"},
	{"G099", K(GLOBAL("false")), "other", NULL, NULL, NULL, 0, NULL, "no rule, not global"},
	{"G100", K(GLOBAL("true")), "other", AUTHZ, "Bearer t2", NULL, 0, "c2", "anybody known"},
	{"G100b", K(GLOBAL("true")), "other", NULL, NULL, NULL, 401, NULL, "but known"},
	{"G100c", K(GLOBAL("true")), "r", AUTHZ, "Bearer t2", NULL, 403, "c2", "the rule holds"},
	{"absent-1", K(""), "other", NULL, NULL, NULL, 0, NULL,
		"with rules and without global_auth: pass"},
	{"absent-2", K(""), "r", AUTHZ, "Bearer t2", NULL, 403, "c2", "and the rule holds"},
	{"G101", DEFAULT PEOPLE, "r", NULL, NULL, NULL, 401, NULL,
		"no rules and no global_auth: everybody must be known"},
	{"norules-false", DEFAULT GLOBAL("false") PEOPLE, "r", NULL, NULL, NULL, 0, NULL,
		"no rules, not global: pass"},
	{"norules-true", DEFAULT GLOBAL("true") PEOPLE, "r", AUTHZ, "Bearer t2", NULL, 0, "c2",
		"any consumer"},
	{"G102",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {ingress: [r], config: {allow: "
					       "[]}}\n",
		"r", AUTHZ, "Bearer t1", NULL, 403, "c1", "an empty list admits nobody"},
	{"G102b",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {ingress: [r], config: "
					       "{allow: []}}\n",
		"r", NULL, NULL, NULL, 401, NULL, "401 comes before 403"},
	{"missing-allow",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {ingress: [r], "
					       "config: {}}\n",
		"r", AUTHZ, "Bearer t1", NULL, 403, "c1", "nor does a missing one"},
	{"no-config", DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {ingress: [r]}\n", "r",
		AUTHZ, "Bearer t1", NULL, 403, "c1", "nor a rule without config"},
	{"G57",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {ingress: [r], configDisable: "
					       "true, config: {allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 0, NULL, "a disabled rule is none"},
	{"off",
		DEFAULT GLOBAL("true") PEOPLE "  matchRules:\n  - {ingress: [r], config: "
					      "{_disable_: true}}\n",
		"r", NULL, NULL, NULL, 0, NULL, "_disable_ opens the route"},
	{"unknown-allow",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {ingress: [r], "
					       "config: {allow: [nobody]}}\n",
		"r", AUTHZ, "Bearer t1", NULL, 403, "c1", "a list of strangers admits nobody"},

	{"G103", K(""), "r", AUTHZ, "bearer  t1", NULL, 0, "c1", "scheme without case, blanks cut"},
	{"G58", CONSOLE, "r", "authorization", "BEARER 123456-xxx", NULL, 0, "labubu",
		"scheme without case"},
	{"plain", CONSOLE, "r", AUTHZ, "123456-xxx", NULL, 0, "labubu",
		"Bearer is cut on both sides"},
	{"bearer-only", CONSOLE, "r", AUTHZ, "Bearer", NULL, 401, NULL, "a scheme is no key"},
	{"bearer-blank", CONSOLE, "r", AUTHZ, "Bearer ", NULL, 401, NULL, "nor with a blank"},
	{"basic", CONSOLE, "r", AUTHZ, "Basic 123456-xxx", NULL, 401, NULL, "another scheme"},
	{"case", CONSOLE, "r", AUTHZ, "Bearer 123456-xxX", NULL, 401, NULL, "keys have case"},
	{"header", CONSOLE, "r", "X-Api-Key", "k-h2", NULL, 0, "hans", "any of several"},
	{"header-wrong", CONSOLE, "r", AUTHZ, "Bearer k-h2", NULL, 401, NULL,
		"a key counts in its own place"},
	{"query", CONSOLE, "r", NULL, NULL, "a=b&apikey=k-q", 0, "quinn", "in the query"},
	{"query-escaped", CONSOLE, "r", NULL, NULL, "apikey=k%2Dq", 0, "quinn", "decoded"},
	{"query-bad", CONSOLE, "r", NULL, NULL, "apikey=k%2", 401, NULL, "a bad escape is no key"},
	{"query-header", CONSOLE, "r", "apikey", "k-q", NULL, 401, NULL, "not in a header"},
	{"header-query", CONSOLE, "r", NULL, NULL, "x-api-key=k-h1", 401, NULL, "nor in a query"},
	{"second-x", CONSOLE, "r", "x-api-key", "123456-xxx", NULL, 0, "labubu",
		"Anthropic clients bring the Bearer key in their own header"},
	{"second-api", CONSOLE, "r", "api-key", "123456-xxx", NULL, 0, "labubu", "Azure's"},
	{"second-goog", CONSOLE, "r", "x-goog-api-key", "123456-xxx", NULL, 0, "labubu",
		"Gemini's"},
	{"second-query", CONSOLE, "r", NULL, NULL, "key=123456-xxx", 401, NULL,
		"queries take no part in the second pass"},
	{"second-plain", CONSOLE, "r", "api-key", "k-h1", NULL, 401, NULL,
		"only Bearer credentials do"},
	{"dummy", CONSOLE, "r", "x-higress-dummy-key", "k-h1", NULL, 401, NULL,
		"the global key of Console is nobody's"},
	{"G104", DEFAULT "    consumers:\n    - {name: c3, credential: t3, keys: [x-api-key]}\n",
		"r", NULL, NULL, "x-api-key=t3", 0, "c3", "header and query by default"},
	{"usual-1", USUAL, "r", AUTHZ, "Bearer t", NULL, 0, "u", "the usual places without keys"},
	{"usual-2", USUAL, "r", "x-goog-api-key", "t", NULL, 0, "u", "one of them"},
	{"usual-3", USUAL, "r", NULL, NULL, "key=t", 0, "u", "and the query parameter key"},
	{"usual-4", USUAL, "r", NULL, NULL, "api-key=t", 401, NULL, "only that"},
	{"number", DEFAULT "    consumers:\n    - {name: n, credentials: [123456]}\n", "r", AUTHZ,
		"Bearer 123456", NULL, 0, "n", "G135: a number is taken as text"},

	{"strict-1", DEFAULT "    strictCredential: true\n" PEOPLE, "r", AUTHZ, "Bearer t1", NULL,
		0, "c1", "exact text"},
	{"strict-2", DEFAULT "    strictCredential: true\n" PEOPLE, "r", AUTHZ, "bearer t1", NULL,
		401, NULL, "scheme with case"},
	{"strict-3", DEFAULT "    strictCredential: true\n" PEOPLE, "r", AUTHZ, "t1", NULL, 401,
		NULL, "nothing cut"},
	{"strict-4", DEFAULT "    strictCredential: true\n" PEOPLE, "r", "x-api-key", "t1", NULL,
		401, NULL, "no second pass"},

	{"local-1", LOCAL(GLOBAL("false"), ""), "r", "x-api-key", "tl", NULL, 0, "l",
		"a rule's own consumers"},
	{"local-2", LOCAL(GLOBAL("false"), ""), "r", AUTHZ, "Bearer t1", NULL, 401, NULL,
		"differs: enforced also when global_auth is false"},
	{"local-3", LOCAL(GLOBAL("true"), ""), "other", "x-api-key", "tl", NULL, 401, NULL,
		"they count on their route only"},
	{"local-4", LOCAL(GLOBAL("true"), "allow: [c1], "), "r", "x-api-key", "tl", NULL, 403, "l",
		"differs: allow and own consumers both apply"},
	{"local-5", LOCAL("", "allow: [l], "), "r", "x-api-key", "tl", NULL, 0, "l", "in both"},
	{"anonymous-1", DEFAULT "    credentials: [Bearer a, b]\n    keys: [Authorization]\n", "r",
		AUTHZ, "Bearer b", NULL, 0, "", "a list without names"},
	{"anonymous-2", DEFAULT "    credentials: [a]\n    keys: [x-k]\n" ALLOW_C1, "r", "x-k", "a",
		NULL, 0, "", "to which no allow list applies"},
	{"anonymous-3", DEFAULT "    credentials: [a]\n    keys: [x-k]\n" ALLOW_C1, "r", "x-k", "b",
		NULL, 401, NULL, "but the keys do"},

	{"shared",
		DEFAULT "    consumers:\n    - {name: first, credential: Bearer t}\n"
			"    - {name: second, credential: t}\n",
		"r", AUTHZ, "t", NULL, 0, "first", "one credential of two: the first of the file"},
	{"bad-entry",
		DEFAULT "    consumers:\n    - {credential: t}\n    - {name: x}\n    - {name: "
			"ok, credential: o}\n",
		"r", AUTHZ, "o", NULL, 0, "ok", "an entry that cannot be used is left out"},
	{"bad-entry-2",
		DEFAULT "    consumers:\n    - {name: x, credential: a, credentials: [b]}\n", "r",
		AUTHZ, "a", NULL, 401, NULL, "and nobody gets in by it"},
	{"empty-credential", DEFAULT "    consumers:\n    - {name: x, credential: 'Bearer '}\n",
		"r", AUTHZ, "", NULL, 401, NULL, "an empty key is none"},
	{"broken-1", DEFAULT "    global_auth: maybe\n" PEOPLE, "r", AUTHZ, "Bearer t1", NULL, 503,
		NULL, "fail closed: nobody knows whether it was meant"},
	{"broken-2", DEFAULT "    consumers: {name: x}\n" ALLOW_C1, "r", NULL, NULL, NULL, 503,
		NULL, "G106: an invalid configuration is no open door"},
	{"broken-3", DEFAULT "    consumers: {name: x}\n" ALLOW_C1, "other", NULL, NULL, NULL, 0,
		NULL, "routes that it never protected stay open"},
	{"broken-4", DEFAULT PEOPLE "    credentials: [x]\n", "r", AUTHZ, "Bearer t1", NULL, 503,
		NULL, "consumers and credentials exclude each other"},
	{"broken-5", DEFAULT "    in_header: false\n    in_query: false\n" PEOPLE, "r", AUTHZ,
		"Bearer t1", NULL, 503, NULL, "no place at all"},
	{"broken-6", DEFAULT PEOPLE "  matchRules:\n  - {ingress: [r], config: {allow: c1}}\n", "r",
		AUTHZ, "Bearer t1", NULL, 503, NULL, "allow is a list"},
	{"broken-7", DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {config: {allow: [c1]}}\n",
		"r", AUTHZ, "Bearer t1", NULL, 503, NULL,
		"a rule without target may be meant for every route"},
	{"broken-8", "  pluginConfig: {consumers: []}\n" ALLOW_C1, "other", NULL, NULL, NULL, 503,
		NULL, "what is not read may protect"},
	{"disabled-1", "  defaultConfigDisable: true\n", "r", NULL, NULL, NULL, 0, NULL,
		"G52: a plugin without default and rules is not loaded"},
	{"disabled-2", "  defaultConfigDisable: true\n" K(""), "r", AUTHZ, "Bearer t1", NULL, 401,
		NULL, "consumers of a disabled default are nobody"},
	{"disabled-3",
		"  defaultConfigDisable: true\n  matchRules:\n  - {ingress: [r], "
		"configDisable: true, config: {}}\n",
		"r", NULL, NULL, NULL, 0, NULL, "G52: as the first route leaves it"},
	{"domain-1",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: [A.com], config: "
					       "{allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 401, NULL, "a rule for the host of the route"},
	{"domain-2",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: ['*.com'], "
					       "config: {allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 401, NULL, "a suffix"},
	{"domain-3",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: ['a.*'], config: "
					       "{allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 401, NULL, "a prefix"},
	{"domain-4",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: [b.com], config: "
					       "{allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 0, NULL, "another host"},
	{"domain-5",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: [b.com], config: "
					       "{allow: [c1]}}\n",
		"every", NULL, NULL, NULL, 0, NULL,
		"one of the hosts of the route, and not the one that is asked"},
	{"domain-7",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: [b.com], config: "
					       "{allow: [c2]}}\n  - {domain: [a.com], config: "
					       "{allow: [c1]}}\n",
		"every", AUTHZ, "Bearer t1", NULL, 0, "c1", "the one that is asked"},
	{"domain-8",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: [b.com], config: "
					       "{allow: [c2]}}\n  - {domain: [a.com], config: "
					       "{allow: [c1]}}\n",
		"every", NULL, NULL, NULL, 401, NULL, "which wants a key"},
	{"domain-9",
		DEFAULT GLOBAL("true") PEOPLE "  matchRules:\n  - {domain: [b.com], config: "
					      "{_disable_: true}}\n",
		"every", NULL, NULL, NULL, 401, NULL, "open for another host only"},
	{"domain-6",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {domain: ['*'], config: "
					       "{allow: [c1]}}\n",
		"every", NULL, NULL, NULL, 401, NULL, "all hosts"},
	{"service-1",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {service: [up.static], "
					       "config: {allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 401, NULL, "a rule for the upstream"},
	{"service-2",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {service: "
					       "['up.static:80'], config: {allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 401, NULL, "with its port"},
	{"service-3",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {service: "
					       "['up.static:81'], config: {allow: [c1]}}\n",
		"r", NULL, NULL, NULL, 0, NULL, "another port"},
	{"service-4",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {service: [up.static], "
					       "config: {allow: [c1]}}\n",
		"two", NULL, NULL, NULL, 503, NULL,
		"one of two upstreams is protected: fail closed"},
	{"both",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {ingress: [r], service: "
					       "[else.static], config: {allow: []}}\n"
					       "  - {ingress: [r], service: [up.static], config: "
					       "{allow: [c1]}}\n",
		"r", AUTHZ, "Bearer t1", NULL, 0, "c1", "ingress and service: both must match"},
	{"order",
		DEFAULT GLOBAL("false") PEOPLE "  matchRules:\n  - {service: [up.static], "
					       "config: {allow: [c2]}}\n"
					       "  - {ingress: [r], config: {allow: [c1]}}\n",
		"r", AUTHZ, "Bearer t1", NULL, 403, "c1", "the first rule of the file"},
};

static void add_routes(struct world *w)
{
	world_add(w, "mcpbridges/default.yaml",
		WORLD_REGISTRIES(
			WORLD_UP "  - {name: b, type: static, domain: '127.0.0.1:2', port: 80}\n"));
	world_add_ingress(w, &(struct world_ingress){.name = "r", .host = "a.com", .path = "/r"});
	world_add_ingress(
		w, &(struct world_ingress){.name = "other", .host = "a.com", .path = "/other"});
	world_add_ingress(w, &(struct world_ingress){.name = "every", .path = "/every"});
	world_add_ingress(w,
		&(struct world_ingress){.name = "two",
			.host = "a.com",
			.path = "/two",
			.destination = "\"50% up.static\\n50% b.static\""});
}

static void check_row(const struct row *row)
{
	char file[4096], path[20];
	struct auth_header header = {
		.name = bytes_str(row->header), .value = bytes_str(row->value)};
	struct auth_query q = {&header, row->header != NULL, bytes_str(row->query)};
	struct auth_hit hit = {0};
	const struct auth_rule *rule;
	const struct route *r;
	struct plan *p;
	struct world w;
	bool found;
	int status;

	snprintf(file, sizeof(file), "%s%s", WORLD_PLUGIN("key-auth", ""), row->config);
	snprintf(path, sizeof(path), "/%s", row->route);
	header.id = (uint8_t)field_id_of(header.name);
	world_init(&w);
	add_routes(&w);
	world_add(&w, "wasmplugins/key-auth.internal.yaml", file);
	p = world_plan(&w, &no_types);
	r = world_route(p, "a.com", path, METHOD_GET);
	assert_non_null(r);
	rule = auth_rule_for(&r->auth, BYTES("a.com"));
	assert_non_null(rule->consumers);
	found = auth_identify(rule->consumers, &q, &hit);
	status = (int)auth_verdict(rule, found ? hit.consumer : NULL);
	if (status != row->status || (row->who != NULL && !found) ||
		(row->who != NULL && !bytes_eq(hit.consumer->name, bytes_str(row->who)))) {
		world_print(&p->findings);
		fail_msg("%s: %s: got %d " BYTES_FMT, row->id, row->reason, status,
			BYTES_ARG(found ? hit.consumer->name : BYTES("-")));
	}
	plan_free(p);
	world_done(&w);
}

static void verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(&rows[i]);
	}
}

/* --- where it was found ------------------------------------------------------------------------- */

#define SEVERAL                                                                            \
	DEFAULT "    consumers:\n    - {name: a, credential: ka, keys: [x-a]}\n"           \
		"    - {name: b, credential: kb, keys: [X-B]}\n"                           \
		"    - {name: z, credential: Bearer kz, keys: [Authorization], in_query: " \
		"false}\n"

static struct plan *plan_of(struct world *w, const char *plugin)
{
	world_init(w);
	add_routes(w);
	world_add(w, "wasmplugins/key-auth.internal.yaml", plugin);
	return world_plan(w, &no_types);
}

/* console-api.md D22 */
static void a_users_rule_that_higress_would_not_load(void **state)
{
	static const struct {
		const char *file, *consumers;
		bool open;
		const char *reason;
	} cases[] = {
		{"key-auth-1.0.0", "[gk-1]", true, "texts: clients count on an open route"},
		{"key-auth-1.0.0", "[null]", true, "an empty key"},
		{"key-auth-1.0.0", "[{name: a, credential: k}]", false, "one that can be read"},
		{"key-auth.internal", "[gk-1]", false, "the Console's own never opens a route"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char path[100], text[500];
		const struct route *r;
		struct plan *p;
		struct world w;

		world_init(&w);
		add_routes(&w);
		snprintf(path, sizeof(path), "wasmplugins/%s.yaml", cases[i].file);
		snprintf(text, sizeof(text),
			WORLD_PLUGIN("key-auth",
				"  defaultConfigDisable: true\n  matchRules:\n"
				"  - {ingress: [r], config: {consumers: %s}}\n"),
			cases[i].consumers);
		world_add(&w, path, text);
		p = world_plan(&w, &no_types);
		r = world_route(p, "a.com", "/r", METHOD_GET);
		assert_non_null(r);
		if ((r->auth.need == AUTH_PASS) != cases[i].open ||
			(world_finding(&p->findings, "consumer-list-ignored") != NULL) !=
				cases[i].open) {
			world_print(&p->findings);
			fail_msg("%s %s: %s", cases[i].file, cases[i].consumers, cases[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

static void the_place_is_told(void **state)
{
	struct auth_header headers[] = {
		{BYTES("x-b"), BYTES("kb"), FIELD_OTHER},
		{BYTES("X-A"), BYTES(" ka "), FIELD_OTHER},
		{BYTES("x-a"), BYTES("other"), FIELD_OTHER},
		{BYTES("api-key"), BYTES("kz"), FIELD_API_KEY},
	};
	struct auth_query q = {headers, ARRAY_LEN(headers), BYTES("y=1&X-B=kb&z=2")};
	struct auth_hit hit;
	struct world w;
	struct plan *p = plan_of(&w, WORLD_PLUGIN("key-auth", SEVERAL));

	(void)state;
	/* Of several credentials the first place counts, whatever the order of the headers. */
	assert_true(auth_identify(p->consumers, &q, &hit));
	assert_true(bytes_eq(hit.consumer->name, BYTES("a")));
	assert_int_equal(hit.source, KEY_IN_HEADER);
	assert_int_equal(hit.header, 1);
	/* The first value of a header alone counts; then the next place. */
	headers[1].value = BYTES("wrong");
	headers[2].value = BYTES("ka");
	assert_true(auth_identify(p->consumers, &q, &hit));
	assert_int_equal(hit.header, 0);
	headers[0].value = BYTES("wrong");
	assert_true(auth_identify(p->consumers, &q, &hit));
	assert_int_equal(hit.source, KEY_IN_QUERY);
	assert_true(bytes_eq(hit.whole, BYTES("X-B=kb")));
	/* The second pass tells its header too. */
	q.query = BYTES("");
	assert_true(auth_identify(p->consumers, &q, &hit));
	assert_true(bytes_eq(hit.consumer->name, BYTES("z")));
	assert_int_equal(hit.source, KEY_IN_HEADER);
	assert_int_equal(hit.header, 3);
	q.n_headers = 3;
	hit.header = 77;
	assert_false(auth_identify(p->consumers, &q, &hit));
	assert_int_equal(hit.header, 77); /* untouched */
	plan_free(p);
	world_done(&w);
}

/* --- findings ----------------------------------------------------------------------------------- */

static const struct {
	const char *config, *code, *reason;
	bool error;
} findings[] = {
	{WORLD_PLUGIN("key-auth", K("")), "rule-unknown-ingress", "no Ingress of that name (no-r)",
		false},
	{WORLD_PLUGIN("key-auth",
		 DEFAULT "    consumers:\n    - {name: a, credential: x}\n    - "
			 "{name: b, credential: x}\n"),
		"credential-shared", "two consumers, one credential", false},
	{WORLD_PLUGIN("key-auth",
		 DEFAULT PEOPLE "  matchRules:\n  - {ingress: [r], config: {allow: [nobody]}}\n"),
		"allow-unknown-consumer", "allow names nobody", false},
	{WORLD_PLUGIN("key-auth", DEFAULT "    consumers:\n    - {credential: x}\n"),
		"consumer-invalid", "no name", true},
	{WORLD_PLUGIN("key-auth", DEFAULT "    consumers: 5\n"), "key-auth-invalid", "no list",
		true},
	{WORLD_PLUGIN("key-auth", "  matchRules:\n  - {config: {}}\n"), "rule-without-target",
		"no target", true},
};

static void what_is_odd_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(findings); i++) {
		struct world w;
		struct plan *p;
		const struct finding *f;

		world_init(&w);
		if (i != 0) {
			add_routes(&w);
		}
		world_add(&w, "wasmplugins/key-auth.internal.yaml", findings[i].config);
		p = world_plan(&w, &no_types);
		f = world_finding(&p->findings, findings[i].code);
		if (f == NULL || (f->level == FINDING_ERROR) != findings[i].error || f->line == 0) {
			world_print(&p->findings);
			fail_msg("%s: %s", findings[i].code, findings[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

static void credentials_are_never_said(void **state)
{
	struct world w;
	struct plan *p = plan_of(&w,
		WORLD_PLUGIN("key-auth",
			DEFAULT "    consumers:\n    - {name: a, credential: sk-1}\n"
				"    - {name: b, credential: sk-1, credentials: [sk-1]}\n"
				"    - {name: c, credentials: [sk-1, 42, {sk-1: sk-1}]}\n"
				"    - {credential: sk-1}\n    - sk-1\n"));
	struct text t;

	(void)state;
	assert_true(p->findings.n >= 5);
	text_init(&t, 65536);
	for (const struct finding *f = p->findings.first; f != NULL; f = f->next) {
		finding_format(f, &t);
	}
	assert_null(strstr(text_cstr(&t), "sk-1"));
	text_done(&t);
	plan_free(p);
	world_done(&w);
}

/* What may be key-auth is there, but was never read: no route is open, whatever else is configured. */
static void an_unread_one_closes_all(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct route *r;
		struct world w;
		struct plan *p;

		world_init(&w);
		add_routes(&w);
		if (i == 1) {
			world_add(&w, "wasmplugins/key-auth.internal.yaml",
				WORLD_PLUGIN("key-auth", K(GLOBAL("false"))));
		}
		w.snapshot->guard_unread = true;
		p = world_plan(&w, &no_types);
		r = world_route(p, "a.com", "/other", METHOD_GET);
		assert_non_null(r);
		assert_int_equal(auth_verdict(&r->auth, NULL), AUTH_UNUSABLE);
		assert_non_null(world_finding(&p->findings, "key-auth-invalid"));
		plan_free(p);
		world_done(&w);
	}
}

/* Two instances run one after the other in Higress. One that demands nothing of a route is no matter;
 * two that do cannot be obeyed both. */
static void a_second_instance_never_opens(void **state)
{
	static const struct {
		const char *path;
		int status;
	} want[] = {{"/r", 503}, {"/other", 401}};
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	add_routes(&w);
	world_add(&w, "wasmplugins/key-auth.internal.yaml",
		WORLD_PLUGIN("key-auth", K(GLOBAL("false"))));
	world_add(&w, "wasmplugins/key-auth-2.yaml",
		WORLD_PLUGIN("key-auth",
			DEFAULT PEOPLE "  matchRules:\n  - {ingress: [r, other], "
				       "config: {allow: [c2]}}\n"));
	p = world_plan(&w, &no_types);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct route *r = world_route(p, "a.com", want[i].path, METHOD_GET);

		assert_int_equal(auth_verdict(&r->auth, NULL), want[i].status);
	}
	plan_free(p);
	world_done(&w);
}

/* --- limits ------------------------------------------------------------------------------------- */

static struct consumers *compile(struct world *w, struct text *config)
{
	static const struct hash_seed seed = {3, 4};
	struct object *o = world_add(w, "wasmplugins/key-auth.internal.yaml", text_cstr(config));

	return consumers_compile(AUTH_KEY, o->u.wasmplugin.config, o, &seed);
}

static bool finds(const struct consumers *c, struct bytes value, struct auth_hit *hit)
{
	struct auth_header h = {BYTES("authorization"), value, FIELD_AUTHORIZATION};
	struct auth_query q = {&h, 1, {NULL, 0}};

	return auth_identify(c, &q, hit);
}

static void long_credentials(void **state)
{
	static char value[AUTH_VALUE_MAX + 2];
	struct auth_hit hit;
	struct consumers *c;
	struct world w;
	struct text t;

	(void)state;
	memset(value, 'k', sizeof(value));
	world_init(&w);
	text_init(&t, 1 << 20);
	text_add_str(&t, WORLD_PLUGIN("key-auth", DEFAULT "    consumers:\n"));
	text_addf(&t, "    - {name: longest, credential: %.*s}\n", (int)AUTH_VALUE_MAX, value);
	text_addf(&t, "    - {name: over, credential: %.*s}\n", (int)AUTH_VALUE_MAX + 1, value);
	c = compile(&w, &t);
	assert_int_equal(c->findings.errors, 1);
	assert_true(finds(c, bytes_of(value, AUTH_VALUE_MAX), &hit));
	assert_true(bytes_eq(hit.consumer->name, BYTES("longest")));
	assert_false(finds(c, bytes_of(value, AUTH_VALUE_MAX + 1), &hit));
	assert_false(finds(c, bytes_of(value, AUTH_VALUE_MAX - 1), &hit));
	consumers_unref(c);
	text_done(&t);
	world_done(&w);
}

static void places_are_counted(void **state)
{
	struct consumers *c;
	struct world w;
	struct text t;

	(void)state;
	world_init(&w);
	text_init(&t, 1 << 20);
	text_add_str(&t, WORLD_PLUGIN("key-auth", DEFAULT "    consumers:\n"));
	for (int i = 0; i < 70; i++) {
		text_addf(&t, "    - {name: n%d, credential: k, keys: [x-%d], in_query: false}\n",
			i, i);
	}
	c = compile(&w, &t);
	assert_int_equal(c->n_places, AUTH_PLACES_MAX);
	assert_int_equal(c->findings.errors, 70 - AUTH_PLACES_MAX);
	assert_non_null(consumers_find(c, BYTES("n63")));
	assert_null(consumers_find(c, BYTES("n64")));
	consumers_unref(c);
	text_done(&t);
	world_done(&w);
}

static void many_consumers(void **state)
{
	enum { N = 20000 };
	struct auth_hit hit;
	struct consumers *c;
	struct world w;
	struct text t;
	char value[40];

	(void)state;
	world_init(&w);
	text_init(&t, 16 << 20);
	text_add_str(&t, WORLD_PLUGIN("key-auth", DEFAULT "    consumers:\n"));
	for (int i = 0; i < N; i++) {
		text_addf(&t,
			"    - {name: consumer-%d, credentials: [Bearer sk-%d], keys: "
			"[Authorization], in_header: true, in_query: false}\n",
			i, i * 7);
	}
	c = compile(&w, &t);
	assert_int_equal(c->n, N);
	assert_int_equal(c->n_places, 1);
	for (int i = 0; i < N * 7; i++) {
		struct bytes v = {value, (size_t)snprintf(value, sizeof(value), "Bearer sk-%d", i)};

		assert_int_equal(finds(c, v, &hit), i % 7 == 0);
	}
	assert_true(finds(c, BYTES("sk-7"), &hit));
	assert_true(bytes_eq(hit.consumer->name, BYTES("consumer-1")));
	consumers_unref(c);
	text_done(&t);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(a_users_rule_that_higress_would_not_load),
		cmocka_unit_test(the_place_is_told),
		cmocka_unit_test(what_is_odd_is_said),
		cmocka_unit_test(credentials_are_never_said),
		cmocka_unit_test(an_unread_one_closes_all),
		cmocka_unit_test(a_second_instance_never_opens),
		cmocka_unit_test(long_credentials),
		cmocka_unit_test(places_are_counted),
		cmocka_unit_test(many_consumers),
	};

	return cmocka_run_group_tests_name("plan/auth", tests, NULL, NULL);
}
