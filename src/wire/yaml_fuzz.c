#include "wire/yaml_agree_int.h"

#define ARENA_MAX YAML_AGREE_ARENA_MAX

/* Every node stands in the input and knows its members; returns how many there are. */
static size_t check(const struct yaml_node *n, size_t size, unsigned depth)
{
	size_t items = 0, weight = 1;

	ASSERT(depth <= YAML_DEPTH_MAX);
	ASSERT(n->beg <= n->end && n->end <= size && n->line >= 1 && n->column >= 1);
	ASSERT((n->items == NULL) == (n->n == 0));
	ASSERT(!n->quoted || n->type == YAML_STRING);
	for (const struct yaml_node *i = n->items; i != NULL && weight < 100000; i = i->next) {
		weight += check(i, size, depth + 1);
		items++;
	}
	ASSERT(items == n->n || weight >= 100000);
	return weight;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct yaml_doc doc;
	struct fault fault = {0};
	int rc;

	arena_init(&arena, ARENA_MAX);
	rc = yaml_parse(&arena, bytes_of((const char *)data, size), &doc, &fault);
	ASSERT(rc == (int)fault.err);
	ASSERT(rc == 0 || rc == ERR_SYNTAX || rc == ERR_LIMIT);
	if (rc != 0) {
		ASSERT(fault.where >= 1 && strstr(fault.text, ", column ") != NULL);
	} else if (doc.root != NULL) {
		check(doc.root, size, 0);
	}
	arena_done(&arena);
	IGNORE(yaml_agree(bytes_of((const char *)data, size))); /* it may be of any form */
	return 0;
}
