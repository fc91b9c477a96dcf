/*
 * EnvoyFilter: patches of Envoy's configuration. What one of them means is read by who knows its form
 * (plan/fallbacks.c); here only its frame is.
 */
#include "resource/schema.h"

static const struct schema_row route_rows[] = {
	{"name", SCHEMA_STRING, .offset = offsetof(struct envoy_patch, route)},
};
static const struct schema route_schema = SCHEMA_OF(route_rows, "action");

static const struct schema_row vhost_rows[] = {
	{"route", SCHEMA_MAP, .items = &route_schema},
};
static const struct schema vhost_schema = SCHEMA_OF(vhost_rows, "name");

static const struct schema_row configuration_rows[] = {
	{"vhost", SCHEMA_MAP, .items = &vhost_schema},
};
static const struct schema configuration_schema =
	SCHEMA_OF(configuration_rows, "portNumber portName gateway name");

static const struct schema_row match_rows[] = {
	{"context", SCHEMA_STRING, .offset = offsetof(struct envoy_patch, context)},
	{"routeConfiguration", SCHEMA_MAP, .items = &configuration_schema},
};
static const struct schema match_schema = SCHEMA_OF(match_rows, "proxy listener cluster");

static const struct schema_row change_rows[] = {
	{"operation", SCHEMA_STRING, .offset = offsetof(struct envoy_patch, operation)},
	{"value", SCHEMA_NODE, .offset = offsetof(struct envoy_patch, value)},
};
static const struct schema change_schema = SCHEMA_OF(change_rows, "filterClass");

static const struct schema_row patch_rows[] = {
	{"applyTo", SCHEMA_STRING, .offset = offsetof(struct envoy_patch, apply_to)},
	{"match", SCHEMA_MAP, .items = &match_schema},
	{"patch", SCHEMA_MAP, .items = &change_schema},
};
static const struct schema patch_schema = SCHEMA_ITEM(patch_rows, "", struct envoy_patch, at);

static const struct schema_row spec_rows[] = {
	{"configPatches", SCHEMA_LIST, .items = &patch_schema,
		.offset = offsetof(struct object, u.envoyfilter.patches),
		.also = offsetof(struct object, u.envoyfilter.n_patches)},
};
static const struct schema spec_schema =
	SCHEMA_OF(spec_rows, "workloadSelector targetRefs priority");

static const struct schema_row rows[] = {
	{"metadata", SCHEMA_MAP, .items = &schema_meta},
	{"spec", SCHEMA_MAP, .required = true, .items = &spec_schema},
};

static const struct schema schema = SCHEMA_OF(rows, "apiVersion kind status");

const struct kind kind_envoyfilter = {.dir = "envoyfilters",
	.name = "EnvoyFilter",
	.api_version = "networking.istio.io/v1alpha3",
	.schema = &schema};
