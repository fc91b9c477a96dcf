/*
 * rewrite-target (higress-resources.md §5.6): what the path of a request becomes, with what groups of the
 * route's expression took.
 */
#ifndef PLAN_REWRITE_H
#define PLAN_REWRITE_H

#include "base/arena.h"
#include "base/regex.h"
#include "base/text.h"

/* Texts and groups in one target: each group may be as long as the path. */
#define REWRITE_PIECES_MAX 64u

struct rewrite_target;

/* "$1" and "\1" stand for the first group, "\0" for the whole path, "\\" for a backslash. The target and
 * its texts are in the arena. NULL and *fault for a text that is no path, or asks for a group that an
 * expression of n_groups does not have. */
MUST_CHECK const struct rewrite_target *rewrite_parse(
	struct bytes text, unsigned n_groups, struct arena *a, struct fault *fault);
/* Appends what the target makes of the path, with a slash at its beginning in any case; the path itself
 * when the expression does not match it. */
void rewrite_put(const struct rewrite_target *t, const struct regex *pattern, struct bytes path,
	struct text *out);

/* Whether a target makes the paths of its Ingress expressions (§5.4), whatever they are. */
bool rewrite_has_groups(struct bytes target);
/* Whether a path beside a target is one. */
bool rewrite_is_pattern(struct bytes path);

#endif
