/*
 * Requests to routes: the golden rows, and random worlds against a reference that follows the text of
 * higress-resources.md §5.2 and §5.3 step by step without any table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

/* --- golden sets -------------------------------------------------------------------------------- */

static const struct world_ingress m1[] = {
	{.name = "A", .host = "foo.com", .path = "/foo"},
	{.name = "B", .host = "foo.com", .path = "/foo", .type = "Exact"},
	{.name = "C", .host = "foo.com", .path = "/bar"},
	{.name = "D", .host = "foo.com", .path = "/cat/"},
};

static const struct world_ingress m2[] = {
	{.name = "W", .host = "*.foo.com", .path = "/"},
	{.name = "X", .host = "www.foo.com", .path = "/bar", .type = "Exact"},
	{.name = "Y", .host = "*.com", .path = "/y"},
	{.name = "Z", .path = "/z"},
};

static const struct world_ingress methods[] = {
	{.name = "any", .host = "a.com", .path = "/v"},
	{.name = "get",
		.host = "a.com",
		.path = "/v",
		.annotations = "    higress.io/match-method: get\n"},
	{.name = "many",
		.host = "a.com",
		.path = "/v",
		.annotations = "    higress.io/match-method: GET PoST nonsense\n"},
	{.name = "root-put",
		.host = "a.com",
		.path = "/",
		.annotations = "    higress.io/match-method: PUT\n"},
	{.name = "exact-post",
		.host = "a.com",
		.path = "/v",
		.type = "Exact",
		.annotations = "    higress.io/match-method: POST\n"},
	{.name = "catch", .host = "a.com", .path = "/"},
	{.name = "everywhere", .path = "/"},
};

static const struct world_ingress cases[] = {
	{.name = "lower",
		.host = "A.com",
		.path = "/API/v1",
		.annotations = "    "
			       "higress.io/"
			       "ignore-path-"
			       "case: "
			       "\"true\"\n"},
	{.name = "nginx",
		.host = "a.com",
		.path = "/N",
		.annotations = "    nginx.ingress.kubernetes.io/ignore-path-case: \"true\"\n"
			       "    higress.io/ignore-path-case: \"false\"\n"},
	{.name = "strict", .host = "a.com", .path = "/api", .created = "\"2026-01-01T00:00:00Z\""},
	{.name = "loose",
		.host = "a.com",
		.path = "/Api",
		.created = "\"2026-01-02T00:00:00Z\"",
		.annotations = "    higress.io/ignore-path-case: \"true\"\n"},
	{.name = "exact",
		.host = "a.com",
		.path = "/E/x",
		.type = "Exact",
		.annotations = "    higress.io/ignore-path-case: \"true\"\n"},
};

static const struct world_ingress types[] = {
	{.name = "impl", .host = "a.com", .path = "/i", .type = "ImplementationSpecific"},
	{.name = "none-star", .host = "a.com", .path = "/s/*", .type = "\"\""},
	{.name = "none-dot", .host = "a.com", .path = "/d.*", .type = "\"\""},
	{.name = "prefix-star", .host = "a.com", .path = "/p/*"},
	{.name = "empty", .host = "b.com", .path = ""},
	{.name = "slash", .host = "c.com", .path = "/x/", .type = "Exact"},
};

#define REGEX "    higress.io/use-regex: \"true\"\n"
#define WHOLE "    higress.io/full-path-regex: \"true\"\n"

static const struct world_ingress patterns[] = {
	{.name = "digits", .host = "a.com", .path = "/r_\\d+", .annotations = REGEX},
	{.name = "digits-whole", .host = "a.com", .path = "/w_\\d+", .annotations = WHOLE},
	{.name = "longer", .host = "a.com", .path = "/r_\\d+/longer", .annotations = REGEX},
	{.name = "nocase",
		.host = "a.com",
		.path = "/Case/.+",
		.annotations = REGEX "    higress.io/ignore-path-case: \"true\"\n"},
	{.name = "or", .host = "a.com", .path = "/x|/y", .annotations = REGEX},
	{.name = "short", .host = "a.com", .path = "/r_1/longer/still"},
	{.name = "exact-type",
		.host = "a.com",
		.path = "/e.",
		.type = "Exact",
		.annotations = REGEX},
	{.name = "slash", .host = "a.com", .path = "/s/", .annotations = REGEX},
	{.name = "slashless", .host = "a.com", .path = "/s", .annotations = REGEX},
	{.name = "post",
		.host = "a.com",
		.path = "/m.*",
		.annotations = REGEX "    higress.io/match-method: POST\n"},
	{.name = "catch", .host = "a.com", .path = "/"},
};

#define SET(s) s, ARRAY_LEN(s)

static const struct golden {
	const char *id;
	const struct world_ingress *set;
	size_t n;
	const char *host, *path;
	enum method method;
	const char *route; /* NULL: 404 */
	const char *reason;
} golden[] = {
	{"regex-1", SET(patterns), "a.com", "/r_12", METHOD_GET, "digits", "a beginning matches"},
	{"regex-2", SET(patterns), "a.com", "/r_12beta/x", METHOD_GET, "digits",
		"p.* does not end at a segment"},
	{"regex-3", SET(patterns), "a.com", "/a/r_12", METHOD_GET, "catch", "anchored in front"},
	{"regex-4", SET(patterns), "a.com", "/r_12/longer", METHOD_GET, "longer",
		"the longer text first"},
	{"regex-5", SET(patterns), "a.com", "/r_1/longer/still", METHOD_GET, "short",
		"any prefix before any expression"},
	{"regex-6", SET(patterns), "a.com", "/w_12", METHOD_GET, "digits-whole", "the whole path"},
	{"regex-7", SET(patterns), "a.com", "/w_12/x", METHOD_GET, "catch",
		"and nothing behind it"},
	{"regex-8", SET(patterns), "a.com", "/cASE/x", METHOD_GET, "nocase", "ignore-path-case"},
	{"regex-9", SET(patterns), "a.com", "/case/", METHOD_GET, "catch",
		"one character at least"},
	{"regex-10", SET(patterns), "a.com", "/yz", METHOD_GET, "or",
		"the end belongs to the last alternative"},
	{"regex-11", SET(patterns), "a.com", "/xz", METHOD_GET, "catch", "not to the first"},
	{"regex-12", SET(patterns), "a.com", "/e1", METHOD_GET, "exact-type",
		"an expression whatever its pathType"},
	{"regex-13", SET(patterns), "a.com", "/m", METHOD_POST, "post", "methods count"},
	{"regex-14", SET(patterns), "a.com", "/m", METHOD_GET, "catch", "here too"},
	{"regex-15", SET(patterns), "a.com", "*", METHOD_OPTIONS, NULL, "OPTIONS * is no path"},
	{"regex-16", SET(patterns), "a.com", "/s/x", METHOD_GET, "slash",
		"equal without their slash: by name"},
	{"G96", SET(m1), "foo.com", "/foo", METHOD_GET, "B", "Exact before Prefix"},
	{"G97", SET(m1), "foo.com", "/foo/", METHOD_GET, "A", "a slash is no longer exact"},
	{"G97b", SET(m1), "foo.com", "/foo/x", METHOD_GET, "A", "a segment below"},
	{"G98", SET(m1), "foo.com", "/bard", METHOD_GET, NULL, "a prefix ends at a segment"},
	{"G99", SET(m1), "foo.com", "/cat", METHOD_GET, "D", "the trailing slash is cut"},
	{"G99b", SET(m1), "foo.com", "/cat/ok", METHOD_GET, "D", "and what is below matches"},
	{"G100", SET(m2), "www.foo.com", "/bar", METHOD_GET, "X", "the exact host"},
	{"G101", SET(m2), "www.foo.com", "/foo", METHOD_GET, "W", "no route of the exact host"},
	{"G102", SET(m2), "a.b.foo.com", "/q", METHOD_GET, "W", "several labels for a star"},
	{"G103", SET(m2), "foo.com", "/y", METHOD_GET, "Y", "*.foo.com is not foo.com"},
	{"G104", SET(m2), "foo.com", "/z", METHOD_GET, "Z", "the last resort"},
	{"G105", SET(m2), "foo.com", "/q", METHOD_GET, NULL, "nothing in any scope"},
	{"G106", SET(m2), "WWW.Foo.com", "/bar", METHOD_GET, "X", "case of hosts is folded"},
	{"host-label", SET(m2), "localhost", "/z", METHOD_GET, "Z", "one label has only *"},
	{"host-empty", SET(m2), "", "/z", METHOD_GET, "Z", "no host at all"},
	{"host-dot", SET(m2), ".foo.com", "/q", METHOD_GET, NULL,
		"an empty label is no host of *.foo.com"},
	{"host-v6", SET(m2), "[::1]", "/z", METHOD_GET, "Z", "an address"},
	{"path-star", SET(m2), "a.foo.com", "*", METHOD_OPTIONS, NULL, "OPTIONS * is no path"},
	{"method-1", SET(methods), "a.com", "/v/x", METHOD_GET, "get",
		"the shorter method expression first"},
	{"method-2", SET(methods), "a.com", "/v/x", METHOD_POST, "many",
		"one with methods before one without; unknown words are ignored"},
	{"method-3", SET(methods), "a.com", "/v/x", METHOD_DELETE, "any", "else the one without"},
	{"method-4", SET(methods), "a.com", "/v", METHOD_POST, "exact-post", "Exact first"},
	{"method-5", SET(methods), "a.com", "/v", METHOD_GET, "get",
		"an Exact of another method does not hide the prefixes"},
	{"method-6", SET(methods), "a.com", "/q", METHOD_PUT, "root-put",
		"/ with a method is no catch-all"},
	{"method-7", SET(methods), "a.com", "/q", METHOD_OTHER, "catch", "the catch-all is last"},
	{"method-8", SET(methods), "b.com", "/q", METHOD_OTHER, "everywhere", "of every host"},
	{"case-1", SET(cases), "a.com", "/api/V1/x", METHOD_GET, "lower", "case ignored"},
	{"case-2", SET(cases), "a.com", "/n", METHOD_GET, "nginx", "nginx' key is preferred"},
	{"case-3", SET(cases), "a.com", "/api", METHOD_GET, "strict", "both match: the older"},
	{"case-4", SET(cases), "a.com", "/aPI", METHOD_GET, "loose", "only one matches"},
	{"case-5", SET(cases), "a.com", "/e/X", METHOD_GET, "exact", "Exact without case"},
	{"type-1", SET(types), "a.com", "/i/x", METHOD_GET, "impl", "counts as Prefix"},
	{"type-2", SET(types), "a.com", "/s/x", METHOD_GET, "none-star", "/* is cut"},
	{"type-3", SET(types), "a.com", "/d", METHOD_GET, "none-dot", ".* is cut"},
	{"type-4", SET(types), "a.com", "/p/x", METHOD_GET, NULL, "with a type nothing is cut"},
	{"type-5", SET(types), "b.com", "/any", METHOD_GET, "empty", "an empty path is /"},
	{"type-6", SET(types), "c.com", "/x/", METHOD_GET, "slash", "Exact keeps its slash"},
	{"type-7", SET(types), "c.com", "/x", METHOD_GET, NULL, "and needs it"},
};

static void golden_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(golden); i++) {
		const struct golden *g = &golden[i];
		const struct route *r;
		struct plan *p;
		struct world w;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		for (size_t k = 0; k < g->n; k++) {
			world_add_ingress(&w, &g->set[k]);
		}
		p = world_plan(&w, &no_types);
		assert_int_equal(p->findings.errors, 0);
		assert_int_equal(p->n_routes, g->n);
		r = world_route(p, g->host, g->path, g->method);
		if (!bytes_eq(r != NULL ? r->name : BYTES("-"),
			    bytes_str(g->route != NULL ? g->route : "-"))) {
			fail_msg("%s: %s: got " BYTES_FMT, g->id, g->reason,
				BYTES_ARG(r != NULL ? r->name : BYTES("-")));
		}
		plan_free(p);
		world_done(&w);
	}
}

/* --- duplicates --------------------------------------------------------------------------------- */

static const struct {
	const char *id, *p_created, *q_created, *p_annotations, *serves, *reason;
	size_t n;
} twins[] = {
	{"G115", "\"2026-01-02T00:00:00Z\"", "\"2026-01-01T00:00:00Z\"", "", "Q",
		"the older Ingress", 1},
	{"G116", "null", "\"2026-01-01T00:00:00Z\"", "", "P", "no time is the oldest", 1},
	{"G117", "null", "null", "", "P", "then the name", 1},
	{"G118", "\"2026-01-02T00:00:00Z\"", "\"2026-01-01T00:00:00Z\"",
		"    higress.io/exact-match-header-x-a: '1'\n", "P",
		"one condition more: both are there, and it goes first", 2},
	{"method", "\"2026-01-02T00:00:00Z\"", "\"2026-01-01T00:00:00Z\"",
		"    higress.io/match-method: GET\n", "P", "another condition: no duplicate", 2},
	{"case", "\"2026-01-02T00:00:00Z\"", "\"2026-01-01T00:00:00Z\"",
		"    higress.io/ignore-path-case: \"true\"\n", "Q",
		"case is none of the conditions that count", 1},
};

static struct bytes one_of_any(void *of, struct bytes name)
{
	IGNORE(of);
	IGNORE(name);
	return BYTES("1");
}

static const struct route *ask_twins(const struct plan *p)
{
	const struct route_query q = {.host = BYTES("a.com"),
		.path = BYTES("/v"),
		.method = METHOD_GET,
		.header = one_of_any};
	const struct route *out[1];

	return plan_candidates(p, &q, out, 1) != 0 ? out[0] : NULL;
}

static void duplicates_are_dropped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
		const struct route *r;
		struct plan *p;
		struct world w;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w,
			&(struct world_ingress){.name = "P",
				.host = "a.com",
				.path = "/v",
				.created = twins[i].p_created,
				.annotations = twins[i].p_annotations});
		world_add_ingress(&w,
			&(struct world_ingress){.name = "Q",
				.host = "A.com",
				.path = "/v/",
				.created = twins[i].q_created});
		p = world_plan(&w, &no_types);
		r = ask_twins(p);
		if (p->n_routes != twins[i].n || r == NULL ||
			!bytes_eq(r->name, bytes_str(twins[i].serves)) ||
			(world_finding(&p->findings, "route-duplicate") != NULL) !=
				(twins[i].n == 1)) {
			world_print(&p->findings);
			fail_msg("%s: %s", twins[i].id, twins[i].reason);
		}
		plan_free(p);
		world_done(&w);
	}
}

/* --- the reference ------------------------------------------------------------------------------ */

struct rule { /* an Ingress of one path, as the test made it up */
	char name[16];
	const char *created, *host, *type, *path, *method;
	const char *header, *query; /* equal to what x-a and q of a request must be, or NULL */
	bool nocase;
};

/* What the requests of the random worlds bring beside method, host and path. */
struct brought {
	const char *header, *query;
};

struct dice {
	uint64_t s;
};

static unsigned roll(struct dice *d, unsigned n)
{
	d->s = d->s * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(d->s >> 33) % n;
}

static const char *const hosts[] = {
	NULL, "a.com", "*.a.com", "x.a.com", "y.x.a.com", "*.com", "*.x.a.com", "B.org"};
static const char *const asked[] = {
	"a.com", "x.a.com", "y.x.a.com", "z.y.x.a.com", "X.A.com", "b.org", "q.com", "com", ""};
static const char *const paths[] = {"/", "/v1", "/v1/", "/v1/chat", "/V1", "/v1/chat/completions",
	"/v", "/v1beta", "/a/b/c/d", "/a/b", "//", "/a//b"};
static const char *const tried[] = {"/", "/v1", "/v1/", "/v1/chat", "/v1/CHAT/x", "/V1/chat",
	"/v1/chat/completions", "/v1beta/x", "/v", "/a/b/c/d/e", "/a/b/c", "/a//b", "//", "//x",
	"/a//b/", "*", ""};
static const char *const expressions[] = {NULL, NULL, "GET", "POST", "GET POST", "DELETE"};
static const char *const values[] = {NULL, "1", "2"};
static const char *const ages[] = {"", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"};

static bool same_text(const char *a, const char *b, bool nocase, size_t n)
{
	struct bytes x = bytes_of(a, n), y = bytes_of(b, n);

	return nocase ? bytes_eq_nocase(x, y) : bytes_eq(x, y);
}

/* Length without the slashes that end a prefix; "/" has 1. */
static size_t length(const struct rule *r)
{
	size_t n = strlen(r->path);

	while (strcmp(r->type, "Prefix") == 0 && n > 1 && r->path[n - 1] == '/') {
		n--;
	}
	return n;
}

static bool path_matches(const struct rule *r, const char *path)
{
	size_t n = length(r);
	size_t m = strlen(path);

	if (strcmp(r->type, "Exact") == 0) {
		return n == m && same_text(r->path, path, r->nocase, n);
	}
	if (m < n || !same_text(r->path, path, r->nocase, n)) {
		return false;
	}
	return n == 1 || m == n || path[n] == '/';
}

static bool method_matches(const struct rule *r, const char *method)
{
	return r->method == NULL || strstr(r->method, method) != NULL;
}

static bool brings(const struct rule *r, const struct brought *b)
{
	return (r->header == NULL || strcmp(r->header, b->header) == 0) &&
		(r->query == NULL || strcmp(r->query, b->query) == 0);
}

static bool is_older(const struct rule *a, const struct rule *b)
{
	int c = strcmp(a->created, b->created);

	return c != 0 ? c < 0 : strcmp(a->name, b->name) < 0;
}

static bool is_catch_all(const struct rule *r)
{
	return strcmp(r->type, "Prefix") == 0 && length(r) == 1 && r->method == NULL &&
		r->header == NULL && r->query == NULL;
}

static bool is_better(const struct rule *a, const struct rule *b)
{
	if (is_catch_all(a) != is_catch_all(b)) {
		return is_catch_all(b);
	}
	if (strcmp(a->type, b->type) != 0) {
		return strcmp(a->type, "Exact") == 0;
	}
	if (length(a) != length(b)) {
		return length(a) > length(b);
	}
	if ((a->method == NULL) != (b->method == NULL)) {
		return a->method != NULL;
	}
	if (a->method != NULL && strlen(a->method) != strlen(b->method)) {
		return strlen(a->method) < strlen(b->method);
	}
	if ((a->header == NULL) != (b->header == NULL)) {
		return a->header != NULL;
	}
	if ((a->query == NULL) != (b->query == NULL)) {
		return a->query != NULL;
	}
	return is_older(a, b);
}

static bool same_host(const struct rule *a, const struct rule *b)
{
	const char *x = a->host != NULL ? a->host : "*";
	const char *y = b->host != NULL ? b->host : "*";

	return bytes_eq_nocase(bytes_str(x), bytes_str(y));
}

static bool same_condition(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool is_duplicate(const struct rule *a, const struct rule *b)
{
	return same_host(a, b) && strcmp(a->type, b->type) == 0 && length(a) == length(b) &&
		same_text(a->path, b->path, false, length(a)) &&
		same_condition(a->method, b->method) && same_condition(a->header, b->header) &&
		same_condition(a->query, b->query);
}

static bool is_dropped(const struct rule *all, size_t n, const struct rule *r)
{
	for (size_t i = 0; i < n; i++) {
		if (&all[i] != r && is_duplicate(&all[i], r) && is_older(&all[i], r)) {
			return true;
		}
	}
	return false;
}

struct question {
	const char *host, *path, *method;
	struct brought brought;
};

static const struct rule *best_in(
	const struct rule *all, size_t n, const char *scope, const struct question *q)
{
	const struct rule *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *host = all[i].host != NULL ? all[i].host : "*";

		if (bytes_eq_nocase(bytes_str(host), bytes_str(scope)) &&
			!is_dropped(all, n, &all[i]) && path_matches(&all[i], q->path) &&
			method_matches(&all[i], q->method) && brings(&all[i], &q->brought) &&
			(best == NULL || is_better(&all[i], best))) {
			best = &all[i];
		}
	}
	return best;
}

/* www.a.foo.com → *.a.foo.com → *.foo.com → *.com → * */
static const struct rule *reference(const struct rule *all, size_t n, const struct question *q)
{
	const struct rule *r = best_in(all, n, q->host, q);
	const char *dot = q->host;
	char scope[64];

	while (r == NULL && (dot = strchr(dot, '.')) != NULL) {
		snprintf(scope, sizeof(scope), "*%s", dot);
		r = best_in(all, n, scope, q);
		dot++;
	}
	return r != NULL ? r : best_in(all, n, "*", q);
}

static void make_up(struct dice *d, struct rule *r, size_t i)
{
	snprintf(r->name, sizeof(r->name), "i%02zu", (i * 7) % 40);
	r->created = ages[roll(d, ARRAY_LEN(ages))];
	r->host = hosts[roll(d, ARRAY_LEN(hosts))];
	r->type = roll(d, 3) == 0 ? "Exact" : "Prefix";
	r->path = paths[roll(d, ARRAY_LEN(paths))];
	r->method = expressions[roll(d, ARRAY_LEN(expressions))];
	r->nocase = roll(d, 4) == 0;
	r->header = roll(d, 3) == 0 ? values[1 + roll(d, 2)] : NULL;
	r->query = roll(d, 3) == 0 ? values[1 + roll(d, 2)] : NULL;
}

static void annotate(struct text *t, const char *key, const char *value)
{
	if (value != NULL) {
		text_addf(t, "    higress.io/%s: \"%s\"\n", key, value);
	}
}

static void put(struct world *w, const struct rule *r)
{
	struct text t;
	char created[40];

	text_init(&t, 1000);
	annotate(&t, "match-method", r->method);
	annotate(&t, "ignore-path-case", r->nocase ? "true" : NULL);
	annotate(&t, "exact-match-header-x-a", r->header);
	annotate(&t, "exact-match-query-q", r->query);
	snprintf(created, sizeof(created), "\"%s\"", r->created);
	world_add_ingress(w,
		&(struct world_ingress){.name = r->name,
			.host = r->host,
			.type = r->type,
			.path = r->path,
			.annotations = text_cstr(&t),
			.created = created});
	text_done(&t);
}

static struct bytes header_of(void *of, struct bytes name)
{
	return bytes_eq(name, BYTES("x-a")) ? bytes_str(of) : (struct bytes){NULL, 0};
}

static void compare_one(
	const struct plan *p, const struct rule *all, size_t n, const struct question *ask)
{
	const struct rule *want = reference(all, n, ask);
	char header[8], query[16];
	const struct route *out[1];
	struct route_query q = {.host = bytes_str(ask->host),
		.path = bytes_str(ask->path),
		.method = method_of(bytes_str(ask->method)),
		.header = header_of,
		.header_of = header};
	struct bytes got;

	snprintf(header, sizeof(header), "%s", ask->brought.header);
	snprintf(query, sizeof(query), "q=%s", ask->brought.query);
	q.query = bytes_str(query);
	got = plan_candidates(p, &q, out, 1) != 0 ? out[0]->name : BYTES("-");
	if (!bytes_eq(got, bytes_str(want != NULL ? want->name : "-"))) {
		fail_msg("%s %s%s?%s, x-a: %s: " BYTES_FMT " instead of %s", ask->method, ask->host,
			ask->path, query, header, BYTES_ARG(got), want != NULL ? want->name : "-");
	}
}

static void compare(const struct plan *p, const struct rule *all, size_t n, struct dice *d)
{
	static const char *const names[] = {"GET", "POST", "DELETE", "PUT"};

	for (size_t h = 0; h < ARRAY_LEN(asked); h++) {
		for (size_t k = 0; k < ARRAY_LEN(tried); k++) {
			for (size_t m = 0; m < ARRAY_LEN(names); m++) {
				compare_one(p, all, n,
					&(struct question){asked[h], tried[k], names[m],
						{values[1 + roll(d, 2)], values[1 + roll(d, 2)]}});
			}
		}
	}
}

static void random_worlds_agree_with_the_text(void **state)
{
	struct rule all[40];

	(void)state;
	for (unsigned seed = 1; seed <= 60; seed++) {
		struct dice d = {seed};
		size_t n = 1 + roll(&d, 40);
		struct plan *p;
		struct world w;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		for (size_t i = 0; i < n; i++) {
			make_up(&d, &all[i], i);
			put(&w, &all[i]);
		}
		p = world_plan(&w, &no_types);
		assert_int_equal(p->findings.errors, 0);
		compare(p, all, n, &d);
		plan_free(p);
		world_done(&w);
	}
}

/* --- weights and rewriting ---------------------------------------------------------------------- */

static const struct {
	const char *id, *destination;
	unsigned a, b, c, total;
	const char *reason;
} weights[] = {
	{"G119", "\"1% a.static:80\\n1% b.static:80\\n1% c.static:80\"", 1, 1, 1, 3,
		"exact proportions instead of 34/33/33"},
	{"G120", "\"47% a.static:80\\n53% b.static:80\"", 47, 53, 0, 100,
		"no rounding through 32-bit floats"},
	{"G121", "30% a.static:80", 1, 0, 0, 1, "a single one has everything"},
	{"zero", "\"0% a.static:80\\n5% b.static:80\"", 0, 5, 0, 5, "0 means no traffic"},
	{"zeros", "\"0% a.static\\n0% b.static\"", 1, 1, 0, 2, "all 0 are equal"},
	{"none", "\"a.static\\n\\n   b.static v1\"", 100, 100, 0, 200,
		"no weight is 100; empty lines and versions are nothing"},
	{"sum", "\"3000% a.static\\n1% c.static\"", 3000, 0, 1, 3001, "any sum will do"},
	{"lost", "\"50% a.static\\n50% gone.static\"", 50, 0, 0, 50,
		"what cannot be used gets nothing"},
	{"lost-zero", "\"0% a.static\\n50% gone.static\"", 0, 0, 0, 0,
		"and never hands it to one of weight 0"},
};

static void destinations_get_their_share(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
		unsigned share[3] = {0, 0, 0};
		const struct route *r;
		struct plan *p;
		struct world w;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml",
			WORLD_REGISTRIES(
				"  - {name: a, type: static, domain: '127.0.0.1:1', port: 80}\n"
				"  - {name: b, type: static, domain: '127.0.0.1:2', port: 80}\n"
				"  - {name: c, type: static, domain: '127.0.0.1:3', port: 80}\n"));
		world_add_ingress(&w,
			&(struct world_ingress){
				.name = "r", .path = "/", .destination = weights[i].destination});
		p = world_plan(&w, &no_types);
		r = world_route(p, "any", "/", METHOD_GET);
		assert_non_null(r);
		for (unsigned pick = 0; pick < r->total_weight; pick++) {
			const struct destination *d = route_pick(r, pick);

			assert_non_null(d);
			share[d->service->name.p[0] - 'a']++;
		}
		if (share[0] != weights[i].a || share[1] != weights[i].b ||
			share[2] != weights[i].c || r->total_weight != weights[i].total ||
			(r->total_weight == 0) != (r->n_destinations == 0)) {
			fail_msg("%s: %s: %u %u %u", weights[i].id, weights[i].reason, share[0],
				share[1], share[2]);
		}
		assert_null(route_pick(r, r->total_weight));
		plan_free(p);
		world_done(&w);
	}
}

static const struct {
	const char *type, *path, *to, *request, *sent, *reason;
} rewrites[] = {
	{"Prefix", "/old", "/new", "/old/x", "/new/x", "the prefix is replaced"},
	{"Prefix", "/old", "/new", "/old", "/new", "also when nothing follows"},
	{"Prefix", "/old", "/", "/old/x", "/x", "one slash at the joint"},
	{"Prefix", "/old", "/", "/old", "/", "never nothing"},
	{"Prefix", "/old/", "/new/", "/old/x", "/new/x", "slashes at both ends"},
	{"Prefix", "/old", "/new", "/old//x", "/new//x", "the rest stays as it is"},
	{"Prefix", "/", "/new", "/x", "/new/x", "the root stands for nothing"},
	{"Prefix", "/", "/new/", "/x", "/new/x", "with one slash"},
	{"Exact", "/old", "/new", "/old", "/new", "an Exact path becomes the other"},
	{"Exact", "/old/", "/new/", "/old/", "/new/", "as it is written"},
	{"Prefix", "/old", "", "/old/x", "/old/x", "an empty value is none"},
	{"Prefix", "/old", "/n%20w", "/old/a%2Fb", "/n%20w/a%2Fb", "nothing is decoded"},
};

static void paths_are_rewritten(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rewrites); i++) {
		char annotation[100];
		const struct route *r;
		struct plan *p;
		struct world w;
		struct text t;

		snprintf(annotation, sizeof(annotation),
			"    higress.io/rewrite-path: '%s'\n"
			"    disabled.higress.io/upstream-vhost: x.y\n",
			rewrites[i].to);
		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w,
			&(struct world_ingress){.name = "r",
				.type = rewrites[i].type,
				.path = rewrites[i].path,
				.annotations = annotation});
		p = world_plan(&w, &no_types);
		r = world_route(p, "any", rewrites[i].request, METHOD_GET);
		assert_non_null(r);
		assert_int_equal(r->rewrite.host.n, 0);
		text_init(&t, 200);
		route_rewrite_path(r, bytes_str(rewrites[i].request), &t);
		if (!bytes_eq(text_bytes(&t), bytes_str(rewrites[i].sent))) {
			fail_msg("%s: got %s", rewrites[i].reason, text_cstr(&t));
		}
		text_done(&t);
		plan_free(p);
		world_done(&w);
	}
}

/* --- size --------------------------------------------------------------------------------------- */

static void hostile_queries_find_nothing_quickly(void **state)
{
	static char slashes[32000], host[32000];
	struct route_query q = {
		.host = {host, 0}, .path = {slashes, sizeof(slashes)}, .method = METHOD_GET};
	const struct route *out[1];
	struct plan *p;
	struct world w;

	(void)state;
	memset(slashes, '/', sizeof(slashes));
	memset(host, '.', sizeof(host));
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add_ingress(&w, &(struct world_ingress){.name = "a", .path = "/a/b/c"});
	world_add_ingress(&w,
		&(struct world_ingress){.name = "b",
			.path = "/A",
			.annotations = "    higress.io/"
				       "ignore-path-case: "
				       "\"true\"\n"});
	p = world_plan(&w, &no_types);
	for (size_t n = 0; n < sizeof(host); n += 250) {
		q.host.n = n;
		assert_int_equal(plan_candidates(p, &q, out, 1), 0);
	}
	memcpy(slashes, "/a/", 3);
	assert_int_equal(plan_candidates(p, &q, out, 1), 1);
	assert_int_equal(plan_candidates(p, &q, out, 0), 1); /* how many there are */
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_rows),
		cmocka_unit_test(duplicates_are_dropped),
		cmocka_unit_test(random_worlds_agree_with_the_text),
		cmocka_unit_test(destinations_get_their_share),
		cmocka_unit_test(paths_are_rewritten),
		cmocka_unit_test(hostile_queries_find_nothing_quickly),
	};

	return cmocka_run_group_tests_name("plan/match", tests, NULL, NULL);
}
