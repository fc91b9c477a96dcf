/*
 * The hash is compared right before the rename: what is left is the moment between the two, which no
 * interface of files closes against programs that take no locks. OpenClaw's own writes are rare.
 */
#include "hiclaw/claw_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"

#define TMP_SUFFIX ".sluice-tmp"

struct round { /* one reading, editing, writing */
	struct claw_file *f;
	const char *target; /* where the name leads */
	struct fault *fault;
	struct arena arena;
	struct text before;
	struct file_stat st;
	struct config_text edited;
	bool atomic;
};

enum outcome { OUT_DONE, OUT_AGAIN, OUT_FAILED };

static enum config_code not_editable(struct fault *fault, const struct fault *why)
{
	fault_set(fault, why->err, 500, 0, "%s", why->text);
	return CONFIG_NOT_EDITABLE;
}

static int look_in(struct claw_file *f, enum claw_step step)
{
	return f->at != NULL ? f->at(f, step) : 0;
}

/* --- names ----------------------------------------------------------------------------------------- */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* In dir, or (NULL) beside the target, where the leading dot keeps it out of listings. On the heap. */
static char *tmp_name(const char *dir, const char *target)
{
	size_t n = dir != NULL ? strlen(dir) : (size_t)(base_of(target) - target);
	size_t max = n + strlen(base_of(target)) + sizeof("/." TMP_SUFFIX);
	char *name = must_alloc(max);

	snprintf(name, max, "%.*s%s.%s" TMP_SUFFIX, (int)n, dir != NULL ? dir : target,
		dir != NULL ? "/" : "", base_of(target));
	return name;
}

/* A name of fixed length for a file, whatever its path. */
static int take_lock(const struct claw_file *f, const char *target, int *held, struct fault *fault)
{
	unsigned char digest[DIGEST_SHA256_SIZE];
	char hex[DIGEST_HEX_SIZE], name[4096];

	digest_sha256(digest, bytes_str(target));
	digest_hex(hex, digest);
	if (snprintf(name, sizeof(name), "%s/config-%.16s.lock", f->lock_dir, hex) >=
		(int)sizeof(name)) {
		return fault_set(fault, ERR_LIMIT, 0, 0, "the path of the lock is too long");
	}
	return file_lock(name, f->lock_ms, held, fault);
}

/* --- one round ----------------------------------------------------------------------------------------- */

/* Whether the target is what was edited. */
static bool is_unchanged(const struct round *r)
{
	unsigned char was[DIGEST_SHA256_SIZE], is[DIGEST_SHA256_SIZE];
	struct file_stat st;
	struct text now;
	bool same;

	text_init(&now, JSON5_TEXT_MAX + 1);
	same = file_read(r->target, JSON5_TEXT_MAX, &now, &st, NULL) == 0 &&
		st.mode == r->st.mode && st.uid == r->st.uid && st.gid == r->st.gid;
	digest_sha256(was, text_bytes(&r->before));
	digest_sha256(is, text_bytes(&now));
	text_done(&now);
	return same && memcmp(was, is, sizeof(is)) == 0;
}

static void sync_directory(const char *target)
{
	char *dir = must_strdup(target);

	dir[base_of(target) - target] = '\0';
	IGNORE(file_sync_dir(
		dir, NULL)); /* the file is replaced: a loss of power brings the old one back */
	free(dir);
}

/* By a temporary in that directory (NULL: beside the target). ERR_AGAIN: changed meanwhile. */
static int replace(struct round *r, const char *dir, struct fault *fault)
{
	char *tmp = tmp_name(dir, r->target);
	const struct file_place at = {r->target, tmp, &r->st};
	struct file_stage stage = {.open = false};
	int rc = file_stage_as(&stage, &at, r->edited.text, fault);

	free(tmp);
	rc = rc != 0 ? rc : look_in(r->f, CLAW_STAGED);
	if (rc == 0 && !is_unchanged(r)) {
		rc = ERR_AGAIN;
	}
	rc = rc != 0 ? rc : look_in(r->f, CLAW_RENAME);
	if (rc == 0) {
		rc = file_stage_rename(&stage, fault);
	}
	file_stage_drop(&stage);
	if (rc == 0) {
		sync_directory(r->target);
	}
	return rc;
}

/* A file that is mounted by itself can only be written into; its bytes are in the backup. */
static int overwrite(struct round *r, struct fault *fault)
{
	if (!is_unchanged(r)) {
		return ERR_AGAIN;
	}
	r->atomic = false;
	return file_overwrite(r->target, r->edited.text, fault);
}

static int put_in_place(struct round *r, struct fault *fault)
{
	int rc = ERR_UNSUPPORTED;
	struct file_stat dir;

	r->atomic = true;
	if (r->f->tmp_dir != NULL && file_stat(r->f->tmp_dir, &dir) == 0 && dir.is_dir) {
		rc = replace(r, r->f->tmp_dir, fault);
	}
	if (rc == ERR_UNSUPPORTED || rc == ERR_REFUSED) {
		rc = replace(r, NULL, fault);
	}
	if (rc == ERR_UNSUPPORTED || rc == ERR_REFUSED) {
		rc = overwrite(r, fault);
	}
	return rc == 0 ? look_in(r->f, CLAW_WRITTEN) : rc;
}

static enum outcome write_it(struct round *r, enum config_code *code)
{
	struct fault why = {0};
	int rc = look_in(r->f, CLAW_READ);

	if (rc == 0 && r->f->backup != NULL) {
		rc = r->f->backup(r->f, text_bytes(&r->before), &why);
	}
	rc = rc != 0 ? rc : look_in(r->f, CLAW_BACKUP);
	rc = rc != 0 ? rc : put_in_place(r, &why);
	if (rc != 0 && rc != ERR_AGAIN) {
		*code = not_editable(r->fault, &why);
	}
	return rc == 0 ? OUT_DONE : rc == ERR_AGAIN ? OUT_AGAIN : OUT_FAILED;
}

static enum outcome run_round(struct round *r, enum config_code *code)
{
	struct fault why = {0};

	if (file_read(r->target, JSON5_TEXT_MAX, &r->before, &r->st, &why) != 0) {
		*code = not_editable(r->fault, &why);
		return OUT_FAILED;
	}
	*code = r->f->edit(r->f, &r->arena, text_bytes(&r->before), &r->edited, r->fault);
	if (*code != CONFIG_OK) {
		return OUT_FAILED;
	}
	return r->edited.changed ? write_it(r, code) : OUT_DONE;
}

/* --- all of them ------------------------------------------------------------------------------------------ */

static enum config_code run_rounds(
	struct claw_file *f, const char *target, struct claw_file_done *out, struct fault *fault)
{
	for (unsigned n = 1; n <= 1 + CLAW_FILE_AGAIN_MAX; n++) {
		struct round r = {.f = f, .target = target, .fault = fault};
		enum config_code code = CONFIG_OK;
		enum outcome outcome;

		arena_init(&r.arena, CONFIG_ARENA_MAX);
		text_init(&r.before, JSON5_TEXT_MAX + 1);
		outcome = run_round(&r, &code);
		if (outcome == OUT_DONE) {
			*out = (struct claw_file_done){
				r.edited.changed, !r.edited.changed || r.atomic, n};
		}
		text_done(&r.before);
		arena_done(&r.arena);
		if (outcome != OUT_AGAIN) {
			return code;
		}
	}
	fault_set(fault, ERR_AGAIN, 503, 0, "%.100s is changed by others all the time: try again",
		f->path);
	return CONFIG_BUSY;
}

enum config_code claw_file_change(
	struct claw_file *f, struct claw_file_done *out, struct fault *fault)
{
	struct fault why = {0};
	enum config_code code;
	char *target;
	int held = -1, rc;

	if (file_resolve(f->path, &target, &why) != 0) {
		return not_editable(fault, &why);
	}
	rc = take_lock(f, target, &held, &why);
	if (rc == ERR_TIMEOUT) {
		fault_set(fault, rc, 503, 0,
			"%.100s is being changed by another process: try again", f->path);
		code = CONFIG_BUSY;
	} else {
		code = rc != 0 ? not_editable(fault, &why) : run_rounds(f, target, out, fault);
	}
	file_unlock(held);
	free(target);
	return code;
}

void claw_file_tidy(const struct claw_file *f)
{
	char *target, *tmp;

	if (file_resolve(f->path, &target, NULL) != 0) {
		return;
	}
	tmp = tmp_name(NULL, target);
	file_remove_orphan(tmp);
	free(tmp);
	if (f->tmp_dir != NULL) {
		tmp = tmp_name(f->tmp_dir, target);
		file_remove_orphan(tmp);
		free(tmp);
	}
	free(target);
}
