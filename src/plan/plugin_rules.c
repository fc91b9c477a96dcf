#include "plan/plugin_rules.h"

#include "base/num.h"
#include "plan/build.h"

/* Thousands of routes each have a rule of their own, so rules are found by name; only those for
 * domains are walked. */
struct rule_ref {
	const struct plugin_rule *rule;
	size_t index;
	struct rule_ref *next;
};

enum kind { BY_NOTHING, BY_INGRESS, BY_SERVICE, BY_DOMAIN };

static enum kind kind_of(const struct plugin_rules *p, const struct plugin_rule *r)
{
	bool domain_first = p->maker == PLUGIN_GO;

	if (r->ingress.n != 0) {
		return BY_INGRESS;
	}
	if (r->domain.n != 0 && (domain_first || r->service.n == 0)) {
		return BY_DOMAIN;
	}
	return r->service.n != 0 ? BY_SERVICE : BY_NOTHING;
}

/* Rules are indexed from the last to the first, so that putting in front keeps their order. */
static void index_names(
	struct map *m, const struct strings *names, struct arena *a, const struct rule_ref *proto)
{
	for (size_t i = 0; i < names->n; i++) {
		struct rule_ref *ref = arena_must(a, sizeof(*ref));

		*ref = *proto;
		ref->next = map_put(m, names->v[i], ref);
	}
}

static void index_rule(struct plugin_rules *p, size_t i, struct arena *a)
{
	const struct plugin_rule *r = &p->plugin->rules[i];
	struct rule_ref proto = {.rule = r, .index = i};
	struct rule_ref *ref;

	if (r->disabled) {
		return;
	}
	p->n_rules++;
	switch (kind_of(p, r)) {
	case BY_INGRESS:
		index_names(&p->by_ingress, &r->ingress, a, &proto);
		break;
	case BY_SERVICE:
		index_names(&p->by_service, &r->service, a, &proto);
		break;
	case BY_DOMAIN:
		ref = arena_must(a, sizeof(*ref));
		*ref = proto;
		ref->next = p->domains;
		p->domains = ref;
		break;
	case BY_NOTHING:
		p->invalid = true;
		break;
	}
}

void plugin_rules_init(struct plugin_rules *p, const struct object *object, enum plugin_maker maker,
	const struct hash_seed *seed, struct arena *a)
{
	*p = (struct plugin_rules){.object = object, .maker = maker};
	map_init(&p->by_ingress, seed);
	map_init(&p->by_service, seed);
	if (object == NULL) {
		return;
	}
	p->plugin = &object->u.wasmplugin;
	for (size_t i = p->plugin->n_rules; i-- > 0;) {
		index_rule(p, i, a);
	}
	p->loaded = p->n_rules != 0 || !p->plugin->config_disabled;
}

void plugin_rules_check(struct plugin_rules *p, const struct snapshot *s, struct findings *f)
{
	const struct yaml_node *raw;

	if (p->object == NULL) {
		return;
	}
	raw = yaml_get(yaml_get(p->object->root, "spec"), "pluginConfig");
	if (raw != NULL && raw->type != YAML_NULL) {
		struct finding at = build_error(p->object, build_place(raw), "unsupported-setting");

		p->invalid = true;
		findings_add(f, &at,
			"pluginConfig replaces defaultConfig and matchRules, which this version "
			"does not read; write it as those");
	}
	for (size_t i = 0; i < p->plugin->n_rules; i++) {
		const struct plugin_rule *r = &p->plugin->rules[i];
		struct finding at = build_error(p->object, r->at, "rule-without-target");

		if (r->disabled) {
			continue;
		}
		if (kind_of(p, r) == BY_NOTHING) {
			findings_add(f, &at,
				"a rule of " BYTES_FMT
				" names no ingress, service or domain, which makes the whole "
				"plugin invalid; add one or remove the rule",
				BYTES_ARG(p->plugin->plugin));
		}
		for (size_t k = 0; k < r->ingress.n; k++) {
			if (snapshot_get(s, RESOURCE_INGRESS, r->ingress.v[k]) != NULL) {
				continue;
			}
			at = build_warning(p->object, r->ingress.at[k], "rule-unknown-ingress");
			findings_add(f, &at,
				"a rule of " BYTES_FMT " names the Ingress " BYTES_FMT
				", which does not exist; correct the name or remove the rule",
				BYTES_ARG(p->plugin->plugin), BYTES_ARG(r->ingress.v[k]));
		}
	}
}

void plugin_rules_done(struct plugin_rules *p)
{
	map_done(&p->by_ingress);
	map_done(&p->by_service);
}

/* --- choosing ----------------------------------------------------------------------------------- */

/* "name" or "name:port". */
static bool service_is(struct bytes entry, const struct plugin_target *t)
{
	uint64_t port;

	if (t->service.n == 0 || !bytes_starts(entry, t->service)) {
		return false;
	}
	if (entry.n == t->service.n) {
		return true;
	}
	entry.p += t->service.n;
	entry.n -= t->service.n;
	return entry.p[0] == ':' &&
		num_parse_u64(bytes_of(entry.p + 1, entry.n - 1), 65535, &port) && port == t->port;
}

static bool any_service_is(const struct strings *list, const struct plugin_target *t)
{
	for (size_t i = 0; i < list->n; i++) {
		if (service_is(list->v[i], t)) {
			return true;
		}
	}
	return false;
}

static bool ends_nocase(struct bytes s, struct bytes end)
{
	return s.n >= end.n && bytes_eq_nocase(bytes_of(s.p + s.n - end.n, end.n), end);
}

enum answer { NO, MAYBE, YES };

/* Whether the hosts that a route's host stands for match a pattern: all, none, or some. */
static enum answer domain_matches(struct bytes pattern, struct bytes host)
{
	bool wild = bytes_starts(host, BYTES("*"));
	struct bytes tail = wild ? bytes_of(host.p + 1, host.n - 1) : host;

	if (bytes_starts(pattern, BYTES("*"))) { /* a suffix */
		pattern.p++;
		pattern.n--;
		if (ends_nocase(tail, pattern)) {
			return YES;
		}
		return wild && ends_nocase(pattern, tail) ? MAYBE : NO;
	}
	if (bytes_ends(pattern, BYTES("*"))) { /* a prefix */
		pattern.n--;
		if (wild) {
			return pattern.n == 0 ? YES : MAYBE;
		}
		return bytes_starts_nocase(host, pattern) ? YES : NO;
	}
	if (wild) {
		return pattern.n > tail.n && ends_nocase(pattern, tail) ? MAYBE : NO;
	}
	return bytes_eq_nocase(pattern, host) ? YES : NO;
}

static enum answer any_domain_matches(const struct strings *list, struct bytes host)
{
	enum answer best = NO;

	for (size_t i = 0; i < list->n; i++) {
		best = MAX(best, domain_matches(list->v[i], host));
	}
	return best;
}

static void prefer(const struct rule_ref **best, const struct rule_ref *ref)
{
	if (*best == NULL || ref->index < (*best)->index) {
		*best = ref;
	}
}

/* The first rule of the route, and the first of the service in either spelling. */
static const struct rule_ref *first_by_name(
	const struct plugin_rules *p, const struct plugin_target *t)
{
	const struct rule_ref *best = NULL;
	const struct rule_ref *ref = map_get(&p->by_ingress, t->route);
	char spelled[300];
	size_t n = t->service.n;

	while (ref != NULL && ref->rule->service.n != 0 &&
		!any_service_is(&ref->rule->service, t)) {
		ref = ref->next;
	}
	best = ref;
	if (n == 0) {
		return best;
	}
	ref = map_get(&p->by_service, t->service);
	if (ref != NULL) {
		prefer(&best, ref);
	}
	if (n + 1 + NUM_U64_MAX <= sizeof(spelled)) {
		memcpy(spelled, t->service.p, n);
		spelled[n++] = ':';
		n += num_format_u64(spelled + n, t->port);
		ref = map_get(&p->by_service, bytes_of(spelled, n));
		if (ref != NULL) {
			prefer(&best, ref);
		}
	}
	return best;
}

static struct plugin_hit hit_of(const struct plugin_rules *p, const struct rule_ref *best)
{
	struct plugin_hit hit = {.choice = PLUGIN_RULE};
	const struct yaml_node *off;

	if (best == NULL) {
		hit.choice = p->plugin->config_disabled ? PLUGIN_NOTHING : PLUGIN_DEFAULT;
		hit.config = p->plugin->config;
		return hit;
	}
	hit.rule = best->rule;
	hit.index = best->index;
	hit.config = best->rule->config;
	off = yaml_get(hit.config, "_disable_");
	hit.off = off != NULL && off->type == YAML_BOOL && off->boolean;
	return hit;
}

size_t plugin_rules_cases(const struct plugin_rules *p, const struct plugin_target *t,
	struct plugin_case *out, size_t max)
{
	const struct rule_ref *best = p->loaded ? first_by_name(p, t) : NULL;
	struct plugin_case last = {NULL, {.choice = PLUGIN_NOTHING}};
	size_t n = 0;

	for (const struct rule_ref *d = p->loaded ? p->domains : NULL; d != NULL; d = d->next) {
		enum answer a = NO;

		if (best == NULL || d->index < best->index) {
			a = any_domain_matches(&d->rule->domain, t->host);
		}
		if (a == MAYBE && n < max) {
			out[n] = (struct plugin_case){&d->rule->domain, hit_of(p, d)};
		}
		n += a == MAYBE;
		best = a == YES ? d : best;
	}
	if (p->loaded) {
		last.hit = hit_of(p, best);
	}
	if (n < max) {
		out[n] = last;
	}
	return n + 1;
}

struct plugin_hit plugin_rules_choose(const struct plugin_rules *p, const struct plugin_target *t)
{
	struct plugin_case first;

	IGNORE(plugin_rules_cases(p, t, &first, 1));
	if (first.domains != NULL) {
		first.hit = (struct plugin_hit){.choice = PLUGIN_UNSURE};
	}
	return first.hit;
}

bool plugin_domain_is_any(const struct strings *domains, struct bytes host)
{
	return any_domain_matches(domains, host) == YES;
}

const struct strings *plugin_rules_keep(const struct strings *domains, struct arena *a)
{
	struct strings *s = arena_must(a, sizeof(*s));

	s->v = arena_must(a, (domains->n + 1) * sizeof(*s->v));
	for (size_t i = 0; i < domains->n; i++) {
		s->v[s->n++] = build_text(a, domains->v[i]);
	}
	return s;
}

bool plugin_domains_are_same(const struct strings *x, const struct strings *y)
{
	if (x == NULL || y == NULL || x->n != y->n) {
		return x == y;
	}
	for (size_t i = 0; i < x->n; i++) {
		if (!bytes_eq(x->v[i], y->v[i])) {
			return false;
		}
	}
	return true;
}
