/*
 * Shares by weight without chance: of as many requests in a row as the weights add up to (without their
 * common divisor) each destination gets exactly its share, and of fewer ones about it, because turns are
 * not given out in blocks. Pure; who counts the turns is the caller's business.
 */
#ifndef PLAN_SPREAD_H
#define PLAN_SPREAD_H

#include "base/bytes.h"

struct spread {
	unsigned period; /* turns; 0: there is nothing to share */
	unsigned unit;   /* common divisor of the weights; period * unit is their sum */
	unsigned stride;
};

/* Adds a weight; begin with zeros, and end with spread_finish. */
void spread_add(struct spread *s, unsigned weight);
void spread_finish(struct spread *s);
/* Where in the sum of the weights that turn falls: 0..sum-1. turn: below period, which is not 0. */
unsigned spread_pick(const struct spread *s, unsigned turn);

#endif
