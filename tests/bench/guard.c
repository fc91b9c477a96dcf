/*
 * What script/guard counts: each function is called CALLS times between two marks of callgrind, which
 * writes the instructions between them into a dump of that name. Run outside of valgrind it only checks
 * that every call gives what it should.
 */
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "ai/compatible.h"
#include "base/text.h"
#include "plan/world.h"
#include "wire/h1.h"
#include "wire/json.h"
#include "wire/sse.h"

#define CALLS 100
#define N_ROUTES 100
#define REQUIRE(fact) ((fact) ? (void)0 : wrong(#fact, __LINE__))

static void wrong(const char *fact, int line)
{
	fprintf(stderr, "guard.c:%d: not so: %s\n", line, fact);
	exit(1);
}

static const char request_head[] =
	"POST /v1/chat/completions HTTP/1.1\r\nHost: api.example.com\r\nConnection: keep-alive\r\n"
	"Accept: application/json\r\nUser-Agent: OpenAI/JS 4.52.0\r\nContent-Type: application/json\r\n"
	"Content-Length: 1024\r\nAuthorization: Bearer sk-000000000000000000000000\r\n"
	"Accept-Encoding: gzip,deflate\r\nx-stainless-lang: js\r\nx-stainless-os: Linux\r\n"
	"x-stainless-arch: x64\r\nx-stainless-runtime: node\r\nx-stainless-retry-count: 0\r\n\r\n";

static const char response_head[] =
	"HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
	"Content-Length: 1024\r\nConnection: keep-alive\r\nServer: upstream\r\n"
	"x-request-id: 6f1e4c0e5d3b4a8d9b5f1a2b3c4d5e6f\r\nx-ratelimit-limit-requests: 10000\r\n"
	"x-ratelimit-remaining-requests: 9999\r\nopenai-processing-ms: 312\r\n\r\n";

static const char event[] =
	"data: {\"id\":\"chatcmpl-9fJ2mXcQ0n1bTq8ZkLw3\",\"object\":\"chat.completion.chunk\","
	"\"created\":1719243785,\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":"
	"\"fp_3aa7262c27\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" gateway\"},"
	"\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n";

static const char answer[] =
	"{\"id\":\"chatcmpl-9fJ2mXcQ0n1bTq8ZkLw3\",\"object\":\"chat.completion\",\"created\":1719243785,"
	"\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
	"\"assistant\",\"content\":\"A gateway stands between clients and the models they ask.\"},"
	"\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
	"\"completion_tokens\":12,\"total_tokens\":21,\"prompt_tokens_details\":{\"cached_tokens\":0},"
	"\"completion_tokens_details\":{\"reasoning_tokens\":0}},\"system_fingerprint\":null}";

static void begin(void)
{
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
}

static void end(const char *name)
{
	CALLGRIND_DUMP_STATS_AT(name);
	CALLGRIND_STOP_INSTRUMENTATION;
}

static void count_heads(void)
{
	static struct field fields[H1_FIELDS_MAX];
	struct h1_head h;
	struct fault f;

	begin();
	for (int i = 0; i < CALLS; i++) {
		size_t scanned = 0, used;

		h = (struct h1_head){.fields = fields};
		REQUIRE(h1_parse_request(&h, bytes_str(request_head), &scanned, &used, &f) ==
			READ_DONE);
	}
	end("request-head");
	REQUIRE(h.n_fields == 13 && h.length == 1024);
	begin();
	for (int i = 0; i < CALLS; i++) {
		size_t scanned = 0, used;

		h = (struct h1_head){.fields = fields};
		REQUIRE(h1_parse_response(&h, bytes_str(response_head), false, &scanned, &used,
				&f) == READ_DONE);
	}
	end("response-head");
	REQUIRE(h.status == 200 && h.n_fields == 9);
}

static void count_scan(const char *name, struct json_query *query, struct bytes text, size_t want)
{
	size_t found = 0;

	begin();
	for (int i = 0; i < CALLS; i++) {
		struct json_hit room[24];
		struct json_hits hits;

		json_hits_init(&hits, room, ARRAY_LEN(room), ARRAY_LEN(room));
		REQUIRE(json_scan_all(query, text, &hits, NULL) == 0);
		found = hits.n;
	}
	end(name);
	REQUIRE(found == want);
	json_query_free(query);
}

/* As script/bench sends it: `model` is the last member. */
static void count_body(void)
{
	struct text t;

	text_init(&t, 4096);
	text_add_str(&t, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
	while (t.n < 980) {
		text_add_str(&t, "The quick brown fox said \\\"hello\\\" and went on.\\n");
	}
	text_add_str(&t, "\"}],\"temperature\":0.7,\"stream\":true,\"model\":\"bench\"}");
	count_scan("body-scan", compatible_request_query(), text_bytes(&t), 2);
	text_done(&t);
}

static void count_event(void)
{
	struct sse s;
	struct sse_event ev = {.raw_n = 0};
	size_t used = 0;

	sse_init(&s);
	begin();
	for (int i = 0; i < CALLS; i++) {
		REQUIRE(sse_feed(&s, bytes_str(event), &used, &ev) == READ_DONE);
	}
	end("event");
	REQUIRE(used == sizeof(event) - 1 && ev.data_lines == 1);
}

static void count_route(void)
{
	static const struct provider_types none = {0};
	const struct route *out[PLAN_LEADERS_MAX];
	char name[16], host[32], path[32];
	struct world w;
	struct plan *p;
	size_t n = 0;

	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml", WORLD_REGISTRIES(WORLD_UP));
	for (int i = 0; i < N_ROUTES; i++) {
		snprintf(name, sizeof(name), "r%02d", i);
		snprintf(host, sizeof(host), "h%02d.example.com", i / 4);
		snprintf(path, sizeof(path), "/v1%s",
			i % 4 == 0           ? ""
				: i % 4 == 1 ? "/chat"
					     : name);
		world_add_ingress(
			&w, &(struct world_ingress){.name = name, .host = host, .path = path});
	}
	p = world_plan(&w, &none);
	REQUIRE(p->n_routes == N_ROUTES);
	begin();
	for (int i = 0; i < CALLS; i++) {
		const struct route_query q = {.host = BYTES("h07.example.com"),
			.path = BYTES("/v1/chat/completions"),
			.method = METHOD_POST};

		n = plan_leaders(p, &q, out, ARRAY_LEN(out));
		REQUIRE(plan_choose(out, n, &(struct route_model){.name = BYTES("gpt-4o")}) ==
			out[0]);
	}
	end("route");
	REQUIRE(n != 0 && bytes_eq(out[0]->name, BYTES("r29")));
	plan_free(p);
	world_done(&w);
}

int main(void)
{
	count_heads();
	count_body();
	count_scan("answer-scan", compatible_answer_query(), bytes_str(answer), 6);
	count_event();
	count_route();
	return 0;
}
