/*
 * What consumers, providers and routes did, minute by minute, for the monitor (monitor-api.md 4.2, 6.4, 6.5): kept by
 * each worker beside its series without an allocation per exchange, copied by proxy/report.h, and added up by control
 * (hiclaw/usage.h keeps the day). Probes and calls to management are not in it.
 *
 * Per worker a fixed table of keys (kind, name); a key that finds no room is counted under "other".
 */
#ifndef METER_TALLY_H
#define METER_TALLY_H

#include "base/bytes.h"

#define TALLY_KEYS_MAX 4096u
#define TALLY_NAME_MAX 64u
#define TALLY_MODEL_MAX 128u

enum tally_kind {
	TALLY_TOTAL,
	TALLY_CONSUMER,
	TALLY_PROVIDER,
	TALLY_ROUTE,
	TALLY_MODEL,
	TALLY_KINDS
};

/* Of one key since the process began; monotonic, so that who keeps the minutes takes differences. */
struct tally_row {
	enum tally_kind kind;
	struct bytes name;
	uint64_t requests, errors, input, output;
	uint64_t duration[12]; /* log buckets, for p50, p95, p99 */
	/* consumers only */
	uint32_t in_flight;
	uint64_t in_flight_since_ms, last_ms; /* wall clock; last: end of the last request */
	unsigned last_status;
	struct bytes last_model; /* as the client asked for it */
};
extern const uint32_t tally_duration_bounds_ms[12]; /* upper bounds; the last is UINT32_MAX */

/* Reads a worker's copy (the part of struct report_part that is the usage's); false: at its end. */
struct tally_copy {
	struct bytes left;
};
void tally_read(struct tally_copy *c, struct bytes copied);
bool tally_next(struct tally_copy *c, struct tally_row *out);

#endif
