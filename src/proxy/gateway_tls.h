/*
 * Inside the room only: TLS with clients. Control's end of it is the keys of session tickets; the
 * workers' is the certificate, which is that of the plan they have right now: a reload is all it takes
 * to serve another one, and who is connected already keeps what was agreed on.
 */
#ifndef PROXY_GATEWAY_TLS_H
#define PROXY_GATEWAY_TLS_H

#include "proxy/gateway_int.h"

/* Control, before the workers' loops run. Everything is made with the first listener that speaks TLS. */
MUST_CHECK int gateway_tls_listen(struct gateway *g, int fd, uint16_t port);
/* When no loop runs any more. */
void gateway_tls_free(struct gateway *g);

/* Worker (server_opts.on_handshake_failed). */
void gateway_tls_failed(struct server *srv, const char *peer, const struct fault *f);

#endif
