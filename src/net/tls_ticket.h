/*
 * The keys that session tickets are sealed with (RFC 5077 §4): one cell for the whole process, so that
 * a client may resume on any worker. Random, never stored; control puts a new one in front now and
 * then, and what the one before it has sealed is still opened.
 */
#ifndef NET_TLS_TICKET_H
#define NET_TLS_TICKET_H

#include "base/base.h"

#define TLS_TICKET_NAME 16u

struct tls_ticket_key {
	uint8_t name[TLS_TICKET_NAME]; /* stands in the ticket, in clear */
	uint8_t cipher[32];            /* AES-256-CBC */
	uint8_t mac[32];               /* HMAC-SHA-256 */
};

struct tls_tickets;
struct tls_ticket_pair;

struct tls_tickets *tls_tickets_new(void);
void tls_tickets_free(struct tls_tickets *t);

/* One thread: from here on a new key seals, the one before it still opens, and the one before that is
 * gone. Returns what was replaced: for tls_ticket_pair_free, when no thread still looks at a key that
 * it got before. */
MUST_CHECK struct tls_ticket_pair *tls_tickets_rotate(struct tls_tickets *t);
void tls_ticket_pair_free(struct tls_ticket_pair *p);

/* Any thread. Keys are valid until the pair they belong to was replaced and freed. */
const struct tls_ticket_key *tls_tickets_current(const struct tls_tickets *t);
/* By name; NULL: there is none any more. */
const struct tls_ticket_key *tls_tickets_find(
	const struct tls_tickets *t, const uint8_t name[TLS_TICKET_NAME]);

#endif
