#include "ai/chat_read.h"

static_assert(CHAT_WANT_COUNT <= JSON_WANTS_MAX, "one query holds them");

struct json_query *chat_query(void)
{
	static const struct json_want wants[CHAT_WANT_COUNT] = {
		[CHAT_ID] = {"id", NULL},
		[CHAT_CREATED] = {"created", NULL},
		[CHAT_MODEL] = {"model", NULL},
		[CHAT_FINGERPRINT] = {"system_fingerprint", NULL},
		[CHAT_USAGE] = {"usage", NULL},
		[CHAT_ERROR] = {"error", NULL},
		[CHAT_CHOICE] = {"choices[]", NULL},
		[CHAT_INDEX] = {"choices[].index", NULL},
		[CHAT_FINISH] = {"choices[].finish_reason", NULL},
		[CHAT_CONTENT] = {"choices[].delta.content", NULL},
		[CHAT_REASONING] = {"choices[].delta.reasoning_content", NULL},
		[CHAT_REFUSAL] = {"choices[].delta.refusal", NULL},
		[CHAT_CALL] = {"choices[].delta.tool_calls[]", NULL},
		[CHAT_CALL_INDEX] = {"choices[].delta.tool_calls[].index", NULL},
		[CHAT_CALL_ID] = {"choices[].delta.tool_calls[].id", NULL},
		[CHAT_CALL_NAME] = {"choices[].delta.tool_calls[].function.name", NULL},
		[CHAT_CALL_ARGUMENTS] = {"choices[].delta.tool_calls[].function.arguments", NULL},
		[CHAT_WHOLE_CONTENT] = {"choices[].message.content", NULL},
		[CHAT_WHOLE_REASONING] = {"choices[].message.reasoning_content", NULL},
		[CHAT_WHOLE_CALLS] = {"choices[].message.tool_calls", NULL},
	};

	return json_query_new(wants, CHAT_WANT_COUNT);
}

struct bytes chat_inside(struct bytes data, const struct json_hit *h)
{
	return h->type == JSON_STRING ? bytes_of(data.p + h->beg + 1, (size_t)(h->end - h->beg) - 2)
				      : BYTES("");
}

uint64_t chat_number(struct bytes data, const struct json_hit *h)
{
	uint64_t v;

	return h->type == JSON_NUMBER && json_number_u64(chat_value(data, h), &v) ? v : 0;
}

bool chat_is_blank(struct bytes inside)
{
	for (size_t i = 0; i < inside.n; i++) {
		char c = inside.p[i];

		if (c == '\\' && i + 1 < inside.n) {
			c = inside.p[++i];
			if (c != 'n' && c != 'r' && c != 't') {
				return false;
			}
		} else if (c != ' ') {
			return false;
		}
	}
	return true;
}

void kept_init(struct kept *k, struct segpool *pool, size_t max)
{
	*k = (struct kept){.pool = pool, .max = max};
}

bool kept_add(struct kept *k, struct text *t, struct bytes b)
{
	if (b.n > k->max - k->n) {
		return false;
	}
	while ((size_t)k->segments * SEG_SIZE < k->n + b.n) {
		if (!segpool_hold(k->pool, 1)) {
			return false;
		}
		k->segments++;
	}
	k->n += b.n;
	text_add_bytes(t, b);
	return true;
}

void kept_done(struct kept *k)
{
	if (k->segments != 0) {
		segpool_release(k->pool, k->segments);
		k->segments = 0;
	}
}
