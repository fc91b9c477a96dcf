/*
 * Changes of a JSON5 text that leave alone what they do not change: comments, order, spelling, numbers,
 * blanks, line ends, a byte order mark, whether there is a line end at the end.
 *
 * What is added goes behind the last item of its container, in the manner of the items that are there: on
 * a line of its own where they have one, spelled over several lines where they are. Among none it gets a
 * line of its own when its container has one, indented by the file's unit; a container whose items share
 * a line stays one of that kind. Where the last item has a comma behind it, the new one gets it, too.
 *
 * The new text is made of pieces of the old one and of what was written, so that bytes outside of the
 * changes cannot differ; then it is read again and compared with what was wanted.
 */
#ifndef WIRE_JSON5_EDIT_H
#define WIRE_JSON5_EDIT_H

#include "wire/doc.h"
#include "wire/json5.h"
#include "wire/splice.h"

/* Nodes that one edit changes or adds to. Ours, so asserted: a switch of a model has 8. */
#define JSON5_OPS_MAX 16u

struct json5_op {
	const struct json_value *at;
	const struct doc *set; /* in its place; NULL: items are added */
	struct doc *add;       /* a list or map of them */
};

struct json5_edit {
	struct arena *arena;
	struct bytes text;
	const struct json_value *root;
	struct json5_op ops[JSON5_OPS_MAX];
	size_t n;
	/* by json5_edit_write: what was changed, in order of the places */
	struct splice_edit edits[2 * JSON5_OPS_MAX];
	size_t n_edits;
};

/* root: the tree of that text. Both and the arena must outlive the edit. */
void json5_edit_init(
	struct json5_edit *e, struct arena *a, struct bytes text, const struct json_value *root);
/* Changes are noted only. A NULL value does nothing: the arena is full, which json5_edit_write says. A node
 * that is set has no other change in it; keys that are added are new. */
void json5_edit_set(struct json5_edit *e, const struct json_value *at, const struct doc *value);
void json5_edit_add_member(
	struct json5_edit *e, const struct json_value *to, struct bytes key, struct doc *value);
void json5_edit_add_item(struct json5_edit *e, const struct json_value *to, struct doc *value);
/*
 * Appends the new text to out. Nothing noted: the old one, and no edits. Failures: ERR_LIMIT (the arena, out, or what
 * json5_parse refuses), ERR_REFUSED (the new text does not say what was wanted); out is then as it was.
 */
MUST_CHECK int json5_edit_write(struct json5_edit *e, struct text *out, struct fault *fault);
/* Whether `now`, read from a new text, is the old tree but for the changes: same members in the same
 * order, duplicates among them, numbers spelled the same. */
MUST_CHECK bool json5_edit_agrees(const struct json5_edit *e, const struct json_value *now);

#endif
