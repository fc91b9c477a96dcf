#include "plan/provider_int.h"

#include <stdio.h>

#include "base/nearest.h"
#include "plan/yaml_json.h"
#include "wire/h1.h"
#include "wire/json.h"
#include "wire/url.h"

/* Keys that every type understands (providers.md §0.3), and those that only Console reads. */
static const char *const common_keys[] = {"id", "type", "apiTokens", "timeout", "modelMapping",
	"protocol", "firstByteTimeout", "idleTimeout", "modelDeny", "modelsFromMapping",
	"forwardInjectedUsage", "respectUsageFalse", "capabilities", "basePath", "basePathHandling",
	"providerDomain", "providerBasePath", "tlsServerName", "reasoningContentMode",
	"authHeaderKey", "subPath", "openaiExtraCustomUrls", "openaiCustomServiceName",
	"openaiCustomServicePort", "vllmExtraCustomUrls", "context", "customSettings", "failover",
	"retryOnFailure", "contextCleanupCommands", "mergeConsecutiveMessages",
	"promoteThinkingOnEmpty", "aggregateUnexpectedStream", "hiclawMode", "concurrency",
	"contextWindow"};

/* --- findings and members ----------------------------------------------------------------------- */

void provider_refuse(
	struct entry *e, const struct yaml_node *at, const char *code, const char *fmt, ...)
{
	struct finding f = build_error(e->where, build_place(at != NULL ? at : e->node), code);
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(e->findings, &f, "provider " BYTES_FMT ": %s", BYTES_ARG(e->out->id), text);
	e->bad = true;
}

struct bytes provider_text(struct entry *e, const char *key)
{
	struct bytes text = {0};

	IGNORE(build_scalar(yaml_get(e->node, key), key, e->where, e->findings,
		&text)); /* absent and said already: both are "" */
	return bytes_trim(text);
}

/* --- keys --------------------------------------------------------------------------------------- */

static bool is_path_text(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = ascii_lower(text.p[i]);

		if (!ascii_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') {
			return false;
		}
	}
	return true;
}

static void check_value(struct entry *e, const struct provider_key *k, const struct yaml_node *n)
{
	bool scalar = n->type != YAML_SEQ && n->type != YAML_MAP;
	uint64_t port;

	if (k->untranslated) {
		provider_refuse(e, n, "provider-untranslated",
			"%s asks for a protocol that this version does not translate to; remove it",
			k->name);
	} else if (k->type == KEY_BOOL && n->type != YAML_BOOL && n->type != YAML_STRING) {
		provider_refuse(e, n, "boolean-expected", "%s must be true or false", k->name);
	} else if (k->type == KEY_PORT && (!yaml_u64(n, &port) || port == 0 || port > 65535)) {
		provider_refuse(e, n, "port-expected", "%s must be a port, 1 to 65535", k->name);
	} else if (k->type == KEY_STRING_LIST && n->type != YAML_SEQ) {
		provider_refuse(e, n, "list-expected", "%s must be a list", k->name);
	} else if ((k->type == KEY_STRING || k->type == KEY_URL) && !scalar) {
		provider_refuse(e, n, "string-expected", "%s must be a string", k->name);
	} else if (k->in_path && !is_path_text(n->text)) {
		provider_refuse(e, n, "bad-value", "%s has letters, digits, - and _ only", k->name);
	} else if (k->only != NULL && scalar && !bytes_eq_nocase(n->text, bytes_str(k->only))) {
		provider_refuse(e, n, "unsupported-setting",
			"%s: " BYTES_FMT " is not served by this version; remove it or use %s",
			k->name, BYTES_ARG(n->text), k->only);
	}
}

/* meant: NULL when nobody knows. */
static void note_unknown(struct entry *e, const struct yaml_node *n, const char *meant)
{
	struct finding at = build_warning(e->where, build_place(n), "unknown-field");

	findings_add(e->findings, &at,
		"provider " BYTES_FMT ": " BYTES_FMT " means nothing to type %s; %s%s",
		BYTES_ARG(e->out->id), BYTES_ARG(n->key->text), e->type->name,
		meant != NULL ? "write " : "check the spelling", meant != NULL ? meant : "");
}

static void check_key(struct entry *e, const struct yaml_node *n)
{
	struct nearest near = {NULL, 0};

	for (size_t i = 0; i < e->type->n_keys; i++) {
		if (bytes_eq(n->key->text, bytes_str(e->type->keys[i].name))) {
			if (n->type != YAML_NULL) {
				check_value(e, &e->type->keys[i], n);
			}
			return;
		}
		nearest_offer(&near, n->key->text, e->type->keys[i].name);
	}
	for (size_t i = 0; i < ARRAY_LEN(common_keys); i++) {
		if (bytes_eq(n->key->text, bytes_str(common_keys[i]))) {
			return;
		}
		nearest_offer(&near, n->key->text, common_keys[i]);
	}
	note_unknown(e, n, nearest_slip(&near, n->key->text));
}

static void check_keys(struct entry *e)
{
	for (const struct yaml_node *n = e->node->items; n != NULL; n = n->next) {
		check_key(e, n);
	}
	for (size_t i = 0; i < e->type->n_keys; i++) {
		const struct yaml_node *n = yaml_get(e->node, e->type->keys[i].name);

		if (e->type->keys[i].required && (n == NULL || n->text.n == 0)) {
			provider_refuse(e, NULL, "key-missing", "type %s needs %s", e->type->name,
				e->type->keys[i].name);
		}
	}
}

/* --- protocol, credentials ---------------------------------------------------------------------- */

static void read_protocol(struct entry *e)
{
	struct bytes protocol = provider_text(e, "protocol");

	if (bytes_eq(protocol, BYTES("original"))) {
		e->out->original = true;
	} else if (protocol.n != 0 && !bytes_eq(protocol, BYTES("openai"))) {
		provider_refuse(e, yaml_get(e->node, "protocol"), "bad-value",
			"protocol is openai or original, not " BYTES_FMT, BYTES_ARG(protocol));
	}
}

static void read_tokens(struct entry *e)
{
	const struct yaml_node *list = yaml_get(e->node, "apiTokens");
	struct strings *out = &e->out->tokens;

	if (list != NULL && list->type == YAML_SEQ) {
		out->v = arena_must(e->arena, (list->n + 1) * sizeof(*out->v));
		out->at = arena_must(e->arena, (list->n + 1) * sizeof(*out->at));
		for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
			struct bytes token = {0};

			if (!build_scalar(n, "an API token", e->where, e->findings, &token)) {
				continue;
			}
			if (!h1_is_value(bytes_trim(token))) {
				provider_refuse(e, n, "bad-value",
					"an entry of apiTokens has characters that no header may hold");
			} else if (bytes_trim(token).n != 0) {
				out->at[out->n] = build_place(n);
				out->v[out->n++] = build_text(e->arena, bytes_trim(token));
			}
		}
	} else if (list != NULL && list->type != YAML_NULL) {
		provider_refuse(e, list, "list-expected", "apiTokens must be a list of strings");
	}
	if (out->n != 0) {
		return;
	}
	if (e->type->token_required) {
		provider_refuse(e, NULL, "token-missing", "type %s needs an entry in apiTokens",
			e->type->name);
	} else if (e->type->default_host != NULL) {
		struct finding at = build_warning(
			e->where, build_place(e->node), "provider-without-credential");

		findings_add(e->findings, &at,
			"provider " BYTES_FMT
			" has no apiTokens, so its upstream gets no "
			"credential; the client's own is never passed on",
			BYTES_ARG(e->out->id));
	}
}

/* --- host --------------------------------------------------------------------------------------- */

/* Host with port for the Host header, host alone for SNI. */
static void set_host(struct entry *e, const char *key, struct bytes host, uint16_t port)
{
	struct bytes name;
	uint16_t own;
	char text[300];
	int n;

	if (url_parse_authority(host, &name, &own) != 0 || host.n > 255) {
		provider_refuse(e, yaml_get(e->node, key), "bad-host",
			"%s is no host name; write it without scheme and path", key);
		return;
	}
	port = port != 0 ? port : own;
	e->out->sni = build_lower(e->arena, name);
	n = port != 0 ? snprintf(text, sizeof(text), BYTES_FMT ":%u", BYTES_ARG(e->out->sni), port)
		      : snprintf(text, sizeof(text), BYTES_FMT, BYTES_ARG(e->out->sni));
	e->out->host = build_text(e->arena, bytes_of(text, (size_t)n));
}

static uint16_t port_key(const struct entry *e)
{
	uint64_t port;

	for (size_t i = 0; i < e->type->n_keys; i++) {
		const struct provider_key *k = &e->type->keys[i];

		if (k->type == KEY_PORT && yaml_u64(yaml_get(e->node, k->name), &port) &&
			port <= 65535) {
			return (uint16_t)port;
		}
	}
	return 0;
}

/* A host from the type's own key: what stands behind a colon is cut, the registry has the port. */
static void host_from_key(struct entry *e, struct bytes host)
{
	struct bytes name;
	uint16_t own;

	if (url_parse_authority(host, &name, &own) == 0) {
		host = name;
	}
	set_host(e, e->type->host_key, host, port_key(e));
}

static void read_host(struct entry *e, const struct url *custom)
{
	struct bytes domain = provider_text(e, "providerDomain");
	struct bytes name = provider_text(e, "tlsServerName");
	struct bytes own =
		e->type->host_key != NULL ? provider_text(e, e->type->host_key) : (struct bytes){0};

	if (domain.n != 0) {
		set_host(e, "providerDomain", domain, 0);
	} else if (custom != NULL) {
		set_host(e, e->type->custom_url_key, custom->host, custom->port);
	} else if (own.n != 0) {
		host_from_key(e, own);
	} else if (e->type->default_host != NULL) {
		set_host(e, "type", bytes_str(e->type->default_host), 0);
	}
	if (name.n != 0) {
		e->out->sni = build_lower(e->arena, name);
	}
}

/* --- base path, schema -------------------------------------------------------------------------- */

/* "/x" or "": a slash in front, none behind. */
static struct bytes base_path(struct entry *e, const char *key)
{
	struct bytes path = provider_text(e, key);
	char *with_slash;

	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] < 0x21 || path.p[i] > 0x7e || path.p[i] == '?' || path.p[i] == '#') {
			provider_refuse(e, yaml_get(e->node, key), "bad-value",
				"%s holds a blank, a control character, ? or #: it could not be part of a path",
				key);
			return BYTES("");
		}
	}
	while (bytes_ends(path, BYTES("/"))) {
		path.n--;
	}
	if (path.n == 0 || path.p[0] == '/') {
		return build_text(e->arena, path);
	}
	with_slash = arena_must(e->arena, path.n + 2);
	with_slash[0] = '/';
	memcpy(with_slash + 1, path.p, path.n);
	return bytes_of(with_slash, path.n + 1);
}

static void read_base_paths(struct entry *e)
{
	struct bytes handling = provider_text(e, "basePathHandling");
	struct provider *p = e->out;

	p->base_path = base_path(e, "basePath");
	p->provider_base_path = base_path(e, "providerBasePath");
	if (handling.n != 0 && !bytes_eq(handling, BYTES("removePrefix")) &&
		!bytes_eq(handling, BYTES("prepend"))) {
		provider_refuse(e, yaml_get(e->node, "basePathHandling"), "bad-value",
			"basePathHandling is removePrefix or prepend, not " BYTES_FMT,
			BYTES_ARG(handling));
	} else if (p->base_path.n != 0) {
		p->base_path_handling =
			bytes_eq(handling, BYTES("prepend")) ? BASE_PATH_PREPEND : BASE_PATH_REMOVE;
	}
}

static void read_schema(struct entry *e)
{
	const struct yaml_node *schema = yaml_get(e->node, "responseJsonSchema");
	struct json_writer w;
	struct text t;

	if (schema == NULL || schema->type != YAML_MAP || schema->n == 0) {
		return;
	}
	text_init(&t, RESOURCE_FILE_MAX);
	json_writer_init(&w, &t);
	yaml_json_put(&w, schema);
	e->out->response_format = build_text(e->arena, text_bytes(&t));
	text_done(&t);
}

/* --- the whole ---------------------------------------------------------------------------------- */

static const struct provider_type *find_type(const struct provider_types *types, struct bytes name)
{
	for (size_t i = 0; i < types->n; i++) {
		if (bytes_eq(name, bytes_str(types->v[i].name))) {
			return &types->v[i];
		}
	}
	return NULL;
}

static const char *like_type(const struct provider_types *types, struct bytes name)
{
	struct nearest near = {NULL, 0};

	for (size_t i = 0; i < types->n; i++) {
		nearest_offer(&near, name, types->v[i].name);
	}
	return nearest_slip(&near, name);
}

static void read_type(struct entry *e, const struct provider_types *types)
{
	struct bytes name = provider_text(e, "type");
	const char *meant;

	e->type = find_type(types, name);
	if (e->type != NULL && e->type->untranslated) {
		provider_refuse(e, yaml_get(e->node, "type"), "provider-untranslated",
			"type %s speaks a protocol of its own, which this version does not translate to",
			e->type->name);
		e->type = NULL;
	} else if (name.n == 0) {
		provider_refuse(e, NULL, "key-missing", "it has no type");
	} else if (e->type == NULL) {
		meant = like_type(types, name);
		provider_refuse(e, yaml_get(e->node, "type"), "provider-type-unknown",
			"there is no type " BYTES_FMT "; %s%s", BYTES_ARG(name),
			meant != NULL ? "write " : "check the spelling",
			meant != NULL ? meant : "");
	}
}

/* claudeVersion or apiVersion of a type that says which version of Anthropic's API it speaks. */
static void read_version(struct entry *e)
{
	const char *key = "claudeVersion";
	struct bytes version;

	if (e->type->anthropic_version == NULL) {
		return;
	}
	version = provider_text(e, key);
	if (version.n == 0) {
		key = "apiVersion";
		version = provider_text(e, key);
	}
	if (!h1_is_value(version)) {
		provider_refuse(e, yaml_get(e->node, key), "bad-value",
			"%s has characters that no header may hold", key);
	}
	e->out->version_is_fixed = version.n != 0;
	e->out->version = version.n != 0 ? build_text(e->arena, version)
					 : bytes_str(e->type->anthropic_version);
}

static uint64_t member_ms(struct entry *e, const char *key)
{
	const struct yaml_node *n = yaml_get(e->node, key);
	uint64_t ms = 0;

	if (n != NULL && n->type != YAML_NULL && !yaml_u64(n, &ms)) {
		provider_refuse(e, n, "bad-value", "%s is a number of milliseconds", key);
	}
	return ms;
}

static void read_models(struct entry *e)
{
	struct provider *p = e->out;

	if (mapping_compile(&p->mapping, yaml_get(e->node, "modelMapping"), e->where, e->arena,
		    e->findings) != 0 ||
		mapping_compile_patterns(&p->deny, yaml_get(e->node, "modelDeny"), e->where,
			e->arena, e->findings) != 0) {
		e->bad = true;
	}
	p->lists_models = provider_is_true(yaml_get(e->node, "modelsFromMapping")) &&
		!p->original && !e->type->keeps_body;
}

/* What may become of answers. */
static void read_answers(struct entry *e)
{
	struct provider *p = e->out;
	const struct yaml_node *aggregate = yaml_get(e->node, "aggregateUnexpectedStream");
	bool changes = !p->original && !e->type->keeps_body;

	p->promotes = changes &&
		(provider_is_true(yaml_get(e->node, "promoteThinkingOnEmpty")) ||
			provider_is_true(yaml_get(e->node, "hiclawMode")));
	p->aggregates = changes &&
		(aggregate == NULL || aggregate->type == YAML_NULL || provider_is_true(aggregate));
}

static void read_rest(struct entry *e)
{
	struct provider *p = e->out;
	struct url room;
	const struct url *custom = provider_caps_url(e, &room);

	read_protocol(e);
	read_tokens(e);
	read_host(e, custom);
	provider_caps_read(e, custom);
	read_base_paths(e);
	read_schema(e);
	read_models(e);
	read_version(e);
	if (!custom_settings_compile(&p->settings, yaml_get(e->node, "customSettings"),
		    &(struct custom_settings_input){
			    e->type, p->original, e->where, e->arena, e->findings})) {
		e->bad = true;
	}
	if (!conversation_compile(&p->conversation, e->node, e->where, e->arena, e->findings)) {
		e->bad = true;
	}
	read_answers(e);
	provider_failover_read(e);
	p->first_byte_ms = member_ms(e, "firstByteTimeout");
	p->idle_ms = member_ms(e, "idleTimeout");
	p->forwards_usage = provider_is_true(yaml_get(e->node, "forwardInjectedUsage"));
	p->respects_false = provider_is_true(yaml_get(e->node, "respectUsageFalse"));
	p->tweaks = e->type->tweaks;
	/* D-03: behind a custom URL may be any compatible server, old ones know no developer role. */
	if (custom != NULL && !e->type->azure) {
		p->tweaks |= TWEAK_DEVELOPER_TO_SYSTEM;
	}
	if (p->original) {
		p->tweaks = 0;
	}
}

struct provider *provider_compile(const struct yaml_node *entry, const struct object *where,
	const struct provider_types *types, struct arena *a, struct findings *f)
{
	struct entry e = {.node = entry, .where = where, .arena = a, .findings = f};

	e.out = arena_must(a, sizeof(*e.out));
	if (entry->type != YAML_MAP) {
		provider_refuse(&e, entry, "map-expected", "a provider must be a map");
		return NULL;
	}
	e.out->id = build_text(a, provider_text(&e, "id"));
	read_type(&e, types);
	if (e.type == NULL) {
		return NULL;
	}
	e.out->type = e.type;
	check_keys(&e);
	read_rest(&e);
	return e.bad ? NULL : e.out;
}
