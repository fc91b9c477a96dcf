/*
 * Whatever an engine says: what is read are names of Workers in their order, and ids that may stand in a path.
 */
#include "hiclaw/engine_list.h"

#include "hiclaw/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of((const char *)data, size);
	struct engine_list l = {.n = 0};
	struct fault f = {0};
	uint64_t since = 0;
	struct arena a;
	int rc;

	arena_init(&a, ENGINE_TREE_MAX);
	rc = engine_list_read(&a, text, BYTES("hiclaw-worker-"), &l, &f);
	ASSERT((rc == 0) == (f.text[0] == '\0'));
	for (size_t i = 0; i < l.n; i++) {
		ASSERT(names_is_worker(l.v[i].worker));
		ASSERT(l.v[i].id.n >= ENGINE_ID_MIN && l.v[i].id.n <= ENGINE_ID_MAX);
		ASSERT(memchr(l.v[i].id.p, '/', l.v[i].id.n) == NULL);
		ASSERT(i == 0 || bytes_cmp(l.v[i - 1].worker, l.v[i].worker) <= 0);
	}
	f = (struct fault){0};
	rc = engine_since_read(&a, text, BYTES("0123456789ab"), &since, &f);
	ASSERT((rc == 0) == (f.text[0] == '\0'));
	arena_done(&a);
	return 0;
}
