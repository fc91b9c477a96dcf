#include "wire/json_agree_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *wrong = json_agree(bytes_of((const char *)data, n), (uint32_t)n * 2654435761u);

	ASSERT(wrong == NULL);
	return 0;
}
