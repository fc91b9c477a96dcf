/*
 * Inside the room only: the tree of a document while it is built, scalar by scalar and collection by
 * collection. Whoever reads the text says what stands where; the rules of keys, duplicates, merges,
 * anchors and all limits are here, so that two readers cannot differ in them.
 *
 * Functions return 0 or a negative enum err, with the fault set; after a failure only yaml_tree_done
 * may follow.
 */
#ifndef WIRE_YAML_TREE_H
#define WIRE_YAML_TREE_H

#include "base/hash.h"
#include "wire/yaml.h"

/* Keys repeat: the last ones seen are kept to share their text. */
#define YAML_KEYS_KEPT 64u
/* Nodes are taken from the arena in runs of up to this many. */
#define YAML_NODES_RUN 32u

struct yaml_extent {
	size_t weight;   /* nodes below and with a node, aliases expanded */
	unsigned height; /* collections on the longest way down, itself included */
};

struct yaml_anchor;

struct yaml_frame { /* an open collection */
	struct yaml_node *node;
	struct yaml_node **tail;   /* where the next item goes */
	uint32_t end;              /* of the last item's bytes */
	struct yaml_node *key;     /* of a map: waits for its value */
	struct yaml_node *sources; /* of a map: values of merge keys, linked by next */
	struct yaml_node *last_source;
	struct yaml_extent extent;
	struct yaml_anchor *anchor;
	struct map index; /* members by key, once there are many */
};

struct yaml_tree {
	struct arena *arena;
	struct yaml_frame frames[YAML_DEPTH_MAX]; /* so depth costs no recursion */
	unsigned depth;
	size_t weight; /* of the document so far */
	struct map anchors;
	struct bytes keys[YAML_KEYS_KEPT];
	struct yaml_node *run; /* nodes not used yet */
	unsigned run_left, run_next;
	struct yaml_doc doc;
	struct fault *fault;
};

/* Where something stands: 1-based, columns in characters; offsets in the whole input. */
struct yaml_spot {
	uint32_t line, column, beg, end;
};

struct yaml_scalar {
	struct bytes text;
	bool kept;          /* text is in the arena already, with a NUL behind it */
	bool plain;         /* neither quoted nor a block */
	const char *tag;    /* may be NULL */
	const char *anchor; /* may be NULL */
};

void yaml_tree_init(struct yaml_tree *t, struct arena *a, struct fault *fault);
/* What is not in the arena. */
void yaml_tree_done(struct yaml_tree *t);

MUST_CHECK int yaml_tree_scalar(
	struct yaml_tree *t, const struct yaml_spot *at, const struct yaml_scalar *s);
/* type: YAML_SEQ or YAML_MAP; anchor may be NULL. */
MUST_CHECK int yaml_tree_start(
	struct yaml_tree *t, const struct yaml_spot *at, enum yaml_type type, const char *anchor);
/* Of the innermost collection. end: behind its last byte; 0: behind its last item, as of a block, which
 * is only known to have ended by what follows it. */
MUST_CHECK int yaml_tree_end(struct yaml_tree *t, uint32_t end);
MUST_CHECK int yaml_tree_alias(struct yaml_tree *t, const struct yaml_spot *at, const char *name);

/* Sets the fault and returns err. line and column 1-based. */
int yaml_tree_fail(const struct yaml_tree *t, enum err err, const struct yaml_spot *at,
	const char *fmt, ...) PRINTF_LIKE(4, 5);
int yaml_tree_no_memory(const struct yaml_tree *t, const struct yaml_spot *at);

#endif
