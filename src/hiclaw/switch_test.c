#include "hiclaw/switch_test_world.h"

static void is(const char *got, const char *want)
{
	assert_string_equal(got, want);
}

static bool member(struct world *w, const char *key, struct bytes want)
{
	return bytes_eq(doc_text(doc_get(&w->arena, w->rq.answer, key), BYTES("")), want);
}

static bool truth(struct world *w, const char *key)
{
	const struct doc *d = doc_get(&w->arena, w->rq.answer, key);

	assert_non_null(d);
	return d->boolean;
}

/* --- a switch that goes well ------------------------------------------------------------------------------ */

/* M-11, HI-01: everything is where it belongs, and the answer says so in its order. */
static void test_manager(void **state)
{
	struct world w;
	const char *text;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_OK);
	text = world_answer(&w, w.rq.answer);
	is(arena_copy(&w.arena, bytes_of(text, 114)).p,
		"{\"success\":true,\"target\":\"manager\",\"provider\":\"deepseek\","
		"\"model\":\"deepseek-chat\",\"routeUpdated\":true,\"status\":\"sav");
	assert_true(truth(&w, "changed") && truth(&w, "routeChanged") && truth(&w, "synced"));
	assert_true(member(&w, "state", BYTES("pending")));
	assert_true(member(&w, "updatedAt", BYTES("2023-11-14T22:13:20Z")));
	assert_non_null(strstr(text, "\"reload\":{\"ok\":true,\"method\":\"watcher\"}"));
	assert_non_null(strstr(text, "\"warnings\":[]"));
	is(world_default(&w), "deepseek");
	is(world_cr(&w, "manager"), "deepseek-chat");
	is(world_primary(&w, "workspace/openclaw.json"), "deepseek-chat");
	is(world_primary(&w, world_object("agents/manager/openclaw.json")), "deepseek-chat");
	is(world_record(&w, "agents/manager/model.json"), "deepseek-chat");
	is(world_record(&w, world_object("agents/manager/model.json")), "deepseek-chat");
	assert_int_equal(w.reloads, 1);
	assert_int_equal(w.reached, 1);
	/* HI-01's other half: what was there before is kept, by the id that the gateway's backup has */
	assert_true(member(&w, "backupId", BYTES("20231114T221320Z-000001")));
	text = world_read(&w, "state/agent-backups/20231114T221320Z-000001.json");
	assert_non_null(strstr(text, "\"name\":\"default-ai-route\""));
	assert_non_null(strstr(text, "hiclaw-gateway/qwen3.5-plus"));
	assert_false(world_agent(&w, "manager")->applying);
	world_end(&w);
}

/* M-12, HI-02: nothing is written by the same request. */
static void test_again(void **state)
{
	struct file_stat before, after;
	struct world w;
	unsigned puts;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_OK);
	assert_int_equal(file_stat(world_path(&w, "workspace/openclaw.json"), &before), 0);
	puts = w.s3_puts;
	w.wall_ms += 60000;
	w.observed = "deepseek-chat";
	assert_int_equal(world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_OK);
	assert_false(truth(&w, "changed"));
	assert_false(truth(&w, "routeChanged"));
	assert_true(truth(&w, "routeUpdated"));
	assert_true(member(&w, "updatedAt", BYTES("2023-11-14T22:13:20Z")));
	assert_true(member(&w, "state", BYTES("applied")));
	assert_null(doc_get(&w.arena, w.rq.answer, "backupId"));
	assert_int_equal(file_stat(world_path(&w, "workspace/openclaw.json"), &after), 0);
	assert_true(before.mtime_ns == after.mtime_ns && before.inode == after.inode);
	assert_int_equal(w.s3_puts, puts);
	assert_int_equal(w.changes, 1);
	assert_int_equal(w.cr_puts, 1);
	world_end(&w);
}

/* HI-21, M-24: the object decides, the local copy is the object. */
static void test_worker(void **state)
{
	struct world w;
	struct switch_request rq;

	(void)state;
	world_begin(&w);
	world_write(&w, "agents/alice/openclaw.json", WORLD_CONFIG("old-copy"));
	rq = world_request(&w, "alice", "deepseek", "deepseek-chat");
	rq.wish.given.context_window = 100000;
	assert_int_equal(world_ask(&w, rq), HICLAW_OK);
	assert_true(member(&w, "targetId", BYTES("worker:alice")));
	assert_true(member(&w, "applied", BYTES("now")));
	assert_null(doc_get(&w.arena, w.rq.answer, "reload"));
	is(world_primary(&w, world_object("agents/alice/openclaw.json")), "deepseek-chat");
	is(world_read(&w, "agents/alice/openclaw.json"),
		world_read(&w, world_object("agents/alice/openclaw.json")));
	is(world_record(&w, world_object("agents/alice/model.json")), "deepseek-chat");
	is(world_default(&w), "qwen"); /* a Worker does not take the default route */
	is(world_cr(&w, "alice"), "deepseek-chat");
	assert_int_equal(world_agent(&w, "alice")->traits.context_window, 100000);
	world_end(&w);
}

/* HI-54: another runtime of the Manager's, whose files stand in its home. */
static void test_copaw(void **state)
{
	struct world w;

	(void)state;
	world_make(&w);
	w.no_storage = w.no_controller = true;
	assert_int_equal(mkdir(world_path(&w, "workspace/.copaw"), 0700), 0);
	assert_int_equal(mkdir(world_path(&w, "workspace/.copaw.secret"), 0700), 0);
	world_write(&w, "workspace/.copaw.secret/providers.json",
		"{\"custom_providers\":{\"hiclaw-gateway\":{\"models\":[{\"id\":\"a\",\"name\":\"a\"}]}},"
		"\"active_llm\":{\"provider_id\":\"hiclaw-gateway\",\"model\":\"a\"}}");
	world_write(&w, "workspace/.copaw/config.json",
		"{\"agents\":{\"running\":{\"max_input_length\":1}}}");
	world_start(&w);
	w.env.manager_runtime = BYTES("copaw");
	assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
	assert_true(truth(&w, "restartRequired"));
	assert_true(member(&w, "runtime", BYTES("copaw")));
	assert_non_null(strstr(world_read(&w, "workspace/.copaw.secret/providers.json"),
		"\"model\":\"qwen-max\""));
	assert_non_null(strstr(world_read(&w, "workspace/.copaw/config.json"), "200000"));
	world_end(&w);
}

/* monitor-api.md 8.2: nothing else is changed. A controller makes the file. */
static void test_manager_without_config(void **state)
{
	struct world w;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		world_make(&w);
		w.no_controller = i == 0;
		w.no_storage = true;
		world_start(&w);
		assert_int_equal(unlink(world_path(&w, "workspace/openclaw.json")), 0);
		if (i == 1) {
			assert_int_equal(
				world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
			assert_non_null(strstr(world_answer(&w, w.rq.answer), "CONFIG_MISSING"));
			is(world_cr(&w, "manager"), "qwen-max");
		} else {
			assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"),
				HICLAW_CONFIG_INCOMPLETE);
			assert_true(bytes_starts(
				w.rq.why_text, BYTES("OpenClaw config not found at /")));
			assert_int_equal(w.changes, 0);
			assert_null(world_agent(&w, "manager"));
			assert_null(world_read(&w, "agents/manager/model.json"));
		}
		world_end(&w);
	}
}

/* M-25, HI-22 */
static void test_worker_without_config(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "newbie", "qwen", "qwen-max"), HICLAW_OK);
	assert_non_null(strstr(world_answer(&w, w.rq.answer), "CONFIG_MISSING"));
	is(world_record(&w, "agents/newbie/model.json"), "qwen-max");
	is(world_record(&w, world_object("agents/newbie/model.json")), "qwen-max");
	assert_null(world_read(&w, world_object("agents/newbie/openclaw.json")));
	world_end(&w);
}

/* HI-38, HI-39 */
static void test_busy_worker(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.busy = true;
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
	assert_true(member(&w, "applied", BYTES("when-idle")));
	assert_int_equal(w.cr_puts, 0);
	assert_true(world_agent(&w, "alice")->pending_apply);
	is(world_primary(&w, world_object("agents/alice/openclaw.json")), "qwen-max");
	world_look(&w);
	assert_int_equal(w.cr_puts, 0);
	w.busy = false;
	world_look(&w);
	assert_int_equal(w.cr_puts, 1);
	is(world_cr(&w, "alice"), "qwen-max");
	assert_false(world_agent(&w, "alice")->pending_apply);
	world_end(&w);
}

static void test_apply_modes(void **state)
{
	struct switch_request rq;
	struct world w;

	(void)state;
	world_begin(&w);
	rq = world_request(&w, "alice", "qwen", "qwen-max");
	rq.apply = ENV_APPLY_FILES_ONLY;
	assert_int_equal(world_ask(&w, rq), HICLAW_OK);
	assert_true(member(&w, "applied", BYTES("on-restart")));
	world_write(&w, world_object("agents/alice/openclaw.json"), WORLD_CONFIG("qwen3.5-plus"));
	world_look(&w); /* drift keeps to it */
	is(world_primary(&w, world_object("agents/alice/openclaw.json")), "qwen-max");
	assert_int_equal(w.cr_puts, 0);
	w.busy = true;
	rq = world_request(&w, "alice", "qwen", "qwen-turbo");
	rq.apply = ENV_APPLY_FORCE;
	assert_int_equal(world_ask(&w, rq), HICLAW_OK);
	assert_int_equal(w.cr_puts, 1);
	world_end(&w);
}

/* HI-40 */
static void test_team(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.cr_status = 409;
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
	is(world_read(&w, "team"),
		"{\"name\":\"alice\",\"leader\":{\"name\":\"lead\",\"model\":\"a\"},"
		"\"workers\":[{\"name\":\"alice\",\"model\":\"qwen-max\"}],\"extra\":1}");
	world_end(&w);
}

static void test_dry_run(void **state)
{
	struct switch_request rq;
	struct world w;

	(void)state;
	world_begin(&w);
	rq = world_request(&w, "manager", "deepseek", "deepseek-chat");
	rq.dry_run = true;
	assert_int_equal(world_ask(&w, rq), HICLAW_OK);
	assert_true(truth(&w, "changed") && truth(&w, "dryRun") && truth(&w, "routeChanged"));
	assert_int_equal(w.changes + w.cr_puts + w.s3_puts, 0);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen3.5-plus");
	assert_null(world_agent(&w, "manager"));
	world_end(&w);
}

/* --- what is refused before anything changes ------------------------------------------------------------ */

static void test_refusals(void **state)
{
	static const struct {
		const char *target, *provider, *model, *if_match;
		bool unreachable, strict;
		enum hiclaw_code want;
		const char *why, *reason;
	} rows[] = {
		{"manager", "nobody", "m", "", false, false, HICLAW_PROVIDER_NOT_FOUND,
			"Provider not found", "M-18"},
		{"manager", "bare", "m", "", false, false, HICLAW_NO_API_KEY, "has no API key",
			"a provider without a key"},
		{"manager", "qwen", "m'$(id) x", "", false, false, HICLAW_INVALID_MODEL, "",
			"M-44"},
		{"manager", "qwen", "qwen-max", "", true, false, HICLAW_MODEL_NOT_REACHABLE,
			"Model not reachable: the provider refuses the key", "M-19, HI-47"},
		{"alice", "qwen", "qwen-max", "", true, true, HICLAW_MODEL_NOT_REACHABLE,
			"Model not reachable:", "a Worker, strictly"},
		{"alice", "qwen", "qwen-max", "", true, false, HICLAW_OK, "",
			"a Worker: a warning"},
		{"alice", "qwen", "qwen-max", "2020-01-01T00:00:00Z", false, false, HICLAW_CONFLICT,
			"changed by somebody else", "M-60"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct switch_request rq;
		struct world w;

		world_begin(&w);
		w.not_reachable = rows[i].unreachable;
		rq = world_request(&w, rows[i].target, rows[i].provider, rows[i].model);
		rq.strict = rows[i].strict;
		rq.if_match = bytes_str(rows[i].if_match);
		assert_int_equal(world_ask(&w, rq), rows[i].want);
		if (rows[i].want != HICLAW_OK) {
			const char *why = arena_copy(&w.arena, w.rq.why_text).p;

			assert_non_null(strstr(why, rows[i].why));
			assert_int_equal(w.changes + w.cr_puts + w.s3_puts, 0);
			assert_null(world_agent(&w, rows[i].target));
			assert_null(world_read(&w, "state/agents.json"));
			is(world_read(&w, "workspace/openclaw.json"), WORLD_CONFIG("qwen3.5-plus"));
		}
		world_end(&w);
	}
}

/* M-15 and the like are the API's; here: limits that contradict each other. */
static void test_limits(void **state)
{
	struct switch_request rq;
	struct world w;

	(void)state;
	world_begin(&w);
	rq = world_request(&w, "manager", "qwen", "qwen-max");
	rq.wish.given = (struct model_traits){.context_window = 1000, .max_tokens = 2000};
	assert_int_equal(world_ask(&w, rq), HICLAW_INVALID_REQUEST);
	world_end(&w);
}

/* HI-46: two providers have a model of one name. */
static void test_conflict(void **state)
{
	struct switch_request rq;
	struct world w;

	(void)state;
	world_begin(&w);
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
	assert_int_equal(
		world_switch(&w, "manager", "deepseek", "qwen-max"), HICLAW_ROUTE_CONFLICT);
	assert_true(bytes_eq(
		doc_text(doc_get(&w.arena, w.rq.details, "target"), BYTES("")), BYTES("alice")));
	rq = world_request(&w, "manager", "deepseek", "qwen-max");
	rq.qualify = true;
	assert_int_equal(world_ask(&w, rq), HICLAW_OK);
	is(world_primary(&w, "workspace/openclaw.json"), "deepseek/qwen-max");
	is(world_record(&w, "agents/manager/model.json"), "qwen-max");
	world_write(&w, "gateway.json", WORLD_LISTS); /* drift keeps to it */
	world_look(&w);
	assert_true(world_serves(&w, BYTES("deepseek")));
	is(world_primary(&w, "workspace/openclaw.json"), "deepseek/qwen-max");
	world_end(&w);
}

static void test_not_editable(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	world_write(&w, "workspace/openclaw.json", "{ \"models\": { \"$include\": \"x\" } }");
	assert_int_equal(
		world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_CONFIG_NOT_EDITABLE);
	assert_int_equal(w.changes + w.cr_puts + w.s3_puts, 0);
	world_end(&w);
}

/* --- storage and others that fail ------------------------------------------------------------------------ */

/* HI-24: written after the recovery without another request. HI-26: the controller is used all the same. */
static void test_storage_down(void **state)
{
	static const unsigned statuses[] = {403, 400};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		world_begin(&w);
		w.s3_status = statuses[i];
		assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
		assert_false(truth(&w, "synced"));
		is(world_cr(&w, "alice"), "qwen-max");
		is(world_record(&w, "agents/alice/model.json"), "qwen-max");
		if (statuses[i] == 403) {
			assert_non_null(strstr(world_answer(&w, w.rq.answer), "STORAGE_FORBIDDEN"));
		}
		assert_false(world_agent(&w, "alice")->synced);
		w.s3_status = 0;
		world_look(&w);
		assert_true(world_agent(&w, "alice")->synced);
		is(world_primary(&w, world_object("agents/alice/openclaw.json")), "qwen-max");
		is(world_record(&w, world_object("agents/alice/model.json")), "qwen-max");
		world_end(&w);
	}
}

static void test_nothing_attached(void **state)
{
	struct world w = {0};

	(void)state;
	world_make(&w);
	w.no_storage = w.no_controller = true;
	world_start(&w);
	w.h.opts.attached = false;
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_CONFIG_INCOMPLETE);
	world_end(&w);
}

/* What a Console shows of a key that it masks is written nowhere: the agent's own one is, or none. */
static void test_masked_key(void **state)
{
	static const char lists[] =
		"{\"providers\":[{\"name\":\"qwen\",\"type\":\"qwen\",\"tokens\":[\"a\"]}],"
		"\"consumers\":[{\"name\":\"worker-alice\",\"credentials\":[{\"type\":\"key-auth\","
		"\"source\":\"BEARER\",\"values\":[\"ali******key\"]}]}],\"routes\":[]}";
	struct world w = {0};

	(void)state;
	world_make(&w);
	w.no_storage = w.no_controller = true;
	world_start(&w);
	world_write(&w, "gateway.json", lists);
	world_write(&w, "agents/alice/openclaw.json", "{}");
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_CONFIG_INCOMPLETE);
	is(world_read(&w, "agents/alice/openclaw.json"), "{}");
	world_write(&w, "agents/alice/openclaw.json",
		"{\"gateway\": {\"auth\": {\"token\": \"tok\"}}}");
	assert_int_equal(world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_OK);
	assert_non_null(
		strstr(world_read(&w, "agents/alice/openclaw.json"), "\"apiKey\": \"tok\""));
	world_end(&w);
}

/* Somebody else writes the routes between the plan and the change. */
static void test_replanned(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.conflicts = SWITCH_REPLANS_MAX;
	assert_int_equal(world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_OK);
	assert_int_equal(w.changes, SWITCH_REPLANS_MAX + 1);
	w.conflicts = SWITCH_REPLANS_MAX + 1;
	assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_CONFLICT);
	is(world_primary(&w, "workspace/openclaw.json"), "deepseek-chat");
	assert_true(bytes_eq(world_agent(&w, "manager")->model, BYTES("deepseek-chat")));
	world_end(&w);
}

/* HI-48 */
static void test_verification(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.refused = true;
	assert_int_equal(
		world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_ROUTE_CONFLICT);
	is(world_default(&w), "qwen");
	assert_false(w.rq.partial);
	assert_int_equal(w.changes, 2);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen3.5-plus");
	world_end(&w);
}

static void test_controller_refuses(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.cr_status = 500;
	assert_int_equal(world_switch(&w, "manager", "deepseek", "deepseek-chat"),
		HICLAW_STORAGE_UNAVAILABLE);
	is(world_default(&w), "qwen");
	is(world_primary(&w, "workspace/openclaw.json"), "qwen3.5-plus");
	assert_int_equal(world_agent(&w, "manager")->state, AGENT_FAILED);
	assert_false(world_agent(&w, "manager")->assigned);
	world_end(&w);
}

/* --- every step --------------------------------------------------------------------------------------------- */

static const char *const steps[] = {"validate", "test", "plan-routes", "look", "find", "read",
	"plan-config", "judge", "backup", "intend", "routes", "verify", "controller", "config",
	"record", "reload", "finish"};

static void order(const char *step, const char *how)
{
	char text[64];

	snprintf(text, sizeof(text), "%s=%s", step, how);
	assert_int_equal(setenv("SLUICE_FAULT_SWITCH", text, 1), 0);
}

/* A step that fails leaves everything as it was: what came before it is undone. */
static void test_every_step_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const char *routes;
		struct world w;

		world_begin(&w);
		assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
		routes = world_default(&w);
		order(steps[i], "fail");
		assert_int_equal(
			world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_INTERNAL);
		unsetenv("SLUICE_FAULT_SWITCH");
		assert_non_null(strstr(world_answer(&w, w.rq.details), steps[i]));
		assert_false(w.rq.partial);
		is(world_default(&w), routes);
		is(world_primary(&w, "workspace/openclaw.json"), "qwen-max");
		is(world_primary(&w, world_object("agents/manager/openclaw.json")), "qwen-max");
		is(world_cr(&w, "manager"), "qwen-max");
		assert_true(bytes_eq(world_agent(&w, "manager")->model, BYTES("qwen-max")));
		/* and the next one works; drift has nothing against it */
		assert_int_equal(
			world_switch(&w, "manager", "deepseek", "deepseek-chat"), HICLAW_OK);
		is(world_record(&w, "agents/manager/model.json"), "deepseek-chat");
		world_look(&w);
		is(world_primary(&w, "workspace/openclaw.json"), "deepseek-chat");
		world_end(&w);
	}
}

/* A process that ends right before a step; the next one finds the old or the new, never a mixture. */
static void crash_at(struct world *w, const char *step)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		world_start(w);
		order(step, "crash");
		IGNORE(world_switch(w, "manager", "deepseek", "deepseek-chat"));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 97);
}

static void test_every_crash(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const char *want;
		struct world w;

		world_begin(&w);
		assert_int_equal(world_switch(&w, "manager", "qwen", "qwen-max"), HICLAW_OK);
		world_stop(&w);
		crash_at(&w, steps[i]);
		world_start(&w);
		world_look(&w);
		want = arena_copy(&w.arena, world_agent(&w, "manager")->model).p;
		is(want, i <= 9 ? "qwen-max" : "deepseek-chat"); /* the intent is kept by then */
		is(world_default(&w), i <= 9 ? "qwen" : "deepseek");
		is(world_primary(&w, "workspace/openclaw.json"), want);
		is(world_primary(&w, world_object("agents/manager/openclaw.json")), want);
		is(world_record(&w, "agents/manager/model.json"), want);
		is(world_record(&w, world_object("agents/manager/model.json")), want);
		is(world_cr(&w, "manager"), want);
		assert_false(world_agent(&w, "manager")->applying);
		assert_true(world_agent(&w, "manager")->synced);
		world_end(&w);
	}
}

/* --- several at once ----------------------------------------------------------------------------------- */

/* M-59: one after the other, the last one holds; another target need not wait. */
static void test_two_at_once(void **state)
{
	struct switch_request a, b, c;
	struct world w;

	(void)state;
	world_begin(&w);
	a = world_request(&w, "manager", "deepseek", "deepseek-chat");
	b = world_request(&w, "manager", "qwen", "qwen-max");
	c = world_request(&w, "alice", "qwen", "qwen-turbo");
	switch_start(w.h.switches, &a);
	switch_start(w.h.switches, &b);
	c.skip_test = true;
	switch_start(w.h.switches, &c);
	switch_forget(&a); /* its client has left: it is done all the same */
	w.done = 0;
	while (w.done < 2) {
		loop_turn(w.loop, 1000);
	}
	world_settle(&w);
	assert_true(b.code == HICLAW_OK && c.code == HICLAW_OK);
	is(world_primary(&w, "workspace/openclaw.json"), "qwen-max");
	is(world_record(&w, "agents/manager/model.json"), "qwen-max");
	is(world_cr(&w, "manager"), "qwen-max");
	assert_true(world_serves(&w, BYTES("qwen")));
	assert_true(bytes_eq(world_agent(&w, "manager")->model, BYTES("qwen-max")));
	assert_true(bytes_eq(world_agent(&w, "alice")->model, BYTES("qwen-turbo")));
	world_end(&w);
}

/* A Worker's processes write below its directory: a link there leads nowhere for us. */
static void test_links(void **state)
{
	static const char *const links[] = {
		"agents/alice/openclaw.json", "agents/alice/model.json", "agents/alice"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct world w;

		world_make(&w);
		w.no_storage = w.no_controller = true;
		world_start(&w);
		assert_int_equal(mkdir(world_path(&w, "victim"), 0700), 0);
		world_write(&w, "victim/openclaw.json", WORLD_CONFIG("qwen3.5-plus"));
		world_write(&w, "victim/file", "{}");
		if (i == 2) {
			assert_int_equal(
				rename(world_path(&w, links[2]), world_path(&w, "old")), 0);
			assert_int_equal(
				symlink(world_path(&w, "victim"), world_path(&w, links[2])), 0);
		} else {
			unlink(world_path(&w, links[i]));
			assert_int_equal(
				symlink(world_path(&w, "victim/file"), world_path(&w, links[i])),
				0);
		}
		assert_int_equal(
			world_switch(&w, "alice", "qwen", "qwen-max"), HICLAW_CONFIG_INCOMPLETE);
		is(world_read(&w, "victim/openclaw.json"), WORLD_CONFIG("qwen3.5-plus"));
		is(world_read(&w, "victim/file"), "{}");
		assert_null(world_read(&w, "victim/model.json"));
		world_end(&w);
	}
}

/* Somebody who does not wait for answers: the first ones are dealt with, the others are told. */
static void test_flood(void **state)
{
	static struct switch_request rqs[SWITCH_RUNS_MAX + 10];
	unsigned refused = 0;
	struct world w;

	(void)state;
	world_begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(rqs); i++) {
		rqs[i] = world_request(&w, "manager", "nobody", "m");
		switch_start(w.h.switches, &rqs[i]);
	}
	w.done = 0;
	while (w.done < ARRAY_LEN(rqs)) {
		loop_turn(w.loop, 1000);
	}
	for (size_t i = 0; i < ARRAY_LEN(rqs); i++) {
		refused += rqs[i].code == HICLAW_RATE_LIMITED;
		assert_true(rqs[i].code == HICLAW_RATE_LIMITED ||
			rqs[i].code == HICLAW_PROVIDER_NOT_FOUND);
	}
	assert_int_equal(refused, 10);
	world_end(&w);
}

/* The process ends in the middle of a switch. */
static void test_ends_meanwhile(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w);
	w.rq = world_request(&w, "manager", "qwen", "qwen-max");
	switch_start(w.h.switches, &w.rq);
	switches_look(w.h.switches);
	for (unsigned i = 0; i < 3; i++) {
		loop_turn(w.loop, 10);
	}
	world_stop(&w);
	assert_int_equal(w.done, 0);
	world_clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manager),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_copaw),
		cmocka_unit_test(test_manager_without_config),
		cmocka_unit_test(test_worker_without_config),
		cmocka_unit_test(test_busy_worker),
		cmocka_unit_test(test_apply_modes),
		cmocka_unit_test(test_team),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_not_editable),
		cmocka_unit_test(test_storage_down),
		cmocka_unit_test(test_nothing_attached),
		cmocka_unit_test(test_masked_key),
		cmocka_unit_test(test_replanned),
		cmocka_unit_test(test_verification),
		cmocka_unit_test(test_controller_refuses),
		cmocka_unit_test(test_every_step_fails),
		cmocka_unit_test(test_every_crash),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_ends_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
