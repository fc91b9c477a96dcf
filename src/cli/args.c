#include "cli/args.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/nearest.h"

/* Columns of help before a line is broken. */
#define HELP_WIDTH 96u

static const struct arg_row *find(const struct args *a, struct bytes name, struct nearest *best)
{
	for (size_t t = 0; t < ARGS_TABLES_MAX && a->tables[t] != NULL; t++) {
		for (size_t i = 0; i < a->tables[t]->n; i++) {
			const struct arg_row *row = &a->tables[t]->v[i];

			if (bytes_eq(name, bytes_str(row->name))) {
				return row;
			}
			nearest_offer(best, name, row->name);
		}
	}
	return NULL;
}

static int unknown(const struct args *a, const char *word, const struct nearest *best, FILE *err)
{
	fprintf(err, "sluice %s: \"%.80s\" is no option of it", a->command, word);
	if (best->name != NULL) {
		fprintf(err, ", did you mean %s?", best->name);
	}
	fprintf(err, " (sluice %.*s --help lists all)\n", (int)strcspn(a->command, " "),
		a->command);
	return ERR_SYNTAX;
}

/* The option at argv[*i], which is moved to its last word. */
static int read_option(struct args *a, int argc, char **argv, int *i, FILE *err)
{
	bool is_long = argv[*i][1] == '-';
	struct bytes value = bytes_str(argv[*i]);
	struct bytes name = is_long ? bytes_cut(&value, '=') : value;
	struct nearest best = {NULL, 0};
	const struct arg_row *row = find(a, name, &best);
	struct arg_given *g = &a->given[a->n_given];

	if (row == NULL) {
		return unknown(a, argv[*i], &best, err);
	}
	value.p = is_long ? value.p : NULL;
	if (row->arg == NULL && value.p != NULL) {
		fprintf(err, "sluice %s: %s takes no value\n", a->command, row->name);
		return ERR_SYNTAX;
	}
	if (row->arg != NULL && value.p == NULL) {
		if (*i + 1 >= argc) {
			fprintf(err, "sluice %s: %s needs a value: %s\n", a->command, row->name,
				row->arg);
			return ERR_SYNTAX;
		}
		value = bytes_str(argv[++*i]);
	}
	*g = (struct arg_given){row, value.p};
	a->n_given++;
	return 0;
}

int args_read(struct args *a, const char *command, const struct arg_table *const *tables, int argc,
	char **argv, FILE *err)
{
	bool only_words = false;
	int rc = 0;

	*a = (struct args){.command = command};
	for (size_t i = 0; tables[i] != NULL; i++) {
		ASSERT(i < ARGS_TABLES_MAX);
		a->tables[i] = tables[i];
	}
	a->words = must_alloc(((size_t)argc + 1) * sizeof(*a->words));
	a->given = must_alloc(((size_t)argc + 1) * sizeof(*a->given));
	for (int i = 1; i < argc && rc == 0; i++) {
		if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
			a->words[a->n_words++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else {
			rc = read_option(a, argc, argv, &i, err);
		}
	}
	if (rc != 0) {
		args_done(a);
	}
	return rc;
}

void args_done(struct args *a)
{
	free(a->words);
	free(a->given);
	a->words = NULL;
	a->given = NULL;
	a->n_words = a->n_given = 0;
}

const char *args_value(const struct args *a, const char *name)
{
	const char *last = NULL;

	for (size_t i = 0; i < a->n_given; i++) {
		if (strcmp(a->given[i].row->name, name) == 0) {
			last = a->given[i].value;
		}
	}
	return last;
}

size_t args_count(const struct args *a, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_given; i++) {
		n += strcmp(a->given[i].row->name, name) == 0;
	}
	return n;
}

bool args_has(const struct args *a, const char *name)
{
	return args_count(a, name) != 0;
}

const char *args_next(const struct args *a, const char *name, size_t *at)
{
	while (*at < a->n_given) {
		const struct arg_given *g = &a->given[(*at)++];

		if (strcmp(g->row->name, name) == 0) {
			return g->value;
		}
	}
	return NULL;
}

/* Words on lines of HELP_WIDTH, indented. */
static void print_wrapped(struct bytes text, FILE *out)
{
	size_t column = 0;

	while (text.p != NULL) {
		struct bytes word = bytes_cut(&text, ' ');

		if (column == 0 || column + 1 + word.n > HELP_WIDTH) {
			fputs(column == 0 ? "      " : "\n      ", out);
			column = 6;
		} else {
			fputc(' ', out);
			column++;
		}
		fprintf(out, BYTES_FMT, BYTES_ARG(word));
		column += word.n;
	}
	fputc('\n', out);
}

void args_help(const struct arg_table *t, FILE *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct arg_row *row = &t->v[i];

		fprintf(out, "  %s%s%s%s\n", row->name, row->arg != NULL ? " " : "",
			row->arg != NULL ? row->arg : "", row->many ? " (repeatable)" : "");
		print_wrapped(bytes_str(row->help), out);
	}
}
