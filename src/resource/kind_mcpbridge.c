#include "resource/schema.h"

static const struct schema_row registry_rows[] = {
	{"name", SCHEMA_STRING, .required = true, .offset = offsetof(struct registry, name)},
	{"type", SCHEMA_STRING, .required = true, .offset = offsetof(struct registry, type)},
	{"domain", SCHEMA_STRING, .required = true, .offset = offsetof(struct registry, domain),
		.place = offsetof(struct registry, domain_at)},
	{"port", SCHEMA_PORT, .offset = offsetof(struct registry, port)},
	{"protocol", SCHEMA_STRING, .offset = offsetof(struct registry, protocol)},
	{"sni", SCHEMA_STRING, .offset = offsetof(struct registry, sni)},
	{"proxyName", SCHEMA_STRING, .offset = offsetof(struct registry, proxy_name)},
	{"nacosRefreshInterval", SCHEMA_I64, .offset = SCHEMA_NOWHERE},
	{"consulRefreshInterval", SCHEMA_I64, .offset = SCHEMA_NOWHERE},
	{"enableMCPServer", SCHEMA_BOOL, .offset = SCHEMA_NOWHERE},
};

static const struct schema registry_schema = SCHEMA_ITEM(registry_rows,
	"vport nacosAddressServer nacosAccessKey nacosSecretKey nacosNamespaceId "
	"nacosNamespace nacosGroups mcpServerBaseUrl mcpServerExportDomains "
	"enableScopeMcpServers allowMcpServers zkServicesPath consulNamespace "
	"consulDatacenter consulServiceTag authSecretName metadata",
	struct registry, at);

static const struct schema_row spec_rows[] = {
	{"registries", SCHEMA_LIST, .items = &registry_schema,
		.offset = offsetof(struct object, u.mcpbridge.registries),
		.also = offsetof(struct object, u.mcpbridge.n_registries)},
};

static const struct schema spec_schema = SCHEMA_OF(spec_rows, "proxies");

static const struct schema_row rows[] = {
	{"metadata", SCHEMA_MAP, .items = &schema_meta},
	{"spec", SCHEMA_MAP, .required = true, .items = &spec_schema},
};

static const struct schema schema = SCHEMA_OF(rows, "apiVersion kind status");

const struct kind kind_mcpbridge = {.dir = "mcpbridges",
	.name = "McpBridge",
	.api_version = "networking.higress.io/v1",
	.schema = &schema};
