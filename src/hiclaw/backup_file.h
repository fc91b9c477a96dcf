/*
 * Backups on disk: documents that people made or brought, those that a switch of models made, and the journal of the
 * store, which keeps what was there before each change (store/backup.h). Everything blocks: a jobs thread.
 */
#ifndef HICLAW_BACKUP_FILE_H
#define HICLAW_BACKUP_FILE_H

#include "hiclaw/backup_doc.h"
#include "store/backup.h"

/* Accident: a file that is no backup. */
#define BACKUP_FILE_MAX ((size_t)64 << 20)

struct backup_places {
	const char *dir;            /* documents */
	const char *switches;       /* of switches */
	const char *root, *journal; /* of the store; NULL: its objects are elsewhere */
};

/* A list of {id, createdAt, auto, reason, actor, size, counts, sha256}, newest first. */
MUST_CHECK int backup_file_list(
	struct arena *a, const struct backup_places *p, struct doc **out, struct fault *fault);
/* The document; of the store's, made of the files as they were then, with s as what is live. ERR_NOT_FOUND. */
MUST_CHECK int backup_file_load(struct arena *a, const struct backup_places *p,
	const struct snapshot *s, struct bytes id, struct doc **out, struct fault *fault);
/* Under a new id, which has room for JOURNAL_ID_N + 1; *entry is what the list shows of it. */
MUST_CHECK int backup_file_store(struct arena *a, const struct backup_places *p,
	const struct doc *document, char *id_out, struct doc **entry, struct fault *fault);
/* Those of a directory but the newest `keep`. */
void backup_file_prune(const char *dir, uint64_t keep);
/* The newest document of a directory; NULL: there is none that can be read. */
struct doc *backup_file_newest(struct arena *a, const char *dir, char id_out[JOURNAL_ID_N + 1]);
MUST_CHECK int backup_file_remove(
	const struct backup_places *p, struct bytes id, struct fault *fault);

#endif
