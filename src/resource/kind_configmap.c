#include "resource/schema.h"

static const struct schema_row rows[] = {
	{"metadata", SCHEMA_MAP, .items = &schema_meta},
	{"data", SCHEMA_PAIRS, .required = true,
		.offset = offsetof(struct object, u.configmap.data)},
};

static const struct schema schema = SCHEMA_OF(rows, "apiVersion kind binaryData immutable");

const struct kind kind_configmap = {
	.dir = "configmaps", .name = "ConfigMap", .api_version = "v1", .schema = &schema};
