/* Lines about a request of the gateway's own (proxy/probe.h): one at a time. */
#ifndef SIM_PROBING_H
#define SIM_PROBING_H

#include "sim/player.h"

bool probing_start(struct player *p, struct bytes rest);
bool probing_expect(struct player *p, struct bytes rest);
/* The subject has been stopped. */
void probing_done(struct player *p);

#endif
