/*
 * Transactions on a real directory: all or nothing, whatever comes in between. Crashes are made by doing the
 * steps of a commit by hand up to one of them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/backup.h"
#include "store/commit.h"
#include "store/journal.h"

#define MAP_A "configmaps/domain-a.com.yaml"
#define MAP_B "configmaps/domain-b.com.yaml"

struct bench {
	char dir[64], root[96], backups[96];
	struct directory *directory;
};

static void setup(struct bench *b)
{
	struct fault f;

	memcpy(b->dir, "/tmp/sluice-commit-XXXXXX", sizeof("/tmp/sluice-commit-XXXXXX"));
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->root, sizeof(b->root), "%s/resources", b->dir);
	snprintf(b->backups, sizeof(b->backups), "%s/state/backups", b->dir);
	assert_int_equal(file_make_dir(b->root, 0700, &f), 0);
	b->directory = directory_new(b->root);
}

static void teardown(struct bench *b)
{
	char command[128];
	pid_t pid = fork();

	directory_free(b->directory);
	snprintf(command, sizeof(command), "%s", b->dir);
	if (pid == 0) {
		execlp("rm", "rm", "-rf", command, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static const char *in(const struct bench *b, const char *name, char room[256])
{
	snprintf(room, 256, "%s/%s", b->root, name);
	return room;
}

static void put(const struct bench *b, const char *name, const char *content)
{
	char path[256], dir[256];
	struct fault f;

	snprintf(dir, sizeof(dir), "%s/%.*s", b->root, (int)(strchr(name, '/') - name), name);
	assert_int_equal(file_make_dir(dir, 0700, &f), 0);
	assert_int_equal(file_write_atomic(in(b, name, path), bytes_str(content), 0640, &f), 0);
}

/* "" when there is none; the caller frees. */
static char *get(const struct bench *b, const char *name)
{
	char path[256];
	struct text t;
	char *copy;

	text_init(&t, 1 << 20);
	IGNORE(file_read(in(b, name, path), 1 << 20, &t, NULL, NULL));
	copy = bytes_dup(text_bytes(&t));
	text_done(&t);
	return copy;
}

static void expect(const struct bench *b, const char *name, const char *part)
{
	char *text = get(b, name);

	if (part == NULL) {
		assert_string_equal(text, "");
	} else {
		assert_non_null(strstr(text, part));
	}
	free(text);
}

static size_t count_backups(const struct bench *b)
{
	struct strings ids;
	struct arena a;
	size_t n;

	arena_init(&a, 1 << 20);
	assert_int_equal(journal_list(&a, b->backups, &ids, NULL), 0);
	n = ids.n;
	arena_done(&a);
	return n;
}

/* --- an operation ------------------------------------------------------------------------------- */

struct wish {
	const struct bench *bench;
	const char *https; /* of both domains; NULL: they are removed */
	unsigned calls;
	void (*meanwhile)(const struct bench *b, unsigned call);
	bool refuse_plan;
};

static enum op_rc operate(void *arg, struct op *o)
{
	static const char *const names[] = {"domain-a.com", "domain-b.com"};
	struct wish *w = arg;

	w->calls++;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct bytes name = bytes_str(names[i]);
		struct doc *root;

		if (w->https == NULL) {
			draft_remove(&o->draft, RESOURCE_CONFIGMAP, name);
			continue;
		}
		root = draft_need(&o->draft, RESOURCE_CONFIGMAP, name);
		doc_set(o->arena, doc_need_map(o->arena, root, "data"), "enableHttps",
			doc_str(o->arena, w->https));
	}
	return OP_OK;
}

static void *trial(void *arg, struct snapshot *s, struct text *why)
{
	struct wish *w = arg;

	(void)s;
	if (w->meanwhile != NULL) {
		w->meanwhile(w->bench, w->calls);
	}
	if (w->refuse_plan) {
		text_add_str(why, "no");
		return NULL;
	}
	return w;
}

static void drop(void *arg, void *plan)
{
	assert_ptr_equal(arg, plan);
}

static enum commit_rc commit(const struct bench *b, struct wish *w, struct text *why)
{
	struct commit c = {.directory = b->directory,
		.root = b->root,
		.backups = b->backups,
		.who = {BYTES("admin"), BYTES("peer"), BYTES("PUT /x")},
		.now_s = 1700000000,
		.operate = operate,
		.arg = w,
		.trial = trial,
		.drop = drop,
		.trial_arg = w};
	enum commit_rc rc;

	w->bench = b;
	commit_run(&c);
	rc = c.rc;
	if (why != NULL) {
		text_add_bytes(why, text_bytes(&c.why));
	}
	assert_true((c.snapshot != NULL) == (rc == COMMIT_DONE || rc == COMMIT_NOTHING));
	commit_done(&c);
	return rc;
}

static void must(const struct bench *b, const char *https, enum commit_rc want)
{
	struct wish w = {.https = https};

	assert_int_equal(commit(b, &w, NULL), want);
}

/* --- what a commit does ------------------------------------------------------------------------- */

static void test_life(void **state)
{
	struct bench b;
	struct stat st;
	char room[256];

	(void)state;
	setup(&b);
	must(&b, "off", COMMIT_DONE);
	expect(&b, MAP_A, "resourceVersion: \"1\"");
	assert_int_equal(stat(in(&b, MAP_A, room), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	must(&b, "off", COMMIT_NOTHING);
	assert_int_equal(count_backups(&b), 1);
	must(&b, "on", COMMIT_DONE);
	expect(&b, MAP_B, "resourceVersion: \"2\"");
	expect(&b, MAP_B, "enableHttps: \"on\"");
	must(&b, NULL, COMMIT_DONE);
	expect(&b, MAP_A, NULL);
	expect(&b, MAP_B, NULL);
	assert_int_equal(count_backups(&b), 3);
	teardown(&b);
}

static void test_keeps_what_people_wrote(void **state)
{
	struct bench b;
	struct stat st;
	char room[256];

	(void)state;
	setup(&b);
	put(&b, MAP_A,
		"# by hand\nkind: ConfigMap\nmetadata: {name: domain-a.com}\ndata:\n  domain: a.com # "
		"mine\n");
	must(&b, "force", COMMIT_DONE);
	expect(&b, MAP_A, "# by hand\n");
	expect(&b, MAP_A, "domain: a.com # mine\n");
	expect(&b, MAP_A, "enableHttps: force");
	assert_int_equal(stat(in(&b, MAP_A, room), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640); /* the mode that it had */
	teardown(&b);
}

static void write_beside(const struct bench *b, unsigned call)
{
	if (call == 1) {
		put(b, MAP_A,
			"kind: ConfigMap\nmetadata:\n  resourceVersion: \"7\"\ndata:\n  domain: "
			"changed.by.hand\n");
	}
}

static void write_always(const struct bench *b, unsigned call)
{
	char text[128];

	snprintf(text, sizeof(text), "kind: ConfigMap\ndata:\n  domain: \"%u\"\n", call);
	put(b, MAP_A, text);
}

static void test_two_writers(void **state)
{
	struct wish once = {.https = "on", .meanwhile = write_beside};
	struct wish always = {.https = "force", .meanwhile = write_always};
	struct bench b;

	(void)state;
	setup(&b);
	must(&b, "off", COMMIT_DONE);
	assert_int_equal(commit(&b, &once, NULL), COMMIT_DONE);
	assert_int_equal(once.calls, 2);
	expect(&b, MAP_A, "changed.by.hand");
	expect(&b, MAP_A, "enableHttps: \"on\"");
	expect(&b, MAP_A, "resourceVersion: \"8\"");
	assert_int_equal(commit(&b, &always, NULL), COMMIT_BUSY);
	expect(&b, MAP_A, "domain: \"3\"");
	expect(&b, MAP_B, "enableHttps: \"on\"");
	teardown(&b);
}

static void test_foreign_temporary(void **state)
{
	struct timespec old[2] = {{.tv_sec = 1600000000}, {.tv_sec = 1600000000}};
	struct bench b;
	char room[256];

	(void)state;
	setup(&b);
	must(&b, "off", COMMIT_DONE);
	put(&b, MAP_B ".tmp", "half of it");
	must(&b, "on", COMMIT_BUSY);
	expect(&b, MAP_A, "enableHttps: \"off\"");
	expect(&b, MAP_B ".tmp", "half of it");
	assert_int_equal(utimensat(AT_FDCWD, in(&b, MAP_B ".tmp", room), old, 0), 0);
	must(&b, "on", COMMIT_DONE);
	expect(&b, MAP_B ".tmp", NULL);
	teardown(&b);
}

static void test_refusals_change_nothing(void **state)
{
	struct wish plan = {.https = "on", .refuse_plan = true};
	struct bench b;
	struct text why;

	(void)state;
	setup(&b);
	must(&b, "off", COMMIT_DONE);
	text_init(&why, 1000);
	assert_int_equal(commit(&b, &plan, &why), COMMIT_PLAN);
	assert_string_equal(text_cstr(&why), "no");
	text_done(&why);
	put(&b, MAP_B, "kind: [broken");
	must(&b, "on", COMMIT_BUSY);
	expect(&b, MAP_A, "enableHttps: \"off\"");
	expect(&b, MAP_B, "kind: [broken");
	assert_int_equal(count_backups(&b), 1);
	teardown(&b);
}

/* What a person wrote there is not served; nor is it written over. */
static void test_a_refused_file_is_left_alone(void **state)
{
	struct wish wish = {.https = "on"};
	struct directory_report report;
	struct snapshot *served, *now;
	struct bench b;
	struct text why;

	(void)state;
	setup(&b);
	must(&b, "off", COMMIT_DONE);
	served = directory_read(b.directory, &report);
	directory_report_done(&report);
	put(&b, MAP_B, "kind: ConfigMap\ndata:\n  domain: by.hand\n");
	now = directory_read(b.directory, &report);
	directory_report_done(&report);
	directory_refuse(b.directory, RESOURCE_CONFIGMAP, BYTES("domain-b.com"),
		object_ref(snapshot_get(served, RESOURCE_CONFIGMAP, BYTES("domain-b.com"))));
	text_init(&why, 1000);
	assert_int_equal(commit(&b, &wish, &why), COMMIT_BUSY);
	assert_non_null(strstr(text_cstr(&why), "domain-b.com.yaml has errors on disk"));
	expect(&b, MAP_B, "by.hand");
	expect(&b, MAP_A, "enableHttps: \"off\"");
	text_done(&why);
	snapshot_unref(served);
	snapshot_unref(now);
	teardown(&b);
}

/* --- disks that fail ---------------------------------------------------------------------------- */

static void test_full_disk(void **state)
{
	struct rlimit before;
	struct rlimit small;
	struct bench b;

	(void)state;
	setup(&b);
	must(&b, "off", COMMIT_DONE);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	/* Less and less room: every write of a commit is the first that has none at some size. */
	for (rlim_t size = 0; size < 700; size += 20) {
		struct wish w = {.https = "force"};
		enum commit_rc rc;

		small = (struct rlimit){.rlim_cur = size, .rlim_max = before.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		rc = commit(&b, &w, NULL);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		if (rc == COMMIT_DONE) {
			expect(&b, MAP_A, "enableHttps: force");
			expect(&b, MAP_B, "enableHttps: force");
			must(&b, "off", COMMIT_DONE);
			continue;
		}
		assert_int_equal(rc, COMMIT_IO);
		expect(&b, MAP_A, "enableHttps: \"off\"");
		expect(&b, MAP_B, "enableHttps: \"off\"");
		expect(&b, MAP_A ".tmp", NULL);
		expect(&b, MAP_B ".tmp", NULL);
	}
	must(&b, "on", COMMIT_DONE);
	teardown(&b);
}

static void test_no_place_for_backups(void **state)
{
	struct bench b;
	char state_dir[96];
	struct fault f;

	(void)state;
	setup(&b);
	snprintf(state_dir, sizeof(state_dir), "%s/state", b.dir);
	assert_int_equal(file_write_atomic(state_dir, BYTES("a file"), 0600, &f), 0);
	must(&b, "off", COMMIT_IO);
	expect(&b, MAP_A, NULL);
	assert_int_equal(file_remove(state_dir), 0);
	must(&b, "off", COMMIT_DONE);
	teardown(&b);
}

/* --- crashes ------------------------------------------------------------------------------------ */

/* A change of a, and of b, which is made or removed: what is there before and what shall be. */
struct crash_file {
	const char *path;
	const char *name, *before, *after;
};

static const struct crash_file crash_files[] = {
	{MAP_A, "domain-a.com", "before: a\n", "after: a\n"},
	{MAP_B, "domain-b.com", NULL, "after: b\n"},
	{"configmaps/domain-c.com.yaml", "domain-c.com", "before: c\n", NULL},
};
#define CRASH_FILES ARRAY_LEN(crash_files)

static void begin(const struct bench *b, struct arena *a, struct journal *j)
{
	struct fault f;

	*j = (struct journal){.what = BYTES("PUT /x")};
	j->files = arena_must(a, CRASH_FILES * sizeof(*j->files));
	for (size_t i = 0; i < CRASH_FILES; i++) {
		const struct crash_file *c = &crash_files[i];

		if (c->before != NULL) {
			put(b, c->path, c->before);
		}
		j->files[j->n++] = (struct journal_file){.kind = RESOURCE_CONFIGMAP,
			.name = bytes_str(c->name),
			.had = c->before != NULL,
			.has = c->after != NULL,
			.old = bytes_str(c->before),
			.text = bytes_str(c->after),
			.mode = 0640};
		journal_hash(&j->files[j->n - 1]);
	}
	assert_int_equal(journal_begin(j, a, b->backups, &f), 0);
	assert_int_equal(journal_sync(j, a, b->backups, &f), 0);
}

static void place(const struct bench *b, const struct crash_file *c)
{
	char room[256];

	if (c->after != NULL) {
		put(b, c->path, c->after);
	} else {
		assert_int_equal(file_remove(in(b, c->path, room)), 0);
	}
}

static void recover(const struct bench *b, size_t *warnings)
{
	struct findings found;
	struct arena a;

	arena_init(&a, 1 << 20);
	findings_init(&found, &a);
	assert_int_equal(commit_recover(b->root, b->backups, &found), 0);
	*warnings = 0;
	for (const struct finding *f = found.first; f != NULL; f = f->next) {
		*warnings += f->level == FINDING_WARNING;
	}
	arena_done(&a);
}

static void test_crashes(void **state)
{
	(void)state;
	for (size_t placed = 0; placed <= CRASH_FILES + 1; placed++) {
		bool ended = placed == CRASH_FILES + 1;
		bool complete = placed >= CRASH_FILES; /* it may have been acknowledged */
		struct journal j;
		struct arena a;
		struct bench b;
		struct fault f;
		size_t warnings;

		setup(&b);
		arena_init(&a, 1 << 20);
		begin(&b, &a, &j);
		put(&b, MAP_A ".tmp", "half a file that the process left");
		for (size_t i = 0; i < MIN(placed, CRASH_FILES); i++) {
			place(&b, &crash_files[i]);
		}
		if (ended) {
			assert_int_equal(journal_end(&j, &a, &f), 0);
		}
		recover(&b, &warnings);
		assert_int_equal(warnings, 0);
		for (size_t i = 0; i < CRASH_FILES; i++) {
			expect(&b, crash_files[i].path,
				complete ? crash_files[i].after : crash_files[i].before);
		}
		assert_int_equal(count_backups(&b), complete ? 1 : 0);
		if (!complete) {
			expect(&b, MAP_A ".tmp", NULL);
		}
		recover(&b, &warnings); /* a second start finds nothing to do */
		assert_int_equal(count_backups(&b), complete ? 1 : 0);
		arena_done(&a);
		teardown(&b);
	}
}

static void test_crash_then_somebody_writes(void **state)
{
	struct journal j;
	struct arena a;
	struct bench b;
	size_t warnings;

	(void)state;
	setup(&b);
	arena_init(&a, 1 << 20);
	begin(&b, &a, &j);
	place(&b, &crash_files[0]);
	place(&b, &crash_files[1]);
	put(&b, MAP_A, "written: since\n");
	recover(&b, &warnings);
	assert_int_equal(warnings, 1);
	expect(&b, MAP_A, "written: since");
	expect(&b, MAP_B, NULL);
	arena_done(&a);
	teardown(&b);
}

/* --- backups ------------------------------------------------------------------------------------ */

static void restore(const struct bench *b, struct bytes id, enum commit_rc want)
{
	struct commit c = {.directory = b->directory,
		.root = b->root,
		.backups = b->backups,
		.who = {BYTES("admin"), BYTES(""), BYTES("restore")}};
	struct backup_files files;
	struct arena a;
	struct fault f;

	arena_init(&a, 1 << 24);
	assert_int_equal(backup_compare(&a, b->root, b->backups, id, &files, &f), 0);
	backup_restore(&a, &files, &c);
	commit_run(&c);
	assert_int_equal(c.rc, want);
	commit_done(&c);
	arena_done(&a);
}

/* A change of another file than those of operate. */
static void commit_file(const struct bench *b, const char *name, const char *text)
{
	struct commit_file file = {RESOURCE_CONFIGMAP, bytes_str(name), bytes_str(text), 0};
	struct commit c = {.directory = b->directory,
		.root = b->root,
		.backups = b->backups,
		.files = &file,
		.n_files = 1};

	commit_run(&c);
	assert_int_equal(c.rc, COMMIT_DONE);
	commit_done(&c);
}

static void test_backups(void **state)
{
	struct backup_entries list;
	struct snapshot *s;
	struct directory_report report;
	char id[JOURNAL_ID_N + 1];
	struct arena a;
	struct bench b;
	struct fault f;

	(void)state;
	setup(&b);
	arena_init(&a, 1 << 24);
	must(&b, "off", COMMIT_DONE);
	must(&b, "on", COMMIT_DONE);
	commit_file(&b, "domain-later.com", "kind: ConfigMap\n");
	assert_int_equal(backup_list(&a, b.backups, &list, &f), 0);
	assert_int_equal(list.n, 3);
	restore(&b, bytes_str(list.v[1].id), COMMIT_DONE); /* before "on" */
	expect(&b, MAP_A, "enableHttps: \"off\"");
	expect(&b, MAP_B, "enableHttps: \"off\"");
	expect(&b, "configmaps/domain-later.com.yaml", NULL); /* it came later */
	restore(&b, bytes_str(list.v[1].id), COMMIT_NOTHING);
	assert_int_equal(backup_list(&a, b.backups, &list, &f), 0);
	assert_int_equal(list.n, 4);
	restore(&b, bytes_str(list.v[3].id), COMMIT_DONE); /* undoes the restore */
	expect(&b, MAP_A, "enableHttps: \"on\"");
	expect(&b, "configmaps/domain-later.com.yaml", "kind: ConfigMap");

	s = directory_read(b.directory, &report);
	directory_report_done(&report);
	assert_int_equal(backup_create(b.root, b.backups, s, BYTES("mine"), id, &f), 0);
	snapshot_unref(s);
	must(&b, NULL, COMMIT_DONE);
	put(&b, "configmaps/domain-new.com.yaml", "kind: ConfigMap\n");
	backup_prune(b.backups, 1, UINT64_MAX);
	assert_int_equal(count_backups(&b), 2); /* the newest, and the one that a person made */
	restore(&b, bytes_str(id), COMMIT_DONE);
	expect(&b, MAP_B, "enableHttps: \"on\"");
	expect(&b, "configmaps/domain-new.com.yaml", NULL);
	assert_int_equal(backup_remove(b.backups, bytes_str(id), &f), 0);
	assert_int_equal(backup_remove(b.backups, BYTES("../../etc"), &f), ERR_NOT_FOUND);
	arena_done(&a);
	teardown(&b);
}

/* A directory of backups as somebody else might leave it. */
static const char *backup_dir(const struct bench *b, const char *id, char room[256])
{
	struct fault f;

	snprintf(room, 256, "%s/%s", b->backups, id);
	assert_int_equal(file_make_dir(room, 0700, &f), 0);
	return room;
}

static void put_manifest(const struct bench *b, const char *id, struct bytes text)
{
	char dir[256], path[300];
	struct fault f;

	snprintf(path, sizeof(path), "%s/manifest.json", backup_dir(b, id, dir));
	assert_int_equal(file_write_atomic(path, text, 0600, &f), 0);
}

/* Names that have the form of an id and are no moment, or the last one, do not make a name be used twice. */
static void test_odd_ids(void **state)
{
	static const char *const odd[] = {
		"20269999T000000Z-000000", "99990101T000000Z-ffffff", "99991231T235959Z-0f423f"};
	struct bench b;
	char room[256];

	(void)state;
	setup(&b);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		backup_dir(&b, odd[i], room);
	}
	for (size_t i = 0; i < 20; i++) {
		must(&b, i % 2 == 0 ? "on" : "off", COMMIT_DONE);
		assert_int_equal(count_backups(&b), ARRAY_LEN(odd) + i + 1);
	}
	teardown(&b);
}

/* Manifests are read one after the other: what all of them hold together never has to fit. */
static void test_large_manifests(void **state)
{
	struct backup_entries list;
	struct backup_files files;
	struct arena a;
	struct bench b;
	struct fault f;
	struct text t;

	(void)state;
	setup(&b);
	arena_init(&a, 4 << 20);
	text_init(&t, 16 << 20);
	for (unsigned n = 10; n < 22; n++) {
		char id[32];

		snprintf(id, sizeof(id), "20261121T1504%uZ-000000", n);
		text_clear(&t);
		text_addf(&t,
			"{\"format\":\"sluice-journal\",\"state\":\"done\",\"time\":1,\"what\":\"%u\","
			"\"files\":[",
			n);
		for (unsigned i = 0; i < 2000; i++) {
			text_addf(&t,
				"%s{\"kind\":\"configmaps\",\"name\":\"n%u\",\"mode\":384,\"before\":null,"
				"\"after\":null}",
				i != 0 ? "," : "", i);
		}
		text_add_str(&t, "]}");
		put_manifest(&b, id, text_bytes(&t));
	}
	assert_int_equal(backup_list(&a, b.backups, &list, &f), 0);
	assert_int_equal(list.n, 12);
	assert_true(bytes_eq(list.v[3].what, BYTES("13")));
	assert_int_equal(list.v[3].files, 2000);
	assert_int_equal(
		backup_compare(&a, b.root, b.backups, bytes_str(list.v[0].id), &files, &f), 0);
	assert_int_equal(files.n, 0);
	text_done(&t);
	arena_done(&a);
	teardown(&b);
}

/* Nothing that lies in the directory of backups keeps the program from starting, leads out of the resources, or
 * makes a program of a resource. */
static void test_hostile_backups(void **state)
{
	static const char begun[] =
		"{\"format\":\"sluice-journal\",\"state\":\"begun\",\"time\":1,\"files\":[{\"kind\":"
		"\"%s\",\"name\":\"%s\",\"mode\":%u,\"before\":%s,\"after\":\"%s\"}]}";
	char room[256], path[320];
	struct text t;
	struct bench b;
	size_t warnings;

	(void)state;
	setup(&b);
	put(&b, "configmaps/x.yaml", "theirs");
	text_init(&t, 65536);
	put_manifest(&b, "20261121T150401Z-000000", BYTES("{"));
	put_manifest(&b, "20261121T150402Z-000000", BYTES("[[[[[[[["));
	put_manifest(&b, "20261121T150403Z-000000", BYTES(""));
	snprintf(path, sizeof(path), "%s/manifest.json",
		backup_dir(&b, "20261121T150404Z-000000", room));
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/manifest.json",
		backup_dir(&b, "20261121T150405Z-000000", room));
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/20261121T150406Z-000000", b.backups);
	assert_int_equal(symlink(path, path), 0);
	text_addf(&t, begun, "configmaps", "../../x", 384u, "null", "00");
	put_manifest(&b, "20261121T150407Z-000000", text_bytes(&t));
	text_clear(&t);
	text_addf(&t, begun, "../state", "x", 384u, "null", "00");
	put_manifest(&b, "20261121T150408Z-000000", text_bytes(&t));
	recover(&b, &warnings);
	expect(&b, "configmaps/x.yaml", "theirs");
	must(&b, "on", COMMIT_DONE);
	text_done(&t);
	teardown(&b);
}

static void test_ids(void **state)
{
	static const struct {
		const char *text;
		bool good;
		const char *why;
	} rows[] = {
		{"20261121T150405Z-0f423f", true, "as we make them"},
		{"20261121T150405Z-0F423F", false, "one spelling only"},
		{"20261121T150405Z-0f423", false, "too short"},
		{"../../etc/passwd/0000000", false, "a path"},
		{"2026112/T150405Z-0f423f", false, "a slash among the digits"},
		{"", false, "nothing"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (journal_is_id(bytes_str(rows[i].text)) != rows[i].good) {
			fail_msg("%s: %s", rows[i].text, rows[i].why);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_keeps_what_people_wrote),
		cmocka_unit_test(test_two_writers),
		cmocka_unit_test(test_foreign_temporary),
		cmocka_unit_test(test_refusals_change_nothing),
		cmocka_unit_test(test_a_refused_file_is_left_alone),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_no_place_for_backups),
		cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_crash_then_somebody_writes),
		cmocka_unit_test(test_backups),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_odd_ids),
		cmocka_unit_test(test_large_manifests),
		cmocka_unit_test(test_hostile_backups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
