#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "cli/text_diff.h"

struct row {
	const char *reason, *before, *after, *want;
};

static const struct row rows[] = {
	{"equal texts have no difference", "a\nb\n", "a\nb\n", ""},
	{"two empty texts", "", "", ""},
	{"a line that is replaced", "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
	{"a text that is new", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
	{"a text that is gone", "a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n"},
	{"three lines around a change, no more", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		"1\n2\n3\n4\nx\n6\n7\n8\n9\n", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
	{"changes near one another share a hunk", "1\n2\n3\n4\n5\n6\n", "x\n2\n3\n4\n5\ny\n",
		"@@ -1,6 +1,6 @@\n-1\n+x\n 2\n 3\n 4\n 5\n-6\n+y\n"},
	{"changes far from one another do not", "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		"x\n2\n3\n4\n5\n6\n7\n8\ny\n",
		"@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"},
	{"the shortest way is found: what moved is taken out once", "a\nb\nc\nd\n", "b\nc\nd\na\n",
		"@@ -1,4 +1,4 @@\n-a\n b\n c\n d\n+a\n"},
	{"a text without a last line feed is read all the same", "a\nb", "a\nc",
		"@@ -1,2 +1,2 @@\n a\n-b\n+c\n"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text out;

		text_init(&out, 65536);
		text_diff(&out, bytes_str(rows[i].before), bytes_str(rows[i].after));
		if (strcmp(text_cstr(&out), rows[i].want) != 0) {
			print_error("%s:\n%s", rows[i].reason, text_cstr(&out));
		}
		assert_string_equal(text_cstr(&out), rows[i].want);
		text_done(&out);
	}
}

/* Does what the difference says: the lines of `before` that the hunks do not name stay. */
static void patch(struct text *out, struct bytes before, struct bytes hunks)
{
	size_t line = 1;

	while (hunks.n != 0) {
		struct bytes h = bytes_cut(&hunks, '\n');
		struct bytes l = bytes_of(h.p + 1, h.n - 1);

		if (h.p[0] == '@') {
			char *end;
			size_t from = strtoul(h.p + 4, &end, 10);

			from += strtoul(end + 1, NULL, 10) == 0; /* nothing of it: it is behind */
			for (; line < from; line++) {
				text_add_bytes(out, bytes_cut(&before, '\n'));
				text_add_char(out, '\n');
			}
			continue;
		}
		if (h.p[0] != '+') {
			struct bytes there = bytes_cut(&before, '\n');

			assert_true(bytes_eq(there, l));
			line++;
		}
		if (h.p[0] != '-') {
			text_add_bytes(out, l);
			text_add_char(out, '\n');
		}
	}
	text_add_bytes(out, before);
}

static void make(struct text *t, struct random *r, size_t lines)
{
	for (size_t i = 0; i < lines; i++) {
		text_addf(t, "%c\n", (char)('a' + random_below(r, 4)));
	}
}

static void one_random(struct random *r, size_t max)
{
	struct text before, after, hunks, got;

	text_init(&before, SIZE_MAX);
	text_init(&after, SIZE_MAX);
	text_init(&hunks, SIZE_MAX);
	text_init(&got, SIZE_MAX);
	make(&before, r, (size_t)random_below(r, max));
	make(&after, r, (size_t)random_below(r, max));
	text_diff(&hunks, text_bytes(&before), text_bytes(&after));
	patch(&got, text_bytes(&before), text_bytes(&hunks));
	assert_string_equal(text_cstr(&got), text_cstr(&after));
	text_done(&before);
	text_done(&after);
	text_done(&hunks);
	text_done(&got);
}

/* Whatever the texts are, the difference leads from one to the other; also beyond the bound of the search. */
static void test_random(void **state)
{
	struct random r = {{1, 2}};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		one_random(&r, 20);
	}
	for (int i = 0; i < 4; i++) {
		one_random(&r, 3 * TEXT_DIFF_EDITS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
