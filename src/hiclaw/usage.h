/*
 * The day by minute, in memory (monitor-api.md 6.5): every 5 seconds control asks the workers (proxy/report.h), takes
 * what is new since the last time, and keeps it: 24 h by minute, 30 days by hour (hiclaw/usage_days.h says what that
 * takes), the last 5 minutes by 5 seconds for the four values of metrics. Control's.
 */
#ifndef HICLAW_USAGE_H
#define HICLAW_USAGE_H

#include "hiclaw/host_load.h"
#include "hiclaw/usage_days.h"
#include "meter/process.h"
#include "proxy/gateway.h"

struct usage;

struct usage_now {            /* monitor-api.md 4.2 */
	bool known;           /* a report has come; else what is not of the machine is 0 */
	uint32_t cpu, memory; /* per cent; UINT32_MAX: cannot be measured */
	uint64_t memory_bytes, memory_limit_bytes, process_rss_bytes;
	unsigned cpu_count;
	uint64_t connections, upstream_connections, in_flight;
	uint64_t rpm;           /* requests that ended in the last 60 s */
	double rps, error_rate; /* of the last 60 s */
	uint32_t p50_ms, p95_ms, p99_ms;
	uint64_t tokens_per_minute;
};

struct usage_consumer { /* what the gateway knows of a Worker: source G of hiclaw/state.h */
	uint32_t in_flight;
	uint64_t in_flight_since_ms, last_ms;
	unsigned last_status;
	struct bytes last_model; /* until the next turn of the loop */
	uint64_t requests_1h, errors_1h, tokens_1h;
};

/* load and process may be NULL, and stay the caller's. on_tick (may be NULL) is called after each sample, for events. */
struct usage *usage_new(struct gateway *g, struct host_load *load, const struct process *process,
	void (*on_tick)(void *arg), void *arg);
void usage_free(struct usage *u);
void usage_now(const struct usage *u, struct usage_now *out);
/* False: nothing is known of it. */
bool usage_consumer(const struct usage *u, struct bytes consumer, struct usage_consumer *out);
/* The points of a consumer's last hour, for sparklines; JSON array of requests by minute. */
void usage_sparkline(const struct usage *u, struct bytes consumer, struct text *out);
/* {"step":60,"series":[...]} of 6.5 (usage_days.h). */
void usage_series(const struct usage *u, const struct usage_query *q, struct text *out);
/* The "series" of metrics?detail=1, oldest first: [[ts,cpu,memory,connections,rpm],…], null where unknown. */
void usage_recent(const struct usage *u, struct text *out);

#endif
