/*
 * Of a network the times of its last failures are kept: the oldest of a burst says whether they came within a minute. A
 * bucket is the time at which it will be full again: every failure moves it further away, and it is empty when
 * that is a burst's time ahead.
 */
#include "manage/throttle.h"

#include <string.h>

#include "net/sys.h"

struct network {
	unsigned char v[8];
	uint8_t n;
	bool own; /* this machine */
};

static bool has_room(const struct throttle_bucket *b, uint64_t now_ms, uint64_t burst_ms)
{
	return b->since_ms < now_ms + burst_ms;
}

static void take(struct throttle_bucket *b, uint64_t now_ms, uint64_t refill_ms)
{
	b->since_ms = MAX(b->since_ms, now_ms) + refill_ms;
}

static void give(struct throttle_bucket *b, uint64_t refill_ms)
{
	b->since_ms -= MIN(b->since_ms, refill_ms);
}

/* By its bytes: an IPv6 address may be written in more than one way. */
static struct network network_of(const char *peer)
{
	static const unsigned char own_v6[16] = {[15] = 1};
	const char *colon = strrchr(peer, ':');
	struct network w = {.n = 1}; /* what is no address is one network */
	struct sys_addr a;

	if (colon == NULL || sys_addr_parse(&a, peer, (size_t)(colon - peer), 1) != 0) {
		return w;
	}
	if (a.u.sa.sa_family == AF_INET6) {
		w.n = 8;
		memcpy(w.v, a.u.room + 8, 8); /* struct sockaddr_in6 */
		w.own = memcmp(a.u.room + 8, own_v6, sizeof(own_v6)) == 0;
	} else {
		w.n = 4;
		memcpy(w.v, a.u.room + 4, 4); /* struct sockaddr_in */
		w.own = w.v[0] == 127;
	}
	return w;
}

static struct throttle_peer *find(struct throttle *t, const struct network *w)
{
	for (size_t i = 0; i < THROTTLE_PEERS_MAX; i++) {
		if (t->peers[i].n == w->n && memcmp(t->peers[i].network, w->v, w->n) == 0) {
			return &t->peers[i];
		}
	}
	return NULL;
}

/* Whether x is to be forgotten before y: strangers before those that are known, then the one whose last is
 * longest ago. */
static bool goes_first(const struct throttle_peer *x, const struct throttle_peer *y)
{
	if (x->known_ms != y->known_ms) {
		return x->known_ms < y->known_ms;
	}
	return MAX(x->failed_ms[x->last], x->shut_ms) < MAX(y->failed_ms[y->last], y->shut_ms);
}

static void add_failure(struct throttle_peer *p, uint64_t now_ms)
{
	p->last = (p->last + 1) % THROTTLE_BURST;
	p->failed_ms[p->last] = MAX(now_ms, 1u);
}

static void drop_failure(struct throttle_peer *p)
{
	p->failed_ms[p->last] = 0;
	p->last = (p->last + THROTTLE_BURST - 1) % THROTTLE_BURST;
}

/* Whether it may fail once more; too often within a minute shuts it out for one. */
static bool may_fail(struct throttle_peer *p, uint64_t now_ms)
{
	uint64_t oldest = p->failed_ms[(p->last + 1) % THROTTLE_BURST];

	if (p->shut_ms <= now_ms && oldest != 0 && now_ms < oldest + THROTTLE_WINDOW_MS) {
		p->shut_ms = now_ms + THROTTLE_SHUT_MS;
		memset(p->failed_ms, 0, sizeof(p->failed_ms));
	}
	return p->shut_ms <= now_ms;
}

static struct throttle_peer *find_or_add(struct throttle *t, const struct network *w)
{
	struct throttle_peer *p = find(t, w);

	if (p != NULL) {
		return p;
	}
	p = &t->peers[0];
	for (size_t i = 1; i < THROTTLE_PEERS_MAX; i++) {
		if (goes_first(&t->peers[i], p)) {
			p = &t->peers[i];
		}
	}
	*p = (struct throttle_peer){.n = w->n, .known_ms = w->own};
	memcpy(p->network, w->v, w->n);
	return p;
}

bool throttle_take(struct throttle *t, const char *peer, uint64_t now_ms, unsigned *wait_s)
{
	const struct network w = network_of(peer);
	struct throttle_peer *p = find(t, &w);
	bool stranger = p != NULL ? p->known_ms == 0 : !w.own;

	if (p != NULL && !may_fail(p, now_ms)) {
		*wait_s = (unsigned)((p->shut_ms - now_ms + 999) / 1000);
		return false;
	}
	if (stranger && !has_room(&t->all, now_ms, THROTTLE_ALL_BURST * THROTTLE_ALL_REFILL_MS)) {
		*wait_s = (THROTTLE_ALL_REFILL_MS + 999) / 1000;
		return false;
	}
	add_failure(find_or_add(t, &w), now_ms);
	if (stranger) {
		take(&t->all, now_ms, THROTTLE_ALL_REFILL_MS);
	}
	return true;
}

void throttle_right(struct throttle *t, const char *peer, uint64_t now_ms)
{
	const struct network w = network_of(peer);
	struct throttle_peer *p = find_or_add(t, &w);

	drop_failure(p);
	if (p->known_ms == 0) {
		give(&t->all, THROTTLE_ALL_REFILL_MS);
	}
	p->known_ms = MAX(now_ms, 1u);
}
