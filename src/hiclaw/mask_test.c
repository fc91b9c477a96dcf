#include "hiclaw/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct doc *read_doc(struct arena *a, const char *json)
{
	return doc_of_json(a, json_parse(a, bytes_str(json), NULL));
}

static void expect(struct arena *a, const struct doc *d, const char *want, const char *reason)
{
	struct json_writer w;
	struct text t;

	text_init(&t, 65536);
	json_writer_init(&w, &t);
	doc_put_json(a, &w, d);
	if (!bytes_eq(text_bytes(&t), bytes_str(want))) {
		fail_msg("%s: %s", reason, text_cstr(&t));
	}
	text_done(&t);
}

static const struct row {
	const char *clear, *masked, *stripped, *reason;
} rows[] = {
	{"{\"tokens\":[\"sk-1234567890\",\"short\",\"123456789\"]}",
		"{\"tokens\":[\"sk-******890\",\"******\",\"******\"]}", "{}",
		"M-38: more than nine characters show their ends"},
	{"{\"rawConfigs\":{\"apiTokens\":[\"sk-1234567890\"],\"awsSecretKey\":\"0123456789a\",\"type\":\"qwen\"}}",
		"{\"rawConfigs\":{\"apiTokens\":[\"sk-******890\"],\"awsSecretKey\":\"012******89a\",\"type\":\"qwen\"}}",
		"{\"rawConfigs\":{\"type\":\"qwen\"}}", "names that say it"},
	{"{\"tokenFailoverConfig\":{\"enabled\":false,\"healthCheckModel\":\"qwen-turbo-latest\"}}",
		"{\"tokenFailoverConfig\":{\"enabled\":false,\"healthCheckModel\":\"qwen-turbo-latest\"}}",
		"{\"tokenFailoverConfig\":{\"enabled\":false,\"healthCheckModel\":\"qwen-turbo-latest\"}}",
		"a setting about tokens holds none"},
	{"{\"credentials\":[{\"type\":\"key-auth\",\"source\":\"BEARER\",\"key\":\"x-api-key\",\"values\":[\"abcdefghijkl\"]}]}",
		"{\"credentials\":[{\"type\":\"key-auth\",\"source\":\"BEARER\",\"key\":\"x-api-key\",\"values\":[\"abc******jkl\"]}]}",
		"{\"credentials\":[{\"type\":\"key-auth\",\"source\":\"BEARER\",\"key\":\"x-api-key\"}]}",
		"a consumer: where its key stands is no secret"},
	{"{\"name\":\"c\",\"key\":\"-----BEGIN PRIVATE KEY-----\",\"cert\":\"-----BEGIN CERTIFICATE-----\"}",
		"{\"name\":\"c\",\"key\":\"---******---\",\"cert\":\"-----BEGIN CERTIFICATE-----\"}",
		"{\"name\":\"c\",\"cert\":\"-----BEGIN CERTIFICATE-----\"}", "a certificate"},
	{"{\"token\":\"\",\"password\":null}", "{\"token\":\"\",\"password\":null}",
		"{\"password\":null}", "nothing to hide"},
};

static void test_masks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct doc *d, *shown;

		arena_init(&a, 1 << 20);
		d = read_doc(&a, rows[i].clear);
		shown = mask_object(&a, d);
		expect(&a, shown, rows[i].masked, rows[i].reason);
		expect(&a, mask_strip(&a, d), rows[i].stripped, rows[i].reason);
		expect(&a, d, rows[i].clear, "the object itself stays as it is");
		mask_restore(&a, shown, d);
		if (strstr(rows[i].masked, "\"******\"") == NULL) {
			expect(&a, shown, rows[i].clear,
				"what comes back as it was shown is unchanged");
		}
		arena_done(&a);
	}
}

static const struct back_row {
	const char *given, *stored, *want, *reason;
} backs[] = {
	{"{\"tokens\":[\"sk-******890\",\"new-token-1\"]}",
		"{\"tokens\":[\"old-token-00\",\"sk-1234567890\"]}",
		"{\"tokens\":[\"sk-1234567890\",\"new-token-1\"]}", "M-82: a token that moved up"},
	{"{\"tokens\":[\"******\"]}", "{\"tokens\":[\"short\"]}", "{\"tokens\":[\"short\"]}",
		"a short one"},
	{"{\"tokens\":[\"sk-******891\"]}", "{\"tokens\":[\"sk-1234567890\"]}",
		"{\"tokens\":[\"sk-******891\"]}",
		"a mask of nothing that is stored is a text like any other"},
	{"{\"rawConfigs\":{\"type\":\"******\"}}", "{\"rawConfigs\":{\"type\":\"qwen\"}}",
		"{\"rawConfigs\":{\"type\":\"******\"}}",
		"what is no secret is never taken for a mask"},
};

static void test_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(backs); i++) {
		struct arena a;
		struct doc *given;

		arena_init(&a, 1 << 20);
		given = read_doc(&a, backs[i].given);
		mask_restore(&a, given, read_doc(&a, backs[i].stored));
		expect(&a, given, backs[i].want, backs[i].reason);
		arena_done(&a);
	}
}

static const struct forget_row {
	const char *given, *want, *reason;
} forgets[] = {
	{"{\"tokens\":[\"sk-******890\",\"******\"],\"type\":\"qwen\"}", "{\"type\":\"qwen\"}",
		"masks alone: the list goes"},
	{"{\"tokens\":[\"sk-******890\",\"sk-1234567890\"]}", "{\"tokens\":[\"sk-1234567890\"]}",
		"a secret beside one"},
	{"{\"credentials\":[{\"key\":\"x-api-key\",\"values\":[\"abc******jkl\"]}]}",
		"{\"credentials\":[{\"key\":\"x-api-key\"}]}", "a consumer's key would be known"},
	{"{\"name\":\"c\",\"key\":\"---******---\"}", "{\"name\":\"c\"}", "a private key"},
	{"{\"type\":\"abc******jkl\",\"password\":\"abc*******jkl\"}",
		"{\"type\":\"abc******jkl\",\"password\":\"abc*******jkl\"}",
		"neither a secret nor a mask"},
	{"{\"apiKey\":{\"tokens\":[\"******\"],\"a\":1}}", "{\"apiKey\":{\"a\":1}}",
		"a map below a secret's name has names of its own"},
};

static void test_forgets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forgets); i++) {
		struct arena a;
		struct doc *given;

		arena_init(&a, 1 << 20);
		given = read_doc(&a, forgets[i].given);
		mask_forget(&a, given);
		expect(&a, given, forgets[i].want, forgets[i].reason);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
