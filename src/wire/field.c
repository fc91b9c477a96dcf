/*
 * Names are found by a hash that is perfect for those that are known (their length, first and last byte),
 * then compared in words of eight bytes. Families ("x-envoy-*") are looked at last and only behind 'p' and
 * 'x'.
 */
#include "wire/field.h"

#define NAME_MAX_N 24u
#define PLACES 128u

/* Letters in lower case. Two known names of one place do not compile: an initialiser would be overridden. */
#define PLACE(n, first, last) \
	(((unsigned)(n) + 25u * (unsigned)(first) + (unsigned)(last)) % PLACES)
#define KNOWN(first, last, name, id) \
	[PLACE(sizeof(name) - 1, first, last)] = {name, sizeof(name) - 1, id}

/* Lower case, filled up with NUL, so that it can be read in whole words. */
struct known {
	_Alignas(32) char name[NAME_MAX_N];
	uint8_t n;
	uint8_t id; /* enum field_id */
};

static const struct known places[PLACES] = {
	KNOWN('t', 'e', "te", FIELD_TE),
	KNOWN('v', 'a', "via", FIELD_VIA),
	KNOWN('h', 't', "host", FIELD_HOST),
	KNOWN('d', 'e', "date", FIELD_DATE),
	KNOWN('a', 't', "accept", FIELD_ACCEPT),
	KNOWN('s', 'r', "server", FIELD_SERVER),
	KNOWN('e', 't', "expect", FIELD_EXPECT),
	KNOWN('a', 'y', "api-key", FIELD_API_KEY),
	KNOWN('u', 'e', "upgrade", FIELD_UPGRADE),
	KNOWN('t', 'r', "trailer", FIELD_TRAILER),
	KNOWN('x', 'y', "x-api-key", FIELD_X_API_KEY),
	KNOWN('x', 'p', "x-real-ip", FIELD_X_REAL_IP),
	KNOWN('f', 'd', "forwarded", FIELD_FORWARDED),
	KNOWN('u', 't', "user-agent", FIELD_USER_AGENT),
	KNOWN('c', 'n', "connection", FIELD_CONNECTION),
	KNOWN('r', 'd', "request-id", FIELD_REQUEST_ID),
	KNOWN('k', 'e', "keep-alive", FIELD_KEEP_ALIVE),
	KNOWN('t', 'e', "tracestate", FIELD_TRACESTATE),
	KNOWN('r', 'r', "retry-after", FIELD_RETRY_AFTER),
	KNOWN('t', 't', "traceparent", FIELD_TRACEPARENT),
	KNOWN('c', 'e', "content-type", FIELD_CONTENT_TYPE),
	KNOWN('x', 'd', "x-request-id", FIELD_X_REQUEST_ID),
	KNOWN('a', 'n', "authorization", FIELD_AUTHORIZATION),
	KNOWN('s', 'g', "server-timing", FIELD_SERVER_TIMING),
	KNOWN('c', 'h', "content-length", FIELD_CONTENT_LENGTH),
	KNOWN('a', 'a', "anthropic-beta", FIELD_ANTHROPIC_BETA),
	KNOWN('x', 'y', "x-goog-api-key", FIELD_X_GOOG_API_KEY),
	KNOWN('x', 'r', "x-mse-consumer", FIELD_X_MSE_CONSUMER),
	KNOWN('a', 'g', "accept-encoding", FIELD_ACCEPT_ENCODING),
	KNOWN('x', 'n', "x-authorization", FIELD_X_AUTHORIZATION),
	KNOWN('c', 'g', "content-encoding", FIELD_CONTENT_ENCODING),
	KNOWN('p', 'n', "proxy-connection", FIELD_PROXY_CONNECTION),
	KNOWN('t', 'g', "transfer-encoding", FIELD_TRANSFER_ENCODING),
	KNOWN('a', 'n', "anthropic-version", FIELD_ANTHROPIC_VERSION),
	KNOWN('p', 'e', "proxy-authenticate", FIELD_PROXY_AUTHENTICATE),
	KNOWN('x', 'h', "x-hi-original-auth", FIELD_X_HI_ORIGINAL_AUTH),
	KNOWN('p', 'n', "proxy-authorization", FIELD_PROXY_AUTHORIZATION),
	KNOWN('x', 'e', "x-higress-skip-ai-cache", FIELD_X_HIGRESS_SKIP_CACHE),
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

/* Apart, so that what all names go through stays small. */
static __attribute__((noinline)) enum field_id family_of(struct bytes name)
{
	if (name.n < 3) {
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

enum field_id field_id_of(struct bytes name)
{
	if (name.n == 0) {
		return FIELD_OTHER;
	}
	/* Bit 5 makes letters lower case; what else it changes is noticed when the name is compared. */
	unsigned first = (unsigned char)name.p[0] | 0x20u;
	unsigned last = (unsigned char)name.p[name.n - 1] | 0x20u;
	const struct known *known = &places[PLACE(name.n, first, last)];
	if (known->n == name.n && same_name(name.p, known->name, name.n)) {
		return (enum field_id)known->id;
	}
	if (first != 'x' && first != 'p') {
		return FIELD_OTHER;
	}
	return family_of(name);
}
