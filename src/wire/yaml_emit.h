/*
 * Inside the room only: YAML text as go-yaml's second version lays it out, node by node. yaml_write
 * writes whole documents with it, yaml_edit the parts that are new in a text.
 */
#ifndef WIRE_YAML_EMIT_H
#define WIRE_YAML_EMIT_H

#include "wire/doc.h"

/* A plain or quoted scalar goes on in the next line at the first blank behind this column. */
#define YAML_FOLD_COLUMN 80u
/* Longer keys are written with a question mark. */
#define YAML_SIMPLE_KEY_MAX 128u

struct yaml_emit {
	struct arena *arena; /* scratch: given back before a call returns */
	struct text *out;
	size_t column;      /* in characters; where the next one goes */
	bool whitespace;    /* the last one separates */
	bool indention;     /* nothing but indentation and indicators in this line */
	bool sorted;        /* keys of maps in yaml_key_order */
	bool list_indented; /* lists below a key stand one step to the right of it */
	bool one_line;      /* no folding and no literal blocks */
	unsigned step;      /* of indentation below a key, at most 9 */
	unsigned hint;      /* how far the scalar that comes next is set in */
};

/* At the beginning of a line, canonical. */
void yaml_emit_init(struct yaml_emit *e, struct arena *a, struct text *out);
/* A node whose container's items stand in that column; -1: the root. What stands before it is a key with
 * its colon (of_key), a dash, or nothing. No line end behind it, but of a literal that ends with one. */
void yaml_emit_node(struct yaml_emit *e, const struct doc *d, int column, bool of_key);
/* "key: value" in that column, where the text stands already. */
void yaml_emit_member(struct yaml_emit *e, struct bytes key, const struct doc *value, int column);
/* "- value", the same. */
void yaml_emit_item(struct yaml_emit *e, const struct doc *value, int column);
/* As a flow collection, in one line. A scalar as it may stand in one. */
void yaml_emit_flow(struct yaml_emit *e, const struct doc *d);
void yaml_emit_flow_key(struct yaml_emit *e, struct bytes key);
/* A new line, unless it has begun already, and blanks up to the column. */
void yaml_emit_indent(struct yaml_emit *e, int column);

/* --- scalars ------------------------------------------------------------------------------------ */

enum yaml_style { YAML_STYLE_PLAIN, YAML_STYLE_SINGLE, YAML_STYLE_DOUBLE, YAML_STYLE_LITERAL };
enum yaml_place { YAML_IN_BLOCK, YAML_IN_KEY, YAML_IN_FLOW };

/* How go-yaml would write a string there. one_line: never as a literal. */
enum yaml_style yaml_scalar_style(struct bytes s, enum yaml_place place);
/* Whether it has a line break: then it is no simple key. */
bool yaml_scalar_multiline(struct bytes s);
/* column: of what continues it. */
void yaml_scalar_put(
	struct yaml_emit *e, struct bytes s, enum yaml_style style, int column, bool fold);
/* Text without a look at what it is. */
void yaml_emit_raw(struct yaml_emit *e, struct bytes s);

#endif
