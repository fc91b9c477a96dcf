/*
 * What has to be done to make the resources of a gateway those of files. Pure.
 */
#ifndef CLI_DECLARE_PLAN_H
#define CLI_DECLARE_PLAN_H

#include "base/err.h"
#include "resource/object.h"
#include "wire/doc.h"

enum declare_what { DECLARE_SAME, DECLARE_CREATE, DECLARE_CHANGE, DECLARE_REMOVE, DECLARE_COUNT };

struct declare_item {
	enum declare_what what;
	enum resource_kind kind;
	struct bytes name;
	/* Without what only a store says; NULL: it is not there. */
	struct doc *before, *after;
};

struct declare_plan {
	struct declare_item
		*v; /* of the files, in the order of the snapshot; then what is removed */
	size_t n;
	size_t count[DECLARE_COUNT];
};

/* stored: a list of {kind, name, text}, as the API gives it; prune: what wanted lacks is removed. Documents are in the
 * arena and point into wanted and stored. ERR_SYNTAX: a stored text is no YAML; *f names the object. */
MUST_CHECK int declare_plan_make(struct declare_plan *p, struct arena *a,
	const struct snapshot *wanted, const struct doc *stored, bool prune, struct fault *f);
void declare_plan_done(struct declare_plan *p);

#endif
