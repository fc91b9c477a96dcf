/* Failures by what vendors send: errors as they write them, and what must not be taken for one. */
#include "ai/failures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ai/providers.h"
#include "plan/provider.h"

#define WALL_MS UINT64_C(784111777000)

#define OPENAI(message, type, code)                                \
	"{\"error\":{\"message\":\"" message "\",\"type\":\"" type \
	"\",\"param\":null,"                                       \
	"\"code\":" code "}}"
#define CLAUDE(type, message)                                                         \
	"{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" message \
	"\"},\"request_id\":\"req_1\"}"
#define GEMINI(code, message, status) \
	"{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"status\":\"" status "\"}}"
#define QWEN(code, message) \
	"{\"code\":\"" code "\",\"message\":\"" message "\",\"request_id\":\"r\"}"
#define MINIMAX(code)                                                         \
	"{\"id\":\"0\",\"choices\":null,\"base_resp\":{\"status_code\":" code \
	",\"status_msg\":\"x\"}}"
#define CHUNK(rest) \
	"{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0," rest "}]}"

struct row {
	const char *type; /* of provider; NULL: none */
	unsigned status;
	const char *body;
	enum failure_class class;
	const char *reason;
};

static const struct row rows[] = {
	/* --- statuses alone */
	{"openai", 200, "", FAILURE_NONE, "an answer that has not come yet"},
	{"openai", 400, "", FAILURE_CLIENT, "the request's own mistake"},
	{"openai", 401, "", FAILURE_CREDENTIAL, "our credential is refused"},
	{"openai", 403, "", FAILURE_CREDENTIAL, "our credential may not"},
	{"openai", 402, "", FAILURE_BILLING, "payment required"},
	{"openai", 404, "", FAILURE_CLIENT, "G116: no such model blames nobody"},
	{"openai", 408, "", FAILURE_SERVER, "its time ran out, not the client's"},
	{"openai", 413, "", FAILURE_CLIENT, "too large"},
	{"openai", 422, "", FAILURE_CLIENT, "not understood"},
	{"openai", 429, "", FAILURE_RATE, "too fast"},
	{"openai", 451, "", FAILURE_FILTERED, "for legal reasons"},
	{"openai", 500, "", FAILURE_SERVER, "broken"},
	{"openai", 502, "", FAILURE_SERVER, "broken behind it"},
	{"openai", 503, "", FAILURE_OVERLOAD, "cannot just now"},
	{"openai", 504, "", FAILURE_SERVER, "late behind it"},
	{"openai", 529, "", FAILURE_OVERLOAD, "Anthropic's word for it"},
	{"openai", 302, "", FAILURE_NONE, "a redirect is passed"},
	{NULL, 429, "{\"error\":\"slow\"}", FAILURE_RATE, "a server of no known type"},

	/* --- openai and what is like it */
	{"openai", 429,
		OPENAI("You exceeded your current quota, please check your plan and "
		       "billing details.",
			"insufficient_quota", "\"insufficient_quota\""),
		FAILURE_BILLING, "no money is not too fast"},
	{"openai", 429,
		OPENAI("Rate limit reached for gpt-4o on tokens per min. Visit billing.", "tokens",
			"\"rate_limit_exceeded\""),
		FAILURE_RATE, "too fast"},
	{"openai", 400,
		OPENAI("This model's maximum context length is 8192 tokens.",
			"invalid_request_error", "\"context_length_exceeded\""),
		FAILURE_CONTEXT, "by code"},
	{"openai", 400,
		OPENAI("This model's maximum context length is 8192 tokens.",
			"invalid_request_error", "null"),
		FAILURE_CONTEXT, "by message"},
	{"openai", 500,
		OPENAI("This model's maximum context length is 8192 tokens.",
			"invalid_request_error", "\"context_length_exceeded\""),
		FAILURE_SERVER, "a 5xx that mentions the length of the context is still a 5xx"},
	{"openai", 503, OPENAI("maximum context length", "server_error", "null"), FAILURE_OVERLOAD,
		"the same"},
	{"openai", 500, OPENAI("x", "insufficient_quota", "\"insufficient_quota\""), FAILURE_SERVER,
		"nor is its word on money believed"},
	{"openai", 401,
		OPENAI("Incorrect API key provided: sk-...", "invalid_request_error",
			"\"invalid_api_key\""),
		FAILURE_CREDENTIAL, "by code"},
	{"openai", 400,
		OPENAI("Your request was rejected by our safety system.",
			"image_generation_user_error", "\"moderation_blocked\""),
		FAILURE_FILTERED, "images"},
	{"openai", 400, OPENAI("x", "invalid_request_error", "\"content_policy_violation\""),
		FAILURE_FILTERED, "images, in older words"},
	{"openai", 404,
		OPENAI("The model `x` does not exist", "invalid_request_error",
			"\"model_not_found\""),
		FAILURE_CLIENT, "no such model"},
	{"openai", 503, OPENAI("The server is overloaded", "server_error", "\"slow_down\""),
		FAILURE_OVERLOAD, "busy"},
	{"openai", 500,
		OPENAI("The engine is currently overloaded", "server_error",
			"\"engine_overloaded\""),
		FAILURE_OVERLOAD, "busy behind a 500"},
	{"azure", 400,
		"{\"error\":{\"message\":\"The response was filtered due to the prompt "
		"triggering Azure OpenAI's content management policy.\",\"type\":null,"
		"\"param\":\"prompt\",\"code\":\"content_filter\",\"status\":400,"
		"\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\"}}}",
		FAILURE_FILTERED, "azure's filter"},
	{"azure", 401, "{\"statusCode\":401,\"message\":\"Unauthorized. Access token is missing\"}",
		FAILURE_CREDENTIAL, "azure's front"},
	{"azure", 429,
		"{\"error\":{\"code\":\"429\",\"message\":\"Requests have exceeded call rate "
		"limit of your current pricing tier.\"}}",
		FAILURE_RATE, "a code of digits"},
	{"groq", 413,
		OPENAI("Request too large for model on tokens per minute (TPM)", "tokens",
			"\"rate_limit_exceeded\""),
		FAILURE_RATE, "its 413 is a rate"},
	{"groq", 498, OPENAI("x", "x", "\"capacity_exceeded\""), FAILURE_OVERLOAD,
		"its own status"},
	{"moonshot", 429,
		OPENAI("Your account is suspended, please check your plan and billing "
		       "details",
			"exceeded_current_quota_error", "null"),
		FAILURE_BILLING, "no money"},
	{"moonshot", 429, OPENAI("x", "rate_limit_reached_error", "null"), FAILURE_RATE,
		"too fast"},
	{"moonshot", 429,
		OPENAI("The engine is currently overloaded", "engine_overloaded_error", "null"),
		FAILURE_OVERLOAD, "a 429 that is not about the credential"},
	{"moonshot", 400,
		OPENAI("The request was rejected because it was considered high risk",
			"content_filter", "null"),
		FAILURE_FILTERED, "a filter"},
	{"deepseek", 402,
		OPENAI("Insufficient Balance", "unknown_error", "\"invalid_request_error\""),
		FAILURE_BILLING, "no money"},
	{"deepseek", 401,
		OPENAI("Authentication Fails", "authentication_error", "\"invalid_request_error\""),
		FAILURE_CREDENTIAL, "the key"},
	{"mistral", 400,
		"{\"object\":\"error\",\"message\":\"Prompt contains 40000 tokens, too large "
		"for model with 32768 maximum context length\",\"type\":"
		"\"invalid_request_prompt\",\"param\":null,\"code\":\"3051\"}",
		FAILURE_CONTEXT, "its number"},
	{"mistral", 401, "{\"detail\":\"Unauthorized\"}", FAILURE_CREDENTIAL, "its front"},
	{"mistral", 429,
		"{\"object\":\"error\",\"message\":\"Service tier capacity exceeded for this "
		"model.\",\"type\":\"service_tier_capacity_exceeded\",\"code\":\"3505\"}",
		FAILURE_OVERLOAD, "not about the credential"},
	{"mistral", 422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}",
		FAILURE_CLIENT, "a list of mistakes"},
	{"openrouter", 402, "{\"error\":{\"code\":402,\"message\":\"Insufficient credits\"}}",
		FAILURE_BILLING, "no money"},
	{"openrouter", 403,
		"{\"error\":{\"code\":403,\"message\":\"Your chosen model requires "
		"moderation and your input was flagged\",\"metadata\":{\"reasons\":[]}}}",
		FAILURE_FILTERED, "its filter stands behind a 403"},
	{"openai", 403, OPENAI("You are flagged", "x", "null"), FAILURE_CREDENTIAL,
		"which is its habit alone"},
	{"github", 413,
		OPENAI("Request body too large for gpt-4o model. Max size: 8000 tokens.", "x",
			"\"tokens_limit_reached\""),
		FAILURE_CONTEXT, "its 413"},
	{"grok", 400,
		"{\"code\":\"Client specified an invalid argument\",\"error\":\"Incorrect API key "
		"provided: xa***. You can obtain one at console\"}",
		FAILURE_CREDENTIAL, "a 400 about the key; the error is a string"},
	{"grok", 403,
		"{\"code\":\"x\",\"error\":\"Your team has either used all available credits or "
		"reached its monthly spending limit.\"}",
		FAILURE_BILLING, "no money"},
	{"vllm", 400,
		"{\"object\":\"error\",\"message\":\"This model's maximum context length is 4096 "
		"tokens.\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
		FAILURE_CONTEXT, "without an error object"},
	{"ollama", 404, "{\"error\":{\"message\":\"model 'x' not found\",\"type\":\"api_error\"}}",
		FAILURE_CLIENT, "no such model"},
	{"ollama", 503, "{\"error\":\"server busy, please try again.\"}", FAILURE_OVERLOAD, "busy"},
	{"fireworks", 412,
		"{\"error\":{\"message\":\"Account x is suspended, possibly due to reaching "
		"the monthly spending limit\"}}",
		FAILURE_BILLING, "no money"},
	{"cohere", 400, "{\"message\":\"too many tokens: size limit exceeded by 20\"}",
		FAILURE_CONTEXT, "a message at the top"},
	{"cohere", 401, "{\"message\":\"invalid api token\"}", FAILURE_CREDENTIAL, "the key"},
	{"cloudflare", 401,
		"{\"result\":null,\"success\":false,\"errors\":[{\"code\":10000,"
		"\"message\":\"Authentication error\"}],\"messages\":[]}",
		FAILURE_CREDENTIAL, "a list of errors"},
	{"cloudflare", 429,
		"{\"errors\":[{\"code\":4006,\"message\":\"you have used up your daily free "
		"allocation of 10,000 neurons\"}],\"success\":false}",
		FAILURE_BILLING, "all of a day"},
	{"cloudflare", 429,
		"{\"errors\":[{\"code\":3040,\"message\":\"Capacity temporarily "
		"exceeded\"}],\"success\":false}",
		FAILURE_OVERLOAD, "busy"},
	{"stepfun", 402, OPENAI("x", "quota_exceeded", "null"), FAILURE_BILLING, "no money"},
	{"stepfun", 451, OPENAI("x", "censorship_blocked", "null"), FAILURE_FILTERED, "a filter"},

	/* --- claude */
	{"claude", 429,
		CLAUDE("rate_limit_error",
			"This request would exceed your organization's "
			"rate limit"),
		FAILURE_RATE, "too fast"},
	{"claude", 529, CLAUDE("overloaded_error", "Overloaded"), FAILURE_OVERLOAD, "busy"},
	{"claude", 500, CLAUDE("api_error", "Internal server error"), FAILURE_SERVER, "broken"},
	{"claude", 400,
		CLAUDE("invalid_request_error",
			"Your credit balance is too low to access the "
			"Anthropic API."),
		FAILURE_BILLING, "a 400 about money"},
	{"claude", 400,
		CLAUDE("invalid_request_error",
			"prompt is too long: 210000 tokens > 200000 "
			"maximum"),
		FAILURE_CONTEXT, "too long"},
	{"claude", 400,
		CLAUDE("invalid_request_error",
			"input length and `max_tokens` exceed context "
			"limit: 190000 + 20000 > 200000"),
		FAILURE_CONTEXT, "both together"},
	{"claude", 400,
		CLAUDE("invalid_request_error", "messages: at least one message is required"),
		FAILURE_CLIENT, "the request's own mistake"},
	{"claude", 401, CLAUDE("authentication_error", "invalid x-api-key"), FAILURE_CREDENTIAL,
		"key"},
	{"claude", 403, CLAUDE("permission_error", "x"), FAILURE_CREDENTIAL, "may not"},
	{"claude", 402, CLAUDE("billing_error", "x"), FAILURE_BILLING, "no money"},

	/* --- gemini */
	{"gemini", 429,
		GEMINI("429",
			"You exceeded your current quota, please check your plan and "
			"billing details.",
			"RESOURCE_EXHAUSTED"),
		FAILURE_RATE, "the words of the other vendor mean a rate here"},
	{"gemini", 400,
		"{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass a valid "
		"API key.\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":\"x\","
		"\"reason\":\"API_KEY_INVALID\"}]}}",
		FAILURE_CREDENTIAL, "a 400 about the key"},
	{"gemini", 400,
		GEMINI("400",
			"The input token count (1048577) exceeds the maximum number of "
			"tokens allowed (1048576).",
			"INVALID_ARGUMENT"),
		FAILURE_CONTEXT, "long"},
	{"gemini", 503, GEMINI("503", "The model is overloaded.", "UNAVAILABLE"), FAILURE_OVERLOAD,
		"busy"},
	{"gemini", 429,
		"[{\"error\":{\"code\":429,\"message\":\"Resource exhausted\",\"status\":"
		"\"RESOURCE_EXHAUSTED\"}}]",
		FAILURE_RATE, "in a list, as its streams do"},
	{"gemini", 400, GEMINI("400", "Invalid value at 'contents'", "INVALID_ARGUMENT"),
		FAILURE_CLIENT, "the request's own mistake"},

	/* --- vendors of China */
	{"qwen", 400, QWEN("Arrearage", "Access denied, your account is in good standing."),
		FAILURE_BILLING, "a 400 about money"},
	{"qwen", 429, QWEN("Throttling.RateQuota", "Requests rate limit exceeded"), FAILURE_RATE,
		"fast"},
	{"qwen", 429, QWEN("Throttling.AllocationQuota", "Allocated quota exceeded"), FAILURE_RATE,
		"tokens in a minute"},
	{"qwen", 400, QWEN("DataInspectionFailed", "Input data may contain inappropriate content."),
		FAILURE_FILTERED, "a filter"},
	{"qwen", 400, QWEN("InvalidParameter", "Range of input length should be [1, 6000]"),
		FAILURE_CONTEXT, "too long"},
	{"qwen", 401, QWEN("InvalidApiKey", "Invalid API-key provided."), FAILURE_CREDENTIAL,
		"key"},
	{"qwen", 403, QWEN("AllocationQuota.FreeTierOnly", "x"), FAILURE_BILLING, "no money"},
	{"doubao", 429, OPENAI("x", "TooManyRequests", "\"RateLimitExceeded.EndpointRPMExceeded\""),
		FAILURE_RATE, "too fast"},
	{"doubao", 429, OPENAI("x", "TooManyRequests", "\"ServerOverloaded\""), FAILURE_OVERLOAD,
		"busy"},
	{"doubao", 403, OPENAI("x", "Forbidden", "\"AccountOverdueError\""), FAILURE_BILLING,
		"money"},
	{"doubao", 400, OPENAI("x", "BadRequest", "\"InputTextSensitiveContentDetected\""),
		FAILURE_FILTERED, "a filter"},
	{"zhipuai", 429,
		"{\"error\":{\"code\":\"1113\",\"message\":\"\\u4f59\\u989d\\u4e0d\\u8db3\"}}",
		FAILURE_BILLING, "its number"},
	{"zhipuai", 429,
		"{\"error\":{\"code\":\"9\",\"message\":\"\\u4f59\\u989d\\u4e0d\\u8db3\"}}",
		FAILURE_BILLING, "its words, in escapes"},
	{"zhipuai", 429, "{\"error\":{\"code\":\"1302\",\"message\":\"x\"}}", FAILURE_RATE,
		"too fast"},
	{"zhipuai", 400, "{\"error\":{\"code\":\"1301\",\"message\":\"x\"}}", FAILURE_FILTERED,
		"before the group that it stands in"},
	{"zhipuai", 429, "{\"error\":{\"code\":\"1305\",\"message\":\"x\"}}", FAILURE_OVERLOAD,
		"busy"},
	{"openai", 429, "{\"error\":{\"code\":\"1113\",\"message\":\"x\"}}", FAILURE_RATE,
		"another vendor's number means nothing here"},
	{"minimax", 200, MINIMAX("0"), FAILURE_NONE, "its answers all have it"},
	{"minimax", 200, MINIMAX("1002"), FAILURE_RATE, "an error behind a 200"},
	{"minimax", 200, MINIMAX("1008"), FAILURE_BILLING, "the same"},
	{"minimax", 200, MINIMAX("1004"), FAILURE_CREDENTIAL, "the same"},
	{"minimax", 200, MINIMAX("1027"), FAILURE_FILTERED, "the same"},
	{"minimax", 200, MINIMAX("2013"), FAILURE_CLIENT, "the same"},
	{"minimax", 200, MINIMAX("1013"), FAILURE_SERVER, "what no row knows"},
	{"hunyuan", 200,
		"{\"Response\":{\"Error\":{\"Code\":\"AuthFailure.SignatureFailure\","
		"\"Message\":\"x\"},\"RequestId\":\"r\"}}",
		FAILURE_CREDENTIAL, "behind a 200"},
	{"hunyuan", 200,
		"{\"Response\":{\"Error\":{\"Code\":\"LimitExceeded.Concurrency\","
		"\"Message\":\"x\"},\"RequestId\":\"r\"}}",
		FAILURE_RATE, "behind a 200"},
	{"baidu", 429, OPENAI("x", "x", "\"rpm_rate_limit_exceeded\""), FAILURE_RATE, "too fast"},
	{"baidu", 401, OPENAI("x", "x", "\"invalid_iam_token\""), FAILURE_CREDENTIAL, "the key"},
	{"spark", 200, "{\"code\":0,\"message\":\"Success\",\"sid\":\"s\",\"choices\":[]}",
		FAILURE_NONE, "its answers all have a code"},
	{"spark", 200, "{\"code\":11202,\"message\":\"licc limit\",\"sid\":\"s\"}", FAILURE_RATE,
		"an error behind a 200"},

	/* --- behind a 2xx */
	{"openai", 200, OPENAI("x", "server_error", "null"), FAILURE_SERVER, "a JSON error"},
	{"openai", 200, "{\"error\":{\"code\":502,\"message\":\"Provider disconnected\"}}",
		FAILURE_SERVER, "a status as its code"},
	{"openrouter", 200,
		"{\"id\":\"g\",\"error\":{\"code\":429,\"message\":\"Provider returned "
		"error\"},\"choices\":[]}",
		FAILURE_RATE, "a status as its code"},
	{"openrouter", 200, "{\"error\":{\"code\":503,\"message\":\"maximum context length\"}}",
		FAILURE_OVERLOAD, "a 5xx that mentions the length of the context"},
	{"claude", 200, CLAUDE("overloaded_error", "Overloaded"), FAILURE_OVERLOAD, "an event"},
	{"claude", 200, CLAUDE("invalid_request_error", "x"), FAILURE_CLIENT, "an event"},
	{"openai", 200,
		"{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":"
		"\"rate_limit_exceeded\",\"message\":\"x\"}}}",
		FAILURE_RATE, "an event of the responses API"},
	{"openai", 200, "{\"type\":\"response.created\",\"response\":{\"error\":null}}",
		FAILURE_NONE, "which has it as null as a rule"},
	{"openai", 200, "{\"error\":null,\"choices\":[]}", FAILURE_NONE, "null is none"},
	{"openai", 200, "{\"error\":\"\",\"choices\":[]}", FAILURE_NONE, "nor is an empty text"},
	{"openai", 200, "{\"error\":{},\"choices\":[]}", FAILURE_NONE, "nor an empty object"},
	{"openai", 200, CHUNK("\"delta\":{\"content\":\"an error: \\\"error\\\" rate limit\"}"),
		FAILURE_NONE, "words inside of the answer"},
	{"openai", 200, CHUNK("\"delta\":{\"role\":\"assistant\"}"), FAILURE_NONE, "a first chunk"},
	{"openai", 200, CHUNK("\"delta\":{},\"finish_reason\":\"content_filter\""),
		FAILURE_FILTERED, "filtered before content"},
	{"openai", 200, CHUNK("\"delta\":{\"content\":\"I\"},\"finish_reason\":\"content_filter\""),
		FAILURE_NONE, "filtered behind content is an answer"},
	{"openai", 200,
		"{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":"
		"\"content_filter\"}]}",
		FAILURE_FILTERED, "the same, not streamed"},
	{"gemini", 200, "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}", FAILURE_FILTERED,
		"gemini's"},
	{"claude", 200, "{\"type\":\"message\",\"content\":[],\"stop_reason\":\"refusal\"}",
		FAILURE_FILTERED, "claude's"},
	{"openai", 200, "<!DOCTYPE html><html>", FAILURE_INVALID, "a page"},
	{"openai", 200, "\n <HTML>", FAILURE_INVALID, "a page, behind blanks"},
	{"openai", 200, "{\"code\":\"Success\",\"data\":[]}", FAILURE_NONE, "data came"},

	/* --- what is no JSON */
	{"openai", 403, "<!doctype html><title>Attention Required!</title>", FAILURE_INVALID,
		"a wall on the way does not know our credential"},
	{"openai", 429, "<html>slow down</html>", FAILURE_RATE, "but it may know how fast we are"},
	{"openai", 502, "<html>502 Bad Gateway</html>", FAILURE_SERVER, "broken behind it"},
	{"openai", 400, "prompt is too long", FAILURE_CONTEXT, "plain text"},
	{"openai", 429, "{\"error\":{\"message\":\"x\",\"code\":\"insufficient_quota\"",
		FAILURE_BILLING, "cut behind its code"},
	{"openai", 429, "{\"error\":{\"message\":\"x\",\"code\":\"insufficient_q", FAILURE_RATE,
		"cut inside of it"},
	{"openai", 400, "{\"error\":{\"message\":\"the prompt is too long: 2", FAILURE_CONTEXT,
		"cut inside of the message, which has said enough"},
	{"openai", 429, "{\"error\":[1,2}", FAILURE_RATE, "broken JSON"},
	{"openai", 429, "[]", FAILURE_RATE, "no object"},
	{"openai", 429, "{\"error\":{\"code\":{\"insufficient_quota\":1}}}", FAILURE_RATE,
		"a code that is no text"},
};

static const struct provider_type *type_of(const char *name)
{
	for (size_t i = 0; i < provider_types.n; i++) {
		if (name != NULL && strcmp(provider_types.v[i].name, name) == 0) {
			return &provider_types.v[i];
		}
	}
	assert_null(name);
	return NULL;
}

/* The input ends where its memory ends, so that a sanitizer sees a step too far. */
static struct failure classify(const struct json_query *q, const struct row *r, size_t n)
{
	struct failure_facts facts = {.type = type_of(r->type),
		.status = r->status,
		.query = q,
		.has_credential = true,
		.wall_ms = WALL_MS};
	struct failure f = {.class = FAILURE_CLASSES, .status = (uint16_t)r->status};
	char *copy = must_alloc(n + 1);

	memcpy(copy, r->body, n);
	facts.body = bytes_of(n != 0 ? copy : NULL, n);
	failures_classify(&facts, &f);
	free(copy);
	assert_int_equal(f.status, r->status);
	assert_int_equal(f.retry_after_ms, 0);
	return f;
}

static void vendors_are_understood(void **state)
{
	struct json_query *q = failures_query();
	unsigned bad = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct failure f = classify(q, &rows[i], strlen(rows[i].body));

		if (f.class != rows[i].class) {
			print_error("%s %u %s (%s): %s, not %s\n", rows[i].type, rows[i].status,
				rows[i].body, rows[i].reason, failure_class_name(f.class),
				failure_class_name(rows[i].class));
			bad++;
		}
	}
	assert_int_equal(bad, 0);
	json_query_free(q);
}

/* A body that is cut says what the whole one says, or what its status says, and nothing else. */
static void beginnings_mislead_nobody(void **state)
{
	struct json_query *q = failures_query();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum failure_class bare = classify(q, &rows[i], 0).class;

		for (size_t n = 0; n < strlen(rows[i].body); n++) {
			enum failure_class c = classify(q, &rows[i], n).class;

			if (c != rows[i].class && c != bare && rows[i].status >= 400) {
				fail_msg("%s %u %.*s (%s): %s", rows[i].type, rows[i].status,
					(int)n, rows[i].body, rows[i].reason,
					failure_class_name(c));
			}
		}
	}
	json_query_free(q);
}

static void a_5xx_is_the_upstreams_own(void **state)
{
	struct json_query *q = failures_query();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct row r = rows[i];
		enum failure_class c;

		r.status = 500;
		c = classify(q, &r, strlen(r.body)).class;
		if (c != FAILURE_SERVER && c != FAILURE_OVERLOAD) {
			fail_msg("%s (%s): %s", r.body, r.reason, failure_class_name(c));
		}
	}
	json_query_free(q);
}

static void nobodys_credential_is_not_blamed(void **state)
{
	struct json_query *q = failures_query();
	static const unsigned statuses[] = {401, 402, 403};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		struct failure_facts facts = {.status = statuses[i], .query = q};
		struct failure f = {.class = FAILURE_CLASSES};

		failures_classify(&facts, &f);
		assert_int_equal(f.class, FAILURE_CLIENT);
	}
	json_query_free(q);
}

static const struct {
	unsigned status;
	const char *retry_after, *ms, *reset, *body;
	uint64_t wait_ms;
	const char *reason;
} waits[] = {
	{429, NULL, NULL, NULL, "", 0, "nothing was said"},
	{429, "7", NULL, NULL, "", 7000, "seconds"},
	{503, "7", NULL, NULL, "", 7000, "not of a 429 only"},
	{200, "7", NULL, NULL, "", 0, "an answer is not waited for"},
	{429, "7", "1200", NULL, "", 1200, "the more precise field"},
	{429, "7", "soon", NULL, "", 7000, "a field that says nothing"},
	{429, "Sun, 06 Nov 1994 08:49:47 GMT", NULL, NULL, "", 10000, "a date"},
	{429, NULL, NULL, "6m0s", "", 360000, "a reset of a rate"},
	{500, NULL, NULL, "6m0s", "", 0, "which means nothing to a broken server"},
	{404, NULL, NULL, "6m0s",
		"{\"error\":{\"message\":\"The model `rate limit` does not exist\"}}", 0,
		"which every answer has, and the words are the client's own"},
	{429, NULL, NULL, NULL,
		"{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"@type\":\"RetryInfo\","
		"\"retryDelay\":\"34.5s\"}]}}",
		34500, "gemini's"},
	{429, "2", NULL, NULL,
		"{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"retryDelay\":\"34s\"}]}}",
		2000, "a field before the body"},
};

static void waits_are_read(void **state)
{
	struct json_query *q = failures_query();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		struct failure_facts facts = {.status = waits[i].status,
			.query = q,
			.has_credential = true,
			.body = bytes_str(waits[i].body),
			.wall_ms = WALL_MS};
		struct failure f = {.class = FAILURE_CLASSES};

		facts.retry_after = waits[i].retry_after != NULL ? bytes_str(waits[i].retry_after)
								 : facts.retry_after;
		facts.retry_after_ms =
			waits[i].ms != NULL ? bytes_str(waits[i].ms) : facts.retry_after_ms;
		facts.rate_reset =
			waits[i].reset != NULL ? bytes_str(waits[i].reset) : facts.rate_reset;
		failures_classify(&facts, &f);
		if (f.retry_after_ms != waits[i].wait_ms) {
			fail_msg("row %zu (%s): %llu", i, waits[i].reason,
				(unsigned long long)f.retry_after_ms);
		}
	}
	json_query_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vendors_are_understood),
		cmocka_unit_test(beginnings_mislead_nobody),
		cmocka_unit_test(a_5xx_is_the_upstreams_own),
		cmocka_unit_test(nobodys_credential_is_not_blamed),
		cmocka_unit_test(waits_are_read),
	};

	return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}
