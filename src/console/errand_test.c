/*
 * What a client is told whose change takes too long, over a real connection: a writer that does nothing stands for
 * a queue that does not move, and for workers that do not acknowledge.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "console/console.h"
#include "net/sys.h"

#define WRITE_MS 20u
#define TURNS_MAX 2000u /* of a millisecond */

struct world {
	struct gateway *gateway;
	struct manage *manage;
	struct console *console;
	struct loop *loop;
	struct list queue;
	struct write *begun; /* taken from the queue, never done by itself */
	bool begin, full;
	int client;
	char answer[4096];
	size_t n;
};

static void nothing(struct act *a)
{
	(void)a;
}

static const struct act_endpoint rows[] = {
	{.method = "PUT",
		.path = "/v1/things/{name}",
		.access = ACT_ANONYMOUS,
		.effect = ACT_CHANGES,
		.fn = nothing},
};
static const struct act_endpoints table = {rows, ARRAY_LEN(rows)};

static bool submit(void *arg, struct write *w)
{
	struct world *x = arg;

	if (x->full) {
		return false;
	}
	if (x->begin) {
		x->begun = w;
	} else {
		list_append(&x->queue, &w->link);
	}
	return true;
}

static struct snapshot *take_snapshot(void *arg)
{
	(void)arg;
	return snapshot_new();
}

static enum console_state state_of(void *arg)
{
	(void)arg;
	return CONSOLE_READY;
}

static void begin(struct world *x, const struct act_env *env)
{
	static const struct console_endpoints none = {.n = 0};
	static const struct hooks hooks = {.dialect = NULL};
	struct gateway_opts opts = {.n_workers = 1,
		.memory_max = 1 << 22,
		.http = HTTP_LIMITS_DEFAULT,
		.hooks = &hooks};
	struct sys_addr any, bound;
	struct fault f;

	*x = (struct world){.client = -1};
	list_init(&x->queue);
	x->gateway = gateway_new(&opts, &f);
	assert_non_null(x->gateway);
	x->loop = gateway_control(x->gateway);
	x->manage = manage_new(x->loop);
	x->console = console_new(&(struct console_opts){.manage = x->manage,
		.gateway = x->gateway,
		.endpoints = &none,
		.writer = {.submit = submit, .snapshot = take_snapshot, .arg = x},
		.write_ms = WRITE_MS,
		.state = state_of,
		.arg = x});
	console_set_env(x->console, env);
	manage_set_account(x->manage, account_new());
	assert_int_equal(sys_addr_parse(&any, "127.0.0.1", 9, 0), 0);
	assert_int_equal(manage_listen(x->manage, MANAGE_CONSOLE, &any, &bound), 0);
	x->client = sys_connect(&bound);
	assert_true(x->client >= 0);
}

static void end(struct world *x)
{
	close(x->client);
	manage_stop(x->manage);
	console_free(x->console);
	manage_free(x->manage);
	loop_turn(x->loop, 0);
	gateway_free(x->gateway);
}

static void turn(struct world *x, unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		loop_turn(x->loop, 1);
	}
}

static void ask(struct world *x)
{
	static const char request[] =
		"PUT /v1/things/a HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Type: application/json\r\nContent-Length: 2\r\n"
		"Connection: close\r\n\r\n{}";

	turn(x, 2);
	assert_int_equal(write(x->client, request, sizeof(request) - 1), sizeof(request) - 1);
}

/* The whole answer, at whose end the connection is closed. */
static void await(struct world *x)
{
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		struct pollfd p = {.fd = x->client, .events = POLLIN};
		ssize_t n;

		loop_turn(x->loop, 1);
		if (poll(&p, 1, 0) <= 0) {
			continue;
		}
		n = read(x->client, x->answer + x->n, sizeof(x->answer) - 1 - x->n);
		if (n <= 0) {
			x->answer[x->n] = '\0';
			return;
		}
		x->n += (size_t)n;
	}
	fail_msg("there is no answer");
}

static void expect(const struct world *x, const char *status, const char *part)
{
	assert_ptr_equal(strstr(x->answer, status), x->answer);
	if (strstr(x->answer, part) == NULL) {
		fail_msg("%s is not in %s", part, x->answer);
	}
}

static const struct act_env env = {.version = "0", .endpoints = &table, .audit_path = "/dev/null"};

static void a_change_whose_turn_does_not_come_is_taken_back(void **state)
{
	struct world x;

	(void)state;
	begin(&x, &env);
	ask(&x);
	await(&x);
	expect(&x, "HTTP/1.1 503 ", "Retry-After: 5\r\n");
	expect(&x, "HTTP/1.1 503 ", "nothing was changed");
	assert_true(list_empty(&x.queue)); /* and it never begins */
	end(&x);
}

static void a_change_that_is_not_live_in_time_is_told_so(void **state)
{
	struct world x;

	(void)state;
	begin(&x, &env);
	x.begin = true;
	ask(&x);
	await(&x);
	expect(&x, "HTTP/1.1 504 ", "not live on every worker yet");
	assert_null(strstr(x.answer, "Retry-After")); /* it may have happened */
	assert_non_null(x.begun);
	x.begun->on_done(x.begun); /* much later; nobody waits for it any more */
	turn(&x, 5);
	end(&x);
}

static void a_change_that_no_queue_takes_is_refused_at_once(void **state)
{
	struct world x;

	(void)state;
	begin(&x, &env);
	x.full = true;
	ask(&x);
	await(&x);
	expect(&x, "HTTP/1.1 503 ", "Retry-After: 5\r\n");
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_whose_turn_does_not_come_is_taken_back),
		cmocka_unit_test(a_change_that_is_not_live_in_time_is_told_so),
		cmocka_unit_test(a_change_that_no_queue_takes_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
