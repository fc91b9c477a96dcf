/* Through the text, because what is compiled must be what a file of it would be. */
#include "resource/draft_apply.h"

#include "wire/yaml_write.h"

static bool is_changed(const struct draft *d, const struct object *o)
{
	for (const struct change *c = d->first; c != NULL; c = c->next) {
		if (c->kind == o->kind && bytes_eq(c->name, o->meta.name)) {
			return true;
		}
	}
	return false;
}

static bool put(struct snapshot *s, struct arena *a, const struct change *c, struct findings *why)
{
	struct object *o;
	struct text t;

	text_init(&t, RESOURCE_FILE_MAX);
	yaml_write(a, &t, c->root);
	o = object_read(c->kind, resource_file(a, c->kind, c->name), text_bytes(&t), why);
	text_done(&t);
	if (o != NULL) {
		snapshot_put(s, o);
	}
	return o != NULL;
}

size_t draft_apply(
	const struct draft *d, struct arena *a, struct findings *why, struct snapshot **out)
{
	const struct snapshot *base = d->base;
	struct snapshot *s = snapshot_new();
	size_t n = 0;

	if (base != NULL) {
		s->guard_unread = base->guard_unread;
		for (size_t i = 0; i < base->n; i++) {
			if (!is_changed(d, base->objects[i])) {
				snapshot_put(s, object_ref(base->objects[i]));
			}
		}
	}
	for (const struct change *c = d->first; c != NULL; c = c->next) {
		n += c->root != NULL && !put(s, a, c, why);
	}
	*out = s;
	return n;
}
