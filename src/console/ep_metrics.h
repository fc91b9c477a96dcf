/*
 * /metrics: Prometheus' text format. Open to programs on this machine, to others with the metrics token.
 */
#ifndef CONSOLE_EP_METRICS_H
#define CONSOLE_EP_METRICS_H

#include "console/console.h"

void ep_metrics(struct console *console, struct call *c);

#endif
