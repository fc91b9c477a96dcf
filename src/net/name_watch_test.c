/*
 * What is told, and when nothing is known, on real directories.
 */
#define _GNU_SOURCE
#include "net/name_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "net/sys_watch.h"

static const char *const places[] = {"a", "b", "c"};

struct world {
	char root[64];
	struct name_watch *watch;
	char told[2000]; /* "a/x b/y ", one that follows itself once */
	struct text text;
};

static const char *in(const struct world *w, const char *name, char room[300])
{
	snprintf(room, 300, "%s/%s", w->root, name);
	return room;
}

static void make(const struct world *w, const char *name)
{
	struct fault f;
	char room[300];

	assert_int_equal(file_make_dir(in(w, name, room), 0700, &f), 0);
}

static void put(const struct world *w, const char *name, const char *content)
{
	struct fault f;
	char room[300];

	assert_int_equal(
		file_append(in(w, name, room), bytes_str(content), 0600, UINT64_MAX, &f), 0);
}

static void move(const struct world *w, const char *from, const char *to)
{
	struct fault f;
	char x[300], y[300];

	assert_int_equal(file_rename(in(w, from, x), in(w, to, y), &f), 0);
}

/* a and b are there, c is not. */
static void begin(struct world *w)
{
	struct fault f;

	snprintf(w->root, sizeof(w->root), "/tmp/sluice-names-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	make(w, "a");
	make(w, "b");
	w->watch = name_watch_new(w->root, places, ARRAY_LEN(places), &f);
	assert_non_null(w->watch);
}

static bool remove_each(void *arg, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	if (file_remove(path) != 0) {
		IGNORE(file_list(path, remove_each, path, NULL));
		assert_int_equal(rmdir(path), 0);
	}
	return true;
}

static void end(struct world *w)
{
	name_watch_free(w->watch);
	IGNORE(file_list(w->root, remove_each, w->root, NULL));
	assert_int_equal(rmdir(w->root), 0);
}

static void on_name(void *arg, size_t place, const char *name)
{
	struct world *w = arg;
	char one[300];

	snprintf(one, sizeof(one), "%s/%s ", places[place], name);
	if (!bytes_ends(text_bytes(&w->text), bytes_str(one))) {
		text_add_str(&w->text, one);
	}
}

/* known: the places' letters. */
static void expect(struct world *w, const char *known, const char *told)
{
	char letters[8] = "";
	uint32_t bits;
	size_t n = 0;

	text_init_fixed(&w->text, w->told, sizeof(w->told));
	bits = name_watch_take(w->watch, on_name, w);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if ((bits >> i & 1) != 0) {
			letters[n++] = *places[i];
		}
	}
	assert_string_equal(letters, known);
	assert_string_equal(text_cstr(&w->text), told);
}

static void names_of_what_changed(void **state)
{
	struct world w;
	char room[300];

	(void)state;
	begin(&w);
	expect(&w, "", ""); /* it begins to watch */
	expect(&w, "ab", "");
	put(&w, "a/x", "1");
	put(&w, "b/y", "1");
	expect(&w, "ab", "a/x b/y ");
	put(&w, "a/x", "2");
	expect(&w, "ab", "a/x ");
	move(&w, "a/x", "b/z");
	expect(&w, "ab", "a/x b/z ");
	assert_int_equal(unlink(in(&w, "b/y", room)), 0);
	assert_int_equal(chmod(in(&w, "b/z", room), 0400), 0);
	expect(&w, "ab", "b/y b/z ");
	expect(&w, "ab", "");
	end(&w);
}

static void a_directory_that_comes_or_goes_is_unknown_once(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	expect(&w, "", "");
	make(&w, "c");
	put(&w, "c/before", "1");
	expect(&w, "ab", "");
	put(&w, "c/behind", "1");
	expect(&w, "abc", "c/behind ");
	move(&w, "c", "elsewhere");
	expect(&w, "ab", "");
	make(&w, "c");
	expect(&w, "ab", "");
	expect(&w, "abc", "");
	end(&w);
}

static void a_directory_that_is_swapped_is_unknown_once(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	make(&w, "other");
	expect(&w, "", "");
	put(&w, "a/x", "1");
	move(&w, "a", "old");
	move(&w, "other", "a");
	expect(&w, "b", "");
	put(&w, "old/y", "1"); /* nobody's */
	put(&w, "a/z", "1");
	expect(&w, "ab", "a/z ");
	end(&w);
}

/* The root itself is another one. */
static void a_root_that_is_swapped_is_unknown_once(void **state)
{
	struct world w;
	char aside[80];
	struct fault f;

	(void)state;
	begin(&w);
	expect(&w, "", "");
	snprintf(aside, sizeof(aside), "%s-aside", w.root);
	assert_int_equal(file_rename(w.root, aside, &f), 0);
	make(&w, "a");
	make(&w, "b");
	IGNORE(file_list(aside, remove_each, aside, NULL));
	assert_int_equal(rmdir(aside), 0);
	expect(&w, "", "");
	expect(&w, "ab", "");
	end(&w);
}

static void lost_events_leave_nothing_known(void **state)
{
	unsigned long limit = 0;
	struct world w;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

	(void)state;
	if (f == NULL || fscanf(f, "%lu", &limit) != 1 || limit > 200000) {
		limit = 0;
	}
	if (f != NULL) {
		fclose(f);
	}
	if (limit == 0) {
		skip();
	}
	begin(&w);
	expect(&w, "", "");
	for (unsigned long i = 0; i < limit; i++) { /* each is several events */
		put(&w, i % 2 == 0 ? "a/x" : "a/y", "1");
	}
	text_init_fixed(&w.text, w.told, sizeof(w.told));
	assert_int_equal(name_watch_take(w.watch, on_name, &w), 0);
	put(&w, "a/z", "1");
	expect(&w, "ab", "a/z ");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_what_changed),
		cmocka_unit_test(a_directory_that_comes_or_goes_is_unknown_once),
		cmocka_unit_test(a_directory_that_is_swapped_is_unknown_once),
		cmocka_unit_test(a_root_that_is_swapped_is_unknown_once),
		cmocka_unit_test(lost_events_leave_nothing_known),
	};

	if (!sys_watch_sees_all("/tmp")) {
		puts("net/name_watch: /tmp is on a file system of which nothing is known");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
