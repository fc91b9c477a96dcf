#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/json_agree_int.h"

/* --- literals ------------------------------------------------------------------------------------- */

static void test_unescape(void **state)
{
	static const struct {
		const char *raw;
		const char *expect;
		const char *reason;
	} rows[] = {
		{"", "", "nothing"},
		{"plain", "plain", "nothing to do"},
		{"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", "every short escape"},
		{"a\\nb", "a\nb", "in the middle"},
		{"\\u0041\\u00e9\\u6A21", "A\xc3\xa9\xe6\xa8\xa1", "one, two and three bytes"},
		{"\\u007f\\u0080\\u07ff\\u0800\\uffff",
			"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", "the ends of the ranges"},
		{"\\ud83d\\ude00", "\xf0\x9f\x98\x80", "a pair"},
		{"\\udbff\\udfff", "\xf4\x8f\xbf\xbf", "the last pair"},
		{"\\ud83d", "\xef\xbf\xbd", "a lone high surrogate"},
		{"\\ud83dx", "\xef\xbf\xbdx", "a high surrogate before a letter"},
		{"\\ud83d\\n", "\xef\xbf\xbd\n", "a high surrogate before another escape"},
		{"\\ud83d\\ue000", "\xef\xbf\xbd\xee\x80\x80",
			"a high surrogate before what is none"},
		{"\\ud83d\\u0041",
			"\xef\xbf\xbd"
			"A",
			"a high surrogate before another character"},
		{"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80", "two high, one low"},
		{"\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd", "the wrong way round"},
		{"\\\\u0041", "\\u0041", "an escaped backslash before a u"},
	};
	struct text out;

	(void)state;
	text_init(&out, 100);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		text_clear(&out);
		json_unescape(bytes_str(rows[i].raw), &out);
		if (strcmp(text_cstr(&out), rows[i].expect) != 0) {
			fail_msg("%s: %s", rows[i].reason, text_cstr(&out));
		}
	}
	text_clear(&out);
	json_unescape(BYTES("a\\u0000b"), &out);
	assert_int_equal(out.n, 3);
	assert_memory_equal(out.p, "a\0b", 3);
	text_done(&out);
}

static void test_unescape_into_little_room(void **state)
{
	char room[4];
	struct text out;

	(void)state;
	text_init_fixed(&out, room, sizeof(room));
	json_unescape(BYTES("ab\\u00e9"), &out);
	assert_false(text_full(&out));
	text_clear(&out);
	json_unescape(BYTES("abc\\u00e9\\n\\n\\n"), &out);
	assert_true(text_full(&out));
}

static void test_number_u64(void **state)
{
	static const struct {
		const char *literal;
		bool good;
		uint64_t value;
		const char *reason;
	} rows[] = {
		{"0", true, 0, "zero"},
		{"-0", true, 0, "minus zero is zero"},
		{"-0.0e5", true, 0, "however it is written"},
		{"0e99999999999999999999", true, 0, "and whatever it is multiplied by"},
		{"12", true, 12, "an integer"},
		{"12.0", true, 12, "a fraction of zero"},
		{"12.000000000000000000000000000000", true, 12, "a long one"},
		{"1.2e1", true, 12, "an exponent that makes it whole"},
		{"1.2E+1", true, 12, "with a sign"},
		{"1.2e0001", true, 12, "with leading zeros"},
		{"120e-1", true, 12, "a negative exponent that leaves it whole"},
		{"0.00012e5", true, 12, "zeros behind the point"},
		{"0.0000000000000000000000000000012e31", true, 12, "many of them"},
		{"1000000000000000000000000000000e-30", true, 1, "many zeros, taken back"},
		{"18446744073709551615", true, UINT64_MAX, "the largest"},
		{"18446744073709551615.0", true, UINT64_MAX, "the largest with a fraction of zero"},
		{"1844674407370955161.5e1", true, UINT64_MAX, "the largest, shifted"},
		{"10000000000000000000", true, 10000000000000000000u, "20 digits"},
		{"1e19", true, 10000000000000000000u, "20 digits by exponent"},
		{"18446744073709551616", false, 0, "one more than fits"},
		{"1e20", false, 0, "does not fit"},
		{"1e999999999999", false, 0, "an exponent beyond all"},
		{"1e-999999999999", false, 0, "an exponent below all"},
		{"123456789012345678901", false, 0, "21 digits"},
		{"1.5", false, 0, "not whole"},
		{"12e-1", false, 0, "not whole by exponent"},
		{"100000000000000000000000000.5", false, 0, "large and not whole"},
		{"-1", false, 0, "negative"},
		{"-12.0", false, 0, "negative"},
		{"", false, 0, "no number"},
		{"-", false, 0, "no number"},
		{"x", false, 0, "no number"},
		{"1e", false, 0, "no number"},
		{"1ex", false, 0, "no number"},
		{"true", false, 0, "no number"},
		{"\"1\"", false, 0, "a string"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = 77;

		if (json_number_u64(bytes_str(rows[i].literal), &v) != rows[i].good ||
			v != (rows[i].good ? rows[i].value : 77)) {
			fail_msg("%s (%s): %llu", rows[i].reason, rows[i].literal,
				(unsigned long long)v);
		}
	}
}

/* --- tree ----------------------------------------------------------------------------------------- */

static void test_tree(void **state)
{
	static const char text[] =
		" {\"a\" : [1.0, \"x\\n\", null, {}, [true]],\"\\u0062\":\"y\", "
		"\"a\":false} ";
	struct arena arena;
	struct json_value *top;
	const struct json_value *a;

	(void)state;
	arena_init(&arena, 10000);
	top = json_parse(&arena, bytes_str(text), NULL);
	assert_non_null(top);
	assert_int_equal(top->type, JSON_OBJECT);
	assert_int_equal(top->n, 3);
	assert_int_equal(top->beg, 1);
	assert_int_equal(top->end, strlen(text) - 1);
	assert_null(top->next);
	assert_int_equal(json_get(top, "a")->type, JSON_FALSE);
	assert_true(bytes_eq(json_text(json_get(top, "b"), BYTES("-")), BYTES("y")));
	assert_true(bytes_eq(json_text(json_get(top, "a"), BYTES("-")), BYTES("-")));
	assert_true(bytes_eq(json_text(NULL, BYTES("-")), BYTES("-")));
	assert_null(json_get(top, "c"));
	assert_null(json_get(NULL, "c"));
	a = top->items;
	assert_null(json_get(a, "0"));
	assert_true(bytes_eq(a->key, BYTES("a")));
	assert_int_equal(a->type, JSON_ARRAY);
	assert_int_equal(a->n, 5);
	assert_true(bytes_eq(a->items->text, BYTES("1.0")));
	assert_int_equal(a->items->beg, 9);
	assert_int_equal(a->items->end, 12);
	assert_true(bytes_eq(a->items->next->text, BYTES("x\n")));
	assert_int_equal(a->items->next->next->type, JSON_NULL);
	assert_int_equal(a->items->next->next->next->type, JSON_OBJECT);
	assert_int_equal(a->items->next->next->next->n, 0);
	assert_int_equal(a->items->next->next->next->next->items->type, JSON_TRUE);
	arena_done(&arena);
}

static void test_tree_points_into_the_input(void **state)
{
	static const char text[] = "{\"key\":\"value\"}";
	struct arena arena;
	struct json_value *top;

	(void)state;
	arena_init(&arena, 1000);
	top = json_parse(&arena, bytes_str(text), NULL);
	assert_non_null(top);
	assert_ptr_equal(top->items->key.p, text + 2);
	assert_ptr_equal(top->items->text.p, text + 8);
	arena_done(&arena);
}

#define TREE "{\"a\\n\":[1,\"\\n\",{}],\"b\":2}"

static void test_tree_faults(void **state)
{
	struct arena arena;
	struct fault fault;
	char text[200];
	size_t enough;

	(void)state;
	arena_init(&arena, 1000);
	assert_null(json_parse(&arena, BYTES("[1,"), &fault));
	assert_int_equal(fault.err, ERR_SYNTAX);
	assert_int_equal(fault.where, 3);
	memset(text, '[', 129);
	memset(text + 129, ']', 71);
	assert_null(json_parse(&arena, bytes_of(text, 200), &fault));
	assert_int_equal(fault.err, ERR_LIMIT);
	assert_int_equal(fault.where, 128);
	arena_done(&arena);
	arena_init(&arena, 10000);
	assert_non_null(json_parse(&arena, BYTES(TREE), NULL));
	enough = arena.total;
	arena_done(&arena);
	/* Every amount of room that is not enough, down to none. */
	for (size_t room = 0; room < enough; room += 16) {

		arena_init(&arena, room);
		assert_null(json_parse(&arena, BYTES(TREE), &fault));
		assert_int_equal(fault.err, ERR_LIMIT);
		assert_int_equal(fault.status, 413);
		arena_done(&arena);
	}
}

/* --- writer --------------------------------------------------------------------------------------- */

static void test_writer(void **state)
{
	struct json_writer w;
	struct text out;

	(void)state;
	text_init(&out, 1000);
	json_writer_init(&w, &out);
	json_open_object(&w);
	json_key(&w, "s");
	json_put_str(&w, "a\"b\\c\n\x01\xc3\xa9\xff");
	json_key(&w, "n");
	json_open_array(&w);
	json_put_u64(&w, UINT64_MAX);
	json_put_i64(&w, INT64_MIN);
	json_put_i64(&w, 5);
	json_put_i64(&w, -5);
	json_put_bool(&w, true);
	json_put_bool(&w, false);
	json_put_null(&w);
	json_put_raw(&w, BYTES("1.0"));
	json_open_object(&w);
	json_close_object(&w);
	for (int i = 0; i < 2; i++) {
		json_open_array(&w);
		json_put_null(&w);
		json_close_array(&w);
	}
	json_close_array(&w);
	json_key_bytes(&w, BYTES("k\t"));
	json_put_string(&w, BYTES(""));
	json_close_object(&w);
	assert_string_equal(text_cstr(&out),
		"{\"s\":\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\xef\xbf\xbd\","
		"\"n\":[18446744073709551615,-9223372036854775808,5,-5,true,false,null,1.0,{},[null],[null]],"
		"\"k\\u0009\":\"\"}");
	assert_int_equal(json_scan_all(NULL, text_bytes(&out), NULL, NULL), 0);
	text_done(&out);
}

static void test_writer_depth(void **state)
{
	struct json_writer w;
	struct text out;

	(void)state;
	text_init(&out, 4000);
	json_writer_init(&w, &out);
	for (unsigned i = 0; i < JSON_DEPTH_MAX; i++) {
		json_open_array(&w);
		if (i % 2 == 1) {
			json_put_null(&w);
		}
	}
	while (w.depth != 0) {
		json_close_array(&w);
		if (w.depth != 0) {
			json_put_u64(&w, w.depth);
		}
	}
	assert_int_equal(json_scan_all(NULL, text_bytes(&out), NULL, NULL), 0);
	text_done(&out);
}

/* --- everything agrees ---------------------------------------------------------------------------- */

static void test_agree(void **state)
{
	static const char *const rows[] = {
		"{\"a\":{\"b\":1,\"b\":{\"a\":2}},\"\\u0061\":[{\"b\":\"\\ud83d\\ude00\"},7]}",
		"[[1,2],[],{\"a\":3},[[]]]",
		"{\"model\":\"\\u0078\",\"mode\\u006c\":\"x\",\"a\":\"\\u00e9\",\"a\":\"\xc3\xa9\"}",
		"{\"b\":\"\",\"a\":[\"a\",{\"b\":\"\xf0\x9f\x98\x80\"}]}",
		"[\"\\ud800\\u0061\"]",
		"-",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *wrong = json_agree(bytes_str(rows[i]), (uint32_t)i);

		if (wrong != NULL) {
			fail_msg("%s: %s", rows[i], wrong);
		}
	}
}

/* Random mixtures of the pieces that matter, whole and spoilt. */
static void test_agree_random(void **state)
{
	static const char *const parts[] = {"{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"",
		"\\", "\\u00e9", "\\\"", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xe6", "1", "-0.5e1",
		"true", "null", " ", "\"a\":{\"b\":", "[[\"x\",", "0123456789abcdef", "\x01",
		"\"model\":\"x\",", "]]}", "a text of thirty-two letters, yes"};
	uint32_t seed = 4711;
	struct text t;

	(void)state;
	text_init(&t, 4096);
	for (int round = 0; round < 3000; round++) {
		const char *wrong;
		size_t n = 1 + agree_random(&seed) % 30;

		text_clear(&t);
		text_add_str(&t, round % 2 == 0 ? "" : "{\"a\":\"");
		for (size_t i = 0; i < n; i++) {
			text_add_str(&t, parts[agree_random(&seed) % ARRAY_LEN(parts)]);
		}
		text_add_str(&t, round % 2 == 0 ? "" : "\"}");
		wrong = json_agree(text_bytes(&t), seed);
		if (wrong != NULL) {
			fail_msg("round %d: %s: %s", round, text_cstr(&t), wrong);
		}
	}
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_unescape_into_little_room),
		cmocka_unit_test(test_number_u64),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_tree_points_into_the_input),
		cmocka_unit_test(test_tree_faults),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_writer_depth),
		cmocka_unit_test(test_agree),
		cmocka_unit_test(test_agree_random),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
