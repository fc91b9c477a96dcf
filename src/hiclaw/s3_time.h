/*
 * The two spellings of a time in what object stores answer. Pure.
 */
#ifndef HICLAW_S3_TIME_H
#define HICLAW_S3_TIME_H

#include "base/bytes.h"

/* "Sat, 21 Nov 2026 19:08:21 GMT" (RFC 9110 5.6.7, the one form that may be sent): milliseconds since 1970. */
MUST_CHECK bool s3_time_http(struct bytes text, uint64_t *wall_ms_out);
/* "2026-11-21T19:08:21[.fraction]Z", from 1970 on; the fraction is dropped. */
MUST_CHECK bool s3_time_iso(struct bytes text, uint64_t *wall_ms_out);

#endif
