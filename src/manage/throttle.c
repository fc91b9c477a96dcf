/*
 * A bucket is the time at which it will be full again: every failure moves it further away, and it is empty
 * when that is a burst's time ahead.
 */
#include "manage/throttle.h"

static bool has_room(const struct throttle_bucket *b, uint64_t now_ms, uint64_t burst_ms)
{
	return b->since_ms < now_ms + burst_ms;
}

static void take(struct throttle_bucket *b, uint64_t now_ms, uint64_t refill_ms)
{
	b->since_ms = MAX(b->since_ms, now_ms) + refill_ms;
}

/* Without the port; of IPv6 the first four groups. */
static void network_of(const char *peer, char out[48])
{
	struct bytes p = bytes_str(peer);
	size_t n = p.n;
	unsigned colons = 0;

	if (n != 0 && p.p[0] == '[') {
		n = 0;
		while (n < p.n && p.p[n] != ']' && colons < 4) {
			colons += p.p[n++] == ':';
		}
	} else {
		while (n != 0 && p.p[n - 1] != ':') {
			n--;
		}
	}
	n = MIN(n, 47u);
	memcpy(out, p.p, n);
	out[n] = '\0';
}

static struct throttle_peer *find(const struct throttle *t, const char *network)
{
	for (size_t i = 0; i < THROTTLE_PEERS_MAX; i++) {
		if (strcmp(t->peers[i].address, network) == 0 && network[0] != '\0') {
			return (struct throttle_peer *)(uintptr_t)&t->peers[i];
		}
	}
	return NULL;
}

bool throttle_may(const struct throttle *t, const char *peer, uint64_t now_ms, unsigned *wait_s)
{
	const struct throttle_peer *p;
	char network[48];

	network_of(peer, network);
	p = find(t, network);
	if ((p == NULL || has_room(&p->bucket, now_ms, THROTTLE_BURST * THROTTLE_REFILL_MS)) &&
		has_room(&t->all, now_ms, THROTTLE_ALL_BURST * THROTTLE_ALL_REFILL_MS)) {
		return true;
	}
	*wait_s = (THROTTLE_REFILL_MS + 999) / 1000;
	return false;
}

void throttle_failed(struct throttle *t, const char *peer, uint64_t now_ms)
{
	struct throttle_peer *p;
	char network[48];

	network_of(peer, network);
	p = find(t, network);
	if (p == NULL) {
		p = &t->peers[0];
		for (size_t i = 1; i < THROTTLE_PEERS_MAX; i++) {
			if (t->peers[i].bucket.since_ms < p->bucket.since_ms) {
				p = &t->peers[i];
			}
		}
		memcpy(p->address, network, sizeof(p->address));
		p->bucket.since_ms = 0;
	}
	take(&p->bucket, now_ms, THROTTLE_REFILL_MS);
	take(&t->all, now_ms, THROTTLE_ALL_REFILL_MS);
}
