/*
 * basic-auth, through a whole plan: configuration, route, Authorization, verdict and who it was; and how it
 * goes together with key-auth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/consumers.h"
#include "plan/decide.h"
#include "plan/world.h"
#include "wire/base64.h"
#include "wire/field.h"

static const struct provider_types no_types = {NULL, 0};

#define DEFAULT "  defaultConfig:\n"
#define GLOBAL(value) "    global_auth: " value "\n"
#define PEOPLE \
	"    consumers:\n    - {name: c1, credential: 'u1:p1'}\n    - {name: c2, credential: 'u2:p:2'}\n"
#define RULE(config) "  matchRules:\n  - {ingress: [r], config: {" config "}}\n"

struct row {
	const char *id, *config, *route;
	const char *user;  /* "name:password", put into Base64; or NULL */
	const char *value; /* the field as it stands; NULL: of user, or none */
	int status;        /* 0: pass */
	const char *who;
	const char *reason;
};

/* As a boot script has it stored: a rule with consumers of its own and no list. */
#define LOCAL                                  \
	"  defaultConfigDisable: true\n" RULE( \
		"consumers: [{name: admin, credential: 'admin:Adm1n-pw'}]")

static const struct row rows[] = {
	{"local", LOCAL, "r", "admin:Adm1n-pw", NULL, 0, "admin", "the rule's own consumer"},
	{"local-none", LOCAL, "r", NULL, NULL, 401, NULL, "no credential"},
	{"local-wrong", LOCAL, "r", "admin:Adm1n-pX", NULL, 401, NULL, "another password"},
	{"local-longer", LOCAL, "r", "admin:Adm1n-pw1", NULL, 401, NULL, "a longer one"},
	{"local-user", LOCAL, "r", "admix:Adm1n-pw", NULL, 401, NULL, "another user"},
	{"local-other", LOCAL, "other", NULL, NULL, 0, NULL, "a route without a rule is open"},
	{"allowed", DEFAULT GLOBAL("false") PEOPLE RULE("allow: [c1]"), "r", "u1:p1", NULL, 0, "c1",
		"in the list"},
	{"refused", DEFAULT GLOBAL("false") PEOPLE RULE("allow: [c1]"), "r", "u2:p:2", NULL, 403,
		"c2", "known and not in the list; a password may hold a colon"},
	{"empty-list", DEFAULT GLOBAL("false") PEOPLE RULE("allow: []"), "r", "u2:p:2", NULL, 0,
		"c2", "an empty list is none: every known user"},
	{"empty-list-none", DEFAULT GLOBAL("false") PEOPLE RULE("allow: []"), "r", NULL, NULL, 401,
		NULL, "but a known one"},
	{"strangers", DEFAULT GLOBAL("false") PEOPLE RULE("allow: [zz]"), "r", "u1:p1", NULL, 403,
		"c1", "a list of strangers is not empty"},
	{"nothing", DEFAULT GLOBAL("false") PEOPLE RULE(""), "r", "u1:p1", NULL, 403, "c1",
		"a rule that names nobody admits nobody"},
	{"not-global", DEFAULT GLOBAL("false") PEOPLE RULE("allow: [c1]"), "other", NULL, NULL, 0,
		NULL, "no rule, not global"},
	{"global", DEFAULT GLOBAL("true") PEOPLE RULE("allow: [c1]"), "other", "u2:p:2", NULL, 0,
		"c2", "anybody known"},
	{"global-none", DEFAULT GLOBAL("true") PEOPLE RULE("allow: [c1]"), "other", NULL, NULL, 401,
		NULL, "but known"},
	{"everywhere", DEFAULT PEOPLE, "other", NULL, NULL, 401, NULL,
		"no rules and no global_auth: everybody must be known"},
	{"domain",
		DEFAULT GLOBAL("false") PEOPLE
		"  matchRules:\n  - {domain: [a.com], config: {allow: [c1]}}\n",
		"other", "u2:p:2", NULL, 403, "c2", "a rule for the host"},
	{"off", DEFAULT GLOBAL("true") PEOPLE RULE("_disable_: true"), "r", NULL, NULL, 0, NULL,
		"_disable_ opens the route"},
	{"encoded", DEFAULT "    consumers: [{name: e, credential: dTpw}]\n", "r", "u:p", NULL, 0,
		"e", "the credential is Base64 of u:p"},
	{"encoded-short", DEFAULT "    consumers: [{name: e, credential: dTpwcQ}]\n", "r", "u:pq",
		NULL, 0, "e", "without its padding"},
	{"no-colon", DEFAULT "    consumers: [{name: e, credential: abcd}]\n", "r", "abcd", NULL,
		401, NULL, "Base64 of no pair is no credential"},
	{"list", DEFAULT "    credentials: ['u:p', 'x:y']\n", "r", "x:y", NULL, 0, "",
		"credentials without names"},
	{"case", DEFAULT PEOPLE, "r", NULL, "bASIC dTE6cDE=", 0, "c1", "a scheme has no case"},
	{"blanks", DEFAULT PEOPLE, "r", NULL, "Basic   dTE6cDE= ", 0, "c1", "blanks are cut"},
	{"no-padding", DEFAULT PEOPLE, "r", NULL, "Basic dTE6cDE", 0, "c1",
		"padding may be missing"},
	{"bearer", DEFAULT PEOPLE, "r", NULL, "Bearer dTE6cDE=", 401, NULL, "another scheme"},
	{"plain", DEFAULT PEOPLE, "r", NULL, "Basic u1:p1", 401, NULL, "not encoded"},
	{"bare", DEFAULT PEOPLE, "r", NULL, "Basic", 401, NULL, "a scheme is no credential"},
	{"bare-blank", DEFAULT PEOPLE, "r", NULL, "Basic ", 401, NULL, "nor with a blank"},
	{"odd", DEFAULT PEOPLE, "r", NULL, "Basic dTE6c", 401, NULL,
		"five characters are no bytes"},
	{"nul", DEFAULT PEOPLE, "r", NULL, "Basic dTE6cDEA", 401, NULL,
		"a zero byte behind it counts"},
	{"encrypted", DEFAULT "    encrypted: true\n" PEOPLE, "r", "u1:p1", NULL, 503, NULL,
		"what cannot be checked is no open door"},
	{"both-forms", DEFAULT PEOPLE "    credentials: ['a:b']\n", "r", "u1:p1", NULL, 503, NULL,
		"consumers and credentials exclude each other"},
	{"bad-list", DEFAULT GLOBAL("false") PEOPLE RULE("allow: c1"), "r", "u1:p1", NULL, 503,
		NULL, "allow is a list"},
	{"strings", "  defaultConfigDisable: true\n" RULE("consumers: [admin]"), "r", NULL, NULL,
		401, NULL, "consumers that are none protect all the same"},
};

static void add_routes(struct world *w)
{
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add_ingress(w, &(struct world_ingress){.name = "r", .host = "a.com", .path = "/r"});
	world_add_ingress(
		w, &(struct world_ingress){.name = "other", .host = "a.com", .path = "/other"});
}

/* What the client sends; room has space for it. */
static struct auth_header field_of(const struct row *row, char *room)
{
	struct auth_header h = {BYTES("Authorization"), bytes_str(row->value), FIELD_AUTHORIZATION};

	if (row->user != NULL) {
		memcpy(room, "Basic ", 6);
		h.value = bytes_of(room, 6 + base64_encode(room + 6, bytes_str(row->user)));
	}
	return h;
}

static void check_row(const struct row *row)
{
	char file[2048], path[20], room[200];
	struct auth_header h = field_of(row, room);
	struct auth_query q = {&h, h.value.p != NULL, {NULL, 0}};
	struct auth_hit hit = {0};
	const struct route *r;
	struct plan *p;
	struct world w;
	bool found;
	int status;

	snprintf(file, sizeof(file), "%s%s", WORLD_PLUGIN("basic-auth", ""), row->config);
	snprintf(path, sizeof(path), "/%s", row->route);
	world_init(&w);
	add_routes(&w);
	world_add(&w, "wasmplugins/basic-auth-1.0.0.yaml", file);
	p = world_plan(&w, &no_types);
	r = world_route(p, "a.com", path, METHOD_GET);
	assert_non_null(r);
	assert_true(p->has_basic);
	assert_int_equal(r->auth.need, AUTH_PASS);
	found = auth_identify(r->basic.consumers, &q, &hit);
	status = (int)auth_verdict(&r->basic, found ? hit.consumer : NULL);
	if (status != row->status ||
		(row->who != NULL &&
			(!found || !bytes_eq(hit.consumer->name, bytes_str(row->who))))) {
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

/* --- beside key-auth ---------------------------------------------------------------------------- */

struct caller {
	const char *key, *user; /* what is known of each plugin's consumers; NULL: nobody */
};

static const struct consumer *look_up(void *of, const struct consumers *c)
{
	const struct caller *who = of;
	const char *name = c->plugin == AUTH_BASIC ? who->user : who->key;

	return name != NULL ? consumers_find(c, bytes_str(name)) : NULL;
}

static struct decide_caller asks(struct caller *who)
{
	return (struct decide_caller){look_up, who, BYTES("a.com")};
}

static const struct consumer *who_counts(
	const struct plan *p, const char *path, struct caller *caller)
{
	const struct decide_caller by = asks(caller);

	return decide_consumer(world_route(p, "a.com", path, METHOD_GET), &by);
}

/* Each plugin has rules and consumers of its own; whom key-auth knows is who counts. */
static void both_are_asked(void **state)
{
	struct caller both = {"k", "c1"}, user = {NULL, "c1"}, nobody = {NULL, NULL};
	const struct decide_caller by_both = asks(&both), by_user = asks(&user),
				   by_nobody = asks(&nobody);
	const struct route *r;
	struct world w;
	struct plan *p;

	(void)state;
	world_init(&w);
	add_routes(&w);
	world_add(&w, "wasmplugins/key-auth.internal.yaml",
		WORLD_PLUGIN("key-auth",
			DEFAULT GLOBAL("false") "    consumers: [{name: k, credential: kk}]\n" RULE(
				"allow: [k]")));
	world_add(&w, "wasmplugins/basic-auth-1.0.0.yaml",
		WORLD_PLUGIN("basic-auth", DEFAULT GLOBAL("true") PEOPLE));
	p = world_plan(&w, &no_types);
	r = world_route(p, "a.com", "/r", METHOD_GET);
	assert_int_equal(decide_verdict(AUTH_KEY, r, &by_both), 0);
	assert_int_equal(decide_verdict(AUTH_BASIC, r, &by_both), 0);
	assert_int_equal(decide_verdict(AUTH_KEY, r, &by_user), 401);
	assert_int_equal(decide_verdict(AUTH_BASIC, r, &by_user), 0);
	assert_int_equal(decide_verdict(AUTH_BASIC, r, &by_nobody), 401);
	assert_string_equal(
		decide_auth_reason(AUTH_BASIC, AUTH_UNKNOWN), "basic-auth.invalid_credential");
	assert_true(bytes_eq(who_counts(p, "/r", &both)->name, BYTES("k")));
	assert_true(bytes_eq(who_counts(p, "/other", &both)->name, BYTES("c1")));
	assert_int_equal(decide_identify(AUTH_BASIC, &r, 1, &by_nobody), 401);
	assert_true(plan_has_consumer(p, BYTES("k")) && plan_has_consumer(p, BYTES("c2")));
	plan_free(p);
	world_done(&w);
}

/* Neither a password nor its Base64 stands in what is said about a configuration. */
static void credentials_are_never_said(void **state)
{
	struct world w;
	struct plan *p;
	struct text t;

	(void)state;
	world_init(&w);
	add_routes(&w);
	world_add(&w, "wasmplugins/basic-auth-1.0.0.yaml",
		WORLD_PLUGIN("basic-auth",
			DEFAULT "    consumers:\n    - {name: a, credential: 'u:s3cret'}\n"
				"    - {name: b, credential: 'u:s3cret'}\n"
				"    - {name: c, credential: s3cret}\n"
				"    - {credential: 'u:s3cret'}\n    - s3cret\n"));
	p = world_plan(&w, &no_types);
	assert_non_null(world_finding(&p->findings, "credential-shared"));
	assert_non_null(world_finding(&p->findings, "consumer-invalid"));
	text_init(&t, 65536);
	for (const struct finding *f = p->findings.first; f != NULL; f = f->next) {
		finding_format(f, &t);
	}
	assert_null(strstr(text_cstr(&t), "s3cret"));
	assert_non_null(strstr(text_cstr(&t), "basic-auth: "));
	text_done(&t);
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(both_are_asked),
		cmocka_unit_test(credentials_are_never_said),
	};

	return cmocka_run_group_tests_name("plan/basic_auth", tests, NULL, NULL);
}
