/*
 * What consumers, providers, routes and models did, for the monitor (monitor-api.md 4.2, 6.4, 6.5): kept by each worker
 * beside its series without an allocation per exchange, copied by proxy/report.h, and added up by control (hiclaw/usage.h
 * keeps the day). Probes, calls to management and questions for health are not in it.
 *
 * Per worker a table of keys (kind, name), which only grows; a key that finds no room is counted under "other". A key
 * takes 80 bytes and its name, and 130 more from its first request's end on: many a stream is open for long before.
 */
#ifndef METER_TALLY_H
#define METER_TALLY_H

#include "base/hash.h"
#include "base/text.h"

#define TALLY_KEYS_MAX 4096u
/* What is longer is cut. */
#define TALLY_NAME_MAX 64u
#define TALLY_MODEL_MAX 128u
/* Attack: clients that make names of models up, at an upstream that answers to any. Per worker. */
#define TALLY_LEARNED_MAX 256u
#define TALLY_DURATIONS 12u

enum tally_kind {
	TALLY_TOTAL,
	TALLY_CONSUMER,
	TALLY_PROVIDER,
	TALLY_ROUTE,
	TALLY_MODEL, /* one that the configuration names, or that an upstream had (tally_model), else "other" */
	TALLY_KINDS
};

/* Of requests that have ended. */
struct tally_counts {
	uint64_t requests, errors, input, output;
	uint64_t duration[TALLY_DURATIONS]; /* of answers that came from an upstream */
};

/* Of one key since the process began; monotonic, so that who keeps the minutes takes differences. */
struct tally_row {
	enum tally_kind kind;
	struct bytes name;
	struct tally_counts counts;
	/* consumers only */
	uint32_t in_flight;
	uint64_t in_flight_since_ms, last_ms; /* wall clock; last: end of the last request */
	unsigned last_status;
	struct bytes last_model; /* as the client asked for it */
};
extern const uint32_t tally_duration_bounds_ms[TALLY_DURATIONS]; /* upper bounds; the last is
								    UINT32_MAX */

/* sum becomes what both are together. */
void tally_add(struct tally_counts *sum, const struct tally_counts *c);

/* Reads a worker's copy (report_ask_tally); false: at its end. */
struct tally_copy {
	struct bytes left;
};
void tally_read(struct tally_copy *c, struct bytes copied);
bool tally_next(struct tally_copy *c, struct tally_row *out);

/* --- the worker's (meter.c) --------------------------------------------------------------------- */

struct tally;

struct tally *tally_new(const struct hash_seed *seed);
void tally_free(struct tally *t);

/* The row of a key, made when it is new: from 1 on. */
uint16_t tally_find(struct tally *t, enum tally_kind kind, struct bytes name);

/* The row of a model that the configuration does not name: one of its own from the first request on that an upstream
 * answered (`answered`), as long as fewer than TALLY_LEARNED_MAX have one; else that of "other". */
uint16_t tally_model(struct tally *t, struct bytes name, bool answered);
/* Whether it is the row of models that nobody names. */
bool tally_is_other_model(const struct tally *t, uint16_t row);

/* Whose rows a request counts in beside the total; 0: none. */
struct tally_of {
	uint16_t consumer, provider, route, model;
};

struct tally_request {
	uint64_t ended_us; /* monotonic */
	uint64_t us;       /* how long it took; only when it is timed */
	uint64_t input, output;
	struct bytes model;
	unsigned status;
	bool timed, error;
};

/* A request of that consumer is under way. */
void tally_begin(struct tally *t, uint16_t consumer, uint64_t now_us);
/* It has ended. begun: tally_begin was called. */
void tally_end(
	struct tally *t, const struct tally_of *of, const struct tally_request *r, bool begun);
/* The next rows behind out; *at is 0 at first. False: these were the last. */
bool tally_put(const struct tally *t, size_t *at, struct text *out);

#endif
