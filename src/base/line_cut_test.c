#include "base/line_cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct row {
	const char *line;
	size_t room;
	const char *kept, *reason;
} rows[] = {
	{"{\"a\":1,\"b\":\"0123456789012345678901234567890123456789\"}", 40,
		"{\"a\":1,\"truncated\":true}", "the member that does not fit goes as a whole"},
	{"{\"a\":\"x,y\\\",\",\"b\":[1,2],\"c\":{\"d\":1,\"e\":2},\"f\":\"0123456789012345678901\"}",
		60, "{\"a\":\"x,y\\\",\",\"b\":[1,2],\"c\":{\"d\":1,\"e\":2},\"truncated\":true}",
		"commas in texts, lists and maps end no member"},
	{"{\"a\":\"0123456789012345678901234567890123456789\",\"b\":1}", 30, "",
		"nothing of it would be left"},
	{"{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7}", 31,
		"{\"a\":1,\"b\":2,\"truncated\":true}", "as much as fits with the mark"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line = malloc(rows[i].room); /* to the byte, for the sanitizer */
		size_t n;

		assert_non_null(line);
		memcpy(line, rows[i].line, rows[i].room);
		n = line_cut(line, rows[i].room);
		if (n != strlen(rows[i].kept) || memcmp(line, rows[i].kept, n) != 0) {
			fail_msg("%s: %.*s", rows[i].reason, (int)n, line);
		}
		free(line);
	}
}

/* Whatever the room, what is kept is whole: as many brackets close as open, and no text is open. */
static void test_every_room(void **state)
{
	static const char whole[] =
		"{\"time\":\"2026-01-01T00:00:00.000Z\",\"path\":\"/a\\\\\\\"b,c\",\"n\":[1,[2,{\"x\":\"]\"}]],"
		"\"m\":{\"k\":[{}]},\"tries\":[{\"a\":1},{\"b\":2}],\"z\":0}";

	(void)state;
	for (size_t room = 0; room < sizeof(whole) - 1; room++) {
		char line[sizeof(whole)];
		int depth = 0;
		bool text = false;
		size_t n;

		memcpy(line, whole, sizeof(whole));
		n = line_cut(line, room);
		assert_true(n <= room);
		for (size_t i = 0; i < n; i++) {
			if (text && line[i] == '\\') {
				i++;
			} else if (line[i] == '"') {
				text = !text;
			} else if (!text) {
				depth += line[i] == '{' || line[i] == '[';
				depth -= line[i] == '}' || line[i] == ']';
			}
		}
		assert_false(text);
		assert_int_equal(depth, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_every_room)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
