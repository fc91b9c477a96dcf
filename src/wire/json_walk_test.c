/*
 * Texts as machines write them, which the walk takes in passing. What judges it: the same text in pieces of one byte, where
 * nothing is ever taken in passing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/json_agree_int.h"

/* Longer than what the walk wants to see before the end of a piece. */
#define FAR 200u
#define KEY_LENGTHS 40u

static const char filler[] =
	"\"filler\":\"of a member that nobody wants, and that is there to move the others\",";

static void expect_same(
	const struct agree *judge, const struct json_query *q, struct bytes text, size_t first)
{
	size_t n_ways;
	struct agree r;

	agree_scan(&r, q, json_runs(&n_ways), text, &(struct agree_cuts){first, text.n, 0});
	if (!agree_same(judge, &r)) {
		fail_msg("cut at %zu: rc %d/%d, at %zu/%zu, hits %zu/%zu: %.*s", first, judge->rc,
			r.rc, judge->fault.where, r.fault.where, judge->hits.n, r.hits.n,
			(int)text.n, text.p);
	}
	agree_done(&r);
}

/* Whole and cut at every place as in pieces of one byte; agree_done(judge) afterwards. */
static void scan_in_passing(struct agree *judge, const struct json_query *q, struct bytes text)
{
	agree_scan(judge, q, &agree_by_byte, text, &(struct agree_cuts){0, 1, 0});
	for (size_t cut = 0; cut < text.n; cut++) {
		expect_same(judge, q, text, cut);
	}
}

/* --- members ---------------------------------------------------------------------------------------- */

#define GOOD SIZE_MAX

struct member_row {
	const char *members;
	size_t at; /* of the fault in them, or GOOD */
	const char *reason;
};

static const struct member_row members[] = {
	{"\"a\":1", GOOD, "a digit"},
	{"\"a\":12345678", GOOD, "eight digits"},
	{"\"a\":1234567890123456,\"b\":12345678901234567890", GOOD, "sixteen and more"},
	{"\"a\":0,\"b\":-1,\"model\":-0.5e+10", GOOD, "zero and what has a sign"},
	{"\"a\":0.75,\"b\":1.0,\"model\":123456789.12345678901234567890", GOOD, "fractions"},
	{"\"a\":1e5,\"b\":1.5E-3", GOOD, "exponents"},
	{"\"a\":null,\"b\":true,\"model\":false", GOOD, "words"},
	{"\"a\":\"\",\"b\":\"x\"", GOOD, "an empty and a short string"},
	{"\"a\":\"0123456789abcdef\",\"b\":\"0123456789abcdef0123456789abcdef\"", GOOD,
		"strings of 16 and 32 bytes"},
	{"\"a\":\"0123456789abcdef0123456789abcdef0\",\"b\":1", GOOD, "one byte more"},
	{"\"a\":\"x\\\"y\",\"b\":\"\\u00e9\",\"model\":\"\xc3\xa9\"", GOOD, "escapes and UTF-8"},
	{"\"mod\\u0065l\":\"x\",\"model\":\"x\"", GOOD, "an escaped key"},
	{"\"a\":{},\"b\":[],\"model\":{}", GOOD, "empty containers"},
	{"\"a\":{\"b\":{\"a\":1}},\"b\":2", GOOD, "objects in objects"},
	{"\"a\":[{\"b\":1},{\"b\":\"\xf0\x9f\x98\x80\"}],\"b\":2", GOOD, "objects in an array"},
	{"\"a\":[[{\"b\":1}]],\"a\":[1,2,[3]]", GOOD, "arrays in arrays"},
	{"\"x\":{\"a\":{\"b\":1},\"model\":\"x\"}", GOOD, "wanted names where nothing is wanted"},
	{"\"a\": 1, \"b\": \"x\", \"model\": {\"a\": 1}", GOOD, "a blank behind colon and comma"},
	{"\"a\" : 1 ,\n\t\"b\"\t:\r\n\"x\" , \"model\" :{ } ", GOOD, "more blanks"},
	{"\"a\":01", 5, "a leading zero"},
	{"\"a\":00.5", 5, "two of them"},
	{"\"a\":1.,\"b\":1", 6, "no digit behind the point"},
	{"\"a\":1.5.5", 7, "two points"},
	{"\"a\":1e,\"b\":1", 6, "no exponent"},
	{"\"a\":1x", 5, "a letter in a number"},
	{"\"a\":12345678x", 12, "and behind eight digits"},
	{"\"a\":-", 5, "a minus alone"},
	{"\"a\":nul,\"b\":1", 7, "a word that is cut"},
	{"\"a\":nullx", 8, "a word that goes on"},
	{"\"a\":trueb", 8, "another"},
	{"\"a\":falsee", 9, "another"},
	{"\"a\":\"x\"\"b\":1", 7, "no comma"},
	{"\"a\"1", 3, "no colon"},
	{"\"a\"::1", 4, "two colons"},
	{"\"a\":,\"b\":1", 4, "no value"},
	{"\"a\":1,,\"b\":1", 6, "two commas"},
	{"\"a\":1,b:1", 6, "a key without quotes"},
	{"\"a\":1]", 5, "the wrong bracket"},
	{"\"a\":{\"b\":1],\"b\":1", 10, "the wrong bracket inside"},
	{"\"a\":[{\"b\":1}},\"b\":1", 12, "the wrong brace inside"},
	{"\"a\":{\"b\":1,},\"b\":1", 11, "a comma before the end"},
	{"\"a\":[{\"b\":1},],\"b\":1", 13, "a comma before the end of an array"},
	{"\"a\":\"x\ty\"", 6, "a control character"},
	{"\"a\tb\":1", 2, "a control character in a key"},
	{"\"a\":\"x\xff\"", 6, "what is no UTF-8"},
	{"\"a\":\"x\\y\"", 7, "an escape that there is not"},
};

/* Behind `before` fillers and before `behind` of them, and a byte more each time. */
static void check_members(
	const struct json_query *q, const struct member_row *row, size_t moved, bool behind)
{
	struct agree judge;
	struct text t;
	size_t at;

	text_init(&t, 4096);
	text_add_str(&t, "{\"moved\":\"");
	for (size_t i = 0; i < moved; i++) {
		text_add_char(&t, '.');
	}
	text_add_str(&t, "\",");
	at = t.n;
	text_add_str(&t, row->members);
	if (behind) {
		text_add_char(&t, ',');
		while (t.n < at + FAR) {
			text_add_str(&t, filler);
		}
		text_add_str(&t, "\"b\":3");
	}
	text_add_char(&t, '}');
	scan_in_passing(&judge, q, text_bytes(&t));
	if (judge.rc != (row->at == GOOD ? READ_DONE : READ_FAIL) ||
		(row->at != GOOD && judge.fault.where != at + row->at)) {
		fail_msg("%s: %d at %zu", row->reason, judge.rc, judge.fault.where - at);
	}
	agree_done(&judge);
	text_done(&t);
}

static void test_members(void **state)
{
	struct json_query *q = json_query_new(agree_wants, ARRAY_LEN(agree_wants));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		for (size_t moved = 0; moved < 100; moved += 9) {
			check_members(q, &members[i], moved, false);
			check_members(q, &members[i], moved, true);
		}
	}
	json_query_free(q);
}

/* --- keys ------------------------------------------------------------------------------------------- */

static size_t count_hits(const struct json_query *q, const char *key, bool behind)
{
	struct json_hit room[8];
	struct json_hits hits;
	struct text t;
	size_t n;

	text_init(&t, 1024);
	text_addf(&t, "{\"%s\":1", key);
	while (behind && t.n < FAR) {
		text_addf(&t, ",%.*s", (int)sizeof(filler) - 2, filler);
	}
	text_add_char(&t, '}');
	json_hits_init(&hits, room, ARRAY_LEN(room), ARRAY_LEN(room));
	assert_int_equal(json_scan_all(q, text_bytes(&t), &hits, NULL), 0);
	n = hits.n;
	text_done(&t);
	return n;
}

/* Wanted are a key and one that differs in its last byte; nothing else is found, whichever byte differs. */
static void check_keys(size_t n)
{
	char key[KEY_LENGTHS + 1], other[KEY_LENGTHS + 1], wrong[KEY_LENGTHS + 1];
	const struct json_want wants[] = {{key, NULL}, {other, NULL}};
	struct json_query *q;

	for (size_t i = 0; i < n; i++) {
		key[i] = (char)('a' + i % 26);
	}
	key[n] = '\0';
	memcpy(other, key, n + 1);
	other[n - 1] = '_';
	q = json_query_new(wants, ARRAY_LEN(wants));
	for (unsigned behind = 0; behind < 2; behind++) {
		assert_int_equal(count_hits(q, key, behind), 1);
		assert_int_equal(count_hits(q, other, behind), 1);
		for (size_t i = 0; i < n; i++) {
			memcpy(wrong, key, n + 1);
			wrong[i] = '-';
			assert_int_equal(count_hits(q, wrong, behind), 0);
		}
		memcpy(wrong, key, n + 1);
		wrong[n - 1] = '\0';
		assert_int_equal(count_hits(q, wrong, behind), 0);
	}
	json_query_free(q);
}

static void test_keys_of_every_length(void **state)
{
	(void)state;
	for (size_t n = 1; n <= KEY_LENGTHS; n++) {
		check_keys(n);
	}
}

/* More members of one length than any other, and one of each. */
static void test_keys_among_many(void **state)
{
	static const char *const names[] = {"b", "zz", "c", "abcdefgh", "a", "abcdefgi", "xbcdefgh",
		"abcdefghijklmnopq", "abcdefghiXklmnopq", "abcdefgh_jklmnopq"};
	struct json_want wants[ARRAY_LEN(names)];
	struct json_query *q;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		wants[i] = (struct json_want){names[i], NULL};
	}
	q = json_query_new(wants, ARRAY_LEN(wants));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(count_hits(q, names[i], true), 1);
		assert_int_equal(count_hits(q, names[i], false), 1);
	}
	assert_int_equal(count_hits(q, "d", true), 0);
	assert_int_equal(count_hits(q, "abcdefghi_klmnopq", true), 0);
	json_query_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_keys_of_every_length),
		cmocka_unit_test(test_keys_among_many),
	};

	return cmocka_run_group_tests_name("json_walk", tests, NULL, NULL);
}
