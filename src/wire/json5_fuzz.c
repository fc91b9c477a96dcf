#include "wire/json5_agree_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	ASSERT(json5_agree(bytes_of((const char *)data, n)) == NULL);
	return 0;
}
