/*
 * A splice is a cursor over two sources: the segments of the original and the replacements. peek shows
 * the next contiguous run of bytes, advance moves behind it; both filling and sending are these two.
 */
#include "wire/splice.h"

void splice_init(struct splice *s, const struct chain *original, const struct splice_edit *edits,
	size_t n_edits)
{
	uint64_t behind = 0;

	*s = (struct splice){.original = original, .edits = edits, .n_edits = n_edits};
	s->length = original->n;
	for (size_t i = 0; i < n_edits; i++) {
		ASSERT(edits[i].at >= behind && edits[i].at <= original->n);
		ASSERT(edits[i].cut <= original->n - edits[i].at);
		behind = edits[i].at + edits[i].cut;
		s->length = s->length - edits[i].cut + edits[i].put.n;
	}
	splice_rewind(s);
}

void splice_rewind(struct splice *s)
{
	s->sent = 0;
	s->seg = s->original->head;
	s->seg_at = 0;
	s->at = 0;
	s->edit = 0;
	s->put_sent = 0;
}

/* The original's bytes at s->at, as far as they are contiguous and no edit begins; at < limit. */
static struct bytes peek_original(struct splice *s, uint64_t limit)
{
	size_t skip;
	size_t here;

	ASSERT(s->seg != NULL);
	while (s->at - s->seg_at >= s->seg->end - s->seg->beg) {
		s->seg_at += s->seg->end - s->seg->beg;
		s->seg = s->seg->next;
		ASSERT(s->seg != NULL);
	}
	skip = (size_t)(s->at - s->seg_at);
	here = s->seg->end - s->seg->beg - skip;
	return bytes_of(s->seg->data + s->seg->beg + skip, MIN(here, (size_t)(limit - s->at)));
}

/* The bytes that come next; none at the end. Steps over edits that are done. */
static struct bytes peek(struct splice *s)
{
	while (s->edit < s->n_edits && s->at == s->edits[s->edit].at) {
		const struct splice_edit *e = &s->edits[s->edit];

		if (s->put_sent < e->put.n) {
			return bytes_of(e->put.p + s->put_sent, e->put.n - (size_t)s->put_sent);
		}
		s->at += e->cut;
		s->edit++;
		s->put_sent = 0;
	}
	if (s->at == s->original->n) {
		return bytes_of(NULL, 0);
	}
	return peek_original(s, s->edit < s->n_edits ? s->edits[s->edit].at : s->original->n);
}

/* n is at most what peek just showed. */
static void advance(struct splice *s, size_t n)
{
	s->sent += n;
	if (s->edit < s->n_edits && s->at == s->edits[s->edit].at) {
		s->put_sent += n;
	} else {
		s->at += n;
	}
}

int splice_fill(const struct splice *s, struct iovec *v, int max)
{
	struct splice ahead = *s;
	int n = 0;

	while (n < max) {
		struct bytes b = peek(&ahead);

		if (b.n == 0) {
			break;
		}
		/* iovec is shared with reading and so not const; sending does not write there. */
		v[n].iov_base = (void *)(uintptr_t)b.p;
		v[n].iov_len = b.n;
		n++;
		advance(&ahead, b.n);
	}
	return n;
}

void splice_sent(struct splice *s, size_t n)
{
	while (n != 0) {
		struct bytes b = peek(s);
		size_t take = MIN(n, b.n);

		ASSERT(take != 0);
		advance(s, take);
		n -= take;
	}
}

/* Insertion sort: stable, in place, and edits come nearly in order already (hits are reported so). */
/* At one offset what is put in comes before what is taken out: behind it, it would overlap. */
static bool is_after(const struct splice_edit *a, const struct splice_edit *b)
{
	return a->at != b->at ? a->at > b->at : a->cut != 0 && b->cut == 0;
}

void splice_sort(struct splice_edit *edits, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct splice_edit e = edits[i];
		size_t to = i;

		while (to > 0 && is_after(&edits[to - 1], &e)) {
			edits[to] = edits[to - 1];
			to--;
		}
		edits[to] = e;
	}
}
