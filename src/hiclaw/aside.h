/*
 * Copies of a file that are kept beside it, as "<file>.<kind>.<time>": the newest few of a kind stay, so that a file
 * that is broken again and again does not fill the disk. Used for records and the store of assignments.
 *
 * Blocks: jobs threads, and before there are any.
 */
#ifndef HICLAW_ASIDE_H
#define HICLAW_ASIDE_H

#include <stddef.h>

#define ASIDE_MAX 10u
/* Of files that could not be read; the newest, of which somebody may still want something. */
#define ASIDE_CORRUPT_MAX 5u

/* Removes the oldest copies of that kind until at most max (1 to ASIDE_MAX) are there. Times are in an order of bytes.
 * What cannot be listed or removed stays, for the next call. */
void aside_prune(const char *file, const char *kind, size_t max);

#endif
