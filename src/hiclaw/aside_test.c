#define _GNU_SOURCE /* mkdtemp */
#include "hiclaw/aside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

/* What is there, in the order in which it is pruned: "a b". */
static bool put_name(void *arg, const char *name)
{
	struct text *t = arg;

	text_addf(t, "%s%s", t->n != 0 ? " " : "", name);
	return true;
}

static const struct row {
	const char *there, *kind;
	size_t max;
	const char *left, *reason;
} rows[] = {
	{"", "old", 2, "", "nothing"},
	{"f f.old.1 f.old.2", "old", 2, "f f.old.1 f.old.2", "no more than may stay"},
	{"f f.old.1 f.old.2 f.old.3", "old", 2, "f f.old.2 f.old.3", "the oldest goes"},
	{"f.old.3 f.old.1 f.old.4 f.old.2", "old", 1, "f.old.4", "by time, not as they came"},
	{"f f.new.1 f.old.1 f.old.2", "old", 1, "f f.new.1 f.old.2", "another kind is not touched"},
	{"f.old f.oldest.1 g.old.1 f.old.1 f.old.2", "old", 1, "f.old f.old.2 f.oldest.1 g.old.1",
		"nor another file, or what only begins so"},
	{"f.old.01 f.old.02 f.old.03 f.old.04 f.old.05 f.old.06 f.old.07 f.old.08 f.old.09 "
	 "f.old.10 f.old.11 f.old.12",
		"old", ASIDE_MAX,
		"f.old.03 f.old.04 f.old.05 f.old.06 f.old.07 f.old.08 f.old.09 f.old.10 f.old.11 "
		"f.old.12",
		"the most that is kept"},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char dir[] = "/tmp/aside-XXXXXX";
		struct bytes rest = bytes_str(rows[i].there);
		char path[200];
		struct text left;

		assert_non_null(mkdtemp(dir));
		while (rest.n != 0) {
			struct bytes name = bytes_cut(&rest, ' ');

			snprintf(path, sizeof(path), "%s/" BYTES_FMT, dir, BYTES_ARG(name));
			assert_int_equal(file_write_atomic(path, BYTES("x"), 0600, NULL), 0);
		}
		snprintf(path, sizeof(path), "%s/f", dir);
		aside_prune(path, rows[i].kind, rows[i].max);
		text_init(&left, 4096);
		assert_int_equal(file_list(dir, put_name, &left, NULL), 0);
		if (strcmp(text_cstr(&left), rows[i].left) != 0) {
			fail_msg("%s: %s", rows[i].reason, text_cstr(&left));
		}
		for (rest = text_bytes(&left); rest.n != 0;) {
			struct bytes name = bytes_cut(&rest, ' ');

			snprintf(path, sizeof(path), "%s/" BYTES_FMT, dir, BYTES_ARG(name));
			assert_int_equal(file_remove(path), 0);
		}
		assert_int_equal(file_remove_dir(dir), 0);
		text_done(&left);
	}
}

static void test_no_directory(void **state)
{
	(void)state;
	aside_prune("/nowhere/at/all/f", "old", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests_name("hiclaw/aside", tests, NULL, NULL);
}
