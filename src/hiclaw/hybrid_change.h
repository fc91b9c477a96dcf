/*
 * What has to change when a provider is renamed or goes through the monitor API (hiclaw-integration.md 9.3): the
 * provider itself, its service source and the routes. Pure, as hiclaw/hybrid.h is; assignments are for whoever
 * keeps them.
 */
#ifndef HICLAW_HYBRID_CHANGE_H
#define HICLAW_HYBRID_CHANGE_H

#include "hiclaw/hybrid.h"

void hybrid_change_rename(const struct hybrid_world *world, struct bytes from, struct bytes to,
	struct hybrid_plan *out);

/* The provider, its own route and its service source go; other routes send to the replacement (empty: to what
 * else they have). A provider that routes or assignments use goes only by force; its own route does not count. */
struct hybrid_change_delete {
	struct bytes provider, replacement;
	bool force;
};
void hybrid_change_delete(const struct hybrid_world *world, const struct hybrid_change_delete *d,
	struct hybrid_plan *out);

#endif
