/*
 * Compressed request bodies (data-plane.md §3.4): gathered as they come, then decoded slice by slice
 * into the body that is scanned and sent on. Decoding begins when all is there, so that a slow upload
 * does not hold the decoder's memory; what is decoded is given back as it goes.
 */
#include "proxy/exchange.h"
#include "proxy/worker.h"
#include "wire/inflate.h"

/* Attack: a small body that makes a large one. JSON of people is compressed 3 to 20 times. */
#define RATIO_MAX 100u
/* Below it the ratio says nothing: a body of blanks is no attack. */
#define RATIO_FLOOR 65536u
/* One turn: whatever comes first. zlib makes about 300 MB/s. */
#define SLICE_OUT (256u * 1024u)
#define SLICE_IN (64u * 1024u)
#define SLICE_US 500u
/* Between two looks at the clock: input can be made that costs much and yields nothing. */
#define PIECE_IN 4096u

enum body_coding decode_coding(struct bytes name)
{
	if (name.n == 0 || bytes_eq_nocase(name, BYTES("identity"))) {
		return BODY_PLAIN;
	}
	if (bytes_eq_nocase(name, BYTES("gzip")) || bytes_eq_nocase(name, BYTES("x-gzip"))) {
		return BODY_GZIP;
	}
	return bytes_eq_nocase(name, BYTES("deflate")) ? BODY_DEFLATE : BODY_UNKNOWN;
}

bool decode_choose(struct exchange *x)
{
	struct request *rq = x->rq;
	const struct head *h = &rq->head;
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_fields; i++) {
		if (h->fields[i].id != FIELD_CONTENT_ENCODING) {
			continue;
		}
		/* A second one means coded twice. */
		rq->coding = n++ == 0 ? decode_coding(head_value(h, i)) : BODY_UNKNOWN;
		if (rq->coding != BODY_PLAIN) {
			exchange_strip(x, i);
		}
	}
	return rq->coding != BODY_UNKNOWN;
}

static enum verdict refuse(struct exchange *x, const struct fault *f)
{
	if (f->err == ERR_MEMORY) {
		return reply_no_memory(x);
	}
	return reply_set(
		x, 400, "body.encoding", "the request body cannot be decompressed: %s", f->text);
}

/* A segment is only taken when there is something to put into it. */
static enum read_rc decode_piece(struct exchange *x, struct fault *f)
{
	struct request *rq = x->rq;
	struct chain *from = &x->client->body;
	const struct seg *s = from->head;
	struct seg *tail = rq->body.tail;
	char none;
	struct inflate_room room = {&none, 0};
	struct bytes in = BYTES("");
	size_t in_n, room_n;
	enum read_rc rc;

	if (s != NULL) {
		in = bytes_of(s->data + s->beg, MIN(s->end - s->beg, PIECE_IN));
	}
	if (tail != NULL) {
		room = (struct inflate_room){tail->data + tail->end, SEG_ROOM - tail->end};
	}
	in_n = in.n;
	room_n = room.n;
	rc = inflate_feed(rq->inflate, &in, &room, f);
	if (tail != NULL) {
		tail->end += (uint32_t)(room_n - room.n);
		rq->body.n += room_n - room.n;
	}
	chain_drop(&x->w->pool, from, in_n - in.n);
	if (rc == READ_MORE && room_n == 0 && (in.n != 0 || from->n == 0)) {
		tail = seg_take_input(&x->w->pool);
		if (tail == NULL) {
			fault_set(f, ERR_MEMORY, 503, 0, "no memory");
			return READ_FAIL;
		}
		chain_append(&rq->body, tail);
	}
	return rc;
}

static bool room_is_left(const struct chain *c)
{
	return c->tail != NULL && c->tail->end < SEG_ROOM;
}

/* READ_DONE: all of it is decoded. READ_MORE: the slice is. */
static enum read_rc decode_pieces(struct exchange *x, struct fault *f)
{
	struct request *rq = x->rq;
	const struct chain *from = &x->client->body;
	size_t in_n = from->n;
	size_t out_n = rq->body.n;
	uint64_t began_us = loop_now_us(x->w->loop);

	for (;;) {
		enum read_rc rc = decode_piece(x, f);

		if (rc == READ_FAIL) {
			return rc;
		}
		if (from->n == 0 && (rc == READ_DONE || room_is_left(&rq->body))) {
			return inflate_end(rq->inflate, f);
		}
		if (rq->body.n - out_n >= SLICE_OUT || in_n - from->n >= SLICE_IN ||
			loop_now_us(x->w->loop) - began_us >= SLICE_US) {
			return READ_MORE;
		}
	}
}

/* False: an answer was set. */
static bool begin(struct exchange *x)
{
	struct request *rq = x->rq;

	rq->coded_n = x->rec.bytes_in = x->client->body.n;
	rq->complete_us = x->woke_us;
	if (!segpool_hold(&x->w->pool, INFLATE_SEGS)) {
		reply_no_memory(x);
		return false;
	}
	rq->inflate = inflate_new(rq->coding == BODY_GZIP ? INFLATE_GZIP : INFLATE_ZLIB);
	if (rq->inflate == NULL) {
		segpool_release(&x->w->pool, INFLATE_SEGS);
		reply_no_memory(x);
		return false;
	}
	return true;
}

void decode_end(struct worker *w, struct request *rq)
{
	if (rq->inflate != NULL) {
		inflate_free(rq->inflate);
		rq->inflate = NULL;
		segpool_release(&w->pool, INFLATE_SEGS);
	}
}

enum verdict decode_slice(struct exchange *x)
{
	struct request *rq = x->rq;
	struct fault f = {0};
	enum read_rc rc;

	if (rq->inflate == NULL && !begin(x)) {
		return VERDICT_REPLY;
	}
	rc = decode_pieces(x, &f);
	if (rc == READ_FAIL) {
		return refuse(x, &f);
	}
	if (rq->body.n > RATIO_FLOOR && rq->body.n / RATIO_MAX > rq->coded_n) {
		return reply_set(x, 400, "body.encoding",
			"the request body decompresses to more than %u times its size; send it plain",
			RATIO_MAX);
	}
	if (rc == READ_DONE) {
		decode_end(x->w, rq);
		rq->decoded = true;
	}
	return VERDICT_NEXT;
}
