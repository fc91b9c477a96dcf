#include "hiclaw/foreign_plan.h"

#include "resource/draft_apply.h"

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

static struct plan *compile(struct op *op, const struct provider_types *types, int64_t now_s)
{
	const struct plan_env env = {.types = types};
	struct snapshot *s;
	struct findings why;
	struct plan *p = NULL;

	if (draft_finish(&op->draft, now_s, false) != 0) {
		return NULL;
	}
	findings_init(&why, op->arena);
	IGNORE(draft_apply(&op->draft, op->arena, &why, &s)); /* no object: it is left out */
	if (!arena_full(op->arena)) {
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
