/*
 * Registries and proxies of the McpBridge `default` (higress-resources.md §2.6).
 */
#include "resource/op_int.h"

static const struct doc *find(
	struct op *o, const struct doc *root, const char *list, struct bytes name)
{
	const struct doc *v = doc_get(o->arena, doc_get(o->arena, root, "spec"), list);

	for (v = doc_first(o->arena, v); v != NULL; v = v->next) {
		if (bytes_eq(doc_peek(v, "name", BYTES("")), name)) {
			return v;
		}
	}
	return NULL;
}

const struct doc *op_bridge_find(struct op *o, const char *list, struct bytes name)
{
	return find(o, draft_look(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME), list, name);
}

struct strings op_bridge_names(struct op *o, const char *list)
{
	const struct doc *root = draft_look(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME);
	const struct doc *v = doc_get(o->arena, doc_get(o->arena, root, "spec"), list);
	struct strings out = {0};

	out.v = v != NULL && v->n > 0 ? arena_alloc(o->arena, v->n * sizeof(*out.v)) : NULL;
	for (v = doc_first(o->arena, v); v != NULL && out.v != NULL; v = v->next) {
		struct bytes name = doc_peek(v, "name", BYTES(""));

		if (name.n > 0) {
			out.v[out.n++] = name;
		}
	}
	return out;
}

/* The entry of that name in an opened bridge, NULL when there is none. */
static struct doc *entry(struct op *o, struct doc *entries, struct bytes name)
{
	struct doc *v = doc_first(o->arena, entries);

	while (v != NULL && !bytes_eq(doc_peek(v, "name", BYTES("")), name)) {
		v = v->next;
	}
	return v;
}

void op_bridge_put(struct op *o, const char *list, struct bytes name, const struct doc *want,
	const char *const *managed)
{
	struct arena *a = o->arena;
	bool made = draft_look(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME) == NULL;
	struct doc *root = draft_need(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME);
	struct doc *entries = doc_need_list(a, doc_need_map(a, root, "spec"), list);
	struct doc *v = entry(o, entries, name);
	bool added = v == NULL;

	if (made) {
		doc_need_map(a, root, "status");
	}
	if (added) {
		v = doc_map(a);
		doc_set(a, v, "name", doc_string(a, name));
	}
	for (; *managed != NULL; managed++) {
		if (doc_get(a, want, *managed) == NULL) {
			doc_drop(a, v, *managed);
		}
	}
	for (const struct doc *m = doc_first(a, want); m != NULL; m = m->next) {
		doc_set_bytes(a, v, m->key, doc_copy(a, m));
	}
	if (added) {
		doc_append(a, entries, v);
	}
}

bool op_bridge_remove(struct op *o, const char *list, struct bytes name)
{
	const struct doc *there = op_bridge_find(o, list, name);
	struct doc *root, *spec, *entries;
	struct bytes secret;

	if (there == NULL) {
		return false;
	}
	secret = doc_text(doc_get(o->arena, there, "authSecretName"), BYTES(""));
	if (secret.n > 0) {
		draft_remove(&o->draft, RESOURCE_SECRET, secret);
	}
	root = draft_open(&o->draft, RESOURCE_MCPBRIDGE, MCPBRIDGE_NAME);
	spec = doc_get(o->arena, root, "spec");
	entries = doc_get(o->arena, spec, list);
	doc_remove(o->arena, entries, entry(o, entries, name));
	if (entries != NULL && entries->n == 0) {
		doc_drop(o->arena, spec, list);
	}
	return true;
}
