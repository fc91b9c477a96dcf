/*
 * Tables for terminals: columns that are as wide as what they hold, or as the terminal allows; what does not fit is
 * cut and ends in "…". Cells come from outside: what a terminal would obey is shown as '?'. Pure.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "base/text.h"

#define COLUMNS_MAX 8u
/* A column is never made narrower than its title and this. */
#define COLUMNS_NARROWEST 8u

struct columns {
	const char *titles[COLUMNS_MAX];
	size_t n;
	const struct bytes *cells; /* row after row, n of each */
	size_t n_rows;
};

/* width: of the terminal; 0: no limit. Lines end without blanks. */
void columns_write(struct text *out, const struct columns *c, size_t width);
/* How many places of a terminal it takes: characters, those of East Asian scripts two. */
size_t columns_width(struct bytes text);

#endif
