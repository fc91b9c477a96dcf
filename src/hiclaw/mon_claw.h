/*
 * OpenClaw's configurations in a backup (monitor-api.md 6.6): {"manager": {"text": …}, "workers": {"alice": {"text": …}}},
 * read from where each agent reads its own, and written back by the same protocol as a switch writes. Which file and
 * which object that is never comes from a document.
 */
#ifndef HICLAW_MON_CLAW_H
#define HICLAW_MON_CLAW_H

#include "hiclaw/monitor.h"

/* *out: what there is; what cannot be read is left out. */
void mon_claw_read(struct ask *k, struct doc **out, void (*next)(struct ask *k));
/* Whether a section can be written. *why is a sentence. */
bool mon_claw_check(struct arena *a, const struct doc *section, const char **why);
/* {"added": [], "changed": ["manager", "alice"], "removed": []}: who has another text than `now` says. Nobody's
 * configuration is made or taken away. */
struct doc *mon_claw_compare(struct arena *a, const struct doc *section, const struct doc *now);
/* Writes what differs, where there is a configuration already. problems (a list) gets a sentence for each place that
 * could not be written. */
void mon_claw_write(struct ask *k, const struct doc *section, struct doc *problems,
	void (*next)(struct ask *k));
/* The records of agents that nobody assigns any more (targets): files and objects, as DELETE of an assignment does. */
void mon_claw_drop_records(struct ask *k, const struct strings *targets, struct doc *problems,
	void (*next)(struct ask *k));

#endif
