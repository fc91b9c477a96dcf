/* The input: a byte that chooses the status, one that chooses the type of provider, then the body. A 5xx is
 * never anybody else's fault, waits are within their borders, and a credential that was not sent is not blamed. */
#include "ai/failures.h"

#include "ai/providers.h"
#include "plan/provider.h"
#include "wire/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned statuses[] = {
	200, 206, 302, 400, 401, 402, 403, 408, 413, 429, 451, 498, 500, 503, 529, 599};

static void check(const struct failure_facts *facts, const struct failure *f)
{
	ASSERT(f->class < FAILURE_CONNECT);
	ASSERT(facts->status < 500 || f->class == FAILURE_SERVER || f->class == FAILURE_OVERLOAD);
	ASSERT(facts->status < 400 || f->class != FAILURE_NONE);
	ASSERT(facts->has_credential ||
		(f->class != FAILURE_CREDENTIAL && f->class != FAILURE_BILLING));
	ASSERT(f->retry_after_ms == 0 ||
		(f->retry_after_ms >= RETRY_AFTER_FLOOR_MS &&
			f->retry_after_ms <= RETRY_AFTER_CEILING_MS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct failure_facts facts = {.wall_ms = 1700000000000};
	struct json_query *q = failures_query();
	struct failure f = {.class = FAILURE_NONE};

	if (size >= 2) {
		facts.status = statuses[data[0] % ARRAY_LEN(statuses)];
		facts.has_credential = data[0] < 128;
		facts.type = &provider_types.v[data[1] % provider_types.n];
		facts.query = q;
		facts.body = bytes_of((const char *)data + 2, size - 2);
		failures_classify(&facts, &f);
		check(&facts, &f);
	}
	json_query_free(q);
	return 0;
}
