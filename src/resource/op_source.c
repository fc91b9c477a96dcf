/*
 * Service sources: entries of the McpBridge's registries, and Secrets with what they log in with
 * (higress-resources.md §2.6, §3.6). Credentials are written and never shown.
 */
#include "base/digest.h"
#include "base/num.h"
#include "resource/op_int.h"
#include "wire/base64.h"

#define REGISTRIES "registries"
#define NAME_LONGEST 63u
/* Another Secret of the name that was made is not likely, let alone so many. */
#define SECRET_ATTEMPTS 100u
/* Attack: each credential is encoded. */
#define CREDENTIAL_MAX (64u * 1024u)
/* Attack: each is compared with every other. */
#define VPORT_SERVICES_MAX 1000u

static const struct op_shape_row vport_service_rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"value", OP_SHAPE_INT, NULL},
};
static const struct op_shape vport_service = {vport_service_rows, ARRAY_LEN(vport_service_rows)};

static const struct op_shape_row vport_rows[] = {
	{"defaultValue", OP_SHAPE_INT, NULL},
	{"servicesVport", OP_SHAPE_OBJECTS, &vport_service},
};
static const struct op_shape vport_shape = {vport_rows, ARRAY_LEN(vport_rows)};

static const struct op_shape_row auth_rows[] = {
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"properties", OP_SHAPE_TEXT_MAP, NULL},
};
static const struct op_shape auth_shape = {auth_rows, ARRAY_LEN(auth_rows)};

static const struct op_shape_row rows[] = {
	{"name", OP_SHAPE_TEXT, NULL},
	{"version", OP_SHAPE_TEXT, NULL},
	{"type", OP_SHAPE_TEXT, NULL},
	{"domain", OP_SHAPE_TEXT, NULL},
	{"port", OP_SHAPE_INT, NULL},
	{"protocol", OP_SHAPE_TEXT, NULL},
	{"sni", OP_SHAPE_TEXT, NULL},
	{"proxyName", OP_SHAPE_TEXT, NULL},
	{"properties", OP_SHAPE_ANY_MAP, NULL},
	{"vport", OP_SHAPE_OBJECT, &vport_shape},
	{"authN", OP_SHAPE_OBJECT, &auth_shape},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

/* What may be in properties, by type (also what is stored and shown). */
enum kind { NACOS = 1, NACOS3 = 2, ZOOKEEPER = 4, CONSUL = 8 };
enum property_type { PROPERTY_TEXT, PROPERTY_TEXTS, PROPERTY_BOOL, PROPERTY_SECONDS };

static const struct property {
	const char *name;
	unsigned kinds;
	enum property_type type;
} properties[] = {
	{"nacosNamespaceId", NACOS | NACOS3, PROPERTY_TEXT},
	{"nacosGroups", NACOS | NACOS3, PROPERTY_TEXTS},
	{"zkServicesPath", ZOOKEEPER, PROPERTY_TEXTS},
	{"consulDatacenter", CONSUL, PROPERTY_TEXT},
	{"consulServiceTag", CONSUL, PROPERTY_TEXT},
	{"consulRefreshInterval", CONSUL, PROPERTY_SECONDS},
	{"enableMCPServer", NACOS3, PROPERTY_BOOL},
	{"mcpServerBaseUrl", NACOS3, PROPERTY_TEXT},
	{"mcpServerExportDomains", NACOS3, PROPERTY_TEXTS},
};

static const struct type {
	const char *name;
	unsigned kind; /* 0: no properties */
	bool served;   /* the others are kept for a Higress */
} types[] = {
	{"static", 0, true},
	{"dns", 0, true},
	{"nacos", NACOS, false},
	{"nacos2", NACOS, false},
	{"nacos3", NACOS3, false},
	{"zookeeper", ZOOKEEPER, false},
	{"consul", CONSUL, false},
	{"eureka", 0, false},
};

static const struct type *type_of(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (bytes_eq(name, bytes_str(types[i].name))) {
			return &types[i];
		}
	}
	return NULL;
}

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

static bool is_blank(struct bytes s)
{
	return bytes_trim(s).n == 0;
}

/* --- checks: name and addresses ----------------------------------------------------------------- */

/* ^(?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9]$ */
static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = ascii_lower(name.p[i]);
		bool edge = i == 0 || i == name.n - 1;

		if (!ascii_digit(c) && (c < 'a' || c > 'z') && (c != '-' || edge)) {
			return false;
		}
	}
	return name.n > 0 && name.n <= NAME_LONGEST;
}

static enum op_rc refuse_internal(struct op *o, struct bytes name)
{
	return op_refuse(o, OP_READ_ONLY,
		"the service source " BYTES_FMT
		" belongs to a provider: change that one instead (names that end in \".internal\" "
		"are the gateway's own)",
		BYTES_ARG(name));
}

static enum op_rc check_name(struct op *o, struct bytes name)
{
	if (bytes_ends(name, BYTES(".internal"))) {
		return refuse_internal(o, name);
	}
	return is_name(name)
		? OP_OK
		: op_refuse(o, OP_INVALID,
			  "the name of the service source must consist of at most 63 of "
			  "A-Z, a-z, 0-9 and \"-\", without \"-\" at its ends and "
			  "without dots");
}

/* "1.2.3.4:80" or "[::1]:80" */
static enum op_rc check_static(struct op *o, struct bytes entry)
{
	struct bytes host = entry, port = BYTES("");
	bool bracket = entry.n > 0 && entry.p[0] == '[', good;
	uint64_t n = 0;

	for (size_t i = entry.n; i > 0; i--) {
		if (entry.p[i - 1] == ':') {
			host = bytes_of(entry.p, i - 1);
			port = bytes_of(entry.p + i, entry.n - i);
			break;
		}
	}
	good = num_parse_u64(port, 65535, &n) && n > 0;
	if (bracket && host.n > 2 && host.p[host.n - 1] == ']') {
		host = bytes_of(host.p + 1, host.n - 2);
		good = good && op_host_is_ipv6(host);
	} else {
		good = good && op_host_is_ipv4(host);
	}
	if (!good) {
		return op_refuse(o, OP_INVALID,
			"domain: " BYTES_FMT
			" is no address and port like 10.0.0.1:8080 or [::1]:8080 (names belong to "
			"the type dns)",
			BYTES_ARG(entry));
	}
	return op_host_allowed(o, "domain", host);
}

static enum op_rc check_dns(struct op *o, struct bytes entry)
{
	bool dotted = op_host_is_dotted(entry);

	if (!dotted && !op_host_is_single(entry) && !op_host_is_ipv4(entry) &&
		!op_host_is_ipv6(entry)) {
		return op_refuse(o, OP_INVALID,
			"domain: " BYTES_FMT
			" is no host name in lower case (the port is a member of its own)",
			BYTES_ARG(entry));
	}
	if (!dotted) {
		op_warn(o,
			"domain: " BYTES_FMT
			" has no dot or is an address: it is served here, and not by a Higress",
			BYTES_ARG(entry));
	}
	return op_host_allowed(o, "domain", entry);
}

/* One of a registry, not a list. */
static enum op_rc check_server(struct op *o, struct bytes entry)
{
	if (!op_host_is_ipv4(entry) && !op_host_is_dotted(entry)) {
		return op_refuse(o, OP_INVALID,
			"domain must be an IPv4 address or a host name in lower case with at least "
			"one dot");
	}
	return op_host_allowed(o, "domain", entry);
}

/* domain becomes what is stored: entries without blanks, none empty. */
static enum op_rc check_domain(struct op *o, const struct type *t, struct doc *given)
{
	bool is_static = strcmp(t->name, "static") == 0;
	struct bytes rest = text_of(o, given, "domain");
	struct text out;
	enum op_rc rc = OP_OK;

	if (!t->served) {
		return check_server(o, rest);
	}
	text_init(&out, RESOURCE_FILE_MAX);
	while (rest.n > 0 && rc == OP_OK) {
		struct bytes entry = bytes_trim(bytes_cut(&rest, ','));

		if (entry.n == 0) {
			continue;
		}
		rc = is_static ? check_static(o, entry) : check_dns(o, entry);
		text_add_str(&out, out.n > 0 ? "," : "");
		text_add_bytes(&out, entry);
	}
	if (rc == OP_OK && out.n == 0) {
		rc = op_refuse(o, OP_INVALID, "domain must be given");
	}
	doc_set(o->arena, given, "domain",
		doc_string(o->arena, arena_copy(o->arena, text_bytes(&out))));
	text_done(&out);
	return rc;
}

/* --- checks: properties ------------------------------------------------------------------------- */

static bool is_texts(struct op *o, const struct doc *v)
{
	const struct doc *i = doc_first(o->arena, v);

	while (i != NULL && i->type == DOC_STRING && op_is_line(i->text)) {
		i = i->next;
	}
	return v->type == DOC_LIST && i == NULL;
}

static enum op_rc check_type(struct op *o, const struct property *p, const struct doc *v)
{
	switch (p->type) {
	case PROPERTY_TEXT:
		return v->type == DOC_STRING && op_is_line(v->text)
			? OP_OK
			: op_refuse(o, OP_INVALID,
				  "properties.%s must be a text without control characters",
				  p->name);
	case PROPERTY_TEXTS:
		return is_texts(o, v) ? OP_OK
				      : op_refuse(o, OP_INVALID,
						"properties.%s must be a list of texts without "
						"control characters",
						p->name);
	case PROPERTY_BOOL:
		return v->type == DOC_BOOL
			? OP_OK
			: op_refuse(o, OP_INVALID, "properties.%s must be true or false", p->name);
	case PROPERTY_SECONDS:
		return v->type == DOC_INT && v->integer >= 10 && v->integer <= 600
			? OP_OK
			: op_refuse(o, OP_INVALID,
				  "properties.%s must be an integer between 10 and 600 (seconds)",
				  p->name);
	}
	return OP_OK;
}

static enum op_rc check_mcp(struct op *o, const struct doc *p)
{
	struct bytes url = text_of(o, p, "mcpServerBaseUrl");
	const struct doc *d = doc_first(o->arena, doc_get(o->arena, p, "mcpServerExportDomains"));

	if (url.n == 0 || url.p[0] != '/' || memchr(url.p, '?', url.n) != NULL) {
		return op_refuse(o, OP_INVALID,
			"properties.mcpServerBaseUrl must begin with \"/\" and hold no \"?\"");
	}
	for (; d != NULL; d = d->next) {
		if (!op_host_is_dotted(d->text)) {
			return op_refuse(o, OP_INVALID,
				"properties.mcpServerExportDomains: " BYTES_FMT
				" is no host name in lower case with a dot",
				BYTES_ARG(d->text));
		}
	}
	return OP_OK;
}

static enum op_rc check_needed(struct op *o, const struct type *t, const struct doc *p)
{
	const struct doc *on = doc_get(o->arena, p, "enableMCPServer");
	bool mcp = t->kind == NACOS3 && doc_given(on) && on->boolean;

	if (mcp) {
		return check_mcp(o, p);
	}
	if ((t->kind & (NACOS | NACOS3)) != 0 &&
		doc_first(o->arena, doc_get(o->arena, p, "nacosGroups")) == NULL) {
		return op_refuse(o, OP_INVALID,
			"properties.nacosGroups must be given, with at least one group");
	}
	if (t->kind == CONSUL && is_blank(text_of(o, p, "consulDatacenter"))) {
		return op_refuse(o, OP_INVALID, "properties.consulDatacenter must be given");
	}
	return OP_OK;
}

static enum op_rc check_properties(struct op *o, const struct type *t, const struct doc *p)
{
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		const struct doc *v = doc_get(o->arena, p, properties[i].name);
		bool matters = (properties[i].kinds & t->kind) != 0 && doc_given(v);
		enum op_rc rc = matters ? check_type(o, &properties[i], v) : OP_OK;

		if (rc != OP_OK) {
			return rc;
		}
	}
	return check_needed(o, t, p);
}

/* --- checks: the rest --------------------------------------------------------------------------- */

static bool is_port(const struct doc *v)
{
	return doc_given(v) && v->integer >= 1 && v->integer <= 65535;
}

static enum op_rc check_vport(struct op *o, const struct doc *vport)
{
	const struct doc *def = doc_get(o->arena, vport, "defaultValue");
	const struct doc *all = doc_get(o->arena, vport, "servicesVport");

	if (doc_given(def) && !is_port(def)) {
		return op_refuse(o, OP_INVALID, "vport.defaultValue must be between 1 and 65535");
	}
	if (all != NULL && all->n > VPORT_SERVICES_MAX) {
		return op_refuse(o, OP_LIMIT, "vport.servicesVport: at most %u services are taken",
			VPORT_SERVICES_MAX);
	}
	for (const struct doc *s = doc_first(o->arena, all); s != NULL; s = s->next) {
		struct bytes name = text_of(o, s, "name");

		if (!op_is_line(name)) {
			return op_refuse(o, OP_INVALID,
				"vport.servicesVport: a name must not hold control characters");
		}
		if (!is_port(doc_get(o->arena, s, "value"))) {
			return op_refuse(o, OP_INVALID,
				"vport.servicesVport: a value must be given, between 1 and 65535");
		}
		for (const struct doc *t = doc_first(o->arena, all); t != s; t = t->next) {
			if (bytes_eq(text_of(o, t, "name"), name)) {
				return op_refuse(o, OP_INVALID,
					"vport.servicesVport names the service " BYTES_FMT " twice",
					BYTES_ARG(name));
			}
		}
	}
	return OP_OK;
}

static enum op_rc check_protocol(struct op *o, struct bytes protocol)
{
	static const char *const words[] = {"http", "https", "grpc", "grpcs"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq(protocol, bytes_str(words[i]))) {
			return OP_OK;
		}
	}
	return is_blank(protocol)
		? OP_OK
		: op_refuse(o, OP_INVALID, "protocol must be http, https, grpc or grpcs");
}

static enum op_rc check_proxy(struct op *o, const struct type *t, struct bytes proxy)
{
	if (!op_proxy_name(o, proxy)) {
		return op_refuse(o, OP_INVALID, "proxyName must be the name of a proxy server");
	}
	if (proxy.n == 0) {
		return OP_OK;
	}
	if (!t->served) {
		return op_refuse(
			o, OP_INVALID, "proxyName can be given for the types static and dns only");
	}
	if (op_bridge_find(o, "proxies", proxy) == NULL) {
		op_warn(o, "the proxy server " BYTES_FMT " does not exist", BYTES_ARG(proxy));
	}
	return OP_OK;
}

static enum op_rc check_source(struct op *o, struct doc *given)
{
	struct arena *a = o->arena;
	const struct type *t = type_of(text_of(o, given, "type"));
	struct bytes sni = text_of(o, given, "sni");
	enum op_rc rc;

	if (t == NULL) {
		return op_refuse(o, OP_INVALID,
			"type must be static, dns, nacos, nacos2, nacos3, zookeeper, consul or "
			"eureka");
	}
	if (!is_port(doc_get(a, given, "port"))) {
		return op_refuse(o, OP_INVALID, "port must be given, between 1 and 65535");
	}
	if (sni.n > 0 && !op_host_is_dotted(sni) && !op_host_is_single(sni)) {
		return op_refuse(o, OP_INVALID, "sni must be a host name in lower case");
	}
	rc = check_domain(o, t, given);
	rc = rc != OP_OK ? rc : check_protocol(o, text_of(o, given, "protocol"));
	rc = rc != OP_OK ? rc : check_properties(o, t, doc_get(a, given, "properties"));
	rc = rc != OP_OK ? rc : check_proxy(o, t, text_of(o, given, "proxyName"));
	rc = rc != OP_OK ? rc : check_vport(o, doc_get(a, given, "vport"));
	if (rc == OP_OK && !t->served) {
		op_warn(o,
			"services of the type %s are not looked up: the source is kept for a "
			"Higress",
			t->name);
	}
	return rc;
}

/* --- credentials -------------------------------------------------------------------------------- */

static bool auth_wanted(struct op *o, const struct doc *auth)
{
	const struct doc *on = doc_get(o->arena, auth, "enabled");

	return doc_given(on) && on->boolean;
}

static enum op_rc need(struct op *o, const struct doc *p, const char *key)
{
	return !is_blank(text_of(o, p, key))
		? OP_OK
		: op_refuse(o, OP_INVALID, "authN.properties.%s must be given", key);
}

/* What Kubernetes takes as a key of a Secret. */
static bool is_secret_key(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (!ascii_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.') {
			return false;
		}
	}
	return s.n > 0 && s.n <= 253;
}

static enum op_rc check_auth(
	struct op *o, unsigned kind, const struct doc *auth, struct bytes secret)
{
	const struct doc *p = doc_get(o->arena, auth, "properties");
	const struct doc *first = doc_first(o->arena, p);
	enum op_rc rc = OP_OK;

	if (!auth_wanted(o, auth) || (first == NULL && secret.n > 0)) {
		return OP_OK;
	}
	if (first == NULL) {
		return op_refuse(
			o, OP_INVALID, "authN is enabled without properties, and none are stored");
	}
	for (; first != NULL; first = first->next) {
		if (first->text.n > CREDENTIAL_MAX || !is_secret_key(first->key)) {
			return op_refuse(o, OP_INVALID,
				"authN.properties: a name consists of at most 253 of A-Z, a-z, 0-9, \"-\", "
				"\"_\" and \".\", and a value has at most %u bytes",
				CREDENTIAL_MAX);
		}
	}
	if ((kind & (NACOS | NACOS3)) != 0) {
		rc = need(o, p, "nacosUsername");
		rc = rc != OP_OK ? rc : need(o, p, "nacosPassword");
	} else if (kind == CONSUL) {
		rc = need(o, p, "consulToken");
	}
	return rc;
}

/* The Console draws five letters or digits by lot; of a digest they do as well, and a draft that is made
 * again is the same. */
static struct bytes new_secret_name(struct op *o, struct bytes source)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char digest[DIGEST_SHA256_SIZE];
	char tail[6] = "";
	struct bytes name = BYTES("");

	for (unsigned i = 0; i < SECRET_ATTEMPTS; i++) {
		digest_sha256(digest, op_textf(o, "%u/" BYTES_FMT, i, BYTES_ARG(source)));
		for (size_t k = 0; k < sizeof(tail) - 1; k++) {
			tail[k] = letters[digest[k] % (sizeof(letters) - 1)];
		}
		name = op_textf(o, BYTES_FMT "-auth-%s", BYTES_ARG(source), tail);
		if (draft_look(&o->draft, RESOURCE_SECRET, name) == NULL) {
			break;
		}
	}
	return name;
}

static void write_secret(struct op *o, struct bytes name, const struct doc *values)
{
	struct doc *root = draft_need(&o->draft, RESOURCE_SECRET, name);
	struct doc *data = doc_map(o->arena);

	op_mark(o, root, name);
	for (const struct doc *v = doc_first(o->arena, values); v != NULL; v = v->next) {
		doc_set_bytes(o->arena, data, v->key, op_base64(o, v->text));
	}
	op_sync_map(o, doc_need_map(o->arena, root, "data"), data);
}

/* Sets authSecretName of want where there are credentials afterwards. */
static void write_auth(struct op *o, struct bytes source, struct bytes secret,
	const struct doc *auth, struct doc *want)
{
	const struct doc *values = doc_get(o->arena, auth, "properties");

	if (!auth_wanted(o, auth)) {
		if (secret.n > 0) {
			draft_remove(&o->draft, RESOURCE_SECRET, secret);
		}
		return;
	}
	secret = secret.n > 0 ? secret : new_secret_name(o, source);
	if (doc_first(o->arena, values) != NULL) {
		write_secret(o, secret, values);
	}
	doc_set(o->arena, want, "authSecretName", doc_string(o->arena, secret));
}

/* --- save --------------------------------------------------------------------------------------- */

/* As the file store has it: empty texts and lists are left out, 64-bit numbers are texts. */
static void put_property(
	struct op *o, struct doc *want, const struct property *p, const struct doc *v)
{
	switch (p->type) {
	case PROPERTY_TEXT:
		if (doc_text(v, BYTES("")).n > 0) {
			doc_set(o->arena, want, p->name, doc_copy(o->arena, v));
		}
		break;
	case PROPERTY_TEXTS:
		if (doc_first(o->arena, v) != NULL) {
			doc_set(o->arena, want, p->name, doc_copy(o->arena, v));
		}
		break;
	case PROPERTY_BOOL:
		doc_set(o->arena, want, p->name, doc_bool(o->arena, doc_given(v) && v->boolean));
		break;
	case PROPERTY_SECONDS:
		if (doc_given(v)) {
			doc_set(o->arena, want, p->name,
				doc_string(o->arena, op_textf(o, "%lld", (long long)v->integer)));
		}
		break;
	}
}

static void put_vport(struct op *o, struct doc *want, const struct doc *vport)
{
	struct arena *a = o->arena;
	const struct doc *def = doc_get(a, vport, "defaultValue");
	const struct doc *all = doc_get(a, vport, "servicesVport");
	struct doc *out;

	if (!doc_given(vport)) {
		return;
	}
	out = doc_need_map(a, want, "vport");
	if (doc_given(def)) {
		doc_set(a, out, "default", doc_copy(a, def));
	}
	if (doc_first(a, all) != NULL) {
		doc_set(a, out, "services", doc_copy(a, all));
	}
}

static struct doc *registry_of(struct op *o, const struct doc *given)
{
	static const char *const texts[] = {"protocol", "sni", "proxyName"};
	struct arena *a = o->arena;
	const struct type *t = type_of(text_of(o, given, "type"));
	const struct doc *p = doc_get(a, given, "properties");
	struct doc *want = doc_map(a);

	doc_set(a, want, "type", doc_str(a, t->name));
	doc_set(a, want, "domain", doc_string(a, text_of(o, given, "domain")));
	doc_set(a, want, "port", doc_copy(a, doc_get(a, given, "port")));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct bytes v = text_of(o, given, texts[i]);

		if (!is_blank(v)) {
			doc_set(a, want, texts[i], doc_string(a, v));
		}
	}
	put_vport(o, want, doc_get(a, given, "vport"));
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		if ((properties[i].kinds & t->kind) != 0) {
			put_property(o, want, &properties[i], doc_get(a, p, properties[i].name));
		}
	}
	return want;
}

static enum op_rc save(struct op *o, enum op_mode mode, struct bytes name, struct doc *body)
{
	static const char *const managed[] = {"type", "domain", "port", "protocol", "sni",
		"proxyName", "vport", "nacosNamespaceId", "nacosGroups", "zkServicesPath",
		"consulDatacenter", "consulServiceTag", "consulRefreshInterval", "enableMCPServer",
		"mcpServerBaseUrl", "mcpServerExportDomains", "authSecretName", NULL};
	const struct doc *there = op_bridge_find(o, REGISTRIES, name), *auth;
	struct bytes secret = text_of(o, there, "authSecretName");
	struct doc *given = NULL, *want;
	enum op_rc rc = check_name(o, name);

	rc = rc != OP_OK ? rc : op_shape_take(o, &shape, body, &given);
	rc = rc != OP_OK ? rc : check_source(o, given);
	if (rc != OP_OK) {
		return rc;
	}
	if (mode == OP_CREATE && there != NULL) {
		return op_refuse(o, OP_EXISTS, "the service source " BYTES_FMT " exists already",
			BYTES_ARG(name));
	}
	auth = doc_get(o->arena, given, "authN");
	rc = check_auth(o, type_of(text_of(o, given, "type"))->kind, auth, secret);
	if (rc != OP_OK) {
		return rc;
	}
	want = registry_of(o, given);
	write_auth(o, name, secret, auth, want);
	op_bridge_put(o, REGISTRIES, name, want, managed);
	return OP_OK;
}

static enum op_rc remove_source(struct op *o, struct bytes name)
{
	if (bytes_ends(name, BYTES(".internal"))) {
		return refuse_internal(o, name);
	}
	op_bridge_remove(o, REGISTRIES, name);
	return OP_OK;
}

/* --- read --------------------------------------------------------------------------------------- */

static struct doc *show_property(struct op *o, const struct property *p, const struct doc *v)
{
	struct arena *a = o->arena;
	uint64_t n = 0;

	switch (p->type) {
	case PROPERTY_BOOL:
		return doc_bool(a, doc_given(v) && v->type == DOC_BOOL && v->boolean);
	case PROPERTY_SECONDS:
		return num_parse_u64(op_scalar(v), INT32_MAX, &n) ? doc_int(a, (int64_t)n)
								  : doc_null(a);
	case PROPERTY_TEXTS:
		if (!doc_given(v) && strcmp(p->name, "mcpServerExportDomains") == 0) {
			return doc_list(a);
		}
		break;
	case PROPERTY_TEXT:
		break;
	}
	return doc_given(v) ? doc_copy(a, v) : doc_null(a);
}

static struct doc *show_properties(struct op *o, const struct doc *entry)
{
	const struct type *t = type_of(text_of(o, entry, "type"));
	struct doc *out = doc_map(o->arena);

	for (size_t i = 0; t != NULL && i < ARRAY_LEN(properties); i++) {
		const struct property *p = &properties[i];

		if ((p->kinds & t->kind) != 0) {
			doc_set(o->arena, out, p->name,
				show_property(o, p, doc_get(o->arena, entry, p->name)));
		}
	}
	return out;
}

static struct doc *show_vport(struct op *o, const struct doc *vport)
{
	struct arena *a = o->arena;
	struct doc *v = doc_map(a);
	const struct doc *def = doc_get(a, vport, "default");
	const struct doc *all = doc_get(a, vport, "services");

	if (vport == NULL || vport->type != DOC_MAP) {
		return doc_null(a);
	}
	doc_set(a, v, "defaultValue", doc_given(def) ? doc_copy(a, def) : NULL);
	doc_set(a, v, "servicesVport", doc_given(all) ? doc_copy(a, all) : NULL);
	return op_shape_show(o, &vport_shape, v);
}

static struct doc *show_auth(struct op *o, const struct doc *entry)
{
	struct bytes secret = text_of(o, entry, "authSecretName");
	const struct doc *data = secret.n > 0
		? doc_get(o->arena, draft_look(&o->draft, RESOURCE_SECRET, secret), "data")
		: NULL;
	struct doc *out = doc_map(o->arena);

	doc_set(o->arena, out, "enabled", doc_bool(o->arena, doc_first(o->arena, data) != NULL));
	doc_set(o->arena, out, "properties", doc_null(o->arena));
	return out;
}

static struct doc *read_source(struct op *o, struct bytes name)
{
	const struct doc *entry = op_bridge_find(o, REGISTRIES, name);
	struct doc *out;

	if (entry == NULL) {
		return NULL;
	}
	out = op_shape_show(o, &shape, entry);
	doc_set(o->arena, out, "version",
		op_version(o, draft_look(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME)));
	doc_set(o->arena, out, "properties", show_properties(o, entry));
	doc_set(o->arena, out, "vport", show_vport(o, doc_get(o->arena, entry, "vport")));
	doc_set(o->arena, out, "authN", show_auth(o, entry));
	return out;
}

static struct strings list(struct op *o)
{
	return op_bridge_names(o, REGISTRIES);
}

const struct op_noun op_source = {"source", save, remove_source, read_source, list};
