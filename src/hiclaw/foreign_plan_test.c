/* Objects as another Console shows them, asked where requests go there. */
#include "hiclaw/foreign_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hiclaw/resolve.h"
#include "wire/json.h"

static const struct capability caps[] = {{API_CHAT_COMPLETIONS, "/v1/chat/completions"}};
#define TYPE(type)                                                                             \
	{                                                                                      \
		.name = type, .default_host = type ".test", .auth = AUTH_BEARER, .caps = caps, \
		.n_caps = 1                                                                    \
	}
static const struct provider_type type_rows[] = {TYPE("qwen"), TYPE("openai")};
static const struct provider_types types = {type_rows, ARRAY_LEN(type_rows)};

#define CONSUMER(name, key)                                      \
	"{\"name\":\"" name                                      \
	"\",\"credentials\":[{\"type\":\"key-auth\",\"source\":" \
	"\"BEARER\",\"values\":[\"" key "\"]}]}"
#define ROUTE(name, provider, consumers, more)                                                    \
	"{\"name\":\"" name                                                                       \
	"\",\"version\":\"17\",\"domains\":[],\"pathPredicate\":"                                 \
	"{\"matchType\":\"PRE\",\"matchValue\":\"/v1\"},\"upstreams\":[{\"provider\":\"" provider \
	"\",\"weight\":100,\"modelMapping\":{}}]," more                                           \
	"\"authConfig\":{\"enabled\":true,\"allowedCredentialTypes\":[\"key-auth\"],"             \
	"\"allowedConsumers\":[" consumers "]}}"

static const char *const texts[OPS_NOUNS] = {
	[OPS_SOURCE] =
		"[{\"name\":\"own\",\"type\":\"dns\",\"domain\":\"own.test\",\"port\":443,"
		"\"protocol\":\"https\"},{\"name\":\"odd\",\"type\":\"unheard-of\"}]",
	[OPS_PROVIDER] =
		"[{\"name\":\"qwen\",\"type\":\"qwen\",\"tokens\":[\"k******\"],"
		"\"version\":\"3\"},"
		"{\"name\":\"own\",\"type\":\"openai\",\"tokens\":[\"k\"],\"rawConfigs\":{"
		"\"openaiCustomUrl\":\"https://own.test/v1\",\"openaiCustomServiceName\":"
		"\"own.dns\",\"openaiCustomServicePort\":443}},"
		"{\"name\":\"new\",\"type\":\"not-yet-known\",\"tokens\":[\"k\"]}]",
	[OPS_CONSUMER] = "[" CONSUMER("manager", "******") "," CONSUMER("worker-alice", "a") "]",
	[OPS_AI_ROUTE] = "[" ROUTE("default-ai-route", "qwen", "\"manager\",\"worker-alice\"",
		"") "," ROUTE("own-ai-route", "own", "\"manager\"",
		"\"modelPredicates\":[{\"matchType\":\"PRE\",\"matchValue\":\"own\"}],") "]",
};

static struct plan *begin(void)
{
	struct doc *lists[OPS_NOUNS] = {NULL};
	struct arena a;
	struct plan *p;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < OPS_NOUNS; i++) {
		struct fault f = {0};
		struct json_value *v =
			texts[i] != NULL ? json_parse(&a, bytes_str(texts[i]), &f) : NULL;

		if (texts[i] != NULL && v == NULL) {
			fail_msg("%s: %s", texts[i], f.text);
		}
		lists[i] = v != NULL ? doc_of_json(&a, v) : NULL;
	}
	p = foreign_plan(lists, &types, 1700000000);
	arena_done(&a); /* the lists go first */
	return p;
}

static void says_where_requests_go(void **state)
{
	static const struct {
		const char *consumer, *model, *route, *provider;
		bool allowed;
		const char *reason;
	} rows[] = {
		{"manager", "qwen3", "default-ai-route", "qwen", true, "the default route"},
		{"manager", "own-1", "own-ai-route", "own", true, "the route of the model"},
		{"worker-alice", "own-1", "own-ai-route", "", false, "alice is not on its list"},
		{"worker-alice", "qwen3", "default-ai-route", "qwen", true, "and here she is"},
		{"nobody", "qwen3", "", "", false,
			"no such consumer: refused before a route is chosen"},
	};
	struct plan *p = begin();
	struct arena a;

	(void)state;
	assert_non_null(p);
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct resolve_request rq = {.host = BYTES("aigw-local.hiclaw.io:8080"),
			.path = BYTES("/v1/chat/completions"),
			.consumer = bytes_str(rows[i].consumer),
			.model = bytes_str(rows[i].model)};
		struct resolve_answer r;

		assert_int_equal(resolve_model(p, &rq, &a, &r), 0);
		if (r.allowed != rows[i].allowed || !bytes_eq(r.route, bytes_str(rows[i].route)) ||
			!bytes_eq(r.provider, bytes_str(rows[i].provider))) {
			fail_msg("%s: " BYTES_FMT ", " BYTES_FMT ": " BYTES_FMT, rows[i].reason,
				BYTES_ARG(r.route), BYTES_ARG(r.provider), BYTES_ARG(r.text));
		}
	}
	arena_done(&a);
	plan_free(p);
}

static void of_nothing(void **state)
{
	struct doc *lists[OPS_NOUNS] = {NULL};
	struct plan *p = foreign_plan(lists, &types, 1700000000);

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->n_routes, 0);
	plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_requests_go),
		cmocka_unit_test(of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
