/*
 * Each API's stream is a row of steps; a step makes the data of one event (or nothing, when the request
 * or the script does not want it) and may be repeated while there is content.
 */
#include "mock/mock_events.h"

#define BENCH_EVENT 300u

struct mock_events_step {
	/* Appends the data of an event; false: no such event this time. NULL ends the row. */
	bool (*make)(struct mock_events *e, struct text *out);
	const char *name; /* of the event; NULL: none */
	bool repeat;      /* as long as there is content */
	bool raw;         /* makes whole lines itself; no event that counts */
};

static const struct mock_script *script(const struct mock_events *e)
{
	return &e->reply->script;
}

static const char *line_end(const struct mock_events *e)
{
	return mock_script_has(script(e)->crlf) ? "\r\n" : "\n";
}

/* Between two members, where the data may be split over two lines. */
static void may_split(const struct mock_events *e, struct text *out)
{
	if (mock_script_has(script(e)->multiline)) {
		text_add_str(out, line_end(e));
		text_add_str(out, "data: ");
	}
}

static void add_u64(struct text *out, const char *before, uint64_t v)
{
	text_add_str(out, before);
	text_add_u64(out, v);
}

static bool shows_usage(const struct mock_events *e)
{
	return !mock_script_has(script(e)->nousage);
}

/* --- all APIs ----------------------------------------------------------------------------------- */

static bool make_comments(struct mock_events *e, struct text *out)
{
	static const char *const lines[] = {": sluice mock", "", ":", "", "", "event: ping", ""};

	if (!mock_script_has(script(e)->comments)) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		text_add_str(out, lines[i]);
		text_add_str(out, line_end(e));
	}
	return true;
}

static bool make_malformed(struct mock_events *e, struct text *out)
{
	if (!mock_script_has(script(e)->malformed)) {
		return false;
	}
	text_add_str(out, "{\"id\":\"chatcmpl-mock\",\"choices\":[{\"delta\":");
	return true;
}

static bool make_done(struct mock_events *e, struct text *out)
{
	if (mock_script_has(script(e)->nodone)) {
		return false;
	}
	text_add_str(out, "[DONE]");
	return true;
}

static bool make_second_done(struct mock_events *e, struct text *out)
{
	return mock_script_has(script(e)->doubledone) && make_done(e, out);
}

/* --- chat completions --------------------------------------------------------------------------- */

static void chat_begin(const struct mock_events *e, struct text *out)
{
	add_u64(out, "{\"id\":\"chatcmpl-mock-", e->reply->seq);
	text_add_str(out, "\",");
	may_split(e, out);
	add_u64(out, "\"object\":\"chat.completion.chunk\",\"created\":", e->reply->created);
	text_add_str(out, ",\"model\":\"");
	text_add_json(out, bytes_str(e->reply->ask.model));
	text_add_str(out, "\",\"system_fingerprint\":\"fp_mock\",\"choices\":[");
}

/* As OpenAI: with include_usage every chunk has the member, null in all but the last. */
static void chat_end(const struct mock_events *e, struct text *out)
{
	text_add_char(out, ']');
	if (e->reply->ask.include_usage && shows_usage(e)) {
		text_add_str(out, ",\"usage\":null");
	}
	text_add_char(out, '}');
}

static bool chat_role(struct mock_events *e, struct text *out)
{
	chat_begin(e, out);
	text_add_str(out,
		"{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
		"\"logprobs\":null,\"finish_reason\":null}");
	chat_end(e, out);
	return true;
}

static bool chat_content(struct mock_events *e, struct text *out)
{
	if (!mock_content_has_more(&e->reply->content)) {
		return false;
	}
	chat_begin(e, out);
	text_add_str(out, "{\"index\":0,\"delta\":{\"content\":\"");
	mock_content_next(&e->reply->content, out);
	text_add_str(out, "\"},\"logprobs\":null,\"finish_reason\":null}");
	chat_end(e, out);
	return true;
}

static bool chat_finish(struct mock_events *e, struct text *out)
{
	chat_begin(e, out);
	text_add_str(out, "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"");
	if (mock_script_has(script(e)->usage_in_choices) && shows_usage(e)) {
		text_add_str(out, ",\"usage\":");
		mock_reply_usage(e->reply, out);
	}
	text_add_char(out, '}');
	chat_end(e, out);
	return true;
}

static bool chat_usage(struct mock_events *e, struct text *out)
{
	if (!e->reply->ask.include_usage || !shows_usage(e) ||
		mock_script_has(script(e)->usage_in_choices)) {
		return false;
	}
	chat_begin(e, out);
	text_add_str(out, "],\"usage\":");
	mock_reply_usage(e->reply, out);
	text_add_char(out, '}');
	return true;
}

static bool chat_after(struct mock_events *e, struct text *out)
{
	if (!mock_script_has(script(e)->afterdone)) {
		return false;
	}
	chat_begin(e, out);
	text_add_str(out,
		"{\"index\":0,\"delta\":{\"content\":\"after\"},\"logprobs\":null,"
		"\"finish_reason\":null}");
	chat_end(e, out);
	return true;
}

static const struct mock_events_step chat_steps[] = {
	{make_comments, NULL, false, true},
	{chat_role, NULL, false, false},
	{make_malformed, NULL, false, false},
	{chat_content, NULL, true, false},
	{chat_finish, NULL, false, false},
	{chat_usage, NULL, false, false},
	{make_done, NULL, false, false},
	{make_second_done, NULL, false, false},
	{chat_after, NULL, false, false},
	{NULL, NULL, false, false},
};

/* --- text completions --------------------------------------------------------------------------- */

static void text_begin(const struct mock_events *e, struct text *out)
{
	add_u64(out, "{\"id\":\"cmpl-mock-", e->reply->seq);
	text_add_str(out, "\",");
	may_split(e, out);
	add_u64(out, "\"object\":\"text_completion\",\"created\":", e->reply->created);
	text_add_str(out, ",\"model\":\"");
	text_add_json(out, bytes_str(e->reply->ask.model));
	text_add_str(out, "\",\"choices\":[");
}

static bool text_content(struct mock_events *e, struct text *out)
{
	bool last;

	if (!mock_content_has_more(&e->reply->content)) {
		return false;
	}
	text_begin(e, out);
	text_add_str(out, "{\"text\":\"");
	mock_content_next(&e->reply->content, out);
	last = !mock_content_has_more(&e->reply->content);
	text_add_str(out, "\",\"index\":0,\"logprobs\":null,\"finish_reason\":");
	text_add_str(out, last ? "\"stop\"}" : "null}");
	chat_end(e, out);
	return true;
}

static bool text_usage(struct mock_events *e, struct text *out)
{
	if (!e->reply->ask.include_usage || !shows_usage(e)) {
		return false;
	}
	text_begin(e, out);
	text_add_str(out, "],\"usage\":");
	mock_reply_usage(e->reply, out);
	text_add_char(out, '}');
	return true;
}

static const struct mock_events_step completions_steps[] = {
	{make_comments, NULL, false, true},
	{make_malformed, NULL, false, false},
	{text_content, NULL, true, false},
	{text_usage, NULL, false, false},
	{make_done, NULL, false, false},
	{make_second_done, NULL, false, false},
	{NULL, NULL, false, false},
};

/* --- Anthropic messages ------------------------------------------------------------------------- */

static bool message_start(struct mock_events *e, struct text *out)
{
	text_add_str(out, "{\"type\":\"message_start\",");
	may_split(e, out);
	add_u64(out, "\"message\":{\"id\":\"msg_mock_", e->reply->seq);
	text_add_str(out, "\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"");
	text_add_json(out, bytes_str(e->reply->ask.model));
	text_add_str(out, "\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null");
	if (shows_usage(e)) {
		add_u64(out, ",\"usage\":{\"input_tokens\":", e->reply->content.prompt_tokens);
		text_add_str(out, ",\"output_tokens\":1}");
	}
	text_add_str(out, "}}");
	return true;
}

static bool block_start(struct mock_events *e, struct text *out)
{
	(void)e;
	text_add_str(out,
		"{\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
		"{\"type\":\"text\",\"text\":\"\"}}");
	return true;
}

static bool message_ping(struct mock_events *e, struct text *out)
{
	(void)e;
	text_add_str(out, "{\"type\":\"ping\"}");
	return true;
}

static bool block_delta(struct mock_events *e, struct text *out)
{
	if (!mock_content_has_more(&e->reply->content)) {
		return false;
	}
	text_add_str(out, "{\"type\":\"content_block_delta\",");
	may_split(e, out);
	text_add_str(out, "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"");
	mock_content_next(&e->reply->content, out);
	text_add_str(out, "\"}}");
	return true;
}

static bool block_stop(struct mock_events *e, struct text *out)
{
	(void)e;
	text_add_str(out, "{\"type\":\"content_block_stop\",\"index\":0}");
	return true;
}

static bool message_delta(struct mock_events *e, struct text *out)
{
	text_add_str(out,
		"{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\","
		"\"stop_sequence\":null}");
	if (shows_usage(e)) {
		add_u64(out, ",\"usage\":{\"output_tokens\":", e->reply->content.tokens);
		text_add_char(out, '}');
	}
	text_add_char(out, '}');
	return true;
}

static bool message_stop(struct mock_events *e, struct text *out)
{
	if (mock_script_has(script(e)->nodone)) {
		return false;
	}
	text_add_str(out, "{\"type\":\"message_stop\"}");
	return true;
}

static bool message_second_stop(struct mock_events *e, struct text *out)
{
	return mock_script_has(script(e)->doubledone) && message_stop(e, out);
}

static const struct mock_events_step messages_steps[] = {
	{make_comments, NULL, false, true},
	{message_start, "message_start", false, false},
	{block_start, "content_block_start", false, false},
	{message_ping, "ping", false, false},
	{make_malformed, "content_block_delta", false, false},
	{block_delta, "content_block_delta", true, false},
	{block_stop, "content_block_stop", false, false},
	{message_delta, "message_delta", false, false},
	{message_stop, "message_stop", false, false},
	{message_second_stop, "message_stop", false, false},
	{NULL, NULL, false, false},
};

/* --- responses ---------------------------------------------------------------------------------- */

static bool response_created(struct mock_events *e, struct text *out)
{
	text_add_str(out, "{\"type\":\"response.created\",");
	may_split(e, out);
	add_u64(out, "\"response\":{\"id\":\"resp_mock_", e->reply->seq);
	add_u64(out, "\",\"object\":\"response\",\"created_at\":", e->reply->created);
	text_add_str(out, ",\"status\":\"in_progress\",\"model\":\"");
	text_add_json(out, bytes_str(e->reply->ask.model));
	text_add_str(out, "\",\"output\":[],\"usage\":null}}");
	return true;
}

static bool response_delta(struct mock_events *e, struct text *out)
{
	if (!mock_content_has_more(&e->reply->content)) {
		return false;
	}
	text_add_str(out, "{\"type\":\"response.output_text.delta\",");
	may_split(e, out);
	add_u64(out, "\"item_id\":\"msg_mock_", e->reply->seq);
	text_add_str(out, "\",\"output_index\":0,\"content_index\":0,\"delta\":\"");
	mock_content_next(&e->reply->content, out);
	text_add_str(out, "\"}");
	return true;
}

static bool response_completed(struct mock_events *e, struct text *out)
{
	text_add_str(out, "{\"type\":\"response.completed\",");
	may_split(e, out);
	text_add_str(out, "\"response\":");
	mock_reply_body(e->reply, out);
	text_add_char(out, '}');
	return true;
}

static const struct mock_events_step responses_steps[] = {
	{make_comments, NULL, false, true},
	{response_created, "response.created", false, false},
	{make_malformed, "response.output_text.delta", false, false},
	{response_delta, "response.output_text.delta", true, false},
	{response_completed, "response.completed", false, false},
	{NULL, NULL, false, false},
};

/* --- bench -------------------------------------------------------------------------------------- */

static bool bench_event(struct mock_events *e, struct text *out)
{
	static const char head[] =
		"{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":"
		"1700000000,\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
	static const char tail[] = "\"},\"logprobs\":null,\"finish_reason\":null}]}";
	char event[BENCH_EVENT];
	size_t n = BENCH_EVENT - sizeof("data: \n\n") + 1;

	if (e->bench_left == 0) {
		return false;
	}
	e->bench_left--;
	memset(event, 'x', n);
	memcpy(event, head, sizeof(head) - 1);
	memcpy(event + n - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
	text_add(out, event, n);
	return true;
}

static const struct mock_events_step bench_steps[] = {
	{bench_event, NULL, true, false},
	{chat_usage, NULL, false, false},
	{make_done, NULL, false, false},
	{NULL, NULL, false, false},
};

/* --- the row ------------------------------------------------------------------------------------ */

#define BENCH_EVENTS_DEFAULT 10u

static const struct mock_events_step *steps_of(const struct mock_reply *r)
{
	if (mock_script_has(r->script.bench)) {
		return bench_steps;
	}
	return r->ask.api == MOCK_MESSAGES       ? messages_steps
		: r->ask.api == MOCK_RESPONSES   ? responses_steps
		: r->ask.api == MOCK_COMPLETIONS ? completions_steps
						 : chat_steps;
}

void mock_events_init(struct mock_events *e, struct mock_reply *reply)
{
	*e = (struct mock_events){.reply = reply, .steps = steps_of(reply)};
	e->bench_left = mock_script_has(reply->script.bench_sse) ? reply->script.bench_sse
								 : BENCH_EVENTS_DEFAULT;
}

static void add_field(const struct mock_events *e, const char *field, struct text *out)
{
	text_add_str(out, field);
	text_add_str(out, line_end(e));
}

static void begin_event(const struct mock_events *e, const char *name, struct text *out)
{
	if (name != NULL) {
		text_add_str(out, "event: ");
		add_field(e, name, out);
	}
	text_add_str(out, "data: ");
}

/* The next event of the row, whatever the script has in mind. */
static bool row_next(struct mock_events *e, struct text *out)
{
	const struct mock_events_step *s;

	while ((s = &e->steps[e->step])->make != NULL) {
		size_t before = out->n;
		bool made;

		if (!s->raw) {
			begin_event(e, s->name, out);
		}
		made = s->make(e, out);
		e->step += !made || !s->repeat;
		if (!made) {
			out->n = before;
			continue;
		}
		if (!s->raw) {
			add_field(e, "", out);
			add_field(e, "", out);
			e->sent++;
		}
		return true;
	}
	return false;
}

static void error_event(const struct mock_events *e, struct text *out)
{
	enum mock_api api = e->reply->ask.api;

	begin_event(e, api == MOCK_MESSAGES || api == MOCK_RESPONSES ? "error" : NULL, out);
	mock_reply_error(api, 500, "The server had an error while processing your request.", out);
	add_field(e, "", out);
	add_field(e, "", out);
}

static bool is_due(const struct mock_events *e, uint64_t events)
{
	return mock_script_has(events) && e->sent >= events;
}

static bool finish(struct mock_events *e, enum mock_events_end end, bool made)
{
	e->over = true;
	e->end = end;
	return made;
}

bool mock_events_next(struct mock_events *e, struct text *out)
{
	size_t before = out->n;

	if (e->over) {
		return false;
	}
	if (is_due(e, script(e)->stall)) {
		return finish(e, MOCK_EVENTS_STALL, false);
	}
	if (is_due(e, script(e)->halt)) {
		bool inside = row_next(e, out);

		out->n -= (out->n - before) / 2;
		return finish(e, MOCK_EVENTS_STALL, inside);
	}
	if (is_due(e, script(e)->error_event)) {
		error_event(e, out);
		return finish(e, MOCK_EVENTS_CLEAN, true);
	}
	if (is_due(e, script(e)->cut)) {
		bool inside = e->sent != 0 && row_next(e, out);

		out->n -= (out->n - before) / 2;
		return finish(e, MOCK_EVENTS_CUT, inside);
	}
	return row_next(e, out) || finish(e, MOCK_EVENTS_CLEAN, false);
}
