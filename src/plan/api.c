#include "plan/api.h"

#include "base/num.h"

/*
 * One row per API and spelling. Segments are written from the last to the first, because whatever
 * stands before them is of no interest; "{}" is a value. The order is that of data-plane.md §2: all
 * fixed endings before all patterns, so that a value never hides an ending.
 */
#define SEGMENTS_MAX 6u

struct pattern {
	enum api api;
	const char *segments[SEGMENTS_MAX];
};

static const char VALUE[] = "{}";

static const struct pattern patterns[] = {
	{API_CHAT_COMPLETIONS, {"completions", "chat", "v1"}},
	{API_COMPLETIONS, {"completions", "v1"}},
	{API_EMBEDDINGS, {"embeddings", "v1"}},
	{API_AUDIO_SPEECH, {"speech", "audio", "v1"}},
	{API_AUDIO_TRANSCRIPTION, {"transcriptions", "audio", "v1"}},
	{API_AUDIO_TRANSLATION, {"translations", "audio", "v1"}},
	{API_REALTIME, {"realtime", "v1"}},
	{API_IMAGE_GENERATION, {"generations", "images", "v1"}},
	{API_IMAGE_VARIATION, {"variations", "images", "v1"}},
	{API_IMAGE_EDIT, {"edits", "images", "v1"}},
	{API_BATCHES, {"batches", "v1"}},
	{API_FILES, {"files", "v1"}},
	{API_MODELS, {"models", "v1"}},
	{API_FINE_TUNING_JOBS, {"jobs", "fine_tuning", "v1"}},
	{API_RESPONSES, {"responses", "v1"}},
	{API_VIDEOS, {"videos", "v1"}},
	{API_ANTHROPIC_MESSAGES, {"messages", "v1"}},
	{API_ANTHROPIC_COMPLETE, {"complete", "v1"}},
	{API_RERANK, {"rerank", "v1"}},
	{API_QWEN_RERANK, {"reranks", "v1"}},
	{API_CONVERSATIONS, {"conversations", "v1"}},
	{API_RETRIEVE_BATCH, {VALUE, "batches", "v1"}},
	{API_CANCEL_BATCH, {"cancel", VALUE, "batches", "v1"}},
	{API_RETRIEVE_FILE, {VALUE, "files", "v1"}},
	{API_RETRIEVE_FILE_CONTENT, {"content", VALUE, "files", "v1"}},
	{API_RETRIEVE_VIDEO, {VALUE, "videos", "v1"}},
	{API_RETRIEVE_VIDEO_CONTENT, {"content", VALUE, "videos", "v1"}},
	{API_VIDEO_REMIX, {"remix", VALUE, "videos", "v1"}},
	{API_RETRIEVE_FINE_TUNING_JOB, {VALUE, "jobs", "fine_tuning", "v1"}},
	{API_FINE_TUNING_JOB_EVENTS, {"events", VALUE, "jobs", "fine_tuning", "v1"}},
	{API_FINE_TUNING_JOB_CHECKPOINTS, {"checkpoints", VALUE, "jobs", "fine_tuning", "v1"}},
	{API_CANCEL_FINE_TUNING_JOB, {"cancel", VALUE, "jobs", "fine_tuning", "v1"}},
	{API_RESUME_FINE_TUNING_JOB, {"resume", VALUE, "jobs", "fine_tuning", "v1"}},
	{API_PAUSE_FINE_TUNING_JOB, {"pause", VALUE, "jobs", "fine_tuning", "v1"}},
	{API_CHECKPOINT_PERMISSIONS, {"permissions", VALUE, "checkpoints", "fine_tuning", "v1"}},
	{API_DELETE_CHECKPOINT_PERMISSION,
		{VALUE, "permissions", VALUE, "checkpoints", "fine_tuning", "v1"}},
	/* The last segment of these two is looked into by is_gemini_call. */
	{API_GEMINI_GENERATE, {":generateContent", "models", VALUE}},
	{API_GEMINI_STREAM, {":streamGenerateContent", "models", VALUE}},
	{API_RETRIEVE_MODEL, {VALUE, "models", "v1"}},
	{API_MODERATIONS, {"moderations", "v1"}},
	{API_COUNT_TOKENS, {"count_tokens", "messages", "v1"}},
	{API_RETRIEVE_RESPONSE, {VALUE, "responses", "v1"}},
	{API_CANCEL_RESPONSE, {"cancel", VALUE, "responses", "v1"}},
	{API_RESPONSE_INPUT_ITEMS, {"input_items", VALUE, "responses", "v1"}},
	{API_RERANK, {"rerank", "v2"}},
	{API_RERANK, {"rerank"}},
	{API_TOKENIZE, {"tokenize"}},
	{API_DETOKENIZE, {"detokenize"}},
};

enum { READS_BODY = 1, HAS_USAGE = 2 };

/* What is known of each API beside its path. A body is read where a JSON request of a known shape can
 * stand: not for GET and DELETE, uploads of files, and calls without a body. */
static const struct facts {
	const char *name;
	unsigned flags;
	enum protocol protocol;
} facts[API_COUNT] = {
	[API_NONE] = {"", 0, PROTOCOL_OPENAI},
	[API_CHAT_COMPLETIONS] = {"openai/v1/chatcompletions", READS_BODY | HAS_USAGE, 0},
	[API_COMPLETIONS] = {"openai/v1/completions", READS_BODY | HAS_USAGE, 0},
	[API_EMBEDDINGS] = {"openai/v1/embeddings", READS_BODY | HAS_USAGE, 0},
	[API_AUDIO_SPEECH] = {"openai/v1/audiospeech", READS_BODY, 0},
	[API_AUDIO_TRANSCRIPTION] = {"openai/v1/audiotranscription", READS_BODY | HAS_USAGE, 0},
	[API_AUDIO_TRANSLATION] = {"openai/v1/audiotranslation", READS_BODY, 0},
	[API_REALTIME] = {"openai/v1/realtime", 0, 0},
	[API_IMAGE_GENERATION] = {"openai/v1/imagegeneration", READS_BODY | HAS_USAGE, 0},
	[API_IMAGE_VARIATION] = {"openai/v1/imagevariation", READS_BODY, 0},
	[API_IMAGE_EDIT] = {"openai/v1/imageedit", READS_BODY | HAS_USAGE, 0},
	[API_BATCHES] = {"openai/v1/batches", READS_BODY, 0},
	[API_FILES] = {"openai/v1/files", 0, 0},
	[API_MODELS] = {"openai/v1/models", 0, 0},
	[API_FINE_TUNING_JOBS] = {"openai/v1/fine-tuningjobs", READS_BODY, 0},
	[API_RESPONSES] = {"openai/v1/responses", READS_BODY | HAS_USAGE, 0},
	[API_VIDEOS] = {"openai/v1/videos", READS_BODY, 0},
	[API_ANTHROPIC_MESSAGES] = {"anthropic/v1/messages", READS_BODY | HAS_USAGE,
		PROTOCOL_ANTHROPIC},
	[API_ANTHROPIC_COMPLETE] = {"anthropic/v1/complete", READS_BODY, PROTOCOL_ANTHROPIC},
	[API_RERANK] = {"cohere/v1/rerank", READS_BODY | HAS_USAGE, 0},
	[API_QWEN_RERANK] = {"qwen/v1/rerank", READS_BODY | HAS_USAGE, 0},
	[API_CONVERSATIONS] = {"qwen/v1/conversations", READS_BODY, 0},
	[API_RETRIEVE_BATCH] = {"openai/v1/retrievebatch", 0, 0},
	[API_CANCEL_BATCH] = {"openai/v1/cancelbatch", 0, 0},
	[API_RETRIEVE_FILE] = {"openai/v1/retrievefile", 0, 0},
	[API_RETRIEVE_FILE_CONTENT] = {"openai/v1/retrievefilecontent", 0, 0},
	[API_RETRIEVE_VIDEO] = {"openai/v1/retrievevideo", 0, 0},
	[API_RETRIEVE_VIDEO_CONTENT] = {"openai/v1/retrievevideocontent", 0, 0},
	[API_VIDEO_REMIX] = {"openai/v1/videoremix", READS_BODY, 0},
	[API_RETRIEVE_FINE_TUNING_JOB] = {"openai/v1/retrievefine-tuningjob", 0, 0},
	[API_FINE_TUNING_JOB_EVENTS] = {"openai/v1/fine-tuningjobsevents", 0, 0},
	[API_FINE_TUNING_JOB_CHECKPOINTS] = {"openai/v1/fine-tuningjobcheckpoints", 0, 0},
	[API_CANCEL_FINE_TUNING_JOB] = {"openai/v1/cancelfine-tuningjob", 0, 0},
	[API_RESUME_FINE_TUNING_JOB] = {"openai/v1/resumefine-tuningjob", 0, 0},
	[API_PAUSE_FINE_TUNING_JOB] = {"openai/v1/pausefine-tuningjob", 0, 0},
	[API_CHECKPOINT_PERMISSIONS] = {"openai/v1/fine-tuningjobcheckpointpermissions", 0, 0},
	[API_DELETE_CHECKPOINT_PERMISSION] = {"openai/v1/deletefine-tuningjobcheckpointpermission",
		0, 0},
	[API_GEMINI_GENERATE] = {"gemini/v1beta/generatecontent", READS_BODY | HAS_USAGE,
		PROTOCOL_GEMINI},
	[API_GEMINI_STREAM] = {"gemini/v1beta/streamgeneratecontent", READS_BODY | HAS_USAGE,
		PROTOCOL_GEMINI},
	[API_RETRIEVE_MODEL] = {"openai/v1/retrievemodel", 0, 0},
	[API_MODERATIONS] = {"openai/v1/moderations", READS_BODY, 0},
	[API_COUNT_TOKENS] = {"anthropic/v1/counttokens", READS_BODY, PROTOCOL_ANTHROPIC},
	[API_RETRIEVE_RESPONSE] = {"openai/v1/retrieveresponse", 0, 0},
	[API_CANCEL_RESPONSE] = {"openai/v1/cancelresponse", 0, 0},
	[API_RESPONSE_INPUT_ITEMS] = {"openai/v1/responseinputitems", 0, 0},
	[API_TOKENIZE] = {"vllm/tokenize", READS_BODY, 0},
	[API_DETOKENIZE] = {"vllm/detokenize", READS_BODY, 0},
};

/* The next character of a percent-encoded segment; what is no escape stays as it is. Segments are cut
 * before, so that %2F is a character like others. */
static char next_char(const struct bytes *s, size_t *at)
{
	char c = s->p[(*at)++];
	uint64_t v;

	if (c == '%' && s->n - *at >= 2 && num_parse_hex(bytes_of(s->p + *at, 2), 255, &v)) {
		*at += 2;
		return (char)v;
	}
	return c;
}

/* Whether the decoded text begins with `word`; *at is then behind it. */
static bool decoded_starts(struct bytes raw, size_t *at, const char *word)
{
	while (*word != '\0') {
		if (*at == raw.n || next_char(&raw, at) != *word++) {
			return false;
		}
	}
	return true;
}

static bool decoded_is(struct bytes raw, const char *word)
{
	size_t at = 0;

	return decoded_starts(raw, &at, word) && at == raw.n;
}

/* "{model}:generateContent…": something, the first colon, the call (a beginning is enough). */
static bool is_gemini_call(struct bytes raw, const char *call)
{
	size_t at = 0;

	while (at < raw.n) {
		size_t before = at;

		if (next_char(&raw, &at) == ':') {
			return before > 0 && decoded_starts(raw, &before, call);
		}
	}
	return false;
}

static bool segment_is(struct bytes raw, const char *wanted)
{
	if (wanted == VALUE) {
		return raw.n > 0;
	}
	return wanted[0] == ':' ? is_gemini_call(raw, wanted) : decoded_is(raw, wanted);
}

struct tail { /* the last segments of a path, the last one first */
	struct bytes segments[SEGMENTS_MAX];
	size_t n;
	size_t end; /* of the path without its trailing slash */
};

static void tail_of(struct bytes path, struct tail *out)
{
	size_t end = path.n;

	if (end > 1 && path.p[end - 1] == '/') {
		end--;
	}
	out->end = end;
	out->n = 0;
	while (out->n < SEGMENTS_MAX) {
		size_t beg = end;

		while (beg > 0 && path.p[beg - 1] != '/') {
			beg--;
		}
		if (beg == 0) {
			return;
		}
		out->segments[out->n++] = bytes_of(path.p + beg, end - beg);
		end = beg - 1;
	}
}

static bool tail_matches(const struct tail *t, const struct pattern *p)
{
	for (size_t i = 0; i < SEGMENTS_MAX && p->segments[i] != NULL; i++) {
		if (i == t->n || !segment_is(t->segments[i], p->segments[i])) {
			return false;
		}
	}
	return true;
}

static size_t pattern_length(const struct pattern *p)
{
	size_t n = 0;

	while (n < SEGMENTS_MAX && p->segments[n] != NULL) {
		n++;
	}
	return n;
}

enum api api_of_path(struct bytes path, struct bytes *suffix)
{
	const struct bytes chat = BYTES("/v1/chat/completions");
	struct tail t;

	if (bytes_ends(path, chat)) { /* the first row, which nearly all ask for */
		*suffix = bytes_of(path.p + path.n - chat.n, chat.n);
		return API_CHAT_COMPLETIONS;
	}
	tail_of(path, &t);
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		if (tail_matches(&t, &patterns[i])) {
			const char *beg = t.segments[pattern_length(&patterns[i]) - 1].p - 1;

			*suffix = bytes_of(beg, (size_t)(path.p + t.end - beg));
			return patterns[i].api;
		}
	}
	*suffix = bytes_of(path.p + path.n, 0);
	return API_NONE;
}

size_t api_path_values(enum api a, struct bytes suffix, struct bytes *out, size_t max)
{
	struct tail t;
	size_t n = 0;

	tail_of(suffix, &t);
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		const struct pattern *p = &patterns[i];

		if (p->api != a || !tail_matches(&t, p)) {
			continue;
		}
		for (size_t s = pattern_length(p); s-- > 0 && n < max;) {
			if (p->segments[s] == VALUE) {
				out[n++] = t.segments[s];
			}
		}
		break;
	}
	return n;
}

enum protocol api_protocol(enum api a)
{
	return facts[a].protocol;
}

const char *api_name(enum api a)
{
	return facts[a].name;
}

enum api api_of_name(struct bytes name)
{
	for (unsigned a = API_NONE + 1; a < API_COUNT; a++) {
		if (bytes_eq(name, bytes_str(facts[a].name))) {
			return (enum api)a;
		}
	}
	return API_NONE;
}

bool api_reads_body(enum api a)
{
	return (facts[a].flags & READS_BODY) != 0;
}

bool api_has_usage(enum api a)
{
	return (facts[a].flags & HAS_USAGE) != 0;
}
