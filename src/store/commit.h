/*
 * A change set becomes files: journal, backup, all files, or nothing (architecture.md §1; console-api.md §2.5).
 * Blocking: a jobs thread, one at a time, the same that reads the directory.
 *
 * Order: the directory is read anew (what a person changed meanwhile is seen); the operation is made on
 * that snapshot; the new texts are made from the files' own bytes (wire/yaml_edit.h), each checked to be of the
 * hash that the snapshot has; they are parsed, a snapshot with them is compiled on trial; the before-images
 * and a manifest go to state/backups/<id>/ and are synced: that is the journal; the files are written
 * (<file>.tmp exclusive, fsync, rename; §1.5's rule for a foreign .tmp); the manifest is marked done. A failure before the
 * first rename changes nothing; a failure after it puts the before-images back. A crash leaves a manifest
 * that is not done: store_recover, at the next start, puts the before-images back where the files are as
 * the commit wrote them, and leaves alone what somebody changed since.
 */
#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include "resource/op.h"
#include "store/directory.h"

/* Reason why nothing was committed, beyond those of operations. */
enum commit_rc {
	COMMIT_DONE,
	COMMIT_NOTHING, /* the draft was empty: nothing to write */
	COMMIT_REFUSED, /* by the operation: op_rc */
	COMMIT_PLAN,    /* the plan on trial has errors that the live one has not */
	COMMIT_BUSY,    /* another program holds a .tmp (409) */
	COMMIT_IO,      /* disk full, read-only …: nothing is changed */
};

struct commit_who {
	struct bytes actor; /* administrator's name, "restore", "cli" … */
	struct bytes peer;  /* address */
	struct bytes what;  /* "PUT /v1/ai/routes/x" */
};

struct commit {
	/* in */
	struct directory *directory;
	const char *root, *backups; /* resources/ and state/backups/ */
	struct commit_who who;
	int64_t now_s;
	bool again; /* write also what equals (draft_finish) */
	/* The operation, on a draft of the newest snapshot; may be called twice when a file changed meanwhile. */
	enum op_rc (*operate)(void *arg, struct op *o);
	/* Compiles the snapshot that would be; errors go to *why. Returns the plan (opaque here), NULL: refused. */
	void *(*trial)(void *arg, struct snapshot *s, struct text *why);
	void *arg;
	/* out */
	enum commit_rc rc;
	enum op_rc op_rc;
	struct fault fault;
	struct text why, warnings;
	char backup_id[40];        /* empty: none was made */
	struct snapshot *snapshot; /* of what is on disk now; the caller's reference */
	void *plan;                /* of trial, when done */
};

void commit_run(struct commit *c);
/* Called before the first read. What it repaired goes to *findings. */
MUST_CHECK int commit_recover(const char *root, const char *backups, struct findings *findings);

#endif
