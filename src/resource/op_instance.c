/*
 * Plugin instances: the default configuration of a WasmPlugin, or one of its rules (console-api.md §3.12,
 * higress-resources.md §2.8). Those that other operations keep for themselves (names that end in ".internal") are
 * neither shown nor changed here.
 */
#include "resource/op_int.h"
#include "wire/yaml_write.h"

#define LABEL_NAME "higress.io/wasm-plugin-name"
#define LABEL_VERSION "higress.io/wasm-plugin-version"
/* Attack: a configuration is a client's; a body is smaller. */
#define RAW_MAX (16u * 1024u * 1024u)

static const struct op_shape_row rows[] = {
	{"pluginName", OP_SHAPE_TEXT, NULL},
	{"pluginVersion", OP_SHAPE_TEXT, NULL},
	{"internal", OP_SHAPE_BOOL, NULL},
	{"enabled", OP_SHAPE_BOOL, NULL},
	{"rawConfigurations", OP_SHAPE_TEXT, NULL},
	{"configurations", OP_SHAPE_ANY_MAP, NULL},
};
static const struct op_shape shape = {rows, ARRAY_LEN(rows)};

static const struct {
	const char *name; /* of the scope in API objects */
	const char *list; /* of a rule; NULL: the default configuration */
} scopes[] = {
	[OP_GLOBAL] = {"GLOBAL", NULL},
	[OP_DOMAIN] = {"DOMAIN", "domain"},
	[OP_ROUTE] = {"ROUTE", "ingress"},
	[OP_SERVICE] = {"SERVICE", "service"},
};

/* A WasmPlugin that users have instances in. */
struct holder {
	struct bytes name; /* of the object */
	const struct doc *root;
	struct bytes plugin, version;
};

struct where {
	enum op_scope scope;
	struct bytes target;
	struct bytes plugin;
};

static struct bytes text_of(struct op *o, const struct doc *m, const char *key)
{
	return doc_text(doc_get(o->arena, m, key), BYTES(""));
}

static struct op_target target_of(const struct where *w)
{
	struct op_target t = {0};

	switch (w->scope) {
	case OP_DOMAIN:
		t.domain = w->target;
		break;
	case OP_ROUTE:
		t.ingress = w->target;
		break;
	case OP_SERVICE:
		t.service = w->target;
		break;
	case OP_GLOBAL:
		break;
	}
	return t;
}

/* --- holders ------------------------------------------------------------------------------------ */

/* False: it is none. */
static bool holder_of(struct op *o, struct bytes name, const struct doc *root, struct holder *out)
{
	const struct doc *labels = doc_at(o->arena, root, "metadata.labels");

	*out = (struct holder){
		name, root, text_of(o, labels, LABEL_NAME), text_of(o, labels, LABEL_VERSION)};
	return op_is_ours(o, root) && !bytes_ends(name, BYTES(".internal")) &&
		bytes_trim(out->plugin).n > 0 && bytes_trim(out->version).n > 0;
}

bool op_instance_is_in(
	struct op *o, struct bytes name, const struct doc *root, struct bytes *plugin)
{
	struct holder h;
	bool is = holder_of(o, name, root, &h);

	*plugin = h.plugin;
	return is;
}

static bool next_holder(struct op *o, struct draft_walk *w, struct holder *out)
{
	const struct doc *root;
	struct bytes name;

	while (draft_next(&o->draft, w, RESOURCE_WASMPLUGIN, &name, &root)) {
		if (holder_of(o, name, root, out)) {
			return true;
		}
	}
	return false;
}

/* version empty: any. False: there is none. */
static bool find_holder(struct op *o, struct bytes plugin, struct bytes version, struct holder *out)
{
	struct draft_walk w = {0};

	while (next_holder(o, &w, out)) {
		if (bytes_eq(out->plugin, plugin) &&
			(version.n == 0 || bytes_eq(out->version, version))) {
			return true;
		}
	}
	return false;
}

/* --- targets ------------------------------------------------------------------------------------ */

/* "<name>.<type>" of a source whose services are served. */
static bool is_service(struct op *o, struct bytes service)
{
	const struct doc *r = doc_first(o->arena,
		doc_at(o->arena, draft_look(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME),
			"spec.registries"));

	for (; r != NULL; r = r->next) {
		struct bytes name = doc_peek(r, "name", BYTES("")),
			     type = doc_peek(r, "type", BYTES(""));

		if ((bytes_eq(type, BYTES("static")) || bytes_eq(type, BYTES("dns"))) &&
			service.n == name.n + 1 + type.n && bytes_starts(service, name) &&
			service.p[name.n] == '.' && bytes_ends(service, type)) {
			return true;
		}
	}
	return false;
}

static enum op_rc check_target(struct op *o, const struct where *w)
{
	struct bytes normal = op_normal_domain(o, w->target);
	bool known = true;

	switch (w->scope) {
	case OP_GLOBAL:
		break;
	case OP_DOMAIN:
		known = draft_look(&o->draft, RESOURCE_CONFIGMAP,
				op_textf(o, "domain-" BYTES_FMT, BYTES_ARG(normal))) != NULL;
		break;
	case OP_ROUTE:
		known = draft_look(&o->draft, RESOURCE_INGRESS, w->target) != NULL;
		break;
	case OP_SERVICE:
		known = is_service(o, w->target);
		break;
	}
	return known ? OP_OK
		     : op_refuse(o, OP_INVALID, "there is no %s " BYTES_FMT,
			       w->scope == OP_DOMAIN          ? "domain"
				       : w->scope == OP_ROUTE ? "route"
							      : "service",
			       BYTES_ARG(w->target));
}

/* --- read --------------------------------------------------------------------------------------- */

struct instance {
	bool enabled;
	const struct doc *config; /* NULL: empty */
};

static bool is_true(struct op *o, const struct doc *m, const char *key)
{
	const struct doc *v = doc_get(o->arena, m, key);

	return v != NULL && v->type == DOC_BOOL && v->boolean;
}

/* False: nothing is configured there. */
static bool find_instance(
	struct op *o, const struct holder *h, const struct where *w, struct instance *out)
{
	const struct doc *spec = doc_get(o->arena, h->root, "spec"), *rule = spec;
	const struct op_target t = target_of(w);

	*out = (struct instance){0};
	if (w->scope == OP_GLOBAL) {
		out->enabled = !is_true(o, spec, "defaultConfigDisable") &&
			(doc_given(doc_get(o->arena, spec, "defaultConfigDisable")) ||
				doc_given(doc_get(o->arena, spec, "defaultConfig")));
		out->config = doc_get(o->arena, spec, "defaultConfig");
	} else {
		rule = op_rule_find(o, h->root, &t);
		out->enabled = rule != NULL && !is_true(o, rule, "configDisable");
		out->config = doc_get(o->arena, rule, "config");
	}
	if (out->config != NULL && out->config->type != DOC_MAP) {
		out->config = NULL;
	}
	return out->enabled || doc_first(o->arena, out->config) != NULL;
}

struct doc *op_instance_text(struct op *o, const struct doc *config)
{
	struct bytes all;
	struct text t;

	if (doc_first(o->arena, config) == NULL) {
		return doc_str(o->arena, "");
	}
	text_init(&t, RAW_MAX);
	yaml_write_in_order(o->arena, &t, config);
	all = arena_copy(o->arena, text_bytes(&t));
	text_done(&t);
	while (all.n > 0 && all.p[all.n - 1] == '\n') {
		all.n--;
	}
	return doc_string(o->arena, all);
}

/* h NULL: nothing is configured. */
static struct doc *show(
	struct op *o, const struct where *w, const struct holder *h, const struct instance *i)
{
	struct arena *a = o->arena;
	const char *scope = scopes[w->scope].name;
	bool global = w->scope == OP_GLOBAL;
	struct doc *out = doc_map(a);

	doc_set(a, out, "version", h != NULL ? op_version(o, h->root) : doc_null(a));
	doc_set(a, out, "scope", doc_str(a, scope));
	doc_set(a, out, "target", global ? doc_null(a) : doc_string(a, w->target));
	doc_set(a, doc_need_map(a, out, "targets"), scope,
		global ? doc_null(a) : doc_string(a, w->target));
	doc_set(a, out, "pluginName", doc_string(a, h != NULL ? h->plugin : w->plugin));
	doc_set(a, out, "pluginVersion", h != NULL ? doc_string(a, h->version) : doc_null(a));
	doc_set(a, out, "internal", doc_bool(a, false));
	doc_set(a, out, "enabled", doc_bool(a, h != NULL && i->enabled));
	doc_set(a, out, "rawConfigurations",
		h != NULL ? op_instance_text(o, i->config) : doc_null(a));
	if (h == NULL) {
		doc_set(a, out, "configurations", doc_null(a));
	} else {
		doc_set(a, out, "configurations",
			i->config != NULL ? doc_copy(a, i->config) : doc_map(a));
	}
	return out;
}

/* The instance of the version that is current, else of another one. */
static bool find_shown(struct op *o, const struct where *w, struct holder *h, struct instance *i)
{
	const struct op_plugin *p = op_plugin_find(w->plugin);
	struct draft_walk walk = {0};

	if (p != NULL && find_holder(o, w->plugin, bytes_str(p->version), h) &&
		find_instance(o, h, w, i)) {
		return true;
	}
	while (next_holder(o, &walk, h)) {
		if (bytes_eq(h->plugin, w->plugin) && find_instance(o, h, w, i)) {
			return true;
		}
	}
	return false;
}

enum op_rc op_instance_read(struct op *o, enum op_scope scope, struct bytes target,
	struct bytes plugin, struct doc **out)
{
	const struct where w = {scope, target, plugin};
	enum op_rc rc = check_target(o, &w);
	struct instance i;
	struct holder h;

	if (rc == OP_OK) {
		*out = find_shown(o, &w, &h, &i) ? show(o, &w, &h, &i) : show(o, &w, NULL, NULL);
	}
	return rc;
}

enum op_rc op_instance_list(
	struct op *o, enum op_scope scope, struct bytes target, struct doc **out)
{
	const struct where w = {.scope = scope, .target = target};
	struct strings names = op_list_prefixed(o, RESOURCE_WASMPLUGIN, BYTES(""));
	struct doc *all = doc_list(o->arena);
	enum op_rc rc = check_target(o, &w);
	struct instance i;

	if (rc != OP_OK) {
		return rc;
	}
	for (size_t k = 0; k < names.n; k++) {
		struct holder h;

		if (holder_of(o, names.v[k], draft_look(&o->draft, RESOURCE_WASMPLUGIN, names.v[k]),
			    &h) &&
			find_instance(o, &h, &w, &i)) {
			doc_append(o->arena, all, show(o, &w, &h, &i));
		}
	}
	*out = all;
	return OP_OK;
}

/* --- save --------------------------------------------------------------------------------------- */

/* The same content without an origin: it goes into another file than the one it was read from. */
static struct doc *fresh(struct op *o, const struct doc *d)
{
	struct arena *a = o->arena;
	struct doc *out;

	if (d == NULL) {
		return NULL; /* the arena is full */
	}
	switch (d->type) {
	case DOC_BOOL:
		return doc_bool(a, d->boolean);
	case DOC_INT:
		return doc_int(a, d->integer);
	case DOC_FLOAT:
		return doc_float(a, d->number);
	case DOC_STRING:
		return doc_string(a, d->text);
	case DOC_NULL:
		return doc_null(a);
	case DOC_LIST:
		out = doc_list(a);
		for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
			doc_append(a, out, fresh(o, i));
		}
		return out;
	case DOC_MAP:
		break;
	}
	out = doc_map(a);
	for (const struct doc *i = doc_first(a, d); i != NULL; i = i->next) {
		doc_set_bytes(a, out, i->key, fresh(o, i));
	}
	return out;
}

enum op_rc op_instance_parse(struct op *o, struct bytes raw, struct doc **out)
{
	struct fault fault = {0};
	struct yaml_doc doc;

	if (yaml_parse(o->arena, raw, &doc, &fault) != 0) {
		return op_refuse(o, OP_INVALID, "rawConfigurations is no YAML: %s", fault.text);
	}
	if (doc.root == NULL || doc.root->type == YAML_NULL) {
		return OP_OK;
	}
	if (doc.root->type != YAML_MAP) {
		return op_refuse(o, OP_INVALID, "rawConfigurations must be a YAML mapping");
	}
	if (!op_shape_fits(o, doc_of_yaml(o->arena, doc.root))) {
		return op_refuse(
			o, OP_LIMIT, "rawConfigurations holds a mapping with too many entries");
	}
	*out = fresh(o, doc_of_yaml(o->arena, doc.root));
	return OP_OK;
}

/* configurations, else rawConfigurations; NULL: neither. */
static enum op_rc take_config(struct op *o, const struct doc *given, struct doc **out)
{
	const struct doc *config = doc_get(o->arena, given, "configurations");
	struct bytes raw = text_of(o, given, "rawConfigurations");

	*out = NULL;
	if (doc_given(config)) {
		*out = fresh(o, config);
		return OP_OK;
	}
	return raw.n > 0 ? op_instance_parse(o, raw, out) : OP_OK;
}

static enum op_rc check_body(struct op *o, const struct where *w, const struct doc *given)
{
	const struct doc *internal = doc_get(o->arena, given, "internal");
	struct bytes name = text_of(o, given, "pluginName");

	if (name.n > 0 && !bytes_eq(name, w->plugin)) {
		return op_refuse(o, OP_INVALID,
			"pluginName is " BYTES_FMT
			" and not the one that is to be changed, " BYTES_FMT,
			BYTES_ARG(name), BYTES_ARG(w->plugin));
	}
	if (doc_given(internal) && internal->boolean) {
		return op_refuse(o, OP_INVALID,
			"internal instances belong to providers, consumers and routes: change those "
			"instead");
	}
	return OP_OK;
}

/* Finds the WasmPlugin that the instance goes into; out->root NULL: it has to be made. */
static enum op_rc find_place(
	struct op *o, struct bytes plugin, struct bytes version, struct holder *out)
{
	const struct op_plugin *p = op_plugin_find(plugin);
	bool current = p != NULL && (version.n == 0 || bytes_eq(version, bytes_str(p->version)));

	if (p == NULL && !find_holder(o, plugin, BYTES(""), out)) {
		return op_refuse(o, OP_INVALID, "there is no plugin " BYTES_FMT, BYTES_ARG(plugin));
	}
	if (find_holder(o, plugin, current ? bytes_str(p->version) : version, out)) {
		return OP_OK;
	}
	if (!current) {
		return op_refuse(o, OP_INVALID,
			"pluginVersion " BYTES_FMT " of " BYTES_FMT
			" is not the current one: leave it out",
			BYTES_ARG(version), BYTES_ARG(plugin));
	}
	out->root = NULL;
	if (op_plugin_look(o, p, false) != NULL) {
		return op_refuse(o, OP_READ_ONLY,
			"the WasmPlugin %s-%s exists and is not managed here: its label "
			"higress.io/resource-definer, or one of its plugin's name and version, is "
			"missing",
			p->name, p->version);
	}
	return OP_OK;
}

static void put_config(struct op *o, struct doc *m, const char *key, struct doc *config)
{
	if (config != NULL) {
		doc_set(o->arena, m, key, config);
	} else {
		doc_drop(o->arena, m, key);
	}
}

static void write_instance(
	struct op *o, const struct where *w, struct doc *root, struct doc *config, bool enabled)
{
	struct doc *spec = doc_need_map(o->arena, root, "spec"), *rule;
	const struct op_target t = target_of(w);

	if (w->scope == OP_GLOBAL) {
		doc_set(o->arena, spec, "defaultConfigDisable", doc_bool(o->arena, !enabled));
		put_config(o, spec, "defaultConfig", config);
		return;
	}
	rule = op_rule_need(o, root, &t);
	doc_set(o->arena, rule, "configDisable", doc_bool(o->arena, !enabled));
	put_config(o, rule, "config", config);
	if (!doc_given(doc_get(o->arena, spec, "defaultConfigDisable"))) {
		doc_set(o->arena, spec, "defaultConfigDisable", doc_bool(o->arena, true));
	}
}

/* D22: a Higress would not load the plugin with it, and so enforce nothing. */
static void warn_about(struct op *o, const struct where *w, const struct doc *config)
{
	const struct doc *c = doc_first(o->arena, doc_get(o->arena, config, "consumers"));

	for (; c != NULL && bytes_eq(w->plugin, BYTES("key-auth")); c = c->next) {
		if (c->type != DOC_MAP) {
			op_warn(o,
				"the consumers of key-auth must be objects with name and "
				"credential: the instance has no effect");
			return;
		}
	}
}

enum op_rc op_instance_save(struct op *o, enum op_scope scope, struct bytes target,
	struct bytes plugin, struct doc *body)
{
	const struct where w = {scope, target, plugin};
	struct doc *given = NULL, *config = NULL, *root;
	const struct doc *enabled;
	struct holder h = {0};
	enum op_rc rc = check_target(o, &w);

	rc = rc != OP_OK ? rc : op_shape_take(o, &shape, body, &given);
	rc = rc != OP_OK ? rc : check_body(o, &w, given);
	rc = rc != OP_OK ? rc : find_place(o, plugin, text_of(o, given, "pluginVersion"), &h);
	rc = rc != OP_OK ? rc : take_config(o, given, &config);
	if (rc != OP_OK) {
		return rc;
	}
	enabled = doc_get(o->arena, given, "enabled");
	root = h.root != NULL ? draft_open(&o->draft, RESOURCE_WASMPLUGIN, h.name)
			      : op_plugin_need(o, op_plugin_find(plugin), false);
	warn_about(o, &w, config);
	write_instance(o, &w, root, config, !doc_given(enabled) || enabled->boolean);
	return OP_OK;
}

/* --- remove ------------------------------------------------------------------------------------- */

static void remove_default(struct op *o, const struct holder *h)
{
	const struct doc *spec = doc_get(o->arena, h->root, "spec");
	struct doc *open;

	if (is_true(o, spec, "defaultConfigDisable") &&
		doc_get(o->arena, spec, "defaultConfig") == NULL) {
		return;
	}
	open = doc_need_map(o->arena, draft_open(&o->draft, RESOURCE_WASMPLUGIN, h->name), "spec");
	doc_set(o->arena, open, "defaultConfigDisable", doc_bool(o->arena, true));
	doc_drop(o->arena, open, "defaultConfig");
}

static bool names_target(struct op *o, const struct holder *h, const struct where *w)
{
	const struct doc *r = doc_first(o->arena, doc_at(o->arena, h->root, "spec.matchRules"));

	while (r != NULL && !op_rule_names(o, r, scopes[w->scope].list, w->target)) {
		r = r->next;
	}
	return r != NULL;
}

enum op_rc op_instance_remove(
	struct op *o, enum op_scope scope, struct bytes target, struct bytes plugin)
{
	const struct where w = {scope, target, plugin};
	struct draft_walk walk = {0};
	struct holder h;

	while (next_holder(o, &walk, &h)) {
		if (!bytes_eq(h.plugin, plugin)) {
			continue;
		}
		if (scope == OP_GLOBAL) {
			remove_default(o, &h);
		} else if (names_target(o, &h, &w)) {
			op_rules_forget_in(o, h.name, scopes[scope].list, target);
		}
	}
	return OP_OK;
}
