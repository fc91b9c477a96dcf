#include <stdlib.h>

#include "base/regex.h"
#include "plan/build.h"
#include "plan/provider.h"

static int by_from(const void *a, const void *b)
{
	const struct mapping_rule *x = a;
	const struct mapping_rule *y = b;

	return bytes_cmp(x->from, y->from);
}

/* Of two prefixes of one model the longer one holds; equal lengths never match together. */
static int by_length(const void *a, const void *b)
{
	const struct mapping_rule *x = a;
	const struct mapping_rule *y = b;

	if (x->from.n != y->from.n) {
		return x->from.n > y->from.n ? -1 : 1;
	}
	return bytes_cmp(x->from, y->from);
}

static struct bytes target_or(struct bytes target, struct bytes model)
{
	return target.n != 0 ? target : model;
}

/* The first expression that matches: false when none does. */
static bool apply_regex(
	const struct mapping *m, struct bytes model, struct arena *a, struct bytes *out)
{
	for (size_t i = 0; i < m->n_regexes; i++) {
		const struct mapping_regex *x = &m->regexes[i];
		char room[MAPPING_MODEL_MAX];
		struct text t;

		text_init_fixed(&t, room, sizeof(room));
		if (x->to.n == 0 ? !regex_matches(x->from, model)
				 : !regex_replace(x->from, model, x->to, &t)) {
			continue;
		}
		*out = model;
		if (x->to.n != 0 && !text_full(&t)) {
			*out = arena_copy(a, text_bytes(&t));
		}
		return out->p != NULL;
	}
	return false;
}

struct bytes mapping_apply(const struct mapping *m, struct bytes model, struct arena *a)
{
	struct mapping_rule key = {.from = model};
	const struct mapping_rule *hit = NULL;
	struct bytes made;

	if (model.n != 0 && m->n_exact != 0) {
		hit = bsearch(&key, m->exact, m->n_exact, sizeof(*m->exact), by_from);
	}
	for (size_t i = 0; hit == NULL && model.n != 0 && i < m->n_prefixes; i++) {
		if (bytes_starts(model, m->prefixes[i].from)) {
			hit = &m->prefixes[i];
		}
	}
	if (hit != NULL) {
		return target_or(hit->to, model);
	}
	if (model.n != 0 && apply_regex(m, model, a, &made)) {
		return made;
	}
	return m->has_default ? target_or(m->fallback, model) : model;
}

bool mapping_is_empty(const struct mapping *m)
{
	return m->n_exact == 0 && m->n_prefixes == 0 && m->n_regexes == 0 && !m->has_default;
}

static int by_text(const void *a, const void *b)
{
	const struct bytes *x = a;
	const struct bytes *y = b;

	return bytes_cmp(*x, *y);
}

bool mapping_knows(const struct mapping *m, struct bytes model)
{
	return model.n != 0 && m->n_known != 0 &&
		bsearch(&model, m->known, m->n_known, sizeof(*m->known), by_text) != NULL;
}

static void list_known(struct mapping *m, struct arena *a)
{
	m->known = arena_must(a, (2 * m->n_exact + m->n_prefixes + 1) * sizeof(*m->known));
	for (size_t i = 0; i < m->n_exact; i++) {
		m->known[m->n_known++] = m->exact[i].from;
		m->known[m->n_known++] = m->exact[i].to;
	}
	for (size_t i = 0; i < m->n_prefixes; i++) {
		m->known[m->n_known++] = m->prefixes[i].to;
	}
	if (m->has_default) {
		m->known[m->n_known++] = m->fallback;
	}
	qsort(m->known, m->n_known, sizeof(*m->known), by_text);
}

struct compiling {
	struct mapping *out;
	const struct object *where;
	struct arena *arena;
	struct findings *findings;
};

static void end_regex(void *of)
{
	regex_free(of);
}

static int refuse_regex(const struct compiling *c, const struct yaml_node *value, const char *why)
{
	struct finding at = build_error(c->where, build_place(value), "bad-regex");

	findings_add(c->findings, &at, "the mapping of " BYTES_FMT " cannot be used: %s",
		BYTES_ARG(value->key->text), why);
	return ERR_SYNTAX;
}

/* "~expression": it may match anywhere in a model's name. A '*' at its end is a part of it. */
static int add_regex(const struct compiling *c, const struct yaml_node *value, struct bytes to)
{
	struct bytes pattern = value->key->text;
	struct fault fault;
	struct regex *r;

	pattern = bytes_of(pattern.p + 1, pattern.n - 1);
	r = regex_new_search(pattern, &fault);
	if (r == NULL) {
		return refuse_regex(c, value, fault.text);
	}
	arena_at_end(c->arena, end_regex, r);
	if (!regex_knows(r, to)) {
		return refuse_regex(c, value, "its target names a group that the expression lacks");
	}
	c->out->regexes[c->out->n_regexes++] = (struct mapping_regex){r, to};
	return 0;
}

static int add_name(const struct compiling *c, struct bytes from, struct bytes to)
{
	struct mapping *m = c->out;

	if (bytes_eq(from, BYTES("*"))) {
		m->has_default = true;
		m->fallback = to;
	} else if (bytes_ends(from, BYTES("*"))) {
		from.n--;
		m->prefixes[m->n_prefixes++] =
			(struct mapping_rule){build_text(c->arena, from), to};
	} else {
		m->exact[m->n_exact++] = (struct mapping_rule){build_text(c->arena, from), to};
	}
	return 0;
}

static int add_entry(const struct compiling *c, const struct yaml_node *value)
{
	struct bytes from = value->key->text;
	struct bytes to = {0};

	if (value->type != YAML_NULL &&
		!build_scalar(value, "a model name", c->where, c->findings, &to)) {
		return ERR_SYNTAX;
	}
	to = build_text(c->arena, to);
	if (bytes_starts(from, BYTES("~"))) {
		return add_regex(c, value, to);
	}
	return add_name(c, from, to);
}

/* Room for n entries of each kind. */
static void begin(const struct compiling *c, size_t n)
{
	c->out->exact = arena_must(c->arena, (n + 1) * sizeof(*c->out->exact));
	c->out->prefixes = arena_must(c->arena, (n + 1) * sizeof(*c->out->prefixes));
	c->out->regexes = arena_must(c->arena, (n + 1) * sizeof(*c->out->regexes));
}

static void sort(struct mapping *m)
{
	qsort(m->exact, m->n_exact, sizeof(*m->exact), by_from);
	qsort(m->prefixes, m->n_prefixes, sizeof(*m->prefixes), by_length);
}

int mapping_compile(struct mapping *out, const struct yaml_node *node, const struct object *where,
	struct arena *a, struct findings *f)
{
	struct mapping m = {0};
	const struct compiling c = {&m, where, a, f};
	int err = 0;

	if (node == NULL || node->type == YAML_NULL) {
		*out = m;
		return 0;
	}
	if (node->type != YAML_MAP) {
		struct finding at = build_error(where, build_place(node), "map-expected");

		findings_add(f, &at, "modelMapping must be a map from model names to model names");
		return ERR_SYNTAX;
	}
	begin(&c, node->n);
	for (const struct yaml_node *v = node->items; v != NULL; v = v->next) {
		int rc = add_entry(&c, v);

		err = err != 0 ? err : rc;
	}
	if (err != 0) {
		return err;
	}
	sort(&m);
	list_known(&m, a);
	*out = m;
	return 0;
}

/* --- patterns ----------------------------------------------------------------------------------- */

static int add_pattern(const struct compiling *c, const struct yaml_node *n)
{
	struct yaml_node as_key = *n;
	struct bytes text = {0};

	if (!build_scalar(n, "a pattern of models", c->where, c->findings, &text)) {
		return ERR_SYNTAX;
	}
	as_key.key = &as_key;
	as_key.text = text;
	return bytes_starts(text, BYTES("~")) ? add_regex(c, &as_key, (struct bytes){"", 0})
					      : add_name(c, text, (struct bytes){"", 0});
}

int mapping_compile_patterns(struct mapping *out, const struct yaml_node *node,
	const struct object *where, struct arena *a, struct findings *f)
{
	struct mapping m = {0};
	const struct compiling c = {&m, where, a, f};
	int err = 0;

	if (node == NULL || node->type == YAML_NULL) {
		*out = m;
		return 0;
	}
	if (node->type != YAML_SEQ) {
		struct finding at = build_error(where, build_place(node), "list-expected");

		findings_add(f, &at, "a list of model names and patterns is expected here");
		return ERR_SYNTAX;
	}
	begin(&c, node->n);
	for (const struct yaml_node *v = node->items; v != NULL && err == 0; v = v->next) {
		err = add_pattern(&c, v);
	}
	if (err != 0) {
		return err;
	}
	sort(&m);
	*out = m;
	return 0;
}

bool mapping_matches(const struct mapping *m, struct bytes model)
{
	struct mapping_rule key = {.from = model};

	if (m->has_default ||
		(m->n_exact != 0 &&
			bsearch(&key, m->exact, m->n_exact, sizeof(*m->exact), by_from) != NULL)) {
		return true;
	}
	for (size_t i = 0; i < m->n_prefixes; i++) {
		if (bytes_starts(model, m->prefixes[i].from)) {
			return true;
		}
	}
	for (size_t i = 0; i < m->n_regexes; i++) {
		if (regex_matches(m->regexes[i].from, model)) {
			return true;
		}
	}
	return false;
}
