/*
 * Compressed bytes in, plain bytes out: gzip (RFC 1952) and deflate in its zlib wrapping (RFC 1950), a
 * thin and strict wrapper around zlib. One member: what follows its end is a fault, and so is an end
 * that comes too early. Checksums are verified. How much may come out is for the caller to bound, who
 * gives the room.
 */
#ifndef WIRE_INFLATE_H
#define WIRE_INFLATE_H

#include "base/bytes.h"
#include "base/err.h"

enum inflate_format { INFLATE_GZIP, INFLATE_ZLIB };

struct inflate; /* about 40 KB while it works */

/* NULL when there is no memory. */
struct inflate *inflate_new(enum inflate_format format);
/* NULL is allowed. */
void inflate_free(struct inflate *z);

struct inflate_room {
	char *p;
	size_t n;
};

/*
 * Takes from the front of *in and fills *out from its front; both are moved on. READ_MORE: the input is
 * used up, or the room is: call again with more of what is missing, also without input while the room
 * was filled to its end. READ_DONE: the member has ended and nothing follows in *in. READ_FAIL: damaged
 * (ERR_SYNTAX) or no memory (ERR_MEMORY); it stays so. What is said does not depend on how input and
 * room were split.
 */
MUST_CHECK enum read_rc inflate_feed(
	struct inflate *z, struct bytes *in, struct inflate_room *out, struct fault *fault);
/* There is no more input: READ_DONE, or READ_FAIL when the member has not ended. */
MUST_CHECK enum read_rc inflate_end(const struct inflate *z, struct fault *fault);

#endif
