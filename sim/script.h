/*
 * Scenario files (tests/sim/README.md says how they are written), as lines with blocks, cases and
 * variables. What a line means is the player's business.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "base/text.h"

#define SCRIPT_TEXT_MAX (64u * 1024u * 1024u)

struct line {
	const char *file;
	unsigned number;
	struct bytes text;   /* without blanks at its ends */
	struct bytes *block; /* the lines that are indented below it, without that indentation */
	unsigned n_block;
};

#define SCRIPT_COLUMNS_MAX 8u

struct script {
	char *path;
	struct line *lines;
	unsigned n_lines, cap_lines;
	unsigned seeds; /* 0: the runner's default */
	/* for each a | b, and one row per case; n_cases is at least 1 */
	struct bytes columns[SCRIPT_COLUMNS_MAX];
	unsigned n_columns;
	struct bytes (*rows)[SCRIPT_COLUMNS_MAX];
	unsigned n_cases;
	struct script_let {
		struct bytes name, value;
	} * lets;
	unsigned n_lets;
	char **kept; /* memory that everything above points into */
	unsigned n_kept;
};

/* NULL: said on stderr. */
struct script *script_read(const char *path);
void script_free(struct script *s);

/* The text with $name replaced by what case `c` and the lets say, appended to out. */
void script_expand(const struct script *s, unsigned c, struct bytes text, struct text *out);

/* A value: "quoted" pieces with escapes (\r \n \t \0 \\ \" \xNN) and repeats ("ab" * 100), or, when it
 * does not begin with a quote, the text as it stands. False: it is malformed. */
MUST_CHECK bool script_value(struct bytes text, struct text *out);

/* Cuts the first blank-separated word. */
struct bytes script_word(struct bytes *rest);

#endif
