/*
 * YAML as Kubernetes' tools read it: libyaml events into a tree whose nodes know where they stand.
 * Plain scalars are resolved by the YAML 1.1 table of higress-resources.md §6.1, not by YAML 1.2.
 */
#ifndef WIRE_YAML_H
#define WIRE_YAML_H

#include "base/arena.h"
#include "base/err.h"

/* Attack: stack and time. Real resources are below 20 deep. */
#define YAML_DEPTH_MAX 64u
/* Attack: alias bombs. Nodes of one document after aliases and merges are expanded. */
#define YAML_NODES_MAX 4000000u

enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_STRING, YAML_SEQ, YAML_MAP };

struct yaml_node {
	enum yaml_type type : 8;
	bool quoted : 1;         /* a scalar that was not plain (always a string) */
	bool boolean : 1;        /* YAML_BOOL */
	uint32_t n;              /* of items */
	uint32_t line, column;   /* 1-based; columns count characters */
	uint32_t beg, end;       /* byte offsets in the input */
	int64_t integer;         /* YAML_INT that fits; else type is YAML_FLOAT */
	double number;           /* YAML_INT and YAML_FLOAT */
	struct bytes text;       /* scalars: the content, whatever its type resolves to */
	struct yaml_node *items; /* elements or values, in file order, linked by next */
	struct yaml_node *next;
	struct yaml_node *key; /* of a map's value: the key's node */
};

struct yaml_doc {
	struct yaml_node *root; /* first document; NULL when the stream is empty */
	bool more;              /* further documents followed: they were not read */
	uint32_t more_line;     /* where the second begins */
	/* The first key that stood in its map before; NULL: none. */
	const struct yaml_node *duplicate;
};

/* The tree is in the arena and does not point into the input. Duplicate keys: the last wins, at the
 * place of the first; merge keys are expanded (own keys win). fault.where is the line, fault.text ends
 * with the column. CRLF and a byte order mark are fine. Failures: ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK int yaml_parse(
	struct arena *a, struct bytes text, struct yaml_doc *out, struct fault *fault);

/* NULL when m is NULL, no map, or has no such key. */
const struct yaml_node *yaml_get(const struct yaml_node *m, const char *key);
/* The number that a numeric scalar or a numeric string holds, as a non-negative integer. */
MUST_CHECK bool yaml_u64(const struct yaml_node *n, uint64_t *out);

/* The type that a plain scalar of that text has (§6.1). Also what a writer asks before it leaves a
 * string unquoted. */
enum yaml_type yaml_resolve(struct bytes plain, struct yaml_node *out);

#endif
