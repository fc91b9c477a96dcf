/*
 * Golden cases of the edit: a file, a wish, and what of the file is another text afterwards. Everything that a
 * row does not name must be the same byte for byte.
 */
#include "hiclaw/openclaw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/json5_edit_agree_int.h"

/* Like what the Manager's template becomes: order and blank lines of a person, lists on one line. */
#define MANAGER                                                                                 \
	"{\n"                                                                                   \
	"  \"gateway\": {\n"                                                                    \
	"    \"mode\": \"local\",\n"                                                            \
	"    \"auth\": {\n"                                                                     \
	"      \"token\": \"k-manager\"\n"                                                      \
	"    }\n"                                                                               \
	"  },\n"                                                                                \
	"\n"                                                                                    \
	"  \"models\": {\n"                                                                     \
	"    \"mode\": \"merge\",\n"                                                            \
	"    \"providers\": {\n"                                                                \
	"      \"hiclaw-gateway\": {\n"                                                         \
	"        \"baseUrl\": \"http://aigw-local.hiclaw.io:8080/v1\",\n"                       \
	"        \"apiKey\": \"k-manager\",\n"                                                  \
	"        \"api\": \"openai-completions\",\n"                                            \
	"        \"models\": [\n"                                                               \
	"          {\n"                                                                         \
	"            \"id\": \"qwen3.5-plus\",\n"                                               \
	"            \"name\": \"qwen3.5-plus\",\n"                                             \
	"            \"reasoning\": true,\n"                                                    \
	"            \"contextWindow\": 200000,\n"                                              \
	"            \"maxTokens\": 64000,\n"                                                   \
	"            \"input\": [\"text\", \"image\"]\n"                                        \
	"          },\n"                                                                        \
	"          {\n"                                                                         \
	"            \"id\": \"glm-5\",\n"                                                      \
	"            \"cost\": { \"input\": 1e6, \"output\": 12345678901234567890 },\n"         \
	"            \"headers\": { \"x\": \"\\u0041\" },\n"                                    \
	"            \"contextWindow\": 200000.0,\n"                                            \
	"            \"maxTokens\": 64000\n"                                                    \
	"          }\n"                                                                         \
	"        ]\n"                                                                           \
	"      }\n"                                                                             \
	"    }\n"                                                                               \
	"  },\n"                                                                                \
	"\n"                                                                                    \
	"  \"agents\": {\n"                                                                     \
	"    \"defaults\": {\n"                                                                 \
	"      \"timeoutSeconds\": 1800,\n"                                                     \
	"      \"model\": {\n"                                                                  \
	"        \"primary\": \"hiclaw-gateway/qwen3.5-plus\"\n"                                \
	"      },\n"                                                                            \
	"      \"models\": {\n"                                                                 \
	"        \"hiclaw-gateway/qwen3.5-plus\": { \"alias\": \"qwen3.5-plus\" },\n"           \
	"        \"hiclaw-gateway/glm-5\": { \"alias\": \"G\", \"params\": { \"n\": 1.50 } }\n" \
	"      }\n"                                                                             \
	"    }\n"                                                                               \
	"  },\n"                                                                                \
	"\n"                                                                                    \
	"  \"session\": {\n"                                                                    \
	"    \"dm\":    { \"atHour\": 4 }\n"                                                    \
	"  }\n"                                                                                 \
	"}\n"

/* Like what the controller writes: sorted keys, no line end at the end. */
#define CONTROLLER                                               \
	"{\n"                                                    \
	"  \"agents\": {\n"                                      \
	"    \"defaults\": {\n"                                  \
	"      \"maxConcurrent\": 4,\n"                          \
	"      \"model\": {\n"                                   \
	"        \"primary\": \"hiclaw-gateway/qwen3.5-plus\"\n" \
	"      },\n"                                             \
	"      \"models\": {\n"                                  \
	"        \"hiclaw-gateway/qwen3.5-plus\": {\n"           \
	"          \"alias\": \"qwen3.5-plus\"\n"                \
	"        }\n"                                            \
	"      },\n"                                             \
	"      \"workspace\": \"~\"\n"                           \
	"    }\n"                                                \
	"  },\n"                                                 \
	"  \"gateway\": {\n"                                     \
	"    \"auth\": {\n"                                      \
	"      \"token\": \"k-worker\"\n"                        \
	"    },\n"                                               \
	"    \"mode\": \"local\"\n"                              \
	"  },\n"                                                 \
	"  \"models\": {\n"                                      \
	"    \"mode\": \"merge\",\n"                             \
	"    \"providers\": {\n"                                 \
	"      \"hiclaw-gateway\": {\n"                          \
	"        \"api\": \"openai-completions\",\n"             \
	"        \"apiKey\": \"k-worker\",\n"                    \
	"        \"baseUrl\": \"http://gw/v1\",\n"               \
	"        \"models\": [\n"                                \
	"          {\n"                                          \
	"            \"contextWindow\": 200000,\n"               \
	"            \"id\": \"qwen3.5-plus\",\n"                \
	"            \"input\": [\n"                             \
	"              \"text\",\n"                              \
	"              \"image\"\n"                              \
	"            ],\n"                                       \
	"            \"maxTokens\": 64000,\n"                    \
	"            \"name\": \"qwen3.5-plus\",\n"              \
	"            \"reasoning\": true\n"                      \
	"          }\n"                                          \
	"        ]\n"                                            \
	"      }\n"                                              \
	"    }\n"                                                \
	"  }\n"                                                  \
	"}"

/* Written by hand. */
#define COMMENTED                                                                            \
	"// our gateway\n"                                                                   \
	"{\n"                                                                                \
	"  gateway: { mode: 'local', },\n"                                                   \
	"  models: {\n"                                                                      \
	"    providers: {\n"                                                                 \
	"      'hiclaw-gateway': {\n"                                                        \
	"        baseUrl: 'http://gw/v1', apiKey: '${KEY}',\n"                               \
	"        models: [\n"                                                                \
	"          { id: 'glm-5', contextWindow: +200000, }, // cheap\n"                     \
	"          // { id: 'old' },\n"                                                      \
	"        ],\n"                                                                       \
	"      },\n"                                                                         \
	"    },\n"                                                                           \
	"  },\n"                                                                             \
	"  agents: { defaults: { /* who */ model: 'hiclaw-gateway/glm-5' /* now */, }, },\n" \
	"}\n"

struct change {
	const char *from, *to;
};

static const struct row {
	const char *id, *text;
	struct change before[4]; /* of the text, so that it is what the row is about */
	const char *model;
	struct model_traits given;
	const char *key;
	bool worker, crlf;
	enum config_code code;
	struct change after[5]; /* what the edit must change */
	const char *reason;
} rows[] = {
	{.id = "HI-01",
		.text = MANAGER,
		.model = "glm-5",
		.after = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
			"\"primary\": \"hiclaw-gateway/glm-5\""}},
		.reason = "a listed model: one line differs"},
	{.id = "HI-02",
		.text = MANAGER,
		.model = "qwen3.5-plus",
		.reason = "the model that it has: nothing to write"},
	{.id = "HI-02",
		.text = MANAGER,
		.model = "hiclaw-gateway/qwen3.5-plus",
		.given = {200000, 64000, MODEL_YES, MODEL_INPUT_TEXT | MODEL_INPUT_IMAGE},
		.reason = "with the prefix, and told what it says already"},
	{.id = "HI-03",
		.text = MANAGER,
		.model = "deepseek-chat",
		.after = {{"            \"maxTokens\": 64000\n          }\n",
				  "            \"maxTokens\": 64000\n          },\n"
				  "          {\n"
				  "            \"id\": \"deepseek-chat\",\n"
				  "            \"name\": \"deepseek-chat\",\n"
				  "            \"reasoning\": true,\n"
				  "            \"contextWindow\": 256000,\n"
				  "            \"maxTokens\": 128000,\n"
				  "            \"input\": [\"text\"]\n"
				  "          }\n"},
			{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
				"\"primary\": \"hiclaw-gateway/deepseek-chat\""},
			{"{ \"n\": 1.50 } }\n",
				"{ \"n\": 1.50 } },\n        \"hiclaw-gateway/deepseek-chat\": { "
				"\"alias\": \"deepseek-chat\" }\n"}},
		.reason = "an unlisted model: entry and alias last, in the manner of the file"},
	{.id = "HI-04",
		.text = CONTROLLER,
		.model = "deepseek-chat",
		.worker = true,
		.after = {{"            \"reasoning\": true\n          }\n",
				  "            \"reasoning\": true\n          },\n"
				  "          {\n"
				  "            \"id\": \"deepseek-chat\",\n"
				  "            \"name\": \"deepseek-chat\",\n"
				  "            \"reasoning\": true,\n"
				  "            \"contextWindow\": 256000,\n"
				  "            \"maxTokens\": 128000,\n"
				  "            \"input\": [\n"
				  "              \"text\"\n"
				  "            ]\n"
				  "          }\n"},
			{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
				"\"primary\": \"hiclaw-gateway/deepseek-chat\""},
			{"          \"alias\": \"qwen3.5-plus\"\n        }\n",
				"          \"alias\": \"qwen3.5-plus\"\n        },\n"
				"        \"hiclaw-gateway/deepseek-chat\": {\n"
				"          \"alias\": \"deepseek-chat\"\n        }\n"}},
		.reason = "the controller's file: order, lines and the missing end stay"},
	{.id = "HI-05",
		.text = COMMENTED,
		.model = "kimi-k2.5",
		.after = {{"}, // cheap\n",
				  "}, // cheap\n"
				  "          { \"id\": \"kimi-k2.5\", \"name\": \"kimi-k2.5\", "
				  "\"reasoning\": true, \"contextWindow\": 256000, \"maxTokens\": "
				  "128000, \"input\": [\"text\", \"image\"] },\n"},
			{"model: 'hiclaw-gateway/glm-5' /* now */, }",
				"model: \"hiclaw-gateway/kimi-k2.5\" /* now */, \"models\": "
				"{\"hiclaw-gateway/kimi-k2.5\": {\"alias\": \"kimi-k2.5\"}}, }"}},
		.reason = "comments and commas of a person stay"},
	{.id = "HI-06",
		.text = CONTROLLER,
		.model = "m1",
		.given = {1000, 0, MODEL_NO, 0},
		.crlf = true,
		.after = {{"            \"reasoning\": true\n          }\n",
				  "            \"reasoning\": true\n          },\n"
				  "          {\n"
				  "            \"id\": \"m1\",\n"
				  "            \"name\": \"m1\",\n"
				  "            \"reasoning\": false,\n"
				  "            \"contextWindow\": 1000,\n"
				  "            \"maxTokens\": 1000,\n"
				  "            \"input\": [\n"
				  "              \"text\"\n"
				  "            ]\n"
				  "          }\n"},
			{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
				"\"primary\": \"hiclaw-gateway/m1\""},
			{"          \"alias\": \"qwen3.5-plus\"\n        }\n",
				"          \"alias\": \"qwen3.5-plus\"\n        },\n"
				"        \"hiclaw-gateway/m1\": {\n"
				"          \"alias\": \"m1\"\n        }\n"}},
		.reason = "CR LF stays, in what is added as well"},
	{.id = "HI-07",
		.text = CONTROLLER,
		.before = {{"{\n        \"primary\": \"hiclaw-gateway/qwen3.5-plus\"\n      }",
			"\"openai/gpt-4\""}},
		.model = "qwen3.5-plus",
		.after = {{"\"openai/gpt-4\"", "\"hiclaw-gateway/qwen3.5-plus\""}},
		.reason = "a string stays a string"},
	{.id = "HI-08",
		.text = MANAGER,
		.before = {{"plus\"\n      },\n      \"models\"",
			"plus\",\n        \"fallbacks\": [ \"a/b\" ]\n      },\n      \"models\""}},
		.model = "glm-5",
		.after = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
			"\"primary\": \"hiclaw-gateway/glm-5\""}},
		.reason = "fallbacks are kept"},
	{.id = "HI-09",
		.text = MANAGER,
		.before = {{"{ \"alias\": \"G\", \"params\"", "{ \"params\""}},
		.model = "glm-5",
		.after = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
				  "\"primary\": \"hiclaw-gateway/glm-5\""},
			{"{ \"n\": 1.50 } }", "{ \"n\": 1.50 }, \"alias\": \"glm-5\" }"}},
		.reason = "params are kept, the alias comes to them"},
	{.id = "HI-10",
		.text = MANAGER,
		.before = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
			"\"primary\": \"hiclaw-gateway/glm-5\""}},
		.model = "glm-5",
		.given = {128000, 0, MODEL_UNKNOWN, 0},
		.after = {{"200000.0", "128000"}},
		.reason = "a given number: only that one"},
	{.id = "HI-10",
		.text = MANAGER,
		.before = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
			"\"primary\": \"hiclaw-gateway/glm-5\""}},
		.model = "glm-5",
		.given = {200000, 64000, MODEL_NO, MODEL_INPUT_TEXT},
		.after = {{"            \"maxTokens\": 64000\n          }\n",
			"            \"maxTokens\": 64000,\n            \"reasoning\": false,\n"
			"            \"input\": [\"text\"]\n          }\n"}},
		.reason = "equal numbers stay as they are written, what is missing comes behind"},
	{.id = "HI-10",
		.text = MANAGER,
		.model = "qwen3.5-plus",
		.given = {0, 0, MODEL_UNKNOWN, MODEL_INPUT_TEXT},
		.after = {{"[\"text\", \"image\"]", "[\"text\"]"}},
		.reason = "an input that was given"},
	{.id = "HI-11",
		.text = CONTROLLER,
		.before = {{"\"contextWindow\": 200000", "\"contextWindow\": \"${CTX}\""}},
		.model = "qwen3.5-plus",
		.reason = "nothing given: the entry is untouched, whatever is in it"},
	{.id = "HI-12",
		.text = "{\n  \"gateway\": {\n    \"mode\": \"local\"\n  }\n}\n",
		.model = "glm-5",
		.key = "k-manager",
		.after = {{"  }\n}\n",
			"  },\n"
			"  \"models\": {\n"
			"    \"mode\": \"merge\",\n"
			"    \"providers\": {\n"
			"      \"hiclaw-gateway\": {\n"
			"        \"baseUrl\": \"http://gw:8080/v1\",\n"
			"        \"apiKey\": \"k-manager\",\n"
			"        \"api\": \"openai-completions\",\n"
			"        \"models\": [\n"
			"          {\n"
			"            \"id\": \"glm-5\",\n"
			"            \"name\": \"glm-5\",\n"
			"            \"reasoning\": true,\n"
			"            \"contextWindow\": 200000,\n"
			"            \"maxTokens\": 128000,\n"
			"            \"input\": [\n"
			"              \"text\"\n"
			"            ]\n"
			"          }\n"
			"        ]\n"
			"      }\n"
			"    }\n"
			"  },\n"
			"  \"agents\": {\n"
			"    \"defaults\": {\n"
			"      \"model\": {\n"
			"        \"primary\": \"hiclaw-gateway/glm-5\"\n"
			"      },\n"
			"      \"models\": {\n"
			"        \"hiclaw-gateway/glm-5\": {\n"
			"          \"alias\": \"glm-5\"\n"
			"        }\n"
			"      }\n"
			"    }\n"
			"  }\n"
			"}\n"}},
		.reason = "no models: all of it is made, with the real key"},
	{.id = "HI-12",
		.text = "{\"gateway\":{\"auth\":{\"token\":\"k-w\"}},\"models\":{\"providers\":{}},"
			"\"agents\":{}}",
		.model = "m",
		.worker = true,
		.after = {{"\"providers\":{}",
				  "\"providers\":{\"hiclaw-gateway\":{\"baseUrl\":\"http://gw:8080/v1\","
				  "\"apiKey\":\"k-w\",\"api\":\"openai-completions\",\"models\":[{\"id\":"
				  "\"m\",\"name\":\"m\",\"reasoning\":true,\"contextWindow\":200000,"
				  "\"maxTokens\":64000,\"input\":[\"text\"]}]}}"},
			{"\"agents\":{}",
				"\"agents\":{\"defaults\":{\"model\":{\"primary\":\"hiclaw-gateway/"
				"m\"},\"models\":{\"hiclaw-gateway/m\":{\"alias\":\"m\"}}}}"}},
		.reason = "a Worker's block: the key of its own gateway, on the line there is"},
	{.id = "HI-12",
		.text = CONTROLLER,
		.before =
			{{"\"models\": [\n          {\n            \"contextWindow\": 200000,\n     "
			  "       \"id\": \"qwen3.5-plus\",\n            \"input\": [\n              "
			  "\"text\",\n              \"image\"\n            ],\n            "
			  "\"maxTokens\": 64000,\n            \"name\": \"qwen3.5-plus\",\n           "
			  " \"reasoning\": true\n          }\n        ]",
				"\"models\": null"}},
		.model = "qwen3.5-plus",
		.after = {{"\"models\": null",
			"\"models\": [\n          {\n            \"id\": \"qwen3.5-plus\",\n            "
			"\"name\": \"qwen3.5-plus\",\n            \"reasoning\": true,\n            "
			"\"contextWindow\": 200000,\n            \"maxTokens\": 64000,\n            "
			"\"input\": [\n              \"text\",\n              \"image\"\n            "
			"]\n          }\n        ]"}},
		.reason = "a list that is null becomes one"},
	{.id = "HI-13",
		.text = "{\"gateway\":{\"auth\":{\"token\":\"k\"}},\"models\":{\"providers\":{}}}",
		.model = "m",
		.code = CONFIG_INCOMPLETE,
		.reason =
			"the Manager's key is not known: the token of the file is not taken for it"},
	{.id = "HI-13",
		.text = "{\"gateway\":{\"auth\":{\"token\":\"\"}}}",
		.model = "m",
		.worker = true,
		.code = CONFIG_INCOMPLETE,
		.reason = "an empty token is no key"},
	{.id = "HI-14",
		.text = "{\"models\": {\"$include\": \"./models.json5\"}}",
		.model = "m",
		.key = "k",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "models stand in another file"},
	{.id = "HI-14",
		.text = "{\"$include\": [\"./base.json5\"], \"agents\": {}}",
		.model = "m",
		.key = "k",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "models may stand in another file"},
	{.id = "HI-14",
		.text = CONTROLLER,
		.before = {{"\"workspace\": \"~\"", "\"$include\": \"x\""}},
		.model = "qwen3.5-plus",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "the defaults are put together of two files"},
	{.id = "HI-14",
		.text = CONTROLLER,
		.before = {{"\"id\": \"qwen3.5-plus\"", "\"$include\": \"x\""}},
		.model = "qwen3.5-plus",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "the entry may be in another file: two of one id would follow"},
	{.id = "HI-14",
		.text = "{\"models\": []}",
		.model = "m",
		.key = "k",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "models are no object"},
	{.id = "HI-14",
		.text = CONTROLLER,
		.before = {{"{\n        \"primary\": \"hiclaw-gateway/qwen3.5-plus\"\n      }",
			"7"}},
		.model = "qwen3.5-plus",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "a model that is a number"},
	{.id = "HI-14",
		.text = CONTROLLER,
		.before = {{"{\n          \"alias\": \"qwen3.5-plus\"\n        }", "\"q\""}},
		.model = "qwen3.5-plus",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "an alias entry that is no object"},
	{.id = "HI-14",
		.text = "{\n  \"models\": {\n",
		.model = "m",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "half a file"},
	{.id = "HI-14",
		.text = "[]",
		.model = "m",
		.code = CONFIG_NOT_EDITABLE,
		.reason = "a list"},
	{.id = "HI-15",
		.text = MANAGER,
		.before = {{"\"timeoutSeconds\": 1800",
			"\"timeoutSeconds\": 1.8e3, \"x\": [0.10, -0, 1E+2, 200000.0, "
			"99999999999999999999]"}},
		.model = "glm-5",
		.after = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
			"\"primary\": \"hiclaw-gateway/glm-5\""}},
		.reason = "numbers elsewhere are not re-spelled"},
	{.id = "5.4/5",
		.text = "{\"models\":{\"providers\":{\"hiclaw-gateway\":{\"models\":[{\"id\":\"m\"}]}}},"
			"\"agents\":{\"defaults\":{\"model\":\"a/b\",\"model\":\"c/d\",\"models\":{"
			"\"hiclaw-gateway/m\":{\"alias\":\"m\"}}}}}",
		.model = "m",
		.after = {{"\"c/d\"", "\"hiclaw-gateway/m\""}},
		.reason = "of two equal keys the last is the one that counts"},
	{.id = "5.4/7",
		.text = CONTROLLER,
		.before = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
			"\"primary\": \"hiclaw-gateway/${MODEL}\""}},
		.model = "qwen3.5-plus",
		.after = {{"${MODEL}", "qwen3.5-plus"}},
		.reason = "what OpenClaw replaces is different from everything"},
	{.id = "5.1",
		.text = CONTROLLER,
		.before = {{"\"primary\": \"hiclaw-gateway/qwen3.5-plus\"",
				   "\"primary\": \"hiclaw-gateway/org/m:1\""},
			{"\"id\": \"qwen3.5-plus\"", "\"id\": \"org/m:1\""},
			{"\"hiclaw-gateway/qwen3.5-plus\": {", "\"hiclaw-gateway/org/m:1\": {"}},
		.model = "org/m:1",
		.reason = "an id with a slash in it"},
	{.id = "5.3",
		.text = MANAGER,
		.model = "glm-5",
		.given = {0, 200001, MODEL_UNKNOWN, 0},
		.code = CONFIG_INVALID,
		.reason = "more output than the entry's context"},
	{.id = "1.3",
		.text = MANAGER,
		.model = "hiclaw-gateway/",
		.code = CONFIG_INVALID,
		.reason = "no model"},
	{.id = "1.3",
		.text = MANAGER,
		.model = "${HOME}",
		.code = CONFIG_INVALID,
		.reason = "OpenClaw would replace it"},
};

/* In arena memory; `from` must be there exactly once. */
static struct bytes replaced(struct arena *a, struct bytes text, const struct change *c)
{
	char *whole = bytes_dup(text);
	const char *at = strstr(whole, c->from);
	struct text t;
	struct bytes kept;

	if (at == NULL || strstr(at + 1, c->from) != NULL) {
		fail_msg("not there exactly once: %s", c->from);
	}
	text_init(&t, 1 << 20);
	text_add(&t, whole, (size_t)(at - whole));
	text_add_str(&t, c->to);
	text_add_str(&t, at + strlen(c->from));
	kept = arena_copy(a, text_bytes(&t));
	text_done(&t);
	free(whole);
	return kept;
}

static struct bytes with_changes(
	struct arena *a, struct bytes text, const struct change *v, size_t n)
{
	for (size_t i = 0; i < n && v[i].from != NULL; i++) {
		text = replaced(a, text, &v[i]);
	}
	return text;
}

static struct bytes with_crlf(struct arena *a, struct bytes text)
{
	struct text t;
	struct bytes kept;

	text_init(&t, 1 << 20);
	for (size_t i = 0; i < text.n; i++) {
		text_add_str(&t, text.p[i] == '\n' ? "\r" : "");
		text_add_char(&t, text.p[i]);
	}
	kept = arena_copy(a, text_bytes(&t));
	text_done(&t);
	return kept;
}

static bool edits_lead_there(struct bytes text, const struct config_text *c)
{
	struct json5_edit e = {.text = text, .n_edits = c->n_edits};

	memcpy(e.edits, c->edits, c->n_edits * sizeof(*c->edits));
	return json5_rest_is_unchanged(&e, c->text);
}

static bool row_holds(const struct row *r)
{
	struct arena a;
	struct openclaw_wish wish = {
		.model = bytes_str(r->model),
		.sources.given = r->given,
		.base_url = BYTES("http://gw:8080/v1"),
		.api_key = bytes_str(r->key),
		.key_in_file = r->worker,
	};
	struct openclaw_switch got = {0}, again = {0};
	struct fault f = {0};
	struct bytes text, expect;
	enum config_code code;
	bool ok;

	arena_init(&a, 2 * CONFIG_ARENA_MAX);
	text = with_changes(&a, bytes_str(r->text), r->before, ARRAY_LEN(r->before));
	expect = with_changes(&a, text, r->after, ARRAY_LEN(r->after));
	if (r->crlf) {
		text = with_crlf(&a, text);
		expect = with_crlf(&a, expect);
	}
	code = openclaw_switch(&a, text, &wish, &got, &f);
	ok = code == r->code;
	if (ok && code == CONFIG_OK) {
		ok = bytes_eq(got.config.text, expect) &&
			got.config.changed == !bytes_eq(text, expect) &&
			edits_lead_there(text, &got.config) &&
			openclaw_switch(&a, got.config.text, &wish, &again, &f) == CONFIG_OK &&
			!again.config.changed; /* the same wish again is no edit */
	} else if (ok) {
		ok = got.config.text.p == NULL && f.text[0] != '\0';
	}
	if (!ok) {
		print_message("%s, %s: %s %s\n" BYTES_FMT "\n--- wanted:\n" BYTES_FMT "\n---\n",
			r->id, r->reason, config_code_name(code), f.text,
			BYTES_ARG(got.config.text), BYTES_ARG(expect));
	}
	arena_done(&a);
	return ok;
}

static void files_are_switched(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		wrong += !row_holds(&rows[i]);
	}
	assert_int_equal(wrong, 0);
}

static void refusals_say_what_to_do(void **state)
{
	static const struct {
		const char *text, *key, *expect;
	} texts[] = {
		{"{\n  a: }", "k",
			"the configuration cannot be read: line 2, column 6: a value is missing"},
		{"[]", "k", "the configuration is no object"},
		{"{}", "",
			"there is no models.providers.hiclaw-gateway, and to make one, the agent's key for "
			"the gateway must be known"},
		{"{models:{providers:{$include:'x'}}}", "k",
			"models.providers comes from $include: only what stands in this file can be changed"},
		{"{models:{$include:'x'}}", "k",
			"models comes from $include: only what stands in this file can be changed"},
		{"{agents:[]}", "k", "agents is no object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct arena a;
		struct openclaw_switch got;
		struct openclaw_wish wish = {.model = BYTES("m"),
			.base_url = BYTES("http://gw/v1"),
			.api_key = bytes_str(texts[i].key)};
		struct fault f = {0};

		arena_init(&a, CONFIG_ARENA_MAX);
		assert_int_not_equal(
			openclaw_switch(&a, bytes_str(texts[i].text), &wish, &got, &f), CONFIG_OK);
		assert_string_equal(f.text, texts[i].expect);
		arena_done(&a);
	}
}

static void overriders_are_reported(void **state)
{
	static const struct {
		const char *list, *id, *reason;
	} lists[] = {
		{"[]", NULL, "no entries"},
		{"[{\"id\":\"main\"}]", NULL, "no model of its own"},
		{"[{\"id\":\"main\",\"model\":\"a/b\"}]", "main", "the first is the active one"},
		{"[{\"id\":\"main\",\"model\":{\"primary\":\"a/b\"}}]", "main", "in an object"},
		{"[{\"id\":\"main\",\"model\":\"hiclaw-gateway/glm-5\"}]", NULL,
			"the same model overrides nothing"},
		{"[{\"id\":\"x\",\"model\":\"a/b\"},{\"id\":\"y\",\"default\":true}]", NULL,
			"the one marked as default is active, and has none"},
		{"[{\"id\":\"x\"},{\"id\":\"y\",\"default\":true,\"model\":\"a/b\"}]", "y",
			"the one marked as default has one"},
		{"[{\"model\":\"${M}\"}]", "", "without an id, and unknown"},
		{"{}", NULL, "no list"},
		{"[7]", NULL, "no object"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct arena a;
		struct openclaw_switch got = {0};
		struct openclaw_wish wish = {.model = BYTES("glm-5")};
		char list[200];
		struct change c = {"\"agents\": {\n", list};
		struct bytes text;

		arena_init(&a, CONFIG_ARENA_MAX);
		snprintf(list, sizeof(list), "\"agents\": {\n    \"list\": %s,\n", lists[i].list);
		text = replaced(&a, BYTES(MANAGER), &c);
		assert_int_equal(openclaw_switch(&a, text, &wish, &got, NULL), CONFIG_OK);
		if ((got.overrider.p == NULL) != (lists[i].id == NULL) ||
			!bytes_eq(got.overrider, bytes_str(lists[i].id))) {
			fail_msg("%s", lists[i].reason);
		}
		assert_non_null(strstr(got.config.text.p, lists[i].list)); /* untouched */
		arena_done(&a);
	}
}

static void configurations_are_read(void **state)
{
	static const struct {
		const char *text, *primary, *model;
		bool has_entry;
		uint64_t context;
		const char *reason;
	} texts[] = {
		{MANAGER, "hiclaw-gateway/qwen3.5-plus", "qwen3.5-plus", true, 200000,
			"the Manager"},
		{COMMENTED, "hiclaw-gateway/glm-5", "glm-5", true, 200000, "a string, by hand"},
		{"{}", NULL, NULL, false, 0, "nothing"},
		{"{agents:{defaults:{model:{primary:'openai/gpt'}}}}", "openai/gpt", NULL, false, 0,
			"past the gateway"},
		{"{agents:{defaults:{model:'hiclaw-gateway/x'}}}", "hiclaw-gateway/x", "x", false,
			0, "without an entry"},
		{"{agents:{defaults:{model:'hiclaw-gateway/${M}'}}}", "hiclaw-gateway/${M}", NULL,
			false, 0, "a variable"},
		{"{agents:{defaults:{model:7}}}", NULL, NULL, false, 0, "a number"},
	};
	struct fault f = {0};
	struct arena a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct openclaw_view v;

		arena_init(&a, CONFIG_ARENA_MAX);
		assert_int_equal(openclaw_read(&a, bytes_str(texts[i].text), &v, NULL), 0);
		if (!bytes_eq(v.primary, bytes_str(texts[i].primary)) ||
			!bytes_eq(v.model, bytes_str(texts[i].model)) ||
			v.has_entry != texts[i].has_entry ||
			v.traits.context_window != texts[i].context) {
			fail_msg("%s", texts[i].reason);
		}
		arena_done(&a);
	}
	arena_init(&a, CONFIG_ARENA_MAX);
	assert_int_equal(openclaw_read(&a, BYTES("{"), &(struct openclaw_view){0}, &f), ERR_SYNTAX);
	assert_int_equal(f.where, 1);
	arena_done(&a);
}

/* A file so large that the edited one could not be read again is left alone. */
static void what_cannot_be_verified_is_refused(void **state)
{
	struct openclaw_wish wish = {.model = BYTES("glm-5")};
	struct openclaw_switch got = {0};
	struct fault f = {0};
	struct arena a;
	struct text t;

	(void)state;
	text_init(&t, JSON5_TEXT_MAX);
	text_add_str(&t, MANAGER);
	text_add_str(&t, "//");
	while (t.n < JSON5_TEXT_MAX) {
		text_add_char(&t, '.');
	}
	arena_init(&a, CONFIG_ARENA_MAX);
	assert_int_equal(openclaw_switch(&a, text_bytes(&t), &wish, &got, &f), CONFIG_OK);
	wish.model = BYTES("a-model-with-a-name");
	arena_done(&a);
	assert_int_equal(
		openclaw_switch(&a, text_bytes(&t), &wish, &got, &f), CONFIG_VERIFY_FAILED);
	assert_non_null(strstr(f.text, "nothing was changed"));
	arena_done(&a);
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_switched),
		cmocka_unit_test(refusals_say_what_to_do),
		cmocka_unit_test(overriders_are_reported),
		cmocka_unit_test(configurations_are_read),
		cmocka_unit_test(what_cannot_be_verified_is_refused),
	};

	return cmocka_run_group_tests_name("openclaw", tests, NULL, NULL);
}
