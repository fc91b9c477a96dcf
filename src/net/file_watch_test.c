/*
 * The watch of directories on real temporary ones. Nothing is said about how long it takes, only what
 * must be told at all, and what must not.
 */
#define _GNU_SOURCE
#include "net/file_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

/* Far more than any machine needs; only a failure waits for it. */
#define PATIENCE_MS 20000u

struct tree {
	char root[64];
	struct loop *loop;
	struct file_watch *watch;
	struct timer deadline;
	unsigned told;
};

static void on_change(void *arg)
{
	struct tree *t = arg;

	t->told++;
	loop_stop(t->loop);
}

static void on_deadline(struct timer *timer)
{
	loop_stop(CONTAINER_OF(timer, struct tree, deadline)->loop);
}

static const char *in(const struct tree *t, const char *name)
{
	static char rooms[4][300];
	static unsigned next;
	char *room = rooms[next++ % 4];

	snprintf(room, sizeof(rooms[0]), "%s%s%s", t->root, name[0] != '\0' ? "/" : "", name);
	return room;
}

static void put(const struct tree *t, const char *name, const char *content)
{
	FILE *f = fopen(in(t, name), "w");

	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void make(const struct tree *t, const char *name)
{
	assert_int_equal(mkdir(in(t, name), 0700), 0);
}

static void move(const struct tree *t, const char *from, const char *to)
{
	char room[300];

	snprintf(room, sizeof(room), "%s", in(t, from));
	assert_int_equal(rename(room, in(t, to)), 0);
}

static void watch(struct tree *t)
{
	static const char *const names[] = {"a", "b"};
	const struct file_watch_opts opts = {
		.root = t->root, .names = names, .n_names = 2, .on_change = on_change, .arg = t};
	struct fault f;

	t->watch = file_watch_new(t->loop, &opts, &f);
	assert_non_null(t->watch);
}

static void open_tree(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->root, sizeof(t->root), "/tmp/sluice-watch-XXXXXX");
	assert_non_null(mkdtemp(t->root));
	t->loop = loop_new();
}

static bool remove_one(void *arg, const char *name);

static void remove_all(const char *path)
{
	struct file_stat st;
	struct fault f;

	assert_int_equal(file_stat(path, &st), 0);
	if (!st.exists) {
		return;
	}
	if (st.is_dir) {
		assert_int_equal(file_list(path, remove_one, (void *)(uintptr_t)path, &f), 0);
		assert_int_equal(rmdir(path), 0);
	} else {
		assert_int_equal(unlink(path), 0);
	}
}

static bool remove_one(void *arg, const char *name)
{
	char room[400];

	snprintf(room, sizeof(room), "%s/%s", (const char *)arg, name);
	remove_all(room);
	return true;
}

static void close_tree(struct tree *t)
{
	file_watch_free(t->watch);
	timer_clear(t->loop, &t->deadline);
	loop_turn(t->loop, 0);
	loop_free(t->loop);
	remove_all(t->root);
}

/* Until it is told, or patience ends. */
static void expect_told(struct tree *t, const char *what)
{
	t->told = 0;
	timer_set(t->loop, &t->deadline, PATIENCE_MS, on_deadline);
	loop_run(t->loop);
	if (t->told != 1) {
		fail_msg("%s was not told", what);
	}
}

/* All that is on its way has been told, and nothing more comes. */
static void expect_rest(struct tree *t, const char *what)
{
	t->told = 0;
	timer_set(t->loop, &t->deadline, FILE_WATCH_POLL_MS + 3 * FILE_WATCH_QUIET_MS, on_deadline);
	loop_run(t->loop);
	if (t->told != 0) {
		fail_msg("%s was told again", what);
	}
}

static void what_happens_to_files_is_told(void **state)
{
	struct tree t;

	(void)state;
	open_tree(&t);
	make(&t, "a");
	watch(&t);
	put(&t, "a/x.yaml", "1");
	expect_told(&t, "a new file");
	put(&t, "a/x.yaml", "2");
	expect_told(&t, "a written file");
	put(&t, "new", "3");
	expect_told(&t, "a file in the root");
	move(&t, "new", "a/x.yaml");
	expect_told(&t, "a file renamed into its place");
	assert_int_equal(chmod(in(&t, "a/x.yaml"), 0), 0);
	expect_told(&t, "a change of mode");
	assert_int_equal(unlink(in(&t, "a/x.yaml")), 0);
	expect_told(&t, "a deleted file");
	close_tree(&t);
}

static void many_changes_at_once_are_told_once(void **state)
{
	struct tree t;

	(void)state;
	open_tree(&t);
	make(&t, "a");
	watch(&t);
	for (int i = 0; i < 3000; i++) {
		char name[40];

		snprintf(name, sizeof(name), "a/%d.yaml", i);
		put(&t, name, "x");
	}
	expect_told(&t, "a heap of files");
	expect_rest(&t, "a heap of files");
	close_tree(&t);
}

struct writer {
	struct timer timer;
	struct tree *tree;
};

static void on_write(struct timer *timer)
{
	struct writer *w = CONTAINER_OF(timer, struct writer, timer);

	put(w->tree, "a/busy.yaml", "x");
	timer_set(w->tree->loop, timer, FILE_WATCH_QUIET_MS / 10, on_write);
}

static void a_tree_that_never_rests_is_told_about(void **state)
{
	struct writer w = {.tree = NULL};
	struct tree t;

	(void)state;
	open_tree(&t);
	make(&t, "a");
	watch(&t);
	w.tree = &t;
	timer_set(t.loop, &w.timer, 0, on_write);
	expect_told(&t, "a file that is written again and again");
	expect_told(&t, "the same for the second time");
	timer_clear(t.loop, &w.timer);
	close_tree(&t);
}

struct slow_writer {
	struct timer timer;
	struct tree *tree;
	FILE *file;
	unsigned parts;
};

/* Ends behind the third part. */
static void on_part(struct timer *timer)
{
	struct slow_writer *w = CONTAINER_OF(timer, struct slow_writer, timer);

	assert_true(fputs("part\n", w->file) >= 0);
	assert_int_equal(fflush(w->file), 0);
	if (++w->parts < 3) {
		timer_set(w->tree->loop, timer, 2 * FILE_WATCH_QUIET_MS, on_part);
		return;
	}
	assert_int_equal(fclose(w->file), 0);
}

/* The first lines of a file are a valid file as well, with less in it. */
static void a_file_is_not_told_while_it_is_written(void **state)
{
	struct slow_writer w = {.parts = 0};
	struct tree t;

	(void)state;
	open_tree(&t);
	make(&t, "a");
	put(&t, "a/x.yaml", "1");
	watch(&t);
	w.tree = &t;
	w.file = fopen(in(&t, "a/x.yaml"), "w");
	assert_non_null(w.file);
	timer_set(t.loop, &w.timer, 0, on_part);
	expect_told(&t, "a file that is written slowly");
	assert_int_equal(w.parts, 3);
	w.file = fopen(in(&t, "a/x.yaml"), "a");
	assert_non_null(w.file);
	w.parts = 0;
	on_part(&w.timer);
	timer_clear(t.loop, &w.timer);
	expect_told(&t, "a file that its writer never closes");
	assert_int_equal(fclose(w.file), 0);
	close_tree(&t);
}

static void directories_that_come_and_go(void **state)
{
	struct tree t;

	(void)state;
	open_tree(&t);
	watch(&t);
	make(&t, "a");
	expect_told(&t, "a directory that appears");
	put(&t, "a/x.yaml", "1");
	expect_told(&t, "a file in it");
	make(&t, "other");
	put(&t, "other/x.yaml", "2");
	expect_told(&t, "something in the root");
	move(&t, "a", "old");
	move(&t, "other", "a");
	expect_told(&t, "a swap");
	put(&t, "a/x.yaml", "3");
	expect_told(&t, "a file in what came by the swap");
	put(&t, "old/x.yaml", "4");
	expect_rest(&t, "a file in what went by the swap");
	remove_all(in(&t, "a"));
	expect_told(&t, "a deleted directory");
	close_tree(&t);
}

static void the_root_itself(void **state)
{
	char away[80];
	struct tree t;

	(void)state;
	open_tree(&t);
	snprintf(away, sizeof(away), "%s-away", t.root);
	make(&t, "a");
	watch(&t);
	assert_int_equal(rename(t.root, away), 0);
	expect_told(&t, "a root that is gone");
	expect_rest(&t, "a root that is gone");
	assert_int_equal(rename(away, t.root), 0);
	expect_told(&t, "a root that is back");
	put(&t, "a/x.yaml", "1");
	expect_told(&t, "a file in the root that is back");
	close_tree(&t);
}

/* What no event says (a mount, a link above) is found by looking at the paths now and then. */
static void a_link_that_leads_elsewhere(void **state)
{
	struct tree t, one, two;

	(void)state;
	open_tree(&one);
	open_tree(&two);
	make(&one, "a");
	make(&two, "a");
	open_tree(&t);
	remove_all(t.root);
	assert_int_equal(symlink(one.root, t.root), 0);
	watch(&t);
	put(&one, "a/x.yaml", "1");
	expect_told(&t, "a file behind the link");
	assert_int_equal(unlink(t.root), 0);
	assert_int_equal(symlink(two.root, t.root), 0);
	expect_told(&t, "a link that leads elsewhere");
	put(&two, "a/x.yaml", "2");
	expect_told(&t, "a file behind the new link");
	assert_int_equal(unlink(t.root), 0);
	close_tree(&t);
	close_tree(&one);
	close_tree(&two);
}

/* As root everything can be read, so a directory becomes unreadable by becoming a link to itself. */
static void what_cannot_be_watched_is_told_about_again_and_again(void **state)
{
	struct tree t;

	(void)state;
	open_tree(&t);
	assert_int_equal(symlink("a", in(&t, "a")), 0);
	watch(&t);
	expect_told(&t, "the first look");
	expect_told(&t, "the second look");
	assert_int_equal(unlink(in(&t, "a")), 0);
	expect_told(&t, "the end of it");
	expect_rest(&t, "the end of it");
	close_tree(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_happens_to_files_is_told),
		cmocka_unit_test(many_changes_at_once_are_told_once),
		cmocka_unit_test(a_tree_that_never_rests_is_told_about),
		cmocka_unit_test(a_file_is_not_told_while_it_is_written),
		cmocka_unit_test(directories_that_come_and_go),
		cmocka_unit_test(the_root_itself),
		cmocka_unit_test(a_link_that_leads_elsewhere),
		cmocka_unit_test(what_cannot_be_watched_is_told_about_again_and_again),
	};

	return cmocka_run_group_tests_name("net/file_watch", tests, NULL, NULL);
}
