/*
 * Rows of counters, each found by its labels: what a worker counts in, and what a scrape adds up in.
 * Plain memory of one thread. A row is made once and stays where it is, so counting is an addition.
 *
 * The number of rows is bounded. What comes above it is counted in a row whose consumer is "other", and
 * when there is no room for that one either, in one row whose labels are all "other": nothing is lost
 * from the sums.
 */
#ifndef METER_SERIES_H
#define METER_SERIES_H

#include "base/hash.h"
#include "base/text.h"

/* Labels of a row, in this order. */
enum label {
	LABEL_ROUTE,
	LABEL_CLUSTER,
	LABEL_MODEL,
	LABEL_CONSUMER,
	LABEL_PROVIDER,
	LABEL_OPERATION
};
#define LABELS 6u
/* Longest label; what is longer is cut. Names of Kubernetes objects have at most 253 bytes. */
#define LABEL_MAX 256u
#define LABEL_OTHER BYTES("other")
#define LABEL_NONE BYTES("none")

struct series_row {
	uint64_t hash;
	uint64_t vanished_ms; /* since when its route or consumer is in no plan; 0: it is */
	uint64_t idle_ms;     /* since when nothing was counted, as far as tidying saw */
	uint64_t seen;        /* how much there was then */
	uint32_t users;       /* exchanges that will still count in it */
	uint16_t tallied; /* the counter's: where its model counts too (tally.h); 0: not known */
	uint16_t label_n[LABELS];
	const uint64_t *values; /* to be read; all 0 until somebody counts */
	char labels[];          /* one behind the other */
};

struct series {
	struct hash_seed seed;
	unsigned n_values; /* of a row */
	size_t limit;      /* rows beside the last resort */
	struct series_row **rows;
	size_t n;
	uint32_t *slots; /* row + 1 by hash, 0: free; a power of two, at least half of it free */
	size_t n_slots;
	uint64_t *none;           /* the values of rows in which nothing was counted */
	struct series_row *other; /* the last resort; not in rows */
	uint64_t overflows;       /* how often a row other than the one asked for was given */
};

/* limit is at least 4. */
void series_init(struct series *s, const struct hash_seed *seed, size_t limit, unsigned n_values);
void series_done(struct series *s);

/* The row of these labels, made when it is new; never NULL. Costs one keyed hash of the labels. */
struct series_row *series_take(struct series *s, const struct bytes labels[LABELS]);
/* The row's values, to count in: made the first time, for many a stream is open before anything is counted. */
uint64_t *series_values(const struct series *s, struct series_row *r);
/* Row i goes, the last one takes its place. Nobody uses it. */
void series_drop(struct series *s, size_t i);

struct bytes series_label(const struct series_row *r, enum label l);

#endif
