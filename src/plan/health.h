/*
 * Whether something that requests are sent to is in service: a credential, an endpoint. One word that all workers
 * change by compare and swap, without order among other memory. Pure; time comes from the caller.
 *
 *   closed ──threshold──▶ open ──until is over──▶ half open: one request, or a probe of control
 *      ▲                    ▲────────it failed─────────┤
 *      └─────────────────────────it succeeded──────────┘
 *   closed ──Retry-After──▶ benched ──until is over──▶ closed
 *
 * Who sends something enters first and gets a pass. The pass knows the period in which it was given: an answer that
 * comes when another period has begun says nothing about this one.
 */
#ifndef PLAN_HEALTH_H
#define PLAN_HEALTH_H

#include <stdatomic.h>

#include "base/base.h"

enum health_state { HEALTH_CLOSED, HEALTH_OPEN, HEALTH_HALF, HEALTH_BENCHED };

struct health {
	_Atomic uint64_t word;
	atomic_uint why; /* enum failure_class of what opened it, for people */
};

struct health_pass {
	uint16_t period;
	bool taken;
	bool probe; /* the one of a half open circuit */
};

struct health_view {
	enum health_state state;
	unsigned failures;
	uint64_t until_ms;
};

#define HEALTH_FAILURES_MAX 255u
#define HEALTH_SUCCESSES_MAX 15u
/* Times are kept in these, rounded up. */
#define HEALTH_UNIT_MS 8u
/* until_ms of what only a probe of control ends. */
#define HEALTH_UNTIL_PROBED (((UINT64_C(1) << 40) - 1) * HEALTH_UNIT_MS)

struct health_view health_look(const struct health *h);
/* Whether a request could enter now. */
bool health_is_up(const struct health *h, uint64_t now_ms);
/* Nothing has ever been wrong, or all of it was forgiven: the one load of the fast path. */
static inline bool health_is_quiet(const struct health *h)
{
	return (atomic_load_explicit(&h->word, memory_order_relaxed) & 0x3ff) == 0;
}
/* Enters what is quiet; false: more has to be looked at. */
MUST_CHECK static inline bool health_enter_quiet(struct health *h, struct health_pass *out)
{
	uint64_t w = atomic_load_explicit(&h->word, memory_order_relaxed);

	*out = (struct health_pass){.period = (uint16_t)(w >> 10 & 0x3ff), .taken = true};
	return (w & 0x3ff) == 0;
}
/* False: it is out of service, or its one probe is under way. */
MUST_CHECK bool health_enter(struct health *h, uint64_t now_ms, struct health_pass *out);
/* Although it is out: there is nothing else. */
void health_force(struct health *h, struct health_pass *out);
/* Control's own probe of an open circuit, before its time; false: it is not open. */
MUST_CHECK bool health_probe(struct health *h, struct health_pass *out);
/* Control, of what would wait for its probe, when no probe is coming any more: a request is one after until_ms. */
void health_unprobed(struct health *h, uint64_t until_ms);

/* Each ends the pass; of one that was not taken they do nothing. */
void health_good(
	struct health *h, struct health_pass *p, unsigned successes_needed, uint64_t now_ms);
/* until_ms: how long it is out when that was the last straw. True: it went out of service just now. */
bool health_bad(struct health *h, struct health_pass *p, unsigned threshold, uint64_t until_ms,
	unsigned why);
/* Nothing was learnt: the client left, or nothing was sent. */
void health_leave(struct health *h, struct health_pass *p, uint64_t now_ms);
/* Out of service until then, and then in service again, without a probe. True: just now. */
bool health_bench(struct health *h, struct health_pass *p, uint64_t until_ms, unsigned why);

#endif
