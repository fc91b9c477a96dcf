/*
 * Documents: opened as far as somebody looks, changed in place, compared, and written as JSON.
 */
#include "wire/doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define ARENA_MAX ((size_t)1 << 28)

static struct doc *from_yaml(struct arena *a, const char *text)
{
	struct yaml_doc doc;
	struct fault fault = {0};

	assert_int_equal(yaml_parse(a, bytes_str(text), &doc, &fault), 0);
	return doc_of_yaml(a, doc.root);
}

static struct doc *from_json(struct arena *a, const char *text)
{
	struct fault fault = {0};
	struct json_value *v = json_parse(a, bytes_str(text), &fault);

	assert_non_null(v);
	return doc_of_json(a, v);
}

static void assert_json(struct arena *a, const struct doc *d, const char *expect)
{
	struct text out;
	struct json_writer w;

	text_init(&out, 1 << 20);
	json_writer_init(&w, &out);
	doc_put_json(a, &w, d);
	assert_string_equal(text_cstr(&out), expect);
	text_done(&out);
}

/* --- YAML and JSON into JSON ---------------------------------------------------------------------- */

struct row {
	bool json;
	const char *text, *expect, *reason;
};

static const struct row rows[] = {
	{false, "a: 1\nb: [x, {c: ~}]\n", "{\"a\":1,\"b\":[\"x\",{\"c\":null}]}", "every type"},
	{false, "[010, 0x1f, +1, 1_000, -5]", "[8,31,1,1000,-5]",
		"JSON has none of YAML's spellings of whole numbers"},
	{false, "[1.0, 1., .5, 1e3, -0.25, 1.5e-9]", "[1,1,0.5,1000,-0.25,1.5e-9]",
		"no fraction where there is none"},
	{false, "[.inf, -.inf, .nan]", "[null,null,null]", "JSON has no such numbers"},
	{false, "[1e21, 123456789012345678901234567890, 18446744073709551615]",
		"[1e21,123456789012345678901234567890,18446744073709551615]",
		"digits stay where JSON would take them"},
	{false, "[off, 'off', y]", "[false,\"off\",true]", "types of YAML 1.1"},
	{false, "a: 1\nb: 2\na: 3\n", "{\"a\":3,\"b\":2}", "the last of two, where the first is"},
	{false, "x: &x {a: 1}\ny: *x\nz: {<<: *x, b: 2}\n",
		"{\"x\":{\"a\":1},\"y\":{\"a\":1},\"z\":{\"b\":2,\"a\":1}}", "aliases are copies"},
	{true, "{\"a\":1.0,\"b\":1E2,\"c\":-0,\"d\":1e400}",
		"{\"a\":1.0,\"b\":1E2,\"c\":-0,\"d\":1e400}", "numbers of JSON as written"},
	{true, "{\"a\":1,\"b\":2,\"a\":3,\"\":{}}", "{\"a\":3,\"b\":2,\"\":{}}",
		"the last of two, where the first is"},
	{true, "[\"\\u00e9\\n\\\"\",[],{},true,false,null]",
		"[\"\xc3\xa9\\n\\\"\",[],{},true,false,null]", "strings are unescaped in between"},
	{true, "17", "17", "a scalar is a document"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct doc *d;

		arena_init(&a, ARENA_MAX);
		d = rows[i].json ? from_json(&a, rows[i].text) : from_yaml(&a, rows[i].text);
		print_message("%s\n", rows[i].reason);
		assert_json(&a, d, rows[i].expect);
		assert_json(&a, doc_copy(&a, d), rows[i].expect);
		arena_done(&a);
	}
}

static void test_many_equal_keys(void **state)
{
	struct arena a;
	struct text in;
	struct doc *d;

	(void)state;
	arena_init(&a, ARENA_MAX);
	text_init(&in, 1 << 20);
	text_add_char(&in, '{');
	for (unsigned i = 0; i < 1000; i++) {
		text_addf(&in, "%s\"k%u\":%u", i != 0 ? "," : "", i % 100, i);
	}
	text_add_char(&in, '}');
	d = from_json(&a, text_cstr(&in));
	assert_int_equal(d->n, 100);
	assert_int_equal(doc_get(&a, d, "k7")->integer, 907);
	assert_true(bytes_eq(doc_first(&a, d)->key, BYTES("k0")));
	text_done(&in);
	arena_done(&a);
}

/* --- Gson ----------------------------------------------------------------------------------------- */

static void test_gson(void **state)
{
	static const struct {
		const char *in, *expect, *reason;
	} gson[] = {
		{"{\"b\":1,\"a\":null,\"c\":[null]}", "{\"b\":1,\"c\":[null]}",
			"null members are left out, null items are not; the order stays"},
		{"[\"<>&='\"]", "[\"\\u003c\\u003e\\u0026\\u003d\\u0027\"]", "safe inside of HTML"},
		{"[\"\\u2028\\u2029\\u00e9\\ud83d\\ude00\"]",
			"[\"\\u2028\\u2029\xc3\xa9\xf0\x9f\x98\x80\"]", "other text stays"},
		{"[\"\\t\\b\\n\\r\\f\\\"\\\\/\\u0001\\u001f\\u007f\"]",
			"[\"\\t\\b\\n\\r\\f\\\"\\\\/\\u0001\\u001f\x7f\"]", "control characters"},
		{"{\"a=b\":{}}", "{\"a\\u003db\":{}}", "keys like values"},
		{"[100,true,false,[],1.5]", "[100,true,false,[],1.5]", "the rest as anywhere"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gson); i++) {
		struct arena a;
		struct text out;

		arena_init(&a, ARENA_MAX);
		text_init(&out, 1 << 20);
		print_message("%s\n", gson[i].reason);
		doc_put_gson(&a, &out, from_json(&a, gson[i].in));
		assert_string_equal(text_cstr(&out), gson[i].expect);
		text_done(&out);
		arena_done(&a);
	}
}

/* --- numbers that a program made ------------------------------------------------------------------ */

static void test_numbers(void **state)
{
	static const struct {
		double v;
		const char *expect;
	} numbers[] = {{0, "0"}, {100, "100"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {1e-6, "0.000001"},
		{1e-7, "1e-7"}, {1e20, "100000000000000000000"}, {1e21, "1e+21"},
		{1234567.5, "1234567.5"}, {0.30000000000000004, "0.30000000000000004"},
		{5e-324, "5e-324"}};
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_MAX);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		assert_json(&a, doc_float(&a, numbers[i].v), numbers[i].expect);
	}
	assert_json(&a, doc_int(&a, INT64_MIN), "-9223372036854775808");
	assert_json(&a, doc_int(&a, 42), "42");
	arena_done(&a);
}

/* --- equality ------------------------------------------------------------------------------------- */

static void test_equal(void **state)
{
	static const struct {
		const char *x, *y;
		bool equal;
		const char *reason;
	} pairs[] = {
		{"{a: 1, b: [x]}", "{b: [x], a: 1}", true, "maps whatever their order"},
		{"[1, 2]", "[2, 1]", false, "lists in their order"},
		{"[1, 1.0, 0x10]", "[1.0, 1, 16]", true, "numbers by value"},
		{"[1]", "['1']", false, "a number is no text"},
		{"[~]", "['']", false, "null is no text"},
		{"[true]", "[false]", false, "booleans"},
		{"{a: ~}", "{}", false, "a null member is a member"},
		{"{a: 1}", "{b: 1}", false, "keys"},
		{"{a: 1, b: 2}", "{a: 1}", false, "one member more"},
		{"[.nan]", "[.nan]", true, "the same document, whatever it holds"},
		{"[9007199254740993]", "[9007199254740992]", false, "whole numbers to the digit"},
		{"{a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0, j: 0, k: 0, l: 0, m: 0, n: 0, "
		 "o: 0, p: 0, q: 1}",
			"{q: 1, a: 0, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0, j: 0, k: 0, l: 0, m: 0, "
			"n: 0, o: 0, p: 0}",
			true, "a map large enough for a table"},
		{"[[1], {a: [2]}]", "[[1], {a: [3]}]", false, "deep inside"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct arena a;
		struct doc *x, *y, *open_x, *open_y;
		bool equal = pairs[i].equal;

		arena_init(&a, ARENA_MAX);
		print_message("%s\n", pairs[i].reason);
		x = from_yaml(&a, pairs[i].x);
		y = from_yaml(&a, pairs[i].y);
		open_x = from_yaml(&a, pairs[i].x);
		open_y = from_yaml(&a, pairs[i].y);
		for (struct doc *c = doc_first(&a, open_x); c != NULL; c = c->next) {
			IGNORE(doc_first(&a, c)); /* opened, no more */
		}
		IGNORE(doc_first(&a, open_y));
		assert_int_equal(doc_equal(&a, x, y), equal);
		assert_int_equal(doc_equal(&a, x, open_y), equal);
		assert_int_equal(doc_equal(&a, open_x, y), equal);
		assert_int_equal(doc_equal(&a, open_x, open_y), equal);
		assert_int_equal(doc_is_yaml(&a, open_x, y->origin), equal);
		assert_int_equal(doc_is_yaml(&a, y, x->origin), equal);
		arena_done(&a);
	}
}

/* --- changes -------------------------------------------------------------------------------------- */

static void test_maps(void **state)
{
	struct arena a;
	struct doc *d, *old;

	(void)state;
	arena_init(&a, ARENA_MAX);
	d = from_yaml(&a, "a: 1\nb: {c: [x]}\nd: ~\n");
	assert_true(d->closed);
	assert_int_equal(d->n, 3);
	assert_true(doc_at(&a, d, "b.c")->type == DOC_LIST);
	assert_null(doc_at(&a, d, "b.x.y"));
	assert_null(doc_get(&a, doc_get(&a, d, "a"), "x"));
	assert_false(doc_given(doc_get(&a, d, "d")));
	assert_true(doc_given(doc_get(&a, d, "a")));

	old = doc_get(&a, d, "a");
	assert_ptr_equal(doc_set(&a, d, "a", doc_int(&a, 1)), old); /* equal: nothing changes */
	assert_non_null(old->origin);
	assert_int_equal(doc_set(&a, d, "a", doc_int(&a, 2))->integer, 2);
	assert_null(doc_get(&a, d, "a")->origin);
	doc_set(&a, d, "e", doc_str(&a, "new"));
	doc_set(&a, d, "d", doc_bool(&a, true)); /* the last but one, in its place */
	assert_json(&a, d, "{\"a\":2,\"b\":{\"c\":[\"x\"]},\"d\":true,\"e\":\"new\"}");
	assert_true(doc_drop(&a, d, "e"));
	assert_false(doc_drop(&a, d, "e"));
	doc_set(&a, d, "f", doc_null(&a)); /* behind what is last now */
	assert_true(doc_drop(&a, d, "a"));
	assert_json(&a, d, "{\"b\":{\"c\":[\"x\"]},\"d\":true,\"f\":null}");
	assert_non_null(d->origin);

	doc_append(&a, doc_need_list(&a, doc_need_map(&a, d, "f"), "g"), doc_int(&a, 7));
	assert_ptr_equal(doc_need_map(&a, d, "f"), doc_get(&a, d, "f"));
	doc_need_map(&a, d, "d"); /* true is no map */
	assert_json(&a, d, "{\"b\":{\"c\":[\"x\"]},\"d\":{},\"f\":{\"g\":[7]}}");

	assert_null(doc_set(&a, doc_str(&a, "x"), "k", doc_null(&a)));
	assert_null(doc_set(&a, d, "k", NULL));
	assert_false(doc_drop(&a, NULL, "k"));
	arena_done(&a);
}

static void test_lists(void **state)
{
	struct arena a;
	struct doc *d;

	(void)state;
	arena_init(&a, ARENA_MAX);
	d = from_yaml(&a, "[1, 2, 3]");
	doc_append(&a, d, doc_int(&a, 4));
	doc_insert_after(&a, d, NULL, doc_int(&a, 0));
	doc_insert_after(&a, d, d->last, doc_int(&a, 6));
	doc_insert_after(&a, d, d->items->next, doc_str(&a, "between"));
	assert_json(&a, d, "[0,1,\"between\",2,3,4,6]");
	doc_replace(&a, d, d->last, doc_int(&a, 5));
	doc_remove(&a, d, d->items);
	doc_append(&a, d, doc_int(&a, 6));
	assert_json(&a, d, "[1,\"between\",2,3,4,5,6]");
	while (d->n != 0) {
		doc_remove(&a, d, d->last);
	}
	assert_json(&a, d, "[]");
	doc_append(&a, d, doc_int(&a, 1));
	doc_remove(&a, d, doc_int(&a, 1)); /* another node */
	doc_append(&a, doc_map(&a), doc_int(&a, 1));
	doc_append(&a, d, NULL);
	assert_json(&a, d, "[1]");
	arena_done(&a);
}

static void test_peek_opens_nothing(void **state)
{
	struct arena a;
	struct doc *d, *entry;
	size_t before;

	(void)state;
	arena_init(&a, ARENA_MAX);
	d = from_yaml(&a, "- {name: a, n: 1}\n- {name: b}\n");
	entry = doc_first(&a, d)->next;
	before = a.total;
	assert_true(bytes_eq(doc_peek(entry, "name", BYTES("")), BYTES("b")));
	assert_true(bytes_eq(doc_peek(d->items, "n", BYTES("no text")), BYTES("no text")));
	assert_true(bytes_eq(doc_peek(NULL, "n", BYTES("-")), BYTES("-")));
	assert_int_equal(a.total, before);
	assert_true(entry->closed);
	doc_set(&a, entry, "name", doc_str(&a, "c"));
	assert_true(bytes_eq(doc_peek(entry, "name", BYTES("")), BYTES("c")));
	arena_done(&a);
}

static void test_full_arena(void **state)
{
	struct arena big, a;
	struct doc *d;

	(void)state;
	arena_init(&big, ARENA_MAX);
	arena_init(&a, 200);
	d = from_yaml(&big, "[1, 2, 3]");
	assert_null(doc_first(&a, d));
	assert_true(d->closed);
	assert_true(arena_full(&a));
	doc_append(&a, d, doc_int(&big, 4));
	assert_null(doc_of_json(&a, NULL) != NULL ? doc_copy(&a, doc_map(&a)) : NULL);
	assert_json(&big, d, "[1,2,3]");
	arena_done(&a);
	arena_done(&big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_many_equal_keys),
		cmocka_unit_test(test_gson),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_peek_opens_nothing),
		cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
