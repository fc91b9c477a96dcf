/*
 * The field `traceparent` of W3C Trace Context: which trace a request belongs to, and who sent it.
 */
#ifndef WIRE_TRACE_H
#define WIRE_TRACE_H

#include "base/bytes.h"

#define TRACE_SAMPLED 0x01u /* whoever began the trace wants it to be recorded */
#define TRACE_ID_N 32u
#define TRACE_PARENT_N 55u

struct trace {
	uint64_t id[2]; /* of the trace, never both 0; the first half first */
	uint64_t span;  /* of the sender's part of it, never 0 */
	uint8_t flags;  /* TRACE_SAMPLED; others are not kept */
};

/* False: not one that may be believed, a new trace begins. Of a version after ours only the parts that
 * ours has are read. */
MUST_CHECK bool trace_parse(struct bytes value, struct trace *out);

/* "00-<id>-<span>-<flags>"; no NUL. */
void trace_format(const struct trace *t, char out[TRACE_PARENT_N]);
void trace_format_id(const struct trace *t, char out[TRACE_ID_N]);

#endif
