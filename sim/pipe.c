#include "sim/pipe.h"

#include <stdlib.h>

void pipe_add(struct pipe *q, struct bytes b)
{
	if (q->beg == q->end) {
		q->beg = q->end = 0;
	}
	if (q->cap - q->end < b.n) {
		q->cap = MAX(q->cap * 2, q->end + b.n + 256);
		q->p = must_realloc(q->p, q->cap);
	}
	if (b.n != 0) {
		memcpy(q->p + q->end, b.p, b.n);
	}
	q->end += b.n;
}

void pipe_drop(struct pipe *q, size_t n)
{
	ASSERT(n <= pipe_n(q));
	q->beg += n;
}

void pipe_move(struct pipe *to, struct pipe *from, size_t n)
{
	ASSERT(n <= pipe_n(from));
	pipe_add(to, bytes_of(pipe_bytes(from).p, n));
	pipe_drop(from, n);
}

void pipe_done(struct pipe *q)
{
	free(q->p);
	*q = (struct pipe){0};
}
