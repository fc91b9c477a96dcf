/*
 * Runs of bytes in an HTTP/1 head: for the files of h1 only. Each function looks at p[0..end) and
 * returns where its run ends; end when all of it belongs to the run.
 */
#ifndef WIRE_H1_SCAN_H
#define WIRE_H1_SCAN_H

#include "base/bytes.h"

/* RFC 9110 §5.6.2: token characters. */
const char *h1_scan_token(const char *p, const char *end);
/* Bytes that may stand in a field value or reason: blank, tab, visible, above 0x7f. */
const char *h1_scan_value(const char *p, const char *end);
/* Bytes of a request target: 0x21..0x7e. */
const char *h1_scan_target(const char *p, const char *end);

/*
 * The first line feed at from or later that either no CR precedes or that ends an empty line which
 * is not the first line: in.n when there is none. Bytes before `from` are looked at, but not
 * returned.
 */
size_t h1_scan_empty_line(struct bytes in, size_t from);

#endif
