#include "ai/usage_read.h"

static_assert(ANSWER_WANT_COUNT <= 32, "a bit for each want");
static_assert(ANSWER_WANT_COUNT <= JSON_WANTS_MAX, "one query holds them");

struct json_query *usage_query(void)
{
	static const struct json_want wants[ANSWER_WANT_COUNT] = {
		[ANSWER_INPUT] = {"usage.prompt_tokens", NULL},
		[ANSWER_INPUT_2] = {"usage.input_tokens", NULL},
		[ANSWER_INPUT_3] = {"response.usage.input_tokens", NULL},
		[ANSWER_INPUT_4] = {"message.usage.input_tokens", NULL},
		[ANSWER_INPUT_MOONSHOT] = {"choices[0].usage.prompt_tokens", NULL},
		[ANSWER_OUTPUT] = {"usage.completion_tokens", NULL},
		[ANSWER_OUTPUT_2] = {"usage.output_tokens", NULL},
		[ANSWER_OUTPUT_3] = {"response.usage.output_tokens", NULL},
		[ANSWER_OUTPUT_4] = {"message.usage.output_tokens", NULL},
		[ANSWER_OUTPUT_MOONSHOT] = {"choices[0].usage.completion_tokens", NULL},
		[ANSWER_TOTAL] = {"usage.total_tokens", NULL},
		[ANSWER_TOTAL_2] = {"response.usage.total_tokens", NULL},
		[ANSWER_TOTAL_MOONSHOT] = {"choices[0].usage.total_tokens", NULL},
		[ANSWER_CACHED] = {"usage.prompt_tokens_details.cached_tokens", NULL},
		[ANSWER_CACHED_2] = {"usage.input_tokens_details.cached_tokens", NULL},
		[ANSWER_CACHED_3] = {"response.usage.input_tokens_details.cached_tokens", NULL},
		[ANSWER_REASONING] = {"usage.completion_tokens_details.reasoning_tokens", NULL},
		[ANSWER_REASONING_2] = {"usage.output_tokens_details.reasoning_tokens", NULL},
		[ANSWER_REASONING_3] = {"response.usage.output_tokens_details.reasoning_tokens",
			NULL},
		[ANSWER_CACHE_READ] = {"usage.cache_read_input_tokens", NULL},
		[ANSWER_CACHE_READ_2] = {"message.usage.cache_read_input_tokens", NULL},
		[ANSWER_CACHE_CREATION] = {"usage.cache_creation_input_tokens", NULL},
		[ANSWER_CACHE_CREATION_2] = {"message.usage.cache_creation_input_tokens", NULL},
		[ANSWER_CHOICES] = {"choices", NULL},
		[ANSWER_ERROR] = {"error", NULL},
	};

	return json_query_new(wants, ANSWER_WANT_COUNT);
}

void usage_take(struct usage_reading *r, const struct json_hit *h, struct bytes literal)
{
	uint64_t v;

	if (h->type == JSON_NUMBER && json_number_u64(literal, &v)) {
		r->value[h->want] = v;
		r->seen |= (uint32_t)1 << h->want;
	}
}

/* The first of several names that was given. */
static bool first_of(const struct usage_reading *r, unsigned from, unsigned to, uint64_t *out)
{
	for (unsigned i = from; i <= to; i++) {
		if ((r->seen >> i & 1) != 0) {
			*out = r->value[i];
			return true;
		}
	}
	return false;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

void usage_merge(struct usage *u, const struct usage_reading *r, bool moonshot)
{
	bool input = first_of(r, ANSWER_INPUT, ANSWER_INPUT_4 + moonshot, &u->input);
	bool output = first_of(r, ANSWER_OUTPUT, ANSWER_OUTPUT_4 + moonshot, &u->output);
	bool total = first_of(r, ANSWER_TOTAL, ANSWER_TOTAL_2 + moonshot, &u->total);

	first_of(r, ANSWER_CACHED, ANSWER_CACHED_3, &u->cached);
	first_of(r, ANSWER_REASONING, ANSWER_REASONING_3, &u->reasoning);
	first_of(r, ANSWER_CACHE_READ, ANSWER_CACHE_READ_2, &u->cache_read);
	first_of(r, ANSWER_CACHE_CREATION, ANSWER_CACHE_CREATION_2, &u->cache_creation);
	if (!input && !output && !total) {
		return;
	}
	u->known = true;
	if (!total) {
		u->total = add(add(u->input, u->output), add(u->cache_read, u->cache_creation));
	}
}
