#define _GNU_SOURCE
#include "net/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TURNS 2000 /* a test that needs more hangs */

/* A client and a server socket over loopback, on one loop. */
struct pair {
	struct loop *loop;
	struct sys_addr addr;
	struct watch listener;
	struct sock client, server;
	unsigned client_calls, server_calls;
};

static void on_client(struct sock *s)
{
	CONTAINER_OF(s, struct pair, client)->client_calls++;
}

static void on_server(struct sock *s)
{
	CONTAINER_OF(s, struct pair, server)->server_calls++;
}

static void on_listener(struct watch *w)
{
	struct pair *p = CONTAINER_OF(w, struct pair, listener);
	struct sys_addr peer;
	int fd = sys_accept(w->fd, &peer);

	assert_true(fd >= 0);
	assert_int_equal(sock_init_accepted(&p->server, p->loop, fd, on_server), 0);
}

static void pair_listen(struct pair *p)
{
	*p = (struct pair){.loop = loop_new()};
	assert_int_equal(sys_addr_parse(&p->addr, "127.0.0.1", 9, 0), 0);
	assert_int_equal(loop_watch_listener(p->loop, &p->listener,
				 sys_listen(&p->addr, 16, &p->addr), on_listener),
		0);
}

static void turn_until(struct pair *p, bool (*is_so)(struct pair *p))
{
	for (int i = 0; i < TURNS && !is_so(p); i++) {
		loop_turn(p->loop, 10);
	}
	assert_true(is_so(p));
}

static bool is_open(struct pair *p)
{
	return p->server.loop != NULL && sock_writable(&p->server) &&
		sock_open(&p->client, NULL) == 0;
}

static void pair_open(struct pair *p)
{
	pair_listen(p);
	assert_int_equal(sock_connect(&p->client, p->loop, &p->addr, NULL, on_client), 0);
	assert_int_equal(sock_open(&p->client, NULL), ERR_AGAIN);
	turn_until(p, is_open);
	assert_int_equal(sock_open(&p->server, NULL), 0);
}

static void pair_close(struct pair *p)
{
	sock_close(&p->client, false);
	sock_close(&p->server, false);
	if (p->listener.fd >= 0) {
		close(p->listener.fd);
	}
	loop_free(p->loop);
}

static ssize_t write_str(struct sock *s, const char *text)
{
	struct iovec v = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};

	return sock_writev(s, &v, 1);
}

static bool client_readable(struct pair *p)
{
	return sock_readable(&p->client);
}

static bool client_hung_up(struct pair *p)
{
	return sock_hangup(&p->client);
}

static void readable_is_used_up_by_a_short_read(void **state)
{
	struct pair p;
	char got[4];

	(void)state;
	pair_open(&p);
	assert_false(sock_readable(&p.client));
	assert_int_equal(write_str(&p.server, "abcdef"), 6);
	turn_until(&p, client_readable);
	assert_int_equal(sock_read(&p.client, got, 4), 4);
	assert_true(sock_readable(&p.client)); /* a full buffer says nothing about the rest */
	assert_int_equal(sock_read(&p.client, got, 4), 2);
	assert_false(sock_readable(&p.client));
	assert_int_equal(write_str(&p.server, "ghij"), 4);
	turn_until(&p, client_readable); /* a new edge */
	assert_int_equal(sock_read(&p.client, got, 4), 4);
	assert_int_equal(sock_read(&p.client, got, 4), ERR_AGAIN);
	assert_false(sock_readable(&p.client));
	pair_close(&p);
}

static void the_end_behind_the_bytes_is_not_lost(void **state)
{
	struct pair p;
	char got[16];

	(void)state;
	pair_open(&p);
	assert_int_equal(write_str(&p.server, "last"), 4);
	sock_shutdown(&p.server);
	turn_until(&p, client_hung_up);
	/* The short read must not make us wait for an edge that will never come. */
	assert_int_equal(sock_read(&p.client, got, sizeof(got)), 4);
	assert_true(sock_readable(&p.client));
	assert_int_equal(sock_read(&p.client, got, sizeof(got)), 0);
	assert_true(p.client.eof);
	/* The other direction is still open. */
	assert_int_equal(write_str(&p.client, "answer"), 6);
	pair_close(&p);
}

static bool server_readable(struct pair *p)
{
	return sock_readable(&p->server);
}

static bool client_writable(struct pair *p)
{
	char sink[65536];

	while (sock_readable(&p->server) && sock_read(&p->server, sink, sizeof(sink)) > 0) {}
	return sock_writable(&p->client);
}

static void writable_comes_back_when_the_peer_reads(void **state)
{
	static char block[1 << 20];
	struct pair p;
	ssize_t put;

	(void)state;
	pair_open(&p);
	do {
		put = sock_writev(&p.client,
			(struct iovec[]){{block, sizeof(block)}, {block, sizeof(block)}}, 2);
		assert_true(put > 0 || put == ERR_AGAIN);
		assert_int_equal(sock_writable(&p.client), put == 2 * sizeof(block));
	} while (sock_writable(&p.client));
	turn_until(&p, server_readable);
	assert_false(sock_writable(&p.client));
	turn_until(&p, client_writable);
	pair_close(&p);
}

static void a_refusal_stays(void **state)
{
	struct pair p;
	struct fault fault = {.err = ERR_NONE};
	char got[4];
	int fd;

	(void)state;
	pair_listen(&p);
	fd = p.listener.fd;
	loop_unwatch(p.loop, &p.listener);
	sys_close(fd, false); /* nobody listens any more */
	assert_int_equal(sock_connect(&p.client, p.loop, &p.addr, NULL, on_client), 0);
	turn_until(&p, client_hung_up);
	assert_int_equal(sock_open(&p.client, &fault), ERR_REFUSED);
	assert_string_equal(fault.text, "cannot connect: Connection refused");
	assert_int_equal(sock_open(&p.client, NULL), ERR_REFUSED);
	assert_int_equal(sock_read(&p.client, got, sizeof(got)), ERR_REFUSED);
	assert_int_equal(write_str(&p.client, "x"), ERR_REFUSED);
	pair_close(&p);
}

static void a_reset_is_not_an_end(void **state)
{
	struct pair p;
	char got[4];

	(void)state;
	pair_open(&p);
	sock_close(&p.server, true);
	turn_until(&p, client_hung_up);
	assert_int_equal(sock_read(&p.client, got, sizeof(got)), ERR_RESET);
	assert_false(p.client.eof);
	assert_int_equal(write_str(&p.client, "x"), ERR_RESET);
	pair_close(&p);
}

static void closing_is_final_and_harmless_twice(void **state)
{
	struct sock never = {.loop = NULL};
	struct pair p;

	(void)state;
	sock_close(&never, false);
	sock_shutdown(&never);
	pair_open(&p);
	assert_int_equal(write_str(&p.server, "x"), 1);
	p.client_calls = 0;
	sock_close(&p.client, false);
	sock_close(&p.client, true);
	sock_shutdown(&p.client);
	loop_turn(p.loop, 10);
	assert_int_equal(p.client_calls, 0);
	assert_false(sock_readable(&p.client));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readable_is_used_up_by_a_short_read),
		cmocka_unit_test(the_end_behind_the_bytes_is_not_lost),
		cmocka_unit_test(writable_comes_back_when_the_peer_reads),
		cmocka_unit_test(a_refusal_stays),
		cmocka_unit_test(a_reset_is_not_an_end),
		cmocka_unit_test(closing_is_final_and_harmless_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
