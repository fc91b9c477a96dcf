#include <stdlib.h>

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

struct bytes mapping_apply(const struct mapping *m, struct bytes model)
{
	struct mapping_rule key = {.from = model};
	const struct mapping_rule *hit = NULL;

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
	return m->has_default ? target_or(m->fallback, model) : model;
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

static int add_entry(const struct compiling *c, const struct yaml_node *value)
{
	struct mapping *m = c->out;
	struct bytes from = value->key->text;
	struct bytes to = {0};

	if (bytes_starts(from, BYTES("~"))) {
		struct finding at =
			build_error(c->where, build_place(value), "unsupported-mapping");

		findings_add(c->findings, &at,
			"the pattern " BYTES_FMT
			" is a regular expression, which this version does "
			"not understand; use exact names and prefixes ending in *",
			BYTES_ARG(from));
		return ERR_UNSUPPORTED;
	}
	if (value->type != YAML_NULL &&
		!build_scalar(value, "a model name", c->where, c->findings, &to)) {
		return ERR_SYNTAX;
	}
	to = build_text(c->arena, to);
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
	m.exact = arena_must(a, (node->n + 1) * sizeof(*m.exact));
	m.prefixes = arena_must(a, (node->n + 1) * sizeof(*m.prefixes));
	for (const struct yaml_node *v = node->items; v != NULL; v = v->next) {
		int rc = add_entry(&c, v);

		err = err != 0 ? err : rc;
	}
	if (err != 0) {
		return err;
	}
	qsort(m.exact, m.n_exact, sizeof(*m.exact), by_from);
	qsort(m.prefixes, m.n_prefixes, sizeof(*m.prefixes), by_length);
	list_known(&m, a);
	*out = m;
	return 0;
}
