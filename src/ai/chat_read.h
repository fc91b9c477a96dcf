/*
 * What chunks and answers of chat completions say, for those that change them; and texts that are kept of them
 * meanwhile. Strings are kept as the vendor wrote them, escapes and all: pieces of literals, one behind the
 * other, are a literal again, and nothing is decoded to be encoded anew.
 */
#ifndef AI_CHAT_READ_H
#define AI_CHAT_READ_H

#include "base/seg.h"
#include "base/text.h"
#include "wire/json.h"

/* Wanted members, in the order of the query. Those of an element come before it: CHAT_CHOICE and CHAT_CALL say
 * that it is complete. */
enum chat_want {
	CHAT_ID,
	CHAT_CREATED,
	CHAT_MODEL,
	CHAT_FINGERPRINT,
	CHAT_USAGE,
	CHAT_ERROR,
	CHAT_CHOICE,
	CHAT_INDEX,
	CHAT_FINISH,
	CHAT_CONTENT, /* of delta */
	CHAT_REASONING,
	CHAT_REFUSAL,
	CHAT_CALL,
	CHAT_CALL_INDEX,
	CHAT_CALL_ID,
	CHAT_CALL_NAME,
	CHAT_CALL_ARGUMENTS,
	CHAT_WHOLE_CONTENT, /* of message */
	CHAT_WHOLE_REASONING,
	CHAT_WHOLE_CALLS,
	CHAT_WANT_COUNT
};

/* An event's hits that need no memory of their own, and most of all. */
#define CHAT_HITS 48u
#define CHAT_HITS_MAX 4096u
/* Choices that are told apart; clients ask for one, rarely for a few. */
#define CHAT_CHOICES_MAX 16u

struct json_query *chat_query(void);

/* The value as it stands. */
static inline struct bytes chat_value(struct bytes data, const struct json_hit *h)
{
	return bytes_of(data.p + h->beg, (size_t)(h->end - h->beg));
}

/* The inside of a string, with its escapes; empty for any other type. */
struct bytes chat_inside(struct bytes data, const struct json_hit *h);
/* The number, 0 when it is none that counts something. */
uint64_t chat_number(struct bytes data, const struct json_hit *h);
/* Whether it holds nothing but blanks and line breaks. */
bool chat_is_blank(struct bytes inside);

/* Texts that are kept: bounded, and counted as memory of the worker. */
struct kept {
	struct segpool *pool;
	size_t n, max;
	unsigned segments;
};

void kept_init(struct kept *k, struct segpool *pool, size_t max);
/* False: they have become too long, or there is no memory. */
MUST_CHECK bool kept_add(struct kept *k, struct text *t, struct bytes b);
/* The texts are the caller's to end. */
void kept_done(struct kept *k);

#endif
