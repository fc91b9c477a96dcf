/*
 * Why a TLS handshake failed, in one sentence for people; with an upstream it names the server.
 */
#ifndef NET_TLS_FAULT_H
#define NET_TLS_FAULT_H

#include "base/err.h"

/* verify: an X509_V_ERR_*, found at that depth of the chain (0: the server's own certificate). */
enum err tls_fault_verify(struct fault *fault, const char *name, int verify, int depth);
/* error: the library's error code, 0 when it gave none. */
enum err tls_fault_protocol(struct fault *fault, const char *name, unsigned long error);
/* The same where we are the server; the client is not named. */
enum err tls_fault_client(struct fault *fault, unsigned long error);

#endif
