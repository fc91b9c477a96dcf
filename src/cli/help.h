/*
 * `sluice help [COMMAND]`, the --help of every command, and the reference and manual pages made of them.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

void help_overview(const struct command_table *t, FILE *out);
void help_command(const struct command *c, FILE *out);
/* All commands as one page of Markdown: docs/commands.md is this output. */
void help_markdown(const struct command_table *t, FILE *out);

/* The same as a manual page, sluice(1), in the language of man(7). */
void help_man(const struct command_table *t, FILE *out);

int help_main(const struct command_table *t, int argc, char **argv);

#endif
