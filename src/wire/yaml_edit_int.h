/*
 * What the yaml_edit*.c files share: the text on its way. Inside the room only.
 */
#ifndef WIRE_YAML_EDIT_INT_H
#define WIRE_YAML_EDIT_INT_H

#include "wire/doc_int.h"
#include "wire/yaml_edit.h"
#include "wire/yaml_emit.h"

struct edit {
	struct arena *arena;
	struct bytes text; /* old */
	struct text *out;  /* new */
	size_t out_from;   /* where it begins */
	size_t done;       /* bytes of the old one that were taken over or left out */
	size_t begin;      /* behind a byte order mark */
	const char *eol;
	unsigned step; /* of indentation, as it is used in the text */
	bool list_indented;
	uint32_t line; /* of what cannot be changed; 0: all is well */
	struct text scratch;
};

/* --- yaml_edit.c --------------------------------------------------------------------------------- */

/* Says that it cannot be done there. */
void edit_refuse(struct edit *e, const struct yaml_node *at);
/* The old text up to `to` is taken over, or left out. */
void edit_copy(struct edit *e, size_t to);
void edit_skip(struct edit *e, size_t to);
void edit_put(struct edit *e, struct bytes s);
/* Whether the node is written in brackets. */
bool edit_is_flow(const struct edit *e, const struct yaml_node *n);
void edit_emit_init(struct edit *e, struct yaml_emit *emit);

/* --- yaml_edit_flow.c ----------------------------------------------------------------------------- */

/* Both are lists, or maps, that hold something; n stands in brackets. */
void edit_flow(struct edit *e, const struct doc *d, const struct yaml_node *n);

/* --- yaml_edit_match.c ---------------------------------------------------------------------------- */

/* One step through an old collection and a new one: kept or changed (both), removed (no doc), added (no
 * node). Added ones follow what they stand behind. */
struct edit_step {
	const struct yaml_node *old;
	const struct doc *new;
};

struct edit_steps {
	struct edit_step *v;
	size_t n;
	size_t kept; /* steps that have both */
};

/* False: the arena is full. What a merge key brought in and what nobody changed is left out. */
MUST_CHECK bool edit_match(
	struct edit *e, const struct doc *d, const struct yaml_node *n, struct edit_steps *out);
/* Whether it stands in the text of that collection: not by an alias or a merge. */
bool edit_stands_in(const struct yaml_node *collection, const struct yaml_node *item);

#endif
