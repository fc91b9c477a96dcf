#include "registry.h"

#include "ai/providers.h"
#include "cli/agm_command.h"
#include "cli/backup_command.h"
#include "cli/completion.h"
#include "cli/declare_command.h"
#include "cli/explain_command.h"
#include "cli/help.h"
#include "cli/lint_command.h"
#include "cli/noun_command.h"
#include "cli/settings.h"
#include "cli/version.h"
#include "console/ep_backups.h"
#include "console/ep_health.h"
#include "console/ep_instances.h"
#include "console/ep_mcp.h"
#include "console/ep_metrics.h"
#include "console/ep_nouns.h"
#include "console/ep_openapi.h"
#include "console/ep_plugins.h"
#include "console/ep_resources.h"
#include "console/ep_routes.h"
#include "console/ep_services.h"
#include "console/ep_session.h"
#include "console/ep_system.h"
#include "mock/mock.h"
#include "serve.h"

static int run_help(int argc, char **argv)
{
	return help_main(&registry_commands, argc, argv);
}

static int run_mock(int argc, char **argv)
{
	return mock_main(argc, argv, version_text());
}

static int run_lint(int argc, char **argv)
{
	return lint_command_main(&provider_types, argc, argv);
}

static int run_completion(int argc, char **argv)
{
	return completion_main(&registry_commands, argc, argv);
}

/* The commands of a noun. */
#define NOUN_COMMAND(noun_)                                                              \
	static int run_##noun_(int argc, char **argv)                                    \
	{                                                                                \
		return noun_command_main(&noun_of_##noun_, &provider_types, argc, argv); \
	}                                                                                \
	static void help_##noun_(FILE *out)                                              \
	{                                                                                \
		noun_command_help(&noun_of_##noun_, out);                                \
	}
NOUN_COMMAND(providers)
NOUN_COMMAND(consumers)
NOUN_COMMAND(domains)
NOUN_COMMAND(routes)

static int run_explain(int argc, char **argv)
{
	return explain_command_main(&provider_types, argc, argv);
}

static void help_details(FILE *out)
{
	fputs("Options:\n  --markdown\n      All commands as one page, docs/commands.md.\n"
	      "  --man\n      The same as a manual page, sluice(1).\n",
		out);
}

static const struct command commands[] = {
	{
		.name = "serve",
		.summary = "run the gateway",
		.usage = "sluice serve [OPTION]...",
		.example = "sluice serve --resources examples/quickstart/resources --gateway "
			   "127.0.0.1:8080",
		.details = settings_help,
		.run = serve_main,
	},
	{
		.name = "lint",
		.summary = "say what is wrong, or said in vain, in resource files",
		.usage = "sluice lint [--strict] [--info] [--json] PATH...",
		.example = "sluice lint examples/quickstart/resources",
		.details = lint_command_help,
		.run = run_lint,
	},
	{
		.name = "providers",
		.summary = "list, make and test providers of a running gateway",
		.usage = "sluice providers {list|get|create|update|delete|test} [NAME] [OPTION]...",
		.example =
			"sluice providers create openai --type openai --token-env OPENAI_API_KEY",
		.details = help_providers,
		.run = run_providers,
	},
	{
		.name = "consumers",
		.summary = "list and make consumers, who may use the gateway",
		.usage = "sluice consumers {list|get|create|update|delete} [NAME] [OPTION]...",
		.example = "sluice consumers create alice",
		.details = help_consumers,
		.run = run_consumers,
	},
	{
		.name = "domains",
		.summary = "list and make domains",
		.usage = "sluice domains {list|get|create|update|delete} [NAME] [OPTION]...",
		.example = "sluice domains create api.example.com --https on --certificate example",
		.details = help_domains,
		.run = run_domains,
	},
	{
		.name = "routes",
		.summary = "list and make AI routes, from models to providers",
		.usage = "sluice routes {list|get|create|update|delete} [NAME] [OPTION]...",
		.example = "sluice routes create chat --provider openai=80 --provider qwen=20 "
			   "--model-prefix gpt-",
		.details = help_routes,
		.run = run_routes,
	},
	{
		.name = "ai-routes",
		.summary = "the same as routes",
		.usage = "sluice ai-routes {list|get|create|update|delete} [NAME] [OPTION]...",
		.example = "sluice ai-routes create chat --provider openai=80 --provider qwen=20 "
			   "--model-prefix gpt-",
		.details = help_routes,
		.run = run_routes,
	},
	{
		.name = "apply",
		.summary = "make a gateway's resources what files say",
		.usage = "sluice apply -f PATH [--prune] [--dry-run]",
		.example = "sluice apply -f examples/quickstart/resources",
		.details = declare_command_apply_help,
		.run = declare_command_apply,
	},
	{
		.name = "diff",
		.summary = "show what apply would change",
		.usage = "sluice diff -f PATH [--prune]",
		.example = "sluice diff -f examples/quickstart/resources",
		.details = declare_command_diff_help,
		.run = declare_command_diff,
	},
	{
		.name = "export",
		.summary = "write a gateway's resources to files",
		.usage = "sluice export [-o DIR]",
		.example = "sluice export -o resources",
		.details = declare_command_export_help,
		.run = declare_command_export,
	},
	{
		.name = "backup",
		.summary = "list backups of a gateway's resources, make one, go back to one",
		.usage = "sluice backup {list|create|show|restore|delete} [ID] [OPTION]...",
		.example = "sluice backup create --reason \"before the move\"",
		.details = backup_command_help,
		.run = backup_command_main,
	},
	{
		.name = "model",
		.summary = "say which models HiClaw's agents use",
		.usage = "sluice model {get|set|list|unset|test|reload|known} [TARGET] [OPTION]...",
		.example =
			"sluice model set --target worker:alice --provider qwen --model qwen3.5-plus",
		.details = agm_command_model_help,
		.run = agm_command_model_main,
	},
	{
		.name = "agm",
		.summary = "do what the scripts of HiClaw's skill do",
		.usage = "sluice agm COMMAND [OPTION]...",
		.example =
			"sluice agm set-model --target manager --provider qwen --model qwen3.5-plus",
		.details = agm_command_help,
		.run = agm_command_main,
	},
	{
		.name = "explain",
		.summary = "say what would happen to a request, and why",
		.usage = "sluice explain [PATH]... --host HOST --path PATH [OPTION]...",
		.example = "sluice explain examples/two-providers --host "
			   "ai.example.com --path /v1/chat/completions --model qwen-max",
		.details = explain_command_help,
		.run = run_explain,
	},
	{
		.name = "mock",
		.summary = "run a model server for tests and demos",
		.usage = "sluice mock [OPTION]...",
		.example = "sluice mock --listen 127.0.0.1:9000",
		.details = mock_help,
		.run = run_mock,
	},
	{
		.name = "completion",
		.summary = "print what a shell needs to complete command lines",
		.usage = "sluice completion bash",
		.example = "source <(sluice completion bash)",
		.run = run_completion,
	},
	{
		.name = "version",
		.summary = "print version, compiler and libraries",
		.usage = "sluice version",
		.example = "sluice version",
		.run = version_main,
	},
	{
		.name = "help",
		.summary = "print what a command does",
		.usage = "sluice help [COMMAND]",
		.example = "sluice help serve",
		.details = help_details,
		.run = run_help,
	},
};

const struct command_table registry_commands = {commands, ARRAY_LEN(commands)};

static const struct console_endpoint endpoints[] = {
	{"GET", "/metrics", ep_metrics},
	{"GET", "/healthz/live", ep_health_live},
	{"GET", "/healthz/ready", ep_health_ready},
	{"GET", "/healthz/upstreams", ep_health_upstreams},
};

const struct console_endpoints registry_endpoints = {endpoints, ARRAY_LEN(endpoints)};

/* Rows: method, path, access, shape, effect, name in the body, noun. Literal paths stand before those with
 * params that would match them. */
#define ANYBODY(method_, path_, shape_, effect_, fn_, summary_)                                   \
	{                                                                                         \
		.method = (method_), .path = (path_), .access = ACT_ANONYMOUS, .shape = (shape_), \
		.effect = (effect_), .fn = (fn_), .summary = (summary_)                           \
	}
#define ADMIN(method_, path_, shape_, effect_, fn_, summary_)                                 \
	{                                                                                     \
		.method = (method_), .path = (path_), .access = ACT_ADMIN, .shape = (shape_), \
		.effect = (effect_), .fn = (fn_), .summary = (summary_)                       \
	}
#define NOUN(method_, path_, effect_, noun_, name_, fn_, answer_, summary_)                     \
	{                                                                                       \
		.method = (method_), .path = (path_), .access = ACT_ADMIN, .effect = (effect_), \
		.noun = (noun_), .name = (name_), .fn = (fn_), .answer = (answer_),             \
		.summary = (summary_)                                                           \
	}
#define NOUN_ROWS(base_, noun_, name_, list_, one_, many_)                                        \
	NOUN("GET", base_, ACT_READS, noun_, name_, list_, NULL, "list " many_),                  \
		NOUN("POST", base_, ACT_CHANGES, noun_, name_, ep_nouns_create, ep_nouns_answer,  \
			"create a " one_),                                                        \
		NOUN("GET", base_ "/{name}", ACT_READS, noun_, name_, ep_nouns_get, NULL,         \
			"get a " one_),                                                           \
		NOUN("PUT", base_ "/{name}", ACT_CHANGES, noun_, name_, ep_nouns_replace,         \
			ep_nouns_answer, "replace a " one_),                                      \
		NOUN("DELETE", base_ "/{name}", ACT_CHANGES, noun_, name_, ep_nouns_remove, NULL, \
			"remove a " one_)
#define ABSENT(path_, absent_, list_, fn_, summary_)                                    \
	{                                                                               \
		.method = "GET", .path = (path_), .access = ACT_ADMIN, .list = (list_), \
		.absent = (absent_), .fn = (fn_), .summary = (summary_)                 \
	}
#define INSTANCE(method_, path_, list_, effect_, fn_, answer_, summary_)                     \
	{                                                                                    \
		.method = (method_), .path = (path_), .access = ACT_ADMIN, .list = (list_),  \
		.effect = (effect_), .fn = (fn_), .answer = (answer_), .summary = (summary_) \
	}
#define INSTANCE_ROWS(base_, of_)                                                            \
	INSTANCE("GET", base_ "/plugin-instances", true, ACT_READS, ep_instances_list, NULL, \
		"list plugins configured for " of_),                                         \
		INSTANCE("GET", base_ "/plugin-instances/{plugin}", false, ACT_READS,        \
			ep_instances_get, NULL, "get a plugin's configuration for " of_),    \
		INSTANCE("PUT", base_ "/plugin-instances/{plugin}", false, ACT_CHANGES,      \
			ep_instances_put, ep_instances_get, "configure a plugin for " of_),  \
		INSTANCE("DELETE", base_ "/plugin-instances/{plugin}", false, ACT_CHANGES,   \
			ep_instances_remove, NULL, "remove a plugin's configuration for " of_)

static const struct act_endpoint acts[] = {
	ANYBODY("POST", "/system/init", ACT_WRAPPED, ACT_KEEPS, ep_session_init,
		"make the administrator, once"),
	ANYBODY("GET", "/system/info", ACT_RAW, ACT_READS, ep_system_info,
		"version and capabilities"),
	ANYBODY("GET", "/system/config", ACT_WRAPPED, ACT_READS, ep_system_config,
		"public configuration"),
	ADMIN("GET", "/system/higress-config", ACT_WRAPPED, ACT_READS, ep_system_higress,
		"global configuration as YAML"),
	{.method = "PUT",
		.path = "/system/higress-config",
		.access = ACT_ADMIN,
		.shape = ACT_WRAPPED,
		.effect = ACT_CHANGES,
		.fn = ep_system_put_higress,
		.answer = ep_system_higress,
		.summary = "replace the global configuration"},
	ANYBODY("POST", "/session/login", ACT_CREATED, ACT_READS, ep_session_login, "log in"),
	ANYBODY("GET", "/session/logout", ACT_WRAPPED, ACT_READS, ep_session_logout, "log out"),
	ADMIN("GET", "/user/info", ACT_WRAPPED, ACT_READS, ep_session_info,
		"the administrator's account"),
	ADMIN("POST", "/user/changePassword", ACT_WRAPPED, ACT_KEEPS, ep_session_change_password,
		"change the password"),
	ADMIN("GET", "/dashboard/info", ACT_WRAPPED, ACT_READS, ep_system_dashboard,
		"address of a dashboard"),
	ADMIN("PUT", "/dashboard/info", ACT_WRAPPED, ACT_KEEPS, ep_system_put_dashboard,
		"set the address of a dashboard"),
	ADMIN("GET", "/v1/openapi.json", ACT_RAW, ACT_READS, ep_openapi,
		"this description of the API"),
	{.method = "GET",
		.path = "/v1/services",
		.access = ACT_ADMIN,
		.list = true,
		.fn = ep_services_list,
		.summary = "list services that routes may point to"},
	{.method = "GET",
		.path = "/v1/backups",
		.access = ACT_ADMIN,
		.list = true,
		.fn = ep_backups_list,
		.summary = "list backups of the resources, the newest first"},
	ADMIN("POST", "/v1/backups", ACT_CREATED, ACT_KEEPS, ep_backups_create,
		"make a complete backup of the resources"),
	ADMIN("GET", "/v1/backups/{id}", ACT_WRAPPED, ACT_READS, ep_backups_compare,
		"say what going back to a backup would do"),
	ADMIN("GET", "/v1/backups/{id}/document", ACT_WRAPPED, ACT_READS, ep_backups_document,
		"all resources as they were then, secrets in clear"),
	ADMIN("POST", "/v1/backups/{id}/restore", ACT_WRAPPED, ACT_FILES, ep_backups_restore,
		"go back to a backup"),
	ADMIN("DELETE", "/v1/backups/{id}", ACT_NO_CONTENT, ACT_KEEPS, ep_backups_remove,
		"remove a backup"),
	{.method = "GET",
		.path = "/v1/resources",
		.access = ACT_ADMIN,
		.list = true,
		.fn = ep_resources_list,
		.summary = "all resources as the file store writes them"},
	{.method = "PUT",
		.path = "/v1/resources",
		.access = ACT_ADMIN,
		.shape = ACT_WRAPPED,
		.effect = ACT_CHANGES,
		.body_max = EP_RESOURCES_BODY_MAX,
		.fn = ep_resources_apply,
		.answer = ep_resources_answer,
		.summary = "write and remove any number of resources as one change"},
	NOUN_ROWS("/v1/domains", &noun_domain, ACT_NAME_FILLED_OR_400, ep_nouns_list, "domain",
		"domains"),
	{.method = "GET",
		.path = "/v1/domains/{name}/routes",
		.access = ACT_ADMIN,
		.list = true,
		.fn = ep_routes_of_domain,
		.summary = "list routes of a domain"},
	NOUN_ROWS("/v1/ai/providers", &noun_provider, ACT_NAME_NEEDED_ELSE_REPLACED, ep_nouns_list,
		"provider", "providers"),
	NOUN_ROWS("/v1/ai/routes", &noun_ai_route, ACT_NAME_NEEDED_ELSE_REPLACED, ep_nouns_list,
		"AI route", "AI routes"),
	NOUN_ROWS("/v1/consumers", &noun_consumer, ACT_NAME_FILLED_OR_400, ep_nouns_list,
		"consumer", "consumers"),
	NOUN_ROWS("/v1/routes", &noun_route, ACT_NAME_FILLED_OR_400, ep_routes_list, "route",
		"routes"),
	NOUN_ROWS("/v1/service-sources", &noun_source, ACT_NAME_REPLACED, ep_nouns_list,
		"service source", "service sources"),
	NOUN_ROWS("/v1/tls-certificates", &noun_certificate, ACT_NAME_NEEDED_ELSE_REPLACED,
		ep_nouns_list, "certificate", "certificates"),
	NOUN_ROWS("/v1/proxy-servers", &noun_proxy_server, ACT_NAME_REPLACED, ep_nouns_list,
		"proxy server", "proxy servers"),
	{.method = "GET",
		.path = "/v1/wasm-plugins",
		.access = ACT_ADMIN,
		.noun = &noun_wasm_plugin,
		.fn = ep_plugins_list,
		.summary = "list plugins"},
	NOUN("POST", "/v1/wasm-plugins", ACT_CHANGES, &noun_wasm_plugin, ACT_NAME_FILLED_OR_400,
		ep_nouns_create, ep_nouns_answer, "create a custom plugin"),
	NOUN("GET", "/v1/wasm-plugins/{name}", ACT_READS, &noun_wasm_plugin, ACT_NAME_FILLED_OR_400,
		ep_plugins_get, NULL, "get a plugin"),
	NOUN("PUT", "/v1/wasm-plugins/{name}", ACT_CHANGES, &noun_wasm_plugin,
		ACT_NAME_FILLED_OR_400, ep_nouns_replace, ep_nouns_answer,
		"replace a custom plugin, or the image of one that is built in"),
	NOUN("DELETE", "/v1/wasm-plugins/{name}", ACT_CHANGES, &noun_wasm_plugin,
		ACT_NAME_FILLED_OR_400, ep_nouns_remove, NULL, "remove a custom plugin"),
	ABSENT("/v1/wasm-plugins/{name}/config", ACT_ABSENT_EMPTY, false, ep_plugins_config,
		"what of a plugin can be configured, as JSON Schema"),
	ABSENT("/v1/wasm-plugins/{name}/readme", ACT_ABSENT_EMPTY, false, ep_plugins_readme,
		"a page about a plugin, in Markdown"),
	{.method = "GET",
		.path = "/v1/mcpServer",
		.access = ACT_ADMIN,
		.list = true,
		.fn = ep_mcp_list,
		.summary = "list MCP servers"},
	NOUN("PUT", "/v1/mcpServer", ACT_CHANGES, &noun_mcp_server, ACT_NAME_FILLED_OR_400,
		ep_mcp_put, ep_mcp_echo, "create or replace an MCP server"),
	ADMIN("DELETE", "/v1/mcpServer", ACT_BY_METHOD, ACT_CHANGES, ep_mcp_remove_named,
		"remove the MCP server of the query's name"),
	{.method = "GET",
		.path = "/v1/mcpServers",
		.access = ACT_ADMIN,
		.list = true,
		.fn = ep_mcp_list,
		.summary = "the same as GET /v1/mcpServer"},
	ABSENT("/v1/mcpServer/consumers", ACT_ABSENT_TOLD, true, ep_mcp_consumers,
		"list who may call an MCP server"),
	{.method = "PUT",
		.path = "/v1/mcpServer/consumers",
		.access = ACT_ADMIN,
		.shape = ACT_NO_CONTENT,
		.effect = ACT_CHANGES,
		.absent = ACT_ABSENT_TOLD,
		.fn = ep_mcp_add_consumers,
		.summary = "let more consumers call an MCP server"},
	{.method = "DELETE",
		.path = "/v1/mcpServer/consumers",
		.access = ACT_ADMIN,
		.shape = ACT_NO_CONTENT,
		.effect = ACT_CHANGES,
		.absent = ACT_ABSENT_TOLD,
		.fn = ep_mcp_drop_consumers,
		.summary = "no longer let consumers call an MCP server"},
	ADMIN("POST", "/v1/mcpServer/swaggerToMcpConfig", ACT_WRAPPED, ACT_READS, ep_mcp_convert,
		"make the tools of an MCP server from an OpenAPI document"),
	{.method = "GET",
		.path = "/v1/mcpServer/{name}",
		.access = ACT_ADMIN,
		.noun = &noun_mcp_server,
		.absent = ACT_ABSENT_TOLD,
		.fn = ep_nouns_get,
		.summary = "get an MCP server"},
	NOUN("DELETE", "/v1/mcpServer/{name}", ACT_CHANGES, &noun_mcp_server,
		ACT_NAME_FILLED_OR_400, ep_nouns_remove, NULL, "remove an MCP server"),
	INSTANCE_ROWS("/v1/global", "all traffic"),
	INSTANCE_ROWS("/v1/domains/{name}", "a domain"),
	INSTANCE_ROWS("/v1/routes/{name}", "a route"),
	INSTANCE_ROWS("/v1/services/{name}", "a service"),
};

const struct act_endpoints registry_acts = {acts, ARRAY_LEN(acts)};
