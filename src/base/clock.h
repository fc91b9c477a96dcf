/*
 * The clock. Scenario tests link sim/clock.c in its place.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/base.h"

/* Monotonic nanoseconds. */
uint64_t clock_mono_ns(void);
/* Wall clock, milliseconds since 1970 UTC. */
uint64_t clock_wall_ms(void);

#define CLOCK_ISO_LEN 24 /* "2026-01-01T00:00:00.000Z" */
/* Writes CLOCK_ISO_LEN characters of wall_ms in UTC at out; no NUL. */
void clock_format_iso(char *out, uint64_t wall_ms);

#endif
