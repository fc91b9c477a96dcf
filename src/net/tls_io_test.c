/* Traffic and ends of the client side, on plain descriptors and on a loop. */
#include "net/tls_test_peer.h"

#include "net/sock.h"

static void client_says(struct link *l, const char *text)
{
	struct iovec v = {(void *)(uintptr_t)text, strlen(text)};

	assert_int_equal(tls_writev(l->tls, &v, 1), strlen(text));
	peer_pump(&l->peer);
}

/* --- traffic ------------------------------------------------------------------------------------ */

static char pattern(size_t i)
{
	return (char)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void shrink_buffers(struct link *l)
{
	int small = 5000;

	setsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(l->peer.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
}

/* Offers what is left in pieces of odd sizes, an empty one among them. */
static ssize_t write_some(struct link *l, const char *p, size_t n)
{
	static const size_t sizes[] = {1, 0, 5000, 40000, 3, 16384};
	struct iovec v[ARRAY_LEN(sizes)];
	int count = 0;

	for (size_t i = 0; i < ARRAY_LEN(sizes) && n != 0; i++) {
		size_t take = MIN(sizes[i], n);

		v[count++] = (struct iovec){(void *)(uintptr_t)p, take};
		p += take;
		n -= take;
	}
	return tls_writev(l->tls, v, count);
}

static void much_is_sent_whole_through_a_narrow_socket(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	const size_t all = 3000000;
	char *bytes = malloc(all);
	size_t sent = 0;
	unsigned blocked = 0;
	struct link l;

	assert_non_null(bytes);
	for (size_t i = 0; i < all; i++) {
		bytes[i] = pattern(i);
	}
	link_ready(&l, w, server);
	shrink_buffers(&l);
	while (l.peer.got_n < all) {
		ssize_t put = sent < all ? write_some(&l, bytes + sent, all - sent) : 0;

		if (put == ERR_AGAIN) {
			blocked++;
			put = 0;
		}
		assert_true(put >= 0);
		sent += (size_t)put;
		peer_pump(&l.peer);
	}
	assert_true(blocked > 10);
	assert_memory_equal(l.peer.got, bytes, all);
	free(bytes);
	link_close(&l);
	SSL_CTX_free(server);
}

static void much_is_read_whole_in_odd_sizes(void **state)
{
	static const size_t sizes[] = {1, 100000, 5, 16384, 16385, 333};
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	const size_t all = 1500000;
	char *bytes = malloc(all);
	char *got = malloc(all + 100000);
	size_t n = 0;
	struct link l;

	assert_true(bytes != NULL && got != NULL);
	for (size_t i = 0; i < all; i++) {
		bytes[i] = pattern(i);
	}
	link_ready(&l, w, server);
	shrink_buffers(&l);
	peer_say(&l.peer, bytes, all);
	for (unsigned i = 0; n < all; i++) {
		size_t want = sizes[i % ARRAY_LEN(sizes)];
		ssize_t part;

		peer_give(&l.peer);
		part = tls_read(l.tls, got + n, want);
		assert_true(part > 0 || part == ERR_AGAIN);
		n += part > 0 ? (size_t)part : 0;
	}
	assert_memory_equal(got, bytes, all);
	free(bytes);
	free(got);
	link_close(&l);
	SSL_CTX_free(server);
}

/* What one call does is bounded, and nothing is left behind for want of an event. */
static void tiny_records_are_read_in_several_calls(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	unsigned calls = 0;
	char got[1000];
	size_t n = 0;
	struct link l;

	link_ready(&l, w, server);
	for (unsigned i = 0; i < 300; i++) {
		peer_say(&l.peer, "x", 1);
	}
	peer_give(&l.peer);
	do {
		ssize_t part = tls_read(l.tls, got, sizeof(got));

		assert_true(part > 0 && part <= 64);
		n += (size_t)part;
		calls++;
	} while (tls_pending(l.tls));
	assert_int_equal(n, 300);
	assert_int_equal(calls, 5);
	assert_int_equal(tls_read(l.tls, got, sizeof(got)), ERR_AGAIN);
	link_close(&l);
	SSL_CTX_free(server);
}

/* The library answers them inside of one read, as long as they come. */
static void a_flood_of_handshake_messages_ends_the_connection(void **state)
{
	static const struct {
		int version, kind;
		unsigned n;
		ssize_t want;
		const char *reason;
	} rows[] = {
		{TLS1_3_VERSION, SSL_KEY_UPDATE_NOT_REQUESTED, 100, ERR_AGAIN, "more than needed"},
		{TLS1_3_VERSION, SSL_KEY_UPDATE_REQUESTED, 100, ERR_AGAIN, "with answers"},
		{TLS1_3_VERSION, SSL_KEY_UPDATE_NOT_REQUESTED, 200, ERR_TLS, "new keys"},
		{TLS1_3_VERSION, SSL_KEY_UPDATE_REQUESTED, 200, ERR_TLS, "with answers, a flood"},
		{TLS1_2_VERSION, 0, 100, ERR_AGAIN, "wishes for a new handshake"},
		{TLS1_2_VERSION, 0, 200, ERR_TLS, "a flood of them"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		SSL_CTX *server = peer_context(&w->good, rows[i].version);
		bool old = rows[i].version == TLS1_2_VERSION;
		char got[10];
		struct link l;
		ssize_t rc;

		link_ready(&l, w, server);
		for (unsigned n = 0; n < rows[i].n; n++) {
			assert_int_equal(old ? SSL_renegotiate(l.peer.ssl)
					     : SSL_key_update(l.peer.ssl, rows[i].kind),
				1);
			assert_int_equal(SSL_do_handshake(l.peer.ssl), 1);
		}
		peer_give(&l.peer);
		rc = tls_read(l.tls, got, sizeof(got));
		if (rc != rows[i].want) {
			fail_msg("%s: %zd", rows[i].reason, rc);
		}
		link_close(&l);
		SSL_CTX_free(server);
	}
}

static void small_pieces_share_a_record(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	char head[] = "POST / HTTP/1.1\r\n";
	char *body = calloc(1, 40000);
	struct iovec v[] = {{head, 5}, {head + 5, 12}, {body, 10000}, {body, 30000}};
	struct link l;
	unsigned before;

	assert_non_null(body);
	link_ready(&l, w, server);
	before = l.peer.records;
	assert_int_equal(tls_writev(l.tls, v, 3), 10017);
	peer_pump(&l.peer);
	assert_int_equal(l.peer.records - before, 1);
	assert_int_equal(tls_writev(l.tls, v, 4), 40017);
	peer_pump(&l.peer);
	assert_int_equal(l.peer.records - before, 1 + 3);
	assert_int_equal(l.peer.got_n, 10017 + 40017);
	free(body);
	link_close(&l);
	SSL_CTX_free(server);
}

/* --- ends --------------------------------------------------------------------------------------- */

static void a_record_that_is_cut_is_no_end(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	char got[200];
	struct link l;

	link_ready(&l, w, server);
	peer_say(&l.peer, "first", 5);
	peer_give(&l.peer);
	peer_say(&l.peer, "second", 6);
	l.peer.allow = 12; /* head of the record and a bit */
	peer_give(&l.peer);
	assert_int_equal(tls_read(l.tls, got, sizeof(got)), 5);
	assert_int_equal(tls_read(l.tls, got, sizeof(got)), ERR_AGAIN);
	close(l.peer.fd);
	l.peer.fd = -1;
	assert_int_equal(tls_read(l.tls, got, sizeof(got)), ERR_CLOSED);
	assert_int_equal(tls_read(l.tls, got, sizeof(got)), ERR_CLOSED);
	link_close(&l);
	SSL_CTX_free(server);
}

static void an_end_is_told_apart_from_a_cut(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	char got[200];

	for (int polite = 0; polite < 2; polite++) {
		struct link l;

		link_ready(&l, w, server);
		peer_say(&l.peer, "bye", 3);
		if (polite) {
			SSL_shutdown(l.peer.ssl);
		}
		peer_give(&l.peer);
		assert_int_equal(tls_read(l.tls, got, sizeof(got)), 3);
		/* The short read swallowed the end: nobody else would tell. */
		assert_int_equal(tls_pending(l.tls), polite);
		close(l.peer.fd);
		l.peer.fd = -1;
		assert_int_equal(tls_read(l.tls, got, sizeof(got)), polite ? 0 : ERR_CLOSED);
		assert_int_equal(tls_read(l.tls, got, sizeof(got)), polite ? 0 : ERR_CLOSED);
		link_close(&l);
	}
	SSL_CTX_free(server);
}

static void our_end_is_said_and_reading_goes_on(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	char got[16];
	struct link l;

	link_ready(&l, w, server);
	client_says(&l, "request");
	tls_shutdown(l.tls);
	tls_shutdown(l.tls);
	peer_pump(&l.peer);
	assert_true(l.peer.closed);
	assert_memory_equal(l.peer.got, "request", 7);
	peer_say(&l.peer, "answer", 6);
	peer_give(&l.peer);
	assert_int_equal(tls_read(l.tls, got, sizeof(got)), 6);
	link_close(&l);
	SSL_CTX_free(server);
}

static void a_write_to_a_peer_that_is_gone_raises_no_signal(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	struct iovec v = {(void *)(uintptr_t) "x", 1};
	struct link l;

	link_ready(&l, w, server);
	close(l.peer.fd);
	l.peer.fd = -1;
	assert_int_equal(tls_writev(l.tls, &v, 1), ERR_CLOSED);
	assert_int_equal(tls_writev(l.tls, &v, 1), ERR_CLOSED);
	link_close(&l);
	SSL_CTX_free(server);
}

static void a_handshake_that_is_cut_says_so(void **state)
{
	struct world *w = *state;
	SSL_CTX *server = peer_context(&w->good, 0);
	struct fault fault;
	struct link l;

	link_open(&l, w, server, NAME);
	assert_int_equal(tls_handshake(l.tls, &fault), ERR_AGAIN);
	l.peer.allow = 100;
	peer_pump(&l.peer);
	shutdown(l.peer.fd, SHUT_WR);
	assert_int_equal(tls_handshake(l.tls, &fault), ERR_CLOSED);
	assert_string_equal(fault.text, NAME " ended the connection in the TLS handshake");
	link_close(&l);
	SSL_CTX_free(server);
}

/* --- on a loop ---------------------------------------------------------------------------------- */

struct visit {
	struct loop *loop;
	struct watch listener;
	struct sock client;
	struct peer peer;
	SSL_CTX *server;
	int rc; /* of sock_open */
	ssize_t got;
	char bytes[64];
};

static void on_listener(struct watch *w)
{
	struct visit *v = CONTAINER_OF(w, struct visit, listener);
	struct sys_addr from;

	peer_init(&v->peer, v->server, sys_accept(w->fd, &from));
}

/* As owners do: once per event, as long as the socket may have something. */
static void on_client(struct sock *s)
{
	struct visit *v = CONTAINER_OF(s, struct visit, client);

	if (v->rc == ERR_AGAIN) {
		v->rc = sock_open(s, NULL);
	}
	while (v->rc == 0 && sock_readable(s) && v->got >= 0) {
		ssize_t n = sock_read(s, v->bytes, sizeof(v->bytes));

		v->got = n == ERR_AGAIN ? v->got : n;
		if (n == 0) {
			break;
		}
	}
}

static void visit_open(struct visit *v, struct world *w)
{
	struct tls_client_opts opts = {w->context, NAME, NULL};
	struct sys_addr addr;

	*v = (struct visit){.loop = loop_new(), .rc = ERR_AGAIN, .peer = {.fd = -1}};
	v->server = peer_context(&w->good, 0);
	assert_int_equal(sys_addr_parse(&addr, "127.0.0.1", 9, 0), 0);
	assert_int_equal(loop_watch_listener(
				 v->loop, &v->listener, sys_listen(&addr, 16, &addr), on_listener),
		0);
	assert_int_equal(sock_connect(&v->client, v->loop, &addr, &opts, on_client), 0);
}

static void visit_turn(struct visit *v)
{
	loop_turn(v->loop, 5);
	if (v->peer.fd >= 0) {
		peer_pump(&v->peer);
	}
}

static void visit_close(struct visit *v)
{
	sock_close(&v->client, false);
	peer_done(&v->peer);
	close(v->listener.fd);
	SSL_CTX_free(v->server);
	loop_free(v->loop);
}

static void a_socket_shakes_hands_reads_and_ends(void **state)
{
	struct visit v;

	visit_open(&v, *state);
	for (int i = 0; i < 1000 && v.rc == ERR_AGAIN; i++) {
		visit_turn(&v);
	}
	assert_int_equal(v.rc, 0);
	assert_true(sock_writable(&v.client));
	peer_say(&v.peer, "hello", 5);
	for (int i = 0; i < 1000 && v.got == 0; i++) {
		visit_turn(&v);
	}
	assert_int_equal(v.got, 5);
	assert_false(sock_readable(&v.client));
	/* The last bytes and close_notify in one piece, and the connection stays: the read that brings
	 * the bytes has seen the end, and no event will come for it. */
	peer_say(&v.peer, "bye", 3);
	SSL_shutdown(v.peer.ssl);
	for (int i = 0; i < 200 && v.got != 0; i++) {
		visit_turn(&v);
	}
	assert_memory_equal(v.bytes, "bye", 3);
	assert_true(v.client.eof);
	visit_close(&v);
}

/* Half a message and the end behind it are one event: nothing later would tell of the end. */
static void cut(struct visit *v, size_t bytes)
{
	v->peer.allow = bytes;
	peer_pump(&v->peer);
	shutdown(v->peer.fd, SHUT_WR);
	for (int i = 0; i < 200 && v->rc != ERR_CLOSED && v->got >= 0; i++) {
		loop_turn(v->loop, 5);
	}
}

static void a_cut_that_comes_with_bytes_is_noticed(void **state)
{
	static const size_t bytes[] = {0, 3, 12};

	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		struct visit v;

		visit_open(&v, *state);
		for (int turn = 0; turn < 1000 && (v.rc == ERR_AGAIN || turn < 20); turn++) {
			visit_turn(&v); /* with the tickets */
		}
		assert_int_equal(v.rc, 0);
		peer_say(&v.peer, "cut short", 9);
		cut(&v, bytes[i]);
		assert_int_equal(v.got, ERR_CLOSED);
		visit_close(&v);
	}
}

static void a_cut_in_the_handshake_is_noticed(void **state)
{
	static const size_t bytes[] = {0, 3, 100};

	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		struct visit v;

		visit_open(&v, *state);
		for (int turn = 0; turn < 20; turn++) {
			loop_turn(v.loop, 5); /* the server has not said anything yet */
		}
		assert_int_equal(v.rc, ERR_AGAIN);
		cut(&v, bytes[i]);
		assert_int_equal(v.rc, ERR_CLOSED);
		visit_close(&v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(much_is_sent_whole_through_a_narrow_socket),
		cmocka_unit_test(much_is_read_whole_in_odd_sizes),
		cmocka_unit_test(tiny_records_are_read_in_several_calls),
		cmocka_unit_test(a_flood_of_handshake_messages_ends_the_connection),
		cmocka_unit_test(small_pieces_share_a_record),
		cmocka_unit_test(a_record_that_is_cut_is_no_end),
		cmocka_unit_test(an_end_is_told_apart_from_a_cut),
		cmocka_unit_test(our_end_is_said_and_reading_goes_on),
		cmocka_unit_test(a_write_to_a_peer_that_is_gone_raises_no_signal),
		cmocka_unit_test(a_handshake_that_is_cut_says_so),
		cmocka_unit_test(a_socket_shakes_hands_reads_and_ends),
		cmocka_unit_test(a_cut_that_comes_with_bytes_is_noticed),
		cmocka_unit_test(a_cut_in_the_handshake_is_noticed),
	};

	return cmocka_run_group_tests(tests, world_open, world_close);
}
