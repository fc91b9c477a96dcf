#define _GNU_SOURCE
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "cli/tree.h"

#define MAP(name, data) \
	"kind: ConfigMap\napiVersion: v1\nmetadata: {name: " name "}\ndata: {" data "}\n"
#define A MAP("a", "x: v")
#define B MAP("b", "x: v")

static char root[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/sluice-tree-XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* file: "dir/name" below the root, or "name". */
static void put(const char *file, struct bytes content)
{
	char path[256];
	char *slash;
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(file_make_dir(path, 0700, NULL), 0);
	*slash = '/';
	out = fopen(path, "wb"); /* no fsync: cuts are many */
	assert_non_null(out);
	assert_true(content.n == 0 || fwrite(content.p, 1, content.n, out) == content.n);
	fclose(out);
}

/* "a b | 4 string-expected, 7 …": names of objects, then lines and codes of findings. */
static void describe(const struct tree *t, struct text *out)
{
	for (size_t i = 0; i < t->snapshot->n; i++) {
		text_add_bytes(out, t->snapshot->objects[i]->meta.name);
		text_add_char(out, ' ');
	}
	text_add_char(out, '|');
	for (const struct finding *f = t->findings.first; f != NULL; f = f->next) {
		text_addf(out, " %u %s", f->line, f->code);
	}
}

static void check(const char *const *paths, size_t n, const char *expected, const char *reason)
{
	char room[4][256];
	char *argv[4];
	struct tree t;
	struct text got;

	for (size_t i = 0; i < n; i++) {
		snprintf(room[i], sizeof(room[i]), "%s/%s", root, paths[i]);
		argv[i] = room[i];
	}
	assert_true(tree_read(&t, argv, n, stderr));
	text_init(&got, 65536);
	describe(&t, &got);
	if (strcmp(text_cstr(&got), expected) != 0) {
		fail_msg("%s: \"%s\", not \"%s\"", reason, text_cstr(&got), expected);
	}
	text_done(&got);
	tree_done(&t);
}

/* --- bundles ------------------------------------------------------------------------------------ */

static const struct {
	const char *text, *expected, *reason;
} bundles[] = {
	{"", "|", "an empty file"},
	{"# only words\n", "|", "a comment is no document"},
	{"---\n---\n", "|", "nothing between separators"},
	{A, "a |", "one document"},
	{A "---\n" B, "a b |", "two"},
	{"---\n" A "---\n" B "---\n", "a b |", "separators at both ends"},
	{"# words\n---\n" A, "a |", "a comment in front of the first separator"},
	{"%YAML 1.1\n# words\n---\n" A "---\n" B, "a b |", "a directive belongs to what follows"},
	{A "--- # words\n" B, "a b |", "a comment behind a separator"},
	{A "---\t\n" B, "a b |", "a tab behind a separator"},
	{A "----\n" B, "| 6 yaml-syntax", "four dashes are no separator, and no YAML"},
	{"\xef\xbb\xbf" A "---\n" B, "a b |", "a byte order mark"},
	{"kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata:\n  x: |\n    a\n    ---\n"
	 "    b\n",
		"c |", "dashes that are indented are text"},
	{A "---\nkind: [\n---\n" B, "a b | 7 yaml-syntax", "a broken one hides none behind it"},
	{MAP("a", "x: off") "---\n" MAP("b", "x: off"), "a b | 4 string-expected 9 string-expected",
		"lines count from the file's begin"},
	{A "---\n" A, "a | 6 object-replaced", "the later one counts"},
	{MAP("a", "x: off") "---\n" A, "a | 4 string-expected 6 object-replaced",
		"what was found in the first is told where that stands"},
	{A "---\nkind: ConfigMap\nmetadata: {name: a}\ndata: []\n",
		"a | 6 kind-missing 8 wrong-type", "one that cannot be read replaces nothing"},
	{"kind: ConfigMap\n", "| 1 kind-missing", "no name"},
	{"metadata: {name: a}\n", "| 1 kind-missing", "no kind"},
	{"- a\n", "| 1 kind-missing", "no mapping"},
	{"kind: List\nitems: []\n", "| 1 kind-list", "kubectl get writes it"},
	{"kind: Deployment\nmetadata: {name: a}\n", "| 1 kind-unknown", "somebody else's"},
	{MAP("a/b", "x: v"), "| 3 object-name", "a slash would be another file"},
	{MAP("\"a\\0b\"", "x: v"), "| 3 object-name", "no file's name has a NUL"},
	{"\xff\xfe", "| 1 yaml-syntax", "no UTF-8"},
};

static void reads_bundles(void **state)
{
	static const char *const path[] = {"bundle.yaml"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		put("bundle.yaml", bytes_str(bundles[i].text));
		check(path, 1, bundles[i].expected, bundles[i].reason);
	}
}

static void crlf(void **state)
{
	static const char *const path[] = {"bundle.yaml"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		struct text t;

		text_init(&t, 65536);
		for (const char *p = bundles[i].text; *p != '\0'; p++) {
			text_add_str(&t, *p == '\n' ? "\r" : "");
			text_add_char(&t, *p);
		}
		put("bundle.yaml", text_bytes(&t));
		check(path, 1, bundles[i].expected, bundles[i].reason);
		text_done(&t);
	}
}

/* Whatever the place a file is cut at: something is said or nothing, and no byte behind it is read. */
static void cut_anywhere(void **state)
{
	char path[128];
	char *argv[] = {path};

	(void)state;
	snprintf(path, sizeof(path), "%s/bundle.yaml", root);
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		for (size_t n = strlen(bundles[i].text); n-- > 0;) {
			struct tree t;

			put("bundle.yaml", bytes_of(bundles[i].text, n));
			assert_true(tree_read(&t, argv, 1, stderr));
			tree_done(&t);
		}
	}
}

static void long_names(void **state)
{
	static const char *const path[] = {"bundle.yaml"};

	(void)state;
	for (int n = 250; n <= 251; n++) {
		struct text t, expected;

		text_init(&t, 65536);
		text_init(&expected, 65536);
		text_addf(&t, "kind: ConfigMap\napiVersion: v1\nmetadata: {name: %0*d}\ndata: {}\n",
			n, 0);
		text_addf(&expected, n == 250 ? "%0*d |" : "| 3 object-name", n, 0);
		put("bundle.yaml", text_bytes(&t));
		check(path, 1, text_cstr(&expected), "a file's name has at most 255 bytes");
		text_done(&t);
		text_done(&expected);
	}
}

/* --- paths -------------------------------------------------------------------------------------- */

static const struct {
	const char *paths[3];
	const char *expected, *reason;
} trees[] = {
	{{"tree"}, "a b |", "a root"},
	{{"data"}, "c |", "a directory whose resources is a root"},
	{{"tree/configmaps"}, "a b |", "a directory of a kind"},
	{{"tree/configmaps/"}, "a b |", "with a slash"},
	{{"tree/configmaps/a.yaml"}, "a |", "a file of a kind: its name is the object's"},
	{{"bundles"}, "one two |", "a directory of bundles"},
	{{"bundles/1.yaml", "tree"}, "a b one |", "several paths are one configuration"},
	{{"bundles/1.yaml", "bundles/1.yaml", "bundles"}, "one two |", "one file is read once"},
	{{"bundles", "copy.yaml"}, "one two | 1 object-replaced", "a copy is another file"},
	{{"tree", "tree2"}, "a b | 1 object-replaced", "two roots with one object"},
	{{"empty"}, "|", "a directory without anything"},
	{{"tree/configmaps/a.txt"}, "| 1 file-name", "no name of a resource"},
};

static void reads_paths(void **state)
{
	(void)state;
	put("tree/configmaps/a.yaml", bytes_str("kind: ConfigMap\napiVersion: v1\ndata: {}\n"));
	put("tree/configmaps/b.yaml", bytes_str(B));
	put("tree/configmaps/a.txt", bytes_str("no resource"));
	put("tree/configmaps/.yaml", bytes_str("no name"));
	put("tree2/configmaps/a.yaml", bytes_str(A));
	put("data/resources/configmaps/c.yaml", bytes_str(MAP("c", "")));
	put("bundles/1.yaml", bytes_str(MAP("one", "")));
	put("bundles/2.yaml", bytes_str(MAP("two", "")));
	put("copy.yaml", bytes_str(MAP("one", "")));
	put("empty/notes.txt", bytes_str("nothing"));
	for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
		size_t n = 0;

		while (n < ARRAY_LEN(trees[i].paths) && trees[i].paths[n] != NULL) {
			n++;
		}
		check(trees[i].paths, n, trees[i].expected, trees[i].reason);
	}
}

static void no_such_path(void **state)
{
	char good[128], gone[128];
	char *argv[] = {good, gone};
	FILE *err = tmpfile();
	char line[512];
	struct tree t;

	(void)state;
	put("a.yaml", bytes_str(A));
	snprintf(good, sizeof(good), "%s/a.yaml", root);
	snprintf(gone, sizeof(gone), "%s/gone.yaml", root);
	assert_false(tree_read(&t, argv, 2, err));
	rewind(err);
	assert_non_null(fgets(line, sizeof(line), err));
	assert_non_null(strstr(line, gone));
	assert_null(fgets(line, sizeof(line), err));
	fclose(err);
}

/* What a plan says about an object is shown with the file and the line of its document. */
static void places(void **state)
{
	char path[128];
	char *argv[] = {path};
	struct finding f = {.file = BYTES("configmaps/b.yaml"), .line = 3};
	uint32_t line;
	struct tree t;

	(void)state;
	put("bundle.yaml", bytes_str("# one\n" A "---\n" B));
	snprintf(path, sizeof(path), "%s/bundle.yaml", root);
	assert_true(tree_read(&t, argv, 1, stderr));
	assert_true(bytes_eq(tree_place(&t, &f, &line), bytes_str(path)));
	assert_int_equal(line, 5 + 3);
	f.file = BYTES("configmaps/gone.yaml");
	assert_true(bytes_eq(tree_place(&t, &f, &line), f.file));
	assert_int_equal(line, 3);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_bundles),
		cmocka_unit_test(crlf),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(long_names),
		cmocka_unit_test(reads_paths),
		cmocka_unit_test(no_such_path),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests_name("cli/tree", tests, make_root, remove_root);
}
