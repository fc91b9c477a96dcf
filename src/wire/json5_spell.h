/*
 * Inside the room only: what a JSON5 text looks like, and values spelled like that. For wire/json5_edit.c.
 */
#ifndef WIRE_JSON5_SPELL_H
#define WIRE_JSON5_SPELL_H

#include "wire/doc.h"

/* --- what the text looks like --------------------------------------------------------------------- */

struct bytes json5_spell_between(struct bytes text, size_t beg, size_t end);
bool json5_spell_has_line_end(struct bytes s);
bool json5_spell_is_container(const struct json_value *v);
/* Where an item begins: its key, where it has one. */
size_t json5_spell_start(const struct json_value *v);
/* The blanks at the start of the line that `at` is on; looks through the line. */
struct bytes json5_spell_indent(struct bytes text, size_t at);
/* Nothing but blanks in front of it on its line. */
bool json5_spell_starts_line(struct bytes text, size_t at);

/* --- values ------------------------------------------------------------------------------------------ */

/* How the file is written where no neighbour shows it. */
struct json5_manner {
	struct bytes eol, unit; /* a line end; one level of indentation */
	bool tight;             /* no blank behind colons */
	bool flat_lists;        /* lists of scalars stand on one line */
};

struct json5_spell {
	struct arena *arena;
	struct bytes text;
	struct text *out;
	struct json5_manner manner;
};

struct json5_layout {        /* of a value */
	struct bytes indent; /* of the line on which it begins */
	unsigned depth;      /* units below that */
	bool flat;           /* all on one line */
};

/* root: the tree of that text. */
void json5_spell_init(struct json5_spell *w, struct arena *a, struct bytes text,
	const struct json_value *root, struct text *out);
/* The last item of c that is a container like d and not empty; NULL: there is none, or d is a scalar. */
const struct json_value *json5_spell_sibling(const struct json_value *c, const struct doc *d);
/* Whether d is written on one line: as the pattern, else (NULL) as is the file's manner. */
bool json5_spell_goes_flat(
	const struct json5_spell *w, const struct json_value *pattern, const struct doc *d);
void json5_spell_key(struct json5_spell *w, struct bytes key);
/* A line end, and the indentation of what stands `depth` units below. */
void json5_spell_line(struct json5_spell *w, const struct json5_layout *at, unsigned depth);
/* pattern may be NULL. */
void json5_spell_value(struct json5_spell *w, const struct doc *d, const struct json_value *pattern,
	const struct json5_layout *at);

#endif
