/* Assignments as the API shows them (monitor-api.md 4.3, 4.5). */
#ifndef HICLAW_MON_ASSIGNMENT_H
#define HICLAW_MON_ASSIGNMENT_H

#include "hiclaw/monitor.h"
#include "hiclaw/record.h"

struct mon_record { /* model.json of an agent */
	struct bytes target;
	bool exists, corrupt;
	struct record record;
};

/* Reads the files of the targets on a jobs thread, where there are some; n entries in the arena, zeroed but for their
 * targets. next is called with them in place. */
void mon_assignment_load(
	struct ask *k, struct mon_record *v, size_t n, void (*next)(struct ask *k));
/* Whether a model is assigned, by us or by the file. */
bool mon_assignment_is(const struct ask *k, const struct mon_record *r);
struct doc *mon_assignment_doc(struct ask *k, const struct mon_record *r);
/* Whether the path names a Worker; else refused. */
bool mon_assignment_name(struct ask *k);
/* "2026-01-01T00:00:00Z", in the arena; null for 0. */
struct doc *mon_assignment_time(struct ask *k, uint64_t ms);

#endif
