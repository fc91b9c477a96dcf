/*
 * The built-in plugins of the Console besides those that operations use themselves (console-api.md §3.11):
 * what its WasmPlugins say of them, so that ours are the same. In the order of their names.
 */
#include "resource/op_int.h"

#define ICONS "https://img.alicdn.com/imgextra/"
#define ICON_AI ICONS "i1/O1CN018iKKih1iVx287RltL_!!6000000004419-2-tps-42-42.png"
#define ICON_AUTH ICONS "i4/O1CN01BPFGlT1pGZ2VDLgaH_!!6000000005333-2-tps-42-42.png"
#define ICON_SECURITY ICONS "i1/O1CN01jKT9vC1O059vNaq5u_!!6000000001642-2-tps-42-42.png"
#define ICON_TRAFFIC ICONS "i3/O1CN01bAFa9k1t1gdQcVTH0_!!6000000005842-2-tps-42-42.png"
#define ICON_MCP ICONS "i1/O1CN01wv8H4g1mS4MUzC1QC_!!6000000004952-2-tps-1764-597.png"

static const struct op_plugin plugins[] = {
	{"ai-agent", "2.0.1", "2.0.1", "AI Agent", NULL, ICON_AI, "ai", NULL, 200, NULL},
	{"ai-cache", "2.0.1", "2.0.1", "AI Cache", NULL, ICON_AI, "ai", NULL, 800, NULL},
	{"ai-context-limit", "1.0.0", "1.0.0", "AI Context Limit", NULL, NULL, "ai", NULL, 100,
		NULL},
	{"ai-data-masking", "2.0.1", "2.0.1", "AI data masking", NULL, ICON_AI, "ai", "AUTHN", 991,
		NULL},
	{"ai-history", "2.0.1", "2.0.1", "AI History", NULL, ICON_AI, "ai", NULL, 650, NULL},
	{"ai-intent", "2.0.1", "2.0.1", "AI Intent", NULL, ICON_AI, "ai", NULL, 700, NULL},
	{"ai-json-resp", "2.0.1", "2.0.1", "AI JSON Format", NULL, ICON_AI, "ai", NULL, 150, NULL},
	{"ai-load-balancer", "2.0.1", "2.0.1", "AI LOAD BALANCER", NULL, ICON_AI, "ai", NULL, 50,
		NULL},
	{"ai-prompt-decorator", "2.0.1", "2.0.1", "AI Prompt Decorator", NULL, ICON_AI, "ai", NULL,
		450, NULL},
	{"ai-prompt-template", "2.0.1", "2.0.1", "AI Prompt Template", NULL, ICON_AI, "ai", NULL,
		500, NULL},
	{"ai-quota", "2.0.1", "2.0.1", "AI Quota", NULL, ICON_AI, "ai", NULL, 750, NULL},
	{"ai-rag", "2.0.1", "2.0.1", "AI RAG", NULL, ICON_AI, "ai", NULL, 400, NULL},
	{"ai-search", "2.0.1", "2.0.1", "AI Search", NULL, ICON_AI, "ai", NULL, 440, NULL},
	{"ai-security-guard", "2.0.1", "2.0.1", "AI Security Guard", NULL, ICON_AI, "ai", NULL, 300,
		NULL},
	{"ai-token-ratelimit", "2.0.1", "2.0.1", "AI Token Rate Limit", NULL, ICON_AI, "ai", NULL,
		600, NULL},
	{"ai-transformer", "2.0.1", "2.0.1", "AI Transformer", NULL, ICON_AI, "ai", NULL, 550,
		NULL},
	{"basic-auth", "1.0.0", "2.0.0", "Basic Auth", NULL, ICON_AUTH, "auth", "AUTHN", 320, NULL},
	{"bot-detect", "1.0.0", "2.0.0", "Bot Detect", NULL, ICON_SECURITY, "security", "AUTHZ",
		310, NULL},
	{"cache-control", "2.0.1", "2.0.1", "Browser Cache Control", NULL, ICON_TRAFFIC,
		"transform", "AUTHN", 420, NULL},
	{"cluster-key-rate-limit", "2.0.1", "2.0.1", "Key Cluster Rate Limit", NULL, ICON_TRAFFIC,
		"traffic", NULL, 20, NULL},
	{"cors", "2.0.2", "2.0.2", "CORS", NULL, ICON_SECURITY, "security", "AUTHZ", 340, NULL},
	{"custom-response", "1.0.0", "2.0.0", "Custom Response", NULL, ICON_TRAFFIC, "transform",
		"AUTHN", 910, NULL},
	{"de-graphql", "2.0.1", "2.0.1", "DeGraphQL", NULL, ICON_TRAFFIC, "transform", "AUTHN", 430,
		NULL},
	{"ext-auth", "2.0.1", "2.0.1", "Ext Auth", NULL, ICON_AUTH, "auth", "AUTHN", 360, NULL},
	{"frontend-gray", "2.0.1", "2.0.1", "Frontend Gray", NULL, ICON_TRAFFIC, "transform", NULL,
		450, NULL},
	{"geo-ip", "2.0.1", "2.0.1", "Geo IP", NULL, ICON_TRAFFIC, "o11y", "AUTHN", 440, NULL},
	{"gw-error-format", "1.0.0", "1.0.0", "Gateway Error Formatter", NULL, NULL, "transform",
		NULL, 0, NULL},
	{"hmac-auth", "1.0.0", "2.0.0", "HMAC Auth", NULL, ICON_AUTH, "auth", "AUTHN", 330, NULL},
	{"hmac-auth-apisix", "2.0.1", "2.0.1", "HMAC Authentication (APISIX Compatible)", NULL,
		NULL, "auth", "AUTHN", 200, NULL},
	{"ip-restriction", "2.0.1", "2.0.1", "IP Restriction", NULL, ICON_TRAFFIC, "security",
		"AUTHN", 210, NULL},
	{"json-converter", "2.0.1", "2.0.1", "JSON CONVERTER", NULL, NULL, "transformation", NULL,
		50, "jsonrpc-converter"},
	{"jwt-auth", "1.0.0", "2.0.0", "JWT Auth", NULL, ICON_AUTH, "auth", "AUTHN", 340, NULL},
	{"key-rate-limit", "1.0.0", "2.0.0", "Key Rate Limit", NULL, ICON_TRAFFIC, "traffic", NULL,
		10, NULL},
	{"log-request-response", "1.0.0", "1.0.0", "Request and Response Logging", NULL, NULL,
		"o11y", NULL, 0, NULL},
	{"mcp-router", "2.0.1", "2.0.1", "MCP Router", NULL, NULL, "ai", NULL, 1000, NULL},
	{"mcp-server", "2.0.1", "2.0.1", "MCP Server", "Host MCP servers for AI tool integration.",
		ICON_MCP, "ai", NULL, 999, NULL},
	{"nginx-rewrite-compatible", "1.0.0", "1.0.0", "Nginx Rewrite Compatibility", NULL, NULL,
		"transform", NULL, 0, NULL},
	{"oauth", "1.0.0", "2.0.0", "OAuth2", NULL, ICON_AUTH, "auth", "AUTHN", 350, NULL},
	{"oidc", "2.0.1", "2.0.1", "OIDC Auth", NULL, ICON_AUTH, "auth", "AUTHN", 350, NULL},
	{"opa", "2.0.1", "2.0.1", "OPA", NULL, ICON_TRAFFIC, "auth", "AUTHN", 225, NULL},
	{"request-block", "1.0.0", "2.0.0", "Request Block", NULL, ICON_TRAFFIC, "security",
		"AUTHZ", 320, NULL},
	{"request-validation", "2.0.1", "2.0.1", "Request Validation", NULL, ICON_TRAFFIC,
		"traffic", "AUTHN", 220, NULL},
	{"response-cache", "1.0.1", "1.0.1", "Response Cache", NULL, NULL, "traffic", NULL, 0,
		NULL},
	{"simple-jwt-auth", "1.0.1", "1.0.1", "Simple JWT Authentication", NULL, NULL, "auth",
		"AUTHN", 200, NULL},
	{"traffic-tag", "2.0.1", "2.0.1", "Traffic Tagging", NULL, ICON_TRAFFIC, "traffic", NULL,
		400, NULL},
	{"transformer", "2.0.1", "2.0.1", "Transformer", NULL, ICON_TRAFFIC, "transform", "AUTHN",
		410, NULL},
	{"waf", "2.0.1", "2.0.1", "WAF", NULL, ICON_SECURITY, "security", "AUTHZ", 330, NULL},
};

const struct op_plugin *op_plugin_find(struct bytes name)
{
	static const struct op_plugin *const own[] = {&op_plugin_ai_proxy, &op_plugin_key_auth,
		&op_plugin_model_router, &op_plugin_model_mapper, &op_plugin_ai_statistics};

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (bytes_eq(name, bytes_str(own[i]->name))) {
			return own[i];
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(plugins); i++) {
		if (bytes_eq(name, bytes_str(plugins[i].name))) {
			return &plugins[i];
		}
	}
	return NULL;
}

/* Usage is counted without ai-statistics, too. */
bool op_plugin_served(struct bytes name)
{
	static const char *const served[] = {"ai-proxy", "ai-statistics", "basic-auth", "cors",
		"key-auth", "model-mapper", "model-router", "request-block"};

	for (size_t i = 0; i < ARRAY_LEN(served); i++) {
		if (bytes_eq(name, bytes_str(served[i]))) {
			return true;
		}
	}
	return false;
}
