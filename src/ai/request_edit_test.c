/* Span edits of request bodies: everything but the edited span stays as the client wrote it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ai/compatible.h"
#include "ai/request_edit.h"

struct row {
	const char *why;
	unsigned tweaks;
	const char *model;  /* to send; NULL: the one in the body */
	const char *format; /* responseJsonSchema */
	const char *in, *out;
	bool hides;
};

static const struct row rows[] = {
	{"nothing to edit: not a byte changes", 0, NULL, NULL,
		"{ \"model\" : \"a\",\"x\":1.0,\"y\":1e2 }",
		"{ \"model\" : \"a\",\"x\":1.0,\"y\":1e2 }", false},
	{"a mapped model changes only its own bytes", 0, "b\"c", NULL,
		"{\"t\":-0,\"model\":\"a\",\"s\":\"\\u0041\\/\"}",
		"{\"t\":-0,\"model\":\"b\\\"c\",\"s\":\"\\u0041\\/\"}", false},
	{"a model spelled with escapes is replaced whole", 0, "b", NULL,
		"{\"mod\\u0065l\":\"\\u0061\"}", "{\"mod\\u0065l\":\"b\"}", false},
	{"a missing model is put in front when the mapping has a default", 0, "d", NULL,
		" {\"x\":1}", " {\"model\":\"d\",\"x\":1}", false},
	{"into an empty object it goes without a comma", 0, "d", NULL, "{ }", "{\"model\":\"d\" }",
		false},
	{"a stream asks for usage", TWEAK_STREAM_USAGE, NULL, NULL, "{\"stream\":true}",
		"{\"stream_options\":{\"include_usage\":true},\"stream\":true}", true},
	{"no stream, no edit", TWEAK_STREAM_USAGE, NULL, NULL, "{\"stream\":false}",
		"{\"stream\":false}", false},
	{"who asks already gets what it asked for", TWEAK_STREAM_USAGE, NULL, NULL,
		"{\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
		"{\"stream\":true,\"stream_options\":{\"include_usage\":true}}", false},
	{"an explicit false is counted all the same, and hidden", TWEAK_STREAM_USAGE, NULL, NULL,
		"{\"stream\":true,\"stream_options\":{\"a\":1,\"include_usage\":false}}",
		"{\"stream\":true,\"stream_options\":{\"a\":1,\"include_usage\":true}}", true},
	{"siblings in stream_options are kept", TWEAK_STREAM_USAGE, NULL, NULL,
		"{\"stream\":true,\"stream_options\":{\"a\":1}}",
		"{\"stream\":true,\"stream_options\":{\"include_usage\":true,\"a\":1}}", true},
	{"empty stream_options", TWEAK_STREAM_USAGE, NULL, NULL,
		"{\"stream_options\":{},\"stream\":true}",
		"{\"stream_options\":{\"include_usage\":true},\"stream\":true}", true},
	{"stream_options null", TWEAK_STREAM_USAGE, NULL, NULL,
		"{\"stream_options\":null,\"stream\":true}",
		"{\"stream_options\":{\"include_usage\":true},\"stream\":true}", true},
	{"the words inside a string are no member", TWEAK_STREAM_USAGE, NULL, NULL,
		"{\"stream\":true,\"p\":\"\\\"stream_options\\\":{}\"}",
		"{\"stream_options\":{\"include_usage\":true},\"stream\":true,"
		"\"p\":\"\\\"stream_options\\\":{}\"}",
		true},
	{"role developer becomes system, nothing else does", TWEAK_DEVELOPER_TO_SYSTEM, NULL, NULL,
		"{\"messages\":[{\"role\":\"developer\",\"content\":\"developer\"},{\"role\":\"user\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"developer\"},{\"role\":\"user\"}]}",
		false},
	{"without the tweak it stays", 0, NULL, NULL, "{\"messages\":[{\"role\":\"developer\"}]}",
		"{\"messages\":[{\"role\":\"developer\"}]}", false},
	{"zhipuai: reasoning_effort is called thinking", TWEAK_ZHIPU_THINKING, NULL, NULL,
		"{\"a\":1, \"reasoning_effort\" : \"high\" ,\"b\":2}",
		"{\"a\":1, \"thinking\":{\"type\":\"enabled\"} ,\"b\":2}", false},
	{"zhipuai: with thinking given, reasoning_effort goes with its comma", TWEAK_ZHIPU_THINKING,
		NULL, NULL, "{\"thinking\":{},\"a\":1 , \"reasoning_effort\":\"high\"}",
		"{\"thinking\":{\"type\":\"enabled\"},\"a\":1 }", false},
	{"zhipuai: the first member goes with the comma behind it", TWEAK_ZHIPU_THINKING, NULL,
		NULL, "{\"reasoning_effort\":\"low\" , \"thinking\":null}",
		"{ \"thinking\":{\"type\":\"enabled\"}}", false},
	{"openrouter: a budget becomes reasoning", TWEAK_OPENROUTER_REASONING, NULL, NULL,
		"{\"reasoning_max_tokens\":512,\"reasoning_effort\":\"high\",\"x\":0}",
		"{\"reasoning\":{\"max_tokens\":512},\"x\":0}", false},
	{"openrouter: reasoning that is there is completed", TWEAK_OPENROUTER_REASONING, NULL, NULL,
		"{\"reasoning\":{\"a\":1},\"reasoning_max_tokens\":5}",
		"{\"reasoning\":{\"max_tokens\":5,\"a\":1}}", false},
	{"openrouter: reasoning.max_tokens is replaced", TWEAK_OPENROUTER_REASONING, NULL, NULL,
		"{\"reasoning\":{\"max_tokens\":1},\"reasoning_max_tokens\":5}",
		"{\"reasoning\":{\"max_tokens\":5}}", false},
	{"openrouter: both members in front go, each with one comma", TWEAK_OPENROUTER_REASONING,
		NULL, NULL,
		"{\"reasoning_max_tokens\":5,\"reasoning_effort\":\"high\",\"reasoning\":{}}",
		"{\"reasoning\":{\"max_tokens\":5}}", false},
	{"openrouter: the same in the other order", TWEAK_OPENROUTER_REASONING, NULL, NULL,
		"{\"reasoning_effort\":\"high\" , \"reasoning_max_tokens\":5,\"reasoning\":{}}",
		"{ \"reasoning\":{\"max_tokens\":5}}", false},
	{"openrouter: a null and the member behind it go", TWEAK_OPENROUTER_REASONING, NULL, NULL,
		"{\"reasoning\":null,\"reasoning_effort\":\"high\",\"reasoning_max_tokens\":5}",
		"{\"reasoning\":{\"max_tokens\":5}}", false},
	{"openrouter: behind a member that stays", TWEAK_OPENROUTER_REASONING, NULL, NULL,
		"{\"reasoning\":{},\"reasoning_effort\":\"high\",\"reasoning_max_tokens\":5}",
		"{\"reasoning\":{\"max_tokens\":5}}", false},
	{"openrouter: no budget, no edit", TWEAK_OPENROUTER_REASONING, NULL, NULL,
		"{\"reasoning_max_tokens\":0,\"reasoning_effort\":\"high\"}",
		"{\"reasoning_max_tokens\":0,\"reasoning_effort\":\"high\"}", false},
	{"a configured response_format replaces the client's", 0, NULL, "{\"type\":\"x\"}",
		"{\"response_format\":{\"a\":[1,2]},\"b\":1}",
		"{\"response_format\":{\"type\":\"x\"},\"b\":1}", false},
	{"or is put in", 0, NULL, "{\"type\":\"x\"}", "{\"b\":1}",
		"{\"response_format\":{\"type\":\"x\"},\"b\":1}", false},
	{"two members into an empty object have a comma between them", 0, "d", "{\"type\":\"x\"}",
		"{ }", "{\"model\":\"d\",\"response_format\":{\"type\":\"x\"} }", false},
	{"a member is put in where another one is taken out afterwards", TWEAK_ZHIPU_THINKING, NULL,
		"{\"type\":\"x\"}", "{\"reasoning_effort\":\"low\",\"thinking\":null}",
		"{\"response_format\":{\"type\":\"x\"},\"thinking\":{\"type\":\"enabled\"}}",
		false},
	{"several edits at once", TWEAK_STREAM_USAGE | TWEAK_DEVELOPER_TO_SYSTEM, "m2", NULL,
		"{\"messages\":[{\"role\":\"developer\"}],\"stream\":true,\"model\":\"m1\"}",
		"{\"stream_options\":{\"include_usage\":true},\"messages\":[{\"role\":\"system\"}],"
		"\"stream\":true,\"model\":\"m2\"}",
		true},
};

struct world {
	struct segpool pool;
	struct provider provider;
	struct destination to;
	struct request rq;
	struct exchange x;
	struct json_query *query;
};

/* The body in segments of `piece` bytes, scanned as a gathered one is. */
static void gather(struct world *w, const char *body, size_t piece)
{
	struct request *rq = &w->rq;
	size_t n = strlen(body);
	const struct json_hit *h;
	char raw[64];

	rq->scan = json_scan_init(&rq->scan_room, w->query, &rq->hits);
	for (size_t at = 0; at < n; at += piece) {
		size_t len = MIN(piece, n - at);
		struct seg *s = seg_take(&w->pool);

		memcpy(s->data, body + at, len);
		s->end = (uint32_t)len;
		chain_append(&rq->body, s);
		assert_int_equal(json_scan_feed(rq->scan, s->data, len, NULL), READ_MORE);
	}
	assert_int_equal(json_scan_end(rq->scan, NULL), READ_DONE);
	h = json_hits_get(&rq->hits, WANT_STREAM, NULL);
	rq->stream = h != NULL && h->type == JSON_TRUE;
	h = json_hits_get(&rq->hits, WANT_MODEL, NULL);
	if (h != NULL) {
		struct text t;

		chain_copy(&rq->body, (size_t)h->beg, (size_t)(h->end - h->beg), raw);
		text_init(&t, 64);
		json_unescape(bytes_of(raw + 1, (size_t)(h->end - h->beg) - 2), &t);
		rq->model = arena_copy(&rq->arena, text_bytes(&t));
		text_done(&t);
	}
	rq->body_model = rq->model;
}

static void play(const struct row *row, size_t piece)
{
	struct world *w = calloc(1, sizeof(*w));
	struct iovec v[256];
	struct text out;
	int n;

	segpool_init(&w->pool, 64u << 20);
	w->query = compatible_request_query();
	w->x.rq = &w->rq;
	w->rq.api = API_CHAT_COMPLETIONS;
	w->provider.tweaks = row->tweaks;
	w->provider.response_format = bytes_str(row->format);
	w->to.provider = &w->provider;
	w->rq.at.to = &w->to;
	arena_init(&w->rq.arena, 64 * 1024);
	json_hits_init(&w->rq.hits, w->rq.hits_room, HITS_INLINE, 4096);
	gather(w, row->in, piece);
	assert_true(request_edit_room(&w->x));
	request_edit_model(&w->x, row->model != NULL ? bytes_str(row->model) : w->rq.model);
	request_edit_tweaks(&w->x);
	splice_sort(w->rq.at.edits, w->rq.at.n_edits);
	splice_init(&w->rq.at.splice, &w->rq.body, w->rq.at.edits, w->rq.at.n_edits);
	text_init(&out, 4096);
	while ((n = splice_fill(&w->rq.at.splice, v, 256)) != 0) {
		for (int i = 0; i < n; i++) {
			text_add(&out, v[i].iov_base, v[i].iov_len);
			splice_sent(&w->rq.at.splice, v[i].iov_len);
		}
	}
	if (strcmp(text_cstr(&out), row->out) != 0 || w->rq.at.hide_usage != row->hides) {
		fail_msg("%s (pieces of %zu): got %s, hides %d", row->why, piece, text_cstr(&out),
			w->rq.at.hide_usage);
	}
	assert_int_equal(out.n, w->rq.at.splice.length);
	text_done(&out);
	chain_give(&w->pool, &w->rq.body);
	json_hits_done(&w->rq.hits);
	arena_done(&w->rq.arena);
	json_query_free(w->query);
	segpool_done(&w->pool);
	free(w);
}

static void test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		play(&rows[i], 4096);
		play(&rows[i], 1);
		play(&rows[i], 7);
	}
}

/* More developer messages than there is room for must be refused, not cut off. */
static void test_many_developers(void **state)
{
	struct text t;
	struct row row = {"many developer messages", TWEAK_DEVELOPER_TO_SYSTEM, NULL, NULL, NULL,
		NULL, false};
	struct text out;

	(void)state;
	text_init(&t, 1 << 20);
	text_init(&out, 1 << 20);
	text_add_str(&t, "{\"messages\":[");
	text_add_str(&out, "{\"messages\":[");
	for (int i = 0; i < 60; i++) {
		text_add_str(&t, i != 0 ? ",{\"role\":\"developer\"}" : "{\"role\":\"developer\"}");
		text_add_str(&out, i != 0 ? ",{\"role\":\"system\"}" : "{\"role\":\"system\"}");
	}
	text_add_str(&t, "]}");
	text_add_str(&out, "]}");
	row.in = text_cstr(&t);
	row.out = text_cstr(&out);
	play(&row, 4096);
	text_done(&t);
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_many_developers),
	};

	return cmocka_run_group_tests_name("request_edit", tests, NULL, NULL);
}
