/*
 * The plugin's server named the source "<name>.dns", so that the reference became "<name>.dns.dns", and always
 * wrote port 443: both are right here. A name that no source can have (dots, underscores) gets the gateway's own
 * registry instead: the URL alone is enough for that.
 */
#include "hiclaw/provider_body.h"

#include "hiclaw/predicates.h"
#include "wire/url.h"

#define WHY_MAX 512u

struct making {
	const struct provider_body_request *rq;
	struct provider_body *out;
	struct arena *arena;
	const struct doc *stored; /* NULL: it is new */
	struct doc *provider, *raw;
};

static void refuse(struct making *m, enum provider_body_rc rc, const char *field, const char *fmt,
	...) PRINTF_LIKE(4, 5);

static void refuse(
	struct making *m, enum provider_body_rc rc, const char *field, const char *fmt, ...)
{
	struct text t;
	va_list ap;

	if (m->out->rc != PROVIDER_BODY_OK) {
		return; /* the first reason is the one that is said */
	}
	text_init(&t, WHY_MAX);
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	m->out->rc = rc;
	m->out->field = field;
	m->out->why = arena_copy(m->arena, text_bytes(&t));
	text_done(&t);
}

static struct doc *given(const struct making *m, const char *name)
{
	struct doc *v = doc_get(m->arena, m->rq->body, name);

	return doc_given(v) ? v : NULL;
}

/* Empty when it is absent; refused when it is no text. */
static struct bytes given_text(struct making *m, const char *name)
{
	const struct doc *v = given(m, name);

	if (v != NULL && v->type != DOC_STRING) {
		refuse(m, PROVIDER_BODY_INVALID, name, "%s must be a text", name);
	}
	return bytes_trim(doc_text(v, BYTES("")));
}

static struct doc *find(const struct making *m, const struct doc *list, struct bytes name)
{
	struct doc *d = doc_first(m->arena, list);

	while (d != NULL && !bytes_eq(doc_peek(d, "name", BYTES("")), name)) {
		d = d->next;
	}
	return d;
}

static void set_text(struct making *m, struct doc *map, const char *key, struct bytes value)
{
	doc_set(m->arena, map, key, doc_string_copy(m->arena, value));
}

/* --- name, type and keys ---------------------------------------------------------------------------- */

static bool is_alnum(char c)
{
	return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

bool provider_body_name_is_valid(struct bytes name)
{
	if (name.n == 0 || name.n > PROVIDER_BODY_NAME_MAX || !is_alnum(name.p[0])) {
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		if (!is_alnum(name.p[i]) && name.p[i] != '.' && name.p[i] != '_' &&
			name.p[i] != '-') {
			return false;
		}
	}
	return !bytes_ends(name, BYTES(".dns")) && !bytes_ends(name, BYTES(".static")) &&
		!bytes_eq(name, BYTES("default"));
}

/* What a service source may be called (console-api.md 2.6). */
static bool is_source_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (!is_alnum(name.p[i]) && (name.p[i] != '-' || i + 1 == name.n)) {
			return false;
		}
	}
	return true;
}

/* A key stands in a header. */
static void add_key(struct making *m, struct doc *list, const char *field, struct bytes key)
{
	key = bytes_trim(key);
	for (size_t i = 0; i < key.n; i++) {
		if (key.p[i] < ' ' || key.p[i] == 0x7f) {
			refuse(m, PROVIDER_BODY_INVALID, field,
				"%s must not hold control characters or anything but ASCII", field);
			return;
		}
	}
	if (key.n > PROVIDER_BODY_KEY_MAX) {
		refuse(m, PROVIDER_BODY_INVALID, field, "%s must not be longer than %u bytes",
			field, PROVIDER_BODY_KEY_MAX);
	} else if (key.n > 0) {
		doc_append(m->arena, list, doc_string(m->arena, key));
	}
}

static struct doc *read_keys(struct making *m)
{
	struct doc *keys = doc_list(m->arena), *tokens = given(m, "tokens");

	add_key(m, keys, "apiKey", given_text(m, "apiKey"));
	if (tokens != NULL && (tokens->type != DOC_LIST || tokens->n > PROVIDER_BODY_KEYS_MAX)) {
		refuse(m, PROVIDER_BODY_INVALID, "tokens",
			"tokens must be a list of at most %u texts", PROVIDER_BODY_KEYS_MAX);
		return keys;
	}
	for (const struct doc *t = doc_first(m->arena, tokens); t != NULL; t = t->next) {
		if (t->type != DOC_STRING) {
			refuse(m, PROVIDER_BODY_INVALID, "tokens",
				"tokens must be a list of texts");
		}
		add_key(m, keys, "tokens", doc_text(t, BYTES("")));
	}
	return keys;
}

/* --- base URL ------------------------------------------------------------------------------------------- */

struct base {
	struct url url;
	struct bytes text;
	struct bytes host; /* without brackets */
	unsigned port;
	bool tls, v4, v6;
};

static bool is_v4(struct bytes host)
{
	struct sys_addr a;

	return host.n > 0 && host.p[0] != '[' && sys_addr_parse(&a, host.p, host.n, 1) == 0;
}

static bool read_base(struct making *m, struct base *b)
{
	const char *why = NULL;
	struct fault fault = {0};

	b->text = given_text(m, "baseUrl");
	if (b->text.n == 0) {
		return false;
	}
	if (url_parse(&b->url, b->text, &fault) != 0 || b->url.host.n == 0 ||
		b->url.query.p != NULL || memchr(b->text.p, '#', b->text.n) != NULL ||
		memchr(b->text.p, '@', b->text.n) != NULL) {
		refuse(m, PROVIDER_BODY_INVALID, "baseUrl",
			"baseUrl must be http:// or https:// with a host, and may have a port and a "
			"path, but no user, query or fragment");
		return false;
	}
	b->tls = bytes_eq_nocase(b->url.scheme, BYTES("https"));
	b->port = b->url.port != 0 ? b->url.port : b->tls ? 443u : 80u;
	b->v6 = b->url.host.p[0] == '[';
	b->v4 = is_v4(b->url.host);
	b->host = b->v6 ? bytes_of(b->url.host.p + 1, b->url.host.n - 2) : b->url.host;
	if (m->rq->address_allowed != NULL && !m->rq->address_allowed(m->rq->arg, b->host, &why)) {
		refuse(m, PROVIDER_BODY_INVALID, "baseUrl",
			"baseUrl: the address " BYTES_FMT " is refused: %s", BYTES_ARG(b->host),
			why != NULL ? why : "it is not allowed");
		return false;
	}
	if (m->rq->own != NULL && own_listener_is(m->rq->own, b->host, b->port)) {
		refuse(m, PROVIDER_BODY_INVALID, "baseUrl",
			"baseUrl: this gateway itself listens at " BYTES_FMT
			":%u, and would ask itself without end",
			BYTES_ARG(b->host), b->port);
		return false;
	}
	return true;
}

static struct bytes lower(struct making *m, struct bytes s)
{
	char *p = arena_alloc(m->arena, s.n + 1);

	for (size_t i = 0; p != NULL && i < s.n; i++) {
		p[i] = ascii_lower(s.p[i]);
	}
	return p != NULL ? bytes_of(p, s.n) : BYTES("");
}

static void put_source(struct making *m, const struct base *b)
{
	struct bytes name = m->out->name;
	const struct doc *there = find(m, m->rq->sources, name);
	struct doc *s = there != NULL ? doc_copy(m->arena, there) : doc_map(m->arena);
	struct text domain;

	text_init(&domain, WHY_MAX);
	text_add_bytes(&domain, lower(m, b->url.host));
	if (b->v4 || b->v6) {
		text_addf(&domain, ":%u", b->port);
	}
	set_text(m, s, "name", name);
	set_text(m, s, "type", b->v4 || b->v6 ? BYTES("static") : BYTES("dns"));
	set_text(m, s, "domain", text_bytes(&domain));
	doc_set(m->arena, s, "port", doc_int(m->arena, b->port));
	set_text(m, s, "protocol", b->tls ? BYTES("https") : BYTES("http"));
	text_done(&domain);
	m->out->items[m->out->n_items++] =
		(struct ops_item){OPS_SOURCE, there != NULL ? OPS_SAVE : OPS_CREATE, name, s};
}

/* The custom trio, and _custom, by which pages tell such a provider. */
static void put_custom(struct making *m, const struct base *b)
{
	struct bytes name = m->out->name;
	struct text service;

	set_text(m, m->raw, "openaiCustomUrl", b->text);
	set_text(m, m->raw, "_custom", BYTES("true"));
	doc_drop(m->arena, m->raw, "openaiCustomServiceName");
	doc_drop(m->arena, m->raw, "openaiCustomServicePort");
	if (!is_source_name(name)) {
		return;
	}
	text_init(&service, WHY_MAX);
	text_addf(&service, BYTES_FMT ".%s", BYTES_ARG(name), b->v4 || b->v6 ? "static" : "dns");
	set_text(m, m->raw, "openaiCustomServiceName", text_bytes(&service));
	doc_set(m->arena, m->raw, "openaiCustomServicePort", doc_int(m->arena, b->port));
	text_done(&service);
	put_source(m, b);
}

/* Types with a setting of their own. False: there is none. */
static bool put_own_setting(struct making *m, const struct base *b, struct bytes type)
{
	static const struct {
		const char *type, *key;
	} rows[] = {
		{"claude", "claudeCustomUrl"},
		{"vllm", "vllmCustomUrl"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (bytes_eq(type, bytes_str(rows[i].type))) {
			set_text(m, m->raw, rows[i].key, b->text);
			return true;
		}
	}
	if (!bytes_eq(type, BYTES("ollama"))) {
		return false;
	}
	set_text(m, m->raw, "ollamaServerHost", b->url.host);
	doc_set(m->arena, m->raw, "ollamaServerPort", doc_int(m->arena, b->port));
	return true;
}

/* --- the object ------------------------------------------------------------------------------------------- */

static void put_default(struct making *m, const char *key, struct doc *value)
{
	if (doc_get(m->arena, m->raw, key) == NULL) {
		doc_set(m->arena, m->raw, key, value);
	}
}

static void put_raw_defaults(struct making *m, struct bytes type)
{
	struct arena *a = m->arena;

	if (bytes_eq(type, BYTES("qwen"))) {
		put_default(m, "qwenEnableSearch", doc_bool(a, false));
		put_default(m, "qwenEnableCompatible", doc_bool(a, true));
		put_default(m, "qwenFileIds", doc_list(a));
	}
	put_default(m, "mergeConsecutiveMessages", doc_bool(a, true));
}

/* A map of the request, laid over what is stored under that name. */
static void overlay(struct making *m, struct doc *to, const char *name)
{
	const struct doc *from = given(m, name);

	if (from != NULL && from->type != DOC_MAP) {
		refuse(m, PROVIDER_BODY_INVALID, name, "%s must be an object", name);
		return;
	}
	for (const struct doc *v = doc_first(m->arena, from); v != NULL; v = v->next) {
		doc_set_bytes(m->arena, to, v->key, doc_copy(m->arena, v));
	}
}

static void put_mapping(struct making *m)
{
	const struct doc *mapping = given(m, "modelMapping");

	for (const struct doc *v = doc_first(m->arena, mapping); v != NULL; v = v->next) {
		if (v->type != DOC_STRING) {
			refuse(m, PROVIDER_BODY_INVALID, "modelMapping",
				"modelMapping must be an object of texts");
			return;
		}
	}
	if (mapping != NULL && mapping->type != DOC_MAP) {
		refuse(m, PROVIDER_BODY_INVALID, "modelMapping",
			"modelMapping must be an object of texts");
	} else if (mapping != NULL) {
		doc_set(m->arena, m->raw, "modelMapping", doc_copy(m->arena, mapping));
	}
}

static void put_failover(struct making *m)
{
	const struct doc *v = given(m, "tokenFailoverConfig");
	struct doc *d;

	if (v != NULL && v->type != DOC_MAP) {
		refuse(m, PROVIDER_BODY_INVALID, "tokenFailoverConfig",
			"tokenFailoverConfig must be an object");
	} else if (v != NULL) {
		doc_set(m->arena, m->provider, "tokenFailoverConfig", doc_copy(m->arena, v));
	} else if (!doc_given(doc_get(m->arena, m->provider, "tokenFailoverConfig"))) {
		d = doc_map(m->arena);
		doc_set(m->arena, d, "enabled", doc_bool(m->arena, false));
		doc_set(m->arena, m->provider, "tokenFailoverConfig", d);
	}
}

/* The type, rawConfigs and the source. */
static void put_settings(struct making *m)
{
	struct bytes said = given_text(m, "type");
	bool custom = bytes_eq(said, BYTES("custom"));
	struct bytes type =
		predicates_type(said.n > 0 ? said : doc_peek(m->stored, "type", BYTES("openai")));
	struct base b = {.text = BYTES("")};

	m->out->type = type;
	m->raw = doc_need_map(m->arena, m->provider, "rawConfigs");
	overlay(m, m->raw, "rawConfigs");
	if (read_base(m, &b) && !put_own_setting(m, &b, type)) {
		put_custom(m, &b);
		m->out->type = bytes_eq(type, BYTES("openai")) ? BYTES("") : type;
		type = BYTES("openai");
	} else if (custom && b.text.n == 0 && m->stored == NULL) {
		refuse(m, PROVIDER_BODY_INVALID, "baseUrl", "a custom provider needs a baseUrl");
	}
	put_mapping(m);
	put_raw_defaults(m, type);
	set_text(m, m->provider, "type", type);
}

static void make(struct making *m, const struct doc *keys)
{
	struct bytes protocol = given_text(m, "protocol");

	m->provider = m->stored != NULL ? doc_copy(m->arena, m->stored) : doc_map(m->arena);
	set_text(m, m->provider, "name", m->out->name);
	set_text(m, m->provider, "type", BYTES("openai")); /* its place */
	set_text(m, m->provider, "protocol",
		protocol.n > 0 ? protocol : doc_peek(m->stored, "protocol", BYTES("openai/v1")));
	doc_set(m->arena, m->provider, "tokens", doc_copy(m->arena, keys));
	put_failover(m);
	put_settings(m);
	m->out->items[m->out->n_items++] = (struct ops_item){
		OPS_PROVIDER, m->stored != NULL ? OPS_SAVE : OPS_CREATE, m->out->name, m->provider};
}

void provider_body_make(const struct provider_body_request *rq, struct provider_body *out)
{
	struct making m = {.rq = rq, .out = out, .arena = rq->arena};
	const struct doc *keys;

	*out = (struct provider_body){.why = BYTES("")};
	out->name = given_text(&m, "name");
	keys = read_keys(&m);
	if (out->name.n == 0 || doc_first(m.arena, keys) == NULL) {
		refuse(&m, PROVIDER_BODY_INVALID, out->name.n == 0 ? "name" : "apiKey",
			"Provider name and API key are required");
	} else if (!provider_body_name_is_valid(out->name)) {
		refuse(&m, PROVIDER_BODY_NAME, "name",
			"the name of a provider must be at most %u letters, digits and \"._-\", begin "
			"with a letter or digit, not end in .dns or .static, and not be default",
			PROVIDER_BODY_NAME_MAX);
	}
	m.stored = find(&m, rq->providers, out->name);
	if (m.stored != NULL && !rq->upsert) {
		refuse(&m, PROVIDER_BODY_EXISTS, NULL, "Provider '" BYTES_FMT "' already exists",
			BYTES_ARG(out->name));
	}
	if (out->rc == PROVIDER_BODY_OK) {
		make(&m, keys);
	}
	if (arena_full(rq->arena)) {
		out->rc = PROVIDER_BODY_LARGE;
		out->why = BYTES("the request is too large");
	}
	out->n_items = out->rc == PROVIDER_BODY_OK ? out->n_items : 0;
}
