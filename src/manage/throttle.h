/*
 * Failed log-ins: an address has a bucket of them that fills again slowly, and all addresses together have
 * one. Clients that try again every few seconds at boot never empty theirs; who guesses does.
 */
#ifndef MANAGE_THROTTLE_H
#define MANAGE_THROTTLE_H

#include "base/bytes.h"

/* HiClaw's boot tries 10 times in 30 s, and its tests poll. */
#define THROTTLE_BURST 30u
#define THROTTLE_REFILL_MS 2000u
/* All addresses together: what the machine hashes for strangers. */
#define THROTTLE_ALL_BURST 300u
#define THROTTLE_ALL_REFILL_MS 200u
/* Attack: addresses without end. Above it the one that failed longest ago is forgotten. */
#define THROTTLE_PEERS_MAX 256u

struct throttle_bucket {
	uint64_t since_ms; /* when it was, or will be, full */
};

struct throttle_peer {
	char address[48]; /* NUL-terminated; an IPv6 network of 64 bits counts as one */
	struct throttle_bucket bucket;
};

struct throttle {
	struct throttle_peer peers[THROTTLE_PEERS_MAX];
	struct throttle_bucket all;
};

/* peer: "127.0.0.1:5", "[::1]:5". Whether it may try; if not, after how many seconds. */
MUST_CHECK bool throttle_may(
	const struct throttle *t, const char *peer, uint64_t now_ms, unsigned *wait_s);
void throttle_failed(struct throttle *t, const char *peer, uint64_t now_ms);

#endif
