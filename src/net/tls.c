/*
 * The library reads and writes by a BIO over sys_recv and sys_sendv. Two things follow from the
 * edge-triggered loop: once a tls_read has bytes to give, a recv that brought fewer than asked is its
 * last one (the BIO then says "try again" by itself, without asking the kernel); and a failure of the
 * descriptor is kept as the enum err that it was, because the library forgets it.
 */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_cache.h"
#include "net/tls_fault.h"
#include "net/tls_int.h"

#define RECORD_MAX 16384u

/* Attack: records of one byte each. It takes as long to open one as a larger one, so a read looks at so
 * many and leaves the rest to the next turn; full ones would be more than anyone asks for at once. */
#define RECORDS_PER_READ 64u
/* Attack: TLS lets a peer send some messages of the handshake at any time (new keys, a new handshake
 * that we refuse), without end, and the library answers them inside of one read, 15 microseconds each.
 * This is for the life of a connection: a handshake has ten of them, a ticket is one, and who changes
 * keys does so after 2^24 records or more. */
#define HANDSHAKE_MESSAGES_MAX 128u

/* The store that all contexts share; made by tls_global_init, filled by tls_trust_load. The library locks
 * it by itself; `loading` is for the callers of the latter, none of which is a worker. */
static struct {
	X509_STORE *store;
	pthread_mutex_t loading;
	bool loaded;
} trust = {.loading = PTHREAD_MUTEX_INITIALIZER};

struct tls_context {
	SSL_CTX *ctx; /* NULL until the first connection, as bio is */
	BIO_METHOD *bio;
	struct tls_cache cache;
};

/* --- trust -------------------------------------------------------------------------------------- */

static int file_fault(struct fault *fault, const char *path)
{
	return fault_set(fault, ERR_IO, 0, 0,
		"no certificates can be read from %.100s; name a PEM file", path);
}

static int add_file(X509_STORE *store, const char *path, struct fault *fault)
{
	if (X509_STORE_load_file(store, path) == 1) {
		return 0;
	}
	ERR_clear_error();
	return file_fault(fault, path);
}

/* The library's own way passes over a file that cannot be read; one that somebody named must be there. */
static const char *named_file(void)
{
	return getenv(X509_get_default_cert_file_env());
}

static int check_named_file(struct fault *fault)
{
	const char *path = named_file();
	FILE *f;

	if (path == NULL) {
		return 0;
	}
	f = fopen(path, "r");
	if (f == NULL) {
		return file_fault(fault, path);
	}
	fclose(f);
	return 0;
}

static int add_system(X509_STORE *store, struct fault *fault)
{
	const char *dir = getenv(X509_get_default_cert_dir_env());

	if (named_file() == NULL) {
		X509_STORE_set_default_paths(store);
		return 0;
	}
	X509_STORE_load_path(store, dir != NULL ? dir : X509_get_default_cert_dir());
	return add_file(store, named_file(), fault);
}

int tls_global_init(const char *ca_file, struct fault *fault)
{
	int rc = check_named_file(fault);
	X509_STORE *store;

	if (rc != 0) {
		return rc;
	}
	store = X509_STORE_new();
	ASSERT(store != NULL);
	rc = ca_file != NULL ? add_file(store, ca_file, fault) : 0;
	if (rc != 0) {
		X509_STORE_free(store);
		return rc;
	}
	X509_STORE_free(trust.store);
	trust.store = store;
	trust.loaded = false;
	return 0;
}

int tls_trust_load(struct fault *fault)
{
	int rc = 0;

	pthread_mutex_lock(&trust.loading);
	ASSERT(trust.store != NULL);
	if (!trust.loaded) {
		rc = add_system(trust.store, fault);
		trust.loaded = rc == 0;
		ERR_clear_error();
	}
	pthread_mutex_unlock(&trust.loading);
	return rc;
}

/* --- the BIO ------------------------------------------------------------------------------------ */

static int bio_result(BIO *bio, struct tls *t, ssize_t n, int retry_flag)
{
	if (n >= 0) {
		return (int)n;
	}
	if (n == ERR_AGAIN) {
		BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
	} else {
		t->io_error = (int)n;
	}
	return -1;
}

static int bio_read(BIO *bio, char *p, int n)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t got = ERR_AGAIN;

	BIO_clear_retry_flags(bio);
	if (t->io_error != 0) {
		return -1;
	}
	if (!t->drained || !t->has_some) {
		got = sys_recv(t->fd, p, (size_t)n);
		t->drained = got < n;
		t->eof = got == 0;
	}
	return bio_result(bio, t, got, BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *p, int n)
{
	struct tls *t = BIO_get_data(bio);
	struct iovec v = {.iov_base = (void *)(uintptr_t)p, .iov_len = (size_t)n};

	BIO_clear_retry_flags(bio);
	if (t->io_error != 0) {
		return -1;
	}
	return bio_result(bio, t, sys_sendv(t->fd, &v, 1), BIO_FLAGS_WRITE);
}

/* The end of the stream is not told to the library (BIO_CTRL_EOF): it would call it a protocol error
 * and spoil the session, but servers that close without close_notify are common. */
static long bio_ctrl(BIO *bio, int command, long arg, void *p)
{
	(void)bio;
	(void)arg;
	(void)p;
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

/* A number of one's own is for those who look for their BIO in a chain; the process has few of them. */
BIO_METHOD *tls_bio_new(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "sluice");

	ASSERT(m != NULL);
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_ctrl(m, bio_ctrl);
	BIO_meth_set_create(m, bio_create);
	return m;
}

/* --- contexts ----------------------------------------------------------------------------------- */

/* 1: the reference is ours. With TLS 1.3 it comes with the first reads, long after the handshake. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_get_app_data(ssl);

	t->holds_buffers = true;
	if (t->session_key == NULL) {
		return 0;
	}
	tls_cache_put(&t->context->cache, t->session_key, session);
	return 1;
}

static int on_verified(int ok, X509_STORE_CTX *chain)
{
	if (ok != 1) {
		SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
		struct tls *t = SSL_get_app_data(ssl);

		t->verify_depth = X509_STORE_CTX_get_error_depth(chain);
	}
	return ok;
}

/* The library goes on reading by itself, so it is made to believe that the peer has ended. */
static void on_message(
	int sent, int version, int type, const void *p, size_t n, SSL *ssl, void *context)
{
	struct tls *t = SSL_get_app_data(ssl);

	(void)version;
	(void)p;
	(void)n;
	(void)context;
	if (!sent && type == SSL3_RT_HANDSHAKE && ++t->messages > HANDSHAKE_MESSAGES_MAX) {
		SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
	}
}

void tls_set_common(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1); /* head and body of a record in one recv */
	SSL_CTX_set_msg_callback(ctx, on_message);
}

static SSL_CTX *client_ctx_new(void)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	ASSERT(ctx != NULL && trust.store != NULL);
	tls_set_common(ctx);
	SSL_CTX_set1_cert_store(ctx, trust.store);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verified);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_new_session);
	SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1);
	return ctx;
}

struct tls_context *tls_context_new(void)
{
	struct tls_context *c = must_alloc(sizeof(*c));

	tls_cache_init(&c->cache);
	return c;
}

/* The library's part is made when the first connection asks for it. */
static void need_library(struct tls_context *c)
{
	if (c->ctx == NULL) {
		c->ctx = client_ctx_new();
		c->bio = tls_bio_new();
	}
}

void tls_context_free(struct tls_context *c)
{
	if (c == NULL) {
		return;
	}
	tls_cache_done(&c->cache);
	SSL_CTX_free(c->ctx);
	BIO_meth_free(c->bio);
	free(c);
}

/* --- connections -------------------------------------------------------------------------------- */

/* "[::1]" and "api.example.com." as certificates have them. */
static char *plain_name(const char *name)
{
	struct bytes b = bytes_str(name);

	if (b.n >= 2 && b.p[0] == '[' && b.p[b.n - 1] == ']') {
		b = bytes_of(b.p + 1, b.n - 2);
	} else if (b.n >= 2 && b.p[b.n - 1] == '.') {
		b.n--;
	}
	return bytes_dup(b);
}

/* False when no certificate could be for such a name. */
static bool expect_name(SSL *ssl, char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct sys_addr literal;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (sys_addr_parse(&literal, name, strlen(name), 0) == 0) {
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	}
	/* An empty name would mean: any; one with a leading dot: any below it. */
	return name[0] != '\0' && name[0] != '.' && SSL_set_tlsext_host_name(ssl, name) == 1 &&
		X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static void offer_session(struct tls *t)
{
	SSL_SESSION *s = tls_cache_take(&t->context->cache, t->session_key);

	if (s != NULL) {
		SSL_set_session(t->ssl, s);
		SSL_SESSION_free(s);
	}
}

struct tls *tls_new(SSL_CTX *ctx, BIO_METHOD *method, int fd)
{
	struct tls *t = must_alloc(sizeof(*t));
	BIO *bio = BIO_new(method);

	t->ssl = SSL_new(ctx);
	ASSERT(t->ssl != NULL && bio != NULL);
	t->fd = fd;
	BIO_set_data(bio, t);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	return t;
}

struct tls *tls_client_new(const struct tls_client_opts *opts, int fd)
{
	struct tls *t;

	need_library(opts->context);
	t = tls_new(opts->context->ctx, opts->context->bio, fd);
	t->context = opts->context;
	t->name = plain_name(opts->name);
	SSL_set_connect_state(t->ssl);
	if (!expect_name(t->ssl, t->name)) {
		ERR_clear_error();
		t->failed = ERR_TLS;
	} else if (opts->session_key != NULL) {
		t->session_key = must_strdup(opts->session_key);
		offer_session(t);
	}
	return t;
}

/* Why an operation did not succeed: ERR_AGAIN, 0 for the peer's close_notify, else for good. */
static int why_not(struct tls *t, int rc)
{
	int error = SSL_get_error(t->ssl, rc);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		return ERR_AGAIN;
	}
	if (error == SSL_ERROR_ZERO_RETURN && t->messages <= HANDSHAKE_MESSAGES_MAX) {
		t->ended = true;
		return 0;
	}
	if (error == SSL_ERROR_SYSCALL && t->io_error != 0) {
		t->failed = t->io_error;
	} else if (error == SSL_ERROR_SYSCALL && t->eof) {
		t->failed = ERR_CLOSED;
	} else {
		t->failed = ERR_TLS;
	}
	return t->failed;
}

static int handshake_fault(struct tls *t, int rc, struct fault *fault)
{
	unsigned long error = ERR_peek_error();
	long verify = SSL_get_verify_result(t->ssl);

	ERR_clear_error();
	if (t->server != NULL) {
		return tls_server_fault(t, rc, error, fault);
	}
	if (verify != X509_V_OK) {
		t->failed = ERR_TLS;
		return tls_fault_verify(fault, t->name, (int)verify, t->verify_depth);
	}
	if (rc == ERR_TLS) {
		return tls_fault_protocol(fault, t->name, error);
	}
	return fault_set(fault, (enum err)rc, 0, 0,
		"%.100s ended the connection in the TLS handshake", t->name);
}

int tls_handshake(struct tls *t, struct fault *fault)
{
	int rc;

	if (t->failed != 0) {
		return fault_set(fault, (enum err)t->failed, 0, 0,
			"no TLS connection to \"%.100s\" is possible",
			t->name != NULL ? t->name : "the client");
	}
	t->has_some = false;
	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (rc == 1) {
		return 0;
	}
	rc = why_not(t, rc);
	if (rc == 0) {
		/* A close_notify instead of an answer. */
		rc = t->failed = ERR_CLOSED;
	}
	return rc == ERR_AGAIN ? rc : handshake_fault(t, rc, fault);
}

/* For a ticket behind the handshake the library takes a buffer to write with, 16 KB, which it only gives
 * back after it has written; and an upstream that streams is not written to again. */
static void give_buffers_back(struct tls *t)
{
	if (t->holds_buffers && SSL_is_init_finished(t->ssl)) {
		t->holds_buffers = SSL_free_buffers(t->ssl) != 1;
	}
}

ssize_t tls_read(struct tls *t, void *p, size_t n)
{
	size_t sum = 0;

	if (t->failed != 0) {
		return t->failed;
	}
	t->drained = false;
	t->has_more = false;
	for (unsigned i = 0; sum < n; i++) {
		size_t got;
		int rc;

		if (i == RECORDS_PER_READ) {
			t->has_more = true;
			break;
		}
		t->has_some = sum != 0;
		ERR_clear_error();
		rc = SSL_read_ex(t->ssl, (char *)p + sum, n - sum, &got);
		if (rc != 1) {
			rc = why_not(t, rc);
			if (rc == ERR_AGAIN) {
				give_buffers_back(t);
			}
			return sum != 0 ? (ssize_t)sum : rc;
		}
		sum += got;
	}
	return (ssize_t)sum;
}

/* --- writing ------------------------------------------------------------------------------------ */

/* What is left of a vector. */
struct cursor {
	const struct iovec *v;
	int n;
	size_t at; /* in v[0] */
};

static void skip(struct cursor *c, size_t n)
{
	c->at += n;
	while (c->n != 0 && c->at >= c->v->iov_len) {
		c->at -= c->v->iov_len;
		c->v++;
		c->n--;
	}
}

/* What fills a record, as one piece: in place, or gathered in scratch when the next buffer alone would
 * make a smaller one. */
static struct bytes next_piece(const struct cursor *c, char scratch[RECORD_MAX])
{
	const char *p = (const char *)c->v->iov_base + c->at;
	size_t n = c->v->iov_len - c->at;

	if (n >= RECORD_MAX || c->n == 1) {
		return bytes_of(p, MIN(n, RECORD_MAX));
	}
	memcpy(scratch, p, n);
	for (int i = 1; i < c->n && n < RECORD_MAX; i++) {
		size_t more = MIN(c->v[i].iov_len, RECORD_MAX - n);

		if (more != 0) {
			memcpy(scratch + n, c->v[i].iov_base, more);
			n += more;
		}
	}
	return bytes_of(scratch, n);
}

/* > 0, ERR_AGAIN or a failure. A record that the kernel took in part is remembered by the library: the
 * next call offers at least the same bytes again, and only their number is looked at. */
static ssize_t write_record(struct tls *t, const struct cursor *c)
{
	char scratch[RECORD_MAX];
	struct bytes piece = next_piece(c, scratch);
	size_t put;
	int rc;

	ERR_clear_error();
	rc = SSL_write_ex(t->ssl, piece.p, piece.n, &put);
	if (rc == 1) {
		return (ssize_t)put;
	}
	rc = why_not(t, rc);
	return rc != 0 ? rc : (t->failed = ERR_CLOSED);
}

ssize_t tls_writev(struct tls *t, const struct iovec *v, int n)
{
	struct cursor c = {v, n, 0};
	size_t sum = 0;

	if (t->failed != 0) {
		return t->failed;
	}
	for (skip(&c, 0); c.n != 0;) {
		ssize_t put = write_record(t, &c);

		if (put < 0) {
			return sum != 0 ? (ssize_t)sum : put;
		}
		sum += (size_t)put;
		skip(&c, (size_t)put);
	}
	return (ssize_t)sum;
}

/* --- the end ------------------------------------------------------------------------------------ */

bool tls_pending(const struct tls *t)
{
	return SSL_pending(t->ssl) > 0 || t->has_more || t->ended || t->failed != 0;
}

bool tls_resumed(const struct tls *t)
{
	return SSL_session_reused(t->ssl) == 1;
}

const char *tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

void tls_shutdown(struct tls *t)
{
	if (t->failed != 0 || t->said_end || !SSL_is_init_finished(t->ssl)) {
		return;
	}
	t->said_end = true;
	/* Best effort: 0 says that the peer's answer is not here yet, and nobody waits for it. */
	IGNORE(SSL_shutdown(t->ssl));
	ERR_clear_error();
}

void tls_free(struct tls *t)
{
	if (t == NULL) {
		return;
	}
	/* A connection that ends without the exchange of close_notify would take its session along. */
	SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	free(t->name);
	free(t->session_key);
	free(t);
}
