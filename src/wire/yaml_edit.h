/*
 * Changes of a YAML text that leave alone what they do not change: comments, order, spelling, blanks.
 *
 * The document was made of the text's own tree (doc_of_yaml) and changed. Where a node differs from its
 * origin, the origin's span is rewritten; added members and items are written behind their neighbours in
 * the indentation that is there. The new text is made of pieces of the old one and of what was written,
 * so that bytes outside of the changes cannot differ; it is parsed and compared with what is wanted, and
 * when it says anything else, the edit is refused.
 */
#ifndef WIRE_YAML_EDIT_H
#define WIRE_YAML_EDIT_H

#include "wire/yaml_write.h"

/* The new text as it was read. The arena is the caller's, made and empty; on failure it holds no document. */
struct yaml_check {
	struct arena arena;
	struct yaml_doc doc;
};

/*
 * text: what was read; root: its tree (of `a` or of an older arena; NULL: the text is empty); want: made
 * of root and changed, or made anew, then members are found by their keys and items by their place.
 * Appends the new text to out. What is equal stays as it is written, further documents and all comments
 * outside of what goes away stay. A text that is canonical (yaml_write gives it) stays canonical.
 * *check (may be NULL) gets what the new text was read as, in an arena of its own, so that the caller need
 * not parse it again.
 * Failures: ERR_UNSUPPORTED (what cannot be changed piece by piece: what anchors, aliases, merge keys,
 * tags or tabs have a part in; fault.where is the line), ERR_LIMIT (a, out or a limit of the parser). What
 * was appended to out is then taken back.
 */
MUST_CHECK int yaml_edit(struct arena *a, struct bytes text, const struct yaml_node *root,
	const struct doc *want, struct text *out, struct yaml_check *check, struct fault *fault);

#endif
