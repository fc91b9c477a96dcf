#include "ai/failures.h"

static enum failure_class by_status(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return FAILURE_CREDENTIAL;
	case 402:
		return FAILURE_BILLING;
	case 429:
		return FAILURE_RATE;
	case 503:
	case 529:
		return FAILURE_OVERLOAD;
	default:
		return status >= 500    ? FAILURE_SERVER
			: status >= 400 ? FAILURE_CLIENT
					: FAILURE_NONE;
	}
}

void failures_classify(const struct failure_facts *facts, struct failure *out)
{
	out->class = by_status(facts->status);
	out->retry_after_ms = failure_retry_after(facts->retry_after, facts->wall_ms);
}
