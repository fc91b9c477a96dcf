/* A queue of bytes that grows without a limit: what travels or has travelled on a scripted wire. */
#ifndef SIM_PIPE_H
#define SIM_PIPE_H

#include "base/bytes.h"

struct pipe {
	char *p;
	size_t beg, end, cap;
};

static inline size_t pipe_n(const struct pipe *q)
{
	return q->end - q->beg;
}

static inline struct bytes pipe_bytes(const struct pipe *q)
{
	return bytes_of(q->p == NULL ? "" : q->p + q->beg, pipe_n(q));
}

void pipe_add(struct pipe *q, struct bytes b);
/* n <= pipe_n. */
void pipe_drop(struct pipe *q, size_t n);
/* Moves n bytes from the front of `from` behind `to`. */
void pipe_move(struct pipe *to, struct pipe *from, size_t n);
void pipe_done(struct pipe *q);

#endif
