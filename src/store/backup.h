/*
 * Backups: what journals hold (store/journal.h), and complete copies that a person asked for. A backup stands
 * for the moment before the change that it belongs to: going back to it undoes that change and all later
 * ones. Blocking: a jobs thread or a command.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/commit.h"
#include "store/journal.h"

struct backup_entry {
	char id[JOURNAL_ID_N + 1];
	bool named, begun;
	struct bytes actor, what, reason;
	int64_t time_s;
	size_t files;
	uint64_t size; /* bytes of the images */
};

struct backup_entries {
	struct backup_entry *v;
	size_t n;
};

/* Oldest first. What cannot be read is left out. */
MUST_CHECK int backup_list(
	struct arena *a, const char *backups, struct backup_entries *out, struct fault *fault);
/* All files of the snapshot, as they are on disk. id_out has room for JOURNAL_ID_N + 1. */
MUST_CHECK int backup_create(const char *root, const char *backups, const struct snapshot *s,
	struct bytes reason, char *id_out, struct fault *fault);

enum backup_change { BACKUP_ADDS, BACKUP_CHANGES, BACKUP_REMOVES };

struct backup_file { /* what going back would do to one file */
	enum backup_change change;
	enum resource_kind kind;
	struct bytes name;
	struct bytes text; /* as it would be; p NULL: removed */
	unsigned mode;
};

struct backup_files {
	struct backup_file *v;
	size_t n;
};

/* What going back to that moment would do, compared with the files of the snapshot; texts are in the arena.
 * ERR_NOT_FOUND: there is no such backup. */
MUST_CHECK int backup_compare(struct arena *a, const char *root, const char *backups,
	struct bytes id, struct backup_files *out, struct fault *fault);
/* All files as they were at that moment: those of the snapshot as they are on disk, with what backup_compare found
 * put in their place. Texts are in the arena. */
MUST_CHECK int backup_document(struct arena *a, const char *root, const struct snapshot *s,
	const struct backup_files *changed, struct backup_files *out, struct fault *fault);
/* Fills c's files from the comparison, so that commit_run goes back: a transaction like any other, with a
 * backup of its own. */
void backup_restore(struct arena *a, const struct backup_files *files, struct commit *c);

MUST_CHECK int backup_remove(const char *backups, struct bytes id, struct fault *fault);
/* Removes the oldest that no person made and that are complete, until at most count with at most bytes are
 * left. The newest stays. */
void backup_prune(const char *backups, size_t count, uint64_t bytes);

#endif
