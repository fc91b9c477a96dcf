/*
 * Usage out of answers and events (data-plane.md §15.1).
 */
#ifndef AI_USAGE_READ_H
#define AI_USAGE_READ_H

#include "proxy/token_usage.h"
#include "wire/json.h"

/* The wanted members of an answer, in the order of the query. The same number has several names. */
enum answer_want {
	ANSWER_INPUT,
	ANSWER_INPUT_2,
	ANSWER_INPUT_3,
	ANSWER_INPUT_4,
	ANSWER_INPUT_MOONSHOT,
	ANSWER_OUTPUT,
	ANSWER_OUTPUT_2,
	ANSWER_OUTPUT_3,
	ANSWER_OUTPUT_4,
	ANSWER_OUTPUT_MOONSHOT,
	ANSWER_TOTAL,
	ANSWER_TOTAL_2,
	ANSWER_TOTAL_MOONSHOT,
	ANSWER_CACHED,
	ANSWER_CACHED_2,
	ANSWER_CACHED_3,
	ANSWER_REASONING,
	ANSWER_REASONING_2,
	ANSWER_REASONING_3,
	ANSWER_CACHE_READ,
	ANSWER_CACHE_READ_2,
	ANSWER_CACHE_CREATION,
	ANSWER_CACHE_CREATION_2,
	ANSWER_CHOICES,
	ANSWER_ERROR,
	ANSWER_WANT_COUNT
};

struct json_query *usage_query(void);

/* What one text said so far. */
struct usage_reading {
	uint64_t value[ANSWER_WANT_COUNT];
	uint32_t seen; /* bit per want */
};

/* A hit whose value is the number in `literal`. */
void usage_take(struct usage_reading *r, const struct json_hit *h, struct bytes literal);
/* Merges into what earlier events said: the last value that was given wins. */
void usage_merge(struct usage *u, const struct usage_reading *r, bool moonshot);

#endif
