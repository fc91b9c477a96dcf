#include "ai/providers.h"

#define COMMON TWEAK_STREAM_USAGE
#define OLD (TWEAK_STREAM_USAGE | TWEAK_DEVELOPER_TO_SYSTEM)

#define CAPS(table) .caps = (table), .n_caps = ARRAY_LEN(table)
#define KEYS(table) .keys = (table), .n_keys = ARRAY_LEN(table)
#define DIRECT(table) .direct = (table), .n_direct = ARRAY_LEN(table)

/* --- openai ------------------------------------------------------------------------------------- */

static const struct capability openai_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_COMPLETIONS, "/v1/completions"},
	{API_EMBEDDINGS, "/v1/embeddings"},
	{API_AUDIO_SPEECH, "/v1/audio/speech"},
	{API_AUDIO_TRANSCRIPTION, "/v1/audio/transcriptions"},
	{API_AUDIO_TRANSLATION, "/v1/audio/translations"},
	{API_REALTIME, "/v1/realtime"},
	{API_IMAGE_GENERATION, "/v1/images/generations"},
	{API_IMAGE_VARIATION, "/v1/images/variations"},
	{API_IMAGE_EDIT, "/v1/images/edits"},
	{API_BATCHES, "/v1/batches"},
	{API_RETRIEVE_BATCH, "/v1/batches/{batch_id}"},
	{API_CANCEL_BATCH, "/v1/batches/{batch_id}/cancel"},
	{API_FILES, "/v1/files"},
	{API_RETRIEVE_FILE, "/v1/files/{file_id}"},
	{API_RETRIEVE_FILE_CONTENT, "/v1/files/{file_id}/content"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
	{API_MODERATIONS, "/v1/moderations"},
	{API_RESPONSES, "/v1/responses"},
	{API_RETRIEVE_RESPONSE, "/v1/responses/{response_id}"},
	{API_CANCEL_RESPONSE, "/v1/responses/{response_id}/cancel"},
	{API_RESPONSE_INPUT_ITEMS, "/v1/responses/{response_id}/input_items"},
	{API_VIDEOS, "/v1/videos"},
	{API_RETRIEVE_VIDEO, "/v1/videos/{video_id}"},
	{API_RETRIEVE_VIDEO_CONTENT, "/v1/videos/{video_id}/content"},
	{API_VIDEO_REMIX, "/v1/videos/{video_id}/remix"},
	{API_FINE_TUNING_JOBS, "/v1/fine_tuning/jobs"},
	{API_RETRIEVE_FINE_TUNING_JOB, "/v1/fine_tuning/jobs/{fine_tuning_job_id}"},
	{API_FINE_TUNING_JOB_EVENTS, "/v1/fine_tuning/jobs/{fine_tuning_job_id}/events"},
	{API_FINE_TUNING_JOB_CHECKPOINTS, "/v1/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints"},
	{API_CANCEL_FINE_TUNING_JOB, "/v1/fine_tuning/jobs/{fine_tuning_job_id}/cancel"},
	{API_RESUME_FINE_TUNING_JOB, "/v1/fine_tuning/jobs/{fine_tuning_job_id}/resume"},
	{API_PAUSE_FINE_TUNING_JOB, "/v1/fine_tuning/jobs/{fine_tuning_job_id}/pause"},
	{API_CHECKPOINT_PERMISSIONS, "/v1/fine_tuning/checkpoints/{checkpoint}/permissions"},
	{API_DELETE_CHECKPOINT_PERMISSION,
		"/v1/fine_tuning/checkpoints/{checkpoint}/permissions/{permission_id}"},
};

/* Longer endings first. A URL of fine-tuning checkpoints stands for no call by itself. */
static const struct capability openai_direct[] = {
	{API_CHAT_COMPLETIONS, "/chat/completions"},
	{API_COMPLETIONS, "/completions"},
	{API_EMBEDDINGS, "/embeddings"},
	{API_AUDIO_SPEECH, "/audio/speech"},
	{API_AUDIO_TRANSCRIPTION, "/audio/transcriptions"},
	{API_AUDIO_TRANSLATION, "/audio/translations"},
	{API_IMAGE_GENERATION, "/images/generations"},
	{API_IMAGE_VARIATION, "/images/variations"},
	{API_IMAGE_EDIT, "/images/edits"},
	{API_MODELS, "/models"},
	{API_RESPONSES, "/responses"},
	{API_FINE_TUNING_JOBS, "/fine_tuning/jobs"},
	{API_NONE, "/fine_tuning/checkpoints"},
	{API_REALTIME, "/realtime"},
	{API_VIDEOS, "/videos"},
};

static const struct provider_key openai_keys[] = {
	{.name = "openaiCustomUrl", .type = KEY_URL},
	{.name = "responseJsonSchema", .type = KEY_ANY},
};

/* --- vllm --------------------------------------------------------------------------------------- */

static const struct capability vllm_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_COMPLETIONS, "/v1/completions"},
	{API_EMBEDDINGS, "/v1/embeddings"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
	{API_RERANK, "/v1/rerank"},
	{API_TOKENIZE, "/tokenize"},
	{API_DETOKENIZE, "/detokenize"},
};

static const struct capability vllm_direct[] = {
	{API_CHAT_COMPLETIONS, "/chat/completions"},
	{API_COMPLETIONS, "/completions"},
	{API_RERANK, "/rerank"},
};

static const struct provider_key vllm_keys[] = {
	{.name = "vllmCustomUrl", .type = KEY_URL},
	{.name = "vllmServerHost", .type = KEY_STRING},
};

/* --- qwen --------------------------------------------------------------------------------------- */

static const struct capability qwen_caps[] = {
	{API_CHAT_COMPLETIONS, "/compatible-mode/v1/chat/completions"},
	{API_COMPLETIONS, "/compatible-mode/v1/completions"},
	{API_EMBEDDINGS, "/compatible-mode/v1/embeddings"},
	{API_RESPONSES, "/compatible-mode/v1/responses"},
	{API_FILES, "/compatible-mode/v1/files"},
	{API_RETRIEVE_FILE, "/compatible-mode/v1/files/{file_id}"},
	{API_RETRIEVE_FILE_CONTENT, "/compatible-mode/v1/files/{file_id}/content"},
	{API_BATCHES, "/compatible-mode/v1/batches"},
	{API_RETRIEVE_BATCH, "/compatible-mode/v1/batches/{batch_id}"},
	{API_CONVERSATIONS, "/compatible-mode/v1/conversations"},
	{API_QWEN_RERANK, "/compatible-api/v1/reranks"},
	{API_ANTHROPIC_MESSAGES, "/apps/anthropic/v1/messages"},
};

static const struct provider_key qwen_keys[] = {
	{.name = "qwenDomain", .type = KEY_STRING},
	{.name = "qwenEnableCompatible", .type = KEY_BOOL, .only = "true"},
	{.name = "qwenEnableSearch", .type = KEY_BOOL},
	{.name = "qwenFileIds", .type = KEY_STRING_LIST},
};

/* --- zhipuai ------------------------------------------------------------------------------------ */

static const struct capability zhipuai_caps[] = {
	{API_CHAT_COMPLETIONS, "/api/paas/v4/chat/completions"},
	{API_EMBEDDINGS, "/api/paas/v4/embeddings"},
};

static const struct capability zhipuai_coding_caps[] = {
	{API_CHAT_COMPLETIONS, "/api/coding/paas/v4/chat/completions"},
	{API_EMBEDDINGS, "/api/paas/v4/embeddings"},
};

static const struct provider_key zhipuai_keys[] = {
	{.name = "zhipuDomain", .type = KEY_STRING},
	{.name = "zhipuCodePlanMode", .type = KEY_BOOL},
};

/* --- one table each ----------------------------------------------------------------------------- */

static const struct capability chat[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
};

static const struct capability chat_embeddings[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_EMBEDDINGS, "/v1/embeddings"},
};

static const struct capability baidu_caps[] = {
	{API_CHAT_COMPLETIONS, "/v2/chat/completions"},
	{API_EMBEDDINGS, "/v2/embeddings"},
};

static const struct capability deepseek_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
	{API_ANTHROPIC_MESSAGES, "/anthropic/v1/messages"},
};

static const struct capability github_caps[] = {
	{API_CHAT_COMPLETIONS, "/chat/completions"},
	{API_EMBEDDINGS, "/embeddings"},
};

static const struct capability groq_caps[] = {
	{API_CHAT_COMPLETIONS, "/openai/v1/chat/completions"},
	{API_RESPONSES, "/openai/v1/responses"},
};

static const struct capability minimax_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/text/chatcompletion_v2"},
};

static const struct provider_key minimax_keys[] = {
	{.name = "minimaxApiType", .type = KEY_STRING, .only = "v2"},
	{.name = "minimaxGroupId", .type = KEY_STRING},
};

static const struct capability moonshot_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
};

static const struct provider_key moonshot_keys[] = {
	{.name = "moonshotFileId", .type = KEY_STRING},
};

static const struct capability ollama_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_COMPLETIONS, "/v1/completions"},
	{API_EMBEDDINGS, "/v1/embeddings"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
	{API_RESPONSES, "/v1/responses"},
	{API_ANTHROPIC_MESSAGES, "/v1/messages"},
};

static const struct provider_key ollama_keys[] = {
	{.name = "ollamaServerHost", .type = KEY_STRING, .required = true},
	{.name = "ollamaServerPort", .type = KEY_PORT, .required = true},
};

static const struct provider_key azure_keys[] = {
	{.name = "azureServiceUrl", .type = KEY_URL, .required = true},
};

static const struct capability claude_caps[] = {
	{API_ANTHROPIC_MESSAGES, "/v1/messages"},
	{API_ANTHROPIC_COMPLETE, "/v1/complete"},
	{API_COUNT_TOKENS, "/v1/messages/count_tokens"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
};

static const struct provider_key claude_keys[] = {
	{.name = "claudeVersion", .type = KEY_STRING},
	{.name = "apiVersion", .type = KEY_STRING},
	{.name = "claudeCodeMode", .type = KEY_BOOL, .only = "false"},
};

static const struct capability cloudflare_caps[] = {
	{API_CHAT_COMPLETIONS, "/client/v4/accounts/{cloudflareAccountId}/ai/v1/chat/completions"},
	{API_EMBEDDINGS, "/client/v4/accounts/{cloudflareAccountId}/ai/v1/embeddings"},
};

static const struct provider_key cloudflare_keys[] = {
	{.name = "cloudflareAccountId", .type = KEY_STRING, .required = true, .in_path = true},
};

static const struct capability cohere_caps[] = {
	{API_CHAT_COMPLETIONS, "/compatibility/v1/chat/completions"},
	{API_EMBEDDINGS, "/compatibility/v1/embeddings"},
	{API_RERANK, "/v1/rerank"},
};

static const struct provider_key cohere_keys[] = {
	{.name = "cohereLegacyChat", .type = KEY_BOOL, .only = "false"},
};

static const struct capability doubao_caps[] = {
	{API_CHAT_COMPLETIONS, "/api/v3/chat/completions"},
	{API_EMBEDDINGS, "/api/v3/embeddings"},
	{API_IMAGE_GENERATION, "/api/v3/images/generations"},
	{API_RESPONSES, "/api/v3/responses"},
};

static const struct provider_key doubao_keys[] = {
	{.name = "doubaoDomain", .type = KEY_STRING},
};

static const struct capability fireworks_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_COMPLETIONS, "/v1/completions"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
};

/* Clients of Gemini's protocol; a model stands in the path, which goes on as it came. */
static const struct capability gemini_caps[] = {
	{API_GEMINI_GENERATE, CAPABILITY_SUFFIX},
	{API_GEMINI_STREAM, CAPABILITY_SUFFIX},
};

static const struct provider_key gemini_keys[] = {
	{.name = "apiVersion", .type = KEY_STRING},
	{.name = "geminiSafetySetting", .type = KEY_ANY},
	{.name = "geminiThinkingBudget", .type = KEY_ANY},
};

static const struct provider_key generic_keys[] = {
	{.name = "genericHost", .type = KEY_STRING},
};

static const struct provider_key hunyuan_keys[] = {
	{.name = "hunyuanAuthId", .type = KEY_STRING, .untranslated = true},
	{.name = "hunyuanAuthKey", .type = KEY_STRING, .untranslated = true},
};

static const struct capability longcat_caps[] = {
	{API_CHAT_COMPLETIONS, "/v1/chat/completions"},
	{API_EMBEDDINGS, "/v1/embeddings"},
	{API_MODELS, "/v1/models"},
	{API_RETRIEVE_MODEL, "/v1/models/{model}"},
};

static const struct provider_key longcat_keys[] = {
	{.name = "responseJsonSchema", .type = KEY_ANY},
};

static const struct capability openrouter_caps[] = {
	{API_CHAT_COMPLETIONS, "/api/v1/chat/completions"},
	{API_COMPLETIONS, "/api/v1/completions"},
};

/* --- the types ---------------------------------------------------------------------------------- */

/* A vendor with a host of its own that wants a token. */
#define VENDOR(name_, host_, auth_, tweaks_, caps_)                                        \
	.name = (name_), .default_host = (host_), .auth = (auth_), .token_required = true, \
	.tweaks = (tweaks_), CAPS(caps_)

static const struct provider_type types[] = {
	{VENDOR("ai360", "api.360.cn", AUTH_RAW, OLD, chat_embeddings)},
	{.name = "azure",
		.auth = AUTH_API_KEY,
		.token_required = true,
		.custom_url = true,
		.custom_url_key = "azureServiceUrl",
		.azure = true,
		.unsupported_passes = true,
		.tweaks = COMMON,
		CAPS(openai_caps),
		KEYS(azure_keys)},
	{VENDOR("baichuan", "api.baichuan-ai.com", AUTH_BEARER, OLD, chat_embeddings)},
	{VENDOR("baidu", "qianfan.baidubce.com", AUTH_BEARER, OLD, baidu_caps)},
	{VENDOR("claude", "api.anthropic.com", AUTH_X_API_KEY, 0, claude_caps), KEYS(claude_keys),
		.anthropic_version = "2023-06-01"},
	{VENDOR("cloudflare", "api.cloudflare.com", AUTH_BEARER, OLD, cloudflare_caps),
		KEYS(cloudflare_keys)},
	{VENDOR("cohere", "api.cohere.com", AUTH_BEARER, OLD, cohere_caps), KEYS(cohere_keys)},
	{.name = "coze",
		.default_host = "api.coze.cn",
		.auth = AUTH_BEARER,
		.token_required = true,
		.unsupported_passes = true,
		.keeps_body = true},
	{VENDOR("deepseek", "api.deepseek.com", AUTH_BEARER, OLD, deepseek_caps)},
	{VENDOR("doubao", "ark.cn-beijing.volces.com", AUTH_BEARER,
		 OLD | TWEAK_NO_WATERMARK | TWEAK_NO_TOOL_SWITCHES, doubao_caps),
		.host_key = "doubaoDomain", KEYS(doubao_keys)},
	{VENDOR("fireworks", "api.fireworks.ai", AUTH_BEARER, OLD, fireworks_caps)},
	{VENDOR("gemini", "generativelanguage.googleapis.com", AUTH_X_GOOG_API_KEY, 0, gemini_caps),
		KEYS(gemini_keys)},
	{.name = "generic",
		.host_key = "genericHost",
		.auth = AUTH_BEARER,
		.unsupported_passes = true,
		.keeps_body = true,
		KEYS(generic_keys)},
	{VENDOR("github", "models.inference.ai.azure.com", AUTH_RAW, OLD, github_caps)},
	{VENDOR("grok", "api.x.ai", AUTH_BEARER, OLD, chat)},
	{VENDOR("groq", "api.groq.com", AUTH_BEARER, COMMON, groq_caps)},
	{.name = "hunyuan",
		.default_host = "api.hunyuan.cloud.tencent.com",
		.auth = AUTH_BEARER,
		.tweaks = OLD,
		CAPS(chat_embeddings),
		KEYS(hunyuan_keys)},
	{VENDOR("longcat", "api.longcat.chat", AUTH_BEARER, OLD, longcat_caps), KEYS(longcat_keys)},
	{VENDOR("minimax", "api.minimax.chat", AUTH_BEARER, OLD, minimax_caps), KEYS(minimax_keys)},
	{VENDOR("mistral", "api.mistral.ai", AUTH_BEARER, OLD, chat_embeddings)},
	{VENDOR("moonshot", "api.moonshot.cn", AUTH_BEARER, OLD | TWEAK_MOONSHOT_USAGE,
		 moonshot_caps),
		KEYS(moonshot_keys)},
	{.name = "ollama",
		.host_key = "ollamaServerHost",
		.auth = AUTH_BEARER,
		.unsupported_passes = true,
		.tweaks = OLD,
		CAPS(ollama_caps),
		KEYS(ollama_keys)},
	{.name = "openai",
		.default_host = "api.openai.com",
		.auth = AUTH_BEARER,
		.custom_url = true,
		.custom_url_key = "openaiCustomUrl",
		.unsupported_passes = true,
		.tweaks = COMMON,
		CAPS(openai_caps),
		KEYS(openai_keys),
		DIRECT(openai_direct)},
	{VENDOR("openrouter", "openrouter.ai", AUTH_BEARER, COMMON | TWEAK_OPENROUTER_REASONING,
		openrouter_caps)},
	{VENDOR("qwen", "dashscope.aliyuncs.com", AUTH_BEARER, OLD, qwen_caps),
		.host_key = "qwenDomain", KEYS(qwen_keys)},
	{.name = "spark",
		.default_host = "spark-api-open.xf-yun.com",
		.auth = AUTH_BEARER,
		.tweaks = OLD,
		CAPS(chat)},
	{VENDOR("stepfun", "api.stepfun.com", AUTH_BEARER, OLD, chat)},
	{VENDOR("together-ai", "api.together.xyz", AUTH_BEARER, OLD, chat)},
	{.name = "vllm",
		.default_host = "vllm-service.cluster.local",
		.host_key = "vllmServerHost",
		.auth = AUTH_BEARER,
		.custom_url = true,
		.custom_url_key = "vllmCustomUrl",
		.tweaks = OLD,
		CAPS(vllm_caps),
		KEYS(vllm_keys),
		DIRECT(vllm_direct)},
	{VENDOR("yi", "api.lingyiwanwu.com", AUTH_BEARER, OLD, chat)},
	{.name = "bedrock", .untranslated = true},
	{.name = "deepl", .untranslated = true},
	{.name = "dify", .untranslated = true},
	{.name = "triton", .untranslated = true},
	{.name = "vertex", .untranslated = true},
	{VENDOR("zhipuai", "open.bigmodel.cn", AUTH_BEARER, OLD | TWEAK_ZHIPU_THINKING,
		 zhipuai_caps),
		.host_key = "zhipuDomain", KEYS(zhipuai_keys), .alt_key = "zhipuCodePlanMode",
		.caps_alt = zhipuai_coding_caps, .n_caps_alt = ARRAY_LEN(zhipuai_coding_caps)},
};

const struct provider_types provider_types = {types, ARRAY_LEN(types)};
