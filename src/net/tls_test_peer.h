/*
 * What the tests of TLS share: certificates made on the spot, and a server of the library's own that
 * works on memory, so that the test decides which of its bytes reach the client.
 */
#ifndef NET_TLS_TEST_PEER_H
#define NET_TLS_TEST_PEER_H

/* Included first by the tests: mkstemp, setenv. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/tls.h"

#define NAME "api.example.com"
#define ROUNDS 20000 /* a test that needs more hangs */

/* --- certificates ------------------------------------------------------------------------------- */

struct cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct cert_opts {
	const char *alt_names;     /* "DNS:a.example.com,IP:127.0.0.1"; NULL: an authority */
	const struct cert *issuer; /* NULL: signed by itself */
	int from_days, to_days;    /* from today */
	bool weak;                 /* RSA with 1024 bits instead of P-256 */
};

UNUSED static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

UNUSED static struct cert cert_new(const struct cert_opts *o)
{
	static long serial = 1;
	struct cert c = {X509_new(), o->weak ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(c.x509);
	char cn[32];

	snprintf(cn, sizeof(cn), "test %ld", serial);
	X509_set_version(c.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
	X509_time_adj_ex(X509_getm_notBefore(c.x509), o->from_days, 0, NULL);
	X509_time_adj_ex(X509_getm_notAfter(c.x509), o->to_days, 0, NULL);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(
		c.x509, o->issuer != NULL ? X509_get_subject_name(o->issuer->x509) : subject);
	X509_set_pubkey(c.x509, c.key);
	if (o->alt_names != NULL) {
		add_extension(c.x509, NID_subject_alt_name, o->alt_names);
	} else {
		add_extension(c.x509, NID_basic_constraints, "critical,CA:TRUE");
	}
	assert_true(
		X509_sign(c.x509, o->issuer != NULL ? o->issuer->key : c.key, EVP_sha256()) > 0);
	return c;
}

UNUSED static void cert_free(struct cert *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

/* --- the server --------------------------------------------------------------------------------- */

struct peer {
	SSL *ssl;
	int fd;
	size_t allow;     /* bytes that may still go to the client */
	unsigned records; /* of application data, that came */
	char *got;
	size_t got_n;
	bool closed; /* by close_notify */
};

UNUSED static int choose_http1(SSL *ssl, const unsigned char **out, unsigned char *out_n,
	const unsigned char *in, unsigned in_n, void *arg)
{
	(void)ssl;
	(void)arg;
	assert_true(in_n == 9 && memcmp(in, "\x08http/1.1", 9) == 0);
	*out = in + 1;
	*out_n = 8;
	return SSL_TLSEXT_ERR_OK;
}

UNUSED static SSL_CTX *peer_context(const struct cert *c, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	SSL_CTX_set_security_level(ctx, 0); /* the old versions that clients must refuse */
	assert_int_equal(SSL_CTX_use_certificate(ctx, c->x509), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, c->key), 1);
	SSL_CTX_set_alpn_select_cb(ctx, choose_http1, NULL);
	return ctx;
}

UNUSED static void on_message(
	int sent, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	struct peer *peer = arg;
	const unsigned char *head = p;

	(void)version;
	(void)ssl;
	peer->records +=
		!sent && type == SSL3_RT_HEADER && n == 5 && head[0] == SSL3_RT_APPLICATION_DATA;
}

UNUSED static void peer_init(struct peer *p, SSL_CTX *ctx, int fd)
{
	*p = (struct peer){.ssl = SSL_new(ctx), .fd = fd, .allow = SIZE_MAX};
	SSL_set_accept_state(p->ssl);
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(p->ssl), -1);
	SSL_set_msg_callback(p->ssl, on_message);
	SSL_set_msg_callback_arg(p->ssl, p);
}

UNUSED static void peer_done(struct peer *p)
{
	SSL_set_shutdown(p->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->ssl);
	free(p->got);
	if (p->fd >= 0) {
		close(p->fd);
	}
}

UNUSED static void peer_take(struct peer *p)
{
	char part[20000];
	ssize_t n;
	int rc;

	while ((n = read(p->fd, part, sizeof(part))) > 0) {
		assert_int_equal(BIO_write(SSL_get_rbio(p->ssl), part, (int)n), n);
	}
	if (!SSL_is_init_finished(p->ssl) && SSL_do_handshake(p->ssl) != 1) {
		return;
	}
	while ((rc = SSL_read(p->ssl, part, sizeof(part))) > 0) {
		p->got = realloc(p->got, p->got_n + (size_t)rc);
		memcpy(p->got + p->got_n, part, (size_t)rc);
		p->got_n += (size_t)rc;
	}
	p->closed = (SSL_get_shutdown(p->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

UNUSED static void peer_give(struct peer *p)
{
	BIO *out = SSL_get_wbio(p->ssl);
	char *bytes;
	size_t have = (size_t)BIO_get_mem_data(out, &bytes);
	size_t n = MIN(have, p->allow);
	ssize_t put = n != 0 ? write(p->fd, bytes, n) : 0;

	if (put > 0) {
		char gone[20000];

		p->allow -= p->allow != SIZE_MAX ? (size_t)put : 0;
		while (put > 0) {
			int step = BIO_read(out, gone, (int)MIN((size_t)put, sizeof(gone)));

			assert_true(step > 0);
			put -= step;
		}
	}
}

UNUSED static void peer_pump(struct peer *p)
{
	peer_take(p);
	peer_give(p);
}

UNUSED static void peer_say(struct peer *p, const char *bytes, size_t n)
{
	assert_int_equal(SSL_write(p->ssl, bytes, (int)n), n);
}

/* --- both --------------------------------------------------------------------------------------- */

struct world {
	struct cert authority, stranger; /* the clients trust the first one */
	struct cert good;
	char ca_path[64];
	struct tls_context *context;
};

UNUSED static int world_open(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct fault fault;
	FILE *f;
	int fd;

	assert_non_null(w);
	w->authority = cert_new(&(struct cert_opts){.to_days = 10});
	w->stranger = cert_new(&(struct cert_opts){.to_days = 10});
	w->good = cert_new(&(struct cert_opts){
		.alt_names = "DNS:" NAME, .issuer = &w->authority, .to_days = 10});
	snprintf(w->ca_path, sizeof(w->ca_path), "/tmp/sluice-tls-test-XXXXXX");
	fd = mkstemp(w->ca_path);
	f = fdopen(fd, "w");
	assert_int_equal(PEM_write_X509(f, w->authority.x509), 1);
	fclose(f);
	/* What the machine trusts is not this test's business, and slow to load. */
	setenv("SSL_CERT_FILE", w->ca_path, 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	assert_int_equal(tls_global_init(NULL, &fault), 0);
	assert_int_equal(tls_trust_load(&fault), 0);
	w->context = tls_context_new();
	*state = w;
	return 0;
}

UNUSED static int world_close(void **state)
{
	struct world *w = *state;

	tls_context_free(w->context);
	cert_free(&w->authority);
	cert_free(&w->stranger);
	cert_free(&w->good);
	unlink(w->ca_path);
	free(w);
	return 0;
}

struct link {
	struct tls *tls;
	int fd; /* the client's */
	struct peer peer;
};

UNUSED static void link_open(struct link *l, struct world *w, SSL_CTX *server, const char *name)
{
	struct tls_client_opts opts = {w->context, name, "key:443"};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	l->fd = fds[0];
	l->tls = tls_client_new(&opts, fds[0]);
	peer_init(&l->peer, server, fds[1]);
}

UNUSED static int shake_hands(struct link *l, struct fault *fault)
{
	int rc = ERR_AGAIN;

	for (int i = 0; i < ROUNDS && rc == ERR_AGAIN; i++) {
		rc = tls_handshake(l->tls, fault);
		peer_pump(&l->peer);
	}
	assert_int_not_equal(rc, ERR_AGAIN);
	return rc;
}

UNUSED static void link_close(struct link *l)
{
	tls_free(l->tls);
	close(l->fd);
	peer_done(&l->peer);
}

/* A connection that works, with everything that the server sends by itself already read. */
UNUSED static void link_ready(struct link *l, struct world *w, SSL_CTX *server)
{
	struct fault fault;
	char none[1];

	link_open(l, w, server, NAME);
	assert_int_equal(shake_hands(l, &fault), 0);
	assert_int_equal(tls_read(l->tls, none, 1), ERR_AGAIN);
}

#endif
