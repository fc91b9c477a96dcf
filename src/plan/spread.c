/*
 * Turn t falls on t * stride modulo the period. A stride without a common divisor meets every place once in
 * a period. How far shares are off on the way follows the quotients of the continued fraction of stride and
 * period: small ones are found near the golden section, whose own are all 1.
 */
#include "plan/spread.h"

#include <stdint.h>

/* Strides on either side that are compared. */
#define LOOK_AROUND 64u

static unsigned divisor(unsigned a, unsigned b)
{
	while (b != 0) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void spread_add(struct spread *s, unsigned weight)
{
	s->unit = divisor(s->unit, weight);
	s->period += weight; /* until it is finished: the sum */
}

/* The largest quotient of Euclid's algorithm: how unevenly the turns lie, at worst. 0: a common divisor. */
static unsigned unevenness(unsigned stride, unsigned period)
{
	unsigned a = period;
	unsigned b = stride;
	unsigned worst = 1;

	while (b != 0) {
		unsigned rest = a % b;

		worst = MAX(worst, a / b);
		a = b;
		b = rest;
	}
	return a == 1 ? worst : 0;
}

void spread_finish(struct spread *s)
{
	unsigned best = 0;
	unsigned golden;

	if (s->unit == 0) {
		return;
	}
	s->period /= s->unit;
	if (s->period == 1) {
		s->stride = 1; /* nothing to spread */
		return;
	}
	golden = (unsigned)((uint64_t)s->period * 6180339887u / 10000000000u);
	for (unsigned i = 0; i < 2 * LOOK_AROUND; i++) {
		unsigned stride = i % 2 == 0 ? golden + i / 2 : golden - i / 2;
		unsigned u = stride != 0 && stride <= s->period ? unevenness(stride, s->period) : 0;

		if (u != 0 && (best == 0 || u < best)) {
			best = u;
			s->stride = stride;
		}
	}
	ASSERT(s->stride != 0);
}

unsigned spread_pick(const struct spread *s, unsigned turn)
{
	return (unsigned)((uint64_t)turn * s->stride % s->period) * s->unit;
}
