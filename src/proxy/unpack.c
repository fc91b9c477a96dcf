/*
 * Answers that come compressed although they were to come plain (data-plane.md §3.4, §8.1): decoded as
 * they pass, so that their events can be told apart and their usage counted, and sent on plain.
 *
 * What is decoded goes straight to the end of the answer's chain. It stops where the client is slow, and
 * after a slice; the rest waits as it came. So a small answer that becomes a large one costs no more
 * memory than a large one, and no ratio has to be refused. Codings that are not understood pass unread.
 */
#include "proxy/exchange.h"
#include "proxy/worker.h"
#include "wire/inflate.h"

/* One turn: zlib makes about 300 MB/s. */
#define SLICE_OUT (256u * 1024u)
/* Input can be made that costs much and yields nothing. */
#define SLICE_IN (64u * 1024u)

enum body_coding unpack_coding(const struct head *h)
{
	enum body_coding coding = BODY_PLAIN;

	for (unsigned i = 0; i < h->n_fields; i++) {
		enum body_coding own;

		if (h->fields[i].id != FIELD_CONTENT_ENCODING) {
			continue;
		}
		own = decode_coding(head_value(h, i));
		coding = coding == BODY_PLAIN ? own : own == BODY_PLAIN ? coding : BODY_UNKNOWN;
	}
	return coding;
}

bool unpack_begin(struct exchange *x, enum body_coding coding)
{
	ASSERT(x->unpack.z == NULL);
	if (!segpool_hold(&x->w->pool, INFLATE_SEGS)) {
		return false;
	}
	x->unpack.z = inflate_new(coding == BODY_GZIP ? INFLATE_GZIP : INFLATE_ZLIB);
	if (x->unpack.z == NULL) {
		segpool_release(&x->w->pool, INFLATE_SEGS);
		return false;
	}
	x->unpack.ended = false;
	x->unpack.more = false;
	return true;
}

void unpack_end(struct exchange *x)
{
	if (x->unpack.z != NULL) {
		inflate_free(x->unpack.z);
		x->unpack.z = NULL;
		segpool_release(&x->w->pool, INFLATE_SEGS);
	}
	x->unpack.more = false;
}

bool unpack_waits(const struct exchange *x)
{
	return x->unpack.z != NULL && (x->unpack.more || x->up->body.n != 0);
}

/* Room at the end of the answer, in a segment of its own when there is none. */
static struct seg *room_at_end(struct exchange *x)
{
	struct chain *c = answer_input(x);
	struct seg *s = c->tail;

	if (s == NULL || s->end == SEG_ROOM) {
		s = seg_take(&x->w->pool);
		if (s != NULL) {
			chain_append(c, s);
		}
	}
	return s;
}

struct slice {
	size_t in, out; /* what is left of it */
};

/* One call of the decoder: how many bytes it made. */
static int unpack_some(struct exchange *x, struct slice *left, size_t *n)
{
	const struct seg *s = x->up->body.head;
	struct bytes in = BYTES("");
	struct seg *tail = room_at_end(x);
	struct inflate_room room;
	size_t in_n;
	enum read_rc rc;

	if (tail == NULL) {
		return ERR_MEMORY;
	}
	if (s != NULL) {
		in = bytes_of(s->data + s->beg, s->end - s->beg);
	}
	in_n = in.n;
	room = (struct inflate_room){tail->data + tail->end, SEG_ROOM - tail->end};
	*n = room.n;
	rc = inflate_feed(x->unpack.z, &in, &room, NULL);
	*n -= room.n;
	in_n -= in.n;
	tail->end += (uint32_t)*n;
	answer_input(x)->n += *n;
	x->unpack.more = rc == READ_MORE && room.n == 0;
	x->unpack.ended = rc == READ_DONE;
	left->in -= MIN(left->in, in_n);
	left->out -= MIN(left->out, *n);
	chain_drop(&x->w->pool, &x->up->body, in_n);
	return rc == READ_FAIL ? ERR_SYNTAX : 0;
}

int unpack_slice(struct exchange *x, int (*take)(struct exchange *x, size_t n))
{
	struct slice left = {SLICE_IN, SLICE_OUT};
	int rc = 0;

	while (rc == 0 && unpack_waits(x) && left.in != 0 && left.out != 0 &&
		x->answer.ready < ANSWER_HIGH_WATER) {
		size_t n = 0;

		rc = unpack_some(x, &left, &n);
		if (rc == 0 && n != 0) {
			rc = take(x, n);
		}
	}
	return rc;
}
