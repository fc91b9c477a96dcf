/*
 * HTTP dates (RFC 9110 §5.6.7): the form that is sent today, and the two old ones that a recipient must
 * still read.
 */
#ifndef WIRE_HTTP_DATE_H
#define WIRE_HTTP_DATE_H

#include "base/bytes.h"

/* Seconds since 1970 of a date without blanks at its ends, from the year 1601 to 9999: *out may be
 * negative. now_s is the wall clock, which says what century a year of two digits is of. The name of the day is read and not
 * compared: makers get it wrong more often than they get the rest wrong. A leap second is the one before it.
 * False: no such date. */
MUST_CHECK bool http_date_parse(struct bytes text, uint64_t now_s, int64_t *out);

#endif
