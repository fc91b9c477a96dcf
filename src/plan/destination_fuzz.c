#include "plan/destination.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line that counts names a service, which is a part of the text; weights are bounded. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of((const char *)data, size);
	struct destination_line *lines = NULL;
	struct arena arena;
	struct fault f = {0};
	size_t n = 0;
	int rc;

	arena_init(&arena, 1u << 24);
	rc = destination_parse(text, &arena, &lines, &n, &f);
	ASSERT(rc == 0 || ((rc == ERR_SYNTAX || rc == ERR_LIMIT) && f.where >= 1 && n == 0));
	ASSERT(n <= DESTINATION_MAX);
	for (size_t i = 0; i < n; i++) {
		const struct destination_line *l = &lines[i];

		ASSERT(l->service.n != 0 && l->service.p >= text.p);
		ASSERT(l->service.p + l->service.n <= text.p + text.n);
		ASSERT(l->weight <= DESTINATION_WEIGHT_MAX && (l->weighted || l->weight == 100));
		ASSERT(memchr(l->service.p, '\n', l->service.n) == NULL);
	}
	arena_done(&arena);
	return 0;
}
