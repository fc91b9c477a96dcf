#define _GNU_SOURCE /* mkdtemp */
#include "hiclaw/agents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

struct world {
	char dir[64], file[96];
	struct loop *loop;
	struct jobs *jobs;
	struct agents *agents;
	struct agents_keep keep;
	unsigned kept;
	int rc;
};

static void open_store(struct world *w)
{
	w->loop = loop_new();
	w->jobs = jobs_new(0); /* by hand: what is not run did not come to the disk */
	w->agents = agents_open(w->dir, w->jobs, w->loop);
}

static void close_store(struct world *w)
{
	jobs_free(w->jobs);
	agents_close(w->agents);
	loop_free(w->loop);
}

static void begin(struct world *w)
{
	*w = (struct world){.dir = "/tmp/agents-test-XXXXXX"};
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->file, sizeof(w->file), "%s/agents.json", w->dir);
	open_store(w);
}

static bool remove_one(void *arg, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	assert_int_equal(file_remove(path), 0);
	return true;
}

static void end(struct world *w)
{
	close_store(w);
	assert_int_equal(file_list(w->dir, remove_one, w->dir, NULL), 0);
	assert_int_equal(file_remove_dir(w->dir), 0);
}

static void on_kept(struct agents_keep *k, int rc)
{
	struct world *w = k->arg;

	w->kept++;
	w->rc = rc;
}

static void run(struct world *w)
{
	while (jobs_run_one(w->jobs)) {
		loop_turn(w->loop, 0);
	}
}

static void put(struct world *w, const char *target, const char *model)
{
	struct agent v = {.target = bytes_str(target),
		.assigned = true,
		.provider = BYTES("qwen"),
		.model = bytes_str(model),
		.asked = bytes_str(model),
		.traits = {200000, 64000, MODEL_YES, MODEL_INPUT_TEXT},
		.updated_us = 1700000000000000,
		.state = AGENT_PENDING,
		.reapplied = {5, 7}};

	w->keep = (struct agents_keep){.on_kept = on_kept, .arg = w};
	agents_put(w->agents, &v, &w->keep);
}

static void is(const struct world *w, const char *target, const char *model)
{
	const struct agent *v = agents_find(w->agents, bytes_str(target));

	if (model == NULL) {
		assert_null(v);
		return;
	}
	assert_non_null(v);
	assert_true(bytes_eq(v->model, bytes_str(model)));
}

/* As kill -9 leaves it: what was told to be kept is there, whatever else. */
static void test_kept(void **state)
{
	struct world w, after;
	const struct agent *v;
	struct file_stat st;

	(void)state;
	begin(&w);
	put(&w, "zoe", "qwen-z");
	put(&w, "manager", "qwen-m");
	put(&w, "alice", "qwen \"a\"\n");
	run(&w);
	assert_int_equal(w.kept, 3); /* of two writes */
	assert_int_equal(w.rc, 0);
	assert_int_equal(file_stat(w.file, &st), 0);
	assert_int_equal(st.mode & 0777, 0600);
	after = w;
	open_store(&after);
	assert_int_equal(agents_count(after.agents), 3);
	assert_true(bytes_eq(agents_at(after.agents, 0)->target, BYTES("manager")));
	assert_true(bytes_eq(agents_at(after.agents, 1)->target, BYTES("alice")));
	v = agents_find(after.agents, BYTES("alice"));
	assert_true(bytes_eq(v->model, BYTES("qwen \"a\"\n")));
	assert_true(v->assigned && v->traits.max_tokens == 64000 &&
		v->traits.input == MODEL_INPUT_TEXT && v->updated_us == 1700000000000000 &&
		v->state == AGENT_PENDING && v->reapplied[1] == 7 && v->reapplied[2] == 0);
	close_store(&after);
	end(&w);
}

/* M-97: what cannot be written did not happen; what came meanwhile is tried by itself. */
static void test_refused(void **state)
{
	struct world w;
	char aside[128];

	(void)state;
	begin(&w);
	put(&w, "alice", "old");
	put(&w, "bob", "old");
	run(&w);
	/* A directory in the place of the file: no rename replaces it. */
	assert_int_equal(file_remove(w.file), 0);
	assert_int_equal(mkdir(w.file, 0700), 0);
	snprintf(aside, sizeof(aside), "%s/x", w.file);
	assert_int_equal(file_write_atomic(aside, BYTES("x"), 0600, NULL), 0);
	put(&w, "alice", "new");
	is(&w, "alice", "new");
	assert_true(jobs_run_one(w.jobs));
	agents_remove(w.agents, BYTES("bob"), NULL);
	put(&w, "carol", "new");
	loop_turn(w.loop, 0); /* alice's was refused; the others' begins */
	is(&w, "alice", "old");
	is(&w, "carol", "new");
	run(&w);
	assert_true(w.kept == 4 && w.rc < 0);
	is(&w, "carol", NULL);
	is(&w, "bob", "old");
	assert_int_equal(file_remove(aside), 0);
	assert_int_equal(file_remove_dir(w.file), 0);
	put(&w, "alice", "newer");
	run(&w);
	assert_int_equal(w.rc, 0);
	end(&w);
}

static bool count_copies(void *arg, const char *name)
{
	unsigned *n = arg;

	*n += strstr(name, ".corrupt.") != NULL;
	return true;
}

/* However often it is found broken, what is kept has a bound. */
static void test_corrupt_again(void **state)
{
	unsigned n = 0;
	struct world w;

	(void)state;
	begin(&w);
	close_store(&w);
	for (unsigned i = 0; i < 8; i++) {
		char copy[160];

		snprintf(copy, sizeof(copy), "%s.corrupt.160000000%u", w.file, i);
		assert_int_equal(file_write_atomic(copy, BYTES("{"), 0600, NULL), 0);
	}
	assert_int_equal(file_write_atomic(w.file, BYTES("{"), 0600, NULL), 0);
	open_store(&w);
	assert_int_equal(file_list(w.dir, count_copies, &n, NULL), 0);
	assert_int_equal(n, 5);
	end(&w);
}

static void test_corrupt(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"version\":2,\"agents\":[]}"};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		begin(&w);
		close_store(&w);
		assert_int_equal(file_write_atomic(w.file, bytes_str(texts[i]), 0600, NULL), 0);
		open_store(&w);
		assert_int_equal(agents_count(w.agents), 0);
		assert_int_not_equal(access(w.file, F_OK), 0); /* it is beside, not lost */
		put(&w, "alice", "m");
		run(&w);
		assert_int_equal(w.rc, 0);
		end(&w);
	}
}

static void test_notes(void **state)
{
	struct agent v;
	struct world w;

	(void)state;
	begin(&w);
	put(&w, "alice", "m");
	run(&w);
	v = *agents_find(w.agents, BYTES("alice"));
	v.observed = BYTES("m");
	v.state = AGENT_APPLIED;
	agents_note(w.agents, &v);
	assert_false(jobs_run_one(w.jobs)); /* no write for it */
	close_store(&w);
	open_store(&w);
	assert_int_equal(agents_find(w.agents, BYTES("alice"))->state, AGENT_APPLIED);
	agents_remove(w.agents, BYTES("alice"), NULL);
	is(&w, "alice", NULL);
	close_store(&w);
	open_store(&w);
	is(&w, "alice", NULL);
	end(&w);
}

static void test_history(void **state)
{
	struct world w;
	struct text out;
	struct agents_event e = {.actor = BYTES("admin"), .action = BYTES("switch")};

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < AGENTS_HISTORY_MAX + 10; i++) {
		e.at_ms = 1700000000000 + i * 1000;
		e.target = i % 2 == 0 ? BYTES("alice") : BYTES("bob");
		agents_log(w.agents, &e);
	}
	run(&w);
	close_store(&w);
	open_store(&w);
	text_init(&out, 16 << 20);
	agents_history(w.agents, BYTES("alice"), 2, &out);
	assert_string_equal(text_cstr(&out),
		"[{\"time\":\"2023-11-15T01:00:08Z\",\"actor\":\"admin\",\"action\":\"switch\","
		"\"target\":\"alice\"},{\"time\":\"2023-11-15T01:00:06Z\",\"actor\":\"admin\","
		"\"action\":\"switch\",\"target\":\"alice\"}]");
	text_clear(&out);
	agents_history(w.agents, BYTES(""), SIZE_MAX, &out);
	assert_null(strstr(text_cstr(&out), "22:13:29Z")); /* the tenth went */
	assert_non_null(strstr(text_cstr(&out), "22:13:30Z"));
	text_done(&out);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_corrupt),
		cmocka_unit_test(test_corrupt_again),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
