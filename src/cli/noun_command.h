/*
 * `sluice providers|consumers|domains|routes {list,get,create,update,delete}`: the management API from a shell.
 */
#ifndef CLI_NOUN_COMMAND_H
#define CLI_NOUN_COMMAND_H

#include "cli/noun.h"
#include "plan/provider.h"

/* types: for `providers test`; the exit code. */
int noun_command_main(
	const struct noun *noun, const struct provider_types *types, int argc, char **argv);
void noun_command_help(const struct noun *noun, FILE *out);

/* What --server, -f and the like mean; for commands that print objects. */
extern const struct arg_table noun_command_output;

/* Prints an object, or a list of them, as the options --json, --yaml and --show-secrets say; without the first two
 * as a table. d is changed. */
void noun_command_print(struct arena *a, const struct noun *noun, const struct args *given,
	struct doc *d, FILE *out);
/* Of the terminal that out is; 0: it is none. */
size_t noun_command_width(FILE *out);

#endif
