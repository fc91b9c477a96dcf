/*
 * What becomes of paths and hosts: higress-resources.md §5.4, §5.6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/decide.h"
#include "plan/rewrite.h"
#include "plan/world.h"

static const struct provider_types no_types = {NULL, 0};

#define TARGET(text) "    higress.io/rewrite-target: '" text "'\n"
#define REGEX "    higress.io/use-regex: \"true\"\n"
#define WHOLE "    higress.io/full-path-regex: \"true\"\n"

static const struct {
	const char *type, *path, *annotations, *request, *sent, *reason;
} rows[] = {
	{"Prefix", "/old/(.*)", TARGET("/new/$1"), "/old/a/b", "/new/a/b", "what the group took"},
	{"Prefix", "/old/(.*)", TARGET("/new/\\1"), "/old/a", "/new/a", "RE2's own spelling"},
	{"Prefix", "/old/(.*)", TARGET("/new/$1"), "/old/", "/new/", "a group of nothing"},
	{"Prefix", "/old/(.*)", TARGET("/new/$1"), "/older", NULL, "the expression is the match"},
	{"Prefix", "/([a-z]+)/([0-9]+)", TARGET("/$2/x/$1/$2"), "/ab/12", "/12/x/ab/12",
		"groups in any order, twice"},
	{"Prefix", "/r_\\d+", REGEX TARGET("/x"), "/r_12/more", "/x",
		"G92: all that the expression takes, the rest of the path too, becomes the target"},
	{"Prefix", "/r.d", TARGET("/x"), "/red", "/x", "a dot beside a target is an expression"},
	{"Prefix", "/r.d", TARGET("/x"), "/rd", NULL, "and no text"},
	{"Prefix", "/plain", TARGET("/x$0"), "/plain/a", "/x/plain/a",
		"so is any path beside a target with a group; 0 is the whole"},
	{"Exact", "/e/(a|b)", TARGET("/$1"), "/e/a", "/a", "whatever the type says"},
	{"Prefix", "/e/(a)?x", REGEX TARGET("/y/$1"), "/e/x", "/y/", "a group that took nothing"},
	{"Prefix", "/e(/.*)", TARGET("$1"), "/e/a", "/a", "a group first"},
	{"Prefix", "/e/(.*)", TARGET("$1"), "/e/a", "/a", "a path has its slash in any case"},
	{"Prefix", "/e/(.*)", TARGET("$1"), "/e/", "/", "even an empty one"},
	{"Prefix", "/e/(.*)", TARGET("/\\\\$1"), "/e/a", "/\\a", "a backslash is written twice"},
	{"Prefix", "/f/(a)/b", WHOLE TARGET("/$1"), "/f/a/b", "/a", "an expression for all of it"},
	{"Prefix", "/f/(a)/b", WHOLE TARGET("/$1"), "/f/a/b/c", NULL, "and for no more"},
	{"Prefix", "/F/(.*)", "    higress.io/ignore-path-case: \"true\"\n" TARGET("/x/$1"), "/f/A",
		"/x/A", "case is for the match only"},
	{"Prefix", "/old", TARGET("/new"), "/old/x", "/new/x", "without expression: the prefix"},
	{"Prefix", "/old", TARGET("/"), "/old/x", "/x", "one slash at the joint"},
	{"Exact", "/old", TARGET("/new"), "/old", "/new", "without expression: the whole path"},
	{"Prefix", "/old/(.*)", TARGET("/new/$1") "    higress.io/rewrite-path: /p\n", "/old/x",
		"/p", "rewrite-path goes first"},
	{"Prefix", "/g/(.*)", TARGET("/new/$1"), "/g/%2e%2E/%41;a//b", "/new/%2e%2E/%41;a//b",
		"bytes are neither decoded nor cleaned"},
	{"Prefix", "/n/(.*)",
		"    nginx.ingress.kubernetes.io/rewrite-target: /n/$1\n" TARGET("/h/$1"), "/n/a",
		"/n/a", "nginx's key is preferred"},
	{"Prefix", "/d/(.*)", "    disabled.higress.io/rewrite-target: /x\n" REGEX, "/d/a", "/d/a",
		"a feature that is switched off"},
};

static void targets_become_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct route *r;
		struct world w;
		struct plan *p;
		struct text t;

		world_init(&w);
		world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
		world_add_ingress(&w,
			&(struct world_ingress){.name = "r",
				.type = rows[i].type,
				.path = rows[i].path,
				.annotations = rows[i].annotations});
		p = world_plan(&w, &no_types);
		assert_int_equal(p->findings.errors, 0);
		r = world_route(p, "any", rows[i].request, METHOD_GET);
		text_init(&t, 1000);
		if (r != NULL) {
			assert_int_equal(decide_target(r, &r->destinations[0], API_NONE,
						 &(struct url){.path = bytes_str(rows[i].request),
							 .query = BYTES("q=/%20")},
						 &t),
				0);
			assert_true(bytes_ends(text_bytes(&t), BYTES("?q=/%20")));
			t.n -= 7;
		}
		if ((r != NULL) != (rows[i].sent != NULL) ||
			(r != NULL && !bytes_eq(text_bytes(&t), bytes_str(rows[i].sent)))) {
			fail_msg("%zu: %s: %s: got %s", i, rows[i].request, rows[i].reason,
				r != NULL ? text_cstr(&t) : "no route");
		}
		text_done(&t);
		plan_free(p);
		world_done(&w);
	}
}

static const struct {
	const char *text;
	unsigned n_groups;
	size_t where;
	const char *reason;
} bad[] = {
	{"", 0, 0, "nothing"},
	{"x", 0, 0, "no slash"},
	{"/a b", 0, 2, "a blank"},
	{"/a?b", 0, 2, "a query"},
	{"/a#b", 0, 2, "a fragment"},
	{"/a\xc3\xa4", 0, 2, "no ASCII"},
	{"/$", 9, 1, "a group without a number"},
	{"/$x", 9, 1, "nor with a name"},
	{"/\\", 9, 1, "a backslash at the end"},
	{"/$$1", 9, 1, "two signs"},
	{"/$1", 0, 1, "there is no group"},
	{"/$1/$3", 2, 4, "there are but two"},
};

static void what_is_no_target_is_refused(void **state)
{
	char many[2 * (REWRITE_PIECES_MAX + 1) + 2] = "/";
	struct arena a;
	struct fault f;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (rewrite_parse(bytes_str(bad[i].text), bad[i].n_groups, &a, &f) != NULL ||
			f.where != bad[i].where) {
			fail_msg("%s: %s", bad[i].text, bad[i].reason);
		}
	}
	for (size_t i = 0; i < REWRITE_PIECES_MAX; i++) {
		many[1 + 2 * i] = '$';
		many[2 + 2 * i] = '1';
	}
	assert_null(rewrite_parse(bytes_str(many), 1, &a, &f)); /* "/" and 64 groups */
	many[2 * REWRITE_PIECES_MAX - 1] = '\0';
	assert_non_null(rewrite_parse(bytes_str(many), 1, &a, &f));
	arena_done(&a);
}

/* What would be longer than there is room for is no target at all, not the beginning of one. */
static void a_target_that_is_too_long_is_known(void **state)
{
	const struct route *r;
	struct world w;
	struct plan *p;
	struct text t;

	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add_ingress(&w,
		&(struct world_ingress){
			.name = "r", .path = "/(.*)", .annotations = TARGET("/$1/$1")});
	p = world_plan(&w, &no_types);
	r = world_route(p, "any", "/0123456789", METHOD_GET);
	text_init(&t, 20);
	IGNORE(decide_target(
		r, &r->destinations[0], API_NONE, &(struct url){.path = BYTES("/0123456789")}, &t));
	assert_true(text_full(&t));
	text_done(&t);
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_become_paths),
		cmocka_unit_test(what_is_no_target_is_refused),
		cmocka_unit_test(a_target_that_is_too_long_is_known),
	};

	return cmocka_run_group_tests_name("plan/rewrite", tests, NULL, NULL);
}
