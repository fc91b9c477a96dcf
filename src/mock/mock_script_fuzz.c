#include "mock/mock_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes model = bytes_of((const char *)data, size);
	bool ours = bytes_starts(model, BYTES("mock")) || bytes_starts(model, BYTES("bench"));
	struct mock_script s;
	struct fault f = {0};
	int rc = mock_script_parse(model, &s, &f);

	ASSERT(rc == 0 || (ours && rc == ERR_SYNTAX && f.text[0] != '\0'));
	if (rc == 0 && mock_script_has(s.status)) {
		ASSERT(s.status >= 400 && s.status <= 599);
	}
	return 0;
}
