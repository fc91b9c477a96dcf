#include "wire/inflate.h"

#include <stdlib.h>

#include "base/text.h"

/* What comes out is compared up to here. */
#define OUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces of `step` bytes, each in memory of its own, and `room` bytes of room. */
static enum read_rc read_in(
	struct bytes in, enum inflate_format format, size_t step, size_t room, struct text *out)
{
	struct inflate *z = inflate_new(format);
	char *place = must_alloc(room);
	enum read_rc rc = READ_MORE;
	struct fault f = {0};

	ASSERT(z != NULL);
	while (in.n != 0 && rc != READ_FAIL && out->n < OUT_MAX) {
		size_t n = MIN(step, in.n);
		char *copy = must_alloc(n);
		struct bytes piece = bytes_of(copy, n);
		struct inflate_room r;

		memcpy(copy, in.p, n);
		in = bytes_of(in.p + n, in.n - n);
		do {
			r = (struct inflate_room){place, room};
			rc = inflate_feed(z, &piece, &r, &f);
			text_add(out, place, room - r.n);
		} while (rc == READ_MORE && (piece.n != 0 || r.n == 0) && out->n < OUT_MAX);
		ASSERT(rc == READ_FAIL || piece.n == 0 || out->n >= OUT_MAX);
		free(copy);
	}
	rc = rc == READ_FAIL ? READ_FAIL : inflate_end(z, &f);
	ASSERT((rc == READ_FAIL) == (f.status == 400));
	inflate_free(z);
	free(place);
	return rc;
}

/* The first byte: format and pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum inflate_format format;
	struct text whole, pieces;
	struct bytes in;
	enum read_rc a, b;

	if (size < 1) {
		return 0;
	}
	format = (data[0] & 1) != 0 ? INFLATE_GZIP : INFLATE_ZLIB;
	in = bytes_of((const char *)data + 1, size - 1);
	text_init(&whole, 2 * OUT_MAX);
	text_init(&pieces, 2 * OUT_MAX);
	a = read_in(in, format, in.n + 1, 65536, &whole);
	b = read_in(in, format, 1 + (data[0] >> 1) % 7, 1 + (data[0] >> 4), &pieces);
	if (whole.n < OUT_MAX && pieces.n < OUT_MAX) {
		ASSERT(a == b &&
			(a == READ_FAIL || bytes_eq(text_bytes(&whole), text_bytes(&pieces))));
	}
	text_done(&whole);
	text_done(&pieces);
	return 0;
}
