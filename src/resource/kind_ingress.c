/*
 * Ingress, and the flat form that some Higress file stores write: labels, annotations, tls and rules at
 * the top (higress-resources.md §1.9).
 */
#include "resource/schema.h"

static const struct schema_row resource_rows[] = {
	{"kind", SCHEMA_STRING, .offset = offsetof(struct ingress_path, backend_kind)},
	{"name", SCHEMA_STRING, .offset = offsetof(struct ingress_path, backend_name)},
};

static const struct schema resource_schema = SCHEMA_OF(resource_rows, "apiGroup");

/* serviceName is how an Ingress of a first version said it. */
static const struct schema_row backend_rows[] = {
	{"resource", SCHEMA_MAP, .items = &resource_schema},
	{"service", SCHEMA_PRESENT, .offset = offsetof(struct ingress_path, backend_service)},
	{"serviceName", SCHEMA_PRESENT, .offset = offsetof(struct ingress_path, backend_service)},
};

static const struct schema backend_schema = SCHEMA_OF(backend_rows, "servicePort");

static const struct schema_row path_rows[] = {
	{"path", SCHEMA_STRING, .offset = offsetof(struct ingress_path, path)},
	{"pathType", SCHEMA_STRING, .offset = offsetof(struct ingress_path, type)},
	{"backend", SCHEMA_MAP, .items = &backend_schema},
};

static const struct schema path_schema = SCHEMA_ITEM(path_rows, "", struct ingress_path, at);

static const struct schema_row http_rows[] = {
	{"paths", SCHEMA_LIST, .items = &path_schema,
		.offset = offsetof(struct ingress_rule, paths),
		.also = offsetof(struct ingress_rule, n_paths)},
};

static const struct schema http_schema = SCHEMA_OF(http_rows, "");

static const struct schema_row rule_rows[] = {
	{"host", SCHEMA_STRING, .offset = offsetof(struct ingress_rule, host)},
	{"http", SCHEMA_MAP, .items = &http_schema},
};

static const struct schema rule_schema = SCHEMA_ITEM(rule_rows, "", struct ingress_rule, at);

static const struct schema_row tls_rows[] = {
	{"hosts", SCHEMA_STRINGS, .offset = offsetof(struct ingress_tls, hosts)},
	{"secretName", SCHEMA_STRING, .offset = offsetof(struct ingress_tls, secret)},
};

static const struct schema tls_schema = SCHEMA_ITEM(tls_rows, "", struct ingress_tls, at);

#define RULES_ROW                                                                         \
	{                                                                                 \
		"rules", SCHEMA_LIST, .items = &rule_schema,                              \
				      .offset = offsetof(struct object, u.ingress.rules), \
				      .also = offsetof(struct object, u.ingress.n_rules), \
	}
#define TLS_ROW                                                                       \
	{                                                                             \
		"tls", SCHEMA_LIST, .items = &tls_schema,                             \
				    .offset = offsetof(struct object, u.ingress.tls), \
				    .also = offsetof(struct object, u.ingress.n_tls), \
	}

static const struct schema_row spec_rows[] = {
	{"ingressClassName", SCHEMA_STRING,
		.offset = offsetof(struct object, u.ingress.class_name)},
	RULES_ROW,
	TLS_ROW,
};

static const struct schema spec_schema = SCHEMA_OF(spec_rows, "defaultBackend backend");

static const struct schema_row rows[] = {
	{"metadata", SCHEMA_MAP, .items = &schema_meta},
	{"spec", SCHEMA_MAP, .required = true, .items = &spec_schema},
};

static const struct schema schema = SCHEMA_OF(rows, "apiVersion kind status");

static const struct schema_row flat_rows[] = {
	{"labels", SCHEMA_PAIRS, .offset = offsetof(struct object, meta.labels)},
	{"annotations", SCHEMA_PAIRS, .offset = offsetof(struct object, meta.annotations)},
	RULES_ROW,
	TLS_ROW,
};

static const struct schema flat_schema = SCHEMA_OF(flat_rows, "apiVersion kind defaultBackend");

const struct kind kind_ingress = {.dir = "ingresses",
	.name = "Ingress",
	.api_version = "networking.k8s.io/v1",
	.schema = &schema,
	.flat = &flat_schema};
