/* The input: a target, a line feed, a body. Pieces make no difference. */
#include "mock/mock_ask.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_body(struct mock_ask *ask, const struct json_query *query, struct bytes body,
	size_t piece, struct segpool *pool)
{
	struct chain c = {NULL, NULL, 0};
	struct fault f = {0};
	int rc;

	for (size_t at = 0; at < body.n; at += piece) {
		struct seg *s = seg_take(pool);

		s->end = (uint32_t)MIN(piece, body.n - at);
		memcpy(s->data, body.p + at, s->end);
		chain_append(&c, s);
	}
	rc = mock_ask_body(ask, query, &c, &f);
	ASSERT(rc == 0 || f.status == 400);
	chain_give(pool, &c);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes body = bytes_of((const char *)data, size);
	struct bytes target = bytes_cut(&body, '\n');
	struct mock_ask whole = {.api = MOCK_UNKNOWN}, parts;
	struct json_query *query;
	struct segpool pool;
	int rc;

	if (size > 4000) {
		return 0;
	}
	mock_ask_target(&whole, target);
	parts = whole;
	query = mock_ask_query();
	segpool_init(&pool, 256u << 20);
	rc = read_body(&whole, query, body, 30000, &pool);
	ASSERT(read_body(&parts, query, body, 3, &pool) == rc);
	ASSERT(rc != 0 || memcmp(&whole, &parts, sizeof(whole)) == 0);
	ASSERT(memchr(whole.model, '\0', sizeof(whole.model)) != NULL);
	ASSERT(memchr(whole.said, '\0', sizeof(whole.said)) != NULL);
	segpool_done(&pool);
	json_query_free(query);
	return 0;
}
