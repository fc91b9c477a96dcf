/*
 * Which API a path means (data-plane.md §2).
 */
#ifndef PLAN_API_H
#define PLAN_API_H

#include "base/bytes.h"

/* In the order of data-plane.md §2; the names are those of the spec. */
enum api {
	API_NONE, /* not known: only host, credential and base path are touched */
	API_CHAT_COMPLETIONS,
	API_COMPLETIONS,
	API_EMBEDDINGS,
	API_AUDIO_SPEECH,
	API_AUDIO_TRANSCRIPTION,
	API_AUDIO_TRANSLATION,
	API_REALTIME,
	API_IMAGE_GENERATION,
	API_IMAGE_VARIATION,
	API_IMAGE_EDIT,
	API_BATCHES,
	API_FILES,
	API_MODELS,
	API_FINE_TUNING_JOBS,
	API_RESPONSES,
	API_VIDEOS,
	API_ANTHROPIC_MESSAGES,
	API_ANTHROPIC_COMPLETE,
	API_RERANK,      /* cohere/v1/rerank */
	API_QWEN_RERANK, /* qwen/v1/rerank */
	API_CONVERSATIONS,
	API_RETRIEVE_BATCH,
	API_CANCEL_BATCH,
	API_RETRIEVE_FILE,
	API_RETRIEVE_FILE_CONTENT,
	API_RETRIEVE_VIDEO,
	API_RETRIEVE_VIDEO_CONTENT,
	API_VIDEO_REMIX,
	API_RETRIEVE_FINE_TUNING_JOB,
	API_FINE_TUNING_JOB_EVENTS,
	API_FINE_TUNING_JOB_CHECKPOINTS,
	API_CANCEL_FINE_TUNING_JOB,
	API_RESUME_FINE_TUNING_JOB,
	API_PAUSE_FINE_TUNING_JOB,
	API_CHECKPOINT_PERMISSIONS,
	API_DELETE_CHECKPOINT_PERMISSION,
	API_GEMINI_GENERATE,
	API_GEMINI_STREAM,
	API_RETRIEVE_MODEL,
	API_MODERATIONS,
	API_COUNT_TOKENS,
	API_RETRIEVE_RESPONSE,
	API_CANCEL_RESPONSE,
	API_RESPONSE_INPUT_ITEMS,
	API_TOKENIZE,
	API_DETOKENIZE,
	API_COUNT
};

enum protocol { PROTOCOL_OPENAI, PROTOCOL_ANTHROPIC, PROTOCOL_GEMINI };

/* path without query; compared percent-decoded (%2F stays), one trailing slash tolerated. `suffix` is
 * set to the part of path (raw bytes) from which the API was recognised: "/v1/files/f1" of
 * "/team/v1/files/f1"; empty for API_NONE. */
enum api api_of_path(struct bytes path, struct bytes *suffix);
/* The values in a suffix that api_of_path gave ({file_id} …), raw, first one first; how many. */
#define API_VALUES_MAX 2u
size_t api_path_values(enum api a, struct bytes suffix, struct bytes *out, size_t max);
/* The client's protocol, which decides the shape of errors. */
enum protocol api_protocol(enum api a);
/* "openai/v1/chatcompletions"; "" for API_NONE. */
const char *api_name(enum api a);
/* API_NONE for a name that nobody knows. */
enum api api_of_name(struct bytes name);
/* Whether a JSON body of that API is gathered and scanned (data-plane.md §1.2 stage 4, §3.5). */
bool api_reads_body(enum api a);
/* Whether the answer carries token usage. */
bool api_has_usage(enum api a);

#endif
