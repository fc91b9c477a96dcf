#include "wire/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted is written as version 00, which says the same again; nothing is read behind the end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of((const char *)data, size);
	char out[TRACE_PARENT_N];
	struct trace again;
	struct trace t;

	if (!trace_parse(in, &t)) {
		return 0;
	}
	trace_format(&t, out);
	/* All but the version and the flags, of which one bit is kept. */
	ASSERT(memcmp(out + 2, in.p + 2, TRACE_PARENT_N - 4) == 0);
	ASSERT(trace_parse(bytes_of(out, sizeof(out)), &again));
	ASSERT(again.id[0] == t.id[0] && again.id[1] == t.id[1] && again.span == t.span);
	ASSERT(again.flags == t.flags && (t.flags & ~TRACE_SAMPLED) == 0);
	return 0;
}
