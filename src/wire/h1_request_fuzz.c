#include "wire/h1_agree_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	h1_agree(h1_parse_request, bytes_of((const char *)data, size));
	return 0;
}
