/*
 * Changes of the user happen in a child process: they are for good. Only root can test them; others see
 * that they are refused.
 */
#define _GNU_SOURCE
#include "base/privileges.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void users_are_found(void **state)
{
	static const struct {
		const char *spec, *name;
		int rc;
		unsigned uid, gid;
		const char *why;
	} rows[] = {
		{"root", "root", 0, 0, 0, "a name"},
		{"nobody", "nobody", 0, 65534, 65534, "with the group of that user"},
		{"nobody:root", "nobody", 0, 65534, 0, "a group by name"},
		{"nobody:12", "nobody", 0, 65534, 12, "a group by number"},
		{"65534", "65534", 0, 65534, 65534, "a number that somebody has"},
		{"54321", "54321", 0, 54321, 54321, "one that nobody has, as in containers"},
		{"54321:7", "54321", 0, 54321, 7, "with a group"},
		{"", "", ERR_NOT_FOUND, 0, 0, "nothing"},
		{":root", "", ERR_NOT_FOUND, 0, 0, "a group alone"},
		{"nobody:", "", ERR_NOT_FOUND, 0, 0, "a colon without a group"},
		{"no-such-user", "", ERR_NOT_FOUND, 0, 0, "nobody is called so"},
		{"nobody:no-such-group", "", ERR_NOT_FOUND, 0, 0, "nor any group"},
		{"4294967295", "", ERR_NOT_FOUND, 0, 0, "the number that means no change"},
		{"-1", "", ERR_NOT_FOUND, 0, 0, "the same, written otherwise"},
		{"0x0", "", ERR_NOT_FOUND, 0, 0, "no other notation of 0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct privileges_user u = {.name = "untouched"};
		struct fault f = {.text = ""};
		int rc = privileges_find(rows[i].spec, &u, &f);

		if (rc != rows[i].rc) {
			fail_msg("%s: %s: %d %s", rows[i].spec, rows[i].why, rc, f.text);
		}
		assert_string_equal(u.name, rc == 0 ? rows[i].name : "untouched");
		if (rc == 0 && (u.uid != rows[i].uid || u.gid != rows[i].gid)) {
			fail_msg("%s: %s: %u:%u", rows[i].spec, rows[i].why, u.uid, u.gid);
		}
	}
}

/* The line of /proc/self/status; "" when there is none. */
static void status_line(const char *name, char *out, size_t size)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	out[0] = '\0';
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(out, size, "%s", line);
		}
	}
	if (f != NULL) {
		fclose(f);
	}
}

static int expect(const char *name, const char *expected)
{
	char line[256];

	status_line(name, line, sizeof(line));
	if (strcmp(line, expected) != 0) {
		fprintf(stderr, "%s instead of %s\n", line, expected);
		return 1;
	}
	return 0;
}

static int become_nobody(void)
{
	struct privileges_user u;
	struct fault f;

	if (privileges_find("nobody", &u, &f) != 0 || privileges_become(&u, &f) != 0) {
		fprintf(stderr, "%s\n", f.text);
		return 1;
	}
	return expect("Uid:", "Uid:\t65534\t65534\t65534\t65534") +
		expect("Gid:", "Gid:\t65534\t65534\t65534\t65534") +
		expect("Groups:", "Groups:\t65534 ") +
		expect("CapPrm:", "CapPrm:\t0000000000000000") +
		expect("CapEff:", "CapEff:\t0000000000000000") +
		expect("CapBnd:", "CapBnd:\t0000000000000000") + (setuid(0) == 0) +
		(setgid(0) == 0) + !privileges_is(&u);
}

static int stay_root(void)
{
	struct privileges_user u;
	struct fault f;

	if (privileges_find("root", &u, &f) != 0 || privileges_become(&u, &f) != 0) {
		fprintf(stderr, "%s\n", f.text);
		return 1;
	}
	return expect("Uid:", "Uid:\t0\t0\t0\t0") + expect("CapPrm:", "CapPrm:\t0000000000000002") +
		expect("CapEff:", "CapEff:\t0000000000000002") +
		expect("CapInh:", "CapInh:\t0000000000000000") +
		expect("CapBnd:", "CapBnd:\t0000000000000002") + (chroot("/") == 0) +
		(setgroups(0, NULL) == 0);
}

/* As a service is started by its manager: not root, with a capability. */
static int give_up(void)
{
	struct fault f;

	if (privileges_drop(&f) < 1 || privileges_drop(&f) != 0) {
		return 1;
	}
	return expect("CapPrm:", "CapPrm:\t0000000000000000") +
		expect("CapEff:", "CapEff:\t0000000000000000") +
		expect("CapAmb:", "CapAmb:\t0000000000000000");
}

static int refused(void)
{
	struct privileges_user u;
	struct fault f;

	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
		return 1;
	}
	return privileges_find("root", &u, &f) != 0 || privileges_become(&u, &f) == 0;
}

static void in_child(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		_exit(run());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void root_becomes_somebody(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	in_child(become_nobody);
}

static void root_keeps_one_capability(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	in_child(stay_root);
}

static void capabilities_are_given_up(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	in_child(give_up);
}

static void nobody_becomes_root(void **state)
{
	(void)state;
	in_child(refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found),
		cmocka_unit_test(root_becomes_somebody),
		cmocka_unit_test(root_keeps_one_capability),
		cmocka_unit_test(capabilities_are_given_up),
		cmocka_unit_test(nobody_becomes_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
