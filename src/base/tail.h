/*
 * The last lines of a stream of lines that one thread writes, for people who ask a running program what it said. The
 * writer never waits and copies each byte once, whole batches at a time; readers take copies, from any thread.
 *
 * Bytes are counted from the beginning of the program; where a line begins is its number.
 */
#ifndef BASE_TAIL_H
#define BASE_TAIL_H

#include <sys/uio.h>

#include "base/text.h"

/* A longer line is left out. */
#define TAIL_LINE_MAX 65535u

struct tail;

/* Keeps at least `bytes` of lines, and at most two blocks of 64 KB more; takes memory as lines come. */
struct tail *tail_new(size_t bytes);
/* Nobody writes or reads any more. NULL is allowed. */
void tail_free(struct tail *t);
/* The one writer: whole lines, each with its line end, in n pieces which need not end where a line does. */
void tail_put(struct tail *t, const struct iovec *v, int n);
/* One behind the last byte. */
uint64_t tail_end(const struct tail *t);
/* The line that ends before byte `before`, without its end, appended to out, and where it begins. False: there is none
 * any more. */
bool tail_get(struct tail *t, uint64_t before, struct text *out, uint64_t *at);

#endif
