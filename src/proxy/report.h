/*
 * What all workers have counted, asked for by control while their loops run (/metrics). Each worker
 * copies what is its own on its own thread, in slices, and hands the copy over by a post: nothing that
 * a worker counts in is ever read by another thread.
 */
#ifndef PROXY_REPORT_H
#define PROXY_REPORT_H

#include "base/text.h"
#include "proxy/gateway.h"

/* A worker that takes no post for so long does not serve either: the report is made without it. */
#define REPORT_DEADLINE_MS 2000u
/* Of one worker: an observer's series_max rows of about 1 KB each fit many times over. */
#define REPORT_COPY_MAX ((size_t)1 << 30)

struct report_part { /* one worker's */
	bool answered;
	struct worker_counts counts;
	struct text observed; /* what hooks->observer copied */
};

struct report {
	unsigned n; /* workers */
	unsigned n_answered;
	uint64_t registry_failures; /* control's: questions to registries that failed */
	struct report_part v[];
};

void report_free(struct report *r);
void report_sum(const struct report *r, struct worker_counts *sum);

struct report_ask;

/* Control: on_report is called once, later, on control; the report is the callee's then. */
struct report_ask *report_ask(
	struct gateway *g, void (*on_report)(struct report *r, void *arg), void *arg);
/* The same, where observed is what hooks->observer->copy_tally copied. */
struct report_ask *report_ask_tally(
	struct gateway *g, void (*on_report)(struct report *r, void *arg), void *arg);
/* Control, before on_report: it will not be called. */
void report_cancel(struct report_ask *ask);

/* While no loop is running (simulated world). */
struct report *report_now(const struct gateway *g);

#endif
