/* The server's side, met by clients of the library's own that work on memory. */
#include "net/tls_test_peer.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/tls_server.h"

#define ALERT_OF(code) (SSL_AD_REASON_OFFSET + (code))

/* Whose certificates the servers of a test show. */
struct owner {
	struct {
		const char *name; /* "": whoever names none */
		struct cert *cert;
		uint8_t id[32];
	} v[4];
	size_t n;
	char asked[300]; /* the name that was asked for last */
	unsigned unusable;
	char why[100];
};

struct hall {
	struct cert a, b, weak;
	struct owner owner;
	struct tls_tickets *tickets;
	struct tls_server *server, *other; /* two workers */
	SSL_CTX *client;
	SSL_SESSION *session; /* the newest that a client was given */
	unsigned sessions;
};

static void owner_add(struct owner *o, const char *name, struct cert *cert, uint8_t id)
{
	o->v[o->n].name = name;
	o->v[o->n].cert = cert;
	memset(o->v[o->n].id, id, sizeof(o->v[o->n].id));
	o->n++;
}

static bool find(void *context, struct bytes name, struct tls_certificate *out)
{
	struct owner *o = context;

	snprintf(o->asked, sizeof(o->asked), BYTES_FMT, BYTES_ARG(name));
	for (size_t i = 0; i < o->n; i++) {
		if (bytes_eq(name, bytes_str(o->v[i].name))) {
			*out = (struct tls_certificate){
				o->v[i].cert->x509, NULL, o->v[i].cert->key, o->v[i].id};
			return true;
		}
	}
	return false;
}

static void on_unusable(
	void *context, struct bytes name, const struct tls_certificate *c, const char *why)
{
	struct owner *o = context;

	(void)name;
	assert_non_null(c->leaf);
	o->unusable++;
	snprintf(o->why, sizeof(o->why), "%s", why);
}

static int on_session(SSL *ssl, SSL_SESSION *s)
{
	struct hall *h = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	SSL_SESSION_free(h->session);
	h->session = s;
	h->sessions++;
	return 1;
}

static SSL_CTX *client_context(struct hall *h)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_app_data(ctx, h);
	SSL_CTX_set_security_level(ctx, 0); /* the old versions that the server must refuse */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	return ctx;
}

static struct tls_server *server_of(struct hall *h)
{
	return tls_server_new(&(struct tls_server_opts){.tickets = h->tickets,
		.certificate = find,
		.unusable = on_unusable,
		.context = &h->owner});
}

static int hall_open(void **state)
{
	struct hall *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->a = cert_new(&(struct cert_opts){.alt_names = "DNS:a.example.com", .to_days = 10});
	h->b = cert_new(&(struct cert_opts){.alt_names = "DNS:b.example.com", .to_days = 10});
	h->weak = cert_new(&(struct cert_opts){
		.alt_names = "DNS:weak.example.com", .to_days = 10, .weak = true});
	owner_add(&h->owner, "a.example.com", &h->a, 1);
	owner_add(&h->owner, "b.example.com", &h->b, 2);
	owner_add(&h->owner, "weak.example.com", &h->weak, 3);
	h->tickets = tls_tickets_new();
	h->server = server_of(h);
	h->other = server_of(h);
	h->client = client_context(h);
	*state = h;
	return 0;
}

static int hall_close(void **state)
{
	struct hall *h = *state;

	SSL_SESSION_free(h->session);
	SSL_CTX_free(h->client);
	tls_server_free(h->server);
	tls_server_free(h->other);
	tls_tickets_free(h->tickets);
	cert_free(&h->a);
	cert_free(&h->b);
	cert_free(&h->weak);
	free(h);
	return 0;
}

/* --- visits ------------------------------------------------------------------------------------- */

struct visit {
	struct tls *tls; /* ours */
	int fd;
	struct peer client;
	int rc;
	struct fault fault;
	unsigned long client_error;
};

static void visit_open(
	struct visit *v, struct tls_server *server, SSL_CTX *client, const char *name)
{
	int fds[2];

	*v = (struct visit){.rc = ERR_AGAIN};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	v->fd = fds[0];
	v->tls = tls_accept(server, fds[0]);
	peer_init(&v->client, client, fds[1]);
	SSL_set_connect_state(v->client.ssl);
	if (name != NULL) {
		assert_int_equal(SSL_set_tlsext_host_name(v->client.ssl, (uintptr_t)name), 1);
	}
}

/* Both go on as far as they can. */
static void visit_step(struct visit *v)
{
	ERR_clear_error();
	peer_pump(&v->client);
	if (v->client_error == 0) {
		v->client_error = ERR_peek_error();
	}
	ERR_clear_error();
	if (v->rc == ERR_AGAIN) {
		v->rc = tls_handshake(v->tls, &v->fault);
	}
}

static int visit_shake(struct visit *v)
{
	for (int i = 0; i < 20; i++) {
		visit_step(v);
	}
	return v->rc;
}

static void visit_close(struct visit *v)
{
	tls_free(v->tls);
	close(v->fd);
	peer_done(&v->client);
}

static int reason_of(const struct visit *v)
{
	return ERR_GET_REASON(v->client_error);
}

static bool shows(const struct visit *v, const struct cert *c)
{
	X509 *seen = SSL_get0_peer_certificate(v->client.ssl);

	return seen != NULL && X509_cmp(seen, c->x509) == 0;
}

/* --- names -------------------------------------------------------------------------------------- */

static void the_certificate_is_that_of_the_name(void **state)
{
	static const struct {
		const char *name, *asked;
		char cert; /* 0: refused */
		const char *why;
	} rows[] = {
		{"a.example.com", "a.example.com", 'a', "a name"},
		{"b.example.com", "b.example.com", 'b', "another name"},
		{"B.example.COM", "B.example.COM", 0, "as it was sent: the owner folds case"},
		{"a.example.com.", "a.example.com", 'a', "a final dot is no part of the name"},
		{"c.example.com", "c.example.com", 0, "no such name"},
		{NULL, "", 0, "none is named, and none is for everybody"},
		{"a b", "-", 0, "no host has a blank: the owner is not asked"},
		{"a\nforged", "-", 0, "nor a line break"},
	};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct visit v;

		snprintf(h->owner.asked, sizeof(h->owner.asked), "-");
		visit_open(&v, h->server, h->client, rows[i].name);
		visit_shake(&v);
		assert_string_equal(h->owner.asked, rows[i].asked);
		if (rows[i].cert != 0) {
			assert_int_equal(v.rc, 0);
			assert_true(shows(&v, rows[i].cert == 'a' ? &h->a : &h->b));
		} else {
			assert_int_equal(v.rc, ERR_TLS);
			assert_int_equal(reason_of(&v), ALERT_OF(SSL_AD_UNRECOGNIZED_NAME));
			assert_null(strchr(v.fault.text, '\n'));
		}
		visit_close(&v);
	}
}

static void who_names_nobody_gets_what_is_for_everybody(void **state)
{
	struct hall *h = *state;
	struct visit v;

	owner_add(&h->owner, "", &h->b, 2);
	visit_open(&v, h->server, h->client, NULL);
	assert_int_equal(visit_shake(&v), 0);
	assert_true(shows(&v, &h->b));
	visit_close(&v);
}

static void a_refusal_says_which_name(void **state)
{
	struct hall *h = *state;
	struct visit v;

	visit_open(&v, h->server, h->client, "c.example.com");
	visit_shake(&v);
	assert_string_equal(v.fault.text,
		"the client asked for a name that has no certificate: \"c.example.com\"");
	assert_int_equal(tls_handshake(v.tls, &v.fault), ERR_TLS);
	visit_close(&v);
}

static void a_certificate_that_is_too_weak_is_told_to_its_owner(void **state)
{
	struct hall *h = *state;
	struct visit v;

	visit_open(&v, h->server, h->client, "weak.example.com");
	assert_int_equal(visit_shake(&v), ERR_TLS);
	assert_int_equal(reason_of(&v), ALERT_OF(SSL_AD_INTERNAL_ERROR));
	assert_int_equal(h->owner.unusable, 1);
	assert_string_equal(h->owner.why, "ee key too small");
	visit_close(&v);
	/* And harms nobody else. */
	visit_open(&v, h->server, h->client, "a.example.com");
	assert_int_equal(visit_shake(&v), 0);
	visit_close(&v);
}

/* --- versions, protocols, groups ---------------------------------------------------------------- */

static void versions_before_1_2_are_refused(void **state)
{
	static const struct {
		int version;
		const char *name; /* NULL: refused */
	} rows[] = {
		{TLS1_VERSION, NULL},
		{TLS1_1_VERSION, NULL},
		{TLS1_2_VERSION, "TLSv1.2"},
		{TLS1_3_VERSION, "TLSv1.3"},
	};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct visit v;

		visit_open(&v, h->server, h->client, "a.example.com");
		SSL_set_min_proto_version(v.client.ssl, rows[i].version);
		SSL_set_max_proto_version(v.client.ssl, rows[i].version);
		visit_shake(&v);
		if (rows[i].name != NULL) {
			assert_int_equal(v.rc, 0);
			assert_string_equal(tls_version(v.tls), rows[i].name);
		} else {
			assert_int_equal(v.rc, ERR_TLS);
			assert_int_equal(reason_of(&v), ALERT_OF(SSL_AD_PROTOCOL_VERSION));
			assert_string_equal(v.fault.text,
				"the client offers no version of TLS that is accepted here (1.2 or newer)");
		}
		visit_close(&v);
	}
}

static void ciphers_without_forward_secrecy_are_refused(void **state)
{
	static const char *const lists[] = {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA",
		"DHE-RSA-AES128-GCM-SHA256", "AES256-SHA"};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct visit v;

		visit_open(&v, h->server, h->client, "a.example.com");
		SSL_set_max_proto_version(v.client.ssl, TLS1_2_VERSION);
		assert_int_equal(SSL_set_cipher_list(v.client.ssl, lists[i]), 1);
		assert_int_equal(visit_shake(&v), ERR_TLS);
		assert_int_equal(reason_of(&v), ALERT_OF(SSL_AD_HANDSHAKE_FAILURE));
		visit_close(&v);
	}
}

static void a_client_may_not_choose_a_costly_key_exchange(void **state)
{
	static const struct {
		const char *groups;
		bool ok;
	} rows[] = {
		{"X25519", true}, {"P-256", true}, {"P-384", true}, {"ffdhe8192", false},
		{"X448", false}, {"ffdhe8192:P-256", true}, /* by asking for another share */
	};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct visit v;

		visit_open(&v, h->server, h->client, "a.example.com");
		assert_int_equal(SSL_set1_groups_list(v.client.ssl, (uintptr_t)rows[i].groups), 1);
		SSL_set_min_proto_version(v.client.ssl, TLS1_3_VERSION);
		assert_int_equal(visit_shake(&v), rows[i].ok ? 0 : ERR_TLS);
		visit_close(&v);
	}
}

static void alpn(void **state)
{
	static const struct {
		const char *offer, *chosen; /* NULL: refused */
		const char *why;
	} rows[] = {
		{"", "", "who offers nothing speaks HTTP/1.1"},
		{"\x08http/1.1", "http/1.1", "what is spoken here"},
		{"\x02h2\x08http/1.1", "http/1.1", "browsers offer both"},
		{"\x08http/1.0", "http/1.0", "curl --http1.0"},
		{"\x02h2", NULL, "HTTP/2 alone is not served"},
		{"\x03xyz\x02h2", NULL, "nor anything else"},
	};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const unsigned char *got;
		unsigned got_n;
		struct visit v;

		visit_open(&v, h->server, h->client, "a.example.com");
		SSL_set_alpn_protos(v.client.ssl, (const unsigned char *)rows[i].offer,
			(unsigned)strlen(rows[i].offer));
		visit_shake(&v);
		if (rows[i].chosen != NULL) {
			assert_int_equal(v.rc, 0);
			SSL_get0_alpn_selected(v.client.ssl, &got, &got_n);
			assert_int_equal(got_n, strlen(rows[i].chosen));
			assert_memory_equal(
				got_n != 0 ? (const void *)got : "", rows[i].chosen, got_n);
		} else {
			assert_int_equal(v.rc, ERR_TLS);
			assert_int_equal(reason_of(&v), ALERT_OF(SSL_AD_NO_APPLICATION_PROTOCOL));
			assert_string_equal(v.fault.text,
				"the client speaks no protocol that is served here (HTTP/1.1)");
		}
		visit_close(&v);
	}
}

/* --- sessions ----------------------------------------------------------------------------------- */

/* With TLS 1.2 the library does not tell of a session that was renewed. */
static void keep_renewed(struct hall *h, SSL *ssl)
{
	SSL_SESSION *s = SSL_get1_session(ssl);
	const unsigned char *before = NULL;
	const unsigned char *now;
	size_t before_n = 0;
	size_t n;

	if (h->session != NULL) {
		SSL_SESSION_get0_ticket(h->session, &before, &before_n);
	}
	SSL_SESSION_get0_ticket(s, &now, &n);
	if (n != before_n || memcmp(now, before, n) != 0) {
		on_session(ssl, s);
	} else {
		SSL_SESSION_free(s);
	}
}

/* A visit that offers the newest session; true when it was resumed. */
static bool comes_back(struct hall *h, struct tls_server *server, const char *name, int version)
{
	struct visit v;
	bool resumed;

	visit_open(&v, server, h->client, name);
	SSL_set_min_proto_version(v.client.ssl, version);
	SSL_set_max_proto_version(v.client.ssl, version);
	if (h->session != NULL) {
		SSL_set_session(v.client.ssl, h->session);
	}
	assert_int_equal(visit_shake(&v), 0);
	resumed = tls_resumed(v.tls);
	assert_int_equal(resumed, SSL_session_reused(v.client.ssl));
	if (version == TLS1_2_VERSION) {
		keep_renewed(h, v.client.ssl);
	}
	visit_close(&v);
	return resumed;
}

static void forget_session(struct hall *h)
{
	SSL_SESSION_free(h->session);
	h->session = NULL;
	h->sessions = 0;
}

static void rotate(struct hall *h)
{
	tls_ticket_pair_free(tls_tickets_rotate(h->tickets));
}

static void a_session_is_resumed_on_any_worker(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		forget_session(h);
		assert_false(comes_back(h, h->server, "a.example.com", versions[i]));
		assert_non_null(h->session);
		assert_true(comes_back(h, h->other, "a.example.com", versions[i]));
		assert_true(comes_back(h, h->server, "a.example.com", versions[i]));
	}
}

static void every_use_of_a_ticket_brings_the_next(void **state)
{
	struct hall *h = *state;

	forget_session(h);
	assert_false(comes_back(h, h->server, "a.example.com", TLS1_3_VERSION));
	h->sessions = 0;
	assert_true(comes_back(h, h->server, "a.example.com", TLS1_3_VERSION));
	assert_int_equal(h->sessions, 1);
}

static void a_session_outlives_one_key_of_the_tickets(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		forget_session(h);
		comes_back(h, h->server, "a.example.com", versions[i]);
		rotate(h);
		h->sessions = 0;
		assert_true(comes_back(h, h->other, "a.example.com", versions[i]));
		/* It was renewed under the new key: so it goes on for ever, while it is used. */
		assert_true(h->sessions > 0);
		rotate(h);
		assert_true(comes_back(h, h->server, "a.example.com", versions[i]));
		rotate(h);
		rotate(h);
		assert_false(comes_back(h, h->server, "a.example.com", versions[i]));
	}
}

static void a_session_dies_with_its_certificate(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	struct hall *h = *state;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct visit v;

		forget_session(h);
		comes_back(h, h->server, "a.example.com", versions[i]);
		assert_false(comes_back(h, h->server, "b.example.com", versions[i]));
		forget_session(h);
		comes_back(h, h->server, "a.example.com", versions[i]);
		/* Another certificate for the same name, and all workers have it. */
		h->owner.v[0].cert = &h->b;
		memset(h->owner.v[0].id, 9, 32);
		visit_open(&v, h->server, h->client, "a.example.com");
		SSL_set_max_proto_version(v.client.ssl, versions[i]);
		SSL_set_session(v.client.ssl, h->session);
		assert_int_equal(visit_shake(&v), 0);
		assert_false(tls_resumed(v.tls));
		assert_true(shows(&v, &h->b));
		visit_close(&v);
		h->owner.v[0].cert = &h->a;
		memset(h->owner.v[0].id, 1, 32);
	}
}

static void a_ticket_that_is_damaged_is_no_error(void **state)
{
	struct hall *h = *state;
	struct tls_tickets *strange = tls_tickets_new();
	struct tls_server *stranger = tls_server_new(&(struct tls_server_opts){
		.tickets = strange, .certificate = find, .context = &h->owner});

	/* Sealed by a process that runs no more. */
	forget_session(h);
	comes_back(h, stranger, "a.example.com", TLS1_3_VERSION);
	assert_false(comes_back(h, h->server, "a.example.com", TLS1_3_VERSION));
	tls_server_free(stranger);
	tls_tickets_free(strange);
}

/* --- bytes -------------------------------------------------------------------------------------- */

static void a_hello_may_come_byte_by_byte(void **state)
{
	struct hall *h = *state;
	struct visit v;
	unsigned steps = 0;

	visit_open(&v, h->server, h->client, "a.example.com");
	v.client.allow = 0;
	while (v.rc == ERR_AGAIN && steps++ < ROUNDS) {
		v.client.allow += 1;
		visit_step(&v);
	}
	assert_int_equal(v.rc, 0);
	assert_true(steps > 200);
	visit_close(&v);
}

/* The client's last message of the handshake and its request are one piece: no event comes for the
 * second part. */
static void a_request_may_come_with_the_end_of_the_handshake(void **state)
{
	struct hall *h = *state;
	char got[100];
	struct visit v;

	visit_open(&v, h->server, h->client, "a.example.com");
	visit_step(&v); /* hello, and our answer */
	assert_int_equal(v.rc, ERR_AGAIN);
	v.client.allow = 0;
	peer_pump(&v.client);
	assert_true(SSL_is_init_finished(v.client.ssl));
	peer_say(&v.client, "GET / HTTP/1.1\r\n", 16);
	v.client.allow = SIZE_MAX;
	peer_pump(&v.client);
	assert_int_equal(tls_handshake(v.tls, &v.fault), 0);
	assert_int_equal(tls_read(v.tls, got, sizeof(got)), 16);
	visit_close(&v);
}

static void both_directions_and_the_end(void **state)
{
	struct hall *h = *state;
	char *large = calloc(1, 100000);
	struct iovec parts[] = {{large, 5}, {large, 90000}};
	char got[100];
	struct visit v;

	assert_non_null(large);
	visit_open(&v, h->server, h->client, "a.example.com");
	assert_int_equal(visit_shake(&v), 0);
	peer_say(&v.client, "ask", 3);
	peer_pump(&v.client);
	assert_int_equal(tls_read(v.tls, got, sizeof(got)), 3);
	assert_int_equal(tls_writev(v.tls, parts, 2), 90005);
	peer_pump(&v.client);
	assert_int_equal(v.client.got_n, 90005);
	tls_shutdown(v.tls);
	peer_pump(&v.client);
	assert_true(v.client.closed);
	free(large);
	visit_close(&v);
}

static void renegotiation_is_refused(void **state)
{
	struct hall *h = *state;
	char got[100];
	struct visit v;

	visit_open(&v, h->server, h->client, "a.example.com");
	SSL_set_max_proto_version(v.client.ssl, TLS1_2_VERSION);
	assert_int_equal(visit_shake(&v), 0);
	assert_int_equal(SSL_renegotiate(v.client.ssl), 1);
	ERR_clear_error();
	assert_int_not_equal(SSL_do_handshake(v.client.ssl), 1);
	peer_give(&v.client);
	IGNORE(tls_read(v.tls, got, sizeof(got))); /* nothing, or the end of it */
	peer_take(&v.client);
	assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
	visit_close(&v);
}

static void a_client_that_leaves_is_told_apart(void **state)
{
	struct hall *h = *state;
	struct visit v;

	visit_open(&v, h->server, h->client, "a.example.com");
	v.client.allow = 100;
	visit_step(&v);
	assert_int_equal(v.rc, ERR_AGAIN);
	shutdown(v.client.fd, SHUT_WR);
	assert_int_equal(tls_handshake(v.tls, &v.fault), ERR_CLOSED);
	assert_string_equal(v.fault.text, "the client ended the connection in the TLS handshake");
	visit_close(&v);
}

static void a_client_that_does_not_trust_us_says_so(void **state)
{
	struct hall *h = *state;
	struct visit v;

	visit_open(&v, h->server, h->client, "a.example.com");
	SSL_set_max_proto_version(v.client.ssl, TLS1_2_VERSION);
	SSL_set_verify(v.client.ssl, SSL_VERIFY_PEER, NULL);
	assert_int_equal(visit_shake(&v), ERR_TLS);
	assert_string_equal(
		v.fault.text, "the client does not trust the authority of our certificate");
	visit_close(&v);
}

/* --- what a client begins with ------------------------------------------------------------------ */

static void openings(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		enum tls_opening expect;
		const char *why;
	} rows[] = {
		{"", 0, TLS_OPENING_MORE, "nothing yet"},
		{"\x16", 1, TLS_OPENING_MORE, "the head of the record is not whole"},
		{"\x16\x03\x01\x00", 4, TLS_OPENING_MORE, "nor here"},
		{"\x16\x03\x01\x00\x02"
		 "a",
			6, TLS_OPENING_MORE, "one byte is missing"},
		{"\x16\x03\x01\x00\x02"
		 "ab",
			7, TLS_OPENING_TLS, "a whole record"},
		{"\x16\x03\x01\x00\x02"
		 "abc",
			8, TLS_OPENING_TLS, "more behind it"},
		{"\x16\x03\x01\x00\x00", 5, TLS_OPENING_TLS, "empty: the library's to refuse"},
		{"\x16\x03\x01\x40\x01", 5, TLS_OPENING_TLS, "too long: nobody waits for it"},
		{"\x16\x03\x01\xff\xff", 5, TLS_OPENING_TLS, "nor for that"},
		{"\x16\x03\x01\x40\x00", 5, TLS_OPENING_MORE, "the longest"},
		{"GET / HTTP/1.1\r\n", 16, TLS_OPENING_TEXT, "plain HTTP"},
		{"P", 1, TLS_OPENING_TEXT, "its first letter says it"},
		{"\x80\x2e\x01", 3, TLS_OPENING_OTHER, "SSL 2"},
		{"\x15\x03\x01\x00\x02\x02\x28", 7, TLS_OPENING_OTHER, "an alert is no beginning"},
		{"\x05\x01\x00", 3, TLS_OPENING_OTHER, "SOCKS"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(tls_opening(bytes_of(rows[i].p, rows[i].n)), rows[i].expect);
	}
}

/* --- threads ------------------------------------------------------------------------------------ */

#define THREADS 4
#define VISITS 60

struct crowd {
	struct hall *h;
	atomic_uint done;
	unsigned resumed[THREADS];
};

struct guest {
	struct crowd *crowd;
	unsigned index;
};

static void *guest_run(void *arg)
{
	struct guest *g = arg;
	struct crowd *crowd = g->crowd;
	struct hall mine = {.tickets = crowd->h->tickets, .owner = crowd->h->owner};

	mine.server = server_of(&mine);
	mine.client = client_context(&mine);
	for (unsigned i = 0; i < VISITS; i++) {
		crowd->resumed[g->index] += comes_back(&mine, mine.server, "a.example.com",
			i % 2 != 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
		if (i % 2 != 0) {
			forget_session(&mine);
		} else {
			comes_back(&mine, mine.server, "a.example.com", TLS1_2_VERSION);
		}
	}
	SSL_SESSION_free(mine.session);
	SSL_CTX_free(mine.client);
	tls_server_free(mine.server);
	atomic_fetch_add(&crowd->done, 1);
	return NULL;
}

/* Certificates and keys of tickets are shared, nothing else; and the keys change meanwhile. */
static void workers_share_certificates_and_keys(void **state)
{
	struct hall *h = *state;
	struct crowd crowd = {.h = h};
	struct guest guests[THREADS];
	struct tls_ticket_pair *old[200];
	pthread_t threads[THREADS];
	size_t n = 0;

	for (unsigned i = 0; i < THREADS; i++) {
		guests[i] = (struct guest){&crowd, i};
		assert_int_equal(pthread_create(&threads[i], NULL, guest_run, &guests[i]), 0);
	}
	while (atomic_load(&crowd.done) < THREADS) {
		if (n < ARRAY_LEN(old)) {
			old[n++] = tls_tickets_rotate(h->tickets);
		}
		usleep(1000);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	/* Nobody says when it is quiet: what was replaced stays until the end. */
	while (n > 0) {
		tls_ticket_pair_free(old[--n]);
	}
}

#define IN_A_HALL(f) cmocka_unit_test_setup_teardown(f, hall_open, hall_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_HALL(the_certificate_is_that_of_the_name),
		IN_A_HALL(who_names_nobody_gets_what_is_for_everybody),
		IN_A_HALL(a_refusal_says_which_name),
		IN_A_HALL(a_certificate_that_is_too_weak_is_told_to_its_owner),
		IN_A_HALL(versions_before_1_2_are_refused),
		IN_A_HALL(ciphers_without_forward_secrecy_are_refused),
		IN_A_HALL(a_client_may_not_choose_a_costly_key_exchange),
		IN_A_HALL(alpn),
		IN_A_HALL(a_session_is_resumed_on_any_worker),
		IN_A_HALL(every_use_of_a_ticket_brings_the_next),
		IN_A_HALL(a_session_outlives_one_key_of_the_tickets),
		IN_A_HALL(a_session_dies_with_its_certificate),
		IN_A_HALL(a_ticket_that_is_damaged_is_no_error),
		IN_A_HALL(a_hello_may_come_byte_by_byte),
		IN_A_HALL(a_request_may_come_with_the_end_of_the_handshake),
		IN_A_HALL(both_directions_and_the_end),
		IN_A_HALL(renegotiation_is_refused),
		IN_A_HALL(a_client_that_leaves_is_told_apart),
		IN_A_HALL(a_client_that_does_not_trust_us_says_so),
		cmocka_unit_test(openings),
		IN_A_HALL(workers_share_certificates_and_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
