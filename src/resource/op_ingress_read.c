/*
 * An Ingress as a route object: what the API shows of a file, whoever wrote it (higress-resources.md
 * §2.5.2, console-api.md §3.6).
 */
#include <stdio.h>

#include "base/num.h"
#include "resource/op_int.h"

#define P "higress.io/"
#define NGINX "nginx.ingress.kubernetes.io/"

/* --- whose annotation, whose label -------------------------------------------------------------- */

/* console-api.md §3.6.2 */
static const char *const own_keys[] = {"use-regex", "destination", "ssl-redirect", "enable-rewrite",
	"rewrite-path", "rewrite-target", "upstream-vhost", "enable-proxy-next-upstream",
	"proxy-next-upstream-tries", "proxy-next-upstream-timeout", "proxy-next-upstream",
	"enable-header-control", "request-header-control-add", "request-header-control-update",
	"request-header-control-remove", "response-header-control-add",
	"response-header-control-update", "response-header-control-remove", "enable-cors",
	"cors-allow-origin", "cors-allow-methods", "cors-allow-headers", "cors-expose-headers",
	"cors-allow-credentials", "cors-max-age", "match-method", "ignore-path-case",
	"wasm-plugin-title", "wasm-plugin-description", "wasm-plugin-icon", "comment"};

static bool contains(struct bytes s, struct bytes part)
{
	for (size_t i = 0; i + part.n <= s.n; i++) {
		if (memcmp(s.p + i, part.p, part.n) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether it begins with prefix, which is cut off then. */
static bool cut_prefix(struct bytes *s, struct bytes prefix)
{
	if (!bytes_starts(*s, prefix)) {
		return false;
	}
	*s = bytes_of(s->p + prefix.n, s->n - prefix.n);
	return true;
}

bool op_ingress_reserved(struct bytes key)
{
	cut_prefix(&key, BYTES("disabled."));
	if (!cut_prefix(&key, BYTES(P)) && !cut_prefix(&key, BYTES(NGINX))) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(own_keys); i++) {
		if (bytes_eq(key, bytes_str(own_keys[i]))) {
			return true;
		}
	}
	return contains(key, BYTES("-match-query-")) || contains(key, BYTES("-match-header-")) ||
		contains(key, BYTES("-match-pseudo-header-"));
}

bool op_ingress_own_label(struct bytes key)
{
	return bytes_eq(key, BYTES(LABEL_DEFINER)) || bytes_eq(key, BYTES("higress.io/internal")) ||
		bytes_starts(key, BYTES(LABEL_DOMAIN));
}

static struct doc *custom(struct op *o, const struct doc *map, bool (*own)(struct bytes key))
{
	struct doc *out = doc_map(o->arena);

	for (const struct doc *v = doc_first(o->arena, map); v != NULL; v = v->next) {
		if (!own(v->key)) {
			doc_set_bytes(o->arena, out, v->key, doc_string(o->arena, op_scalar(v)));
		}
	}
	return out;
}

struct doc *op_ingress_custom_configs(struct op *o, const struct doc *root)
{
	return custom(o, doc_at(o->arena, root, "metadata.annotations"), op_ingress_reserved);
}

struct doc *op_ingress_custom_labels(struct op *o, const struct doc *root)
{
	return custom(o, doc_at(o->arena, root, "metadata.labels"), op_ingress_own_label);
}

/* --- flat files --------------------------------------------------------------------------------- */

static void move(struct op *o, struct doc *root, struct doc *to, const char *key)
{
	const struct doc *v = doc_get(o->arena, root, key);

	if (doc_given(v) && doc_get(o->arena, to, key) == NULL) {
		doc_set(o->arena, to, key, doc_copy(o->arena, v));
	}
	doc_drop(o->arena, root, key);
}

static bool is_flat(struct op *o, const struct doc *root)
{
	return root != NULL &&
		(!doc_given(doc_get(o->arena, root, "apiVersion")) ||
			!doc_given(doc_get(o->arena, root, "kind")));
}

void op_ingress_unfold(struct op *o, struct doc *root, struct bytes name)
{
	static const char *const meta_keys[] = {"labels", "annotations"};
	static const char *const spec_keys[] = {"defaultBackend", "tls", "rules"};
	struct doc *meta, *spec;

	if (!is_flat(o, root)) {
		return;
	}
	doc_set(o->arena, root, "apiVersion", doc_str(o->arena, "networking.k8s.io/v1"));
	doc_set(o->arena, root, "kind", doc_str(o->arena, "Ingress"));
	meta = doc_need_map(o->arena, root, "metadata");
	doc_set(o->arena, meta, "name", doc_string(o->arena, name));
	doc_set(o->arena, meta, "namespace", doc_str(o->arena, NAMESPACE));
	spec = doc_need_map(o->arena, root, "spec");
	for (size_t i = 0; i < ARRAY_LEN(meta_keys); i++) {
		move(o, root, meta, meta_keys[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(spec_keys); i++) {
		move(o, root, spec, spec_keys[i]);
	}
}

const struct doc *op_ingress_normal(struct op *o, const struct doc *root, struct bytes name)
{
	struct doc *copy;

	if (!is_flat(o, root)) {
		return root;
	}
	copy = doc_copy(o->arena, root);
	op_ingress_unfold(o, copy, name);
	return copy;
}

/* --- values ------------------------------------------------------------------------------------- */

struct notes {
	struct op *o;
	const struct doc *map;
};

/* Value of higress.io/<key>, of its switched-off form where that is all there is; NULL: none. */
static const struct doc *note(const struct notes *n, const char *key)
{
	char room[96];
	const struct doc *v;

	snprintf(room, sizeof(room), "disabled." P "%s", key);
	v = doc_get(n->o->arena, n->map, room + sizeof("disabled.") - 1);
	return v != NULL ? v : doc_get(n->o->arena, n->map, room);
}

static struct bytes note_text(const struct notes *n, const char *key)
{
	return op_scalar(note(n, key));
}

static struct doc *show_text(const struct notes *n, const char *key)
{
	struct bytes t = note_text(n, key);

	return t.n > 0 ? doc_string(n->o->arena, t) : doc_null(n->o->arena);
}

static struct doc *show_int(const struct notes *n, const char *key)
{
	uint64_t v;

	return num_parse_u64(bytes_trim(note_text(n, key)), INT32_MAX, &v)
		? doc_int(n->o->arena, (int64_t)v)
		: doc_null(n->o->arena);
}

/* absent: NULL gives null. */
static struct doc *show_bool(const struct notes *n, const char *key, struct doc *absent)
{
	const struct doc *v = note(n, key);

	if (v == NULL) {
		return absent != NULL ? absent : doc_null(n->o->arena);
	}
	return doc_bool(n->o->arena, bytes_eq_nocase(bytes_trim(op_scalar(v)), BYTES("true")));
}

static struct doc *show_list(const struct notes *n, const char *key, char sep)
{
	struct bytes rest = note_text(n, key), part;
	struct doc *out = doc_list(n->o->arena);

	while (rest.n > 0) {
		part = bytes_trim(bytes_cut(&rest, sep));
		if (part.n > 0) {
			doc_append(n->o->arena, out, doc_string(n->o->arena, part));
		}
	}
	return doc_first(n->o->arena, out) != NULL ? out : doc_null(n->o->arena);
}

/* --- services ----------------------------------------------------------------------------------- */

/* The text behind the last colon is the port if it is one, otherwise the colon belongs to the name. */
static void put_address(struct op *o, struct doc *service, struct bytes address)
{
	struct bytes name = address, port;
	uint64_t n = 0;

	for (size_t i = address.n; i > 0; i--) {
		if (address.p[i - 1] != ':') {
			continue;
		}
		port = bytes_of(address.p + i, address.n - i);
		if (num_parse_u64(port, 65535, &n) && n > 0) {
			name = bytes_of(address.p, i - 1);
		}
		break;
	}
	doc_set(o->arena, service, "name", doc_string(o->arena, name));
	doc_set(o->arena, service, "port",
		n > 0 ? doc_int(o->arena, (int64_t)n) : doc_null(o->arena));
}

static struct bytes next_word(struct bytes *rest)
{
	size_t n = 0;
	struct bytes word;

	*rest = bytes_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t') {
		n++;
	}
	word = bytes_of(rest->p, n);
	*rest = bytes_of(rest->p + n, rest->n - n);
	return word;
}

/* NULL: the line says nothing. */
static struct doc *show_service(struct op *o, struct bytes line)
{
	struct bytes word = next_word(&line), version;
	struct doc *out = doc_map(o->arena);
	uint64_t weight = 100;

	if (bytes_ends(word, BYTES("%"))) {
		if (!num_parse_u64(bytes_of(word.p, word.n - 1), INT32_MAX, &weight)) {
			return NULL;
		}
		word = next_word(&line);
	}
	if (word.n == 0) {
		return NULL;
	}
	put_address(o, out, word);
	version = next_word(&line);
	doc_set(o->arena, out, "version",
		version.n > 0 ? doc_string(o->arena, version) : doc_null(o->arena));
	doc_set(o->arena, out, "weight", doc_int(o->arena, (int64_t)weight));
	return out;
}

static struct doc *show_services(const struct notes *n)
{
	struct bytes rest = note_text(n, "destination"), line;
	struct doc *out = doc_list(n->o->arena);

	while (rest.n > 0) {
		line = bytes_cut(&rest, '\n');
		if (bytes_ends(line, BYTES("\r"))) {
			line.n--;
		}
		doc_append(n->o->arena, out, show_service(n->o, line));
	}
	return out;
}

/* --- conditions --------------------------------------------------------------------------------- */

static struct doc *keyed(struct op *o, struct bytes key, const char *type, struct bytes value)
{
	struct doc *out = doc_map(o->arena);

	doc_set(o->arena, out, "key", doc_string(o->arena, key));
	doc_set(o->arena, out, "matchType", doc_str(o->arena, type));
	doc_set(o->arena, out, "matchValue", doc_string(o->arena, value));
	return out;
}

/* `exact-match-header-x: y` and its kin. */
static void add_condition(
	struct op *o, struct doc *headers, struct doc *params, const struct doc *v)
{
	static const char *const words[][2] = {
		{"exact-match-", "EQUAL"}, {"prefix-match-", "PRE"}, {"regex-match-", "REGULAR"}};
	struct bytes key = v->key;
	const char *type = NULL;

	if (!cut_prefix(&key, BYTES(P))) {
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(words) && type == NULL; i++) {
		type = cut_prefix(&key, bytes_str(words[i][0])) ? words[i][1] : NULL;
	}
	if (type == NULL) {
		return;
	}
	if (cut_prefix(&key, BYTES("pseudo-header-"))) {
		doc_append(o->arena, headers,
			keyed(o, op_textf(o, ":" BYTES_FMT, BYTES_ARG(key)), type, op_scalar(v)));
	} else if (cut_prefix(&key, BYTES("header-"))) {
		doc_append(o->arena, headers, keyed(o, key, type, op_scalar(v)));
	} else if (cut_prefix(&key, BYTES("query-"))) {
		doc_append(o->arena, params, keyed(o, key, type, op_scalar(v)));
	}
}

static void show_conditions(const struct notes *n, struct doc *route)
{
	struct arena *a = n->o->arena;
	struct doc *headers = doc_list(a), *params = doc_list(a);

	for (const struct doc *v = doc_first(a, n->map); v != NULL; v = v->next) {
		add_condition(n->o, headers, params, v);
	}
	doc_set(a, route, "headers", doc_first(a, headers) != NULL ? headers : doc_null(a));
	doc_set(a, route, "urlParams", doc_first(a, params) != NULL ? params : doc_null(a));
}

/* --- features ----------------------------------------------------------------------------------- */

static bool any_note(const struct notes *n, const char *const *keys, size_t n_keys)
{
	for (size_t i = 0; i < n_keys; i++) {
		if (note(n, keys[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static struct doc *show_rewrite(const struct notes *n, bool regular)
{
	static const char *const keys[] = {
		"enable-rewrite", "rewrite-path", "rewrite-target", "upstream-vhost"};
	struct doc *out = doc_map(n->o->arena);

	if (!any_note(n, keys, ARRAY_LEN(keys))) {
		return doc_null(n->o->arena);
	}
	doc_set(n->o->arena, out, "enabled",
		show_bool(n, "enable-rewrite", doc_bool(n->o->arena, true)));
	doc_set(n->o->arena, out, "path",
		show_text(n, regular ? "rewrite-target" : "rewrite-path"));
	doc_set(n->o->arena, out, "host", show_text(n, "upstream-vhost"));
	return out;
}

static struct doc *show_retry(const struct notes *n)
{
	static const char *const keys[] = {"enable-proxy-next-upstream",
		"proxy-next-upstream-tries", "proxy-next-upstream-timeout", "proxy-next-upstream"};
	struct doc *out = doc_map(n->o->arena);

	if (!any_note(n, keys, ARRAY_LEN(keys))) {
		return doc_null(n->o->arena);
	}
	doc_set(n->o->arena, out, "enabled", show_bool(n, keys[0], doc_bool(n->o->arena, true)));
	doc_set(n->o->arena, out, "attempts", show_int(n, keys[1]));
	doc_set(n->o->arena, out, "timeout", show_int(n, keys[2]));
	doc_set(n->o->arena, out, "conditions", show_list(n, keys[3], ','));
	return out;
}

static struct doc *show_cors(const struct notes *n)
{
	struct arena *a = n->o->arena;
	struct doc *out = doc_map(a);

	doc_set(a, out, "enabled", show_bool(n, "enable-cors", NULL));
	doc_set(a, out, "allowOrigins", show_list(n, "cors-allow-origin", ','));
	doc_set(a, out, "allowMethods", show_list(n, "cors-allow-methods", ','));
	doc_set(a, out, "allowHeaders", show_list(n, "cors-allow-headers", ','));
	doc_set(a, out, "exposeHeaders", show_list(n, "cors-expose-headers", ','));
	doc_set(a, out, "maxAge", show_int(n, "cors-max-age"));
	doc_set(a, out, "allowCredentials", show_bool(n, "cors-allow-credentials", NULL));
	return out;
}

/* Lines `name value`, split at the first blank. */
static struct doc *show_headers(const struct notes *n, const char *key)
{
	struct bytes rest = note_text(n, key), line, name;
	struct doc *out = doc_list(n->o->arena), *item;

	while (rest.n > 0) {
		line = bytes_cut(&rest, '\n');
		name = bytes_cut(&line, ' ');
		if (name.n > 0) {
			item = doc_map(n->o->arena);
			doc_set(n->o->arena, item, "key", doc_string(n->o->arena, name));
			doc_set(n->o->arena, item, "value",
				doc_string(n->o->arena, line.p != NULL ? line : BYTES("")));
			doc_append(n->o->arena, out, item);
		}
	}
	return doc_first(n->o->arena, out) != NULL ? out : doc_null(n->o->arena);
}

static struct doc *show_stage(const struct notes *n, const char *stage)
{
	struct arena *a = n->o->arena;
	struct doc *out = doc_map(a), *add, *set, *remove;
	char key[64];

	snprintf(key, sizeof(key), "%s-header-control-add", stage);
	add = doc_set(a, out, "add", show_headers(n, key));
	snprintf(key, sizeof(key), "%s-header-control-update", stage);
	set = doc_set(a, out, "set", show_headers(n, key));
	snprintf(key, sizeof(key), "%s-header-control-remove", stage);
	remove = doc_set(a, out, "remove", show_list(n, key, ','));
	return doc_given(add) || doc_given(set) || doc_given(remove) ? out : doc_null(a);
}

static struct doc *show_header_control(const struct notes *n)
{
	struct arena *a = n->o->arena;
	struct doc *out = doc_map(a), *request, *response;

	doc_set(a, out, "enabled", show_bool(n, "enable-header-control", doc_bool(a, true)));
	request = doc_set(a, out, "request", show_stage(n, "request"));
	response = doc_set(a, out, "response", show_stage(n, "response"));
	return doc_given(request) || doc_given(response) ? out : doc_null(a);
}

/* --- rules -------------------------------------------------------------------------------------- */

static const struct doc *first_path(struct op *o, const struct doc *rule)
{
	return doc_first(o->arena, doc_at(o->arena, rule, "http.paths"));
}

/* Without host, which differs between the rules of one route. */
static bool same_path(struct op *o, const struct doc *x, const struct doc *y)
{
	const struct doc *px = doc_at(o->arena, x, "http.paths");
	const struct doc *py = doc_at(o->arena, y, "http.paths");

	return px != NULL && py != NULL && px->n == 1 && py->n == 1 &&
		doc_equal(o->arena, doc_first(o->arena, px), doc_first(o->arena, py));
}

/* NULL: the route object says all of it. */
static const char *why_readonly(struct op *o, const struct doc *root)
{
	const struct doc *first = doc_first(o->arena, doc_at(o->arena, root, "spec.rules"));
	const struct doc *path = first_path(o, first);
	const struct doc *resource = doc_at(o->arena, path, "backend.resource");
	struct bytes type = doc_text(doc_get(o->arena, path, "pathType"), BYTES(""));

	if (!op_is_ours(o, root)) {
		return "it is not managed here: the label higress.io/resource-definer is missing";
	}
	if (path == NULL) {
		return "it has no path";
	}
	for (const struct doc *rule = first; rule != NULL; rule = rule->next) {
		if (!same_path(o, first, rule)) {
			return "its rules have several paths";
		}
	}
	if (!bytes_eq(type, BYTES("Exact")) && !bytes_eq(type, BYTES("Prefix"))) {
		return "its path is of another type than Exact and Prefix";
	}
	if (doc_given(doc_at(o->arena, path, "backend.service"))) {
		return "its backend is a Kubernetes Service";
	}
	if (doc_given(resource) &&
		(!bytes_eq(doc_text(doc_get(o->arena, resource, "kind"), BYTES("")),
			 BYTES("McpBridge")) ||
			!bytes_eq(doc_text(doc_get(o->arena, resource, "name"), BYTES("")),
				MCPBRIDGE_NAME))) {
		return "its backend is not the McpBridge \"default\"";
	}
	return NULL;
}

struct doc *op_ingress_hosts(struct op *o, const struct doc *root)
{
	const struct doc *rule = doc_first(o->arena, doc_at(o->arena, root, "spec.rules"));
	struct doc *out = doc_list(o->arena);

	for (; rule != NULL; rule = rule->next) {
		struct bytes host = doc_text(doc_get(o->arena, rule, "host"), BYTES(""));

		if (host.n > 0) {
			doc_append(o->arena, out, doc_string(o->arena, host));
		}
	}
	return out;
}

static bool show_path(const struct notes *n, const struct doc *root, struct doc *route)
{
	struct arena *a = n->o->arena;
	const struct doc *rule = doc_first(a, doc_at(a, root, "spec.rules"));
	const struct doc *path = first_path(n->o, rule), *text = doc_get(a, path, "path");
	bool exact = bytes_eq(doc_text(doc_get(a, path, "pathType"), BYTES("")), BYTES("Exact"));
	bool regular = !exact && bytes_eq(note_text(n, "use-regex"), BYTES("true"));
	const struct doc *ignore = note(n, "ignore-path-case");
	struct doc *out = doc_map(a);

	if (path == NULL) {
		doc_set(a, route, "path", doc_null(a));
		return regular;
	}
	doc_set(a, out, "matchType", doc_str(a, exact ? "EQUAL" : regular ? "REGULAR" : "PRE"));
	doc_set(a, out, "matchValue", doc_string(a, doc_text(text, BYTES("/"))));
	doc_set(a, out, "caseSensitive",
		ignore == NULL
			? doc_null(a)
			: doc_bool(a,
				  !bytes_eq_nocase(bytes_trim(op_scalar(ignore)), BYTES("true"))));
	doc_set(a, route, "path", out);
	return regular;
}

struct doc *op_ingress_read(struct op *o, struct bytes name, const char **why)
{
	struct arena *a = o->arena;
	const struct doc *root =
		op_ingress_normal(o, draft_look(&o->draft, RESOURCE_INGRESS, name), name);
	const struct notes n = {o, doc_at(a, root, "metadata.annotations")};
	const char *reason = root != NULL ? why_readonly(o, root) : NULL;
	struct doc *route = doc_map(a), *out;
	bool regular;

	if (root == NULL) {
		return NULL;
	}
	doc_set(a, route, "name", doc_string(a, name));
	doc_set(a, route, "version", op_version(o, root));
	doc_set(a, route, "domains", op_ingress_hosts(o, root));
	regular = show_path(&n, root, route);
	doc_set(a, route, "methods", show_list(&n, "match-method", ' '));
	show_conditions(&n, route);
	doc_set(a, route, "services", show_services(&n));
	doc_set(a, route, "rewrite", show_rewrite(&n, regular));
	doc_set(a, route, "proxyNextUpstream", show_retry(&n));
	doc_set(a, route, "cors", show_cors(&n));
	doc_set(a, route, "headerControl", show_header_control(&n));
	doc_set(a, route, "authConfig", op_auth_read(o, name));
	doc_set(a, route, "customConfigs", op_ingress_custom_configs(o, root));
	doc_set(a, route, "customLabels", op_ingress_custom_labels(o, root));
	out = op_shape_show(o, &op_shape_route, route);
	doc_set(a, out, "mock", doc_null(a));
	doc_set(a, out, "redirect", doc_null(a));
	doc_set(a, out, "rateLimit", doc_null(a));
	doc_set(a, out, "timeout", doc_null(a));
	doc_set(a, out, "readonly", doc_bool(a, reason != NULL));
	if (why != NULL) {
		*why = reason;
	}
	return out;
}
