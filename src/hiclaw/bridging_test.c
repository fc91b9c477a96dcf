#include "hiclaw/switch_test_world.h"

#include "hiclaw/bridging.h"

/* What the gateway was told last: "<consumer>: <from> -> <to>", and whether it says that the new model was asked for. */
static char told[256];
static bool was_used;
static unsigned too_early;

static void take(struct gateway *g, const struct bridge *v, size_t n)
{
	(void)g;
	told[0] = '\0';
	if (n != 0) {
		snprintf(told, sizeof(told), BYTES_FMT ": " BYTES_FMT " -> " BYTES_FMT,
			BYTES_ARG(v[0].consumer), BYTES_ARG(v[0].from), BYTES_ARG(v[0].to));
		too_early += world_agent(world_now, "alice")->applying;
	}
}

static bool ended(const struct gateway *g, struct bytes consumer)
{
	(void)g;
	assert_true(bytes_eq(consumer, BYTES("worker-alice")));
	return was_used;
}

static void hook(struct world *w)
{
	w->h.switches->world.bridges = take;
	w->h.switches->world.bridge_ended = ended;
	switches_bridge(w->h.switches);
}

/* Its configuration says qwen3.5-plus; nobody recreates its container. */
static void begin(struct world *w)
{
	world_make(w);
	w->no_controller = w->no_storage = true;
	world_start(w);
	was_used = false;
	too_early = 0;
	hook(w);
}

static const char *ask(struct world *w, const char *model, bool bridge)
{
	struct switch_request rq = world_request(w, "alice", "qwen", model);

	rq.bridge = bridge;
	assert_int_equal(world_ask(w, rq), HICLAW_OK);
	return world_answer(w, w->rq.answer);
}

static void test_switches(void **state)
{
	static const struct {
		struct {
			const char *model;
			bool bridge;
		} asked[3];
		const char *told, *reason;
	} rows[] = {
		{{{"qwen-max", true}}, "worker-alice: qwen3.5-plus -> qwen-max",
			"from the model that is configured"},
		{{{"qwen-max", false}}, "", "off unless it is asked for"},
		{{{"qwen-max", true}, {"qwen-turbo", true}},
			"worker-alice: qwen3.5-plus -> qwen-turbo",
			"the agent has not heard of the switch between them either"},
		{{{"qwen-max", true}, {"qwen-turbo", false}}, "", "each switch says it anew"},
		{{{"qwen-max", true}, {"qwen3.5-plus", true}}, "",
			"back to what the agent asks for anyway"},
		{{{"qwen-max", false}, {"qwen-max", true}},
			"worker-alice: qwen3.5-plus -> qwen-max",
			"nothing but the bridge is asked for"},
		{{{"qwen-max", true}, {"qwen-max", false}},
			"worker-alice: qwen3.5-plus -> qwen-max",
			"the same again takes nothing away"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;

		begin(&w);
		for (size_t k = 0; k < 3 && rows[i].asked[k].model != NULL; k++) {
			ask(&w, rows[i].asked[k].model, rows[i].asked[k].bridge);
		}
		if (strcmp(told, rows[i].told) != 0 || too_early != 0) {
			fail_msg("%s: %s", rows[i].reason, told);
		}
		world_end(&w);
	}
}

static void test_answer(void **state)
{
	const char *answer;
	struct world w;

	(void)state;
	begin(&w);
	answer = ask(&w, "qwen-max", true);
	assert_non_null(strstr(answer,
		"\"bridge\":{\"from\":\"qwen3.5-plus\",\"to\":\"qwen-max\",\"until\":\"2023-11-15T"));
	assert_null(strstr(answer, "BRIDGE_UNAVAILABLE"));
	assert_null(strstr(ask(&w, "qwen-turbo", false), "\"bridge\""));
	world_end(&w);
}

/* It ends by the first request with the new model, of which the gateway tells. */
static void test_used(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	ask(&w, "qwen-max", true);
	bridging_look(w.h.switches);
	assert_string_equal(told, "worker-alice: qwen3.5-plus -> qwen-max");
	was_used = true;
	bridging_look(w.h.switches);
	assert_string_equal(told, "");
	assert_int_equal(world_agent(&w, "alice")->bridge_until_ms, 0);
	was_used = false; /* another one */
	ask(&w, "qwen-turbo", true);
	assert_string_equal(told, "worker-alice: qwen-max -> qwen-turbo");
	world_end(&w);
}

static void test_a_day(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	ask(&w, "qwen-max", true);
	w.wall_ms += BRIDGING_MS - 1;
	bridging_look(w.h.switches);
	assert_string_equal(told, "worker-alice: qwen3.5-plus -> qwen-max");
	w.wall_ms++;
	bridging_look(w.h.switches);
	assert_string_equal(told, "");
	world_end(&w);
}

static void test_starts_again(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	ask(&w, "qwen-max", true);
	world_stop(&w);
	told[0] = '\0';
	world_start(&w);
	hook(&w);
	assert_string_equal(told, "worker-alice: qwen3.5-plus -> qwen-max");
	agents_remove(w.h.agents, BYTES("alice"), NULL); /* as DELETE does */
	switches_bridge(w.h.switches);
	assert_string_equal(told, "");
	world_end(&w);
}

static void test_none(void **state)
{
	static const struct {
		const char *target, *model, *said;
		bool elsewhere;
	} rows[] = {
		{"manager", "qwen-max", "The Manager needs no bridge", false},
		{"alice", "qwen-max", "they go to another gateway", true},
		{"alice", "qwen3.5-plus", "it is not known that alice asks for another model",
			false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct switch_request rq;
		struct world w;

		begin(&w);
		if (rows[i].elsewhere) {
			w.h.switches->world.bridges = NULL;
		}
		rq = world_request(&w, rows[i].target, "qwen", rows[i].model);
		rq.bridge = true;
		assert_int_equal(world_ask(&w, rq), HICLAW_OK);
		assert_non_null(strstr(world_answer(&w, w.rq.answer), "BRIDGE_UNAVAILABLE"));
		assert_non_null(strstr(world_answer(&w, w.rq.answer), rows[i].said));
		assert_string_equal(told, "");
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_used),
		cmocka_unit_test(test_a_day),
		cmocka_unit_test(test_starts_again),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
