#define _GNU_SOURCE
#include "http/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * A peer that accepts one connection, reads what comes and, when it has come whole, says its piece and closes.
 */
struct peer {
	struct loop *loop;
	struct watch listener, conn;
	int listening;
	struct sys_addr addr;
	const char *says; /* NULL: nothing, and stays */
	char heard[4096];
	size_t n_heard;
};

struct asked {
	struct peer peer;
	struct loop *loop;
	struct fetcher *fetcher;
	struct fetch fetch;
	unsigned done;
};

static void on_conn(struct watch *w)
{
	struct peer *p = CONTAINER_OF(w, struct peer, conn);
	int fd = w->fd;
	ssize_t n;

	while ((n = read(fd, p->heard + p->n_heard, sizeof(p->heard) - p->n_heard - 1)) > 0) {
		p->n_heard += (size_t)n;
	}
	p->heard[p->n_heard] = '\0';
	if (p->says != NULL && strstr(p->heard, "\r\n\r\n") != NULL) {
		assert_int_equal(write(fd, p->says, strlen(p->says)), strlen(p->says));
		loop_unwatch(p->loop, w);
		close(fd);
	}
}

static void on_accept(struct watch *w)
{
	struct peer *p = CONTAINER_OF(w, struct peer, listener);
	struct sys_addr from;
	int fd = sys_accept(w->fd, &from);

	if (fd >= 0) {
		assert_int_equal(loop_watch(p->loop, &p->conn, fd, on_conn), 0);
	}
}

static void on_done(struct fetch *f)
{
	((struct asked *)f->arg)->done++;
}

static struct asked *begin(const char *says)
{
	struct asked *a = must_alloc(sizeof(*a));
	struct sys_addr any;

	a->loop = a->peer.loop = loop_new();
	a->peer.says = says;
	a->peer.conn.fd = -1;
	assert_int_equal(sys_addr_parse(&any, "127.0.0.1", 9, 0), 0);
	a->peer.listening = sys_listen(&any, 8, &a->peer.addr);
	assert_true(a->peer.listening >= 0);
	assert_int_equal(
		loop_watch_listener(a->loop, &a->peer.listener, a->peer.listening, on_accept), 0);
	a->fetcher = fetcher_new(a->loop, 1 << 20, false, NULL);
	a->fetch = (struct fetch){.host = "127.0.0.1",
		.port = sys_addr_port(&a->peer.addr),
		.method = BYTES("GET"),
		.target = BYTES("/a?b=c"),
		.timeout_ms = 10000,
		.answer_max = 64,
		.on_done = on_done,
		.arg = a};
	fetch_add(&a->fetch, BYTES("Host"), BYTES("h.test"));
	return a;
}

static void finish(struct asked *a)
{
	fetch_start(a->fetcher, &a->fetch);
	assert_int_equal(a->done, 0);
	while (a->done == 0) {
		loop_turn(a->loop, 1000);
	}
	assert_int_equal(a->done, 1);
}

static void end(struct asked *a)
{
	fetcher_free(a->fetcher);
	fetch_done(&a->fetch);
	loop_unwatch(a->loop, &a->peer.listener);
	close(a->peer.listening);
	if (a->peer.conn.fd >= 0) {
		int fd = a->peer.conn.fd;

		loop_unwatch(a->loop, &a->peer.conn);
		close(fd);
	}
	loop_free(a->loop);
	free(a);
}

#define OK "HTTP/1.1 200 OK\r\n"

static void answers(void **state)
{
	static const struct {
		const char *says;
		enum fetch_rc rc;
		unsigned status;
		const char *body, *reason;
	} rows[] = {
		{OK "Content-Length: 2\r\n\r\nhi", FETCH_DONE, 200, "hi", "a length"},
		{OK "Connection: close\r\n\r\nhi", FETCH_DONE, 200, "hi", "up to the end"},
		{OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", FETCH_DONE, 200, "hi",
			"chunks"},
		{"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
			FETCH_DONE, 302, "", "nothing is followed"},
		{"HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx", FETCH_DONE, 404, "x",
			"any status is an answer"},
		{OK "Content-Length: 9\r\n\r\nhi", FETCH_PROTOCOL, 200, NULL, "cut in the middle"},
		{"", FETCH_PROTOCOL, 0, NULL, "closed without a word"},
		{"SSH-2.0-x\r\n\r\n", FETCH_PROTOCOL, 0, NULL, "not HTTP"},
		{OK "Content-Length: 65\r\n\r\n"
		    "01234567890123456789012345678901234567890123456789012345678901234",
			FETCH_PROTOCOL, 200, NULL, "one byte more than wanted"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked *a = begin(rows[i].says);

		finish(a);
		if (a->fetch.rc != rows[i].rc || a->fetch.status != rows[i].status) {
			fail_msg("%s: %d, status %u, %s", rows[i].reason, (int)a->fetch.rc,
				a->fetch.status, a->fetch.why.text);
		}
		if (rows[i].body != NULL) {
			assert_true(
				bytes_eq(text_bytes(&a->fetch.body_in), bytes_str(rows[i].body)));
		} else {
			assert_true(a->fetch.why.text[0] != '\0');
		}
		end(a);
	}
}

static void what_is_sent(void **state)
{
	struct asked *a = begin(OK "ETag: \"x\"\r\nContent-Length: 0\r\n\r\n");

	(void)state;
	a->fetch.method = BYTES("PUT");
	a->fetch.body = BYTES("body");
	finish(a);
	assert_int_equal(a->fetch.rc, FETCH_DONE);
	assert_non_null(strstr(a->peer.heard, "PUT /a?b=c HTTP/1.1\r\nHost: h.test\r\n"));
	assert_non_null(strstr(a->peer.heard, "Content-Length: 4\r\n"));
	assert_true(bytes_eq(fetch_field(&a->fetch, "etag"), BYTES("\"x\"")));
	assert_null(fetch_field(&a->fetch, "eta").p);
	end(a);
}

static void head_has_no_body(void **state)
{
	struct asked *a = begin(OK "Content-Length: 5000000\r\n\r\n");

	(void)state;
	a->fetch.method = BYTES("HEAD");
	finish(a);
	assert_int_equal(a->fetch.rc, FETCH_DONE);
	assert_true(bytes_eq(fetch_field(&a->fetch, "Content-Length"), BYTES("5000000")));
	end(a);
}

static bool nowhere(const struct sys_addr *addr, const char **why)
{
	(void)addr;
	*why = "nobody may go there";
	return false;
}

static void nobody_is_asked_who_may_not_be(void **state)
{
	struct asked *a = begin(OK "\r\n");

	(void)state;
	a->fetch.allowed = nowhere;
	finish(a);
	assert_int_equal(a->fetch.rc, FETCH_REFUSED);
	assert_string_equal(a->fetch.why.text, "nobody may go there");
	assert_int_equal(a->peer.n_heard, 0);
	end(a);
}

static void nobody_is_there(void **state)
{
	struct asked *a = begin(NULL);
	struct sys_addr addr;
	int fd;

	(void)state;
	assert_int_equal(sys_addr_parse(&addr, "127.0.0.1", 9, 0), 0);
	fd = sys_listen(&addr, 1, &addr); /* a port that was free a moment ago */
	assert_true(fd >= 0);
	close(fd);
	a->fetch.port = sys_addr_port(&addr);
	finish(a);
	assert_int_equal(a->fetch.rc, FETCH_NO_CONNECTION);
	end(a);
}

static void silence_has_an_end(void **state)
{
	struct asked *a = begin(NULL);

	(void)state;
	a->fetch.timeout_ms = 20;
	finish(a);
	assert_int_equal(a->fetch.rc, FETCH_TIMEOUT);
	end(a);
}

static void who_cancels_hears_nothing(void **state)
{
	struct asked *a = begin(NULL);

	(void)state;
	fetch_start(a->fetcher, &a->fetch);
	while (a->peer.n_heard == 0) {
		loop_turn(a->loop, 1000);
	}
	fetch_cancel(&a->fetch);
	loop_turn(a->loop, 0);
	assert_int_equal(a->done, 0);
	end(a);
}

/* The same conversation with a socket in the file system, whose server says one byte at a time. */
static void a_socket_in_the_file_system(void **state)
{
	static const char says[] = OK "Content-Length: 2\r\nX: y\r\n\r\nhi";
	char dir[] = "/tmp/sluice-fetch-XXXXXX";
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct asked *a = begin(NULL);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", dir);
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(listener, 4), 0);
	loop_unwatch(a->loop, &a->peer.listener);
	close(a->peer.listening);
	a->peer.listening = listener;
	assert_int_equal(loop_watch_listener(a->loop, &a->peer.listener, listener, on_accept), 0);
	a->fetch.host = "nobody.test";
	a->fetch.path = un.sun_path;
	fetch_start(a->fetcher, &a->fetch);
	while (strstr(a->peer.heard, "\r\n\r\n") == NULL) {
		loop_turn(a->loop, 1000);
	}
	for (size_t i = 0; i < sizeof(says) - 1; i++) {
		assert_int_equal(a->done, 0);
		assert_int_equal(write(a->peer.conn.fd, says + i, 1), 1);
		loop_turn(a->loop, 1000);
	}
	while (a->done == 0) {
		loop_turn(a->loop, 1000);
	}
	assert_int_equal(a->fetch.rc, FETCH_DONE);
	assert_true(bytes_eq(text_bytes(&a->fetch.body_in), BYTES("hi")));
	end(a);
	unlink(un.sun_path);
	rmdir(dir);
}

static void sockets_that_cannot_be_reached(void **state)
{
	static const struct {
		const char *path, *why;
	} rows[] = {
		{"/nowhere/docker.sock", "cannot connect: No such file or directory"},
		{"/etc/passwd", "cannot connect: Connection refused"},
		{"", "the path of the socket is empty or too long"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked *a = begin(NULL);

		a->fetch.path = rows[i].path;
		finish(a);
		assert_int_equal(a->fetch.rc, FETCH_NO_CONNECTION);
		assert_string_equal(a->fetch.why.text, rows[i].why);
		end(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(what_is_sent),
		cmocka_unit_test(head_has_no_body),
		cmocka_unit_test(nobody_is_asked_who_may_not_be),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(silence_has_an_end),
		cmocka_unit_test(who_cancels_hears_nothing),
		cmocka_unit_test(a_socket_in_the_file_system),
		cmocka_unit_test(sockets_that_cannot_be_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
