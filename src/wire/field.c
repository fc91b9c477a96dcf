/*
 * Names are found by length first (at most five share one), then by first byte, then compared in
 * words of eight bytes. Families ("x-envoy-*") are looked at last and only behind 'p' and 'x'.
 */
#include "wire/field.h"

#define NAME_MAX_N 24u
#define SAME_LENGTH_MAX 5u

/* Lower case, filled up with NUL, so that it can be read in whole words. */
struct known {
	char name[NAME_MAX_N];
	enum field_id id;
};

static const struct known by_length[NAME_MAX_N][SAME_LENGTH_MAX] = {
	[2] = {{"te", FIELD_TE}},
	[3] = {{"via", FIELD_VIA}},
	[4] = {{"host", FIELD_HOST}, {"date", FIELD_DATE}},
	[6] = {{"accept", FIELD_ACCEPT}, {"server", FIELD_SERVER}, {"expect", FIELD_EXPECT}},
	[7] = {{"api-key", FIELD_API_KEY}, {"upgrade", FIELD_UPGRADE}, {"trailer", FIELD_TRAILER}},
	[9] = {{"x-api-key", FIELD_X_API_KEY}, {"x-real-ip", FIELD_X_REAL_IP},
		{"forwarded", FIELD_FORWARDED}},
	[10] = {{"user-agent", FIELD_USER_AGENT}, {"connection", FIELD_CONNECTION},
		{"request-id", FIELD_REQUEST_ID}, {"keep-alive", FIELD_KEEP_ALIVE},
		{"tracestate", FIELD_TRACESTATE}},
	[11] = {{"retry-after", FIELD_RETRY_AFTER}, {"traceparent", FIELD_TRACEPARENT}},
	[12] = {{"content-type", FIELD_CONTENT_TYPE}, {"x-request-id", FIELD_X_REQUEST_ID}},
	[13] = {{"authorization", FIELD_AUTHORIZATION}, {"server-timing", FIELD_SERVER_TIMING}},
	[14] = {{"content-length", FIELD_CONTENT_LENGTH}, {"anthropic-beta", FIELD_ANTHROPIC_BETA},
		{"x-goog-api-key", FIELD_X_GOOG_API_KEY}, {"x-mse-consumer", FIELD_X_MSE_CONSUMER}},
	[15] = {{"accept-encoding", FIELD_ACCEPT_ENCODING},
		{"x-authorization", FIELD_X_AUTHORIZATION}},
	[16] = {{"content-encoding", FIELD_CONTENT_ENCODING},
		{"proxy-connection", FIELD_PROXY_CONNECTION}},
	[17] = {{"transfer-encoding", FIELD_TRANSFER_ENCODING},
		{"anthropic-version", FIELD_ANTHROPIC_VERSION}},
	[18] = {{"proxy-authenticate", FIELD_PROXY_AUTHENTICATE},
		{"x-hi-original-auth", FIELD_X_HI_ORIGINAL_AUTH}},
	[19] = {{"proxy-authorization", FIELD_PROXY_AUTHORIZATION}},
	[23] = {{"x-higress-skip-ai-cache", FIELD_X_HIGRESS_SKIP_CACHE}},
};

struct family {
	struct bytes prefix;
	enum field_id id;
};

static const struct family families[] = {
	{{"proxy-", 6}, FIELD_PROXY_OTHER},
	{{"x-envoy-", 8}, FIELD_X_ENVOY},
	{{"x-forwarded-", 12}, FIELD_X_FORWARDED},
	{{"x-higress-", 10}, FIELD_X_HIGRESS},
	{{"x-sluice-", 9}, FIELD_X_SLUICE},
};

static uint64_t load(const char *p, size_t n)
{
	uint64_t word = 0;
	memcpy(&word, p, n);
	return word;
}

/* Whether text, its letters made lower case, is the word of a known name. 0x40 is set in letters
 * and clear in '-', so only letters are folded and no control character becomes a '-'. */
static bool same_word(uint64_t text, uint64_t known)
{
	uint64_t fold = (known & 0x4040404040404040u) >> 1;
	return (text | fold) == known;
}

static bool same_name(const char *name, const char *known, size_t n)
{
	if (n >= 8) {
		for (size_t at = 0; at + 8 < n; at += 8) {
			if (!same_word(load(name + at, 8), load(known + at, 8))) {
				return false;
			}
		}
		return same_word(load(name + n - 8, 8), load(known + n - 8, 8));
	}
	if (n >= 4) {
		return same_word(load(name, 4), load(known, 4)) &&
			same_word(load(name + n - 4, 4), load(known + n - 4, 4));
	}
	for (size_t at = 0; at < n; at++) {
		if (ascii_lower(name[at]) != known[at]) {
			return false;
		}
	}
	return true;
}

enum field_id field_id_of(struct bytes name)
{
	if (name.n == 0) {
		return FIELD_OTHER;
	}
	char first = ascii_lower(name.p[0]);
	if (name.n < NAME_MAX_N) {
		const struct known *known = by_length[name.n];
		for (size_t i = 0; i < SAME_LENGTH_MAX; i++) {
			if (known[i].name[0] == first && same_name(name.p, known[i].name, name.n)) {
				return known[i].id;
			}
		}
	}
	if (name.n < 3 || (first != 'x' && first != 'p')) {
		return FIELD_OTHER;
	}
	/* The third byte tells the families apart. */
	char third = ascii_lower(name.p[2]);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct bytes prefix = families[i].prefix;
		if (prefix.p[2] == third && bytes_starts_nocase(name, prefix)) {
			return families[i].id;
		}
	}
	return FIELD_OTHER;
}
