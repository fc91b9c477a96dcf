#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct room {
	char dir[64];
	char path[128]; /* the last one that `in` made */
};

static int room_open(void **state)
{
	struct room *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	snprintf(r->dir, sizeof(r->dir), "/tmp/sluice-file-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	*state = r;
	return 0;
}

static bool remove_it(void *arg, const char *name)
{
	const char *dir = arg;
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (unlink(path) != 0) {
		chmod(path, 0700);
		IGNORE(file_list(path, remove_it, path, NULL)); /* rmdir will tell */
		rmdir(path);
	}
	return true;
}

static int room_close(void **state)
{
	struct room *r = *state;

	assert_int_equal(file_list(r->dir, remove_it, r->dir, NULL), 0);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

static const char *in(struct room *r, const char *name)
{
	snprintf(r->path, sizeof(r->path), "%s/%s", r->dir, name);
	return r->path;
}

static void write_as(const char *path, const char *content)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static void assert_content(const char *path, const char *content)
{
	struct text t;

	text_init(&t, 1000);
	assert_int_equal(file_read(path, 1000, &t, NULL, NULL), 0);
	assert_string_equal(text_cstr(&t), content);
	text_done(&t);
}

/* --- reading ------------------------------------------------------------------------------------ */

static void reading_stops_at_its_limit(void **state)
{
	static const struct {
		const char *content;
		size_t max, text_max;
		int rc;
		const char *reason;
	} rows[] = {
		{"", 0, 10, 0, "nothing fits everywhere"},
		{"12345", 5, 10, 0, "as long as the limit"},
		{"123456", 5, 10, ERR_LIMIT, "one byte more"},
		{"12345", 5, 4, ERR_LIMIT, "the text has no room"},
	};
	struct room *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault fault = {.text = ""};
		struct file_stat st = {.size = 99};
		struct text t;
		int rc;

		write_as(in(r, "file"), rows[i].content);
		text_init(&t, rows[i].text_max + 2);
		text_add_str(&t, "> ");
		rc = file_read(r->path, rows[i].max, &t, &st, &fault);
		if (rc != rows[i].rc) {
			fail_msg("%d: %s", rc, rows[i].reason);
		}
		if (rc == 0) {
			assert_int_equal(st.size, strlen(rows[i].content));
			assert_true(st.exists && st.is_regular && !st.is_dir);
			assert_string_equal(text_cstr(&t) + 2, rows[i].content);
		} else {
			/* What was there before stays, what was read is gone. */
			assert_string_equal(text_cstr(&t), "> ");
			assert_int_equal(st.size, 99);
			assert_non_null(strstr(fault.text, r->path));
		}
		text_done(&t);
	}
}

static void a_file_without_a_size_is_read_to_its_end(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 100000);
	assert_int_equal(file_read("/proc/self/status", 100000, &t, NULL, NULL), 0);
	assert_true(t.n > 100);
	text_clear(&t);
	assert_int_equal(file_read("/proc/self/status", 100, &t, NULL, NULL), ERR_LIMIT);
	assert_int_equal(t.n, 0);
	text_done(&t);
}

static void only_regular_files_are_read(void **state)
{
	struct room *r = *state;
	struct fault fault;
	struct text t;

	text_init(&t, 100);
	assert_int_equal(file_read(in(r, "none"), 10, &t, NULL, &fault), ERR_NOT_FOUND);
	assert_int_equal(fault.err, ERR_NOT_FOUND);
	assert_int_equal(file_read(r->dir, 10, &t, NULL, &fault), ERR_IO);
	assert_non_null(strstr(fault.text, "Is a directory"));
	assert_int_equal(mkfifo(in(r, "pipe"), 0600), 0);
	assert_int_equal(file_read(r->path, 10, &t, NULL, &fault), ERR_IO); /* and does not hang */
	write_as(in(r, "file"), "x");
	assert_int_equal(file_read(in(r, "file/below"), 10, &t, NULL, &fault), ERR_NOT_FOUND);
	text_done(&t);
}

static void stat_tells_what_is_there(void **state)
{
	struct room *r = *state;
	struct file_stat a;
	struct file_stat b;

	assert_int_equal(file_stat(in(r, "none"), &a), 0);
	assert_false(a.exists);
	assert_int_equal(file_stat(r->dir, &a), 0);
	assert_true(a.exists && a.is_dir && !a.is_regular);
	write_as(in(r, "file"), "abc");
	chmod(r->path, 0640);
	assert_int_equal(file_stat(r->path, &a), 0);
	assert_true(a.exists && a.is_regular && a.size == 3 && a.mode == 0640);
	/* A replacement of the same size is another file. */
	assert_int_equal(file_write_atomic(r->path, BYTES("xyz"), 0640, NULL), 0);
	assert_int_equal(file_stat(r->path, &b), 0);
	assert_true(a.inode != b.inode || a.mtime_ns != b.mtime_ns);
	assert_int_equal(symlink("ring", in(r, "ring")), 0);
	assert_int_equal(file_stat(r->path, &a), ERR_IO);
	assert_true(!a.exists && a.size == 0); /* nothing of what was there before */
}

/* --- writing ------------------------------------------------------------------------------------ */

static void a_write_replaces_the_whole_file(void **state)
{
	struct room *r = *state;
	struct file_stat st;
	mode_t umask_before = umask(0077);

	assert_int_equal(file_write_atomic(in(r, "file"), BYTES("first, longer"), 0600, NULL), 0);
	assert_content(r->path, "first, longer");
	assert_int_equal(file_write_atomic(r->path, BYTES("second"), 0644, NULL), 0);
	assert_content(r->path, "second");
	assert_int_equal(file_stat(r->path, &st), 0);
	assert_int_equal(st.mode, 0644); /* as given, whatever the umask is */
	assert_int_equal(file_write_atomic(r->path, BYTES(""), 0600, NULL), 0);
	assert_content(r->path, "");
	umask(umask_before);
	assert_int_equal(file_stat(in(r, "file.tmp"), &st), 0);
	assert_false(st.exists);
}

static void a_failed_write_leaves_everything_as_it_was(void **state)
{
	struct room *r = *state;
	struct fault fault;
	struct file_stat st;
	char long_name[300];

	assert_int_equal(file_make_dir(in(r, "dir/inside"), 0700, NULL), 0);
	/* A directory cannot be replaced by a file. */
	assert_int_equal(file_write_atomic(in(r, "dir"), BYTES("x"), 0600, &fault), ERR_IO);
	assert_non_null(strstr(fault.text, r->path));
	assert_int_equal(file_stat(in(r, "dir.tmp"), &st), 0);
	assert_false(st.exists);
	assert_int_equal(
		file_write_atomic(in(r, "none/file"), BYTES("x"), 0600, &fault), ERR_NOT_FOUND);
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(file_write_atomic(long_name, BYTES("x"), 0600, &fault), ERR_LIMIT);
}

static void an_orphan_temporary_is_replaced_and_a_live_one_is_not(void **state)
{
	struct room *r = *state;
	struct fault fault;
	int other;

	write_as(in(r, "file.tmp"), "left by a process that died");
	assert_int_equal(file_write_atomic(in(r, "file"), BYTES("new"), 0600, NULL), 0);
	assert_content(r->path, "new");

	write_as(in(r, "file.tmp"), "being written");
	other = open(r->path, O_RDWR);
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_int_equal(
		file_write_atomic(in(r, "file"), BYTES("newer"), 0600, &fault), ERR_EXISTS);
	assert_content(in(r, "file"), "new");
	assert_content(in(r, "file.tmp"), "being written");
	close(other);
	unlink(r->path);
}

#define WRITERS 4

struct writer {
	pthread_t thread;
	char path[128];
	char letter;
	unsigned wrote, torn;
};

static bool is_whole(const char *path)
{
	struct text t;
	bool whole;

	text_init(&t, 65536);
	whole = file_read(path, 65536, &t, NULL, NULL) == 0 && t.n == 20000;
	for (size_t i = 1; whole && i < t.n; i++) {
		whole = t.p[i] == t.p[0];
	}
	text_done(&t);
	return whole;
}

static void *write_often(void *arg)
{
	struct writer *w = arg;
	char content[20000];

	memset(content, w->letter, sizeof(content));
	for (int i = 0; i < 20000; i++) {
		if (file_write_atomic(w->path, bytes_of(content, sizeof(content)), 0600, NULL) ==
			0) {
			w->wrote++;
			w->torn += !is_whole(w->path);
		}
	}
	return NULL;
}

/* One of them at a time has the temporary; nobody takes it for an orphan between its open and its lock.
 * In memory, where fsync takes no time: that moment is short. */
static void writers_at_once_never_leave_half_a_file(void **state)
{
	struct writer w[WRITERS] = {0};
	char dir[] = "/dev/shm/sluice-file-test-XXXXXX";
	unsigned wrote = 0;
	unsigned torn = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (int i = 0; i < WRITERS; i++) {
		w[i].letter = (char)('a' + i);
		snprintf(w[i].path, sizeof(w[i].path), "%s/shared", dir);
		assert_int_equal(pthread_create(&w[i].thread, NULL, write_often, &w[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		assert_int_equal(pthread_join(w[i].thread, NULL), 0);
		wrote += w[i].wrote;
		torn += w[i].torn;
	}
	assert_int_equal(torn, 0);
	assert_true(wrote != 0);
	assert_int_equal(file_remove(w[0].path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void a_temporary_that_is_a_link_is_not_followed(void **state)
{
	struct room *r = *state;
	char victim[128];

	snprintf(victim, sizeof(victim), "%s", in(r, "victim"));
	write_as(victim, "precious");
	assert_int_equal(symlink(victim, in(r, "linked.tmp")), 0);
	assert_int_equal(file_write_atomic(in(r, "linked"), BYTES("x"), 0600, NULL), ERR_EXISTS);
	assert_content(victim, "precious");
}

/* The library's fsync, which fails for directories when told so: no test disk has a broken device. */
static bool directories_refuse;

int fsync(int fd)
{
	struct stat st;

	if (directories_refuse && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static void what_is_replaced_is_written(void **state)
{
	struct room *r = *state;
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "%s", in(r, "file"));
	write_as(path, "old");
	directories_refuse = true;
	rc = file_write_atomic(path, BYTES("new"), 0600, NULL);
	directories_refuse = false;
	assert_int_equal(rc, 0);
	assert_content(path, "new");
}

/* A directory that may be written to and not opened: its sync would fail, so nothing is replaced. */
static int write_where_nothing_is_listed(const char *dir)
{
	char path[160];
	struct fault f;

	if (geteuid() == 0 &&
		(chown(dir, 65534, 65534) != 0 || setgid(65534) != 0 || setuid(65534) != 0)) {
		return 1;
	}
	snprintf(path, sizeof(path), "%s/file", dir);
	write_as(path, "old");
	if (chmod(dir, 0300) != 0 ||
		file_write_atomic(path, BYTES("new"), 0600, &f) != ERR_REFUSED) {
		return 2;
	}
	assert_content(path, "old");
	snprintf(path, sizeof(path), "%s/file.tmp", dir);
	return access(path, F_OK) == 0 || chmod(dir, 0700) != 0 ? 3 : 0;
}

static void what_cannot_be_synced_is_not_replaced(void **state)
{
	struct room *r = *state;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		_exit(write_where_nothing_is_listed(r->dir));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- directories -------------------------------------------------------------------------------- */

struct seen {
	char names[64];
	unsigned left;
};

static bool see(void *arg, const char *name)
{
	struct seen *s = arg;
	size_t n = strlen(s->names);

	snprintf(s->names + n, sizeof(s->names) - n, "%s ", name);
	return --s->left != 0;
}

static void names_are_listed_in_order_of_bytes(void **state)
{
	static const char *const names[] = {"b", "a", ".hidden", "B", "a-1", "\xc3\xa4"};
	struct room *r = *state;
	struct seen all = {.left = 100};
	struct seen two = {.left = 2};
	struct fault fault;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s", in(r, "list"));
	assert_int_equal(file_make_dir(dir, 0700, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[160];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		write_as(path, "");
	}
	assert_int_equal(file_list(dir, see, &all, NULL), 0);
	assert_string_equal(all.names, ".hidden B a a-1 b \xc3\xa4 ");
	assert_int_equal(file_list(dir, see, &two, NULL), 0);
	assert_string_equal(two.names, ".hidden B ");
	assert_int_equal(file_list(in(r, "none"), see, &two, &fault), ERR_NOT_FOUND);
}

static void directories_are_made_with_their_parents(void **state)
{
	struct room *r = *state;
	struct file_stat st;
	struct fault fault;

	assert_int_equal(file_make_dir(in(r, "a/b//c/"), 0750, NULL), 0);
	assert_int_equal(file_stat(in(r, "a/b/c"), &st), 0);
	assert_true(st.is_dir);
	assert_int_equal(file_make_dir(in(r, "a/b/c"), 0750, NULL), 0);
	assert_int_equal(file_make_dir("/", 0750, NULL), 0);
	assert_int_equal(file_make_dir("", 0750, &fault), ERR_NOT_FOUND);
	write_as(in(r, "a/file"), "");
	assert_int_equal(file_make_dir(in(r, "a/file/d"), 0750, &fault), ERR_EXISTS);
}

static void removing_says_what_was_not_there(void **state)
{
	struct room *r = *state;

	write_as(in(r, "file"), "");
	assert_int_equal(file_remove(r->path), 0);
	assert_int_equal(file_remove(r->path), ERR_NOT_FOUND);
	assert_int_equal(file_remove(r->dir), ERR_IO);
}

/* A shorter content leaves nothing of the longer one behind; the file stays the same file. */
static void overwriting_keeps_the_file(void **state)
{
	struct room *r = *state;
	struct file_stat before, after;
	struct text t;
	const char *path = in(r, "f");

	assert_int_equal(file_write_atomic(path, BYTES("a longer content"), 0640, NULL), 0);
	assert_int_equal(file_stat(path, &before), 0);
	assert_int_equal(file_overwrite(path, BYTES("short"), NULL), 0);
	assert_int_equal(file_stat(path, &after), 0);
	assert_true(before.inode == after.inode && after.mode == 0640 && after.size == 5);
	text_init(&t, 100);
	assert_int_equal(file_read(path, 100, &t, NULL, NULL), 0);
	assert_string_equal(text_cstr(&t), "short");
	text_done(&t);
	assert_int_equal(file_overwrite(in(r, "none"), BYTES("x"), NULL), ERR_NOT_FOUND);
}

static void names_are_resolved(void **state)
{
	struct room *r = *state;
	char *found = NULL, target[128];

	assert_int_equal(file_resolve(in(r, "f"), &found, NULL), ERR_NOT_FOUND);
	assert_int_equal(file_write_atomic(in(r, "f"), BYTES("x"), 0600, NULL), 0);
	assert_int_equal(file_resolve(in(r, "f"), &found, NULL), 0);
	snprintf(target, sizeof(target), "%s", found);
	free(found);
	assert_int_equal(symlink("f", in(r, "link")), 0);
	assert_int_equal(file_resolve(in(r, "link"), &found, NULL), 0);
	assert_string_equal(found, target);
	free(found);
}

static void locks_exclude(void **state)
{
	struct room *r = *state;
	int first = -1, second = -1;
	struct fault f = {0};

	assert_int_equal(file_lock(in(r, "lock"), 0, &first, NULL), 0);
	assert_int_equal(file_lock(in(r, "lock"), 20, &second, &f), ERR_TIMEOUT);
	assert_int_equal(second, -1);
	file_unlock(first);
	assert_int_equal(file_lock(in(r, "lock"), 0, &second, NULL), 0);
	file_unlock(second);
	file_unlock(-1);
	assert_int_equal(file_lock(in(r, "no/lock"), 0, &second, NULL), ERR_NOT_FOUND);
}

/* Like another file: its mode whatever the umask, and its owner where we may give files away. */
static void stages_are_like_others(void **state)
{
	struct room *r = *state;
	struct file_stat like, st;
	struct file_stage s = {.open = false};
	char tmp[128], path[128];
	const struct file_place at = {path, tmp, &like};
	int rc;

	snprintf(path, sizeof(path), "%s", in(r, "f"));
	snprintf(tmp, sizeof(tmp), "%s", in(r, "t"));
	assert_int_equal(file_write_atomic(path, BYTES("x"), 0666, NULL), 0);
	assert_int_equal(file_stat(path, &like), 0);
	assert_int_equal(file_stage_as(&s, &at, BYTES("y"), NULL), 0);
	assert_int_equal(file_stage_rename(&s, NULL), 0);
	assert_int_equal(file_stat(path, &st), 0);
	assert_true(st.mode == 0666 && st.uid == like.uid && st.inode != like.inode);
	like.uid++;
	rc = file_stage_as(&s, &at, BYTES("z"), NULL);
	assert_int_equal(rc, geteuid() == 0 ? 0 : ERR_UNSUPPORTED);
	file_stage_drop(&s);
	assert_int_equal(file_stat(tmp, &st), 0);
	assert_false(st.exists);
}

/* --- appending ---------------------------------------------------------------------------------- */

#define APPENDERS 4u
#define APPENDED 400u
#define APPEND_MAX 2048u

static void *append_lines(void *arg)
{
	for (unsigned i = 0; i < APPENDED; i++) {
		struct fault f;

		if (file_append(arg, BYTES("0123456789abcdef\n"), 0600, APPEND_MAX, &f) != 0) {
			return arg;
		}
	}
	return NULL;
}

/* Whole lines; how many bytes. */
static size_t expect_lines(const char *path)
{
	struct bytes rest;
	struct text t;
	size_t n;

	text_init(&t, 1 << 20);
	assert_int_equal(file_read(path, 1 << 20, &t, NULL, NULL), 0);
	rest = text_bytes(&t);
	n = rest.n;
	while (rest.n != 0) {
		assert_true(bytes_eq(bytes_cut(&rest, '\n'), BYTES("0123456789abcdef")));
	}
	text_done(&t);
	return n;
}

/* Nobody renames the small new file over the large old one. */
static void those_who_append_at_once_keep_lines_whole(void **state)
{
	struct room *r = *state;
	pthread_t threads[APPENDERS];
	char old[160];

	in(r, "log");
	snprintf(old, sizeof(old), "%s.1", r->path);
	for (unsigned i = 0; i < APPENDERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, append_lines, r->path), 0);
	}
	for (unsigned i = 0; i < APPENDERS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_true(expect_lines(r->path) <= APPEND_MAX + 17);
	assert_int_equal(expect_lines(old), (APPEND_MAX / 17 + 1) * 17);
}

static void what_does_not_fit_leaves_no_part(void **state)
{
	struct room *r = *state;
	struct rlimit before, small;
	struct fault f;
	int rc;

	in(r, "log");
	assert_int_equal(file_append(r->path, BYTES("0123456789abcdef\n"), 0600, 4096, &f), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 20, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = file_append(r->path, BYTES("0123456789abcdef\n"), 0600, 4096, &f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_not_equal(rc, 0);
	assert_int_equal(expect_lines(r->path), 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reading_stops_at_its_limit, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			a_file_without_a_size_is_read_to_its_end, room_open, room_close),
		cmocka_unit_test_setup_teardown(only_regular_files_are_read, room_open, room_close),
		cmocka_unit_test_setup_teardown(stat_tells_what_is_there, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			a_write_replaces_the_whole_file, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			a_failed_write_leaves_everything_as_it_was, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			an_orphan_temporary_is_replaced_and_a_live_one_is_not, room_open,
			room_close),
		cmocka_unit_test_setup_teardown(what_is_replaced_is_written, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_synced_is_not_replaced, room_open, room_close),
		cmocka_unit_test(writers_at_once_never_leave_half_a_file),
		cmocka_unit_test_setup_teardown(
			those_who_append_at_once_keep_lines_whole, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			what_does_not_fit_leaves_no_part, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			a_temporary_that_is_a_link_is_not_followed, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			names_are_listed_in_order_of_bytes, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			directories_are_made_with_their_parents, room_open, room_close),
		cmocka_unit_test_setup_teardown(
			removing_says_what_was_not_there, room_open, room_close),
		cmocka_unit_test_setup_teardown(overwriting_keeps_the_file, room_open, room_close),
		cmocka_unit_test_setup_teardown(names_are_resolved, room_open, room_close),
		cmocka_unit_test_setup_teardown(locks_exclude, room_open, room_close),
		cmocka_unit_test_setup_teardown(stages_are_like_others, room_open, room_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
