/*
 * WasmPlugins and their rules (higress-resources.md §2.8). A list of rules can be long: it is searched
 * without opening what is in it, and a new rule is put where the order wants it.
 */
#include "resource/op_int.h"

/* --- built-in plugins --------------------------------------------------------------------------- */

#define ICON_A                                \
	"https://img.alicdn.com/imgextra/i1/" \
	"O1CN018iKKih1iVx287RltL_!!6000000004419-2-tps-42-42.png"
#define ICON_B                                \
	"https://img.alicdn.com/imgextra/i4/" \
	"O1CN01BPFGlT1pGZ2VDLgaH_!!6000000005333-2-tps-42-42.png"

const struct op_plugin op_plugin_ai_proxy = {"ai-proxy", "2.0.1", "2.0.1", "AI Proxy",
	"Provide unified OpenAI API compatible interface to call different AI service providers.",
	ICON_A, "ai", NULL, 100, NULL};
const struct op_plugin op_plugin_key_auth = {"key-auth", "1.0.0", "2.0.0", "Key Auth",
	"Authentication based on API Key.", ICON_B, "auth", "AUTHN", 310, NULL};
const struct op_plugin op_plugin_model_router = {"model-router", "2.0.1", "2.0.1",
	"AI Model Router",
	"Implements the functionality of routing based on the `model` parameter in the LLM protocol.",
	ICON_A, "ai", "AUTHN", 900, NULL};
const struct op_plugin op_plugin_model_mapper = {"model-mapper", "2.0.1", "2.0.1",
	"AI Model Mapper",
	"Implements the functionality of rule-based model value mapping in the LLM protocol.",
	ICON_A, "ai", "AUTHN", 800, NULL};
const struct op_plugin op_plugin_ai_statistics = {"ai-statistics", "2.0.1", "2.0.1",
	"AI Statistics",
	"Provides statistics of token usage, including logs, monitoring, and alerts.", ICON_A, "ai",
	NULL, 900, NULL};

struct bytes op_plugin_object(struct op *o, const struct op_plugin *p, bool internal)
{
	return internal ? op_textf(o, "%s.internal", p->name)
			: op_textf(o, "%s-%s", p->name, p->version);
}

/* The pattern's ${name} and ${version} filled in. */
static struct bytes fill_pattern(struct op *o, const struct op_plugin *p)
{
	static const struct bytes words[] = {
		{"${name}", sizeof("${name}") - 1}, {"${version}", sizeof("${version}") - 1}};
	const char *const values[] = {p->name, p->version};
	struct bytes rest = bytes_str(o->plugin_url), out;
	struct text t;

	text_init(&t, 4096);
	while (rest.n > 0) {
		size_t used = 1;

		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			if (bytes_starts(rest, words[i])) {
				text_add_str(&t, values[i]);
				used = words[i].n;
			}
		}
		if (used == 1) {
			text_add_char(&t, rest.p[0]);
		}
		rest = bytes_of(rest.p + used, rest.n - used);
	}
	out = arena_copy(o->arena, text_bytes(&t));
	text_done(&t);
	return out;
}

struct bytes op_plugin_url(struct op *o, const struct op_plugin *p)
{
	if (o->plugin_url != NULL) {
		return fill_pattern(o, p);
	}
	return op_textf(o, "oci://higress-registry.cn-hangzhou.cr.aliyuncs.com/plugins/%s:%s",
		p->image != NULL ? p->image : p->name, p->tag);
}

static void put_label(struct op *o, struct doc *root, const char *key, const char *value)
{
	doc_set(o->arena, op_labels(o, root), key, doc_str(o->arena, value));
}

static void put_note(struct op *o, struct doc *root, const char *key, const char *value)
{
	if (value != NULL) {
		doc_set(o->arena, op_annotations(o, root), key, doc_str(o->arena, value));
	}
}

/* What says which plugin it is. */
static void describe(struct op *o, struct doc *root, const struct op_plugin *p, struct bytes name)
{
	struct doc *spec = doc_need_map(o->arena, root, "spec");

	op_mark(o, root, name);
	put_label(o, root, "higress.io/wasm-plugin-name", p->name);
	put_label(o, root, "higress.io/wasm-plugin-version", p->version);
	put_label(o, root, "higress.io/wasm-plugin-category", p->category);
	put_label(o, root, "higress.io/wasm-plugin-built-in", "true");
	put_note(o, root, "higress.io/wasm-plugin-title", p->title);
	put_note(o, root, "higress.io/wasm-plugin-description", p->description);
	put_note(o, root, "higress.io/wasm-plugin-icon", p->icon);
	doc_set(o->arena, spec, "url", doc_string(o->arena, op_plugin_url(o, p)));
	if (p->phase != NULL) {
		doc_set(o->arena, spec, "phase", doc_str(o->arena, p->phase));
	} else {
		doc_drop(o->arena, spec, "phase");
	}
	doc_set(o->arena, spec, "priority", doc_int(o->arena, p->priority));
	doc_set(o->arena, spec, "failStrategy", doc_str(o->arena, "FAIL_OPEN"));
}

const struct doc *op_plugin_look(struct op *o, const struct op_plugin *p, bool internal)
{
	return draft_look(&o->draft, RESOURCE_WASMPLUGIN, op_plugin_object(o, p, internal));
}

struct doc *op_plugin_need(struct op *o, const struct op_plugin *p, bool internal)
{
	struct bytes name = op_plugin_object(o, p, internal), version;
	bool made = draft_look(&o->draft, RESOURCE_WASMPLUGIN, name) == NULL;
	struct doc *root = draft_need(&o->draft, RESOURCE_WASMPLUGIN, name);
	struct doc *spec = doc_need_map(o->arena, root, "spec");

	version = doc_text(doc_get(o->arena, doc_at(o->arena, root, "metadata.labels"),
				   "higress.io/wasm-plugin-version"),
		BYTES(""));
	if (made || !bytes_eq(version, bytes_str(p->version))) {
		describe(o, root, p, name);
	}
	if (made) {
		doc_set(o->arena, spec, "defaultConfigDisable", doc_bool(o->arena, true));
		doc_need_map(o->arena, root, "status");
	}
	return root;
}

/* --- targets of a rule -------------------------------------------------------------------------- */

/* Over the texts of one of a rule's lists, whether the rule was opened or not. */
struct texts {
	const struct yaml_node *y;
	const struct doc *d;
};

static struct texts texts_of(struct op *o, const struct doc *rule, const char *key)
{
	if (rule->closed && rule->origin != NULL) {
		const struct yaml_node *list = yaml_get(rule->origin, key);

		return (struct texts){
			.y = list != NULL && list->type == YAML_SEQ ? list->items : NULL};
	}
	return (struct texts){.d = doc_first(o->arena, doc_get(o->arena, rule, key))};
}

static bool texts_next(struct texts *t, struct bytes *out)
{
	if (t->y != NULL) {
		*out = t->y->text;
		t->y = t->y->next;
		return true;
	}
	if (t->d != NULL) {
		*out = t->d->text;
		t->d = t->d->next;
		return true;
	}
	return false;
}

static bool names_any(struct op *o, const struct doc *rule, const char *key)
{
	struct texts t = texts_of(o, rule, key);
	struct bytes text;

	return texts_next(&t, &text);
}

bool op_rule_names(struct op *o, const struct doc *rule, const char *key, struct bytes name)
{
	struct texts t = texts_of(o, rule, key);
	struct bytes text;

	while (texts_next(&t, &text)) {
		if (bytes_eq(text, name)) {
			return true;
		}
	}
	return false;
}

/* Whether the list is as a set exactly {name}, or empty when name is. */
static bool only(struct op *o, const struct doc *rule, const char *key, struct bytes name)
{
	struct texts t = texts_of(o, rule, key);
	struct bytes text;
	size_t n = 0;

	for (; texts_next(&t, &text); n++) {
		if (!bytes_eq(text, name)) {
			return false;
		}
	}
	return name.n == 0 || n > 0;
}

static bool is_of(struct op *o, const struct doc *rule, const struct op_target *t)
{
	return only(o, rule, "ingress", t->ingress) && only(o, rule, "service", t->service) &&
		only(o, rule, "domain", t->domain);
}

/* --- their order -------------------------------------------------------------------------------- */

/* UTF-16 code units of UTF-8 texts: what lies beyond U+FFFF comes before U+E000. */
static int utf16_order(struct bytes x, struct bytes y)
{
	size_t n = MIN(x.n, y.n), i = 0;
	unsigned cx, cy;

	while (i < n && x.p[i] == y.p[i]) {
		i++;
	}
	if (i == n) {
		return (x.n > y.n) - (x.n < y.n);
	}
	cx = (unsigned char)x.p[i];
	cy = (unsigned char)y.p[i];
	if (cx >= 0xee && cy >= 0xee && (cx >= 0xf0) != (cy >= 0xf0)) {
		return cx >= 0xf0 ? -1 : 1;
	}
	return cx < cy ? -1 : 1;
}

/* Element by element, the shorter first when one is the other's beginning. empty_first: where a list
 * without elements goes. */
static int list_order(
	struct op *o, const struct doc *const rules[2], const char *key, bool empty_first)
{
	struct texts x = texts_of(o, rules[0], key), y = texts_of(o, rules[1], key);
	struct bytes tx, ty;
	bool mx = texts_next(&x, &tx), my = texts_next(&y, &ty);
	int order;

	if (mx != my) {
		return mx == empty_first ? 1 : -1;
	}
	while (mx && my) {
		order = utf16_order(tx, ty);
		if (order != 0) {
			return order;
		}
		mx = texts_next(&x, &tx);
		my = texts_next(&y, &ty);
	}
	return (int)mx - (int)my;
}

static bool has_target(struct op *o, const struct doc *rule)
{
	static const char *const keys[] = {"service", "ingress", "domain"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (names_any(o, rule, keys[i])) {
			return true;
		}
	}
	return false;
}

static int rule_order(struct op *o, const struct doc *x, const struct doc *y)
{
	const struct doc *const both[2] = {x, y};
	bool tx = has_target(o, x), ty = has_target(o, y);
	int order;

	if (tx != ty) {
		return tx ? -1 : 1;
	}
	order = list_order(o, both, "service", false);
	order = order != 0 ? order : list_order(o, both, "ingress", false);
	return order != 0 ? order : list_order(o, both, "domain", true);
}

/* Stable; room holds n more. */
static void merge_sort(struct op *o, struct doc **v, struct doc **room, size_t n)
{
	size_t half = n / 2, i = 0, j = half, k = 0;

	if (n < 2) {
		return;
	}
	merge_sort(o, v, room, half);
	merge_sort(o, v + half, room, n - half);
	while (k < n) {
		bool left = j == n || (i < half && rule_order(o, v[i], v[j]) <= 0);

		room[k++] = left ? v[i++] : v[j++];
	}
	memcpy(v, room, n * sizeof(*v));
}

static bool is_sorted(struct op *o, const struct doc *rules)
{
	for (const struct doc *r = doc_first(o->arena, rules); r != NULL && r->next != NULL;
		r = r->next) {
		if (rule_order(o, r, r->next) > 0) {
			return false;
		}
	}
	return true;
}

/* The Console sorts on every write; a list that it wrote is in order already. */
static void sort_rules(struct op *o, struct doc *spec, struct doc *rules)
{
	struct doc **v, *sorted;
	size_t n = 0;

	if (is_sorted(o, rules)) {
		return;
	}
	v = arena_alloc(o->arena, rules->n * 2 * sizeof(struct doc *));
	sorted = doc_list(o->arena);
	if (v == NULL || sorted == NULL) {
		return; /* the arena is full: nothing of it will be written */
	}
	for (struct doc *r = doc_first(o->arena, rules); r != NULL; r = r->next) {
		v[n++] = r;
	}
	merge_sort(o, v, v + n, n);
	for (size_t i = 0; i < n; i++) {
		doc_append(o->arena, sorted, doc_copy(o->arena, v[i]));
	}
	doc_set(o->arena, spec, "matchRules", sorted);
}

/* --- rules -------------------------------------------------------------------------------------- */

const struct doc *op_rule_find(struct op *o, const struct doc *root, const struct op_target *t)
{
	const struct doc *r = doc_first(o->arena, doc_at(o->arena, root, "spec.matchRules"));

	while (r != NULL && !is_of(o, r, t)) {
		r = r->next;
	}
	return r;
}

static void put_target(struct op *o, struct doc *rule, const char *key, struct bytes name)
{
	if (name.n > 0) {
		doc_append(
			o->arena, doc_need_list(o->arena, rule, key), doc_string(o->arena, name));
	}
}

static struct doc *new_rule(struct op *o, const struct op_target *t)
{
	struct doc *rule = doc_map(o->arena);

	doc_set(o->arena, rule, "config", doc_map(o->arena));
	doc_set(o->arena, rule, "configDisable", doc_bool(o->arena, true));
	put_target(o, rule, "domain", t->domain);
	put_target(o, rule, "ingress", t->ingress);
	put_target(o, rule, "service", t->service);
	return rule;
}

struct doc *op_rule_need(struct op *o, struct doc *root, const struct op_target *t)
{
	struct doc *spec = doc_need_map(o->arena, root, "spec");
	struct doc *rules = doc_need_list(o->arena, spec, "matchRules");
	struct doc *rule = NULL, *at = NULL;

	sort_rules(o, spec, rules);
	rules = doc_need_list(o->arena, spec, "matchRules");
	for (struct doc *r = doc_first(o->arena, rules); r != NULL; r = r->next) {
		if (is_of(o, r, t)) {
			return r;
		}
	}
	rule = new_rule(o, t);
	for (struct doc *r = doc_first(o->arena, rules);
		r != NULL && rule != NULL && rule_order(o, r, rule) <= 0; r = r->next) {
		at = r;
	}
	doc_insert_after(o->arena, rules, at, rule);
	return rule;
}

void op_rule_set(struct op *o, struct doc *root, const struct op_target *t, struct doc *config,
	bool disabled)
{
	struct doc *rule = op_rule_need(o, root, t);

	doc_set(o->arena, rule, "config", config);
	doc_set(o->arena, rule, "configDisable", doc_bool(o->arena, disabled));
}

static void remove_rule(struct op *o, struct doc *root, struct doc *rules, struct doc *rule)
{
	doc_remove(o->arena, rules, rule);
	if (rules->n == 0) {
		doc_drop(o->arena, doc_get(o->arena, root, "spec"), "matchRules");
	}
}

bool op_rule_drop(struct op *o, struct doc *root, const struct op_target *t)
{
	struct doc *rules = doc_at(o->arena, root, "spec.matchRules");
	struct doc *r = doc_first(o->arena, rules);

	while (r != NULL && !is_of(o, r, t)) {
		r = r->next;
	}
	if (r == NULL) {
		return false;
	}
	remove_rule(o, root, rules, r);
	return true;
}

/* Takes every `target` out of a list of the rule; whether the list is empty then. */
static bool strike(struct op *o, struct doc *rule, const char *what, struct bytes target)
{
	struct doc *list = doc_get(o->arena, rule, what), *next;

	for (struct doc *i = doc_first(o->arena, list); i != NULL; i = next) {
		next = i->next;
		if (bytes_eq(i->text, target)) {
			doc_remove(o->arena, list, i);
		}
	}
	return list != NULL && list->n == 0;
}

const struct doc *op_rule_shared(struct op *o, const struct doc *root, struct bytes ingress)
{
	const struct op_target own = {.ingress = ingress};
	const struct doc *r = doc_first(o->arena, doc_at(o->arena, root, "spec.matchRules"));

	while (r != NULL &&
		(!op_rule_names(o, r, "ingress", ingress) || is_of(o, r, &own) ||
			names_any(o, r, "service") || names_any(o, r, "domain"))) {
		r = r->next;
	}
	return r;
}

void op_rule_part(struct op *o, struct doc *root, struct bytes ingress)
{
	const struct doc *shared;
	struct doc *r;

	while ((shared = op_rule_shared(o, root, ingress)) != NULL) {
		r = doc_first(o->arena, doc_at(o->arena, root, "spec.matchRules"));
		while (r != NULL && r != shared) {
			r = r->next;
		}
		if (r == NULL || strike(o, r, "ingress", ingress)) {
			return; /* the arena is full: nothing of it will be written */
		}
	}
}

void op_rules_forget_in(struct op *o, struct bytes name, const char *what, struct bytes target)
{
	struct doc *root = draft_open(&o->draft, RESOURCE_WASMPLUGIN, name), *next;
	struct doc *rules = doc_at(o->arena, root, "spec.matchRules");

	for (struct doc *r = doc_first(o->arena, rules); r != NULL; r = next) {
		next = r->next;
		if (op_rule_names(o, r, what, target) && strike(o, r, what, target)) {
			remove_rule(o, root, rules, r);
		}
	}
}

void op_rules_forget(struct op *o, const char *what, struct bytes target)
{
	struct draft_walk w = {0};
	struct bytes name;
	const struct doc *root, *r;

	while (draft_next(&o->draft, &w, RESOURCE_WASMPLUGIN, &name, &root)) {
		r = doc_first(o->arena, doc_at(o->arena, root, "spec.matchRules"));
		while (r != NULL && !op_rule_names(o, r, what, target)) {
			r = r->next;
		}
		if (r != NULL) {
			op_rules_forget_in(o, name, what, target);
		}
	}
}
