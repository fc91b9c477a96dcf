/*
 * The input: 24 bytes that say what is changed, then YAML.
 */
#include "wire/yaml_edit_agree_int.h"

#define CHANGES 24u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > CHANGES) {
		IGNORE(edit_agree(bytes_of((const char *)data + CHANGES, size - CHANGES),
			(struct edit_random){data, CHANGES}));
	}
	return 0;
}
