#include "resource/schema.h"

static const struct schema_row registry_rows[] = {
	{"name", SCHEMA_STRING, .required = true, .offset = offsetof(struct registry, name)},
	{"type", SCHEMA_STRING, .required = true, .offset = offsetof(struct registry, type)},
	{"domain", SCHEMA_STRING, .required = true, .offset = offsetof(struct registry, domain),
		.place = offsetof(struct registry, domain_at)},
	{"port", SCHEMA_PORT, .offset = offsetof(struct registry, port)},
	{"protocol", SCHEMA_STRING, .offset = offsetof(struct registry, protocol)},
	{"sni", SCHEMA_STRING, .offset = offsetof(struct registry, sni)},
	{"proxyName", SCHEMA_STRING, .offset = offsetof(struct registry, proxy_name),
		.place = offsetof(struct registry, proxy_at)},
	{"authSecretName", SCHEMA_STRING, .offset = offsetof(struct registry, auth_secret)},
	{"nacosNamespaceId", SCHEMA_STRING, .offset = offsetof(struct registry, nacos_namespace)},
	{"nacosGroups", SCHEMA_STRINGS, .offset = offsetof(struct registry, nacos_groups)},
	{"nacosRefreshInterval", SCHEMA_I64, .offset = offsetof(struct registry, nacos_refresh_s)},
	{"zkServicesPath", SCHEMA_STRINGS, .offset = offsetof(struct registry, zk_paths)},
	{"consulDatacenter", SCHEMA_STRING, .offset = offsetof(struct registry, consul_datacenter)},
	{"consulServiceTag", SCHEMA_STRING, .offset = offsetof(struct registry, consul_tag)},
	{"consulRefreshInterval", SCHEMA_I64,
		.offset = offsetof(struct registry, consul_refresh_s)},
	{"enableMCPServer", SCHEMA_BOOL, .offset = offsetof(struct registry, mcp_server)},
	{"mcpServerBaseUrl", SCHEMA_STRING, .offset = offsetof(struct registry, mcp_base_url)},
	{"mcpServerExportDomains", SCHEMA_STRINGS,
		.offset = offsetof(struct registry, mcp_domains)},
};

static const struct schema registry_schema = SCHEMA_ITEM(registry_rows,
	"vport nacosAddressServer nacosAccessKey nacosSecretKey nacosNamespace "
	"enableScopeMcpServers allowMcpServers consulNamespace metadata",
	struct registry, at);

static const struct schema_row proxy_rows[] = {
	{"name", SCHEMA_STRING, .required = true, .offset = offsetof(struct proxy, name)},
	{"type", SCHEMA_STRING, .offset = offsetof(struct proxy, type)},
	{"serverAddress", SCHEMA_STRING, .required = true,
		.offset = offsetof(struct proxy, address)},
	{"serverPort", SCHEMA_PORT, .required = true, .offset = offsetof(struct proxy, port)},
	{"connectTimeout", SCHEMA_I64, .offset = offsetof(struct proxy, connect_ms)},
};

static const struct schema proxy_schema = SCHEMA_ITEM(proxy_rows, "listenerPort", struct proxy, at);

static const struct schema_row spec_rows[] = {
	{"registries", SCHEMA_LIST, .items = &registry_schema,
		.offset = offsetof(struct object, u.mcpbridge.registries),
		.also = offsetof(struct object, u.mcpbridge.n_registries)},
	{"proxies", SCHEMA_LIST, .items = &proxy_schema,
		.offset = offsetof(struct object, u.mcpbridge.proxies),
		.also = offsetof(struct object, u.mcpbridge.n_proxies)},
};

static const struct schema spec_schema = SCHEMA_OF(spec_rows, "");

static const struct schema_row rows[] = {
	{"metadata", SCHEMA_MAP, .items = &schema_meta},
	{"spec", SCHEMA_MAP, .required = true, .items = &spec_schema},
};

static const struct schema schema = SCHEMA_OF(rows, "apiVersion kind status");

const struct kind kind_mcpbridge = {.dir = "mcpbridges",
	.name = "McpBridge",
	.api_version = "networking.higress.io/v1",
	.schema = &schema};
