/* Lines about bridges between models (proxy/bridges.h): one at a time. */
#ifndef SIM_BRIDGING_H
#define SIM_BRIDGING_H

#include "sim/player.h"

/* bridge CONSUMER MODEL MODEL, bridge none */
bool bridging_set(struct player *p, struct bytes rest);
/* the bridge of CONSUMER stands, the bridge of CONSUMER has ended */
bool bridging_expect(struct player *p, struct bytes rest);

#endif
