/*
 * The write protocol on real files: links, modes, other writers, deaths between all steps, names that
 * cannot be replaced.
 */
#define _GNU_SOURCE
#include "hiclaw/claw_file.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

#define BEFORE "{\n  \"a\": 1,\n  \"b\": 1\n}\n"
#define AFTER "{\n  \"a\": 2,\n  \"b\": 1\n}\n"

struct world {
	struct claw_file f;
	char dir[64], path[128], tmp[128], locks[128];
	unsigned backups, looks;
	char backup[200];
	enum claw_step when; /* what happens there */
	int outcome;
	void (*then)(struct world *w);
};

static struct world *world_of(struct claw_file *f)
{
	return CONTAINER_OF(f, struct world, f);
}

/* a becomes 2. */
static enum config_code edit(struct claw_file *f, struct arena *a, struct bytes text,
	struct config_text *out, struct fault *fault)
{
	struct config_edit c;

	(void)f;
	config_edit_open(&c, a, text, fault);
	config_edit_put(&c, c.json.root, "a", doc_int(a, 2));
	return config_edit_close(&c, out);
}

static int backup(struct claw_file *f, struct bytes before, struct fault *fault)
{
	struct world *w = world_of(f);

	(void)fault;
	w->backups++;
	assert_true(before.n < sizeof(w->backup));
	memcpy(w->backup, before.p, before.n);
	w->backup[before.n] = '\0';
	return 0;
}

static int at(struct claw_file *f, enum claw_step step)
{
	struct world *w = world_of(f);

	if (step != w->when) {
		return 0;
	}
	w->looks++;
	if (w->then != NULL) {
		w->then(w);
	}
	return w->outcome;
}

static void put(const char *path, const char *content)
{
	assert_int_equal(file_write_atomic(path, bytes_str(content), 0600, NULL), 0);
}

static void assert_content(const char *path, const char *expect)
{
	struct text t;

	text_init(&t, 10000);
	assert_int_equal(file_read(path, 10000, &t, NULL, NULL), 0);
	assert_string_equal(text_cstr(&t), expect);
	text_done(&t);
}

static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->dir, sizeof(w->dir), "/tmp/sluice-claw-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/openclaw.json", w->dir);
	snprintf(w->tmp, sizeof(w->tmp), "%s/.openclaw", w->dir);
	snprintf(w->locks, sizeof(w->locks), "%s/locks", w->dir);
	assert_int_equal(mkdir(w->tmp, 0700), 0);
	assert_int_equal(mkdir(w->locks, 0700), 0);
	put(w->path, BEFORE);
	w->f = (struct claw_file){w->path, w->tmp, w->locks, 20, edit, backup, at};
	*state = w;
	return 0;
}

static bool remove_it(void *arg, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	if (unlink(path) != 0) {
		IGNORE(file_list(path, remove_it, path, NULL)); /* rmdir will tell */
		rmdir(path);
	}
	return true;
}

static int world_close(void **state)
{
	struct world *w = *state;

	assert_int_equal(file_list(w->dir, remove_it, w->dir, NULL), 0);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static bool count(void *arg, const char *name)
{
	(void)name;
	++*(unsigned *)arg;
	return true;
}

/* Nothing but what was there: no temporary anywhere. */
static void assert_tidy(const struct world *w)
{
	unsigned n = 0, in_tmp = 0;

	assert_int_equal(file_list(w->dir, count, &n, NULL), 0);
	assert_int_equal(file_list(w->tmp, count, &in_tmp, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(in_tmp, 0);
}

static void the_file_is_changed(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};
	struct stat before, after;

	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_true(done.changed && done.atomic && done.rounds == 1);
	assert_content(w->path, AFTER);
	assert_string_equal(w->backup, BEFORE);
	assert_tidy(w);
	/* HI-02: once more changes nothing, and touches nothing */
	assert_int_equal(stat(w->path, &before), 0);
	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_int_equal(stat(w->path, &after), 0);
	assert_true(!done.changed && done.atomic && w->backups == 1);
	assert_true(before.st_ino == after.st_ino &&
		before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
		before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

/* HI-16 */
static void a_link_survives(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};
	char real[200];

	snprintf(real, sizeof(real), "%s/real.json", w->tmp);
	assert_int_equal(rename(w->path, real), 0);
	assert_int_equal(symlink(".openclaw/real.json", w->path), 0);
	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_true(file_is_link(w->path));
	assert_false(file_is_link(real));
	assert_content(real, AFTER);
	assert_int_equal(unlink(real), 0);
}

/* HI-17 */
static void mode_and_owner_are_kept(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};
	struct stat st;
	static const mode_t modes[] = {0600, 0640, 0664};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		put(w->path, BEFORE);
		assert_int_equal(chmod(w->path, modes[i]), 0);
		if (geteuid() == 0) {
			assert_int_equal(chown(w->path, 1234, 4321), 0);
		}
		assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
		assert_int_equal(stat(w->path, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		if (geteuid() == 0) {
			assert_int_equal(st.st_uid, 1234);
			assert_int_equal(st.st_gid, 4321);
		}
	}
}

static void b_becomes_2_once(struct world *w)
{
	if (w->looks == 1) {
		put(w->path, "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
	}
}

/* HI-18 */
static void both_changes_are_there(void **state)
{
	static const enum claw_step steps[] = {CLAW_READ, CLAW_BACKUP, CLAW_STAGED};
	struct world *w = *state;

	w->then = b_becomes_2_once;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct claw_file_done done = {0};

		put(w->path, BEFORE);
		w->when = steps[i];
		w->looks = 0;
		assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
		assert_int_equal(done.rounds, 2);
		assert_content(w->path, "{\n  \"a\": 2,\n  \"b\": 2\n}\n");
		assert_string_equal(w->backup, "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
		assert_tidy(w);
	}
}

static void it_changes_again(struct world *w)
{
	char content[100];

	snprintf(content, sizeof(content), "{\"a\": 1, \"n\": %u}", w->looks);
	put(w->path, content);
}

static void who_writes_all_the_time_wins(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};
	struct fault f = {0};

	w->when = CLAW_STAGED;
	w->then = it_changes_again;
	assert_int_equal(claw_file_change(&w->f, &done, &f), CONFIG_BUSY);
	assert_int_equal(w->looks, 1 + CLAW_FILE_AGAIN_MAX);
	assert_int_equal(f.status, 503);
	assert_content(w->path, "{\"a\": 1, \"n\": 4}");
	assert_tidy(w);
}

static void die(struct world *w)
{
	(void)w;
	_exit(7);
}

/* HI-19: before the rename the old file, behind it the new one, and never a stray temporary. */
static void a_death_leaves_a_whole_file(void **state)
{
	struct world *w = *state;

	for (enum claw_step step = CLAW_READ; step <= CLAW_WRITTEN; step++) {
		struct claw_file_done done = {0};
		pid_t child;
		int status;

		put(w->path, BEFORE);
		w->when = step;
		w->then = die;
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			IGNORE(claw_file_change(&w->f, &done, NULL)); /* dies in it */
			_exit(1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
		assert_content(w->path, step == CLAW_WRITTEN ? AFTER : BEFORE);
		claw_file_tidy(&w->f);
		assert_tidy(w);
		w->then = NULL;
		assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
		assert_content(w->path, AFTER);
	}
}

/* A temporary that a dead writer left is no obstacle, even when nobody tidied up. */
static void a_stray_temporary_is_replaced(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};
	char stray[200];

	snprintf(stray, sizeof(stray), "%s/.openclaw.json.sluice-tmp", w->tmp);
	put(stray, "{");
	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_true(done.atomic);
	assert_tidy(w);
}

/* HI-20 */
static void a_name_that_cannot_be_replaced(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};
	struct stat before, after;

	w->when = CLAW_RENAME;
	w->outcome = ERR_UNSUPPORTED; /* what EBUSY is */
	assert_int_equal(stat(w->path, &before), 0);
	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_int_equal(stat(w->path, &after), 0);
	assert_true(done.changed && !done.atomic);
	assert_int_equal(w->looks, 2); /* in both places for temporaries */
	assert_int_equal(before.st_ino, after.st_ino);
	assert_string_equal(w->backup, BEFORE);
	assert_content(w->path, AFTER);
	assert_tidy(w);
}

/* The same with a real mount, where that may be made: 0 as it should be, 1 not, 77 may not. */
static int change_a_mount(struct world *w)
{
	struct claw_file_done done = {0};
	struct stat before, after;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount(w->path, w->path, NULL, MS_BIND, NULL) != 0) {
		return 77;
	}
	w->outcome = 0;
	if (stat(w->path, &before) != 0 || claw_file_change(&w->f, &done, NULL) != CONFIG_OK ||
		stat(w->path, &after) != 0) {
		return 1;
	}
	return done.changed && !done.atomic && before.st_ino == after.st_ino ? 0 : 1;
}

static void a_file_that_is_mounted(void **state)
{
	struct world *w = *state;
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		_exit(change_a_mount(w));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("no right to mount: the rename was refused by script only\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_content(w->path, AFTER);
	assert_tidy(w);
}

static void the_directory_for_temporaries_is_not_there(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};

	assert_int_equal(rmdir(w->tmp), 0);
	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_true(done.changed && done.atomic);
	assert_content(w->path, AFTER);
	w->f.tmp_dir = NULL;
	put(w->path, BEFORE);
	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_true(done.changed && done.atomic);
}

static void somebody_holds_the_lock(struct world *w)
{
	struct claw_file_done done = {0};
	struct fault f = {0};

	w->f.at = NULL;
	assert_int_equal(claw_file_change(&w->f, &done, &f), CONFIG_BUSY);
	assert_int_equal(f.err, ERR_TIMEOUT);
	w->f.at = at;
}

static void two_at_once_exclude_each_other(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {0};

	w->when = CLAW_BACKUP;
	w->then = somebody_holds_the_lock;
	assert_int_equal(claw_file_change(&w->f, &done, NULL), CONFIG_OK);
	assert_int_equal(w->looks, 1);
	assert_int_equal(done.rounds, 1);
	assert_content(w->path, AFTER);
}

static int no_backup(struct claw_file *f, struct bytes before, struct fault *fault)
{
	(void)f;
	(void)before;
	return fault_set(fault, ERR_IO, 0, 0, "the disk of the backups is full");
}

static void what_fails_changes_nothing(void **state)
{
	struct world *w = *state;
	struct claw_file_done done = {.rounds = 77};
	struct fault f = {0};

	w->f.backup = no_backup;
	assert_int_equal(claw_file_change(&w->f, &done, &f), CONFIG_NOT_EDITABLE);
	assert_string_equal(f.text, "the disk of the backups is full");
	assert_content(w->path, BEFORE);
	w->f.backup = backup;
	put(w->path, "{");
	assert_int_equal(claw_file_change(&w->f, &done, &f), CONFIG_NOT_EDITABLE);
	assert_content(w->path, "{");
	assert_int_equal(unlink(w->path), 0);
	assert_int_equal(claw_file_change(&w->f, &done, &f), CONFIG_NOT_EDITABLE);
	assert_int_equal(f.err, ERR_NOT_FOUND);
	assert_int_equal(mkdir(w->path, 0700), 0);
	assert_int_equal(claw_file_change(&w->f, &done, &f), CONFIG_NOT_EDITABLE);
	assert_int_equal(rmdir(w->path), 0);
	put(w->path, BEFORE);
	w->f.lock_dir = "/nowhere/at/all";
	assert_int_equal(claw_file_change(&w->f, &done, &f), CONFIG_NOT_EDITABLE);
	assert_int_equal(done.rounds, 77);
	assert_int_equal(w->backups, 0);
	assert_tidy(w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_file_is_changed),
		TEST(a_link_survives),
		TEST(mode_and_owner_are_kept),
		TEST(both_changes_are_there),
		TEST(who_writes_all_the_time_wins),
		TEST(a_death_leaves_a_whole_file),
		TEST(a_stray_temporary_is_replaced),
		TEST(a_name_that_cannot_be_replaced),
		TEST(a_file_that_is_mounted),
		TEST(the_directory_for_temporaries_is_not_there),
		TEST(two_at_once_exclude_each_other),
		TEST(what_fails_changes_nothing),
	};

	return cmocka_run_group_tests_name("claw_file", tests, NULL, NULL);
}
