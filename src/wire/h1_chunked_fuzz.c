#include "wire/h1.h"

#include <stdlib.h>

#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	enum read_rc rc;
	size_t used, data_n;
	char *data;
};

/* Decodes in pieces of `step` bytes, each in memory of its own. */
static struct result decode(struct bytes in, size_t step)
{
	struct h1_chunked c;
	struct result out = {.rc = READ_MORE, .data = must_alloc(in.n + 1)};
	h1_chunked_init(&c);
	while (out.rc == READ_MORE && out.used < in.n) {
		struct fault fault = {.status = 0};
		size_t n = MIN(step, in.n - out.used);
		size_t data_n, used;
		char *piece = must_alloc(n);
		memcpy(piece, in.p + out.used, n);
		out.rc = h1_chunked_decode(&c, piece, n, &data_n, &used, &fault);
		ASSERT(data_n <= used && used <= n && (out.rc != READ_MORE || used == n));
		ASSERT(memcmp(piece + used, in.p + out.used + used, n - used) == 0);
		ASSERT((out.rc == READ_FAIL) == (fault.status == 400));
		memcpy(out.data + out.data_n, piece, data_n);
		out.data_n += data_n;
		out.used += used;
		free(piece);
	}
	return out;
}

/* What is accepted must be what the plainest reading of the grammar gives. */
static void check_plainly(struct bytes in, const struct result *got)
{
	size_t at = 0, n = 0;
	uint64_t size;
	char *text = bytes_dup(in);
	do {
		struct bytes digits =
			bytes_of(text + at, strspn(text + at, "0123456789abcdefABCDEF"));
		ASSERT(num_parse_hex(digits, INT64_MAX, &size));
		char *line_end = strstr(text + at, "\r\n");
		ASSERT(line_end != NULL);
		at = (size_t)(line_end - text) + 2;
		ASSERT(size <= got->data_n - n && memcmp(text + at, got->data + n, size) == 0);
		n += size;
		at += size;
		ASSERT(size == 0 || memcmp(text + at, "\r\n", 2) == 0);
		at += size > 0 ? 2 : 0;
	} while (size > 0);
	if (memcmp(text + at, "\r\n", 2) != 0) {
		at = (size_t)(strstr(text + at, "\r\n\r\n") - text) + 2;
	}
	ASSERT(n == got->data_n && at + 2 == got->used);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 2, 3, 7, 16};
	struct bytes in = bytes_of((const char *)data, size);
	struct result whole = decode(in, size > 0 ? size : 1);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct result parts = decode(in, steps[i]);
		ASSERT(parts.rc == whole.rc && parts.used == whole.used);
		ASSERT(bytes_eq(
			bytes_of(parts.data, parts.data_n), bytes_of(whole.data, whole.data_n)));
		free(parts.data);
	}
	/* The plain reading works on strings, so NUL in the data is beyond it. */
	if (whole.rc == READ_DONE && memchr(data, 0, size) == NULL) {
		check_plainly(in, &whole);
	}
	free(whole.data);
	return 0;
}
