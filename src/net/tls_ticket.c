/*
 * A pair of keys is immutable; the cell is a pointer to the current pair. A worker that reads it may
 * use what it has read until it is back in its loop, which is when control may free it.
 */
#include "net/tls_ticket.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

struct tls_ticket_pair {
	struct tls_ticket_key v[2]; /* the current one, the one before */
	unsigned n;
};

struct tls_tickets {
	_Atomic(struct tls_ticket_pair *) current;
};

static struct tls_ticket_pair *pair_new(const struct tls_ticket_pair *before)
{
	struct tls_ticket_pair *p = must_alloc(sizeof(*p));

	random_secret(&p->v[0], sizeof(p->v[0]));
	p->n = 1;
	if (before != NULL) {
		p->v[p->n++] = before->v[0];
	}
	return p;
}

struct tls_tickets *tls_tickets_new(void)
{
	struct tls_tickets *t = must_alloc(sizeof(*t));

	atomic_init(&t->current, pair_new(NULL));
	return t;
}

void tls_tickets_free(struct tls_tickets *t)
{
	if (t != NULL) {
		tls_ticket_pair_free(atomic_load(&t->current));
		free(t);
	}
}

struct tls_ticket_pair *tls_tickets_rotate(struct tls_tickets *t)
{
	return atomic_exchange(&t->current, pair_new(atomic_load(&t->current)));
}

void tls_ticket_pair_free(struct tls_ticket_pair *p)
{
	if (p != NULL) {
		OPENSSL_cleanse(p, sizeof(*p));
		free(p);
	}
}

const struct tls_ticket_key *tls_tickets_current(const struct tls_tickets *t)
{
	return &atomic_load_explicit(&t->current, memory_order_acquire)->v[0];
}

const struct tls_ticket_key *tls_tickets_find(
	const struct tls_tickets *t, const uint8_t name[TLS_TICKET_NAME])
{
	const struct tls_ticket_pair *p = atomic_load_explicit(&t->current, memory_order_acquire);

	for (unsigned i = 0; i < p->n; i++) {
		if (memcmp(p->v[i].name, name, TLS_TICKET_NAME) == 0) {
			return &p->v[i];
		}
	}
	return NULL;
}
