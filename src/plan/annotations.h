/*
 * Annotations of an Ingress (higress-resources.md §2.5, §5.4): how a value is found, and which ones
 * this version must not overlook.
 */
#ifndef PLAN_ANNOTATIONS_H
#define PLAN_ANNOTATIONS_H

#include "resource/object.h"

/* Keys of nginx are preferred where both are read. */
enum annotation_prefix { ANNOTATION_HIGRESS, ANNOTATION_EITHER };

/* Value of higress.io/<key>, trimmed; "" when it is absent or empty. *at (may be NULL) says where. */
struct bytes annotation_get(
	const struct object *o, const char *key, enum annotation_prefix prefix, struct place *at);
/* 1, 0 or, when there is none, -1; -2 for a value that is no boolean. */
int annotation_bool(
	const struct object *o, const char *key, enum annotation_prefix prefix, struct place *at);
/* The same, where what is no boolean counts as not said (higress-resources.md §5.4): -1, and a warning. */
int annotation_bool_or_unsaid(
	const struct object *o, const char *key, enum annotation_prefix prefix, struct findings *f);
/* Whether the routes of the Ingress can be matched as they are meant: false when a condition is set
 * that this version does not evaluate. Warns about what has no effect. */
bool annotations_allow(const struct object *o, struct findings *f);

#endif
