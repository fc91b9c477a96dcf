#include "wire/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The parts stand in the text in their order and nothing else stands between them. */
static void check_parts(const struct url *url, struct bytes text)
{
	const char *at = text.p;
	const char *end = text.p + text.n;
	if (url->scheme.n > 0) {
		ASSERT(url->scheme.p == at && memcmp(at + url->scheme.n, "://", 3) == 0);
		at += url->scheme.n + 3;
		ASSERT(url->host.p == at && url->host.n > 0);
		at += url->host.n;
		while (at < url->path.p) {
			ASSERT(url->port != 0 && (*at == ':' || ascii_digit(*at)));
			at++;
		}
	}
	ASSERT(url->path.p == at);
	at += url->path.n;
	if (url->query.p != NULL) {
		ASSERT(*at == '?' && url->query.p == at + 1);
		at += 1 + url->query.n;
	}
	ASSERT(at == end);
}

static void check_decoding(struct bytes text, bool must_work)
{
	char *out = must_alloc(text.n + 1);
	ptrdiff_t plain = url_decode(out, text, false, false);
	ptrdiff_t kept = url_decode(out, text, true, true);
	ASSERT(plain >= 0 || !must_work);
	ASSERT((plain < 0) == (kept < 0) && plain <= kept && kept <= (ptrdiff_t)text.n);
	free(out);
}

static bool may_have_dots(struct bytes path)
{
	char *out = must_alloc(path.n + 1);
	ptrdiff_t n = url_decode(out, path, false, false);
	bool found = n > 0 && memchr(out, '.', (size_t)n) != NULL;

	free(out);
	return found;
}

/* Whoever decodes it and resolves its segments gets the same path. */
static void check_dots(struct bytes path)
{
	char *out = must_alloc(path.n + 1);
	ptrdiff_t n = url_decode(out, path, false, false);
	struct bytes rest = bytes_of(out, n > 0 ? (size_t)n : 0);

	while (rest.p != NULL) {
		struct bytes segment = bytes_cut(&rest, '/');

		ASSERT(!bytes_eq(segment, BYTES(".")) && !bytes_eq(segment, BYTES("..")));
	}
	free(out);
}

static void check_query(struct bytes query)
{
	struct bytes value, whole;
	struct text out;
	text_init(&out, query.n + 1);
	if (url_query_get(query, BYTES("key"), &value, &whole)) {
		ASSERT(bytes_starts(whole, BYTES("key")));
		ASSERT(value.p + value.n == whole.p + whole.n);
		url_query_without(query, whole, &out);
		ASSERT(out.n == query.n - whole.n - (whole.n < query.n ? 1 : 0));
	}
	text_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = bytes_of((const char *)data, size);
	struct url url, again;
	struct bytes host;
	uint16_t port;
	bool target = url_parse_target(&url, text, NULL) == 0;
	if (target) {
		check_parts(&url, text);
		check_decoding(url.path, true);
		check_dots(url.path);
		check_query(url.query);
	}
	if (url_parse(&again, text, NULL) == 0) {
		ASSERT(target ? bytes_eq(url.host, again.host) && url.port == again.port
			      : may_have_dots(again.path)); /* those of a configuration may */
	}
	if (url_parse_authority(text, &host, &port) == 0) {
		ASSERT(host.p == text.p && host.n > 0 && (host.n == text.n) == (port == 0));
	}
	check_decoding(text, false);
	check_query(text);
	return 0;
}
