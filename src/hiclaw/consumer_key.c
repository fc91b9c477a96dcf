/* The first credential that can be sent: a consumer has the same rights with each. */
#define _GNU_SOURCE
#include "hiclaw/consumer_key.h"

#include "wire/h1.h"

/* A Console masks a secret by these (console-api.md 4.3). */
#define MASK "******"
#define VALUE_MAX 8192u

static bool is_masked(struct bytes key)
{
	return key.n >= sizeof(MASK) - 1 && memmem(key.p, key.n, MASK, sizeof(MASK) - 1) != NULL;
}

/* Fields that say what a request is, which a key must not. */
static bool is_ours(struct bytes field)
{
	static const char *const names[] = {"Host", "Connection", "Content-Length", "Content-Type",
		"Transfer-Encoding", "TE", "Trailer", "Upgrade", "Expect", "Accept"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (bytes_eq_nocase(field, bytes_str(names[i]))) {
			return true;
		}
	}
	return false;
}

static bool can_be_sent(struct bytes key)
{
	return key.n != 0 && !is_masked(key) && h1_is_value(key);
}

bool consumer_key_bearer(struct arena *a, struct bytes key, struct consumer_key *out)
{
	struct text t;

	if (!can_be_sent(key)) {
		return false;
	}
	text_init(&t, VALUE_MAX);
	text_addf(&t, "Bearer " BYTES_FMT, BYTES_ARG(key));
	*out = (struct consumer_key){
		BYTES("Authorization"), arena_copy(a, text_bytes(&t)), arena_copy(a, key)};
	text_done(&t);
	return out->value.n == sizeof("Bearer ") - 1 + key.n;
}

bool consumer_key_of(struct arena *a, const struct doc *consumer, struct consumer_key *out)
{
	const struct doc *c = doc_first(a, doc_get(a, consumer, "credentials"));

	for (; c != NULL; c = c->next) {
		struct bytes source = doc_peek(c, "source", BYTES(""));
		struct bytes key = doc_text(doc_first(a, doc_get(a, c, "values")), BYTES(""));
		struct bytes field = doc_peek(c, "key", BYTES(""));

		if (bytes_eq(source, BYTES("BEARER")) && consumer_key_bearer(a, key, out)) {
			return true;
		}
		if (bytes_eq(source, BYTES("HEADER")) && can_be_sent(key) && h1_is_token(field) &&
			!is_ours(field)) {
			*out = (struct consumer_key){field, key, key};
			return true;
		}
	}
	return false;
}
