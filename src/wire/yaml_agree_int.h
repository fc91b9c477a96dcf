/*
 * For tests only: the two readers of YAML agree about a text. Included by one unit test and by the fuzz
 * target.
 */
#ifndef WIRE_YAML_AGREE_INT_H
#define WIRE_YAML_AGREE_INT_H

#include "wire/yaml_block.h"

#define YAML_AGREE_ARENA_MAX ((size_t)1 << 28)

static inline void yaml_same(const struct yaml_node *a, const struct yaml_node *b)
{
	ASSERT(a->type == b->type && a->quoted == b->quoted && a->n == b->n);
	ASSERT(a->type != YAML_BOOL || a->boolean == b->boolean);
	ASSERT(a->integer == b->integer && memcmp(&a->number, &b->number, sizeof(a->number)) == 0);
	ASSERT(a->line == b->line && a->column == b->column);
	ASSERT(a->beg == b->beg && a->end == b->end);
	ASSERT(bytes_eq(a->text, b->text));
	ASSERT(a->text.p == NULL || a->text.p[a->text.n] == '\0');
	ASSERT((a->key == NULL) == (b->key == NULL));
	if (a->key != NULL) {
		yaml_same(a->key, b->key);
	}
	b = b->items;
	for (const struct yaml_node *i = a->items; i != NULL; i = i->next, b = b->next) {
		yaml_same(i, b);
	}
}

/* What is read line by line is read as by libyaml, to the last offset. Whether it was of that form. */
static inline bool yaml_agree(struct bytes text)
{
	struct arena arenas[2];
	struct yaml_doc doc, other;
	struct fault fault = {0};
	bool taken;

	arena_init(&arenas[0], YAML_AGREE_ARENA_MAX);
	arena_init(&arenas[1], YAML_AGREE_ARENA_MAX);
	taken = yaml_block_read(&arenas[0], text, &doc);
	if (taken) {
		ASSERT(yaml_read_events(&arenas[1], text, &other, &fault) == 0);
		ASSERT((doc.root == NULL) == (other.root == NULL));
		ASSERT(!doc.more && !other.more);
		ASSERT((doc.duplicate == NULL) == (other.duplicate == NULL));
		if (doc.duplicate != NULL) {
			yaml_same(doc.duplicate, other.duplicate);
		}
		if (doc.root != NULL) {
			yaml_same(doc.root, other.root);
		}
	}
	arena_done(&arenas[0]);
	arena_done(&arenas[1]);
	return taken;
}

#endif
