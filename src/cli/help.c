#define _GNU_SOURCE /* open_memstream */
#include "cli/help.h"

#include <stdlib.h>
#include <string.h>

#include "cli/version.h"

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

/* A line as it stands: no request at its beginning, no escape in it, minus signs that can be copied. */
static void put_man_line(const char *line, size_t n, FILE *out)
{
	if (n != 0 && (line[0] == '.' || line[0] == '\'')) {
		fputs("\\&", out);
	}
	for (size_t i = 0; i < n; i++) {
		if (line[i] == '\\') {
			fputs("\\e", out);
		} else if (line[i] == '-') {
			fputs("\\-", out);
		} else {
			fputc(line[i], out);
		}
	}
	fputc('\n', out);
}

static void put_man_lines(const char *text, FILE *out)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		put_man_line(text, n, out);
		text += n + (text[n] != '\0');
	}
}

/* Help is laid out by its own columns, which a page must not fill anew. */
static void put_man_command(const struct command *c, FILE *out)
{
	char *text = NULL;
	size_t n = 0;
	FILE *into = open_memstream(&text, &n);

	if (into == NULL) {
		abort();
	}
	help_command(c, into);
	fclose(into);
	fprintf(out, ".SH \"sluice %s\"\n.nf\n", c->name);
	put_man_lines(text, out);
	fputs(".fi\n", out);
	free(text);
}

void help_man(const struct command_table *t, FILE *out)
{
	fprintf(out,
		".\\\" Made by `sluice help --man`; do not edit.\n"
		".TH SLUICE 1 \"\" \"sluice %s\" \"\"\n"
		".SH NAME\nsluice \\- an AI gateway, its management and its command line\n"
		".SH SYNOPSIS\n.B sluice\n.I COMMAND\n[\n.I OPTION\n]...\n.SH COMMANDS\n",
		version_text());
	for (size_t i = 0; i < t->n; i++) {
		fprintf(out, ".TP\n.B %s\n", t->v[i].name);
		put_man_lines(t->v[i].summary, out);
	}
	fputs(".SH \"EXIT STATUS\"\n0 done, 1 the answer is no, 2 wrong usage, 3 a server could not be "
	      "reached.\n",
		out);
	for (size_t i = 0; i < t->n; i++) {
		put_man_command(&t->v[i], out);
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
	if (strcmp(argv[1], "--man") == 0) {
		help_man(t, stdout);
		return COMMAND_DONE;
	}
	c = command_find(t, argv[1]);
	if (c == NULL) {
		return command_unknown(t, argv[1], stderr);
	}
	help_command(c, stdout);
	return COMMAND_DONE;
}
