#include "hiclaw/s3_test_peer.h"

#include "hiclaw/controller.h"

#define TOKEN "t0ken-of-the-controller"

struct world {
	struct loop *loop;
	struct fetcher *fetcher;
	struct controller *controller;
	struct peer peer;
	unsigned done;
};

static void begin(struct world *w)
{
	char url[64];

	*w = (struct world){.loop = loop_new()};
	w->fetcher = fetcher_new(w->loop, 1 << 22, false, NULL);
	peer_begin(&w->peer, w->loop);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/base/", sys_addr_port(&w->peer.addr));
	w->controller = controller_new(w->fetcher, bytes_str(url), BYTES(" " TOKEN " "), NULL);
	assert_non_null(w->controller);
}

static void end(struct world *w)
{
	controller_free(w->controller);
	fetcher_free(w->fetcher);
	peer_end(&w->peer);
	loop_free(w->loop);
}

static void on_done(struct controller_call *call)
{
	((struct world *)call->arg)->done++;
}

static void wait_for(struct world *w)
{
	assert_int_equal(w->done, 0);
	for (unsigned turns = 0; w->done == 0; turns++) {
		assert_true(turns < 100000);
		loop_turn(w->loop, 1000);
	}
	assert_int_equal(w->done, 1);
	w->done = 0;
}

/* --- requests ----------------------------------------------------------------------------------- */

static void team_update(struct controller *c, struct controller_call *call, struct bytes name)
{
	controller_team_update(c, call, name, BYTES("{\"members\":[]}"));
}

static void worker_model(struct controller *c, struct controller_call *call, struct bytes name)
{
	controller_worker_set_model(c, call, name, BYTES("qwen\"3"));
}

static void manager_model(struct controller *c, struct controller_call *call, struct bytes name)
{
	controller_manager_set_model(c, call, name, BYTES("m"));
}

static void wake(struct controller *c, struct controller_call *call, struct bytes name)
{
	controller_worker_act(c, call, name, CONTROLLER_WAKE);
}

static void put_to_sleep(struct controller *c, struct controller_call *call, struct bytes name)
{
	controller_worker_act(c, call, name, CONTROLLER_SLEEP);
}

static void ensure(struct controller *c, struct controller_call *call, struct bytes name)
{
	controller_worker_act(c, call, name, CONTROLLER_ENSURE_READY);
}

static void test_requests(void **state)
{
	static const struct peer_answer ok = {200, NULL, "{\"a\":1}"};
	static const struct {
		void (*plain)(struct controller *c, struct controller_call *call);
		void (*named)(
			struct controller *c, struct controller_call *call, struct bytes name);
		const char *name, *line, *body; /* line NULL: nothing is sent */
	} rows[] = {
		{controller_health, NULL, NULL, "GET /base/healthz", NULL},
		{controller_version, NULL, NULL, "GET /base/api/v1/version", NULL},
		{controller_status, NULL, NULL, "GET /base/api/v1/status", NULL},
		{controller_workers, NULL, NULL, "GET /base/api/v1/workers", NULL},
		{controller_managers, NULL, NULL, "GET /base/api/v1/managers", NULL},
		{controller_keys, NULL, NULL, "POST /base/api/v1/credentials/sts", NULL},
		{NULL, controller_worker_status, "w1", "GET /base/api/v1/workers/w1/status", NULL},
		{NULL, worker_model, "w1", "PUT /base/api/v1/workers/w1",
			"{\"model\":\"qwen\\\"3\"}"},
		{NULL, manager_model, "default", "PUT /base/api/v1/managers/default",
			"{\"model\":\"m\"}"},
		{NULL, controller_team, "t", "GET /base/api/v1/teams/t", NULL},
		{NULL, team_update, "t", "PUT /base/api/v1/teams/t", "{\"members\":[]}"},
		{NULL, wake, "w1", "POST /base/api/v1/workers/w1/wake", NULL},
		{NULL, put_to_sleep, "w1", "POST /base/api/v1/workers/w1/sleep", NULL},
		{NULL, ensure, "a b", "POST /base/api/v1/workers/a%20b/ensure-ready", NULL},
		{NULL, wake, "w1?x=%2e", "POST /base/api/v1/workers/w1%3Fx%3D%252e/wake", NULL},
		{NULL, wake, "../teams", NULL, NULL},
		{NULL, wake, "..", NULL, NULL},
		{NULL, wake, "", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct controller_call call = {.on_done = on_done, .arg = &w};
		const char *end_of_line;

		begin(&w);
		peer_says(&w.peer, &ok, 1);
		if (rows[i].plain != NULL) {
			rows[i].plain(w.controller, &call);
		} else {
			rows[i].named(w.controller, &call, bytes_str(rows[i].name));
		}
		wait_for(&w);
		if (rows[i].line == NULL) {
			assert_int_equal(call.rc, CONTROLLER_REFUSED);
			assert_int_equal(w.peer.served, 0);
		} else {
			assert_int_equal(call.rc, CONTROLLER_OK);
			end_of_line = strstr(peer_log(&w.peer), " HTTP/1.1\r\n");
			assert_non_null(end_of_line);
			assert_true(bytes_eq(bytes_str(rows[i].line),
				bytes_of(w.peer.log, (size_t)(end_of_line - w.peer.log))));
			assert_non_null(strstr(w.peer.log, "Authorization: Bearer " TOKEN "\r\n"));
			assert_non_null(json_get(call.answer, "a"));
		}
		if (rows[i].body != NULL) {
			assert_true(bytes_ends(bytes_str(w.peer.log), bytes_str(rows[i].body)));
		}
		controller_call_done(&call);
		end(&w);
	}
}

/* --- answers ------------------------------------------------------------------------------------ */

static void test_answers(void **state)
{
	static const struct {
		struct peer_answer answer;
		enum controller_rc want;
		const char *says, *reason;
	} rows[] = {
		{{200, NULL, "{}"}, CONTROLLER_OK, "", "a success"},
		{{204, NULL, NULL}, CONTROLLER_OK, "", "a success without a word"},
		{{200, NULL, "<html>"}, CONTROLLER_BROKEN, "no JSON", "a page of somebody else's"},
		{{401, NULL, "{\"message\":\"no token\"}"}, CONTROLLER_FORBIDDEN, "401: no token",
			"not known"},
		{{403, NULL, NULL}, CONTROLLER_FORBIDDEN, "403", "not allowed"},
		{{404, NULL, "not found"}, CONTROLLER_NOT_FOUND, "404", "another body"},
		{{409, NULL, "{\"message\":\"member of a team\"}"}, CONTROLLER_CONFLICT,
			"409: member of a team", "a member of a team"},
		{{400, NULL, "{\"message\":\"bad\\nline\"}"}, CONTROLLER_REFUSED, "400: bad",
			"one line of it"},
		{{503, NULL, NULL}, CONTROLLER_UNREACHABLE, "503", "not there now"},
		{{0, NULL, NULL}, CONTROLLER_UNREACHABLE, "cannot be reached", "no answer"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct controller_call call = {.on_done = on_done, .arg = &w};

		begin(&w);
		peer_says(&w.peer, &rows[i].answer, 1);
		controller_worker_set_model(w.controller, &call, BYTES("w"), BYTES("m"));
		wait_for(&w);
		if (call.rc != rows[i].want || strstr(call.why.text, rows[i].says) == NULL) {
			fail_msg("%s: %d %s", rows[i].reason, (int)call.rc, call.why.text);
		}
		assert_null(strstr(call.why.text, TOKEN));
		assert_null(strchr(call.why.text, '\n'));
		controller_call_done(&call);
		end(&w);
	}
}

static void test_workers(void **state)
{
	static const struct peer_answer list = {200, NULL,
		"{\"workers\":[{\"name\":\"w1\",\"phase\":\"Running\",\"containerManaged\":true,"
		"\"state\":\"Running\",\"model\":\"qwen3\",\"runtime\":\"openclaw\",\"image\":\"i\","
		"\"containerState\":\"ready\",\"matrixUserID\":\"@w1\",\"roomID\":\"!r\",\"message\":\"m\","
		"\"exposedPorts\":[1],\"team\":\"t\",\"role\":\"r\"},{\"name\":\"w2\",\"model\":null},"
		"{\"phase\":\"Failed\"}],\"total\":3}"};
	const struct json_value *v;
	struct controller_worker worker;
	struct world w;
	struct controller_call call = {.on_done = on_done, .arg = &w};

	(void)state;
	begin(&w);
	peer_says(&w.peer, &list, 1);
	controller_workers(w.controller, &call);
	wait_for(&w);
	v = controller_first(call.answer);
	assert_true(controller_worker_read(v, &worker));
	assert_true(bytes_eq(worker.name, BYTES("w1")) &&
		bytes_eq(worker.phase, BYTES("Running")) &&
		bytes_eq(worker.model, BYTES("qwen3")) && worker.managed &&
		bytes_eq(worker.container_state, BYTES("ready")) &&
		bytes_eq(worker.team, BYTES("t")));
	v = v->next;
	assert_true(controller_worker_read(v, &worker));
	assert_true(worker.model.n == 0 && !worker.managed);
	assert_false(controller_worker_read(v->next, &worker));
	assert_null(v->next->next);
	controller_call_done(&call);
	assert_null(controller_first(NULL));
	end(&w);
}

static void test_life(void **state)
{
	static const char *const refused[] = {
		"", "hiclaw-controller:8090", "http://", "ftp://a", "http://a?b", "http://u:p@a"};
	struct controller_call calls[2] = {0};
	struct fault why;
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		assert_null(controller_new(w.fetcher, bytes_str(refused[i]), BYTES(""), &why));
	}
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i] = (struct controller_call){.on_done = on_done, .arg = &w};
		controller_workers(w.controller, &calls[i]);
	}
	controller_cancel(&calls[0]);
	end(&w);
	assert_int_equal(w.done, 0);
	controller_call_done(&calls[0]);
	controller_call_done(&calls[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
