/* What is sent in a consumer's name, of what a Console shows. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hiclaw/consumer_key.h"
#include "wire/json.h"

#define ONE(source, key, value)                                           \
	"{\"type\":\"key-auth\",\"source\":\"" source "\",\"key\":\"" key \
	"\",\"values\":[\"" value "\"]}"
#define OF(list) "{\"name\":\"manager\",\"credentials\":[" list "]}"

static const struct {
	const char *consumer, *sent, *reason;
} rows[] = {
	{OF(ONE("BEARER", "", "k1")), "Authorization: Bearer k1", "as HiClaw makes it"},
	{OF(ONE("HEADER", "x-api-key", "k1")), "x-api-key: k1", "a field of its own"},
	{OF(ONE("BEARER", "", "mgr******ef") "," ONE("HEADER", "x-key", "k2")), "x-key: k2",
		"a masked one is none"},
	{OF(ONE("QUERY", "key", "k1")), NULL, "one of the query is in no field"},
	{OF(ONE("BEARER", "", "k1\\r\\nX-Role: admin")), NULL, "a line break would be a field"},
	{OF(ONE("HEADER", "x-key", "k1\\nHost: b")), NULL, "the same of a field of its own"},
	{OF(ONE("HEADER", "x-key: a\\r\\nb", "k1")), NULL, "nor is that a name"},
	{OF(ONE("HEADER", "", "k1")), NULL, "nor no name"},
	{OF(ONE("HEADER", "content-LENGTH", "0")), NULL, "how long a body is is not for a key"},
	{OF(ONE("HEADER", "Transfer-Encoding", "chunked")), NULL, "nor how it is sent"},
	{OF(ONE("HEADER", "host", "b")), NULL, "nor to whom"},
	{OF(ONE("BEARER", "", "")), NULL, "an empty one"},
	{OF("{\"source\":\"BEARER\",\"values\":\"k1\"}"), NULL, "no list of values"},
	{OF("7,null,[]"), NULL, "no credentials"},
	{OF(""), NULL, "none"},
	{"{\"name\":\"manager\",\"credentials\":null}", NULL, "none at all"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct consumer_key k;
		struct arena a;
		char sent[256] = "";
		bool found;

		arena_init(&a, 1 << 16);
		found = consumer_key_of(
			&a, doc_of_json(&a, json_parse(&a, bytes_str(rows[i].consumer), NULL)), &k);
		if (found) {
			snprintf(sent, sizeof(sent), BYTES_FMT ": " BYTES_FMT, BYTES_ARG(k.field),
				BYTES_ARG(k.value));
			assert_non_null(memmem(k.value.p, k.value.n, k.secret.p, k.secret.n));
		}
		if (strcmp(sent, rows[i].sent != NULL ? rows[i].sent : "") != 0) {
			fail_msg("%s: %s", rows[i].reason, sent);
		}
		arena_done(&a);
	}
}

static void test_own_key(void **state)
{
	struct consumer_key k;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 16);
	assert_true(consumer_key_bearer(&a, BYTES("key"), &k));
	assert_string_equal(k.value.p, "Bearer key");
	assert_false(consumer_key_bearer(&a, BYTES("key\r\nx: y"), &k));
	assert_false(consumer_key_bearer(&a, BYTES(""), &k));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_own_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
