#define _GNU_SOURCE
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "cli/machine.h"

static void put(const char *root, const char *dir, const char *file, const char *content)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, dir);
	assert_int_equal(file_make_dir(path, 0700, NULL), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", root, dir, file);
	assert_int_equal(file_write_atomic(path, bytes_str(content), 0600, NULL), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static const struct {
	const char *groups;
	uint64_t limit;
	const char *reason;
} rows[] = {
	{"", UINT64_MAX, "no group, no limit"},
	{"0::/a/b\n", 1000, "a parent's smaller limit binds"},
	{"0::/a\n", 1000, "the group's own limit"},
	{"0::/\n", UINT64_MAX, "the root has no file"},
	{"0::/free\n", UINT64_MAX, "max is no limit"},
	{"0::/gone/x\n", UINT64_MAX, "a group whose files cannot be seen"},
	{"4:memory:/old\n0::/\n", 500, "version 1"},
	{"4:cpu,memory:/old\n", 500, "version 1, controllers together"},
	{"4:memory:/seen-from-outside\n", 700, "a path outside of the namespace: the root binds"},
	{"3:cpu:/a\n", UINT64_MAX, "another controller"},
	{"nonsense\n::\n0:\n", UINT64_MAX, "lines of another shape"},
};

static void test_groups(void **state)
{
	char root[] = "/tmp/machine_test.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(root));
	put(root, "a/b", "memory.max", "2000\n");
	put(root, "a", "memory.max", "1000\n");
	put(root, "free", "memory.max", "max\n");
	put(root, "memory/old", "memory.limit_in_bytes", "500\n");
	put(root, "memory", "memory.limit_in_bytes", "700\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t limit = machine_group_limit(bytes_str(rows[i].groups), root);

		if (limit != rows[i].limit) {
			fail_msg("%s: %llu", rows[i].reason, (unsigned long long)limit);
		}
	}
	assert_int_equal(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void test_here(void **state)
{
	(void)state;
	assert_true(machine_cpus() >= 1);
	assert_true(machine_memory() >= 16 * 1024 * 1024);
	assert_true(machine_memory() < UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_here),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
