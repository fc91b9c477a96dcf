/*
 * The directory store on real temporary directories.
 */
#define _GNU_SOURCE
#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "net/name_watch.h"
#include "wire/certificate_make.h"

/* How a directory is to know what changed: every test holds whichever it is. */
enum { LOOKS, IS_TOLD };
static int knows = LOOKS;

struct tree {
	char root[64];
	struct directory *directory;
	struct name_watch *names;
};

static uint32_t take_names(
	void *of, void (*each)(void *arg, size_t kind, const char *name), void *arg)
{
	return name_watch_take(of, each, arg);
}

static void watch(struct tree *t)
{
	const char *names[RESOURCE_KIND_COUNT];
	struct fault fault;

	t->names = NULL;
	if (knows == LOOKS) {
		return;
	}
	for (int k = 0; k < RESOURCE_KIND_COUNT; k++) {
		names[k] = resource_dir((enum resource_kind)k);
	}
	t->names = name_watch_new(t->root, names, RESOURCE_KIND_COUNT, &fault);
	assert_non_null(t->names);
	directory_set_news(
		t->directory, (struct directory_news){.take = take_names, .of = t->names});
}

static const char *path_in(const struct tree *t, const char *name, char room[300])
{
	snprintf(room, 300, "%s/%s", t->root, name);
	return room;
}

static void make_dir(const struct tree *t, const char *name)
{
	struct fault fault;
	char room[300];

	assert_int_equal(file_make_dir(path_in(t, name, room), 0700, &fault), 0);
}

static void write_file(const struct tree *t, const char *name, const char *content)
{
	struct fault fault;
	char room[300];

	assert_int_equal(
		file_write_atomic(path_in(t, name, room), bytes_str(content), 0600, &fault), 0);
}

static void append(const struct tree *t, const char *name, const char *content)
{
	struct fault fault;
	char room[300];

	assert_int_equal(
		file_append(path_in(t, name, room), bytes_str(content), 0600, UINT64_MAX, &fault),
		0);
}

static void tree_init(struct tree *t)
{
	snprintf(t->root, sizeof(t->root), "/tmp/sluice-directory-XXXXXX");
	assert_non_null(mkdtemp(t->root));
	make_dir(t, "configmaps");
	make_dir(t, "ingresses");
	t->directory = directory_new(t->root);
	watch(t);
}

static bool remove_one(void *arg, const char *name);

static void remove_all(const char *path)
{
	struct file_stat st;
	struct fault fault;

	assert_int_equal(file_stat(path, &st), 0);
	if (st.is_dir) {
		chmod(path, 0700);
		assert_int_equal(file_list(path, remove_one, (void *)(uintptr_t)path, &fault), 0);
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

static void tree_done(struct tree *t)
{
	directory_free(t->directory);
	name_watch_free(t->names);
	remove_all(t->root);
}

#define CONFIGMAP(value) "apiVersion: v1\nkind: ConfigMap\ndata:\n  v: " value "\n"

/* What one reading gave: names of ConfigMaps with their value of v, and the report. */
struct reading {
	struct snapshot *snapshot;
	struct directory_report report;
	char text[400];
};

static void reading_init(struct tree *t, struct reading *r)
{
	struct text out;

	r->snapshot = directory_read(t->directory, &r->report);
	text_init_fixed(&out, r->text, sizeof(r->text));
	for (size_t i = 0; i < r->snapshot->n; i++) {
		const struct object *o = r->snapshot->objects[i];

		if (o->kind != RESOURCE_CONFIGMAP) {
			continue;
		}
		text_add_bytes(&out, o->meta.name);
		text_add_char(&out, '=');
		text_add_bytes(&out, pairs_get(&o->u.configmap.data, "v"));
		text_add_char(&out, ' ');
	}
	text_add_char(&out, '\0');
}

static void reading_done(struct reading *r)
{
	snapshot_unref(r->snapshot);
	directory_report_done(&r->report);
}

static bool has(const struct reading *r, const char *code, const char *file)
{
	for (const struct finding *f = r->report.findings.first; f != NULL; f = f->next) {
		if (strcmp(f->code, code) == 0 && bytes_eq(f->file, bytes_str(file))) {
			return true;
		}
	}
	return false;
}

/* Reads once and compares; the objects are gone afterwards. */
static void expect(struct tree *t, const char *text, size_t files, size_t read, size_t kept_bad)
{
	struct reading r;

	reading_init(t, &r);
	assert_string_equal(r.text, text);
	assert_int_equal(r.report.files, files);
	assert_int_equal(r.report.read, read);
	assert_int_equal(r.report.kept_bad, kept_bad);
	reading_done(&r);
}

/* As a commit does with the file a.yaml. */
static void put(struct tree *t, const char *text, const struct file_stat *st)
{
	struct findings why;
	struct object *o;
	struct arena a;

	arena_init(&a, 1 << 20);
	findings_init(&why, &a);
	o = object_read(RESOURCE_CONFIGMAP, BYTES("configmaps/a.yaml"), bytes_str(text), &why);
	assert_non_null(o);
	directory_put(t->directory, RESOURCE_CONFIGMAP, BYTES("a"), o, st);
	arena_done(&a);
}

static void only_yaml_files_are_resources(void **state)
{
	struct tree t;

	(void)state;
	tree_init(&t);
	expect(&t, "", 0, 0, 0);
	write_file(&t, "configmaps/b.yaml", CONFIGMAP("2"));
	write_file(&t, "configmaps/a.b.yaml", CONFIGMAP("1"));
	write_file(&t, "configmaps/a-b.yaml", CONFIGMAP("0"));
	/* G07, and what else is no resource */
	write_file(&t, "configmaps/other.yml", CONFIGMAP("no"));
	write_file(&t, "configmaps/x.yaml.tmp", CONFIGMAP("no"));
	write_file(&t, "configmaps/X.YAML", CONFIGMAP("no"));
	write_file(&t, "configmaps/.yaml", CONFIGMAP("no"));
	make_dir(&t, "configmaps/dir");
	write_file(&t, "configmaps/dir/c.yaml", CONFIGMAP("no"));
	make_dir(&t, "unheard");
	write_file(&t, "unheard/x.yaml", "[");
	write_file(&t, ".console-used", "");
	expect(&t, "a-b=0 a.b=1 b=2 ", 3, 3, 0);
	tree_done(&t);
}

static void what_did_not_change_is_the_same_object(void **state)
{
	struct reading one, two, three;
	struct tree t;
	char room[300];
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct timespec older[2] = {{.tv_sec = 999}, {.tv_sec = 999}};

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	write_file(&t, "configmaps/b.yaml", CONFIGMAP("1"));
	assert_int_equal(utimensat(AT_FDCWD, path_in(&t, "configmaps/a.yaml", room), old, 0), 0);
	reading_init(&t, &one);
	write_file(&t, "configmaps/b.yaml", CONFIGMAP("2"));
	reading_init(&t, &two);
	assert_ptr_equal(one.snapshot->objects[0], two.snapshot->objects[0]);
	assert_ptr_not_equal(one.snapshot->objects[1], two.snapshot->objects[1]);
	assert_int_equal(two.report.read, 1);
	/* Touched, not changed: read, but not parsed anew. */
	assert_int_equal(utimensat(AT_FDCWD, path_in(&t, "configmaps/a.yaml", room), older, 0), 0);
	reading_init(&t, &three);
	assert_ptr_equal(one.snapshot->objects[0], three.snapshot->objects[0]);
	assert_int_equal(three.report.read, 0);
	/* Snapshots are consistent: the old one still says what it said. */
	assert_string_equal(one.text, "a=1 b=1 ");
	reading_done(&one);
	reading_done(&two);
	reading_done(&three);
	tree_done(&t);
}

/* Two writes within a tick of the clock, same length, written in place: nothing that stat tells
 * differs. */
static void a_young_file_is_read_again(void **state)
{
	struct tree t;
	struct stat before;
	struct timespec times[2];
	char room[300];
	FILE *f;

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("one"));
	path_in(&t, "configmaps/a.yaml", room);
	expect(&t, "a=one ", 1, 1, 0);
	assert_int_equal(stat(room, &before), 0);
	f = fopen(room, "r+");
	assert_non_null(f);
	fputs(CONFIGMAP("two"), f);
	fclose(f);
	times[0] = times[1] = before.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, room, times, 0), 0);
	expect(&t, "a=two ", 1, 1, 0);
	tree_done(&t);
}

/* What is put is in use without a look at the file, as long as nobody can have written it since. */
static void what_was_put_is_not_read_again(void **state)
{
	const struct timespec far[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
	struct file_stat st;
	struct tree t;
	char room[300];

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("one"));
	path_in(&t, "configmaps/a.yaml", room);
	usleep(50000);
	assert_int_equal(chmod(room, 0640), 0); /* as a rename does: ctime is behind mtime */
	assert_int_equal(file_stat(room, &st), 0);
	assert_true(st.mtime_ns < st.ctime_ns);
	put(&t, CONFIGMAP("two"), &st);
	expect(&t, "a=two ", 1, 0, 0);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("six"));
	expect(&t, "a=six ", 1, 1, 0);
	/* Its times do not tell whether somebody wrote behind the rename. */
	assert_int_equal(utimensat(AT_FDCWD, room, far, 0), 0);
	assert_int_equal(file_stat(room, &st), 0);
	put(&t, CONFIGMAP("ten"), &st);
	expect(&t, "a=six ", 1, 1, 0);
	tree_done(&t);
}

/* Copied over in place with the time that everything has in a reproducible image or a store of
 * packages: size, time and inode are those of before. */
static void a_file_with_a_time_of_its_own_is_read_again(void **state)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct tree t;
	char room[300];
	FILE *f;

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("one"));
	path_in(&t, "configmaps/a.yaml", room);
	assert_int_equal(utimensat(AT_FDCWD, room, times, 0), 0);
	expect(&t, "a=one ", 1, 1, 0);
	f = fopen(room, "r+");
	assert_non_null(f);
	fputs(CONFIGMAP("two"), f);
	fclose(f);
	assert_int_equal(utimensat(AT_FDCWD, room, times, 0), 0);
	expect(&t, "a=two ", 1, 1, 0);
	tree_done(&t);
}

static void a_broken_file_keeps_its_last_good(void **state)
{
	struct reading r;
	struct tree t;

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	write_file(&t, "configmaps/b.yaml", CONFIGMAP("1"));
	write_file(&t, "configmaps/never.yaml", "data: [");
	expect(&t, "a=1 b=1 ", 3, 3, 0);
	write_file(&t, "configmaps/a.yaml", "data: {v: [");
	for (int i = 0; i < 2; i++) { /* said every time, not only when it broke */
		reading_init(&t, &r);
		assert_string_equal(r.text, "a=1 b=1 ");
		assert_int_equal(r.report.kept_bad, 1);
		assert_true(has(&r, "yaml-syntax", "configmaps/a.yaml"));
		assert_true(has(&r, "yaml-syntax", "configmaps/never.yaml"));
		assert_int_equal(r.report.findings.errors, 2);
		reading_done(&r);
	}
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("2"));
	write_file(&t, "configmaps/never.yaml", CONFIGMAP("3"));
	expect(&t, "a=2 b=1 never=3 ", 3, 2, 0);
	/* Broken, then put back as it was. */
	write_file(&t, "configmaps/a.yaml", "[");
	expect(&t, "a=2 b=1 never=3 ", 3, 1, 1);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("2"));
	expect(&t, "a=2 b=1 never=3 ", 3, 0, 0);
	tree_done(&t);
}

static void make_secret(struct text *t, const char *broken)
{
	struct text pem[2];

	text_clear(t);
	text_add_str(t, "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nstringData:\n");
	text_init(&pem[0], 1 << 16);
	text_init(&pem[1], 1 << 16);
	make_pair(&pem[0], &pem[1], &(struct make_options){.names = "DNS:a.com"});
	for (size_t i = 0; i < 2; i++) {
		text_addf(t, "  tls.%s: |\n    %s\n", i == 0 ? "crt" : "key", broken);
		for (struct bytes rest = text_bytes(&pem[i]); rest.p != NULL;) {
			struct bytes line = bytes_cut(&rest, '\n');

			text_addf(t, "    " BYTES_FMT "\n", BYTES_ARG(line));
		}
		text_done(&pem[i]);
	}
}

/* A TLS Secret is broken, too, when its YAML is fine and its certificate is not; one that did not change
 * is not decoded again. */
static void a_broken_certificate_keeps_its_last_good(void **state)
{
	const struct certificate *first;
	struct reading r;
	struct text text;
	struct tree t;

	(void)state;
	tree_init(&t);
	make_dir(&t, "secrets");
	text_init(&text, 1 << 18);
	make_secret(&text, "");
	write_file(&t, "secrets/s.yaml", text_cstr(&text));
	reading_init(&t, &r);
	assert_int_equal(r.snapshot->n, 1);
	first = certificate_ref(r.snapshot->objects[0]->u.secret.certificate);
	reading_done(&r);
	reading_init(&t, &r);
	assert_ptr_equal(r.snapshot->objects[0]->u.secret.certificate, first);
	reading_done(&r);
	make_secret(&text, "-----END CERTIFICATE-----");
	write_file(&t, "secrets/s.yaml", text_cstr(&text));
	reading_init(&t, &r);
	assert_true(has(&r, "certificate-invalid", "secrets/s.yaml"));
	assert_int_equal(r.report.kept_bad, 1);
	assert_ptr_equal(r.snapshot->objects[0]->u.secret.certificate, first);
	reading_done(&r);
	make_secret(&text, "");
	write_file(&t, "secrets/s.yaml", text_cstr(&text));
	reading_init(&t, &r);
	assert_int_equal(r.report.findings.n, 0);
	assert_ptr_not_equal(r.snapshot->objects[0]->u.secret.certificate, first);
	reading_done(&r);
	tree_done(&t);
	assert_int_equal(atomic_load(&first->refs), 1);
	certificate_unref(first);
	text_done(&text);
}

/* Who may pass is unknown while what may be key-auth was never read. */
static void an_unread_guard_is_told(void **state)
{
	static const struct {
		const char *name, *content; /* NULL: cannot be read */
		bool told;
		const char *reason;
	} rows[] = {
		{"wasmplugins/key-auth.internal.yaml", "[", true, "its name says so"},
		{"wasmplugins/key-auth.internal.yaml", "", true, "a name is enough"},
		{"wasmplugins/mine.yaml", "a: key-auth\nb: [", true, "its text says so"},
		{"wasmplugins/mine.yaml", NULL, true, "it may say anything"},
		{"wasmplugins/mine.yaml", "[", false, "another plugin"},
		{"wasmplugins/mine.yaml", "", false, "nothing stands in it"},
		{"configmaps/key-auth.yaml", "[", false, "no plugin"},
	};
	const char *good = "spec: {}\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reading r;
		struct tree t;
		char room[300];

		tree_init(&t);
		make_dir(&t, "wasmplugins");
		if (rows[i].content != NULL) {
			write_file(&t, rows[i].name, rows[i].content);
		} else {
			assert_int_equal(mkfifo(path_in(&t, rows[i].name, room), 0600), 0);
		}
		for (int k = 0; k < 2; k++) { /* told every time, until it is corrected */
			reading_init(&t, &r);
			if (r.snapshot->guard_unread != rows[i].told) {
				fail_msg("%s: %s", rows[i].name, rows[i].reason);
			}
			reading_done(&r);
		}
		assert_int_equal(unlink(path_in(&t, rows[i].name, room)), 0);
		if (i == 0) {
			write_file(&t, rows[i].name, good);
		}
		reading_init(&t, &r);
		assert_false(r.snapshot->guard_unread);
		reading_done(&r);
		if (i == 0) { /* there is a last good one */
			write_file(&t, rows[i].name, "[");
			reading_init(&t, &r);
			assert_false(r.snapshot->guard_unread);
			reading_done(&r);
		}
		tree_done(&t);
	}
}

static void an_unread_plugin_directory_is_told(void **state)
{
	struct reading r;
	struct tree t;
	char room[300];

	(void)state;
	tree_init(&t);
	assert_int_equal(symlink("wasmplugins", path_in(&t, "wasmplugins", room)), 0);
	reading_init(&t, &r);
	assert_true(r.snapshot->guard_unread);
	reading_done(&r);
	assert_int_equal(unlink(room), 0);
	reading_init(&t, &r);
	assert_false(r.snapshot->guard_unread);
	reading_done(&r);
	assert_int_equal(symlink("wasmplugins", room), 0);
	reading_init(&t, &r); /* what was known of it stays */
	assert_false(r.snapshot->guard_unread);
	reading_done(&r);
	assert_int_equal(unlink(room), 0);
	tree_done(&t);
}

static void a_removed_file_is_gone(void **state)
{
	struct tree t;
	char room[300];

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	write_file(&t, "configmaps/b.yaml", "[");
	write_file(&t, "configmaps/c.yaml", CONFIGMAP("1"));
	expect(&t, "a=1 c=1 ", 3, 3, 0);
	assert_int_equal(unlink(path_in(&t, "configmaps/a.yaml", room)), 0);
	assert_int_equal(unlink(path_in(&t, "configmaps/b.yaml", room)), 0);
	expect(&t, "c=1 ", 1, 0, 0);
	assert_int_equal(unlink(path_in(&t, "configmaps/c.yaml", room)), 0);
	expect(&t, "", 0, 0, 0);
	remove_all(path_in(&t, "configmaps", room)); /* it held nothing */
	expect(&t, "", 0, 0, 0);
	tree_done(&t);
}

static void expect_lost(struct tree *t, const char *text)
{
	struct reading r;

	reading_init(t, &r);
	assert_string_equal(r.text, text);
	assert_true(has(&r, "directory-lost", "configmaps"));
	assert_int_equal(r.report.findings.errors, 1);
	assert_int_equal(r.report.gone, 0);
	reading_done(&r);
}

/* A mount point that lost its file system looks like a directory that is another one, and empty. */
static void a_directory_that_is_lost_keeps_everything(void **state)
{
	char room[300], away[300];
	struct tree t;

	(void)state;
	tree_init(&t);
	path_in(&t, "configmaps", room);
	path_in(&t, "away", away);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	expect(&t, "a=1 ", 1, 1, 0);
	assert_int_equal(rename(room, away), 0);
	expect_lost(&t, "a=1 "); /* gone */
	make_dir(&t, "configmaps");
	expect_lost(&t, "a=1 "); /* another one, empty */
	expect_lost(&t, "a=1 "); /* and it stays so */
	write_file(&t, "configmaps/b.yaml", CONFIGMAP("2"));
	expect(&t, "b=2 ", 1, 1, 0); /* another one with files: swapped on purpose */
	assert_int_equal(unlink(path_in(&t, "configmaps/b.yaml", room)), 0);
	expect(&t, "", 0, 0, 0); /* emptied file by file */
	tree_done(&t);
}

static void a_root_that_is_lost_keeps_everything(void **state)
{
	char away[80];
	struct tree t;

	(void)state;
	tree_init(&t);
	snprintf(away, sizeof(away), "%s-away", t.root);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	expect(&t, "a=1 ", 1, 1, 0);
	assert_int_equal(rename(t.root, away), 0);
	expect_lost(&t, "a=1 ");
	assert_int_equal(rename(away, t.root), 0);
	expect(&t, "a=1 ", 1, 0, 0);
	tree_done(&t);
}

/* A name that is no file any more, a link that leads nowhere, a pipe. */
static void odd_entries(void **state)
{
	struct reading r;
	struct tree t;
	char room[300];

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	assert_int_equal(symlink("nowhere", path_in(&t, "configmaps/link.yaml", room)), 0);
	assert_int_equal(symlink("a.yaml", path_in(&t, "configmaps/good.yaml", room)), 0);
	assert_int_equal(mkfifo(path_in(&t, "configmaps/pipe.yaml", room), 0600), 0);
	reading_init(&t, &r);
	assert_string_equal(r.text, "a=1 good=1 ");
	assert_true(has(&r, "file-unreadable", "configmaps/pipe.yaml"));
	assert_true(has(&r, "file-unreadable", "configmaps/link.yaml"));
	assert_int_equal(r.report.findings.errors, 2);
	reading_done(&r);
	tree_done(&t);
}

/* As root everything can be read, so a directory becomes unreadable by becoming a link to itself. */
static void an_unreadable_directory_keeps_everything(void **state)
{
	struct reading r;
	struct tree t;
	char room[300], away[300];

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	expect(&t, "a=1 ", 1, 1, 0);
	path_in(&t, "configmaps", room);
	path_in(&t, "away", away);
	assert_int_equal(rename(room, away), 0);
	assert_int_equal(symlink("configmaps", room), 0);
	reading_init(&t, &r);
	assert_string_equal(r.text, "a=1 ");
	assert_true(has(&r, "directory-unreadable", "configmaps"));
	reading_done(&r);
	assert_int_equal(unlink(room), 0);
	assert_int_equal(rename(away, room), 0);
	expect(&t, "a=1 ", 1, 0, 0);
	tree_done(&t);
}

static void an_unreadable_file_keeps_its_last_good(void **state)
{
	struct reading r;
	struct tree t;
	char room[300];

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	expect(&t, "a=1 ", 1, 1, 0);
	path_in(&t, "configmaps/a.yaml", room);
	assert_int_equal(unlink(room), 0);
	assert_int_equal(mkfifo(room, 0600), 0);
	reading_init(&t, &r);
	assert_string_equal(r.text, "a=1 ");
	assert_int_equal(r.report.kept_bad, 1);
	assert_true(has(&r, "file-unreadable", "configmaps/a.yaml"));
	reading_done(&r);
	tree_done(&t);
}

/* What a link leads to is away for a moment, or for good: the name was not removed. */
static void a_link_that_leads_nowhere_keeps_its_last_good(void **state)
{
	struct reading r;
	struct tree t;
	char room[300];

	(void)state;
	tree_init(&t);
	write_file(&t, "there", CONFIGMAP("1"));
	assert_int_equal(symlink("../there", path_in(&t, "configmaps/a.yaml", room)), 0);
	expect(&t, "a=1 ", 1, 1, 0);
	assert_int_equal(unlink(path_in(&t, "there", room)), 0);
	reading_init(&t, &r);
	assert_string_equal(r.text, "a=1 ");
	assert_int_equal(r.report.kept_bad, 1);
	assert_true(has(&r, "file-unreadable", "configmaps/a.yaml"));
	reading_done(&r);
	write_file(&t, "there", CONFIGMAP("2"));
	expect(&t, "a=2 ", 1, 1, 0);
	assert_int_equal(unlink(path_in(&t, "configmaps/a.yaml", room)), 0);
	make_dir(&t, "wasmplugins");
	assert_int_equal(symlink("nowhere", path_in(&t, "wasmplugins/mine.yaml", room)), 0);
	reading_init(&t, &r);
	assert_string_equal(r.text, "");
	assert_true(r.snapshot->guard_unread); /* it may have said who passes */
	reading_done(&r);
	assert_int_equal(unlink(room), 0);
	tree_done(&t);
}

/* An empty Ingress is a valid one without rules; a file that has become empty is one that is being
 * written. */
static void an_emptied_file_keeps_its_last_good(void **state)
{
	struct reading r;
	struct tree t;

	(void)state;
	tree_init(&t);
	write_file(&t, "ingresses/a.yaml", "");
	reading_init(&t, &r);
	assert_int_equal(r.report.findings.errors, 0);
	reading_done(&r);
	write_file(&t, "ingresses/a.yaml", "rules:\n- host: a.test\n");
	reading_init(&t, &r);
	assert_int_equal(r.snapshot->objects[0]->u.ingress.n_rules, 1);
	reading_done(&r);
	write_file(&t, "ingresses/a.yaml", "");
	reading_init(&t, &r);
	assert_int_equal(r.snapshot->objects[0]->u.ingress.n_rules, 1);
	assert_int_equal(r.report.kept_bad, 1);
	assert_true(has(&r, "empty-file", "ingresses/a.yaml"));
	reading_done(&r);
	write_file(&t, "ingresses/a.yaml", "rules: []\n");
	reading_init(&t, &r);
	assert_int_equal(r.snapshot->objects[0]->u.ingress.n_rules, 0);
	reading_done(&r);
	tree_done(&t);
}

static void warnings_of_files_are_in_every_report(void **state)
{
	struct reading r;
	struct tree t;

	(void)state;
	tree_init(&t);
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1") "---\n" CONFIGMAP("2"));
	for (int i = 0; i < 2; i++) {
		reading_init(&t, &r);
		assert_string_equal(r.text, "a=1 ");
		assert_true(has(&r, "several-documents", "configmaps/a.yaml"));
		assert_int_equal(r.report.findings.errors, 0);
		reading_done(&r);
	}
	tree_done(&t);
}

/* Whatever a file holds, it does not take the others with it. */
static void many_files(void **state)
{
	struct reading r;
	struct tree t;

	(void)state;
	tree_init(&t);
	for (int i = 0; i < 300; i++) {
		char name[60], content[60];

		snprintf(name, sizeof(name), "configmaps/n%d.yaml", i);
		snprintf(content, sizeof(content), CONFIGMAP("%d"), i);
		write_file(&t, name, i % 3 == 0 ? "{" : content);
	}
	reading_init(&t, &r);
	assert_int_equal(r.snapshot->n, 200);
	assert_int_equal(r.report.findings.errors, 100);
	for (size_t i = 1; i < r.snapshot->n; i++) {
		assert_true(bytes_cmp(r.snapshot->objects[i - 1]->meta.name,
				    r.snapshot->objects[i]->meta.name) < 0);
	}
	reading_done(&r);
	tree_done(&t);
}

/* --- what is told ------------------------------------------------------------------------------- */

struct teller {
	const char *names[4]; /* of ConfigMaps, NULL at the end */
	uint32_t known;
};

static uint32_t tell(void *of, void (*each)(void *arg, size_t kind, const char *name), void *arg)
{
	const struct teller *t = of;

	for (size_t i = 0; i < ARRAY_LEN(t->names) && t->names[i] != NULL; i++) {
		each(arg, RESOURCE_CONFIGMAP, t->names[i]);
	}
	return t->known;
}

static void expect_told(struct tree *t, const char *text)
{
	struct reading r;

	reading_init(t, &r);
	assert_string_equal(r.text, text);
	reading_done(&r);
}

#define ALL ((1u << RESOURCE_KIND_COUNT) - 1)

static void only_what_is_told_is_looked_at(void **state)
{
	struct teller teller = {.known = 0};
	struct tree t;
	char room[300];

	(void)state;
	tree_init(&t);
	directory_set_news(t.directory, (struct directory_news){.take = tell, .of = &teller});
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("1"));
	write_file(&t, "configmaps/b.yaml", CONFIGMAP("1"));
	teller.known = ALL;
	expect_told(&t, "a=1 b=1 "); /* nothing was read yet, whatever is told */
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("2"));
	write_file(&t, "configmaps/b.yaml", CONFIGMAP("2"));
	teller.names[0] = teller.names[1] = "b.yaml";
	expect_told(&t, "a=1 b=2 ");
	teller.known = 0;
	expect_told(&t, "a=2 b=2 ");
	teller.known = ALL;
	write_file(&t, "configmaps/a.yaml", CONFIGMAP("3"));
	directory_doubt(t.directory);
	expect_told(&t, "a=3 b=2 ");
	assert_int_equal(unlink(path_in(&t, "configmaps/b.yaml", room)), 0);
	expect_told(&t, "a=3 ");
	write_file(&t, "configmaps/0.yaml", CONFIGMAP("4"));
	teller.names[0] = "0.yaml";
	teller.names[1] = "b.yaml";
	teller.names[2] = "0.yaml";
	expect_told(&t, "0=4 a=3 ");
	tree_done(&t);
}

/* Its directory has no event of it. */
static void a_linked_file_is_always_looked_at(void **state)
{
	struct tree t, elsewhere;
	char from[300], to[300];

	(void)state;
	tree_init(&t);
	tree_init(&elsewhere);
	write_file(&elsewhere, "configmaps/far.yaml", CONFIGMAP("1"));
	assert_int_equal(symlink(path_in(&elsewhere, "configmaps/far.yaml", from),
				 path_in(&t, "configmaps/a.yaml", to)),
		0);
	write_file(&elsewhere, "configmaps/twice.yaml", CONFIGMAP("1"));
	assert_int_equal(link(path_in(&elsewhere, "configmaps/twice.yaml", from),
				 path_in(&t, "configmaps/b.yaml", to)),
		0);
	expect_told(&t, "a=1 b=1 ");
	expect_told(&t, "a=1 b=1 ");
	write_file(&elsewhere, "configmaps/far.yaml", CONFIGMAP("2"));
	append(&elsewhere, "configmaps/twice.yaml", "  w: 1\n");
	{
		struct reading r;

		reading_init(&t, &r);
		assert_string_equal(r.text, "a=2 b=1 ");
		assert_int_equal(r.report.read, 2);
		reading_done(&r);
	}
	tree_done(&t);
	tree_done(&elsewhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_yaml_files_are_resources),
		cmocka_unit_test(what_did_not_change_is_the_same_object),
		cmocka_unit_test(a_young_file_is_read_again),
		cmocka_unit_test(what_was_put_is_not_read_again),
		cmocka_unit_test(a_file_with_a_time_of_its_own_is_read_again),
		cmocka_unit_test(a_broken_file_keeps_its_last_good),
		cmocka_unit_test(a_broken_certificate_keeps_its_last_good),
		cmocka_unit_test(an_unread_guard_is_told),
		cmocka_unit_test(an_unread_plugin_directory_is_told),
		cmocka_unit_test(a_removed_file_is_gone),
		cmocka_unit_test(a_directory_that_is_lost_keeps_everything),
		cmocka_unit_test(a_root_that_is_lost_keeps_everything),
		cmocka_unit_test(odd_entries),
		cmocka_unit_test(an_unreadable_directory_keeps_everything),
		cmocka_unit_test(an_unreadable_file_keeps_its_last_good),
		cmocka_unit_test(a_link_that_leads_nowhere_keeps_its_last_good),
		cmocka_unit_test(an_emptied_file_keeps_its_last_good),
		cmocka_unit_test(warnings_of_files_are_in_every_report),
		cmocka_unit_test(many_files),
		cmocka_unit_test(only_what_is_told_is_looked_at),
		cmocka_unit_test(a_linked_file_is_always_looked_at),
	};
	int failed = cmocka_run_group_tests_name("store/directory", tests, NULL, NULL);

	knows = IS_TOLD;
	return failed +
		cmocka_run_group_tests_name("store/directory, told by events", tests, NULL, NULL);
}
