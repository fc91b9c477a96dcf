/*
 * Which old item became which new one. A node that still has its origin is that item; what is left
 * between two such is compared: equal ones at both ends first, the rest one by one, so that a list that
 * was made anew is still changed only where it differs. Members go by their key.
 */
#include <stdlib.h>

#include "wire/yaml_edit_int.h"

bool edit_stands_in(const struct yaml_node *collection, const struct yaml_node *item)
{
	const struct yaml_node *first = item->key != NULL ? item->key : item;

	return first->beg >= collection->beg && item->end <= collection->end &&
		item->beg >= first->beg;
}

static void add_step(struct edit_steps *s, const struct yaml_node *old, const struct doc *new)
{
	s->v[s->n++] = (struct edit_step){old, new};
	s->kept += old != NULL && new != NULL;
}

/* --- lists -------------------------------------------------------------------------------------- */

/* Old items from `old` up to `old_end` and new ones from `new` up to `new_end` have no origin in common. */
static void match_between(struct edit *e, struct edit_steps *s, const struct yaml_node *old,
	const struct yaml_node *old_end, const struct doc *new, const struct doc *new_end)
{
	size_t n_old = 0, n_new = 0;

	while (old != old_end && new != new_end && doc_is_yaml(e->arena, new, old)) {
		add_step(s, old, new);
		old = old->next;
		new = new->next;
	}
	for (const struct yaml_node *i = old; i != old_end; i = i->next) {
		n_old++;
	}
	for (const struct doc *i = new; i != new_end; i = i->next) {
		n_new++;
	}
	/* One that is gone from, or new in, a list that is else the same. */
	for (; n_old > n_new && new != new_end && !doc_is_yaml(e->arena, new, old); n_old--) {
		add_step(s, old, NULL);
		old = old->next;
	}
	for (; n_new > n_old && old != old_end && !doc_is_yaml(e->arena, new, old); n_new--) {
		add_step(s, NULL, new);
		new = new->next;
	}
	while (old != old_end && new != new_end) {
		add_step(s, old, new);
		old = old->next;
		new = new->next;
	}
	for (; old != old_end; old = old->next) {
		add_step(s, old, NULL);
	}
	for (; new != new_end; new = new->next) {
		add_step(s, NULL, new);
	}
}

/* Whether the origin of d is in the list, from `from` on. */
static bool is_later(
	const struct doc *d, const struct yaml_node *from, const struct yaml_node *list)
{
	if (d->origin == NULL || from == NULL || d->origin->beg < from->beg ||
		d->origin->end > list->end) {
		return false;
	}
	for (; from != NULL && from->beg <= d->origin->beg; from = from->next) {
		if (from == d->origin) {
			return true;
		}
	}
	return false;
}

static void match_lists(
	struct edit *e, const struct doc *d, const struct yaml_node *n, struct edit_steps *s)
{
	const struct yaml_node *old = n->items;
	const struct doc *new = doc_first(e->arena, d);

	while (old != NULL || new != NULL) {
		const struct doc *next = new;
		const struct yaml_node *next_old = NULL;

		if (old != NULL && new != NULL &&new->origin == old) {
			add_step(s, old, new);
			old = old->next;
			new = new->next;
			continue;
		}
		while (next != NULL && !is_later(next, old, n)) {
			next = next->next;
		}
		if (next != NULL) {
			next_old = next->origin;
		}
		match_between(e, s, old, next_old, new, next);
		old = next_old;
		new = next;
	}
}

/* --- maps --------------------------------------------------------------------------------------- */

/* Those that stand in the text, in its order; *sorted: their keys are in canonical order. */
static void match_members(struct edit *e, const struct doc *d, const struct yaml_node *n,
	struct edit_steps *s, bool *sorted)
{
	struct doc_members members = {.arena = e->arena, .doc = d};
	const struct doc *step = doc_first(e->arena, d);
	struct bytes before = {NULL, 0};

	*sorted = true;
	for (const struct yaml_node *i = n->items; i != NULL; i = i->next) {
		const struct doc *new = step;

		if (new == NULL || !bytes_eq(new->key, i->key->text)) {
			new = doc_members_doc(&members, i->key->text);
		} else {
			step = step->next;
		}
		if (!edit_stands_in(n, i)) {
			if (new == NULL) {
				edit_refuse(e, n); /* what is merged in can only be changed there */
			}
			continue;
		}
		*sorted = *sorted && (before.p == NULL || yaml_key_order(before, i->key->text) < 0);
		before = i->key->text;
		add_step(s, i, new);
	}
	doc_members_done(&members);
}

static int by_key(const void *x, const void *y)
{
	return yaml_key_order(
		((const struct edit_step *)x)->new->key, ((const struct edit_step *)y)->new->key);
}

/* The n_new steps behind the n_old ones go to where their keys belong. */
static bool merge_sorted(struct edit *e, struct edit_steps *s, size_t n_old, size_t n_new)
{
	struct edit_step *v = arena_alloc(e->arena, s->n * sizeof(*v));
	size_t i = 0, j = n_old, n = 0;

	if (v == NULL) {
		return false;
	}
	qsort(s->v + n_old, n_new, sizeof(*s->v), by_key);
	while (i < n_old || j < s->n) {
		bool old = j == s->n ||
			(i < n_old && yaml_key_order(s->v[i].old->key->text, s->v[j].new->key) < 0);

		v[n++] = old ? s->v[i++] : s->v[j++];
	}
	s->v = v;
	return true;
}

static bool match_maps(
	struct edit *e, const struct doc *d, const struct yaml_node *n, struct edit_steps *s)
{
	struct doc_members members = {.yaml = n};
	const struct yaml_node *step = n->items;
	size_t n_old;
	bool sorted;

	match_members(e, d, n, s, &sorted);
	n_old = s->n;
	for (const struct doc *i = d->items; i != NULL; i = i->next) {
		const struct yaml_node *old = step;

		if (old == NULL || !bytes_eq(old->key->text, i->key)) {
			old = doc_members_yaml(&members, i->key);
		} else {
			step = step->next;
		}
		if (old == NULL || (!edit_stands_in(n, old) && !doc_is_yaml(e->arena, i, old))) {
			add_step(s, NULL, i);
		}
	}
	doc_members_done(&members);
	return !sorted || s->n == n_old || merge_sorted(e, s, n_old, s->n - n_old);
}

bool edit_match(
	struct edit *e, const struct doc *d, const struct yaml_node *n, struct edit_steps *out)
{
	if (doc_first(e->arena, d) == NULL) {
		return false;
	}
	*out = (struct edit_steps){.v = arena_alloc(e->arena, (d->n + n->n) * sizeof(*out->v))};
	if (out->v == NULL) {
		return false;
	}
	if (d->type == DOC_LIST) {
		match_lists(e, d, n, out);
		return true;
	}
	return match_maps(e, d, n, out);
}
