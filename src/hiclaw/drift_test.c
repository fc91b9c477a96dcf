#include "hiclaw/switch_test_world.h"

static void is(const char *got, const char *want)
{
	assert_string_equal(got, want);
}

/* --- the judge -------------------------------------------------------------------------------------------- */

static void test_judge(void **state)
{
	static const struct {
		const char *configured, *cr, *cr_before;
		bool params, routes, applying, unsynced, pending, serves;
		enum drift_kind want;
		bool counted;
		const char *reason;
	} rows[] = {
		{"new", "new", "new", false, false, false, false, false, true, DRIFT_NONE, false,
			"all is as it should be"},
		{"new", NULL, "", false, false, false, false, false, true, DRIFT_NONE, false,
			"without a controller"},
		{"default", NULL, "", false, false, false, false, false, true, DRIFT_REAPPLY, true,
			"HI-36: the Manager's start"},
		{"default", "default", "new", false, false, false, false, false, true,
			DRIFT_REAPPLY, true, "and not adopted, though the controller has it"},
		{"old", NULL, "", false, false, false, false, false, true, DRIFT_REAPPLY, true,
			"what was there before the switch comes back"},
		{"old", "old", "old", false, false, false, false, false, true, DRIFT_REAPPLY, true,
			"the controller's older value"},
		{"", NULL, "", false, false, false, false, false, true, DRIFT_REAPPLY, true,
			"a configuration without a model"},
		{"theirs", "theirs", "new", false, false, false, false, false, true, DRIFT_ADOPT,
			false, "a deliberate change by another tool"},
		{"theirs", "theirs", "new", false, false, false, false, false, false, DRIFT_LEAVE,
			false, "to a model that nobody serves"},
		{"theirs", "new", "new", false, false, false, false, false, true, DRIFT_LEAVE,
			false, "the file alone: neither fought nor adopted"},
		{"new", "theirs", "new", false, false, false, false, false, true, DRIFT_ADOPT,
			false, "the controller was changed, the configuration follows later"},
		{"new", "default", "new", false, false, false, false, false, true, DRIFT_REAPPLY,
			true, "the controller was reset"},
		{"boot", NULL, "", false, false, false, false, false, true, DRIFT_REAPPLY, true,
			"the Manager's start, where HICLAW_MANAGER_MODEL is another one"},
		{"boot", "boot", "new", false, false, false, false, false, true, DRIFT_REAPPLY,
			true, "as the controller has it, too"},
		{"new", "old", "old", false, false, false, false, false, true, DRIFT_NONE, false,
			"files-only: the controller never had it"},
		{"new", "new", "new", true, false, false, false, false, true, DRIFT_REAPPLY, true,
			"PARAMS_RESET"},
		{"new", "new", "new", false, true, false, false, false, true, DRIFT_REAPPLY, true,
			"the default route was reset"},
		{"default", NULL, "", false, false, true, false, false, true, DRIFT_QUIET, false,
			"a switch was interrupted: that is no quarrel"},
		{"old", NULL, "", false, false, false, true, false, true, DRIFT_QUIET, false,
			"storage was down"},
		{"new", "old", "old", false, false, false, false, true, true, DRIFT_QUIET, false,
			"the Worker worked"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct drift_facts f = {.asked = BYTES("new"),
			.former = BYTES("old"),
			.default_model = BYTES("default"),
			.boot_model = BYTES("boot"),
			.has_config = true,
			.configured = bytes_str(rows[i].configured),
			.cr_known = rows[i].cr != NULL,
			.cr_model = bytes_str(rows[i].cr),
			.cr_before = bytes_str(rows[i].cr_before),
			.config_changes = rows[i].params,
			.routes_change = rows[i].routes,
			.applying = rows[i].applying,
			.unsynced = rows[i].unsynced,
			.pending = rows[i].pending,
			.serves = rows[i].serves};
		struct drift_verdict v = drift_judge(&f);

		if (v.kind != rows[i].want || v.counted != rows[i].counted) {
			fail_msg("%s: %d", rows[i].reason, v.kind);
		}
	}
}

static void test_contested(void **state)
{
	static const uint64_t hour = 3600000;
	const uint64_t four[5] = {9 * hour, 9 * hour + 1, 9 * hour + 2, 9 * hour + 3, 0};
	const uint64_t five[5] = {9 * hour + 4, 9 * hour + 1, 9 * hour + 2, 9 * hour + 3, 9 * hour};
	size_t slot;

	(void)state;
	assert_false(drift_is_contested(four, 9 * hour + 10, &slot));
	assert_int_equal(slot, 4);
	assert_true(drift_is_contested(five, 10 * hour - 1, &slot));
	assert_false(drift_is_contested(five, 10 * hour, &slot));
	assert_int_equal(slot, 4);
}

/* --- the loop ------------------------------------------------------------------------------------------------ */

static void begin_without_controller(struct world *w)
{
	world_make(w);
	w->no_controller = w->no_storage = true;
	world_start(w);
	assert_int_equal(world_switch(w, "manager", "qwen", "qwen-max"), HICLAW_OK);
}

static void reset(struct world *w)
{
	world_write(w, "workspace/openclaw.json", WORLD_CONFIG("qwen3.6-plus"));
}

/* HI-36 and HI-37: five times in an hour, then the state says who; later again. */
static void test_reset(void **state)
{
	const struct agent *a;
	struct world w;

	(void)state;
	begin_without_controller(&w);
	for (unsigned i = 0; i < 5; i++) {
		w.wall_ms += 60000;
		reset(&w);
		world_look(&w);
		is(world_primary(&w, "workspace/openclaw.json"), "qwen-max");
	}
	w.wall_ms += 60000;
	reset(&w);
	world_look(&w);
	a = world_agent(&w, "manager");
	is(world_primary(&w, "workspace/openclaw.json"), "qwen3.6-plus");
	assert_int_equal(a->state, AGENT_DRIFTED);
	assert_true(bytes_starts(a->reason, BYTES("CONTESTED: the Manager's start")));
	assert_true(bytes_eq(a->configured, BYTES("qwen3.6-plus")));
	world_stop(&w); /* the count outlives the process */
	world_start(&w);
	world_look(&w);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen3.6-plus");
	w.wall_ms += 3600000;
	world_look(&w);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen-max");
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_PENDING);
	assert_int_equal(w.reached, 1); /* never tested again */
	world_end(&w);
}

/* 6.3: it is applied when the gateway has seen it, and pending again with the next one. */
static void test_observed(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_PENDING);
	w.observed = "qwen3.5-plus";
	world_look(&w);
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_PENDING);
	w.observed = "qwen-max";
	world_look(&w);
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_APPLIED);
	assert_true(bytes_eq(world_agent(&w, "manager")->observed, BYTES("qwen-max")));
	assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-turbo"), HICLAW_OK);
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_PENDING);
	world_end(&w);
}

/* The watch on the Manager's file: without the loop's minute. */
static void test_watched(void **state)
{
	struct world w;
	uint64_t until;

	(void)state;
	begin_without_controller(&w);
	world_look(&w);
	world_look(&w);                      /* the watch stands and knows the file */
	until = loop_now_ms(w.loop) + 30000; /* the loop itself looks after a minute */
	reset(&w);
	while (strcmp(world_primary(&w, "workspace/openclaw.json"), "qwen-max") != 0 &&
		loop_now_ms(w.loop) < until) {
		loop_turn(w.loop, 1000);
	}
	is(world_primary(&w, "workspace/openclaw.json"), "qwen-max");
	world_end(&w);
}

static void test_report_and_off(void **state)
{
	struct world w;

	(void)state;
	begin_without_controller(&w);
	w.env.drift = ENV_DRIFT_REPORT;
	reset(&w);
	world_look(&w);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen3.6-plus");
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_DRIFTED);
	assert_true(bytes_starts(world_agent(&w, "manager")->reason, BYTES("MODEL_RESET")));
	w.env.drift = ENV_DRIFT_OFF;
	world_look(&w);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen3.6-plus");
	world_end(&w);
}

/* A person's own change of the file is said and not fought. */
static void test_left(void **state)
{
	struct world w;

	(void)state;
	begin_without_controller(&w);
	world_write(&w, "workspace/openclaw.json", WORLD_CONFIG("qwen-turbo"));
	world_look(&w);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen-turbo");
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_DRIFTED);
	assert_true(bytes_starts(world_agent(&w, "manager")->reason, BYTES("CHANGED_ELSEWHERE")));
	world_end(&w);
}

static void test_adopted_from_controller(void **state)
{
	struct text history;
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
	world_write(&w, "cr-manager", "qwen-turbo");
	world_write(&w, "workspace/openclaw.json", WORLD_CONFIG("qwen-turbo"));
	world_look(&w);
	assert_true(bytes_eq(world_agent(&w, "manager")->model, BYTES("qwen-turbo")));
	is(world_record(&w, "agents/manager/model.json"), "qwen-turbo");
	assert_int_equal(w.reached, 2); /* with the same validation as a request */
	text_init(&history, 1 << 20);
	agents_history(w.h.agents, BYTES("manager"), 1, &history);
	assert_non_null(strstr(text_cstr(&history), "\"action\":\"adopt\""));
	text_done(&history);
	world_end(&w);
}

/* The limits that the controller does not know come back, and are not fought over while it settles. */
static void test_params(void **state)
{
	struct switch_request rq;
	struct world w;

	(void)state;
	world_begin(&w);
	rq = world_request(&w, "alice", "qwen", "qwen-max");
	rq.wish.given.context_window = 123456;
	assert_int_equal(world_ask(&w, rq), HICLAW_OK);
	world_write(&w, world_object("agents/alice/openclaw.json"), WORLD_CONFIG("qwen-max"));
	world_look(&w);
	assert_non_null(
		strstr(world_read(&w, world_object("agents/alice/openclaw.json")), "123456"));
	assert_int_equal(world_agent(&w, "alice")->reapplied[0], 0);
	w.wall_ms += 300000;
	world_write(&w, world_object("agents/alice/openclaw.json"), WORLD_CONFIG("qwen-max"));
	world_look(&w);
	assert_non_null(
		strstr(world_read(&w, world_object("agents/alice/openclaw.json")), "123456"));
	assert_int_not_equal(world_agent(&w, "alice")->reapplied[0], 0);
	assert_int_equal(w.cr_puts, 1);
	world_end(&w);
}

/* HI-11 and its like: an entry that goes without limits is left so, by drift too. */
static void test_entry_without_limits(void **state)
{
	static const char config[] =
		"{\"models\":{\"providers\":{\"hiclaw-gateway\":{\"baseUrl\":\"u\",\"apiKey\":\"k\","
		"\"models\":[{\"id\":\"qwen-max\",\"name\":\"n\"}]}}},\"agents\":{\"defaults\":{"
		"\"model\":\"hiclaw-gateway/x\",\"models\":{}}}}";
	struct world w;

	(void)state;
	world_make(&w);
	w.no_controller = w.no_storage = true;
	world_write(&w, "workspace/openclaw.json", config);
	world_start(&w);
	assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
	world_look(&w);
	assert_null(strstr(world_read(&w, "workspace/openclaw.json"), "contextWindow"));
	assert_int_equal(world_agent(&w, "manager")->reapplied[0], 0);
	world_end(&w);
}

/* The legacy start sets the default route back. */
static void test_routes(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_OK);
	world_write(&w, "gateway.json", WORLD_LISTS);
	world_look(&w);
	is(world_default(&w), "deepseek");
	assert_int_not_equal(world_agent(&w, "manager")->reapplied[0], 0);
	world_end(&w);
}

/* --- records ------------------------------------------------------------------------------------------------ */

#define RECORD(provider, model, time) \
	"{\"provider\":\"" provider "\",\"model\":\"" model "\",\"updatedAt\":\"" time "\"}"

/* HI-31 and HI-32. */
static void test_records(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
	world_write(&w, world_object("agents/alice/model.json"),
		RECORD("deepseek", "deepseek-chat", "2020-01-01T00:00:00Z"));
	world_look(&w);
	is(world_record(&w, world_object("agents/alice/model.json")), "qwen-max");
	w.wall_ms += 60000;
	world_write(&w, world_object("agents/alice/model.json"),
		RECORD("deepseek", "deepseek-chat", "2023-11-14T22:14:00.5Z"));
	world_look(&w);
	assert_true(bytes_eq(world_agent(&w, "alice")->model, BYTES("deepseek-chat")));
	is(world_primary(&w, world_object("agents/alice/openclaw.json")), "deepseek-chat");
	is(world_record(&w, "agents/alice/model.json"), "deepseek-chat");
	/* one that cannot be had is said, and written over */
	world_write(&w, "agents/alice/model.json", RECORD("nobody", "m", "2023-11-15T00:00:00Z"));
	world_look(&w);
	world_look(&w);
	is(world_record(&w, "agents/alice/model.json"), "deepseek-chat");
	assert_true(bytes_eq(world_agent(&w, "alice")->model, BYTES("deepseek-chat")));
	world_end(&w);
}

static size_t history_size(struct world *w)
{
	struct text t;
	size_t n;

	text_init(&t, 1 << 20);
	agents_history(w->h.agents, BYTES(""), SIZE_MAX, &t);
	n = t.n;
	text_done(&t);
	return n;
}

static void mark_work(struct job *j)
{
	(void)j;
}

static void mark_done(struct job *j)
{
	j->work = NULL;
}

/* Also until the directories have been read: the one thread of jobs does them in their order. */
static void look_around(struct world *w)
{
	struct job mark = {.home = w->loop, .work = mark_work, .on_done = mark_done};

	switches_look(w->h.switches);
	jobs_submit(w->jobs, &mark);
	while (mark.work != NULL) {
		loop_turn(w->loop, 1000);
	}
	world_settle(w);
}

/* A record of the plugin, of a Worker that we never heard of; and one that makes no sense. */
static void test_strangers(void **state)
{
	struct world w;
	size_t history;

	(void)state;
	world_begin(&w);
	assert_int_equal(mkdir(world_path(&w, "agents/bob"), 0700), 0);
	world_write(
		&w, "agents/alice/model.json", RECORD("qwen", "qwen-max", "2023-11-14T00:00:00Z"));
	world_write(&w, "agents/bob/model.json", RECORD("qwen", "no id", "2023-11-14T00:00:00Z"));
	look_around(&w);
	assert_true(world_agent(&w, "alice")->assigned);
	is(world_primary(&w, world_object("agents/alice/openclaw.json")), "qwen-max");
	assert_int_equal(world_agent(&w, "bob")->state, AGENT_FAILED);
	assert_false(world_agent(&w, "bob")->assigned);
	history = history_size(&w);
	look_around(&w); /* not again and again */
	assert_int_equal(history_size(&w), history);
	world_end(&w);
}

/* At the first start records are there before their providers: adopted when these come, and said once before. */
static void test_a_record_waits_for_its_provider(void **state)
{
	const char *before = "{\"providers\":[";
	struct text lists;
	struct world w;
	size_t history;

	(void)state;
	world_begin(&w);
	world_write(&w, "agents/alice/model.json", RECORD("late", "m", "2023-11-14T00:00:00Z"));
	look_around(&w);
	assert_int_equal(world_agent(&w, "alice")->state, AGENT_FAILED);
	history = history_size(&w);
	look_around(&w);
	assert_int_equal(history_size(&w), history);
	assert_false(world_agent(&w, "alice")->assigned);
	text_init(&lists, 1 << 16);
	text_addf(&lists, "%s{\"name\":\"late\",\"type\":\"openai\",\"tokens\":[\"c\"]},%s", before,
		&WORLD_LISTS[strlen(before)]);
	world_write(&w, "gateway.json", text_cstr(&lists));
	text_done(&lists);
	look_around(&w);
	assert_true(world_agent(&w, "alice")->assigned);
	is(world_primary(&w, world_object("agents/alice/openclaw.json")), "m");
	world_end(&w);
}

static void take(struct world *w, const char *target, const char *provider, uint64_t updated_us)
{
	const struct record r = {.provider = bytes_str(provider),
		.model = BYTES("qwen-max"),
		.updated_us = updated_us};

	switches_take_record(w->h.switches, bytes_str(target), &r);
	world_settle(w);
}

/* Of a Worker that was never assigned here; once, and not when an assignment is there or was taken away since. */
static void test_records_of_the_storage(void **state)
{
	uint64_t at = UINT64_C(1700000000000000);
	struct world w;
	size_t history;

	(void)state;
	world_begin(&w);
	take(&w, "alice", "gone", at);
	assert_false(world_agent(&w, "alice")->assigned);
	take(&w, "alice", "qwen", at);
	assert_true(world_agent(&w, "alice")->assigned);
	is(world_primary(&w, world_object("agents/alice/openclaw.json")), "qwen-max");
	history = history_size(&w);
	take(&w, "alice", "deepseek", at + 1);
	assert_int_equal(history_size(&w), history); /* its own look compares that */
	take(&w, "carol", "qwen", at);
	assert_true(
		world_agent(&w, "carol")->assigned); /* without a configuration: it waits for one */
	world_end(&w);
}

struct copies {
	unsigned corrupt, backup;
	bool oldest, fresh;
};

static bool count_copies(void *arg, const char *name)
{
	struct copies *c = arg;

	c->corrupt += strncmp(name, "model.json.corrupt.", 19) == 0;
	c->backup += strncmp(name, "model.json.backup.", 18) == 0;
	c->oldest = c->oldest || strcmp(name, "model.json.corrupt.20200101_000000") == 0;
	c->fresh = c->fresh || strncmp(name, "model.json.corrupt.2020", 23) > 0;
	return true;
}

static void put_copies(struct world *w, const char *kind, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[80];

		snprintf(name, sizeof(name), "agents/alice/model.json.%s.20200101_0000%02u", kind,
			i);
		world_write(w, name, "{");
	}
}

/* M-98: the broken record is kept aside, with the newest of those before. */
static void test_corrupt(void **state)
{
	struct copies c = {0};
	struct world w;

	(void)state;
	world_begin(&w);
	put_copies(&w, "corrupt", 9);
	put_copies(&w, "backup", 14);
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-plus"), HICLAW_OK);
	world_write(&w, "agents/alice/model.json", "{broken");
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-turbo"), HICLAW_OK);
	is(world_record(&w, "agents/alice/model.json"), "qwen-turbo");
	assert_int_equal(file_list(world_path(&w, "agents/alice"), count_copies, &c, NULL), 0);
	assert_int_equal(c.corrupt, 5);
	assert_int_equal(c.backup, 10);
	assert_true(c.fresh && !c.oldest);
	world_end(&w);
}

/* --- reload ------------------------------------------------------------------------------------------------ */

/* M-48, M-49 */
static void test_reload(void **state)
{
	struct switch_request rq;
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
	rq = world_request(&w, "manager", "", "");
	w.done = 0;
	switch_reload(w.h.switches, &rq);
	world_wait(&w);
	is(world_answer(&w, rq.answer),
		"{\"success\":true,\"status\":\"reloaded\",\"target\":\"manager\","
		"\"reload\":{\"ok\":true,\"method\":\"watcher\"},\"warnings\":[]}");
	rq = world_request(&w, "alice", "", "");
	w.done = 0;
	switch_reload(w.h.switches, &rq);
	world_wait(&w);
	assert_int_equal(rq.code, HICLAW_OK);
	assert_true(bytes_eq(
		doc_text(doc_get(&w.arena, rq.answer, "target"), BYTES("")), BYTES("alice")));
	rq = world_request(&w, "bob", "", "");
	w.done = 0;
	switch_reload(w.h.switches, &rq);
	world_wait(&w);
	assert_int_equal(rq.code, HICLAW_WORKER_NOT_FOUND);
	world_end(&w);
}

/* HI-34: nobody listens: a warning, and the switch is done. */
static void test_reload_refused(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.env.reload_url = w.env.probe_url = BYTES("http://127.0.0.1:1/x");
	w.h.switches->alive_ms = 1;
	assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
	assert_non_null(strstr(world_answer(&w, w.rq.answer),
		"\"reload\":{\"ok\":false,\"method\":\"unreachable\"}"));
	assert_non_null(strstr(world_answer(&w, w.rq.answer), "RELOAD_UNCONFIRMED"));
	is(world_primary(&w, "workspace/openclaw.json"), "qwen-max");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_contested),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_observed),
		cmocka_unit_test(test_watched),
		cmocka_unit_test(test_report_and_off),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_adopted_from_controller),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_entry_without_limits),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_a_record_waits_for_its_provider),
		cmocka_unit_test(test_records_of_the_storage),
		cmocka_unit_test(test_corrupt),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_reload_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
