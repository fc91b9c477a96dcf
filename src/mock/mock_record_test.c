#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "mock/mock_record.h"

static const char head_bytes[] = "x-a: 1\r\nX-B: \"two\"\r\nx-a: 3";
static const struct field fields[] = {
	{.name = 0, .name_n = 3, .value = 5, .value_n = 1},
	{.name = 8, .name_n = 3, .value = 13, .value_n = 5},
	{.name = 20, .name_n = 3, .value = 25, .value_n = 1},
};
static const struct head head = {
	.base = head_bytes,
	.method = {"POST", 4},
	.target = {"/v1/x?y=\"z\"", 11},
	.n_fields = ARRAY_LEN(fields),
	.fields = fields,
};

struct world {
	struct segpool pool;
	struct mock_record *record;
	struct chain body;
};

static void world_init(struct world *w, const char *body, size_t n)
{
	segpool_init(&w->pool, 64u << 20);
	w->record = mock_record_new();
	w->body = (struct chain){NULL, NULL, 0};
	assert_true(chain_add(&w->pool, &w->body, body, n));
}

static void world_done(struct world *w)
{
	mock_record_free(w->record);
	chain_give(&w->pool, &w->body);
	segpool_done(&w->pool);
}

static json_t *print(struct world *w, uint64_t last, bool bodies)
{
	struct text t;
	json_t *j;

	text_init(&t, 1u << 30);
	mock_record_print(w->record, last, bodies, &t);
	j = json_loads(text_cstr(&t), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	text_done(&t);
	return j;
}

static const char *string(json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

static void test_one(void **state)
{
	struct world w;
	json_t *all, *j, *second;

	(void)state;
	world_init(&w, "abc", 3);
	mock_record_add(w.record, 1, &head, &w.body);
	all = print(&w, 10, true);
	assert_int_equal(json_array_size(all), 1);
	j = json_array_get(all, 0);
	assert_string_equal(string(j, "method"), "POST");
	assert_string_equal(string(j, "path"), "/v1/x?y=\"z\"");
	assert_string_equal(string(j, "body"), "abc");
	assert_string_equal(string(j, "ended"), "open");
	assert_true(json_is_null(json_object_get(j, "end")));
	assert_int_equal(json_integer_value(json_object_get(j, "body_length")), 3);
	/* FIPS 180-2, appendix B.1 */
	assert_string_equal(string(j, "sha256"),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* As received: order, case and repetition. */
	second = json_array_get(json_object_get(j, "headers"), 1);
	assert_int_equal(json_array_size(json_object_get(j, "headers")), 3);
	assert_string_equal(json_string_value(json_array_get(second, 0)), "X-B");
	assert_string_equal(json_string_value(json_array_get(second, 1)), "\"two\"");
	json_decref(all);

	mock_record_get(w.record, 1)->end = MOCK_END_CLIENT_GONE;
	mock_record_get(w.record, 1)->end_ms = 1234;
	all = print(&w, 10, false);
	j = json_array_get(all, 0);
	assert_string_equal(string(j, "ended"), "client-gone");
	assert_int_equal(json_integer_value(json_object_get(j, "end")), 1234);
	assert_null(json_object_get(j, "body"));
	json_decref(all);
	world_done(&w);
}

static uint64_t seq_at(json_t *all, size_t i)
{
	return (uint64_t)json_integer_value(json_object_get(json_array_get(all, i), "seq"));
}

static void test_ring(void **state)
{
	struct world w;
	json_t *all;

	(void)state;
	world_init(&w, "abc", 3);
	for (uint64_t i = 1; i <= MOCK_RECORD_MAX + 5; i++) {
		mock_record_add(w.record, i, &head, &w.body);
	}
	assert_null(mock_record_get(w.record, 0));
	assert_null(mock_record_get(w.record, 5));
	assert_non_null(mock_record_get(w.record, 6));
	assert_null(mock_record_get(w.record, MOCK_RECORD_MAX + 6));
	all = print(&w, UINT64_MAX, false);
	assert_int_equal(json_array_size(all), MOCK_RECORD_MAX);
	assert_int_equal(seq_at(all, 0), 6);
	json_decref(all);
	all = print(&w, 2, true);
	assert_int_equal(json_array_size(all), 2);
	assert_int_equal(seq_at(all, 0), MOCK_RECORD_MAX + 4);
	json_decref(all);
	all = print(&w, 0, true);
	assert_int_equal(json_array_size(all), 0);
	json_decref(all);

	mock_record_clear(w.record);
	assert_null(mock_record_get(w.record, 6));
	mock_record_add(w.record, MOCK_RECORD_MAX + 6, &head, &w.body);
	all = print(&w, 10, true);
	assert_int_equal(json_array_size(all), 1);
	json_decref(all);
	world_done(&w);
}

/* Long bodies are kept in part; many of them push the oldest out, their hashes stay. */
static void test_bodies(void **state)
{
	const uint64_t n = MOCK_RECORD_BODIES_MAX / MOCK_RECORD_BODY_MAX + 10;
	size_t size = MOCK_RECORD_BODY_MAX + 1000;
	char *body = must_alloc(size);
	struct world w;

	(void)state;
	memset(body, 'b', size);
	world_init(&w, body, size);
	for (uint64_t i = 1; i <= n; i++) {
		mock_record_add(w.record, i, &head, &w.body);
	}
	assert_null(mock_record_get(w.record, 1)->body);
	assert_null(mock_record_get(w.record, 10)->body);
	assert_non_null(mock_record_get(w.record, 11)->body);
	assert_int_equal(mock_record_get(w.record, n)->body_kept, MOCK_RECORD_BODY_MAX);
	assert_int_equal(mock_record_get(w.record, n)->body_n, size);
	assert_string_equal(
		mock_record_get(w.record, 1)->sha256, mock_record_get(w.record, n)->sha256);
	world_done(&w);
	free(body);
}

static void test_echo(void **state)
{
	struct world w;
	struct text t;
	json_t *j;

	(void)state;
	world_init(&w, "abc", 3);
	mock_record_add(w.record, 1, &head, &w.body);
	text_init(&t, 4096);
	mock_record_echo(mock_record_get(w.record, 1), &t);
	j = json_loads(text_cstr(&t), JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(string(j, "path"), "/v1/x?y=\"z\"");
	json_decref(j);
	text_done(&t);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_echo),
	};

	return cmocka_run_group_tests_name("mock_record", tests, NULL, NULL);
}
