/*
 * metadata of every kind. Name and namespace are the file's place, not what it says about itself.
 */
#include "resource/schema.h"

static const struct schema_row rows[] = {
	{"labels", SCHEMA_PAIRS, .offset = offsetof(struct object, meta.labels)},
	{"annotations", SCHEMA_PAIRS, .offset = offsetof(struct object, meta.annotations)},
	{"creationTimestamp", SCHEMA_STRING, .offset = offsetof(struct object, meta.creation)},
	{"resourceVersion", SCHEMA_STRING, .offset = offsetof(struct object, meta.version)},
};

const struct schema schema_meta = SCHEMA_OF(rows,
	"name namespace generateName uid generation selfLink managedFields "
	"ownerReferences finalizers deletionTimestamp deletionGracePeriodSeconds");
