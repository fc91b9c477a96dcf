/*
 * A line of JSON that is too long to be kept: its last members go, and a mark says so. For lines that this program has
 * written itself, compact, an object each.
 */
#ifndef BASE_LINE_CUT_H
#define BASE_LINE_CUT_H

#include "base/bytes.h"

#define LINE_CUT_MARK ",\"truncated\":true}"

/* line: the first n bytes of a longer one; changed in place. How many of them are an object now; 0: not even the first
 * member is whole. */
size_t line_cut(char *line, size_t n);

#endif
