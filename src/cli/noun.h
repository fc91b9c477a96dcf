/*
 * Things that the management API keeps, as commands show and make them: where they are, the columns of their table,
 * the options that stand for members of their objects. What is common to all is in cli/noun_command.c.
 */
#ifndef CLI_NOUN_H
#define CLI_NOUN_H

#include <stdio.h>

#include "cli/args.h"
#include "cli/columns.h"
#include "wire/doc.h"

struct noun_column {
	const char *title;
	/* Appends the cell of an object. */
	void (*put)(struct arena *a, const struct doc *object, struct text *out);
};

struct noun {
	const char *plural; /* the command: "consumers" */
	const char *label;  /* for sentences: "consumer" */
	const char *path;   /* "/v1/consumers" */
	const struct arg_table *options;
	const struct noun_column *columns;
	size_t n_columns;
	/* Puts what the options say into body: of a new object, which has its name, or of the one that is there (is_new
	 * false: members that no option names stay). 0, or ERR_SYNTAX after a sentence on err. */
	int (*fill)(struct arena *a, const struct args *given, bool is_new, struct doc *body,
		FILE *err);
	const char *example; /* of create */
};

/* noun_columns.c, noun_body.c */
extern const struct noun noun_of_providers, noun_of_consumers, noun_of_domains, noun_of_routes;

extern const struct noun_column noun_columns_provider[4], noun_columns_consumer[3],
	noun_columns_domain[3], noun_columns_route[6];

/* A whole object as a person wrote it, JSON or YAML. NULL: *f says why; where is its line or offset. */
struct doc *noun_body_read(struct arena *a, struct bytes text, struct fault *f);

#endif
