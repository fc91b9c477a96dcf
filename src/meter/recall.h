/*
 * Who asks for what is the same again and again: the rows that were found for it, so that no labels have to be made
 * and hashed for each request. A route, a destination and a consumer are the same ones as long as the plan is.
 *
 * A table of one worker that grows with what it holds, up to RECALL_MAX; above it something is forgotten for each
 * that is new, and has to be found again.
 */
#ifndef METER_RECALL_H
#define METER_RECALL_H

#include "meter/series.h"
#include "meter/tally.h"

#define RECALL_MAX 4096u

/* Pointers are compared, never followed. */
struct recall_key {
	uint64_t plan; /* its version, from 1 on */
	const void *route, *to, *consumer;
};

struct recalled {
	struct recall_key key;
	struct series_row *row; /* that was given last; NULL: none, or none to be recalled */
	struct tally_of of;
	uint8_t api; /* enum api: row's */
};

struct recall {
	struct recalled *v; /* n_slots of them, a power of two; plan 0: free */
	size_t n_slots;
	uint64_t plan; /* that was asked for last */
	size_t n;      /* that came with it */
};

void recall_init(struct recall *r);
void recall_done(struct recall *r);

/* What is recalled of it, valid until the next call. *is_new: nothing is, row and of are to be filled in. What is of
 * plans before it may be forgotten. */
struct recalled *recall_find(struct recall *r, const struct recall_key *key, bool *is_new);
/* No row is recalled any more: one of them goes. */
void recall_drop_rows(struct recall *r);

#endif
