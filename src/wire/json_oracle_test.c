/*
 * jansson is the judge: what it accepts we accept, with the same contents, and what it refuses we
 * refuse, but for what it refuses by design (`excused`).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Both call their types so. */
#define JSON_OBJECT THEIR_OBJECT
#define JSON_ARRAY THEIR_ARRAY
#define JSON_STRING THEIR_STRING
#define JSON_INTEGER THEIR_INTEGER
#define JSON_REAL THEIR_REAL
#define JSON_TRUE THEIR_TRUE
#define JSON_FALSE THEIR_FALSE
#define JSON_NULL THEIR_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_REAL
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "wire/json_agree_int.h"

#ifdef __SANITIZE_ADDRESS__ /* slower, and it looks for something else */
#define ROUNDS 5000
#else
#define ROUNDS 20000
#endif

static size_t below(uint64_t *seed, size_t n)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (size_t)(*seed >> 33) % n;
}

/* A text that is mostly JSON. */
static void make_text(struct text *t, uint64_t *seed, unsigned depth)
{
	static const char *const scalars[] = {"0", "-0", "1.0", "1e2", "-12.5E-3", "123456789",
		"true", "false", "null", "\"\"", "\"a\"", "\"\\u0041\\n\"", "\"\xe6\xa8\xa1\"",
		"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80 and \\\\ \\\" some more text than 16\"",
		"\"a string that is longer than one block of sixty-four bytes, \\\"quoted\\\"\\n\"",
		"18446744073709551615000", "1e999", "\"\\u0000\"", "\"\\ud800\""};
	static const char *const keys[] = {"\"a\"", "\"b\"", "\"model\"", "\"mod\\u0065l\"",
		"\"\xc3\xa9\"", "\"\"", "\"a longer key, of more than sixteen bytes\""};
	size_t n = below(seed, 5);
	size_t kind = depth == 0 ? 1 + below(seed, 2) : below(seed, 3);

	if (kind == 0 || depth > 6) {
		/* The last four are what jansson refuses by design; rarely, or little else is compared. */
		size_t of = below(seed, 50) == 0 ? 20 : 16;

		text_add_str(t, scalars[below(seed, of)]);
		return;
	}
	text_add_char(t, kind == 1 ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		text_add_str(t, i != 0 ? "," : "");
		text_add_str(t, below(seed, 4) == 0 ? " \n" : "");
		if (kind == 1) {
			text_add_str(t, keys[below(seed, ARRAY_LEN(keys))]);
			text_add_str(t, ":");
		}
		make_text(t, seed, depth + 1);
	}
	text_add_char(t, kind == 1 ? '}' : ']');
}

/* A byte is changed, doubled or lost, or the end is. */
static void spoil(struct text *t, uint64_t *seed)
{
	static const char bytes[] = "{}[]\",:\\u0e.-+ \n\x01\x7f\x80\xc3\xe6\xf0\xffxnt19aA/";
	size_t at = below(seed, t->n);

	switch (below(seed, 4)) {
	case 0:
		t->p[at] = bytes[below(seed, sizeof(bytes) - 1)];
		break;
	case 1:
		memmove(t->p + at, t->p + at + 1, t->n - at - 1);
		t->n--;
		break;
	case 2:
		text_add_char(t, 'x');
		memmove(t->p + at + 1, t->p + at, t->n - at - 1);
		break;
	default:
		t->n = at;
		break;
	}
}

/* Of what jansson refuses, only this is ours to accept: numbers that no C type holds, \u0000 (in keys
 * even when allowed elsewhere), and lone surrogates. */
static bool excused(const json_error_t *e)
{
	return json_error_code(e) == json_error_numeric_overflow ||
		json_error_code(e) == json_error_null_character ||
		json_error_code(e) == json_error_null_byte_in_key ||
		strstr(e->text, "invalid Unicode") != NULL;
}

static void expect_number(const struct json_value *ours, const json_t *theirs)
{
	char literal[64];
	uint64_t v;

	assert_true(ours->text.n < sizeof(literal));
	memcpy(literal, ours->text.p, ours->text.n);
	literal[ours->text.n] = '\0';
	if (json_typeof(theirs) == THEIR_INTEGER) {
		bool minus = literal[0] == '-';

		assert_true(json_number_u64(bytes_str(literal + minus), &v));
		assert_int_equal(minus ? 0 - v : v, (uint64_t)json_integer_value(theirs));
	} else {
		assert_true(strtod(literal, NULL) == json_real_value(theirs));
	}
}

/* True for containers, whose insides are left to the caller. */
static bool expect_scalar(const struct json_value *ours, const json_t *theirs)
{
	switch (json_typeof(theirs)) {
	case THEIR_OBJECT:
		assert_int_equal(ours->type, JSON_OBJECT);
		return true;
	case THEIR_ARRAY:
		assert_int_equal(ours->type, JSON_ARRAY);
		return true;
	case THEIR_STRING:
		assert_int_equal(ours->type, JSON_STRING);
		assert_int_equal(ours->text.n, json_string_length(theirs));
		assert_memory_equal(ours->text.p, json_string_value(theirs), ours->text.n);
		return false;
	case THEIR_INTEGER:
	case THEIR_REAL:
		assert_int_equal(ours->type, JSON_NUMBER);
		expect_number(ours, theirs);
		return false;
	case THEIR_TRUE:
		assert_int_equal(ours->type, JSON_TRUE);
		return false;
	case THEIR_FALSE:
		assert_int_equal(ours->type, JSON_FALSE);
		return false;
	case THEIR_NULL:
		assert_int_equal(ours->type, JSON_NULL);
		return false;
	}
	return false;
}

/* Recursion as deep as make_text went. jansson keeps the last of duplicate keys, as json_get does. */
static void expect_equal(const struct json_value *ours, const json_t *theirs)
{
	size_t i = 0;

	if (!expect_scalar(ours, theirs)) {
		return;
	}
	if (ours->type == JSON_ARRAY) {
		assert_int_equal(ours->n, json_array_size(theirs));
	}
	for (const struct json_value *v = ours->items; v != NULL; v = v->next, i++) {
		char key[100];

		if (ours->type == JSON_ARRAY) {
			expect_equal(v, json_array_get(theirs, i));
			continue;
		}
		assert_true(v->key.n < sizeof(key));
		memcpy(key, v->key.p, v->key.n);
		key[v->key.n] = '\0';
		assert_non_null(json_object_get(theirs, key));
		expect_equal(json_get(ours, key), json_object_get(theirs, key));
	}
	assert_int_equal(i, ours->n);
}

static void judge(struct bytes text, unsigned counts[4])
{
	json_error_t error;
	struct fault fault;
	struct arena arena;
	struct json_value *ours;
	json_t *theirs = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	arena_init(&arena, 10u << 20);
	ours = json_parse(&arena, text, &fault);
	counts[(ours != NULL) * 2 + (theirs != NULL)]++;
	if (ours != NULL && theirs != NULL) {
		expect_equal(ours, theirs);
	} else if (ours != NULL && !excused(&error)) {
		fail_msg("only jansson refuses %.*s: %s", (int)text.n, text.p, error.text);
	} else if (theirs != NULL) {
		fail_msg("only we refuse %.*s: %s", (int)text.n, text.p, fault.text);
	}
	json_decref(theirs);
	arena_done(&arena);
}

static void test_jansson(void **state)
{
	unsigned counts[4] = {0};
	uint64_t seed = 20240601;
	struct text t;

	(void)state;
	text_init(&t, 1u << 20);
	for (int round = 0; round < ROUNDS; round++) {
		text_clear(&t);
		make_text(&t, &seed, 0);
		for (int i = round % 3; i > 0 && t.n != 0; i--) {
			spoil(&t, &seed);
		}
		judge(text_bytes(&t), counts);
		if (round % 10 < 2) {
			const char *wrong = json_agree(text_bytes(&t), (uint32_t)round);

			if (wrong != NULL) {
				fail_msg("%s: %s", text_cstr(&t), wrong);
			}
		}
	}
	/* Both answers were given often, or this test judges nothing. */
	assert_true(counts[3] > ROUNDS / 4);
	assert_true(counts[0] > ROUNDS / 4);
	assert_true(counts[2] > 0);
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jansson),
	};

	return cmocka_run_group_tests_name("json_oracle", tests, NULL, NULL);
}
