/*
 * Lanes: what outlives plans about a credential, and about an upstream (a service as one provider uses it). Like the
 * cells of endpoints (plan/cell.h): found by what they belong to, referenced by plans, dropped after a grace time.
 *
 * A credential is found by a keyed hash of its value and of where it is used; the value itself is not kept.
 */
#ifndef PLAN_LANE_H
#define PLAN_LANE_H

#include "base/hash.h"
#include "base/list.h"
#include "plan/health.h"

struct plan;
struct lanes;
struct provider;
struct service;

enum lane_kind { LANE_CREDENTIAL, LANE_UPSTREAM };

/* Retries that an upstream may get in a row, and the share of the requests that come to it that earns one more: a storm of
 * them is at most a fifth more than what comes anyway. Retries earn none. One a second is always earned. */
#define LANE_RETRIES 10u
#define LANE_RETRY_SHARE 5u

struct lane {
	struct health health; /* of a credential */
	atomic_uint used;     /* exchanges now; counted only where there are caps */
	/* Workers with exchanges that wait for it, a bit each, and how many these are. */
	_Atomic uint64_t waiting_workers;
	atomic_uint waiting;
	/* Those that wait for a place of their consumer's: they keep nobody else out. */
	atomic_uint waiting_own;
	/* The retry budget: what is spent of LANE_RETRIES * LANE_RETRY_SHARE; and the second that was earned last. */
	atomic_uint spent;
	_Atomic uint64_t earned_s;
	/* control's own */
	uint8_t kind; /* enum lane_kind */
	bool gone;
	unsigned refs;
	uint64_t unused_since_ms;
	uint64_t probe_at_ms; /* credential: when control may probe it again */
	bool probing;         /* it does */
	uint64_t shown;       /* in which list of states it stands already */
	bool said_out;        /* that it is out of service is in the log */
	uint64_t key[2];
	struct list link;
};

/* Where a plan wants one. Part of it. */
struct lane_slot {
	struct lane
		*lane; /* bound when the plan goes live; NULL before, and in plans that never do */
	struct lane_slot *next;
	const struct provider *provider;
	const struct service *service; /* upstream */
	uint8_t kind;                  /* enum lane_kind */
	uint8_t index;                 /* credential: its place in apiTokens */
	struct bytes secret;           /* credential: the value, part of the plan */
};

struct lanes *lanes_new(const struct hash_seed *seed);
void lanes_free(struct lanes *l);
/* Control: as cells_bind and cells_unbind. */
void lanes_bind(struct lanes *l, struct plan *p);
void lanes_unbind(struct lanes *l, struct plan *p, uint64_t now_ms);
/* Control: one whose grace time is over and that nobody uses, or NULL. To be freed with lane_free when no worker can
 * hold it. */
struct lane *lanes_expire(struct lanes *l, uint64_t now_ms);
void lane_free(struct lane *l);

/* What of a credential may be shown: its last four characters, fewer of a short one. */
struct bytes lane_last_four(struct bytes secret);

/* Any worker: a request comes to the upstream, and is no retry there. Nothing is written while nothing is spent. */
static inline void lane_earn(struct lane *l)
{
	unsigned spent = atomic_load_explicit(&l->spent, memory_order_relaxed);

	if (spent != 0) {
		atomic_compare_exchange_strong_explicit(
			&l->spent, &spent, spent - 1, memory_order_relaxed, memory_order_relaxed);
	}
}
/* A retry at it; false: there have been too many. */
MUST_CHECK bool lane_spend(struct lane *l, uint64_t now_ms);
/* How many it would be granted now. */
unsigned lane_retries_left(const struct lane *l, uint64_t now_ms);

#endif
