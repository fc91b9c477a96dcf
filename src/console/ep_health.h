/*
 * /healthz/live: the control loop turns. /healthz/ready: a configuration is live and the process is not
 * about to end. Open to everybody.
 * /healthz/upstreams: what the gateway knows of endpoints and credentials (proxy/upstream_states.h). Open to this machine, and
 * to who has the metrics token.
 */
#ifndef CONSOLE_EP_HEALTH_H
#define CONSOLE_EP_HEALTH_H

#include "console/console.h"

void ep_health_live(struct console *console, struct call *c);
void ep_health_ready(struct console *console, struct call *c);
void ep_health_upstreams(struct console *console, struct call *c);

#endif
