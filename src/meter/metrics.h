/*
 * The page at /metrics: what workers reported and what the process knows of itself, as one text.
 * docs/metrics.md lists the families. Pure; made on a jobs thread.
 */
#ifndef METER_METRICS_H
#define METER_METRICS_H

#include "meter/process.h"
#include "proxy/report.h"

/* A page above it is not given out: it would take longer than a scrape waits. 8,000 rows, what four
 * workers keep apart at most, take about 20 MB, and 150 MB when no two are of one route and model. */
#define METRICS_TEXT_MAX ((size_t)256 << 20)

struct metrics_facts {
	const char *version; /* static */
	uint64_t plan_version, routes, providers, consumers, certificates;
	uint64_t plan_live_ms;   /* wall clock, when the plan became live; 0: there is none yet */
	uint64_t files_kept_bad; /* whose last good version is in use */
	uint64_t started_ms;     /* wall clock */
	struct process_facts process;
};

/* out becomes full when the page is too large. */
void metrics_write(const struct report *r, const struct metrics_facts *facts, struct text *out);

#endif
