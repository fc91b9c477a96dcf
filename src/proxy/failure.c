#include "proxy/failure.h"

#include "base/num.h"

uint64_t failure_retry_after(struct bytes value, uint64_t wall_ms)
{
	uint64_t s;

	(void)wall_ms;
	if (value.p == NULL || !num_parse_u64(value, UINT32_MAX, &s)) {
		return 0;
	}
	return MIN(MAX(MIN(s, RETRY_AFTER_MAX_MS) * 1000, RETRY_AFTER_MIN_MS), RETRY_AFTER_MAX_MS);
}
