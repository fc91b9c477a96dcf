#include "plan/auth_rules.h"

#include <stdlib.h>

#include "plan/auth.h"
#include "plan/build.h"
#include "plan/consumers.h"

struct of_rule {
	bool known;
	struct auth_rule rule;
};

struct auth_instance {
	struct plugin_rules rules;
	struct consumers *global;
	struct of_rule *of_rule;  /* by rule index */
	struct auth_rule by_host; /* the last that was made */
};

/* The reference is the plan's from here on. */
static struct consumers *add_set(struct auth_rules *r, struct consumers *c)
{
	struct consumer_set *set = arena_must(r->arena, sizeof(*set));

	set->consumers = c;
	set->next = *r->all;
	*r->all = set;
	for (const struct finding *f = c->findings.first; f != NULL; f = f->next) {
		findings_add(r->findings, f, BYTES_FMT, BYTES_ARG(f->text));
	}
	return c;
}

static struct consumers *compile_set(
	struct auth_rules *r, const struct yaml_node *config, const struct object *where)
{
	return add_set(r, consumers_compile(r->plugin, config, where, r->seed));
}

/* The default configuration holds nearly all consumers there are: it is worth keeping while its file
 * stays the same. Those of rules are few. */
static struct consumers *default_set(struct auth_rules *r, const struct object *o, bool has_rules)
{
	const struct yaml_node *config =
		o->u.wasmplugin.config_disabled ? NULL : o->u.wasmplugin.config;
	struct consumers *fresh;

	for (const struct consumer_set *s = r->before; s != NULL; s = s->next) {
		if (s->consumers->plugin == r->plugin && s->consumers->has_rules == has_rules &&
			consumers_are_of(s->consumers, config, o, r->seed)) {
			return add_set(r, consumers_ref(s->consumers));
		}
	}
	fresh = consumers_compile(r->plugin, config, o, r->seed);
	fresh->has_rules = has_rules;
	return add_set(r, fresh);
}

static void init_instance(struct auth_rules *r, struct auth_instance *k, const struct object *o,
	const struct snapshot *s)
{
	const struct wasmplugin *w = &o->u.wasmplugin;

	plugin_rules_init(&k->rules, o, PLUGIN_CPP, r->seed, r->arena);
	plugin_rules_check(&k->rules, s, r->findings);
	k->global = default_set(r, o, k->rules.n_rules != 0);
	k->of_rule = arena_must(r->arena, (w->n_rules + 1) * sizeof(*k->of_rule));
}

void auth_rules_init(struct auth_rules *r, enum auth_plugin plugin, const struct snapshot *s,
	const struct plan_env *env, struct plan *p)
{
	static const struct finding unread = {.level = FINDING_ERROR,
		.file = {"wasmplugins", 11},
		.line = 1,
		.column = 1,
		.code = "key-auth-invalid"};
	size_t from;
	size_t n = snapshot_kind(s, RESOURCE_WASMPLUGIN, &from);

	*r = (struct auth_rules){.plugin = plugin,
		.unread = s->guard_unread && plugin == AUTH_KEY, /* one finding is enough */
		.all = &p->consumer_sets,
		.before = env->before != NULL ? env->before->consumer_sets : NULL,
		.seed = &env->seed,
		.arena = &p->arena,
		.findings = &p->findings};
	r->v = arena_must(r->arena, (n + 1) * sizeof(*r->v));
	r->nobody = compile_set(r, NULL, NULL);
	for (size_t i = from; i < from + n; i++) {
		const struct object *o = s->objects[i];

		if (bytes_eq(o->u.wasmplugin.plugin, bytes_str(auth_plugin_name(plugin)))) {
			init_instance(r, &r->v[r->n++], o, s);
		}
	}
	if (r->unread) {
		findings_add(r->findings, &unread,
			"what may be key-auth or basic-auth cannot be read; until it is corrected all "
			"routes answer 503");
	}
}

void auth_rules_done(struct auth_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		plugin_rules_done(&r->v[i].rules);
	}
}

/* --- one rule ----------------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct consumer *x = *(const struct consumer *const *)a;
	const struct consumer *y = *(const struct consumer *const *)b;

	return (x > y) - (x < y);
}

/* Names of a list that are looked up behind the one that is. */
#define AHEAD 8u

static const struct yaml_node *fetch_ahead(const struct consumers *c, const struct yaml_node *n)
{
	map_prefetch(&c->by_name, hash_bytes(&c->by_name.seed, n->text));
	return n->next;
}

static void read_allow(struct auth_rules *r, const struct auth_instance *k, struct auth_rule *rule,
	const struct yaml_node *list)
{
	const struct yaml_node *ahead = list->items;

	for (unsigned i = 0; i < AHEAD && ahead != NULL; i++) {
		ahead = fetch_ahead(rule->consumers, ahead);
	}
	rule->allow = arena_must(r->arena, (list->n + 1) * sizeof(const struct consumer *));
	for (const struct yaml_node *n = list->items; n != NULL; n = n->next) {
		struct finding at =
			build_warning(k->rules.object, build_place(n), "allow-unknown-consumer");
		struct bytes name = {0};
		const struct consumer *who;

		if (ahead != NULL) {
			ahead = fetch_ahead(rule->consumers, ahead);
		}
		if (!build_scalar(n, "allow", k->rules.object, r->findings, &name)) {
			continue;
		}
		who = consumers_find(rule->consumers, name);
		if (who != NULL) {
			rule->allow[rule->n_allow++] = who;
			continue;
		}
		findings_add(r->findings, &at,
			"allow names " BYTES_FMT
			", but there is no such consumer; correct the name "
			"or create it",
			BYTES_ARG(name));
	}
	qsort(rule->allow, rule->n_allow, sizeof(const struct consumer *), by_address);
}

/* A user's own instance whose consumers are no objects: Higress does not load such a plugin, and clients that write
 * it count on an open route (console-api.md D22). Never one of those that the Console keeps itself. */
static bool is_without_effect(
	struct auth_rules *r, const struct auth_instance *k, const struct yaml_node *config)
{
	const struct yaml_node *list = yaml_get(config, "consumers");
	const struct yaml_node *n = list != NULL && list->type == YAML_SEQ ? list->items : NULL;
	struct finding at;

	if (r->plugin != AUTH_KEY || bytes_ends(k->rules.object->meta.name, BYTES(".internal"))) {
		return false;
	}
	while (n != NULL && n->type == YAML_MAP) {
		n = n->next;
	}
	if (n == NULL) {
		return false;
	}
	at = build_warning(k->rules.object, build_place(n), "consumer-list-ignored");
	findings_add(r->findings, &at,
		"key-auth: a consumer must be an object with name and credential; this rule has no "
		"effect, and what it was meant to protect stays open");
	return true;
}

/* basic-auth reads an empty list as none, so that every user may; key-auth lets nobody in. */
static bool is_for_all(const struct auth_rules *r, const struct yaml_node *allow)
{
	return r->plugin == AUTH_BASIC && allow->n == 0;
}

static struct auth_rule read_rule(
	struct auth_rules *r, const struct auth_instance *k, const struct plugin_hit *hit)
{
	const struct yaml_node *allow = yaml_get(hit->config, "allow");
	bool listed = allow != NULL && allow->type != YAML_NULL;
	bool local = consumers_are_in(hit->config);
	struct auth_rule rule = {.need = AUTH_ALLOW_LIST, .consumers = k->global};

	if (local && is_without_effect(r, k, hit->config)) {
		rule.need = AUTH_PASS;
		return rule;
	}
	if (local) {
		rule.consumers = compile_set(r, hit->config, k->rules.object);
	}
	if (rule.consumers->invalid || (listed && allow->type != YAML_SEQ)) {
		if (!rule.consumers->invalid) {
			struct finding at = build_error(k->rules.object, build_place(allow),
				r->plugin == AUTH_BASIC ? "basic-auth-invalid"
							: "key-auth-invalid");

			findings_add(r->findings, &at,
				"allow must be a list; until it is corrected the route answers 503");
		}
		rule.need = AUTH_BROKEN;
	} else if (consumers_are_anonymous(rule.consumers) || (local && !listed) ||
		(listed && is_for_all(r, allow))) {
		rule.need = AUTH_ANY_CONSUMER;
	} else if (listed) {
		read_allow(r, k, &rule, allow);
	}
	return rule;
}

/* --- one target --------------------------------------------------------------------------------- */

/* What holds where no rule does. */
static struct auth_rule without_rule(const struct auth_instance *k)
{
	const struct consumers *c = k->global;
	bool open = c->has_rules ? c->global_auth != 1 : c->global_auth == 0;
	struct auth_rule rule = {.need = open ? AUTH_PASS : AUTH_ANY_CONSUMER, .consumers = c};

	/* A rule without target, or a form that is not read, might be meant for any route. */
	if (k->rules.invalid || (c->invalid && !open)) {
		rule.need = AUTH_BROKEN;
	}
	return rule;
}

static struct auth_rule rule_of_hit(
	struct auth_rules *r, struct auth_instance *k, const struct plugin_hit *hit)
{
	struct auth_rule rule = {.need = AUTH_PASS, .consumers = k->global};

	if (hit->choice == PLUGIN_RULE) {
		if (!hit->off && !k->of_rule[hit->index].known) {
			k->of_rule[hit->index].known = true;
			k->of_rule[hit->index].rule = read_rule(r, k, hit);
		}
		return hit->off ? rule : k->of_rule[hit->index].rule;
	}
	return k->rules.loaded || k->rules.invalid ? without_rule(k) : rule;
}

static bool same(const struct auth_rule *a, const struct auth_rule *b)
{
	return a->need == b->need && a->consumers == b->consumers && a->allow == b->allow &&
		a->n_allow == b->n_allow && a->cases == b->cases;
}

static bool same_cases(const struct auth_rule *a, const struct auth_case *v, size_t n)
{
	bool yes = a->n_cases == n;

	for (size_t i = 0; yes && i < n; i++) {
		yes = same(&a->cases[i].rule, &v[i].rule) &&
			plugin_domains_are_same(a->cases[i].domains, v[i].domains);
	}
	return yes;
}

/* Routes of one group share it: what they demand together is looked at before the body. */
static struct auth_rule by_host(
	struct auth_rules *r, struct auth_instance *k, struct auth_case *v, size_t n)
{
	struct auth_case *kept;

	if (same_cases(&k->by_host, v, n)) {
		return k->by_host;
	}
	kept = arena_must(r->arena, n * sizeof(*kept));
	for (size_t i = 0; i < n; i++) {
		kept[i] = v[i];
		if (v[i].domains != NULL) {
			kept[i].domains = plugin_rules_keep(v[i].domains, r->arena);
		}
	}
	k->by_host = (struct auth_rule){
		.need = AUTH_BY_HOST, .consumers = k->global, .cases = kept, .n_cases = n};
	return k->by_host;
}

static struct auth_rule too_many(
	struct auth_rules *r, const struct auth_instance *k, const struct plugin_target *t)
{
	struct finding at = build_error(
		k->rules.object, build_place(k->rules.object->root), "unsupported-condition");

	findings_add(r->findings, &at,
		"more than %u rules of %s for domains hold for some hosts of the route " BYTES_FMT
		", which answers 503: give the route its hosts",
		AUTH_DOMAINS_MAX, auth_plugin_name(r->plugin), BYTES_ARG(t->route));
	return (struct auth_rule){.need = AUTH_BROKEN, .consumers = k->global};
}

static struct auth_rule rule_of(
	struct auth_rules *r, struct auth_instance *k, const struct plugin_target *t)
{
	struct plugin_case found[AUTH_DOMAINS_MAX + 1];
	struct auth_case cases[AUTH_DOMAINS_MAX + 1];
	size_t n = plugin_rules_cases(&k->rules, t, found, ARRAY_LEN(found));
	bool differ = false;

	if (n == 1) {
		return rule_of_hit(r, k, &found[0].hit);
	}
	if (n > ARRAY_LEN(found)) {
		return too_many(r, k, t);
	}
	for (size_t i = 0; i < n; i++) {
		cases[i] = (struct auth_case){found[i].domains, rule_of_hit(r, k, &found[i].hit)};
		differ = differ || !same(&cases[i].rule, &cases[0].rule);
	}
	return differ ? by_host(r, k, cases, n) : cases[0].rule;
}

/* Who may call is decided before the upstream is chosen, so all upstreams have to agree. */
static struct auth_rule rule_of_all(struct auth_rules *r, struct auth_instance *k,
	const struct plugin_target *targets, size_t n)
{
	struct auth_rule rule = rule_of(r, k, &targets[0]);

	for (size_t i = 1; i < n; i++) {
		struct auth_rule other = rule_of(r, k, &targets[i]);
		struct finding at = build_error(k->rules.object, build_place(k->rules.object->root),
			"unsupported-condition");

		if (same(&rule, &other)) {
			continue;
		}
		findings_add(r->findings, &at,
			"rules of %s for services demand different things of the route " BYTES_FMT
			"; it answers 503: write one rule for the route",
			auth_plugin_name(r->plugin), BYTES_ARG(targets[0].route));
		rule.need = AUTH_BROKEN;
		break;
	}
	return rule;
}

struct auth_rule auth_rules_find(
	struct auth_rules *r, const struct plugin_target *targets, size_t n)
{
	struct auth_rule result = {.need = AUTH_PASS, .consumers = auth_rules_consumers(r)};

	for (size_t i = 0; i < r->n; i++) {
		struct auth_rule rule = rule_of_all(r, &r->v[i], targets, n);

		if (rule.need == AUTH_PASS) {
			continue;
		}
		if (result.need != AUTH_PASS) {
			struct finding at = build_error(r->v[i].rules.object,
				build_place(r->v[i].rules.object->root), "plugin-duplicate");

			findings_add(r->findings, &at,
				"a second %s demands something of the route " BYTES_FMT
				" too; it answers 503: put the rules into one plugin",
				auth_plugin_name(r->plugin), BYTES_ARG(targets[0].route));
			rule.need = AUTH_BROKEN;
		}
		result = rule;
	}
	if (r->unread) {
		result.need = AUTH_BROKEN;
	}
	return result;
}

struct consumers *auth_rules_consumers(const struct auth_rules *r)
{
	return r->n != 0 ? r->v[0].global : r->nobody;
}
