/*
 * Counts exchanges: an observer (proxy/dialect.h) that keeps rows of counters per worker, and what
 * reads the copies that it gives away.
 *
 * A row is one combination of route, cluster, model, consumer, provider and operation. The model is one
 * that the configuration names (a mapping, a condition), else "other"; consumers are who they proved to
 * be. So no client can make rows that the configuration does not provide for.
 */
#ifndef METER_METER_H
#define METER_METER_H

#include "meter/series.h"
#include "proxy/dialect.h"

extern const struct observer meter_observer;

/* Upper bounds of the buckets, those of OpenTelemetry's conventions for generative AI; one more bucket
 * is above the last. */
#define METER_DURATION_BOUNDS 14u
#define METER_FIRST_BOUNDS 16u
#define METER_TOKEN_BOUNDS 14u
extern const double meter_duration_bounds[METER_DURATION_BOUNDS]; /* seconds */
extern const double meter_first_bounds[METER_FIRST_BOUNDS];       /* seconds */
extern const double meter_token_bounds[METER_TOKEN_BOUNDS];

/* Values of a row. A histogram is its buckets, each with what is in it alone, and the sum behind them:
 * microseconds or tokens. */
enum value {
	VALUE_REQUESTS, /* by the first digit of the status; 0: no answer was sent */
	VALUE_ABORTS = VALUE_REQUESTS + 6, /* the client left */
	VALUE_CUTS,                        /* the upstream broke off, or the process ended */
	VALUE_ATTEMPTS,
	VALUE_USAGES, /* requests whose usage is known */
	VALUE_INPUT,
	VALUE_OUTPUT,
	VALUE_TOTAL,
	VALUE_CACHED,
	VALUE_REASONING,
	VALUE_SERVICES, /* whole answers: those in VALUE_DURATION */
	VALUE_FIRSTS,   /* whole streams: those in VALUE_FIRST */
	VALUE_DURATION,
	VALUE_DURATION_SUM = VALUE_DURATION + METER_DURATION_BOUNDS + 1,
	VALUE_FIRST,
	VALUE_FIRST_SUM = VALUE_FIRST + METER_FIRST_BOUNDS + 1,
	VALUE_IN,
	VALUE_IN_SUM = VALUE_IN + METER_TOKEN_BOUNDS + 1,
	VALUE_OUT,
	VALUE_OUT_SUM = VALUE_OUT + METER_TOKEN_BOUNDS + 1,
	VALUE_COUNT
};

/* A copy that the observer made. */
struct meter_copy {
	struct bytes left;
	uint64_t rows, limit, overflows; /* of the worker */
};

/* Begins to read; an empty copy has no rows. */
void meter_read(struct meter_copy *c, struct bytes copied);
/* The next row; labels point into the copy. values is VALUE_COUNT long. False: there is none. */
bool meter_next(struct meter_copy *c, struct bytes labels[LABELS], uint64_t values[VALUE_COUNT]);

#endif
