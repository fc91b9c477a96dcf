/*
 * The lines that were said last, for people who ask a running program what it said: any thread puts, none waits,
 * readers take copies. A line that is overwritten while it is read is left out.
 */
#ifndef BASE_RECENT_H
#define BASE_RECENT_H

#include "base/text.h"

/* What is kept of a line. */
#define RECENT_LINE_MAX 2040u

struct recent;

/* Room for so many lines. */
struct recent *recent_new(size_t lines);
/* Nobody puts or reads any more. NULL is allowed. */
void recent_free(struct recent *r);
/* Any thread; takes well below a microsecond. Longer lines are cut. */
void recent_put(struct recent *r, struct bytes line);
/* One more than the number of the last line; the first is 0. */
uint64_t recent_end(const struct recent *r);
/* Line number n, as it was put, appended to out. False: it is not there any more, or not yet. */
bool recent_get(const struct recent *r, uint64_t n, struct text *out);

#endif
