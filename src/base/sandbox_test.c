/*
 * The sandbox, entered by a child process each time: there is no way back. What the kernel has not got
 * cannot be tested on it; the child then says so and its rows are passed over.
 */
#define _GNU_SOURCE
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NO_LANDLOCK 100

/* The tests run inside of it. */
struct tree {
	char dir[64];
};

static int put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0) {
		return errno;
	}
	close(fd);
	return 0;
}

static int get(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return errno;
	}
	close(fd);
	return 0;
}

static int tree_open(void **state)
{
	struct tree *t = must_alloc(sizeof(*t));

	snprintf(t->dir, sizeof(t->dir), "/tmp/sluice-sandbox-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(chdir(t->dir), 0);
	assert_int_equal(mkdir("read", 0700), 0);
	assert_int_equal(mkdir("write", 0700), 0);
	assert_int_equal(mkdir("other", 0700), 0);
	assert_int_equal(put("read/a"), 0);
	assert_int_equal(put("other/a"), 0);
	assert_int_equal(put("single"), 0);
	assert_int_equal(symlink("../other/a", "read/out"), 0);
	assert_int_equal(symlink("a", "read/inside"), 0);
	*state = t;
	return 0;
}

static int tree_close(void **state)
{
	struct tree *t = *state;
	pid_t pid;

	assert_int_equal(chdir("/"), 0);
	pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", t->dir, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	free(t);
	return 0;
}

/* Runs look in a child inside of the sandbox; its result: 0, or the number of the row that failed. */
static int inside(bool exec, int (*look)(void))
{
	const struct sandbox_path paths[] = {{"read", SANDBOX_READ}, {"write", SANDBOX_WRITE},
		{"single", SANDBOX_READ}, {"none", SANDBOX_READ}};
	const struct sandbox_opts opts = {paths, ARRAY_LEN(paths), exec};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox_report report;
		struct fault f = {.text = ""};

		if (sandbox_enter(&opts, &report, &f) != 0) {
			fprintf(stderr, "%s\n", f.text);
			_exit(99);
		}
		_exit(report.landlock == 0 ? NO_LANDLOCK : look());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int look_at_files(void)
{
	const struct {
		const char *path;
		bool write;
		int expected;
		const char *why;
	} rows[] = {
		{"read/a", false, 0, "a file below a directory that may be read"},
		{"read", false, 0, "the directory itself can be listed"},
		{"single", false, 0, "a single file"},
		{"read/inside", false, 0, "a link that stays inside"},
		{"other/a", false, EACCES, "a file that nobody named"},
		{"read/out", false, EACCES, "a link that leads out"},
		{"read/a", true, EACCES, "reading is not writing"},
		{"read/new", true, EACCES, "nor making"},
		{"single", true, EACCES, "not a single file either"},
		{"write/new", true, 0, "a file that is made"},
		{"write/new", false, 0, "and read"},
		{"other/new", true, EACCES, "making one elsewhere"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *path = rows[i].path;
		int got = rows[i].write ? put(path) : get(path);

		if (got != rows[i].expected) {
			fprintf(stderr, "%s: %s: errno %d\n", rows[i].path, rows[i].why, got);
			return (int)i + 1;
		}
	}
	if (mkdir("read/later", 0700) == 0) {
		return 50;
	}
	return rename("write/new", "write/old") == 0 && unlink("write/old") == 0 &&
			get("/etc/passwd") == EACCES
		? 0
		: 51;
}

static void only_named_files_are_open(void **state)
{
	int rc;

	(void)state;
	rc = inside(false, look_at_files);

	if (rc == NO_LANDLOCK) {
		skip();
	}
	assert_int_equal(rc, 0);
}

static int wait_for_news(void)
{
	for (int i = 0; i < 20000 && access("go", F_OK) != 0; i++) {
		usleep(1000);
	}
	return get("read/later/b") == 0 && get("read/out") == EACCES ? 0 : 1;
}

/* What is made by others below a directory afterwards is inside; one that was made before and is moved
 * in is too: rules look at where a file is, not at when it came. */
static void what_appears_below_is_inside(void **state)
{
	pid_t maker = fork();
	int rc;

	(void)state;
	if (maker == 0) {
		rc = mkdir("other/later", 0700) != 0 || put("other/later/b") != 0 ||
			rename("other/later", "read/later") != 0 || put("go") != 0;
		_exit(rc);
	}
	rc = inside(false, wait_for_news);
	assert_int_equal(waitpid(maker, NULL, 0), maker);
	if (rc == NO_LANDLOCK) {
		skip();
	}
	assert_int_equal(rc, 0);
}

static void *nothing(void *arg)
{
	return arg;
}

static int look_at_calls(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};
	pthread_t thread;

	if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM) {
		return 1;
	}
	if (syscall(SYS_bpf, 0, NULL, 0) == 0 || errno != EPERM) {
		return 2;
	}
	if (syscall(SYS_io_uring_setup, 1, NULL) == 0 || errno != EPERM) {
		return 3;
	}
	if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL) != -1 ||
		errno != EPERM) {
		return 4;
	}
	if (syscall(SYS_keyctl, 0, 0, 0, 0, 0) != -1 || errno != EPERM) {
		return 5;
	}
	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) {
		return 6; /* threads are not processes */
	}
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (execv("/bin/true", argv) == 0 || errno != EPERM) {
		return 7;
	}
	if (syscall(SYS_ptrace, 0, 0, NULL, NULL) == 0 || errno != EPERM) {
		return 8;
	}
#else
	(void)argv;
#endif
	return 0;
}

static void calls_of_attackers_fail(void **state)
{
	int rc;

	(void)state;
	rc = inside(false, look_at_calls);

	if (rc == NO_LANDLOCK) {
		skip();
	}
	assert_int_equal(rc, 0);
}

static int start_a_program(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};

	execv("/bin/true", argv);
	/* The call is there; the file is none of those named. */
	return errno == EACCES ? 0 : 1;
}

static void starting_programs_is_a_choice(void **state)
{
	int rc;

	(void)state;
	rc = inside(true, start_a_program);

	if (rc == NO_LANDLOCK) {
		skip();
	}
	assert_int_equal(rc, 0);
}

/* As an older kernel, or a container that refuses it: what is left is entered. */
static int enter_without_landlock(void)
{
	scmp_filter_ctx old = seccomp_init(SCMP_ACT_ALLOW);
	const struct sandbox_path all = {"/", SANDBOX_READ};
	struct sandbox_report report;
	struct fault f;

	if (old == NULL ||
		seccomp_rule_add(old, SCMP_ACT_ERRNO(ENOSYS), SYS_landlock_create_ruleset, 0) !=
			0 ||
		seccomp_load(old) != 0) {
		return 1;
	}
	seccomp_release(old);
	if (sandbox_enter(&(struct sandbox_opts){&all, 1, false}, &report, &f) != 0) {
		return 2;
	}
	return report.no_new_privs && report.landlock == 0 && report.paths == 0 &&
			report.refused > 20 && put("other/new") == 0 && unshare(CLONE_NEWUSER) != 0
		? 0
		: 3;
}

static void an_older_kernel_gives_what_it_has(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		_exit(enter_without_landlock());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_named_files_are_open, tree_open, tree_close),
		cmocka_unit_test_setup_teardown(
			what_appears_below_is_inside, tree_open, tree_close),
		cmocka_unit_test_setup_teardown(calls_of_attackers_fail, tree_open, tree_close),
		cmocka_unit_test_setup_teardown(
			starting_programs_is_a_choice, tree_open, tree_close),
		cmocka_unit_test_setup_teardown(
			an_older_kernel_gives_what_it_has, tree_open, tree_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
