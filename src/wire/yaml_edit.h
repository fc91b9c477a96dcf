/*
 * Changes of a YAML text that leave alone what they do not change: comments, order, spelling, blanks.
 *
 * The document was made of the text's own tree (doc_of_yaml) and changed. Where a node differs from its
 * origin, the origin's span is rewritten; added members and items are written behind their neighbours in
 * the indentation that is there. The result is parsed again and compared with what is wanted, and every
 * byte outside the rewritten spans with the text before: when either differs, the edit is refused.
 */
#ifndef WIRE_YAML_EDIT_H
#define WIRE_YAML_EDIT_H

#include "wire/yaml_write.h"

/*
 * text: what was read into `root` (of the same arena or an older one); want: made of root and changed. Appends
 * the new text to out. A text that is canonical (yaml_write gives it) stays canonical: then the whole is
 * written anew unless only items of a list deep inside changed, which costs less as an edit and gives
 * the same bytes. *check (may be NULL) gets the tree of the new text, in `a`, so that the caller need not
 * parse again. Failures: ERR_UNSUPPORTED (anchors, aliases, merge keys or tabs where the edit would be:
 * the fault says where), ERR_LIMIT.
 */
MUST_CHECK int yaml_edit(struct arena *a, struct bytes text, const struct yaml_node *root,
	const struct doc *want, struct text *out, struct fault *fault);

#endif
