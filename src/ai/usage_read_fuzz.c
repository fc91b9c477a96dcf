/* The input: events, each on a line. Totals never go down and never lie below their parts. */
#include "ai/usage_read.h"

#define HITS_MAX 100u

static struct usage read_event(
	const struct json_query *q, struct bytes text, bool moonshot, struct usage u)
{
	struct usage_reading r = {.seen = 0};
	struct json_hits hits;

	json_hits_init(&hits, NULL, 0, HITS_MAX);
	if (json_scan_all(q, text, &hits, NULL) == 0) {
		for (size_t i = 0; i < hits.n; i++) {
			usage_take(&r, &hits.v[i],
				bytes_of(text.p + hits.v[i].beg,
					(size_t)(hits.v[i].end - hits.v[i].beg)));
		}
		usage_merge(&u, &r, moonshot);
	}
	json_hits_done(&hits);
	return u;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of((const char *)data, size);
	struct json_query *q = usage_query();
	struct usage u = {.known = false};
	bool moonshot = size % 2 == 1;

	while (rest.p != NULL) {
		struct usage before = u;

		u = read_event(q, bytes_cut(&rest, '\n'), moonshot, u);
		ASSERT(u.known || !before.known);
	}
	json_query_free(q);
	return 0;
}
