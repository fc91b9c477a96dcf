/* A listener that speaks TLS, met by clients of the library's own; the test turns the loop. */
#include "net/tls_test_peer.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/server_int.h"
#include "net/tls_server.h"

#define CLIENTS_MAX 600u

struct shop {
	struct cert cert;
	uint8_t id[32];
	struct tls_tickets *tickets;
	struct tls_server *tls;
	struct loop *loop;
	struct segpool pool;
	struct server *srv;
	SSL_CTX *client;
	SSL_SESSION *session; /* the newest that a client was given */
	int listening;
	struct sys_addr addr;
	char said[sizeof(((struct fault *)0)->text)]; /* about the last handshake that failed */
	unsigned requests;
	char target[40], version[16];
	unsigned drained;
};

static bool find(void *context, struct bytes name, struct tls_certificate *out)
{
	struct shop *s = context;

	*out = (struct tls_certificate){s->cert.x509, NULL, s->cert.key, s->id};
	return bytes_eq(name, BYTES(NAME));
}

static void on_request(struct server *srv, struct stream *st)
{
	struct shop *s = server_context(srv);

	s->requests++;
	snprintf(s->target, sizeof(s->target), BYTES_FMT, BYTES_ARG(st->head->target));
	snprintf(s->version, sizeof(s->version), "%s", st->tls);
	stream_reset(st);
}

static void on_failed(struct server *srv, const char *peer, const struct fault *f)
{
	struct shop *s = server_context(srv);

	assert_memory_equal(peer, "127.0.0.1:", 10);
	snprintf(s->said, sizeof(s->said), "%s", f->text);
}

static void on_drained(struct server *srv)
{
	struct shop *s = server_context(srv);

	s->drained++;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct shop *s = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(s->session);
	s->session = session;
	return 1;
}

static int shop_open(void **state)
{
	struct shop *s = calloc(1, sizeof(*s));
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	struct sys_addr any;

	assert_non_null(s);
	limits.head_ms = 60000; /* those that wait for its end say less */
	s->cert = cert_new(&(struct cert_opts){.alt_names = "DNS:" NAME, .to_days = 10});
	s->tickets = tls_tickets_new();
	s->tls = tls_server_new(&(struct tls_server_opts){
		.tickets = s->tickets, .certificate = find, .context = s});
	s->loop = loop_new();
	segpool_init(&s->pool, 1 << 20);
	s->srv = server_new(&(struct server_opts){.loop = s->loop,
		.pool = &s->pool,
		.limits = limits,
		.on_request = on_request,
		.on_handshake_failed = on_failed,
		.context = s});
	assert_int_equal(sys_addr_parse(&any, "127.0.0.1", 9, 0), 0);
	s->listening = sys_listen(&any, 1024, &s->addr);
	assert_true(s->listening >= 0);
	assert_int_equal(server_listen_tls(s->srv, s->listening, s->tls), 0);
	s->client = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_app_data(s->client, s);
	SSL_CTX_set_session_cache_mode(
		s->client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(s->client, on_session);
	*state = s;
	return 0;
}

static int shop_close(void **state)
{
	struct shop *s = *state;

	server_free(s->srv);
	loop_turn(s->loop, 0);
	loop_free(s->loop);
	segpool_done(&s->pool);
	close(s->listening);
	SSL_SESSION_free(s->session);
	SSL_CTX_free(s->client);
	tls_server_free(s->tls);
	tls_tickets_free(s->tickets);
	cert_free(&s->cert);
	free(s);
	return 0;
}

static const struct server_counts *counts(const struct shop *s)
{
	return server_counts(s->srv);
}

/* Turns the loop until the number is there. */
#define TURN_UNTIL(s, number, want)                                                \
	do {                                                                       \
		uint64_t end_ns_ = clock_mono_ns() + 20000000000u;                 \
		while ((number) != (want)) {                                       \
			if (clock_mono_ns() > end_ns_) {                           \
				fail_msg("%s is %u", #number, (unsigned)(number)); \
			}                                                          \
			loop_turn((s)->loop, 1);                                   \
		}                                                                  \
	} while (0)

static int come_in(struct shop *s)
{
	int fd = sys_connect(&s->addr);

	assert_true(fd >= 0);
	return fd;
}

static void say(int fd, const void *bytes, size_t n)
{
	assert_int_equal(write(fd, bytes, n), n);
}

static void client_init(struct shop *s, struct peer *p)
{
	peer_init(p, s->client, come_in(s));
	SSL_set_connect_state(p->ssl);
	SSL_set_tlsext_host_name(p->ssl, (uintptr_t)NAME);
}

/* The client's first message, by itself. */
static size_t make_hello(struct shop *s, char *hello, size_t size)
{
	struct peer p;
	int n;

	peer_init(&p, s->client, -1);
	SSL_set_connect_state(p.ssl);
	SSL_set_tlsext_host_name(p.ssl, (uintptr_t)NAME);
	IGNORE(SSL_do_handshake(p.ssl));
	n = BIO_read(SSL_get_wbio(p.ssl), hello, (int)size);
	assert_true(n > 100);
	peer_done(&p);
	ERR_clear_error();
	return (size_t)n;
}

static void shake(struct shop *s, struct peer *p)
{
	uint64_t before = counts(s)->handshakes;

	for (unsigned i = 0; i < ROUNDS && counts(s)->handshakes == before; i++) {
		peer_pump(p);
		loop_turn(s->loop, 0);
	}
	assert_int_equal(counts(s)->handshakes, before + 1);
}

/* --- what becomes a connection ------------------------------------------------------------------ */

static void a_handshake_becomes_a_connection(void **state)
{
	static const char request[] = "GET /hi HTTP/1.1\r\nHost: a\r\n\r\n";
	struct shop *s = *state;

	for (unsigned i = 0; i < 2; i++) {
		struct peer p;

		client_init(s, &p);
		SSL_set_session(p.ssl, s->session);
		shake(s, &p);
		assert_int_equal(counts(s)->connections, 1);
		assert_int_equal(counts(s)->handshaking, 0);
		assert_int_equal(counts(s)->handshakes_resumed, i);
		peer_say(&p, request, sizeof(request) - 1);
		peer_pump(&p);
		TURN_UNTIL(s, s->requests, i + 1);
		assert_string_equal(s->target, "/hi");
		assert_string_equal(s->version, "TLSv1.3");
		TURN_UNTIL(s, counts(s)->connections, 0);
		peer_done(&p);
	}
	assert_int_equal(counts(s)->handshakes_failed, 0);
	assert_int_equal(counts(s)->accepted, 2);
}

/* The connection is read several times in a turn, of which each looks at some records only. */
static void a_head_may_come_in_tiny_records(void **state)
{
	static const char begin[] = "GET /tiny HTTP/1.1\r\nHost: a\r\nX: ";
	struct shop *s = *state;
	struct peer p;

	client_init(s, &p);
	shake(s, &p);
	for (size_t i = 0; i < sizeof(begin) - 1; i++) {
		peer_say(&p, begin + i, 1);
	}
	for (size_t i = 0; i < 3000; i++) {
		peer_say(&p, "x", 1);
	}
	peer_say(&p, "\r\n\r\n", 4);
	while (BIO_ctrl_pending(SSL_get_wbio(p.ssl)) != 0) {
		peer_give(&p);
	}
	loop_turn(s->loop, 1000);
	assert_int_equal(s->requests, 0); /* others have their turn first */
	TURN_UNTIL(s, s->requests, 1);
	assert_string_equal(s->target, "/tiny");
	peer_done(&p);
}

/* The library works them off inside of one read, as long as they come. */
static void a_flood_of_new_keys_ends_the_connection(void **state)
{
	struct shop *s = *state;
	struct peer p;

	client_init(s, &p);
	shake(s, &p);
	for (unsigned i = 0; i < 400; i++) {
		assert_int_equal(SSL_key_update(p.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(p.ssl), 1);
	}
	peer_give(&p);
	TURN_UNTIL(s, counts(s)->connections, 0);
	peer_done(&p);
}

static void who_speaks_http_is_told_so(void **state)
{
	struct shop *s = *state;
	int fd = come_in(s);
	char got[1000] = "";
	ssize_t n = -1;

	say(fd, "G", 1);
	for (unsigned i = 0; i < ROUNDS && n < 0; i++) {
		loop_turn(s->loop, 1);
		n = read(fd, got, sizeof(got) - 1);
	}
	assert_true(n > 0);
	assert_memory_equal(got, "HTTP/1.1 400 Bad Request\r\n", 26);
	assert_non_null(strstr(got, "use https instead of http"));
	assert_int_equal(counts(s)->handshakes_failed, 1);
	assert_int_equal(counts(s)->connections, 1); /* still the same one */
	assert_int_equal(counts(s)->handshaking, 0);
	close(fd);
	TURN_UNTIL(s, counts(s)->connections, 0);
}

/* --- what does not ------------------------------------------------------------------------------ */

/* Each of these ends as a failure with its words, and leaves nothing behind. */
static void what_comes_to_nothing(void **state)
{
	static const struct {
		size_t hello; /* so many bytes of one; SIZE_MAX: all */
		const char *other;
		bool leaves;
		const char *said, *reason;
	} rows[] = {
		{0, "\x80\x2e\x01", false, "the client does not speak TLS", "SSL 2"},
		{0, "\x16\x03\x01\x7f\xff", false, "handshake failed", "a record that is too long"},
		{0, "\x16\x03\x01\x00\x01\x01", false, "in time", "the first byte of a message"},
		{0, "", true, "left before the TLS handshake", "nothing at all"},
		{0, "", false, "did not end in time", "silence"},
		{4, "", true, "left in the TLS handshake", "a part of a record's head"},
		{100, "", true, "left in the TLS handshake", "a part of a hello"},
		{100, "", false, "did not end in time", "half a hello, then silence"},
		{SIZE_MAX, "", true, "left before the TLS handshake", "a hello, then gone"},
		{SIZE_MAX, "", false, "did not end in time", "a hello, then silence"},
		{SIZE_MAX, "GET / HTTP/1.1\r\n", false, "handshake failed", "text behind a hello"},
	};
	struct shop *s = *state;
	char hello[2000];
	size_t hello_n = make_hello(s, hello, sizeof(hello));

	s->srv->opts.limits.head_ms = 300;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t other_n = strlen(rows[i].other);
		int fd = come_in(s);

		/* A zero ends none of them but those of two lengths. */
		other_n = rows[i].other[0] == '\x16' ? (rows[i].other[3] == 0 ? 6 : 5) : other_n;
		say(fd, hello, MIN(rows[i].hello, hello_n));
		say(fd, rows[i].other, other_n);
		if (rows[i].leaves) {
			shutdown(fd, SHUT_WR);
		}
		TURN_UNTIL(s, counts(s)->handshakes_failed, i + 1);
		if (strstr(s->said, rows[i].said) == NULL) {
			fail_msg("%s: %s", rows[i].reason, s->said);
		}
		assert_int_equal(counts(s)->connections, 0);
		assert_int_equal(counts(s)->handshaking, 0);
		assert_int_equal(s->srv->begun, 0);
		close(fd);
	}
	assert_int_equal(counts(s)->handshakes, 0);
	assert_true(list_empty(&s->srv->handshakes) && list_empty(&s->srv->handshakes_begun));
	assert_true(list_empty(&s->srv->handshake_turns));
}

static void a_name_without_certificate_is_refused(void **state)
{
	struct shop *s = *state;
	struct peer p;

	client_init(s, &p);
	SSL_set_tlsext_host_name(p.ssl, (uintptr_t) "other.example.com");
	for (unsigned i = 0; i < ROUNDS && counts(s)->handshakes_failed == 0; i++) {
		peer_pump(&p);
		loop_turn(s->loop, 0);
	}
	assert_string_equal(s->said,
		"the client asked for a name that has no certificate: \"other.example.com\"");
	peer_take(&p);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_TLSV1_UNRECOGNIZED_NAME);
	peer_done(&p);
}

/* --- many --------------------------------------------------------------------------------------- */

/* Those that come together are begun a few in each turn; those that wait too long make room. */
static void many_hellos(void **state)
{
	struct shop *s = *state;
	int fds[CLIENTS_MAX];
	char hello[2000];
	size_t hello_n = make_hello(s, hello, sizeof(hello));
	unsigned before = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		fds[i] = come_in(s);
		say(fds[i], hello, hello_n);
	}
	for (unsigned i = 0; i < ROUNDS && before < 512; i++) {
		loop_turn(s->loop, 0);
		assert_true(s->srv->begun <= before + 8);
		before = s->srv->begun;
	}
	assert_true(counts(s)->handshakes_failed < 8); /* by the rest of the turn that filled it */
	TURN_UNTIL(s, counts(s)->handshakes_failed, CLIENTS_MAX - 512);
	assert_string_equal(
		s->said, "the client has not answered in the TLS handshake, and others wait");
	assert_int_equal(s->srv->begun, 512);
	assert_int_equal(counts(s)->connections, 512);
	assert_int_equal(counts(s)->handshaking, 512);
	server_drain(s->srv, on_drained);
	TURN_UNTIL(s, s->drained, 1);
	assert_int_equal(counts(s)->connections, 0);
	assert_int_equal(counts(s)->handshaking, 0);
	assert_int_equal(s->srv->begun, 0);
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		close(fds[i]);
	}
}

/* In each state, with some that are in the queue. */
static void draining_ends_them_in_every_state(void **state)
{
	struct shop *s = *state;
	int fds[30];
	char hello[2000];
	size_t hello_n = make_hello(s, hello, sizeof(hello));

	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = come_in(s);
		say(fds[i], hello, i % 3 == 0 ? 0 : i % 3 == 1 ? 10 : hello_n);
	}
	TURN_UNTIL(s, counts(s)->handshaking, ARRAY_LEN(fds));
	server_drain(s->srv, on_drained);
	assert_int_equal(counts(s)->connections, 0);
	TURN_UNTIL(s, s->drained, 1);
	for (unsigned i = 0; i < ARRAY_LEN(fds); i++) {
		close(fds[i]);
	}
}

#define IN_A_SHOP(f) cmocka_unit_test_setup_teardown(f, shop_open, shop_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_SHOP(a_handshake_becomes_a_connection),
		IN_A_SHOP(a_head_may_come_in_tiny_records),
		IN_A_SHOP(a_flood_of_new_keys_ends_the_connection),
		IN_A_SHOP(who_speaks_http_is_told_so),
		IN_A_SHOP(what_comes_to_nothing),
		IN_A_SHOP(a_name_without_certificate_is_refused),
		IN_A_SHOP(many_hellos),
		IN_A_SHOP(draining_ends_them_in_every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
