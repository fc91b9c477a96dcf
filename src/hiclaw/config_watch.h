/*
 * Tells when the Manager's configuration has become another file: its directory is watched, in which the agent writes
 * all the time, and the file is looked at on a jobs thread. Control's.
 */
#ifndef HICLAW_CONFIG_WATCH_H
#define HICLAW_CONFIG_WATCH_H

#include "net/jobs.h"

struct config_watch;

/* path: an absolute one, copied. NULL: it cannot be watched, which is logged. What the file is now is no change. */
struct config_watch *config_watch_new(
	struct loop *l, struct jobs *js, const char *path, void (*on_change)(void *arg), void *arg);
/* Does not call any more. NULL is allowed. */
void config_watch_stop(struct config_watch *w);
/* After that, when no job of it runs and what the loop still reports was reported. NULL is allowed. */
void config_watch_free(struct config_watch *w);

#endif
