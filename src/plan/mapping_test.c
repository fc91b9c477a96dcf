#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plan/provider.h"
#include "plan/world.h"

/* The mapping of a YAML text, and how compiling it went. */
static int compile(struct world *w, const char *yaml, struct mapping *out)
{
	char file[4096];
	struct object *o;

	snprintf(file, sizeof(file), WORLD_PLUGIN("model-mapper", "  defaultConfig:\n    m: %s\n"),
		yaml);
	o = world_add(w, "wasmplugins/model-mapper.internal.yaml", file);
	return mapping_compile(
		out, yaml_get(o->u.wasmplugin.config, "m"), o, &w->arena, &w->findings);
}

struct row {
	const char *id, *mapping, *model, *sent, *reason;
};

static const struct row rows[] = {
	{"G026a", "{gpt-4: a, gpt-*: b, '*': c}", "gpt-4", "a", "exact first"},
	{"G026b", "{gpt-4: a, gpt-*: b, '*': c}", "gpt-4o", "b", "then the prefix"},
	{"G026c", "{gpt-4: a, gpt-*: b, '*': c}", "z", "c", "then the default"},
	{"G027", "{gpt-4: '', '*': c}", "gpt-4", "gpt-4", "an empty target keeps and ends"},
	{"G030", "{gpt-*: a, gpt-4*: b}", "gpt-4o", "b", "the longest prefix"},
	{"G124", "{qwen-*: a, qwen-max*: b, '*': c}", "qwen-max-1", "b", "the longest prefix"},
	{"G125", "{qwen-*: a, qwen-max*: b, '*': c}", "gpt", "c", "the default"},
	{"G126", "{qwen-max: b, qwen-*: a}", "qwen-max", "b", "exact before prefix"},
	{"prefix-self", "{qwen-*: a}", "qwen-", "a", "a prefix matches itself"},
	{"prefix-short", "{qwen-*: a}", "qwen", "qwen", "but nothing shorter"},
	{"case", "{GPT: a}", "gpt", "gpt", "case counts"},
	{"none", "{}", "gpt", "gpt", "nothing maps nothing"},
	{"null", "~", "gpt", "gpt", "no mapping at all"},
	{"null-target", "{gpt: ~, '*': c}", "gpt", "gpt", "null is an empty target"},
	{"absent", "{'*': c}", "", "c", "a request without model gets the default"},
	{"absent-none", "{g*: a, '': b}", "", "", "else it stays without"},
	{"absent-empty", "{'*': ''}", "", "", "no empty model is invented"},
	{"prefix-keeps", "{g*: '', '*': c}", "gpt", "gpt", "an empty prefix target ends too"},
	{"star-inside", "{'a*b': x}", "a*b", "x", "a star inside is a character"},
	{"number", "{4: 5}", "4", "5", "text of a number"},
	{"G028a", "{'~gpt(.*)': 'openai/gpt$1'}", "gpt-4o", "openai/gpt-4o", "a group is kept"},
	{"G028b", "{'~gpt(.*)': 'openai/gpt$1'}", "my-gpt-4o", "my-openai/gpt-4o",
		"what is not matched stays"},
	{"G029", "{'~^gpt-.*': x}", "gpt-4o", "x", "a star at the end of an expression is its own"},
	{"G031", "{'~m-(\\d)': v$1_x}", "m-3", "v3_x", "$n takes digits only"},
	{"regex-braces", "{'~^(a+)(?<rest>.*)': '${rest}-${1}$$'}", "aab", "b-aa$",
		"groups by number and by name, and a dollar"},
	{"regex-dollar", "{'~a$': 'b$ $'}", "xa", "xb$ $", "other dollars stand for themselves"},
	{"regex-all", "{'~\\.': '-'}", "a.b.c", "a-b-c", "every match is replaced"},
	{"regex-empty", "{'~x*': '-'}", "axb", "-a-b-", "empty matches end"},
	{"regex-order", "{'~b': '1', '~a': '2', '~c': '3'}", "cab", "ca1",
		"the first expression of the file that matches"},
	{"regex-late", "{'~a': x, 'ab*': y}", "abc", "y", "a prefix goes before"},
	{"regex-early", "{'~a': x, '*': y}", "abc", "xbc", "and the default behind"},
	{"regex-keeps", "{'~a': '', '*': y}", "abc", "abc", "an empty target keeps and ends"},
	{"regex-absent", "{'~.*': x}", "", "", "what is not there matches nothing"},
	{"regex-slow", "{'~(a+)+b': x, '*': y}",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", "y",
		"one that would take for ever does not match"},
};

static void models_are_mapped(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mapping m;
		struct world w;
		struct bytes sent;

		world_init(&w);
		assert_int_equal(compile(&w, rows[i].mapping, &m), 0);
		sent = mapping_apply(&m, bytes_str(rows[i].model), &w.arena);
		if (!bytes_eq(sent, bytes_str(rows[i].sent))) {
			fail_msg("%s: %s: got " BYTES_FMT, rows[i].id, rows[i].reason,
				BYTES_ARG(sent));
		}
		world_done(&w);
	}
}

static const struct {
	const char *mapping, *code, *reason;
} refused[] = {
	{"[a, b]", "map-expected", "a list is no mapping"},
	{"text", "map-expected", "nor is a text"},
	{"{'~gpt(': x}", "bad-regex", "no expression: refused when it is read, not at a request"},
	{"{'~gpt(.*)': $2}", "bad-regex", "a group that is not there"},
	{"{'~gpt(.*)': '${rest}'}", "bad-regex", "a name of a group that is not there"},
	{"{a: [b]}", "string-expected", "a list is no model"},
};

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct mapping m = {.n_exact = 77};
		struct world w;

		world_init(&w);
		if (compile(&w, refused[i].mapping, &m) == 0 || w.findings.errors == 0 ||
			world_finding(&w.findings, refused[i].code) == NULL) {
			fail_msg("%s: %s", refused[i].mapping, refused[i].reason);
		}
		assert_int_equal(m.n_exact, 77); /* untouched */
		world_done(&w);
	}
}

/* Many entries: what is found does not depend on their order in the file. */
static void order_does_not_matter(void **state)
{
	struct text t;
	struct mapping m;
	struct world w;

	(void)state;
	for (int reverse = 0; reverse < 2; reverse++) {
		text_init(&t, 1 << 20);
		text_add_str(&t, "{");
		for (int i = 0; i < 60; i++) {
			int k = reverse ? 59 - i : i;

			text_addf(&t, "'%.*s*': p%d, 'm%d': e%d, ", k + 1,
				"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", k,
				k, k);
		}
		text_add_str(&t, "'*': d}");
		world_init(&w);
		assert_int_equal(compile(&w, text_cstr(&t), &m), 0);
		assert_true(bytes_eq(mapping_apply(&m, BYTES("xxxxy"), &w.arena), BYTES("p3")));
		assert_true(bytes_eq(mapping_apply(&m, BYTES("m42"), &w.arena), BYTES("e42")));
		assert_true(bytes_eq(mapping_apply(&m, BYTES("m60"), &w.arena), BYTES("d")));
		world_done(&w);
		text_done(&t);
	}
}

/* A name that somebody wrote is known; what only meets a pattern is the client's. */
static void test_known(void **state)
{
	static const struct {
		const char *model;
		bool known;
		const char *reason;
	} known[] = {
		{"gpt-4", true, "it is mapped"},
		{"a", true, "it is a target"},
		{"b", true, "the target of a prefix"},
		{"c", true, "the target of all others"},
		{"kept", true, "it is mapped to itself"},
		{"gpt-", false, "a prefix is no name"},
		{"gpt-4o", false, "it meets a prefix only"},
		{"z", false, "it meets the default only"},
		{"", false, "no model: not the empty target either"},
	};
	struct world w;
	struct mapping m;

	(void)state;
	world_init(&w);
	assert_int_equal(compile(&w, "{gpt-4: a, gpt-*: b, kept: \"\", '*': c}", &m), 0);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (mapping_knows(&m, bytes_str(known[i].model)) != known[i].known) {
			fail_msg("'%s': %s", known[i].model, known[i].reason);
		}
	}
	assert_int_equal(compile(&w, "{}", &m), 0);
	assert_false(mapping_knows(&m, BYTES("a")));
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(models_are_mapped),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(order_does_not_matter),
	};

	return cmocka_run_group_tests_name("plan/mapping", tests, NULL, NULL);
}
