/*
 * Equality. Two maps are walked in step, since most often their order is the same; a member that is not
 * at its place is looked up, in a table when there are many.
 */
#include <math.h>

#include "base/random.h"
#include "wire/doc_int.h"

static void start_index(struct doc_members *m)
{
	struct hash_seed seed;

	random_secret(&seed, sizeof(seed));
	map_init(&m->index, &seed);
}

const struct doc *doc_members_doc(struct doc_members *m, struct bytes key)
{
	if (m->doc->n <= DOC_INDEX_FROM) {
		return doc_get_bytes(m->arena, m->doc, key);
	}
	if (m->index.n == 0) {
		start_index(m);
		for (struct doc *i = doc_first(m->arena, m->doc); i != NULL; i = i->next) {
			IGNORE(map_put(&m->index, i->key, i)); /* they differ */
		}
	}
	return map_get(&m->index, key);
}

const struct yaml_node *doc_members_yaml(struct doc_members *m, struct bytes key)
{
	if (m->yaml->n > DOC_INDEX_FROM) {
		if (m->index.n == 0) {
			start_index(m);
			for (struct yaml_node *i = m->yaml->items; i != NULL; i = i->next) {
				IGNORE(map_put(&m->index, i->key->text, i)); /* they differ */
			}
		}
		return map_get(&m->index, key);
	}
	for (const struct yaml_node *i = m->yaml->items; i != NULL; i = i->next) {
		if (bytes_eq(i->key->text, key)) {
			return i;
		}
	}
	return NULL;
}

void doc_members_done(struct doc_members *m)
{
	map_done(&m->index);
}

/* --- scalars ------------------------------------------------------------------------------------ */

static bool same_number(double x, double y)
{
	return !(x < y) && !(x > y) && (isnan(x) != 0) == (isnan(y) != 0);
}

static bool is_number(const struct doc *d)
{
	return d->type == DOC_INT || d->type == DOC_FLOAT;
}

static bool scalars_equal(const struct doc *x, const struct doc *y)
{
	if (is_number(x) && is_number(y)) {
		return x->type == DOC_INT && y->type == DOC_INT ? x->integer == y->integer
								: same_number(x->number, y->number);
	}
	if (x->type != y->type) {
		return false;
	}
	if (x->type == DOC_BOOL) {
		return x->boolean == y->boolean;
	}
	return x->type != DOC_STRING || bytes_eq(x->text, y->text);
}

bool doc_scalar_is(const struct doc *d, const struct yaml_node *n)
{
	struct doc read;

	doc_fill(&read, n);
	return scalars_equal(d, &read);
}

/* --- trees that were read ----------------------------------------------------------------------- */

static bool trees_equal(const struct yaml_node *x, const struct yaml_node *y);

static bool tree_maps_equal(const struct yaml_node *x, const struct yaml_node *y)
{
	struct doc_members members = {.yaml = y};
	const struct yaml_node *step = y->items;
	bool same = true;

	for (const struct yaml_node *i = x->items; same && i != NULL; i = i->next) {
		const struct yaml_node *other = step;

		if (!bytes_eq(other->key->text, i->key->text)) {
			other = doc_members_yaml(&members, i->key->text);
		}
		same = other != NULL && trees_equal(i, other);
		step = step->next;
	}
	doc_members_done(&members);
	return same;
}

/* Depth is bounded by the reader (YAML_DEPTH_MAX). */
static bool trees_equal(const struct yaml_node *x, const struct yaml_node *y)
{
	const struct yaml_node *j = y->items;
	struct doc d;

	if (x == y) {
		return true;
	}
	if (x->type == YAML_STRING) {
		return y->type == YAML_STRING && bytes_eq(x->text, y->text);
	}
	if (x->type != YAML_SEQ && x->type != YAML_MAP) {
		doc_fill(&d, x);
		return doc_scalar_is(&d, y);
	}
	if (x->type != y->type || x->n != y->n) {
		return false;
	}
	if (x->type == YAML_MAP) {
		return tree_maps_equal(x, y);
	}
	for (const struct yaml_node *i = x->items; i != NULL; i = i->next, j = j->next) {
		if (!trees_equal(i, j)) {
			return false;
		}
	}
	return true;
}

/* --- documents ---------------------------------------------------------------------------------- */

static bool map_is_yaml(struct arena *a, const struct doc *d, const struct yaml_node *n)
{
	struct doc_members members = {.yaml = n};
	const struct yaml_node *step = n->items;
	bool same = true;

	for (const struct doc *i = d->items; same && i != NULL; i = i->next) {
		const struct yaml_node *other = step;

		if (!bytes_eq(other->key->text, i->key)) {
			other = doc_members_yaml(&members, i->key);
		}
		same = other != NULL && doc_is_yaml(a, i, other);
		step = step->next;
	}
	doc_members_done(&members);
	return same;
}

bool doc_is_yaml(struct arena *a, const struct doc *d, const struct yaml_node *n)
{
	const struct yaml_node *j;

	if (d == NULL || n == NULL) {
		return !doc_given(d) && (n == NULL || n->type == YAML_NULL);
	}
	if (d->closed) {
		return trees_equal(d->origin, n);
	}
	if (d->type != DOC_LIST && d->type != DOC_MAP) {
		return doc_scalar_is(d, n);
	}
	if (n->type != (d->type == DOC_LIST ? YAML_SEQ : YAML_MAP) || d->n != n->n) {
		return false;
	}
	if (d->type == DOC_MAP) {
		return map_is_yaml(a, d, n);
	}
	j = n->items;
	for (const struct doc *i = d->items; i != NULL; i = i->next, j = j->next) {
		if (!doc_is_yaml(a, i, j)) {
			return false;
		}
	}
	return true;
}

static bool maps_equal(struct arena *a, const struct doc *x, const struct doc *y)
{
	struct doc_members members = {.arena = a, .doc = y};
	const struct doc *step = y->items;
	bool same = true;

	for (const struct doc *i = x->items; same && i != NULL; i = i->next) {
		const struct doc *other = step;

		if (!bytes_eq(other->key, i->key)) {
			other = doc_members_doc(&members, i->key);
		}
		same = other != NULL && doc_equal(a, i, other);
		step = step->next;
	}
	doc_members_done(&members);
	return same;
}

bool doc_equal(struct arena *a, const struct doc *x, const struct doc *y)
{
	const struct doc *j;

	if (x == y) {
		return true;
	}
	if (x == NULL || y == NULL) {
		return false;
	}
	if (y->closed) {
		return doc_is_yaml(a, x, y->origin);
	}
	if (x->closed) {
		return doc_is_yaml(a, y, x->origin);
	}
	if (x->type != DOC_LIST && x->type != DOC_MAP) {
		return scalars_equal(x, y);
	}
	if (x->type != y->type || x->n != y->n) {
		return false;
	}
	if (x->type == DOC_MAP) {
		return maps_equal(a, x, y);
	}
	j = y->items;
	for (const struct doc *i = x->items; i != NULL; i = i->next, j = j->next) {
		if (!doc_equal(a, i, j)) {
			return false;
		}
	}
	return true;
}
