/*
 * The known name that is most like what somebody typed, for "did you mean" in error messages.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/bytes.h"

/* Longer names are never suggested, longer inputs never understood: bounds the work. */
#define NEAREST_NAME_MAX 64u

/* The best so far; zeroed before the first call of nearest_offer. */
struct nearest {
	const char *name; /* NULL: nothing has anything in common with it */
	size_t distance;
};

/* name competes for being the most like `given`; of equal ones the first stays. */
void nearest_offer(struct nearest *n, struct bytes given, const char *name);
/* The one that a slip of the pen would make of it: few letters differ, and enough agree. NULL without one. */
const char *nearest_slip(const struct nearest *n, struct bytes given);
/* Edits (insert, delete, replace, swap neighbours) from a to b, in any case of letters. */
size_t nearest_distance(struct bytes a, struct bytes b);

#endif
