#include "wire/sigv4.h"

#include <stdlib.h>

#include "wire/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any path and query are signed, what they become can be decoded to what they were. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes path = bytes_of((const char *)data, size);
	struct bytes rest = path;
	struct sigv4_pair pairs[SIGV4_PAIRS_MAX];
	struct text out;
	size_t n = 0;

	while (rest.p != NULL && n < SIGV4_PAIRS_MAX) {
		struct bytes value = bytes_cut(&rest, '&');
		struct bytes name = bytes_cut(&value, '=');

		pairs[n++] = (struct sigv4_pair){name, value};
	}
	text_init(&out, 4 * SIGV4_TEXT_MAX);
	sigv4_path(&out, path);
	if (!text_full(&out)) {
		char *back = must_alloc(out.n + 1);

		ASSERT(url_decode(back, text_bytes(&out), false, false) == (ptrdiff_t)size);
		ASSERT(size == 0 || memcmp(back, data, size) == 0);
		free(back);
	}
	text_clear(&out);
	IGNORE(sigv4_authorization(&(struct sigv4){.method = BYTES("GET"),
					   .path = path,
					   .query = pairs,
					   .n_query = n,
					   .fields = pairs,
					   .n_fields = n,
					   .date = BYTES("20130524T000000Z"),
					   .secret = path},
		&out));
	text_done(&out);
	return 0;
}
