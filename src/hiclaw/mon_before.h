/*
 * The backup before a change (monitor-api.md 6.6) where the objects are another program's: our own store keeps one itself.
 */
#ifndef HICLAW_MON_BEFORE_H
#define HICLAW_MON_BEFORE_H

#include "hiclaw/monitor.h"

/* Keeps all objects, then makes the change; next as of ask_change, with the id in k->ops.backup. When it cannot be kept
 * nothing is changed, unless SLUICE_BACKUP_REQUIRED says otherwise. */
void mon_before_change(
	struct ask *k, const struct ops_item *items, size_t n, void (*next)(struct ask *k));

#endif
