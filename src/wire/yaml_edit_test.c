/*
 * Changes of texts: what is changed is as demanded, everything around it stays as it was written.
 */
#include "wire/yaml_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/num.h"
#include "wire/yaml_edit_agree_int.h"

#define ARENA_MAX ((size_t)1 << 29)

/* --- a change in words ---------------------------------------------------------------------------- */

/* Members by key, items by number, split at '/'; "" is the root. */
static struct doc *go(struct arena *a, struct doc *d, struct bytes path)
{
	while (path.p != NULL && path.n != 0) {
		struct bytes step = bytes_cut(&path, '/');
		uint64_t i;

		if (d->type == DOC_LIST) {
			assert_true(num_parse_u64(step, 1000000, &i));
			for (d = doc_first(a, d); i != 0; i--) {
				d = d->next;
			}
		} else {
			d = doc_get_bytes(a, d, step);
		}
		assert_non_null(d);
	}
	return d;
}

static struct bytes parent_of(struct bytes path, struct bytes *last)
{
	size_t i = path.n;

	while (i != 0 && path.p[i - 1] != '/') {
		i--;
	}
	*last = bytes_of(path.p + i, path.n - i);
	return bytes_of(path.p, i != 0 ? i - 1 : 0);
}

/* "set PATH JSON", "drop PATH", "append PATH JSON", "before PATH JSON" (an item), several split at ';'. */
static void change(struct arena *a, struct doc *root, struct bytes command)
{
	struct bytes rest = command;
	struct bytes verb = bytes_cut(&rest, ' '), path = bytes_cut(&rest, ' '), last;
	struct doc *parent, *value = NULL;
	struct fault fault = {0};

	if (rest.p != NULL) {
		struct json_value *v = json_parse(a, rest, &fault);

		assert_non_null(v);
		value = doc_of_json(a, v);
	}
	if (bytes_eq(verb, BYTES("append"))) {
		doc_append(a, go(a, root, path), value);
		return;
	}
	parent = go(a, root, parent_of(path, &last));
	if (bytes_eq(verb, BYTES("set")) && parent->type == DOC_MAP) {
		doc_set_bytes(a, parent, last, value);
	} else if (bytes_eq(verb, BYTES("set"))) {
		doc_replace(a, parent, go(a, parent, last), value);
	} else if (bytes_eq(verb, BYTES("drop")) && parent->type == DOC_MAP) {
		assert_true(doc_drop_bytes(a, parent, last));
	} else if (bytes_eq(verb, BYTES("drop"))) {
		doc_remove(a, parent, go(a, parent, last));
	} else {
		struct doc *at = go(a, parent, last), *before = doc_first(a, parent);

		assert_true(bytes_eq(verb, BYTES("before")));
		while (before != at && before->next != at) {
			before = before->next;
		}
		doc_insert_after(a, parent, before == at ? NULL : before, value);
	}
}

struct row {
	const char *text, *commands, *expect, *reason;
};

static int run(struct arena *a, const struct row *r, bool crlf, struct text *out)
{
	struct bytes commands = bytes_str(r->commands), text;
	struct text in;
	struct yaml_doc doc;
	struct yaml_check check = {0};
	struct fault fault = {0};
	struct doc *root;
	int rc;

	arena_init(&check.arena, (size_t)1 << 30);
	text_init(&in, 1 << 20);
	for (const char *p = r->text; *p != '\0'; p++) {
		text_add_str(&in, crlf && *p == '\n' ? "\r" : "");
		text_add_char(&in, *p);
	}
	text = arena_copy(a, text_bytes(&in));
	assert_int_equal(yaml_parse(a, text, &doc, &fault), 0);
	root = doc_of_yaml(a, doc.root);
	while (commands.p != NULL) {
		struct bytes one = bytes_cut(&commands, ';');

		if (one.n > 9 && memcmp(one.p, "set root ", 9) == 0) {
			struct json_value *v =
				json_parse(a, bytes_of(one.p + 9, one.n - 9), &fault);

			root = doc_of_json(a, v);
		} else if (one.n != 0) {
			change(a, root, one);
		}
	}
	rc = yaml_edit(a, text, doc.root, root, out, &check, &fault);
	if (rc == 0) {
		assert_true(doc_is_yaml(a, root, check.doc.root));
	} else if (r->expect != NULL) {
		print_message("%s, line %zu\n", fault.text, fault.where);
	}
	arena_done(&check.arena);
	text_done(&in);
	return rc;
}

static unsigned run_rows(const struct row *rows, size_t n, bool crlf)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct arena a;
		struct text out, plain;
		int rc;

		arena_init(&a, ARENA_MAX);
		text_init(&out, 1 << 20);
		text_init(&plain, 1 << 20);
		rc = run(&a, &rows[i], crlf, &out);
		for (size_t k = 0; k < out.n; k++) {
			if (!crlf || out.p[k] != '\r') {
				text_add_char(&plain, out.p[k]);
			}
			if (crlf && out.p[k] == '\n') {
				assert_true(k != 0 && out.p[k - 1] == '\r');
			}
		}
		if (rows[i].expect == NULL
				? rc != ERR_UNSUPPORTED || out.n != 0
				: rc != 0 || strcmp(text_cstr(&plain), rows[i].expect) != 0) {
			print_message("%s (%d):\n%s--- wanted:\n%s--- got:\n%s---\n",
				rows[i].reason, rc, rows[i].text,
				rows[i].expect != NULL ? rows[i].expect : "refusal\n",
				text_cstr(&plain));
			wrong++;
		}
		text_done(&out);
		text_done(&plain);
		arena_done(&a);
	}
	return wrong;
}

/* --- rows ----------------------------------------------------------------------------------------- */

static const struct row rows[] = {
	/* scalars */
	{"a: 1 # one\nb: 2\n", "set a 3", "a: 3 # one\nb: 2\n", "a comment behind the value stays"},
	{"a:   'x'   # one\n", "set a \"off\"", "a:   \"off\"   # one\n",
		"blanks stay, quotes come"},
	{"a: \"x\\ty\"\nb: 2\n", "set a \"z\"", "a: z\nb: 2\n", "double quotes"},
	{"a: x\n  y\n  z\nb: 2\n", "set a \"w\"", "a: w\nb: 2\n", "a plain value of three lines"},
	{"a: 'x\n\n  z' # c\nb: 2\n", "set a \"w\"", "a: w # c\nb: 2\n",
		"a quoted one of three lines"},
	{"a: |\n  x\n  y\n\n# c\nb: 2\n", "set a \"w\"", "a: w\n\n# c\nb: 2\n", "a literal block"},
	{"a: |+ # h\n  x\n\nb: 2\n", "set a \"w\"", "a: w\n\nb: 2\n", "a literal block that keeps"},
	{"a: >-\n  x\n  y\n", "set a \"p\\nq\"", "a: |-\n  p\n  q\n",
		"a folded one becomes literal"},
	{"a: w # c\nb: 2\n", "set a \"p\\nq\"", "a: \"p\\nq\" # c\nb: 2\n",
		"no literal in front of a comment"},
	{"a: w\nb: 2\n", "set a \"p\\nq\\n\"", "a: |\n  p\n  q\nb: 2\n",
		"a literal with a line end"},
	{"a:\nb: 2\n", "set a 1", "a: 1\nb: 2\n", "nothing becomes something"},
	{"a: # c\nb: 2\n", "set a 1", "a: 1 # c\nb: 2\n", "nothing with a comment"},
	{"- \n- x\n", "set 0 1", "- 1\n- x\n", "an empty item"},
	{"- x\n-", "set 1 1", "- x\n- 1", "a dash that ends the text"},
	{"-\n- x\n", "set 0 1", "- 1\n- x\n", "a dash alone"},
	{"a:\n  x\nb: 2\n", "set a \"w\"", "a:\n  w\nb: 2\n", "a value on a line of its own"},
	{"\xc5\x90o: x\n",
		"set \xc5\x90o \"aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffffff gggggggggg hhhhhhhhhh i j k\"",
		"\xc5\x90o: aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffffff gggggggggg hhhhhhhhhh\n  i j k\n",
		"folded by characters, not by bytes"},
	{"x\n", "set root \"w\"", "w\n", "the document is a scalar"},
	{"--- # c\na: 1\n", "set a 2", "--- # c\na: 2\n", "a document's start"},
	{"%YAML 1.1\n---\na: 1\n", "set a 2", "%YAML 1.1\n---\na: 2\n", "a directive"},
	{"\xef\xbb\xbf"
	 "a: 1\nb: 2\n",
		"set c 3;set a 0",
		"\xef\xbb\xbf"
		"a: 0\nb: 2\nc: 3\n",
		"a byte order mark"},
	{"a: 1\nb: 2", "set b 3", "a: 1\nb: 3", "no line end at the end"},
	{"a: 1\nb: 2", "set c 3", "a: 1\nb: 2\nc: 3", "a member behind a last line without end"},
	{"a: 1\nb: 2", "drop b", "a: 1", "the last line without end goes"},
	{"a:\n- 1", "append a 2;set b 3", "a:\n- 1\n- 2\nb: 3", "two at the same end"},
	{"a: 1\n---\na: 9\n--- x\n", "set a 2", "a: 2\n---\na: 9\n--- x\n", "other documents stay"},
	{"a: 1\n---\na: 9\n", "set b 2", "a: 1\nb: 2\n---\na: 9\n",
		"a member in front of another document"},
	{"a: 1\n...\n---\na: 9\n", "set b 2", "a: 1\nb: 2\n...\n---\na: 9\n",
		"in front of an end mark"},
	/* members */
	{"a: 1\nc: 3\n", "set b 2", "a: 1\nb: 2\nc: 3\n", "where its key belongs"},
	{"c: 1\na: 3\n", "set b 2", "c: 1\na: 3\nb: 2\n", "at the end when keys have no order"},
	{"b: 1\n# about c\nc: 3\n", "set a 0", "a: 0\nb: 1\n# about c\nc: 3\n", "in front of all"},
	{"# head\n\nb: 1 # x\n", "set a 0;set c 2", "# head\n\na: 0\nb: 1 # x\nc: 2\n",
		"around the only one"},
	{"a: 1\nb: 2 # x\nc: 3\n", "drop b", "a: 1\nc: 3\n", "a line goes with its comment"},
	{"a: 1\n# about b\nb: 2\nc: 3\n", "drop b", "a: 1\n# about b\nc: 3\n",
		"a comment above stays"},
	{"a: 1\nb:\n  c: 1\n  # in\n  d: 2\n# after\ne: 3\n", "drop b", "a: 1\n# after\ne: 3\n",
		"a block goes"},
	{"a: |\n  x\n\nb: 2\n", "drop a", "b: 2\n", "a literal goes"},
	{"a: 1\nb: |\n  x\nc: 2\n", "set bb 1", "a: 1\nb: |\n  x\nbb: 1\nc: 2\n",
		"behind a literal"},
	{"m:\n  a: 1 # c\n  # d\nn: 1\n", "set m/b 2", "m:\n  a: 1 # c\n  b: 2\n  # d\nn: 1\n",
		"inside of a map"},
	{"m:\n    a: 1\n    z: {}\n", "set m/b {\"c\":{\"d\":1}}",
		"m:\n    a: 1\n    b:\n        c:\n            d: 1\n    z: {}\n",
		"four blanks a step"},
	{"m: {}\nn: 1\n", "set m/a 1", "m:\n  a: 1\nn: 1\n", "an empty map fills"},
	{"m: {} # c\nn: 1\n", "set m/a 1", "m: # c\n  a: 1\nn: 1\n",
		"an empty map with a comment fills"},
	{"m:\n  a: 1\nn: 1\n", "drop m/a", "m: {}\nn: 1\n", "a map empties"},
	{"m: # c\n  # d\n  a: 1 # e\nn: 1\n", "drop m/a", "m: {} # c\n  # d\nn: 1\n",
		"a map with comments empties"},
	{"m:\n  a: 1\n", "set m {\"b\":2}", "m:\n  b: 2\n", "another key instead"},
	{"m:\n  a: 1\nn: 2\n", "set m {\"b\":\"\\n\\n\"}", "m:\n  b: |2+\n\n\nn: 2\n",
		"another key instead, with a literal that keeps its empty lines"},
	{"m:\n  a: 1\nn: 2\n", "set m [1,{\"x\":2}]", "m:\n- 1\n- x: 2\nn: 2\n",
		"a map becomes a list"},
	{"m:\n- 1\nn: 2\n", "set m {\"a\":[1]}", "m:\n  a:\n  - 1\nn: 2\n", "a list becomes a map"},
	{"m:\n- 1\nn: 2\n", "set m \"x\"", "m: x\nn: 2\n", "a list becomes a text"},
	{"m: x\nn: 2\n", "set m [1,2]", "m:\n- 1\n- 2\nn: 2\n", "a text becomes a list"},
	{"m: x # c\nn: 2\n", "set m [1,2]", "m: # c\n- 1\n- 2\nn: 2\n",
		"a text with a comment becomes a list"},
	{"a: 1\n", "drop a", "{}\n", "nothing is left"},
	{"{}\n", "set a 1", "a: 1\n", "an empty document fills"},
	{"# only\n", "set root {\"a\":1}", "# only\na: 1\n", "a document of comments fills"},
	{"'a b': 1\n\"c\" : 2\n", "set c 3", "'a b': 1\n\"c\" : 3\n", "quoted keys"},
	/* lists */
	{"l:\n- 1 # a\n- 2 # b\n# c\n- 3\n", "drop l/1", "l:\n- 1 # a\n# c\n- 3\n",
		"an item goes with its line"},
	{"l:\n- 1 # a\n# b\n- 2\nm: 1\n", "append l 3", "l:\n- 1 # a\n# b\n- 2\n- 3\nm: 1\n",
		"one behind the last"},
	{"l:\n  - 1\n  - 2\nm: 1\n", "append l {\"a\":1,\"b\":[2]}",
		"l:\n  - 1\n  - 2\n  - a: 1\n    b:\n      - 2\nm: 1\n", "an indented list"},
	{"l:\n- 1\n- 2\n", "before l/0 0", "l:\n- 0\n- 1\n- 2\n", "one in front"},
	{"l:\n- 1\n- 3\n", "before l/1 2", "l:\n- 1\n- 2\n- 3\n", "one between"},
	{"l: []\nm: 1\n", "append l \"x\"", "l:\n- x\nm: 1\n", "an empty list fills"},
	{"l:\n- x\nm: 1\n", "drop l/0", "l: []\nm: 1\n", "a list empties"},
	{"l:\n  # c\n  - x # d\n  # e\nm: 1\n", "drop l/0", "l: []\n  # c\n  # e\nm: 1\n",
		"comments of a list that empties"},
	{"l:\n- a: 1 # x\n  b: 2\n- c\n", "set l/0/b 3", "l:\n- a: 1 # x\n  b: 3\n- c\n",
		"inside of an item"},
	{"l:\n- a: 1\n  b: 2\n- c\n", "drop l/0/a", "l:\n- b: 2\n- c\n", "the first member goes"},
	{"l:\n- a: 1 # x\n  # y\n  b: 2\n", "drop l/0/a", "l:\n-  # x\n  # y\n  b: 2\n",
		"the first member had comments"},
	{"l:\n- a: 1\n  b: 2\n  c: 3\n", "drop l/0/a;drop l/0/b", "l:\n- c: 3\n",
		"the first two members go"},
	{"l:\n- b: 2\n  c: 3\n", "set l/0/a 1", "l:\n- a: 1\n  b: 2\n  c: 3\n",
		"a member in front of the first"},
	{"l:\n- b: 2\n  c: 3\n", "drop l/0/b;set l/0/a 1", "l:\n- a: 1\n  c: 3\n",
		"another first member"},
	{"l:\n- a: 1\n", "drop l/0/a", "l:\n- {}\n", "an item empties"},
	{"l:\n- a: 1 # c\n", "set l/0 \"x\"", "l:\n- x # c\n", "an item becomes a text"},
	{"l:\n- x # c\n- y\n", "set l/0 {\"a\":1,\"b\":2}", "l:\n- a: 1\n  b: 2 # c\n- y\n",
		"a text becomes a map"},
	{"l:\n-\n  # c\n  a: 1\n- x\n", "set l/0/a 2;drop l/1", "l:\n-\n  # c\n  a: 2\n",
		"an item below its dash"},
	{"l:\n-\n  # c\n  a: 1\n- x\n", "drop l/0", "l:\n- x\n", "an item below its dash goes"},
	{"- - 1\n  - 2\n- - 3\n", "append 0 9;drop 1", "- - 1\n  - 2\n  - 9\n", "a list in a list"},
	{"- - 1\n  - 2\n- - 3\n", "drop 0/0", "- - 2\n- - 3\n", "the first of an inner list"},
	{"- - 1\n- - 3\n", "before 0/0 0", "- - 0\n  - 1\n- - 3\n",
		"in front of the first of an inner list"},
	{"l:\n- 1\n- 2\n- 3\n", "set l [1,9,3]", "l:\n- 1\n- 9\n- 3\n",
		"a list made anew: one differs"},
	{"l:\n- 1 # x\n- 2\n- 3 # y\n", "set l [1,3]", "l:\n- 1 # x\n- 3 # y\n",
		"a list made anew: one is gone"},
	{"l:\n- 1 # x\n- 3 # y\n", "set l [1,2,3,4]", "l:\n- 1 # x\n- 2\n- 3 # y\n- 4\n",
		"a list made anew: two more"},
	{"l:\n- n: a # x\n  v: 1\n- n: b # y\n  v: 2\n",
		"set l [{\"n\":\"a\",\"v\":1},{\"n\":\"b\",\"v\":3}]",
		"l:\n- n: a # x\n  v: 1\n- n: b # y\n  v: 3\n",
		"a list made anew: a member deep inside"},
	{"a: {b: [1]} # c\nd:\n- e:\n    f: 1 # g\n",
		"set root {\"a\":{\"b\":[1]},\"d\":[{\"e\":{\"f\":2}}]}",
		"a: {b: [1]} # c\nd:\n- e:\n    f: 2 # g\n", "a whole document made anew"},
	/* flow */
	{"a: [1, 2, 3] # c\n", "drop a/1", "a: [1, 3] # c\n", "brackets: one goes"},
	{"a: [1, 2, 3]\n", "drop a/0", "a: [2, 3]\n", "brackets: the first goes"},
	{"a: [1, 2, 3]\n", "drop a/2", "a: [1, 2]\n", "brackets: the last goes"},
	{"a: [1, 2]\n", "append a \"x, y\"", "a: [1, 2, 'x, y']\n", "brackets: one comes"},
	{"a: [1, 2]\n", "before a/0 {\"x\":[]}", "a: [{x: []}, 1, 2]\n", "brackets: one in front"},
	{"a: [1]\n", "drop a/0", "a: []\n", "brackets empty"},
	{"a: {b: 1, c: {d: 2}}\n", "set a/c/e \"y\";set a/b \"z: 1\"",
		"a: {b: 'z: 1', c: {d: 2, e: \"y\"}}\n", "braces"},
	{"a: {b: 1, c: 2}\n", "drop a/b", "a: {c: 2}\n", "braces: the first goes"},
	{"a: {b: 1}\n", "set a/b \"p\\nq\"", "a: {b: \"p\\nq\"}\n", "no literal inside of braces"},
	{"a: [\n  1, # one\n  2, # two\n  3 # three\n]\n", "drop a/1",
		"a: [\n  1, # one\n   # two\n  3 # three\n]\n", "comments between items stay"},
	{"a: [\n  1,\n  2,\n]\nb: 1\n", "append a 3", "a: [\n  1,\n  2, 3,\n]\nb: 1\n",
		"a comma at the end stays there"},
	{"{a: 1, b: [x]}\n", "append b 2;set c 3", "{a: 1, b: [x, 2], c: 3}\n",
		"the document in braces"},
	{"{\"a\":1,\"b\":[true]}", "set b/0 false", "{\"a\":1,\"b\":[false]}", "JSON is YAML"},
	/* deep */
	{"a:\n  b:\n    c:\n    - d:\n      - e: 1\n        f:\n          g: x # c\nz: 1\n",
		"set a/b/c/0/d/0/f/g \"w\";append a/b/c/0/d 5",
		"a:\n  b:\n    c:\n    - d:\n      - e: 1\n        f:\n          g: w # c\n      - 5\nz: 1\n",
		"deep inside"},
	/* anchors and what else is not plain */
	{"a: &x\n  b: 1\nc: *x\nd: 1\n", "set d 2", "a: &x\n  b: 1\nc: *x\nd: 2\n",
		"an anchor elsewhere is fine"},
	{"a: &x\n  b: 1\nc: *x\n", "set a/b 2", NULL, "it would change what the alias says"},
	{"a: &x\n  b: 1\nc: *x\n", "set c/b 2", NULL, "what an alias brought in"},
	{"a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", "set c/d 2",
		"a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", "beside a merge"},
	{"a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", "drop c/b", NULL, "what a merge brought in"},
	{"a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", "set c/b 2",
		"a: &x {b: 1}\nc:\n  b: 2\n  <<: *x\n  d: 1\n", "an own key wins over a merge"},
	{"a: 1\nb: 2\na: 3\n", "set b 4", "a: 1\nb: 4\na: 3\n", "a key that stands twice stays"},
	{"a: 1\nb: 2\na: 3\n", "drop a", NULL, "a key that stands twice does not go"},
	{"? a\n: 1\nb: 2\n", "set b 3", "? a\n: 1\nb: 3\n", "a key with a question mark"},
	{"? a\n: 1\nb: 2\n", "set a 3", "? a\n: 3\nb: 2\n", "its value"},
	{"a: !!str 1\nb: 2\n", "set b 3", "a: !!str 1\nb: 3\n", "a tag elsewhere"},
	{"a: !!str 1\n", "set a \"2\"", "a: \"2\"\n", "a value with its tag"},
	{"a:\t1\nb: 2\n", "set a 3", "a:\t3\nb: 2\n", "a tab behind the colon"},
};

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(run_rows(rows, ARRAY_LEN(rows), false), 0);
}

static void test_rows_crlf(void **state)
{
	(void)state;
	assert_int_equal(run_rows(rows, ARRAY_LEN(rows), true), 0);
}

/* --- random changes ------------------------------------------------------------------------------- */

/* What tools wrote stays what tools would write, whatever is changed. */
static void test_random_changes(void **state)
{
	static const char *const files[] = {"one/wasmplugins/key-auth.internal.yaml",
		"two/envoyfilters/ai-route-chat-mix.internal.yaml",
		"two/wasmplugins/ai-proxy.internal.yaml", "two/mcpbridges/default.yaml"};
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct text in;
		char path[200];

		text_init(&in, 1 << 20);
		snprintf(path, sizeof(path), "tests/data/canonical/%s", files[i]);
		assert_int_equal(file_read(path, 1 << 20, &in, NULL, NULL), 0);
		for (unsigned round = 0; round < 500; round++) {
			uint8_t changes[24];

			for (size_t k = 0; k < sizeof(changes); k++) {
				seed = seed * 1664525u + 1013904223u;
				changes[k] = (uint8_t)(seed >> 24);
			}
			assert_true(edit_agree(
				text_bytes(&in), (struct edit_random){changes, sizeof(changes)}));
		}
		text_done(&in);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows) * 40; i++) {
		uint8_t changes[24];

		for (size_t k = 0; k < sizeof(changes); k++) {
			seed = seed * 1664525u + 1013904223u;
			changes[k] = (uint8_t)(seed >> 24);
		}
		IGNORE(edit_agree(bytes_str(rows[i % ARRAY_LEN(rows)].text),
			(struct edit_random){changes, sizeof(changes)}));
	}
}

/* --- a large file --------------------------------------------------------------------------------- */

static void put_large(struct text *t, unsigned n)
{
	text_add_str(t,
		"apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nspec:\n"
		"  defaultConfig:\n    consumers:\n");
	for (unsigned i = 0; i < n; i++) {
		text_addf(t,
			"    - credentials:\n      - Bearer sk-0123456789abcdef0123456789abcdef-%06u\n"
			"      in_header: true\n      in_query: false\n      keys:\n"
			"      - Authorization\n      name: consumer-%06u\n",
			i, i);
	}
	text_add_str(t, "    global_auth: false\n  phase: AUTHN\n");
}

static double seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* One of 100,000 entries is changed; nothing but its way down is opened. */
static void test_large_list(void **state)
{
	struct text in, out;
	struct arena a;
	struct yaml_doc doc;
	struct yaml_check check = {0};
	struct fault fault = {0};
	struct doc *d, *entry;
	double from, edited;

	(void)state;
	text_init(&in, 1 << 26);
	text_init(&out, 1 << 26);
	put_large(&in, 100000);
	arena_init(&a, (size_t)1 << 30);
	arena_init(&check.arena, (size_t)1 << 30);
	from = seconds();
	assert_int_equal(yaml_parse(&a, text_bytes(&in), &doc, &fault), 0);
	edited = seconds();
	print_message("%zu bytes: parsed in %.0f ms\n", in.n, (edited - from) * 1e3);
	from = edited;
	d = doc_of_yaml(&a, doc.root);
	for (entry = doc_first(&a, doc_at(&a, d, "spec.defaultConfig.consumers"));
		!bytes_eq(doc_peek(entry, "name", BYTES("")), BYTES("consumer-077777"));
		entry = entry->next) {}
	doc_set(&a, entry, "in_query", doc_bool(&a, true));
	edited = seconds();
	print_message("found and changed in %.0f ms\n", (edited - from) * 1e3);
	from = edited;
	assert_int_equal(yaml_edit(&a, text_bytes(&in), doc.root, d, &out, &check, &fault), 0);
	print_message("edited and checked in %.0f ms\n", (seconds() - from) * 1e3);
	assert_int_equal(out.n, in.n - 1);
	assert_true(doc_is_yaml(&a, d, check.doc.root));
	doc_drop(&a, doc_at(&a, d, "spec.defaultConfig"), "consumers");
	assert_false(doc_is_yaml(&a, d, check.doc.root));
	text_done(&in);
	text_done(&out);
	arena_done(&check.arena);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rows_crlf),
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_large_list),
	};

	return cmocka_run_group_tests_name("yaml_edit", tests, NULL, NULL);
}
