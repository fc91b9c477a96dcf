#include "cli/help.h"

#include <string.h>

void help_overview(const struct command_table *t, FILE *out)
{
	fputs("sluice: an AI gateway. One binary, OpenAI-compatible in front of many providers,\n"
	      "configured by Higress's resource files.\n\nUsage: sluice COMMAND [OPTION]...\n\n"
	      "Commands:\n",
		out);
	for (size_t i = 0; i < t->n; i++) {
		fprintf(out, "  %-10s %s\n", t->v[i].name, t->v[i].summary);
	}
	fputs("\nsluice help COMMAND says more. Exit codes: 0 done, 1 the answer is no, 2 wrong\n"
	      "usage, 3 a server could not be reached.\n",
		out);
}

void help_command(const struct command *c, FILE *out)
{
	fprintf(out, "%s: %s\n\nUsage: %s\nExample: %s\n", c->name, c->summary, c->usage,
		c->example);
	if (c->details != NULL) {
		fputc('\n', out);
		c->details(out);
	}
}

void help_markdown(const struct command_table *t, FILE *out)
{
	fputs("# Commands\n\nMade by `sluice help --markdown`; do not edit.\n", out);
	for (size_t i = 0; i < t->n; i++) {
		fprintf(out, "\n## sluice %s\n\n```text\n", t->v[i].name);
		help_command(&t->v[i], out);
		fputs("```\n", out);
	}
}

int help_main(const struct command_table *t, int argc, char **argv)
{
	const struct command *c;

	if (argc > 2) {
		fputs("sluice help: one COMMAND at most\n", stderr);
		return COMMAND_USAGE;
	}
	if (argc < 2) {
		help_overview(t, stdout);
		return COMMAND_DONE;
	}
	if (strcmp(argv[1], "--markdown") == 0) {
		help_markdown(t, stdout);
		return COMMAND_DONE;
	}
	c = command_find(t, argv[1]);
	if (c == NULL) {
		return command_unknown(t, argv[1], stderr);
	}
	help_command(c, stdout);
	return COMMAND_DONE;
}
