/* Usage out of what vendors send: names differ, the numbers must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ai/usage_read.h"

struct row {
	const char *why, *text;
	bool known;
	uint64_t input, output, total, cached, reasoning;
	bool moonshot;
};

static const struct row rows[] = {
	{"chat completion",
		"{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}",
		true, 3, 4, 7, 0, 0, false},
	{"no total: the sum", "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}", true, 3,
		4, 7, 0, 0, false},
	{"details",
		"{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13,"
		"\"prompt_tokens_details\":{\"cached_tokens\":5},"
		"\"completion_tokens_details\":{\"reasoning_tokens\":2}}}",
		true, 9, 4, 13, 5, 2, false},
	{"responses API", "{\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}}",
		true, 1, 2, 3, 0, 0, false},
	{"an event of the responses API",
		"{\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":1,"
		"\"output_tokens\":2,\"total_tokens\":3}}}",
		true, 1, 2, 3, 0, 0, false},
	{"Anthropic: the cache is part of the total",
		"{\"usage\":{\"input_tokens\":2,\"output_tokens\":3,\"cache_read_input_tokens\":5}}",
		true, 2, 3, 10, 0, 0, false},
	{"null is not zero", "{\"usage\":null}", false, 0, 0, 0, 0, 0, false},
	{"the word inside a text is no usage",
		"{\"content\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":9}\"}", false, 0, 0, 0, 0, 0,
		false},
	{"moonshot keeps it in the choice",
		"{\"choices\":[{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}]}",
		true, 1, 2, 3, 0, 0, true},
	{"which is not believed of others",
		"{\"choices\":[{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}]}", false,
		0, 0, 0, 0, 0, false},
	{"a negative number says nothing", "{\"usage\":{\"prompt_tokens\":-1}}", false, 0, 0, 0, 0,
		0, false},
	{"totals saturate",
		"{\"usage\":{\"prompt_tokens\":18446744073709551615,\"completion_tokens\":9}}",
		true, UINT64_MAX, 9, UINT64_MAX, 0, 0, false},
};

static struct usage read_text(
	const struct json_query *q, const char *text, bool moonshot, struct usage u)
{
	struct usage_reading r = {.seen = 0};
	struct json_hit room[40];
	struct json_hits hits;

	json_hits_init(&hits, room, ARRAY_LEN(room), 100);
	assert_int_equal(json_scan_all(q, bytes_str(text), &hits, NULL), 0);
	for (size_t i = 0; i < hits.n; i++) {
		usage_take(&r, &hits.v[i],
			bytes_of(text + hits.v[i].beg, (size_t)(hits.v[i].end - hits.v[i].beg)));
	}
	usage_merge(&u, &r, moonshot);
	json_hits_done(&hits);
	return u;
}

static void test_rows(void **state)
{
	struct json_query *q = usage_query();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct usage u = read_text(q, r->text, r->moonshot, (struct usage){.known = false});

		if (u.known != r->known ||
			(u.known &&
				(u.input != r->input || u.output != r->output ||
					u.total != r->total || u.cached != r->cached ||
					u.reasoning != r->reasoning))) {
			fail_msg("%s: got %d %llu %llu %llu %llu %llu", r->why, u.known,
				(unsigned long long)u.input, (unsigned long long)u.output,
				(unsigned long long)u.total, (unsigned long long)u.cached,
				(unsigned long long)u.reasoning);
		}
	}
	json_query_free(q);
}

/* Anthropic's stream: input at the start, output at the end; the last value given wins. */
static void test_cumulative(void **state)
{
	struct json_query *q = usage_query();
	struct usage u = {.known = false};

	(void)state;
	u = read_text(
		q, "{\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}", false, u);
	u = read_text(q, "{\"usage\":{\"output_tokens\":7}}", false, u);
	assert_true(u.known);
	assert_int_equal(u.input, 10);
	assert_int_equal(u.output, 7);
	assert_int_equal(u.total, 17);
	u = read_text(q, "{\"usage\":null}", false, u);
	assert_int_equal(u.output, 7);
	json_query_free(q);
}

/* What the start says of the cache counts to the end, which says it again or does not. */
static void test_cache_at_the_start(void **state)
{
	struct json_query *q = usage_query();
	struct usage u = {.known = false};

	(void)state;
	u = read_text(q,
		"{\"message\":{\"usage\":{\"input_tokens\":10,\"output_tokens\":1,"
		"\"cache_read_input_tokens\":100,\"cache_creation_input_tokens\":20}}}",
		false, u);
	assert_int_equal(u.total, 131);
	u = read_text(q, "{\"usage\":{\"output_tokens\":7}}", false, u);
	assert_int_equal(u.total, 137);
	u = read_text(
		q, "{\"usage\":{\"output_tokens\":7,\"cache_read_input_tokens\":100}}", false, u);
	assert_int_equal(u.total, 137);
	json_query_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cumulative),
		cmocka_unit_test(test_cache_at_the_start),
	};

	return cmocka_run_group_tests_name("usage_read", tests, NULL, NULL);
}
