/*
 * The mock on real sockets: it runs on a thread of its own, the test is a client that blocks, with a
 * bound on every wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "mock/mock.h"

#define WAIT_S 10

struct world {
	struct loop *loop;
	struct segpool pool;
	struct mock *mock;
	struct sys_addr addr;
	struct post stop;
	pthread_t thread;
};

static void *run(void *arg)
{
	struct world *w = arg;

	loop_run(w->loop);
	return NULL;
}

static void on_stop(struct post *p)
{
	loop_stop(CONTAINER_OF(p, struct world, stop)->loop);
}

static int setup(void **state)
{
	struct world *w = must_alloc(sizeof(*w));
	struct sys_addr any;

	segpool_init(&w->pool, 256u << 20);
	w->loop = loop_new();
	w->mock = mock_new(w->loop, &w->pool, NULL);
	if (sys_addr_parse(&any, "127.0.0.1", 9, 0) != 0 ||
		mock_listen(w->mock, &any, &w->addr) != 0) {
		return -1;
	}
	*state = w;
	return pthread_create(&w->thread, NULL, run, w);
}

static int teardown(void **state)
{
	struct world *w = *state;

	loop_post(w->loop, &w->stop, on_stop);
	pthread_join(w->thread, NULL);
	mock_free(w->mock);
	loop_free(w->loop);
	segpool_done(&w->pool);
	free(w);
	return 0;
}

/* --- a client ----------------------------------------------------------------------------------- */

static int dial(const struct world *w)
{
	const struct timeval wait = {.tv_sec = WAIT_S};
	int fd = socket(w->addr.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	assert_int_equal(connect(fd, &w->addr.u.sa, w->addr.len), 0);
	return fd;
}

static void post(int fd, const char *path, const char *body)
{
	char all[4096];
	int n = snprintf(all, sizeof(all),
		"POST %s HTTP/1.1\r\nHost: mock\r\nX-Case: Kept\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		path, strlen(body), body);

	assert_true(n > 0 && (size_t)n < sizeof(all));
	assert_int_equal(write(fd, all, (size_t)n), n);
}

enum ended { ENDED_CLOSED, ENDED_RESET, ENDED_SILENT };

/* Reads to the end of the connection, or until `until` was seen (NULL: never). */
static enum ended read_until(int fd, const char *until, struct text *out)
{
	for (;;) {
		char part[16384];
		ssize_t n = read(fd, part, sizeof(part));

		if (n <= 0) {
			return n == 0 ? ENDED_CLOSED : errno == EAGAIN ? ENDED_SILENT : ENDED_RESET;
		}
		text_add(out, part, (size_t)n);
		if (until != NULL && strstr(text_cstr(out), until) != NULL) {
			return ENDED_SILENT;
		}
	}
}

static enum ended ask(struct world *w, const char *path, const char *body, struct text *out)
{
	enum ended how;
	int fd = dial(w);

	text_clear(out);
	post(fd, path, body);
	how = read_until(fd, NULL, out);
	close(fd);
	return how;
}

static void get(struct world *w, const char *method, const char *path, struct text *out)
{
	char all[256];
	int fd = dial(w);
	int n = snprintf(all, sizeof(all),
		"%s %s HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n", method, path);

	text_clear(out);
	assert_int_equal(write(fd, all, (size_t)n), n);
	assert_int_equal(read_until(fd, NULL, out), ENDED_CLOSED);
	close(fd);
}

#define CHAT "/v1/chat/completions"
#define STREAM ",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define WHOLE ",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static const struct {
	const char *path, *body;
	enum ended ended;
	const char *has;   /* must be in the answer */
	const char *lacks; /* must not; NULL: anything may */
	const char *reason;
} rows[] = {
	{CHAT, "{\"model\":\"mock\"" WHOLE, ENDED_CLOSED, "mock. You said: hi\"", NULL, "plain"},
	{CHAT, "{\"model\":\"mock\"" STREAM, ENDED_CLOSED, "0\r\n\r\n", "Content-Length",
		"streamed"},
	{CHAT, "{\"model\":\"mock-status-503\"" STREAM, ENDED_CLOSED, "HTTP/1.1 503 ",
		"data:", "an error although a stream was asked for"},
	{CHAT, "{\"model\":\"mock-status-429\"" WHOLE, ENDED_CLOSED, "retry-after: 1\r\n", NULL,
		"429 says when"},
	{CHAT, "{\"model\":\"mock-status-429+no-retry-after\"" WHOLE, ENDED_CLOSED,
		"x-ratelimit-remaining-requests: 0\r\n", "retry-after", "or does not"},
	{CHAT, "{\"model\":\"mock-status-503+retry-after-7\"" WHOLE, ENDED_CLOSED,
		"retry-after: 7\r\n", NULL, "other errors may say it too"},
	{CHAT, "{\"model\":\"mock-quota\"" STREAM, ENDED_CLOSED, "\"code\":\"insufficient_quota\"",
		"data:", "no money"},
	{"/v1/messages", "{\"model\":\"mock-quota\"" STREAM, ENDED_CLOSED,
		"credit balance is too low", "HTTP/1.1 429", "which Anthropic says behind a 400"},
	{CHAT, "{\"model\":\"mock-context\"" WHOLE, ENDED_CLOSED, "context_length_exceeded", NULL,
		"too long"},
	{"/v1/messages", "{\"model\":\"mock-context\"" WHOLE, ENDED_CLOSED, "prompt is too long",
		NULL, "in Anthropic's words"},
	{CHAT, "{\"model\":\"mock-filter\"" WHOLE, ENDED_CLOSED, "content_filter", NULL, "refused"},
	{CHAT, "{\"model\":\"mock-reset\"" WHOLE, ENDED_RESET, "", "HTTP", "no byte, then a reset"},
	{CHAT, "{\"model\":\"mock-html+status-502\"" WHOLE, ENDED_CLOSED, "HTTP/1.1 502 ", "{",
		"a page of a proxy on the way"},
	{CHAT, "{\"model\":\"mock-json-error\"" STREAM, ENDED_CLOSED, "application/json",
		"data:", "a JSON error behind a 200"},
	{CHAT, "{\"model\":\"mock-comments+error-event\"" STREAM, ENDED_CLOSED, "data: {\"error\"",
		"choices", "an error event in place of the first"},
	{CHAT, "{\"model\":\"mock-cut\"" STREAM, ENDED_RESET, "200 OK", "data:", "head, then cut"},
	{CHAT, "{\"model\":\"mock-cut-3\"" STREAM, ENDED_RESET, "\"from \"", "[DONE]",
		"events, then cut"},
	{CHAT, "{\"model\":\"mock-cut-1\"" WHOLE, ENDED_RESET, "chat.completion", "total_tokens",
		"half a body, then cut"},
	{CHAT, "{\"model\":\"mock-short\"" WHOLE, ENDED_RESET, "total_tokens", NULL,
		"all of it, and a longer length"},
	{CHAT, "{\"model\":\"mock-short\"" STREAM, ENDED_RESET, "[DONE]", "chunked",
		"a stream with a length that is too long"},
	{CHAT, "{\"model\":\"mock-close\"" WHOLE, ENDED_CLOSED, "total_tokens", "Content-Length",
		"no length"},
	{CHAT, "{\"model\":\"mock-close\"" STREAM, ENDED_CLOSED, "[DONE]\n\n", "chunked",
		"a stream without chunks"},
	{CHAT, "{\"model\":\"mock-json-as-sse\"" STREAM, ENDED_CLOSED, "event-stream",
		"data:", "no event in the stream"},
	{CHAT, "{\"model\":\"mock-html\"" WHOLE, ENDED_CLOSED, "text/html", NULL, "a page"},
	{CHAT, "{\"model\":\"mock-malformed\"" WHOLE, ENDED_CLOSED, "\"message\":", "usage",
		"half of JSON"},
	{CHAT, "{\"model\":\"mock-error-event\"" WHOLE, ENDED_CLOSED, "HTTP/1.1 500 ", NULL,
		"without a stream it is a plain error"},
	{CHAT, "{\"model\":\"mock-delay-30\"" WHOLE, ENDED_CLOSED, "total_tokens", NULL, "late"},
	{CHAT, "{\"model\":\"mock-slow-2\"" STREAM, ENDED_CLOSED, "[DONE]", NULL, "slowly"},
	{CHAT, "{\"model\":\"mock-size-300000\"" STREAM, ENDED_CLOSED, "[DONE]", NULL,
		"more than a socket takes at once"},
	{CHAT, "{\"model\":\"mock-bigevent-3000000\"" STREAM, ENDED_CLOSED, "[DONE]", NULL,
		"an event larger than any buffer"},
	{CHAT, "{\"model\":\"mock-echo\"" WHOLE, ENDED_CLOSED, "[\\\"X-Case\\\",\\\"Kept\\\"]",
		NULL, "an echo shows headers as received"},
	{CHAT, "{\"model\":\"mock-nonsense\"" WHOLE, ENDED_CLOSED, "HTTP/1.1 400 ", NULL,
		"a typing error is told"},
	{CHAT, "{\"model\":", ENDED_CLOSED, "HTTP/1.1 400 ", NULL, "no JSON"},
	{CHAT, "{\"model\":\"bench\"" WHOLE, ENDED_CLOSED, "Content-Length: 1024\r\n", "request-id",
		"the fast path: exactly 1 KB"},
	{CHAT, "{\"model\":\"bench-sse-3\"" STREAM, ENDED_CLOSED, "[DONE]", "request-id",
		"the fast path, streamed"},
	{"/anthropic/v1/messages", "{\"model\":\"mock-status-529\"" WHOLE, ENDED_CLOSED,
		"\"type\":\"overloaded_error\"", "\"code\"", "Anthropic's shape of errors"},
	{"/v1/models", "{}", ENDED_CLOSED, "HTTP/1.1 405 ", NULL, "wrong method"},
	{"/v2/nothing", "{}", ENDED_CLOSED, "HTTP/1.1 404 ", NULL, "no such path"},
};

static void test_answers(void **state)
{
	struct text t;

	text_init(&t, 16u << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum ended how = ask(*state, rows[i].path, rows[i].body, &t);

		if (how != rows[i].ended) {
			fail_msg("%s: ended %d", rows[i].reason, (int)how);
		}
		if (strstr(text_cstr(&t), rows[i].has) == NULL ||
			(rows[i].lacks != NULL && strstr(text_cstr(&t), rows[i].lacks) != NULL)) {
			fail_msg("%s: %s", rows[i].reason, text_cstr(&t));
		}
	}
	text_done(&t);
}

static void send_text(int fd, const char *all)
{
	assert_int_equal(write(fd, all, strlen(all)), (ssize_t)strlen(all));
}

/* Polls /mock/state until it has that text; bounded. */
static void await_state(struct world *w, const char *part)
{
	struct text t;

	text_init(&t, 65536);
	for (int i = 0; i < 1000; i++) {
		get(w, "GET", "/mock/state", &t);
		if (strstr(text_cstr(&t), part) != NULL) {
			text_done(&t);
			return;
		}
		usleep(5000);
	}
	fail_msg("never %s: %s", part, text_cstr(&t));
}

/* The header field has the first word, then the sequence, then the model. */
static void test_who_has_the_word(void **state)
{
	static const struct {
		const char *field, *expect, *reason;
	} asks[] = {
		{"", "HTTP/1.1 503 ", "first of the sequence"},
		{"x-mock: status-401\r\n", "HTTP/1.1 401 ", "the field, and the sequence stays"},
		{"", "HTTP/1.1 503 ", "second of the sequence"},
		{"", "HTTP/1.1 404 ", "ok: the model's own"},
		{"", "HTTP/1.1 429 ", "last of the sequence"},
		{"", "HTTP/1.1 404 ", "none is left"},
		{"X-Mock: nonsense\r\n", "HTTP/1.1 400 ", "a typing error is told"},
	};
	static const char body[] = "{\"model\":\"mock-status-404\"" WHOLE;
	struct world *w = *state;
	char all[1024];
	struct text t;

	text_init(&t, 1u << 20);
	ask(w, "/mock/script", "status-503*2,ok,status-429", &t);
	assert_non_null(strstr(text_cstr(&t), "{\"left\":4}"));
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		int fd = dial(w);

		snprintf(all, sizeof(all),
			"POST " CHAT
			" HTTP/1.1\r\nHost: mock\r\n%sContent-Length: %zu\r\n"
			"Connection: close\r\n\r\n%s",
			asks[i].field, sizeof(body) - 1, body);
		send_text(fd, all);
		text_clear(&t);
		read_until(fd, NULL, &t);
		close(fd);
		if (strstr(text_cstr(&t), asks[i].expect) == NULL) {
			fail_msg("%s: %s", asks[i].reason, text_cstr(&t));
		}
	}
	ask(w, "/mock/script", "status-503*", &t);
	assert_non_null(strstr(text_cstr(&t), "HTTP/1.1 400 "));
	get(w, "GET", "/mock/script", &t);
	assert_non_null(strstr(text_cstr(&t), "{\"left\":0}"));
	text_done(&t);
}

/* Whether connections are refused for a while, and then accepted; bounded. */
static bool comes_back(const struct world *w)
{
	bool refused = false;

	for (int i = 0; i < 10000; i++) {
		int fd = socket(w->addr.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int rc = connect(fd, &w->addr.u.sa, w->addr.len);

		close(fd);
		if (rc == 0 && refused) {
			return true;
		}
		if (rc != 0) {
			assert_int_equal(errno, ECONNREFUSED);
			refused = true;
		}
		usleep(1000);
	}
	return false;
}

/* All connections are reset, the port refuses, and comes back as the same. */
static void test_outage(void **state)
{
	struct world *w = *state;
	int other = dial(w);
	struct text t;

	text_init(&t, 1u << 20);
	post(other, CHAT, "{\"model\":\"mock-stall-1\"" STREAM);
	assert_int_equal(read_until(other, "\"role\"", &t), ENDED_SILENT);
	assert_int_equal(ask(w, CHAT, "{\"model\":\"mock-refuse-300\"" WHOLE, &t), ENDED_RESET);
	assert_int_equal(t.n, 0);
	assert_int_equal(read_until(other, NULL, &t), ENDED_RESET);
	close(other);
	assert_true(comes_back(w));
	assert_int_equal(ask(w, CHAT, "{\"model\":\"mock\"" WHOLE, &t), ENDED_CLOSED);
	await_state(w, "{\"open\":0,\"total\":3,\"complete\":1,\"client_gone\":0,\"cut\":2}");
	text_done(&t);
}

/* Streams that stall stay open until their client leaves, and each is noted once. */
static void test_clients_leave(void **state)
{
	struct world *w = *state;
	struct text t;
	int fds[20];

	text_init(&t, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = dial(w);
		post(fds[i], CHAT, "{\"model\":\"mock-stall-2\"" STREAM);
		text_clear(&t);
		assert_int_equal(read_until(fds[i], "\"Hello \"", &t), ENDED_SILENT);
	}
	await_state(w, "{\"open\":20,\"total\":20,\"complete\":0,\"client_gone\":0");
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		close(fds[i]);
	}
	await_state(w, "{\"open\":0,\"total\":20,\"complete\":0,\"client_gone\":20");
	get(w, "GET", "/mock/requests?last=1", &t);
	assert_non_null(strstr(text_cstr(&t), "\"ended\":\"client-gone\",\"events\":2"));
	text_done(&t);
}

static void test_record(void **state)
{
	struct world *w = *state;
	struct text t;

	text_init(&t, 1u << 20);
	ask(w, "/a" CHAT "?k=v", "{\"model\":\"mock\"" WHOLE, &t);
	ask(w, CHAT, "{\"model\":\"bench\"" WHOLE, &t);
	ask(w, CHAT, "{\"model\":\"mock-cut\"" STREAM, &t);
	get(w, "GET", "/mock/requests", &t);
	assert_non_null(strstr(text_cstr(&t), "\"path\":\"/a" CHAT "?k=v\""));
	assert_non_null(strstr(text_cstr(&t), "\"ended\":\"complete\""));
	assert_non_null(strstr(text_cstr(&t), "\"ended\":\"cut\""));
	assert_null(strstr(text_cstr(&t), "bench"));
	get(w, "GET", "/mock/requests?body=0&last=1", &t);
	assert_null(strstr(text_cstr(&t), "\"body\":"));
	assert_null(strstr(text_cstr(&t), "?k=v"));
	get(w, "DELETE", "/mock/requests", &t);
	get(w, "GET", "/mock/requests", &t);
	assert_non_null(strstr(text_cstr(&t), "\r\n\r\n[]"));
	await_state(w, "{\"open\":0,\"total\":3,\"complete\":2,\"client_gone\":0,\"cut\":1}");
	text_done(&t);
}

/* What was due for a client that left does not come any more. */
static void test_timers_end_too(void **state)
{
	static const char *const models[] = {"{\"model\":\"mock-delay-200\"" WHOLE,
		"{\"model\":\"mock-silent\"" WHOLE, "{\"model\":\"mock-slow-200\"" STREAM};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		int fd = dial(w);

		post(fd, CHAT, models[i]);
		await_state(w, "{\"open\":1,");
		close(fd);
		await_state(w, "{\"open\":0,");
	}
	usleep(300000); /* past both deadlines */
	await_state(w, "{\"open\":0,\"total\":3,\"complete\":0,\"client_gone\":3,\"cut\":0}");
}

/* Ends with streams of every kind open: teardown must find nothing lent and nothing leaked. */
static void test_end_in_the_middle(void **state)
{
	static const char *const models[] = {"{\"model\":\"mock-stall-1\"" STREAM,
		"{\"model\":\"mock-delay-60000\"" STREAM, "{\"model\":\"mock-slow-60000\"" STREAM,
		"{\"model\":\"mock-size-50000000\"" STREAM, "{\"model\":\"mock-stall-1\"" WHOLE,
		"{\"model\":\"mock-silent\"" WHOLE, "{\"model\":\"mock-halt\"" STREAM};
	struct world *w = *state;
	int fds[ARRAY_LEN(models)];

	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		fds[i] = dial(w);
		post(fds[i], CHAT, models[i]);
	}
	await_state(w, "{\"open\":7,");
	assert_int_equal(teardown(state), 0);
	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		close(fds[i]);
	}
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_answers),
		LIVE(test_who_has_the_word),
		LIVE(test_outage),
		LIVE(test_clients_leave),
		LIVE(test_record),
		LIVE(test_timers_end_too),
		cmocka_unit_test_setup(test_end_in_the_middle, setup),
	};

	return cmocka_run_group_tests_name("mock", tests, NULL, NULL);
}
