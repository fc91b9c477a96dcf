#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "mock/mock_ask.h"
#include "wire/json.h"

static const struct {
	const char *target;
	enum mock_api api;
	const char *model;
	const char *reason;
} targets[] = {
	{"/v1/chat/completions", MOCK_CHAT, "", "OpenAI's path"},
	{"/v1/chat/completions/", MOCK_CHAT, "", "a slash behind it"},
	{"/v1/chat/completions?x=/models", MOCK_CHAT, "", "the query does not count"},
	{"/compatible-mode/v1/chat/completions", MOCK_CHAT, "", "qwen's"},
	{"/api/paas/v4/chat/completions", MOCK_CHAT, "", "zhipu's"},
	{"/v1/text/chatcompletion_v2", MOCK_CHAT, "", "minimax's"},
	{"/v1/completions", MOCK_COMPLETIONS, "", "text completions end alike"},
	{"/openai/v1/embeddings", MOCK_EMBEDDINGS, "", "a prefix"},
	{"/anthropic/v1/messages", MOCK_MESSAGES, "", "Anthropic's behind a prefix"},
	{"/v1/responses", MOCK_RESPONSES, "", ""},
	{"/v1/models", MOCK_MODELS, "", "the list"},
	{"/v1/models/gpt-4o", MOCK_MODEL, "gpt-4o", "one of the list"},
	{"/v1/models/openai/gpt-4o", MOCK_MODEL, "openai/gpt-4o", "a name with a slash"},
	{"/mock/requests?last=1", MOCK_REQUESTS, "", "the record"},
	{"/mock/state", MOCK_STATE, "", "the counters"},
	{"/mock/script", MOCK_SCRIPT, "", "the sequence"},
	{"/", MOCK_UNKNOWN, "", "nothing"},
	{"/v1/chat", MOCK_UNKNOWN, "", "half a path"},
	{"*", MOCK_UNKNOWN, "", "OPTIONS *"},
};

static void test_target(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct mock_ask ask = {.api = MOCK_UNKNOWN};

		mock_ask_target(&ask, bytes_str(targets[i].target));
		if (ask.api != targets[i].api || strcmp(ask.model, targets[i].model) != 0) {
			fail_msg("%s: %d '%s' (%s)", targets[i].target, (int)ask.api, ask.model,
				targets[i].reason);
		}
	}
}

static const struct {
	const char *body;
	const char *model, *said;
	bool stream, usage;
	unsigned n_input;
	const char *reason;
} bodies[] = {
	{"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi you\"}]}", "m",
		"hi you", false, false, 1, "the plain case"},
	{"{\"messages\":[{\"content\":\"a\"},{\"content\":\"b\"}],\"model\":\"m\"}", "m", "b",
		false, false, 1, "the last message, the model last"},
	{"{\"model\":\"m\\u002d1\",\"prompt\":\"a\\\"b\"}", "m-1", "a\"b", false, false, 1,
		"escapes"},
	{"{\"model\":\"m\",\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"t\"},"
	 "{\"type\":\"image_url\"}]}]}",
		"m", "t", false, false, 1, "text parts"},
	{"{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", "m", "",
		true, true, 1, "a stream with usage"},
	{"{\"model\":\"m\",\"stream\":\"true\"}", "m", "", false, false, 1, "no boolean"},
	{"{\"model\":7}", "", "", false, false, 1, "a model that is no string"},
	{"{\"input\":[\"a\",\"b\",\"c\"]}", "", "c", false, false, 3, "three inputs"},
	{"{\"input\":\"a\"}", "", "a", false, false, 1, "one input"},
	{"{\"input\":\"\"}", "", "", false, false, 1, "an input without a byte"},
	{"{\"input\":[{\"role\":\"user\",\"content\":\"x\"}]}", "", "x", false, false, 1,
		"responses with messages"},
	{"[]", "", "", false, false, 1, "no object asks for nothing"},
};

/* Splits the text over segments of 7 bytes. */
static int read_body(struct mock_ask *ask, const char *text, struct fault *f)
{
	struct json_query *query = mock_ask_query();
	struct segpool pool;
	struct chain c = {NULL, NULL, 0};
	size_t n = strlen(text);
	int rc;

	segpool_init(&pool, 64u << 20);
	for (size_t i = 0; i < n; i += 7) {
		struct seg *s = seg_take(&pool);

		s->end = (uint32_t)MIN(n - i, 7u);
		memcpy(s->data, text + i, s->end);
		chain_append(&c, s);
	}
	rc = mock_ask_body(ask, query, &c, f);
	chain_give(&pool, &c);
	segpool_done(&pool);
	json_query_free(query);
	return rc;
}

static void test_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct mock_ask ask = {.api = MOCK_CHAT};
		struct fault f = {0};

		if (read_body(&ask, bodies[i].body, &f) != 0) {
			fail_msg("%s: %s", bodies[i].reason, f.text);
		}
		if (strcmp(ask.model, bodies[i].model) != 0 ||
			strcmp(ask.said, bodies[i].said) != 0 || ask.stream != bodies[i].stream ||
			ask.include_usage != bodies[i].usage || ask.n_input != bodies[i].n_input) {
			fail_msg("%s: '%s' '%s'", bodies[i].reason, ask.model, ask.said);
		}
	}
}

static void test_no_json(void **state)
{
	static const char *const texts[] = {"", "{", "{\"a\":1,}", "nonsense"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct mock_ask ask = {.api = MOCK_CHAT};
		struct fault f = {0};

		assert_int_equal(read_body(&ask, texts[i], &f), ERR_SYNTAX);
		assert_int_equal(f.status, 400);
	}
}

/* What is repeated of a long message is cut between characters; of a very long one only the length. */
static void test_long(void **state)
{
	struct mock_ask ask = {.api = MOCK_CHAT};
	struct fault f = {0};
	char body[6000];
	size_t n;

	(void)state;
	n = (size_t)snprintf(body, sizeof(body), "{\"prompt\":\"");
	for (int i = 0; i < 150; i++) {
		n += (size_t)snprintf(body + n, sizeof(body) - n, "\xc3\xa9");
	}
	snprintf(body + n, sizeof(body) - n, "x\"}");
	assert_int_equal(read_body(&ask, body, &f), 0);
	assert_int_equal(strlen(ask.said), 203);
	assert_string_equal(ask.said + 198, "\xc3\xa9...");

	n = (size_t)snprintf(body, sizeof(body), "{\"prompt\":\"");
	memset(body + n, 'a', 5000);
	snprintf(body + n + 5000, sizeof(body) - n - 5000, "\"}");
	assert_int_equal(read_body(&ask, body, &f), 0);
	assert_string_equal(ask.said, "(5000 bytes)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_no_json),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("mock_ask", tests, NULL, NULL);
}
