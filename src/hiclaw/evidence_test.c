#define _GNU_SOURCE /* nftw */
#include "hiclaw/evidence.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

#define NOON 1705314600000u /* 2024-01-15T10:30:00Z */

struct world {
	char root[64];
	char workspace[96], agents[96], shared[96];
	struct evidence_dirs dirs;
	struct arena arena;
	struct evidence ev;
};

static const char *at(const struct world *w, const char *path, char room[256])
{
	snprintf(room, 256, "%s/%s", w->root, path);
	return room;
}

static void make_dir(const struct world *w, const char *path)
{
	char room[256];

	assert_int_equal(file_make_dir(at(w, path, room), 0700, NULL), 0);
}

static void put(const struct world *w, const char *path, const char *content)
{
	char room[256];

	assert_int_equal(file_write_atomic(at(w, path, room), bytes_str(content), 0600, NULL), 0);
}

static void world_init(struct world *w)
{
	*w = (struct world){.dirs = {NULL, NULL, NULL}};
	snprintf(w->root, sizeof(w->root), "/tmp/evidence-test-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	snprintf(w->workspace, sizeof(w->workspace), "%s/workspace", w->root);
	snprintf(w->agents, sizeof(w->agents), "%s/agents", w->root);
	snprintf(w->shared, sizeof(w->shared), "%s/shared", w->root);
	w->dirs = (struct evidence_dirs){w->workspace, w->agents, w->shared};
	make_dir(w, "workspace");
	make_dir(w, "agents");
	make_dir(w, "shared/tasks");
	arena_init(&w->arena, 16 << 20);
	evidence_init(&w->ev, &w->arena);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void world_done(struct world *w)
{
	assert_int_equal(nftw(w->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	arena_done(&w->arena);
}

/* The names, joined by blanks. */
static const char *names_of(const struct evidence *ev, char room[512])
{
	struct text t;

	text_init_fixed(&t, room, 511);
	for (size_t i = 0; i < ev->n; i++) {
		text_add_str(&t, i > 0 ? " " : "");
		text_add_bytes(&t, ev->v[i]->name);
	}
	room[t.n] = '\0';
	return room;
}

static const struct evidence_worker *worker(const struct world *w, const char *name)
{
	const struct evidence_worker *found = evidence_find(&w->ev, bytes_str(name));

	assert_non_null(found);
	return found;
}

static void the_list_is_a_union(void **state)
{
	char room[512];
	struct world w;

	(void)state;
	world_init(&w);
	assert_non_null(evidence_add_consumer(&w.ev, BYTES("worker-zoe")));
	assert_non_null(evidence_add_consumer(&w.ev, BYTES("worker-worker-1")));
	assert_null(evidence_add_consumer(&w.ev, BYTES("manager")));
	assert_null(evidence_add_consumer(&w.ev, BYTES("worker-manager")));
	assert_non_null(evidence_add(&w.ev, BYTES("carol")));
	assert_ptr_equal(evidence_add(&w.ev, BYTES("carol")), evidence_find(&w.ev, BYTES("carol")));
	assert_null(evidence_add(&w.ev, BYTES("../x")));
	put(&w, "workspace/workers-registry.json",
		"{\"workers\":{\"bob\":{\"runtime\":\"copaw\",\"deployment\":\"local\","
		"\"room_id\":\"!r:x\",\"team_id\":null},\"shared\":{},\"../up\":{},\"UP\":{}}}");
	make_dir(&w, "agents/alice");
	make_dir(&w, "agents/empty");
	make_dir(&w, "agents/manager");
	make_dir(&w, "agents/dora");
	make_dir(&w, "agents/Erna");
	put(&w, "agents/alice/openclaw.json", "{}");
	put(&w, "agents/manager/openclaw.json", "{}");
	put(&w, "agents/Erna/openclaw.json", "{}");
	put(&w, "agents/dora/model.json", "{}");
	put(&w, "agents/file", "no directory");
	evidence_read(&w.ev, &w.dirs);
	assert_string_equal(names_of(&w.ev, room), "alice bob carol dora worker-1 zoe");
	assert_true(worker(&w, "alice")->has_config && !worker(&w, "alice")->has_record);
	assert_true(worker(&w, "dora")->has_record && !worker(&w, "dora")->has_config);
	assert_true(bytes_eq(worker(&w, "bob")->runtime, BYTES("copaw")));
	assert_true(bytes_eq(worker(&w, "bob")->room, BYTES("!r:x")));
	assert_int_equal(worker(&w, "bob")->team.n, 0);
	assert_int_equal(worker(&w, "bob")->e.known, STATE_R);
	assert_int_equal(worker(&w, "zoe")->e.known, 0);
	assert_int_equal(w.ev.n_warnings, 0);
	world_done(&w);
}

static void files_say_what_workers_do(void **state)
{
	const struct state_evidence *e;
	struct world w;

	(void)state;
	world_init(&w);
	evidence_add(&w.ev, BYTES("alice"));
	evidence_add(&w.ev, BYTES("bob"));
	put(&w, "workspace/worker-lifecycle.json",
		"{\"version\":1,\"workers\":{\"alice\":{\"container_status\":\"stopped\","
		"\"idle_since\":\"2024-01-15T10:30:00Z\",\"auto_stopped_at\":\"2024-01-15T10:30:01Z\","
		"\"last_started_at\":null},\"nobody\":{\"container_status\":\"running\"}}}");
	put(&w, "workspace/state.json",
		"{\"active_tasks\":[{\"type\":\"finite\",\"assigned_to\":\"alice\"},"
		"{\"type\":\"infinite\",\"assigned_to\":\"alice\"},{\"assigned_to\":\"alice\"},"
		"{\"type\":\"finite\",\"assigned_to\":\"nobody\"},7,null,[]]}");
	make_dir(&w, "shared/tasks/t1");
	make_dir(&w, "shared/tasks/t2");
	put(&w, "shared/tasks/t1/meta.json", "{\"status\":\"assigned\",\"assigned_to\":\"bob\"}");
	put(&w, "shared/tasks/t2/meta.json", "{\"status\":\"completed\",\"assigned_to\":\"bob\"}");
	put(&w, "shared/tasks/t1/.processing",
		"{\"processor\":\"bob\",\"expires_at\":\"2024-01-15T10:30:00Z\"}");
	put(&w, "shared/tasks/t2/.processing",
		"{\"processor\":\"bob\",\"expires_at\":\"2024-01-15T10:29:00Z\"}");
	evidence_read(&w.ev, &w.dirs);
	assert_int_equal(w.ev.n, 2);
	assert_int_equal(w.ev.n_warnings, 0);
	e = &worker(&w, "alice")->e;
	assert_int_equal(e->known, STATE_L | STATE_T);
	assert_int_equal(e->l.container, STATE_CONTAINER_STOPPED);
	assert_int_equal(e->l.idle_since, NOON);
	assert_int_equal(e->l.stopped_at, NOON + 1000);
	assert_int_equal(e->l.started_at, 0);
	assert_int_equal(e->t.finite, 2);
	assert_int_equal(e->t.infinite, 1);
	e = &worker(&w, "bob")->e;
	assert_int_equal(e->known, STATE_T | STATE_M | STATE_P);
	assert_int_equal(e->m.assigned, 1);
	assert_int_equal(e->p.until, NOON);
	assert_int_equal(e->t.finite, 0);
	world_done(&w);
}

/* HI-53, from the file to the word. */
static void states_from_the_lifecycle_file(void **state)
{
	static const struct {
		const char *status, *expect, *reason;
	} rows[] = {{"stopped", "sleeping", "container_stopped"},
		{"not_found", "offline", "not_found"}, {"running", "idle", "running"},
		{"remote", "idle", "remote"}, {"unknown", "offline", "no_signal"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char content[128];
		struct state s;
		struct world w;

		world_init(&w);
		evidence_add(&w.ev, BYTES("alice"));
		snprintf(content, sizeof(content),
			"{\"workers\":{\"alice\":{\"container_status\":\"%s\"}}}", rows[i].status);
		put(&w, "workspace/worker-lifecycle.json", content);
		evidence_read(&w.ev, &w.dirs);
		s = state_decide(&worker(&w, "alice")->e, 1000, NOON);
		assert_string_equal(state_text(s.name), rows[i].expect);
		assert_string_equal(s.reason, rows[i].reason);
		world_done(&w);
	}
}

/* A row's content in the place of each file of the Manager's, and of a task's. */
static const struct hostile_row {
	const char *content;
	bool warned;
	const char *reason;
} hostile[] = {
	{"", true, "nothing in it"},
	{"not JSON", true, "something else"},
	{"{\"workers\":{\"alice\":{", true, "half a file"},
	{"[]", true, "a list"},
	{"null", true, "null"},
	{"{}", false, "an empty object"},
	{"{\"workers\":[],\"active_tasks\":{}}", false, "other types"},
	{"{\"workers\":\"x\",\"active_tasks\":\"x\"}", false, "texts"},
	{"{\"workers\":{\"alice\":null},\"active_tasks\":[null]}", false, "null entries"},
	{"{\"workers\":{\"alice\":[1]},\"active_tasks\":[[1]]}", false, "lists as entries"},
	{"{\"workers\":{\"alice\":{\"container_status\":7,\"idle_since\":{},\"runtime\":[]}},"
	 "\"active_tasks\":[{\"assigned_to\":7}],\"assigned_to\":[],\"status\":{},"
	 "\"processor\":1,\"expires_at\":true}",
		false, "entries of other types"},
	{"{\"workers\":{\"alice\":{\"idle_since\":\"yesterday\"}},\"processor\":\"alice\","
	 "\"expires_at\":\"99999999999\"}",
		false, "times that are none"},
	{"{\"workers\":{\"\":{},\"..\":{},\"a/b\":{},\"a\\u0000b\":{},\"-x\":{}}}", false,
		"names that are none"},
};

static void what_is_wrong_is_passed_over(void **state)
{
	static const char *const files[] = {"workspace/workers-registry.json",
		"workspace/worker-lifecycle.json", "workspace/state.json",
		"shared/tasks/t/meta.json", "shared/tasks/t/.processing"};
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		for (size_t k = 0; k < ARRAY_LEN(files); k++) {
			const struct state_evidence *e;
			struct state s;
			struct world w;

			world_init(&w);
			evidence_add(&w.ev, BYTES("alice"));
			make_dir(&w, "shared/tasks/t");
			put(&w, files[k], hostile[i].content);
			evidence_read(&w.ev, &w.dirs);
			e = &worker(&w, "alice")->e;
			s = state_decide(e, 1000, NOON);
			if (w.ev.n != 1 || (w.ev.n_warnings != 0) != hostile[i].warned ||
				strcmp(s.reason, "no_signal") != 0) {
				print_message(
					"%s: %s: %s\n", files[k], hostile[i].reason, s.reason);
				wrong++;
			}
			world_done(&w);
		}
	}
	assert_int_equal(wrong, 0);
}

static void nothing_outside_is_opened(void **state)
{
	char from[256], to[256];
	struct world w;

	(void)state;
	world_init(&w);
	evidence_add(&w.ev, BYTES("alice"));
	make_dir(&w, "out/mallory");
	put(&w, "out/mallory/openclaw.json", "{}");
	put(&w, "out/state.json",
		"{\"active_tasks\":[{\"type\":\"finite\",\"assigned_to\":\"alice\"}]}");
	put(&w, "out/mallory/.processing",
		"{\"processor\":\"alice\",\"expires_at\":\"2024-01-15T10:30:00Z\"}");
	assert_int_equal(symlink(at(&w, "out/mallory", to), at(&w, "agents/mallory", from)), 0);
	assert_int_equal(
		symlink(at(&w, "out/state.json", to), at(&w, "workspace/state.json", from)), 0);
	assert_int_equal(symlink(at(&w, "out/mallory", to), at(&w, "shared/tasks/t", from)), 0);
	make_dir(&w, "agents/bob");
	assert_int_equal(symlink(at(&w, "out/mallory/openclaw.json", to),
				 at(&w, "agents/bob/openclaw.json", from)),
		0);
	assert_int_equal(mkfifo(at(&w, "workspace/worker-lifecycle.json", from), 0600), 0);
	make_dir(&w, "workspace/workers-registry.json");
	evidence_read(&w.ev, &w.dirs);
	assert_int_equal(w.ev.n, 1);
	assert_int_equal(worker(&w, "alice")->e.known, 0);
	assert_true(w.ev.n_warnings >= 3);
	world_done(&w);
}

static void large_files_are_not_read(void **state)
{
	struct world w;
	struct text t;
	char room[256];

	(void)state;
	world_init(&w);
	text_init(&t, EVIDENCE_FILE_MAX + 100);
	text_add_str(&t, "{\"workers\":{\"alice\":{}}}");
	while (t.n <= EVIDENCE_FILE_MAX) {
		text_add_char(&t, ' ');
	}
	assert_int_equal(file_write_atomic(at(&w, "workspace/workers-registry.json", room),
				 text_bytes(&t), 0600, NULL),
		0);
	evidence_read(&w.ev, &w.dirs);
	assert_int_equal(w.ev.n, 0);
	assert_int_equal(w.ev.n_warnings, 1);
	assert_int_equal(file_write_atomic(at(&w, "workspace/workers-registry.json", room),
				 bytes_of(t.p, EVIDENCE_FILE_MAX), 0600, NULL),
		0);
	evidence_read(&w.ev, &w.dirs);
	assert_int_equal(w.ev.n, 1);
	text_done(&t);
	world_done(&w);
}

static void the_list_has_a_limit(void **state)
{
	struct arena a;
	struct evidence ev;
	char name[32];

	(void)state;
	arena_init(&a, 16 << 20);
	evidence_init(&ev, &a);
	for (unsigned i = 0; i <= EVIDENCE_WORKERS_MAX; i++) {
		snprintf(name, sizeof(name), "w%u", i * 7919u % 100003u);
		assert_int_equal(
			evidence_add(&ev, bytes_str(name)) != NULL, i < EVIDENCE_WORKERS_MAX);
	}
	assert_true(ev.cut);
	assert_int_equal(ev.n, EVIDENCE_WORKERS_MAX);
	for (size_t i = 1; i < ev.n; i++) {
		assert_true(bytes_cmp(ev.v[i - 1]->name, ev.v[i]->name) < 0);
	}
	arena_done(&a);
}

static void one_name_a_thousand_times(void **state)
{
	struct world w;
	struct text t;
	char room[256];

	(void)state;
	world_init(&w);
	arena_done(&w.arena);
	arena_init(&w.arena, (size_t)64 << 10);
	evidence_init(&w.ev, &w.arena);
	text_init(&t, EVIDENCE_FILE_MAX);
	text_add_str(&t, "{\"workers\":{\"a\":{}");
	for (unsigned i = 0; i < 1000; i++) {
		text_addf(&t, ",\"alice\":{\"room_id\":\"%0200u\"}", i);
	}
	text_add_str(&t, ",\"bob\":{}}}");
	assert_int_equal(file_write_atomic(at(&w, "workspace/workers-registry.json", room),
				 text_bytes(&t), 0600, NULL),
		0);
	evidence_read(&w.ev, &w.dirs);
	assert_true(w.ev.cut);
	assert_non_null(evidence_find(&w.ev, BYTES("alice")));
	assert_null(evidence_find(&w.ev, BYTES("bob")));
	text_done(&t);
	world_done(&w);
}

static void nothing_has_to_be_there(void **state)
{
	const struct evidence_dirs none = {NULL, NULL, NULL};
	const struct evidence_dirs gone = {"/nowhere/at/all", "/nowhere/at/all", "/nowhere/at/all"};
	struct arena a;
	struct evidence ev;

	(void)state;
	arena_init(&a, 1 << 20);
	evidence_init(&ev, &a);
	evidence_read(&ev, &none);
	evidence_read(&ev, &gone);
	assert_int_equal(ev.n, 0);
	assert_int_equal(ev.n_warnings, 0);
	arena_done(&a);
}

static void directories_follow_the_environment(void **state)
{
	struct evidence_dirs dirs;
	struct env e = {.agents_dir = BYTES("/x/hiclaw-fs/agents")};
	char config[256];
	struct world w;

	(void)state;
	world_init(&w);
	evidence_dirs(&w.arena, &e, &dirs);
	assert_string_equal(dirs.agents, "/x/hiclaw-fs/agents");
	assert_string_equal(dirs.shared, "/x/hiclaw-fs/shared");
	assert_string_equal(dirs.workspace, "/x/hiclaw-fs/agents/manager");
	put(&w, "workspace/openclaw.json", "{}");
	put(&w, "workspace/workers-registry.json", "{\"workers\":{\"alice\":{}}}");
	e.agents_dir = BYTES("/x/agents/");
	e.configs[0] = bytes_str(at(&w, "workspace/openclaw.json", config));
	e.n_configs = 1;
	evidence_dirs(&w.arena, &e, &dirs);
	assert_string_equal(dirs.shared, "/x/shared");
	evidence_read(&w.ev, &dirs);
	assert_int_equal(w.ev.n, 1);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_a_union),
		cmocka_unit_test(files_say_what_workers_do),
		cmocka_unit_test(states_from_the_lifecycle_file),
		cmocka_unit_test(what_is_wrong_is_passed_over),
		cmocka_unit_test(nothing_outside_is_opened),
		cmocka_unit_test(large_files_are_not_read),
		cmocka_unit_test(the_list_has_a_limit),
		cmocka_unit_test(one_name_a_thousand_times),
		cmocka_unit_test(nothing_has_to_be_there),
		cmocka_unit_test(directories_follow_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
