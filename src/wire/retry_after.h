/*
 * Retry-After (RFC 9110 §10.2.3) and what vendors send beside it: how long to leave a credential or an
 * endpoint alone. What a peer says is brought between a floor and a ceiling, so that neither a 0 makes
 * a storm nor a year 9999 takes a credential away for good.
 */
#ifndef WIRE_RETRY_AFTER_H
#define WIRE_RETRY_AFTER_H

#include "base/bytes.h"

/* Attack or accident: an upstream that always says 0, or a date that has passed. */
#define RETRY_AFTER_FLOOR_MS 1000u
/* Attack or accident: a wait that outlives its reason. One request per hour asks again. */
#define RETRY_AFTER_CEILING_MS 3600000u

/* A Retry-After value: seconds (with a fraction too, as some vendors write them) or a date. date is the
 * value of the answer's own Date, which a date is counted from when it can be read, because the clocks of two
 * machines differ; p NULL: there is none. now_ms is the wall clock. False: the value says nothing, and *out is
 * untouched; otherwise *out is within floor and ceiling. A negative number is the floor. */
MUST_CHECK bool retry_after_read(
	struct bytes value, struct bytes date, uint64_t now_ms, uint64_t *out_ms);
/* A retry-after-ms value (OpenAI, Azure): milliseconds, else the same. */
MUST_CHECK bool retry_after_read_ms(struct bytes value, uint64_t *out_ms);
/* A length of time as vendors put it into bodies and x-ratelimit-reset-*: "13s", "1.5s", "250ms", "6m0s",
 * "1h2m3s". Else the same. */
MUST_CHECK bool retry_after_read_span(struct bytes value, uint64_t *out_ms);

#endif
