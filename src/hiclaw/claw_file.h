/*
 * Writing an agent's configuration (hiclaw-integration.md 5.5): under a lock, after a backup, by a rename
 * over the file that the name leads to, and only while it is the file that was edited. The program that
 * reads it, and those that mirror it, may look at any time.
 *
 * Everything here blocks: jobs threads and commands only.
 */
#ifndef HICLAW_CLAW_FILE_H
#define HICLAW_CLAW_FILE_H

#include "hiclaw/config_edit.h"

/* How often an edit begins again because somebody else has changed the file meanwhile. */
#define CLAW_FILE_AGAIN_MAX 3u
/* How long another process of ours may take with the same file: for lock_ms. */
#define CLAW_FILE_LOCK_MS 5000u

/* Where tests look in, and where the power may fail. */
enum claw_step {
	CLAW_READ,    /* the file was read and edited */
	CLAW_BACKUP,  /* the backup is safe */
	CLAW_STAGED,  /* the temporary is written and synced */
	CLAW_RENAME,  /* nothing has changed meanwhile; now it would be renamed */
	CLAW_WRITTEN, /* the new content is in place */
};

struct claw_file {
	const char *path; /* may be a link: what it leads to is written, the link stays */
	const char *
		tmp_dir; /* a directory that is not mirrored; NULL, or not there: beside the target */
	const char *lock_dir; /* ours, outside of the workspace; it must exist */
	unsigned lock_ms;
	/* The edit: openclaw_switch and its like. Called again for what somebody else has written. */
	enum config_code (*edit)(struct claw_file *f, struct arena *a, struct bytes text,
		struct config_text *out, struct fault *fault);
	/* Keeps the previous bytes; NULL: nobody wants them. */
	int (*backup)(struct claw_file *f, struct bytes before, struct fault *fault);
	/* For tests; NULL. What is not 0 takes the place of the step's outcome. */
	int (*at)(struct claw_file *f, enum claw_step step);
};

struct claw_file_done {
	bool changed;    /* false: the file is as it should be, and was not touched */
	bool atomic;     /* false: the file was overwritten, since its name cannot be replaced */
	unsigned rounds; /* of reading and editing: 1 without others */
};

/*
 * *out is set when the code is CONFIG_OK. CONFIG_BUSY: others change the file, or hold the lock. What
 * cannot be read or written is CONFIG_NOT_EDITABLE with the system's reason, fault.err ERR_NOT_FOUND when
 * there is no file; codes of the edit are passed on. Whatever fails before the file is in place leaves
 * it as it was.
 */
MUST_CHECK enum config_code claw_file_change(
	struct claw_file *f, struct claw_file_done *out, struct fault *fault);
/* At the start of the program: removes temporaries of a writer that died. */
void claw_file_tidy(const struct claw_file *f);

#endif
