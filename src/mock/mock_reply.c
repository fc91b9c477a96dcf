#include "mock/mock_reply.h"

/* 0.5, -0.25, 0.125, 1.0, and the same as little-endian floats in base64. */
#define VECTOR "[0.5,-0.25,0.125,1.0]"
#define VECTOR_BASE64 "\"AAAAPwAAgL4AAAA+AACAPw==\""

static void add_str(struct text *out, const char *s)
{
	text_add_json(out, bytes_str(s));
}

static void add_u64(struct text *out, const char *before, uint64_t v)
{
	text_add_str(out, before);
	text_add_u64(out, v);
}

/* --- usage -------------------------------------------------------------------------------------- */

void mock_reply_usage(const struct mock_reply *r, struct text *out)
{
	add_u64(out, "{\"prompt_tokens\":", r->content.prompt_tokens);
	add_u64(out, ",\"completion_tokens\":", r->content.tokens);
	add_u64(out, ",\"total_tokens\":", r->content.prompt_tokens + r->content.tokens);
	text_add_char(out, '}');
}

void mock_reply_usage_input_output(const struct mock_reply *r, bool total, struct text *out)
{
	add_u64(out, "{\"input_tokens\":", r->content.prompt_tokens);
	add_u64(out, ",\"output_tokens\":", r->content.tokens);
	if (total) {
		add_u64(out, ",\"total_tokens\":", r->content.prompt_tokens + r->content.tokens);
	}
	text_add_char(out, '}');
}

static bool shows_usage(const struct mock_reply *r)
{
	return !mock_script_has(r->script.nousage);
}

/* --- bodies ------------------------------------------------------------------------------------- */

static void chat_body(const struct mock_reply *r, struct text *out)
{
	bool in_choices = mock_script_has(r->script.usage_in_choices);

	add_u64(out, "{\"id\":\"chatcmpl-mock-", r->seq);
	add_u64(out, "\",\"object\":\"chat.completion\",\"created\":", r->created);
	text_add_str(out, ",\"model\":\"");
	add_str(out, r->ask.model);
	text_add_str(out,
		"\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
		"\"content\":\"");
	mock_content_all(&r->content, out);
	text_add_str(out, "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"");
	if (shows_usage(r) && in_choices) {
		text_add_str(out, ",\"usage\":");
		mock_reply_usage(r, out);
	}
	text_add_str(out, "}]");
	if (shows_usage(r) && !in_choices) {
		text_add_str(out, ",\"usage\":");
		mock_reply_usage(r, out);
	}
	text_add_str(out, ",\"system_fingerprint\":\"fp_mock\"}");
}

static void completions_body(const struct mock_reply *r, struct text *out)
{
	add_u64(out, "{\"id\":\"cmpl-mock-", r->seq);
	add_u64(out, "\",\"object\":\"text_completion\",\"created\":", r->created);
	text_add_str(out, ",\"model\":\"");
	add_str(out, r->ask.model);
	text_add_str(out, "\",\"choices\":[{\"text\":\"");
	mock_content_all(&r->content, out);
	text_add_str(out, "\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"stop\"}]");
	if (shows_usage(r)) {
		text_add_str(out, ",\"usage\":");
		mock_reply_usage(r, out);
	}
	text_add_char(out, '}');
}

static void embeddings_body(const struct mock_reply *r, struct text *out)
{
	text_add_str(out, "{\"object\":\"list\",\"data\":[");
	for (unsigned i = 0; i < r->ask.n_input; i++) {
		text_add_str(out, i != 0 ? "," : "");
		add_u64(out, "{\"object\":\"embedding\",\"index\":", i);
		text_add_str(out, ",\"embedding\":");
		text_add_str(out, r->ask.base64 ? VECTOR_BASE64 : VECTOR);
		text_add_char(out, '}');
	}
	text_add_str(out, "],\"model\":\"");
	add_str(out, r->ask.model);
	text_add_char(out, '"');
	if (shows_usage(r)) {
		add_u64(out, ",\"usage\":{\"prompt_tokens\":", r->content.prompt_tokens);
		add_u64(out, ",\"total_tokens\":", r->content.prompt_tokens);
		text_add_char(out, '}');
	}
	text_add_char(out, '}');
}

static void messages_body(const struct mock_reply *r, struct text *out)
{
	add_u64(out, "{\"id\":\"msg_mock_", r->seq);
	text_add_str(out, "\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"");
	add_str(out, r->ask.model);
	text_add_str(out, "\",\"content\":[{\"type\":\"text\",\"text\":\"");
	mock_content_all(&r->content, out);
	text_add_str(out, "\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null");
	if (shows_usage(r)) {
		text_add_str(out, ",\"usage\":");
		mock_reply_usage_input_output(r, false, out);
	}
	text_add_char(out, '}');
}

static void responses_body(const struct mock_reply *r, struct text *out)
{
	add_u64(out, "{\"id\":\"resp_mock_", r->seq);
	add_u64(out, "\",\"object\":\"response\",\"created_at\":", r->created);
	text_add_str(out, ",\"status\":\"completed\",\"error\":null,\"model\":\"");
	add_str(out, r->ask.model);
	add_u64(out, "\",\"output\":[{\"id\":\"msg_mock_", r->seq);
	text_add_str(out,
		"\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\","
		"\"content\":[{\"type\":\"output_text\",\"annotations\":[],\"text\":\"");
	mock_content_all(&r->content, out);
	text_add_str(out, "\"}]}]");
	if (shows_usage(r)) {
		text_add_str(out, ",\"usage\":");
		mock_reply_usage_input_output(r, true, out);
	}
	text_add_char(out, '}');
}

static void model_object(const char *name, uint64_t created, struct text *out)
{
	text_add_str(out, "{\"id\":\"");
	add_str(out, name);
	add_u64(out, "\",\"object\":\"model\",\"created\":", created);
	text_add_str(out, ",\"owned_by\":\"sluice-mock\"}");
}

void mock_reply_models(uint64_t created, struct text *out)
{
	text_add_str(out, "{\"object\":\"list\",\"data\":[");
	model_object("mock", created, out);
	text_add_char(out, ',');
	model_object("mock-echo", created, out);
	text_add_str(out, "]}");
}

void mock_reply_body(const struct mock_reply *r, struct text *out)
{
	switch (r->ask.api) {
	case MOCK_CHAT:
		chat_body(r, out);
		break;
	case MOCK_COMPLETIONS:
		completions_body(r, out);
		break;
	case MOCK_EMBEDDINGS:
		embeddings_body(r, out);
		break;
	case MOCK_MESSAGES:
		messages_body(r, out);
		break;
	case MOCK_RESPONSES:
		responses_body(r, out);
		break;
	case MOCK_MODELS:
		mock_reply_models(r->created, out);
		break;
	case MOCK_MODEL:
		model_object(r->ask.model, r->created, out);
		break;
	case MOCK_UNKNOWN:
	case MOCK_REQUESTS:
	case MOCK_STATE:
	case MOCK_SCRIPT:
		break;
	}
}

/* --- errors ------------------------------------------------------------------------------------- */

static const char *error_type(enum mock_api api, unsigned status)
{
	bool anthropic = api == MOCK_MESSAGES;

	switch (status) {
	case 402:
		return anthropic ? "billing_error" : "insufficient_quota";
	case 401:
		return anthropic ? "authentication_error" : "invalid_request_error";
	case 403:
		return "permission_error";
	case 404:
		return anthropic ? "not_found_error" : "invalid_request_error";
	case 429:
		return anthropic ? "rate_limit_error" : "requests";
	case 529:
		return "overloaded_error";
	default:
		return status < 500 ? "invalid_request_error"
			: anthropic ? "api_error"
				    : "server_error";
	}
}

static const char *error_code(unsigned status)
{
	return status == 401    ? "\"invalid_api_key\""
		: status == 404 ? "\"model_not_found\""
		: status == 429 ? "\"rate_limit_exceeded\""
				: "null";
}

static void put_error(enum mock_api api, const char *type, const char *code, const char *message,
	struct text *out)
{
	if (api == MOCK_MESSAGES) {
		text_addf(
			out, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"", type);
		add_str(out, message);
		text_add_str(out, "\"}}");
		return;
	}
	text_add_str(out, "{\"error\":{\"message\":\"");
	add_str(out, message);
	text_addf(out, "\",\"type\":\"%s\",\"param\":null,\"code\":%s}}", type, code);
}

void mock_reply_error(enum mock_api api, unsigned status, const char *message, struct text *out)
{
	put_error(api, error_type(api, status), error_code(status), message, out);
}

unsigned mock_reply_refusal(enum mock_api api, enum mock_refusal kind, struct text *out)
{
	static const struct {
		unsigned status;
		const char *type, *code, *message;
		unsigned anthropic_status;
		const char *anthropic_type, *anthropic_message;
	} rows[] = {
		[MOCK_REFUSAL_QUOTA] = {429, "insufficient_quota", "\"insufficient_quota\"",
			"You exceeded your current quota, please check your plan and billing "
			"details.",
			400, "invalid_request_error",
			"Your credit balance is too low to access the Anthropic API."},
		[MOCK_REFUSAL_CONTEXT] = {400, "invalid_request_error",
			"\"context_length_exceeded\"",
			"This model's maximum context length is 10 tokens.", 400,
			"invalid_request_error",
			"prompt is too long: 210000 tokens > 200000 maximum"},
		[MOCK_REFUSAL_FILTER] = {400, "invalid_request_error", "\"content_filter\"",
			"The prompt triggered the content management policy.", 400,
			"invalid_request_error", "Output blocked by content filtering policy"},
	};

	if (api == MOCK_MESSAGES) {
		put_error(
			api, rows[kind].anthropic_type, "null", rows[kind].anthropic_message, out);
		return rows[kind].anthropic_status;
	}
	put_error(api, rows[kind].type, rows[kind].code, rows[kind].message, out);
	return rows[kind].status;
}
