/*
 * A change set becomes files: journal, backup, all files, or nothing (architecture.md §1; console-api.md §2.5).
 * Blocking: a jobs thread, one at a time, the same that reads the directory.
 *
 * Order: the directory is read anew (what a person changed meanwhile is seen); the operation is made on
 * that snapshot; the new texts are made from the files' own bytes (wire/yaml_edit.h), each checked to be of
 * the hash that the snapshot has; they are parsed, a snapshot with them is compiled on trial; the
 * before-images and a manifest go to backups/<id>/ (store/journal.h); all new files are written beside the
 * old ones (<file>.tmp, exclusive, synced); then, when no file has changed since it was read, all are
 * renamed and the journal is ended. A failure before the first rename changes nothing; a failure after it
 * puts the before-images back. A crash leaves a journal that has not ended, which commit_recover repairs.
 */
#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include "resource/op.h"
#include "store/directory.h"

/* Kept without being asked for; the oldest go first. Those a person made are not counted and stay. */
#define COMMIT_BACKUPS_MAX 200u
#define COMMIT_BACKUPS_BYTES ((uint64_t)256 << 20)

/* Reason why nothing was committed, beyond those of operations. */
enum commit_rc {
	COMMIT_DONE,
	COMMIT_NOTHING, /* the draft was empty: nothing to write; snapshot is set all the same */
	COMMIT_REFUSED, /* by the operation: op_rc */
	COMMIT_PLAN,    /* the plan on trial has errors that the live one has not */
	COMMIT_BUSY,    /* another program writes the same files, or changes them again and again */
	COMMIT_IO,      /* disk full, read-only …: nothing is changed */
};

struct commit_who {
	struct bytes actor; /* administrator's name, "restore", "cli" … */
	struct bytes peer;  /* address */
	struct bytes what;  /* "PUT /v1/ai/routes/x" */
};

struct commit_file { /* of a restore: a file as it shall be */
	enum resource_kind kind;
	struct bytes name;
	struct bytes text; /* p NULL: removed */
	unsigned mode;     /* of one that is made; 0: 0600 */
};

struct commit {
	/* in */
	struct directory *directory;
	const char *root, *backups; /* resources/ and state/backups/ */
	size_t backups_max;         /* 0: COMMIT_BACKUPS_MAX */
	struct commit_who who;
	int64_t now_s;
	bool again; /* write also what equals (draft_finish) */
	/* The operation, on a draft of the newest snapshot; may be called again when a file changed meanwhile. */
	enum op_rc (*operate)(void *arg, struct op *o);
	/* Instead of an operation: files by their texts. */
	const struct commit_file *files;
	size_t n_files;
	void *arg; /* of operate */
	/* Compiles the snapshot that would be; errors go to *why. Returns the plan (opaque here), NULL: refused.
	 * drop takes one back that comes to nothing. Without trial nothing is compiled. */
	void *(*trial)(void *arg, struct snapshot *s, struct text *why);
	void (*drop)(void *arg, void *plan);
	void *trial_arg;
	/* out */
	enum commit_rc rc;
	enum op_rc op_rc;
	struct text why, warnings;
	char backup_id[40];      /* empty: none was made */
	struct snapshot *before; /* on which it was made; the caller's reference */
	struct snapshot
		*snapshot; /* of what is on disk now; the caller's reference; NULL on failure */
	void *plan;        /* of trial, when done */
};

/* The in part is filled, all else zero. */
void commit_run(struct commit *c);
/* Texts and references; the plan is the caller's. Safe on a zeroed one. */
void commit_done(struct commit *c);

/* Called before the first read. What it repaired goes to *findings. */
MUST_CHECK int commit_recover(const char *root, const char *backups, struct findings *findings);

#endif
