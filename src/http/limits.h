/*
 * Limits and deadlines of HTTP conversations, each with its default and the reason for the number.
 */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include <stdint.h>

struct http_limits {
	/* Attack: slow heads hold connections. A head arrives in one packet; 10 s covers a bad link. */
	uint32_t head_ms;
	/* Attack: huge heads hold buffers. Bytes of a request's head; 0: as many as are ever read of one
	 * (H1_HEAD_MAX). downstream.maxRequestHeadersKb of higress-config sets it. */
	uint32_t head_max;
	/* Between two requests of one client. SDKs keep connections for about a minute, and Higress has
	 * this number; downstream.idleTimeout of the ConfigMap higress-config goes before it. */
	uint32_t idle_ms;
	/* Attack: slow bodies. Longest silence inside a request's body. */
	uint32_t body_ms;
	/* Attack: readers that never read. Longest time without progress of a blocked answer. */
	uint32_t write_ms;
	/* Connecting to an upstream, TLS handshake included. */
	uint32_t connect_ms;
	/* How long an idle upstream connection is kept: below the 60 to 120 s that vendors keep theirs;
	 * upstream.idleTimeout of higress-config goes before it. 0: as long as the upstream keeps it. */
	uint32_t pool_idle_ms;
	/* Idle upstream connections per endpoint and worker. */
	uint32_t pool_idle_max;
	/* Connections that one worker serves; above it the listener rests. */
	uint32_t connections_max;
};

#define HTTP_LIMITS_DEFAULT                                                               \
	{                                                                                 \
		.head_ms = 10000, .idle_ms = 180000, .body_ms = 30000, .write_ms = 60000, \
		.connect_ms = 10000, .pool_idle_ms = 55000, .pool_idle_max = 1024,        \
		.connections_max = 100000,                                                \
	}

#endif
