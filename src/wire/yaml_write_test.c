/*
 * Canonical YAML: what Higress wrote comes out byte for byte; every odd text is read back as what it was.
 */
#include "wire/yaml_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"
#include "wire/yaml_emit.h"

#define ARENA_MAX ((size_t)1 << 28)

static const struct doc *read_yaml(struct arena *a, struct bytes text)
{
	struct yaml_doc doc;
	struct fault fault = {0};

	if (yaml_parse(a, text, &doc, &fault) != 0) {
		print_message("%s, line %zu\n", fault.text, fault.where);
		fail();
	}
	return doc_of_yaml(a, doc.root);
}

/* --- documents that the store wrote -------------------------------------------------------------- */

static const char *const files[] = {
	"one/configmaps/ai-route-zimomo2lololo.yaml",
	"one/configmaps/domain-zimomo.com.yaml",
	"one/ingresses/ai-route-zimomo2lololo.internal.yaml",
	"one/mcpbridges/default.yaml",
	"one/wasmplugins/ai-proxy.internal.yaml",
	"one/wasmplugins/ai-statistics-2.0.1.yaml",
	"one/wasmplugins/key-auth.internal.yaml",
	"two/configmaps/ai-route-chat-mix.yaml",
	"two/configmaps/domain-ai.example.com.yaml",
	"two/envoyfilters/ai-route-chat-mix.internal.yaml",
	"two/ingresses/ai-route-chat-mix.fallback.internal.yaml",
	"two/ingresses/ai-route-chat-mix.internal.yaml",
	"two/mcpbridges/default.yaml",
	"two/secrets/ai-example-com.yaml",
	"two/wasmplugins/ai-proxy.internal.yaml",
	"two/wasmplugins/ai-statistics-2.0.1.yaml",
	"two/wasmplugins/key-auth.internal.yaml",
	"two/wasmplugins/model-mapper.internal.yaml",
	"two/wasmplugins/model-router.internal.yaml",
};

static void open_all(struct arena *a, const struct doc *d)
{
	for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
		open_all(a, i);
	}
}

/* The same document with everything in another order and nothing left of its origin. */
static struct doc *turned(struct arena *a, const struct doc *d)
{
	struct doc *copy = doc_copy(a, d);

	copy->origin = NULL;
	if (d->type != DOC_MAP && d->type != DOC_LIST) {
		return copy;
	}
	copy = d->type == DOC_MAP ? doc_map(a) : doc_list(a);
	for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
		struct doc *item = turned(a, i);

		if (d->type == DOC_LIST) {
			doc_append(a, copy, item);
			continue;
		}
		item->key = i->key;
		item->next = copy->items;
		copy->items = item;
		copy->last = copy->last != NULL ? copy->last : item;
		copy->n++;
	}
	return copy;
}

static void test_stored_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct arena a;
		struct text in, out;
		const struct doc *d;
		char path[200];

		arena_init(&a, ARENA_MAX);
		text_init(&in, 1 << 20);
		text_init(&out, 1 << 20);
		snprintf(path, sizeof(path), "tests/data/canonical/%s", files[i]);
		print_message("%s\n", path);
		assert_int_equal(file_read(path, 1 << 20, &in, NULL, NULL), 0);
		d = read_yaml(&a, text_bytes(&in));
		yaml_write(&a, &out, d); /* without a look at it */
		assert_string_equal(text_cstr(&out), text_cstr(&in));
		assert_true(d->closed);
		open_all(&a, d);
		text_clear(&out);
		yaml_write(&a, &out, d);
		assert_string_equal(text_cstr(&out), text_cstr(&in));
		text_clear(&out);
		yaml_write(&a, &out, turned(&a, d));
		assert_string_equal(text_cstr(&out), text_cstr(&in));
		text_clear(&out);
		yaml_write_in_order(&a, &out, d);
		assert_string_equal(text_cstr(&out), text_cstr(&in));
		text_done(&in);
		text_done(&out);
		arena_done(&a);
	}
}

/* --- strings ------------------------------------------------------------------------------------- */

#define LONG60 "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "

static const struct {
	const char *s, *expect, *reason;
} strings[] = {
	{"off", "\"off\"", "a boolean of YAML 1.1"},
	{"y", "\"y\"", "a boolean of YAML 1.1"},
	{"true", "\"true\"", "a boolean"},
	{"1", "\"1\"", "an integer"},
	{"-0b11", "\"-0b11\"", "a negative binary integer"},
	{"1_000", "\"1_000\"", "an integer with a separator"},
	{"0o17", "\"0o17\"", "an octal integer"},
	{"1.0.0", "1.0.0", "a version is no number"},
	{"1.5", "\"1.5\"", "a fraction"},
	{".5", "\".5\"", "a fraction without a zero"},
	{"1e3", "\"1e3\"", "a fraction with an exponent"},
	{"1e400", "1e400", "no double can hold it: no number"},
	{"-1e-400", "\"-1e-400\"", "what is too small is zero, a number"},
	{".5_1", "\".5_1\"", "a fraction with a separator between digits"},
	{".5__1", ".5__1", "two of them make it none"},
	{".inf", "\".inf\"", "infinity"},
	{"4xx", "4xx", "begins like a number"},
	{"1024k", "1024k", "begins like a number"},
	{"12:30", "\"12:30\"", "a number of base 60"},
	{"1:2:3", "\"1:2:3\"", "a number of base 60"},
	{"+1:59.5_", "\"+1:59.5_\"", "a number of base 60 with a fraction"},
	{"12:60", "12:60", "60 is no digit of base 60"},
	{"127.0.0.1:8001", "127.0.0.1:8001", "an address is no number"},
	{"2000-01-01T00:00:00Z", "\"2000-01-01T00:00:00Z\"", "a timestamp"},
	{"2000-1-1t1:2:3.55+01:00", "\"2000-1-1t1:2:3.55+01:00\"", "a timestamp, written lazily"},
	{"2000-01-01 10:00:00", "\"2000-01-01 10:00:00\"", "a timestamp with a blank"},
	{"2000-01-01 10:00:00Z", "2000-01-01 10:00:00Z", "with a blank there is no zone"},
	{"2000-02-29", "\"2000-02-29\"", "a date"},
	{"2001-02-29", "2001-02-29", "no such day"},
	{"2001-13-01", "2001-13-01", "no such month"},
	{"2001-01-01T25:00:00Z", "2001-01-01T25:00:00Z", "no such hour"},
	{"20010-01-01", "20010-01-01", "five digits are no year"},
	{"", "\"\"", "nothing reads as null"},
	{"~", "\"~\"", "null"},
	{"null", "\"null\"", "null"},
	{"*", "'*'", "an indicator"},
	{"@type", "'@type'", "an indicator"},
	{"a: b", "'a: b'", "a colon and a blank"},
	{"a:b", "a:b", "a colon without a blank"},
	{"a:", "'a:'", "a colon at the end"},
	{"a #b", "'a #b'", "a comment"},
	{"a#b", "a#b", "no comment"},
	{"Bearer sk-1", "Bearer sk-1", "blanks inside are fine"},
	{"- a", "'- a'", "like a list"},
	{"-a", "-a", "a dash without a blank"},
	{"-", "'-'", "a dash alone"},
	{"? a", "'? a'", "like a key"},
	{"?a", "?a", "a question mark without a blank"},
	{":", "':'", "a colon alone"},
	{"---", "'---'", "like a new document"},
	{"...a", "'...a'", "like the end of one"},
	{"=", "=", "no type of Go's"},
	{"<<", "<<", "a merge only as a key"},
	{"{\"a\":\"it's\"}", "'{\"a\":\"it''s\"}'", "quotes are doubled"},
	{"[a, b]", "'[a, b]'", "like a list in brackets"},
	{" a", "' a'", "a blank in front"},
	{"a ", "'a '", "a blank behind"},
	{"it's", "it's", "a quote inside"},
	{"say \"x\"", "say \"x\"", "quotes inside"},
	{"\"x\"", "'\"x\"'", "a quote in front"},
	{"%a", "'%a'", "like a directive"},
	{"a\tb", "\"a\\tb\"", "a tab"},
	{"a\x01\x1b\x7f", "\"a\\x01\\e\\x7F\"", "control characters"},
	{"a\rb", "\"a\\rb\"", "CR"},
	{"\xc3\xa9\xe4\xb8\xad\xe6\x96\x87", "\xc3\xa9\xe4\xb8\xad\xe6\x96\x87",
		"other letters stay"},
	{"\xf0\x9f\x98\x80", "\"\\U0001F600\"", "beyond U+FFFF"},
	{"a\xef\xbb\xbf", "\"a\\uFEFF\"", "a byte order mark"},
	{"\xef\xbb\xbf"
	 "a\xc2\xa0",
		"\"\\uFEFF\\x61\\_\"", "behind one in front there are escapes only"},
	{"a\xe2\x80\xa8", "\"a\\L\"", "a line separator"},
	{"\xc2\x85\xc2\xa0", "\"\\N\xc2\xa0\"", "a next line, a hard blank"},
	{"a\nb", "|-\n  a\n  b", "two lines"},
	{"a\nb\n", "|\n  a\n  b\n", "with a line end"},
	{"a\n\n", "|+\n  a\n\n", "with two"},
	{"\n", "|2+\n\n", "nothing but a line end"},
	{"\n a", "|2-\n\n   a", "a blank where the indentation would be seen"},
	{" a\nb", "|2-\n   a\n  b", "a blank in front"},
	{"a\n  b\n\nc", "|-\n  a\n    b\n\n  c", "blanks and empty lines inside"},
	{"a \nb", "\"a \\nb\"", "a blank that nobody would see"},
	{"a\nb ", "\"a\\nb \"", "a blank that nobody would see"},
	{"a\n\tb", "\"a\\n\\tb\"", "a tab"},
	{"off\n", "|\n  off\n", "a block is no boolean"},
	{LONG60 "aaaaaaaaa aaaaaaaaab c d", LONG60 "aaaaaaaaa aaaaaaaaab c\n  d",
		"folded at the first blank behind column 80"},
	{LONG60 "aaaaaaaaa  aaaaaaaaaaab  c d", LONG60 "aaaaaaaaa  aaaaaaaaaaab  c\n  d",
		"not where there are two"},
	{"'" LONG60 "aaaaaaaaa aaaaaaaaa c d", "'''" LONG60 "aaaaaaaaa aaaaaaaaa\n  c d'",
		"the same in single quotes"},
	{"\t" LONG60 "aaaaaaaaa aaaaaaaaa  c d", "\"\\t" LONG60 "aaaaaaaaa aaaaaaaaa\n  \\ c d\"",
		"two blanks in double quotes"},
	{LONG60 LONG60,
		"'" LONG60 "aaaaaaaaa aaaaaaaaa aaaaaaaaa\n  aaaaaaaaa aaaaaaaaa aaaaaaaaa '",
		"never at the last blank"},
};

static void test_strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct arena a;
		struct text out, expect;
		struct doc *d;

		arena_init(&a, ARENA_MAX);
		text_init(&out, 1 << 20);
		text_init(&expect, 1 << 20);
		print_message("%s\n", strings[i].reason);
		d = doc_str(&a, strings[i].s);
		yaml_write(&a, &out, d);
		text_add_str(&expect, strings[i].expect);
		if (strings[i].expect[strlen(strings[i].expect) - 1] != '\n') {
			text_add_char(&expect, '\n');
		}
		assert_string_equal(text_cstr(&out), text_cstr(&expect));
		assert_true(doc_is_yaml(&a, d, read_yaml(&a, text_bytes(&out))->origin));
		text_done(&out);
		text_done(&expect);
		arena_done(&a);
	}
}

/* --- layout --------------------------------------------------------------------------------------- */

static const struct {
	const char *in, *expect, *reason;
} layouts[] = {
	{"{}", "{}\n", "an empty map"},
	{"[]", "[]\n", "an empty list"},
	{"~", "null\n", "nothing"},
	{"[1, [2, [3]], {a: 1, b: [x]}]", "- 1\n- - 2\n  - - 3\n- a: 1\n  b:\n  - x\n",
		"what follows a dash is in its line"},
	{"{b: {d: ~, c: []}, a: [{}, []]}", "a:\n- {}\n- []\nb:\n  c: []\n  d: null\n",
		"keys sorted, lists below their key"},
	{"{a: [[{x: 1, z: 2}]]}", "a:\n- - x: 1\n    z: 2\n", "a map in a list in a list"},
	{"{off: 1, \"\": 2, '*': 3, 1: 4, a b: 5, <<: {z: 1}}",
		"\"\": 2\n'*': 3\n\"1\": 4\na b: 5\n\"off\": 1\nz: 1\n", "keys are strings"},
	{"{\"<<\": 1}", "\"<<\": 1\n", "a key that is no merge"},
	{"{\"a\\nb\": [1], \"c\\n\": {d: 1}}", "? |-\n  a\n  b\n: - 1\n? |\n  c\n: d: 1\n",
		"a key of two lines"},
	{"{\"a\\rb\": 1, \"b\\Nc\": 2}", "? \"a\\rb\"\n: 1\n? \"b\\Nc\"\n: 2\n",
		"a key with another line end"},
	{"{\" a\\nb\": 1}", "? |2-\n   a\n  b\n: 1\n", "a key of two lines with a blank in front"},
	{"{a: 1e3, b: 1.50, c: 0x1F, d: 1e21, e: 1234567.5, f: .inf, g: -.INF, h: .nan, i: 1e-7, j: "
	 "18446744073709551615, k: 0.0001, l: 1e+20}",
		"a: 1000\nb: 1.5\nc: 31\nd: 1e+21\ne: 1.2345675e+06\nf: .inf\ng: -.inf\nh: .nan\ni: "
		"1e-07\nj: 18446744073709551615\nk: 0.0001\nl: 1e+20\n",
		"numbers as Go writes them"},
	{"{a: -0.0, b: -9.280295992615487e18, c: -9223372036854775808.0, d: 9.280295992615487e18}",
		"a: 0\nb: -9.280295992615487e+18\nc: -9.223372036854776e+18\nd: 9280295992615487000\n",
		"whole numbers at the edges of Go's integers"},
	{"{a: {b: {c: \"x\\ny\"}}, d: [\"x\\ny\"]}",
		"a:\n  b:\n    c: |-\n      x\n      y\nd:\n- |-\n  x\n  y\n",
		"blocks where they are"},
};

static void test_layouts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		struct arena a;
		struct text out;
		const struct doc *d;

		arena_init(&a, ARENA_MAX);
		text_init(&out, 1 << 20);
		print_message("%s\n", layouts[i].reason);
		d = read_yaml(&a, bytes_str(layouts[i].in));
		yaml_write(&a, &out, d);
		assert_string_equal(text_cstr(&out), layouts[i].expect);
		assert_true(doc_is_yaml(&a, d, read_yaml(&a, text_bytes(&out))->origin));
		text_clear(&out);
		yaml_write_in_order(&a, &out, d);
		assert_true(doc_is_yaml(&a, d, read_yaml(&a, text_bytes(&out))->origin));
		text_done(&out);
		arena_done(&a);
	}
}

static void test_long_key(void **state)
{
	struct arena a;
	struct text out;
	struct doc *d;
	char key[200];

	(void)state;
	arena_init(&a, ARENA_MAX);
	text_init(&out, 1 << 20);
	memset(key, 'k', sizeof(key));
	d = doc_map(&a);
	doc_set_bytes(&a, d, bytes_of(key, 128), doc_int(&a, 1));
	doc_set_bytes(&a, d, bytes_of(key, 129), doc_str(&a, "v"));
	yaml_write(&a, &out, d);
	assert_memory_equal(out.p + 128, ": 1\n? k", 7);
	assert_memory_equal(out.p + out.n - 5, "\n: v\n", 5);
	assert_true(doc_is_yaml(&a, d, read_yaml(&a, text_bytes(&out))->origin));
	text_done(&out);
	arena_done(&a);
}

static void test_in_order(void **state)
{
	struct arena a;
	struct text out;

	(void)state;
	arena_init(&a, ARENA_MAX);
	text_init(&out, 1 << 20);
	yaml_write_in_order(&a, &out, read_yaml(&a, BYTES("{b: [1], a: {z: 1, x: 2}}")));
	assert_string_equal(text_cstr(&out), "b:\n- 1\na:\n  z: 1\n  x: 2\n");
	text_done(&out);
	arena_done(&a);
}

static void test_bad_bytes(void **state)
{
	struct arena a;
	struct text out;

	(void)state;
	arena_init(&a, ARENA_MAX);
	text_init(&out, 1 << 20);
	yaml_write(&a, &out, doc_str(&a, "a\xff z"));
	assert_string_equal(text_cstr(&out), "\"a\xef\xbf\xbd z\"\n");
	text_done(&out);
	arena_done(&a);
}

/* --- order of keys --------------------------------------------------------------------------------- */

static void test_key_order(void **state)
{
	/* Each before the next. */
	static const char *const keys[] = {"", "'", "*", "1", "2", "10", "@type", "A", "_a", "a",
		"a-", "a-1", "a-02", "a-2", "a-10", "a.b", "a1", "a1b", "a2", "a10", "a10b", "aA",
		"a_b", "aa", "apiVersion", "b", "\xc3\xa9", "\xe4\xb8\xad"};

	(void)state;
	assert_true(yaml_key_order(BYTES("a"), BYTES("a")) == 0);
	assert_true(yaml_key_order(BYTES("a-1"), BYTES("a_1")) < 0);
	assert_true(yaml_key_order(BYTES("a1"), BYTES("aa")) < 0);
	assert_true(yaml_key_order(BYTES("x100"), BYTES("x20")) > 0);
	assert_true(yaml_key_order(BYTES("\xe3\x80\x81"), BYTES("a")) < 0);
	assert_true(yaml_key_order(BYTES("\xe4\xb8\xad"), BYTES("a")) > 0);
	assert_true(yaml_key_order(BYTES("\xef\xbb\xbf"), BYTES("a")) < 0);
	/* Digits without end: still one order. */
	assert_true(yaml_key_order(BYTES("*"), BYTES("888888888888888888888888")) < 0);
	assert_true(yaml_key_order(BYTES("*"), BYTES("999999999999999999999999")) < 0);
	assert_true(yaml_key_order(BYTES("a-02"), BYTES("a-2")) > 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		for (size_t j = 0; j < ARRAY_LEN(keys); j++) {
			int x = yaml_key_order(bytes_str(keys[i]), bytes_str(keys[j]));

			/* The order is one: turned around it is the opposite. */
			assert_int_equal((x > 0) - (x < 0),
				-((yaml_key_order(bytes_str(keys[j]), bytes_str(keys[i])) > 0) -
					(yaml_key_order(bytes_str(keys[j]), bytes_str(keys[i])) <
						0)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stored_documents),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_long_key),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_key_order),
	};

	return cmocka_run_group_tests_name("yaml_write", tests, NULL, NULL);
}
