#include "plan/services.h"

#include <arpa/inet.h>

#include "base/num.h"
#include "plan/build.h"
#include "wire/url.h"

/* Half of the cells: two plans can be bound at once while one replaces the other. */
#define ENDPOINTS_MAX (CELLS_MAX / 2)
/* Of a host, and of what a cell is found by. */
#define HOST_NAME_MAX_N 253u

struct compiling {
	struct services *out;
	const struct snapshot *snapshot;
	const struct object *where;
	const struct registry *registry;
	struct arena *arena;
	struct findings *findings;
};

#define registry_error(c, code, at, ...)                                     \
	do {                                                                 \
		struct finding where_ = build_error((c)->where, (at), code); \
		findings_add((c)->findings, &where_, __VA_ARGS__);           \
	} while (0)

/* --- addresses ---------------------------------------------------------------------------------- */

static bool is_address(int family, struct bytes host)
{
	unsigned char room[16];
	char text[64];

	if (host.n == 0 || host.n >= sizeof(text)) {
		return false;
	}
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(family, text, room) == 1;
}

static bool is_literal(struct bytes host)
{
	return is_address(AF_INET, host) || is_address(AF_INET6, host);
}

/* "[::1]" */
static bool is_bracketed(struct bytes text, struct bytes *host)
{
	if (!bytes_starts(text, BYTES("[")) || !bytes_ends(text, BYTES("]"))) {
		return false;
	}
	*host = bytes_of(text.p + 1, text.n - 2);
	return is_address(AF_INET6, *host);
}

/* "1.2.3.4:80" or "[::1]:80". */
static bool read_static(struct bytes entry, struct endpoint *out)
{
	size_t colon = entry.n;
	uint64_t port;

	while (colon > 0 && entry.p[colon - 1] != ':') {
		colon--;
	}
	if (colon == 0 ||
		!num_parse_u64(bytes_of(entry.p + colon, entry.n - colon), 65535, &port) ||
		port == 0) {
		return false;
	}
	out->host = bytes_of(entry.p, colon - 1);
	out->port = (uint16_t)port;
	if (bytes_starts(out->host, BYTES("[")) && bytes_ends(out->host, BYTES("]"))) {
		out->host = bytes_of(out->host.p + 1, out->host.n - 2);
		return is_address(AF_INET6, out->host);
	}
	return is_address(AF_INET, out->host);
}

/* Labels of letters, digits, '-' and '_' (which container networks use), 63 each, 253 in all. */
static bool is_host_name(struct bytes host)
{
	struct bytes rest = host;

	if (host.n == 0 || host.n > HOST_NAME_MAX_N) {
		return false;
	}
	while (rest.p != NULL) {
		struct bytes label = bytes_cut(&rest, '.');

		if (label.n == 0 || label.n > 63 || label.p[0] == '-' ||
			label.p[label.n - 1] == '-') {
			return false;
		}
		for (size_t i = 0; i < label.n; i++) {
			char c = ascii_lower(label.p[i]);

			if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) && c != '-' && c != '_') {
				return false;
			}
		}
	}
	return true;
}

/* What Higress takes in a dns registry: a name of at least two labels. */
static bool is_qualified(struct bytes host)
{
	return memchr(host.p, '.', host.n) != NULL && !is_address(AF_INET, host);
}

static bool read_dns(const struct compiling *c, struct bytes entry, struct endpoint *out)
{
	out->port = (uint16_t)c->registry->port;
	out->host = entry;
	if (bytes_starts(entry, BYTES("[")) && bytes_ends(entry, BYTES("]"))) {
		out->host = bytes_of(entry.p + 1, entry.n - 2);
	}
	if (is_address(AF_INET6, out->host)) {
		return true;
	}
	if (!is_host_name(out->host)) {
		return false;
	}
	if (!is_qualified(out->host)) {
		struct finding at =
			build_warning(c->where, c->registry->domain_at, "host-not-qualified");

		findings_add(c->findings, &at,
			"registry " BYTES_FMT ": " BYTES_FMT
			" works here, but Higress takes only names of two labels and more in a dns "
			"registry",
			BYTES_ARG(c->registry->name), BYTES_ARG(entry));
	}
	return true;
}

static size_t count_entries(struct bytes list)
{
	size_t n = 1;

	for (size_t i = 0; i < list.n; i++) {
		n += list.p[i] == ',';
	}
	return n;
}

static void read_endpoints(struct compiling *c, struct service *s, bool is_static)
{
	struct bytes rest = c->registry->domain;

	s->endpoints = arena_must(c->arena, count_entries(rest) * sizeof(*s->endpoints));
	while (rest.p != NULL) {
		struct bytes entry = bytes_trim(bytes_cut(&rest, ','));
		struct endpoint e = {0};

		if (entry.n == 0) {
			continue;
		}
		if (!(is_static ? read_static(entry, &e) : read_dns(c, entry, &e))) {
			registry_error(c, "registry-domain", c->registry->domain_at,
				"registry " BYTES_FMT ": " BYTES_FMT " is no %s; it is left out",
				BYTES_ARG(c->registry->name), BYTES_ARG(entry),
				is_static ? "address with port" : "host name");
			continue;
		}
		if (c->out->n_endpoints == ENDPOINTS_MAX) {
			registry_error(c, "too-many-endpoints", c->registry->domain_at,
				"there are more than %u endpoints; the rest is left out",
				ENDPOINTS_MAX);
			return;
		}
		e.host = build_lower(c->arena, e.host);
		s->endpoints[s->n_endpoints++] = e;
		c->out->n_endpoints++;
	}
}

/* --- registries --------------------------------------------------------------------------------- */

static bool read_protocol(struct compiling *c, struct service *s)
{
	struct bytes protocol = c->registry->protocol;

	s->tls = bytes_eq_nocase(protocol, BYTES("https"));
	if (protocol.n == 0 || s->tls || bytes_eq_nocase(protocol, BYTES("http"))) {
		return true;
	}
	registry_error(c, "registry-protocol", c->registry->at,
		"registry " BYTES_FMT
		": this version speaks http and https to upstreams, not " BYTES_FMT,
		BYTES_ARG(c->registry->name), BYTES_ARG(protocol));
	return false;
}

/* How the names of services end that registries are asked for. */
static const char *const endings[] = {".nacos", ".zookeeper", ".consul", ".eureka"};

bool services_is_discovered(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		if (bytes_ends(name, bytes_str(endings[i]))) {
			return true;
		}
	}
	return false;
}

static void refuse_type(struct compiling *c)
{
	const struct registry *r = c->registry;

	registry_error(c, "registry-type", r->at,
		"registry " BYTES_FMT ": there is no type " BYTES_FMT
		"; there are static, dns, nacos, nacos2, nacos3, consul, eureka and zookeeper",
		BYTES_ARG(r->name), BYTES_ARG(r->type));
}

/* Never straight to where a proxy was meant to be in between. */
static void refuse_proxy(struct compiling *c)
{
	const struct mcpbridge *bridge = &c->where->u.mcpbridge;
	const struct registry *r = c->registry;
	bool known = false;

	for (size_t i = 0; i < bridge->n_proxies; i++) {
		known = known || bytes_eq(bridge->proxies[i].name, r->proxy_name);
	}
	registry_error(c, known ? "registry-proxy" : "registry-proxy-unknown", r->proxy_at,
		"registry " BYTES_FMT ": %s " BYTES_FMT
		"; destinations on it answer 503: remove proxyName to let traffic go there "
		"directly",
		BYTES_ARG(r->name),
		known ? "this version connects to no upstream through a proxy, as it is told to by"
		      : "spec.proxies has no proxy",
		BYTES_ARG(r->proxy_name));
}

static bool read_registry(struct compiling *c, struct service *s)
{
	const struct registry *r = c->registry;
	bool is_static = bytes_eq(r->type, BYTES("static"));

	if (r->name.n == 0) {
		registry_error(c, "registry-name", r->at, "a registry needs a name");
		return false;
	}
	if (!is_static && !bytes_eq(r->type, BYTES("dns"))) {
		refuse_type(c);
		return false;
	}
	if (r->proxy_name.n != 0) {
		refuse_proxy(c);
		return false;
	}
	if (r->port == 0 && !is_static) {
		registry_error(c, "registry-port", r->at, "registry " BYTES_FMT " needs a port",
			BYTES_ARG(r->name));
		return false;
	}
	s->port = r->port != 0 ? (uint16_t)r->port : 80;
	if (!read_protocol(c, s)) {
		return false;
	}
	read_endpoints(c, s, is_static);
	if (s->n_endpoints == 0) {
		registry_error(c, "registry-without-endpoint", r->at,
			"registry " BYTES_FMT " has no usable entry in domain", BYTES_ARG(r->name));
		return false;
	}
	s->sni = build_lower(c->arena, r->sni);
	if (s->tls && s->sni.n == 0 && !is_static && s->n_endpoints == 1 &&
		!is_literal(s->endpoints[0].host)) {
		s->sni = s->endpoints[0].host;
	}
	return true;
}

/* --- registries that are asked ------------------------------------------------------------------ */

/* A token is a field's value: what no field can hold is none. */
static bool is_field_text(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
			return false;
		}
	}
	return true;
}

static void read_credentials(struct compiling *c, struct source *s, enum instances_kind kind)
{
	const struct registry *r = c->registry;
	const struct object *o = snapshot_get(c->snapshot, RESOURCE_SECRET, r->auth_secret);
	struct finding at = build_warning(c->where, r->at, "registry-secret");

	if (o != NULL && kind == INSTANCES_CONSUL) {
		s->secret = pairs_get(&o->u.secret.data, "consulToken");
	} else if (o != NULL && (kind == INSTANCES_NACOS || kind == INSTANCES_NACOS3)) {
		s->user = pairs_get(&o->u.secret.data, "nacosUsername");
		s->secret = pairs_get(&o->u.secret.data, "nacosPassword");
	}
	if (!is_field_text(s->secret)) {
		s->secret = BYTES("");
	}
	if (r->auth_secret.n != 0 && s->secret.n == 0) {
		findings_add(c->findings, &at,
			"registry " BYTES_FMT ": no Secret " BYTES_FMT
			" holds %s; it is asked without credentials",
			BYTES_ARG(r->name), BYTES_ARG(r->auth_secret),
			kind == INSTANCES_CONSUL              ? "consulToken"
				: kind == INSTANCES_EUREKA    ? "what eureka could be asked with"
				: kind == INSTANCES_ZOOKEEPER ? "what zookeeper could be asked with"
							      : "nacosUsername and nacosPassword");
	}
}

/* What one address of a registry must be. */
static bool read_source(struct compiling *c, struct source *s)
{
	const struct registry *r = c->registry;
	struct bytes inside;

	if (r->name.n == 0) {
		registry_error(c, "registry-name", r->at, "a registry needs a name");
		return false;
	}
	if (r->proxy_name.n != 0) {
		refuse_proxy(c);
		return false;
	}
	if (r->port == 0) {
		registry_error(c, "registry-port", r->at, "registry " BYTES_FMT " needs a port",
			BYTES_ARG(r->name));
		return false;
	}
	if (!is_literal(r->domain) && !is_host_name(r->domain) &&
		!is_bracketed(r->domain, &inside)) {
		registry_error(c, "registry-domain", r->domain_at,
			"registry " BYTES_FMT ": " BYTES_FMT " is no host name or address",
			BYTES_ARG(r->name), BYTES_ARG(r->domain));
		return false;
	}
	return read_protocol(c, &s->like);
}

static void add_source(struct compiling *c, enum instances_kind kind)
{
	struct source s = {.registry = c->registry, .user = BYTES(""), .secret = BYTES("")};

	if (!read_source(c, &s)) {
		return;
	}
	read_credentials(c, &s, kind);
	s.secret = build_text(c->arena, s.secret);
	s.user = build_text(c->arena, s.user);
	s.like.sni = build_lower(c->arena, c->registry->sni);
	c->out->sources[c->out->n_sources++] = s;
}

static struct service *make_found(
	struct services *s, const struct source *of, struct bytes name, const struct discovered *d)
{
	struct found_service *f = arena_must(s->arena, sizeof(*f));

	f->ask = *d;
	f->ask.tls = of->like.tls;
	f->ask.texts[DISCOVERED_USER] = of->user;
	f->ask.texts[DISCOVERED_SECRET] = of->secret;
	f->service = of->like;
	f->service.name = build_text(s->arena, name);
	f->endpoint = (struct endpoint){.host = f->service.name, .ask = &f->ask};
	f->service.endpoints = &f->endpoint;
	f->service.n_endpoints = 1;
	f->next = s->found;
	s->found = f;
	s->n_found++;
	s->n_endpoints++;
	map_put(&s->by_name, f->service.name, &f->service);
	return &f->service;
}

struct service *services_find(struct services *s, struct bytes name)
{
	struct service *known = map_get(&s->by_name, name);
	struct discovered d;

	if (known != NULL || name.n > HOST_NAME_MAX_N || s->n_endpoints == ENDPOINTS_MAX) {
		return known;
	}
	for (size_t i = 0; i < s->n_sources; i++) {
		if (discovered_match(s->sources[i].registry, name, s->arena, &d)) {
			return make_found(s, &s->sources[i], name, &d);
		}
	}
	return NULL;
}

/* --- all of them -------------------------------------------------------------------------------- */

static struct bytes service_name(struct arena *a, const struct registry *r)
{
	size_t n = r->name.n + 1 + r->type.n;
	char *p = arena_must(a, n);
	struct text t;

	text_init_fixed(&t, p, n);
	text_add_bytes(&t, r->name);
	text_add_char(&t, '.');
	text_add_bytes(&t, r->type);
	return text_bytes(&t);
}

static void add_registry(struct compiling *c)
{
	struct services *out = c->out;
	struct service *s = &out->v[out->n];
	enum instances_kind kind;

	if (discovered_type(c->registry->type, &kind)) {
		add_source(c, kind);
		return;
	}
	*s = (struct service){.name = service_name(c->arena, c->registry)};
	if (map_get(&out->by_name, s->name) != NULL) {
		struct finding at = build_warning(c->where, c->registry->at, "registry-duplicate");

		findings_add(c->findings, &at,
			"there is an earlier registry " BYTES_FMT
			" of this type; this one is not used",
			BYTES_ARG(c->registry->name));
		return;
	}
	if (read_registry(c, s)) {
		map_put(&out->by_name, s->name, s);
		out->n++;
	} else {
		map_put(&out->left_out, s->name, out);
	}
}

/* --- services that only a provider names -------------------------------------------------------- */

static const struct object *proxy_plugin(const struct snapshot *s)
{
	size_t from;
	size_t n = snapshot_kind(s, RESOURCE_WASMPLUGIN, &from);

	for (size_t i = from; i < from + n; i++) {
		if (bytes_eq(s->objects[i]->u.wasmplugin.plugin, BYTES("ai-proxy"))) {
			return s->objects[i];
		}
	}
	return NULL;
}

static const struct yaml_node *providers_of(const struct object *proxy)
{
	const struct yaml_node *list =
		proxy != NULL ? yaml_get(proxy->u.wasmplugin.config, "providers") : NULL;

	return list != NULL && list->type == YAML_SEQ ? list : NULL;
}

static bool read_url(struct compiling *c, const struct yaml_node *provider, struct service *s)
{
	const struct yaml_node *text = yaml_get(provider, "openaiCustomUrl");
	struct fault fault;
	struct url url;

	if (text == NULL || url_parse(&url, text->text, &fault) != 0 ||
		c->out->n_endpoints == ENDPOINTS_MAX) {
		return false;
	}
	if (bytes_starts(url.host, BYTES("["))) {
		url.host = bytes_of(url.host.p + 1, url.host.n - 2);
	}
	s->tls = bytes_eq_nocase(url.scheme, BYTES("https"));
	s->endpoints = arena_must(c->arena, sizeof(*s->endpoints));
	s->endpoints[0] = (struct endpoint){.host = build_lower(c->arena, url.host),
		.port = url.port != 0 ? url.port
			: s->tls      ? 443
				      : 80};
	s->n_endpoints = 1;
	if (s->tls && !is_literal(s->endpoints[0].host)) {
		s->sni = s->endpoints[0].host;
	}
	return true;
}

/* A client registers a provider with the name of a service whose source was refused (console-api.md D25): its
 * requests go to the host of its URL. */
static void add_named(struct compiling *c, const struct yaml_node *provider)
{
	const struct yaml_node *name = yaml_get(provider, "openaiCustomServiceName");
	const struct yaml_node *port = yaml_get(provider, "openaiCustomServicePort");
	struct services *out = c->out;
	struct service *s = &out->v[out->n];
	struct finding at;
	uint64_t number;

	if (name == NULL || name->text.n == 0 || port == NULL ||
		!num_parse_u64(port->text, 65535, &number) || number == 0 ||
		services_find(out, name->text) != NULL ||
		map_get(&out->left_out, name->text) != NULL) {
		return;
	}
	*s = (struct service){.name = build_text(c->arena, name->text), .port = (uint16_t)number};
	if (!read_url(c, provider, s)) {
		return;
	}
	map_put(&out->by_name, s->name, s);
	out->n++;
	out->n_endpoints++;
	at = build_warning(c->where, build_place(name), "provider-service-unknown");
	findings_add(c->findings, &at,
		"no registry gives the service " BYTES_FMT
		"; requests go to the host of openaiCustomUrl here, and fail in Higress: create the "
		"service source",
		BYTES_ARG(s->name));
}

void services_compile(struct services *out, const struct snapshot *s, const struct hash_seed *seed,
	struct arena *a, struct findings *f)
{
	const struct object *bridge = snapshot_get(s, RESOURCE_MCPBRIDGE, BYTES("default"));
	const struct object *proxy = proxy_plugin(s);
	const struct yaml_node *providers = providers_of(proxy);
	size_t n = bridge != NULL ? bridge->u.mcpbridge.n_registries : 0;
	struct compiling c = {
		.out = out, .snapshot = s, .where = bridge, .arena = a, .findings = f};

	*out = (struct services){.arena = a};
	out->sources = arena_must(a, (n + 1) * sizeof(*out->sources));
	map_init(&out->by_name, seed);
	map_init(&out->left_out, seed);
	out->v = arena_must(a, (n + (providers != NULL ? providers->n : 0) + 1) * sizeof(*out->v));
	for (size_t i = 0; i < n; i++) {
		c.registry = &bridge->u.mcpbridge.registries[i];
		add_registry(&c);
	}
	c.where = proxy;
	for (const struct yaml_node *p = providers != NULL ? providers->items : NULL; p != NULL;
		p = p->next) {
		add_named(&c, p);
	}
}

void services_done(struct services *s)
{
	map_done(&s->by_name);
	map_done(&s->left_out);
}
