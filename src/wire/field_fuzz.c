/* Case never matters, and only names of one length range and their families are known. */
#include "wire/field.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes name = bytes_of((const char *)data, size);
	enum field_id id = field_id_of(name);
	char *other = must_alloc(size + 2);

	ASSERT(id >= FIELD_OTHER && id < FIELD_ID_COUNT);
	for (size_t i = 0; i < size; i++) {
		char c = name.p[i];
		char low = (char)(c | 0x20);

		other[i] = low >= 'a' && low <= 'z' ? (char)(c ^ 0x20) : c;
	}
	ASSERT(field_id_of(bytes_of(other, size)) == id);
	/* One more byte makes another name, but for those that are a beginning. */
	other[size] = 'q';
	ASSERT(id == FIELD_OTHER || id == FIELD_PROXY_OTHER || id == FIELD_X_ENVOY ||
		id == FIELD_X_FORWARDED || id == FIELD_X_HIGRESS || id == FIELD_X_SLUICE ||
		field_id_of(bytes_of(other, size + 1)) != id);
	free(other);
	return 0;
}
