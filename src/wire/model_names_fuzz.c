#include "wire/model_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found are names within the limits, each with its end; what is refused leaves nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault fault = {0};
	struct text out;
	size_t n = 0;

	text_init(&out, SIZE_MAX);
	if (model_names_read(bytes_of((const char *)data, size), &out, &fault) != 0) {
		ASSERT(out.n == 0 && fault.text[0] != '\0');
	}
	for (size_t at = 0; at < out.n; n++) {
		size_t len = strlen(out.p + at);

		ASSERT(len != 0 && len <= MODEL_NAME_MAX && at + len < out.n);
		at += len + 1;
	}
	ASSERT(n <= MODEL_NAMES_MAX);
	text_done(&out);
	return 0;
}
