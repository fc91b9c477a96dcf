/*
 * What the files that compile parts of a plan share: copies into its arena, and findings.
 */
#ifndef PLAN_BUILD_H
#define PLAN_BUILD_H

#include "resource/object.h"

/* A plan outlives the snapshot that it was made of, so whatever it keeps is copied. Sizes are bounded
 * by RESOURCE_FILE_MAX. NUL behind the copy. */
struct bytes build_text(struct arena *a, struct bytes b);
/* The same with ASCII letters in lower case. */
struct bytes build_lower(struct arena *a, struct bytes b);

/* Without blanks and line breaks at its ends: a literal block ends with one. */
struct bytes build_trim(struct bytes b);

/* Where and what, for findings_add. */
struct finding build_error(const struct object *o, struct place at, const char *code);
struct finding build_warning(const struct object *o, struct place at, const char *code);

/* A scalar as text, whatever type its spelling resolves to; a type that is no string costs a warning
 * (`what` names the member). False for maps and lists (an error is added then) and for null. */
MUST_CHECK bool build_scalar(const struct yaml_node *n, const char *what, const struct object *o,
	struct findings *f, struct bytes *out);

struct place build_place(const struct yaml_node *n);

/* A host that a rule or a domain names, in lower case: "*" for every host (also said by nothing),
 * "*.a.com". False for what no request can ask for. */
MUST_CHECK bool build_host(struct arena *a, struct bytes text, struct bytes *out);

/* For qsort of objects: older first, no time at all is the oldest; then by name (§5.3). */
int build_by_age(const void *a, const void *b);

#endif
