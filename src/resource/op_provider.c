/*
 * Providers: an entry and a rule of ai-proxy.internal, and a registry (higress-resources.md §3.2).
 */
#include "base/num.h"
#include "resource/op_int.h"

#define REGISTRIES "registries"
/* Attack: each is compared with those that are stored (op_mask.c). */
#define TOKENS_MAX 10000u

static const struct op_shape_row failover_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"failureThreshold", OP_SHAPE_INT, NULL},
	{"successThreshold", OP_SHAPE_INT, NULL},
	{"healthCheckInterval", OP_SHAPE_INT, NULL},
	{"healthCheckTimeout", OP_SHAPE_INT, NULL},
	{"healthCheckModel", OP_SHAPE_TEXT, NULL},
};
static const struct op_shape failover = {failover_rows, ARRAY_LEN(failover_rows)};

static const struct op_shape_row rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"type", OP_SHAPE_TEXT, NULL},
	{"protocol", OP_SHAPE_TEXT, NULL},
	{"proxyName", OP_SHAPE_TEXT, NULL},
	{"tokens", OP_SHAPE_TEXTS, NULL},
	{"tokenFailoverConfig", OP_SHAPE_OBJECT, &failover},
	{"rawConfigs", OP_SHAPE_ANY_MAP, NULL},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

/* What a provider becomes. */
struct plan {
	struct bytes name, service; /* of the route's destination, without port */
	unsigned port;
	const struct op_provider_type *type;
	struct doc *entry, *registry; /* registry NULL: a service is named */
	struct bytes proxy;
	bool vertex_auth;
};

/* --- registry and service ----------------------------------------------------------------------- */

static bool is_ipv4(struct bytes host)
{
	uint64_t n;

	for (int i = 0; i < 4; i++) {
		struct bytes part = bytes_cut(&host, '.');

		if (!num_parse_u64(part, 255, &n) || (host.p == NULL) != (i == 3)) {
			return false;
		}
	}
	return true;
}

static struct bytes path_of(const struct op_endpoint *e)
{
	return e->path.n > 0 ? e->path : BYTES("/");
}

static enum op_rc check_endpoints(struct op *o, const struct op_endpoints *all)
{
	const char *why = NULL;

	for (size_t i = 0; i < all->n; i++) {
		const struct op_endpoint *e = &all->v[i];

		if (!bytes_eq(e->scheme, all->v[0].scheme)) {
			return op_refuse(o, OP_INVALID,
				"Multiple protocols: all URLs of a provider must "
				"have the same");
		}
		if (!bytes_eq(path_of(e), path_of(&all->v[0]))) {
			return op_refuse(o, OP_INVALID,
				"Multiple context paths: all URLs of a provider must have the same path");
		}
		if (all->n > 1 && !is_ipv4(e->host)) {
			return op_refuse(o, OP_INVALID,
				"Multiple endpoints only work with static IP addresses");
		}
		if (o->address_allowed != NULL && !o->address_allowed(o->arg, e->host, &why)) {
			return op_refuse(o, OP_INVALID, "the address " BYTES_FMT " is refused: %s",
				BYTES_ARG(e->host), why != NULL ? why : "it is not allowed");
		}
	}
	return OP_OK;
}

static struct bytes static_domain(struct op *o, const struct op_endpoints *all)
{
	struct bytes out = BYTES("");

	for (size_t i = 0; i < all->n; i++) {
		out = op_textf(o, BYTES_FMT "%s" BYTES_FMT ":%u", BYTES_ARG(out), i > 0 ? "," : "",
			BYTES_ARG(all->v[i].host), all->v[i].port);
	}
	return out;
}

static struct doc *new_registry(
	struct op *o, const char *type, struct bytes domain, unsigned port, struct bytes protocol)
{
	struct doc *out = doc_map(o->arena);

	doc_set(o->arena, out, "type", doc_str(o->arena, type));
	doc_set(o->arena, out, "domain", doc_string(o->arena, domain));
	doc_set(o->arena, out, "port", doc_int(o->arena, port));
	doc_set(o->arena, out, "protocol", doc_string(o->arena, protocol));
	return out;
}

/* registry, service and port of p out of its endpoints. */
static void settle(struct op *o, struct plan *p, const struct op_endpoints *all)
{
	const struct op_endpoint *e = &all->v[0];
	bool ip = all->n > 0 && is_ipv4(e->host);

	if (all->service.n > 0) {
		p->service = all->service;
		p->port = all->service_port;
		return;
	}
	p->service = op_textf(
		o, "llm-" BYTES_FMT ".internal.%s", BYTES_ARG(p->name), ip ? "static" : "dns");
	p->port = ip ? 80 : e->port;
	p->registry = ip ? new_registry(o, "static", static_domain(o, all), 80, e->scheme)
			 : new_registry(o, "dns", e->host, e->port, e->scheme);
	p->vertex_auth = all->vertex_auth;
}

/* --- checks ------------------------------------------------------------------------------------- */

static enum op_rc check_provider_name(struct op *o, struct bytes name)
{
	/* Before it is part of another text: a NUL would end that. */
	if (!op_is_word(name) || bytes_eq(name, BYTES(".")) || bytes_eq(name, BYTES(".."))) {
		return op_refuse(o, OP_INVALID,
			"the name of the provider must not hold blanks or control characters, nor be . or ..");
	}
	return op_check_file_name(o, "provider",
		name.n > 0 ? op_textf(o, "llm-" BYTES_FMT ".internal", BYTES_ARG(name)) : name);
}

/* Elements like {"value": "sk"} are taken as their value. */
static enum op_rc flatten_tokens(struct op *o, struct doc *body)
{
	const struct doc *tokens = doc_get(o->arena, body, "tokens"), *value;
	struct doc *out = doc_list(o->arena);

	if (tokens == NULL || tokens->type != DOC_LIST) {
		return OP_OK;
	}
	if (tokens->n > TOKENS_MAX) {
		return op_refuse(o, OP_LIMIT, "tokens: at most %u are taken", TOKENS_MAX);
	}
	for (const struct doc *t = doc_first(o->arena, tokens); t != NULL; t = t->next) {
		value = t->type == DOC_MAP ? doc_get(o->arena, t, "value") : t;
		if (value == NULL || value->type != DOC_STRING) {
			return op_refuse(o, OP_INVALID, "tokens must be a list of texts");
		}
		doc_append(o->arena, out, doc_string(o->arena, value->text));
	}
	doc_set(o->arena, body, "tokens", out);
	return OP_OK;
}

/* Whether a rule is about nothing but services, and this provider's. */
static bool is_rule_of(struct op *o, const struct doc *rule, struct bytes provider)
{
	const struct doc *config = doc_get(o->arena, rule, "config");

	return bytes_eq(doc_text(doc_get(o->arena, config, "activeProviderId"), BYTES("")),
		       provider) &&
		doc_first(o->arena, doc_get(o->arena, rule, "service")) != NULL &&
		doc_first(o->arena, doc_get(o->arena, rule, "ingress")) == NULL &&
		doc_first(o->arena, doc_get(o->arena, rule, "domain")) == NULL;
}

static enum op_rc check_binding(struct op *o, const struct plan *p)
{
	const struct doc *rule = op_rule_find(o, op_plugin_look(o, &op_plugin_ai_proxy, true),
		&(struct op_target){.service = p->service});
	struct bytes id = doc_text(doc_at(o->arena, rule, "config.activeProviderId"), BYTES(""));

	if (id.n > 0 && !bytes_eq(id, p->name)) {
		return op_refuse(o, OP_INVALID,
			"the service " BYTES_FMT " belongs to the provider " BYTES_FMT
			" already: a service can stand for one provider only",
			BYTES_ARG(p->service), BYTES_ARG(id));
	}
	return OP_OK;
}

/* --- entry -------------------------------------------------------------------------------------- */

static enum op_rc plugin_protocol(struct op *o, struct bytes api, const char **out)
{
	if (bytes_trim(api).n == 0 || bytes_eq(api, BYTES("openai/v1"))) {
		*out = "openai";
		return OP_OK;
	}
	*out = "original";
	return bytes_eq(api, BYTES("original"))
		? OP_OK
		: op_refuse(o, OP_INVALID, "protocol must be openai/v1 or original");
}

/* The members that are top-level fields of the API object win over those of rawConfigs. */
static enum op_rc fill_entry(struct op *o, const struct plan *p, const struct doc *given)
{
	struct arena *a = o->arena;
	const struct doc *tokens = doc_get(a, given, "tokens");
	const struct doc *switches = doc_get(a, given, "tokenFailoverConfig");
	const struct doc *on = doc_get(a, switches, "enabled");
	const char *protocol;
	struct doc *retry;
	enum op_rc rc =
		plugin_protocol(o, doc_text(doc_get(a, given, "protocol"), BYTES("")), &protocol);

	doc_set(a, p->entry, "id", doc_string(a, p->name));
	doc_set(a, p->entry, "type", doc_str(a, p->type->name));
	doc_set(a, p->entry, "protocol", doc_str(a, rc == OP_OK ? protocol : ""));
	doc_drop(a, p->entry, "apiTokens");
	doc_drop(a, p->entry, "failover");
	doc_drop(a, p->entry, "retryOnFailure");
	if (doc_first(a, tokens) != NULL) {
		doc_set(a, p->entry, "apiTokens", doc_copy(a, tokens));
	}
	if (!op_is_line(doc_text(doc_get(a, switches, "healthCheckModel"), BYTES("")))) {
		return op_refuse(o, OP_INVALID,
			"tokenFailoverConfig: healthCheckModel must not hold control characters");
	}
	if (doc_given(switches)) {
		doc_set(a, p->entry, "failover", doc_copy(a, switches));
		retry = doc_need_map(a, p->entry, "retryOnFailure");
		if (doc_given(on)) {
			doc_set(a, retry, "enabled", doc_bool(a, on->boolean));
		}
		if (doc_given(on) && on->boolean &&
			doc_text(doc_get(a, switches, "healthCheckModel"), BYTES("")).n == 0) {
			op_warn(o,
				"tokenFailoverConfig is enabled without healthCheckModel: a "
				"Higress refuses such a provider");
		}
	}
	return rc;
}

/* The entry of that id; of several the last, which is the one that counts. */
static struct doc *find_entry(struct op *o, const struct doc *root, struct bytes name)
{
	struct doc *found = NULL;
	struct doc *v = doc_first(o->arena, doc_at(o->arena, root, "spec.defaultConfig.providers"));

	for (; v != NULL; v = v->next) {
		if (bytes_eq(doc_peek(v, "id", BYTES("")), name)) {
			found = v;
		}
	}
	return found;
}

/* --- save --------------------------------------------------------------------------------------- */

static void write_registry(struct op *o, const struct plan *p)
{
	static const char *const managed[] = {
		"type", "domain", "port", "protocol", "sni", "proxyName", NULL};
	struct bytes name = op_textf(o, "llm-" BYTES_FMT ".internal", BYTES_ARG(p->name));
	struct doc *vendor;

	if (p->registry == NULL) {
		return;
	}
	if (p->proxy.n > 0) {
		doc_set(o->arena, p->registry, "proxyName", doc_string(o->arena, p->proxy));
	}
	if (p->vertex_auth) {
		vendor =
			new_registry(o, "dns", BYTES("oauth2.googleapis.com"), 443, BYTES("https"));
		if (p->proxy.n > 0) {
			doc_set(o->arena, vendor, "proxyName", doc_string(o->arena, p->proxy));
		}
		op_bridge_put(o, REGISTRIES, BYTES("vertex-auth.internal"), vendor, managed);
	}
	op_bridge_put(o, REGISTRIES, name, p->registry, managed);
}

/* Rules of the provider, but those for the service `keep`, go. */
static void drop_rules(struct op *o, struct doc *root, struct bytes provider, struct bytes keep)
{
	struct doc *spec = doc_get(o->arena, root, "spec"), *next;
	struct doc *rules = doc_get(o->arena, spec, "matchRules");

	for (struct doc *r = doc_first(o->arena, rules); r != NULL; r = next) {
		next = r->next;
		if (is_rule_of(o, r, provider) &&
			(keep.n == 0 || !op_rule_names(o, r, "service", keep))) {
			doc_remove(o->arena, rules, r);
		}
	}
	if (rules != NULL && doc_first(o->arena, rules) == NULL) {
		doc_drop(o->arena, spec, "matchRules");
	}
}

static void write_plugin(struct op *o, const struct plan *p)
{
	struct arena *a = o->arena;
	struct doc *root = op_plugin_need(o, &op_plugin_ai_proxy, true), *old, *providers, *config;
	struct doc *spec = doc_need_map(a, root, "spec");
	const struct op_target target = {.service = p->service};
	const struct doc *rule;

	doc_set(a, spec, "defaultConfigDisable", doc_bool(a, false));
	providers = doc_need_list(a, doc_need_map(a, spec, "defaultConfig"), "providers");
	old = find_entry(o, root, p->name);
	if (old != NULL) {
		op_sync_map(o, old, p->entry);
	} else {
		doc_append(a, providers, p->entry);
	}
	rule = op_rule_find(o, root, &target);
	if (!bytes_eq(doc_text(doc_at(a, rule, "config.activeProviderId"), BYTES("")), p->name)) {
		config = doc_map(a);
		doc_set(a, config, "activeProviderId", doc_string(a, p->name));
		op_rule_set(o, root, &target, config, false);
	}
	drop_rules(o, root, p->name, p->service);
}

static void warn_about(struct op *o, const struct plan *p)
{
	struct bytes domain = doc_text(doc_get(o->arena, p->registry, "domain"), BYTES(""));
	bool name = p->registry != NULL && !is_ipv4(domain);

	if (name && p->port > 0 && memchr(domain.p, '.', domain.n) == NULL) {
		op_warn(o, "the host " BYTES_FMT " has no dot: a Higress would not find it",
			BYTES_ARG(domain));
	}
	if (p->proxy.n > 0 && op_bridge_find(o, "proxies", p->proxy) == NULL) {
		op_warn(o, "the proxy server " BYTES_FMT " does not exist", BYTES_ARG(p->proxy));
	}
}

static enum op_rc make_plan(struct op *o, const struct doc *given, struct plan *p)
{
	struct bytes type = doc_text(doc_get(o->arena, given, "type"), BYTES(""));
	const struct doc *raw = doc_get(o->arena, given, "rawConfigs");
	struct op_endpoints all;
	enum op_rc rc;

	p->type = op_provider_type(type);
	if (p->type == NULL) {
		return op_refuse(o, OP_INVALID, "type: " BYTES_FMT " is no known type of provider",
			BYTES_ARG(type));
	}
	p->proxy = bytes_trim(doc_text(doc_get(o->arena, given, "proxyName"), BYTES("")));
	if (!op_proxy_name(o, p->proxy)) {
		return op_refuse(o, OP_INVALID, "proxyName must be the name of a proxy server");
	}
	p->entry = doc_given(raw) ? doc_copy(o->arena, raw) : doc_map(o->arena);
	rc = op_provider_endpoints(o, p->type, p->entry, &all);
	rc = rc != OP_OK ? rc : check_endpoints(o, &all);
	rc = rc != OP_OK ? rc : fill_entry(o, p, given);
	if (rc != OP_OK) {
		return rc;
	}
	settle(o, p, &all);
	return check_binding(o, p);
}

static void restore_secrets(struct op *o, struct bytes name, struct doc *given)
{
	static const char *const keys[] = {"vertexAuthKey", "awsSecretKey"};
	const struct doc *entry = find_entry(o, op_plugin_look(o, &op_plugin_ai_proxy, true), name);
	struct doc *raw = doc_get(o->arena, given, "rawConfigs");

	op_mask_restore_list(
		o, doc_get(o->arena, given, "tokens"), doc_get(o->arena, entry, "apiTokens"));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		op_mask_restore(o, raw, entry, keys[i]);
	}
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	struct plan p = {.name = name};
	struct bytes service = BYTES("");
	unsigned port = 0;
	bool moved;
	struct doc *given;
	enum op_rc rc = check_provider_name(o, name);

	(void)mode; /* both put it there, whether it was or not */
	rc = rc != OP_OK ? rc : flatten_tokens(o, body);
	rc = rc != OP_OK ? rc : op_shape_take(o, &shape, body, &given);
	if (rc == OP_OK) {
		restore_secrets(o, name, given);
	}
	rc = rc != OP_OK ? rc : make_plan(o, given, &p);
	if (rc != OP_OK) {
		return rc;
	}
	moved = op_provider_service(o, name, &service, &port) &&
		(!bytes_eq(service, p.service) || port != p.port);
	warn_about(o, &p);
	write_registry(o, &p);
	write_plugin(o, &p);
	/* The Console leaves routes behind when another type is given to their provider. */
	if (p.type->follow || moved) {
		op_ai_route_follow(o, name);
	}
	return OP_OK;
}

/* --- delete ------------------------------------------------------------------------------------- */

static enum op_rc check_users(struct op *o, struct bytes name)
{
	struct strings routes = op_ai_route_users(o, name);

	for (size_t i = 0; i < routes.n; i++) {
		if (o->strict_delete) {
			return op_refuse(o, OP_IN_USE,
				"the AI route " BYTES_FMT " names the provider " BYTES_FMT,
				BYTES_ARG(routes.v[i]), BYTES_ARG(name));
		}
		op_warn(o,
			"the AI route " BYTES_FMT " still names the provider " BYTES_FMT
			", which is gone now",
			BYTES_ARG(routes.v[i]), BYTES_ARG(name));
	}
	return OP_OK;
}

static enum op_rc remove_provider(struct op *o, struct bytes name)
{
	const struct doc *there = find_entry(o, op_plugin_look(o, &op_plugin_ai_proxy, true), name);
	struct doc *root, *providers, *entry;
	enum op_rc rc;

	if (there == NULL) {
		return OP_OK;
	}
	rc = check_users(o, name);
	if (rc != OP_OK) {
		return rc;
	}
	op_bridge_remove(o, REGISTRIES, op_textf(o, "llm-" BYTES_FMT ".internal", BYTES_ARG(name)));
	root = op_plugin_need(o, &op_plugin_ai_proxy, true);
	drop_rules(o, root, name, BYTES(""));
	providers = doc_at(o->arena, root, "spec.defaultConfig.providers");
	while ((entry = find_entry(o, root, name)) != NULL) {
		doc_remove(o->arena, providers, entry);
	}
	if (doc_first(o->arena, providers) == NULL) {
		doc_set(o->arena, doc_get(o->arena, root, "spec"), "defaultConfigDisable",
			doc_bool(o->arena, true));
	}
	return OP_OK;
}

/* --- read --------------------------------------------------------------------------------------- */

/* The answer has the URL also where only the two other settings were given. */
static void derive_claude(struct op *o, const struct op_provider_type *t, struct doc *raw)
{
	struct doc *copy = doc_copy(o->arena, raw);
	struct op_endpoints all;
	const struct op_endpoint *e = &all.v[0];
	unsigned usual;

	if (op_provider_endpoints(o, t, copy, &all) != OP_OK || all.n == 0) {
		text_clear(&o->why);
		return;
	}
	usual = bytes_eq(e->scheme, BYTES("https")) ? 443 : 80;
	if (bytes_eq(e->host, bytes_str(t->host)) && e->port == 443 && path_of(e).n == 1) {
		doc_drop(o->arena, raw, "claudeCustomUrl");
		return;
	}
	doc_set(o->arena, raw, "claudeCustomUrl",
		doc_string(o->arena,
			e->port == usual ? op_textf(o, BYTES_FMT "://" BYTES_FMT BYTES_FMT,
						   BYTES_ARG(e->scheme), BYTES_ARG(e->host),
						   BYTES_ARG(e->path))
					 : op_textf(o, BYTES_FMT "://" BYTES_FMT ":%u" BYTES_FMT,
						   BYTES_ARG(e->scheme), BYTES_ARG(e->host),
						   e->port, BYTES_ARG(e->path))));
}

static struct doc *read_provider(struct op *o, struct bytes name)
{
	struct arena *a = o->arena;
	const struct doc *entry = find_entry(o, op_plugin_look(o, &op_plugin_ai_proxy, true), name);
	const struct op_provider_type *t =
		entry != NULL ? op_provider_type(doc_peek(entry, "type", BYTES(""))) : NULL;
	const struct doc *registry = op_bridge_find(
		o, REGISTRIES, op_textf(o, "llm-" BYTES_FMT ".internal", BYTES_ARG(name)));
	struct bytes proxy = doc_text(doc_get(a, registry, "proxyName"), BYTES(""));
	struct doc *out = doc_map(a), *raw;
	bool original;

	if (t == NULL) {
		return NULL;
	}
	original = bytes_eq(doc_text(doc_get(a, entry, "protocol"), BYTES("")), BYTES("original"));
	raw = doc_copy(a, entry);
	if (bytes_eq(bytes_str(t->name), BYTES("claude"))) {
		derive_claude(o, t, raw);
	}
	doc_set(a, out, "name", doc_string(a, name));
	doc_set(a, out, "type", doc_str(a, t->name));
	doc_set(a, out, "protocol", doc_str(a, original ? "original" : "openai/v1"));
	if (proxy.n > 0) {
		doc_set(a, out, "proxyName", doc_string(a, proxy));
	}
	if (doc_given(doc_get(a, entry, "apiTokens"))) {
		doc_set(a, out, "tokens", doc_copy(a, doc_get(a, entry, "apiTokens")));
	}
	if (doc_given(doc_get(a, entry, "failover"))) {
		doc_set(a, out, "tokenFailoverConfig", doc_copy(a, doc_get(a, entry, "failover")));
	}
	doc_set(a, out, "rawConfigs", raw);
	return op_shape_show(o, &shape, out);
}

static struct strings list(struct op *o)
{
	const struct doc *all = doc_at(o->arena, op_plugin_look(o, &op_plugin_ai_proxy, true),
		"spec.defaultConfig.providers");
	struct strings out = {0};
	size_t n = 0;

	out.v = all != NULL && all->n > 0 ? arena_alloc(o->arena, all->n * sizeof(*out.v)) : NULL;
	for (const struct doc *v = doc_first(o->arena, all); out.v != NULL && v != NULL;
		v = v->next) {
		struct bytes id = doc_peek(v, "id", BYTES(""));

		if (id.n > 0 && op_provider_type(doc_peek(v, "type", BYTES(""))) != NULL) {
			out.v[out.n++] = id;
		}
	}
	op_sort_names(&out);
	for (size_t i = 0; i < out.n; i++) {
		if (n == 0 || !bytes_eq(out.v[n - 1], out.v[i])) {
			out.v[n++] = out.v[i];
		}
	}
	out.n = n;
	return out;
}

/* What the registry says, for entries of types that have no handler. */
static bool registry_service(
	struct op *o, struct bytes provider, struct bytes *service, unsigned *port)
{
	struct bytes name = op_textf(o, "llm-" BYTES_FMT ".internal", BYTES_ARG(provider));
	const struct doc *r = op_bridge_find(o, REGISTRIES, name);
	struct bytes type = doc_text(doc_get(o->arena, r, "type"), BYTES(""));
	const struct doc *p = doc_get(o->arena, r, "port");

	if (type.n == 0) {
		return false;
	}
	*service = op_textf(o, BYTES_FMT "." BYTES_FMT, BYTES_ARG(name), BYTES_ARG(type));
	*port = p != NULL && p->type == DOC_INT && p->integer > 0 && p->integer <= 65535
		? (unsigned)p->integer
		: 80;
	return true;
}

bool op_provider_service(struct op *o, struct bytes provider, struct bytes *service, unsigned *port)
{
	const struct doc *entry =
		find_entry(o, op_plugin_look(o, &op_plugin_ai_proxy, true), provider);
	const struct op_provider_type *t =
		entry != NULL ? op_provider_type(doc_peek(entry, "type", BYTES(""))) : NULL;
	struct plan p = {.name = provider};
	struct op_endpoints all;

	if (entry == NULL) {
		return false;
	}
	if (t == NULL || op_provider_endpoints(o, t, doc_copy(o->arena, entry), &all) != OP_OK) {
		text_clear(&o->why);
		return registry_service(o, provider, service, port);
	}
	settle(o, &p, &all);
	*service = p.service;
	*port = p.port;
	return true;
}

const struct op_noun op_provider = {"provider", save, remove_provider, read_provider, list};
