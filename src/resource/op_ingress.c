/*
 * A route object as an Ingress (higress-resources.md §2.5). What an annotation cannot carry is refused, since the
 * joined values have no escaping.
 */
#include <stdio.h>

#include "resource/op_int.h"

#define P "higress.io/"
/* Attack: values of annotations are a client's; a body is smaller. */
#define VALUE_MAX (16u * 1024u * 1024u)
/* Kubernetes: a prefix of 253 bytes, a slash, a name of 63; the value of a label. */
#define KEY_MAX (253u + 1u + 63u)
#define LABEL_MAX 63u
/* RFC 1035 §2.3.4 */
#define HOST_MAX 253u
/* Attack: each is a label, and those are compared. */
#define DOMAINS_MAX 1000u
/* A host's name and the type of its registry. */
#define SERVICE_MAX (HOST_MAX + 16u)

/* --- checks: texts ------------------------------------------------------------------------------ */

static bool holds(struct bytes s, const char *any)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\0' && strchr(any, s.p[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static bool printable(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e) {
			return false;
		}
	}
	return true;
}

#define LINE_ENDS "\r\n"
#define BLANKS " \t\r\n"

static struct bytes member(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

/* No item of a list holds one of these characters. */
static enum op_rc check_list(
	struct op *o, const char *what, const struct doc *list, const char *any)
{
	for (const struct doc *i = doc_first(o->arena, list); i != NULL; i = i->next) {
		if (i->text.n == 0 || holds(i->text, any) || !op_is_line(i->text)) {
			return op_refuse(o, OP_INVALID, "%s: an entry must not be empty or hold %s",
				what,
				strchr(any, ',') != NULL ? "commas or control characters"
							 : "blanks or control characters");
		}
	}
	return OP_OK;
}

/* --- checks: parts of a route ------------------------------------------------------------------- */

static enum op_rc check_predicate(struct op *o, const char *what, struct doc *p)
{
	struct bytes type = member(o, p, "matchType"), value = member(o, p, "matchValue");
	static const char *const types[] = {"EQUAL", "PRE", "REGULAR"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!bytes_eq_nocase(type, bytes_str(types[i]))) {
			continue;
		}
		doc_set(o->arena, p, "matchType", doc_str(o->arena, types[i]));
		return value.n > 0 && op_is_line(value)
			? OP_OK
			: op_refuse(o, OP_INVALID,
				  "%s: matchValue must be given, without control characters", what);
	}
	return op_refuse(o, OP_INVALID, "%s: matchType must be EQUAL, PRE or REGULAR", what);
}

static enum op_rc check_keyed(struct op *o, const char *what, const struct doc *list)
{
	bool headers = strcmp(what, "headers") == 0;

	for (struct doc *i = doc_first(o->arena, list); i != NULL; i = i->next) {
		struct bytes key = member(o, i, "key");
		enum op_rc rc = check_predicate(o, what, i);

		if (rc != OP_OK) {
			return rc;
		}
		if (!printable(key) || !printable(member(o, i, "matchValue"))) {
			return op_refuse(o, OP_INVALID,
				"%s: key and matchValue must be printable ASCII", what);
		}
		if (headers && holds(bytes_trim(key), BLANKS)) {
			return op_refuse(
				o, OP_INVALID, "%s: the name of a header holds no blank", what);
		}
	}
	return OP_OK;
}

static enum op_rc check_services(struct op *o, const struct doc *list)
{
	for (const struct doc *s = doc_first(o->arena, list); s != NULL; s = s->next) {
		const struct doc *port = doc_get(o->arena, s, "port");
		const struct doc *weight = doc_get(o->arena, s, "weight");
		struct bytes name = member(o, s, "name");

		if (name.n == 0 || name.n > SERVICE_MAX || !op_is_word(name) ||
			!op_is_word(member(o, s, "version"))) {
			return op_refuse(o, OP_INVALID,
				"services: a name must be given, and neither name nor version "
				"holds blanks or control characters");
		}
		if (doc_given(port) && (port->integer < 1 || port->integer > 65535)) {
			return op_refuse(
				o, OP_INVALID, "services: a port must be between 1 and 65535");
		}
		if (doc_given(weight) && weight->integer < 0) {
			return op_refuse(o, OP_INVALID, "services: a weight must not be negative");
		}
	}
	return OP_OK;
}

/* Tabs are fine. */
static bool is_header_value(struct bytes s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f) {
			return false;
		}
	}
	return true;
}

static enum op_rc check_stage(struct op *o, const struct doc *stage)
{
	static const char *const lists[] = {"add", "set"};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct doc *list = doc_get(o->arena, stage, lists[i]);

		for (const struct doc *h = doc_first(o->arena, list); h != NULL; h = h->next) {
			if (!op_is_word(member(o, h, "key")) ||
				!is_header_value(member(o, h, "value"))) {
				return op_refuse(o, OP_INVALID,
					"headerControl: the name of a header holds no blank, and neither "
					"it nor the value a line break or another control character");
			}
		}
	}
	return check_list(
		o, "headerControl: remove", doc_get(o->arena, stage, "remove"), ", \t\r\n");
}

static bool known_condition(struct bytes c)
{
	static const char *const words[] = {"error", "timeout", "invalid_header", "non_idempotent",
		"off", "connect-failure", "reset"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (bytes_eq(c, bytes_str(words[i]))) {
			return true;
		}
	}
	return c.n == 8 && bytes_starts(c, BYTES("http_")) && ascii_digit(c.p[5]) &&
		ascii_digit(c.p[6]) && ascii_digit(c.p[7]);
}

static enum op_rc check_retry(struct op *o, const struct doc *retry)
{
	const struct doc *list = doc_get(o->arena, retry, "conditions");
	enum op_rc rc = check_list(o, "proxyNextUpstream: conditions", list, "," LINE_ENDS);

	for (const struct doc *c = doc_first(o->arena, list); rc == OP_OK && c != NULL;
		c = c->next) {
		if (!known_condition(c->text)) {
			op_warn(o,
				"proxyNextUpstream: the condition " BYTES_FMT
				" is not known and has no effect",
				BYTES_ARG(c->text));
		}
	}
	return rc;
}

static enum op_rc check_cors(struct op *o, const struct doc *cors)
{
	static const char *const lists[] = {
		"allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders"};
	enum op_rc rc = OP_OK;

	for (size_t i = 0; i < ARRAY_LEN(lists) && rc == OP_OK; i++) {
		rc = check_list(o, "cors", doc_get(o->arena, cors, lists[i]), "," LINE_ENDS);
	}
	return rc;
}

static enum op_rc check_custom(struct op *o, const struct doc *route)
{
	const struct doc *configs = doc_get(o->arena, route, "customConfigs");
	const struct doc *labels = doc_get(o->arena, route, "customLabels");

	for (const struct doc *v = doc_first(o->arena, configs); v != NULL; v = v->next) {
		if (op_ingress_reserved(v->key)) {
			return op_refuse(o, OP_INVALID,
				"customConfigs: " BYTES_FMT
				" is set by a field of its own and cannot be given here",
				BYTES_ARG(v->key));
		}
		if (v->key.n == 0 || v->key.n > KEY_MAX || !printable(v->key)) {
			return op_refuse(o, OP_INVALID,
				"customConfigs: a key must be printable ASCII, not empty and at most %u bytes",
				KEY_MAX);
		}
		if (memchr(v->text.p, '\0', v->text.n) != NULL) {
			return op_refuse(o, OP_INVALID, "customConfigs: a value must not hold NUL");
		}
	}
	for (const struct doc *v = doc_first(o->arena, labels); v != NULL; v = v->next) {
		if (v->key.n == 0 || v->key.n > KEY_MAX || !printable(v->key) ||
			op_ingress_own_label(v->key)) {
			return op_refuse(o, OP_INVALID,
				"customLabels: " BYTES_FMT
				" cannot be given: it is empty, too long, not printable, or a label of the "
				"gateway's own",
				BYTES_ARG(bytes_of(v->key.p, MIN(v->key.n, 64))));
		}
		if (v->text.n > LABEL_MAX || !printable(v->text)) {
			return op_refuse(o, OP_INVALID,
				"customLabels: a value must be printable ASCII of at most %u characters",
				LABEL_MAX);
		}
	}
	return OP_OK;
}

static enum op_rc check_domains(struct op *o, const struct doc *route)
{
	const struct doc *domains = doc_get(o->arena, route, "domains");
	struct doc *tls;
	bool redirect;

	if (domains != NULL && domains->n > DOMAINS_MAX) {
		return op_refuse(o, OP_LIMIT, "domains: a route has at most %u", DOMAINS_MAX);
	}
	for (const struct doc *d = doc_first(o->arena, domains); d != NULL; d = d->next) {
		if (d->text.n == 0 || d->text.n > HOST_MAX || !printable(d->text) ||
			holds(d->text, " ,/\\") || d->text.p[0] == '.') {
			return op_refuse(o, OP_INVALID,
				"domains: " BYTES_FMT " is not the name of a host",
				BYTES_ARG(d->text));
		}
	}
	return op_ingress_tls(o, domains, &(struct op_https){0}, &tls, &redirect);
}

enum op_rc op_ingress_check(struct op *o, struct doc *route)
{
	struct arena *a = o->arena;
	struct doc *path = doc_get(a, route, "path");
	struct doc *control = doc_get(a, route, "headerControl"),
		   *rewrite = doc_get(a, route, "rewrite");
	enum op_rc rc = path != NULL ? check_predicate(o, "path", path)
				     : op_refuse(o, OP_INVALID, "path must be given");

	rc = rc != OP_OK ? rc : check_keyed(o, "headers", doc_get(a, route, "headers"));
	rc = rc != OP_OK ? rc : check_keyed(o, "urlParams", doc_get(a, route, "urlParams"));
	rc = rc != OP_OK ? rc : check_list(o, "methods", doc_get(a, route, "methods"), BLANKS);
	rc = rc != OP_OK ? rc : check_services(o, doc_get(a, route, "services"));
	rc = rc != OP_OK ? rc : check_stage(o, doc_get(a, control, "request"));
	rc = rc != OP_OK ? rc : check_stage(o, doc_get(a, control, "response"));
	rc = rc != OP_OK ? rc : check_retry(o, doc_get(a, route, "proxyNextUpstream"));
	rc = rc != OP_OK ? rc : check_cors(o, doc_get(a, route, "cors"));
	rc = rc != OP_OK ? rc : check_custom(o, route);
	rc = rc != OP_OK ? rc : check_domains(o, route);
	if (rc == OP_OK &&
		(!op_is_line(member(o, rewrite, "path")) ||
			!op_is_word(member(o, rewrite, "host")))) {
		return op_refuse(o, OP_INVALID,
			"rewrite: the path holds no control character and the host no blank");
	}
	return rc;
}

/* --- HTTPS -------------------------------------------------------------------------------------- */

/* data of the domain's ConfigMap; NULL: none. */
static const struct doc *domain_data(
	struct op *o, struct bytes domain, const struct op_https *as_if)
{
	struct bytes normal = op_normal_domain(o, domain);

	if (as_if->domain.n > 0 && bytes_eq(as_if->domain, domain)) {
		return as_if->data;
	}
	return doc_get(o->arena,
		draft_look(&o->draft, RESOURCE_CONFIGMAP,
			op_textf(o, "domain-" BYTES_FMT, BYTES_ARG(normal))),
		"data");
}

struct tls_state {
	struct doc *list;
	size_t n_secure, n_plain;
	struct bytes mode;
	bool mixed; /* modes differ */
};

static void add_tls(struct op *o, struct tls_state *s, struct bytes domain, const struct doc *data)
{
	struct bytes mode = op_scalar(doc_get(o->arena, data, "enableHttps"));
	struct bytes cert = op_scalar(doc_get(o->arena, data, "cert"));
	struct doc *item, *hosts;

	if (data == NULL || bytes_eq(mode, BYTES("off")) || cert.n == 0) {
		s->n_plain++;
		return;
	}
	s->mixed |= s->n_secure > 0 && !bytes_eq(mode, s->mode);
	s->mode = mode;
	s->n_secure++;
	item = doc_map(o->arena);
	if (!bytes_eq(domain, DEFAULT_DOMAIN)) {
		hosts = doc_need_list(o->arena, item, "hosts");
		doc_append(o->arena, hosts, doc_string(o->arena, domain));
	}
	doc_set(o->arena, item, "secretName", doc_string(o->arena, cert));
	doc_append(o->arena, s->list, item);
}

enum op_rc op_ingress_tls(struct op *o, const struct doc *domains, const struct op_https *as_if,
	struct doc **tls, bool *redirect)
{
	struct tls_state s = {.list = doc_list(o->arena)};
	const struct doc *d = doc_first(o->arena, domains);

	if (d == NULL) {
		add_tls(o, &s, DEFAULT_DOMAIN, domain_data(o, DEFAULT_DOMAIN, as_if));
	}
	for (; d != NULL; d = d->next) {
		add_tls(o, &s, d->text, domain_data(o, d->text, as_if));
	}
	if (s.n_secure > 0 && s.n_plain > 0) {
		return op_refuse(o, OP_INVALID,
			"the domains of a route must all be served with HTTPS or all without: "
			"currently only supports domains with the same protocol");
	}
	if (s.mixed) {
		return op_refuse(o, OP_INVALID,
			"all domains of a route must use consistent HTTPS configuration "
			"(enableHttps)");
	}
	*tls = s.n_secure > 0 ? s.list : NULL;
	*redirect = s.n_secure > 0 && bytes_eq(s.mode, BYTES("force"));
	return OP_OK;
}

void op_ingress_put_tls(struct op *o, struct doc *root, struct doc *tls, bool redirect)
{
	struct doc *spec = doc_need_map(o->arena, root, "spec");

	if (tls != NULL) {
		doc_set(o->arena, spec, "tls", tls);
	} else {
		doc_drop(o->arena, spec, "tls");
	}
	if (redirect) {
		doc_set(o->arena, op_annotations(o, root), P "ssl-redirect",
			doc_str(o->arena, "true"));
	} else if (doc_get(o->arena, doc_at(o->arena, root, "metadata.annotations"),
			   P "ssl-redirect") != NULL) {
		doc_drop(o->arena, op_annotations(o, root), P "ssl-redirect");
	}
}

/* --- annotations -------------------------------------------------------------------------------- */

struct notes {
	struct op *o;
	struct doc *map;
	bool off; /* of a feature that is switched off: keys get "disabled." */
};

static void put(struct notes *n, const char *key, struct bytes value)
{
	doc_set_bytes(n->o->arena, n->map,
		op_textf(n->o, "%s" P "%s", n->off ? "disabled." : "", key),
		doc_string(n->o->arena, value));
}

static void put_bool(struct notes *n, const char *key, const struct doc *v)
{
	if (doc_given(v)) {
		put(n, key, bytes_str(v->boolean ? "true" : "false"));
	}
}

static void put_int(struct notes *n, const char *key, const struct doc *v)
{
	if (doc_given(v)) {
		put(n, key, op_textf(n->o, "%lld", (long long)v->integer));
	}
}

static void put_text(struct notes *n, const char *key, struct bytes v)
{
	if (v.n > 0) {
		put(n, key, v);
	}
}

static void put_built(struct notes *n, const char *key, struct text *t)
{
	struct bytes copy = arena_copy(n->o->arena, text_bytes(t));

	if (t->n > 0) {
		put(n, key, copy);
	}
	text_done(t);
}

static void put_joined(struct notes *n, const char *key, const struct doc *list, char sep)
{
	struct text t;

	text_init(&t, VALUE_MAX);
	for (const struct doc *i = doc_first(n->o->arena, list); i != NULL; i = i->next) {
		if (t.n > 0) {
			text_add_char(&t, sep);
		}
		text_add_bytes(&t, i->text);
	}
	put_built(n, key, &t);
}

/* Lines `name value`; of an empty value the blank stays. */
static void put_headers(struct notes *n, const char *key, const struct doc *list)
{
	struct text t;

	text_init(&t, VALUE_MAX);
	for (const struct doc *i = doc_first(n->o->arena, list); i != NULL; i = i->next) {
		struct bytes name = member(n->o, i, "key"), value = member(n->o, i, "value");

		if (name.n > 0) {
			text_addf(&t, "%s" BYTES_FMT " ", t.n > 0 ? "\n" : "", BYTES_ARG(name));
			text_add_bytes(&t, value);
		}
	}
	put_built(n, key, &t);
}

static void put_stage(struct notes *n, const struct doc *control, const char *stage)
{
	struct arena *a = n->o->arena;
	const struct doc *s = doc_get(a, control, stage);
	char key[64];

	snprintf(key, sizeof(key), "%s-header-control-add", stage);
	put_headers(n, key, doc_get(a, s, "add"));
	snprintf(key, sizeof(key), "%s-header-control-update", stage);
	put_headers(n, key, doc_get(a, s, "set"));
	snprintf(key, sizeof(key), "%s-header-control-remove", stage);
	put_joined(n, key, doc_get(a, s, "remove"), ',');
}

/* The switch of a feature: its values get "disabled." when it is off. */
static void put_switch(struct notes *n, const char *key, const struct doc *feature)
{
	const struct doc *v = doc_get(n->o->arena, feature, "enabled");
	bool off = doc_given(v) && !v->boolean;

	put(n, key, bytes_str(off ? "false" : "true"));
	n->off = off;
}

static void put_destination(struct notes *n, const struct doc *services)
{
	bool several = services != NULL && services->n > 1;
	struct text t;

	text_init(&t, VALUE_MAX);
	for (const struct doc *s = doc_first(n->o->arena, services); s != NULL; s = s->next) {
		const struct doc *port = doc_get(n->o->arena, s, "port");
		const struct doc *weight = doc_get(n->o->arena, s, "weight");
		struct bytes version = member(n->o, s, "version");

		if (several) {
			text_addf(&t, "%s%lld%% ", t.n > 0 ? "\n" : "",
				doc_given(weight) ? (long long)weight->integer : 100LL);
		}
		text_add_bytes(&t, member(n->o, s, "name"));
		if (doc_given(port)) {
			text_addf(&t, ":%lld", (long long)port->integer);
		}
		if (several && version.n > 0) {
			text_addf(&t, " " BYTES_FMT, BYTES_ARG(version));
		}
	}
	put_built(n, "destination", &t);
}

static void put_keyed(struct notes *n, const struct doc *list, const char *what)
{
	static const char *const words[][2] = {
		{"EQUAL", "exact"}, {"PRE", "prefix"}, {"REGULAR", "regex"}};

	for (const struct doc *i = doc_first(n->o->arena, list); i != NULL; i = i->next) {
		struct bytes key = bytes_trim(member(n->o, i, "key"));
		struct bytes value = member(n->o, i, "matchValue");
		bool pseudo = strcmp(what, "header") == 0 && bytes_starts(key, BYTES(":"));
		const char *word = "";

		for (size_t w = 0; w < ARRAY_LEN(words); w++) {
			if (bytes_eq(member(n->o, i, "matchType"), bytes_str(words[w][0]))) {
				word = words[w][1];
			}
		}
		if (key.n <= pseudo || bytes_trim(value).n == 0) {
			continue; /* the Console leaves out what has a blank part */
		}
		doc_set_bytes(n->o->arena, n->map,
			op_textf(n->o, P "%s-match-%s%s-" BYTES_FMT, word, pseudo ? "pseudo-" : "",
				what, (int)(key.n - pseudo), key.p + pseudo),
			doc_string(n->o->arena, value));
	}
}

static void put_path(struct notes *n, const struct doc *route)
{
	struct arena *a = n->o->arena;
	const struct doc *path = doc_get(a, route, "path"), *rewrite = doc_get(a, route, "rewrite");
	const struct doc *sensitive = doc_get(a, path, "caseSensitive");
	bool regular = bytes_eq(member(n->o, path, "matchType"), BYTES("REGULAR"));

	if (doc_given(sensitive)) {
		put(n, "ignore-path-case", bytes_str(sensitive->boolean ? "false" : "true"));
	}
	if (regular) {
		put(n, "use-regex", BYTES("true"));
	}
	if (doc_given(rewrite)) {
		put_switch(n, "enable-rewrite", rewrite);
		put_text(n, regular ? "rewrite-target" : "rewrite-path",
			member(n->o, rewrite, "path"));
		put_text(n, "upstream-vhost", member(n->o, rewrite, "host"));
		n->off = false;
	}
}

static void put_cors(struct notes *n, const struct doc *cors)
{
	struct arena *a = n->o->arena;

	put_bool(n, "enable-cors", doc_get(a, cors, "enabled"));
	put_joined(n, "cors-allow-origin", doc_get(a, cors, "allowOrigins"), ',');
	put_joined(n, "cors-allow-methods", doc_get(a, cors, "allowMethods"), ',');
	put_joined(n, "cors-allow-headers", doc_get(a, cors, "allowHeaders"), ',');
	put_joined(n, "cors-expose-headers", doc_get(a, cors, "exposeHeaders"), ',');
	put_int(n, "cors-max-age", doc_get(a, cors, "maxAge"));
	put_bool(n, "cors-allow-credentials", doc_get(a, cors, "allowCredentials"));
}

static void put_features(struct notes *n, const struct doc *route)
{
	struct arena *a = n->o->arena;
	const struct doc *retry = doc_get(a, route, "proxyNextUpstream");
	const struct doc *control = doc_get(a, route, "headerControl");

	put_cors(n, doc_get(a, route, "cors"));
	if (doc_given(retry)) {
		put_switch(n, "enable-proxy-next-upstream", retry);
		put_int(n, "proxy-next-upstream-tries", doc_get(a, retry, "attempts"));
		put_int(n, "proxy-next-upstream-timeout", doc_get(a, retry, "timeout"));
		put_joined(n, "proxy-next-upstream", doc_get(a, retry, "conditions"), ',');
		n->off = false;
	}
	if (doc_given(control)) {
		put_switch(n, "enable-header-control", control);
		put_stage(n, control, "request");
		put_stage(n, control, "response");
		n->off = false;
	}
}

static void put_annotations(struct notes *n, const struct doc *route)
{
	struct arena *a = n->o->arena;

	put_destination(n, doc_get(a, route, "services"));
	put_path(n, route);
	put_keyed(n, doc_get(a, route, "headers"), "header");
	put_keyed(n, doc_get(a, route, "urlParams"), "query");
	put_joined(n, "match-method", doc_get(a, route, "methods"), ' ');
	put_features(n, route);
	for (const struct doc *v = doc_first(a, doc_get(a, route, "customConfigs")); v != NULL;
		v = v->next) {
		doc_set_bytes(a, n->map, v->key, doc_copy(a, v));
	}
}

/* --- the whole ---------------------------------------------------------------------------------- */

static void put_labels(struct op *o, struct doc *map, const struct doc *route)
{
	const struct doc *d = doc_first(o->arena, doc_get(o->arena, route, "domains"));

	if (d == NULL) {
		doc_set(o->arena, map, LABEL_DOMAIN "higress-default-domain",
			doc_str(o->arena, "true"));
	}
	for (; d != NULL; d = d->next) {
		struct bytes normal = op_normal_domain(o, d->text);

		doc_set_bytes(o->arena, map, op_textf(o, LABEL_DOMAIN BYTES_FMT, BYTES_ARG(normal)),
			doc_str(o->arena, "true"));
	}
	for (const struct doc *v = doc_first(o->arena, doc_get(o->arena, route, "customLabels"));
		v != NULL; v = v->next) {
		doc_set_bytes(o->arena, map, v->key, doc_copy(o->arena, v));
	}
}

static struct doc *rule(struct op *o, const struct doc *path, struct bytes host)
{
	struct arena *a = o->arena;
	struct doc *out = doc_map(a), *paths, *item = doc_map(a), *resource;
	bool exact = bytes_eq(member(o, path, "matchType"), BYTES("EQUAL"));

	if (host.n > 0) {
		doc_set(a, out, "host", doc_string(a, host));
	}
	paths = doc_need_list(a, doc_need_map(a, out, "http"), "paths");
	resource = doc_need_map(a, doc_need_map(a, item, "backend"), "resource");
	doc_set(a, resource, "apiGroup", doc_str(a, "networking.higress.io"));
	doc_set(a, resource, "kind", doc_str(a, "McpBridge"));
	doc_set(a, resource, "name", doc_string(a, MCPBRIDGE_NAME));
	doc_set(a, item, "path", doc_string(a, member(o, path, "matchValue")));
	doc_set(a, item, "pathType", doc_str(a, exact ? "Exact" : "Prefix"));
	doc_append(a, paths, item);
	return out;
}

static void put_spec(struct op *o, struct doc *root, const struct doc *route)
{
	const struct doc *path = doc_get(o->arena, route, "path");
	const struct doc *d = doc_first(o->arena, doc_get(o->arena, route, "domains"));
	struct doc *spec = doc_need_map(o->arena, root, "spec"), *rules = doc_list(o->arena);

	if (doc_text(doc_get(o->arena, spec, "ingressClassName"), BYTES("")).n == 0) {
		doc_set(o->arena, spec, "ingressClassName", doc_str(o->arena, "higress"));
	}
	if (d == NULL) {
		doc_append(o->arena, rules, rule(o, path, BYTES("")));
	}
	for (; d != NULL; d = d->next) {
		doc_append(o->arena, rules, rule(o, path, d->text));
	}
	doc_set(o->arena, spec, "rules", rules);
}

void op_ingress_write(struct op *o, struct bytes name, const struct doc *route)
{
	bool made = draft_look(&o->draft, RESOURCE_INGRESS, name) == NULL;
	struct doc *root = draft_need(&o->draft, RESOURCE_INGRESS, name), *want = doc_map(o->arena);
	struct doc *tls = NULL;
	bool redirect = false;

	op_ingress_unfold(o, root, name);
	op_mark(o, want, name);
	put_labels(o, op_labels(o, want), route);
	put_annotations(&(struct notes){.o = o, .map = op_annotations(o, want)}, route);
	op_sync_map(o, op_labels(o, root), op_labels(o, want));
	if (doc_first(o->arena, op_annotations(o, want)) != NULL) {
		op_sync_map(o, op_annotations(o, root), op_annotations(o, want));
	} else {
		doc_drop(o->arena, doc_get(o->arena, root, "metadata"), "annotations");
	}
	put_spec(o, root, route);
	/* It was checked: a refusal is not possible any more. */
	IGNORE(op_ingress_tls(
		o, doc_get(o->arena, route, "domains"), &(struct op_https){0}, &tls, &redirect));
	op_ingress_put_tls(o, root, tls, redirect);
	if (made) {
		doc_need_map(o->arena, doc_need_map(o->arena, root, "status"), "loadBalancer");
	}
}
