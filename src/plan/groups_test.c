/*
 * Random worlds with conditions on the model against a reference that follows the text of
 * higress-resources.md §5.2 and §5.3 and data-plane.md §14.1 without tables, groups or candidates; and
 * many routes of one path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <regex.h>

#include "base/clock.h"
#include "plan/decide.h"
#include "plan/groups.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define ROUTER                                                               \
	WORLD_PLUGIN("model-router",                                         \
		"  defaultConfig:\n    modelToHeader: x-higress-llm-model\n" \
		"    addProviderHeader: x-p\n  defaultConfigDisable: false\n")

struct dice {
	uint64_t s;
};

static unsigned roll(struct dice *d, unsigned n)
{
	d->s = d->s * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(d->s >> 33) % n;
}

/* --- what worlds are made of -------------------------------------------------------------------- */

enum kind { EXACT, PREFIX, EXPRESSION, WHOLE };

struct rule { /* an Ingress of one path */
	char name[16];
	const char *created, *host, *path, *method, *header, *query;
	enum kind kind;
	bool nocase;
	char how; /* of the condition on the model: e, p, r, or 0 */
	const char *model, *vendor;
};

struct request {
	const char *host, *path, *method, *header, *query, *model;
};

static const char *const hosts[] = {"*", "a.com", "*.a.com", "x.a.com"};
static const char *const paths[] = {"/", "/v1", "/v1/chat", "/V1", "/v2"};
static const char *const expressions[] = {"/v1.+", "/v[12]", "/V1", "/(v1|v2)/x"};
static const char *const methods[] = {NULL, NULL, NULL, "GET", "POST", "GET POST"};
static const char *const ages[] = {"", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"};
static const char *const names[] = {"a", "ab", "abc", "abd", "b", "v/a", "v/", "w/ab"};
static const char *const patterns[] = {
	"^(a|b.*)", "^(ab|abc.*|b)", "^(.*)", "a.", "[ab].*c", "^(v/.*)", "^(a|ab)"};

static const char *const asked_hosts[] = {"a.com", "x.a.com", "y.a.com", "b.com"};
static const char *const asked_paths[] = {"/", "/v1", "/v1/chat/x", "/V1/x", "/v2/x", "/q"};
static const char *const asked_models[] = {
	"", "a", "ab", "abc", "abcd", "abd", "b", "bc", "v/a", "v/ab", "w/ab", "c"};

/* Few of anything, so that routes meet. */
static void make_up(struct dice *d, struct rule *r, size_t i)
{
	*r = (struct rule){.nocase = roll(d, 5) == 0};
	snprintf(r->name, sizeof(r->name), "i%02zu", i * 7 % 60);
	r->created = ages[roll(d, ARRAY_LEN(ages))];
	r->host = hosts[roll(d, ARRAY_LEN(hosts))];
	r->kind = (enum kind)(roll(d, 8) < 5 ? PREFIX : roll(d, 4));
	r->path = r->kind >= EXPRESSION ? expressions[roll(d, ARRAY_LEN(expressions))]
					: paths[roll(d, ARRAY_LEN(paths))];
	r->method = methods[roll(d, ARRAY_LEN(methods))];
	r->header = roll(d, 4) == 0 ? "1" : NULL;
	r->query = roll(d, 6) == 0 ? "1" : NULL;
	r->vendor = roll(d, 8) == 0 ? "v" : NULL;
	r->how = "\0eeepppr"[roll(d, 8)];
	r->model = r->how == 'r' ? patterns[roll(d, ARRAY_LEN(patterns))]
		: r->how != 0    ? names[roll(d, ARRAY_LEN(names))]
				 : NULL;
}

static void annotate(struct text *t, const char *key, const char *value)
{
	if (value != NULL) {
		text_addf(t, "    higress.io/%s: '%s'\n", key, value);
	}
}

static void put(struct world *w, const struct rule *r)
{
	char created[40];
	struct text t;

	text_init(&t, 2000);
	annotate(&t, "match-method", r->method);
	annotate(&t, "ignore-path-case", r->nocase ? "true" : NULL);
	annotate(&t, "use-regex", r->kind == EXPRESSION ? "true" : NULL);
	annotate(&t, "full-path-regex", r->kind == WHOLE ? "true" : NULL);
	annotate(&t, "exact-match-header-x-a", r->header);
	annotate(&t, "exact-match-query-q", r->query);
	annotate(&t, "exact-match-header-x-p", r->vendor);
	annotate(&t,
		r->how == 'e'           ? "exact-match-header-x-higress-llm-model"
			: r->how == 'p' ? "prefix-match-header-x-higress-llm-model"
					: "regex-match-header-x-higress-llm-model",
		r->model);
	snprintf(created, sizeof(created), "\"%s\"", r->created);
	world_add_ingress(w,
		&(struct world_ingress){.name = r->name,
			.host = r->host,
			.type = r->kind == EXACT ? "Exact" : "Prefix",
			.path = r->path,
			.annotations = text_cstr(&t),
			.created = created});
	text_done(&t);
}

/* --- the reference ------------------------------------------------------------------------------ */

static bool matches(const char *pattern, const char *text, bool nocase)
{
	regex_t re;
	bool is;

	assert_int_equal(
		regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB | (nocase ? REG_ICASE : 0)), 0);
	is = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return is;
}

static bool path_holds(const struct rule *r, const char *path)
{
	char pattern[100];
	size_t n = strlen(r->path);
	struct bytes head = bytes_of(path, MIN(n, strlen(path)));
	bool same = r->nocase ? bytes_eq_nocase(bytes_str(r->path), head)
			      : bytes_eq(bytes_str(r->path), head);

	switch (r->kind) {
	case EXACT:
		return same && strlen(path) == n;
	case PREFIX:
		return n == 1 || (same && (path[n] == '\0' || path[n] == '/'));
	case EXPRESSION:
	case WHOLE:
		break;
	}
	snprintf(pattern, sizeof(pattern), r->kind == WHOLE ? "^%s$" : "^%s.*$", r->path);
	return matches(pattern, path, r->nocase);
}

static bool model_holds(const struct rule *r, const char *model)
{
	char pattern[100];

	if (r->how == 0 || *model == '\0') {
		return r->how == 0;
	}
	if (r->how == 'e') {
		return strcmp(r->model, model) == 0;
	}
	if (r->how == 'p') {
		return strncmp(r->model, model, strlen(r->model)) == 0;
	}
	snprintf(pattern, sizeof(pattern), "^(%s)$", r->model);
	return matches(pattern, model, false);
}

static bool holds(const struct rule *r, const struct request *q)
{
	const char *slash = strchr(q->model, '/');

	return path_holds(r, q->path) &&
		(r->method == NULL || strstr(r->method, q->method) != NULL) &&
		(r->header == NULL || strcmp(r->header, q->header) == 0) &&
		(r->query == NULL || strcmp(r->query, q->query) == 0) &&
		(r->vendor == NULL ||
			(slash != NULL &&
				bytes_eq(bytes_str(r->vendor),
					bytes_of(q->model, (size_t)(slash - q->model))))) &&
		model_holds(r, q->model);
}

static int order(long a, long b)
{
	return (a > b) - (a < b);
}

static bool is_catch_all(const struct rule *r)
{
	return r->kind == PREFIX && strcmp(r->path, "/") == 0 && r->method == NULL &&
		r->header == NULL && r->query == NULL && r->vendor == NULL && r->how == 0;
}

static long n_headers(const struct rule *r)
{
	return (r->header != NULL) + (r->vendor != NULL) + (r->how != 0);
}

static int by_age(const struct rule *x, const struct rule *y)
{
	int c = strcmp(x->created, y->created);

	return c != 0 ? c : strcmp(x->name, y->name);
}

/* The steps of the table of §5.3, in its order. */
static int precedence(const struct rule *x, const struct rule *y)
{
	long mx = x->method != NULL ? (long)strlen(x->method) : 1000;
	long my = y->method != NULL ? (long)strlen(y->method) : 1000;
	const int steps[] = {
		order(is_catch_all(x), is_catch_all(y)),
		order(MIN(x->kind, EXPRESSION), MIN(y->kind, EXPRESSION)),
		order((long)strlen(y->path), (long)strlen(x->path)),
		order(mx, my),
		order(n_headers(y), n_headers(x)),
		order(y->query != NULL, x->query != NULL),
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i] != 0) {
			return steps[i];
		}
	}
	return by_age(x, y);
}

static bool same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool agree(const struct rule *x, const struct rule *y)
{
	return same(x->host, y->host) && x->kind == y->kind && same(x->path, y->path) &&
		same(x->method, y->method) && same(x->header, y->header) &&
		same(x->query, y->query) && same(x->vendor, y->vendor);
}

/* §5.3: the older of two that say the same serves, whatever they say about case. */
static bool is_dropped(const struct rule *all, size_t n, const struct rule *r)
{
	for (size_t i = 0; i < n; i++) {
		const struct rule *o = &all[i];

		if (o != r && agree(o, r) && o->how == r->how && same(o->model, r->model) &&
			by_age(o, r) < 0) {
			return true;
		}
	}
	return false;
}

/* EQUAL, then the longer PRE, then other expressions; several predicates by the one that matched. */
static long closeness(const struct rule *r, const char *model)
{
	struct bytes rest;
	long best = 0;

	if (r->how != 'r') {
		return r->how == 'e' ? 1000 : r->how == 'p' ? 1 + (long)strlen(r->model) : 0;
	}
	if (strncmp(r->model, "^(", 2) != 0) {
		return 0;
	}
	rest = bytes_of(r->model + 2, strlen(r->model) - 3);
	while (rest.p != NULL) {
		struct bytes one = bytes_cut(&rest, '|');

		if (bytes_ends(one, BYTES(".*"))) {
			one.n -= 2;
			if (bytes_starts(bytes_str(model), one)) {
				best = MAX(best, 1 + (long)one.n);
			}
		} else if (bytes_eq(one, bytes_str(model))) {
			best = 1000;
		}
	}
	return best;
}

static const struct rule *in_scope(
	const struct rule *all, size_t n, const char *host, const struct request *q)
{
	const struct rule *first = NULL;
	const struct rule *best;

	for (size_t i = 0; i < n; i++) {
		const struct rule *r = &all[i];

		if (strcmp(r->host, host) == 0 && holds(r, q) && !is_dropped(all, n, r) &&
			(first == NULL || precedence(r, first) < 0)) {
			first = r;
		}
	}
	best = first;
	for (size_t i = 0; first != NULL && i < n; i++) {
		const struct rule *r = &all[i];
		long c;

		if (!agree(r, first) || r->nocase != first->nocase ||
			(r->how == 0) != (first->how == 0) || !holds(r, q) ||
			is_dropped(all, n, r)) {
			continue;
		}
		c = order(closeness(r, q->model), closeness(best, q->model));
		if (c > 0 || (c == 0 && by_age(r, best) < 0)) {
			best = r;
		}
	}
	return best;
}

static const struct rule *reference(const struct rule *all, size_t n, const struct request *q)
{
	const struct rule *r = in_scope(all, n, q->host, q);
	const char *dot = q->host;
	char scope[64];

	while (r == NULL && (dot = strchr(dot, '.')) != NULL) {
		snprintf(scope, sizeof(scope), "*%s", dot);
		r = in_scope(all, n, scope, q);
		dot++;
	}
	return r != NULL ? r : in_scope(all, n, "*", q);
}

/* --- the comparison ----------------------------------------------------------------------------- */

#define LIST_MAX 128u

static struct bytes header_of(void *of, struct bytes name)
{
	return bytes_eq(name, BYTES("x-a")) ? bytes_str(of) : (struct bytes){NULL, 0};
}

static void compare(const struct plan *p, const struct rule *all, size_t n,
	const struct request *ask, unsigned seed)
{
	const struct rule *want = reference(all, n, ask);
	const struct route *list[LIST_MAX], *leaders[LIST_MAX];
	char header[8], query[16];
	struct route_query q = {.host = bytes_str(ask->host),
		.path = bytes_str(ask->path),
		.method = method_of(bytes_str(ask->method)),
		.header = header_of,
		.header_of = header};
	struct route_model m;
	const struct route *got, *led;

	snprintf(header, sizeof(header), "%s", ask->header);
	snprintf(query, sizeof(query), "q=%s", ask->query);
	q.query = bytes_str(query);
	decide_model(p->router, bytes_str(ask->model), &m);
	got = plan_choose(list, plan_candidates(p, &q, list, LIST_MAX), &m);
	led = plan_choose(leaders, plan_leaders(p, &q, leaders, LIST_MAX), &m);
	if (got != led ||
		!bytes_eq(got != NULL ? got->name : BYTES("-"),
			bytes_str(want != NULL ? want->name : "-"))) {
		fail_msg("seed %u: %s %s%s?%s, x-a: %s, model \"%s\": " BYTES_FMT " and " BYTES_FMT
			 " instead of %s",
			seed, ask->method, ask->host, ask->path, query, header, ask->model,
			BYTES_ARG(got != NULL ? got->name : BYTES("-")),
			BYTES_ARG(led != NULL ? led->name : BYTES("-")),
			want != NULL ? want->name : "-");
	}
}

static void ask_all(
	const struct plan *p, const struct rule *all, size_t n, struct dice *d, unsigned seed)
{
	for (size_t h = 0; h < ARRAY_LEN(asked_hosts); h++) {
		for (size_t k = 0; k < ARRAY_LEN(asked_paths); k++) {
			for (size_t m = 0; m < ARRAY_LEN(asked_models); m++) {
				compare(p, all, n,
					&(struct request){.host = asked_hosts[h],
						.path = asked_paths[k],
						.method = roll(d, 2) != 0 ? "GET" : "POST",
						.header = roll(d, 2) != 0 ? "1" : "2",
						.query = roll(d, 2) != 0 ? "1" : "2",
						.model = asked_models[m]},
					seed);
			}
		}
	}
}

static void worlds_agree_with_the_text(void **state)
{
	struct rule all[60];
	unsigned last = getenv("WORLDS") != NULL ? (unsigned)atoi(getenv("WORLDS")) : 120;

	(void)state;
	for (unsigned seed = 1; seed <= last; seed++) {
		struct dice d = {seed};
		size_t n = 1 + roll(&d, 60);
		struct plan *p;
		struct world w;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add(&w, "wasmplugins/model-router.internal.yaml", ROUTER);
		for (size_t i = 0; i < n; i++) {
			make_up(&d, &all[i], i);
			put(&w, &all[i]);
		}
		p = world_plan(&w, &no_types);
		assert_int_equal(p->findings.errors, 0);
		ask_all(p, all, n, &d, seed);
		plan_free(p);
		world_done(&w);
	}
}

/* --- many routes of one path -------------------------------------------------------------------- */

#define MANY 10000u

static void add_many(struct world *w, unsigned n)
{
	static char annotation[200];

	for (unsigned i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "r%05u", i);
		snprintf(annotation, sizeof(annotation),
			"    higress.io/%s-match-header-x-higress-llm-model: 'model-%u'\n",
			i % 2 == 0 ? "exact" : "prefix", i);
		world_add_ingress(w,
			&(struct world_ingress){
				.name = name, .path = "/v1", .annotations = annotation});
	}
	world_add_ingress(w, &(struct world_ingress){.name = "rest", .path = "/"});
}

static const struct {
	const char *model, *route, *reason;
} many[] = {
	{"model-0", "r00000", "the first name"},
	{"model-9998", "r09998", "the last name"},
	{"model-9999", "r09999", "the last beginning, as a whole"},
	{"model-99990", "r09999", "the longest beginning of three"},
	{"model-4321-x", "r04321", "a beginning"},
	{"model-4320-x", "r00043", "a name is no beginning, but a shorter one is there"},
	{"model-", "rest", "less than every beginning"},
	{"", "rest", "no model"},
};

static void ten_thousand_models_are_one_candidate(void **state)
{
	const struct route_query q = {
		.host = BYTES("a.com"), .path = BYTES("/v1/chat"), .method = METHOD_POST};
	const struct route *leaders[4];
	struct world w;
	struct plan *p;
	uint64_t began;

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add(&w, "wasmplugins/model-router.internal.yaml", ROUTER);
	add_many(&w, MANY);
	p = world_plan(&w, &no_types);
	assert_int_equal(p->n_routes, MANY + 1);
	assert_int_equal(plan_leaders(p, &q, leaders, 4), 2);
	assert_int_equal(plan_candidates(p, &q, NULL, 0), MANY + 1);
	assert_int_equal(leaders[0]->group->n, MANY);
	assert_int_equal(leaders[0]->group->n_others, 0); /* nothing is asked one by one */
	assert_int_equal(leaders[0]->group->n_lengths, 4);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		const struct route_model m = {.name = bytes_str(many[i].model)};
		const struct route *r = plan_choose(leaders, 2, &m);

		if (r == NULL || !bytes_eq(r->name, bytes_str(many[i].route))) {
			fail_msg("%s: %s: " BYTES_FMT, many[i].model, many[i].reason,
				BYTES_ARG(r != NULL ? r->name : BYTES("-")));
		}
	}
	began = clock_mono_ns();
	for (unsigned i = 0; i < 100000; i++) {
		const struct route_model m = {.name = bytes_str(many[i % 8].model)};

		assert_int_equal(plan_leaders(p, &q, leaders, 4), 2);
		assert_non_null(plan_choose(leaders, 2, &m));
	}
	print_message("of %u routes, one is found in %llu ns\n", MANY,
		(unsigned long long)(clock_mono_ns() - began) / 100000);
	plan_free(p);
	world_done(&w);
}

/* --- callers ------------------------------------------------------------------------------------ */

#define KEY_AUTH                                                                                  \
	WORLD_PLUGIN("key-auth",                                                                  \
		"  defaultConfigDisable: false\n"                                                 \
		"  defaultConfig:\n    global_auth: false\n    keys: [x-api-key]\n"               \
		"    in_header: true\n    consumers:\n"                                           \
		"    - {name: c1, credential: k1}\n    - {name: c2, credential: k2}\n"            \
		"    - {name: c3, credential: k3}\n"                                              \
		"  matchRules:\n"                                                                 \
		"  - {ingress: [r00001, r00003], config: {allow: [c1]}, configDisable: false}\n"  \
		"  - {ingress: [r00002], config: {allow: [c2, c1]}, configDisable: false}\n"      \
		"  - {ingress: [r00000, r00004, r00005, r00006, r00007, r00008, r00009, rest],\n" \
		"     config: {allow: []}, configDisable: false}\n")

struct caller {
	const struct consumers *known;
	const char *name;
};

static const struct consumer *look_up(void *of, const struct consumers *c)
{
	const struct caller *caller = of;

	return c == caller->known ? map_get(&c->by_name, bytes_str(caller->name)) : NULL;
}

/* Whoever may use one of the routes passes before the body is read; whoever may use none does not. */
static void a_group_asks_what_its_routes_ask(void **state)
{
	static const struct {
		const char *name;
		enum auth_verdict verdict;
		const char *reason;
	} callers[] = {
		{"c1", AUTH_OK, "on the lists of three"},
		{"c2", AUTH_OK, "on the list of one"},
		{"c3", AUTH_REFUSED, "known, and on no list"},
		{"c4", AUTH_UNKNOWN, "not known"},
	};
	const struct route_query q = {
		.host = BYTES("a.com"), .path = BYTES("/v1/chat"), .method = METHOD_POST};
	const struct route *leaders[4];
	struct world w;
	struct plan *p;
	size_t n;

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add(&w, "wasmplugins/model-router.internal.yaml", ROUTER);
	world_add(&w, "wasmplugins/key-auth.internal.yaml", KEY_AUTH);
	add_many(&w, 10);
	p = world_plan(&w, &no_types);
	assert_int_equal(p->findings.errors, 0);
	n = plan_leaders(p, &q, leaders, 4);
	assert_int_equal(n, 2);
	assert_int_equal(leaders[0]->group->n_rules[AUTH_KEY], 1);
	for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
		struct caller caller = {p->consumers, callers[i].name};
		enum auth_verdict v = decide_identify(AUTH_KEY, leaders, n,
			&(struct decide_caller){look_up, &caller, BYTES("a.com")});

		if (v != callers[i].verdict) {
			fail_msg("%s: %s: %d", callers[i].name, callers[i].reason, (int)v);
		}
	}
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds_agree_with_the_text),
		cmocka_unit_test(ten_thousand_models_are_one_candidate),
		cmocka_unit_test(a_group_asks_what_its_routes_ask),
	};

	return cmocka_run_group_tests_name("plan/groups", tests, NULL, NULL);
}
