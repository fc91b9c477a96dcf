/*
 * The input: 16 bytes that say what is changed, then JSON5.
 */
#include "wire/json5_edit_agree_int.h"

#define CHANGES 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > CHANGES) {
		ASSERT(json5_edit_holds(bytes_of((const char *)data + CHANGES, size - CHANGES),
			       (struct json5_random){data, CHANGES}) == NULL);
	}
	return 0;
}
