/*
 * Values of options: text to member and back (cli/option.h has the types). For this room only.
 */
#ifndef CLI_OPTION_VALUE_H
#define CLI_OPTION_VALUE_H

#include "base/text.h"
#include "cli/option.h"

/* Longest sentence about what a value should have been. */
#define OPTION_WANT_MAX 200u

/* Checks text and stores it in the member of target when `store`. Addresses are added to those there.
 * false: want (room for OPTION_WANT_MAX) says what it should be, "is no whole number from 1 to 64". */
MUST_CHECK bool option_value_set(
	const struct option *row, struct bytes text, void *target, bool store, char *want);
/* Back to empty or 0, freeing what it held. */
void option_value_clear(const struct option *row, void *target);
/* As option_value_set would read it; false when there is nothing (no string, no address). */
bool option_value_format(const struct option *row, const void *target, struct text *out);

#endif
