/*
 * One context serves all certificates: the callback that sees the client's hello puts the certificate
 * onto the connection. A context per certificate was measured and rejected: it saves 0.4 of 200
 * microseconds per handshake and costs 13 KB and 120 microseconds for each certificate and worker, and
 * a table that has to be bounded and to forget what a reload has replaced.
 *
 * Who resumes is not shown a certificate. So that one that was replaced or taken away does not live on
 * in tickets, the certificate's id is the session's context: a ticket is opened only where the very
 * certificate is served that it was given out under. Otherwise a full handshake follows.
 */
#include "net/tls_server.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_fault.h"
#include "net/tls_int.h"

#define RECORD_HEAD 5u
#define RECORD_MAX 16384u
#define RECORD_HANDSHAKE 22
#define ID_SIZE SSL_MAX_SID_CTX_LENGTH
#define NAME_MAX_BYTES 255u

static_assert(TLS_OPENING_MAX == RECORD_HEAD + RECORD_MAX, "a head and a body");
static_assert(ID_SIZE == 32, "an id is a session's context");
static_assert(TLS_TICKET_NAME == 16, "the library's size");

struct tls_server {
	struct tls_server_opts opts;
	SSL_CTX *ctx;
	BIO_METHOD *bio;
	EVP_CIPHER *cipher; /* of tickets */
	/* Of the handshake that is running: why we refused it (NULL: we did not), and the name. */
	const char *refused;
	char name[NAME_MAX_BYTES + 1];
};

/* Forward secrecy and authenticated encryption only (RFC 9325 §4.2). TLS 1.3 has no other ones. */
#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"
/* What all clients have. The library's list also has groups that cost a server milliseconds, which is
 * an invitation: the client chooses. */
#define GROUPS "X25519:P-256:P-384"

/* --- the client's hello ------------------------------------------------------------------------- */

enum tls_opening tls_opening(struct bytes b)
{
	const uint8_t *p = (const uint8_t *)b.p;
	size_t body;

	if (b.n == 0) {
		return TLS_OPENING_MORE;
	}
	if (p[0] != RECORD_HANDSHAKE) {
		bool letter = (p[0] >= 'A' && p[0] <= 'Z') || (p[0] >= 'a' && p[0] <= 'z');

		return letter ? TLS_OPENING_TEXT : TLS_OPENING_OTHER;
	}
	if (b.n < RECORD_HEAD) {
		return TLS_OPENING_MORE;
	}
	body = (size_t)p[3] << 8 | p[4];
	/* One that is too long is an error that the library answers. */
	return b.n < RECORD_HEAD + MIN(body, RECORD_MAX) && body <= RECORD_MAX ? TLS_OPENING_MORE
									       : TLS_OPENING_TLS;
}

/*
 * RFC 6066 §3: struct { NameType name_type; opaque HostName<1..2^16-1>; } ServerName;
 * struct { ServerName server_name_list<1..2^16-1> } ServerNameList; of one type there is one.
 */
static bool read_name(const uint8_t *p, size_t n, struct bytes *out)
{
	if (n < 6 || ((size_t)p[0] << 8 | p[1]) != n - 2 || p[2] != TLSEXT_NAMETYPE_host_name ||
		((size_t)p[3] << 8 | p[4]) != n - 5 || n - 5 > NAME_MAX_BYTES) {
		return false;
	}
	*out = bytes_of((const char *)p + 5, n - 5);
	for (size_t i = 0; i < out->n; i++) {
		if (out->p[i] <= ' ' || out->p[i] > '~') {
			return false; /* no host; and nothing for a log */
		}
	}
	return true;
}

static int refuse(struct tls_server *s, const char *why, int alert, int *alert_out)
{
	s->refused = why;
	*alert_out = alert;
	return SSL_CLIENT_HELLO_ERROR;
}

/* The reason's words without the library's numbers. */
static const char *library_words(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_last_error());

	return words != NULL ? words : "refused by the library";
}

static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct tls_server *s = arg;
	struct tls_certificate c = {0};
	struct bytes name = BYTES("");
	const uint8_t *p;
	size_t n;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) == 1 &&
		!read_name(p, n, &name)) {
		return refuse(
			s, "asked for a name that cannot be one", SSL_AD_UNRECOGNIZED_NAME, alert);
	}
	memcpy(s->name, name.p, name.n);
	s->name[name.n] = '\0';
	if (name.n > 1 && name.p[name.n - 1] == '.') {
		name.n--;
	}
	if (!s->opts.certificate(s->opts.context, name, &c)) {
		return refuse(s, "asked for a name that has no certificate",
			SSL_AD_UNRECOGNIZED_NAME, alert);
	}
	if (SSL_use_cert_and_key(ssl, c.leaf, c.key, c.chain, 1) != 1 ||
		SSL_set_session_id_context(ssl, c.id, ID_SIZE) != 1) {
		if (s->opts.unusable != NULL) {
			s->opts.unusable(s->opts.context, name, &c, library_words());
		}
		return refuse(s, "asked for a name whose certificate cannot be used",
			SSL_AD_INTERNAL_ERROR, alert);
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* What a client offers is a list of <length, name> (RFC 7301 §3.1). One that offers something, but none
 * of ours, is told so (§3.2). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
	const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof(ours) - 1, in, in_n) !=
		OPENSSL_NPN_NEGOTIATED) {
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* --- tickets ------------------------------------------------------------------------------------ */

static bool use_key(const struct tls_server *s, const struct tls_ticket_key *key,
	const unsigned char *iv, EVP_CIPHER_CTX *cipher, bool sealing)
{
	return sealing ? EVP_EncryptInit_ex2(cipher, s->cipher, key->cipher, iv, NULL) == 1
		       : EVP_DecryptInit_ex2(cipher, s->cipher, key->cipher, iv, NULL) == 1;
}

static bool use_mac(const struct tls_ticket_key *key, EVP_MAC_CTX *mac)
{
	char digest[] = "SHA256";
	uint8_t secret[sizeof(key->mac)];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, sizeof(secret)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	bool ok;

	memcpy(secret, key->mac, sizeof(secret));
	ok = EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(secret, sizeof(secret));
	return ok;
}

/* The library's contract: < 0 failed, 0 no such key (a full handshake follows), 1 used, 2 used and to
 * be replaced by a new ticket. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int sealing)
{
	const struct tls *t = SSL_get_app_data(ssl);
	const struct tls_server *s = t->server;
	const struct tls_ticket_key *current = tls_tickets_current(s->opts.tickets);
	const struct tls_ticket_key *key = current;

	if (sealing) {
		memcpy(name, key->name, sizeof(key->name));
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(s->cipher)) != 1) {
			return -1;
		}
	} else {
		key = tls_tickets_find(s->opts.tickets, name);
		if (key == NULL) {
			return 0;
		}
	}
	if (!use_key(s, key, iv, cipher, sealing) || !use_mac(key, mac)) {
		return -1;
	}
	/* With TLS 1.3 a ticket is for one use (RFC 8446 §C.4). */
	return key != current || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

/* --- life --------------------------------------------------------------------------------------- */

struct tls_server *tls_server_new(const struct tls_server_opts *opts)
{
	struct tls_server *s = must_alloc(sizeof(*s));
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char groups[] = GROUPS;

	s->opts = *opts;
	s->ctx = ctx;
	s->bio = tls_bio_new();
	s->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	ASSERT(ctx != NULL && s->cipher != NULL);
	tls_set_common(ctx);
	/* The client's order: it knows whether it has instructions for AES. */
	ASSERT(SSL_CTX_set_cipher_list(ctx, CIPHERS_12) == 1);
	ASSERT(SSL_CTX_set1_groups_list(ctx, groups) == 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, TLS_SESSION_S);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
	SSL_CTX_set_client_hello_cb(ctx, on_hello, s);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, s);
	return s;
}

void tls_server_free(struct tls_server *s)
{
	if (s == NULL) {
		return;
	}
	SSL_CTX_free(s->ctx);
	BIO_meth_free(s->bio);
	EVP_CIPHER_free(s->cipher);
	free(s);
}

struct tls *tls_accept(struct tls_server *s, int fd)
{
	struct tls *t = tls_new(s->ctx, s->bio, fd);

	t->server = s;
	SSL_set_accept_state(t->ssl);
	return t;
}

int tls_server_fault(struct tls *t, int rc, unsigned long error, struct fault *fault)
{
	struct tls_server *s = t->server;
	const char *refused = s->refused;

	s->refused = NULL;
	if (refused != NULL) {
		return fault_set(
			fault, ERR_TLS, 0, 0, "the client %s: \"%.80s\"", refused, s->name);
	}
	if (rc == ERR_TLS) {
		return tls_fault_client(fault, error);
	}
	return fault_set(
		fault, (enum err)rc, 0, 0, "the client ended the connection in the TLS handshake");
}
