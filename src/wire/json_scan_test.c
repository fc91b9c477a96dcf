#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/json_agree_int.h"

/* A text in pieces of `step` bytes behind a first one; 0: none such. */
static void scan_cut(struct agree *r, const struct json_query *q, const struct json_run *way,
	struct bytes text, size_t first, size_t step)
{
	agree_scan(r, q, way, text, &(struct agree_cuts){first, step, 0});
}

static void expect_same(const struct agree *whole, struct agree *r, const char *reason)
{
	if (!agree_same(whole, r)) {
		fail_msg("%s: rc %d/%d, at %zu/%zu, hits %zu/%zu, %s/%s", reason, whole->rc, r->rc,
			whole->fault.where, r->fault.where, whole->hits.n, r->hits.n,
			whole->fault.text, r->fault.text);
	}
	agree_done(r);
}

/* Whole, byte by byte, in steps, and cut at every place, by every way. agree_done(whole) afterwards. */
static void scan_every_way(
	struct agree *whole, const struct json_query *q, struct bytes text, const char *reason)
{
	size_t all = MAX(text.n, 1);
	size_t n_ways;
	const struct json_run *ways = json_runs(&n_ways);

	scan_cut(whole, q, &agree_by_byte, text, 0, all);
	for (size_t w = 0; w < n_ways; w++) {
		struct agree r;

		for (size_t step = 1; step < 7; step++) {
			scan_cut(&r, q, &ways[w], text, 0, step);
			expect_same(whole, &r, reason);
		}
		for (size_t cut = 0; cut < all; cut++) {
			scan_cut(&r, q, &ways[w], text, cut, all);
			expect_same(whole, &r, reason);
		}
	}
}

/* --- the grammar ---------------------------------------------------------------------------------- */

#define GOOD SIZE_MAX

struct grammar_row {
	const char *text;
	size_t n;  /* 0: up to the NUL */
	size_t at; /* of the fault, or GOOD */
	const char *reason;
};

#define WITH_NUL(t) t, sizeof(t) - 1

static const struct grammar_row grammar[] = {
	{"{}", 0, GOOD, "an empty object"},
	{"[]", 0, GOOD, "an empty array"},
	{" \t\r\n{ \t\r\n} \t\r\n", 0, GOOD, "blanks around everything"},
	{"null", 0, GOOD, "a word at the top"},
	{"true", 0, GOOD, "a word at the top"},
	{"false", 0, GOOD, "a word at the top"},
	{"\"\"", 0, GOOD, "an empty string at the top"},
	{"0", 0, GOOD, "a number at the top ends with the text"},
	{"-0", 0, GOOD, "minus zero"},
	{"1.0", 0, GOOD, "a fraction"},
	{"1e2", 0, GOOD, "an exponent"},
	{"1E+2", 0, GOOD, "an exponent with a sign"},
	{"-1.5e-300", 0, GOOD, "all parts of a number"},
	{"0e0", 0, GOOD, "zero with an exponent"},
	{"[0,-0.0,12345678901234567890,99999999999999999999999]", 0, GOOD, "20 digits and more"},
	{"1e999999999", 0, GOOD, "no float is made, so none overflows"},
	{"{\"a\":1,\"a\":2}", 0, GOOD, "duplicate keys are not the scanner's to judge"},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uabCD\"", 0, GOOD, "every escape"},
	{"\"\\u0000\"", 0, GOOD, "an escaped NUL"},
	{"\"\\ud800\"", 0, GOOD, "a lone high surrogate is the client's own"},
	{"\"\\udc00\\ud800\\u0041\"", 0, GOOD, "surrogates the wrong way round"},
	{"\"\x7f\"", 0, GOOD, "DEL is not a control character of RFC 8259"},
	{"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
		0, GOOD, "the ends of every range of UTF-8"},
	{"{\"\xe6\xa8\xa1\xe5\x9e\x8b\":\"\xe6\xa8\xa1\"}", 0, GOOD, "a key that is not ASCII"},
	{"[[[[[[[[[[]]]]]]]]]]", 0, GOOD, "nested arrays"},
	{"{\"a\":{\"b\":[{\"c\":[]}]}}", 0, GOOD, "mixed nesting"},
	{"[\"]\",\"}\",\"[{\",\",\"]", 0, GOOD, "brackets and commas inside strings"},

	{"", 0, 0, "empty text"},
	{"  \n", 0, 3, "only blanks"},
	{"\xef\xbb\xbf{}", 0, 0, "a byte order mark"},
	{"\xa0{}", 0, 0, "a blank that JSON does not know"},
	{"\v{}", 0, 0, "vertical tab is no blank"},
	{WITH_NUL("{}\0"), 2, "NUL behind the value"},
	{WITH_NUL("\0"), 0, "NUL alone"},
	{"{} {}", 0, 3, "two values"},
	{"{}x", 0, 2, "garbage behind the value"},
	{"1 2", 0, 2, "two numbers"},
	{"\"a\"b", 0, 3, "garbage behind a string"},
	{"{},", 0, 2, "a comma behind the value"},
	{"]", 0, 0, "a bracket that nothing opened"},
	{"}", 0, 0, "a brace that nothing opened"},
	{"[}", 0, 1, "closed by the wrong bracket"},
	{"{]", 0, 1, "closed by the wrong bracket"},
	{"[1}", 0, 2, "closed by the wrong bracket behind a value"},
	{"{\"a\":1]", 0, 6, "closed by the wrong bracket behind a member"},
	{"[,]", 0, 1, "a comma before the first element"},
	{"[1,]", 0, 3, "a comma before the end"},
	{"[1,,2]", 0, 3, "two commas"},
	{"[1 2]", 0, 3, "no comma"},
	{"{,}", 0, 1, "a comma before the first member"},
	{"{\"a\":1,}", 0, 7, "a comma before the end"},
	{"{\"a\" 1}", 0, 5, "no colon"},
	{"{\"a\"::1}", 0, 5, "two colons"},
	{"{\"a\":}", 0, 5, "no value"},
	{"{\"a\",\"b\"}", 0, 4, "a key without value"},
	{"{a:1}", 0, 1, "a key without quotes"},
	{"{'a':1}", 0, 1, "single quotes"},
	{"{1:1}", 0, 1, "a number as a key"},
	{"{\"a\":1 \"b\":2}", 0, 7, "no comma between members"},
	{"[\"a\":1]", 0, 4, "a member in an array"},
	{"['a']", 0, 1, "single quotes"},
	{"/* */ 1", 0, 0, "a comment"},
	{"[1]//", 0, 3, "a comment"},

	{"01", 0, 1, "a leading zero"},
	{"-01", 0, 2, "a leading zero behind minus"},
	{"00", 0, 1, "two zeros"},
	{"[00.5]", 0, 2, "a leading zero before a fraction"},
	{"1.", 0, 2, "no digit behind the point, text ends"},
	{"[1.]", 0, 3, "no digit behind the point"},
	{".5", 0, 0, "no digit before the point"},
	{"+1", 0, 0, "a plus"},
	{"-", 0, 1, "a minus alone"},
	{"[-]", 0, 2, "a minus alone"},
	{"[- 1]", 0, 2, "a blank behind the minus"},
	{"--1", 0, 1, "two minus"},
	{"1e", 0, 2, "no exponent"},
	{"[1e]", 0, 3, "no exponent"},
	{"1e+", 0, 3, "no exponent behind its sign"},
	{"1e1.5", 0, 3, "a fraction in the exponent"},
	{"1.2.3", 0, 3, "two points"},
	{"1e2e3", 0, 3, "two exponents"},
	{"0x10", 0, 1, "hexadecimal"},
	{"1_000", 0, 1, "an underscore"},
	{"1a", 0, 1, "a letter behind a number"},
	{"NaN", 0, 0, "not a number"},
	{"nan", 0, 1, "not a number, beginning like null"},
	{"Infinity", 0, 0, "infinity"},
	{"-Infinity", 0, 1, "minus infinity"},
	{"True", 0, 0, "a capital letter"},
	{"tru", 0, 3, "a word that ends early"},
	{"trux", 0, 3, "a word that goes wrong"},
	{"nul]", 0, 3, "a word cut by a bracket"},
	{"truefalse", 0, 4, "two words"},
	{"[fal se]", 0, 4, "a blank in a word"},

	{"\"", 0, 1, "an unterminated string"},
	{"\"abc", 0, 4, "an unterminated string"},
	{"\"abc\\\"", 0, 6, "the quote is escaped"},
	{"\"\\", 0, 2, "the text ends in an escape"},
	{"\"\\u12", 0, 5, "the text ends in a \\u escape"},
	{"\"\xe6\xa8", 0, 3, "the text ends in a character"},
	{"{", 0, 1, "an unterminated object"},
	{"[", 0, 1, "an unterminated array"},
	{"{\"a", 0, 3, "an unterminated key"},
	{"{\"a\"", 0, 4, "ends behind a key"},
	{"{\"a\":", 0, 5, "ends behind a colon"},
	{"{\"a\":1", 0, 6, "ends behind a member"},
	{"{\"a\":1,", 0, 7, "ends behind a comma"},
	{"[1,", 0, 3, "ends behind a comma"},
	{"[1", 0, 2, "ends in a number in an array"},

	{"\"\\a\"", 0, 2, "an escape that does not exist"},
	{"\"\\'\"", 0, 2, "an escape that does not exist"},
	{"\"\\0\"", 0, 2, "an escape that does not exist"},
	{"\"\\U0041\"", 0, 2, "a capital U"},
	{"\"\\x41\"", 0, 2, "a hexadecimal escape"},
	{"\"\\\n\"", 0, 2, "an escaped line feed"},
	{"\"\\u\"", 0, 3, "\\u without digits"},
	{"\"\\u12\"", 0, 5, "\\u with two digits"},
	{"\"\\u123g\"", 0, 6, "\\u with a wrong digit"},
	{"\"\\u12\\u0041\"", 0, 5, "\\u cut by another escape"},
	{"\"\\u12\\n\"", 0, 5, "\\u cut by a short escape"},
	{"\"\\u 123\"", 0, 3, "\\u with a blank"},
	{"\"\\u+123\"", 0, 3, "\\u with a sign"},
	{"\"a\nb\"", 0, 2, "a bare line feed"},
	{"\"a\tb\"", 0, 2, "a bare tab"},
	{WITH_NUL("\"a\0b\""), 2, "a bare NUL"},
	{"\"a\x1f\"", 0, 2, "the last control character"},
	{"{\"a\nb\":1}", 0, 3, "a line feed in a key"},

	{"\"\x80\"", 0, 1, "a byte that continues nothing"},
	{"\"a\xbf\"", 0, 2, "a byte that continues nothing"},
	{"\"\xc0\xaf\"", 0, 1, "overlong, two bytes"},
	{"\"\xc1\xbf\"", 0, 1, "overlong, two bytes"},
	{"\"\xe0\x9f\xbf\"", 0, 1, "overlong, three bytes"},
	{"\"\xf0\x8f\xbf\xbf\"", 0, 1, "overlong, four bytes"},
	{"\"\xed\xa0\x80\"", 0, 1, "a surrogate"},
	{"\"\xed\xbf\xbf\"", 0, 1, "a surrogate"},
	{"\"\xf4\x90\x80\x80\"", 0, 1, "above U+10FFFF"},
	{"\"\xf5\x80\x80\x80\"", 0, 1, "above U+10FFFF"},
	{"\"\xff\"", 0, 1, "never in UTF-8"},
	{"\"\xfe\"", 0, 1, "never in UTF-8"},
	{"\"ab\xc3\"", 0, 3, "two bytes cut by the quote"},
	{"\"ab\xe6\xa8\"", 0, 3, "three bytes cut by the quote"},
	{"\"ab\xf0\x9f\x98\"", 0, 3, "four bytes cut by the quote"},
	{"\"ab\xe6\xe6\xa8\xa1\"", 0, 3, "a sequence that begins inside another"},
	{"\"ab\xc3\\u0041\"", 0, 3, "a sequence cut by an escape"},
	{"\"ab\xc3\n\"", 0, 3, "a sequence cut by a control character"},
	{"{\"\xc3\":1}", 0, 2, "a broken character in a key"},
	{"\xc3\xa9", 0, 0, "a character outside strings"},
};

static void check_grammar(struct bytes text, size_t at, const char *reason)
{
	struct agree whole;

	scan_every_way(&whole, NULL, text, reason);
	if (at == GOOD) {
		if (whole.rc != READ_DONE) {
			fail_msg("%s: refused at %zu: %s", reason, whole.fault.where,
				whole.fault.text);
		}
		assert_int_equal(json_scan_all(NULL, text, NULL, NULL), 0);
		return;
	}
	if (whole.rc != READ_FAIL || whole.fault.where != at || whole.fault.err != ERR_SYNTAX ||
		whole.fault.status != 400) {
		fail_msg("%s: rc %d, at %zu, not %zu: %s", reason, whole.rc, whole.fault.where, at,
			whole.fault.text);
	}
	assert_int_equal(json_scan_all(NULL, text, NULL, NULL), ERR_SYNTAX);
}

static struct bytes row_text(const struct grammar_row *row)
{
	return row->n != 0 ? bytes_of(row->text, row->n) : bytes_str(row->text);
}

static void test_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(grammar); i++) {
		check_grammar(row_text(&grammar[i]), grammar[i].at, grammar[i].reason);
	}
}

/* The same rows behind strings of every length up to two blocks: no place in a block is special. */
static void test_grammar_at_every_place(void **state)
{
	size_t n_ways;
	const struct json_run *ways = json_runs(&n_ways);
	char text[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(grammar); i++) {
		struct bytes row = row_text(&grammar[i]);

		/* Only strings reach the blocks: what stands before the string's contents differs. */
		if (row.n < 2 || row.p[0] != '"') {
			continue;
		}
		for (size_t pad = 1; pad < 140; pad++) {
			struct bytes b = bytes_of(text, row.n + pad + 80);
			size_t at = grammar[i].at == GOOD ? GOOD : grammar[i].at + pad;

			memset(text, 'x', sizeof(text));
			text[0] = '"';
			memcpy(text + 1 + pad, row.p + 1, row.n - 1);
			memset(text + pad + row.n, ' ', 80);
			if (at != GOOD && at >= pad + row.n) {
				b.n = pad + row.n;
			}
			for (size_t w = 0; w < n_ways; w++) {
				struct agree r;

				scan_cut(&r, NULL, &ways[w], b, 0, b.n);
				if (r.rc != (at == GOOD ? READ_DONE : READ_FAIL) ||
					(at != GOOD && r.fault.where != at)) {
					fail_msg("%s, behind %zu bytes, %s: rc %d, at %zu",
						grammar[i].reason, pad, ways[w].name, r.rc,
						r.fault.where);
				}
			}
		}
	}
}

/* Every string of four of the bytes that mean something, inside a block and over its end: blocks must say
 * what looking at single bytes says. */
static void test_all_short_strings(void **state)
{
	static const char bytes[] = "\\u\"anx\x01\xc3\xe0\xed\xf0\xf4\x80\xa0";
	static const size_t pads[] = {0, 59, 60, 61, 62, 63};
	const size_t n_bytes = sizeof(bytes) - 1;
	size_t n_ways;
	const struct json_run *ways = json_runs(&n_ways);
	char text[160];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '"';
	for (size_t i = 0; i < n_bytes * n_bytes * n_bytes * n_bytes; i++) {
		for (size_t k = 0; k < ARRAY_LEN(pads); k++) {
			char *at = text + 1 + pads[k];
			struct agree r;
			struct agree slow;

			memset(text + 1, 'a', 80);
			for (size_t rest = i, n = 0; n < 4; n++, rest /= n_bytes) {
				at[n] = bytes[rest % n_bytes];
			}
			scan_cut(&slow, NULL, &agree_by_byte, bytes_of(text, 140), 0, 140);
			for (size_t w = 0; w < n_ways; w++) {
				scan_cut(&r, NULL, &ways[w], bytes_of(text, 140), 0, 140);
				expect_same(&slow, &r, ways[w].name);
			}
		}
	}
}

/* --- what is found -------------------------------------------------------------------------------- */

#define LONGEST "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

static const struct json_want wants[] = {
	{"model", NULL},                            /* 0 */
	{"stream", NULL},                           /* 1 */
	{"stream_options.include_usage", NULL},     /* 2 */
	{"stream_options", NULL},                   /* 3 */
	{"messages[].role", NULL},                  /* 4 */
	{"messages[0].role", NULL},                 /* 5 */
	{"messages", NULL},                         /* 6 */
	{"messages[].content[].type", "image_url"}, /* 7 */
	{"model", "gpt"},                           /* 8 */
	{"n[][0]", NULL},                           /* 9 */
	{LONGEST, LONGEST},                         /* 10 */
	{"\xef\xbf\xbd\xee\x80\x80", NULL},         /* 11 */
};

struct find_row {
	const char *text;
	const char *expect; /* "want:value" of every hit, in order; e: escaped, 0: empty */
	const char *reason;
};

static const struct find_row finds[] = {
	{"{\"model\":\"a\"}", "0:\"a\" ", "a member of the top object"},
	{"{\"model\":\"gpt\"}", "0:\"gpt\" 8:\"gpt\" ", "two wants at one place"},
	{"{\"model\":\"gp\\u0074\"}", "0:\"gp\\u0074\"e 8:\"gp\\u0074\"e ",
		"a value is compared unescaped"},
	{"{\"model\":\"gpt4\"}", "0:\"gpt4\" ", "longer than what it should equal"},
	{"{\"model\":\"gp\"}", "0:\"gp\" ", "shorter than what it should equal"},
	{"{\"mod\\u0065l\":\"a\"}", "0:\"a\" ", "a key is compared unescaped"},
	{"{\"\\u006d\\u006f\\u0064\\u0065\\u006c\":1}", "0:1 ", "a key wholly of escapes"},
	{"{\"model\":1,\"model\":2}", "0:1 0:2 ", "a duplicate key is a further hit"},
	{"{\"model\":1,\"mod\\u0065l\":2}", "0:1 0:2 ", "an escaped duplicate is one, too"},
	{"{\"models\":1,\"mode\":2,\"Model\":3,\"mod\\\\el\":4}", "", "keys that are nearly it"},
	{"{\"model \":1}", "", "a blank in the key counts"},
	{"{\"model\\u0000\":1}", "", "a NUL in the key counts"},
	{"{ \"model\" : 1.0 , \"stream\" : true }", "0:1.0 1:true ",
		"blanks do not belong to values"},
	{"{\"model\":12345678901234567890}", "0:12345678901234567890 ", "digits stay as they are"},
	{"{\"model\":-0}", "0:-0 ", "minus zero stays as it is"},
	{"{\"model\":1e2}", "0:1e2 ", "an exponent stays as it is"},
	{"{\"model\":\"a\\/b\"}", "0:\"a\\/b\"e ", "an escaped slash stays as it is"},
	{"{\"model\":\"\\u0041\"}", "0:\"\\u0041\"e ", "an escaped letter stays as it is"},
	{"{\"model\":null}", "0:null ", "null is a value"},
	{"{\"model\":{}}", "0:{}0 ", "an empty object where a string is usual"},
	{"{\"model\":{\"model\":1}}", "0:{\"model\":1} ", "the same key deeper is another place"},
	{"{\"model\":[ ]}", "0:[ ]0 ", "blanks do not fill an array"},
	{"{\"a\":{\"model\":1},\"model\":2}", "0:2 ", "a member of a member is not it"},
	{"{\"a\":[{\"model\":1}],\"model\":2}", "0:2 ", "nor inside an array"},
	{"[{\"model\":1}]", "", "nor when the top is an array"},
	{"\"model\"", "", "nor when the top is a string"},
	{"{\"content\":\"\\\"model\\\":\\\"evil\\\"\",\"model\":\"a\"}", "0:\"a\" ",
		"text inside a string is no member"},
	{"{\"content\":\"\\\\\",\"model\":\"a\"}", "0:\"a\" ",
		"a string that ends with an escaped backslash"},
	{"{\"content\":\"{\\\"stream_options\\\":{}}\"}", "", "stream_options inside a string"},
	{"{\"stream_options\":{\"include_usage\":true}}", "2:true 3:{\"include_usage\":true} ",
		"values end before what holds them"},
	{"{\"stream_options\":{\"x\":{\"include_usage\":true}}}",
		"3:{\"x\":{\"include_usage\":true}} ", "one level too deep"},
	{"{\"stream_options\":true}", "3:true ", "a word where an object is usual"},
	{"{\"stream_options\":[{\"include_usage\":1}]}", "3:[{\"include_usage\":1}] ",
		"an array is not looked through without []"},
	{"{\"messages\":[{\"role\":\"a\"},{\"role\":\"b\"}]}",
		"4:\"a\" 5:\"a\" 4:\"b\" 6:[{\"role\":\"a\"},{\"role\":\"b\"}] ",
		"every element, and the first"},
	{"{\"messages\":[1,{\"role\":\"b\"}]}", "4:\"b\" 6:[1,{\"role\":\"b\"}] ",
		"the second element is not the first"},
	{"{\"messages\":{\"role\":\"b\"}}", "6:{\"role\":\"b\"} ", "an object is not an array"},
	{"{\"messages\":[[{\"role\":\"b\"}]]}", "6:[[{\"role\":\"b\"}]] ", "one level too deep"},
	{"{\"messages\":[{\"content\":[{\"type\":\"text\"},{\"type\":\"image_url\"}]}]}",
		"7:\"image_url\" "
		"6:[{\"content\":[{\"type\":\"text\"},{\"type\":\"image_url\"}]}] ",
		"equals leaves others out"},
	{"{\"messages\":[{\"content\":[{\"type\":[\"image_url\"]}]}]}",
		"6:[{\"content\":[{\"type\":[\"image_url\"]}]}] ", "equals asks for a string"},
	{"{\"n\":[[1,2],[3],[],4]}", "9:1 9:3 ", "the first of each"},
	{"{\"x\":[],\"model\":1}", "0:1 ", "behind an empty array"},
	{"{\"x\":[{},[[]],{\"y\":[]}],\"model\":1}", "0:1 ", "behind nested empty ones"},
	{"{\"\":1,\"model\":2}", "0:2 ", "behind an empty key"},
	{"{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1,"
	 "\"model\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"}",
		"0:\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\" ",
		"a key and a value that are longer than any that is compared"},
	{"{\"" LONGEST "\":\"" LONGEST "\",\"" LONGEST "\":\"" LONGEST "k\"}",
		"10:\"" LONGEST "\" ",
		"the longest key and text that are compared, and one byte more"},
	{"{\"model\\ud800\":1}", "", "a lone surrogate at the end of a key counts"},
	{"{\"\\ud83d\\ue000\":1}", "11:1 ", "a high surrogate before what is none"},
	{"{\"mod\\ud800el\":1,\"\\ud83d\\ude00model\":2}", "", "surrogates in keys"},
};

static void show_hits(const struct agree *r, struct bytes text, struct text *out)
{
	for (size_t i = 0; i < r->hits.n; i++) {
		const struct json_hit *h = &r->hits.v[i];

		text_addf(out, "%u:", h->want);
		text_add(out, text.p + h->beg, (size_t)(h->end - h->beg));
		text_addf(out, "%s%s ", h->escaped ? "e" : "", h->empty ? "0" : "");
	}
}

static void test_finds(void **state)
{
	struct json_query *q = json_query_new(wants, ARRAY_LEN(wants));
	struct text shown;

	(void)state;
	text_init(&shown, 4096);
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		struct bytes text = bytes_str(finds[i].text);
		struct agree whole;

		scan_every_way(&whole, q, text, finds[i].reason);
		assert_int_equal(whole.rc, READ_DONE);
		text_clear(&shown);
		show_hits(&whole, text, &shown);
		if (strcmp(text_cstr(&shown), finds[i].expect) != 0) {
			fail_msg("%s: found %s", finds[i].reason, text_cstr(&shown));
		}
		agree_done(&whole);
	}
	text_done(&shown);
	json_query_free(q);
}

static void test_types(void **state)
{
	static const struct json_want want = {"[]", NULL};
	static const char text[] = "[null,false,true,1,\"\",[],{}]";
	struct json_query *q = json_query_new(&want, 1);
	struct agree r;

	(void)state;
	scan_every_way(&r, q, bytes_str(text), "types");
	assert_int_equal(r.hits.n, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(r.hits.v[i].type, i);
		assert_int_equal(r.hits.v[i].empty, i >= JSON_ARRAY);
	}
	agree_done(&r);
	json_query_free(q);
}

static void test_top(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
		uint64_t at;
		bool empty;
	} rows[] = {
		{"  {}", JSON_OBJECT, 2, true},
		{"{\"a\":{}}", JSON_OBJECT, 0, false},
		{"\n[ ]", JSON_ARRAY, 1, true},
		{"[[]]", JSON_ARRAY, 0, false},
		{"\"{}\"", JSON_STRING, 0, false},
		{" 12 ", JSON_NUMBER, 1, false},
		{"-1", JSON_NUMBER, 0, false},
		{"true", JSON_TRUE, 0, false},
		{"false", JSON_FALSE, 0, false},
		{"null", JSON_NULL, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct agree r;

		scan_every_way(&r, NULL, bytes_str(rows[i].text), rows[i].text);
		assert_int_equal(r.rc, READ_DONE);
		assert_int_equal(r.top, rows[i].type);
		assert_int_equal(r.top_at, rows[i].at);
		assert_int_equal(r.top_empty, rows[i].empty);
	}
}

/* --- limits --------------------------------------------------------------------------------------- */

static void make_nested(struct text *t, size_t depth, bool objects)
{
	text_clear(t);
	for (size_t i = 0; i < depth; i++) {
		text_add_str(t, objects ? "{\"a\":" : "[");
	}
	text_add_str(t, objects ? "1" : "");
	for (size_t i = 0; i < depth; i++) {
		text_add_char(t, objects ? '}' : ']');
	}
}

static void test_depth(void **state)
{
	struct fault fault;
	struct agree r;
	struct text t;

	(void)state;
	text_init(&t, 8u << 20);
	for (int objects = 0; objects < 2; objects++) {
		size_t each = objects ? 5 : 1;

		make_nested(&t, JSON_DEPTH_MAX, objects);
		scan_every_way(&r, NULL, text_bytes(&t), "128 deep");
		assert_int_equal(r.rc, READ_DONE);
		make_nested(&t, JSON_DEPTH_MAX + 1, objects);
		scan_every_way(&r, NULL, text_bytes(&t), "129 deep");
		assert_int_equal(r.rc, READ_FAIL);
		assert_int_equal(r.fault.err, ERR_LIMIT);
		assert_int_equal(r.fault.status, 400);
		assert_int_equal(r.fault.where, JSON_DEPTH_MAX * each);
		make_nested(&t, 1000000, objects);
		assert_int_equal(json_scan_all(NULL, text_bytes(&t), NULL, &fault), ERR_LIMIT);
		assert_int_equal(fault.where, JSON_DEPTH_MAX * each);
	}
	text_done(&t);
}

/* Which bracket closes is remembered for each depth. */
static void test_depth_kinds(void **state)
{
	char text[2 * JSON_DEPTH_MAX * 5];

	(void)state;
	for (unsigned wrong = 0; wrong < JSON_DEPTH_MAX; wrong++) {
		struct text t;
		struct agree r;

		text_init_fixed(&t, text, sizeof(text));
		for (unsigned i = 0; i < JSON_DEPTH_MAX; i++) {
			text_add_str(&t, i % 3 == 0 ? "[" : "{\"\":");
		}
		text_add_str(&t, "0");
		for (unsigned i = JSON_DEPTH_MAX; i-- > 0;) {
			bool array = (i % 3 == 0) != (i == wrong);

			text_add_str(&t, array ? "]" : "}");
		}
		scan_cut(&r, NULL, json_runs(&(size_t){0}), text_bytes(&t), 0, t.n);
		assert_int_equal(r.rc, READ_FAIL);
		assert_int_equal(r.fault.where, t.n - 1 - wrong);
	}
}

static void test_hits_limit(void **state)
{
	static const struct json_want want = {"[]", NULL};
	struct json_query *q = json_query_new(&want, 1);
	struct json_hit room[2];
	struct json_hits hits;
	struct fault fault;
	size_t n;

	(void)state;
	json_hits_init(&hits, room, 2, 5);
	assert_int_equal(json_scan_all(q, BYTES("[1,2]"), &hits, &fault), 0);
	assert_ptr_equal(hits.v, room);
	json_hits_done(&hits);
	json_hits_init(&hits, room, 2, 5);
	assert_int_equal(json_scan_all(q, BYTES("[1,2,3,4,5]"), &hits, &fault), 0);
	assert_int_equal(hits.n, 5);
	assert_int_equal(json_hits_get(&hits, 0, &n)->beg, 1);
	assert_int_equal(n, 5);
	assert_null(json_hits_get(&hits, 1, &n));
	assert_int_equal(n, 0);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(hits.v[i].beg, 1 + 2 * i);
	}
	json_hits_done(&hits);
	json_hits_init(&hits, room, 2, 5);
	assert_int_equal(json_scan_all(q, BYTES("[1,2,3,4,5,66]"), &hits, &fault), ERR_LIMIT);
	assert_int_equal(fault.where, 11);
	assert_int_equal(fault.status, 400);
	json_hits_done(&hits);
	json_hits_init(&hits, NULL, 0, 0);
	assert_int_equal(json_scan_all(q, BYTES("[1]"), &hits, &fault), ERR_LIMIT);
	json_hits_done(&hits);
	json_query_free(q);
}

static void test_blanks_then_object(void **state)
{
	static const struct json_want want = {"model", NULL};
	struct json_query *q = json_query_new(&want, 1);
	struct json_hit room[1];
	struct json_hits hits;
	struct text t;

	(void)state;
	text_init(&t, 2u << 20);
	for (size_t i = 0; i < 1u << 20; i++) {
		text_add_char(&t, ' ');
	}
	text_add_str(&t, "{\"model\":1}");
	json_hits_init(&hits, room, 1, 1);
	assert_int_equal(json_scan_all(q, text_bytes(&t), &hits, NULL), 0);
	assert_int_equal(hits.v[0].beg, (1u << 20) + 9);
	json_hits_done(&hits);
	json_query_free(q);
	text_done(&t);
}

/* A fault says where and what kind, and repeats nothing of a prompt or a key. */
static void test_faults_never_quote(void **state)
{
	static const char *const texts[] = {"{\"secret\":sk-12345}", "sk-12345", "\"sk-12345\\q\"",
		"{\"sk-12345\"sk-12345}", "[1sk-12345]", "{}sk-12345", "truesk-12345"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct fault fault;

		assert_int_equal(
			json_scan_all(NULL, bytes_str(texts[i]), NULL, &fault), ERR_SYNTAX);
		assert_null(strstr(fault.text, "sk-"));
		assert_null(strstr(fault.text, "12345"));
		assert_null(strstr(fault.text, "secret"));
		assert_true(strlen(fault.text) > 20);
	}
}

/* Long strings of all sorts, cut everywhere: the seams between blocks, and between the three hands. */
static void test_long_strings(void **state)
{
	static const char *const parts[] = {"plain text ", "\\n", "\\\\", "\\\"", "\\u00e9",
		"\xc3\xa9", "\xe6\xa8\xa1", "\xf0\x9f\x98\x80", "\\ud83d\\ude00", "x"};
	static const struct json_want want[] = {{"b", NULL}, {"b", "x"}};
	struct json_query *q = json_query_new(want, 2);
	struct text t;
	unsigned seed = 1;

	(void)state;
	text_init(&t, 4096);
	for (int round = 0; round < 40; round++) {
		struct agree r;

		text_clear(&t);
		text_add_str(&t, "{\"a\":\"");
		while (t.n < 330) {
			seed = seed * 1103515245u + 12345u;
			text_add_str(&t, parts[(seed >> 16) % ARRAY_LEN(parts)]);
		}
		text_add_str(&t, "\",\"b\":\"x\"}");
		scan_every_way(&r, q, text_bytes(&t), "long string");
		assert_int_equal(r.rc, READ_DONE);
		assert_int_equal(r.hits.n, 2);
		assert_int_equal(r.hits.v[1].end, t.n - 1);
		agree_done(&r);
	}
	text_done(&t);
	json_query_free(q);
}

static void test_paths(void **state)
{
	static const struct json_want many[] = {{"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", NULL},
		{"[][][][][][][][][][][][][][][][]", NULL}, {"[0][][0]", NULL}, {"[].x", NULL},
		{"a[0]", NULL}, {"a[]", NULL}};
	struct json_query *q = json_query_new(many, ARRAY_LEN(many));
	struct json_hit room[8];
	struct json_hits hits;

	(void)state;
	json_hits_init(&hits, room, 8, 8);
	assert_int_equal(json_scan_all(q, BYTES("{\"a\":[1,2]}"), &hits, NULL), 0);
	assert_int_equal(hits.n, 3);
	json_hits_init(&hits, room, 8, 8);
	assert_int_equal(json_scan_all(q, BYTES("[[[1,2],[3]],[[4]],{\"x\":5}]"), &hits, NULL), 0);
	assert_int_equal(hits.n, 3);
	json_hits_init(&hits, room, 8, 8);
	assert_int_equal(
		json_scan_all(q, BYTES("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"), &hits, NULL), 0);
	assert_int_equal(hits.n, 2);
	assert_int_equal(hits.v[0].want, 1);
	json_query_free(q);
	q = json_query_new(NULL, 0);
	json_hits_init(&hits, room, 8, 8);
	assert_int_equal(json_scan_all(q, BYTES("{\"a\":1}"), &hits, NULL), 0);
	assert_int_equal(hits.n, 0);
	json_query_free(q);
	json_query_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_grammar_at_every_place),
		cmocka_unit_test(test_all_short_strings),
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_depth_kinds),
		cmocka_unit_test(test_hits_limit),
		cmocka_unit_test(test_blanks_then_object),
		cmocka_unit_test(test_faults_never_quote),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
