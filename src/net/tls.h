/*
 * TLS by OpenSSL 3 behind a small interface: connections of either side, and the client's side, towards
 * upstreams, verified against the system store (or a given CA file), with SNI, ALPN http/1.1 and
 * session resumption. The server's side is net/tls_server.h. I/O goes through sys.h by a BIO of our own.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/sys.h"

struct tls_context; /* one per worker: SSL_CTX, session cache per name; shared X509_STORE */
struct tls;

struct tls_client_opts {
	struct tls_context *context;
	const char *
		name; /* for SNI and verification; an IP literal is verified as such, without SNI */
	const char *session_key; /* resumption is looked up by it: "name:port"; copied */
};

/*
 * The trust store, one for all contexts, in two steps: a process that never speaks TLS to an upstream
 * needs neither the memory nor the time of the second one.
 *
 * tls_global_init (before threads start) reads ca_file, which is trusted beside the system's store;
 * NULL: the system's alone. A file that somebody named and that cannot be read fails here, the one that
 * SSL_CERT_FILE names as well.
 *
 * tls_trust_load reads the system's store into it, once; any thread but a loop's, for it takes tens of
 * milliseconds and some megabytes. Until then only ca_file is trusted, so it has to be called before a
 * connection can be made. Fails, each time, when SSL_CERT_FILE has no certificates.
 */
MUST_CHECK int tls_global_init(const char *ca_file, struct fault *fault);
MUST_CHECK int tls_trust_load(struct fault *fault);
struct tls_context *tls_context_new(void);
void tls_context_free(struct tls_context *c);

struct tls *tls_client_new(const struct tls_client_opts *opts, int fd);
/* 0 done; ERR_AGAIN; ERR_TLS with fault (what failed to verify, for which name; no library text beyond
 * the verification reason); ERR_CLOSED, ERR_RESET. */
MUST_CHECK int tls_handshake(struct tls *t, struct fault *fault);
/* Reads until n bytes are there, the socket is drained or enough records were looked at for one call;
 * fewer bytes than asked, without tls_pending, mean that it is drained. */
MUST_CHECK ssize_t tls_read(struct tls *t, void *p, size_t n);
/* Fewer bytes than given, or ERR_AGAIN, when the socket takes no more. The next call must then start
 * with the bytes that were not taken. */
MUST_CHECK ssize_t tls_writev(struct tls *t, const struct iovec *v, int n);
/* Bytes wait inside or perhaps in the socket, or the end or a failure that the last read met behind its
 * bytes: no event will tell. */
bool tls_pending(const struct tls *t);
bool tls_resumed(const struct tls *t);
/* "TLSv1.3"; static. After the handshake. */
const char *tls_version(const struct tls *t);
void tls_shutdown(struct tls *t);
void tls_free(struct tls *t);

#endif
