/*
 * Fields and defaults are those of Higress's plugin. A pattern is one of the whole origin here, as it is documented; there
 * a pattern of the hosts below a.com also holds for x.a.com.evil.org.
 */
#include "plan/cors_rules.h"

#include "base/num.h"
#include "plan/build.h"
#include "plan/upstreams.h"

struct reading {
	struct cors_rules *rules;
	const struct object *object;
	struct cors *out;
};

#define note(r, place, ...)                                                                \
	do {                                                                               \
		struct finding where_ = build_warning((r)->object, place, "cors-invalid"); \
		findings_add((r)->rules->findings, &where_, __VA_ARGS__);                  \
	} while (0)

/* --- reading ------------------------------------------------------------------------------------ */

static bool is_text(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] < 0x20 || b.p[i] > 0x7e) {
			return false;
		}
	}
	return b.n <= CORS_LIST_MAX;
}

/* The list of that name when it can be read; NULL: there is none. */
static const struct yaml_node *find_list(
	struct reading *r, const struct yaml_node *config, const char *key)
{
	const struct yaml_node *list = yaml_get(config, key);

	if (list == NULL || list->type == YAML_NULL) {
		return NULL;
	}
	if (list->type != YAML_SEQ || list->n > CORS_ORIGINS_MAX) {
		note(r, build_place(list), "%s must be a list of at most %u texts; it is left out",
			key, CORS_ORIGINS_MAX);
		return NULL;
	}
	return list;
}

/* The text of an entry; empty: it has none that counts. */
static struct bytes entry_of(struct reading *r, const struct yaml_node *n, const char *key)
{
	struct bytes text = build_trim(n->text);

	if (n->type == YAML_SEQ || n->type == YAML_MAP || !is_text(text)) {
		note(r, build_place(n),
			"an entry of %s must be a short text of one line; it is left out", key);
		return BYTES("");
	}
	return n->type != YAML_NULL ? text : BYTES("");
}

static bool is_star(struct bytes b)
{
	return bytes_eq(b, BYTES("*"));
}

/* As it is to be sent: with commas; "*" when that is among them. */
static struct bytes read_list(
	struct reading *r, const struct yaml_node *config, const char *key, const char *otherwise)
{
	const struct yaml_node *list = find_list(r, config, key);
	struct bytes out = bytes_str(otherwise);
	struct text t;

	text_init(&t, CORS_LIST_MAX);
	for (const struct yaml_node *n = list != NULL ? list->items : NULL; n != NULL;
		n = n->next) {
		struct bytes entry = entry_of(r, n, key);

		if (is_star(entry)) {
			text_done(&t);
			return BYTES("*");
		}
		text_add_str(&t, t.n != 0 && entry.n != 0 ? "," : "");
		text_add_bytes(&t, entry);
	}
	if (text_full(&t)) {
		note(r, build_place(list), "%s is longer than %u bytes; its default is used", key,
			CORS_LIST_MAX);
	} else if (t.n != 0) {
		out = build_text(r->rules->arena, text_bytes(&t));
	}
	text_done(&t);
	return out;
}

static struct bytes without_slash(struct bytes b)
{
	return b.n > 1 && b.p[b.n - 1] == '/' ? bytes_of(b.p, b.n - 1) : b;
}

static void add_origin(struct reading *r, struct bytes text)
{
	struct cors *c = r->out;

	if (is_star(text)) {
		c->any_origin = true;
		c->origins[c->n_origins++] = (struct cors_origin){.text = text, .pattern = true};
	} else if (text.n != 0) {
		c->origins[c->n_origins++] = (struct cors_origin){
			.text = build_text(r->rules->arena, without_slash(text))};
	}
}

/* A pattern, and behind its last colon [8080,9090], or [*]. */
static void add_pattern(struct reading *r, struct bytes text)
{
	struct cors_origin o = {.pattern = true};
	const char *open;

	if (text.n == 0) {
		return;
	}
	text = build_text(r->rules->arena, without_slash(text));
	open = memchr(text.p, '[', text.n);
	o.text = text;
	if (open != NULL && open - text.p > 1 && open[-1] == ':' && text.p[text.n - 1] == ']') {
		o.text = bytes_of(text.p, (size_t)(open - 1 - text.p));
		o.ports = bytes_of(open + 1, (size_t)(text.p + text.n - 1 - (open + 1)));
	}
	r->out->origins[r->out->n_origins++] = o;
}

static void read_origins(struct reading *r, const struct yaml_node *config)
{
	const struct yaml_node *exact = find_list(r, config, "allow_origins");
	const struct yaml_node *patterns = find_list(r, config, "allow_origin_patterns");
	size_t n = 1;

	n += (exact != NULL ? exact->n : 0) + (patterns != NULL ? patterns->n : 0);
	r->out->origins = arena_must(r->rules->arena, n * sizeof(*r->out->origins));
	for (const struct yaml_node *e = exact != NULL ? exact->items : NULL; e != NULL;
		e = e->next) {
		add_origin(r, entry_of(r, e, "allow_origins"));
	}
	for (const struct yaml_node *e = patterns != NULL ? patterns->items : NULL; e != NULL;
		e = e->next) {
		add_pattern(r, entry_of(r, e, "allow_origin_patterns"));
	}
}

static void read_credentials(struct reading *r, const struct yaml_node *n)
{
	struct cors *c = r->out;

	if (n == NULL || n->type == YAML_NULL) {
		return;
	}
	c->credentials = n->type == YAML_BOOL && n->boolean;
	if (n->type != YAML_BOOL) {
		note(r, build_place(n),
			"allow_credentials must be true or false; credentials are not allowed");
	} else if (c->credentials && c->any_origin) {
		c->credentials = false;
		note(r, build_place(n),
			"allow_credentials has no effect beside the origin *, as browsers want it; write "
			"allow_origin_patterns: [\"*\"]");
	} else if (c->credentials && c->n_origins == 0) {
		note(r, build_place(n),
			"with allow_credentials, origins must be named; as it is, pages of no origin may "
			"ask");
	}
}

static struct bytes read_max_age(struct reading *r, const struct yaml_node *n)
{
	uint64_t seconds;

	if (n == NULL || n->type == YAML_NULL || bytes_eq(n->text, BYTES("0"))) {
		return BYTES(CORS_MAX_AGE);
	}
	if (!num_parse_u64(n->text, INT32_MAX, &seconds)) {
		note(r, build_place(n), "max_age must be a number of seconds; its default is used");
		return BYTES(CORS_MAX_AGE);
	}
	return build_text(r->rules->arena, n->text);
}

static const struct cors *compile(
	struct cors_rules *rules, const struct object *o, const struct yaml_node *config)
{
	struct reading r = {rules, o, arena_must(rules->arena, sizeof(struct cors))};
	struct cors *c = r.out;

	c->refuses = true;
	read_origins(&r, config);
	read_credentials(&r, yaml_get(config, "allow_credentials"));
	if (c->n_origins == 0 && !c->credentials) {
		add_origin(&r, BYTES("*"));
	}
	c->methods = read_list(&r, config, "allow_methods", CORS_METHODS);
	c->headers = read_list(&r, config, "allow_headers", CORS_HEADERS);
	c->expose = read_list(&r, config, "expose_headers", "");
	c->max_age = read_max_age(&r, yaml_get(config, "max_age"));
	return c;
}

/* --- rules -------------------------------------------------------------------------------------- */

static bool is_off(const struct yaml_node *config)
{
	const struct yaml_node *off = yaml_get(config, "_disable_");

	return off != NULL && off->type == YAML_BOOL && off->boolean;
}

/* All are compiled, asked for or not: what is wrong with one is said before it is. */
void cors_rules_init(struct cors_rules *r, const struct snapshot *s, const struct hash_seed *seed,
	struct arena *a, struct findings *f)
{
	const struct object *o = upstreams_plugin(s, "cors", f);
	const struct wasmplugin *w = o != NULL ? &o->u.wasmplugin : NULL;

	*r = (struct cors_rules){.arena = a, .findings = f};
	plugin_rules_init(&r->rules, o, PLUGIN_GO, seed, a);
	plugin_rules_check(&r->rules, s, f);
	if (o == NULL) {
		return;
	}
	r->of_rule = arena_must(a, (w->n_rules + 1) * sizeof(*r->of_rule));
	for (size_t i = 0; i < w->n_rules; i++) {
		if (!w->rules[i].disabled && !is_off(w->rules[i].config)) {
			r->of_rule[i] = compile(r, o, w->rules[i].config);
		}
	}
	if (!w->config_disabled) {
		r->of_rule[w->n_rules] = compile(r, o, w->config);
	}
}

void cors_rules_done(struct cors_rules *r)
{
	plugin_rules_done(&r->rules);
}

static const struct cors *policy_of(const struct cors_rules *r, const struct plugin_hit *hit)
{
	if (hit->off || (hit->choice != PLUGIN_RULE && hit->choice != PLUGIN_DEFAULT)) {
		return NULL;
	}
	return r->of_rule[hit->choice == PLUGIN_RULE ? hit->index : r->rules.plugin->n_rules];
}

/* Routes of one host and one group share it. */
static bool is_last(const struct cors_rules *r, const struct cors_case *cases, size_t n)
{
	if (r->last == NULL || r->last->n_cases != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (r->last->cases[i].policy != cases[i].policy ||
			!plugin_domains_are_same(r->last->cases[i].domains, cases[i].domains)) {
			return false;
		}
	}
	return true;
}

static const struct cors *choice(struct cors_rules *r, struct cors_case *cases, size_t n)
{
	struct cors *c;

	if (is_last(r, cases, n)) {
		return r->last;
	}
	c = arena_must(r->arena, sizeof(*c));
	c->cases = arena_must(r->arena, n * sizeof(*c->cases));
	c->n_cases = n;
	for (size_t i = 0; i < n; i++) {
		c->cases[i] = cases[i];
		if (cases[i].domains != NULL) {
			c->cases[i].domains = plugin_rules_keep(cases[i].domains, r->arena);
		}
	}
	r->last = c;
	return c;
}

/* NULL: the plugin says nothing. */
static const struct cors *find(
	struct cors_rules *r, const struct plugin_target *t, const struct cors *own)
{
	struct plugin_case found[CORS_DOMAINS_MAX + 1];
	struct cors_case cases[CORS_DOMAINS_MAX + 1];
	size_t n = plugin_rules_cases(&r->rules, t, found, ARRAY_LEN(found));
	bool any = false;

	if (n > ARRAY_LEN(found)) {
		struct finding at = build_error(
			r->rules.object, build_place(r->rules.object->root), "cors-invalid");

		findings_add(r->findings, &at,
			"more than %u rules of cors for domains hold for some hosts of the route " BYTES_FMT
			", which has none then: give the route its hosts",
			CORS_DOMAINS_MAX, BYTES_ARG(t->route));
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		const struct cors *c = policy_of(r, &found[i].hit);

		any = any || c != NULL;
		cases[i] = (struct cors_case){found[i].domains, c != NULL ? c : own};
	}
	if (!any) {
		return NULL;
	}
	return n == 1 ? cases[0].policy : choice(r, cases, n);
}

const struct cors *cors_rules_find(
	struct cors_rules *r, const struct plugin_target *targets, size_t n, const struct cors *own)
{
	const struct cors *c = NULL;

	for (size_t i = 0; c == NULL && !r->rules.invalid && r->rules.loaded && i < n; i++) {
		c = find(r, &targets[i], own);
	}
	return c != NULL ? c : own;
}
