/*
 * A text that is another text with some ranges replaced, sent without copying: the request body of
 * the client with the model exchanged. The original is a chain of segments that must stay as it is
 * until the splice is sent; replacements are owned by the caller too.
 */
#ifndef WIRE_SPLICE_H
#define WIRE_SPLICE_H

#include <sys/uio.h>

#include "base/seg.h"
#include "base/bytes.h"

struct splice_edit {
	uint64_t at;      /* offset in the original */
	uint64_t cut;     /* bytes of the original that are left out there; 0: pure insertion */
	struct bytes put; /* what stands there instead; may be empty */
};

struct splice {
	const struct chain *original;
	const struct splice_edit *edits; /* ordered by at, not overlapping */
	size_t n_edits;
	uint64_t length; /* of the result */
	/* where sending stands */
	uint64_t sent;
	const struct seg *seg; /* segment that holds the next original byte */
	uint64_t seg_at;       /* offset in the original of the segment's first byte */
	uint64_t at;           /* next original byte */
	size_t edit;           /* next edit */
	uint64_t put_sent;     /* bytes of its replacement that are sent */
};

/* edits that overlap, are out of order or reach past the end are asserted against. */
void splice_init(struct splice *s, const struct chain *original, const struct splice_edit *edits,
	size_t n_edits);
/* Back to the first byte, for another attempt. */
void splice_rewind(struct splice *s);
/* Fills at most max iovecs with the bytes that come next; returns how many (0: all sent). */
int splice_fill(const struct splice *s, struct iovec *v, int max);
/* n bytes of what splice_fill showed were sent. */
void splice_sent(struct splice *s, size_t n);
/* Sorts edits by offset, at one offset pure insertions first; else the order stays. */
void splice_sort(struct splice_edit *edits, size_t n);

#endif
