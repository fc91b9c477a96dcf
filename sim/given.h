/* Lines that are about the world and not about an actor: what is given, time, log, counters. */
#ifndef SIM_GIVEN_H
#define SIM_GIVEN_H

#include "sim/player.h"

bool given_run(struct player *p, struct bytes text);
/* One access line per exchange, when the subject counts exchanges and logs. */
bool given_check_end(struct player *p);
/* "10s", "500ms", in nanoseconds. */
bool play_duration(struct player *p, struct bytes text, uint64_t *ns);
/* Lets time pass, deadline by deadline. */
bool play_pass(struct player *p, uint64_t ns);

#endif
