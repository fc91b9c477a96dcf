/*
 * The memory of usage.h: for each key a day by minute and 30 days by hour. What a key has no requests in takes nothing:
 * an hour of minutes is 2 KB, a day of hours 0.8 KB, so a key that is busy all the time ends at 73 KB, 100 consumers at
 * 7.3 MB, and USAGE_KEYS_MAX keys at 37 MB. Further keys are "other". Pure but for memory; times are given.
 */
#ifndef HICLAW_USAGE_DAYS_H
#define HICLAW_USAGE_DAYS_H

#include "base/text.h"
#include "meter/tally.h"

#define USAGE_KEYS_MAX 512u
#define USAGE_POINTS_MAX 1000u /* of an answer's series (monitor-api.md 6.5) */
#define USAGE_DAY_S 86400u
#define USAGE_MONTH_S (30u * USAGE_DAY_S)

struct usage_days;

struct usage_days *usage_days_new(void);
void usage_days_free(struct usage_days *d);
/* c is what all workers counted of the key since the process began; what is new since the last time is of now. A name
 * has at most TALLY_NAME_MAX bytes. */
void usage_days_add(struct usage_days *d, enum tally_kind kind, struct bytes name,
	const struct tally_counts *c, uint64_t now_s);

struct usage_sum {
	uint64_t requests, errors, tokens;
};
/* Of the last 60 minutes, the one that is going on included. False: nothing is known of the key. */
bool usage_days_hour(const struct usage_days *d, enum tally_kind kind, struct bytes name,
	uint64_t now_s, struct usage_sum *out);
/* The requests of these minutes, oldest first, as a JSON list. */
void usage_days_sparkline(const struct usage_days *d, enum tally_kind kind, struct bytes name,
	uint64_t now_s, struct text *out);

struct usage_query {
	uint64_t from_s, to_s; /* 0: a day ago; now */
	uint64_t step_s;       /* 0: chosen; else what can be given is at least that */
	enum tally_kind by;
};
/*
 * {"step":60,"series":[{"key":"qwen","points":[[ts,requests,errors,inputTokens,outputTokens,p95ms],…]}]}: keys with
 * requests in that time, by name. ts: seconds, the beginning. p95 of a longer step is the largest of its parts.
 */
void usage_days_series(
	const struct usage_days *d, const struct usage_query *q, uint64_t now_s, struct text *out);

/* The duration that a share (per mille) of those in the buckets was below, in milliseconds; 0: there are none.
 * Inside of a bucket it is taken to grow evenly. */
uint32_t usage_percentile(const uint64_t duration[TALLY_DURATIONS], unsigned per_mille);

#endif
