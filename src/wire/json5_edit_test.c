/*
 * Changes of texts: what is changed is as demanded, everything around it stays as it was written.
 */
#include "wire/json5_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/num.h"
#include "wire/json5_edit_agree_int.h"

/* Members by key, items by number, split at '/'; "." is the root. */
static const struct json_value *go(const struct json_value *v, struct bytes path)
{
	while (path.p != NULL && !bytes_eq(path, BYTES("."))) {
		struct bytes step = bytes_cut(&path, '/');
		uint64_t i;

		if (v->type == JSON_ARRAY) {
			assert_true(num_parse_u64(step, 1000, &i));
			for (v = v->items; i != 0; i--) {
				v = v->next;
			}
		} else {
			char *key = bytes_dup(step);

			v = json_get(v, key);
			free(key);
		}
		assert_non_null(v);
	}
	return v;
}

/* "set PATH JSON", "add PATH KEY JSON", "append PATH JSON", several split at ';'. */
static void change(struct json5_edit *e, struct bytes command)
{
	struct bytes verb = bytes_cut(&command, ' ');
	const struct json_value *at = go(e->root, bytes_cut(&command, ' '));
	bool add = bytes_eq(verb, BYTES("add"));
	struct bytes key = add ? bytes_cut(&command, ' ') : bytes_of(NULL, 0);
	const struct json_value *json = json_parse(e->arena, command, NULL);
	struct doc *value = doc_of_json(e->arena, json);

	assert_non_null(json);
	if (add) {
		json5_edit_add_member(e, at, key, value);
	} else if (bytes_eq(verb, BYTES("append"))) {
		json5_edit_add_item(e, at, value);
	} else {
		assert_true(bytes_eq(verb, BYTES("set")));
		json5_edit_set(e, at, value);
	}
}

static const struct row {
	const char *text, *commands, *expect, *reason;
} rows[] = {
	{"{ \"a\" : 1 }\n", "", "{ \"a\" : 1 }\n", "no change"},
	/* set */
	{"{a: 'x', // c\n}", "set a \"y\"", "{a: \"y\", // c\n}", "a string, whatever its quotes"},
	{"{\"a\":\t0x10 ,\"b\":1e6}", "set a 5", "{\"a\":\t5 ,\"b\":1e6}", "a number"},
	{"\"x\"", "set . true", "true", "the root"},
	{"{\"a\": 1, \"a\": 2}", "set a 3", "{\"a\": 1, \"a\": 3}", "of two, the last counts"},
	{"{\n  \"a\": null\n}\n", "set a [{\"b\":1}]",
		"{\n  \"a\": [\n    {\n      \"b\": 1\n    }\n  ]\n}\n", "nothing becomes a list"},
	{"{\n  \"a\": [\"text\"]\n}\n", "set a [\"text\",\"image\"]",
		"{\n  \"a\": [\"text\", \"image\"]\n}\n", "a list on one line stays there"},
	{"{\n  \"a\": [\n    \"text\"\n  ]\n}\n", "set a [\"text\",\"image\"]",
		"{\n  \"a\": [\n    \"text\",\n    \"image\"\n  ]\n}\n", "a list of lines, too"},
	/* behind the last item */
	{"{\n  \"a\": 1\n}\n", "add . b 2", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", "on its own line"},
	{"{\n  \"a\": 1\n}", "add . b 2;add . c {\"d\":[]}",
		"{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": {\n    \"d\": []\n  }\n}",
		"two, and no line end at the end"},
	{"{\n\t\"a\": 1\n}", "add . b {\"c\":1}",
		"{\n\t\"a\": 1,\n\t\"b\": {\n\t\t\"c\": 1\n\t}\n}", "tabs"},
	{"{\n    \"a\": {\n        \"b\": 1\n    }\n}", "add a c {\"d\":1}",
		"{\n    \"a\": {\n        \"b\": 1,\n        \"c\": {\n            \"d\": 1\n        "
		"}\n    }\n}",
		"four blanks"},
	{"{\r\n  \"a\": 1\r\n}\r\n", "add . b {\"c\":1}",
		"{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": 1\r\n  }\r\n}\r\n", "CR LF"},
	{"\xef\xbb\xbf{\n  \"a\": 1\n}\n", "add . b 2",
		"\xef\xbb\xbf{\n  \"a\": 1,\n  \"b\": 2\n}\n", "a byte order mark"},
	{"\xef\xbb\xbf{}", "add . b 2", "\xef\xbb\xbf{\n  \"b\": 2\n}",
		"the mark is no indentation"},
	{"{\"a\":1}", "add . b {\"c\":[1,2]}", "{\"a\":1,\"b\":{\"c\":[1,2]}}",
		"one line without blanks"},
	{"{\"a\": 1}", "add . b {\"c\":[1,2]}", "{\"a\": 1, \"b\": {\"c\": [1, 2]}}",
		"one line with blanks"},
	{"{ \"a\": 1 }", "add . b 2", "{ \"a\": 1, \"b\": 2 }", "one line with padding"},
	{"[1,2]", "append . 3", "[1,2,3]", "items as close as they are"},
	{"[1, 2]", "append . 3", "[1, 2, 3]", "or as far"},
	{"[\n  { \"id\": \"x\", \"n\": [1] }\n]\n", "append . {\"id\":\"y\",\"n\":[2,3]}",
		"[\n  { \"id\": \"x\", \"n\": [1] },\n  { \"id\": \"y\", \"n\": [2, 3] }\n]\n",
		"spelled like its sibling, on one line with padding"},
	{"[\n  {\n    \"id\": \"x\",\n    \"n\": [1]\n  }\n]\n",
		"append . {\"id\":\"y\",\"n\":[2,3]}",
		"[\n  {\n    \"id\": \"x\",\n    \"n\": [1]\n  },\n  {\n    \"id\": \"y\",\n    \"n\": [2, "
		"3]\n  }\n]\n",
		"like its sibling, with a list on one line in it"},
	{"{\n  \"l\": [1],\n  \"m\": {}\n}\n", "add m e {\"n\":[2],\"o\":[{}]}",
		"{\n  \"l\": [1],\n  \"m\": {\n    \"e\": {\n      \"n\": [2],\n      \"o\": [\n        "
		"{}\n      ]\n    }\n  }\n}\n",
		"no sibling: lists of scalars as elsewhere in the file"},
	{"{\"m\": [{\n  \"id\": 1\n}]}", "append m {\"id\":2}",
		"{\"m\": [{\n  \"id\": 1\n}, {\n  \"id\": 2\n}]}", "brackets that hug"},
	/* commas and comments */
	{"{\n  \"a\": 1,\n}\n", "add . b 2", "{\n  \"a\": 1,\n  \"b\": 2,\n}\n",
		"a comma behind the last stays the manner"},
	{"[1, 2, ]", "append . 3", "[1, 2, 3, ]", "on one line, too"},
	{"{\n  a: 1 // one\n  // more\n}\n", "add . b 2",
		"{\n  a: 1, // one\n  \"b\": 2\n  // more\n}\n",
		"the comment stays with what it is about"},
	{"{\n  a: 1, // one\n  // more\n}\n", "add . b 2",
		"{\n  a: 1, // one\n  \"b\": 2,\n  // more\n}\n", "with a comma"},
	{"{\n  a: 1 /* one\n  and */ // more\n}\n", "add . b 2",
		"{\n  a: 1, /* one\n  and */ // more\n  \"b\": 2\n}\n", "a comment over two lines"},
	{"{\n  a: 1 // , no comma\n  , // a comma\n}\n", "add . b 2",
		"{\n  a: 1 // , no comma\n  , // a comma\n  \"b\": 2,\n}\n",
		"a comma on the next line, and one in a comment"},
	{"{ a: 1 /* one */ }", "add . b 2", "{ a: 1, /* one */ \"b\": 2 }",
		"a comment on one line"},
	{"{ a: 1 // one\n}", "add . b 2", "{ a: 1, // one\n  \"b\": 2\n}",
		"nothing can follow a comment on its line"},
	{"{\n  // first\n  a: 1}", "add . b 2", "{\n  // first\n  a: 1,\n  \"b\": 2}",
		"the bracket stays where it is"},
	{"{\r\n  a: 1 // one\r\n}\r\n", "add . b 2", "{\r\n  a: 1, // one\r\n  \"b\": 2\r\n}\r\n",
		"a comment in front of CR LF"},
	{"{a: '// no', b: \"/*\"}", "add . c 1", "{a: '// no', b: \"/*\", \"c\": 1}",
		"what looks like comments is none in strings"},
	/* into nothing */
	{"{}", "add . a 1", "{\n  \"a\": 1\n}", "an empty file"},
	{"{}\n", "add . a 1", "{\n  \"a\": 1\n}\n", "with a line end"},
	{"{\n}\n", "add . a 1", "{\n  \"a\": 1\n}\n", "over two lines"},
	{"{\n\n   \n}\n", "add . a 1", "{\n  \"a\": 1\n}\n", "blank lines"},
	{"{\n    \"a\": {}\n}\n", "add a b {\"c\":1}",
		"{\n    \"a\": {\n        \"b\": {\n            \"c\": 1\n        }\n    }\n}\n",
		"one on a line of its own"},
	{"{\"a\":{},\"b\":[]}", "add a x 1;append b {\"y\":2}",
		"{\"a\":{\"x\":1},\"b\":[{\"y\":2}]}", "empty ones in a text of one line"},
	{"{\"a\": { }}", "add a x 1", "{\"a\": {\"x\": 1}}", "with a blank inside"},
	{"{ // none yet\n}\n", "add . a 1", "{ // none yet\n  \"a\": 1\n}\n", "only a comment"},
	{"{\n  /* none */ }\n", "add . a 1", "{\n  /* none */\n  \"a\": 1\n }\n",
		"a comment, and the bracket on its line"},
	{"[[/* none */], 1]", "append 0 2", "[[/* none */ 2], 1]", "a comment on one line"},
	{"[[// none\xe2\x80\xa8], 1]", "append 0 2", "[[// none\n  2\n\xe2\x80\xa8], 1]",
		"a comment whose line ends in U+2028"},
	{"[1 // one\xe2\x80\xa8]", "append . 2", "[1, // one\n  2\xe2\x80\xa8]",
		"the same behind an item"},
	/* together */
	{"{\n  \"p\": \"x\",\n  \"l\": [\n    1\n  ],\n  \"m\": {\"k\": {}}\n}\n",
		"set p \"y\";append l 2;add m/k a 1;add m z 2;add . n null",
		"{\n  \"p\": \"y\",\n  \"l\": [\n    1,\n    2\n  ],\n  \"m\": {\"k\": {\"a\": 1}, \"z\": "
		"2},\n  \"n\": null\n}\n",
		"many places, one inside of another"},
	{"{\n  \"a\": 1\n}\n", "set a 2;add . b 3", "{\n  \"a\": 2,\n  \"b\": 3\n}\n",
		"the last one is set, and one comes behind it"},
	{"{a:1,a:{b:1}}", "add a c 2", "{a:1,a:{b:1,\"c\":2}}", "the last of two equal keys"},
};

static int run(const struct row *r, struct text *out)
{
	struct arena a;
	struct json5_edit e;
	struct fault fault = {0};
	struct bytes commands = bytes_str(r->commands), text = bytes_str(r->text);
	const struct json_value *root;
	int rc;

	arena_init(&a, JSON5_ARENA_MAX);
	root = json5_parse(&a, text, &fault);
	assert_non_null(root);
	json5_edit_init(&e, &a, text, root);
	while (commands.p != NULL && commands.n != 0) {
		change(&e, bytes_cut(&commands, ';'));
	}
	rc = json5_edit_write(&e, out, &fault);
	if (rc == 0 && !json5_rest_is_unchanged(&e, text_bytes(out))) {
		rc = ERR_IO;
	}
	arena_done(&a);
	return rc;
}

static void texts_are_changed(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text out;
		int rc;

		text_init(&out, 10000);
		rc = run(&rows[i], &out);
		if (rc != 0 || strcmp(text_cstr(&out), rows[i].expect) != 0) {
			print_message("%s (%d): %s\n--- wanted:\n%s\n--- got:\n%s\n---\n",
				rows[i].reason, rc, rows[i].text, rows[i].expect, text_cstr(&out));
			wrong++;
		}
		text_done(&out);
	}
	assert_int_equal(wrong, 0);
}

/* Each text above under changes that chance chooses: whatever they are, the rest stays. */
static void chance_changes_nothing_else(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 40000; round++) {
		uint8_t choices[16];
		const char *wrong;

		for (size_t i = 0; i < sizeof(choices); i++) {
			seed = seed * 1664525u + 1013904223u;
			choices[i] = (uint8_t)(seed >> 24);
		}
		wrong = json5_edit_holds(bytes_str(rows[round % ARRAY_LEN(rows)].text),
			(struct json5_random){choices, sizeof(choices)});
		if (wrong != NULL) {
			fail_msg("round %u, %s: %s", round, rows[round % ARRAY_LEN(rows)].text,
				wrong);
		}
	}
}

/* What is compared with what was wanted is not just equal in value. */
static void differences_are_seen(void **state)
{
	static const struct {
		const char *now;
		bool agrees;
		const char *reason;
	} texts[] = {
		{"{\"n\":1e6,\"s\":\"new\",\"l\":[1,2],\"d\":1,\"d\":2}", true, "as wanted"},
		{"{ n : 1e6, 's': 'n\\x65w', l: [ 1, 2, ], d: 1, d: 2 }", true,
			"however it is spelled"},
		{"{\"n\":1000000,\"s\":\"new\",\"l\":[1,2],\"d\":1,\"d\":2}", false,
			"a number spelled anew"},
		{"{\"n\":1e6,\"s\":\"old\",\"l\":[1,2],\"d\":1,\"d\":2}", false, "not set"},
		{"{\"n\":1e6,\"s\":\"new\",\"l\":[1],\"d\":1,\"d\":2}", false, "not added"},
		{"{\"n\":1e6,\"s\":\"new\",\"l\":[1,3],\"d\":1,\"d\":2}", false,
			"something else added"},
		{"{\"n\":1e6,\"s\":\"new\",\"l\":[1,2,3],\"d\":1,\"d\":2}", false, "one too many"},
		{"{\"n\":1e6,\"s\":\"new\",\"l\":[1,2],\"d\":2}", false, "a duplicate is gone"},
		{"{\"s\":\"new\",\"n\":1e6,\"l\":[1,2],\"d\":1,\"d\":2}", false, "another order"},
		{"{\"n\":\"1e6\",\"s\":\"new\",\"l\":[1,2],\"d\":1,\"d\":2}", false,
			"another type"},
		{"{\"N\":1e6,\"s\":\"new\",\"l\":[1,2],\"d\":1,\"d\":2}", false, "another key"},
		{"{\"n\":1e6,\"s\":\"new\",\"l\":{\"a\":1,\"b\":2},\"d\":1,\"d\":2}", false,
			"another container"},
		{"[]", false, "something else"},
	};
	struct bytes text = BYTES("{\"n\":1e6,\"s\":\"old\",\"l\":[1],\"d\":1,\"d\":2}");
	struct arena a;
	struct json5_edit e;

	(void)state;
	arena_init(&a, JSON5_ARENA_MAX);
	json5_edit_init(&e, &a, text, json5_parse(&a, text, NULL));
	json5_edit_set(&e, json_get(e.root, "s"), doc_str(&a, "new"));
	json5_edit_add_item(&e, json_get(e.root, "l"), doc_int(&a, 2));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct json_value *now = json5_parse(&a, bytes_str(texts[i].now), NULL);

		assert_non_null(now);
		if (json5_edit_agrees(&e, now) != texts[i].agrees) {
			fail_msg("%s: %s", texts[i].reason, texts[i].now);
		}
	}
	assert_false(json5_edit_agrees(&e, NULL));
	arena_done(&a);
}

static void limits_are_met(void **state)
{
	struct text big, out;
	struct arena a;
	struct json5_edit e;
	struct fault f = {0};

	(void)state;
	text_init(&big, JSON5_TEXT_MAX);
	text_init(&out, JSON5_TEXT_MAX + 100);
	text_add_str(&big, "{} //");
	while (big.n < JSON5_TEXT_MAX - 5) {
		text_add_char(&big, ' ');
	}
	arena_init(&a, JSON5_ARENA_MAX);
	json5_edit_init(&e, &a, text_bytes(&big), json5_parse(&a, text_bytes(&big), NULL));
	json5_edit_add_member(&e, e.root, BYTES("a"), doc_int(&a, 1));
	assert_int_equal(json5_edit_write(&e, &out, &f), ERR_LIMIT);
	assert_string_equal(f.text, "the edited text cannot be read again");
	assert_int_equal(out.n, 0);
	text_done(&out);
	text_init(&out, 20);
	assert_int_equal(json5_edit_write(&e, &out, &f), ERR_LIMIT);
	assert_int_equal(out.n, 0);
	assert_false(text_full(&out));
	arena_done(&a);
	arena_init(&a, 200);
	json5_edit_init(&e, &a, BYTES("{}"), json5_parse(&a, BYTES("{}"), NULL));
	json5_edit_add_member(&e, e.root, BYTES("a"), doc_str(&a, "a"));
	assert_int_equal(json5_edit_write(&e, &out, &f), ERR_LIMIT);
	assert_string_equal(f.text, "the edit needs too much memory");
	arena_done(&a);
	text_done(&out);
	text_done(&big);
}

/* As many values as there may be, all on one line: what is looked at must not be looked at again for each. */
static void a_long_line_takes_no_longer(void **state)
{
	struct text big, out;
	struct arena a;
	struct json5_edit e;

	(void)state;
	text_init(&big, JSON5_TEXT_MAX);
	text_init(&out, JSON5_TEXT_MAX + 100);
	text_add_char(&big, '[');
	for (unsigned i = 2; i < JSON5_VALUES_MAX; i += 2) {
		text_add_str(&big, "{\"a\": 1}, ");
	}
	text_add_str(&big, "]");
	arena_init(&a, 3 * JSON5_ARENA_MAX);
	json5_edit_init(&e, &a, text_bytes(&big), json5_parse(&a, text_bytes(&big), NULL));
	assert_non_null(e.root);
	json5_edit_add_item(&e, e.root, doc_int(&a, 1));
	json5_edit_add_member(&e, e.root->items, BYTES("b"), doc_int(&a, 2));
	assert_int_equal(json5_edit_write(&e, &out, NULL), ERR_LIMIT); /* one value too many */
	json5_edit_init(&e, &a, text_bytes(&big), e.root);
	json5_edit_set(&e, e.root->items, doc_int(&a, 2));
	json5_edit_add_item(&e, e.root, doc_int(&a, 1));
	assert_int_equal(json5_edit_write(&e, &out, NULL), 0);
	assert_memory_equal(out.p, "[2, {", 5);
	assert_memory_equal(out.p + out.n - 14, "{\"a\": 1}, 1, ]", 14);
	arena_done(&a);
	text_done(&out);
	text_done(&big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_changed),
		cmocka_unit_test(chance_changes_nothing_else),
		cmocka_unit_test(differences_are_seen),
		cmocka_unit_test(limits_are_met),
		cmocka_unit_test(a_long_line_takes_no_longer),
	};

	return cmocka_run_group_tests_name("json5_edit", tests, NULL, NULL);
}
