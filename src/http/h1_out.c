#include "http/h1_out.h"

#include "base/num.h"

#define PIECES_MAX 40 /* 1 MB in segments, its head and its edits, go at once */
/* A chunk's size has at most six digits: with its line end that is what frame has room for. */
#define CHUNK_MAX 0xffffffu

/* The end of a chunk and the last one behind it, or one of them. */
static const char tails[] = "\r\n0\r\n\r\n";
#define TAIL_N 2u

void h1_out_init(struct h1_out *o)
{
	*o = (struct h1_out){.framing = H1_NO_BODY};
}

void h1_out_done(struct h1_out *o, struct segpool *pool)
{
	seg_give(pool, o->head);
	h1_out_init(o);
}

/* --- the head ----------------------------------------------------------------------------------- */

struct pen {
	char *at, *end;
	bool full;
};

static void put(struct pen *p, struct bytes b)
{
	if ((size_t)(p->end - p->at) < b.n) {
		p->full = true;
		return;
	}
	p->at = bytes_put(p->at, b);
}

static void put_field(struct pen *p, struct bytes name, struct bytes value)
{
	char *at = p->at;

	if ((size_t)(p->end - at) < name.n + value.n + 4) {
		p->full = true;
		return;
	}
	at = bytes_put(at, name);
	memcpy(at, ": ", 2);
	at = bytes_put(at + 2, value);
	memcpy(at, "\r\n", 2);
	p->at = at + 2;
}

static void put_number(struct pen *p, uint64_t v)
{
	if ((size_t)(p->end - p->at) < NUM_U64_MAX) {
		p->full = true;
		return;
	}
	p->at += num_format_u64(p->at, v);
}

static void put_first_line(struct pen *p, const struct head_out *h, const struct h1_out_line *line)
{
	if (line->response) {
		put(p, BYTES("HTTP/1.1 "));
		put_number(p, h->status);
		put(p, BYTES(" "));
		put(p, bytes_str(h1_reason(h->status)));
		put(p, BYTES("\r\n"));
		return;
	}
	put(p, h->method);
	put(p, BYTES(" "));
	put(p, h->target);
	put(p, BYTES(" HTTP/1.1\r\n"));
}

static bool has_date(const struct head_out *h)
{
	for (unsigned i = 0; i < h->n; i++) {
		if (h->v[i].name.n == 4 && bytes_eq_nocase(h->v[i].name, BYTES("date"))) {
			return true;
		}
	}
	return false;
}

static void put_length(struct pen *p, uint64_t length)
{
	put(p, BYTES("Content-Length: "));
	put_number(p, length);
	put(p, BYTES("\r\n"));
}

/* Chooses the framing and writes its fields (RFC 9112 §6). */
static enum h1_framing put_framing(
	struct pen *p, const struct head_out *h, const struct h1_out_line *line)
{
	bool bodiless = line->response && (h->status == 204 || h->status == 304 || h->status < 200);

	if (h->no_body || bodiless) {
		return H1_NO_BODY;
	}
	if (h->length != HEAD_NO_LENGTH) {
		put_length(p, h->length);
		return line->no_body || h->length == 0 ? H1_NO_BODY : H1_LENGTH;
	}
	if (line->no_body) {
		return H1_NO_BODY;
	}
	if (line->response && (line->minor == 0 || h->to_close)) {
		return H1_TO_CLOSE;
	}
	put_field(p, BYTES("Transfer-Encoding"), BYTES("chunked"));
	return H1_CHUNKED;
}

static void put_head(struct pen *p, const struct head_out *h, const struct h1_out_line *line,
	enum h1_framing *framing)
{
	put_first_line(p, h, line);
	for (unsigned i = 0; i < h->n; i++) {
		put_field(p, h->v[i].name, h->v[i].value);
	}
	*framing = put_framing(p, h, line);
	if (line->response && line->date.n != 0 && !has_date(h)) {
		put_field(p, BYTES("Date"), line->date);
	}
	if (line->close || *framing == H1_TO_CLOSE) {
		put_field(p, BYTES("Connection"), BYTES("close"));
	} else if (line->keep_alive) {
		put_field(p, BYTES("Connection"), BYTES("keep-alive"));
	}
	put(p, BYTES("\r\n"));
}

static int take_head_seg(struct h1_out *o, struct segpool *pool)
{
	if (o->head == NULL) {
		o->head = seg_take(pool);
	}
	return o->head != NULL ? 0 : ERR_MEMORY;
}

int h1_out_begin(struct h1_out *o, struct segpool *pool, const struct head_out *head,
	const struct h1_out_line *line, struct stream_source *source)
{
	enum h1_framing framing;
	struct pen pen;

	ASSERT(!o->open);
	if (head->overflow) {
		return ERR_LIMIT;
	}
	if (take_head_seg(o, pool) != 0) {
		return ERR_MEMORY;
	}
	pen = (struct pen){o->head->data + o->head->end, o->head->data + SEG_ROOM, false};
	put_head(&pen, head, line, &framing);
	if (pen.full) {
		if (o->head->end == o->head->beg) {
			seg_give(pool, o->head);
			o->head = NULL;
		}
		return ERR_LIMIT;
	}
	o->head->end = (uint32_t)(pen.at - o->head->data);
	o->framing = (uint8_t)framing;
	o->left = framing == H1_LENGTH ? head->length : 0;
	o->source = framing == H1_NO_BODY ? NULL : source;
	o->open = true;
	ASSERT(framing == H1_NO_BODY || source != NULL);
	return 0;
}

int h1_out_continue(struct h1_out *o, struct segpool *pool)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (take_head_seg(o, pool) != 0) {
		return ERR_MEMORY;
	}
	memcpy(o->head->data + o->head->end, text, sizeof(text) - 1);
	o->head->end += (uint32_t)sizeof(text) - 1;
	return 0;
}

/* --- the body ----------------------------------------------------------------------------------- */

static size_t total(const struct iovec *v, int n)
{
	size_t sum = 0;

	for (int i = 0; i < n; i++) {
		sum += v[i].iov_len;
	}
	return sum;
}

/* Cuts the pieces to `max` bytes in all; returns how many are left. */
static int cut(struct iovec *v, int n, uint64_t max)
{
	for (int i = 0; i < n; i++) {
		if (v[i].iov_len >= max) {
			v[i].iov_len = (size_t)max;
			return max != 0 ? i + 1 : i;
		}
		max -= v[i].iov_len;
	}
	return n;
}

static struct iovec tail_of(const struct h1_out *o)
{
	return (struct iovec){(void *)(uintptr_t)(tails + o->tail_at), o->tail_n};
}

/* One chunk for everything that the source shows now. */
static int start_chunk(struct h1_out *o, struct iovec *v, int max)
{
	int n = o->source->fill(o->source, v + 1, max - 2);
	size_t size = total(v + 1, n);
	char frame[18];

	o->last_chunk = o->source->ended && n < max - 2 && size <= CHUNK_MAX;
	o->tail_at = size == 0 ? TAIL_N : 0;
	o->tail_n = (uint8_t)((o->last_chunk ? sizeof(tails) - 1 : TAIL_N) - o->tail_at);
	if (size == 0) {
		v[0] = tail_of(o);
		return o->tail_n != 0 ? 1 : 0;
	}
	n = size > CHUNK_MAX ? cut(v + 1, n, CHUNK_MAX) : n;
	o->left = MIN(size, CHUNK_MAX);
	o->frame_at = 0;
	o->frame_n = (uint8_t)h1_chunk_head(frame, o->left);
	ASSERT(o->frame_n <= sizeof(o->frame));
	memcpy(o->frame, frame, sizeof(o->frame));
	v[0] = (struct iovec){o->frame, o->frame_n};
	v[n + 1] = tail_of(o);
	return n + 2;
}

/* What is left of a chunk that was begun. */
static int gather_chunk(struct h1_out *o, struct iovec *v, int max)
{
	int n = 0;
	int data;

	if (o->tail_n == 0) {
		return start_chunk(o, v, max);
	}
	if (o->frame_at < o->frame_n) {
		v[n++] = (struct iovec){o->frame + o->frame_at, (size_t)(o->frame_n - o->frame_at)};
	}
	if (o->left != 0) {
		data = o->source->fill(o->source, v + n, max - n - 1);
		data = cut(v + n, data, o->left);
		n += data;
		if (total(v + n - data, data) < o->left) {
			return n;
		}
	}
	v[n++] = tail_of(o);
	return n;
}

static int gather(struct h1_out *o, struct iovec *v, int max)
{
	int n = 0;

	if (o->head != NULL) {
		v[n++] = (struct iovec){o->head->data + o->head->beg, o->head->end - o->head->beg};
	}
	if (!o->open || o->source == NULL) {
		return n;
	}
	if (o->framing == H1_CHUNKED) {
		return n + gather_chunk(o, v + n, max - n);
	}
	if (o->framing == H1_LENGTH) {
		return n + cut(v + n, o->source->fill(o->source, v + n, max - n), o->left);
	}
	return n + o->source->fill(o->source, v + n, max - n);
}

/* Takes at most *n from a part of `have` bytes; returns how many. */
static size_t take(size_t *n, uint64_t have)
{
	size_t k = *n < have ? *n : (size_t)have;

	*n -= k;
	return k;
}

static void account(struct h1_out *o, struct segpool *pool, size_t n)
{
	size_t k;

	if (o->head != NULL) {
		o->head->beg += (uint32_t)take(&n, o->head->end - o->head->beg);
		if (o->head->beg == o->head->end) {
			seg_give(pool, o->head);
			o->head = NULL;
		}
	}
	if (n == 0 || o->source == NULL) {
		ASSERT(n == 0);
		return;
	}
	if (o->framing != H1_CHUNKED) {
		o->left -= o->framing == H1_LENGTH ? n : 0;
		o->source->sent(o->source, n);
		return;
	}
	o->frame_at = (uint8_t)(o->frame_at + take(&n, (uint64_t)(o->frame_n - o->frame_at)));
	k = take(&n, o->left);
	if (k != 0) {
		o->left -= k;
		o->source->sent(o->source, k);
	}
	k = take(&n, o->tail_n);
	o->tail_at = (uint8_t)(o->tail_at + k);
	o->tail_n = (uint8_t)(o->tail_n - k);
	ASSERT(n == 0);
}

static bool is_done(const struct h1_out *o)
{
	if (!o->open || o->head != NULL) {
		return false;
	}
	switch ((enum h1_framing)o->framing) {
	case H1_NO_BODY:
		return true;
	case H1_LENGTH:
		return o->left == 0;
	case H1_CHUNKED:
		return o->last_chunk && o->left == 0 && o->tail_n == 0;
	case H1_TO_CLOSE: {
		struct iovec v;

		return o->source->ended && o->source->fill(o->source, &v, 1) == 0;
	}
	}
	return false;
}

ssize_t h1_out_flush(struct h1_out *o, struct segpool *pool, struct sock *sock, bool *more)
{
	struct iovec v[PIECES_MAX];
	size_t sent = 0;

	*more = false;
	while (!o->done && sock_writable(sock)) {
		int n = gather(o, v, PIECES_MAX);
		ssize_t r;

		if (n != 0) {
			r = sock_writev(sock, v, n);
			if (r == ERR_AGAIN) {
				break;
			}
			if (r < 0) {
				return r;
			}
			account(o, pool, (size_t)r);
			sent += (size_t)r;
		}
		o->done = is_done(o);
		if (n == 0) {
			break;
		}
		if (sent >= H1_OUT_TURN) {
			*more = !o->done;
			break;
		}
	}
	return (ssize_t)sent;
}
