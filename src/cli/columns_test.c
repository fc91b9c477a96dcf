#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cli/columns.h"

#define CELLS_MAX 6u

struct row {
	const char *reason;
	size_t width;
	const char *cells[CELLS_MAX]; /* two to a row; NULL ends */
	const char *want;
};

static const struct row rows[] = {
	{"columns are as wide as the widest cell or the title", 0, {"a", "x", "bbbbbb", "y"},
		"NAME    TYPE\na       x\nbbbbbb  y\n"},
	{"a table without rows is its titles", 0, {NULL}, "NAME  TYPE\n"},
	{"no blanks at the end of a line, also when cells are empty", 0, {"a", "", "", "y"},
		"NAME  TYPE\na\n      y\n"},
	{"what does not fit is cut, the widest column first", 24,
		{"a", "0123456789012345678901234567890123456789"},
		"NAME  TYPE\na     01234567890123456…\n"},
	{"both give way when both are wide", 22, {"aaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbb"},
		"NAME        TYPE\naaaaaaaaa…  bbbbbbbbb…\n"},
	{"a column is never narrower than eight: better a long line than nothing", 5,
		{"aaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbb"}, "NAME      TYPE\naaaaaaa…  bbbbbbb…\n"},
	{"what fits exactly is not cut", 20, {"aaaaaaaaa", "bbbbbbbbb"},
		"NAME       TYPE\naaaaaaaaa  bbbbbbbbb\n"},
	{"characters count, not bytes", 0, {"äöü", "x", "abc", "y"},
		"NAME  TYPE\näöü   x\nabc   y\n"},
	{"characters of East Asia take two places", 0, {"模型路由", "x", "abcdefgh", "y"},
		"NAME      TYPE\n模型路由  x\nabcdefgh  y\n"},
	{"a wide character is not cut in half", 20, {"模型模型模型模型", "xxxxxxxxxxxxxx"},
		"NAME       TYPE\n模型模型…  xxxxxxxx…\n"},
	{"what a terminal obeys is shown as a question mark", 0,
		{"a\x1b[31mb",
			"\xc2\x9b"
			"2J",
			"\x7f", "\xff"},
		"NAME     TYPE\na?[31mb  ?2J\n?        ?\n"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes cells[CELLS_MAX];
		struct columns c = {.titles = {"NAME", "TYPE"}, .n = 2, .cells = cells};
		struct text out;
		size_t n = 0;

		while (n < CELLS_MAX && rows[i].cells[n] != NULL) {
			cells[n] = bytes_str(rows[i].cells[n]);
			n++;
		}
		c.n_rows = n / 2;
		text_init(&out, 65536);
		columns_write(&out, &c, rows[i].width);
		if (strcmp(text_cstr(&out), rows[i].want) != 0) {
			print_error("%s:\n%s", rows[i].reason, text_cstr(&out));
		}
		assert_string_equal(text_cstr(&out), rows[i].want);
		text_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
