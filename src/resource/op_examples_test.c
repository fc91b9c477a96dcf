/*
 * The two worked examples of higress-resources.md §4 as wholes: the API objects in their order give the files
 * of tests/data/canonical to the byte. One difference is meant: the Console counts each of its writes, and
 * here one operation writes a file once, so of files that it writes several times the version is lower.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants these first */
#include <cmocka.h>

#include "resource/op_world.h"

#define BRIDGE                                                                             \
	"file mcpbridges/default {apiVersion: networking.higress.io/v1, kind: McpBridge, " \
	"metadata: {creationTimestamp: '2000-01-01T00:00:00Z', name: default, "            \
	"namespace: higress-system, resourceVersion: '1'}, spec: {registries: "            \
	"[{domain: '127.0.0.1:8001', name: higress-console, port: 80, type: static}]}, "   \
	"status: {}}"

static const char *const first_steps[] = {
	BRIDGE,
	"create domain zimomo.com {\"name\":\"zimomo.com\",\"enableHttps\":\"off\"}",
	"create provider lololo {\"name\":\"lololo\",\"type\":\"openai\",\"protocol\":\"openai/v1\","
	"\"tokens\":[],\"tokenFailoverConfig\":{\"enabled\":false},\"rawConfigs\":{"
	"\"openaiCustomUrl\":\"https://lololo.com/v1\",\"openaiExtraCustomUrls\":[]}}",
	"create consumer labubu {\"name\":\"labubu\",\"credentials\":[{\"type\":\"key-auth\","
	"\"source\":\"BEARER\",\"values\":[\"123456-xxx\"]}]}",
	"create ai-route zimomo2lololo {\"name\":\"zimomo2lololo\",\"domains\":[\"zimomo.com\"],"
	"\"pathPredicate\":{\"matchType\":\"PRE\",\"matchValue\":\"/v1\"},\"headerPredicates\":[],"
	"\"urlParamPredicates\":[],\"upstreams\":[{\"provider\":\"lololo\",\"weight\":100,"
	"\"modelMapping\":{}}],\"modelPredicates\":[],\"authConfig\":{\"enabled\":true,"
	"\"allowedConsumers\":[\"labubu\"]},\"fallbackConfig\":{\"enabled\":false}}",
};

static const char *const second_steps[] = {
	BRIDGE,
	"create domain ai.example.com {\"name\":\"ai.example.com\",\"enableHttps\":\"on\","
	"\"certIdentifier\":\"ai-example-com\"}",
	"create provider qwen {\"name\":\"qwen\",\"type\":\"qwen\",\"tokens\":[\"sk-qwen-1\","
	"\"sk-qwen-2\"],\"tokenFailoverConfig\":{\"enabled\":true,\"failureThreshold\":3,"
	"\"successThreshold\":1,\"healthCheckInterval\":5000,\"healthCheckTimeout\":5000,"
	"\"healthCheckModel\":\"qwen-turbo\"},\"rawConfigs\":{}}",
	"create provider deepseek {\"name\":\"deepseek\",\"type\":\"deepseek\",\"tokens\":["
	"\"sk-deepseek-1\"],\"tokenFailoverConfig\":{\"enabled\":false}}",
	"create consumer alice {\"name\":\"alice\",\"credentials\":[{\"type\":\"key-auth\","
	"\"source\":\"HEADER\",\"key\":\"x-api-key\",\"values\":[\"alice-key-1\"]}]}",
	"create consumer bob {\"name\":\"bob\",\"credentials\":[{\"type\":\"key-auth\","
	"\"source\":\"QUERY\",\"key\":\"apikey\",\"values\":[\"bob-key-1\",\"bob-key-2\"]}]}",
	"create ai-route chat-mix {\"name\":\"chat-mix\",\"domains\":[\"ai.example.com\"],"
	"\"headerPredicates\":[],\"urlParamPredicates\":[],\"upstreams\":[{\"provider\":\"qwen\","
	"\"weight\":70,\"modelMapping\":{\"deepseek-*\":\"qwen-plus\"}},{\"provider\":\"deepseek\","
	"\"weight\":30,\"modelMapping\":{\"qwen-*\":\"deepseek-chat\"}}],\"modelPredicates\":["
	"{\"matchType\":\"PRE\",\"matchValue\":\"qwen-\"},{\"matchType\":\"EQUAL\","
	"\"matchValue\":\"deepseek-chat\"}],\"authConfig\":{\"enabled\":true,\"allowedConsumers\":["
	"\"alice\",\"bob\"]},\"fallbackConfig\":{\"enabled\":true,\"upstreams\":[{\"provider\":"
	"\"deepseek\",\"modelMapping\":{\"*\":\"deepseek-chat\"}}],\"fallbackStrategy\":\"SEQ\","
	"\"responseCodes\":[\"4xx\",\"5xx\"]}}",
};

static const struct example {
	const char *directory;
	const char *const *steps;
	size_t n_steps, n_files; /* certificates are another noun's */
} examples[] = {
	{"one", first_steps, ARRAY_LEN(first_steps), 7},
	{"two", second_steps, ARRAY_LEN(second_steps), 11},
};

static void read_expected(const char *directory, struct bytes file, struct text *out)
{
	char path[512], room[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "tests/data/canonical/%s/" BYTES_FMT, directory,
		BYTES_ARG(file));
	f = fopen(path, "rb");
	if (f == NULL) {
		print_error("    %s is missing\n", path);
		abort();
	}
	while ((n = fread(room, 1, sizeof(room), f)) > 0) {
		text_add(out, room, n);
	}
	fclose(f);
}

/* resourceVersion of a text becomes that of another: see above. */
static struct bytes with_version(struct op_world *w, struct bytes text, struct bytes version)
{
	static const struct bytes key = {"resourceVersion: \"", 18};

	for (size_t i = 0; i + key.n < text.n; i++) {
		if (memcmp(text.p + i, key.p, key.n) == 0) {
			const char *end = memchr(text.p + i + key.n, '"', text.n - i - key.n);

			return op_textf(&w->op, BYTES_FMT BYTES_FMT BYTES_FMT, (int)(i + key.n),
				text.p, BYTES_ARG(version), (int)(text.p + text.n - end), end);
		}
	}
	return text;
}

static bool same_file(struct op_world *w, const char *directory, const struct object *o)
{
	struct text have, want;
	struct bytes expected;
	bool same;

	text_init(&have, RESOURCE_FILE_MAX);
	text_init(&want, RESOURCE_FILE_MAX);
	yaml_write(&w->arena, &have, doc_of_yaml(&w->arena, o->root));
	read_expected(directory, o->file, &want);
	expected = with_version(w, text_bytes(&want), o->meta.version);
	same = bytes_eq(text_bytes(&have), expected);
	if (!same) {
		print_error("    %s/%.*s is\n%s    and not\n%.*s", directory, (int)o->file.n,
			o->file.p, text_cstr(&have), (int)expected.n, expected.p);
	}
	text_done(&have);
	text_done(&want);
	return same;
}

static void test_examples(void **state)
{
	(void)state;
	for (size_t e = 0; e < ARRAY_LEN(examples); e++) {
		const struct example *x = &examples[e];
		struct op_world w;

		op_world_init(&w);
		for (size_t i = 0; i < x->n_steps; i++) {
			assert_int_equal(op_world_do(&w, bytes_str(x->steps[i])), OP_OK);
		}
		assert_int_equal(w.snapshot->n, x->n_files);
		for (size_t i = 0; i < w.snapshot->n; i++) {
			assert_true(same_file(&w, x->directory, w.snapshot->objects[i]));
		}
		op_world_done(&w);
	}
}

/* What the API shows of them, sent back, changes nothing. */
static void test_round_trip(void **state)
{
	static const struct op_noun *const nouns[] = {
		&op_domain, &op_provider, &op_consumer, &op_ai_route};

	(void)state;
	for (size_t e = 0; e < ARRAY_LEN(examples); e++) {
		const struct example *x = &examples[e];
		struct op_world w;

		op_world_init(&w);
		for (size_t i = 0; i < x->n_steps; i++) {
			assert_int_equal(op_world_do(&w, bytes_str(x->steps[i])), OP_OK);
		}
		for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
			struct strings names = nouns[i]->list(&w.op);

			assert_true(names.n > 0);
			for (size_t k = 0; k < names.n; k++) {
				struct bytes name = arena_copy(&w.arena, names.v[k]);
				struct doc *body = nouns[i]->read(&w.op, name);

				assert_int_equal(
					nouns[i]->save(&w.op, OP_UPDATE, name, body), OP_OK);
				assert_int_equal(draft_finish(&w.op.draft, OP_WORLD_NOW, false), 0);
				assert_int_equal(w.op.draft.n, 0);
				op_done(&w.op);
				op_init(&w.op, w.snapshot, &w.arena);
			}
		}
		op_world_done(&w);
	}
}

/* Whatever the arena holds, nothing breaks, and a draft that lacks something is never finished. */
static void test_small_arenas(void **state)
{
	const struct example *x = &examples[1];
	struct op_world w;
	size_t refused = 0, done = 0;

	(void)state;
	op_world_init(&w);
	for (size_t i = 0; i + 1 < x->n_steps; i++) {
		assert_int_equal(op_world_do(&w, bytes_str(x->steps[i])), OP_OK);
	}
	for (size_t max = 1024; done == 0; max += 1500) {
		struct bytes body = bytes_str(x->steps[x->n_steps - 1]);
		struct arena small;
		struct op op;

		while (body.p[0] != '{') {
			body = bytes_of(body.p + 1, body.n - 1);
		}
		arena_init(&small, max);
		op_init(&op, w.snapshot, &small);
		if (op_ai_route.save(&op, OP_CREATE, BYTES("chat-mix"), op_world_json(&w, body)) !=
				OP_OK ||
			draft_finish(&op.draft, OP_WORLD_NOW, false) != 0) {
			assert_true(arena_full(&small));
			refused++;
		} else {
			assert_false(arena_full(&small));
			done++;
		}
		op_done(&op);
		arena_done(&small);
	}
	assert_true(refused > 10);
	op_world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_small_arenas),
	};

	return cmocka_run_group_tests_name("op_examples", tests, NULL, NULL);
}
