/*
 * What events of real directories say: which changes are those of one file that is complete.
 */
#define _GNU_SOURCE
#include "net/sys_watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Below the root: the watched directory d, and o, which nobody watches. Words: put F (written and
 * closed), begin F (written, left open), end (closes that), rm F, mv F T, swap F T, mkdir F, chmod F,
 * take (the events so far are taken: a batch ends). */
struct row {
	const char *script;
	bool one;
	const char *reason;
};

static const struct row rows[] = {
	{"put d/x", true, "written and closed"},
	{"put d/x, take, put d/x", true, "the same file again"},
	{"put o/x, mv o/x d/x", true, "moved in"},
	{"put d/x.tmp, mv d/x.tmp d/x", true, "written beside and renamed"},
	{"put d/x.tmp, take, mv d/x.tmp d/x", true, "the same, slowly"},
	{"put d/x, take, rm d/x", true, "deleted"},
	{"begin d/x, take, end", true, "closed at last"},
	{"begin d/x", false, "still being written"},
	{"put d/x, take, begin d/x", false, "being written again"},
	{"put d/x, put d/y", false, "two files"},
	{"put d/x, take, put d/y", false, "two files in two batches"},
	{"put d/x, rm d/x, put d/y", false, "one for another"},
	{"put d/x.tmp, mv d/x.tmp d/x, put d/y", false, "another one behind it"},
	{"put o/x, put d/x, take, swap o/x d/x", false,
		"exchanged, which ends with something moved away"},
	{"put d/x, mv d/x o/x", false, "moved away: to where, nobody knows"},
	{"mkdir d/x", false, "a directory"},
	{"put x", false, "a file in the root"},
	{"mkdir n", false, "a directory in the root"},
	{"put d/x, take, chmod d/x", false, "its mode changes"},
	{"", false, "nothing"},
};

struct play {
	char root[64];
	int fd, number, open;
	struct sys_watch_news news;
};

static void in(const struct play *p, const char *name, char *out, size_t n)
{
	snprintf(out, n, "%s/%s", p->root, name);
}

static void act(struct play *p, const char *word, const char *a, const char *b)
{
	char from[200], to[200];

	in(p, a, from, sizeof(from));
	in(p, b, to, sizeof(to));
	if (strcmp(word, "put") == 0 || strcmp(word, "begin") == 0) {
		int fd = open(from, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_true(fd >= 0 && write(fd, "x", 1) == 1);
		if (word[0] == 'p') {
			close(fd);
		} else {
			p->open = fd;
		}
	} else if (strcmp(word, "end") == 0) {
		close(p->open);
		p->open = -1;
	} else if (strcmp(word, "rm") == 0) {
		assert_int_equal(unlink(from), 0);
	} else if (strcmp(word, "mv") == 0) {
		assert_int_equal(rename(from, to), 0);
	} else if (strcmp(word, "swap") == 0) {
		assert_int_equal(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE), 0);
	} else if (strcmp(word, "mkdir") == 0) {
		assert_int_equal(mkdir(from, 0700), 0);
	} else if (strcmp(word, "chmod") == 0) {
		assert_int_equal(chmod(from, 0400), 0);
	} else {
		assert_string_equal(word, "take");
		sys_watch_take(p->fd, p->number, &p->news);
		assert_true(p->news.any);
	}
}

static void run_script(struct play *p, const char *script)
{
	char room[200];
	char *rest = room;

	snprintf(room, sizeof(room), "%s", script);
	for (char *step; (step = strsep(&rest, ",")) != NULL;) {
		char word[16] = "", a[32] = "", b[32] = "";

		if (sscanf(step, " %15s %31s %31s", word, a, b) >= 1) {
			act(p, word, a, b);
		}
	}
}

static bool play(const struct row *r)
{
	struct play p = {.open = -1, .root = "/tmp/sluice-news-XXXXXX"};
	struct fault f;
	char name[200];

	assert_non_null(mkdtemp(p.root));
	p.fd = sys_watch_open(&f);
	assert_true(p.fd >= 0);
	act(&p, "mkdir", "d", "");
	act(&p, "mkdir", "o", "");
	p.number = sys_watch_add(p.fd, p.root, &f);
	in(&p, "d", name, sizeof(name));
	assert_true(p.number >= 0 && sys_watch_add(p.fd, name, &f) >= 0);
	run_script(&p, r->script);
	sys_watch_take(p.fd, p.number, &p.news);
	close(p.fd);
	if (p.open >= 0) {
		close(p.open);
	}
	snprintf(name, sizeof(name), "rm -r '%s'", p.root);
	assert_int_equal(system(name), 0);
	return p.news.done != 0 && !p.news.more;
}

static void one_file_that_is_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (play(&rows[i]) != rows[i].one) {
			fail_msg("%s: %s", rows[i].reason, rows[i].script);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file_that_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
