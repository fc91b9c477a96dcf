/*
 * TLS where we are the server: TLS 1.2 and 1.3, ALPN http/1.1, the certificate by the name that the
 * client asks for (SNI), session tickets instead of a session cache. One per worker.
 */
#ifndef NET_TLS_SERVER_H
#define NET_TLS_SERVER_H

#include "base/bytes.h"
#include "net/tls.h"
#include "net/tls_ticket.h"

struct x509_st;
struct stack_st_X509;
struct evp_pkey_st;

/* How long a session can be resumed. Less than the time between two keys of the tickets, so that the
 * key before the current one is enough; long enough for a tool that asks now and then. */
#define TLS_SESSION_S 7200u

/* What a handshake shows and signs with. */
struct tls_certificate {
	struct x509_st *leaf;
	struct stack_st_X509 *chain; /* behind the leaf; may be NULL or empty */
	struct evp_pkey_st *key;
	const uint8_t *id; /* 32 bytes; a session is only resumed where the same one is served */
};

struct tls_server;

struct tls_server_opts {
	const struct tls_tickets *tickets; /* outlives the server */
	/* In tls_handshake: the certificate for that name (as it was sent; n == 0: none was). It has to
	 * be valid until the call is over. False: there is none, and the client is told so. */
	bool (*certificate)(void *context, struct bytes name, struct tls_certificate *out);
	/* In tls_handshake: the library refuses it (too weak); the handshake fails. May be NULL. */
	void (*unusable)(
		void *context, struct bytes name, const struct tls_certificate *c, const char *why);
	void *context;
};

struct tls_server *tls_server_new(const struct tls_server_opts *opts);
/* When none of its connections is left. */
void tls_server_free(struct tls_server *s);

/* A connection on an accepted descriptor, of which tls_handshake reads the first bytes. The faults of
 * its handshake are for a debug log: they quote the client and the library. */
struct tls *tls_accept(struct tls_server *s, int fd);

/* What the bytes that a client begins with are. */
enum tls_opening {
	TLS_OPENING_MORE, /* too few to say, or not the whole first record */
	TLS_OPENING_TLS,  /* a handshake record, whole: tls_handshake will not wait for its rest */
	TLS_OPENING_TEXT, /* a letter: a client that does not speak TLS at all */
	TLS_OPENING_OTHER
};
/* So many bytes always suffice. */
#define TLS_OPENING_MAX 16389u
enum tls_opening tls_opening(struct bytes begin);

#endif
