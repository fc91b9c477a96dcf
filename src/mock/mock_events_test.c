/*
 * A stream is told as a line of letters, one per event: r role or start, c content, f finish, u usage,
 * D [DONE], E error, m malformed, a any other; then how it ends: "." cleanly, "~" stalls, "!" is cut.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "mock/mock_events.h"

static void make_reply(struct mock_reply *r, enum mock_api api, const char *model, bool usage)
{
	struct fault f = {0};

	*r = (struct mock_reply){.seq = 7, .created = 1700000000};
	r->ask.api = api;
	r->ask.stream = true;
	r->ask.include_usage = usage;
	snprintf(r->ask.model, sizeof(r->ask.model), "%s", model);
	snprintf(r->ask.said, sizeof(r->ask.said), "a b");
	r->ask.said_words = 2;
	if (mock_script_parse(bytes_str(model), &r->script, &f) != 0) {
		fail_msg("%s: %s", model, f.text);
	}
	mock_content_init(&r->content, &r->script, &r->ask, BYTES("{\"echo\":1}"));
}

/* The data of one event, lines joined; false: it has none. */
static bool data_of(struct bytes event, const char *eol, struct text *out)
{
	size_t eol_n = strlen(eol);
	bool any = false;

	while (event.n != 0) {
		const char *end = memmem(event.p, event.n, eol, eol_n);
		struct bytes line;

		assert_non_null(end); /* every line has its end */
		line = bytes_of(event.p, (size_t)(end - event.p));
		event = bytes_of(end + eol_n, event.n - line.n - eol_n);
		assert_null(memchr(line.p, '\r', line.n));
		if (bytes_starts(line, BYTES("data: "))) {
			text_add_str(out, any ? "\n" : "");
			text_add(out, line.p + 6, line.n - 6);
			any = true;
		}
	}
	return any;
}

static char letter_of_json(json_t *j)
{
	json_t *choice = json_array_get(json_object_get(j, "choices"), 0);
	json_t *delta = json_object_get(choice, "delta");
	const char *type = json_string_value(json_object_get(j, "type"));

	if (json_object_get(j, "error") != NULL) {
		return 'E';
	}
	if (type != NULL) {
		return strstr(type, "delta") != NULL && strstr(type, "message") == NULL    ? 'c'
			: strstr(type, "start") != NULL || strstr(type, "created") != NULL ? 'r'
			: strcmp(type, "message_stop") == 0                                ? 'D'
											   : 'a';
	}
	if (json_is_object(json_object_get(j, "usage"))) {
		return 'u';
	}
	if (json_object_get(delta, "role") != NULL) {
		return 'r';
	}
	if (json_is_string(json_object_get(choice, "finish_reason")) && delta != NULL) {
		return 'f';
	}
	return 'c';
}

static char letter(struct bytes event, const char *eol)
{
	struct text data;
	json_t *j;
	char c;

	text_init(&data, 1u << 24);
	if (!data_of(event, eol, &data)) {
		text_done(&data);
		return '\0';
	}
	if (strcmp(text_cstr(&data), "[DONE]") == 0) {
		text_done(&data);
		return 'D';
	}
	j = json_loads(text_cstr(&data), 0, NULL);
	c = j == NULL ? 'm' : letter_of_json(j);
	json_decref(j);
	text_done(&data);
	return c;
}

static void tell(struct mock_reply *r, char *out, size_t max)
{
	const char *eol = mock_script_has(r->script.crlf) ? "\r\n" : "\n";
	struct mock_events e;
	struct text t;
	size_t n = 0;

	mock_events_init(&e, r);
	text_init(&t, 1u << 24);
	while (mock_events_next(&e, &t)) {
		bool half = e.over && e.end != MOCK_EVENTS_CLEAN;
		char c = half ? '/' : letter(text_bytes(&t), eol);

		assert_true(n + 2 < max);
		if (c != '\0') {
			out[n++] = c;
		}
		text_clear(&t);
	}
	assert_true(e.over);
	assert_false(mock_events_next(&e, &t)); /* over is over */
	out[n++] = e.end == MOCK_EVENTS_CLEAN ? '.' : e.end == MOCK_EVENTS_STALL ? '~' : '!';
	out[n] = '\0';
	text_done(&t);
}

static const struct {
	enum mock_api api;
	const char *model;
	bool usage;
	const char *expect;
	const char *reason;
} rows[] = {
	{MOCK_CHAT, "mock", false, "rcccccccccfD.", "nine words: Hello ... said: a b"},
	{MOCK_CHAT, "mock", true, "rcccccccccfuD.", "usage because it was asked for"},
	{MOCK_CHAT, "mock-nousage", true, "rcccccccccfD.", "asked for and not given"},
	{MOCK_CHAT, "mock-usage-in-choices", true, "rcccccccccfD.", "in the finish chunk"},
	{MOCK_CHAT, "mock-chunks-3", false, "rcccfD.", "so many chunks"},
	{MOCK_CHAT, "mock-chunks-0", false, "rfD.", "no chunk at all"},
	{MOCK_CHAT, "mock-tokens-2", true, "rccfuD.", "so many tokens"},
	{MOCK_CHAT, "mock-size-2500", false, "rcccfD.", "pieces of 1000 bytes"},
	{MOCK_CHAT, "mock-bigevent-100000", false, "rcfD.", "one large event"},
	{MOCK_CHAT, "mock-echo", false, "rcfD.", "the echo in one piece"},
	{MOCK_CHAT, "mock-nodone", false, "rcccccccccf.", "no [DONE]"},
	{MOCK_CHAT, "mock-doubledone+chunks-1", false, "rcfDD.", "[DONE] twice"},
	{MOCK_CHAT, "mock-afterdone+chunks-1", false, "rcfDc.", "content behind [DONE]"},
	{MOCK_CHAT, "mock-comments+chunks-1", false, "rcfD.", "comments are no events"},
	{MOCK_CHAT, "mock-multiline+chunks-2", true, "rccfuD.", "two lines join to JSON"},
	{MOCK_CHAT, "mock-crlf+chunks-2", false, "rccfD.", "CR LF everywhere"},
	{MOCK_CHAT, "mock-crlf+multiline+comments+chunks-2", true, "rccfuD.", "all together"},
	{MOCK_CHAT, "mock-malformed+chunks-1", false, "rmcfD.", "an event that is no JSON"},
	{MOCK_CHAT, "mock-stall", false, "~", "nothing comes"},
	{MOCK_CHAT, "mock-stall-3", false, "rcc~", "three events, then nothing"},
	{MOCK_CHAT, "mock-stall-20", false, "rccccccccccccccccccc~",
		"more events than the sentence has words"},
	{MOCK_CHAT, "mock-open", false, "r~", "one event, then nothing"},
	{MOCK_CHAT, "mock-halt-3", false, "rcc/~", "half of the fourth, then nothing"},
	{MOCK_CHAT, "mock-cut", false, "!", "cut at once"},
	{MOCK_CHAT, "mock-cut-3", false, "rcc/!", "cut inside the fourth"},
	{MOCK_CHAT, "mock-error-event", false, "E.", "only an error"},
	{MOCK_CHAT, "mock-error-event-3", false, "rccE.", "three events and an error, no [DONE]"},
	{MOCK_COMPLETIONS, "mock-chunks-2", true, "ccuD.", "text completions"},
	{MOCK_MESSAGES, "mock-chunks-2", true, "rraccaaD.", "Anthropic's events"},
	{MOCK_MESSAGES, "mock-error-event-3+crlf", false, "rraE.", "an error among them"},
	{MOCK_MESSAGES, "mock-nodone+chunks-1", false, "rracaa.", "no message_stop"},
	{MOCK_MESSAGES, "mock-doubledone+chunks-1+multiline", false, "rracaaDD.", "two of them"},
	{MOCK_RESPONSES, "mock-chunks-2", false, "rcca.", "responses"},
	{MOCK_CHAT, "bench-sse-3", true, "cccuD.", "bench with usage"},
	{MOCK_CHAT, "bench", false, "ccccccccccD.", "bench without a number"},
};

static void test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mock_reply r;
		char told[64];

		make_reply(&r, rows[i].api, rows[i].model, rows[i].usage);
		tell(&r, told, sizeof(told));
		if (strcmp(told, rows[i].expect) != 0) {
			fail_msg("%s: %s, not %s (%s)", rows[i].model, told, rows[i].expect,
				rows[i].reason);
		}
		mock_content_done(&r.content);
	}
}

/* All content of a stream is the content of the whole answer. */
static void test_content(void **state)
{
	static const char *const models[] = {
		"mock", "mock-echo", "mock-size-2500", "mock-chunks-4", "mock-bigevent-3000"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(models); i++) {
		struct mock_reply r;
		struct text whole, pieces;

		make_reply(&r, MOCK_CHAT, models[i], false);
		text_init(&whole, 65536);
		text_init(&pieces, 65536);
		mock_content_all(&r.content, &whole);
		while (mock_content_has_more(&r.content)) {
			mock_content_next(&r.content, &pieces);
		}
		assert_true(whole.n != 0);
		assert_string_equal(text_cstr(&pieces), text_cstr(&whole));
		text_done(&whole);
		text_done(&pieces);
		mock_content_done(&r.content);
	}
}

static void test_bench_event(void **state)
{
	struct mock_events e;
	struct mock_reply r;
	struct text t;

	(void)state;
	make_reply(&r, MOCK_CHAT, "bench-sse-2", false);
	mock_events_init(&e, &r);
	text_init(&t, 4096);
	assert_true(mock_events_next(&e, &t));
	assert_int_equal(t.n, 300);
	text_done(&t);
	mock_content_done(&r.content);
}

/* Every whole body and every error is JSON to somebody else's parser, with a total that adds up. */
static void test_bodies(void **state)
{
	static const enum mock_api apis[] = {MOCK_CHAT, MOCK_COMPLETIONS, MOCK_EMBEDDINGS,
		MOCK_MESSAGES, MOCK_RESPONSES, MOCK_MODELS, MOCK_MODEL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(apis); i++) {
		struct mock_reply r;
		struct text t;
		json_t *j;

		make_reply(&r, apis[i], "mo\"del\n", true);
		text_init(&t, 65536);
		mock_reply_body(&r, &t);
		j = json_loads(text_cstr(&t), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(j);
		if (apis[i] != MOCK_MODELS && apis[i] != MOCK_MODEL) {
			assert_string_equal(
				json_string_value(json_object_get(j, "model")), "mo\"del\n");
			assert_true(json_is_object(json_object_get(j, "usage")));
		}
		json_decref(j);
		text_clear(&t);
		mock_reply_error(apis[i], 429, "say \"no\"", &t);
		j = json_loads(text_cstr(&t), JSON_REJECT_DUPLICATES, NULL);
		assert_string_equal(
			json_string_value(json_object_get(json_object_get(j, "error"), "message")),
			"say \"no\"");
		json_decref(j);
		text_done(&t);
		mock_content_done(&r.content);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_bench_event),
		cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests_name("mock_events", tests, NULL, NULL);
}
