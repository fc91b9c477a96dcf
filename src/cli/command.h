/*
 * Commands: a row per command, dispatch, and what all of them share. The table itself is in registry.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdio.h>

#include "base/base.h"

/* Exit codes of every command. */
enum command_exit {
	COMMAND_DONE = 0,
	COMMAND_NO = 1,    /* the answer is no: lint found errors, a test failed */
	COMMAND_USAGE = 2, /* wrong usage */
	COMMAND_UNREACHED = 3
};

struct command {
	const char *name;
	const char *summary;               /* half a sentence for the list of commands */
	const char *usage;                 /* "sluice serve [OPTION]..." */
	const char *example;               /* one line that works */
	void (*details)(FILE *out);        /* options and more for --help; NULL: nothing */
	int (*run)(int argc, char **argv); /* argv[0] is the command's name; the exit code */
};

struct command_table {
	const struct command *v;
	size_t n;
};

/* NULL when there is none of that name. */
const struct command *command_find(const struct command_table *t, const char *name);
/* Runs the command that argv[1] names, with --help and -h of every command. The exit code. */
int command_dispatch(const struct command_table *t, int argc, char **argv);
/* Says on err that there is no such command, and which is most like it; COMMAND_USAGE. */
int command_unknown(const struct command_table *t, const char *name, FILE *err);

#endif
