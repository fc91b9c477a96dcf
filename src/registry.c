#include "registry.h"

#include "ai/providers.h"
#include "cli/explain_command.h"
#include "cli/help.h"
#include "cli/lint_command.h"
#include "cli/settings.h"
#include "cli/version.h"
#include "console/ep_health.h"
#include "console/ep_home.h"
#include "console/ep_instances.h"
#include "console/ep_metrics.h"
#include "console/ep_nouns.h"
#include "console/ep_openapi.h"
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

static int run_explain(int argc, char **argv)
{
	return explain_command_main(&provider_types, argc, argv);
}

static void help_details(FILE *out)
{
	fputs("Options:\n  --markdown\n      All commands as one page, docs/commands.md.\n", out);
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
	{"GET", "/", ep_home},
	{"GET", "/metrics", ep_metrics},
	{"GET", "/healthz/live", ep_health_live},
	{"GET", "/healthz/ready", ep_health_ready},
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
	INSTANCE_ROWS("/v1/global", "all traffic"),
	INSTANCE_ROWS("/v1/domains/{name}", "a domain"),
	INSTANCE_ROWS("/v1/routes/{name}", "a route"),
	INSTANCE_ROWS("/v1/services/{name}", "a service"),
};

const struct act_endpoints registry_acts = {acts, ARRAY_LEN(acts)};
