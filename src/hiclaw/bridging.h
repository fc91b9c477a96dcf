/*
 * Bridges of Workers (hiclaw-integration.md 11.3): until a Worker has asked for the model that it was given, for a day at
 * most, what it asks for the model before is served with the new one (proxy/bridges.h). Kept with its assignment, so a
 * start finds it. Control's.
 */
#ifndef HICLAW_BRIDGING_H
#define HICLAW_BRIDGING_H

#include "hiclaw/switch_int.h"

#define BRIDGING_MS 86400000u

/* What can be said before a switch begins: warns when there cannot be a bridge. */
void bridging_warn(struct switch_run *r);
/* Of the outcome of a switch: the bridge that v has from now on. */
void bridging_choose(struct switch_run *r, struct agent *v);
/* All of them as the agents have them now. */
void bridging_apply(struct switches *s);
/* Ends those that are over. */
void bridging_look(struct switches *s);

#endif
