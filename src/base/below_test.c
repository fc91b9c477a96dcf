#define _GNU_SOURCE
#include "base/below.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

/* in/ is what may be read; beside it stands a secret. */
struct tree {
	char root[64], in[80];
};

static const char *at(const struct tree *t, const char *path, char room[256])
{
	snprintf(room, 256, "%s/%s", t->root, path);
	return room;
}

static void put(const struct tree *t, const char *path, const char *content)
{
	char room[256];

	assert_int_equal(file_write_atomic(at(t, path, room), bytes_str(content), 0600, NULL), 0);
}

static void make_link(const struct tree *t, const char *to, const char *path)
{
	char room[256];

	assert_int_equal(symlink(to, at(t, path, room)), 0);
}

static void make_tree(struct tree *t)
{
	char room[256];

	snprintf(t->root, sizeof(t->root), "/tmp/below-test-XXXXXX");
	assert_non_null(mkdtemp(t->root));
	snprintf(t->in, sizeof(t->in), "%s/in", t->root);
	assert_int_equal(file_make_dir(at(t, "in/a/b", room), 0700, NULL), 0);
	assert_int_equal(file_make_dir(at(t, "out", room), 0700, NULL), 0);
	put(t, "secret", "secret");
	put(t, "out/file", "secret");
	put(t, "in/file", "top");
	put(t, "in/a/b/file", "deep");
	put(t, "in/.hidden", "hidden");
	make_link(t, "../secret", "in/link");
	make_link(t, "file", "in/link-inside");
	make_link(t, "../out", "in/dir");
	make_link(t, "../../../secret", "in/a/b/link");
	make_link(t, "b", "in/a/b-again");
	make_link(t, "in", "in-by-link");
	assert_int_equal(mkfifo(at(t, "in/pipe", room), 0600), 0);
}

static void remove_tree(struct tree *t)
{
	static const char *const names[] = {"secret", "out/file", "in/file", "in/a/b/file",
		"in/.hidden", "in/link", "in/link-inside", "in/dir", "in/a/b/link", "in/a/b-again",
		"in-by-link", "in/pipe"};
	static const char *const dirs[] = {"in/a/b", "in/a", "in", "out"};
	char room[256];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(unlink(at(t, names[i], room)), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		assert_int_equal(rmdir(at(t, dirs[i], room)), 0);
	}
	assert_int_equal(rmdir(t->root), 0);
}

static const struct row {
	const char *path;
	int rc;
	const char *content;
	const char *reason;
} rows[] = {
	{"file", 0, "top", "a file"},
	{"a/b/file", 0, "deep", "a file further down"},
	{".hidden", 0, "hidden", "a dot in front hides nothing from who knows the name"},
	{"none", ERR_NOT_FOUND, "", "no such file"},
	{"a/none/file", ERR_NOT_FOUND, "", "no such directory"},
	{"link", ERR_REFUSED, "", "a link that leads out"},
	{"link-inside", ERR_REFUSED, "", "a link, wherever it leads"},
	{"dir/file", ERR_REFUSED, "", "a directory that is a link"},
	{"a/b-again/file", ERR_REFUSED, "", "a directory that is a link, inside"},
	{"a/b/link", ERR_REFUSED, "", "a link at the end"},
	{"../secret", ERR_REFUSED, "", "the directory above"},
	{"a/../../secret", ERR_REFUSED, "", "the directory above, on the way"},
	{"a/../file", ERR_REFUSED, "", "the directory above, although it stays inside"},
	{"./file", ERR_REFUSED, "", "a dot is no component"},
	{"/file", ERR_REFUSED, "", "an absolute path"},
	{"a//b/file", ERR_REFUSED, "", "an empty component"},
	{"a/", ERR_REFUSED, "", "nothing behind the slash"},
	{"", ERR_REFUSED, "", "nothing"},
	{"a", ERR_REFUSED, "", "a directory"},
	{"file/x", ERR_REFUSED, "", "a file is no directory"},
	{"pipe", ERR_REFUSED, "", "a pipe, without waiting for its writer"},
};

static void nothing_outside_is_read(void **state)
{
	unsigned wrong = 0;
	struct tree t;
	struct below b;

	(void)state;
	make_tree(&t);
	assert_int_equal(below_open(&b, t.in, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault f = {0};
		struct text out;
		int rc;

		text_init(&out, 100);
		rc = below_read(&b, rows[i].path, 50, &out, &f);
		if (rc != rows[i].rc || !bytes_eq(text_bytes(&out), bytes_str(rows[i].content)) ||
			(rc == 0) != (f.text[0] == '\0') ||
			below_is_file(&b, rows[i].path) != (rc == 0)) {
			print_message("%s: %d %s\n", rows[i].reason, rc, f.text);
			wrong++;
		}
		text_done(&out);
	}
	below_close(&b);
	below_close(&b);
	remove_tree(&t);
	assert_int_equal(wrong, 0);
}

static void sizes_have_a_limit(void **state)
{
	struct fault f = {0};
	struct tree t;
	struct below b;
	struct text out;

	(void)state;
	make_tree(&t);
	text_init(&out, 100);
	assert_int_equal(below_open(&b, t.in, &f), 0);
	assert_int_equal(below_read(&b, "a/b/file", 4, &out, &f), 0);
	assert_int_equal(below_read(&b, "a/b/file", 3, &out, &f), ERR_LIMIT);
	assert_int_equal(out.n, 4);
	text_done(&out);
	below_close(&b);
	assert_int_equal(below_open(&b, "/nowhere/at/all", &f), ERR_NOT_FOUND);
	assert_int_equal(b.fd, -1);
	remove_tree(&t);
}

static bool count(void *arg, const char *name)
{
	unsigned *n = arg;

	assert_int_not_equal(name[0], '.');
	(*n)++;
	return true;
}

static bool first(void *arg, const char *name)
{
	IGNORE(count(arg, name)); /* one is enough */
	return false;
}

static void names_are_listed(void **state)
{
	char room[256];
	struct tree t;
	struct below b;
	unsigned n = 0;

	(void)state;
	make_tree(&t);
	assert_int_equal(below_open(&b, at(&t, "in-by-link", room), NULL), 0);
	for (unsigned again = 0; again < 2; again++) {
		n = 0;
		assert_int_equal(below_list(&b, "", 6, count, &n), 0);
		assert_int_equal(n, 6);
	}
	n = 0;
	assert_int_equal(below_list(&b, "", 5, count, &n), ERR_LIMIT);
	assert_int_equal(n, 5);
	n = 0;
	assert_int_equal(below_list(&b, "a/b", 5, first, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(below_list(&b, "dir", 5, count, &n), ERR_REFUSED);
	assert_int_equal(below_list(&b, "a/..", 5, count, &n), ERR_REFUSED);
	assert_int_equal(below_list(&b, "none", 5, count, &n), ERR_NOT_FOUND);
	below_close(&b);
	remove_tree(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_outside_is_read),
		cmocka_unit_test(sizes_have_a_limit),
		cmocka_unit_test(names_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
