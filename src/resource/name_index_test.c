/*
 * The index of a long list: what it finds and shows is what a walk through the list does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/name_index.h"

#define PLUGIN(entries) "spec: {defaultConfig: {consumers: [" entries "]}}"

static struct object *plugin(const char *text)
{
	struct findings why;
	struct object *o;
	struct arena a;

	arena_init(&a, (size_t)1 << 24);
	findings_init(&why, &a);
	o = object_read(RESOURCE_WASMPLUGIN, BYTES("wasmplugins/p.yaml"), bytes_str(text), &why);
	assert_non_null(o);
	arena_done(&a);
	return o;
}

static const struct yaml_node *list_of(const struct object *o)
{
	return yaml_get(o->u.wasmplugin.config, "consumers");
}

static bool shown(const struct yaml_node *entry)
{
	return yaml_get(entry, "hidden") == NULL;
}

static void test_rows(void **state)
{
	static const struct {
		const char *text, *expect, *why;
	} rows[] = {
		{PLUGIN("{name: a}, {name: b}"), "a b ", "in order already"},
		{PLUGIN("{name: b}, {name: c}, {name: a}"), "a b c ", "sorted by bytes"},
		{PLUGIN("{name: a, v: 1}, {name: b}, {name: a, v: 2}"), "a b ", "each name once"},
		{PLUGIN("{name: b, hidden: 1}, {name: a}"), "a ", "what is not to be shown"},
		{PLUGIN("{name: a, hidden: 1}, {name: a}"), "a ", "one of that name is"},
		{PLUGIN("{v: 1}, {name: 7}, text, {name: ''}, {name: x}"), "x ",
			"entries without a name, or whose name is no text"},
		{PLUGIN(""), "", "nobody"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct object *o = plugin(rows[i].text);
		const struct name_index *x = name_index_need(o, list_of(o), shown);
		char room[64];
		struct text t;

		text_init_fixed(&t, room, sizeof(room));
		for (size_t k = 0; k < x->n_shown; k++) {
			text_addf(&t, BYTES_FMT " ", BYTES_ARG(x->shown[k]));
		}
		text_add_char(&t, '\0');
		assert_string_equal(room, rows[i].expect);
		assert_ptr_equal(name_index_need(o, list_of(o), shown), x);
		object_unref(o);
	}
}

static void test_finds_what_a_walk_finds(void **state)
{
	static const char *const names[] = {"", "a", "b", "c", "d", "zz", "aa"};
	struct object *o = plugin(PLUGIN(
		"{name: c}, {name: a, v: 1}, {v: 0}, {name: zz}, {name: a, v: 2}, {name: b}"));
	const struct yaml_node *walked[ARRAY_LEN(names)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		walked[i] = name_index_find(o, list_of(o), bytes_str(names[i]));
	}
	assert_non_null(walked[1]);
	assert_int_equal(yaml_get(walked[1], "v")->integer, 1);
	assert_null(walked[4]);
	assert_non_null(name_index_need(o, list_of(o), shown));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_ptr_equal(name_index_find(o, list_of(o), bytes_str(names[i])), walked[i]);
		assert_ptr_equal(name_index_find(NULL, list_of(o), bytes_str(names[i])), walked[i]);
	}
	object_unref(o);
}

/* The index is of one list; another one is walked. */
static void test_another_list(void **state)
{
	struct object *o =
		plugin("spec: {defaultConfig: {consumers: [{name: a}], "
		       "others: [{name: b}]}}");
	const struct yaml_node *others = yaml_get(o->u.wasmplugin.config, "others");

	(void)state;
	assert_non_null(name_index_need(o, list_of(o), shown));
	assert_null(name_index_need(o, others, shown));
	assert_null(name_index_find(o, others, BYTES("a")));
	assert_ptr_equal(name_index_find(o, others, BYTES("b")), others->items);
	object_unref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_finds_what_a_walk_finds),
		cmocka_unit_test(test_another_list),
	};

	return cmocka_run_group_tests_name("resource/name_index", tests, NULL, NULL);
}
