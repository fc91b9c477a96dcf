#include "wire/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"

#define ARENA_MAX ((size_t)1 << 30)

/* ---- plain scalars ---- */

struct scalar_row {
	const char *in;
	const char *want; /* n null, b:1, i:8, f:0.5, s string */
	const char *reason;
};

static void scalars(void **state)
{
	static const struct scalar_row rows[] = {
		{"y", "b:1", "YAML 1.1 has many words for true"},
		{"Y", "b:1", "one letter, upper case"},
		{"yes", "b:1", "lower case"},
		{"Yes", "b:1", "first letter upper"},
		{"YES", "b:1", "all upper"},
		{"on", "b:1", "on is true"},
		{"On", "b:1", "first letter upper"},
		{"ON", "b:1", "all upper"},
		{"true", "b:1", "JSON's true"},
		{"True", "b:1", "first letter upper"},
		{"TRUE", "b:1", "all upper"},
		{"n", "b:0", "one letter"},
		{"N", "b:0", "one letter, upper case"},
		{"no", "b:0", "the country of Norway is quoted"},
		{"No", "b:0", "first letter upper"},
		{"NO", "b:0", "all upper"},
		{"off", "b:0", "enableHttps: off is a boolean here"},
		{"Off", "b:0", "first letter upper"},
		{"OFF", "b:0", "all upper"},
		{"false", "b:0", "JSON's false"},
		{"False", "b:0", "first letter upper"},
		{"FALSE", "b:0", "all upper"},
		{"tRue", "s", "mixed case is text"},
		{"yEs", "s", "mixed case is text"},
		{"oN", "s", "mixed case is text"},
		{"~", "n", "null by sign"},
		{"null", "n", "null by word"},
		{"Null", "n", "first letter upper"},
		{"NULL", "n", "all upper"},
		{"", "n", "nothing is null"},
		{"nULL", "s", "mixed case is text"},
		{"0", "i:0", "zero is no octal prefix alone"},
		{"010", "i:8", "a leading zero is octal"},
		{"0o10", "i:8", "octal by prefix"},
		{"0x1f", "i:31", "hexadecimal"},
		{"0X1F", "i:31", "hexadecimal, upper case"},
		{"0b11", "i:3", "binary"},
		{"-0x1f", "i:-31", "sign before the prefix"},
		{"1_000", "i:1000", "underscores group digits"},
		{"+1", "i:1", "a plus sign"},
		{"-7", "i:-7", "a minus sign"},
		{"08", "f:8", "no octal, but a decimal number"},
		{"0o8", "s", "no octal digit"},
		{"0x", "s", "a prefix without digits"},
		{"0b2", "s", "no binary digit"},
		{"-", "s", "a sign without digits"},
		{"+", "s", "a sign without digits"},
		{".", "s", "a point without digits"},
		{"_1", "s", "an underscore begins a word"},
		{"1.", "f:1", "a point at the end"},
		{"1.0", "f:1", "a fraction that is whole"},
		{".5", "f:0.5", "a fraction without a whole"},
		{"-.5", "f:-0.5", "the same with a sign"},
		{"1e3", "f:1000", "an exponent"},
		{"1E+3", "f:1000", "an exponent with sign"},
		{"1e", "s", "an exponent without digits"},
		{"1e3x", "s", "text behind a number"},
		{".inf", "f:inf", "infinity"},
		{"-.INF", "f:-inf", "negative infinity"},
		{".NaN", "f:nan", "not a number"},
		{"12:30:45", "s", "no base 60 as in Kubernetes' library"},
		{"5:30", "s", "no base 60"},
		{"2024-01-01", "s", "dates stay text"},
		{"1.0.0", "s", "a version"},
		{"=", "s", "the default key is text"},
		{"<<", "s", "as a value it is text"},
		{"9223372036854775807", "i:9223372036854775807", "the largest that fits"},
		{"-9223372036854775808", "i:-9223372036854775808", "the smallest that fits"},
		{"9223372036854775808", "f:9.22337e+18", "beyond it is a double"},
		{"123456-xxx", "s", "a key that begins with digits"},
		{"Bearer", "s", "a word"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct yaml_node n = {.type = YAML_SEQ};
		enum yaml_type type = yaml_resolve(bytes_str(rows[i].in), &n);
		char got[64];

		assert_int_equal(type, n.type);
		switch (type) {
		case YAML_NULL:
			snprintf(got, sizeof(got), "n");
			break;
		case YAML_BOOL:
			snprintf(got, sizeof(got), "b:%d", n.boolean);
			break;
		case YAML_INT:
			snprintf(got, sizeof(got), "i:%lld", (long long)n.integer);
			break;
		case YAML_FLOAT:
			snprintf(got, sizeof(got), "f:%g", n.number);
			break;
		case YAML_STRING:
		case YAML_SEQ:
		case YAML_MAP:
			snprintf(got, sizeof(got), "s");
			break;
		}
		if (strcmp(got, rows[i].want) != 0) {
			fail_msg("'%s' (%s): %s", rows[i].in, rows[i].reason, got);
		}
	}
}

static void numbers(void **state)
{
	static const struct {
		const char *in;
		int64_t want; /* -1: none */
		const char *reason;
	} rows[] = {
		{"443", 443, "a number"},
		{"\"443\"", 443, "a quoted number counts"},
		{"'100'", 100, "single quotes too"},
		{"1e3", 1000, "a whole double"},
		{"010", 8, "octal by the table"},
		{"\"010\"", 10, "in quotes there is no octal"},
		{"1.5", -1, "no fraction"},
		{"-1", -1, "nothing negative"},
		{"\"-1\"", -1, "not in quotes either"},
		{".inf", -1, "infinity is no integer"},
		{".nan", -1, "nor is this"},
		{"true", -1, "a boolean is no number"},
		{"\"\"", -1, "an empty string is no number"},
		{"\"0x10\"", -1, "only decimal digits in quotes"},
		{"[1]", -1, "a list is no number"},
		{"~", -1, "null is no number"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct yaml_doc doc;
		uint64_t v = 77;
		bool ok;

		arena_init(&a, ARENA_MAX);
		assert_int_equal(yaml_parse(&a, bytes_str(rows[i].in), &doc, NULL), 0);
		ok = yaml_u64(doc.root, &v);
		if (ok != (rows[i].want >= 0) || v != (ok ? (uint64_t)rows[i].want : 77)) {
			fail_msg("%s (%s): %d %llu", rows[i].in, rows[i].reason, ok,
				(unsigned long long)v);
		}
		arena_done(&a);
	}
	{
		uint64_t v;

		assert_false(yaml_u64(NULL, &v));
	}
}

/* ---- trees ---- */

/* One letter for the type, then the text; {} and [] around members and items. */
static void render(const struct yaml_node *n, struct text *out)
{
	static const char *const letters[] = {"n", "b", "i", "f", "s"};

	if (n == NULL) {
		text_add_str(out, "-");
		return;
	}
	if (n->type != YAML_MAP && n->type != YAML_SEQ) {
		text_addf(out, "%s%s:", n->quoted ? "q" : "", letters[n->type]);
		text_add_bytes(out, n->text);
		return;
	}
	text_add_char(out, n->type == YAML_MAP ? '{' : '[');
	for (const struct yaml_node *i = n->items; i != NULL; i = i->next) {
		if (n->type == YAML_MAP) {
			text_add_bytes(out, i->key->text);
			text_add_char(out, '=');
		}
		render(i, out);
		if (i->next != NULL) {
			text_add_char(out, ' ');
		}
	}
	text_add_char(out, n->type == YAML_MAP ? '}' : ']');
}

static size_t count(const struct yaml_node *n)
{
	size_t items = 0;

	for (const struct yaml_node *i = n != NULL ? n->items : NULL; i != NULL; i = i->next) {
		items++;
		assert_int_equal(count(i), i->n);
	}
	return items;
}

struct tree_row {
	const char *in;
	const char *want;
	const char *reason;
};

static const struct tree_row trees[] = {
	{"", "-", "an empty stream has no document"},
	{"# only a comment\n", "-", "nor has a comment"},
	{"---\n", "n:", "an empty document is null"},
	{"a: 1\nb: x\n", "{a=i:1 b=s:x}", "a block mapping"},
	{"a: 1", "{a=i:1}", "no newline at the end"},
	{"a:\n- 1\n- x\n", "{a=[i:1 s:x]}", "a list at the column of its key, as the store writes"},
	{"a:\n  - 1\n  - x\n", "{a=[i:1 s:x]}", "a list that is indented"},
	{"{}", "{}", "an empty flow mapping"},
	{"a: []\nb: {}\n", "{a=[] b={}}", "empty collections survive"},
	{"a:\n", "{a=n:}", "a key without a value"},
	{"a: \"off\"\nb: off\n", "{a=qs:off b=b:off}", "quotes make text, the source text stays"},
	{"a: 'it''s'\n", "{a=qs:it's}", "a doubled quote"},
	{"a: '\\u003d'\n", "{a=qs:\\u003d}", "in single quotes a backslash is literal"},
	{"a: \"\\u003d\\n\"\n", "{a=qs:=\n}", "in double quotes it is an escape"},
	{"data: '{\"a\":\"it''s\n  long\"}'\n", "{data=qs:{\"a\":\"it's long\"}}",
		"G137: a quoted scalar folded over lines"},
	{"a: one\n  two\n\n  three\n", "{a=s:one two\nthree}", "a plain scalar folded over lines"},
	{"a: |\n  x\n  y\n", "{a=qs:x\ny\n}", "a literal block"},
	{"a: |-\n  x\n  y\n", "{a=qs:x\ny}", "without its last newline"},
	{"a: |+\n  x\n\nb: 1\n", "{a=qs:x\n\n b=i:1}", "with all of them"},
	{"a: >\n  x\n  y\n", "{a=qs:x y\n}", "a folded block"},
	{"a: >-\n  x\n  y\n", "{a=qs:x y}", "folded and stripped"},
	{"a: |2\n    x\n", "{a=qs:  x\n}", "an indentation indicator"},
	{"a:\tx\n", "{a=s:x}", "a tab behind the colon"},
	{"a: x # c\n", "{a=s:x}", "a comment"},
	{"a: x#c\n", "{a=s:x#c}", "no comment without a blank"},
	{"a: http://h:1/p\n", "{a=s:http://h:1/p}", "colons inside of plain text"},
	{"---\na: 1\n...\n", "{a=i:1}", "document marks at both ends"},
	{"\xef\xbb\xbf"
	 "a: 1\n",
		"{a=i:1}", "a byte order mark"},
	{"a: 1\r\nb: |\r\n  x\r\n  y\r\n", "{a=i:1 b=qs:x\ny\n}", "CRLF"},
	{"{\"a\": [1, true, null, \"x\"],\n\t\"b\": {\"c\": 1.5}}",
		"{a=[i:1 b:true n:null qs:x] b={c=f:1.5}}", "JSON is YAML, tabs and all"},
	{"{\"a\":1,\"b\":\"\\/\"}", "{a=i:1 b=qs:/}", "JSON without blanks, with its own escape"},
	{"a: 1\nb: 2\na: 3\n", "{a=i:3 b=i:2}",
		"of equal keys the last wins, in the first's place"},
	{"1: x\ntrue: z\n", "{1=s:x true=s:z}", "keys are their source text"},
	{"? a\n: b\n", "{a=s:b}", "an explicit key"},
	{"a: &x 1\nb: *x\n", "{a=i:1 b=i:1}", "an alias of a scalar"},
	{"a: &x {k: 1}\nb: *x\nc: *x\n", "{a={k=i:1} b={k=i:1} c={k=i:1}}", "aliases of a mapping"},
	{"a: &x 1\nb: &x 2\nc: *x\n", "{a=i:1 b=i:2 c=i:2}", "an anchor defined anew"},
	{"a: &x 1\na: 2\nb: *x\n", "{a=i:2 b=i:1}", "an anchored value that was replaced"},
	{"&k a: 1\nb: *k\n", "{a=i:1 b=s:a}", "an anchored key"},
	{"a: &x k\n*x : 1\n", "{a=s:k k=i:1}", "an alias as key"},
	{"m: &m {a: 1, b: 2}\nc:\n  <<: *m\n  b: 3\n", "{m={a=i:1 b=i:2} c={b=i:3 a=i:1}}",
		"merge keys: own members win"},
	{"m: &m {a: 1}\nc:\n  a: 2\n  <<: *m\n", "{m={a=i:1} c={a=i:2}}",
		"wherever the merge key stands"},
	{"m: [&x {a: 1}, &y {a: 2, b: 2}]\nc: {<<: [*x, *y]}\n",
		"{m=[{a=i:1} {a=i:2 b=i:2}] c={a=i:1 b=i:2}}", "of several sources the first wins"},
	{"a: {<<: {b: 1}, <<: {b: 2, c: 3}}\n", "{a={b=i:1 c=i:3}}", "two merge keys"},
	{"a: {<<: {b: 1}}\n", "{a={b=i:1}}", "a merge of a mapping in place"},
	{"\"<<\": 1\n", "{<<=i:1}", "a quoted << is a key"},
	{"a: <<\n", "{a=s:<<}", "and as a value it is text"},
	{"a: !!str 123\n", "{a=qs:123}", "a tag makes text"},
	{"a: !!int \"12\"\n", "{a=i:12}", "a tag makes a number"},
	{"a: !mine x\n", "{a=qs:x}", "tags of others leave the text alone"},
	{"zh: \xe4\xb8\xad\nb: \xf0\x9f\x98\x80\n", "{zh=s:\xe4\xb8\xad b=s:\xf0\x9f\x98\x80}",
		"text beyond ASCII"},
	{"a: 1\n--- \nb: [\n", "{a=i:1}", "a second document may even be broken"},
	{"a: 1\n...\n# end\n", "{a=i:1}", "a comment behind the end is nothing"},
};

/* The input ends where its memory ends, so that a sanitizer sees a step too far. */
static char *exact(struct bytes in)
{
	char *copy = malloc(in.n > 0 ? in.n : 1);

	assert_non_null(copy);
	memcpy(copy, in.p, in.n);
	return copy;
}

static void tree(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		struct bytes in = bytes_str(trees[i].in);
		char *copy = exact(in);
		struct arena a;
		struct yaml_doc doc;
		struct fault fault = {0};
		struct text got;

		arena_init(&a, ARENA_MAX);
		text_init(&got, 1 << 16);
		if (yaml_parse(&a, bytes_of(copy, in.n), &doc, &fault) != 0) {
			fail_msg("'%s' (%s): %s", trees[i].in, trees[i].reason, fault.text);
		}
		free(copy); /* the tree does not point into the input */
		render(doc.root, &got);
		if (!bytes_eq(text_bytes(&got), bytes_str(trees[i].want))) {
			fail_msg("'%s' (%s): %s", trees[i].in, trees[i].reason, text_cstr(&got));
		}
		if (doc.root != NULL) {
			assert_int_equal(count(doc.root), doc.root->n);
		}
		text_done(&got);
		arena_done(&a);
	}
}

/* A file that is being written ends anywhere: an answer, never a step beyond its end. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		struct bytes in = bytes_str(trees[i].in);

		for (size_t n = 0; n < in.n; n++) {
			char *copy = exact(bytes_of(in.p, n));
			struct arena a;
			struct yaml_doc doc;
			struct fault fault = {0};
			int rc;

			arena_init(&a, ARENA_MAX);
			rc = yaml_parse(&a, bytes_of(copy, n), &doc, &fault);
			assert_int_equal(rc, fault.err);
			assert_true(rc == 0 || (rc == ERR_SYNTAX && fault.where >= 1));
			free(copy);
			arena_done(&a);
		}
	}
}

/* ---- places ---- */

static const struct yaml_node *walk(const struct yaml_node *n, const char *path)
{
	struct bytes rest = bytes_str(path);

	while (rest.p != NULL && rest.n != 0) {
		struct bytes step = bytes_cut(&rest, '/');
		char name[32];

		snprintf(name, sizeof(name), BYTES_FMT, BYTES_ARG(step));
		if (n->type == YAML_MAP) {
			n = yaml_get(n, name);
		} else {
			n = n->items;
			for (int i = atoi(name); i > 0; i--) {
				n = n->next;
			}
		}
		assert_non_null(n);
	}
	return n;
}

static void places(void **state)
{
	static const struct {
		const char *in, *path;
		uint32_t line, column;
		const char *source; /* bytes beg..end of the input */
		const char *reason;
	} rows[] = {
		{"a: 1\nbc: xyz\n", "bc", 2, 5, "xyz", "a plain scalar"},
		{"a: 'x y' # c\n", "a", 1, 4, "'x y'", "quotes belong to a scalar"},
		{"\xc3\xa4: \xc3\xb6\nb: x\n", "b", 2, 4, "x", "bytes before it beyond ASCII"},
		{"\xc3\xa4\xc3\xa4: xy\n", "\xc3\xa4\xc3\xa4", 1, 5, "xy",
			"columns count characters"},
		{"\xef\xbb\xbf"
		 "a: xy\n",
			"a", 1, 4, "xy", "a mark before it is no column"},
		{"\xef\xbb\xbf\xc3\xa4: xy\n", "\xc3\xa4", 1, 4, "xy", "mark and umlaut"},
		{"a: 1\r\nb: xy\r\n", "b", 2, 4, "xy", "CRLF counts two bytes"},
		{"\xc3\xa4: 1\r\nb: xy\r\n", "b", 2, 4, "xy", "and so it does beyond ASCII"},
		{"a:\n  b: 1\n  c: [x, y]\n\n# c\nd: 1\n", "a", 2, 3, "b: 1\n  c: [x, y]",
			"a block ends where its last item does"},
		{"a:\n- x\n- y\n\nb: 1\n", "a", 2, 1, "- x\n- y",
			"a list begins at its first dash"},
		{"a: {b: 1, c: [x, y] }\n", "a", 1, 4, "{b: 1, c: [x, y] }", "a flow mapping"},
		{"a: {b: 1, c: [x, y] }\n", "a/c/1", 1, 18, "y", "an item of a flow list"},
		{"a: &x {k: 1}\nb: *x\n", "b", 2, 4, "*x", "an alias stands where it is used"},
		{"a: &x {k: v}\nb: *x\n", "b/k", 1, 11, "v", "what it holds stands at the anchor"},
		{"a: 1\nb: 2\na: 33\n", "a", 3, 4, "33", "a replaced value stands where it is"},
		{"x: &x {k: v}\nc: {<<: *x}\n", "c/k", 1, 11, "v", "a merged value as well"},
		{"a:\n  b: 1\n  b: 2222\n", "a", 2, 3, "b: 1\n  b: 2222",
			"the end counts what replaced an item"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes in = bytes_str(rows[i].in);
		const struct yaml_node *n;
		struct arena a;
		struct yaml_doc doc;

		arena_init(&a, ARENA_MAX);
		assert_int_equal(yaml_parse(&a, in, &doc, NULL), 0);
		n = walk(doc.root, rows[i].path);
		assert_true(n->beg <= n->end && n->end <= in.n);
		if (n->line != rows[i].line || n->column != rows[i].column ||
			!bytes_eq(bytes_of(in.p + n->beg, n->end - n->beg),
				bytes_str(rows[i].source))) {
			fail_msg("'%s' (%s): %u:%u '%.*s'", rows[i].in, rows[i].reason, n->line,
				n->column, (int)(n->end - n->beg), in.p + n->beg);
		}
		arena_done(&a);
	}
}

static void documents(void **state)
{
	static const struct {
		const char *in;
		bool more;
		uint32_t line;
		const char *reason;
	} rows[] = {
		{"a: 1\n", false, 0, "one"},
		{"a: 1\n---\nb: 2\n", true, 2, "G136: two"},
		{"---\na: 1\n---\nb: 2\n---\nc: 3\n", true, 3, "the line of the second"},
		{"a: 1\n...\n", false, 0, "an end mark alone"},
		{"a: 1\n...\nb: 2\n", true, 3, "a bare document behind an end mark"},
		{"a: 1\n# c\n\n---\n", true, 4, "even an empty one"},
		{"{a: 1}\n--- x\n", true, 2, "behind a flow mapping"},
		{"a: 1\r\n...\r\n\r\n---\r\nb: 1\r\n", true, 4, "CRLF"},
		{"\xef\xbb\xbf\xc3\xa4: 1\n---\nb: 2\n", true, 2, "offsets beyond ASCII"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct yaml_doc doc;

		arena_init(&a, ARENA_MAX);
		assert_int_equal(yaml_parse(&a, bytes_str(rows[i].in), &doc, NULL), 0);
		if (doc.more != rows[i].more || doc.more_line != rows[i].line) {
			fail_msg("'%s' (%s): %d %u", rows[i].in, rows[i].reason, doc.more,
				doc.more_line);
		}
		arena_done(&a);
	}
}

static void duplicates(void **state)
{
	struct text in;
	struct arena a;
	struct yaml_doc doc;

	(void)state;
	arena_init(&a, ARENA_MAX);
	assert_int_equal(yaml_parse(&a, BYTES("a: 1\nb: {c: 1, d: 2}\n"), &doc, NULL), 0);
	assert_null(doc.duplicate);
	assert_int_equal(yaml_parse(&a, BYTES("a: 1\nb: {c: 1, c: 2}\na: 2\n"), &doc, NULL), 0);
	assert_non_null(doc.duplicate);
	assert_int_equal(doc.duplicate->line, 2);
	assert_int_equal(doc.duplicate->column, 11);
	/* The same in a mapping that is large enough to be searched through a table. */
	text_init(&in, 1 << 20);
	for (int i = 0; i < 1000; i++) {
		text_addf(&in, "k%d: %d\n", i % 900, i);
	}
	assert_int_equal(yaml_parse(&a, text_bytes(&in), &doc, NULL), 0);
	assert_int_equal(doc.root->n, 900);
	assert_int_equal(yaml_get(doc.root, "k0")->integer, 900);
	assert_int_equal(yaml_get(doc.root, "k100")->integer, 100);
	assert_int_equal(doc.root->items->integer, 900);
	assert_int_equal(doc.duplicate->line, 901);
	text_done(&in);
	arena_done(&a);
}

/* ---- refusals ---- */

static void refusals(void **state)
{
	static const struct {
		const char *in;
		enum err err;
		size_t line;
		const char *column; /* the fault's last word */
		const char *reason;
	} rows[] = {
		{"a: [1\n", ERR_SYNTAX, 2, "1", "brackets that do not close"},
		{"a: \"x\n", ERR_SYNTAX, 2, "1", "quotes that do not close"},
		{"a: b: c\n", ERR_SYNTAX, 1, "5", "two colons"},
		{"a: 1\n\tb: 2\n", ERR_SYNTAX, 2, "1", "a tab as indentation"},
		{"a:\n  b: 1\n c: 2\n", ERR_SYNTAX, 3, "2", "an indentation between two"},
		{"a: 1\n- b\n", ERR_SYNTAX, 2, "1", "a list item among members"},
		{"a: *x\n", ERR_SYNTAX, 1, "4", "an alias without an anchor"},
		{"a: &x [*x]\n", ERR_SYNTAX, 1, "8", "an alias inside of its own anchor"},
		{"a: &x {b: {<<: *x}}\n", ERR_SYNTAX, 1, "16", "a merge of what is still open"},
		{"<<: 1\n", ERR_SYNTAX, 1, "5", "a merge of a number"},
		{"<<: [{a: 1}, 2]\n", ERR_SYNTAX, 1, "5", "a merge of a list with a number"},
		{"[a, b]: 1\n", ERR_SYNTAX, 1, "1", "a list as a key"},
		{"? {a: 1}\n: 2\n", ERR_SYNTAX, 1, "3", "a mapping as a key"},
		{"x: &x [1]\n*x : 2\n", ERR_SYNTAX, 2, "1", "a list as a key, by alias"},
		{"a: 1\nb: \x01\n", ERR_SYNTAX, 2, "4", "a control character"},
		{"a: 1\n\xc3\xa4: \xff\n", ERR_SYNTAX, 2, "4", "no UTF-8"},
		{"\xff\xfe"
		 "a\0",
			ERR_SYNTAX, 1, "1", "UTF-16"},
		{"{a: 1}\n b\n", ERR_SYNTAX, 2, "2", "text behind the document"},
		{"a: !!binary aGk=\n", ERR_SYNTAX, 1, "4", "bytes in base 64"},
		{"%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n%X\n---\na\n",
			ERR_LIMIT, 1, "1", "directives that libyaml compares with each other"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct yaml_doc doc = {.more_line = 77};
		struct fault fault = {0};
		const char *column;
		int rc;

		arena_init(&a, ARENA_MAX);
		rc = yaml_parse(&a, bytes_str(rows[i].in), &doc, &fault);
		column = strrchr(fault.text, ' ');
		if (rc != (int)rows[i].err || rc != (int)fault.err || fault.where != rows[i].line ||
			column == NULL || strcmp(column + 1, rows[i].column) != 0) {
			fail_msg("'%s' (%s): %d line %zu, %s", rows[i].in, rows[i].reason, rc,
				fault.where, fault.text);
		}
		assert_non_null(strstr(fault.text, ", column "));
		assert_int_equal(doc.more_line, 77); /* untouched on failure */
		arena_done(&a);
	}
}

static int parse_repeated(const char *before, const char *each, const char *after, size_t n)
{
	struct text in;
	struct arena a;
	struct yaml_doc doc;
	int rc;

	text_init(&in, 1 << 26);
	text_add_str(&in, before);
	for (size_t i = 0; i < n; i++) {
		text_add_str(&in, each);
	}
	text_add_str(&in, after);
	assert_false(text_full(&in));
	arena_init(&a, ARENA_MAX);
	rc = yaml_parse(&a, text_bytes(&in), &doc, NULL);
	arena_done(&a);
	text_done(&in);
	return rc;
}

static void limits(void **state)
{
	static const char bomb[] =
		"a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
		"a1: &a1 [*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0]\n"
		"a2: &a2 [*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1,*a1]\n"
		"a3: &a3 [*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2,*a2]\n"
		"a4: &a4 [*a3,*a3,*a3,*a3,*a3,*a3,*a3,*a3,*a3,*a3]\n"
		"a5: &a5 [*a4,*a4,*a4,*a4,*a4,*a4,*a4,*a4,*a4,*a4]\n"
		"a6: &a6 [*a5,*a5,*a5,*a5,*a5,*a5,*a5,*a5,*a5,*a5]\n";
	struct arena a;
	struct yaml_doc doc;

	(void)state;
	assert_int_equal(parse_repeated("", "[", "", YAML_DEPTH_MAX + 1), ERR_LIMIT);
	assert_int_equal(parse_repeated("", "[", "", 1000000), ERR_LIMIT);
	assert_int_equal(parse_repeated("", "{a: ", "", 1000000), ERR_LIMIT);
	assert_int_equal(parse_repeated("", "- ", "", 1000000), ERR_LIMIT);
	/* 64 deep is fine. */
	assert_int_equal(parse_repeated("", "- ", "x", YAML_DEPTH_MAX), 0);

	/* An alias must not go deeper than what is written out: 32 below 34 is too
	 * deep, 32 below 32 is just allowed. */
	assert_int_equal(parse_repeated("- &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x"
					"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n- ",
				 "- ", "*a\n", 33),
		ERR_LIMIT);
	assert_int_equal(parse_repeated("- &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x"
					"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n- ",
				 "- ", "*a\n", 31),
		0);
	/* Ten million values in 300 bytes. */
	arena_init(&a, ARENA_MAX);
	assert_int_equal(yaml_parse(&a, bytes_str(bomb), &doc, NULL), ERR_LIMIT);
	arena_done(&a);
	assert_int_equal(parse_repeated("", "- \n", "", YAML_NODES_MAX), ERR_LIMIT);
	/* Merge keys in one mapping cost what they add, not their number squared. */
	assert_int_equal(parse_repeated("m: &m {a: 1}\nc:\n", "  <<: *m\n", "", 300000), 0);
	/* What an arena cannot hold is refused as a value, at every size. */
	for (size_t max = 0; max < 2000; max += 16) {
		struct fault fault = {0};
		int rc;

		arena_init(&a, max);
		rc = yaml_parse(&a, BYTES("a: &x {b: [1, 2]}\nc: *x\nd: {<<: *x}\n"), &doc, &fault);
		assert_true(rc == 0 || rc == ERR_LIMIT);
		assert_int_equal(rc, fault.err);
		assert_true(max < 1900 || rc == 0);
		arena_done(&a);
	}
}

static void lookup(void **state)
{
	struct arena a;
	struct yaml_doc doc;

	(void)state;
	arena_init(&a, ARENA_MAX);
	assert_int_equal(yaml_parse(&a, BYTES("a: 1\nlist: [a]\n"), &doc, NULL), 0);
	assert_int_equal(yaml_get(doc.root, "a")->integer, 1);
	assert_null(yaml_get(doc.root, "b"));
	assert_null(yaml_get(yaml_get(doc.root, "list"), "a"));
	assert_null(yaml_get(yaml_get(doc.root, "b"), "a"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars),
		cmocka_unit_test(numbers),
		cmocka_unit_test(tree),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(places),
		cmocka_unit_test(documents),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(refusals),
		cmocka_unit_test(limits),
		cmocka_unit_test(lookup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
