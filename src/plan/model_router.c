#include "plan/model_router.h"

#include "plan/build.h"
#include "plan/fallbacks.h"
#include "plan/plugin_rules.h"
#include "plan/upstreams.h"
#include "wire/json.h"

/* Of the plugin itself; the APIs that are known (plan/api.h) come on top. */
static const char *const usual_suffixes[] = {"/completions", "/embeddings", "/images/generations",
	"/audio/speech", "/fine_tuning/jobs", "/moderations", "/image-synthesis",
	"/video-synthesis", "/rerank", "/messages", "/responses"};

struct compiling {
	struct model_router *out;
	const struct object *object;
	const struct yaml_node *config;
	struct arena *arena;
	struct findings *findings;
};

static bool is_header_name(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = ascii_lower(name.p[i]);

		if (!ascii_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') {
			return false;
		}
	}
	return name.n != 0;
}

/* The name of a header in lower case; empty when there is none. */
static struct bytes header(const struct compiling *c, const char *key)
{
	const struct yaml_node *n = yaml_get(c->config, key);
	struct bytes name = BYTES("");
	struct finding at;

	if (!build_scalar(n, key, c->object, c->findings, &name) || name.n == 0) {
		return BYTES("");
	}
	if (!is_header_name(name) || bytes_eq_nocase(name, BYTES(FALLBACKS_HEADER))) {
		at = build_error(c->object, build_place(n), "bad-header");
		findings_add(c->findings, &at,
			"%s must be the name of a header, and not " FALLBACKS_HEADER
			"; it is not set",
			key);
		return BYTES("");
	}
	return build_lower(c->arena, name);
}

static void read_suffixes(const struct compiling *c)
{
	const struct yaml_node *list = yaml_get(c->config, "enableOnPathSuffix");
	struct model_router *m = c->out;
	struct finding at;

	if (list == NULL || list->type == YAML_NULL) {
		return;
	}
	if (list->type != YAML_SEQ) {
		at = build_error(c->object, build_place(list), "list-expected");
		findings_add(c->findings, &at,
			"enableOnPathSuffix must be a list; the usual paths are taken");
		return;
	}
	m->explicit_suffixes = true;
	m->suffixes = arena_must(c->arena, (list->n + 1) * sizeof(*m->suffixes));
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		struct bytes s;

		if (build_scalar(n, "a path suffix", c->object, c->findings, &s) && s.n != 0) {
			m->suffixes[m->n_suffixes++] = build_text(c->arena, s);
		}
	}
}

/* A member's name as the paths of wire/json.h can say it. */
static bool is_plain_key(struct bytes key)
{
	for (size_t i = 0; i < key.n; i++) {
		if (key.p[i] == '.' || key.p[i] == '[' || key.p[i] == ']' || key.p[i] == '\0') {
			return false;
		}
	}
	return key.n <= JSON_KEY_MAX;
}

static void read_key(const struct compiling *c)
{
	const struct yaml_node *n = yaml_get(c->config, "modelKey");
	struct bytes key = BYTES("");
	struct json_want want = {NULL, NULL};
	struct finding at;

	if (!build_scalar(n, "modelKey", c->object, c->findings, &key) || key.n == 0 ||
		bytes_eq(key, BYTES("model"))) {
		return;
	}
	if (!is_plain_key(key)) {
		at = build_error(c->object, build_place(n), "unsupported-setting");
		findings_add(c->findings, &at,
			"modelKey must be the name of a member of the body, of at most %u bytes, "
			"without dots and brackets; the plugin is switched off",
			JSON_KEY_MAX);
		c->out->on = false;
		return;
	}
	c->out->key_name = build_text(c->arena, key);
	want.path = c->out->key_name.p;
	c->out->key = json_query_new(&want, 1);
	if (c->out->vendor_header.n != 0) {
		at = build_warning(c->object, build_place(n), "unsupported-setting");
		findings_add(c->findings, &at,
			"beside this modelKey addProviderHeader chooses routes, but leaves the body "
			"as it is");
	}
}

/* --- automatic routing --------------------------------------------------------------------------- */

static void skip_rule(const struct compiling *c, const struct yaml_node *n, const char *why)
{
	struct finding at = build_warning(c->object, build_place(n), "bad-regex");

	findings_add(c->findings, &at, "a rule of autoRouting is skipped: %s", why);
}

static void read_rule(const struct compiling *c, const struct yaml_node *n)
{
	struct model_router *m = c->out;
	struct automatic_rule rule = {.regex = NULL};
	struct bytes pattern, model;
	struct fault fault;

	if (m->automatic.n == MODEL_ROUTER_RULES_MAX) {
		skip_rule(c, n, "there are too many of them");
	} else if (n->type != YAML_MAP ||
		!build_scalar(
			yaml_get(n, "pattern"), "pattern", c->object, c->findings, &pattern) ||
		!build_scalar(yaml_get(n, "model"), "model", c->object, c->findings, &model) ||
		model.n == 0) {
		skip_rule(c, n, "it needs a pattern and a model");
	} else {
		rule.regex = regex_new_look(pattern, &fault);
		rule.model = build_text(c->arena, model);
		if (rule.regex == NULL) {
			skip_rule(c, n, fault.text);
		} else {
			m->automatic.rules[m->automatic.n++] = rule;
		}
	}
}

static void read_rules(const struct compiling *c, const struct yaml_node *list)
{
	struct finding at;

	if (list == NULL || list->type == YAML_NULL) {
		return;
	}
	if (list->type != YAML_SEQ) {
		at = build_error(c->object, build_place(list), "list-expected");
		findings_add(c->findings, &at, "the rules of autoRouting must be a list");
		return;
	}
	c->out->automatic.rules = arena_must(
		c->arena, (MODEL_ROUTER_RULES_MAX + 1) * sizeof(*c->out->automatic.rules));
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		read_rule(c, n);
	}
}

static void read_automatic(const struct compiling *c)
{
	static const struct json_want wants[] = {{"messages[]", NULL}, {"messages[].role", "user"},
		{"messages[].content", NULL}, {"messages[].content[]", NULL},
		{"messages[].content[].type", "text"}, {"messages[].content[].text", NULL}};
	const struct yaml_node *automatic = yaml_get(c->config, "autoRouting");
	const struct yaml_node *enable = yaml_get(automatic, "enable");
	const struct yaml_node *model = yaml_get(automatic, "defaultModel");
	struct model_router *m = c->out;
	struct finding at;
	struct bytes name;

	if (enable == NULL || enable->type != YAML_BOOL || !enable->boolean || !m->on) {
		return;
	}
	if (m->key != NULL) {
		at = build_error(c->object, build_place(enable), "unsupported-setting");
		findings_add(c->findings, &at,
			"autoRouting has no effect beside a modelKey of its own; " MODEL_ROUTER_AUTOMATIC
			" is a model like any other");
		return;
	}
	m->automatic.on = true;
	m->automatic.query = json_query_new(wants, ARRAY_LEN(wants));
	if (model != NULL && build_scalar(model, "defaultModel", c->object, c->findings, &name)) {
		m->automatic.default_model = build_text(c->arena, name);
	}
	read_rules(c, yaml_get(automatic, "rules"));
}

static void check_rules(const struct compiling *c)
{
	const struct wasmplugin *w = &c->object->u.wasmplugin;

	for (size_t i = 0; i < w->n_rules; i++) {
		struct finding at = build_warning(c->object, w->rules[i].at, "unsupported-setting");

		if (!w->rules[i].disabled) {
			findings_add(c->findings, &at,
				"rules of model-router have no effect: it works before a route is "
				"chosen, by its default configuration");
			return;
		}
	}
}

void model_router_compile(struct model_router *m, const struct snapshot *s,
	const struct hash_seed *seed, struct arena *a, struct findings *f)
{
	const struct object *o = upstreams_plugin(s, "model-router", f);
	struct compiling c = {m, o, NULL, a, f};
	struct plugin_rules rules;

	*m = (struct model_router){.on = false};
	if (o == NULL) {
		return;
	}
	plugin_rules_init(&rules, o, PLUGIN_GO, seed, a);
	plugin_rules_check(&rules, s, f);
	m->on = !rules.invalid && !o->u.wasmplugin.config_disabled;
	plugin_rules_done(&rules);
	check_rules(&c);
	if (!m->on) {
		return;
	}
	c.config = o->u.wasmplugin.config;
	m->model_header = header(&c, "modelToHeader");
	m->vendor_header = header(&c, "addProviderHeader");
	read_suffixes(&c);
	read_key(&c);
	read_automatic(&c);
}

void model_router_done(struct model_router *m)
{
	json_query_free(m->key);
	json_query_free(m->automatic.query);
	for (size_t i = 0; i < m->automatic.n; i++) {
		regex_free(m->automatic.rules[i].regex);
	}
}

bool model_router_reads(const struct model_router *m, enum api api, struct bytes path)
{
	if (!m->on) {
		return false;
	}
	for (size_t i = 0; i < m->n_suffixes; i++) {
		if (bytes_eq(m->suffixes[i], BYTES("*")) || bytes_ends(path, m->suffixes[i])) {
			return true;
		}
	}
	if (m->explicit_suffixes) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(usual_suffixes); i++) {
		if (bytes_ends(path, bytes_str(usual_suffixes[i]))) {
			return true;
		}
	}
	return api != API_NONE;
}

struct bytes model_router_choose(const struct model_router *m, struct bytes text)
{
	for (size_t i = 0; text.p != NULL && i < m->automatic.n; i++) {
		if (regex_matches(m->automatic.rules[i].regex, text)) {
			return m->automatic.rules[i].model;
		}
	}
	return m->automatic.default_model;
}
