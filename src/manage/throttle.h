/*
 * Failed log-ins (monitor-api.md 2.1): a network that has failed 30 times within a minute waits for one, and all strangers
 * together have a bucket that fills again slowly. Clients that try again every few seconds at boot never come so far;
 * who guesses does. Networks from
 * which somebody has logged in, and this machine, are no strangers: a flood from elsewhere keeps nobody out.
 */
#ifndef MANAGE_THROTTLE_H
#define MANAGE_THROTTLE_H

#include "base/bytes.h"

/* HiClaw's boot tries 10 times in 30 s, and its tests poll. */
#define THROTTLE_BURST 30u
#define THROTTLE_WINDOW_MS 60000u
#define THROTTLE_SHUT_MS 60000u
/* All strangers together: what the machine hashes for them. */
#define THROTTLE_ALL_BURST 300u
#define THROTTLE_ALL_REFILL_MS 200u
/* Attack: addresses without end. Above it the stranger that failed longest ago is forgotten. */
#define THROTTLE_PEERS_MAX 256u

struct throttle_bucket {
	uint64_t since_ms; /* when it was, or will be, full */
};

struct throttle_peer {
	unsigned char network[8];           /* of IPv6 the first 64 bits */
	uint8_t n;                          /* bytes of it; 0: the row is free */
	uint64_t known_ms;                  /* somebody logged in from there; 0: a stranger */
	uint64_t failed_ms[THROTTLE_BURST]; /* a ring; 0: none */
	unsigned last;                      /* the newest of it */
	uint64_t shut_ms;                   /* until when it waits */
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
