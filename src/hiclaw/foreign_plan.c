#include "hiclaw/foreign_plan.h"

#include "resource/object.h"
#include "wire/yaml_write.h"

/* Of drafts and texts; a Console with a thousand routes takes a tenth of it. */
#define ARENA_MAX ((size_t)64 << 20)

/* In the order in which they name one another. */
static const struct {
	enum ops_noun noun;
	const struct op_noun *op;
} nouns[] = {{OPS_SOURCE, &op_source}, {OPS_PROVIDER, &op_provider}, {OPS_CONSUMER, &op_consumer},
	{OPS_AI_ROUTE, &op_ai_route}};

static void save_all(struct op *op, const struct op_noun *noun, const struct doc *list)
{
	for (const struct doc *d = doc_first(op->arena, list); d != NULL; d = d->next) {
		struct doc *body = doc_copy(op->arena, d);
		struct bytes name = doc_peek(d, "name", BYTES(""));

		doc_drop(op->arena, body, "version");
		text_clear(&op->why);
		IGNORE(noun->save(op, OP_CREATE, name, body)); /* refused: it is left out */
	}
}

static bool put(struct snapshot *s, struct arena *a, const struct change *c)
{
	struct findings why;
	struct object *o;
	struct text t;

	findings_init(&why, a);
	text_init(&t, RESOURCE_FILE_MAX);
	yaml_write(a, &t, c->root);
	o = object_read(c->kind, resource_file(a, c->kind, c->name), text_bytes(&t), &why);
	text_done(&t);
	if (o != NULL) {
		snapshot_put(s, o);
	}
	return !arena_full(a);
}

static struct plan *compile(struct op *op, const struct provider_types *types, int64_t now_s)
{
	const struct plan_env env = {.types = types};
	struct snapshot *s;
	struct plan *p = NULL;
	bool whole = draft_finish(&op->draft, now_s, false) == 0;

	s = snapshot_new();
	for (const struct change *c = op->draft.first; whole && c != NULL; c = c->next) {
		whole = c->root == NULL || put(s, op->arena, c);
	}
	if (whole) {
		p = plan_compile(s, &env);
	}
	snapshot_unref(s);
	return p;
}

struct plan *foreign_plan(
	struct doc *const lists[OPS_NOUNS], const struct provider_types *types, int64_t now_s)
{
	struct snapshot *nothing = snapshot_new();
	struct arena a;
	struct plan *p;
	struct op op;

	arena_init(&a, ARENA_MAX);
	op_init(&op, nothing, &a);
	for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
		save_all(&op, nouns[i].op, lists[nouns[i].noun]);
	}
	p = compile(&op, types, now_s);
	op_done(&op);
	snapshot_unref(nothing);
	arena_done(&a);
	return p;
}
