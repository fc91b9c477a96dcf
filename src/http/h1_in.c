#include "http/h1_in.h"

/* A new segment is lent for a body when the last one has less room than this. */
#define ROOM_MIN 2048u

void h1_in_init(struct h1_in *in)
{
	*in = (struct h1_in){.framing = H1_NO_BODY};
}

void h1_in_done(struct h1_in *in, struct segpool *pool)
{
	seg_give(pool, in->rx);
	h1_in_init(in);
}

ssize_t h1_in_read_head(struct h1_in *in, struct segpool *pool, struct sock *sock)
{
	ssize_t r;

	if (in->rx == NULL) {
		/* From the reserve too: a refusal for want of memory begins with reading the head. */
		in->rx = seg_take(pool);
		if (in->rx == NULL) {
			return ERR_MEMORY;
		}
	}
	ASSERT(in->rx->end < SEG_ROOM);
	r = sock_read(sock, in->rx->data + in->rx->end, SEG_ROOM - in->rx->end);
	if (r > 0) {
		in->rx->end += (uint32_t)r;
	} else if (in->rx->end == in->rx->beg) {
		seg_give(pool, in->rx);
		in->rx = NULL;
	}
	return r;
}

void h1_in_show(struct stream *s, const struct h1_head *h, const char *base)
{
	s->head = (struct head){
		.base = base,
		.method = h->method,
		.target = h->target,
		.status = h->status,
		.minor = h->minor,
		.has_body = h->framing != H1_NO_BODY,
		.expect_continue = h->expect_continue,
		.upgrade = h->upgrade,
		.length = h->length == H1_LENGTH_NONE ? HEAD_NO_LENGTH : h->length,
		.n_fields = h->n_fields,
		.fields = h->fields,
	};
}

/* Bytes behind the end of a message: the next request of a pipeline. They move into a segment of their
 * own, because the message's segments are about to be passed on. */
static bool keep_rest(struct h1_in *in, struct segpool *pool, const char *p, size_t n)
{
	if (n == 0) {
		return true;
	}
	ASSERT(in->rx == NULL);
	in->rx = seg_take(pool);
	if (in->rx == NULL) {
		return false;
	}
	memcpy(in->rx->data, p, n);
	in->rx->end = (uint32_t)n;
	return true;
}

/* Unframes the n raw bytes that stand at p: *data_n of them, moved to the front of p, are body. */
static enum read_rc unframe(
	struct h1_in *in, char *p, size_t n, size_t *data_n, size_t *used, struct fault *fault)
{
	switch ((enum h1_framing)in->framing) {
	case H1_NO_BODY:
		*data_n = *used = 0;
		return READ_DONE;
	case H1_LENGTH:
		*data_n = *used = n < in->left ? n : (size_t)in->left;
		in->left -= *used;
		return in->left == 0 ? READ_DONE : READ_MORE;
	case H1_CHUNKED:
		return h1_chunked_decode(&in->chunked, p, n, data_n, used, fault);
	case H1_TO_CLOSE:
		*data_n = *used = n;
		return READ_MORE;
	}
	return READ_FAIL;
}

enum read_rc h1_in_begin(struct h1_in *in, struct stream *s, const struct h1_head *h, size_t used,
	struct fault *fault)
{
	struct seg *seg = in->rx;
	size_t n;
	size_t data_n;
	size_t taken;
	enum read_rc rc;

	h1_in_show(s, h, seg->data + seg->beg);
	in->framing = (uint8_t)h->framing;
	in->left = h->framing == H1_LENGTH ? h->length : 0;
	in->scanned = 0;
	in->ended = false;
	h1_chunked_init(&in->chunked);
	in->rx = NULL;
	s->head_seg = seg;
	seg->beg += (uint32_t)used;
	n = seg->end - seg->beg;
	rc = unframe(in, seg->data + seg->beg, n, &data_n, &taken, fault);
	if (rc == READ_FAIL) {
		return rc;
	}
	in->ended = rc == READ_DONE;
	if (in->ended && !keep_rest(in, s->pool, seg->data + seg->beg + taken, n - taken)) {
		fault_set(fault, ERR_MEMORY, 503, 0,
			"the gateway is out of buffer memory; try again later");
		return READ_FAIL;
	}
	seg->end = seg->beg + (uint32_t)data_n;
	if (data_n != 0) {
		chain_append(&s->body, seg_ref(seg));
	}
	return rc;
}

/* The segment that the next body bytes go to: the last one while it has room, or a new one. */
static struct seg *room_for_body(struct stream *s)
{
	struct seg *tail = s->body.tail;

	if (tail != NULL && SEG_ROOM - tail->end >= ROOM_MIN) {
		return tail;
	}
	return seg_take_input(s->pool);
}

ssize_t h1_in_read_body(struct h1_in *in, struct stream *s, struct sock *sock, enum read_rc *rc,
	struct fault *fault)
{
	struct seg *seg = room_for_body(s);
	bool fresh = seg != s->body.tail;
	size_t data_n;
	size_t used;
	char *at;
	ssize_t r;

	*rc = READ_MORE;
	if (seg == NULL) {
		return ERR_MEMORY;
	}
	at = seg->data + seg->end;
	r = sock_read(sock, at, SEG_ROOM - seg->end);
	if (r <= 0) {
		if (fresh) {
			seg_give(s->pool, seg);
		}
		if (r == 0 && in->framing == H1_TO_CLOSE) {
			in->ended = true;
			*rc = READ_DONE;
		}
		return r;
	}
	*rc = unframe(in, at, (size_t)r, &data_n, &used, fault);
	if (*rc == READ_FAIL) {
		data_n = 0;
	} else if (*rc == READ_DONE) {
		in->ended = true;
		if (!keep_rest(in, s->pool, at + used, (size_t)r - used)) {
			*rc = READ_FAIL;
			fault_set(fault, ERR_MEMORY, 503, 0, "the gateway is out of buffer memory");
		}
	}
	seg->end += (uint32_t)data_n;
	if (!fresh) {
		s->body.n += data_n;
	} else if (data_n != 0) {
		chain_append(&s->body, seg);
	} else {
		seg_give(s->pool, seg);
	}
	return r;
}
