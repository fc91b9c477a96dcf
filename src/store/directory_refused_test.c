/*
 * Files that read well and are refused by who serves them, and directories where files are expected, on a real temporary
 * directory.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "store/directory.h"

#define MAP(v) "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: '" v "'}\n"
#define NAME BYTES("a")

struct tree {
	char root[64];
	struct directory *directory;
	struct snapshot *served; /* of the last read */
	size_t kept_bad;
};

static void file_name(const struct tree *t, char room[100])
{
	snprintf(room, 100, "%s/configmaps/a.yaml", t->root);
}

static void write_file(const struct tree *t, const char *content)
{
	char name[100];

	file_name(t, name);
	assert_int_equal(file_write_atomic(name, bytes_str(content), 0600, NULL), 0);
}

static void look(struct tree *t)
{
	struct directory_report report;

	snapshot_unref(t->served);
	t->served = directory_read(t->directory, &report);
	t->kept_bad = report.kept_bad;
	directory_report_done(&report);
}

static struct object *now(const struct tree *t)
{
	return snapshot_get(t->served, RESOURCE_CONFIGMAP, NAME);
}

static void is_value(const struct tree *t, const char *v, size_t kept_bad)
{
	struct bytes got = pairs_get(&now(t)->u.configmap.data, "v");

	assert_true(bytes_eq(got, bytes_str(v)));
	assert_int_equal(t->kept_bad, kept_bad);
}

static void begin(struct tree *t)
{
	char name[100];

	*t = (struct tree){.root = "/tmp/sluice-refused-XXXXXX"};
	assert_non_null(mkdtemp(t->root));
	snprintf(name, sizeof(name), "%s/configmaps", t->root);
	assert_int_equal(file_make_dir(name, 0700, NULL), 0);
	t->directory = directory_new(t->root);
	write_file(t, MAP("1"));
	look(t);
	is_value(t, "1", 0);
}

static void end(struct tree *t)
{
	char name[100];

	snapshot_unref(t->served);
	directory_free(t->directory);
	file_name(t, name);
	IGNORE(unlink(name));
	snprintf(name, sizeof(name), "%s/configmaps", t->root);
	IGNORE(rmdir(name));
	IGNORE(rmdir(t->root));
}

/* The file says 2, which is refused for the 1 before. */
static void refuse(struct tree *t)
{
	struct object *good = object_ref(now(t));

	write_file(t, MAP("2"));
	look(t);
	is_value(t, "2", 0);
	assert_false(directory_refuses(t->directory, RESOURCE_CONFIGMAP, NAME));
	directory_refuse(t->directory, RESOURCE_CONFIGMAP, NAME, good);
	assert_true(directory_refuses(t->directory, RESOURCE_CONFIGMAP, NAME));
}

static void the_version_before_stays(void **state)
{
	struct tree t;

	(void)state;
	begin(&t);
	refuse(&t);
	for (unsigned i = 0; i < 3;
		i++) { /* whoever reads, however often; also when all is looked at */
		look(&t);
		is_value(&t, "1", 1);
		directory_doubt(t.directory);
	}
	assert_false(directory_refuses(t.directory, RESOURCE_CONFIGMAP, BYTES("b")));
	end(&t);
}

static void it_is_tried_again_when_asked_for(void **state)
{
	struct tree t;

	(void)state;
	begin(&t);
	refuse(&t);
	directory_retry(t.directory);
	look(&t);
	is_value(&t, "2", 0);
	assert_false(directory_refuses(t.directory, RESOURCE_CONFIGMAP, NAME));
	end(&t);
}

/* Whatever the file says next, the refusal was of what it said then. */
static void a_change_ends_it(void **state)
{
	static const struct {
		const char *text, *v;
		size_t kept_bad;
		const char *reason;
	} rows[] = {
		{MAP("3"), "3", 0, "mended"},
		{MAP("1"), "1", 0, "put back as it was served"},
		{"[", "1", 1, "broken: what was served stays, and not what was refused"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows);
		i++) { /* and as a load does, which tries again */
		const bool tries = i >= ARRAY_LEN(rows);
		struct tree t;

		begin(&t);
		refuse(&t);
		write_file(&t, rows[i % ARRAY_LEN(rows)].text);
		if (tries) {
			directory_retry(t.directory);
		}
		look(&t);
		is_value(&t, rows[i % ARRAY_LEN(rows)].v, rows[i % ARRAY_LEN(rows)].kept_bad);
		if (directory_refuses(t.directory, RESOURCE_CONFIGMAP, NAME)) {
			fail_msg("%s: still refused", rows[i % ARRAY_LEN(rows)].reason);
		}
		directory_retry(t.directory);
		look(&t);
		is_value(&t, rows[i % ARRAY_LEN(rows)].v, rows[i % ARRAY_LEN(rows)].kept_bad);
		end(&t);
	}
}

static bool tells(struct tree *t, const char *code)
{
	struct directory_report report;
	bool told = false;

	snapshot_unref(t->served);
	t->served = directory_read(t->directory, &report);
	t->kept_bad = report.kept_bad;
	for (const struct finding *f = report.findings.first; f != NULL; f = f->next) {
		told |= f->level == FINDING_ERROR && strcmp(f->code, code) == 0;
	}
	directory_report_done(&report);
	return told;
}

/* A mount of a file that is not there makes a directory in its place: nothing was removed, and it may be what says who passes. */
static void a_directory_is_no_removed_file(void **state)
{
	char name[100], plugins[100], guard[128];
	struct tree t;

	(void)state;
	for (unsigned refused = 0; refused < 2; refused++) {
		begin(&t);
		if (refused == 1) {
			refuse(&t);
		}
		file_name(&t, name);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(file_make_dir(name, 0700, NULL), 0);
		assert_true(tells(&t, "file-unreadable"));
		is_value(&t, "1", 1);
		assert_int_equal(rmdir(name), 0);
		write_file(&t, MAP("3"));
		assert_false(tells(&t, "file-unreadable"));
		is_value(&t, "3", 0);
		assert_int_equal(unlink(name), 0);
		assert_int_equal(file_make_dir(name, 0700, NULL), 0);
		look(&t);
		assert_int_equal(rmdir(name), 0);
		look(&t);
		assert_null(now(&t)); /* now it is removed */
		snprintf(plugins, sizeof(plugins), "%s/wasmplugins", t.root);
		snprintf(guard, sizeof(guard), "%s/key-auth.internal.yaml", plugins);
		assert_int_equal(file_make_dir(plugins, 0700, NULL), 0);
		assert_int_equal(file_make_dir(guard, 0700, NULL), 0);
		assert_true(tells(&t, "file-unreadable"));
		assert_true(t.served->guard_unread);
		assert_int_equal(rmdir(guard), 0);
		look(&t);
		assert_false(t.served->guard_unread);
		assert_int_equal(rmdir(plugins), 0);
		end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_version_before_stays),
		cmocka_unit_test(it_is_tried_again_when_asked_for),
		cmocka_unit_test(a_change_ends_it),
		cmocka_unit_test(a_directory_is_no_removed_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
