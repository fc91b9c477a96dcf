#define _GNU_SOURCE /* memmem */
#include "base/keywords.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXTS 64u

static bool same(char a, char b, bool nocase)
{
	return nocase ? ascii_lower(a) == ascii_lower(b) : a == b;
}

/* Where one of the texts ends first, by looking for each at each byte. */
static size_t first_end(const struct bytes *texts, size_t n, bool nocase, struct bytes in)
{
	for (size_t end = 1; end <= in.n; end++) {
		for (size_t i = 0; i < n; i++) {
			size_t len = texts[i].n;
			size_t k = 0;

			while (len <= end && k < len &&
				same(texts[i].p[k], in.p[end - len + k], nocase)) {
				k++;
			}
			if (k == len) {
				return end;
			}
		}
	}
	return SIZE_MAX;
}

/* Lines before an empty one are texts; what is behind it is searched, byte by byte. The first byte chooses case. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = bytes_of((const char *)data, size);
	struct bytes texts[TEXTS];
	const struct keywords *k;
	struct keywords_state s = {0};
	struct arena a;
	size_t n = 0, end = SIZE_MAX;
	bool nocase;

	if (size == 0 || size > 4096) {
		return 0;
	}
	nocase = (data[0] & 1) != 0;
	rest = bytes_of(rest.p + 1, rest.n - 1);
	while (rest.p != NULL && rest.n != 0 && rest.p[0] != '\n' && n < TEXTS) {
		texts[n++] = bytes_cut(&rest, '\n');
	}
	rest = rest.p != NULL ? rest : BYTES("");
	arena_init(&a, SIZE_MAX);
	k = keywords_new(texts, n, nocase, &a);
	ASSERT(k != NULL);
	for (size_t i = 0; i < rest.n && end == SIZE_MAX; i++) {
		size_t hit = keywords_find(k, &s, bytes_of(rest.p + i, 1));

		ASSERT(hit == KEYWORDS_NONE || hit < n);
		end = hit != KEYWORDS_NONE ? i + 1 : end;
	}
	ASSERT(end == first_end(texts, n, nocase, rest));
	arena_done(&a);
	return 0;
}
