/*
 * As many as there are providers and their credentials: found in a map by a hash of 128 bits. Unused ones are on a list,
 * the longest unused first.
 */
#include "plan/lane.h"

#include <stdlib.h>

#include "base/num.h"
#include "plan/cell.h"
#include "plan/plan.h"

struct lanes {
	struct hash_seed seeds[2];
	struct map by_key; /* lane->key as bytes */
	struct list unused;
};

struct lanes *lanes_new(const struct hash_seed *seed)
{
	struct lanes *l = must_alloc(sizeof(*l));

	l->seeds[0] = *seed;
	l->seeds[1] = (struct hash_seed){~seed->k0, seed->k1};
	map_init(&l->by_key, seed);
	list_init(&l->unused);
	return l;
}

void lanes_free(struct lanes *l)
{
	if (l == NULL) {
		return;
	}
	for (size_t i = 0; i < l->by_key.cap; i++) {
		free(l->by_key.slots[i].value);
	}
	map_done(&l->by_key);
	free(l);
}

static struct bytes key_bytes(const struct lane *l)
{
	return bytes_of((const char *)l->key, sizeof(l->key));
}

/* A credential belongs to whom it is shown: vendor and host, not to the name that a provider has here. */
static void make_key(const struct lanes *l, const struct lane_slot *s, uint64_t out[2])
{
	struct text t;

	text_init(&t, SIZE_MAX);
	text_add_char(&t, s->kind == LANE_CREDENTIAL ? 'c' : 'u');
	if (s->kind == LANE_CREDENTIAL) {
		text_add_str(&t, s->provider->type->name);
		text_add_char(&t, '\0');
		text_add_bytes(&t, s->provider->host);
		text_add_char(&t, '\0');
		text_add_bytes(&t, s->secret);
	} else {
		text_add_bytes(&t, s->service->name);
		text_add_char(&t, '\0');
		text_add_bytes(&t, s->provider != NULL ? s->provider->id : BYTES(""));
	}
	out[0] = hash_bytes(&l->seeds[0], text_bytes(&t));
	out[1] = hash_bytes(&l->seeds[1], text_bytes(&t));
	text_done(&t);
}

static struct lane *find(struct lanes *l, const struct lane_slot *s)
{
	struct lane key = {.kind = s->kind};
	struct lane *lane;

	make_key(l, s, key.key);
	lane = map_get(&l->by_key, key_bytes(&key));
	if (lane == NULL) {
		lane = must_alloc(sizeof(*lane));
		lane->kind = s->kind;
		memcpy(lane->key, key.key, sizeof(key.key));
		list_init(&lane->link);
		map_put(&l->by_key, key_bytes(lane), lane);
	}
	return lane;
}

void lanes_bind(struct lanes *l, struct plan *p)
{
	for (struct lane_slot *s = p->lanes; s != NULL; s = s->next) {
		ASSERT(s->lane == NULL);
		s->lane = find(l, s);
		list_remove(&s->lane->link);
		s->lane->refs++;
	}
}

void lanes_unbind(struct lanes *l, struct plan *p, uint64_t now_ms)
{
	for (struct lane_slot *s = p->lanes; s != NULL; s = s->next) {
		struct lane *lane = s->lane;

		s->lane = NULL;
		if (lane != NULL && --lane->refs == 0) {
			lane->unused_since_ms = now_ms;
			list_append(&l->unused, &lane->link);
		}
	}
}

struct lane *lanes_expire(struct lanes *l, uint64_t now_ms)
{
	struct lane *lane;

	if (list_empty(&l->unused)) {
		return NULL;
	}
	lane = CONTAINER_OF(l->unused.next, struct lane, link);
	if (now_ms < lane->unused_since_ms || now_ms - lane->unused_since_ms < CELL_GRACE_MS) {
		return NULL;
	}
	if (atomic_load(&lane->used) != 0 || atomic_load(&lane->waiting) != 0 ||
		atomic_load(&lane->waiting_own) != 0 || lane->probing) {
		/* A stream that runs for hours holds a slot of it: look again later. */
		list_remove(&lane->link);
		lane->unused_since_ms = now_ms;
		list_append(&l->unused, &lane->link);
		return NULL;
	}
	list_remove(&lane->link);
	map_remove(&l->by_key, key_bytes(lane));
	lane->gone = true;
	return lane;
}

struct bytes lane_last_four(struct bytes secret)
{
	size_t n = MIN(secret.n / 4, 4);

	return bytes_of(secret.p + secret.n - n, n);
}

void lane_free(struct lane *l)
{
	free(l);
}

/* What the seconds since the last time have earned; given once, whoever asks. */
static uint64_t earned_since(struct lane *l, uint64_t now_s)
{
	uint64_t before = atomic_load_explicit(&l->earned_s, memory_order_relaxed);

	if (now_s <= before ||
		!atomic_compare_exchange_strong_explicit(
			&l->earned_s, &before, now_s, memory_order_relaxed, memory_order_relaxed)) {
		return 0;
	}
	return (now_s - before) * LANE_RETRY_SHARE;
}

bool lane_spend(struct lane *l, uint64_t now_ms)
{
	unsigned spent = atomic_load_explicit(&l->spent, memory_order_relaxed);
	uint64_t earned = earned_since(l, now_ms / 1000);
	unsigned now;

	do {
		now = spent - (unsigned)MIN(earned, spent) + LANE_RETRY_SHARE;
		if (now > LANE_RETRIES * LANE_RETRY_SHARE) {
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(
		&l->spent, &spent, now, memory_order_relaxed, memory_order_relaxed));
	return true;
}

unsigned lane_retries_left(const struct lane *l, uint64_t now_ms)
{
	unsigned spent = atomic_load_explicit(&l->spent, memory_order_relaxed);
	uint64_t before = atomic_load_explicit(&l->earned_s, memory_order_relaxed);
	uint64_t now_s = now_ms / 1000;
	uint64_t earned = now_s > before ? (now_s - before) * LANE_RETRY_SHARE : 0;

	spent -= (unsigned)MIN(earned, spent);
	return (LANE_RETRIES * LANE_RETRY_SHARE - spent) / LANE_RETRY_SHARE;
}
