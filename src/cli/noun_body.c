/*
 * Options as members of API objects. An option that is repeatable replaces the whole list: what is said on the
 * command line is what there will be.
 */
#include <stdlib.h>

#include "base/num.h"
#include "base/random.h"
#include "cli/noun.h"
#include "wire/json.h"
#include "wire/url.h"

/* Letters of a key that is made here; 128 bits of them. */
#define KEY_LETTERS 32u

/* --- files -------------------------------------------------------------------------------------- */

static struct doc *read_json(struct arena *a, struct bytes text, struct fault *f)
{
	const struct json_value *v = json_parse(a, text, f);

	return v != NULL ? doc_of_json(a, v) : NULL;
}

static struct doc *read_yaml(struct arena *a, struct bytes text, struct fault *f)
{
	struct yaml_doc y;

	if (yaml_parse(a, text, &y, f) != 0) {
		return NULL;
	}
	if (y.more) {
		fault_set(f, ERR_SYNTAX, 0, y.more_line,
			"a second document begins in line %u: one object is read", y.more_line);
		return NULL;
	}
	return doc_of_yaml(a, y.root);
}

struct doc *noun_body_read(struct arena *a, struct bytes text, struct fault *f)
{
	struct bytes begin = bytes_trim(text);
	struct doc *d = begin.n != 0 && begin.p[0] == '{' ? read_json(a, text, f) : NULL;

	/* A flow map of YAML begins so, too. */
	d = d != NULL ? d : read_yaml(a, text, f);
	if (d != NULL && d->type != DOC_MAP) {
		fault_set(f, ERR_SYNTAX, 0, 0, "it holds no object with members");
		return NULL;
	}
	return d;
}

/* --- parts -------------------------------------------------------------------------------------- */

static struct doc *list_of(struct arena *a, const struct args *given, const char *option)
{
	struct doc *list = doc_list(a);
	const char *value;
	size_t at = 0;

	while ((value = args_next(given, option, &at)) != NULL) {
		doc_append(a, list, doc_str(a, value));
	}
	return list;
}

static void put_text(struct arena *a, const struct args *given, const char *option,
	struct doc *body, const char *key)
{
	const char *value = args_value(given, option);

	if (value != NULL) {
		doc_set(a, body, key, doc_str(a, value));
	}
}

static int wrong(const struct args *given, FILE *err, const char *what)
{
	fprintf(err, "sluice %s: %s\n", given->command, what);
	return ERR_SYNTAX;
}

/* "LEFT=RIGHT"; right p NULL: there is no '='. */
static struct bytes left_of(const char *value, struct bytes *right)
{
	*right = bytes_str(value);
	return bytes_cut(right, '=');
}

/* --- providers ---------------------------------------------------------------------------------- */

static const struct arg_row provider_rows[] = {
	{"--type", "TYPE", "The vendor: openai, claude, qwen, deepseek, ollama, vllm, azure …",
		false},
	{"--token", "KEY",
		"A credential for the vendor. Others see command lines: prefer --token-env.", true},
	{"--token-env", "VAR", "A credential, from this variable of the environment.", true},
	{"--url", "URL",
		"In place of the vendor's own address (openai, claude, vllm, azure, ollama).",
		false},
	{"--protocol", "NAME", "openai/v1, or original: requests pass as they are.", false},
	{"--proxy", "NAME", "The proxy server that is used towards the vendor.", false},
	{"--set", "KEY=VALUE", "A member of rawConfigs; VALUE is read as YAML.", true},
};
static const struct arg_table provider_table = {provider_rows, ARRAY_LEN(provider_rows)};

static int put_tokens(struct arena *a, const struct args *given, struct doc *body, FILE *err)
{
	struct doc *tokens;
	const char *name;
	size_t at = 0;

	if (!args_has(given, "--token") && !args_has(given, "--token-env")) {
		return 0;
	}
	tokens = list_of(a, given, "--token");
	while ((name = args_next(given, "--token-env", &at)) != NULL) {
		const char *value = getenv(name);

		if (value == NULL || value[0] == '\0') {
			fprintf(err,
				"sluice %s: --token-env: %.80s is not set in the environment\n",
				given->command, name);
			return ERR_SYNTAX;
		}
		doc_append(a, tokens, doc_str(a, value));
	}
	doc_set(a, body, "tokens", tokens);
	return 0;
}

static int put_ollama(
	struct arena *a, const struct args *given, const char *text, struct doc *raw, FILE *err)
{
	struct url url;
	struct fault f;

	if (url_parse(&url, bytes_str(text), &f) != 0) {
		return wrong(given, err, "--url needs an address such as http://127.0.0.1:11434");
	}
	doc_set(a, raw, "ollamaServerHost", doc_string(a, url.host));
	doc_set(a, raw, "ollamaServerPort", doc_int(a, url.port != 0 ? url.port : 11434));
	return 0;
}

static int put_url(struct arena *a, const struct args *given, struct doc *body, FILE *err)
{
	static const struct {
		const char *type, *key;
	} keys[] = {{"openai", "openaiCustomUrl"}, {"claude", "claudeCustomUrl"},
		{"vllm", "vllmCustomUrl"}, {"azure", "azureServiceUrl"}};
	struct bytes type = doc_text(doc_get(a, body, "type"), BYTES(""));
	const char *url = args_value(given, "--url");
	struct doc *raw = doc_need_map(a, body, "rawConfigs");

	if (url == NULL) {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (bytes_eq(type, bytes_str(keys[i].type))) {
			doc_set(a, raw, keys[i].key, doc_str(a, url));
			return 0;
		}
	}
	if (bytes_eq(type, BYTES("ollama"))) {
		return put_ollama(a, given, url, raw, err);
	}
	fprintf(err,
		"sluice %s: the address of type " BYTES_FMT
		" is the vendor's; use --type openai for a "
		"server that speaks OpenAI's protocol, or --set KEY=VALUE\n",
		given->command, BYTES_ARG(type));
	return ERR_SYNTAX;
}

static int put_settings(struct arena *a, const struct args *given, struct doc *body, FILE *err)
{
	struct doc *raw = doc_need_map(a, body, "rawConfigs");
	const char *pair;
	size_t at = 0;

	while ((pair = args_next(given, "--set", &at)) != NULL) {
		struct bytes value;
		struct bytes key = left_of(pair, &value);
		struct yaml_doc y;
		struct fault f;

		if (value.p == NULL || key.n == 0 || yaml_parse(a, value, &y, &f) != 0) {
			return wrong(given, err, "--set needs KEY=VALUE, VALUE as YAML");
		}
		doc_set_bytes(a, raw, key, doc_of_yaml(a, y.root));
	}
	return 0;
}

static int fill_provider(
	struct arena *a, const struct args *given, bool is_new, struct doc *body, FILE *err)
{
	int rc;

	if (is_new && !args_has(given, "--type")) {
		return wrong(given, err, "--type is missing: which vendor is it? Such as openai");
	}
	put_text(a, given, "--type", body, "type");
	put_text(a, given, "--protocol", body, "protocol");
	put_text(a, given, "--proxy", body, "proxyName");
	rc = put_tokens(a, given, body, err);
	rc = rc == 0 ? put_url(a, given, body, err) : rc;
	return rc == 0 ? put_settings(a, given, body, err) : rc;
}

const struct noun noun_of_providers = {
	.plural = "providers",
	.label = "provider",
	.path = "/v1/ai/providers",
	.options = &provider_table,
	.columns = noun_columns_provider,
	.n_columns = ARRAY_LEN(noun_columns_provider),
	.fill = fill_provider,
	.example = "sluice providers create openai --type openai --token-env OPENAI_API_KEY",
};

/* --- consumers ---------------------------------------------------------------------------------- */

static const struct arg_row consumer_rows[] = {
	{"--key", "KEY",
		"A key of the consumer. Without one a new consumer gets a random key, which is printed.",
		true},
	{"--key-env", "VAR", "A key, from this variable of the environment.", true},
	{"--header", "NAME", "The key comes in this header, not as Authorization: Bearer.", false},
	{"--query", "NAME", "The key comes in this query parameter.", false},
};
static const struct arg_table consumer_table = {consumer_rows, ARRAY_LEN(consumer_rows)};

static struct doc *random_key(struct arena *a)
{
	static const char letters[] = "0123456789abcdef";
	unsigned char random[KEY_LETTERS / 2];
	struct text t;
	struct doc *key;

	random_secret(random, sizeof(random));
	text_init(&t, 64);
	text_add_str(&t, "sk-");
	for (size_t i = 0; i < sizeof(random); i++) {
		text_add_char(&t, letters[random[i] >> 4]);
		text_add_char(&t, letters[random[i] & 15]);
	}
	key = doc_string_copy(a, text_bytes(&t));
	text_done(&t);
	return key;
}

static int put_keys(
	struct arena *a, const struct args *given, bool is_new, struct doc *credential, FILE *err)
{
	struct doc *keys = list_of(a, given, "--key");
	const char *name;
	size_t at = 0;

	while ((name = args_next(given, "--key-env", &at)) != NULL) {
		const char *value = getenv(name);

		if (value == NULL || value[0] == '\0') {
			fprintf(err, "sluice %s: --key-env: %.80s is not set in the environment\n",
				given->command, name);
			return ERR_SYNTAX;
		}
		doc_append(a, keys, doc_str(a, value));
	}
	if (keys->n == 0 && is_new) {
		doc_append(a, keys, random_key(a));
	}
	if (keys->n != 0) {
		doc_set(a, credential, "values", keys);
	}
	return 0;
}

static int fill_consumer(
	struct arena *a, const struct args *given, bool is_new, struct doc *body, FILE *err)
{
	const char *header = args_value(given, "--header");
	const char *query = args_value(given, "--query");
	struct doc *list = doc_need_list(a, body, "credentials");
	struct doc *credential = doc_first(a, list);

	if (header != NULL && query != NULL) {
		return wrong(given, err, "--header and --query: a key comes in one place");
	}
	if (credential == NULL) {
		credential = doc_map(a);
		doc_append(a, list, credential);
		doc_set(a, credential, "type", doc_str(a, "key-auth"));
	}
	if (is_new || header != NULL || query != NULL) {
		const char *name = header != NULL ? header : query;

		doc_set(a, credential, "source",
			doc_str(a,
				header != NULL          ? "HEADER"
					: query != NULL ? "QUERY"
							: "BEARER"));
		doc_set(a, credential, "key", name != NULL ? doc_str(a, name) : doc_null(a));
	}
	return put_keys(a, given, is_new, credential, err);
}

const struct noun noun_of_consumers = {
	.plural = "consumers",
	.label = "consumer",
	.path = "/v1/consumers",
	.options = &consumer_table,
	.columns = noun_columns_consumer,
	.n_columns = ARRAY_LEN(noun_columns_consumer),
	.fill = fill_consumer,
	.example = "sluice consumers create alice",
};

/* --- domains ------------------------------------------------------------------------------------ */

static const struct arg_row domain_rows[] = {
	{"--https", "MODE", "off, on, or force: plain requests are redirected.", false},
	{"--certificate", "NAME", "The TLS certificate, for on and force.", false},
};
static const struct arg_table domain_table = {domain_rows, ARRAY_LEN(domain_rows)};

static int fill_domain(
	struct arena *a, const struct args *given, bool is_new, struct doc *body, FILE *err)
{
	const char *mode = args_value(given, "--https");

	if (mode != NULL && strcmp(mode, "off") != 0 && strcmp(mode, "on") != 0 &&
		strcmp(mode, "force") != 0) {
		return wrong(given, err, "--https is off, on or force");
	}
	if (is_new) {
		doc_set(a, body, "enableHttps", doc_str(a, "off"));
	}
	put_text(a, given, "--https", body, "enableHttps");
	put_text(a, given, "--certificate", body, "certIdentifier");
	return 0;
}

const struct noun noun_of_domains = {
	.plural = "domains",
	.label = "domain",
	.path = "/v1/domains",
	.options = &domain_table,
	.columns = noun_columns_domain,
	.n_columns = ARRAY_LEN(noun_columns_domain),
	.fill = fill_domain,
	.example = "sluice domains create api.example.com --https on --certificate example",
};

/* --- routes ------------------------------------------------------------------------------------- */

static const struct arg_row route_rows[] = {
	{"--domain", "NAME", "A domain that the route serves; without one all of them.", true},
	{"--path", "PREFIX", "What paths begin with. Default of a new route: /.", false},
	{"--provider", "NAME[=WEIGHT]",
		"Where requests go. Weights add up to 100; without any the requests are shared evenly.",
		true},
	{"--model", "NAME", "Serves this model; with --model-prefix those too; without any all.",
		true},
	{"--model-prefix", "TEXT", "Serves models whose names begin so.", true},
	{"--map", "FROM=TO",
		"Asks the providers for model TO in place of FROM (a name, a prefix ending in *, or *).",
		true},
	{"--consumer", "NAME", "Only this consumer may use the route.", true},
	{"--everybody", NULL, "No credential is needed.", false},
};
static const struct arg_table route_table = {route_rows, ARRAY_LEN(route_rows)};

/* Evenly, so that they add up to 100: of three 34, 33, 33. */
static void share_evenly(struct arena *a, struct doc *upstreams)
{
	int64_t n = (int64_t)upstreams->n;
	int64_t i = 0;

	for (struct doc *u = doc_first(a, upstreams); u != NULL; u = u->next, i++) {
		doc_set(a, u, "weight", doc_int(a, 100 / n + (i < 100 % n)));
	}
}

static struct doc *mapping_of(struct arena *a, const struct args *given, FILE *err)
{
	struct doc *map = doc_map(a);
	const char *pair;
	size_t at = 0;

	while ((pair = args_next(given, "--map", &at)) != NULL) {
		struct bytes to;
		struct bytes from = left_of(pair, &to);

		if (to.p == NULL || from.n == 0) {
			wrong(given, err, "--map needs FROM=TO");
			return NULL;
		}
		doc_set_bytes(a, map, from, doc_string(a, to));
	}
	return map;
}

static int put_upstreams(struct arena *a, const struct args *given, struct doc *body, FILE *err)
{
	struct doc *list = doc_list(a);
	const char *value;
	size_t weights = 0;
	uint64_t sum = 0;
	size_t at = 0;

	while ((value = args_next(given, "--provider", &at)) != NULL) {
		struct doc *u = doc_map(a);
		struct bytes weight;
		struct bytes name = left_of(value, &weight);
		uint64_t n = 0;

		if (weight.p != NULL && !num_parse_u64(weight, 100, &n)) {
			return wrong(given, err, "--provider: a weight is a number from 0 to 100");
		}
		doc_set(a, u, "provider", doc_string(a, name));
		doc_set(a, u, "weight", doc_int(a, (int64_t)n));
		doc_append(a, list, u);
		weights += weight.p != NULL;
		sum += n;
	}
	if (weights != 0 && (weights != list->n || sum != 100)) {
		return wrong(given, err,
			"--provider: give every provider a weight, 100 together, or none of them");
	}
	if (list->n > 100) {
		return wrong(given, err, "--provider: a route has at most 100 of them");
	}
	if (weights == 0 && list->n != 0) {
		share_evenly(a, list);
	}
	if (list->n != 0) {
		doc_set(a, body, "upstreams", list);
	}
	return 0;
}

static int put_mapping(struct arena *a, const struct args *given, struct doc *body, FILE *err)
{
	struct doc *map;

	if (!args_has(given, "--map")) {
		return 0;
	}
	map = mapping_of(a, given, err);
	if (map == NULL) {
		return ERR_SYNTAX;
	}
	for (struct doc *u = doc_first(a, doc_get(a, body, "upstreams")); u != NULL; u = u->next) {
		doc_set(a, u, "modelMapping", doc_copy(a, map));
	}
	return 0;
}

static void put_predicates(struct arena *a, const struct args *given, const char *option,
	const char *type, struct doc *list)
{
	const char *value;
	size_t at = 0;

	while ((value = args_next(given, option, &at)) != NULL) {
		struct doc *p = doc_map(a);

		doc_set(a, p, "matchType", doc_str(a, type));
		doc_set(a, p, "matchValue", doc_str(a, value));
		doc_append(a, list, p);
	}
}

static void put_auth(struct arena *a, const struct args *given, struct doc *body)
{
	struct doc *auth;

	if (!args_has(given, "--consumer") && !args_has(given, "--everybody")) {
		return;
	}
	auth = doc_need_map(a, body, "authConfig");
	doc_set(a, auth, "enabled", doc_bool(a, args_has(given, "--consumer")));
	if (args_has(given, "--consumer")) {
		struct doc *types = doc_list(a);

		doc_append(a, types, doc_str(a, "key-auth"));
		doc_set(a, auth, "allowedCredentialTypes", types);
		doc_set(a, auth, "allowedConsumers", list_of(a, given, "--consumer"));
	}
}

static int fill_route(
	struct arena *a, const struct args *given, bool is_new, struct doc *body, FILE *err)
{
	const char *path = args_value(given, "--path");
	int rc;

	if (is_new && !args_has(given, "--provider")) {
		return wrong(given, err, "--provider is missing: where do requests go?");
	}
	if (args_has(given, "--everybody") && args_has(given, "--consumer")) {
		return wrong(
			given, err, "--everybody and --consumer say two things: leave one out");
	}
	if (args_has(given, "--domain")) {
		doc_set(a, body, "domains", list_of(a, given, "--domain"));
	}
	if (path != NULL || is_new) {
		struct doc *p = doc_need_map(a, body, "pathPredicate");

		doc_set(a, p, "matchType", doc_str(a, "PRE"));
		doc_set(a, p, "matchValue", doc_str(a, path != NULL ? path : "/"));
	}
	if (args_has(given, "--model") || args_has(given, "--model-prefix")) {
		struct doc *list = doc_list(a);

		put_predicates(a, given, "--model", "EQUAL", list);
		put_predicates(a, given, "--model-prefix", "PRE", list);
		doc_set(a, body, "modelPredicates", list);
	}
	put_auth(a, given, body);
	rc = put_upstreams(a, given, body, err);
	return rc == 0 ? put_mapping(a, given, body, err) : rc;
}

const struct noun noun_of_routes = {
	.plural = "routes",
	.label = "AI route",
	.path = "/v1/ai/routes",
	.options = &route_table,
	.columns = noun_columns_route,
	.n_columns = ARRAY_LEN(noun_columns_route),
	.fill = fill_route,
	.example =
		"sluice routes create chat --provider openai=80 --provider qwen=20 --model-prefix gpt-",
};
