/* Lines about connectivity tests (hiclaw/reach.h): one at a time. */
#ifndef SIM_REACHING_H
#define SIM_REACHING_H

#include "sim/player.h"

bool reaching_start(struct player *p, struct bytes rest);
bool reaching_start_list(struct player *p, struct bytes rest);
bool reaching_expect(struct player *p, struct bytes rest);
/* The subject has been stopped. */
void reaching_done(struct player *p);

#endif
