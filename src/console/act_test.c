/* Finding endpoints, pages, envelopes: the quirks of the Console's HTTP, without connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "console/act.h"
#include "console/audit.h"

static void nothing(struct act *a)
{
	(void)a;
}

static const struct act_endpoint rows_of_table[] = {
	{.method = "GET", .path = "/v1/things", .fn = nothing},
	{.method = "POST", .path = "/v1/things", .fn = nothing},
	{.method = "GET", .path = "/v1/things/special", .fn = nothing},
	{.method = "GET", .path = "/v1/things/{name}", .fn = nothing},
	{.method = "PUT", .path = "/v1/things/{name}", .fn = nothing},
	{.method = "DELETE", .path = "/v1/things/{name}", .fn = nothing},
	{.method = "GET", .path = "/v1/things/{name}/parts/{part}", .fn = nothing},
};
static const struct act_endpoints table = {rows_of_table, ARRAY_LEN(rows_of_table)};

static void test_find(void **state)
{
	static const struct {
		const char *method, *path;
		int row; /* -1: no path, -2: no method */
		const char *first, *second, *allow, *why;
	} rows[] = {
		{"GET", "/v1/things", 0, NULL, NULL, "", "as it stands"},
		{"HEAD", "/v1/things", 0, NULL, NULL, "", "HEAD is GET"},
		{"GET", "/v1/things/", 0, NULL, NULL, "", "one slash at the end"},
		{"GET", "/v1/things//", -1, NULL, NULL, "", "two name something empty"},
		{"GET", "/v1/things/special", 2, NULL, NULL, "", "what is literal goes first"},
		{"PUT", "/v1/things/special", -2, NULL, NULL, "GET, HEAD",
			"what has a path of its own is no name (OpenAPI 3.1, paths)"},
		{"GET", "/v1/things/a", 3, "a", NULL, "", "a name"},
		{"GET", "/v1/things/%2A.b%20c", 3, "*.b c", NULL, "", "decoded once"},
		{"GET", "/v1/things/%252A", 3, "%2A", NULL, "", "and not twice"},
		{"GET", "/v1/things/a+b", 3, "a+b", NULL, "", "a plus is no blank in a path"},
		{"GET", "/v1/things/a%2Fb/parts/c", 6, "a/b", "c", "", "a slash inside a name"},
		{"GET", "/v1/things/a/parts", -1, NULL, NULL, "", "half a path"},
		{"GET", "/v1/Things", -1, NULL, NULL, "", "case counts"},
		{"PATCH", "/v1/things/a", -2, NULL, NULL, "GET, HEAD, PUT, DELETE",
			"the methods that it takes"},
		{"DELETE", "/v1/things", -2, NULL, NULL, "GET, HEAD, POST", "each once"},
		{"get", "/v1/things", -2, NULL, NULL, "GET, HEAD, POST", "methods have a case"},
		{"GET", "*", -1, NULL, NULL, "", "no path at all"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct act a = {.method = bytes_str(rows[i].method)};
		struct arena arena;
		struct text allow;
		enum act_found found;
		int row;

		arena_init(&arena, 65536);
		text_init(&allow, 256);
		found = act_find(&table, &arena, &a, bytes_str(rows[i].path), &allow);
		row = found == ACT_NO_PATH       ? -1
			: found == ACT_NO_METHOD ? -2
						 : (int)(a.endpoint - rows_of_table);
		if (row != rows[i].row || !bytes_eq(a.params[0], bytes_str(rows[i].first)) ||
			!bytes_eq(a.params[1], bytes_str(rows[i].second)) ||
			(row == -2 && !bytes_eq(text_bytes(&allow), bytes_str(rows[i].allow)))) {
			fail_msg("%s %s: %s (%d, %s)", rows[i].method, rows[i].path, rows[i].why,
				row, text_cstr(&allow));
		}
		text_done(&allow);
		arena_done(&arena);
	}
}

static void test_pages(void **state)
{
	static const struct {
		const char *query;
		size_t from, count;
		uint64_t page, size;
		bool good;
		const char *why;
	} rows[] = {
		{"", 0, 25, 0, 0, true, "nobody asks: all"},
		{"ts=5&x", 0, 25, 0, 0, true, "W7: unknown parameters"},
		{"pageSize=10", 0, 10, 1, 10, true, "the first page"},
		{"pageNum=2", 10, 10, 2, 10, true, "ten by default"},
		{"pageNum=3&pageSize=10", 20, 5, 3, 10, true, "the rest"},
		{"pageNum=4&pageSize=10", 25, 0, 4, 10, true, "D10: beyond the end is empty"},
		{"pageNum=0&pageSize=0", 0, 10, 1, 10, true, "below one is one, none is ten"},
		{"pageNum=-7&pageSize=-7", 0, 10, 1, 10, true, "negative ones too"},
		{"pageNum=2147483647&pageSize=2147483647", 25, 0, 2147483647, 2147483647, true,
			"their product overflows nothing"},
		{"pageNum=x", 0, 0, 0, 0, false, "no number"},
		{"pageSize=99999999999999999999", 0, 0, 0, 0, false, "too large to be one"},
		{"pageNum=%32", 10, 10, 2, 10, true, "decoded"},
		{"pageNum=&pageSize=", 0, 25, 0, 0, true, "empty is not given"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct act a = {.query = bytes_str(rows[i].query)};
		struct arena arena;
		size_t from = 0, count = 0;
		bool good;

		arena_init(&arena, 65536);
		a.arena = &arena;
		text_init(&a.why, 256);
		good = act_page(&a, 25, &from, &count);
		if (good != rows[i].good || from != rows[i].from || count != rows[i].count ||
			a.page != rows[i].page || a.page_size != rows[i].size) {
			fail_msg("%s: %s", rows[i].query, rows[i].why);
		}
		act_done(&a);
		arena_done(&arena);
	}
}

static void test_envelopes(void **state)
{
	static const struct {
		const char *method;
		enum act_shape shape;
		unsigned refused;
		bool empty, list;
		unsigned status;
		const char *text, *why;
	} rows[] = {
		{"GET", ACT_BY_METHOD, 0, false, false, 200,
			"{\"success\":true,\"message\":null,\"data\":{\"a\":1}}", "GET is wrapped"},
		{"GET", ACT_BY_METHOD, 0, false, true, 200,
			"{\"success\":true,\"message\":null,\"data\":{\"a\":1},\"total\":7,\"pageNum\":"
			"null,\"pageSize\":null}",
			"a list says how many"},
		{"POST", ACT_BY_METHOD, 0, false, false, 201, "{\"a\":1}", "T3: POST is raw"},
		{"PUT", ACT_BY_METHOD, 0, false, false, 200, "{\"a\":1}", "and PUT"},
		{"DELETE", ACT_BY_METHOD, 0, false, false, 204, "", "DELETE says nothing"},
		{"POST", ACT_WRAPPED, 0, false, false, 200,
			"{\"success\":true,\"message\":null,\"data\":{\"a\":1}}", "an exception"},
		{"GET", ACT_RAW, 0, false, false, 200, "{\"a\":1}", "never wrapped"},
		{"PUT", ACT_NO_CONTENT, 0, false, false, 204, "", "204 on PUT"},
		{"GET", ACT_BY_METHOD, 404, true, false, 404, "", "T4: no byte"},
		{"PUT", ACT_BY_METHOD, 404, false, false, 404,
			"{\"success\":false,\"message\":\"why \\\"so\\\"\",\"data\":null}",
			"a refusal is wrapped whatever the method"},
		{"GET", ACT_RAW, 500, false, true, 500,
			"{\"success\":false,\"message\":\"why \\\"so\\\"\",\"data\":null}",
			"and has no pages"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct act_endpoint e = {.method = rows[i].method, .shape = rows[i].shape};
		struct act a = {.endpoint = &e, .list = rows[i].list, .total = 7};
		struct arena arena;
		struct text out;
		unsigned status;

		arena_init(&arena, 65536);
		a.arena = &arena;
		text_init(&a.why, 256);
		text_init(&out, 4096);
		a.data = doc_map(&arena);
		doc_set(&arena, a.data, "a", doc_int(&arena, 1));
		if (rows[i].empty) {
			act_missing(&a);
		} else if (rows[i].refused != 0) {
			act_refuse(&a, rows[i].refused, "why \"so\"");
		}
		status = act_envelope(&a, &arena, &out);
		if (status != rows[i].status ||
			!bytes_eq(text_bytes(&out), bytes_str(rows[i].text))) {
			fail_msg("%s: %u %s", rows[i].why, status, text_cstr(&out));
		}
		text_done(&out);
		act_done(&a);
		arena_done(&arena);
	}
}

static void test_audit_fields(void **state)
{
	static const struct {
		const char *before, *after, *fields, *why;
	} rows[] = {
		{"{\"a\":1}", "{\"a\":1}", "", "nothing"},
		{"{\"a\":1,\"b\":\"secret\"}", "{\"a\":2,\"b\":\"other\"}", "a,b",
			"names, no values"},
		{"{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":2,\"d\":1}}}", "a.b.c,a.b.d",
			"paths"},
		{"{\"a\":null}", "{}", "", "null and absent are alike"},
		{"{\"a\":[1]}", "{\"a\":[1,2]}", "a", "a list as a whole"},
		{"{\"a\":{\"b\":{\"c\":{\"key-1\":1}}}}", "{\"a\":{\"b\":{\"c\":{\"key-2\":1}}}}",
			"a.b.c", "deeper names may be data"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a;
		struct text out;

		arena_init(&a, 65536);
		text_init(&out, 1024);
		audit_fields(&a, doc_of_json(&a, json_parse(&a, bytes_str(rows[i].before), NULL)),
			doc_of_json(&a, json_parse(&a, bytes_str(rows[i].after), NULL)), &out);
		if (!bytes_eq(text_bytes(&out), bytes_str(rows[i].fields))) {
			fail_msg("%s: %s", rows[i].why, text_cstr(&out));
		}
		text_done(&out);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_envelopes),
		cmocka_unit_test(test_audit_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
