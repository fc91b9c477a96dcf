/*
 * Command lines with words beside options: `sluice consumers create alice --key K`. Rows say which options there
 * are; --help prints them and shell completion reads them there. For commands that have settings of several
 * sources: cli/option.h.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdio.h>

#include "base/bytes.h"

/* Tables of one command. */
#define ARGS_TABLES_MAX 4u

struct arg_row {
	const char *name; /* "--key"; "-f" is a name, too */
	const char *arg;  /* what --help calls the value; NULL: a switch */
	const char *help; /* one sentence, or some */
	bool many;        /* every value counts, else the last */
};

struct arg_table {
	const struct arg_row *v;
	size_t n;
};

struct arg_given {
	const struct arg_row *row;
	const char *value; /* NULL of switches */
};

struct args {
	const char *command; /* for sentences: "consumers create" */
	const struct arg_table *tables[ARGS_TABLES_MAX];
	char **words; /* that are no options, in order */
	size_t n_words;
	struct arg_given *given;
	size_t n_given;
};

/* argv[0] is passed over. command and tables (NULL-ended, at most ARGS_TABLES_MAX) outlive it, as argv does. What
 * stands behind "--" is a word; "-" is one, too. 0, or ERR_SYNTAX after a sentence on err; then there is nothing to
 * free. */
MUST_CHECK int args_read(struct args *a, const char *command, const struct arg_table *const *tables,
	int argc, char **argv, FILE *err);
void args_done(struct args *a);

/* The last value, NULL when the option was not given. */
const char *args_value(const struct args *a, const char *name);
bool args_has(const struct args *a, const char *name);
size_t args_count(const struct args *a, const char *name);
/* Values in order: *at is 0 at first; NULL at the end. */
const char *args_next(const struct args *a, const char *name, size_t *at);

/* One row after the other, as help prints options. */
void args_help(const struct arg_table *t, FILE *out);

#endif
