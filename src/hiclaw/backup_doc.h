/*
 * Backups as documents (monitor-api.md 6.6): the gateway's objects by sections, what going back to one would do, and
 * the change that does it. Pure.
 */
#ifndef HICLAW_BACKUP_DOC_H
#define HICLAW_BACKUP_DOC_H

#include "hiclaw/ops.h"

#define BACKUP_DOC_FORMAT "sluice-backup"
#define BACKUP_DOC_SEALED "sluice-backup-encrypted"
#define BACKUP_DOC_VERSION 1

/* Of objects; "assignments" and "openclaw" stand beside them. NULL: none of that noun. */
const char *backup_doc_section(enum ops_noun noun);
bool backup_doc_is_section(struct bytes name);

/* {"providers": [...], ...} of lists that were read; secrets in clear, without versions. */
struct doc *backup_doc_sections(struct arena *a, struct doc *const lists[OPS_NOUNS]);

/*
 * A document that came from outside: ours, or the one that the original page kept in a browser ({timestamp, providers,
 * routes, consumers}, each an answer of the Console or a list), which becomes one of ours. NULL and *why: it is neither.
 */
struct doc *backup_doc_import(struct arena *a, struct doc *given, const char **why);

enum backup_doc_mode { BACKUP_DOC_REPLACE, BACKUP_DOC_MERGE };

struct backup_doc_change {
	struct doc *diff; /* {section: {"added": [name], "changed": [], "removed": []}} */
	struct ops_item *items;
	size_t n_items;
};

/* wanted: bits of nouns. What the document leaves out of an object's secrets, and what it has masked, stays as it is. Of
 * BACKUP_DOC_MERGE nothing goes; the Manager's consumer never does. */
void backup_doc_compare(struct arena *a, const struct doc *sections,
	struct doc *const now[OPS_NOUNS], unsigned wanted, enum backup_doc_mode mode,
	struct backup_doc_change *out);

/* How many of each section: {"providers": 2, ...}. */
struct doc *backup_doc_counts(struct arena *a, const struct doc *sections);

#endif
