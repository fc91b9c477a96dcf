/*
 * What scanning costs: json_bench [name of a way]. Prints GB/s for large texts and nanoseconds for small
 * ones, the best of several rounds. Nothing here is asserted: figures depend on the machine.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/json_int.h"

#define N_TEXTS 9
#define BIG (1u << 20)
#define PIECE 32744u /* a segment's room */

static const struct json_want request_wants[] = {{"model", NULL}, {"stream", NULL},
	{"stream_options.include_usage", NULL}, {"user", NULL}, {"messages", NULL},
	{"max_tokens", NULL}};
static const struct json_want event_wants[] = {{"usage", NULL}, {"usage.prompt_tokens", NULL},
	{"usage.completion_tokens", NULL}, {"usage.total_tokens", NULL}, {"error", NULL}};

static const char event[] =
	"{\"id\":\"chatcmpl-9fJ2mXcQ0n1bTq8ZkLw3\",\"object\":\"chat.completion.chunk\","
	"\"created\":1719243785,\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":"
	"\"fp_3aa7262c27\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" gateway\"},"
	"\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"service_tier\":\"default\"}";

struct job {
	const char *name;
	struct bytes text;
	const struct json_query *query;
};

static void fill(struct text *t, const char *const *words, size_t n)
{
	for (size_t i = 0; t->n < BIG; i = (i + 1) % n) {
		text_add_str(t, words[i]);
	}
}

static void chat(struct text *t, const char *const *words, size_t n)
{
	text_init(t, 2 * BIG);
	text_add_str(t, "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"");
	fill(t, words, n);
	text_add_str(t, "\"}],\"stream\":true}");
}

static void array(struct text *t, const char *const *words, size_t n)
{
	text_init(t, 2 * BIG);
	text_add_str(t, "{\"data\":[");
	fill(t, words, n);
	text_add_str(t, "null]}");
}

static void small_request(struct text *t)
{
	text_init(t, 4096);
	text_add_str(t,
		"{\"model\":\"gpt-4o\",\"temperature\":0.7,\"top_p\":1,\"n\":1,\"stream\":true,"
		"\"stream_options\":{\"include_usage\":true},\"max_tokens\":1024,"
		"\"presence_penalty\":0,\"frequency_penalty\":0.5,\"user\":\"user-1234\","
		"\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful "
		"assistant.\"},{\"role\":\"user\",\"content\":\"");
	while (t->n < 1000) {
		text_add_str(t, "Tell me about \\\"gateways\\\", please.\\n");
	}
	text_add_str(t, "\"}]}");
}

static double best_ns(const struct job *job, size_t piece, const struct json_run *way)
{
	size_t times = BIG * 16 / (job->text.n + 2000);
	double best = 1e18;

	for (int round = 0; round < 7; round++) {
		uint64_t start = clock_mono_ns();
		double ns;

		for (size_t i = 0; i < times; i++) {
			struct json_hit room[16];
			struct json_scan_room mem;
			struct json_hits hits;
			struct json_scan *s;
			enum read_rc rc = READ_MORE;

			json_hits_init(&hits, room, ARRAY_LEN(room), ARRAY_LEN(room));
			s = json_scan_init(&mem, job->query, &hits);
			s->run = way->run;
			for (size_t at = 0; at < job->text.n && rc == READ_MORE; at += piece) {
				rc = json_scan_feed(
					s, job->text.p + at, MIN(piece, job->text.n - at), NULL);
			}
			if (rc != READ_MORE || json_scan_end(s, NULL) != READ_DONE) {
				fprintf(stderr, "%s: refused\n", job->name);
				exit(1);
			}
		}
		ns = (double)(clock_mono_ns() - start) / (double)times;
		best = MIN(best, ns);
	}
	return best;
}

static void measure(const struct json_run *way)
{
	static const char *const prose[] = {"Please explain how it works in\\n",
		"detail and say \\\"why\\\" it matters to us so "};
	static const char *const code[] = {
		"\\tif (x)\\n", "\\t\\tf(\\\"a\\\");\\n", "\\n", "\\treturn y;\\n", "}\\n"};
	static const char *const ascii[] = {"a sentence without any escape in it, and more "};
	static const char *const chinese[] = {"请解释一下这个网关是如何工作的，谢谢。\\n"};
	static const char *const escaped[] = {"\\u8bf7\\u89e3\\u91ca\\u4e00\\u4e0b"};
	static const char *const mixed[] = {"Prière de répondre à cette question, café. \\n"};
	static const char *const floats[] = {"-0.0123456789,", "0.00287654,", "1.5e-05,"};
	static const char *const tokens[] = {"[],", "{\"a\":1},", "0,", "true,"};
	struct text texts[N_TEXTS];
	struct json_query *request = json_query_new(request_wants, ARRAY_LEN(request_wants));
	struct json_query *usage = json_query_new(event_wants, ARRAY_LEN(event_wants));
	struct job jobs[] = {{"chat text, an escape each 33 bytes", {0}, request},
		{"source code, an escape each 4-8", {0}, request},
		{"ASCII without escapes", {0}, request}, {"Chinese", {0}, request},
		{"Chinese as \\uXXXX", {0}, request}, {"French", {0}, request},
		{"numbers of an embedding", {0}, usage}, {"tiny tokens", {0}, request},
		{"chat request, 1 KB", {0}, request}, {"SSE event, 300 bytes", {0}, usage}};

	chat(&texts[0], prose, ARRAY_LEN(prose));
	chat(&texts[1], code, ARRAY_LEN(code));
	chat(&texts[2], ascii, ARRAY_LEN(ascii));
	chat(&texts[3], chinese, ARRAY_LEN(chinese));
	chat(&texts[4], escaped, ARRAY_LEN(escaped));
	chat(&texts[5], mixed, ARRAY_LEN(mixed));
	array(&texts[6], floats, ARRAY_LEN(floats));
	array(&texts[7], tokens, ARRAY_LEN(tokens));
	small_request(&texts[8]);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		double ns;

		jobs[i].text = i < N_TEXTS ? text_bytes(&texts[i]) : bytes_str(event);
		ns = best_ns(&jobs[i], PIECE, way);
		printf("%-9s %-36s %8zu bytes %10.0f ns %7.2f GB/s\n", way->name, jobs[i].name,
			jobs[i].text.n, ns, (double)jobs[i].text.n / ns);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		text_done(&texts[i]);
	}
	json_query_free(request);
	json_query_free(usage);
}

int main(int argc, char **argv)
{
	size_t n;
	const struct json_run *ways = json_runs(&n);

	for (size_t i = 0; i < n; i++) {
		if (argc < 2 || strcmp(argv[1], ways[i].name) == 0) {
			measure(&ways[i]);
		}
	}
	return 0;
}
