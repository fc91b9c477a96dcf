#include "resource/name_index.h"

#include <stdlib.h>

struct bytes name_index_name(const struct yaml_node *entry)
{
	const struct yaml_node *n = yaml_get(entry, "name");

	return n != NULL && n->type == YAML_STRING ? n->text : BYTES("");
}

void name_index_free(struct name_index *x)
{
	if (x != NULL) {
		free(x->v);
		free(x->shown);
		free(x);
	}
}

static int order(const void *x, const void *y)
{
	const struct name_entry *a = x, *b = y;
	int by_name = bytes_cmp(a->name, b->name);

	return by_name != 0 ? by_name
			    : (a->entry->beg > b->entry->beg) - (a->entry->beg < b->entry->beg);
}

/* Files that a program wrote often are in order. */
static bool is_sorted(const struct name_index *x)
{
	for (size_t i = 1; i < x->n; i++) {
		if (order(&x->v[i - 1], &x->v[i]) > 0) {
			return false;
		}
	}
	return true;
}

static struct name_index *make(
	const struct yaml_node *list, bool (*shown)(const struct yaml_node *entry))
{
	struct name_index *x = must_alloc(sizeof(*x));

	x->list = list;
	x->v = must_alloc((list->n + 1) * sizeof(*x->v));
	x->shown = must_alloc((list->n + 1) * sizeof(*x->shown));
	for (const struct yaml_node *i = list->items; i != NULL; i = i->next) {
		x->v[x->n++] = (struct name_entry){name_index_name(i), i};
	}
	if (!is_sorted(x)) {
		qsort(x->v, x->n, sizeof(*x->v), order);
	}
	for (size_t i = 0; i < x->n; i++) {
		struct bytes name = x->v[i].name;

		if (name.n != 0 && (x->n_shown == 0 || !bytes_eq(x->shown[x->n_shown - 1], name)) &&
			shown(x->v[i].entry)) {
			x->shown[x->n_shown++] = name;
		}
	}
	return x;
}

const struct name_index *name_index_need(struct object *o, const struct yaml_node *list,
	bool (*shown)(const struct yaml_node *entry))
{
	struct name_index *x = atomic_load(&o->names), *fresh;

	if (x == NULL) {
		fresh = make(list, shown);
		if (atomic_compare_exchange_strong(&o->names, &x, fresh)) {
			return fresh;
		}
		name_index_free(fresh); /* another thread was faster: x is its */
	}
	return x->list == list ? x : NULL;
}

static const struct yaml_node *search(const struct name_index *x, struct bytes name)
{
	size_t from = 0, to = x->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (bytes_cmp(x->v[mid].name, name) < 0) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	return from < x->n && bytes_eq(x->v[from].name, name) ? x->v[from].entry : NULL;
}

/* An operation asks for the same entry again and again: before it, for the answer, for the audit log. */
static const struct yaml_node *found_before(
	struct object *o, const struct yaml_node *list, struct bytes name)
{
	const struct yaml_node *f = o != NULL ? atomic_load(&o->found) : NULL;

	return f != NULL && f->beg >= list->beg && f->end <= list->end &&
			bytes_eq(name_index_name(f), name)
		? f
		: NULL;
}

const struct yaml_node *name_index_find(
	struct object *o, const struct yaml_node *list, struct bytes name)
{
	const struct name_index *x = o != NULL ? atomic_load(&o->names) : NULL;
	const struct yaml_node *i = list->items, *before;

	if (x != NULL && x->list == list) {
		return search(x, name);
	}
	before = found_before(o, list, name);
	if (before != NULL) {
		return before;
	}
	while (i != NULL && !bytes_eq(name_index_name(i), name)) {
		i = i->next;
	}
	if (o != NULL && i != NULL) {
		atomic_store(&o->found, i);
	}
	return i;
}
