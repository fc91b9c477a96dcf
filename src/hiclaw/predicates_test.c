#include "hiclaw/predicates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* "PRE qwen,EQUAL x" */
static void put_list(struct arena *a, const struct doc *list, struct text *out)
{
	for (const struct doc *p = doc_first(a, list); p != NULL; p = p->next) {
		text_addf(out, "%s" BYTES_FMT " " BYTES_FMT, out->n > 0 ? "," : "",
			BYTES_ARG(doc_peek(p, "matchType", BYTES("?"))),
			BYTES_ARG(doc_peek(p, "matchValue", BYTES("?"))));
	}
}

static struct doc *read_list(struct arena *a, const char *json)
{
	return doc_of_json(a, json_parse(a, bytes_str(json), NULL));
}

static void new_lists(void **state)
{
	static const struct {
		const char *provider, *type, *other, *expect, *reason;
	} rows[] = {
		{"qwen", "qwen", "", "PRE qwen", "the name is the prefix: exactly the README's"},
		{"minimax", "minimax", "", "PRE minimax,PRE MiniMax",
			"MiniMax-M2.7 begins with a capital"},
		{"glm-cn", "zhipu", "", "PRE glm-cn,PRE glm", "an alias of the type"},
		{"m", "kimi", "", "PRE m,PRE kimi", "the name covers moonshot already"},
		{"mine", "custom", "", "PRE mine,PRE gpt-,PRE o1,PRE o3,PRE o4",
			"custom is openai by another name"},
		{"gpt", "openai", "", "PRE gpt,PRE o1,PRE o3,PRE o4", "gpt covers gpt-"},
		{"hub", "openrouter", "", "PRE hub", "an aggregator serves everybody's models"},
		{"q2", "qwen", "qwen", "PRE q2", "another route claims qwen"},
		{"q2", "qwen", "qw", "PRE q2,PRE qwen",
			"a shorter prefix elsewhere is no claim: the longer one wins"},
		{"qwen", "openai", "qwen", "PRE qwen,PRE gpt-,PRE o1,PRE o3,PRE o4",
			"the name is always there: an empty list would take every model"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct text t;
		struct doc *other;

		arena_init(&a, 100000);
		text_init(&t, 1000);
		other = doc_list(&a);
		predicates_add_prefix(&a, other, bytes_str(rows[i].other));
		put_list(&a,
			predicates_new(&a, bytes_str(rows[i].provider), bytes_str(rows[i].type),
				(const struct doc *const *)&other, rows[i].other[0] != '\0'),
			&t);
		if (strcmp(text_cstr(&t), rows[i].expect) != 0) {
			fail_msg("%s: %s", rows[i].reason, text_cstr(&t));
		}
		text_done(&t);
		arena_done(&a);
	}
}

static void ranks(void **state)
{
	static const struct {
		const char *json, *model;
		size_t expect;
		const char *reason;
	} rows[] = {
		{"[]", "x", PREDICATES_NONE, "no conditions"},
		{"[{\"matchType\":\"PRE\",\"matchValue\":\"minimax\"}]", "MiniMax-M2.7",
			PREDICATES_NONE, "case counts"},
		{"[{\"matchType\":\"PRE\",\"matchValue\":\"q\"},"
		 "{\"matchType\":\"pre\",\"matchValue\":\"qwen\"}]",
			"qwen3", 5, "the longest prefix, in any spelling of the type"},
		{"[{\"matchType\":\"PRE\",\"matchValue\":\"qwen\"},"
		 "{\"matchType\":\"EQUAL\",\"matchValue\":\"qwen3\"}]",
			"qwen3", PREDICATES_EQUAL, "the whole name is closest"},
		{"[{\"matchType\":\"EQUAL\",\"matchValue\":\"qwen\"}]", "qwen3", PREDICATES_NONE,
			"a name is no prefix"},
		{"[{\"matchType\":\"REGULAR\",\"matchValue\":\"q.*\"},7,{}]", "qwen3",
			PREDICATES_NONE, "what no route can have"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;

		arena_init(&a, 100000);
		if (predicates_rank(&a, read_list(&a, rows[i].json), bytes_str(rows[i].model)) !=
			rows[i].expect) {
			fail_msg("%s", rows[i].reason);
		}
		arena_done(&a);
	}
}

static void prefixes_on_demand(void **state)
{
	static const struct {
		const char *type, *model, *expect;
	} rows[] = {
		{"qwen", "qwq-32b", "qwq"},
		{"qwen", "text-embedding-v4", "text-embedding-v"},
		{"openai", "text-embedding-3-small", "text-embedding-3"},
		{"openai", "chatgpt-4o-latest", "chatgpt-"},
		{"zhipuai", "zhipu-x", "zhipu"},
		{"minimax", "abab6.5s-chat", "abab"},
		{"mistral", "codestral-2508", "codestral"},
		{"gemini", "gemma-3", "gemma"},
		{"claude", "gpt-5.4", ""},
		{"groq", "llama", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(bytes_eq(
			predicates_prefix_of(bytes_str(rows[i].type), bytes_str(rows[i].model)),
			bytes_str(rows[i].expect)));
	}
}

static void lists_are_edited(void **state)
{
	struct arena a;
	struct text t;
	struct doc *list;

	(void)state;
	arena_init(&a, 100000);
	text_init(&t, 1000);
	list = doc_list(&a);
	predicates_add_prefix(&a, list, BYTES("qwen"));
	predicates_add_prefix(&a, list, BYTES("qwen3"));
	predicates_add_model(&a, list, BYTES("qwen-max"));
	predicates_add_model(&a, list, BYTES("qwen-max"));
	put_list(&a, list, &t);
	assert_string_equal(text_cstr(&t), "PRE qwen,EQUAL qwen-max");
	assert_true(predicates_claim(&a, list, BYTES("qwen")));
	assert_false(predicates_claim(&a, list, BYTES("qwen-max")));
	assert_true(predicates_drop_model(&a, list, BYTES("qwen-max")));
	assert_false(predicates_drop_model(&a, list, BYTES("qwen")));
	text_clear(&t);
	put_list(&a, list, &t);
	assert_string_equal(text_cstr(&t), "PRE qwen");
	text_done(&t);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_lists),
		cmocka_unit_test(ranks),
		cmocka_unit_test(prefixes_on_demand),
		cmocka_unit_test(lists_are_edited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
