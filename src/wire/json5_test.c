#include "wire/json5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "wire/json5_agree_int.h"

static void dump(struct json_writer *w, const struct json_value *v)
{
	if (v->type == JSON_OBJECT || v->type == JSON_ARRAY) {
		if (v->type == JSON_OBJECT) {
			json_open_object(w);
		} else {
			json_open_array(w);
		}
		for (const struct json_value *i = v->items; i != NULL; i = i->next) {
			if (v->type == JSON_OBJECT) {
				json_key_bytes(w, i->key);
			}
			dump(w, i);
		}
		if (v->type == JSON_OBJECT) {
			json_close_object(w);
		} else {
			json_close_array(w);
		}
	} else if (v->type == JSON_STRING) {
		json_put_string(w, v->text);
	} else {
		json_put_raw(w, v->text);
	}
}

static const struct {
	const char *text, *expect, *reason;
} rows[] = {
	{"{}", "{}", "an empty object"},
	{" [ ] ", "[]", "an empty array between blanks"},
	{"{a:1,b_$2:'x'}", "{\"a\":1,\"b_$2\":\"x\"}", "keys without quotes"},
	{"{'a b':1,\"c\":2}", "{\"a b\":1,\"c\":2}", "keys in either quotes"},
	{"{\\u0061b:1,\xc3\xa9:2}", "{\"ab\":1,\"\xc3\xa9\":2}", "escapes and letters in a name"},
	{"{true:1,null:2,Infinity:3}", "{\"true\":1,\"null\":2,\"Infinity\":3}",
		"words are names, too"},
	{"[1,2,]", "[1,2]", "a comma behind the last item"},
	{"{a:[1,],}", "{\"a\":[1]}", "the same, nested"},
	{"// x\n{/* y */a/**/:/* * / */1// z\n,/***/}//", "{\"a\":1}",
		"comments wherever blanks may be"},
	{"[1 // the last line has no end", NULL, "a comment swallows the bracket"},
	{"[+1,-1,.5,5.,-.5,1e3,+1.5E-3,0,0.0]", "[+1,-1,.5,5.,-.5,1e3,+1.5E-3,0,0.0]",
		"numbers stay as they were written"},
	{"[0x1F,-0XaB,Infinity,-Infinity,+NaN]", "[0x1F,-0XaB,Infinity,-Infinity,+NaN]",
		"numbers that JSON does not have"},
	{"[12345678901234567890,1e6,200000.0]", "[12345678901234567890,1e6,200000.0]",
		"and those that a double would change"},
	{"['a\"b',\"a'b\"]", "[\"a\\\"b\",\"a'b\"]", "the other quote in a string"},
	{"'\\b\\f\\n\\r\\t\\v\\0\\'\\\"\\\\\\/\\q'",
		"\"\\u0008\\u000c\\n\\u000d\\u0009\\u000b\\u0000'\\\"\\\\/q\"", "escapes"},
	{"'\\x41\\u00e9\\ud83d\\ude00'", "\"A\xc3\xa9\xf0\x9f\x98\x80\"", "codes, and a pair"},
	{"'\\ud83d \\ude00 \\ud83d\\x41'",
		"\"\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"
		"A\"",
		"halves of pairs"},
	{"'a\\\nb\\\r\nc\\\rd\\\xe2\x80\xa8"
	 "e'",
		"\"abcde\"", "a string that goes on in the next line"},
	{"'a\xe2\x80\xa8\tb'", "\"a\xe2\x80\xa8\\u0009b\"",
		"U+2028 and a tab may stand in a string"},
	{"\xef\xbb\xbf{\r\na:1\r\n}\r\n", "{\"a\":1}", "a byte order mark and CR LF"},
	{"\xc2\xa0[\v\f1\xe2\x80\x83\xe3\x80\x80]", "[1]", "blanks of all kinds"},
	{"{a:1,a:2}", "{\"a\":1,\"a\":2}", "both of two equal keys are kept"},
	{"null", "null", "any value may be the top one"},
	/* refused */
	{"", "line 1, column 1: a value is missing", "nothing"},
	{"// only\n", "line 2, column 1: a value is missing", "only a comment"},
	{"{\n  a: 1\n  b: 2\n}", "line 3, column 3: a comma or } is missing", "no comma"},
	{"[1 2]", "line 1, column 4: a comma or ] is missing", "no comma in an array"},
	{"[1,,2]", "line 1, column 4: a value is missing", "two commas"},
	{"[,]", "line 1, column 2: a value is missing", "a comma alone"},
	{"{,}", "line 1, column 2: a key or } is missing", "a comma alone in an object"},
	{"{a}", "line 1, column 3: a colon is missing", "a key alone"},
	{"{a:}", "line 1, column 4: a value is missing", "no value"},
	{"{1:2}", "line 1, column 2: a key or } is missing", "a number is no key"},
	{"{\n\xc3\xa9\xc3\xa9: [1\n", "line 2, column 5: the ] to this [ is missing",
		"columns are characters; the innermost bracket is named"},
	{"{a:1", "line 1, column 1: the } to this { is missing", "the end is missing"},
	{"\xef\xbb\xbf{", "line 1, column 1: the } to this { is missing",
		"a byte order mark is no column"},
	{"[1]]", "line 1, column 4: something follows the value", "one bracket too many"},
	{"[1}", "line 1, column 3: a comma or ] is missing", "the wrong bracket"},
	{"'a\nb'", "line 1, column 1: a string does not end", "a line end in a string"},
	{"\r\r\n\n 'a", "line 4, column 2: a string does not end", "CR, CR LF and LF end lines"},
	{"'\\1'", "line 1, column 2: an escape that there is not", "an octal escape"},
	{"'\\01'", "line 1, column 2: an escape that there is not", "a digit behind \\0"},
	{"'\\u12g4'", "line 1, column 2: an escape that there is not", "no hexadecimal digit"},
	{"'\\x4'", "line 1, column 2: an escape that there is not", "too few digits"},
	{"010", "line 1, column 4: a number begins with 0", "an octal number"},
	{"0x", "line 1, column 3: a number without digits", "no digits"},
	{"1e", "line 1, column 3: an exponent without digits", "no exponent"},
	{".", "line 1, column 2: a value is missing", "a point alone"},
	{"+", "line 1, column 2: a value is missing", "a sign alone"},
	{"+true", "line 1, column 2: a value is missing", "a sign in front of a word"},
	{"tru", "line 1, column 1: a value is missing", "half a word"},
	{"truex", "line 1, column 1: a value is missing", "more than a word"},
	{"1x", "line 1, column 2: something follows the value", "a letter behind a number"},
	{"/* x", "line 1, column 1: a comment does not end", "an open comment"},
	{"/*/", "line 1, column 1: a comment does not end", "a star serves once"},
	{"/x", "line 1, column 1: a slash that begins no comment", "a slash"},
	{"'\xc3'", "line 1, column 2: a string is not UTF-8", "half a character"},
	{"// \xff\n1", "line 1, column 1: a comment is not UTF-8", "a comment in another charset"},
	{"{\xff:1}", "line 1, column 2: a key or } is missing", "a key in another charset"},
};

static void texts_are_read(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct text out;
		struct json_writer w;
		struct fault f = {0};
		const struct json_value *v;

		arena_init(&a, JSON5_ARENA_MAX);
		text_init(&out, 1000);
		v = json5_parse(&a, bytes_str(rows[i].text), &f);
		if (v != NULL) {
			json_writer_init(&w, &out);
			dump(&w, v);
		} else {
			text_add_str(&out, f.text);
		}
		if (rows[i].expect != NULL ? strcmp(text_cstr(&out), rows[i].expect) != 0
					   : v != NULL) {
			print_message(
				"%s: %s: %s\n", rows[i].reason, rows[i].text, text_cstr(&out));
			wrong++;
		}
		text_done(&out);
		arena_done(&a);
	}
	assert_int_equal(wrong, 0);
}

/* Whatever is cut off or falls out: an answer with a place, and the strict reader does not disagree. */
static void torn_texts_are_answered(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].text);
		char copy[200];

		assert_true(n < sizeof(copy));
		for (size_t k = 0; k < n; k++) {
			/* of the exact size, so that a sanitizer sees a byte too many */
			char *prefix = bytes_dup(bytes_of(rows[i].text, k));
			const char *wrong = json5_agree(bytes_of(prefix, k));

			free(prefix);
			memcpy(copy, rows[i].text, k);
			memcpy(copy + k, rows[i].text + k + 1, n - k - 1);
			wrong = wrong != NULL ? wrong : json5_agree(bytes_of(copy, n - 1));
			if (wrong != NULL) {
				fail_msg("%s, byte %zu: %s", rows[i].reason, k, wrong);
			}
		}
	}
}

static bool agree_on_file(void *arg, const char *name)
{
	char path[300];
	struct text t;

	(void)arg;
	snprintf(path, sizeof(path), "tests/fuzz/json/%s", name);
	text_init(&t, 1 << 22);
	assert_int_equal(file_read(path, 1 << 22, &t, NULL, NULL), 0);
	if (json5_agree(text_bytes(&t)) != NULL) {
		fail_msg("%s: %s", name, json5_agree(text_bytes(&t)));
	}
	text_done(&t);
	return true;
}

/* The seeds of the strict reader's fuzz target. */
static void json_means_the_same(void **state)
{
	(void)state;
	assert_int_equal(file_list("tests/fuzz/json", agree_on_file, NULL, NULL), 0);
}

static void places_are_known(void **state)
{
	struct bytes text = BYTES("\xef\xbb\xbf{ a : 'x\\n' , \"b\":[ 1 ] }");
	struct arena a;
	const struct json_value *v;

	(void)state;
	arena_init(&a, JSON5_ARENA_MAX);
	v = json5_parse(&a, text, NULL);
	assert_non_null(v);
	assert_int_equal(v->beg, 3);
	assert_int_equal(v->end, text.n);
	v = v->items;
	assert_true(bytes_eq(bytes_of(text.p + v->key_beg, v->key_end - v->key_beg), BYTES("a")));
	assert_true(bytes_eq(bytes_of(text.p + v->beg, v->end - v->beg), BYTES("'x\\n'")));
	v = v->next;
	assert_true(
		bytes_eq(bytes_of(text.p + v->key_beg, v->key_end - v->key_beg), BYTES("\"b\"")));
	assert_true(bytes_eq(bytes_of(text.p + v->beg, v->end - v->beg), BYTES("[ 1 ]")));
	assert_int_equal(v->items->key_end, 0);
	arena_done(&a);
}

static struct fault refusal_of(struct bytes text)
{
	struct arena a;
	struct fault f = {0};

	arena_init(&a, JSON5_ARENA_MAX);
	assert_true((json5_parse(&a, text, &f) == NULL) == (f.err != 0));
	arena_done(&a);
	return f;
}

static void limits_are_met(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, JSON5_TEXT_MAX + 10);
	for (unsigned i = 0; i < JSON5_DEPTH_MAX; i++) {
		text_add_char(&t, '[');
	}
	for (unsigned i = 0; i < JSON5_DEPTH_MAX; i++) {
		text_add_char(&t, ']');
	}
	assert_int_equal(refusal_of(text_bytes(&t)).err, 0);
	text_clear(&t);
	for (unsigned i = 0; i < 100000; i++) {
		text_add_char(&t, '[');
	}
	assert_int_equal(refusal_of(text_bytes(&t)).err, ERR_LIMIT);
	assert_non_null(strstr(refusal_of(text_bytes(&t)).text, "line 1, column 65: nested"));
	text_clear(&t);
	text_add_char(&t, '[');
	for (unsigned i = 1; i < JSON5_VALUES_MAX; i++) {
		text_add_str(&t, "0,");
	}
	text_add_str(&t, "]");
	assert_int_equal(refusal_of(text_bytes(&t)).err, 0);
	t.n--;
	text_add_str(&t, "1]");
	assert_int_equal(refusal_of(text_bytes(&t)).err, ERR_LIMIT);
	while (t.n < JSON5_TEXT_MAX) {
		text_add_char(&t, ' ');
	}
	memcpy(t.p, "1 //", 4);
	assert_int_equal(refusal_of(text_bytes(&t)).err, 0);
	text_add_char(&t, ' ');
	assert_int_equal(refusal_of(text_bytes(&t)).err, ERR_LIMIT);
	text_done(&t);
}

/* The worst that fits: values as many as may be, each a string with an escape under a key with one. */
static void the_arena_is_enough(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, JSON5_TEXT_MAX);
	text_add_char(&t, '{');
	for (unsigned i = 1; i < JSON5_VALUES_MAX; i++) {
		text_add_str(&t, "\\u0061:'\\n',");
	}
	text_add_char(&t, '}');
	assert_false(text_full(&t));
	assert_int_equal(refusal_of(text_bytes(&t)).err, 0);
	text_done(&t);
}

static void numbers_are_understood(void **state)
{
	static const struct {
		const char *literal;
		bool ok;
		uint64_t value;
		const char *reason;
	} numbers[] = {
		{"200000", true, 200000, "plain"},
		{"+7", true, 7, "a sign"},
		{"0x10", true, 16, "hexadecimal"},
		{"+0XfF", true, 255, "in capitals, with a sign"},
		{"1e6", true, 1000000, "an exponent"},
		{"200000.0", true, 200000, "a fraction of nothing"},
		{"5.", true, 5, "a point behind"},
		{"-0", true, 0, "minus nothing"},
		{"-1", false, 0, "negative"},
		{"1.5", false, 0, "a fraction"},
		{".5", false, 0, "a point in front"},
		{"Infinity", false, 0, "no number to speak of"},
		{"NaN", false, 0, "none at all"},
		{"0x10000000000000000", false, 0, "too large"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t v = 0;

		if (json5_number_u64(bytes_str(numbers[i].literal), &v) != numbers[i].ok ||
			v != numbers[i].value) {
			fail_msg("%s: %s", numbers[i].reason, numbers[i].literal);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read),
		cmocka_unit_test(torn_texts_are_answered),
		cmocka_unit_test(json_means_the_same),
		cmocka_unit_test(places_are_known),
		cmocka_unit_test(limits_are_met),
		cmocka_unit_test(the_arena_is_enough),
		cmocka_unit_test(numbers_are_understood),
	};

	return cmocka_run_group_tests_name("json5", tests, NULL, NULL);
}
