/* A sequence that was read ends, or goes on for ever when it says so, and each take leaves one less. */
#include "mock/mock_sequence.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mock_sequence *s = must_alloc(sizeof(*s));
	struct mock_script script;
	struct fault f = {0};
	int rc = mock_sequence_parse(bytes_of((const char *)data, size), s, &f);

	ASSERT(rc == 0 || f.text[0] != '\0');
	for (unsigned i = 0; rc == 0 && i < 1000; i++) {
		uint64_t left = mock_sequence_left(s);

		IGNORE(mock_sequence_next(s, &script));
		ASSERT(mock_sequence_left(s) == left - 1 || left == 0);
	}
	free(s);
	return 0;
}
