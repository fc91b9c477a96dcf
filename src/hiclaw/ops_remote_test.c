/*
 * A Console that has learnt its part by heart: which requests come, in order, and what it answers.
 */
#define _GNU_SOURCE /* strcasestr */
#include "hiclaw/ops_remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define EXCHANGES_MAX 16u

struct exchange {
	const char *asks; /* "GET /v1/consumers" */
	const char *has;  /* somewhere in the request; NULL: whatever */
	unsigned status;  /* 0: the connection is closed without a word */
	const char *says;
};

struct console {
	struct loop *loop;
	struct watch listener, conn;
	int listening;
	struct sys_addr addr;
	const struct exchange *script;
	size_t at;
	char heard[65536];
	size_t n_heard;
	const char *wrong; /* what was asked instead of the script's */
};

struct asking {
	struct console console;
	struct loop *loop;
	struct ops_remote remote;
	struct ops_call call;
	struct arena arena;
	unsigned done;
};

static bool is_whole(const struct console *s)
{
	const char *end = strstr(s->heard, "\r\n\r\n");
	const char *length = strcasestr(s->heard, "\r\nContent-Length: ");

	return end != NULL &&
		(length == NULL || length > end ||
			s->n_heard >= (size_t)(end + 4 - s->heard) +
					strtoul(length + strlen("\r\nContent-Length: "), NULL, 10));
}

static void answer(struct console *s)
{
	const struct exchange *e = &s->script[s->at];
	struct text t;

	if (e->asks == NULL || strncmp(s->heard, e->asks, strlen(e->asks)) != 0 ||
		s->heard[strlen(e->asks)] != ' ' ||
		(e->has != NULL && strstr(s->heard, e->has) == NULL)) {
		s->wrong = s->heard;
		return;
	}
	s->at++;
	text_init(&t, 1 << 20);
	if (e->status != 0) {
		text_addf(&t,
			"HTTP/1.1 %u X\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s",
			e->status, strlen(e->says),
			strncmp(e->asks, "POST /session", 13) == 0 && e->status == 201
				? "Set-Cookie: _hi_sess=abc; Path=/; HttpOnly\r\n"
				: "",
			e->says);
		assert_int_equal(write(s->conn.fd, t.p, t.n), t.n);
	}
	text_done(&t);
}

static void on_conn(struct watch *w)
{
	struct console *s = CONTAINER_OF(w, struct console, conn);
	int fd = w->fd;
	ssize_t n;

	while ((n = read(fd, s->heard + s->n_heard, sizeof(s->heard) - s->n_heard - 1)) > 0) {
		s->n_heard += (size_t)n;
	}
	s->heard[s->n_heard] = '\0';
	if (is_whole(s)) {
		answer(s);
		loop_unwatch(s->loop, w);
		close(fd);
		s->conn.fd = -1;
	}
}

static void on_accept(struct watch *w)
{
	struct console *s = CONTAINER_OF(w, struct console, listener);
	struct sys_addr from;
	int fd;

	if (s->conn.fd < 0 && (fd = sys_accept(w->fd, &from)) >= 0) {
		s->n_heard = 0;
		assert_int_equal(loop_watch(s->loop, &s->conn, fd, on_conn), 0);
	}
}

static void on_done(struct ops_call *c)
{
	CONTAINER_OF(c, struct asking, call)->done++;
}

static struct asking *begin(const struct exchange *script)
{
	struct asking *a = must_alloc(sizeof(*a));
	struct sys_addr any;

	a->loop = a->console.loop = loop_new();
	a->console.script = script;
	a->console.conn.fd = -1;
	assert_int_equal(sys_addr_parse(&any, "127.0.0.1", 9, 0), 0);
	a->console.listening = sys_listen(&any, 8, &a->console.addr);
	assert_true(a->console.listening >= 0);
	assert_int_equal(
		loop_watch_listener(a->loop, &a->console.listener, a->console.listening, on_accept),
		0);
	a->remote = (struct ops_remote){.loop = a->loop,
		.fetcher = fetcher_new(a->loop, 1 << 20, false, NULL),
		.host = "127.0.0.1",
		.port = sys_addr_port(&a->console.addr),
		.authority = BYTES("console.test:8001"),
		.user = BYTES("admin"),
		.password = BYTES("p\"w")};
	ops_remote_init(&a->remote);
	arena_init(&a->arena, 1 << 24);
	a->call = (struct ops_call){.arena = &a->arena, .on_done = on_done};
	return a;
}

/* Bounded: a run has at most as many turns as a script has exchanges, several each. */
static void finish(struct asking *a, const char *reason)
{
	assert_int_equal(a->done, 0);
	for (unsigned i = 0; i < 2000 && a->done == 0 && a->console.wrong == NULL; i++) {
		loop_turn(a->loop, 1000);
	}
	if (a->console.wrong != NULL) {
		fail_msg("%s: exchange %zu: %s", reason, a->console.at, a->console.wrong);
	}
	if (a->done != 1 || a->console.script[a->console.at].asks != NULL) {
		fail_msg("%s: ended after exchange %zu, %u times: %u %.*s", reason, a->console.at,
			a->done, a->call.status, BYTES_ARG(text_bytes(&a->call.why)));
	}
}

static void end(struct asking *a)
{
	ops_call_done(&a->call);
	fetcher_free(a->remote.fetcher);
	loop_unwatch(a->loop, &a->console.listener);
	close(a->console.listening);
	loop_free(a->loop);
	arena_done(&a->arena);
	free(a);
}

#define LOGIN                                                                                   \
	{                                                                                       \
		"POST /session/login", "{\"username\":\"admin\",\"password\":\"p\\\"w\"}", 201, \
			"{}"                                                                    \
	}
#define ROUTE(name, version) \
	"{\"success\":true,\"data\":{\"name\":\"" name "\",\"version\":\"" version "\"}}"
#define SESSION "Cookie: _hi_sess=abc"

enum { A, B, REMOVE_A, CREATE_A, ODD, MASKED, OLD_A, ITEMS };

static const struct {
	enum ops_noun noun;
	enum ops_verb verb;
	const char *name, *body;
} items[ITEMS] = {
	[A] = {OPS_AI_ROUTE, OPS_SAVE, "a", "{\"name\":\"a\",\"x\":1}"},
	[B] = {OPS_SOURCE, OPS_SAVE, "b", "{\"name\":\"b\"}"},
	[REMOVE_A] = {OPS_AI_ROUTE, OPS_REMOVE, "a", NULL},
	[CREATE_A] = {OPS_AI_ROUTE, OPS_CREATE, "a", "{\"name\":\"a\"}"},
	[ODD] = {OPS_CONSUMER, OPS_REMOVE, "a b/\xc3\xa9", NULL},
	[MASKED] = {OPS_PROVIDER, OPS_SAVE, "m", "{\"name\":\"m\",\"tokens\":[\"sk-******abc\"]}"},
	[OLD_A] = {OPS_AI_ROUTE, OPS_SAVE, "a", "{\"name\":\"a\",\"version\":\"1\",\"x\":1}"},
};

static const struct row {
	const char *reason;
	int items[3]; /* of the enum, plus one; 0: none */
	unsigned status;
	const char *why; /* somewhere in it */
	struct exchange script[EXCHANGES_MAX];
} rows[] = {
	{"nothing is asked of a change without items but a session", {0}, 0, "", {LOGIN}},
	{"an object that is not there is made", {A + 1}, 0, "",
		{LOGIN, {"GET /v1/ai/routes/a", SESSION, 404, ""},
			{"POST /v1/ai/routes", "{\"name\":\"a\",\"x\":1}", 201,
				"{\"name\":\"a\"}"}}},
	{"one that is there is replaced, in its version", {A + 1}, 0, "",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "7")},
			{"PUT /v1/ai/routes/a", "{\"name\":\"a\",\"x\":1,\"version\":\"7\"}", 200,
				"{}"}}},
	{"somebody wrote the same object again: once more in the fresh version", {A + 1}, 0, "",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "7")},
			{"PUT /v1/ai/routes/a", "\"version\":\"7\"", 409, ""},
			{"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "8")},
			{"PUT /v1/ai/routes/a", "\"version\":\"8\"", 200, "{}"}}},
	{"somebody wrote another object: not over it", {A + 1}, 409, "changed by somebody else",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "7")},
			{"PUT /v1/ai/routes/a", NULL, 409, ""},
			{"GET /v1/ai/routes/a", NULL, 200, ROUTE("other", "8")},
			{"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "7")}}},
	{"made of another version than the one that is there", {OLD_A + 1}, 409,
		"changed by somebody else",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "2")}}},
	{"what must be new is there", {CREATE_A + 1}, 409, "already exists",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "2")}}},
	{"removed", {REMOVE_A + 1}, 0, "",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "2")},
			{"DELETE /v1/ai/routes/a", NULL, 204, ""}}},
	{"what is not there need not be removed; names are escaped", {ODD + 1}, 0, "",
		{LOGIN, {"GET /v1/consumers/a%20b%2F%C3%A9", NULL, 404, ""}}},
	{"a session that ended is renewed, once", {A + 1}, 0, "",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 401, "{\"success\":false}"}, LOGIN,
			{"GET /v1/ai/routes/a", NULL, 404, ""},
			{"POST /v1/ai/routes", NULL, 201, "{}"}}},
	{"a session that ends again", {A + 1}, 502, "answers 401: who",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 401, ""}, LOGIN,
			{"GET /v1/ai/routes/a", NULL, 401,
				"{\"success\":false,\"message\":\"who\"}"}}},
	{"a wrong password", {A + 1}, 502, "refuses the user name or the password",
		{{"POST /session/login", NULL, 401, "{}"}}},
	{"no answer at all", {A + 1}, 502, "cannot be asked",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 0, ""}}},
	{"a page for people instead of an object", {A + 1}, 502, "answers 200",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, "<!DOCTYPE html>"}}},
	{"the second one is refused: the first, which is new, goes again", {A + 1, B + 1}, 400,
		"answers 400: bad domain",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 404, ""},
			{"POST /v1/ai/routes", NULL, 201, "{}"},
			{"GET /v1/service-sources/b", NULL, 404, ""},
			{"POST /v1/service-sources", NULL, 400,
				"{\"success\":false,\"message\":\"bad domain\"}"},
			{"GET /v1/service-sources/b", NULL, 404, ""},
			{"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "1")},
			{"DELETE /v1/ai/routes/a", NULL, 204, ""}}},
	{"one that was replaced is put back in the version of now", {A + 1, B + 1}, 502,
		"answers 500",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("old", "7")},
			{"PUT /v1/ai/routes/a", NULL, 200, "{}"},
			{"GET /v1/service-sources/b", NULL, 500, ""},
			{"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "8")},
			{"PUT /v1/ai/routes/a", "{\"name\":\"old\",\"version\":\"8\"}", 200,
				"{}"}}},
	{"one that was removed is made again", {REMOVE_A + 1, B + 1}, 502, "answers 500",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 200, ROUTE("old", "7")},
			{"DELETE /v1/ai/routes/a", NULL, 204, ""},
			{"GET /v1/service-sources/b", NULL, 500, ""},
			{"GET /v1/ai/routes/a", NULL, 404, ""},
			{"POST /v1/ai/routes", "{\"name\":\"old\"}", 201, "{}"}}},
	{"what cannot be put back is said", {A + 1, B + 1}, 502,
		"answers 500; the AI route a could not be put back",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 404, ""},
			{"POST /v1/ai/routes", NULL, 201, "{}"},
			{"GET /v1/service-sources/b", NULL, 500, ""},
			{"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "1")},
			{"DELETE /v1/ai/routes/a", NULL, 500, ""}}},
	{"when it answers no more, everything that was written is named", {A + 1, B + 1}, 502,
		"; the AI route a could not be put back",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 404, ""},
			{"POST /v1/ai/routes", NULL, 201, "{}"},
			{"GET /v1/service-sources/b", NULL, 0, ""}}},
	{"the session ends while things are put back", {A + 1, B + 1}, 502, "answers 500",
		{LOGIN, {"GET /v1/ai/routes/a", NULL, 404, ""},
			{"POST /v1/ai/routes", NULL, 201, "{}"},
			{"GET /v1/service-sources/b", NULL, 500, ""},
			{"GET /v1/ai/routes/a", NULL, 401, ""}, LOGIN,
			{"GET /v1/ai/routes/a", NULL, 200, ROUTE("a", "1")},
			{"DELETE /v1/ai/routes/a", NULL, 204, ""}}},
	{"a key that is not shown makes no provider", {MASKED + 1}, 400, "does not show the keys",
		{LOGIN, {"GET /v1/ai/providers/m", NULL, 404, ""}}},
};

static void changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asking *a = begin(rows[i].script);
		struct ops_item list[3];

		for (size_t k = 0; k < 3 && rows[i].items[k] != 0; k++) {
			int n = rows[i].items[k] - 1;

			list[k] = (struct ops_item){items[n].noun, items[n].verb,
				bytes_str(items[n].name),
				items[n].body != NULL
					? doc_of_json(&a->arena,
						  json_parse(&a->arena, bytes_str(items[n].body),
							  NULL))
					: NULL};
			a->call.n_items++;
		}
		a->call.items = list;
		a->remote.ops.change(&a->remote.ops, &a->call);
		finish(a, rows[i].reason);
		if (a->call.status != rows[i].status ||
			strstr(text_cstr(&a->call.why), rows[i].why) == NULL ||
			(rows[i].status == 0) != (a->call.why.n == 0) ||
			strstr(text_cstr(&a->call.why), "p\"w") != NULL) {
			fail_msg("%s: %u %s", rows[i].reason, a->call.status,
				text_cstr(&a->call.why));
		}
		end(a);
	}
}

/* 101 consumers come on two pages; providers come whole, whatever page is asked for. */
static void lists_are_read(void **state)
{
	struct text first;
	struct exchange script[] = {LOGIN,
		{"GET /v1/ai/providers?pageNum=1&pageSize=100", SESSION, 200,
			"{\"success\":true,\"data\":[{\"name\":\"p\"}],\"total\":1}"},
		{"GET /v1/consumers?pageNum=1&pageSize=100", SESSION, 200, NULL},
		{"GET /v1/consumers?pageNum=2&pageSize=100", SESSION, 200,
			"{\"success\":true,\"data\":[{\"name\":\"last\"}],\"total\":101}"},
		{NULL, NULL, 0, NULL}};
	struct asking *a;

	(void)state;
	text_init(&first, 1 << 16);
	text_add_str(&first, "{\"success\":true,\"total\":101,\"data\":[");
	for (unsigned i = 0; i < 100; i++) {
		text_addf(&first, "%s{\"name\":\"c%u\"}", i > 0 ? "," : "", i);
	}
	text_add_str(&first, "]}");
	script[2].says = text_cstr(&first);
	a = begin(script);
	a->call.wanted = 1u << OPS_CONSUMER | 1u << OPS_PROVIDER;
	a->remote.ops.read(&a->remote.ops, &a->call);
	finish(a, "lists");
	assert_int_equal(a->call.status, 0);
	assert_int_equal(a->call.lists[OPS_CONSUMER]->n, 101);
	assert_true(bytes_eq(
		doc_peek(a->call.lists[OPS_CONSUMER]->last, "name", BYTES("")), BYTES("last")));
	assert_int_equal(a->call.lists[OPS_PROVIDER]->n, 1);
	assert_null(a->call.lists[OPS_ROUTE]);
	end(a);
	text_done(&first);
}

static void lists_are_refused(void **state)
{
	static const struct exchange script[] = {LOGIN,
		{"GET /v1/ai/routes?pageNum=1&pageSize=100", NULL, 200,
			"{\"success\":true,\"data\":{}}"},
		{NULL, NULL, 0, NULL}};
	struct asking *a = begin(script);

	(void)state;
	a->call.wanted = 1u << OPS_AI_ROUTE;
	a->remote.ops.read(&a->remote.ops, &a->call);
	finish(a, "no list");
	assert_int_equal(a->call.status, 502);
	end(a);
}

/* Whatever the room: an end, and a status. */
static void room_ends(void **state)
{
	static const struct exchange script[] = {LOGIN,
		{"GET /v1/ai/routes?pageNum=1&pageSize=100", NULL, 200,
			"{\"success\":true,\"data\":[{\"name\":\"a\"}],\"total\":1}"},
		{NULL, NULL, 0, NULL}};
	bool whole = false;

	(void)state;
	for (size_t max = 0; !whole; max += 200) {
		struct asking *a = begin(script);

		arena_done(&a->arena);
		arena_init(&a->arena, max);
		a->call.wanted = 1u << OPS_AI_ROUTE;
		a->remote.ops.read(&a->remote.ops, &a->call);
		for (unsigned i = 0; i < 2000 && a->done == 0; i++) {
			loop_turn(a->loop, 1000);
		}
		assert_int_equal(a->done, 1);
		whole = a->call.status == 0;
		assert_true(whole ? a->console.at == 2
				  : a->call.status == 500 || a->call.status == 502);
		assert_true(max < 1 << 20);
		end(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes),
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(lists_are_refused),
		cmocka_unit_test(room_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
