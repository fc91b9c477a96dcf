/*
 * Consoles write a rule per route, and older ones an attribute for each text that they show: what is left
 * out is counted and said once for all of them.
 */
#define _GNU_SOURCE /* memmem */
#include "plan/statistics.h"

#include "base/num.h"
#include "plan/build.h"
#include "plan/upstreams.h"
#include "wire/field.h"

struct reading {
	struct statistics_rules *rules;
	const struct object *object;
	struct statistics *out;
};

#define note(r, place, code, ...)                                                \
	do {                                                                     \
		struct finding where_ = build_warning((r)->object, place, code); \
		findings_add((r)->rules->findings, &where_, __VA_ARGS__);        \
	} while (0)

/* --- secrets ------------------------------------------------------------------------------------ */

static bool holds(struct bytes name, const char *word)
{
	return memmem(name.p, name.n, word, strlen(word)) != NULL;
}

/* Headers whose values nobody should find in a log; name in lower case. */
static bool is_secret(struct bytes name)
{
	static const char *const words[] = {"authorization", "api-key", "apikey", "cookie",
		"secret", "password", "credential", "-auth"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (holds(name, words[i])) {
			return true;
		}
	}
	return bytes_ends(name, BYTES("token"));
}

static bool is_credential_of(const struct consumer_set *sets, struct bytes name)
{
	for (; sets != NULL; sets = sets->next) {
		const struct consumers *c = sets->consumers;

		for (size_t i = 0; i < c->n_places; i++) {
			if (c->places[i].source == KEY_IN_HEADER &&
				bytes_eq(c->places[i].name, name)) {
				return true;
			}
		}
	}
	return false;
}

/* --- reading ------------------------------------------------------------------------------------ */

static struct bytes text_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n != NULL && n->type != YAML_NULL ? n->text : BYTES("");
}

static bool is_true(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n != NULL && n->type == YAML_BOOL && n->boolean;
}

static bool is_one_of(struct bytes text, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (bytes_eq(text, bytes_str(*list))) {
			return true;
		}
	}
	return false;
}

static void count(size_t *n, struct place *first, const struct yaml_node *at)
{
	if ((*n)++ == 0) {
		*first = build_place(at);
	}
}

/* What the plugin knows by its key alone. True: it is no attribute of ours. */
static bool is_built_in(struct reading *r, const struct yaml_node *n)
{
	static const char *const texts[] = {
		"question", "system", "answer", "reasoning", "tool_calls", NULL};
	static const char *const numbers[] = {"reasoning_tokens", "cached_tokens",
		"input_token_details", "output_token_details", NULL};
	struct bytes key = text_of(n, "key");

	if (text_of(n, "value_source").n != 0) {
		return false;
	}
	if (is_one_of(key, texts)) {
		count(&r->rules->n_texts, &r->rules->texts_at, n);
		return true;
	}
	return is_one_of(key, numbers); /* those stand in the line anyway */
}

/* False: the attribute has no value that can be read here. */
static bool read_source(
	struct reading *r, const struct yaml_node *n, struct statistics_attribute *a)
{
	static const char *const bodies[] = {
		"request_body", "response_body", "response_streaming_body", NULL};
	static const char *const rules[] = {"", "first", "replace", "append", NULL};
	struct bytes source = text_of(n, "value_source");
	struct bytes value = text_of(n, "value");

	if (is_one_of(source, bodies) && is_one_of(text_of(n, "rule"), rules)) {
		count(&r->rules->n_bodies, &r->rules->bodies_at, n);
		return false;
	}
	if (bytes_eq(source, BYTES("fixed_value"))) {
		a->source = STATISTICS_FIXED;
		a->value = build_text(r->rules->arena, value);
		return true;
	}
	if (!bytes_eq(source, BYTES("request_header")) &&
		!bytes_eq(source, BYTES("response_header"))) {
		note(r, build_place(n), "statistics-attribute",
			"the value_source or rule of an attribute is none that is known; it is left "
			"out");
		return false;
	}
	a->source = source.p[2] == 'q' ? STATISTICS_REQUEST : STATISTICS_RESPONSE;
	a->value = build_lower(r->rules->arena, value);
	if (value.n == 0 || is_secret(a->value)) {
		note(r, build_place(n), "statistics-secret",
			"an attribute needs the name of a header that holds no credential; it is "
			"left out");
		return false;
	}
	return true;
}

static void read_attribute(struct reading *r, const struct yaml_node *n)
{
	struct statistics *s = r->out;
	struct statistics_attribute a = {.source = STATISTICS_FIXED};
	struct bytes key = n->type == YAML_MAP ? text_of(n, "key") : BYTES("");

	if (key.n == 0 || key.n > STATISTICS_KEY_MAX ||
		s->n_attributes == STATISTICS_ATTRIBUTES_MAX) {
		note(r, build_place(n), "statistics-attribute",
			"there are at most %u attributes, each with a key of at most %u bytes; this "
			"one is left out",
			STATISTICS_ATTRIBUTES_MAX, STATISTICS_KEY_MAX);
		return;
	}
	if (is_built_in(r, n) || !read_source(r, n, &a) || !is_true(n, "apply_to_log")) {
		return;
	}
	a.key = build_text(r->rules->arena, key);
	a.absent = build_text(r->rules->arena, text_of(n, "default_value"));
	s->attributes[s->n_attributes++] = a;
}

static void read_attributes(struct reading *r, const struct yaml_node *list)
{
	if (list == NULL || list->type == YAML_NULL) {
		return;
	}
	if (list->type != YAML_SEQ) {
		note(r, build_place(list), "list-expected", "attributes must be a list");
		return;
	}
	r->out->attributes = arena_must(
		r->rules->arena, STATISTICS_ATTRIBUTES_MAX * sizeof(*r->out->attributes));
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		read_attribute(r, n);
	}
}

static void read_suffixes(struct reading *r, const struct yaml_node *list)
{
	struct statistics *s = r->out;

	s->every_path = list == NULL || list->type != YAML_SEQ || list->n == 0;
	if (s->every_path) {
		return;
	}
	s->suffixes = arena_must(r->rules->arena, list->n * sizeof(*s->suffixes));
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		s->every_path = s->every_path || bytes_eq(n->text, BYTES("*"));
		s->suffixes[s->n_suffixes++] = build_text(r->rules->arena, n->text);
	}
}

static void read_limit(struct reading *r, const struct yaml_node *n)
{
	uint64_t v;

	if (n != NULL && n->type != YAML_NULL && num_parse_u64(n->text, UINT32_MAX, &v) && v != 0) {
		r->out->value_max = (size_t)MIN(v, (uint64_t)STATISTICS_VALUE_MAX);
	}
}

static void read_session(struct reading *r, const struct yaml_node *n)
{
	struct bytes name = n != NULL ? n->text : BYTES("");

	if (name.n == 0) {
		return;
	}
	name = build_lower(r->rules->arena, name);
	if (is_secret(name)) {
		note(r, build_place(n), "statistics-secret",
			"session_id_header must not be a header that holds a credential; the usual "
			"headers are asked for");
		return;
	}
	r->out->session_header = name;
}

static const struct statistics *compile(
	struct statistics_rules *rules, const struct yaml_node *config)
{
	struct reading r = {
		rules, rules->rules.object, arena_must(rules->arena, sizeof(struct statistics))};
	const struct yaml_node *texts = yaml_get(config, "use_default_attributes");

	r.out->value_max = STATISTICS_VALUE_MAX;
	r.out->next = rules->all;
	rules->all = r.out;
	if (is_true(config, "use_default_attributes")) {
		count(&rules->n_texts, &rules->texts_at, texts);
	}
	r.out->no_usage = is_true(config, "disable_openai_usage");
	read_limit(&r, yaml_get(config, "value_length_limit"));
	read_session(&r, yaml_get(config, "session_id_header"));
	read_suffixes(&r, yaml_get(config, "enable_path_suffixes"));
	read_attributes(&r, yaml_get(config, "attributes"));
	return r.out;
}

/* --- rules -------------------------------------------------------------------------------------- */

void statistics_init(struct statistics_rules *r, const struct snapshot *s,
	const struct hash_seed *seed, struct arena *a, struct findings *f)
{
	const struct object *o = upstreams_plugin(s, "ai-statistics", f);

	*r = (struct statistics_rules){.arena = a, .findings = f};
	plugin_rules_init(&r->rules, o, PLUGIN_GO, seed, a);
	plugin_rules_check(&r->rules, s, f);
	if (o != NULL) {
		r->of_rule = arena_must(a, (o->u.wasmplugin.n_rules + 1) * sizeof(*r->of_rule));
	}
}

static const struct statistics *of_hit(struct statistics_rules *r, const struct plugin_hit *hit)
{
	const struct statistics **memo;

	if (hit->off || (hit->choice != PLUGIN_RULE && hit->choice != PLUGIN_DEFAULT)) {
		return NULL;
	}
	memo = &r->of_rule[hit->choice == PLUGIN_RULE ? hit->index : r->rules.plugin->n_rules];
	if (*memo == NULL) {
		*memo = compile(r, hit->config);
	}
	return *memo;
}

/* Routes for every host, which are many or none, have the same as a rule. */
static bool is_last(const struct statistics_rules *r, const struct statistics_case *cases, size_t n)
{
	bool same = r->last != NULL && r->last->n_cases == n;

	for (size_t i = 0; same && i < n; i++) {
		same = r->last->cases[i].statistics == cases[i].statistics &&
			plugin_domains_are_same(r->last->cases[i].domains, cases[i].domains);
	}
	return same;
}

static const struct statistics *choice(
	struct statistics_rules *r, const struct statistics_case *cases, size_t n)
{
	struct statistics *s;

	if (is_last(r, cases, n)) {
		return r->last;
	}
	s = arena_must(r->arena, sizeof(*s));
	s->cases = arena_must(r->arena, n * sizeof(*s->cases));
	s->n_cases = n;
	for (size_t i = 0; i < n; i++) {
		s->cases[i] = cases[i];
		if (cases[i].domains != NULL) {
			s->cases[i].domains = plugin_rules_keep(cases[i].domains, r->arena);
		}
	}
	r->last = s;
	return s;
}

const struct statistics *statistics_find(
	struct statistics_rules *r, const struct plugin_target *target)
{
	struct plugin_case found[STATISTICS_DOMAINS_MAX + 1];
	struct statistics_case cases[STATISTICS_DOMAINS_MAX + 1];
	size_t n = plugin_rules_cases(&r->rules, target, found, ARRAY_LEN(found));
	bool any = false;

	if (n > ARRAY_LEN(found)) {
		struct finding at = build_warning(r->rules.object,
			build_place(r->rules.object->root), "unsupported-condition");

		findings_add(r->findings, &at,
			"more than %u rules of ai-statistics for domains hold for some hosts of the "
			"route " BYTES_FMT ", which has none then: give the route its hosts",
			STATISTICS_DOMAINS_MAX, BYTES_ARG(target->route));
	}
	if (r->rules.invalid || n > ARRAY_LEN(found)) {
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		cases[i] = (struct statistics_case){found[i].domains, of_hit(r, &found[i].hit)};
		any = any || cases[i].statistics != NULL;
	}
	if (!any) {
		return NULL;
	}
	return n == 1 ? cases[0].statistics : choice(r, cases, n);
}

const struct statistics *statistics_for(const struct statistics *s, struct bytes host)
{
	for (size_t i = 0; s != NULL && i < s->n_cases; i++) {
		const struct strings *domains = s->cases[i].domains;

		if (domains == NULL || plugin_domain_is_any(domains, host)) {
			return s->cases[i].statistics;
		}
	}
	return s;
}

static void guard(struct reading *r, const struct consumer_set *sets)
{
	struct statistics *s = r->out;
	size_t kept = 0;
	bool shows = is_credential_of(sets, s->session_header);

	s->session_header = shows ? BYTES("") : s->session_header;
	for (size_t i = 0; i < s->n_attributes; i++) {
		const struct statistics_attribute *a = &s->attributes[i];

		if (a->source == STATISTICS_FIXED || !is_credential_of(sets, a->value)) {
			s->attributes[kept++] = *a;
		}
	}
	if (shows || kept != s->n_attributes) {
		note(r, ((struct place){1, 1}), "statistics-secret",
			"headers in which consumers send their credentials are no attributes; they "
			"are left out");
	}
	s->n_attributes = kept;
}

void statistics_finish(struct statistics_rules *rules, const struct consumer_set *sets)
{
	struct reading r = {.rules = rules, .object = rules->rules.object};

	for (r.out = rules->all; r.out != NULL; r.out = r.out->next) {
		guard(&r, sets);
	}
	if (rules->n_bodies != 0) {
		note(&r, rules->bodies_at, "statistics-not-evaluated",
			"%zu attributes take their values from bodies (the first of them is here), "
			"which this version does not read for statistics; they are left out of the "
			"access log",
			rules->n_bodies);
	}
	if (rules->n_texts != 0) {
		note(&r, rules->texts_at, "statistics-text",
			"text of prompts and answers is not written to the access log; %zu settings "
			"that ask for it (the first of them is here) have no effect",
			rules->n_texts);
	}
	plugin_rules_done(&rules->rules);
}

bool statistics_means(const struct statistics *s, struct bytes path)
{
	for (size_t i = 0; i < s->n_suffixes && !s->every_path; i++) {
		if (bytes_ends(path, s->suffixes[i])) {
			return true;
		}
	}
	return s->every_path;
}

const char *statistics_session_header(size_t i)
{
	static const char *const names[] = {"x-openclaw-session-key", "x-clawdbot-session-key",
		"x-moltbot-session-key", "x-agent-session"};

	return i < ARRAY_LEN(names) ? names[i] : NULL;
}
