#include "http/h1_in.h"

/* A new segment is lent for a body when the last one has less room than this. */
#define ROOM_MIN 2048u
#define SEGS_MAX ((int)(H1_IN_READ_MAX / SEG_ROOM))

void h1_in_init(struct h1_in *in)
{
	*in = (struct h1_in){.framing = H1_NO_BODY};
}

void h1_in_done(struct h1_in *in, struct segpool *pool)
{
	seg_give(pool, in->rx);
	h1_in_init(in);
}

static struct seg *take_rx(struct segpool *pool)
{
	struct seg *seg = seg_take(pool);

	if (seg != NULL) {
		seg->beg = seg->end = H1_IN_FRONT;
	}
	return seg;
}

ssize_t h1_in_read_head(struct h1_in *in, struct segpool *pool, struct sock *sock)
{
	ssize_t r;

	if (in->rx == NULL) {
		/* From the reserve too: a refusal for want of memory begins with reading the head. */
		in->rx = take_rx(pool);
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

/* seg: whose front has room for it. */
static void show(struct stream *s, const struct h1_head *h, struct seg *seg, const char *base)
{
	s->head_seg = seg;
	s->head = (struct head *)(void *)seg->data;
	*s->head = (struct head){
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
	in->rx = take_rx(pool);
	if (in->rx == NULL) {
		return false;
	}
	ASSERT(n <= SEG_ROOM - H1_IN_FRONT); /* no more is read at once (add_room) */
	memcpy(in->rx->data + in->rx->end, p, n);
	in->rx->end += (uint32_t)n;
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

	show(s, h, seg, seg->data + seg->beg);
	in->framing = (uint8_t)h->framing;
	in->scanned = 0;
	in->ended = false;
	in->filled = seg->end == SEG_ROOM;
	if (h->framing == H1_LENGTH) {
		in->left = h->length;
	} else {
		h1_chunked_init(&in->chunked);
	}
	in->rx = NULL;
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

/* --- body bytes --------------------------------------------------------------------------------- */

/* One read: where the bytes go (the rest of the body's last segment, then new ones), and for whom. */
struct intake {
	struct h1_in *in;
	struct stream *s;
	struct iovec v[SEGS_MAX];
	struct seg *segs[SEGS_MAX];
	int n;
	bool fresh; /* segs[0] is a new one too */
	size_t size;
};

static bool add_room(struct intake *k, struct seg *seg)
{
	size_t room;

	if (seg == NULL) {
		return false;
	}
	/* All of it may turn out to be the next message. */
	room = SEG_ROOM - H1_IN_FRONT - seg->end;
	k->segs[k->n] = seg;
	k->v[k->n] = (struct iovec){seg->data + seg->end, room};
	k->size += room;
	k->n++;
	return true;
}

/*
 * As many segments as the body is known to fill; of one without a length several when the read before filled what it had.
 * Only the last one may get bytes behind the body's end, for they have to fit into one (keep_rest): chunks, whose end is
 * not known, are read one by one.
 */
static bool make_room(struct intake *k)
{
	const struct h1_in *in = k->in;
	struct segpool *pool = k->s->pool;
	struct seg *tail = k->s->body.tail;
	bool wide = in->framing == H1_LENGTH || (in->filled && in->framing == H1_TO_CLOSE);
	uint64_t want = in->want - MIN(in->want, k->s->body.n);
	uint64_t most = in->framing == H1_LENGTH ? MIN(in->left, want) : want;

	k->fresh = tail == NULL || SEG_ROOM - tail->end < ROOM_MIN;
	if (!add_room(k, k->fresh ? seg_take_input(pool) : tail)) {
		return false;
	}
	while (wide && k->n < SEGS_MAX && k->size <= most && add_room(k, seg_take_input(pool))) {}
	return true;
}

/* n bytes of body were put into the i-th segment. */
static void keep(struct intake *k, int i, size_t n)
{
	struct seg *seg = k->segs[i];

	seg->end += (uint32_t)n;
	if (i == 0 && !k->fresh) {
		k->s->body.n += n;
	} else if (n != 0) {
		chain_append(&k->s->body, seg);
	} else {
		seg_give(k->s->pool, seg);
	}
}

/* Unframes the n bytes that were read into the i-th segment, and keeps what is body. */
static enum read_rc take_in(struct intake *k, int i, size_t n, struct fault *fault)
{
	struct h1_in *in = k->in;
	char *at = k->v[i].iov_base;
	size_t data_n = 0;
	size_t used = 0;
	enum read_rc rc = unframe(in, at, n, &data_n, &used, fault);

	if (rc == READ_FAIL) {
		data_n = 0;
	} else if (rc == READ_DONE) {
		in->ended = true;
		if (!keep_rest(in, k->s->pool, at + used, n - used)) {
			rc = READ_FAIL;
			fault_set(fault, ERR_MEMORY, 503, 0, "the gateway is out of buffer memory");
		}
	}
	keep(k, i, data_n);
	return rc;
}

ssize_t h1_in_read_body(struct h1_in *in, struct stream *s, struct sock *sock, enum read_rc *rc,
	struct fault *fault)
{
	struct intake k; /* its arrays are filled as far as they are used */
	size_t left;
	ssize_t r;

	k.in = in;
	k.s = s;
	k.n = 0;
	k.size = 0;
	*rc = READ_MORE;
	if (!make_room(&k)) {
		return ERR_MEMORY;
	}
	r = sock_readv(sock, k.v, k.n);
	left = r > 0 ? (size_t)r : 0;
	in->filled = left == k.size;
	for (int i = 0; i < k.n; i++) {
		size_t part = MIN(left, k.v[i].iov_len);

		left -= part;
		if (part == 0 || *rc == READ_FAIL) {
			keep(&k, i, 0);
		} else {
			*rc = take_in(&k, i, part, fault);
		}
	}
	if (r == 0 && in->framing == H1_TO_CLOSE) {
		in->ended = true;
		*rc = READ_DONE;
	}
	return r;
}
