#include "wire/yaml_block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "wire/yaml_agree_int.h"

#define TAKEN true
#define LEFT false

struct row {
	const char *in;
	bool taken;
	const char *reason;
};

/* Whatever is taken is compared with libyaml's tree, node by node. */
static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool taken = yaml_agree(bytes_str(rows[i].in));

		if (taken != rows[i].taken) {
			fail_msg(
				"%s: %s: %s", rows[i].reason, taken ? "taken" : "left", rows[i].in);
		}
	}
}

static void forms(void **state)
{
	static const struct row rows[] = {
		{"", TAKEN, "nothing"},
		{"# a word\n\n", TAKEN, "comments only"},
		{"a: 1", TAKEN, "no line feed at the end"},
		{"a: 1\nb: x y\n", TAKEN, "members"},
		{"  a: 1\n  b: 2\n", TAKEN, "the root is indented"},
		{"a:\nb:\n", TAKEN, "values that are null"},
		{"a:\n  b:\n    c:\nd: 1\n", TAKEN, "null at the end of a collection"},
		{"a:\n- 1\n- 2\nb: 3\n", TAKEN, "a list in the column of its key"},
		{"a:\n  - 1\n  - 2\nb: 3\n", TAKEN, "a list further right"},
		{"a:\n- b: 1\n  c:\n  - x\n- b: 2\n", TAKEN, "as Kubernetes' tools write"},
		{"- - 1\n  - 2\n-   - 3\n", TAKEN, "lists in lists"},
		{"- a: 1\n\n  # between\n  b: 2\n", TAKEN, "blank lines and comments between"},
		{"a: []\nb: {}\nc: [] \n", TAKEN, "empty in brackets"},
		{"'@type': a\n\"b c\": 'it''s'\nd: \"e # f: g\"\n", TAKEN, "quotes"},
		{"a: ''\nb: \"\"\nc: ''''\n", TAKEN, "empty quotes"},
		{"a: http://x:80/y?z=1#k\n", TAKEN, "colons and hashes inside of words"},
		{"a: -1\nb: .5\nc: ~\nd: off\ne: 0x1F\n", TAKEN, "plain scalars are resolved"},
		{"a : 1\nb:   2  \n", TAKEN, "blanks around"},
		{"a: 1\nb: 2\na: 3\n", TAKEN, "the key stands twice"},
		{"1: a\ntrue: b\nnull: c\n", TAKEN, "keys that read as other types"},
		{"a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1\nk: 1\nl: 1\nm: 1\n"
		 "a: 2\n",
			TAKEN, "a map with an index"},
	};

	(void)state;
	check(rows, ARRAY_LEN(rows));
}

static void others(void **state)
{
	static const struct row rows[] = {
		{"a\n", LEFT, "the root is a scalar"},
		{"---\na: 1\n", LEFT, "a document's marker"},
		{"a: 1\n---\nb: 1\n", LEFT, "several documents"},
		{"...\n", LEFT, "the end of a document"},
		{"%YAML 1.1\n---\na: 1\n", LEFT, "a directive"},
		{"a: 1\r\n", LEFT, "CRLF"},
		{"a:\t1\n", LEFT, "a tab"},
		{"a: \xc3\xa4\n", LEFT, "not ASCII"},
		{"\xef\xbb\xbf"
		 "a: 1\n",
			LEFT, "a byte order mark"},
		{"a: b\n  c\n", LEFT, "a plain scalar of two lines"},
		{"- b\n  c\n", LEFT, "the same in a list"},
		{"a:\n  b\n", LEFT, "a scalar on the line below its key"},
		{"a: 'b\n  c'\n", LEFT, "quotes over two lines"},
		{"a: |\n  b\n", LEFT, "a block of text"},
		{"a: >-\n  b\n", LEFT, "a folded one"},
		{"a: \"\\n\"\n", LEFT, "an escape"},
		{"a: [1]\n", LEFT, "a list in brackets"},
		{"a: {b: 1}\n", LEFT, "a map in braces"},
		{"a: [\n", LEFT, "a bracket that is open"},
		{"a: &x 1\nb: *x\n", LEFT, "an anchor and its alias"},
		{"a: !!str 1\n", LEFT, "a tag"},
		{"a:\n  <<: b\n", LEFT, "a merge key"},
		{"? a\n: b\n", LEFT, "a key with its question mark"},
		{"a: b # why\n", LEFT, "a comment behind a value"},
		{"a: # why\n  b: 1\n", LEFT, "a comment behind a key"},
		{"-\n  a: 1\n", LEFT, "an entry on the line below its dash"},
		{"a: b: c\n", LEFT, "an error: a colon in a value"},
		{"a: b:\n", LEFT, "the same at the end of the line"},
		{"a: 1\n b: 2\n", LEFT, "an error: a member further right"},
		{"a:\n  b: 1\n c: 2\n", LEFT, "an error: a column of nobody"},
		{"  a: 1\nb: 2\n", LEFT, "an error: left of the root"},
		{"a: 1\n- b\n", LEFT, "an error: an entry among members"},
		{"- a\nb: 1\n", LEFT, "an error: a member among entries"},
		{"a: 'b' c\n", LEFT, "an error: text behind quotes"},
		{"a: %b\n", LEFT, "an error: an indicator"},
		{"a: @b\n", LEFT, "an error: a reserved one"},
	};

	(void)state;
	check(rows, ARRAY_LEN(rows));
}

static const char sample[] =
	"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    a: \"1\"\n"
	"  name: x\nspec:\n  list:\n  - name: 'a''b'\n    keys:\n    - K\n"
	"    on:\n  - name: c\n    keys: []\n  - - 1\n    - -2.5\n  empty: {}\n";

/* One byte of a file is another one, is missing or is one too many: what is still taken is the same for
 * both readers. */
static void one_byte_off(void **state)
{
	static const char bytes[] = " \n-:#'\"[]{}?&*!|>%@`,a0.~\\\t\r<=";
	char text[sizeof(sample) + 1];
	size_t n = sizeof(sample) - 1, taken = 0;

	(void)state;
	assert_true(yaml_agree(bytes_str(sample)));
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(bytes) - 1; k++) {
			memcpy(text, sample, n);
			text[i] = bytes[k];
			taken += yaml_agree(bytes_of(text, n));
			memmove(text + i + 1, sample + i, n - i);
			taken += yaml_agree(bytes_of(text, n + 1));
		}
		memcpy(text, sample, i);
		memcpy(text + i, sample + i + 1, n - i - 1);
		taken += yaml_agree(bytes_of(text, n - 1));
		taken += yaml_agree(bytes_of(sample, i));
	}
	assert_true(taken > 1000); /* else nothing was compared */
}

/* --- documents that nobody thought of ------------------------------------------------------------ */

#define GENERATED 40000u
#define GENERATED_DEEP 6u

struct generator {
	uint64_t seed;
	bool wild; /* scalars and keys of every kind, columns that are off */
	size_t n;
	char text[6000];
};

static unsigned pick(struct generator *g, size_t n)
{
	g->seed ^= g->seed << 13;
	g->seed ^= g->seed >> 7;
	g->seed ^= g->seed << 17;
	return (unsigned)((g->seed >> 11) % n);
}

static void say(struct generator *g, const char *what)
{
	size_t n = strlen(what);

	if (n < sizeof(g->text) - g->n) {
		memcpy(g->text + g->n, what, n);
		g->n += n;
	}
}

static void say_scalar(struct generator *g)
{
	static const char *const usual[] = {"a", "b c", "1", "-2", "true", "~", "'x'", "\"y\"",
		"[]", "{}", "''", "http://x:1/?a#b", "'it''s'", "1e3", "0x1f", "010", ".5"};
	static const char *const odd[] = {"x: y", "a:", "a #b", "a : b", "- a", "-a", "--- a",
		"...", "-", "?", "? a", "[a]", "{a: b}", "&a b", "*a", "!t a", "|", ">-", "%a",
		"@a", "<<", "a\tb", "\"\\n\"", "\"a", "'a", "'a'b", "'a' #c", "#a", "a]", "}", ",a",
		":a", "  a", "a  ", ".inf", "9223372036854775808", "\xc3\xa4", "1_0", "=", "-.",
		""};

	say(g,
		g->wild && pick(g, 6) == 0 ? odd[pick(g, ARRAY_LEN(odd))]
					   : usual[pick(g, ARRAY_LEN(usual))]);
}

static void say_key(struct generator *g)
{
	static const char *const usual[] = {"a", "b", "c", "d", "'e'", "\"f\"", "1", "b c"};
	static const char *const odd[] = {
		"<<", "'<<'", "a ", "?a", "[a]", "a:b", "''", "a #b", "-", "- -", "*a", "---"};

	say(g,
		g->wild && pick(g, 12) == 0 ? odd[pick(g, ARRAY_LEN(odd))]
					    : usual[pick(g, ARRAY_LEN(usual))]);
}

static void say_end(struct generator *g)
{
	static const char *const odd[] = {
		" \n", " # c\n", "\n\n", "\n# c\n", "\n    # c\n", "\r\n"};

	say(g, g->wild && pick(g, 8) == 0 ? odd[pick(g, ARRAY_LEN(odd))] : "\n");
}

static void say_column(struct generator *g, unsigned column)
{
	if (g->wild && pick(g, 16) == 0) {
		column = pick(g, column + 3);
	}
	for (unsigned i = 0; i < column; i++) {
		say(g, " ");
	}
}

/* Where the text stands already at the column of its first item. */
static void say_collection(struct generator *g, unsigned column, unsigned depth, bool seq)
{
	for (unsigned n = 1 + pick(g, pick(g, 40) == 0 ? 20 : 3), i = 0; i < n; i++) {
		bool deeper = depth < GENERATED_DEEP && pick(g, 3) == 0;
		unsigned further = seq ? 2 : pick(g, 4);

		if (i != 0) {
			say_column(g, column);
		}
		if (seq) {
			say(g, "- ");
		} else {
			say_key(g);
			say(g, deeper || pick(g, 9) == 0 ? ":" : ": ");
		}
		if (!deeper) {
			say_scalar(g);
			say_end(g);
			continue;
		}
		if (!seq) {
			say_end(g);
			say_column(g, column + further);
		}
		say_collection(
			g, column + further, depth + 1, pick(g, 2) == 0 || (!seq && further == 0));
	}
}

static void generated(void **state)
{
	struct generator *g = must_alloc(sizeof(*g));
	size_t taken = 0;

	(void)state;
	for (unsigned i = 1; i <= GENERATED; i++) {
		g->seed = i * UINT64_C(0x9e3779b97f4a7c15);
		g->wild = i % 2 == 0;
		g->n = 0;
		say_collection(g, 0, 0, pick(g, 2) == 0);
		taken += yaml_agree(bytes_of(g->text, g->n));
	}
	free(g);
	assert_true(taken > GENERATED / 4); /* else nothing was compared */
}

static void limits(void **state)
{
	char text[5000];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < YAML_DEPTH_MAX; i++, n += 2) {
		memcpy(text + n, "- ", 2);
	}
	memcpy(text + n, "1\n", 3);
	assert_true(yaml_agree(bytes_str(text))); /* as deep as it may be */
	memcpy(text + n, "- 1\n", 5);
	assert_false(yaml_agree(bytes_str(text)));
	memset(text, 'a', sizeof(text));
	memcpy(text + 1000, ": 1\n", 5);
	assert_true(yaml_agree(bytes_str(text)));
	memset(text, 'a', sizeof(text));
	memcpy(text + 1030, ": 1\n", 5);
	assert_false(yaml_agree(bytes_str(text))); /* libyaml takes no key that long */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(others),
		cmocka_unit_test(one_byte_off),
		cmocka_unit_test(generated),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
