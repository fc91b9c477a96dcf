/* Cells of tables. Members that another version of the server leaves out make empty cells. */
#include "cli/noun.h"

static struct bytes text_at(struct arena *a, const struct doc *o, const char *path)
{
	return doc_text(doc_at(a, o, path), BYTES(""));
}

static void put_name(struct arena *a, const struct doc *o, struct text *out)
{
	text_add_bytes(out, text_at(a, o, "name"));
}

static void put_comma(struct text *out)
{
	if (out->n != 0) {
		text_add_char(out, ',');
	}
}

static void put_list(struct arena *a, const struct doc *list, struct text *out)
{
	for (const struct doc *at = doc_first(a, list); at != NULL; at = at->next) {
		put_comma(out);
		text_add_bytes(out, doc_text(at, BYTES("")));
	}
}

/* --- providers ---------------------------------------------------------------------------------- */

static void put_type(struct arena *a, const struct doc *o, struct text *out)
{
	text_add_bytes(out, text_at(a, o, "type"));
}

/* What stands in place of the type's own address. */
static void put_url(struct arena *a, const struct doc *o, struct text *out)
{
	static const char *const keys[] = {"openaiCustomUrl", "claudeCustomUrl", "vllmCustomUrl",
		"azureServiceUrl", "ollamaServerHost", "qwenDomain", "zhipuDomain", "apiUrl"};
	const struct doc *raw = doc_get(a, o, "rawConfigs");

	for (size_t i = 0; i < ARRAY_LEN(keys) && out->n == 0; i++) {
		text_add_bytes(out, doc_text(doc_get(a, raw, keys[i]), BYTES("")));
	}
}

static void put_tokens(struct arena *a, const struct doc *o, struct text *out)
{
	put_list(a, doc_get(a, o, "tokens"), out);
}

const struct noun_column noun_columns_provider[4] = {
	{"NAME", put_name}, {"TYPE", put_type}, {"URL", put_url}, {"TOKENS", put_tokens}};

/* --- consumers ---------------------------------------------------------------------------------- */

static void put_source(struct arena *a, const struct doc *o, struct text *out)
{
	for (const struct doc *c = doc_first(a, doc_get(a, o, "credentials")); c != NULL;
		c = c->next) {
		struct bytes key = text_at(a, c, "key");

		put_comma(out);
		text_add_bytes(out, text_at(a, c, "source"));
		if (key.n != 0) {
			text_addf(out, " " BYTES_FMT, BYTES_ARG(key));
		}
	}
}

static void put_keys(struct arena *a, const struct doc *o, struct text *out)
{
	for (const struct doc *c = doc_first(a, doc_get(a, o, "credentials")); c != NULL;
		c = c->next) {
		put_list(a, doc_get(a, c, "values"), out);
	}
}

const struct noun_column noun_columns_consumer[3] = {
	{"NAME", put_name}, {"CREDENTIAL", put_source}, {"KEYS", put_keys}};

/* --- domains ------------------------------------------------------------------------------------ */

static void put_https(struct arena *a, const struct doc *o, struct text *out)
{
	text_add_bytes(out, text_at(a, o, "enableHttps"));
}

static void put_certificate(struct arena *a, const struct doc *o, struct text *out)
{
	text_add_bytes(out, text_at(a, o, "certIdentifier"));
}

const struct noun_column noun_columns_domain[3] = {
	{"NAME", put_name}, {"HTTPS", put_https}, {"CERTIFICATE", put_certificate}};

/* --- routes ------------------------------------------------------------------------------------- */

static void put_domains(struct arena *a, const struct doc *o, struct text *out)
{
	put_list(a, doc_get(a, o, "domains"), out);
	if (out->n == 0) {
		text_add_str(out, "*");
	}
}

static void put_path(struct arena *a, const struct doc *o, struct text *out)
{
	text_add_bytes(out, text_at(a, o, "pathPredicate.matchValue"));
}

/* "gpt-4" is that model, "gpt-*" all that begin so. */
static void put_models(struct arena *a, const struct doc *o, struct text *out)
{
	for (const struct doc *m = doc_first(a, doc_get(a, o, "modelPredicates")); m != NULL;
		m = m->next) {
		put_comma(out);
		text_add_bytes(out, text_at(a, m, "matchValue"));
		if (bytes_eq_nocase(text_at(a, m, "matchType"), BYTES("PRE"))) {
			text_add_char(out, '*');
		}
	}
	if (out->n == 0) {
		text_add_str(out, "*");
	}
}

static void put_providers(struct arena *a, const struct doc *o, struct text *out)
{
	for (const struct doc *u = doc_first(a, doc_get(a, o, "upstreams")); u != NULL;
		u = u->next) {
		const struct doc *weight = doc_get(a, u, "weight");

		put_comma(out);
		text_add_bytes(out, text_at(a, u, "provider"));
		if (weight != NULL && weight->type == DOC_INT && weight->integer != 100) {
			text_addf(out, "=%lld", (long long)weight->integer);
		}
	}
}

static void put_consumers(struct arena *a, const struct doc *o, struct text *out)
{
	const struct doc *enabled = doc_at(a, o, "authConfig.enabled");

	if (enabled == NULL || enabled->type != DOC_BOOL || !enabled->boolean) {
		text_add_str(out, "everybody");
		return;
	}
	put_list(a, doc_at(a, o, "authConfig.allowedConsumers"), out);
	if (out->n == 0) {
		text_add_str(out, "nobody");
	}
}

const struct noun_column noun_columns_route[6] = {{"NAME", put_name}, {"DOMAINS", put_domains},
	{"PATH", put_path}, {"MODELS", put_models}, {"PROVIDERS", put_providers},
	{"CONSUMERS", put_consumers}};
