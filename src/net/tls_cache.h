/*
 * TLS sessions that a client may resume, by "name:port". Held by one tls_context, so by one thread.
 */
#ifndef NET_TLS_CACHE_H
#define NET_TLS_CACHE_H

#include <openssl/ssl.h>

#include "base/hash.h"
#include "base/list.h"

/* More than the upstreams of a gateway; the least recently used one is forgotten first. */
#define TLS_CACHE_KEYS_MAX 256u
/* TLS 1.3 servers send two tickets by default, and each is used once. */
#define TLS_CACHE_PER_KEY 2u

struct tls_cache {
	struct map by_key;
	struct list by_use; /* newest first */
};

void tls_cache_init(struct tls_cache *c);
void tls_cache_done(struct tls_cache *c);
/* Takes over the caller's reference to s. key is copied. */
void tls_cache_put(struct tls_cache *c, const char *key, SSL_SESSION *s);
/* The newest session that is still good, or NULL; the reference is the caller's. A session of TLS 1.3
 * leaves the cache with it. */
SSL_SESSION *tls_cache_take(struct tls_cache *c, const char *key);

#endif
