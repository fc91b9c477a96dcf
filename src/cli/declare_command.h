/*
 * Declarative use, as with kubectl: `sluice apply` makes a gateway's resources what files say, `sluice diff` shows
 * what that would change, `sluice export` writes them to files.
 */
#ifndef CLI_DECLARE_COMMAND_H
#define CLI_DECLARE_COMMAND_H

#include <stdio.h>

int declare_command_apply(int argc, char **argv);
int declare_command_diff(int argc, char **argv);
int declare_command_export(int argc, char **argv);
void declare_command_apply_help(FILE *out);
void declare_command_diff_help(FILE *out);
void declare_command_export_help(FILE *out);

#endif
