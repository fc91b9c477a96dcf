/*
 * What has to be done to one text to make it another, line by line, as `diff -u` writes it. Pure.
 */
#ifndef CLI_TEXT_DIFF_H
#define CLI_TEXT_DIFF_H

#include "base/text.h"

/* Lines that differ, up to which the shortest way is looked for: beyond, the rest is shown as replaced. */
#define TEXT_DIFF_EDITS_MAX 1000u

/* Appends hunks with three lines around them; nothing when the texts are equal. */
void text_diff(struct text *out, struct bytes before, struct bytes after);

#endif
