#include "hiclaw/s3_test_peer.h"

#include <sys/un.h>

#include "hiclaw/engine.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ONE(id, name, state) \
	"{\"Id\":\"" id "\",\"Names\":[\"/hiclaw-worker-" name "\"],\"State\":\"" state "\"}"
#define TIMES(id, status)                                    \
	"{\"Id\":\"" id "\",\"State\":{\"Status\":\"" status \
	"\",\"StartedAt\":\"2026-01-01T00:00:00Z\",\"FinishedAt\":\"2026-01-01T00:01:00Z\"}}"
#define STARTED UINT64_C(1767225600000)
#define FINISHED UINT64_C(1767225660000)
#define EVERY_MS 2u

struct world {
	struct loop *loop;
	struct fetcher *fetcher;
	struct engine *engine;
	struct peer peer;
	char dir[32], path[64];
};

static void begin(struct world *w)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	*w = (struct world){.loop = loop_new(), .dir = "/tmp/sluice-engine-XXXXXX"};
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/docker.sock", w->dir);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", w->path);
	w->fetcher = fetcher_new(w->loop, 1 << 22, false, NULL);
	w->peer.loop = w->loop;
	w->peer.listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w->peer.listening, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(w->peer.listening, 8), 0);
	assert_int_equal(
		loop_watch_listener(w->loop, &w->peer.listener, w->peer.listening, peer_on_accept),
		0);
}

static void start(struct world *w, const char *socket, uint64_t stale_ms)
{
	w->engine = engine_new(&(struct engine_opts){.loop = w->loop,
		.fetcher = w->fetcher,
		.socket = bytes_str(socket),
		.prefix = BYTES("hiclaw-worker-"),
		.every_ms = EVERY_MS,
		.stale_ms = stale_ms});
}

static void end(struct world *w)
{
	engine_free(w->engine);
	fetcher_free(w->fetcher);
	peer_end(&w->peer);
	loop_free(w->loop);
	unlink(w->path);
	rmdir(w->dir);
}

/* Until the peer has given that many answers, and the engine has taken the last one. */
static void turn_until(struct world *w, unsigned served)
{
	for (unsigned i = 0; w->peer.served < served; i++) {
		assert_true(i < 100000);
		loop_turn(w->loop, 1000);
	}
}

static void turn_to(struct world *w, enum engine_answer wanted)
{
	struct bytes why;

	for (unsigned i = 0; engine_state(w->engine, &why) != wanted; i++) {
		assert_true(i < 100000);
		loop_turn(w->loop, 1000);
	}
}

static void expect(struct world *w, const char *name, enum state_container state, uint64_t since)
{
	const struct engine_worker *c = engine_find(w->engine, bytes_str(name));

	assert_non_null(c);
	assert_int_equal(c->state, state);
	assert_int_equal(c->since_ms, since);
}

/* Times are asked for once for each state of a container, and what has gone is known to have gone. */
static void test_rounds(void **state)
{
	static const struct peer_answer answers[] = {
		{200, NULL, "[" ONE(ID_B, "bob", "exited") "," ONE(ID_A, "alice", "running") "]"},
		{200, NULL, TIMES(ID_A, "running")},
		{200, NULL, TIMES(ID_B, "exited")},
		{200, NULL, "[" ONE(ID_B, "bob", "exited") "," ONE(ID_A, "alice", "exited") "]"},
		{200, NULL, TIMES(ID_A, "exited")},
		{200, NULL, "[" ONE(ID_A, "alice", "exited") "]"},
		{200, NULL, "[" ONE(ID_A, "alice", "exited") "]"},
	};
	struct world w;

	(void)state;
	begin(&w);
	peer_says(&w.peer, answers, ARRAY_LEN(answers));
	start(&w, w.path, 0);
	assert_null(engine_find(w.engine, BYTES("alice")));
	assert_false(engine_knows(w.engine));
	turn_until(&w, 4);
	expect(&w, "alice", STATE_CONTAINER_RUNNING, STARTED);
	expect(&w, "bob", STATE_CONTAINER_STOPPED, FINISHED);
	assert_null(engine_find(w.engine, BYTES("carol")));
	turn_until(&w, 6);
	expect(&w, "alice", STATE_CONTAINER_STOPPED, FINISHED);
	turn_until(&w, 8);
	expect(&w, "bob", STATE_CONTAINER_NOT_FOUND, 0);
	expect(&w, "alice", STATE_CONTAINER_STOPPED, FINISHED);
	assert_non_null(strstr(peer_log(&w.peer),
		"GET /containers/json?all=1&filters=%7B%22name%22%3A%5B%22hiclaw-worker-%22%5D%7D "
		"HTTP/1.1\r\nHost: localhost\r\n"));
	assert_non_null(strstr(peer_log(&w.peer), "GET /containers/" ID_A "/json HTTP/1.1\r\n"));
	end(&w);
}

/* Nothing else than GET is ever asked of an engine. */
static void test_only_reads(void **state)
{
	static const struct peer_answer answers[] = {
		{200, NULL, "[" ONE(ID_A, "alice", "running") "]"},
		{404, NULL, "{\"message\":\"No such container\"}"},
		{200, NULL, "[" ONE(ID_A, "alice", "running") "]"},
	};
	struct world w;
	unsigned n = 0;

	(void)state;
	begin(&w);
	peer_says(&w.peer, answers, ARRAY_LEN(answers));
	start(&w, w.path, 0);
	turn_until(&w, 5);
	expect(&w, "alice", STATE_CONTAINER_RUNNING, 0); /* its time is not asked for again */
	for (const char *p = peer_log(&w.peer); (p = strstr(p, " HTTP/1.1\r\n")) != NULL; p++) {
		n++;
	}
	assert_int_equal(n, w.peer.served);
	assert_null(strstr(peer_log(&w.peer), "POST "));
	end(&w);
}

static void test_failures(void **state)
{
	static const struct {
		struct peer_answer answer;
		const char *why;
	} rows[] = {
		{{500, NULL, "{\"message\":\"x\"}"}, "it answered 500"},
		{{200, NULL, "[{}]"}, "container 1 of the list has no Names"},
		{{200, NULL, "{}"}, "the answer is no list"},
		{{301, "Location: http://169.254.169.254/\r\n", NULL}, "it answered 301"},
		{{0, NULL, NULL}, "the connection ended before the answer was complete"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes why;
		struct world w;

		begin(&w);
		peer_says(&w.peer, &rows[i].answer, 1);
		start(&w, w.path, 0);
		turn_to(&w, ENGINE_DOWN);
		engine_state(w.engine, &why);
		if (!bytes_eq(why, bytes_str(rows[i].why))) {
			fail_msg("%s is not: " BYTES_FMT, rows[i].why, BYTES_ARG(why));
		}
		assert_false(engine_knows(w.engine));
		end(&w);
	}
}

static void test_no_socket(void **state)
{
	struct bytes why;
	struct world w;

	(void)state;
	begin(&w);
	start(&w, "unix:///nowhere/docker.sock", 0);
	turn_to(&w, ENGINE_DOWN);
	engine_state(w.engine, &why);
	assert_true(bytes_eq(why, BYTES("cannot connect: No such file or directory")));
	end(&w);
}

/* What was said holds for a while, and is then nobody's knowledge; an engine that comes back is heard. */
static void test_an_engine_that_restarts(void **state)
{
	static const struct peer_answer good[] = {
		{200, NULL, "[" ONE(ID_A, "alice", "running") "]"},
		{200, NULL, TIMES(ID_A, "running")},
		{503, NULL, NULL},
	};
	static const struct peer_answer again[] = {
		{200, NULL, "[" ONE(ID_A, "alice", "paused") "]"}};
	struct world w;

	(void)state;
	begin(&w);
	peer_says(&w.peer, good, ARRAY_LEN(good));
	start(&w, w.path, 60000);
	turn_to(&w, ENGINE_OK);
	turn_to(&w, ENGINE_DOWN);
	expect(&w, "alice", STATE_CONTAINER_RUNNING, STARTED);
	peer_says(&w.peer, again, 1);
	turn_to(&w, ENGINE_OK);
	assert_int_equal(engine_find(w.engine, BYTES("alice"))->state, STATE_CONTAINER_STOPPED);
	end(&w);

	begin(&w);
	peer_says(&w.peer, good, ARRAY_LEN(good));
	start(&w, w.path, 1);
	turn_to(&w, ENGINE_DOWN);
	for (unsigned i = 0; engine_knows(w.engine); i++) {
		assert_true(i < 100000);
		loop_turn(w.loop, 1000);
	}
	assert_null(engine_find(w.engine, BYTES("alice")));
	end(&w);
}

/* As many as can be told have gone: one that comes is known all the same, although its name is behind theirs. */
static void test_all_have_gone(void **state)
{
	struct peer_answer answers[] = {{200, NULL, NULL},
		{200, NULL, "[" ONE(ID_A, "zoe", "created") "]"}, {503, NULL, NULL}};
	struct text all;
	struct world w;

	(void)state;
	text_init(&all, SIZE_MAX);
	for (unsigned i = 0; i < ENGINE_CONTAINERS_MAX; i++) {
		text_addf(&all, "%s" ONE(ID_B, "w%04u", "created"), i == 0 ? "[" : ",", i);
	}
	text_add_char(&all, ']');
	answers[0].body = text_cstr(&all);
	begin(&w);
	peer_says(&w.peer, answers, ARRAY_LEN(answers));
	start(&w, w.path, 60000);
	turn_to(&w, ENGINE_OK);
	expect(&w, "w0999", STATE_CONTAINER_STARTING, 0);
	turn_to(&w, ENGINE_DOWN);
	expect(&w, "zoe", STATE_CONTAINER_STARTING, 0);
	expect(&w, "w0000", STATE_CONTAINER_NOT_FOUND, 0);
	assert_null(engine_find(w.engine, BYTES("w0999"))); /* no room for all of them */
	end(&w);
	text_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_only_reads),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_no_socket),
		cmocka_unit_test(test_an_engine_that_restarts),
		cmocka_unit_test(test_all_have_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
