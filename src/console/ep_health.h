/*
 * /healthz/live: the control loop turns. /healthz/ready: a configuration is live and the process is not
 * about to end. Open to everybody.
 */
#ifndef CONSOLE_EP_HEALTH_H
#define CONSOLE_EP_HEALTH_H

#include "console/console.h"

void ep_health_live(struct console *console, struct call *c);
void ep_health_ready(struct console *console, struct call *c);

#endif
