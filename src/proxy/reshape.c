/*
 * Answers that do not go on as they come. What the upstream sent waits in a chain of its own; what the client
 * gets is put behind one another by the dialect. Bytes that stay as they were are copied once, since pieces of
 * a segment cannot have two owners; nothing else is done to them.
 */
#include <stdlib.h>

#include "proxy/exchange.h"
#include "proxy/worker.h"

bool reshape_begin(struct exchange *x, enum answer_way way)
{
	struct reshape *r;

	if (way == ANSWER_SENT_ON) {
		return true;
	}
	r = calloc(1, sizeof(*r));
	if (r != NULL) {
		r->way = way;
		x->answer.reshape = r;
	}
	return r != NULL;
}

void reshape_end(struct exchange *x)
{
	struct reshape *r = x->answer.reshape;

	if (r != NULL) {
		x->answer.reshape = NULL;
		chain_give(&x->w->pool, &r->held);
		free(r);
	}
}

bool reshape_gathers(const struct exchange *x)
{
	return x->answer.reshape != NULL && x->answer.reshape->way == ANSWER_GATHERED;
}

void reshape_send_on(struct exchange *x)
{
	chain_move(&x->answer.chain, &x->answer.reshape->held);
	x->answer.ready = x->answer.chain.n;
	reshape_end(x);
}

void answer_put(struct exchange *x, struct bytes b)
{
	struct reshape *r = x->answer.reshape;

	r->full = r->full || !chain_add(&x->w->pool, &x->answer.chain, b.p, b.n);
}

void answer_read_held(const struct exchange *x, uint64_t beg, size_t n, char *out)
{
	chain_copy(&x->answer.reshape->held, (size_t)beg, n, out);
}

void answer_put_held(struct exchange *x, uint64_t beg, uint64_t end)
{
	const struct seg *s = x->answer.reshape->held.head;
	uint64_t at = 0; /* of the segment's first byte */

	ASSERT(beg <= end && end <= x->answer.reshape->held.n);
	for (; s != NULL && beg < end; s = s->next) {
		uint64_t next = at + (s->end - s->beg);

		if (beg < next) {
			uint64_t to = MIN(end, next);

			answer_put(x, bytes_of(s->data + s->beg + (beg - at), (size_t)(to - beg)));
			beg = to;
		}
		at = next;
	}
}

void reshape_pass(struct exchange *x, size_t n)
{
	struct reshape *r = x->answer.reshape;

	answer_put_held(x, 0, n);
	chain_drop(&x->w->pool, &r->held, n);
}

int reshape_settle(struct exchange *x)
{
	struct answer *a = &x->answer;

	if (a->reshape->full) {
		chain_cut(a->pool, &a->chain, a->ready, a->chain.n - a->ready);
		return ERR_MEMORY;
	}
	a->ready = a->chain.n;
	return 0;
}
