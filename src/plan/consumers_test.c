/*
 * That a set of consumers is shared by plans that follow one another exactly as long as its
 * configuration is the same. What a set means is tested in auth_test.c.
 */
#include "plan/consumers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/auth.h"
#include "plan/world.h"
#include "wire/field.h"

#define KEY_AUTH "wasmplugins/key-auth.internal.yaml"

static const struct provider_types no_types;

/* ada's credential is a; bob has the same one, which is worth a warning. */
#define TWO(a)                                                                                 \
	WORLD_PLUGIN("key-auth",                                                               \
		"  defaultConfig:\n    global_auth: true\n    keys: [x-key]\n    consumers:\n" \
		"    - {name: ada, credential: " a "}\n    - {name: bob, credential: " a "}\n")

static void add_route(struct world *w, const char *path)
{
	world_add_ingress(w,
		&(struct world_ingress){
			.name = "r", .host = "a.com", .type = "Prefix", .path = path});
}

static void set_up(struct world *w)
{
	world_init(w);
	world_add(w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add(w, KEY_AUTH, TWO("k1"));
	add_route(w, "/one");
}

static struct plan *compile_after(const struct world *w, const struct plan *before)
{
	const struct plan_env env = {.types = &no_types, .seed = {1, 2}, .before = before};

	return plan_compile(w->snapshot, &env);
}

static bool is_let_in(const struct plan *p, const char *path, const char *key)
{
	const struct route *r = world_route(p, "a.com", path, METHOD_GET);
	struct auth_header h = {BYTES("x-key"), bytes_str(key), FIELD_OTHER};
	struct auth_query q = {&h, 1, {NULL, 0}};
	struct auth_hit hit = {0};

	assert_non_null(r);
	IGNORE(auth_identify(r->auth.consumers, &q, &hit)); /* the verdict says it */
	return auth_verdict(&r->auth, hit.consumer) == AUTH_OK;
}

static void another_file_changes(void **state)
{
	struct plan *first, *second;
	struct consumers *set;
	struct world w;

	(void)state;
	set_up(&w);
	first = compile_after(&w, NULL);
	set = first->consumers;
	assert_non_null(world_finding(&first->findings, "credential-shared"));
	add_route(&w, "/two");
	second = compile_after(&w, first);
	assert_ptr_equal(second->consumers, set);
	assert_int_equal(atomic_load(&set->refs), 2);
	/* It needs neither the plan nor the files that it came from. */
	plan_free(first);
	world_done(&w);
	assert_true(is_let_in(second, "/two", "k1"));
	assert_false(is_let_in(second, "/two", "k2"));
	assert_true(second->n_consumers == 2);
	assert_non_null(world_finding(&second->findings, "credential-shared"));
	assert_int_equal(atomic_load(&set->refs), 1);
	plan_free(second);
}

static void an_entry_changes(void **state)
{
	struct plan *first, *second;
	struct world w;

	(void)state;
	set_up(&w);
	first = compile_after(&w, NULL);
	world_add(&w, KEY_AUTH, TWO("k2"));
	second = compile_after(&w, first);
	assert_ptr_not_equal(second->consumers, first->consumers);
	assert_true(is_let_in(second, "/one", "k2"));
	assert_false(is_let_in(second, "/one", "k1"));
	assert_true(is_let_in(first, "/one", "k1"));
	plan_free(second);
	plan_free(first);
	world_done(&w);
}

static void only_what_is_the_same_is_shared(void **state)
{
	const struct plan_env other_seed = {.types = &no_types, .seed = {3, 4}};
	struct plan *first, *other, *next;
	struct world w;

	(void)state;
	set_up(&w);
	first = compile_after(&w, NULL);
	other = plan_compile(w.snapshot, &other_seed);
	next = compile_after(&w, other); /* tables of another seed are not found in */
	assert_ptr_not_equal(next->consumers, other->consumers);
	plan_free(next);
	/* Findings name the file. */
	world_done(&w);
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	world_add(&w, "wasmplugins/key-auth-1.yaml", TWO("k1"));
	add_route(&w, "/one");
	next = compile_after(&w, first);
	assert_ptr_not_equal(next->consumers, first->consumers);
	assert_true(is_let_in(next, "/one", "k1"));
	plan_free(next);
	plan_free(other);
	plan_free(first);
	world_done(&w);
}

#define RULE(name) "  matchRules:\n  - {ingress: [" name "], config: {allow: [ada]}}\n"

/* Rules and versions stand outside of the configuration that the consumers are in. */
static void a_rule_changes(void **state)
{
	struct plan *none, *one, *other, *moved;
	struct world w;

	(void)state;
	set_up(&w);
	none = compile_after(&w, NULL);
	world_add(&w, KEY_AUTH, TWO("k1") RULE("x"));
	one = compile_after(&w, none);
	/* What the global setting means depends on whether there are rules at all. */
	assert_ptr_not_equal(one->consumers, none->consumers);
	world_add(&w, KEY_AUTH, TWO("k1") RULE("r"));
	other = compile_after(&w, one);
	assert_ptr_equal(other->consumers, one->consumers);
	assert_true(is_let_in(other, "/one", "k1"));
	/* Findings name lines. */
	world_add(&w, KEY_AUTH, "\n" TWO("k1") RULE("r"));
	moved = compile_after(&w, other);
	assert_ptr_not_equal(moved->consumers, other->consumers);
	plan_free(none);
	plan_free(one);
	plan_free(other);
	plan_free(moved);
	world_done(&w);
}

/* The same bytes, but an anchor in front of them says what they mean. */
static void an_anchor_changes(void **state)
{
#define ANCHORED(key)                                                           \
	"x: &who [{name: ada, credential: " key "}]\n" WORLD_PLUGIN("key-auth", \
		"  defaultConfig:\n    global_auth: true\n    keys: [x-key]\n"  \
		"    consumers: *who\n")
	struct plan *first, *second;
	struct world w;

	(void)state;
	set_up(&w);
	world_add(&w, KEY_AUTH, ANCHORED("k1"));
	first = compile_after(&w, NULL);
	assert_true(is_let_in(first, "/one", "k1"));
	world_add(&w, KEY_AUTH, ANCHORED("k2"));
	second = compile_after(&w, first);
	assert_ptr_not_equal(second->consumers, first->consumers);
	assert_true(is_let_in(second, "/one", "k2"));
	assert_false(is_let_in(second, "/one", "k1"));
	plan_free(first);
	plan_free(second);
	world_done(&w);
}

static void thousands_of_plans(void **state)
{
	struct plan *live;
	struct consumers *set;
	struct world w;

	(void)state;
	set_up(&w);
	live = compile_after(&w, NULL);
	set = live->consumers;
	for (unsigned i = 0; i < 3000; i++) {
		struct plan *next;

		add_route(&w, i % 2 == 0 ? "/two" : "/one");
		next = compile_after(&w, live);
		assert_ptr_equal(next->consumers, set);
		assert_int_equal(atomic_load(&set->refs), 2);
		plan_free(live);
		live = next;
	}
	assert_true(is_let_in(live, "/one", "k1"));
	assert_int_equal(atomic_load(&set->refs), 1);
	plan_free(live);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_file_changes),
		cmocka_unit_test(an_entry_changes),
		cmocka_unit_test(only_what_is_the_same_is_shared),
		cmocka_unit_test(a_rule_changes),
		cmocka_unit_test(an_anchor_changes),
		cmocka_unit_test(thousands_of_plans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
