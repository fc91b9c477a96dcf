/*
 * `sluice completion bash`: what a shell needs to complete command lines. Words and options are read from the table
 * of commands and from their --help, which is made of the tables that read the options.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/command.h"

void completion_bash(const struct command_table *t, FILE *out);
int completion_main(const struct command_table *t, int argc, char **argv);

#endif
