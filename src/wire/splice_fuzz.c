/*
 * The input: a byte that says how long segments are, one for how much is sent at once, then edits of
 * four bytes (kept, cut, put, order), then the original. The judge copies.
 */
#include "wire/splice.h"

#include "base/text.h"

#define EDITS_MAX 16u

struct input {
	const uint8_t *p;
	size_t n;
};

static uint8_t take(struct input *in)
{
	if (in->n == 0) {
		return 0;
	}
	in->n--;
	return *in->p++;
}

static size_t make_edits(struct input *in, size_t n_original, struct splice_edit *edits)
{
	static const char put[256] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t n = take(in) % (EDITS_MAX + 1);
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t kept = take(in);
		uint64_t cut = take(in);

		at += MIN(kept, n_original - at);
		edits[i].at = at;
		edits[i].cut = MIN(cut, n_original - at);
		edits[i].put = bytes_of(put, take(in));
		at += edits[i].cut;
	}
	return n;
}

static void expect(struct bytes original, const struct splice_edit *edits, size_t n, struct text *t)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		text_add(t, original.p + at, (size_t)edits[i].at - at);
		text_add_bytes(t, edits[i].put);
		at = (size_t)(edits[i].at + edits[i].cut);
	}
	text_add(t, original.p + at, original.n - at);
}

static void send_all(struct splice *s, size_t step, struct text *out)
{
	struct iovec v[4];
	int n;

	while ((n = splice_fill(s, v, 4)) != 0) {
		size_t sent = 0;

		for (int i = 0; i < n; i++) {
			size_t now = MIN(v[i].iov_len, step - sent);

			ASSERT(v[i].iov_len != 0);
			text_add(out, v[i].iov_base, now);
			sent += now;
		}
		ASSERT(sent != 0);
		splice_sent(s, sent);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	size_t piece = (size_t)take(&in) * 4 + 1;
	size_t step = (size_t)take(&in) + 1;
	struct splice_edit edits[EDITS_MAX];
	struct segpool pool;
	struct chain original = {NULL, NULL, 0};
	struct text wanted, got;
	struct splice s;
	size_t n_edits;
	struct bytes text;

	if (size > 4000) {
		return 0;
	}
	/* Edits are read in front of the original, whose length they must know: at most what is there. */
	n_edits = make_edits(&in, size / 2, edits);
	text = bytes_of((const char *)data + (size - size / 2), size / 2);
	segpool_init(&pool, 256u << 20);
	for (size_t at = 0; at < text.n; at += piece) {
		struct seg *seg = seg_take(&pool);

		seg->end = (uint32_t)MIN(piece, text.n - at);
		memcpy(seg->data, text.p + at, seg->end);
		chain_append(&original, seg);
	}
	splice_init(&s, &original, edits, n_edits);
	text_init(&wanted, 1u << 20);
	text_init(&got, 1u << 20);
	expect(text, edits, n_edits, &wanted);
	ASSERT(s.length == wanted.n);
	for (int round = 0; round < 2; round++) {
		text_clear(&got);
		send_all(&s, step, &got);
		ASSERT(got.n == wanted.n && s.sent == s.length);
		ASSERT(wanted.n == 0 || memcmp(got.p, wanted.p, wanted.n) == 0);
		splice_rewind(&s);
	}
	text_done(&wanted);
	text_done(&got);
	chain_give(&pool, &original);
	segpool_done(&pool);
	return 0;
}
