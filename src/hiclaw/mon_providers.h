#ifndef HICLAW_MON_PROVIDERS_H
#define HICLAW_MON_PROVIDERS_H

#include "hiclaw/monitor.h"

/* A provider as the API shows it: masked, with what uses it (monitor-api.md 4.8). */
struct doc *mon_providers_shown(
	struct ask *k, const struct doc *provider, const struct doc *routes);
/* All of k->ops.lists, by name. */
struct doc *mon_providers_all(struct ask *k);

#endif
