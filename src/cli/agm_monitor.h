/*
 * `sluice agm monitor {start|stop|status|restart|run}`: the server of the skill's scripts as a process of its own, for
 * containers in which nobody else starts it (monitor-api.md 8.1). Where Higress has the ports of gateway and Console,
 * those listeners take free ones of this machine alone.
 */
#ifndef CLI_AGM_MONITOR_H
#define CLI_AGM_MONITOR_H

#include <stdio.h>

#include "cli/agm.h"

/* Where pid file and log are: SLUICE_MONITOR_DIR, else /tmp. */
const char *agm_monitor_dir(void);
/* Nothing happens when it runs. COMMAND_DONE when it accepts; lines go to out. */
MUST_CHECK int agm_monitor_start(struct agm *x, FILE *out);
/* Nothing happens when it does not run; one that is part of a gateway stays, and says so. */
MUST_CHECK int agm_monitor_stop(struct agm *x);
/* The command; words[0] says what, none is start. */
int agm_monitor(struct agm *x);

#endif
