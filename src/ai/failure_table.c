/*
 * The order is that of what is said most precisely: money, content, length, who asks, too busy, too fast. Numbers are
 * rows of the one vendor that counts so: 1113 is another thing elsewhere. Rows hold for a 5xx only where they say that
 * the upstream is busy: what a broken server writes about lengths or keys is not believed.
 */
#include "ai/failure_table.h"

#define BUSY (ON_4XX | ON_429 | ON_5XX | ON_OK)

const struct failure_row failure_codes[] = {
	/* --- no money, no quota -------------------------------------------------------------- */
	{NULL, ON_ANY, "insufficient_quota", FAILURE_BILLING},            /* openai, azure */
	{NULL, ON_ANY, "billing_hard_limit_reached", FAILURE_BILLING},    /* openai */
	{NULL, ON_ANY, "billing_not_active", FAILURE_BILLING},            /* openai */
	{NULL, ON_ANY, "billing_error", FAILURE_BILLING},                 /* claude */
	{NULL, ON_ANY, "exceeded_current_quota_error", FAILURE_BILLING},  /* moonshot */
	{NULL, ON_ANY, "insufficient_balance*", FAILURE_BILLING},         /* deepseek, yi */
	{NULL, ON_ANY, "insufficient_credits", FAILURE_BILLING},          /* fireworks */
	{NULL, ON_ANY, "arrearage", FAILURE_BILLING},                     /* qwen */
	{NULL, ON_ANY, "allocationquota.freetieronly", FAILURE_BILLING},  /* qwen */
	{NULL, ON_ANY, "accountoverdue*", FAILURE_BILLING},               /* doubao */
	{NULL, ON_ANY, "quotaexceeded", FAILURE_BILLING},                 /* doubao */
	{NULL, ON_ANY, "quota_exceeded", FAILURE_BILLING},                /* stepfun */
	{NULL, ON_ANY, "payment_required", FAILURE_BILLING},              /* openrouter, groq */
	{NULL, ON_ANY, "failedoperation.resourcepack*", FAILURE_BILLING}, /* hunyuan */
	{NULL, ON_ANY, "failedoperation.free*", FAILURE_BILLING},         /* hunyuan */
	{NULL, ON_ANY, "resourceinsufficient.charge*", FAILURE_BILLING},  /* hunyuan */
	{"baidu", ON_ANY, "*_quota_exceeded", FAILURE_BILLING},
	{"zhipuai", ON_ANY, "1113", FAILURE_BILLING}, /* in arrears */
	{"zhipuai", ON_ANY, "1309", FAILURE_BILLING}, /* the package has ended */
	{"minimax", ON_ANY, "1008", FAILURE_BILLING},
	{"spark", ON_ANY, "11201", FAILURE_BILLING}, /* all of a day */
	{"cloudflare", ON_ANY, "3036", FAILURE_BILLING},
	{"cloudflare", ON_ANY, "4006", FAILURE_BILLING},

	/* --- a filter ------------------------------------------------------------------------ */
	{NULL, ON_ANY, "content_filter", FAILURE_FILTERED},
	{NULL, ON_ANY, "content_policy_violation", FAILURE_FILTERED},     /* openai */
	{NULL, ON_ANY, "moderation_blocked", FAILURE_FILTERED},           /* openai */
	{NULL, ON_ANY, "responsibleaipolicyviolation", FAILURE_FILTERED}, /* azure, github */
	{NULL, ON_ANY, "datainspectionfailed", FAILURE_FILTERED},         /* qwen */
	{NULL, ON_ANY, "data_inspection_failed", FAILURE_FILTERED},       /* qwen */
	{NULL, ON_ANY, "*sensitivecontentdetected*", FAILURE_FILTERED},   /* doubao */
	{NULL, ON_ANY, "censorship_blocked", FAILURE_FILTERED},           /* stepfun */
	{NULL, ON_ANY, "operationdenied.*sensitive*", FAILURE_FILTERED},  /* hunyuan */
	{NULL, ON_ANY, "system_unsafe", FAILURE_FILTERED},                /* baidu */
	{NULL, ON_ANY, "user_unsafe", FAILURE_FILTERED},                  /* baidu */
	{"zhipuai", ON_ANY, "1301", FAILURE_FILTERED},
	{"minimax", ON_ANY, "1026", FAILURE_FILTERED},
	{"minimax", ON_ANY, "1027", FAILURE_FILTERED},
	{"spark", ON_ANY, "10013", FAILURE_FILTERED},
	{"spark", ON_ANY, "10014", FAILURE_FILTERED},

	/* --- too long ------------------------------------------------------------------------ */
	{NULL, ON_ANY, "context_length_exceeded", FAILURE_CONTEXT}, /* openai, azure, groq */
	{NULL, ON_ANY, "context_window_exceeded", FAILURE_CONTEXT}, /* openrouter */
	{NULL, ON_ANY, "tokens_limit_reached", FAILURE_CONTEXT},    /* github */
	{NULL, ON_ANY, "prompt_too_long", FAILURE_CONTEXT},
	{"mistral", ON_ANY, "3051", FAILURE_CONTEXT},
	{"zhipuai", ON_ANY, "1261", FAILURE_CONTEXT},
	{"spark", ON_ANY, "10907", FAILURE_CONTEXT},
	{"cloudflare", ON_ANY, "5021", FAILURE_CONTEXT},

	/* --- who asks ------------------------------------------------------------------------ */
	{NULL, ON_ANY, "invalid_api_key", FAILURE_CREDENTIAL},              /* openai */
	{NULL, ON_ANY, "account_deactivated", FAILURE_CREDENTIAL},          /* openai */
	{NULL, ON_ANY, "authentication_error", FAILURE_CREDENTIAL},         /* claude, deepseek */
	{NULL, ON_ANY, "invalid_authentication_error", FAILURE_CREDENTIAL}, /* moonshot */
	{NULL, ON_ANY, "incorrect_api_key*", FAILURE_CREDENTIAL},
	{NULL, ON_ANY, "api_key_invalid", FAILURE_CREDENTIAL},     /* gemini: behind a 400 */
	{NULL, ON_ANY, "api_key_expired", FAILURE_CREDENTIAL},     /* gemini */
	{NULL, ON_ANY, "unauthenticated", FAILURE_CREDENTIAL},     /* gemini */
	{NULL, ON_ANY, "invalidapikey", FAILURE_CREDENTIAL},       /* qwen */
	{NULL, ON_ANY, "authenticationerror", FAILURE_CREDENTIAL}, /* doubao, vllm */
	{NULL, ON_ANY, "authfailure*", FAILURE_CREDENTIAL},        /* hunyuan */
	{NULL, ON_ANY, "invalid_iam_token", FAILURE_CREDENTIAL},   /* baidu */
	{"zhipuai", ON_ANY, "1000", FAILURE_CREDENTIAL},
	{"zhipuai", ON_ANY, "1001", FAILURE_CREDENTIAL},
	{"zhipuai", ON_ANY, "1002", FAILURE_CREDENTIAL},
	{"zhipuai", ON_ANY, "1003", FAILURE_CREDENTIAL},
	{"zhipuai", ON_ANY, "1004", FAILURE_CREDENTIAL},
	{"zhipuai", ON_ANY, "111?", FAILURE_CREDENTIAL}, /* the account is locked */
	{"minimax", ON_ANY, "1004", FAILURE_CREDENTIAL},
	{"minimax", ON_ANY, "2049", FAILURE_CREDENTIAL},
	{"spark", ON_ANY, "11200", FAILURE_CREDENTIAL},
	{"cloudflare", ON_ANY, "10000", FAILURE_CREDENTIAL},

	/* --- busy ---------------------------------------------------------------------------- */
	{NULL, BUSY, "overloaded_error", FAILURE_OVERLOAD},               /* claude */
	{NULL, BUSY, "engine_overloaded*", FAILURE_OVERLOAD},             /* moonshot, openai */
	{NULL, BUSY, "server_overloaded", FAILURE_OVERLOAD},              /* openai */
	{NULL, BUSY, "serveroverloaded", FAILURE_OVERLOAD},               /* doubao */
	{NULL, BUSY, "server_is_overloaded", FAILURE_OVERLOAD},           /* openai */
	{NULL, BUSY, "slow_down", FAILURE_OVERLOAD},                      /* openai */
	{NULL, BUSY, "unavailable", FAILURE_OVERLOAD},                    /* gemini */
	{NULL, BUSY, "capacity_exceeded", FAILURE_OVERLOAD},              /* groq */
	{NULL, BUSY, "service_tier_capacity_exceeded", FAILURE_OVERLOAD}, /* mistral */
	{NULL, BUSY, "modelservingerror", FAILURE_OVERLOAD},              /* qwen */
	{NULL, BUSY, "service_unavailable*", FAILURE_OVERLOAD},
	{NULL, BUSY, "server_high_load", FAILURE_OVERLOAD}, /* baidu */
	{"zhipuai", BUSY, "1305", FAILURE_OVERLOAD},
	{"zhipuai", BUSY, "1312", FAILURE_OVERLOAD},
	{"minimax", BUSY, "1041", FAILURE_OVERLOAD},
	{"spark", BUSY, "10110", FAILURE_OVERLOAD},
	{"cloudflare", BUSY, "3040", FAILURE_OVERLOAD},

	/* --- too fast ------------------------------------------------------------------------ */
	{NULL, ON_ANY, "rate_limit_exceeded", FAILURE_RATE},   /* openai; groq behind a 413 too */
	{NULL, ON_ANY, "rate_limit_error", FAILURE_RATE},      /* claude */
	{NULL, ON_ANY, "rate_limit_reached*", FAILURE_RATE},   /* moonshot */
	{NULL, ON_ANY, "ratelimitreached", FAILURE_RATE},      /* github */
	{NULL, ON_ANY, "ratelimitexceeded*", FAILURE_RATE},    /* doubao */
	{NULL, ON_ANY, "rate_limited", FAILURE_RATE},          /* mistral */
	{NULL, ON_ANY, "resource_exhausted", FAILURE_RATE},    /* gemini */
	{NULL, ON_ANY, "throttling*", FAILURE_RATE},           /* qwen */
	{NULL, ON_ANY, "limitexceeded*", FAILURE_RATE},        /* hunyuan */
	{NULL, ON_ANY, "requestlimitexceeded*", FAILURE_RATE}, /* hunyuan */
	{NULL, ON_ANY, "limit_requests", FAILURE_RATE},        /* qwen, compatible */
	{"baidu", ON_ANY, "*_rate_limit_exceeded", FAILURE_RATE},
	{"zhipuai", ON_ANY, "130?", FAILURE_RATE},
	{"zhipuai", ON_ANY, "1310", FAILURE_RATE},
	{"minimax", ON_ANY, "1002", FAILURE_RATE},
	{"minimax", ON_ANY, "1039", FAILURE_RATE}, /* tokens in a minute */
	{"spark", ON_ANY, "11202", FAILURE_RATE},
	{"spark", ON_ANY, "11203", FAILURE_RATE},
	{"spark", ON_ANY, "10007", FAILURE_RATE},
};
const size_t failure_codes_n = ARRAY_LEN(failure_codes);

const struct failure_row failure_messages[] = {
	/* gemini says of a minute's quota what others say of money */
	{"gemini", ON_429, "plan and billing details", FAILURE_RATE},
	/* claude says it behind a 400, grok and fireworks in words of their own */
	{NULL, ON_ANY, "credit balance is too low", FAILURE_BILLING},
	{NULL, ON_ANY, "insufficient balance", FAILURE_BILLING},
	{NULL, ON_ANY, "insufficient credits", FAILURE_BILLING},
	{NULL, ON_ANY, "insufficient account balance", FAILURE_BILLING},
	{NULL, ON_ANY, "used all available credits", FAILURE_BILLING},
	{NULL, ON_ANY, "monthly spending limit", FAILURE_BILLING},
	{NULL, ON_ANY, "plan and billing details", FAILURE_BILLING},
	{NULL, ON_ANY, "credits are depleted", FAILURE_BILLING},
	{NULL, ON_ANY, "free allocation", FAILURE_BILLING},
	{NULL, ON_ANY, "\xe4\xbd\x99\xe9\xa2\x9d\xe4\xb8\x8d\xe8\xb6\xb3", FAILURE_BILLING},
	{NULL, ON_ANY, "\xe6\xac\xa0\xe8\xb4\xb9", FAILURE_BILLING},

	{NULL, ON_4XX | ON_OK, "context length", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "context window", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "context limit", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "context size", FAILURE_CONTEXT}, /* llama.cpp behind vllm, openai */
	{NULL, ON_4XX | ON_OK, "maximum context", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "prompt is too long", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "maximum prompt length", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "input token count", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "maximum number of tokens allowed", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "range of input length", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "input is too long", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "too many tokens", FAILURE_CONTEXT},
	{NULL, ON_4XX | ON_OK, "reduce the length", FAILURE_CONTEXT},

	{NULL, ON_4XX | ON_AUTH | ON_OK, "content management policy", FAILURE_FILTERED},
	{NULL, ON_4XX | ON_AUTH | ON_OK, "content policy", FAILURE_FILTERED},
	{NULL, ON_4XX | ON_AUTH | ON_OK, "content filtering policy", FAILURE_FILTERED},
	{NULL, ON_4XX | ON_AUTH | ON_OK, "safety system", FAILURE_FILTERED},
	{NULL, ON_4XX | ON_AUTH | ON_OK, "inappropriate content", FAILURE_FILTERED},
	{NULL, ON_4XX | ON_AUTH | ON_OK, "considered high risk", FAILURE_FILTERED}, /* moonshot */
	{NULL, ON_4XX | ON_AUTH | ON_OK, "content exists risk", FAILURE_FILTERED},  /* deepseek */
	{"openrouter", ON_AUTH | ON_OK, "flagged", FAILURE_FILTERED},
	{NULL, ON_4XX | ON_AUTH | ON_OK, "\xe6\x95\x8f\xe6\x84\x9f\xe5\x86\x85\xe5\xae\xb9",
		FAILURE_FILTERED},

	{NULL, ON_ANY, "incorrect api key", FAILURE_CREDENTIAL}, /* grok: behind a 400 */
	{NULL, ON_ANY, "api key not valid", FAILURE_CREDENTIAL}, /* gemini */
	{NULL, ON_ANY, "invalid api key", FAILURE_CREDENTIAL},
	{NULL, ON_OK, "authentication error", FAILURE_CREDENTIAL},

	{NULL, ON_429 | ON_OK, "overloaded", FAILURE_OVERLOAD},
	{NULL, ON_429 | ON_OK, "server busy", FAILURE_OVERLOAD}, /* ollama */
	{NULL, ON_429 | ON_OK, "capacity temporarily exceeded", FAILURE_OVERLOAD},
	{NULL, ON_429 | ON_OK, "at capacity", FAILURE_OVERLOAD},

	{NULL, ON_4XX | ON_OK, "rate limit", FAILURE_RATE},
	{NULL, ON_4XX | ON_OK, "too many requests", FAILURE_RATE},
};
const size_t failure_messages_n = ARRAY_LEN(failure_messages);

const struct failure_row failure_kinds[] = {
	{NULL, ON_OK, "invalid_request*", FAILURE_CLIENT},
	{NULL, ON_OK, "invalid_argument", FAILURE_CLIENT},
	{NULL, ON_OK, "invalidparameter*", FAILURE_CLIENT},
	{NULL, ON_OK, "badrequesterror", FAILURE_CLIENT},
	{NULL, ON_OK, "failed_precondition", FAILURE_CLIENT},
	{NULL, ON_OK, "request_too_large", FAILURE_CLIENT},
	{NULL, ON_OK, "not_found*", FAILURE_CLIENT},
	{NULL, ON_OK, "model_not_found", FAILURE_CLIENT},
	{"minimax", ON_OK, "2013", FAILURE_CLIENT},
	{NULL, ON_OK, "permission_error", FAILURE_CREDENTIAL},
	{NULL, ON_OK, "permission_denied", FAILURE_CREDENTIAL},
};
const size_t failure_kinds_n = ARRAY_LEN(failure_kinds);
