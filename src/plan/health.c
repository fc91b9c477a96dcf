/*
 * The word: failures in a row 8 bits, state 2, period 10, good probes 4, until 40 (units of 8 ms: 278
 * years of any clock). Everything that must change together is in it, so each transition is one compare and swap and
 * none can be seen half.
 */
#include "plan/health.h"

#include "base/num.h"

struct parts {
	unsigned failures, state, period, good;
	uint64_t until;
};

#define PERIODS 1024u

static struct parts split(uint64_t w)
{
	return (struct parts){.failures = (unsigned)(w & 0xff),
		.state = (unsigned)(w >> 8 & 3),
		.period = (unsigned)(w >> 10 & (PERIODS - 1)),
		.good = (unsigned)(w >> 20 & 15),
		.until = (w >> 24) * HEALTH_UNIT_MS};
}

static uint64_t join(const struct parts *p)
{
	uint64_t until = (MIN(p->until, HEALTH_UNTIL_PROBED) + HEALTH_UNIT_MS - 1) / HEALTH_UNIT_MS;

	return (uint64_t)p->failures | (uint64_t)p->state << 8 | (uint64_t)p->period << 10 |
		(uint64_t)p->good << 20 | until << 24;
}

static uint64_t load(const struct health *h)
{
	return atomic_load_explicit(&h->word, memory_order_relaxed);
}

static bool swap(struct health *h, uint64_t *seen, const struct parts *p)
{
	return atomic_compare_exchange_weak_explicit(
		&h->word, seen, join(p), memory_order_relaxed, memory_order_relaxed);
}

static void next_period(struct parts *p, enum health_state state, uint64_t until)
{
	p->state = state;
	p->period = (p->period + 1) % PERIODS;
	p->until = until;
	p->failures = 0;
	p->good = 0;
}

struct health_view health_look(const struct health *h)
{
	struct parts p = split(load(h));

	return (struct health_view){(enum health_state)p.state, p.failures, p.until};
}

bool health_is_up(const struct health *h, uint64_t now_ms)
{
	struct parts p = split(load(h));

	return p.state == HEALTH_CLOSED || (p.state != HEALTH_HALF && now_ms >= p.until);
}

static void give(struct health_pass *out, const struct parts *p, bool probe)
{
	*out = (struct health_pass){.period = (uint16_t)p->period, .taken = true, .probe = probe};
}

bool health_enter(struct health *h, uint64_t now_ms, struct health_pass *out)
{
	uint64_t seen = load(h);
	struct parts p;

	do {
		p = split(seen);
		if (p.state == HEALTH_CLOSED) {
			give(out, &p, false);
			return true;
		}
		if (p.state == HEALTH_HALF || now_ms < p.until) {
			return false;
		}
		if (p.state == HEALTH_BENCHED) {
			next_period(&p, HEALTH_CLOSED, 0);
		} else {
			p.state = HEALTH_HALF;
		}
	} while (!swap(h, &seen, &p));
	give(out, &p, p.state == HEALTH_HALF);
	return true;
}

void health_force(struct health *h, struct health_pass *out)
{
	struct parts p = split(load(h));

	give(out, &p, false);
}

bool health_probe(struct health *h, struct health_pass *out)
{
	uint64_t seen = load(h);
	struct parts p;

	do {
		p = split(seen);
		if (p.state != HEALTH_OPEN) {
			return false;
		}
		p.state = HEALTH_HALF;
	} while (!swap(h, &seen, &p));
	give(out, &p, true);
	return true;
}

void health_unprobed(struct health *h, uint64_t until_ms)
{
	uint64_t seen = load(h);
	struct parts p;

	do {
		p = split(seen);
		if (p.state != HEALTH_OPEN || p.until != HEALTH_UNTIL_PROBED) {
			return;
		}
		p.until = until_ms;
	} while (!swap(h, &seen, &p));
}

/* Whether what the pass was given for is over. */
static bool is_stale(const struct health_pass *pass, const struct parts *p)
{
	return pass->period != p->period || (pass->probe && p->state != HEALTH_HALF);
}

static void succeed(struct parts *p, const struct health_pass *pass, unsigned needed, uint64_t now)
{
	if (p->state == HEALTH_CLOSED) {
		p->failures = 0;
	} else if (p->state == HEALTH_BENCHED) {
		return; /* it was told to be left alone, and a success that was under way says nothing */
	} else if (p->good + 1 >= MIN(needed, HEALTH_SUCCESSES_MAX)) {
		next_period(p, HEALTH_CLOSED, 0);
	} else {
		p->good++;
		if (pass->probe) {
			p->state = HEALTH_OPEN;
			p->until = p->until == HEALTH_UNTIL_PROBED ? p->until : now;
		}
	}
}

void health_good(struct health *h, struct health_pass *pass, unsigned needed, uint64_t now_ms)
{
	uint64_t seen = load(h);
	struct parts p;

	if (!pass->taken) {
		return;
	}
	pass->taken = false;
	if (health_is_quiet(h)) {
		return;
	}
	do {
		p = split(seen);
		if (is_stale(pass, &p)) {
			return;
		}
		succeed(&p, pass, needed, now_ms);
	} while (!swap(h, &seen, &p));
}

bool health_bad(struct health *h, struct health_pass *pass, unsigned threshold, uint64_t until_ms,
	unsigned why)
{
	uint64_t seen = load(h);
	struct parts p;
	bool out;

	if (!pass->taken) {
		return false;
	}
	pass->taken = false;
	do {
		p = split(seen);
		if (is_stale(pass, &p) || (p.state != HEALTH_CLOSED && !pass->probe)) {
			return false; /* it is out already */
		}
		out = pass->probe || p.failures + 1 >= MIN(threshold, HEALTH_FAILURES_MAX);
		if (out) {
			next_period(&p, HEALTH_OPEN, until_ms);
		} else {
			p.failures++;
		}
	} while (!swap(h, &seen, &p));
	if (out) {
		atomic_store_explicit(&h->why, why, memory_order_relaxed);
	}
	return out && !pass->probe;
}

void health_leave(struct health *h, struct health_pass *pass, uint64_t now_ms)
{
	uint64_t seen = load(h);
	struct parts p;

	if (!pass->taken || !pass->probe) {
		pass->taken = false;
		return;
	}
	pass->taken = false;
	do {
		p = split(seen);
		if (is_stale(pass, &p)) {
			return;
		}
		p.state = HEALTH_OPEN;
		p.until = p.until == HEALTH_UNTIL_PROBED ? p.until : now_ms;
	} while (!swap(h, &seen, &p));
}

bool health_bench(struct health *h, struct health_pass *pass, uint64_t until_ms, unsigned why)
{
	uint64_t seen = load(h);
	struct parts p;
	bool was_up;

	if (!pass->taken) {
		return false;
	}
	do {
		p = split(seen);
		if (is_stale(pass, &p) || (p.state == HEALTH_OPEN && !pass->probe) ||
			(p.state == HEALTH_BENCHED && p.until >= until_ms)) {
			break;
		}
		was_up = p.state == HEALTH_CLOSED;
		next_period(&p, HEALTH_BENCHED, until_ms);
		if (swap(h, &seen, &p)) {
			pass->taken = false;
			atomic_store_explicit(&h->why, why, memory_order_relaxed);
			return was_up;
		}
	} while (true);
	pass->taken = false;
	return false;
}
