#include "console/veil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_rows(void **state)
{
	static const struct {
		const char *in, *out, *why;
	} rows[] = {
		{"{\"name\":\"q\",\"tokens\":[\"sk-0123456789\",\"short\"]}",
			"{\"name\":\"q\",\"tokens\":[\"sk-******789\",\"******\"]}",
			"ends of long ones, nothing of short ones"},
		{"[{\"rawConfigs\":{\"apiTokens\":[\"sk-0123456789\"],\"awsSecretKey\":\"0123456789\","
		 "\"apiUrl\":\"http://h/0123456789\"}}]",
			"[{\"rawConfigs\":{\"apiTokens\":[\"sk-******789\"],\"awsSecretKey\":\"012******789\","
			"\"apiUrl\":\"http://h/0123456789\"}}]",
			"however deep, and nothing else"},
		{"{\"credentials\":[{\"key\":\"x-api-key-name\",\"values\":[\"${secret.a.b}\",\"\",\"0123456789\"]}]}",
			"{\"credentials\":[{\"key\":\"x-api-key-name\",\"values\":[\"${secret.a.b}\",\"\",\"012******789\"]}]}",
			"references and empty texts are no secrets, nor is a header's name"},
		{"{\"tokens\":null,\"values\":{\"deep\":\"0123456789\"}}",
			"{\"tokens\":null,\"values\":{\"deep\":\"0123456789\"}}",
			"a map below has names of its own"},
		{"\"0123456789\"", "\"0123456789\"", "a text alone"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json_writer w;
		struct arena a;
		struct fault f;
		struct text t;
		struct doc *d;

		arena_init(&a, 1 << 20);
		text_init(&t, 4096);
		d = doc_of_json(&a, json_parse(&a, bytes_str(rows[i].in), &f));
		veil_secrets(&a, d);
		json_writer_init(&w, &t);
		doc_put_json(&a, &w, d);
		text_add_char(&t, '\0');
		if (strcmp(t.p, rows[i].out) != 0) {
			fail_msg("%s: %s", rows[i].why, t.p);
		}
		text_done(&t);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
