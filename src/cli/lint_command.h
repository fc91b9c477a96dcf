/*
 * sluice lint: what is wrong, or said in vain, in files of resources.
 */
#ifndef CLI_LINT_COMMAND_H
#define CLI_LINT_COMMAND_H

#include <stdio.h>

#include "plan/plan.h"

/* types: providers that ai-proxy's entries may be of. COMMAND_DONE; COMMAND_NO when there are errors, or
 * warnings with --strict; COMMAND_USAGE. */
int lint_command_main(const struct provider_types *types, int argc, char **argv);
void lint_command_help(FILE *out);

#endif
