#include "plan/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct path_row {
	const char *path;
	enum api api;
	const char *suffix, *reason;
};

static const struct path_row path_rows[] = {
	{"/v1/chat/completions", API_CHAT_COMPLETIONS, "/v1/chat/completions", "the plain path"},
	{"/team-a/v1/chat/completions", API_CHAT_COMPLETIONS, "/v1/chat/completions",
		"what stands in front does not matter"},
	{"/v1/chat/completions/", API_CHAT_COMPLETIONS, "/v1/chat/completions",
		"one trailing slash is tolerated"},
	{"/v1/chat/completions//", API_NONE, "", "two are not"},
	{"/v1/realtime/", API_REALTIME, "/v1/realtime", "G006: a slash behind realtime"},
	{"/chat/completions", API_NONE, "", "without v1 nothing is known"},
	{"/xv1/chat/completions", API_NONE, "", "v1 is a whole segment"},
	{"/v1/Chat/completions", API_NONE, "", "case counts"},
	{"/v1/completions", API_COMPLETIONS, "/v1/completions", "text completions"},
	{"/v1/%63hat/completions", API_CHAT_COMPLETIONS, "/v1/%63hat/completions",
		"escapes are read for the comparison"},
	{"/v1%2Fchat/completions", API_NONE, "", "an escaped slash is no border"},
	{"/v1/chat%2fcompletions", API_NONE, "", "in lower case neither"},
	{"/v1/files%", API_NONE, "", "a bad escape is itself"},
	{"/v1/models/%", API_RETRIEVE_MODEL, "/v1/models/%", "also where a value may stand"},
	{"/v1/files/f1", API_RETRIEVE_FILE, "/v1/files/f1", "a value"},
	{"/team/v1/files/f1", API_RETRIEVE_FILE, "/v1/files/f1", "the suffix begins at v1"},
	{"/v1/files/f%2F1/content", API_RETRIEVE_FILE_CONTENT, "/v1/files/f%2F1/content",
		"a value may hold an escaped slash"},
	{"/v1/files//content", API_NONE, "", "a value is not empty"},
	{"/v1/files/", API_FILES, "/v1/files", "a trailing slash is no empty value"},
	{"/v1/files/v1/models", API_MODELS, "/v1/models", "endings are tried before values"},
	{"/v1/batches/b1/cancel", API_CANCEL_BATCH, "/v1/batches/b1/cancel", "cancel"},
	{"/v1/videos/v1/content", API_RETRIEVE_VIDEO_CONTENT, "/v1/videos/v1/content",
		"a value that looks like a version"},
	{"/v1/videos/x/remix", API_VIDEO_REMIX, "/v1/videos/x/remix", "remix"},
	{"/v1/fine_tuning/jobs/j/events", API_FINE_TUNING_JOB_EVENTS,
		"/v1/fine_tuning/jobs/j/events", "events of a job"},
	{"/v1/fine_tuning/checkpoints/c/permissions/p", API_DELETE_CHECKPOINT_PERMISSION,
		"/v1/fine_tuning/checkpoints/c/permissions/p", "six segments, two values"},
	{"/v1/fine_tuning/jobs/j/dance", API_NONE, "", "no such call"},
	{"/v1beta/models/gemini-2.5:generateContent", API_GEMINI_GENERATE,
		"/v1beta/models/gemini-2.5:generateContent", "gemini, any version"},
	{"/p/v1/models/g:streamGenerateContent", API_GEMINI_STREAM,
		"/v1/models/g:streamGenerateContent", "gemini before the retrieval of a model"},
	{"/v1/models/:generateContent", API_RETRIEVE_MODEL, "/v1/models/:generateContent",
		"gemini needs a model"},
	{"/models/g:generateContent", API_NONE, "", "and a version"},
	{"/v1/models/gpt-4o", API_RETRIEVE_MODEL, "/v1/models/gpt-4o", "unknown to Higress"},
	{"/v1/models/a/b", API_NONE, "", "a value is one segment"},
	{"/v1/messages", API_ANTHROPIC_MESSAGES, "/v1/messages", "anthropic"},
	{"/v1/messages/count_tokens", API_COUNT_TOKENS, "/v1/messages/count_tokens",
		"unknown to Higress"},
	{"/v1/responses/r/input_items", API_RESPONSE_INPUT_ITEMS, "/v1/responses/r/input_items",
		"unknown to Higress"},
	{"/v1/rerank", API_RERANK, "/v1/rerank", "cohere's"},
	{"/rerank", API_RERANK, "/rerank", "the same, as vllm also spells it"},
	{"/v2/rerank", API_RERANK, "/v2/rerank", "and cohere's second version"},
	{"/v1/reranks", API_QWEN_RERANK, "/v1/reranks", "qwen's"},
	{"/x/tokenize", API_TOKENIZE, "/tokenize", "vllm"},
	{"/v1/unknown", API_NONE, "", "unknown"},
	{"/", API_NONE, "", "the root"},
	{"", API_NONE, "", "nothing at all"},
	{"*", API_NONE, "", "the target of OPTIONS"},
};

static void paths_are_recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
		const struct path_row *row = &path_rows[i];
		struct bytes suffix = {NULL, 99};
		enum api api = api_of_path(bytes_str(row->path), &suffix);

		if (api != row->api || !bytes_eq(suffix, bytes_str(row->suffix))) {
			fail_msg("%s: %s: got %d, " BYTES_FMT, row->path, row->reason, api,
				BYTES_ARG(suffix));
		}
		if (api != API_NONE) { /* the suffix is a part of the path */
			assert_ptr_equal(row->path + (suffix.p - row->path), suffix.p);
		}
	}
}

/* A path that is all slashes or one endless segment costs no more than its length. */
static void long_paths_are_nothing(void **state)
{
	static char slashes[32000], segment[32000];
	struct bytes suffix;

	(void)state;
	memset(slashes, '/', sizeof(slashes));
	memset(segment, 'x', sizeof(segment));
	segment[0] = '/';
	assert_int_equal(api_of_path(bytes_of(slashes, sizeof(slashes)), &suffix), API_NONE);
	assert_int_equal(api_of_path(bytes_of(segment, sizeof(segment)), &suffix), API_NONE);
}

static void values_come_in_their_order(void **state)
{
	struct bytes path = BYTES("/t/v1/fine_tuning/checkpoints/c%31/permissions/p1/");
	struct bytes suffix, values[API_VALUES_MAX];
	enum api api = api_of_path(path, &suffix);

	(void)state;
	assert_int_equal(api_path_values(api, suffix, values, API_VALUES_MAX), 2);
	assert_true(bytes_eq(values[0], BYTES("c%31")));
	assert_true(bytes_eq(values[1], BYTES("p1")));
	assert_int_equal(api_path_values(api, suffix, values, 1), 1);
	assert_int_equal(api_path_values(API_MODELS, BYTES("/v1/models"), values, 2), 0);
}

static void names_go_both_ways(void **state)
{
	(void)state;
	for (unsigned a = API_NONE + 1; a < API_COUNT; a++) {
		const char *name = api_name((enum api)a);

		assert_non_null(name);
		assert_int_not_equal(name[0], '\0');
		assert_int_equal(api_of_name(bytes_str(name)), a);
	}
	assert_string_equal(api_name(API_NONE), "");
	assert_int_equal(api_of_name(BYTES("")), API_NONE);
	assert_int_equal(api_of_name(BYTES("openai/v1/unheard")), API_NONE);
}

static void protocol_and_body_follow_the_api(void **state)
{
	(void)state;
	assert_int_equal(api_protocol(API_NONE), PROTOCOL_OPENAI);
	assert_int_equal(api_protocol(API_RERANK), PROTOCOL_OPENAI);
	assert_int_equal(api_protocol(API_COUNT_TOKENS), PROTOCOL_ANTHROPIC);
	assert_int_equal(api_protocol(API_GEMINI_STREAM), PROTOCOL_GEMINI);
	assert_true(api_reads_body(API_CHAT_COMPLETIONS));
	assert_true(api_has_usage(API_RESPONSES));
	assert_false(api_reads_body(API_NONE));
	assert_false(api_reads_body(API_FILES)); /* uploads are as large as they like */
	assert_false(api_has_usage(API_MODELS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_recognised),
		cmocka_unit_test(long_paths_are_nothing),
		cmocka_unit_test(values_come_in_their_order),
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(protocol_and_body_follow_the_api),
	};

	return cmocka_run_group_tests_name("plan/api", tests, NULL, NULL);
}
