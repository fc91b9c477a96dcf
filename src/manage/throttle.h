/*
 * Failed log-ins: a network has a bucket of them that fills again slowly, and all strangers together have
 * one. Clients that try again every few seconds at boot never empty theirs; who guesses does. Networks from
 * which somebody has logged in, and this machine, are no strangers: a flood from elsewhere keeps nobody out.
 */
#ifndef MANAGE_THROTTLE_H
#define MANAGE_THROTTLE_H

#include "base/bytes.h"

/* HiClaw's boot tries 10 times in 30 s, and its tests poll. */
#define THROTTLE_BURST 30u
#define THROTTLE_REFILL_MS 2000u
/* All strangers together: what the machine hashes for them. */
#define THROTTLE_ALL_BURST 300u
#define THROTTLE_ALL_REFILL_MS 200u
/* Attack: addresses without end. Above it the stranger that failed longest ago is forgotten. */
#define THROTTLE_PEERS_MAX 256u

struct throttle_bucket {
	uint64_t since_ms; /* when it was, or will be, full */
};

struct throttle_peer {
	unsigned char network[8]; /* of IPv6 the first 64 bits */
	uint8_t n;                /* bytes of it; 0: the row is free */
	uint64_t known_ms;        /* somebody logged in from there; 0: a stranger */
	struct throttle_bucket bucket;
};

struct throttle {
	struct throttle_peer peers[THROTTLE_PEERS_MAX];
	struct throttle_bucket all;
};

/* peer: "127.0.0.1:5", "[::1]:5". Whether it may try a password now; if so that counts as a failure until
 * throttle_right says otherwise, so that those that are being checked are counted too. If not, after how
 * many seconds. */
MUST_CHECK bool throttle_take(
	struct throttle *t, const char *peer, uint64_t now_ms, unsigned *wait_s);
/* What was taken was no failure. */
void throttle_right(struct throttle *t, const char *peer, uint64_t now_ms);

#endif
