/* Providers by the monitor's API: list-providers, create-provider, test-provider, models. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "base/file.h"
#include "cli/agm.h"
#include "cli/command.h"

#define TOKEN_FILE_MAX ((size_t)16 << 10)
#define LIST_FAILED "Failed to parse response"

static const struct arg_row create_rows[] = {
	{"--type", "TYPE", "What it is: qwen, deepseek, openai, ...", false},
	{"--name", "NAME", "How it is called here.", false},
	{"--token", "KEY", "Its API key; - reads it from standard input, out of sight of others.",
		false},
	{"--token-file", "FILE", "The same from a file.", false},
	{"--url", "URL", "Its address, when it is not the type's own.", false},
};
const struct arg_table agm_create_options = {create_rows, ARRAY_LEN(create_rows)};

static const struct arg_row test_rows[] = {
	{"--model", "ID", "Whether it has this model, too.", false},
};
const struct arg_table agm_test_options = {test_rows, ARRAY_LEN(test_rows)};

static const struct arg_row model_rows[] = {
	{"--provider", "NAME", "With those that this provider lists.", false},
};
const struct arg_table agm_model_options = {model_rows, ARRAY_LEN(model_rows)};

/* --- list ----------------------------------------------------------------------------------------- */

static void list_line(struct agm *x, const struct doc *p)
{
	const struct doc *tokens = doc_get(&x->arena, p, "tokens");

	printf("%s\t%s\t%zu tokens\n", agm_member(x, p, "name", ""), agm_member(x, p, "type", ""),
		tokens != NULL ? tokens->n : 0);
}

/* As the Console's list: scripts read `data`. */
static void list_json(struct agm *x, struct doc *list)
{
	struct doc *d = doc_map(&x->arena);

	doc_set(&x->arena, d, "success", doc_bool(&x->arena, true));
	doc_set(&x->arena, d, "message", doc_null(&x->arena));
	doc_set(&x->arena, d, "data", doc_copy(&x->arena, list));
	doc_set(&x->arena, d, "total", doc_int(&x->arena, (int64_t)list->n));
	agm_print_json(x, d);
}

int agm_list_providers(struct agm *x)
{
	const struct agm_question q = {.method = "GET", .path = "/providers"};
	struct remote_answer got;
	struct doc *list;
	int rc = agm_get(x, &q, "providers", &got);

	if (rc != COMMAND_DONE) {
		return rc;
	}
	list = doc_get(&x->arena, got.whole, "providers");
	if (list == NULL || list->type != DOC_LIST) {
		puts(LIST_FAILED);
		return COMMAND_NO;
	}
	if (args_has(&x->given, "--json")) {
		list_json(x, list);
		return COMMAND_DONE;
	}
	for (const struct doc *p = doc_first(&x->arena, list); p != NULL; p = p->next) {
		list_line(x, p);
	}
	return COMMAND_DONE;
}

/* --- create --------------------------------------------------------------------------------------- */

static bool read_token(struct agm *x, FILE *from, const char **out)
{
	char room[TOKEN_FILE_MAX];
	size_t n = fread(room, 1, sizeof(room), from);
	struct bytes token = bytes_of(room, n);

	while (token.n != 0 && (token.p[token.n - 1] == '\n' || token.p[token.n - 1] == '\r')) {
		token.n--;
	}
	*out = arena_copy(&x->arena, token).p;
	return n < sizeof(room) && token.n != 0;
}

/* False: said. *out is NULL when none was given. */
static bool find_token(struct agm *x, const char **out)
{
	const char *path = args_value(&x->given, "--token-file");
	const char *token = args_value(&x->given, "--token");
	bool is_stdin = path == NULL && token != NULL && strcmp(token, "-") == 0;
	FILE *from = path != NULL ? fopen(path, "re") : stdin;
	bool good = true;

	if (path != NULL || is_stdin) {
		good = from != NULL && read_token(x, from, &token);
	}
	if (path != NULL && from != NULL) {
		fclose(from);
	}
	if (!good) {
		fprintf(stderr, "sluice %s: no key can be read from %s\n", x->given.command,
			path != NULL ? path : "standard input");
	}
	*out = token;
	return good;
}

static const char *given(const struct agm *x, const char *name)
{
	const char *v = args_value(&x->given, name);

	return v != NULL && v[0] != '\0' ? v : NULL;
}

int agm_create_provider(struct agm *x)
{
	const char *type = given(x, "--type"), *name = given(x, "--name"), *url = given(x, "--url");
	struct doc *body = doc_map(&x->arena);
	const struct agm_question q = {.method = "POST", .path = "/create-provider", .body = body};
	struct remote_answer got;
	const char *token;
	int rc;

	if (!find_token(x, &token)) {
		return COMMAND_NO;
	}
	if (type == NULL || name == NULL || token == NULL || token[0] == '\0') {
		puts("Usage: create-provider.sh --type <TYPE> --name <NAME> --token <TOKEN> [--url <URL>]");
		return COMMAND_NO;
	}
	doc_set(&x->arena, body, "name", doc_str(&x->arena, name));
	doc_set(&x->arena, body, "type", doc_str(&x->arena, type));
	doc_set(&x->arena, body, "apiKey", doc_str(&x->arena, token));
	if (url != NULL) {
		doc_set(&x->arena, body, "baseUrl", doc_str(&x->arena, url));
	}
	rc = agm_open(x);
	rc = rc == COMMAND_DONE ? agm_ask(x, &q, &got) : rc;
	if (rc != COMMAND_DONE) {
		return rc;
	}
	name = agm_words(x, bytes_str(name));
	if (remote_is_good(&got)) {
		printf("SUCCESS: Provider '%s' created\n", name);
		return COMMAND_DONE;
	}
	if (got.status == 409) {
		printf("WARNING: Provider '%s' already exists\n", name);
		return COMMAND_DONE;
	}
	printf("ERROR: Failed to create provider (HTTP %u)\n", got.status);
	return remote_refused(&x->remote, &got, name);
}

/* --- test ----------------------------------------------------------------------------------------- */

int agm_test_provider(struct agm *x)
{
	const char *name = x->given.n_words == 1 ? x->given.words[0] : NULL;
	const char *model = given(x, "--model");
	struct doc *body = doc_map(&x->arena);
	const struct agm_question q = {.method = "POST", .path = "/test-provider", .body = body};
	struct remote_answer got;
	int rc;

	if (name == NULL || x->given.n_words > 1) {
		fprintf(stderr, "sluice %s: one PROVIDER is needed\n", x->given.command);
		return COMMAND_USAGE;
	}
	doc_set(&x->arena, body, "provider", doc_str(&x->arena, name));
	if (model != NULL) {
		doc_set(&x->arena, body, "model", doc_str(&x->arena, model));
	}
	rc = agm_get(x, &q, name, &got);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	if (args_has(&x->given, "--json")) {
		agm_print_json(x, got.whole);
		return COMMAND_DONE;
	}
	printf("%s answers in %s ms, %s models", agm_words(x, bytes_str(name)),
		agm_member(x, got.whole, "ms", "?"), agm_member(x, got.whole, "models", "?"));
	if (model != NULL) {
		bool found = strcmp(agm_member(x, got.whole, "modelFound", "false"), "true") == 0;

		printf(", %s%s", agm_words(x, bytes_str(model)), found ? "" : " is not among them");
		putchar('\n');
		return found ? COMMAND_DONE : COMMAND_NO;
	}
	putchar('\n');
	return COMMAND_DONE;
}

/* --- models --------------------------------------------------------------------------------------- */

static void put_id(struct arena *a, const struct doc *o, struct text *out)
{
	text_add_bytes(out, doc_text(doc_get(a, o, "id"), BYTES("")));
}

static void put_number(struct arena *a, const struct doc *o, const char *key, struct text *out)
{
	const struct doc *n = doc_get(a, o, key);

	if (n != NULL && n->type == DOC_INT) {
		text_addf(out, "%lld", (long long)n->integer);
	}
}

static void put_context(struct arena *a, const struct doc *o, struct text *out)
{
	put_number(a, o, "contextWindow", out);
}

static void put_output(struct arena *a, const struct doc *o, struct text *out)
{
	put_number(a, o, "maxTokens", out);
}

static void put_input(struct arena *a, const struct doc *o, struct text *out)
{
	const struct doc *at = doc_first(a, doc_get(a, o, "input"));

	for (; at != NULL; at = at->next) {
		text_addf(out, "%s" BYTES_FMT, out->n != 0 ? "," : "",
			BYTES_ARG(doc_text(at, BYTES(""))));
	}
}

static void put_source(struct arena *a, const struct doc *o, struct text *out)
{
	text_add_bytes(out, doc_text(doc_get(a, o, "source"), BYTES("")));
}

static const struct noun_column columns[] = {{"MODEL", put_id}, {"CONTEXT", put_context},
	{"OUTPUT", put_output}, {"INPUT", put_input}, {"KNOWN FROM", put_source}};
static const struct noun models = {
	.plural = "agm", .label = "model", .columns = columns, .n_columns = ARRAY_LEN(columns)};

int agm_models(struct agm *x)
{
	const char *provider = given(x, "--provider");
	struct agm_question q = {.method = "GET", .path = "/models"};
	struct remote_answer got;
	struct doc *list;
	struct text query;
	int rc;

	text_init(&query, 4096);
	if (provider != NULL) {
		text_add_str(&query, "?provider=");
		remote_segment(&query, bytes_str(provider));
		q.behind = text_cstr(&query);
	}
	rc = agm_get(x, &q, "models", &got);
	text_done(&query);
	if (rc != COMMAND_DONE) {
		return rc;
	}
	list = doc_get(&x->arena, got.whole, "models");
	agm_print(x, &models, list != NULL ? list : doc_list(&x->arena));
	return COMMAND_DONE;
}
