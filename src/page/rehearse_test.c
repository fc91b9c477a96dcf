#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "page/rehearse.h"
#include "plan/world.h"

/* What is answered is tested with the whole program (68-page-preview); here: every question, whole and cut, is answered
 * or refused with a sentence, and nothing is left behind. */

static const struct provider_type type_rows[] = {
	{.name = "openai", .default_host = "api.openai.com"}};
static const struct provider_types types = {type_rows, ARRAY_LEN(type_rows)};

#define INGRESS                                                                                           \
	"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n  annotations:\n"         \
	"    higress.io/destination: up.static:80\nspec:\n  rules:\n  - host: a.com\n    http:\n"         \
	"      paths:\n      - {path: /a, pathType: Prefix, backend: {resource: {kind: McpBridge, name: " \
	"default}}}\n"
#define SERVICES "\"services\":[{\"name\":\"up.static\",\"port\":80}]"
#define PATH "\"path\":{\"matchType\":\"PRE\",\"matchValue\":\"/b\"}"
#define ROUTE(name, rest) "\"noun\":\"route\",\"name\":\"" name "\",\"body\":" rest

static const struct row {
	const char *question;
	int rc;
	const char *answer, *why;
} rows[] = {
	{"{}", 0, "\"changes\":[],\"findings\":[],\"before\":null,\"after\":null",
		"no question is answered"},
	{"{\"ask\":{\"host\":\"a.com\",\"path\":\"/a\"}}", 0, "\"before\":{\"served\":true",
		"where it goes now"},
	{"{\"ask\":{\"host\":\"b.com\",\"path\":\"/a\"}}", 0, "\"status\":404", "another host"},
	{"{\"change\":{" ROUTE("a", "null") "},\"ask\":{\"host\":\"a.com\",\"path\":\"/a\"}}", 0,
		"\"after\":{\"served\":false,\"status\":404", "the route is gone"},
	{"{\"change\":{" ROUTE("b", "{" SERVICES "," PATH "}") ",\"create\":true}}", 0,
		"\"name\":\"b\",\"what\":\"create\"", "made"},
	{"{\"change\":{" ROUTE("b", "{" SERVICES "," PATH "}") "}}", 0,
		"\"refused\":\"there is no route b\"", "what is not there cannot be replaced"},
	{"{\"change\":{" ROUTE("b", "{\"services\":3}") ",\"create\":true}}", 0, "\"refused\":\"",
		"wrong types are the change's own refusal"},
	{"{\"change\":{\"noun\":\"consumer\",\"name\":\"a\",\"body\":null}}", ERR_SYNTAX, "noun",
		"objects with secrets are no matter of a preview"},
	{"{\"ask\":{\"host\":\"a.com\",\"path\":\"/\",\"headers\":[{\"name\":\"a\",\"value\":\"b\\nc\"}]}}",
		ERR_SYNTAX, "headers", "a line break would be another field"},
	{"{\"ask\":{\"host\":\"a.com\\r\\nx: y\",\"path\":\"/\"}}", ERR_SYNTAX, "host", "here too"},
	{"{\"ask\":{\"host\":\"a.com\",\"path\":\"/\",\"method\":\"A B\"}}", ERR_SYNTAX, "",
		"and here"},
	{"[1]", ERR_SYNTAX, "object", "no object"},
};

static struct world w;

static int ask(struct bytes question, struct text *out, struct fault *f)
{
	const struct rehearse_env env = {
		.snapshot = w.snapshot, .plan = {.types = &types, .seed = {1, 2}}, .now_s = 1};

	text_init(out, REHEARSE_ANSWER_MAX);
	*f = (struct fault){0};
	return rehearse(&env, question, out, f);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text out;
		struct fault f;
		int rc = ask(bytes_str(rows[i].question), &out, &f);
		const char *said = rc == 0 ? text_cstr(&out) : f.text;

		if (rc != rows[i].rc || strstr(said, rows[i].answer) == NULL) {
			fail_msg("%s: %d %s", rows[i].why, rc, said);
		}
		text_done(&out);
	}
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t n = 0; n < strlen(rows[i].question); n++) {
			struct text out;
			struct fault f;

			assert_int_equal(ask(bytes_of(rows[i].question, n), &out, &f), ERR_SYNTAX);
			assert_true(f.text[0] != '\0');
			text_done(&out);
		}
	}
}

static int begin(void **state)
{
	(void)state;
	world_init(&w);
	world_add(&w, "mcpbridges/default.yaml",
		WORLD_REGISTRIES(
			"  - {name: up, type: static, domain: '127.0.0.1:9000', port: 80}\n"));
	world_add(&w, "ingresses/a.yaml", INGRESS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_done(&w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_cut)};

	return cmocka_run_group_tests(tests, begin, end);
}
