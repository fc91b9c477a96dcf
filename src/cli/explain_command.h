/*
 * sluice explain: what would happen to a request, by resource files alone. docs/explain.md shows it.
 */
#ifndef CLI_EXPLAIN_COMMAND_H
#define CLI_EXPLAIN_COMMAND_H

#include <stdio.h>

#include "plan/explain.h"
#include "plan/provider.h"

/* COMMAND_DONE: the request would be sent on; COMMAND_NO: the gateway would answer it. */
int explain_command_main(const struct provider_types *types, int argc, char **argv);
void explain_command_help(FILE *out);

#endif
