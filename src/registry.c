#include "registry.h"

#include "ai/providers.h"
#include "cli/explain_command.h"
#include "cli/help.h"
#include "cli/lint_command.h"
#include "cli/settings.h"
#include "cli/version.h"
#include "console/ep_health.h"
#include "console/ep_metrics.h"
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
	{"GET", "/metrics", ep_metrics},
	{"GET", "/healthz/live", ep_health_live},
	{"GET", "/healthz/ready", ep_health_ready},
};

const struct console_endpoints registry_endpoints = {endpoints, ARRAY_LEN(endpoints)};
