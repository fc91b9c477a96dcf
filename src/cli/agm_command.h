/*
 * `sluice agm COMMAND` and `sluice model COMMAND`: the table of what cli/agm.h can do, under the words and exit codes of
 * HiClaw's scripts, and under those of this program.
 */
#ifndef CLI_AGM_COMMAND_H
#define CLI_AGM_COMMAND_H

#include <stdio.h>

int agm_command_main(int argc, char **argv);
void agm_command_help(FILE *out);
int agm_command_model_main(int argc, char **argv);
void agm_command_model_help(FILE *out);

#endif
