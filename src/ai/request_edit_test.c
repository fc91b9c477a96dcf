/* Span edits of request bodies: everything but the edited span stays as the client wrote it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ai/compatible.h"
#include "ai/request_edit.h"
#include "plan/world.h"
#include "proxy/fetched.h"

struct row {
	const char *why;
	unsigned tweaks;
	const char *model;    /* to send; NULL: the one in the body */
	const char *format;   /* responseJsonSchema */
	const char *in, *out; /* out NULL: refused */
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

/* data-plane.md §7: customSettings of a provider that speaks OpenAI's protocol. out NULL: refused. */
static const struct {
	const char *why, *settings, *in, *out;
} settings_rows[] = {
	{"G034 a setting replaces what the client sent", "[{name: max_tokens, value: 100}]",
		"{\"max_tokens\":5,\"x\":1}", "{\"max_tokens\":100,\"x\":1}"},
	{"G034 and is put in where there is none", "[{name: max_tokens, value: 100}]", "{\"x\":1}",
		"{\"max_tokens\":100,\"x\":1}"},
	{"G035 one that must not overwrite leaves the client's",
		"[{name: max_tokens, value: 100, overwrite: false}]", "{\"max_tokens\":5}",
		"{\"max_tokens\":5}"},
	{"null is a value that the client sent",
		"[{name: max_tokens, value: 100, overwrite: false}]", "{\"max_tokens\":null}",
		"{\"max_tokens\":null}"},
	{"G036 a name that OpenAI's protocol lacks is left out", "[{name: top_k, value: 3}]", "{}",
		"{}"},
	{"raw takes the name as it is", "[{name: top_k, value: 3, mode: raw}]", "{}",
		"{\"top_k\":3}"},
	{"G037 a path makes the objects that are missing", "[{name: foo.bar, value: 1, mode: raw}]",
		"{\"x\":1}", "{\"foo\":{\"bar\":1},\"x\":1}"},
	{"into an object that is there, in front of its members",
		"[{name: foo.bar, value: 1, mode: raw}]", "{\"foo\":{\"a\":0}}",
		"{\"foo\":{\"bar\":1,\"a\":0}}"},
	{"into an empty one without a comma", "[{name: foo.bar, value: 1, mode: raw}]",
		"{\"foo\": { }}", "{\"foo\": {\"bar\":1 }}"},
	{"a value where an object is needed gives way", "[{name: foo.bar, value: 1, mode: raw}]",
		"{\"foo\":7}", "{\"foo\":{\"bar\":1}}"},
	{"unless nothing is to be overwritten",
		"[{name: foo.bar, value: 1, mode: raw, overwrite: false}]", "{\"foo\":7}",
		"{\"foo\":7}"},
	{"two of one path: the later one holds", "[{name: seed, value: 1}, {name: seed, value: 2}]",
		"{}", "{\"seed\":2}"},
	{"but not over what the earlier one has set when it must not",
		"[{name: seed, value: 1}, {name: seed, value: 2, overwrite: false}]", "{}",
		"{\"seed\":1}"},
	{"several in one object",
		"[{name: a.b, value: 1, mode: raw}, {name: a.c.d, value: [2, ~], mode: raw}]", "{}",
		"{\"a\":{\"b\":1,\"c\":{\"d\":[2,null]}}}"},
	{"numbers keep their spelling", "[{name: temperature, value: 0.10}]", "{}",
		"{\"temperature\":0.10}"},
	{"text is text", "[{name: user, value: 'a\"b', mode: raw}]", "{}", "{\"user\":\"a\\\"b\"}"},
	{"a model is no setting", "[{name: model, value: b, mode: raw}]", "{\"model\":\"a\"}",
		"{\"model\":\"a\"}"},
	{"a member that stands twice cannot be set for certain", "[{name: seed, value: 3}]",
		"{\"seed\":1,\"seed\":2}", NULL},
	{"the same further down", "[{name: foo.bar, value: 3, mode: raw}]",
		"{\"foo\":{\"bar\":1},\"foo\":{\"bar\":2}}", NULL},
};

/* Where the API matters, or settings and tweaks meet. */
static const struct {
	const char *why;
	enum api api;
	unsigned tweaks;
	const char *format, *settings, *in, *out;
} api_rows[] = {
	{"images have no such parameters", API_IMAGE_GENERATION, 0, NULL,
		"[{name: seed, value: 1}]", "{\"x\":1}", "{\"x\":1}"},
	{"unless the setting names them", API_IMAGE_GENERATION, 0, NULL,
		"[{name: seed, value: 1, apis: [openai/v1/imagegeneration]}]", "{\"x\":1}",
		"{\"seed\":1,\"x\":1}"},
	{"settings first: what a tweak takes out is taken out", API_CHAT_COMPLETIONS,
		TWEAK_ZHIPU_THINKING, NULL, "[{name: reasoning_effort, value: low, mode: raw}]",
		"{}", "{\"thinking\":{\"type\":\"enabled\"}}"},
	{"openrouter: reasoning that is configured whole holds", API_CHAT_COMPLETIONS,
		TWEAK_OPENROUTER_REASONING, NULL, "[{name: reasoning, value: {a: 1}, mode: raw}]",
		"{\"reasoning_max_tokens\":5}",
		"{\"reasoning\":{\"a\":1},\"reasoning_max_tokens\":5}"},
	{"G042 zero, false and unknown members survive; only the role changes",
		API_CHAT_COMPLETIONS, TWEAK_DEVELOPER_TO_SYSTEM, NULL, NULL,
		"{\"temperature\":0,\"parallel_tool_calls\":false,\"foo\":1,"
		"\"messages\":[{\"role\":\"developer\"}]}",
		"{\"temperature\":0,\"parallel_tool_calls\":false,\"foo\":1,"
		"\"messages\":[{\"role\":\"system\"}]}"},
	{"G046 doubao: a response without switches of tools", API_RESPONSES, TWEAK_NO_TOOL_SWITCHES,
		NULL, NULL, "{\"parallel_tool_calls\":true,\"a\":1,\"tool_choice\":\"auto\"}",
		"{\"a\":1}"},
	{"doubao: chats keep them", API_CHAT_COMPLETIONS, TWEAK_NO_TOOL_SWITCHES, NULL, NULL,
		"{\"tool_choice\":\"auto\"}", "{\"tool_choice\":\"auto\"}"},
	{"doubao: no watermark unless asked for", API_IMAGE_GENERATION, TWEAK_NO_WATERMARK, NULL,
		NULL, "{\"p\":1}", "{\"watermark\":false,\"p\":1}"},
	{"doubao: a watermark that is asked for stays", API_IMAGE_GENERATION, TWEAK_NO_WATERMARK,
		NULL, NULL, "{\"watermark\":true}", "{\"watermark\":true}"},
	{"a schema is for chats only", API_EMBEDDINGS, 0, "{\"type\":\"x\"}", NULL, "{\"b\":1}",
		"{\"b\":1}"},
};

/* data-plane.md §8.4, §8.5, §8.7. out NULL: refused. */
static const struct {
	const char *why, *entry, *in, *out;
} talk_rows[] = {
	{"G047 a command forgets itself and what was before it, but for system's",
		"{contextCleanupCommands: [/clear]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"}, "
		"{\"role\":\"user\",\"content\":\"u1\"},{\"role\":\"assistant\",\"content\":\"a1\"},"
		"{\"role\":\"user\",\"content\":\"/clear\"} ,{\"role\":\"user\",\"content\":\"u2\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"}, "
		"{\"role\":\"user\",\"content\":\"u2\"}]}"},
	{"the last command counts; escapes spell the same text",
		"{contextCleanupCommands: [x, /clear]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"user\",\"content\":\"b\"},"
		"{\"content\":\"\\/cl\\u0065ar\",\"role\":\"user\"},{\"role\":\"user\",\"content\":\"c\"}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"c\"}]}"},
	{"as the only part of a message, behind a system message: its comma goes too",
		"{contextCleanupCommands: [/clear]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"developer\",\"content\":\"d\"},"
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"/clear\"}]}],\"n\":1}",
		"{\"messages\":[{\"role\":\"developer\",\"content\":\"d\"}],\"n\":1}"},
	{"nothing is left", "{contextCleanupCommands: [/clear]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"/clear\"}]}",
		"{\"messages\":[]}"},
	{"no command: in an assistant's words, inside a text, one of two parts, a tool's answer",
		"{contextCleanupCommands: [/clear]}",
		"{\"messages\":[{\"role\":\"assistant\",\"content\":\"/clear\"},{\"role\":\"user\",\"content\":\"/clear \"},"
		"{\"role\":\"user\",\"content\":[{\"text\":\"/clear\"},{\"text\":\"b\"}]},"
		"{\"role\":\"tool\",\"content\":\"/clear\"}]}",
		"{\"messages\":[{\"role\":\"assistant\",\"content\":\"/clear\"},{\"role\":\"user\",\"content\":\"/clear \"},"
		"{\"role\":\"user\",\"content\":[{\"text\":\"/clear\"},{\"text\":\"b\"}]},"
		"{\"role\":\"tool\",\"content\":\"/clear\"}]}"},
	{"G048 neighbours are joined by a blank line, members in any order",
		"{mergeConsecutiveMessages: true}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}, {\"content\":\"\\u0062\",\"role\":\"user\"},"
		"{\"role\":\"user\",\"content\":\"c\"},{\"role\":\"assistant\",\"content\":\"d\"}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\\n\\n\\u0062\\n\\nc\"},"
		"{\"role\":\"assistant\",\"content\":\"d\"}]}"},
	{"lists of parts become one list", "{mergeConsecutiveMessages: true}",
		"{\"messages\":[{\"role\":\"user\",\"content\":[]},{\"role\":\"user\",\"content\":[{\"a\":1}]},"
		"{\"role\":\"user\",\"content\":\"t\"},{\"role\":\"user\",\"content\":[ ]}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":[{\"a\":1},{\"type\":\"text\",\"text\":\"t\"}]}]}"},
	{"a text before a list becomes its first part", "{hiclawMode: true}",
		"{\"messages\":[{\"content\":\"t\",\"role\":\"assistant\"},{\"role\":\"assistant\",\"content\":[1, 2]}]}",
		"{\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"t\"},1, 2],\"role\":\"assistant\"}]}"},
	{"calls of tools, names, other roles and no content are not joined",
		"{mergeConsecutiveMessages: true}",
		"{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\","
		"\"tool_calls\":[{\"id\":\"t\"}]},{\"role\":\"tool\",\"content\":\"x\"},{\"role\":\"tool\",\"content\":\"y\"},"
		"{\"role\":\"user\",\"name\":\"n\",\"content\":\"c\"},{\"role\":\"user\",\"content\":\"d\"},"
		"{\"role\":\"user\",\"content\":null}]}",
		"{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\","
		"\"tool_calls\":[{\"id\":\"t\"}]},{\"role\":\"tool\",\"content\":\"x\"},{\"role\":\"tool\",\"content\":\"y\"},"
		"{\"role\":\"user\",\"name\":\"n\",\"content\":\"c\"},{\"role\":\"user\",\"content\":\"d\"},"
		"{\"role\":\"user\",\"content\":null}]}"},
	{"both: what is left behind the command is joined",
		"{mergeConsecutiveMessages: true, contextCleanupCommands: [/c]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"/c\"},"
		"{\"role\":\"user\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"c\"}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"b\\n\\nc\"}]}"},
	{"messages twice: which of them is meant nobody knows", "{mergeConsecutiveMessages: true}",
		"{\"messages\":[],\"messages\":[]}", NULL},
	{"a context goes behind the messages of the system that lead",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"} , {\"role\":\"user\",\"content\":\"u\"},{\"role\":\"system\",\"content\":\"s\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"} , {\"role\":\"system\",\"content\":\"C\"},{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"system\",\"content\":\"s\"}]}"},
	{"a context before all of a chat without system",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}}",
		"{\"messages\":[ {\"role\":\"user\",\"content\":\"u\"}]}",
		"{\"messages\":[ {\"role\":\"system\",\"content\":\"C\"},{\"role\":\"user\",\"content\":\"u\"}]}"},
	{"a context behind a chat of nothing but system",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"system\",\"content\":\"s\"} ]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"system\",\"content\":\"C\"} ]}"},
	{"a context alone",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}}",
		"{\"messages\":[ ]}", "{\"messages\":[{\"role\":\"system\",\"content\":\"C\"} ]}"},
	{"no list of messages, no context: what is wrong is the upstream's to say",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}}",
		"{\"messages\":{},\"a\":[]}", "{\"messages\":{},\"a\":[]}"},
	{"no messages at all",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}}",
		"{\"a\":[{\"role\":\"user\"}]}", "{\"a\":[{\"role\":\"user\"}]}"},
	{"what is forgotten does not lead",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}, contextCleanupCommands: [/c]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"/c\"},{\"role\":\"assistant\",\"content\":\"a\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"system\",\"content\":\"C\"},{\"role\":\"assistant\",\"content\":\"a\"}]}"},
	{"all but system is forgotten",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}, contextCleanupCommands: [/c]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"user\",\"content\":\"/c\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"system\",\"content\":\"C\"}]}"},
	{"everything is forgotten",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}, contextCleanupCommands: [/c]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"user\",\"content\":\"/c\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"C\"}]}"},
	{"a context before what is joined",
		"{context: {fileUrl: 'http://f/', serviceName: f.static, servicePort: 80}, mergeConsecutiveMessages: true}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"user\",\"content\":\"u\"}]}",
		"{\"messages\":[{\"role\":\"system\",\"content\":\"C\"},{\"role\":\"user\",\"content\":\"u\\n\\nu\"}]}"},
};

struct scene {
	struct world plan;
	struct segpool pool;
	struct provider_type type;
	struct provider provider;
	struct destination to;
	struct request rq;
	struct exchange x;
	struct json_query *query;
};

/* The body in segments of `piece` bytes, scanned as a gathered one is. */
static void gather(struct scene *w, const char *body, size_t piece)
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

/* customSettings as they stand in a provider's entry. */
static void compile_settings(struct scene *w, const char *yaml)
{
	static const struct provider_type openai = {.name = "openai"};
	char file[4096];
	struct object *o;

	snprintf(file, sizeof(file), WORLD_PLUGIN("ai-proxy", "  defaultConfig:\n    s: %s\n"),
		yaml);
	o = world_add(&w->plan, "wasmplugins/ai-proxy.internal.yaml", file);
	assert_true(custom_settings_compile(&w->provider.settings,
		yaml_get(o->u.wasmplugin.config, "s"),
		&(struct custom_settings_input){
			&openai, false, o, &w->plan.arena, &w->plan.findings}));
}

static void compile_talk(struct scene *w, const char *yaml)
{
	char file[4096];
	struct object *o;

	snprintf(file, sizeof(file), WORLD_PLUGIN("ai-proxy", "  defaultConfig:\n    s: %s\n"),
		yaml);
	o = world_add(&w->plan, "wasmplugins/ai-proxy.internal.yaml", file);
	assert_true(conversation_compile(&w->provider.conversation,
		yaml_get(o->u.wasmplugin.config, "s"), o, &w->plan.arena, &w->plan.findings));
}

/* What the file says: C. */
static void give_context(struct scene *w)
{
	static const char text[] = ",{\"role\":\"system\",\"content\":\"C\"},";

	w->rq.context = calloc(1, sizeof(*w->rq.context) + sizeof(text));
	w->rq.context->n = sizeof(text) - 1;
	memcpy(w->rq.context->text, text, sizeof(text));
}

/* settings: a list of customSettings, or the map of an entry, for what it says of messages. */
static void begin(struct scene *w, const struct row *row, const char *settings, enum api api)
{
	world_init(&w->plan);
	segpool_init(&w->pool, 64u << 20);
	w->query = compatible_request_query();
	w->type.name = "openai";
	w->provider.type = &w->type;
	w->provider.tweaks = row->tweaks;
	w->provider.response_format = bytes_str(row->format);
	if (settings != NULL && settings[0] == '[') {
		compile_settings(w, settings);
	} else if (settings != NULL) {
		compile_talk(w, settings);
	}
	if (w->provider.conversation.context != NULL) {
		give_context(w);
	}
	w->to.provider = &w->provider;
	w->x.rq = &w->rq;
	w->rq.api = api;
	w->rq.gathers = true;
	w->rq.at.to = &w->to;
	arena_init(&w->rq.arena, REQUEST_ARENA_MAX);
	json_hits_init(&w->rq.hits, w->rq.hits_room, HITS_INLINE, 4096);
}

static void end(struct scene *w)
{
	chain_give(&w->pool, &w->rq.body);
	json_hits_done(&w->rq.hits);
	arena_done(&w->rq.arena);
	free(w->rq.context);
	json_query_free(w->query);
	segpool_done(&w->pool);
	world_done(&w->plan);
	free(w);
}

static void read_edited(struct scene *w, struct text *out)
{
	struct iovec v[256];
	int n;

	splice_sort(w->rq.at.edits, w->rq.at.n_edits);
	splice_init(&w->rq.at.splice, &w->rq.body, w->rq.at.edits, w->rq.at.n_edits);
	while ((n = splice_fill(&w->rq.at.splice, v, 256)) != 0) {
		for (int i = 0; i < n; i++) {
			text_add(out, v[i].iov_base, v[i].iov_len);
			splice_sent(&w->rq.at.splice, v[i].iov_len);
		}
	}
	assert_int_equal(out->n, w->rq.at.splice.length);
}

static bool edit(struct scene *w, const struct row *row)
{
	struct bytes model = row->model != NULL ? bytes_str(row->model) : w->rq.model;
	enum verdict v;

	do {
		v = request_edit_survey(&w->x);
	} while (v == VERDICT_AGAIN);
	return v == VERDICT_NEXT && request_edit(&w->x, model);
}

static void play_with(const struct row *row, const char *settings, enum api api, size_t piece)
{
	struct scene *w = calloc(1, sizeof(*w));
	struct text out;

	begin(w, row, settings, api);
	gather(w, row->in, piece);
	if (edit(w, row) != (row->out != NULL)) {
		fail_msg("%s (pieces of %zu): refused or not: %s", row->why, piece,
			w->rq.reply.text);
	}
	if (row->out != NULL) {
		text_init(&out, 1u << 20);
		read_edited(w, &out);
		if (strcmp(text_cstr(&out), row->out) != 0 || w->rq.at.hide_usage != row->hides) {
			fail_msg("%s (pieces of %zu): got %s, hides %d", row->why, piece,
				text_cstr(&out), w->rq.at.hide_usage);
		}
		text_done(&out);
	}
	end(w);
}

static void play(const struct row *row, size_t piece)
{
	play_with(row, NULL, API_CHAT_COMPLETIONS, piece);
}

static const size_t pieces[] = {4096, 1, 7};

static void test_edits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			play(&rows[i], pieces[k]);
		}
	}
}

static void test_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(settings_rows) * ARRAY_LEN(pieces); i++) {
		size_t at = i / ARRAY_LEN(pieces);
		struct row row = {.why = settings_rows[at].why,
			.in = settings_rows[at].in,
			.out = settings_rows[at].out};

		play_with(&row, settings_rows[at].settings, API_CHAT_COMPLETIONS,
			pieces[i % ARRAY_LEN(pieces)]);
	}
}

static void test_apis(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(api_rows); i++) {
		struct row row = {.why = api_rows[i].why,
			.tweaks = api_rows[i].tweaks,
			.format = api_rows[i].format,
			.in = api_rows[i].in,
			.out = api_rows[i].out};

		play_with(&row, api_rows[i].settings, api_rows[i].api, 4096);
	}
}

static void test_talk(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(talk_rows) * ARRAY_LEN(pieces); i++) {
		size_t at = i / ARRAY_LEN(pieces);
		struct row row = {
			.why = talk_rows[at].why, .in = talk_rows[at].in, .out = talk_rows[at].out};

		play_with(&row, talk_rows[at].entry, API_CHAT_COMPLETIONS,
			pieces[i % ARRAY_LEN(pieces)]);
	}
}

/* A thousand messages are joined; one more is refused, before it costs anything. */
static void test_many_messages(void **state)
{
	(void)state;
	for (int n = 999; n <= 1001; n++) {
		struct row row = {.why = "many messages"};
		struct text t, out;

		text_init(&t, 1 << 20);
		text_init(&out, 1 << 20);
		for (int i = 0; i < n; i++) {
			text_add_str(&t, i == 0 ? "{\"messages\":[" : ",");
			text_add_str(&t, "{\"role\":\"user\",\"content\":\"a\"}");
			text_add_str(&out,
				i == 0 ? "{\"messages\":[{\"role\":\"user\",\"content\":\""
				       : "\\n\\n");
			text_add_str(&out, "a");
		}
		text_add_str(&t, "]}");
		text_add_str(&out, "\"}]}");
		row.in = text_cstr(&t);
		row.out = n <= 1000 ? text_cstr(&out) : NULL;
		play_with(&row, "{mergeConsecutiveMessages: true}", API_CHAT_COMPLETIONS, 4096);
		text_done(&t);
		text_done(&out);
	}
}

/* More developer messages than there is room for must be refused, not cut off. */
static void test_many_developers(void **state)
{
	struct text t;
	struct row row = {.why = "many developer messages", .tweaks = TWEAK_DEVELOPER_TO_SYSTEM};
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
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_apis),
		cmocka_unit_test(test_many_developers),
		cmocka_unit_test(test_talk),
		cmocka_unit_test(test_many_messages),
	};

	return cmocka_run_group_tests_name("request_edit", tests, NULL, NULL);
}
