#include "wire/base64.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* What is read is what OpenSSL writes for the same bytes, but for line breaks. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *out = must_alloc(size / 4 * 3 + 1);
	ptrdiff_t n = base64_decode(out, bytes_of((const char *)data, size));

	if (n >= 0) {
		unsigned char *back = must_alloc((size_t)n / 3 * 4 + 5);
		size_t length = (size_t)EVP_EncodeBlock(back, (unsigned char *)out, (int)n);
		size_t k = 0;

		for (size_t i = 0; i < size; i++) {
			if (data[i] != '\r' && data[i] != '\n') {
				ASSERT(k < length && back[k] == data[i]);
				k++;
			}
		}
		ASSERT(k == length);
		free(back);
	}
	free(out);
	return 0;
}
