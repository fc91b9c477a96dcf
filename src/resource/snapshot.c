/*
 * Objects in one array, ordered by kind, then by name. Readers of a directory put them in that order,
 * so that building one is appending.
 */
#include <stdlib.h>

#include "resource/object.h"

struct snapshot *snapshot_new(void)
{
	struct snapshot *s = must_alloc(sizeof(*s));

	atomic_init(&s->refs, 1);
	return s;
}

static int compare(const struct object *o, enum resource_kind kind, struct bytes name)
{
	if (o->kind != kind) {
		return o->kind < kind ? -1 : 1;
	}
	return bytes_cmp(o->meta.name, name);
}

/* Index of the first object that is not before (kind, name). */
static size_t lower_bound(const struct snapshot *s, enum resource_kind kind, struct bytes name)
{
	size_t from = 0, to = s->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (compare(s->objects[mid], kind, name) < 0) {
			from = mid + 1;
		} else {
			to = mid;
		}
	}
	return from;
}

static size_t place_for(const struct snapshot *s, const struct object *o)
{
	if (s->n == 0 || compare(s->objects[s->n - 1], o->kind, o->meta.name) < 0) {
		return s->n;
	}
	return lower_bound(s, o->kind, o->meta.name);
}

void snapshot_put(struct snapshot *s, struct object *o)
{
	size_t i = place_for(s, o);

	if (i < s->n && compare(s->objects[i], o->kind, o->meta.name) == 0) {
		object_unref(s->objects[i]);
		s->objects[i] = o;
		return;
	}
	if (s->n == s->cap) {
		s->cap = s->cap != 0 ? s->cap * 2 : 16;
		s->objects = must_realloc(s->objects, s->cap * sizeof(struct object *));
	}
	memmove(&s->objects[i + 1], &s->objects[i], (s->n - i) * sizeof(struct object *));
	s->objects[i] = o;
	s->n++;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void snapshot_unref(struct snapshot *s)
{
	unsigned before;

	if (s == NULL) {
		return;
	}
	before = atomic_fetch_sub(&s->refs, 1);
	ASSERT(before > 0);
	if (before != 1) {
		return;
	}
	for (size_t i = 0; i < s->n; i++) {
		object_unref(s->objects[i]);
	}
	free(s->objects);
	free(s);
}

struct object *snapshot_get(const struct snapshot *s, enum resource_kind kind, struct bytes name)
{
	size_t i = lower_bound(s, kind, name);

	return i < s->n && compare(s->objects[i], kind, name) == 0 ? s->objects[i] : NULL;
}

size_t snapshot_kind(const struct snapshot *s, enum resource_kind kind, size_t *from)
{
	/* The walk of a draft asks once per object. */
	*from = lower_bound(s, kind, BYTES(""));
	return lower_bound(s, (enum resource_kind)(kind + 1), BYTES("")) - *from;
}
