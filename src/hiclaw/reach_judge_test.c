/*
 * What answers to a connectivity test mean: each row an answer, the kind, and words of the sentence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hiclaw/reach.h"
#include "wire/json.h"

#define OKAY "{\"choices\":[{\"message\":{\"content\":\"h\"}}]}"
#define ERROR(text) "{\"error\":{\"message\":\"" text "\"}}"

static const struct row {
	const char *reason;
	enum probe_failure failure;
	unsigned status;
	const char *body;
	const char *expect; /* "ok", or the kind, with "+" for a warning, "larger", "other" */
	const char *why;    /* all of it */
} rows[] = {
	{"a choice", PROBE_ANSWERED, 200, OKAY, "ok", ""},
	{"blanks around", PROBE_ANSWERED, 200, " \n" OKAY "\n", "ok", ""},
	{"a null error beside it", PROBE_ANSWERED, 200, "{\"error\":null,\"choices\":[{}]}", "ok",
		""},
	{"no choice", PROBE_ANSWERED, 200, "{\"choices\":[]}", "protocol",
		"the answer has no choices"},
	{"choices that are none", PROBE_ANSWERED, 200, "{\"choices\":{\"0\":1}}", "protocol",
		"the answer has no choices"},
	{"the word alone", PROBE_ANSWERED, 200, "\"choices\":[1]", "protocol",
		"the answer is not JSON"},
	{"an error with status 200", PROBE_ANSWERED, 200, ERROR("No quota."), "protocol",
		"the answer has an error in it: No quota"},
	{"an error beside choices", PROBE_ANSWERED, 200,
		"{\"choices\":[{}],\"error\":{\"code\":1}}", "protocol",
		"the answer has an error in it"},
	{"an error of MiniMax's with 200", PROBE_ANSWERED, 200,
		"{\"base_resp\":{\"status_code\":1004}}", "protocol", "the answer has no choices"},
	{"a page", PROBE_ANSWERED, 200, "<!doctype html><p>choices", "protocol",
		"the answer is a web page, not JSON"},
	{"a stream", PROBE_ANSWERED, 200, "data: {\"choices\":[{}]}\n\n", "protocol",
		"the answer is not JSON"},
	{"nothing", PROBE_ANSWERED, 200, "", "protocol", "the answer is empty"},
	{"no content", PROBE_ANSWERED, 204, "", "protocol", "status 204"},
	{"a redirect says not where to", PROBE_ANSWERED, 302, "http://169.254.169.254/", "protocol",
		"the provider answers with a redirect (status 302)"},
	{"a wrong key, quoted", PROBE_ANSWERED, 401,
		ERROR("Incorrect API key provided: tok-1.\\nSee sk-abcdefgh."), "auth",
		"status 401: Incorrect API key provided: ***. See sk-***"},
	{"forbidden", PROBE_ANSWERED, 403, "", "auth", "status 403"},
	{"no money", PROBE_ANSWERED, 402, "{\"message\":\"Insufficient Balance\"}", "quota",
		"status 402: Insufficient Balance"},
	{"too many: it is there", PROBE_ANSWERED, 429, ERROR("slow down"), "ok+quota",
		"status 429: slow down"},
	{"unknown to the provider", PROBE_ANSWERED, 404, "{\"error\":\"no\"}", "model",
		"status 404: no"},
	{"named in a 400", PROBE_ANSWERED, 400, ERROR("m-1 is not available"), "model",
		"status 400: m-1 is not available"},
	{"meant in a 400", PROBE_ANSWERED, 400, ERROR("Model not exist"), "model",
		"status 400: Model not exist"},
	{"another 400", PROBE_ANSWERED, 400, ERROR("messages is required"), "protocol",
		"status 400: messages is required"},
	{"one token is too few", PROBE_ANSWERED, 400,
		ERROR("Could not finish the message because max_tokens or model output limit was "
		      "reached."),
		"model larger",
		"status 400: Could not finish the message because max_tokens or model output limit "
		"was reached"},
	{"in other words, with 422", PROBE_ANSWERED, 422,
		"{\"detail\":\"max_output_tokens must be >= 16\"}", "protocol larger",
		"status 422: max_output_tokens must be >= 16"},
	{"a 500 that names it is none", PROBE_ANSWERED, 500, ERROR("max_tokens"), "upstream",
		"status 500: max_tokens"},
	{"the other name of the limit", PROBE_ANSWERED, 400,
		ERROR("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
		      "'max_completion_tokens' instead."),
		"model other",
		"status 400: Unsupported parameter: 'max_tokens' is not supported with this model. "
		"Use 'max_completion_tokens' instead"},
	{"too slow, it says", PROBE_ANSWERED, 408, "", "timeout", "status 408"},
	{"a gateway before it", PROBE_ANSWERED, 502, "<html>bad</html>", "upstream", "status 502"},
	{"a text", PROBE_ANSWERED, 503, " overloaded ", "upstream", "status 503: overloaded"},
	{"controls", PROBE_ANSWERED, 500, "a\x01\x7f\xff z", "upstream", "status 500: a    z"},
	{"a list of errors", PROBE_ANSWERED, 400, "{\"error\":[{\"message\":\"bad\"}]}", "protocol",
		"status 400: bad"},
	{"dns", PROBE_DNS, 502, "", "dns", "because"},
	{"connect", PROBE_CONNECT, 502, "", "connect", "because"},
	{"tls", PROBE_TLS, 502, "", "tls", "because"},
	{"timeout", PROBE_TIMEOUT, 0, "", "timeout", "because"},
	{"cut", PROBE_PROTOCOL, 200, OKAY, "protocol", "because"},
	{"no provider", PROBE_NO_PROVIDER, 404, "", "protocol", "because"},
	{"the end", PROBE_GONE, 0, "", "protocol", "because"},
};

static struct bytes key[] = {{"tok-1", 5}};
static const struct strings secrets = {.v = key, .n = 1};

static struct probe probe_of(enum probe_failure failure, unsigned status, const char *body)
{
	struct probe p = {.failure = failure, .status = status};

	text_init(&p.body_got, PROBE_ANSWER_MAX);
	text_add_str(&p.body_got, body);
	snprintf(p.why, sizeof(p.why), "%s", failure != PROBE_ANSWERED ? "because." : "");
	return p;
}

static void describe(const struct reach_verdict *v, char out[64])
{
	snprintf(out, 64, "%s%s%s%s%s", v->ok ? "ok" : "", v->rate_limited ? "+" : "",
		reach_kind_text(v->kind), v->again_larger ? " larger" : "",
		v->again_other ? " other" : "");
}

static void test_rows(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct probe p = probe_of(rows[i].failure, rows[i].status, rows[i].body);
		struct reach_verdict v;
		char why[REACH_WHY_MAX];
		char got[64];

		reach_judge(&p, BYTES("m-1"), &secrets, &v, why);
		describe(&v, got);
		if (strcmp(got, rows[i].expect) != 0 || strcmp(why, rows[i].why) != 0) {
			print_error("%s: got %s, \"%s\"\n", rows[i].reason, got, why);
			failed++;
		}
		text_done(&p.body_got);
	}
	assert_int_equal(failed, 0);
}

/* Cut at 300 characters, never inside of one, and never past its room. */
static void test_long_words(void **state)
{
	static const char *const pieces[] = {"ab ", "\xc3\xa4 ", "\xf0\x9f\x98\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct probe p = probe_of(PROBE_ANSWERED, 500, "");
		struct reach_verdict v;
		char why[REACH_WHY_MAX];

		for (unsigned n = 0; n < 1000; n++) {
			text_add_str(&p.body_got, pieces[i]);
		}
		reach_judge(&p, BYTES("m-1"), NULL, &v, why);
		assert_in_range(strlen(why), 300, REACH_WHY_MAX - 1);
		for (size_t at = 0; why[at] != '\0';) {
			size_t n = text_utf8(why + at, strlen(why) - at);

			assert_int_not_equal(n, 0);
			at += n;
		}
		text_done(&p.body_got);
	}
}

static void test_lists(void **state)
{
	static const struct {
		const char *reason;
		unsigned status;
		const char *body, *expect, *ids;
	} list_rows[] = {
		{"as OpenAI has it", 200, "{\"data\":[{\"id\":\"a\"},{\"id\":\"m-1\"}]}",
			"ok found", "a m-1 "},
		{"as Gemini has it", 200, "{\"models\":[{\"name\":\"models/a\"}]}", "ok", "a "},
		{"a bare list", 200, "[{\"id\":\"a\"},\"b\"]", "ok", "a b "},
		{"entries without a name are none", 200, "{\"data\":[{},{\"id\":\"\"},7]}", "ok",
			""},
		{"an empty one is one", 200, "{\"data\":[]}", "ok", ""},
		{"no list", 200, "{\"data\":7}", "protocol", ""},
		{"a page", 200, "<p>", "protocol", ""},
		{"an error with 200", 200, "{\"data\":[],\"error\":{\"message\":\"x\"}}",
			"protocol", ""},
		{"there is none", 404, "", "protocol unsupported", ""},
		{"not this way", 405, "", "protocol unsupported", ""},
		{"a wrong key", 401, ERROR("tok-1"), "auth", ""},
		{"too many", 429, "", "quota", ""},
	};
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
		struct probe p = probe_of(PROBE_ANSWERED, list_rows[i].status, list_rows[i].body);
		struct arena a;
		struct reach_list l = {.model = BYTES("m-1"), .arena = &a};
		struct text ids;
		char got[64];

		arena_init(&a, 1 << 20);
		text_init(&ids, 4096);
		reach_judge_list(&p, &secrets, &l);
		for (size_t k = 0; k < l.n_models; k++) {
			text_add_bytes(&ids, l.ids[k]);
			text_add_char(&ids, ' ');
		}
		snprintf(got, sizeof(got), "%s%s%s%s", l.ok ? "ok" : "", reach_kind_text(l.kind),
			l.found ? " found" : "", l.unsupported ? " unsupported" : "");
		if (strcmp(got, list_rows[i].expect) != 0 ||
			strcmp(text_cstr(&ids), list_rows[i].ids) != 0 ||
			strstr(l.why, "tok-1") != NULL) {
			print_error("%s: got %s: %s, %s\n", list_rows[i].reason, got,
				text_cstr(&ids), l.why);
			failed++;
		}
		text_done(&ids);
		arena_done(&a);
		text_done(&p.body_got);
	}
	assert_int_equal(failed, 0);
}

static void test_limits(void **state)
{
	static const struct {
		const char *model;
		enum reach_limit limit;
	} limit_rows[] = {
		{"gpt-5", REACH_MAX_COMPLETION_TOKENS},
		{"gpt-5-mini", REACH_MAX_COMPLETION_TOKENS},
		{"gpt-5.4", REACH_MAX_COMPLETION_TOKENS},
		{"gpt-51", REACH_MAX_COMPLETION_TOKENS},
		{"gpt-5o", REACH_MAX_TOKENS},
		{"gpt-4.1", REACH_MAX_TOKENS},
		{"my-gpt-5", REACH_MAX_TOKENS},
		{"", REACH_MAX_TOKENS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		assert_int_equal(
			reach_limit_of(bytes_str(limit_rows[i].model)), limit_rows[i].limit);
	}
}

static void test_body(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, 4096);
	reach_body(BYTES("a\"b"), REACH_MAX_COMPLETION_TOKENS, 16, &t);
	assert_string_equal(text_cstr(&t),
		"{\"model\":\"a\\\"b\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
		"\"max_completion_tokens\":16}");
	text_clear(&t);
	reach_body(BYTES("m"), REACH_MAX_TOKENS, 1, &t);
	assert_non_null(strstr(text_cstr(&t), ",\"max_tokens\":1}"));
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
