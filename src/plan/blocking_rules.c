/*
 * What each list means is that of the plugins of Higress: request_block (C++), which its Console ships, and for
 * block_exact_urls and block_regexp_urls request-block (Go). Where a service decides and the route has several, it is
 * not known yet which of them is asked, and another one may be after it: then the rules of all of them hold.
 */
#include "plan/blocking_rules.h"

#include <stdlib.h>

#include "base/num.h"
#include "plan/build.h"

struct blocking_instance {
	struct plugin_rules rules;
	struct blocking_list *
		*of_rule; /* by rule index; the default's is the last. NULL: not compiled */
};

struct reading {
	struct blocking_rules *rules;
	const struct object *object;
	struct blocking *out;
	struct bytes texts[BLOCKING_TEXTS_MAX]; /* of the list that is read */
	const struct yaml_node *at[BLOCKING_TEXTS_MAX];
	size_t n;
};

#define note(r, level, place, code, ...)                                  \
	do {                                                              \
		struct finding where_ = level((r)->object, place, code);  \
		findings_add((r)->rules->findings, &where_, __VA_ARGS__); \
	} while (0)

#define refuse(r, place, ...)                                                      \
	do {                                                                       \
		(r)->out->broken = true;                                           \
		note(r, build_error, place, "request-block-invalid", __VA_ARGS__); \
	} while (0)

/* --- reading ------------------------------------------------------------------------------------ */

/* Texts of a list, into r->texts; empty ones mean nothing. */
static void read_texts(struct reading *r, const struct yaml_node *config, const char *key)
{
	const struct yaml_node *list = yaml_get(config, key);

	r->n = 0;
	if (list == NULL || list->type == YAML_NULL) {
		return;
	}
	if (list->type != YAML_SEQ || list->n > BLOCKING_TEXTS_MAX) {
		refuse(r, build_place(list),
			"%s must be a list of at most %u texts; until it is corrected the routes that "
			"the rule is for answer 503",
			key, BLOCKING_TEXTS_MAX);
		return;
	}
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		if (n->type == YAML_SEQ || n->type == YAML_MAP) {
			refuse(r, build_place(n),
				"an entry of %s must be a text; until it is corrected the routes that "
				"the rule is for answer 503",
				key);
		} else if (n->text.n != 0 && n->type != YAML_NULL) {
			r->at[r->n] = n;
			r->texts[r->n++] = n->text;
		}
	}
}

static const struct keywords *read_keywords(
	struct reading *r, const struct yaml_node *config, const char *key)
{
	const struct keywords *k;

	read_texts(r, config, key);
	if (r->n == 0) {
		return NULL;
	}
	k = keywords_new(r->texts, r->n, r->out->nocase, r->rules->arena);
	if (k == NULL) {
		refuse(r, build_place(r->at[0]),
			"the texts of %s have more than %u bytes in all; until it is corrected the "
			"routes that the rule is for answer 503",
			key, KEYWORDS_BYTES_MAX);
	}
	return k;
}

/* block_bodys is how the first versions of the plugin spell it. */
static void read_bodies(struct reading *r, const struct yaml_node *config)
{
	struct blocking *b = r->out;

	b->bodies = read_keywords(r, config, "block_bodies");
	if (b->bodies == NULL) {
		b->bodies = read_keywords(r, config, "block_bodys");
	}
	if (b->bodies != NULL && r->rules->bodies_in == NULL) {
		r->rules->bodies_in = r->object;
		r->rules->bodies_at = build_place(r->at[0]);
	}
}

static void read_exact(struct reading *r, const struct yaml_node *config)
{
	struct blocking *b = r->out;

	read_texts(r, config, "block_exact_urls");
	b->exact = arena_must(r->rules->arena, (r->n + 1) * sizeof(*b->exact));
	for (size_t i = 0; i < r->n; i++) {
		b->exact[b->n_exact++] = build_text(r->rules->arena, r->texts[i]);
	}
}

static void free_regex(void *of)
{
	regex_free(of);
}

/* What a search may begin with anyway, and many begin with because others match whole texts only: left there, an address
 * of some hundred bytes would cost more than a look may. */
static struct bytes without_beginning(struct bytes pattern)
{
	struct bytes p = pattern;

	if (bytes_starts(p, BYTES("^.*"))) {
		p = bytes_of(p.p + 1, p.n - 1);
	}
	if (!bytes_starts(p, BYTES(".*"))) {
		return pattern;
	}
	p = bytes_of(p.p + 2, p.n - 2);
	if (bytes_starts(p, BYTES("?"))) {
		p = bytes_of(p.p + 1, p.n - 1);
	}
	return p.n != 0 && memchr("*+?{", p.p[0], 4) != NULL ? pattern : p;
}

static void read_regex(struct reading *r, struct bytes pattern, const struct yaml_node *at)
{
	struct blocking *b = r->out;
	struct fault fault;
	struct regex *regex;
	struct text t;

	text_init(&t, SIZE_MAX);
	text_add_str(&t, b->nocase ? "(?i)" : "");
	text_add_bytes(&t, without_beginning(pattern));
	regex = regex_new_look(text_bytes(&t), &fault);
	text_done(&t);
	if (regex == NULL) {
		refuse(r, build_place(at),
			"an entry of block_regexp_urls is no regular expression (%s, at offset %zu); "
			"until it is corrected the routes that the rule is for answer 503",
			fault.text, fault.where - MIN(fault.where, b->nocase ? 4u : 0u));
		return;
	}
	arena_at_end(r->rules->arena, free_regex, regex);
	b->regexes[b->n_regexes++] = regex;
}

static void read_regexes(struct reading *r, const struct yaml_node *config)
{
	read_texts(r, config, "block_regexp_urls");
	if (r->n > BLOCKING_REGEXES_MAX) {
		refuse(r, build_place(r->at[BLOCKING_REGEXES_MAX]),
			"block_regexp_urls has more than %u expressions; join some of them with |, and "
			"until then the routes that the rule is for answer 503",
			BLOCKING_REGEXES_MAX);
		return;
	}
	r->out->regexes = arena_must(r->rules->arena, (r->n + 1) * sizeof(*r->out->regexes));
	for (size_t i = 0; i < r->n; i++) {
		read_regex(r, r->texts[i], r->at[i]);
	}
}

static void read_code(struct reading *r, const struct yaml_node *n)
{
	uint64_t code;

	r->out->code = BLOCKING_CODE;
	if (n == NULL || n->type == YAML_NULL) {
		return;
	}
	if (!num_parse_u64(n->text, 599, &code) || code < 200) {
		note(r, build_warning, build_place(n), "request-block-code",
			"blocked_code must be a status from 200 to 599; %u is used", BLOCKING_CODE);
		return;
	}
	r->out->code = (uint16_t)code;
}

static void read_message(struct reading *r, const struct yaml_node *n)
{
	r->out->message = BYTES("");
	if (n == NULL || n->type == YAML_NULL) {
		return;
	}
	if (n->type == YAML_SEQ || n->type == YAML_MAP || n->text.n > BLOCKING_MESSAGE_MAX) {
		refuse(r, build_place(n),
			"blocked_message must be a text of at most %u bytes; until it is corrected the "
			"routes that the rule is for answer 503",
			BLOCKING_MESSAGE_MAX);
		return;
	}
	r->out->message = build_text(r->rules->arena, n->text);
}

static void read_case(struct reading *r, const struct yaml_node *n)
{
	if (n == NULL || n->type == YAML_NULL) {
		return;
	}
	if (n->type == YAML_BOOL) {
		r->out->nocase = !n->boolean;
	} else if (bytes_eq(n->text, BYTES("false")) || bytes_eq(n->text, BYTES("true"))) {
		r->out->nocase = bytes_eq(n->text, BYTES("false"));
	} else {
		refuse(r, build_place(n),
			"case_sensitive must be true or false; until it is corrected the routes that "
			"the rule is for answer 503");
	}
}

static bool is_empty(const struct blocking *b)
{
	return b->n_exact == 0 && b->n_regexes == 0 && b->urls == NULL && b->headers == NULL &&
		b->bodies == NULL;
}

static const struct blocking *compile(struct blocking_rules *rules, const struct object *o,
	const struct yaml_node *config, struct place at)
{
	struct reading *r = must_alloc(sizeof(*r));
	struct blocking *b = arena_must(rules->arena, sizeof(*b));

	r->rules = rules;
	r->object = o;
	r->out = b;
	read_case(r, yaml_get(config, "case_sensitive"));
	read_code(r, yaml_get(config, "blocked_code"));
	read_message(r, yaml_get(config, "blocked_message"));
	b->urls = read_keywords(r, config, "block_urls");
	read_exact(r, config);
	read_regexes(r, config);
	b->headers = read_keywords(r, config, "block_headers");
	read_bodies(r, config);
	if (!b->broken && is_empty(b)) {
		note(r, build_warning, at, "request-block-empty",
			"this configuration of request-block has no list of texts, so it refuses "
			"nothing; write block_urls, block_headers or block_bodies, or disable it");
	}
	free(r);
	return b->broken || !is_empty(b) ? b : NULL;
}

/* --- rules -------------------------------------------------------------------------------------- */

static bool is_off(const struct yaml_node *config)
{
	const struct yaml_node *off = yaml_get(config, "_disable_");

	return off != NULL && off->type == YAML_BOOL && off->boolean;
}

/* The list of one case, which most routes have. */
static struct blocking_list *single(struct blocking_rules *r, const struct blocking *b)
{
	struct blocking_list *l = arena_must(r->arena, sizeof(*l));

	l->v = arena_must(r->arena, sizeof(*l->v));
	l->v[0] = (struct blocking_case){NULL, b};
	l->n = 1;
	l->reads_bodies = b != NULL && b->bodies != NULL;
	return l;
}

/* All are compiled, asked for or not: what is wrong with one is said before it is. */
static void init_instance(struct blocking_rules *r, struct blocking_instance *k,
	const struct object *o, const struct snapshot *s, const struct hash_seed *seed)
{
	const struct wasmplugin *w = &o->u.wasmplugin;

	plugin_rules_init(&k->rules, o, PLUGIN_CPP, seed, r->arena);
	plugin_rules_check(&k->rules, s, r->findings);
	k->of_rule = arena_must(r->arena, (w->n_rules + 1) * sizeof(*k->of_rule));
	for (size_t i = 0; i < w->n_rules; i++) {
		const struct plugin_rule *rule = &w->rules[i];

		if (!rule->disabled && !is_off(rule->config)) {
			k->of_rule[i] = single(r, compile(r, o, rule->config, rule->at));
		}
	}
	/* A default without a word is how a plugin is written that has rules only. */
	if (!w->config_disabled && (w->config != NULL ? w->config->n != 0 : w->n_rules == 0)) {
		k->of_rule[w->n_rules] = single(r,
			compile(r, o, w->config,
				build_place(w->config != NULL ? w->config : o->root)));
	}
}

void blocking_init(struct blocking_rules *r, const struct snapshot *s, const struct hash_seed *seed,
	struct arena *a, struct findings *f)
{
	static const struct blocking broken = {.broken = true, .code = BLOCKING_CODE};
	size_t from;
	size_t n = snapshot_kind(s, RESOURCE_WASMPLUGIN, &from);

	*r = (struct blocking_rules){.broken = &broken, .arena = a, .findings = f};
	r->v = arena_must(a, (n + 1) * sizeof(*r->v));
	for (size_t i = from; i < from + n; i++) {
		const struct object *o = s->objects[i];

		if (bytes_eq(o->u.wasmplugin.plugin, BYTES("request-block"))) {
			init_instance(r, &r->v[r->n++], o, s, seed);
		}
	}
	if (r->bodies_in != NULL) {
		struct finding at =
			build_warning(r->bodies_in, r->bodies_at, "request-block-bodies");

		at.level = FINDING_INFO;
		findings_add(f, &at,
			"where block_bodies holds, bodies are held whole before they are sent on: one "
			"that is larger than body-max answers 413, and one that came compressed and is "
			"no JSON 415");
	}
}

void blocking_done(struct blocking_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		plugin_rules_done(&r->v[i].rules);
	}
}

/* --- one route ---------------------------------------------------------------------------------- */

/* While the list of a route is made. */
struct making {
	struct blocking_case *v;
	size_t n, room;
	struct blocking_list *known; /* the last part of it is all of this one */
};

static void add_case(struct making *m, const struct strings *domains, const struct blocking *b)
{
	if (m->n == m->room) {
		m->room = m->room != 0 ? 2 * m->room : 8;
		m->v = must_realloc(m->v, m->room * sizeof(*m->v));
	}
	m->v[m->n++] = (struct blocking_case){domains, b};
}

static struct blocking_list *of_hit(const struct blocking_instance *k, const struct plugin_hit *hit)
{
	if (hit->off || (hit->choice != PLUGIN_RULE && hit->choice != PLUGIN_DEFAULT)) {
		return NULL;
	}
	return k->of_rule[hit->choice == PLUGIN_RULE ? hit->index : k->rules.plugin->n_rules];
}

/* Cases of a target that refuse nothing at all are none. */
static void add_target(struct blocking_rules *r, const struct blocking_instance *k,
	const struct plugin_target *t, struct making *m)
{
	struct plugin_case cases[BLOCKING_DOMAINS_MAX + 1];
	size_t n = plugin_rules_cases(&k->rules, t, cases, ARRAY_LEN(cases));
	bool any = false;

	if (k->rules.invalid || n > ARRAY_LEN(cases)) {
		if (!k->rules.invalid) {
			struct finding at = build_error(k->rules.object,
				build_place(k->rules.object->root), "request-block-invalid");

			findings_add(r->findings, &at,
				"more than %u rules of request-block for domains hold for some hosts of "
				"the route " BYTES_FMT
				", which answers 503: give the route its hosts",
				BLOCKING_DOMAINS_MAX, BYTES_ARG(t->route));
		}
		add_case(m, NULL, r->broken);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const struct blocking_list *l = of_hit(k, &cases[i].hit);

		any = any || (l != NULL && l->v[0].blocking != NULL);
	}
	for (size_t i = 0; any && i < n; i++) {
		struct blocking_list *l = of_hit(k, &cases[i].hit);

		add_case(m,
			cases[i].domains != NULL ? plugin_rules_keep(cases[i].domains, r->arena)
						 : NULL,
			l != NULL ? l->v[0].blocking : NULL);
		m->known = l;
	}
}

/* The same as what stands before it: as a rule the services of a route have no rules of their own. */
static bool repeats(const struct making *m, size_t from, size_t before)
{
	if (before == SIZE_MAX || m->n - from != from - before) {
		return false;
	}
	for (size_t i = from; i < m->n; i++) {
		const struct blocking_case *x = &m->v[i];
		const struct blocking_case *y = &m->v[i - from + before];

		if (x->blocking != y->blocking || (x->domains == NULL) != (y->domains == NULL)) {
			return false;
		}
	}
	return true;
}

static void add_instance(struct blocking_rules *r, const struct blocking_instance *k,
	const struct plugin_target *targets, size_t n, struct making *m)
{
	size_t before = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		size_t from = m->n;

		add_target(r, k, &targets[i], m);
		if (repeats(m, from, before)) {
			m->n = from;
		} else {
			before = from;
		}
	}
}

const struct blocking_list *blocking_find(
	struct blocking_rules *r, const struct plugin_target *targets, size_t n)
{
	struct making m = {.n = 0};
	struct blocking_list *l = NULL;

	for (size_t i = 0; i < r->n; i++) {
		add_instance(r, &r->v[i], targets, n, &m);
	}
	if (m.n == 1 && m.known != NULL) {
		l = m.known;
	} else if (m.n != 0) {
		l = arena_must(r->arena, sizeof(*l));
		l->v = arena_must(r->arena, m.n * sizeof(*l->v));
		memcpy(l->v, m.v, m.n * sizeof(*l->v));
		l->n = m.n;
		for (size_t i = 0; i < l->n; i++) {
			const struct blocking *b = l->v[i].blocking;

			l->reads_bodies = l->reads_bodies || (b != NULL && b->bodies != NULL);
		}
	}
	free(m.v);
	return l;
}
