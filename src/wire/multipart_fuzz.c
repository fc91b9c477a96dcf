#include "wire/multipart.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input: the Content-Type, LF, the body. Whole and in pieces it must say the same; a value that is
 * found stands in the body where the scanner says, and the boundary does not stand in it. */
static enum read_rc feed_in_steps(struct multipart *m, struct bytes body, size_t step)
{
	enum read_rc rc = READ_MORE;
	uint64_t safe = 0;

	for (size_t at = 0; at < body.n && rc == READ_MORE; at += step) {
		size_t n = MIN(step, body.n - at);
		char *piece = must_alloc(n);

		memcpy(piece, body.p + at, n);
		rc = multipart_feed(m, piece, n, NULL);
		free(piece);
		ASSERT(multipart_safe(m) >= safe && multipart_safe(m) <= m->at);
		safe = multipart_safe(m);
	}
	return rc == READ_MORE ? multipart_end(m, NULL) : rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of((const char *)data, size);
	struct bytes type = bytes_cut(&rest, '\n');
	struct multipart *m[3];
	enum read_rc rc[3];
	char room[MULTIPART_BOUNDARY_MAX];
	struct bytes boundary;

	if (rest.p == NULL || !multipart_boundary(type, room, &boundary) || boundary.n == 0) {
		return 0;
	}
	for (size_t i = 0; i < 3; i++) {
		m[i] = must_alloc(sizeof(*m[i]));
		multipart_init(m[i], boundary, BYTES("model"));
		rc[i] = feed_in_steps(m[i], rest, i == 0 ? MAX(rest.n, (size_t)1) : 2 * i - 1);
		ASSERT(rc[i] == rc[0] && m[i]->found == m[0]->found);
		ASSERT(m[i]->beg == m[0]->beg && m[i]->end == m[0]->end);
	}
	if (rc[0] == READ_DONE && m[0]->found) {
		struct bytes v = multipart_value(m[0]);

		ASSERT(m[0]->end <= rest.n && m[0]->end - m[0]->beg == v.n);
		ASSERT(bytes_eq(bytes_of(rest.p + m[0]->beg, v.n), v));
	}
	for (size_t i = 0; i < 3; i++) {
		free(m[i]);
	}
	return 0;
}
