/*
 * What another Console's objects would mean if they were ours (placement P4): a plan of them, to be asked where a request
 * goes (hiclaw/resolve.h). It is never served. Pure, and as long as compiling: a jobs thread.
 */
#ifndef HICLAW_FOREIGN_PLAN_H
#define HICLAW_FOREIGN_PLAN_H

#include "hiclaw/ops.h"
#include "plan/plan.h"

/* lists: of sources, providers, consumers and AI routes, with secrets in clear or masked; those that are NULL have none.
 * What cannot be one of our objects is left out. Texts of the lists may go afterwards. NULL: there is too much of it.
 * plan_free ends it. */
struct plan *foreign_plan(
	struct doc *const lists[OPS_NOUNS], const struct provider_types *types, int64_t now_s);

#endif
