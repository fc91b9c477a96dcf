#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/noun.h"
#include "wire/json.h"

#define WORDS_MAX 32u

struct row {
	const char *reason;
	const struct noun *noun;
	const char *there; /* the object that is updated, as JSON; NULL: a new one of name x */
	const char *line;  /* words between single blanks */
	const char *want;  /* JSON; NULL: refused */
};

#define NEW NULL

static const struct row rows[] = {
	{"type and credential", &noun_of_providers, NEW, "--type openai --token sk-1 --token sk-2",
		"{\"name\":\"x\",\"type\":\"openai\",\"tokens\":[\"sk-1\",\"sk-2\"],\"rawConfigs\":{}}"},
	{"a credential from the environment stays out of command lines", &noun_of_providers, NEW,
		"--type openai --token-env NOUN_TEST_KEY",
		"{\"name\":\"x\",\"type\":\"openai\",\"tokens\":[\"sk-env\"],\"rawConfigs\":{}}"},
	{"a variable that is not set is a mistake, not an empty key", &noun_of_providers, NEW,
		"--type openai --token-env NOUN_TEST_NONE", NULL},
	{"a new provider needs a type", &noun_of_providers, NEW, "--token sk-1", NULL},
	{"the address goes where the type keeps it", &noun_of_providers, NEW,
		"--type vllm --url http://h:1/v1",
		"{\"name\":\"x\",\"type\":\"vllm\",\"rawConfigs\":{\"vllmCustomUrl\":\"http://h:1/v1\"}}"},
	{"of ollama host and port", &noun_of_providers, NEW, "--type ollama --url http://127.0.0.1",
		"{\"name\":\"x\",\"type\":\"ollama\",\"rawConfigs\":{\"ollamaServerHost\":\"127.0.0.1\","
		"\"ollamaServerPort\":11434}}"},
	{"a type with one address takes no other", &noun_of_providers, NEW,
		"--type moonshot --url http://h", NULL},
	{"other settings are YAML: a boolean is one", &noun_of_providers, NEW,
		"--type qwen --set qwenEnableSearch=true --set qwenFileIds=[a]",
		"{\"name\":\"x\",\"type\":\"qwen\",\"rawConfigs\":{\"qwenEnableSearch\":true,"
		"\"qwenFileIds\":[\"a\"]}}"},
	{"a setting needs a value", &noun_of_providers, NEW, "--type qwen --set qwenEnableSearch",
		NULL},
	{"an update keeps what no option names", &noun_of_providers,
		"{\"name\":\"x\",\"type\":\"openai\",\"tokens\":[\"a\"],\"rawConfigs\":{\"k\":1}}",
		"--url http://h/v1",
		"{\"name\":\"x\",\"type\":\"openai\",\"tokens\":[\"a\"],\"rawConfigs\":{\"k\":1,"
		"\"openaiCustomUrl\":\"http://h/v1\"}}"},
	{"a key is a bearer token unless said otherwise", &noun_of_consumers, NEW, "--key k1",
		"{\"name\":\"x\",\"credentials\":[{\"type\":\"key-auth\",\"source\":\"BEARER\","
		"\"key\":null,\"values\":[\"k1\"]}]}"},
	{"or comes in a header", &noun_of_consumers, NEW, "--key k1 --header x-key",
		"{\"name\":\"x\",\"credentials\":[{\"type\":\"key-auth\",\"source\":\"HEADER\","
		"\"key\":\"x-key\",\"values\":[\"k1\"]}]}"},
	{"not in two places", &noun_of_consumers, NEW, "--header a --query b", NULL},
	{"an update with another key keeps the place", &noun_of_consumers,
		"{\"name\":\"x\",\"credentials\":[{\"type\":\"key-auth\",\"source\":\"QUERY\","
		"\"key\":\"q\",\"values\":[\"k1\"]}]}",
		"--key k2",
		"{\"name\":\"x\",\"credentials\":[{\"type\":\"key-auth\",\"source\":\"QUERY\","
		"\"key\":\"q\",\"values\":[\"k2\"]}]}"},
	{"a domain is plain unless said otherwise", &noun_of_domains, NEW, "",
		"{\"name\":\"x\",\"enableHttps\":\"off\"}"},
	{"with a certificate", &noun_of_domains, NEW, "--https force --certificate c",
		"{\"name\":\"x\",\"enableHttps\":\"force\",\"certIdentifier\":\"c\"}"},
	{"three modes there are", &noun_of_domains, NEW, "--https yes", NULL},
	{"one provider gets all", &noun_of_routes, NEW, "--provider a",
		"{\"name\":\"x\",\"pathPredicate\":{\"matchType\":\"PRE\",\"matchValue\":\"/\"},"
		"\"upstreams\":[{\"provider\":\"a\",\"weight\":100}]}"},
	{"without weights they share, and it adds up to 100", &noun_of_routes, NEW,
		"--provider a --provider b --provider c",
		"{\"name\":\"x\",\"pathPredicate\":{\"matchType\":\"PRE\",\"matchValue\":\"/\"},"
		"\"upstreams\":[{\"provider\":\"a\",\"weight\":34},{\"provider\":\"b\",\"weight\":33},"
		"{\"provider\":\"c\",\"weight\":33}]}"},
	{"weights as they are given", &noun_of_routes, NEW, "--provider a=80 --provider b=20",
		"{\"name\":\"x\",\"pathPredicate\":{\"matchType\":\"PRE\",\"matchValue\":\"/\"},"
		"\"upstreams\":[{\"provider\":\"a\",\"weight\":80},{\"provider\":\"b\",\"weight\":20}]}"},
	{"weights that do not add up", &noun_of_routes, NEW, "--provider a=80 --provider b=30",
		NULL},
	{"a weight for some only", &noun_of_routes, NEW, "--provider a=100 --provider b", NULL},
	{"a weight that is none", &noun_of_routes, NEW, "--provider a=all", NULL},
	{"a route leads somewhere", &noun_of_routes, NEW, "--domain d", NULL},
	{"models, prefixes, mapping, who may use it", &noun_of_routes, NEW,
		"--domain d --path /v1 --provider a --model m --model-prefix p- --map m=n --consumer c",
		"{\"name\":\"x\",\"domains\":[\"d\"],\"pathPredicate\":{\"matchType\":\"PRE\","
		"\"matchValue\":\"/v1\"},\"modelPredicates\":[{\"matchType\":\"EQUAL\","
		"\"matchValue\":\"m\"},{\"matchType\":\"PRE\",\"matchValue\":\"p-\"}],"
		"\"authConfig\":{\"enabled\":true,\"allowedCredentialTypes\":[\"key-auth\"],"
		"\"allowedConsumers\":[\"c\"]},\"upstreams\":[{\"provider\":\"a\",\"weight\":100,"
		"\"modelMapping\":{\"m\":\"n\"}}]}"},
	{"everybody, and one consumer, cannot both be", &noun_of_routes, NEW,
		"--provider a --everybody --consumer c", NULL},
	{"an update opens a route and keeps the rest", &noun_of_routes,
		"{\"name\":\"x\",\"upstreams\":[{\"provider\":\"a\",\"weight\":100}],"
		"\"authConfig\":{\"enabled\":true,\"allowedConsumers\":[\"c\"]}}",
		"--everybody",
		"{\"name\":\"x\",\"upstreams\":[{\"provider\":\"a\",\"weight\":100}],"
		"\"authConfig\":{\"enabled\":false,\"allowedConsumers\":[\"c\"]}}"},
};

static size_t split(char *line, char **words)
{
	size_t n = 1;

	words[0] = line;
	for (char *p = line; *p != '\0'; p++) {
		if (*p == ' ') {
			*p = '\0';
			assert_true(n < WORDS_MAX);
			words[n++] = p + 1;
		}
	}
	return line[0] != '\0' ? n : 0;
}

static struct doc *start(struct arena *a, const struct row *row)
{
	struct doc *body;
	struct fault f;

	if (row->there != NULL) {
		body = noun_body_read(a, bytes_str(row->there), &f);
		assert_non_null(body);
		return body;
	}
	body = doc_map(a);
	doc_set(a, body, "name", doc_str(a, "x"));
	return body;
}

/* The body as JSON, or NULL and what was said. */
static char *fill(const struct row *row, char **said)
{
	const struct arg_table *tables[] = {row->noun->options, NULL};
	char *line = strdup(row->line);
	char *argv[WORDS_MAX + 1] = {(char *)(uintptr_t) "noun"};
	size_t said_n;
	FILE *err = open_memstream(said, &said_n);
	struct json_writer w;
	struct arena arena;
	struct args given;
	struct doc *body;
	struct text t;
	char *out = NULL;
	int argc = 1 + (int)split(line, argv + 1);

	arena_init(&arena, SIZE_MAX);
	body = start(&arena, row);
	assert_int_equal(args_read(&given, "noun verb", tables, argc, argv, err), 0);
	if (row->noun->fill(&arena, &given, row->there == NULL, body, err) == 0) {
		text_init(&t, 65536);
		json_writer_init(&w, &t);
		doc_put_json(&arena, &w, body);
		out = strdup(text_cstr(&t));
		text_done(&t);
	}
	fclose(err);
	args_done(&given);
	arena_done(&arena);
	free(line);
	return out;
}

static void test_rows(void **state)
{
	(void)state;
	setenv("NOUN_TEST_KEY", "sk-env", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *said = NULL;
		char *got = fill(&rows[i], &said);

		if ((got == NULL) != (rows[i].want == NULL) ||
			(got != NULL && strcmp(got, rows[i].want) != 0)) {
			print_error("%s: %s%s\n", rows[i].reason, got != NULL ? got : "", said);
		}
		if (rows[i].want == NULL) {
			assert_null(got);
			assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
		} else {
			assert_non_null(got);
			assert_string_equal(got, rows[i].want);
			assert_string_equal(said, "");
		}
		free(got);
		free(said);
	}
}

/* Nobody can guess it, and two are not the same. */
static void test_random_key(void **state)
{
	const struct row row = {"", &noun_of_consumers, NULL, "", ""};
	char *said = NULL;
	char *one = fill(&row, &said);
	char *other;

	(void)state;
	free(said);
	other = fill(&row, &said);
	free(said);
	assert_non_null(strstr(one, "\"values\":[\"sk-"));
	assert_int_equal(strlen(one), strlen(other));
	assert_string_not_equal(one, other);
	free(one);
	free(other);
}

static const struct {
	const char *reason, *text;
	bool good;
} files[] = {
	{"JSON", "{\"name\":\"x\",\t\"tokens\":[]}\n", true},
	{"YAML", "name: x\ntokens: []\n", true},
	{"YAML that begins as JSON does", "{name: x, tokens: []}\n", true},
	{"two documents: which one is meant?", "name: x\n---\nname: y\n", false},
	{"a list is no object", "- name: x\n", false},
	{"a word is no object", "x\n", false},
	{"broken YAML", "name: [x\n", false},
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct fault f = {0};
		struct arena a;
		struct doc *d;

		arena_init(&a, SIZE_MAX);
		d = noun_body_read(&a, bytes_str(files[i].text), &f);
		if ((d != NULL) != files[i].good) {
			print_error("%s: %s\n", files[i].reason, f.text);
		}
		assert_int_equal(d != NULL, files[i].good);
		assert_true(files[i].good || f.text[0] != '\0');
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
		cmocka_unit_test(test_random_key), cmocka_unit_test(test_files)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
