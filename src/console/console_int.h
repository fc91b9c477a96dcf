/*
 * Inside the room only.
 */
#ifndef CONSOLE_CONSOLE_INT_H
#define CONSOLE_CONSOLE_INT_H

#include "console/console.h"

/* Attack: readers of /metrics that take a page, which may be many MB, and do not read it. */
#define CONSOLE_PAGES_MAX 4u

struct scrape;

struct console {
	struct manage_app app;
	struct console_opts opts;
	struct manage *manage;
	struct act_env env;
	struct scrape *scrape; /* of ep_metrics.c */
	struct list errands;
	unsigned strangers; /* reads that nobody's password was asked for */
};

/* The state of /metrics (ep_metrics.c). */
struct scrape *ep_metrics_new(struct console *c);
void ep_metrics_free(struct scrape *s);

#endif
