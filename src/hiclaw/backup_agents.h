/* Assignments in a backup (monitor-api.md 6.6): the section "assignments", written and taken back. */
#ifndef HICLAW_BACKUP_AGENTS_H
#define HICLAW_BACKUP_AGENTS_H

#include "hiclaw/agents.h"
#include "resource/object.h"

/* {"target": "alice", "provider": ..., "model": ..., "asked": ..., "contextWindow": ..., ...}; texts are copied. */
struct doc *backup_agents_entry(struct arena *a, const struct agent *v);
/* Of all that are assigned. */
struct doc *backup_agents_section(struct arena *a, const struct agents *all);

/*
 * What an entry assigns, written over *v, which has what is assigned now. False: the entry names no agent, provider or
 * model that there could be, and *v is as it was. Numbers that are out of range are unknown. Texts are the entry's.
 */
bool backup_agents_read(struct arena *a, const struct doc *entry, struct agent *v);
/* Whether a section is a list of entries that can all be read. */
bool backup_agents_check(struct arena *a, const struct doc *section);
/* {"added", "changed", "removed"}: what a restore would do. replaces: those that the section does not have go; they are in
 * *leaving, in the arena. */
struct doc *backup_agents_compare(struct arena *a, const struct doc *section,
	const struct agents *all, bool replaces, struct strings *leaving);
/* Puts those that a section (a list, or NULL) assigns otherwise than they are, for the loop that holds agents to their
 * models to apply. */
void backup_agents_restore(
	struct arena *a, const struct doc *section, struct agents *all, uint64_t now_ms);

#endif
