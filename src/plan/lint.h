/*
 * What a configuration says in vain, or says twice and differently: rules for nothing, providers that
 * no route uses, routes that another one hides, records of the Console that do not belong together
 * (higress-resources.md §4.1). All of it is accepted and served; none of it is an error, since what is
 * wrong is found where it is read: object_read, plan_compile. docs/lint.md lists the codes of all.
 */
#ifndef PLAN_LINT_H
#define PLAN_LINT_H

#include "plan/plan.h"

/* p is the plan of s. Adds warnings, and infos for what is only worth knowing. Texts are copied into the
 * arena of f. */
void lint_resources(const struct snapshot *s, const struct plan *p, struct findings *f);

#endif
