/*
 * Inside the room only: a TLS connection, whichever of its sides is ours. tls.c has what both sides
 * share (reading, writing, the end) and the client's; tls_server.c the server's.
 */
#ifndef NET_TLS_INT_H
#define NET_TLS_INT_H

#include <openssl/ssl.h>

#include "net/tls.h"
#include "net/tls_server.h"

struct tls {
	SSL *ssl;
	struct tls_context *context; /* we are the client, else NULL */
	struct tls_server *server;   /* we are the server, else NULL */
	char *name;                  /* the server's, without brackets and final dot */
	char *session_key;           /* NULL: sessions are not kept */
	int fd;
	int io_error;       /* of the descriptor, 0: none */
	int failed;         /* for good */
	int verify_depth;   /* of the certificate that did not verify */
	unsigned messages;  /* of the handshake, that came, for life */
	bool eof;           /* the descriptor's */
	bool drained;       /* recv brought less than asked in this call */
	bool has_some;      /* this call has bytes to give: it need not ask again */
	bool has_more;      /* the last read left records that it did not look at */
	bool ended;         /* close_notify came */
	bool said_end;      /* close_notify was sent */
	bool holds_buffers; /* which it does not need: tls_read gives them back */
};

/* The BIO over sys_recv and sys_sendv that every connection reads and writes by. */
BIO_METHOD *tls_bio_new(void);
/* A connection of one of ctx; which side is ours is for the caller to say. */
struct tls *tls_new(SSL_CTX *ctx, BIO_METHOD *method, int fd);

/* What is common to both sides' contexts: versions, modes, what is switched off. */
void tls_set_common(SSL_CTX *ctx);

/* The server's sentence about a handshake that failed with rc; error is the library's. */
int tls_server_fault(struct tls *t, int rc, unsigned long error, struct fault *fault);

#endif
