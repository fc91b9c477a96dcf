#include "wire/h1_agree_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum read_rc to_get(
	struct h1_head *out, struct bytes in, size_t *scanned, size_t *used, struct fault *fault)
{
	return h1_parse_response(out, in, false, scanned, used, fault);
}

static enum read_rc to_head(
	struct h1_head *out, struct bytes in, size_t *scanned, size_t *used, struct fault *fault)
{
	enum read_rc rc = h1_parse_response(out, in, true, scanned, used, fault);
	ASSERT(rc != READ_DONE || out->framing == H1_NO_BODY);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	h1_agree(to_get, bytes_of((const char *)data, size));
	h1_agree(to_head, bytes_of((const char *)data, size));
	return 0;
}
