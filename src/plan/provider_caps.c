/*
 * Which APIs a provider serves, and at which paths: its type's, moved below a custom URL or into an Azure
 * resource, then what `capabilities` says (providers.md §2.2, §5.6; data-plane.md §5).
 */
#include "plan/provider_int.h"

#include <stdio.h>

/* --- capabilities ------------------------------------------------------------------------------- */

/* A custom URL's path as the base of all APIs, and the one API that it stands for itself, if any. */
struct custom_base {
	struct bytes base; /* without trailing slash */
	enum api direct;
	struct bytes path, query;
};

static struct custom_base custom_base(const struct provider_type *t, const struct url *u)
{
	struct custom_base c = {.base = u->path, .path = u->path, .query = u->query};

	while (bytes_ends(c.base, BYTES("/"))) {
		c.base.n--;
	}
	for (size_t i = 0; i < t->n_direct; i++) {
		struct bytes ending = bytes_str(t->direct[i].path);

		if (bytes_ends(c.base, ending)) {
			c.base.n -= ending.n;
			c.direct = t->direct[i].api;
			break;
		}
	}
	return c;
}

/* "/v1" of a capability is what the custom path stands for; what a server has beside its "/v1"
 * (vllm's "/tokenize") is found beside the custom path's. */
static const char *rebased(
	struct entry *e, const struct custom_base *c, const struct capability *cap)
{
	struct bytes base = c->base;
	struct bytes rest = bytes_str(cap->path);
	struct text t;
	struct bytes copy;

	if (bytes_starts(rest, BYTES("/v1/"))) {
		rest.p += 3;
		rest.n -= 3;
	} else if (bytes_ends(base, BYTES("/v1"))) {
		base.n -= 3;
	}
	text_init(&t, RESOURCE_FILE_MAX);
	if (cap->api == c->direct) {
		text_add_bytes(&t, c->path);
	} else {
		text_add_bytes(&t, base);
		text_add_bytes(&t, rest);
	}
	if (c->query.n != 0) {
		text_add_char(&t, '?');
		text_add_bytes(&t, c->query);
	}
	copy = build_text(e->arena, text_bytes(&t));
	text_done(&t);
	return copy.p;
}

/* --- azure -------------------------------------------------------------------------------------- */

/* azureModelIrrelevantApis, and what else belongs to no deployment: it stands beside them. */
static bool is_beside_deployments(enum api api)
{
	switch ((unsigned)api) {
	case API_MODELS:
	case API_RETRIEVE_MODEL:
	case API_BATCHES:
	case API_RETRIEVE_BATCH:
	case API_CANCEL_BATCH:
	case API_FILES:
	case API_RETRIEVE_FILE:
	case API_RETRIEVE_FILE_CONTENT:
	case API_RESPONSES:
	case API_RETRIEVE_RESPONSE:
	case API_CANCEL_RESPONSE:
	case API_RESPONSE_INPUT_ITEMS:
		return true;
	default:
		return false;
	}
}

/* providers.md §5.6: what azureServiceUrl's path says about the paths of all APIs. */
enum azure_url { AZURE_DOMAIN, AZURE_DEPLOYMENT, AZURE_V1, AZURE_WHOLE };

static enum azure_url azure_url(struct bytes path)
{
	const struct bytes deployments = BYTES("/openai/deployments/");
	size_t n = deployments.n;

	if (path.n == 0) {
		return AZURE_DOMAIN;
	}
	if (bytes_eq(path, BYTES("/openai/v1"))) {
		return AZURE_V1;
	}
	return bytes_starts(path, deployments) && path.n > n &&
			memchr(path.p + n, '/', path.n - n) == NULL
		? AZURE_DEPLOYMENT
		: AZURE_WHOLE;
}

static const char *azure_path(struct entry *e, struct bytes base, const struct capability *cap)
{
	enum azure_url kind = azure_url(base);
	struct bytes rest = bytes_str(cap->path);
	struct text t;
	struct bytes copy;

	ASSERT(bytes_starts(rest, BYTES("/v1/")));
	rest = bytes_of(rest.p + 3, rest.n - 3);
	text_init(&t, RESOURCE_FILE_MAX);
	if (kind == AZURE_V1) {
		text_add_bytes(&t, base);
	} else if (is_beside_deployments(cap->api)) {
		text_add_str(&t, "/openai");
	} else if (kind == AZURE_DEPLOYMENT) {
		text_add_bytes(&t, base);
	} else {
		text_add_str(&t, "/openai/deployments/" CAPABILITY_MODEL);
		e->out->model_in_path = true;
	}
	text_add_bytes(&t, rest);
	copy = build_text(e->arena, text_bytes(&t));
	text_done(&t);
	return copy.p;
}

static bool has_version(struct bytes query)
{
	while (query.n != 0) {
		struct bytes parameter = bytes_cut(&query, '&');

		if (bytes_starts(parameter, BYTES("api-version=")) && parameter.n > 12) {
			return true;
		}
	}
	return false;
}

/* What holds for every API. */
static void read_azure(struct entry *e, const struct url *u, struct bytes base)
{
	enum azure_url kind = azure_url(base);
	struct text t;

	if (kind != AZURE_V1 && !has_version(u->query)) {
		provider_refuse(e, yaml_get(e->node, e->type->custom_url_key), "bad-url",
			"%s needs the parameter api-version, as in "
			"https://NAME.openai.azure.com?api-version=2024-10-21",
			e->type->custom_url_key);
	}
	if (kind != AZURE_WHOLE) {
		e->out->query = build_text(e->arena, u->query);
		return;
	}
	text_init(&t, RESOURCE_FILE_MAX);
	text_add_bytes(&t, u->path);
	text_add_char(&t, '?');
	text_add_bytes(&t, u->query);
	e->out->whole = build_text(e->arena, text_bytes(&t));
	text_done(&t);
}

/* --- capabilities as they are configured -------------------------------------------------------- */

/* The path with the values of keys in the place of {key}. */
static const char *with_keys(struct entry *e, const char *path)
{
	for (size_t i = 0; i < e->type->n_keys && path != NULL; i++) {
		const struct provider_key *k = &e->type->keys[i];
		const char *at;
		char name[64];
		struct bytes value;
		struct text t;

		if (!k->in_path) {
			continue;
		}
		snprintf(name, sizeof(name), "{%s}", k->name);
		at = strstr(path, name);
		if (at == NULL) {
			continue;
		}
		value = provider_text(e, k->name);
		text_init(&t, RESOURCE_FILE_MAX);
		text_add(&t, path, (size_t)(at - path));
		text_add_bytes(&t, value);
		text_add_str(&t, at + strlen(name));
		path = build_text(e->arena, text_bytes(&t)).p;
		text_done(&t);
	}
	return path;
}

static void override(
	struct entry *e, struct capability *caps, size_t *n, const struct yaml_node *value)
{
	enum api api = api_of_name(value->key->text);
	struct bytes path = {0};
	size_t i = 0;

	if (api == API_NONE) {
		provider_refuse(e, value, "unknown-api",
			"capabilities: nothing is called " BYTES_FMT, BYTES_ARG(value->key->text));
		return;
	}
	if (value->type != YAML_NULL &&
		!build_scalar(value, "a path in capabilities", e->where, e->findings, &path)) {
		e->bad = true;
		return;
	}
	if (path.n != 0 && path.p[0] != '/') {
		provider_refuse(e, value, "bad-value", "capabilities: a path begins with /");
		return;
	}
	while (i < *n && caps[i].api != api) {
		i++;
	}
	caps[i] = (struct capability){
		api, value->type == YAML_NULL ? NULL : build_text(e->arena, path).p};
	*n = MAX(*n, i + 1);
}

void provider_caps_read(struct entry *e, const struct url *custom)
{
	const struct provider_type *t = e->type;
	const struct yaml_node *own = yaml_get(e->node, "capabilities");
	const struct yaml_node *alt = t->alt_key != NULL ? yaml_get(e->node, t->alt_key) : NULL;
	bool use_alt = t->alt_key != NULL && (alt != NULL ? provider_is_true(alt) : t->alt_default);
	const struct capability *from = use_alt ? t->caps_alt : t->caps;
	size_t n = use_alt ? t->n_caps_alt : t->n_caps;
	struct capability *caps = arena_must(e->arena, API_COUNT * sizeof(*caps));
	struct custom_base base;

	if (custom != NULL) {
		base = custom_base(t, custom);
		if (t->azure) {
			read_azure(e, custom, base.base);
		}
	}
	for (size_t i = 0; i < n; i++) {
		caps[i].api = from[i].api;
		caps[i].path = custom == NULL ? with_keys(e, from[i].path)
			: t->azure            ? azure_path(e, base.base, &from[i])
					      : rebased(e, &base, &from[i]);
	}
	if (own != NULL && own->type == YAML_MAP) {
		for (const struct yaml_node *v = own->items; v != NULL; v = v->next) {
			override(e, caps, &n, v);
		}
	} else if (own != NULL && own->type != YAML_NULL) {
		provider_refuse(
			e, own, "map-expected", "capabilities must be a map from API to path");
	}
	e->out->caps = caps;
	e->out->n_caps = n;
}

const struct url *provider_caps_url(struct entry *e, struct url *room)
{
	struct bytes text;
	struct fault fault;
	char with_scheme[4096];

	if (!e->type->custom_url) {
		return NULL;
	}
	text = provider_text(e, e->type->custom_url_key);
	if (text.n == 0) {
		return NULL;
	}
	/* Higress cuts the scheme off and never looks at it, so a URL without one works there. */
	if (!bytes_starts_nocase(text, BYTES("http://")) &&
		!bytes_starts_nocase(text, BYTES("https://")) && text.n < sizeof(with_scheme) - 9) {
		int n = snprintf(
			with_scheme, sizeof(with_scheme), "https://" BYTES_FMT, BYTES_ARG(text));

		text = build_text(e->arena, bytes_of(with_scheme, (size_t)n));
	}
	if (url_parse(room, text, &fault) != 0) {
		provider_refuse(e, yaml_get(e->node, e->type->custom_url_key), "bad-url",
			"%s: %s; write it as https://HOST:PORT/PATH", e->type->custom_url_key,
			fault.text);
		return NULL;
	}
	return room;
}
