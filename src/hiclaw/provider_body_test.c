#include "hiclaw/provider_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "manage/upstream_allowed.h"

/* What there is: q with two settings and a source, and a source that nobody uses. */
static const char providers[] =
	"[{\"name\":\"q\",\"type\":\"qwen\",\"protocol\":\"original\",\"proxyName\":\"p\",\"tokens\":"
	"[\"old\"],\"tokenFailoverConfig\":{\"enabled\":true},\"rawConfigs\":{\"qwenEnableSearch\":true,"
	"\"hiclawMode\":true}}]";
static const char sources[] =
	"[{\"name\":\"used\",\"version\":\"3\",\"type\":\"dns\",\"domain\":\"old.test\",\"port\":1,"
	"\"sni\":\"s\"}]";

#define FAILOVER "\"tokenFailoverConfig\":{\"enabled\":false},"
#define MERGE "\"mergeConsecutiveMessages\":true"
#define OPENAI(name, raw)                                                                \
	"+{\"name\":\"" name                                                             \
	"\",\"type\":\"openai\",\"protocol\":\"openai/v1\",\"tokens\":[\"k\"]," FAILOVER \
	"\"rawConfigs\":{" raw MERGE "}}"
#define TRIO(url, service, port)                                         \
	"\"openaiCustomUrl\":\"" url                                     \
	"\",\"_custom\":\"true\",\"openaiCustomServiceName\":\"" service \
	"\",\"openaiCustomServicePort\":" port ","
#define SOURCE(name, type, domain, port, protocol)                                               \
	"+{\"name\":\"" name "\",\"type\":\"" type "\",\"domain\":\"" domain "\",\"port\":" port \
	",\"protocol\":\"" protocol "\"} "

static const struct row {
	const char *body, *type, *expect, *reason;
	bool upsert;
} rows[] = {
	{"{\"name\":\"x\",\"apiKey\":\" k \"}", "openai", OPENAI("x", ""), "defaults", false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"type\":\"qwen\"}", "qwen",
		"+{\"name\":\"x\",\"type\":\"qwen\",\"protocol\":\"openai/v1\",\"tokens\":[\"k\"]," FAILOVER
		"\"rawConfigs\":{\"qwenEnableSearch\":false,\"qwenEnableCompatible\":true,"
		"\"qwenFileIds\":[]," MERGE "}}",
		"the trio of qwen", false},
	{"{\"name\":\"x\",\"type\":\"kimi\",\"tokens\":[\"a\",\"b\"],\"protocol\":\"original\","
	 "\"tokenFailoverConfig\":{\"enabled\":true},\"modelMapping\":{\"a\":\"b\"},"
	 "\"rawConfigs\":{\"mergeConsecutiveMessages\":false,\"own\":1}}",
		"moonshot",
		"+{\"name\":\"x\",\"type\":\"moonshot\",\"protocol\":\"original\",\"tokens\":[\"a\",\"b\"],"
		"\"tokenFailoverConfig\":{\"enabled\":true},\"rawConfigs\":{"
		"\"mergeConsecutiveMessages\":false,\"own\":1,\"modelMapping\":{\"a\":\"b\"}}}",
		"what is given is not defaulted; an alias of the type", false},
	{"{\"name\":\"deepseek\",\"type\":\"deepseek\",\"apiKey\":\"k\",\"baseUrl\":"
	 "\"http://10.0.0.5:8000/v1\"}",
		"deepseek",
		SOURCE("deepseek", "static", "10.0.0.5:8000", "8000", "http") OPENAI(
			"deepseek", TRIO("http://10.0.0.5:8000/v1", "deepseek.static", "8000")),
		"M-40: a source named like the provider, of its address and port; models stay "
		"deepseek's",
		false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"type\":\"custom\",\"baseUrl\":\"https://Hub.test/v1\"}",
		"",
		SOURCE("x", "dns", "hub.test", "443", "https")
			OPENAI("x", TRIO("https://Hub.test/v1", "x.dns", "443")),
		"a name, the scheme's port", false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"baseUrl\":\"http://[fd00::1]:81\"}", "",
		SOURCE("x", "static", "[fd00::1]:81", "81", "http")
			OPENAI("x", TRIO("http://[fd00::1]:81", "x.static", "81")),
		"an address of IPv6", false},
	{"{\"name\":\"a.b\",\"apiKey\":\"k\",\"baseUrl\":\"http://hub.test\"}", "",
		OPENAI("a.b", "\"openaiCustomUrl\":\"http://hub.test\",\"_custom\":\"true\","),
		"no source can have that name: the URL alone", false},
	{"{\"name\":\"used\",\"apiKey\":\"k\",\"baseUrl\":\"http://new.test:80/\"}", "",
		"~{\"name\":\"used\",\"version\":\"3\",\"type\":\"dns\",\"domain\":\"new.test\",\"port\":80,"
		"\"sni\":\"s\",\"protocol\":\"http\"} " OPENAI(
			"used", TRIO("http://new.test:80/", "used.dns", "80")),
		"a source that is there is updated", false},
	{"{\"name\":\"c\",\"type\":\"claude\",\"apiKey\":\"k\",\"baseUrl\":\"https://c.test\"}",
		"claude",
		"+{\"name\":\"c\",\"type\":\"claude\",\"protocol\":\"openai/v1\",\"tokens\":[\"k\"]," FAILOVER
		"\"rawConfigs\":{\"claudeCustomUrl\":\"https://c.test\"," MERGE "}}",
		"a type with a setting for its URL", false},
	{"{\"name\":\"o\",\"type\":\"ollama\",\"apiKey\":\"k\",\"baseUrl\":\"http://o.test:11434\"}",
		"ollama",
		"+{\"name\":\"o\",\"type\":\"ollama\",\"protocol\":\"openai/v1\",\"tokens\":[\"k\"]," FAILOVER
		"\"rawConfigs\":{\"ollamaServerHost\":\"o.test\",\"ollamaServerPort\":11434," MERGE
		"}}",
		"or two", false},
	{"{\"name\":\"q\",\"apiKey\":\"k\"}", "", "! 3 -", "M-41: it exists", false},
	{"{\"name\":\"q\",\"apiKey\":\"k\"}", "qwen",
		"~{\"name\":\"q\",\"type\":\"qwen\",\"protocol\":\"original\",\"proxyName\":\"p\",\"tokens\":"
		"[\"k\"],\"tokenFailoverConfig\":{\"enabled\":true},\"rawConfigs\":{\"qwenEnableSearch\":"
		"true,\"hiclawMode\":true,\"qwenEnableCompatible\":true,\"qwenFileIds\":[]," MERGE
		"}}",
		"M-41: an upsert keeps what it does not name", true},
	{"{\"apiKey\":\"k\"}", "", "! 2 name", "no name", false},
	{"{\"name\":\"x\"}", "", "! 2 apiKey", "no key", false},
	{"{\"name\":\"x\",\"apiKey\":\"  \",\"tokens\":[]}", "", "! 2 apiKey", "only blanks",
		false},
	{"{\"name\":\"x\",\"apiKey\":7}", "", "! 2 apiKey", "a number", false},
	{"{\"name\":\"x\",\"tokens\":\"k\"}", "", "! 2 tokens", "no list", false},
	{"{\"name\":\"x\",\"tokens\":[\"k\",{}]}", "", "! 2 tokens", "no text in the list", false},
	{"{\"name\":\"x\",\"apiKey\":\"a\\r\\nb\"}", "", "! 2 apiKey", "two header lines", false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"type\":\"custom\"}", "", "! 2 baseUrl",
		"custom needs a URL", false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"rawConfigs\":[]}", "", "! 2 rawConfigs", "no object",
		false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"modelMapping\":{\"a\":1}}", "", "! 2 modelMapping",
		"no texts", false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"modelMapping\":\"a\"}", "", "! 2 modelMapping",
		"no object", false},
	{"{\"name\":\"x\",\"apiKey\":\"k\",\"tokenFailoverConfig\":true}", "",
		"! 2 tokenFailoverConfig", "no object", false},
	{"[]", "", "! 2 name", "no object at all", false},
};

static void put(struct arena *a, const struct provider_body *b, struct text *out)
{
	struct json_writer w;

	if (b->rc != PROVIDER_BODY_OK) {
		text_addf(out, "! %d %s", (int)b->rc, b->field != NULL ? b->field : "-");
		return;
	}
	for (size_t i = 0; i < b->n_items; i++) {
		text_add_str(out, i > 0 ? " " : "");
		text_add_char(out, b->items[i].verb == OPS_CREATE ? '+' : '~');
		json_writer_init(&w, out);
		doc_put_json(a, &w, b->items[i].body);
	}
}

static void make(struct arena *a, struct bytes json, bool upsert, struct provider_body *out)
{
	const struct provider_body_request rq = {.arena = a,
		.body = doc_of_json(a, json_parse(a, json, NULL)),
		.providers = doc_of_json(a, json_parse(a, bytes_str(providers), NULL)),
		.sources = doc_of_json(a, json_parse(a, bytes_str(sources), NULL)),
		.upsert = upsert,
		.address_allowed = upstream_allowed};

	provider_body_make(&rq, out);
}

static void bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct provider_body b;
		struct arena a;
		struct text t;

		arena_init(&a, 1 << 20);
		text_init(&t, 10000);
		make(&a, bytes_str(rows[i].body), rows[i].upsert, &b);
		put(&a, &b, &t);
		if (strcmp(text_cstr(&t), rows[i].expect) != 0 ||
			(b.rc == PROVIDER_BODY_OK && !bytes_eq(b.type, bytes_str(rows[i].type))) ||
			(b.rc != PROVIDER_BODY_OK && (b.why.n == 0 || b.n_items != 0))) {
			fail_msg("%s: %s\n    instead of %s", rows[i].reason, text_cstr(&t),
				rows[i].expect);
		}
		text_done(&t);
		arena_done(&a);
	}
}

/* M-42, and what else is no place for a model. */
static void urls_are_refused(void **state)
{
	static const char *const urls[] = {"file:///x", "http://u:p@h", "http://169.254.169.254",
		"http://169.254.1.1/v1", "http://[fe80::1]", "http://[::ffff:169.254.169.254]",
		"http://metadata.google.internal", "ftp://h", "h.test/v1", "http://",
		"http://h?a=b", "http://h/?", "http://h/#f", "http://h:0", "http://h:65536",
		"http://a b", "//h"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct provider_body b;
		struct arena a;
		struct text t;

		arena_init(&a, 1 << 20);
		text_init(&t, 10000);
		text_addf(&t, "{\"name\":\"x\",\"apiKey\":\"k\",\"baseUrl\":\"%s\"}", urls[i]);
		make(&a, text_bytes(&t), false, &b);
		if (b.rc != PROVIDER_BODY_INVALID || strcmp(b.field, "baseUrl") != 0) {
			fail_msg("%s", urls[i]);
		}
		text_done(&t);
		arena_done(&a);
	}
}

/* M-43 */
static void names_are_checked(void **state)
{
	static const struct {
		const char *name;
		bool ok;
	} names[] = {
		{"qwen", true},
		{"a", true},
		{"A9._-", true},
		{"dns", true},
		{"default2", true},
		{"a'; touch x; '", false},
		{"a\"b", false},
		{"../a", false},
		{"a/b", false},
		{".a", false},
		{"-a", false},
		{"a.dns", false},
		{"a.static", false},
		{"default", false},
		{"\xc3\xa9", false},
		{"", false},
	};
	char longest[PROVIDER_BODY_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (provider_body_name_is_valid(bytes_str(names[i].name)) != names[i].ok) {
			fail_msg("%s", names[i].name);
		}
	}
	memset(longest, 'x', sizeof(longest));
	assert_true(provider_body_name_is_valid(bytes_of(longest, PROVIDER_BODY_NAME_MAX)));
	assert_false(provider_body_name_is_valid(bytes_of(longest, PROVIDER_BODY_NAME_MAX + 1)));
}

static void room_ends(void **state)
{
	static const char body[] =
		"{\"name\":\"x\",\"apiKey\":\"k\",\"baseUrl\":\"http://h.test\"}";
	bool whole = false;

	(void)state;
	for (size_t max = 0; !whole; max += 64) {
		struct arena given, a;
		struct provider_body b;
		struct provider_body_request rq;

		arena_init(&given, 1 << 20);
		arena_init(&a, max);
		rq = (struct provider_body_request){.arena = &a,
			.body = doc_of_json(&given, json_parse(&given, bytes_str(body), NULL))};
		provider_body_make(&rq, &b);
		whole = b.rc == PROVIDER_BODY_OK;
		assert_true(whole ? b.n_items == 2 : b.rc == PROVIDER_BODY_LARGE && b.n_items == 0);
		arena_done(&a);
		arena_done(&given);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(urls_are_refused),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(room_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
