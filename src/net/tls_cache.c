#include "net/tls_cache.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"

struct entry {
	struct list link;
	unsigned n;
	SSL_SESSION *sessions[TLS_CACHE_PER_KEY]; /* newest last */
	char key[];
};

void tls_cache_init(struct tls_cache *c)
{
	struct hash_seed seed;

	random_secret(&seed, sizeof(seed));
	map_init(&c->by_key, &seed);
	list_init(&c->by_use);
}

static void entry_free(struct tls_cache *c, struct entry *e)
{
	map_remove(&c->by_key, bytes_str(e->key));
	list_remove(&e->link);
	while (e->n != 0) {
		SSL_SESSION_free(e->sessions[--e->n]);
	}
	free(e);
}

void tls_cache_done(struct tls_cache *c)
{
	while (!list_empty(&c->by_use)) {
		entry_free(c, CONTAINER_OF(c->by_use.next, struct entry, link));
	}
	map_done(&c->by_key);
}

static struct entry *entry_new(struct tls_cache *c, const char *key)
{
	size_t size = strlen(key) + 1;
	struct entry *e = must_alloc(sizeof(*e) + size);

	if (c->by_key.n == TLS_CACHE_KEYS_MAX) {
		entry_free(c, CONTAINER_OF(c->by_use.prev, struct entry, link));
	}
	memcpy(e->key, key, size);
	map_put(&c->by_key, bytes_str(e->key), e);
	return e;
}

static void used(struct tls_cache *c, struct entry *e)
{
	list_remove(&e->link);
	list_insert(&c->by_use, &e->link);
}

static void drop_oldest(struct entry *e)
{
	SSL_SESSION_free(e->sessions[0]);
	e->n--;
	memmove(e->sessions, e->sessions + 1, e->n * sizeof(*e->sessions));
}

void tls_cache_put(struct tls_cache *c, const char *key, SSL_SESSION *s)
{
	struct entry *e = map_get(&c->by_key, bytes_str(key));

	if (e == NULL) {
		e = entry_new(c, key);
	}
	if (e->n == TLS_CACHE_PER_KEY) {
		drop_oldest(e);
	}
	e->sessions[e->n++] = s;
	used(c, e);
}

static bool is_good(const SSL_SESSION *s)
{
	int64_t end_s = (int64_t)SSL_SESSION_get_time(s) + SSL_SESSION_get_timeout(s);

	return SSL_SESSION_is_resumable(s) && end_s > (int64_t)(clock_wall_ms() / 1000);
}

SSL_SESSION *tls_cache_take(struct tls_cache *c, const char *key)
{
	struct entry *e = map_get(&c->by_key, bytes_str(key));
	SSL_SESSION *s = NULL;

	if (e == NULL) {
		return NULL;
	}
	while (s == NULL && e->n != 0) {
		s = e->sessions[--e->n];
		if (!is_good(s)) {
			SSL_SESSION_free(s);
			s = NULL;
		}
	}
	if (s != NULL && SSL_SESSION_get_protocol_version(s) < TLS1_3_VERSION) {
		SSL_SESSION_up_ref(s);
		e->n++;
	}
	if (e->n == 0) {
		entry_free(c, e);
	} else {
		used(c, e);
	}
	return s;
}
