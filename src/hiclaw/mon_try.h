/* Between files of endpoints: a provider that was just made is asked for its models (monitor-api.md 4.9, "test"). */
#ifndef HICLAW_MON_TRY_H
#define HICLAW_MON_TRY_H

#include "hiclaw/monitor.h"

/* next is called with what it came to: {"ok": true, "ms": 12, "models": 150}, or with "kind" and "error"; that it fails
 * undoes nothing. k->state stays; k->done is taken. */
/* provider, sources: the Console's objects. */
void mon_try(struct ask *k, const struct doc *provider, const struct doc *sources,
	void (*next)(struct ask *k, struct doc *outcome));

#endif
