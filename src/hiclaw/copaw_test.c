#include "hiclaw/copaw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct row {
	const char *text;
	const char *model; /* NULL: config.json, with that context window */
	uint64_t context;
	enum config_code code;
	const char *expect; /* NULL: as it was */
	const char *reason;
} rows[] = {
	{"{\n  \"providers\": {\"openai\": {\"n\": 1e6}},\n  \"custom_providers\": {\n    "
	 "\"hiclaw-gateway\": {\n      \"api_key\": \"k\",\n      \"models\": [\n        {\n          "
	 "\"id\": \"a\",\n          \"name\": \"a\"\n        }\n      ]\n    }\n  },\n  \"active_llm\": {\n  "
	 "  \"provider_id\": \"hiclaw-gateway\",\n    \"model\": \"a\"\n  }\n}\n",
		"hiclaw-gateway/b", 0, CONFIG_OK,
		"{\n  \"providers\": {\"openai\": {\"n\": 1e6}},\n  \"custom_providers\": {\n    "
		"\"hiclaw-gateway\": {\n      \"api_key\": \"k\",\n      \"models\": [\n        {\n       "
		"   \"id\": \"a\",\n          \"name\": \"a\"\n        },\n        {\n          \"id\": "
		"\"b\",\n          \"name\": \"b\"\n        }\n      ]\n    }\n  },\n  \"active_llm\": {\n "
		"   \"provider_id\": \"hiclaw-gateway\",\n    \"model\": \"b\"\n  }\n}\n",
		"a new model: listed behind the others, which stay, and active"},
	{"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":[{\"id\":\"b\",\"x\":1}]}},"
	 "\"active_llm\":{\"provider_id\":\"hiclaw-gateway\",\"model\":\"b\"}}",
		"b", 0, CONFIG_OK, NULL, "as it is already"},
	{"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":[{\"id\":\"b\"}]}},\"active_llm\":{"
	 "\"provider_id\":\"openai\",\"model\":\"b\"}}",
		"b", 0, CONFIG_OK,
		"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":[{\"id\":\"b\"}]}},"
		"\"active_llm\":{\"provider_id\":\"hiclaw-gateway\",\"model\":\"b\"}}",
		"a model of that name of another provider is not ours"},
	{"{\"custom_providers\":{\"hiclaw-gateway\":{}}}", "b", 0, CONFIG_OK,
		"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":[{\"id\":\"b\",\"name\":\"b\"}]}},"
		"\"active_llm\":{\"provider_id\":\"hiclaw-gateway\",\"model\":\"b\"}}",
		"no list, nothing active"},
	{"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":null}},\"active_llm\":null}", "b",
		0, CONFIG_OK,
		"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":[{\"id\":\"b\",\"name\":\"b\"}]}},"
		"\"active_llm\":{\"provider_id\":\"hiclaw-gateway\",\"model\":\"b\"}}",
		"null counts as nothing"},
	{"{\"custom_providers\":{}}", "b", 0, CONFIG_INCOMPLETE, NULL,
		"no block: what else it needs is not known"},
	{"{}", "b", 0, CONFIG_INCOMPLETE, NULL, "no custom providers"},
	{"{\"custom_providers\":{\"hiclaw-gateway\":[]}}", "b", 0, CONFIG_NOT_EDITABLE, NULL,
		"a block that is none"},
	{"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":{}}}}", "b", 0, CONFIG_NOT_EDITABLE,
		NULL, "a list that is none"},
	{"{\"custom_providers\":{\"hiclaw-gateway\":{}},\"active_llm\":\"b\"}", "b", 0,
		CONFIG_NOT_EDITABLE, NULL, "an active model of another shape"},
	{"{", "b", 0, CONFIG_NOT_EDITABLE, NULL, "half a file"},
	{"{}", "a b", 0, CONFIG_INVALID, NULL, "no id of a model"},
	/* config.json */
	{"{\n  \"agents\": {\n    \"running\": {\n      \"max_input_length\": 131072,\n      \"x\": 1\n    "
	 "}\n  }\n}\n",
		NULL, 200000, CONFIG_OK,
		"{\n  \"agents\": {\n    \"running\": {\n      \"max_input_length\": 200000,\n      \"x\": "
		"1\n    }\n  }\n}\n",
		"the number alone"},
	{"{\"agents\":{\"running\":{\"max_input_length\":2e5}}}", NULL, 200000, CONFIG_OK, NULL,
		"the same number, whatever its spelling"},
	{"{\"agents\":{\"running\":{\"x\":1}}}", NULL, 1, CONFIG_OK,
		"{\"agents\":{\"running\":{\"x\":1,\"max_input_length\":1}}}", "no number yet"},
	{"{\"agents\":{\"x\":1}}", NULL, 1, CONFIG_OK,
		"{\"agents\":{\"x\":1,\"running\":{\"max_input_length\":1}}}", "nothing running"},
	{"{\"x\":1}", NULL, 1, CONFIG_OK,
		"{\"x\":1,\"agents\":{\"running\":{\"max_input_length\":1}}}", "no agents"},
	{"{\"agents\":{\"running\":7}}", NULL, 1, CONFIG_NOT_EDITABLE, NULL, "running is a number"},
	{"{\"agents\":7}", NULL, 1, CONFIG_NOT_EDITABLE, NULL, "agents are a number"},
	{"{}", NULL, 0, CONFIG_INVALID, NULL, "no tokens at all"},
	{"{}", NULL, 100000001, CONFIG_INVALID, NULL, "too many"},
};

static void texts_are_switched(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct bytes text = bytes_str(r->text);
		struct config_text out = {0};
		struct fault f = {0};
		struct arena a;
		enum config_code code;

		arena_init(&a, CONFIG_ARENA_MAX);
		code = r->model != NULL
			? copaw_switch_providers(&a, text, bytes_str(r->model), &out, &f)
			: copaw_switch_config(&a, text, r->context, &out, &f);
		if (code != r->code ||
			(code != CONFIG_OK ? out.text.p != NULL || f.text[0] == '\0'
					   : out.changed != (r->expect != NULL) ||
						!bytes_eq(out.text,
							r->expect != NULL ? bytes_str(r->expect)
									  : text))) {
			print_message("%s: %s %s\n" BYTES_FMT "\n", r->reason,
				config_code_name(code), f.text, BYTES_ARG(out.text));
			wrong++;
		}
		arena_done(&a);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_switched),
	};

	return cmocka_run_group_tests_name("copaw", tests, NULL, NULL);
}
