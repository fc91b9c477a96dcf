/*
 * Made anew for each compile by the operations that a Console's request would go through: what they make of an object
 * depends on the files, whose next version may be another one.
 */
#include "store/overlay.h"

#include <stdlib.h>

#include "base/list.h"
#include "resource/draft_apply.h"

/* Of the objects of one name. */
#define ARENA_MAX ((size_t)8 << 20)
/* Of the documents that all are made in: the file of providers is opened whole. */
#define APPLY_MAX ((size_t)256 << 20)

struct entry {
	struct list link;
	struct arena arena;
	struct bytes name;
	struct overlay_object *v;
	size_t n;
};

struct overlay {
	struct list entries; /* in the order in which they came */
	size_t n;
};

struct overlay *overlay_new(void)
{
	struct overlay *o = must_alloc(sizeof(*o));

	list_init(&o->entries);
	return o;
}

static void entry_free(struct entry *e)
{
	list_remove(&e->link);
	arena_done(&e->arena);
	free(e);
}

void overlay_free(struct overlay *o)
{
	while (o != NULL && !list_empty(&o->entries)) {
		entry_free(CONTAINER_OF(o->entries.next, struct entry, link));
	}
	free(o);
}

static enum op_rc make(struct op *op, struct bytes name, const struct overlay_object *v, size_t n)
{
	enum op_rc rc = OP_OK;

	for (size_t i = 0; i < n && rc == OP_OK; i++) {
		const struct op_noun *noun = v[i].noun;

		/* A Console's POST replaces some of what is there; this must not. */
		rc = noun->read(op, name) == NULL
			? noun->save(op, OP_CREATE, name, doc_copy(op->arena, v[i].body))
			: op_refuse(op, OP_EXISTS, "%s '" BYTES_FMT "' already exists", noun->noun,
				  BYTES_ARG(name));
	}
	return rc;
}

static bool fill(struct entry *e, struct bytes name, const struct overlay_object *v, size_t n)
{
	e->name = arena_copy(&e->arena, name);
	e->v = arena_alloc(&e->arena, n * sizeof(*e->v));
	e->n = n;
	for (size_t i = 0; e->v != NULL && i < n; i++) {
		e->v[i] = (struct overlay_object){v[i].noun, doc_detached(&e->arena, v[i].body)};
	}
	return !arena_full(&e->arena);
}

enum op_rc overlay_put(struct overlay *o, struct op *op, struct bytes name,
	const struct overlay_object *v, size_t n)
{
	enum op_rc rc = o->n < OVERLAY_MAX
		? make(op, name, v, n)
		: op_refuse(op, OP_LIMIT, "%u are served beside the files already", OVERLAY_MAX);
	struct entry *e;

	if (rc != OP_OK) {
		return rc;
	}
	e = must_alloc(sizeof(*e));
	arena_init(&e->arena, ARENA_MAX);
	list_append(&o->entries, &e->link);
	if (!fill(e, name, v, n)) {
		entry_free(e);
		return op_refuse(op, OP_LIMIT, "the object is too large");
	}
	o->n++;
	return OP_OK;
}

void overlay_drop(struct overlay *o, struct bytes name)
{
	for (struct list *i = o->entries.next; i != &o->entries;) {
		struct entry *e = CONTAINER_OF(i, struct entry, link);

		i = i->next;
		if (bytes_eq(e->name, name)) {
			entry_free(e);
			o->n--;
		}
	}
}

/* now_s 0: what is made twice of the same is the same, so its plan need not be compiled again. */
static struct snapshot *applied(const struct overlay *o, struct snapshot *base, struct arena *a)
{
	struct snapshot *s = NULL;
	struct findings why;
	struct op op;

	op_init(&op, base, a);
	for (struct list *i = o->entries.next; i != &o->entries; i = i->next) {
		const struct entry *e = CONTAINER_OF(i, struct entry, link);

		text_clear(&op.why);
		IGNORE(make(&op, e->name, e->v, e->n)); /* refused: it is left out */
	}
	findings_init(&why, a);
	if (draft_finish(&op.draft, 0, false) == 0 &&
		(draft_apply(&op.draft, a, &why, &s) != 0 || arena_full(a))) {
		snapshot_unref(s);
		s = NULL;
	}
	op_done(&op);
	return s;
}

struct snapshot *overlay_apply(const struct overlay *o, struct snapshot *base)
{
	struct snapshot *s = NULL;
	struct arena a;

	if (o != NULL && o->n != 0) {
		arena_init(&a, APPLY_MAX);
		s = applied(o, base, &a);
		arena_done(&a);
	}
	return s != NULL ? s : snapshot_ref(base); /* files are served, whatever else is not */
}
