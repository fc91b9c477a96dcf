#include "wire/instances.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each answer as one of each kind of registry: what is found lies within the limits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of((const char *)data, size);

	for (int kind = INSTANCES_NACOS; kind <= INSTANCES_EUREKA; kind++) {
		struct instances found = {0};
		struct fault fault = {0};
		struct bytes token;
		struct arena a;
		uint64_t ttl_s;

		arena_init(&a, (size_t)64 << 20);
		if (instances_read((enum instances_kind)kind, in, &a, &found, &fault) != 0) {
			ASSERT(found.n == 0 && fault.text[0] != '\0');
		}
		ASSERT(found.n <= found.n_all && found.n_all <= INSTANCES_MAX);
		for (size_t i = 0; i < found.n; i++) {
			ASSERT(found.v[i].address.p != NULL && found.v[i].protocol.p != NULL);
		}
		if (instances_read_token(in, &a, &token, &ttl_s, &fault) == 0) {
			ASSERT(token.n != 0 && token.n <= INSTANCES_TOKEN_MAX);
		}
		if (instances_read_nodes(&in, 1, &a, &found, &fault) == 0) {
			ASSERT(found.n <= 1 && found.n_all == 1);
		}
		arena_done(&a);
	}
	return 0;
}
